//! Clusters that all tests of a binary share, each started when it is first asked for.

use super::{ApiServer, Components};
use crate::required::Missing;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

/// How many there can be.
const MOST: usize = 12;

/// The programs of a cluster. Where they are missing, says so, and gives nothing, or fails if they are required.
pub fn required() -> Option<Components> {
    static FOUND: OnceLock<(Option<Components>, Missing)> = OnceLock::new();
    let (components, missing) = FOUND.get_or_init(|| {
        let mut missing = Missing::default();
        (Components::find(&mut missing), missing)
    });
    missing.close();
    components.clone()
}

/// The shared cluster of this number, named `c1` for 0, `c2` for 1 and so on; nothing where the programs are missing. Tests in it keep to
/// namespaces and names of their own.
pub fn shared(number: usize) -> Option<&'static ApiServer> {
    static CLUSTERS: [OnceLock<Option<ApiServer>>; MOST] = [const { OnceLock::new() }; MOST];
    let components = required()?;
    let start = || catch_unwind(AssertUnwindSafe(|| ApiServer::start(&components, &format!("c{}", number + 1)))).ok();
    let cluster = CLUSTERS[number].get_or_init(start);
    assert!(cluster.is_some(), "the shared cluster {number} did not start; the first test that asked for it says why");
    cluster.as_ref()
}
