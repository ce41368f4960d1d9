//! The cluster of an effect, if it is the one that was planned for.

use crate::client::{Cluster, Clusters};
use engine::port::{Connected, Failure};
use std::sync::Arc;

/// The cluster at a place.
///
/// Errors: there is no place, it cannot be reached, or another cluster than the planned one answers there.
pub(crate) async fn reached(clusters: &Clusters, place: Option<&Connected>) -> Result<Arc<Cluster>, Failure> {
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
