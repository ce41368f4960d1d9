//! The cluster of an effect, if it is the one that was planned for.

use crate::client::{Cluster, Clusters};
use engine::port::{Connected, Failure};
use std::sync::Arc;

/// The cluster at a place.
///
/// Errors: there is no place, it cannot be reached, or another cluster than the planned one answers there.
pub async fn reached(clusters: &Clusters, place: Option<&Connected>) -> Result<Arc<Cluster>, Failure> {
    let place = place.ok_or_else(|| Failure::new("no cluster", "the resource says of no cluster that it lies in it"))?;
    let unreachable = |why: String| Failure::new("cluster not reachable", format!("`{}` was not reached: {why}", place.address));
    let cluster = clusters.cluster(&place.connection).await.map_err(unreachable)?;
    if let Some(expected) = &place.uid {
        let uid = cluster.uid().await.map_err(|error| unreachable(error.to_string()))?;
        if uid != &**expected {
            let detail =
                format!("`{}` was planned as cluster `{expected}`, but `{uid}` answers at its address; nothing was touched", place.address);
            return Err(Failure::new("another cluster", detail));
        }
    }
    Ok(cluster)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::address::Address;
    use engine::value::Value;

    #[tokio::test]
    async fn an_effect_without_its_cluster_says_why() {
        let clusters = Clusters::new(Vec::new());
        let failure = reached(&clusters, None).await.err().unwrap();
        assert_eq!(
            (failure.summary.as_str(), failure.detail.as_str()),
            ("no cluster", "the resource says of no cluster that it lies in it")
        );
        let connection = Value::object([("type", Value::string("carrier-pigeon"))]);
        let place = Connected { address: Address::managed("sandbox_cluster", "c"), connection, uid: None };
        let failure = reached(&clusters, Some(&place)).await.err().unwrap();
        assert_eq!(failure.summary, "cluster not reachable");
        assert_eq!(failure.detail, "`sandbox_cluster.c` was not reached: nothing here knows connections of type `carrier-pigeon`");
    }
}
