//! Ranges of addresses, over the whole command line.

use super::laws::APPLY;
use meshplan_tests::scenario::Scenario;

const LAB: &str = r#"
locals { names = ["east", "north", "west"] }
resource "address_ranges" "pools" {
  subnet   = "172.30.0.0/16"
  ip_range = "172.30.0.0/17"
  names    = local.names
}
resource "meshplan_data" "pool" {
  for_each = toset(local.names)
  input    = address_ranges.pools.ranges[each.key]
}
output "networks" { value = address_ranges.pools.cidrs }
"#;

/// The ranges that the state keeps, each as `name=third part of its first address`.
fn kept(scenario: &Scenario) -> String {
    let state = scenario.state();
    let objects = state.to_string();
    let mut found: Vec<_> = ["east", "north", "south", "west"]
        .iter()
        .filter_map(|name| {
            let start = objects.find(&format!("\"{name}\":\"172.30."))? + name.len() + 11;
            let third = objects.get(start..)?.split('.').next()?;
            Some(format!("{name}={third}"))
        })
        .collect();
    found.sort();
    found.join(" ")
}

#[test]
fn plans_know_ranges_and_clusters_keep_theirs() {
    let scenario = Scenario::with(LAB);
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    for known in ["172.30.128.1-172.30.128.254", "172.30.130.1-172.30.130.254", "172.30.129.0/24"] {
        assert!(plan.contains(known), "no `{known}`: {plan}");
    }
    scenario.run(&APPLY).expect_code(0);
    assert_eq!(kept(&scenario), "east=128 north=129 west=130");
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    for (from, to, expected) in [
        (r#"["east", "north", "west"]"#, r#"["east", "west"]"#, "east=128 west=130"),
        (r#"["east", "west"]"#, r#"["east", "south", "west"]"#, "east=128 south=129 west=130"),
        (r#"["east", "south", "west"]"#, r#"["north", "south", "west"]"#, "north=128 south=129 west=130"),
    ] {
        scenario.replace("main.mesh.hcl", from, to);
        let plan = scenario.run(&["plan"]).expect_code(0).stdout;
        assert!(!plan.contains("meshplan_data.pool[\"west\"]"), "`west` is touched: {plan}");
        scenario.run(&APPLY).expect_code(0);
        assert_eq!(kept(&scenario), expected, "{to}");
    }
    // What the engine hands out may grow, but not into what a cluster has.
    scenario.replace("main.mesh.hcl", "172.30.0.0/17", "172.30.0.0/18");
    scenario.run(&APPLY).expect_code(0);
    assert_eq!(kept(&scenario), "north=128 south=129 west=130");
    scenario.replace("main.mesh.hcl", "172.30.0.0/18", "172.30.128.0/24");
    let refused = scenario.run(&["plan"]).expect_code(1).stderr;
    assert!(refused.contains("range in use") && refused.contains("`north` has `172.30.128.1-172.30.128.254`"), "{refused}");
    scenario.replace("main.mesh.hcl", "172.30.128.0/24", "172.31.0.0/17");
    scenario.replace("main.mesh.hcl", "172.30.0.0/16", "172.31.0.0/16");
    let replaced = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(replaced.contains("-/+") && replaced.contains("`subnet`"), "{replaced}");
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
}
