//! Asynchronous requests from threads that wait for them.

use state::Refusal;
use std::fmt;
use std::sync::mpsc::sync_channel;
use tokio::runtime::{Builder, Runtime};

/// A thread that carries requests out, for as long as this is.
pub(crate) struct Calls(Option<Runtime>);

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calls")
    }
}

impl Calls {
    /// Starts the thread.
    pub(crate) fn new() -> std::io::Result<Self> {
        Builder::new_multi_thread().worker_threads(1).thread_name("backend").enable_all().build().map(|runtime| Self(Some(runtime)))
    }

    /// Carries a request out and waits for what comes of it. May be called within another runtime, whose thread then waits too.
    pub(crate) fn wait<T: Send + 'static>(&self, request: impl Future<Output = Result<T, Refusal>> + Send + 'static) -> Result<T, Refusal> {
        let ended = || Refusal::Failed("the client has ended".to_owned());
        let (done, result) = sync_channel(1);
        self.0.as_ref().ok_or_else(ended)?.spawn(async move { done.send(request.await).ok() });
        result.recv().map_err(|_| ended())?
    }
}

impl Drop for Calls {
    /// Does not wait for what is left over, which a runtime that waits would.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_waited_for_within_a_runtime_and_without() {
        let calls = Calls::new().unwrap();
        assert_eq!(calls.wait(async { Ok(1) }), Ok(1));
        let within = Builder::new_current_thread().build().unwrap();
        let result = within.block_on(async {
            let calls = Calls::new().unwrap();
            calls.wait(async {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                Err::<(), _>(Refusal::Conflict)
            })
        });
        assert_eq!(result, Err(Refusal::Conflict));
    }
}
