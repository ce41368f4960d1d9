//! Clusters that all tests of a binary share, each started when it is first asked for.

use super::{ApiServer, Cast, Components, StandIns};
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
/// namespaces and names of their own. It has no nodes: Deployments never become available, and load balancers get no address.
pub fn shared(number: usize) -> Option<&'static ApiServer> {
    static CLUSTERS: [OnceLock<Option<ApiServer>>; MOST] = [const { OnceLock::new() }; MOST];
    let components = required()?;
    started(&CLUSTERS[number], || ApiServer::start(&components, &format!("c{}", number + 1)))
}

/// The same with stand-ins, in clusters of their own, named `s1`, `s2` and so on: each has the nodes `s1-a` and `s1-b`, and a pool of
/// addresses that no other has.
pub fn shared_with_stand_ins(number: usize) -> Option<&'static ApiServer> {
    static CLUSTERS: [OnceLock<Option<(ApiServer, StandIns)>>; MOST] = [const { OnceLock::new() }; MOST];
    let components = required()?;
    let start = || {
        let name = format!("s{}", number + 1);
        let cluster = ApiServer::start(&components, &name);
        let nodes = [format!("{name}-a"), format!("{name}-b")];
        let stand_ins = StandIns::start(&cluster, &Cast { nodes: &[&nodes[0], &nodes[1]], pool: &format!("198.18.{number}.0/24") });
        (cluster, stand_ins)
    };
    started(&CLUSTERS[number], start).map(|(cluster, _)| cluster)
}

/// What is started once; that it cannot be is said once, by the test that tried.
fn started<T>(slot: &'static OnceLock<Option<T>>, start: impl FnOnce() -> T) -> Option<&'static T> {
    let started = slot.get_or_init(|| catch_unwind(AssertUnwindSafe(start)).ok());
    assert!(started.is_some(), "the shared cluster did not start; the first test that asked for it says why");
    started.as_ref()
}
