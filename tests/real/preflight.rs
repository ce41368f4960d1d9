//! What a plan says of the machine that an Engine is on: both are in a network of the test's own, and so is meshplan.

use meshplan_tests::docker::{Engine, IMAGE};
use meshplan_tests::killed::Counting;
use meshplan_tests::namespace::Namespace;
use meshplan_tests::scenario::Scenario;

const COUNTING: Counting = Counting(env!("CARGO_BIN_EXE_meshplan-counting"));

/// An interface that `host_vip` can add to, with one address.
const NETWORK: &str = "busybox ip link set lo up; ip link add lan0 type bridge; ip link set lan0 up; ip address add 10.77.0.1/32 dev lan0; mount --make-rprivate /";

struct Lab {
    engine: Engine,
    scenario: Scenario,
}

impl Lab {
    fn new() -> Option<Self> {
        let namespace = Namespace::needing(["unshare", "nsenter", "mount", "ip", "busybox"], NETWORK)?;
        let engine = Engine::start_within(&namespace)?;
        let mut scenario = engine.scenario("");
        scenario.enter(namespace);
        Some(Self { engine, scenario })
    }

    /// Runs a command line with this configuration; what it says.
    fn run(&self, configuration: &str, args: &[&str], code: i32) -> String {
        self.scenario.write("main.mesh.hcl", configuration);
        let mut command = COUNTING.command(&self.scenario, args);
        let output = command.stdout(std::process::Stdio::piped()).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{configuration}\n{said}");
        said
    }

    fn plan(&self, configuration: &str, code: i32) -> String {
        self.run(configuration, &["plan"], code)
    }

    fn apply(&self, configuration: &str) -> String {
        self.run(configuration, &["apply", "--auto-approve"], 0)
    }

    fn forget_all(&self) {
        self.run("", &["apply", "--auto-approve"], 0);
        assert_eq!(self.scenario.addresses(), Vec::<String>::new());
    }
}

/// A container with one port, whose image is known only once it is made.
fn container(label: &str, address: &str, port: u16) -> String {
    format!(
        "resource \"docker_container\" \"{label}\" {{\n  name = \"{label}\"\n  image = docker_image.box.id\n  command = [\"sleep\", \"10000\"]\n  \
         stop_signal = \"KILL\"\n  ports = [{{ container_port = 53, host_port = {port}, host_address = \"{address}\" }}]\n}}\n"
    )
}

fn image() -> String {
    format!("resource \"docker_image\" \"box\" {{\n  name = \"{IMAGE}\"\n}}\n")
}

const VIP: &str = "resource \"host_vip\" \"a\" {\n  device = \"lan0\"\n  address = \"10.77.0.2\"\n}\n";

#[test]
fn what_keeps_a_container_from_its_port_is_told_by_the_plan() {
    let Some(lab) = Lab::new() else { return };
    let shell = |script: &str| lab.scenario.namespace().unwrap().shell(script);
    // Somebody listens, not in a container; and a container of somebody else does.
    shell("busybox httpd -f -p 10.77.0.1:8053 </dev/null >/dev/null 2>&1 & echo $! > /tmp/meshplan-listener; sleep 0.2");
    lab.engine.docker(&["run", "--detach", "--name", "other", "--publish", "10.77.0.1:8443:80", IMAGE, "sleep", "10000"]);
    for (address, port, expected) in [
        ("10.77.0.1", 8053, Some(("port taken", "sudo ss -Hlntp sport = :8053"))),
        ("0.0.0.0", 8053, Some(("port taken", "sudo ss -Hlntp sport = :8053"))),
        ("10.77.0.1", 8443, Some(("port taken", "docker stop other"))),
        ("127.0.0.1", 8443, None),
        ("10.77.0.1", 8444, None),
        ("10.77.0.2", 8053, Some(("address missing", "sudo ip address add 10.77.0.2/32 dev lo"))),
    ] {
        let configuration = image() + &container("dns", address, port);
        let told = lab.plan(&configuration, i32::from(expected.is_some()));
        match expected {
            Some((summary, help)) => {
                assert!(told.contains(&format!("error: {summary}")) && told.contains(help), "{address} {port}: {told}");
            }
            None => assert!(!told.contains("error") && !told.contains("warning"), "{address} {port}: {told}"),
        }
    }
    // The plan looks where the Engine is: from another network it knows of containers alone.
    let outside = lab.engine.scenario(&(image() + &container("dns", "10.77.0.1", 8053)));
    assert!(!outside.run(&["plan"]).expect_code(0).all().contains("port taken"));
    outside.write("main.mesh.hcl", &(image() + &container("dns", "10.77.0.1", 8443)));
    assert!(outside.run(&["plan"]).expect_code(1).all().contains("the container `other` publishes `10.77.0.1:8443/tcp`"));
    shell("kill $(cat /tmp/meshplan-listener); rm /tmp/meshplan-listener");
    lab.engine.docker(&["rm", "--force", "other"]);
}

#[test]
fn what_the_plan_itself_clears_away_is_no_obstacle() {
    let Some(lab) = Lab::new() else { return };
    // An address that the same plan sets, though nothing refers to it, is set first.
    let with_vip = |rest: &str| image() + VIP + rest;
    let both = with_vip(&container("dns", "10.77.0.2", 53));
    assert!(!lab.plan(&both, 0).contains("error"));
    lab.apply(&both);
    lab.run(&both, &["plan", "--detailed-exitcode"], 0);
    // Another container gets the port of one that goes, and two change their ports with each other.
    let renamed = with_vip(&container("names", "10.77.0.2", 53));
    lab.apply(&renamed);
    lab.apply(&with_vip(&(container("names", "10.77.0.2", 53) + &container("web", "10.77.0.2", 80))));
    let swapped = with_vip(&(container("names", "10.77.0.2", 80) + &container("web", "10.77.0.2", 53)));
    lab.apply(&swapped);
    lab.run(&swapped, &["plan", "--detailed-exitcode"], 0);
    // What is only forgotten keeps its port.
    let forgotten = with_vip(
        &(container("names", "10.77.0.2", 80)
            + &container("other", "10.77.0.2", 53)
            + "removed {\n  from = docker_container.web\n  lifecycle {\n    destroy = false\n  }\n}\n"),
    );
    let told = lab.plan(&forgotten, 1);
    assert!(told.contains("port taken") && told.contains("the container `web` publishes `10.77.0.2:53/tcp` already"), "{told}");
    // After a start of the machine: the address is set before the container that stopped without it starts.
    lab.scenario.namespace().unwrap().shell("ip address del 10.77.0.2/32 dev lan0");
    lab.engine.docker(&["stop", "names", "web"]);
    lab.apply(&swapped);
    lab.run(&swapped, &["plan", "--detailed-exitcode"], 0);
    // A successor that is to be there before its predecessor goes cannot have the same port.
    let again = swapped.replace("name = \"names\"", "name = \"names-again\"").replace("name = \"web\"", "name = \"web-again\"");
    let first = again.replace(
        "stop_signal = \"KILL\"",
        "stop_signal = \"KILL\"\n  env = { A = \"1\" }\n  lifecycle {\n    create_before_destroy = true\n  }",
    );
    let told = lab.plan(&first, 1);
    assert!(told.contains("port taken") && told.contains("`create_before_destroy`"), "{told}");
    lab.forget_all();
}

#[test]
fn names_and_addresses_of_networks_are_told_by_the_plan() {
    let Some(lab) = Lab::new() else { return };
    let network = |label: &str, subnet: &str| {
        format!("resource \"docker_network\" \"{label}\" {{\n  name = \"{label}\"\n  subnet = \"{subnet}\"\n}}\n")
    };
    lab.engine.docker(&["network", "create", "--subnet", "10.78.0.0/16", "holder"]);
    for (configuration, code, words) in [
        (network("mesh", "10.78.4.0/24"), 1, "error: subnet taken"),
        (network("holder", "10.79.0.0/16"), 1, "docker network exists"),
        (network("mesh", "10.79.0.0/16"), 0, "1 to add"),
    ] {
        let told = lab.plan(&configuration, code);
        assert!(told.contains(words), "{configuration}: {told}");
    }
    lab.apply(&network("mesh", "10.79.0.0/16"));
    // Its range goes to another, and its name to another block.
    lab.apply(&network("other", "10.79.0.0/16"));
    lab.apply(&network("other", "10.79.0.0/16").replace("\"docker_network\" \"other\"", "\"docker_network\" \"third\""));
    assert_eq!(lab.scenario.addresses(), ["docker_network.third"]);
    lab.forget_all();
    lab.engine.docker(&["network", "rm", "holder"]);
}
