//! What an effect is at, told from wherever its work is done: the client is shared by all effects, and this is not.

use engine::port::Activity;
use std::future::Future;

tokio::task_local! {
    static CURRENT: Activity;
}

/// Does the work of one effect.
pub(crate) async fn during<T>(activity: Activity, work: impl Future<Output = T>) -> T {
    CURRENT.scope(activity, work).await
}

/// Says what the effect waits for. Outside of an effect nobody listens.
pub(crate) fn waits_for(what: &str) {
    let _ = CURRENT.try_with(|activity| activity.waits_for(what));
}

/// Counts a request that is made once more.
pub(super) fn retries() {
    let _ = CURRENT.try_with(Activity::retries);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_effect_tells_of_itself_and_nobody_of_what_is_none() {
        waits_for("nothing");
        let (one, other) = (Activity::default(), Activity::default());
        let work = |what: &'static str| async move {
            waits_for(what);
            tokio::task::yield_now().await;
            retries();
        };
        tokio::join!(during(one.clone(), work("1 of 2 replicas are available")), during(other.clone(), work("no address")));
        assert_eq!((one.waiting().as_deref(), one.retried()), (Some("1 of 2 replicas are available"), 1));
        assert_eq!((other.waiting().as_deref(), other.retried()), (Some("no address"), 1));
    }
}
