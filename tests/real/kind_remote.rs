//! `kind_cluster` at an Engine that is reached over TLS: of this machine, and of another one.

use super::kind_cluster::{APPLY, DESTROY, SETTLED, has, outputs, run, text};
use meshplan_tests::docker::TlsWay;
use meshplan_tests::kind::{IMAGE, Kind};
use meshplan_tests::namespace::Namespace;
use meshplan_tests::scenario::Scenario;

fn cluster(networking: &str) -> String {
    format!(
        r#"
resource "kind_cluster" "this" {{
  name       = "remote"
  node_image = "{IMAGE}"
  networking = {networking}
}}
resource "kubernetes_namespace" "mesh" {{
  cluster = kind_cluster.this
  name    = "mesh"
}}
output "server" {{ value = kind_cluster.this.server }}
output "peer" {{ value = kind_cluster.this.peer_server }}
"#
    )
}

fn led(scenario: &mut Scenario, way: &TlsWay) {
    scenario.set("DOCKER_HOST", &way.host());
    scenario.set("DOCKER_TLS_VERIFY", "1");
    scenario.set("DOCKER_CERT_PATH", &way.certificates().display().to_string());
}

/// A cluster comes, is used, stands up again and goes.
fn lives(kind: &Kind, scenario: &Scenario, (server, peer): (&str, &str)) {
    run(scenario, &APPLY, 0);
    run(scenario, &SETTLED, 0);
    let made = outputs(scenario);
    assert!(text(&made, "server").starts_with(server) && text(&made, "peer").starts_with(peer), "{made}");
    assert!(kind.object("remote", &["namespace", "mesh"]).is_some());
    kind.stop_node("remote-control-plane");
    has(&run(scenario, &SETTLED, 2), &["~   kind_cluster.this", "`running` changed outside"]);
    run(scenario, &APPLY, 0);
    run(scenario, &SETTLED, 0);
    run(scenario, &DESTROY, 0);
    assert_eq!((kind.clusters(), scenario.addresses()), (Vec::new(), Vec::new()));
}

#[test]
fn an_engine_of_this_machine_is_used_over_tls() {
    let Some(kind) = Kind::start() else { return };
    kind.tell("docker", &["network", "create", "kind"]);
    let before = kind.traces();
    let way = TlsWay::from(kind.namespace(), kind.engine());
    let mut scenario = kind.scenario(&cluster("{}"));
    led(&mut scenario, &way);
    assert!(!run(&scenario, &["plan"], 0).contains("out of reach"));
    lives(&kind, &scenario, ("https://127.0.0.1:", "https://remote-control-plane:6443"));
    // Who shows no certificate makes nothing.
    scenario.set("DOCKER_TLS_VERIFY", "");
    has(&run(&scenario, &["plan"], 0), &["warning: Docker Engine not reached", &way.host()]);
    has(&run(&scenario, &APPLY, 1), &["error: Docker Engine not reached"]);
    assert_eq!(kind.traces(), before);
}

/// Two machines with a cable between them.
const CABLE: &str =
    "ip link set lo up; ip link add far0 type veth peer name near0; ip address add 10.3.0.2/24 dev far0; ip link set far0 up";

#[test]
fn an_engine_of_another_machine_publishes_at_addresses_of_its_own() {
    let Some(kind) = Kind::start() else { return };
    kind.tell("docker", &["network", "create", "kind"]);
    let before = kind.traces();
    let Some(here) = Namespace::needing(["ip", "unshare"], CABLE) else { return };
    let there = kind.namespace();
    here.shell(&format!("ip link set near0 netns {}", there.holder()));
    there.shell("ip address add 10.3.0.1/24 dev near0; ip link set near0 up");
    let way = TlsWay::from(&here, kind.engine());
    let mut scenario = kind.scenario(&cluster("{ api_server_address = \"10.3.0.1\", api_server_port = 6443 }"));
    scenario.enter(here);
    led(&mut scenario, &way);
    assert!(!run(&scenario, &["plan"], 0).contains("out of reach"));
    lives(&kind, &scenario, ("https://10.3.0.1:6443", "https://10.3.0.1:6443"));
    // What would not be reached from here is told by the plan.
    for (networking, words) in [
        ("{}", "at whose own `127.0.0.1` the API server would be"),
        ("{ api_server_address = \"10.3.0.1\" }", "would look for a free port at `10.3.0.1`"),
    ] {
        scenario.write("main.mesh.hcl", &cluster(networking));
        has(&run(&scenario, &["plan"], 0), &["warning: API server out of reach", words, "Set `api_server_"]);
    }
    scenario.write("main.mesh.hcl", &cluster("{ api_server_address = \"10.3.0.1\", api_server_port = -1 }"));
    assert!(!run(&scenario, &["plan"], 0).contains("out of reach"));
    lives(&kind, &scenario, ("https://10.3.0.1:", "https://10.3.0.1:"));
    assert_eq!(kind.traces(), before);
}
