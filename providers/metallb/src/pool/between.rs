//! What is wrong between pools whatever their addresses are: see `lint` for the rest.

use super::{WITH_OBJECTS, below};
use engine::address::Address;
use engine::schema::Problem;
use engine::value::Value;
use kubernetes::arguments::{address, text};

/// Every problem between pools, each at the later of the two it is about. What is not known yet is no problem.
pub(super) fn problems(instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
    let mut found = Vec::new();
    for (at, later) in instances.iter().enumerate() {
        for earlier in instances.iter().take(at) {
            found.extend(one_text(*earlier, *later).map(|problem| (later.0.clone(), problem)));
        }
    }
    found
}

/// Two pools of one MetalLB that reads a single text.
fn one_text((first, one): (&Address, &Value), (second, other): (&Address, &Value)) -> Option<Problem> {
    let cluster = |arguments: &Value| address(arguments, &["metallb", "cluster"]);
    if cluster(one)? != cluster(other)? {
        return None;
    }
    let version = text(other, &["metallb", "version"]).filter(|version| below(version, WITH_OBJECTS))?;
    let detail = format!(
        "`{first}` and `{second}` both write the ConfigMap `config` of one MetalLB: `{version}` reads all its pools from that one text"
    );
    let help = "Put the ranges of both into the `addresses` of one, or use MetalLB 0.13 or newer.";
    Some(Problem::with("metallb", "several pools in one text", detail).help(help))
}

#[cfg(test)]
mod tests {
    use super::super::tests::pool;
    use super::*;
    use serde_json::json;

    #[test]
    fn pools_do_not_share_a_text() {
        let address = |name: &str| Address::managed("metallb_pool", name);
        let other = json!({ "addresses": ["172.30.129.0/24"] });
        for (one, two, told) in [
            (pool("c1", "0.16.2", &json!({})), pool("c2", "0.16.2", &other), None),
            (pool("c1", "0.16.2", &json!({})), pool("c1", "0.16.2", &other), None),
            (pool("c1", "0.12.1", &json!({})), pool("c2", "0.12.1", &other), None),
            (
                pool("c1", "0.12.1", &json!({})),
                pool("c1", "0.12.1", &other),
                Some(
                    "`metallb_pool.a` and `metallb_pool.b` both write the ConfigMap `config` of one MetalLB: `0.12.1` reads all its pools from that one text",
                ),
            ),
        ] {
            let found = problems(&[(&address("a"), &one), (&address("b"), &two)]);
            assert!(found.iter().all(|(at, _)| *at == address("b")));
            assert_eq!(found.first().map(|(_, problem)| problem.detail.as_str()), told);
        }
    }
}
