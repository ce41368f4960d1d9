//! `docker_container` and `docker_image` on a real Engine.

use engine::address::Address;
use meshplan_tests::docker::{self, Engine, IMAGE};
use meshplan_tests::killed::Counting;
use meshplan_tests::scenario::Scenario;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A block of the resource `c`, which stops at once when it is asked to.
fn container(name: &str, arguments: &str) -> String {
    format!(
        "resource \"docker_container\" \"c\" {{\n  name = \"{name}\"\n  image = \"{IMAGE}\"\n  stop_signal = \"KILL\"\n  {arguments}\n}}\n"
    )
}

/// A command that lasts.
const LASTS: &str = "command = [\"sleep\", \"10000\"]";

fn apply(scenario: &Scenario) -> String {
    scenario.run(&["apply", "--auto-approve"]).expect_code(0).all()
}

/// Nothing is left to do.
fn converged(scenario: &Scenario) {
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

fn destroy(engine: &Engine, scenario: &Scenario, name: &str) {
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!((engine.inspect("container", name), scenario.addresses()), (None, Vec::new()));
}

fn inspect(engine: &Engine, name: &str) -> Value {
    engine.inspect("container", name).unwrap()
}

fn id(engine: &Engine, name: &str) -> Value {
    inspect(engine, name)["Id"].clone()
}

fn is_running(engine: &Engine, name: &str) -> bool {
    inspect(engine, name)["State"]["Running"] == true
}

/// Everything that a container can be given.
const WHOLE: &str = r#"entrypoint = ["sh", "-c"]
  command = ["cat /etc/app/app.conf; exec httpd -f -p 8080"]
  env = { MODE = "test", KEY = var.key }
  user = "0:0"
  working_dir = "/etc"
  hostname = "whole"
  hosts = { db = "10.0.0.2" }
  dns = ["9.9.9.9"]
  dns_search = ["mesh.test"]
  ports = [
    { container_port = 8080, host_port = 18081, host_address = "127.0.0.1" },
    { container_port = 8080 },
    { container_port = 53, protocol = "udp", host_port = 10053, host_address = "127.0.0.2" },
  ]
  networks = [
    { network = docker_network.n["whole-a"].id, ipv4_address = "10.79.1.77", aliases = ["web"] },
    { network = docker_network.n["whole-b"].name },
  ]
  mounts = [{ target = "/cache", type = "tmpfs" }, { target = "/data", type = "volume", source = "whole-data" }, { target = "/host", source = "/tmp", read_only = true }]
  files = {
    "/etc/app/app.conf" = { content = "answer=42\n", mode = "0600" }
    "/srv/a/b/bytes"    = { content_base64 = "/wA=" }
  }
  capabilities_add = ["NET_ADMIN"]
  capabilities_drop = ["MKNOD"]
  security_options = ["seccomp=unconfined"]
  sysctls = { "net.ipv4.ip_forward" = "1" }
  log_driver = "json-file"
  log_options = { "max-size" = "1m" }
  health = { test = ["CMD", "true"], interval = "1s", retries = 3 }
  stop_timeout = 3
  restart = "on-failure:5"
  labels = { team = "mesh" }
  restart_triggers = { a = "1" }"#;

#[test]
fn a_container_has_all_that_it_was_given() {
    let Some(engine) = docker::shared() else { return };
    let network = "resource \"docker_network\" \"n\" {\n  for_each = toset([\"whole-a\", \"whole-b\"])\n  name = each.key\n  subnet = each.key == \"whole-a\" ? \"10.79.1.0/24\" : \"10.79.2.0/24\"\n}\n";
    let outputs = "output \"c\" {\n  value = { ips = docker_container.c.ip_addresses, ports = docker_container.c.published_ports, id = docker_container.c.id }\n}\nvariable \"key\" {\n  type = string\n  sensitive = true\n  default = \"hunter2\"\n}\n";
    let scenario = engine.scenario(&format!("{network}{}{outputs}", container("whole", WHOLE)));
    let told = apply(&scenario);
    let made = inspect(engine, "whole");
    assert_eq!(made["State"]["Health"]["Status"], "healthy", "{made:#}");
    assert_eq!(made["HostConfig"]["RestartPolicy"], json!({ "Name": "on-failure", "MaximumRetryCount": 5 }));
    assert_eq!(made["NetworkSettings"]["Networks"]["whole-a"]["IPAddress"], "10.79.1.77");
    assert!(made["NetworkSettings"]["Networks"]["whole-a"]["Aliases"].as_array().unwrap().contains(&json!("web")));
    assert_eq!(engine.docker(&["exec", "whole", "cat", "/etc/app/app.conf"]), "answer=42");
    assert_eq!(
        engine.docker(&["exec", "whole", "sh", "-c", "echo $KEY; cat /srv/a/b/bytes | busybox od -An -tx1"]).replace('\n', ""),
        "hunter2 ff 00"
    );
    assert_eq!(engine.docker(&["exec", "whole", "busybox", "stat", "-c", "%a", "/etc/app/app.conf"]), "600");
    // What is secret stands nowhere in clear.
    let state = scenario.read("meshplan.state.json");
    assert!(!state.contains("hunter2") && !told.contains("hunter2"), "{told}");
    let outputs: Value = serde_json::from_str(&scenario.run(&["output", "--json"]).expect_code(0).stdout).unwrap();
    let value = &outputs["c"]["value"];
    assert_eq!((&value["id"], &value["ips"]["whole-a"]), (&made["Id"], &json!("10.79.1.77")), "{value:#}");
    let fixed = json!({ "container_port": 8080, "host_address": "127.0.0.1", "host_port": 18081, "protocol": "tcp" });
    assert!(value["ports"].as_array().unwrap().contains(&fixed), "{value:#}");
    assert!(value["ports"].as_array().unwrap().iter().all(|port| port["host_port"].as_u64() > Some(0)), "{value:#}");
    converged(&scenario);
    destroy(engine, &scenario, "whole");
    engine.docker(&["volume", "rm", "whole-data"]);
}

#[test]
fn what_was_done_to_a_container_by_hand_is_mended() {
    let Some(engine) = docker::shared() else { return };
    let rest = r#"env = { A = "1" }
  networks = [{ network = docker_network.n.id }]
  files = { "/etc/app.conf" = { content = "right\n" } }"#;
    let network = "resource \"docker_network\" \"n\" {\n  name = \"mended-net\"\n}\n";
    let scenario = engine.scenario(&format!("{network}{}", container("mended", &format!("{LASTS}\n  {rest}"))));
    apply(&scenario);
    converged(&scenario);
    let before = id(engine, "mended");
    let steps: [(&str, &[&[&str]]); 6] = [
        ("running", &[&["stop", "--time", "0", "mended"]]),
        ("running", &[&["pause", "mended"]]),
        ("files", &[&["exec", "mended", "sh", "-c", "echo wrong > /etc/app.conf"]]),
        ("files", &[&["exec", "mended", "busybox", "rm", "/etc/app.conf"]]),
        ("restart", &[&["update", "--restart", "always", "mended"]]),
        ("networks", &[&["network", "disconnect", "mended-net", "mended"]]),
    ];
    for (what, commands) in steps {
        for command in commands {
            engine.docker(command);
        }
        let told = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2).stdout;
        assert!(told.contains("1 to change") && told.contains(what), "{what}: {told}");
        let told = apply(&scenario);
        converged(&scenario);
        assert_eq!((id(engine, "mended"), is_running(engine, "mended")), (before.clone(), true), "{what}: {told}");
        assert_eq!(engine.docker(&["exec", "mended", "cat", "/etc/app.conf"]), "right", "{what}");
        assert!(inspect(engine, "mended")["NetworkSettings"]["Networks"]["mended-net"]["IPAddress"] != "", "{what}");
    }
    // Removed: it is made again.
    engine.docker(&["rm", "--force", "mended"]);
    let told = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2).stdout;
    assert!(told.contains("1 to add") && told.contains("deleted outside"), "{told}");
    apply(&scenario);
    // Made again by somebody else, with another environment: that one is not ours.
    engine.docker(&["rm", "--force", "mended"]);
    engine.docker(&["run", "--detach", "--name", "mended", "--env", "A=2", IMAGE, "sleep", "1000"]);
    let told = scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("docker container exists") && told.contains("docker rm"), "{told}");
    assert!(is_running(engine, "mended"));
    engine.docker(&["rm", "--force", "mended"]);
    apply(&scenario);
    converged(&scenario);
    destroy(engine, &scenario, "mended");
    assert_eq!(engine.inspect("network", "mended-net"), None);
}

#[test]
fn what_changes_in_the_configuration_changes_in_place_or_replaces() {
    let Some(engine) = docker::shared() else { return };
    let rest = r#"env = { A = "1" }
  restart = "no"
  running = true
  restart_triggers = ["1"]
  files = { "/etc/app.conf" = { content = "one\n" } }"#;
    let scenario = engine.scenario(&container("changing", &format!("{LASTS}\n  {rest}")));
    apply(&scenario);
    let started = || inspect(engine, "changing")["State"]["StartedAt"].clone();
    for (from, to, in_place, restarts) in [
        ("restart = \"no\"", "restart = \"unless-stopped\"", true, false),
        ("[\"1\"]", "[\"2\"]", true, true),
        ("one\\n", "two\\n", true, true),
        ("running = true", "running = false", true, false),
        ("running = false", "running = true", true, true),
        ("A = \"1\"", "A = \"2\"", false, true),
        ("/etc/app.conf", "/etc/other.conf", false, true),
        ("\"10000\"", "\"20000\"", false, true),
    ] {
        let (before, since) = (id(engine, "changing"), started());
        scenario.replace("main.mesh.hcl", from, to);
        let told = apply(&scenario);
        converged(&scenario);
        assert_eq!((id(engine, "changing") == before, started() != since), (in_place, restarts), "{to}: {told}");
        assert_eq!(is_running(engine, "changing"), !to.ends_with("false"), "{to}");
    }
    assert_eq!(engine.docker(&["exec", "changing", "cat", "/etc/other.conf"]), "two");
    assert!(inspect(engine, "changing")["Config"]["Env"].as_array().unwrap().contains(&json!("A=2")));
    destroy(engine, &scenario, "changing");
}

#[test]
fn a_container_that_does_not_start_leaves_nothing() {
    let Some(engine) = docker::shared() else { return };
    engine.docker(&["run", "--detach", "--name", "holder-of-port", "--publish", "127.0.0.1:18099:80", IMAGE, "sleep", "10000"]);
    for (name, arguments, words) in [
        ("no-address", "ports = [{ container_port = 53, host_port = 53, host_address = \"203.0.113.9\" }]", "a `host_vip` gives it one"),
        ("no-port", "ports = [{ container_port = 53, host_port = 18099, host_address = \"127.0.0.1\" }]", "`docker ps` show which"),
        ("no-program", "entrypoint = [\"/no/such/program\"]", "no such file or directory"),
        ("no-directory", "mounts = [{ target = \"/a\", source = \"/no/such/directory\" }]", "bind source path does not exist"),
        ("no-network", "networks = [{ network = \"no-such-network\" }]", "not found"),
    ] {
        let scenario = engine.scenario(&container(name, &format!("{LASTS}\n  {arguments}")));
        // A plan that looks tells of the port, where the Engine is its machine's of the address as well.
        let told = scenario.run(&["apply", "--auto-approve", "--preview=offline"]).expect_code(1).all();
        let summary = if name == "no-directory" { "docker container not changed" } else { "docker container not started" };
        assert!(told.contains(words) && told.contains(summary), "{name}: {told}");
        assert_eq!((engine.inspect("container", name), scenario.addresses()), (None, Vec::new()), "{name}");
    }
    let scenario = engine.scenario(&container("no-image", LASTS).replace(IMAGE, "no-such:1"));
    let told = scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("docker image not found") && told.contains("let a `docker_image` bring it"), "{told}");
    let data = "data \"docker_container\" \"c\" {\n  name = \"nobody\"\n}\n";
    let told = engine.scenario(data).run(&["plan"]).expect_code(1).all();
    assert!(told.contains("docker container not found") && told.contains("`docker ps --all` shows what is there"), "{told}");
    // One that ends at once, or is never healthy, is there to be looked at, and mended by the next apply.
    let scenario = engine.scenario(&container("ends", "command = [\"sh\", \"-c\", \"exit 3\"]"));
    let told = scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("docker container stopped") && told.contains("code 3") && told.contains("docker logs ends"), "{told}");
    assert!(!told.contains("It wrote last"), "{told}");
    scenario.replace("main.mesh.hcl", "exit 3", "exec sleep 1000");
    apply(&scenario);
    converged(&scenario);
    destroy(engine, &scenario, "ends");
    let ill = "health = { test = [\"CMD\", \"false\"], interval = \"1s\", retries = 1 }\n  timeouts { create = \"3s\" }";
    let scenario = engine.scenario(&container("ill", &format!("{LASTS}\n  {ill}")));
    let told = scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("docker container not ready") && told.contains("its check says"), "{told}");
    destroy(engine, &scenario, "ill");
    engine.docker(&["rm", "--force", "holder-of-port"]);
}

#[test]
fn a_container_that_ends_again_and_again_is_told_with_what_it_wrote() {
    let Some(engine) = docker::shared() else { return };
    let script = "exec >&2; for i in 1 2 3 4 5 6; do echo line $i; done; printf '\\\\033[31mno port for %s\\\\n' $KEY; exit 4";
    let rest = format!("command = [\"sh\", \"-c\", \"{script}\"]\n  env = {{ KEY = sensitive(\"hunter2\") }}\n  restart = \"always\"");
    let scenario = engine.scenario(&container("loops", &rest));
    let started = Instant::now();
    let told = scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
    for words in ["docker container stopped", "started again 5 times, and ended with code 4", "docker logs loops", "It wrote last:"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(told.contains("line 6\n") && told.contains("no port for (sensitive value)\n"), "{told}");
    assert!(!told.contains("line 2\n") && !told.contains("hunter2") && !told.contains('\u{1b}'), "{told}");
    // Whoever says how long it may take is believed; who listens to no log is told nothing of it.
    let (from, to) = ("restart = \"always\"", "restart = \"always\"\n  log_driver = \"none\"\n  timeouts { create = \"8s\" }");
    scenario.replace("main.mesh.hcl", from, to);
    let told = scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("docker container not ready") && told.contains("waited for 8 s") && !told.contains("It wrote last"), "{told}");
    scenario.replace("main.mesh.hcl", "exit 4", "exec sleep 1000");
    apply(&scenario);
    converged(&scenario);
    destroy(engine, &scenario, "loops");
}

#[test]
fn a_replaced_network_or_image_takes_its_containers_along() {
    let Some(engine) = docker::shared() else { return };
    let archive = engine.tarball().display().to_string();
    let scenario = engine.scenario(&format!(
        "resource \"docker_network\" \"n\" {{\n  name = \"along\"\n  subnet = \"10.80.1.0/24\"\n}}\n\
         resource \"docker_image\" \"i\" {{\n  name = \"along:1\"\n  archive = \"{archive}\"\n  changes = [\"ENV MARK=1\", \"CMD [\\\"sleep\\\", \\\"1000\\\"]\"]\n}}\n\
         resource \"docker_container\" \"c\" {{\n  name = \"along\"\n  image = docker_image.i.id\n  stop_signal = \"KILL\"\n  networks = [{{ network = docker_network.n.id }}]\n}}\n\
         data \"docker_container\" \"c\" {{\n  name = docker_container.c.name\n}}\n\
         output \"address\" {{\n  value = data.docker_container.c.ip_addresses[\"along\"]\n}}\n"
    ));
    apply(&scenario);
    converged(&scenario);
    assert!(inspect(engine, "along")["Config"]["Env"].as_array().unwrap().contains(&json!("MARK=1")));
    for (from, to) in [("10.80.1.0", "10.80.2.0"), ("MARK=1", "MARK=2")] {
        let before = id(engine, "along");
        scenario.replace("main.mesh.hcl", from, to);
        apply(&scenario);
        converged(&scenario);
        assert!(id(engine, "along") != before, "{to}");
    }
    assert!(inspect(engine, "along")["Config"]["Env"].as_array().unwrap().contains(&json!("MARK=2")));
    let outputs = scenario.run(&["output", "--json"]).expect_code(0).stdout;
    assert!(outputs.contains("10.80.2."), "{outputs}");
    destroy(engine, &scenario, "along");
    assert_eq!((engine.inspect("image", "along:1"), engine.inspect("network", "along")), (None, None));
}

#[test]
fn images_are_made_kept_and_told_of() {
    let Some(engine) = docker::shared() else { return };
    let image = |name: &str, more: &str| format!("resource \"docker_image\" \"i\" {{\n  name = \"{name}\"\n  {more}\n}}\n");
    let archive = format!("archive = \"{}\"", engine.tarball().display());
    let scenario = engine.scenario(&image("made:1", &archive));
    apply(&scenario);
    converged(&scenario);
    // Somebody else's image has the name: ours is gone, and made again.
    engine.docker(&["tag", IMAGE, "made:1"]);
    let told = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(2).stdout;
    assert!(told.contains("deleted outside"), "{told}");
    apply(&scenario);
    converged(&scenario);
    scenario.replace("main.mesh.hcl", "archive =", "keep = true\n  archive =");
    apply(&scenario);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert!(engine.inspect("image", "made:1").is_some());
    // One that is there is not pulled, and stays.
    let scenario = engine.scenario(&image("made:1", ""));
    apply(&scenario);
    converged(&scenario);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert!(engine.inspect("image", "made:1").is_some());
    engine.docker(&["rmi", "made:1"]);
    // One that is used is not removed, and the containers are named.
    let scenario = engine.scenario(&image("used:1", &format!("changes = [\"ENV USED=1\"]\n  {archive}")));
    apply(&scenario);
    engine.docker(&["create", "--name", "user-of-image", "used:1", "true"]);
    let told = scenario.run(&["destroy", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("docker image in use") && told.contains("keep = true"), "{told}");
    engine.docker(&["rm", "user-of-image"]);
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    for (name, more, words) in
        [("127.0.0.1:1/none:1", String::new(), "docker image not changed"), ("none:1", "archive = \"none.tar\"".to_owned(), "none.tar")]
    {
        let scenario = engine.scenario(&image(name, &more));
        let told = scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
        assert!(told.contains(words) && scenario.addresses().is_empty(), "{told}");
    }
}

#[test]
fn containers_of_others_are_imported_adopted_or_left_alone() {
    let Some(engine) = docker::shared() else { return };
    for (name, way) in [("taken-over", "on_exists = \"adopt\""), ("imported", "")] {
        engine.docker(&["run", "--detach", "--name", name, "--env", "A=1", "--stop-signal", "KILL", IMAGE, "sleep", "10000"]);
        let before = id(engine, name);
        let import = if way.is_empty() { format!("import {{\n  to = docker_container.c\n  id = \"{name}\"\n}}\n") } else { String::new() };
        let scenario = engine.scenario(&format!("{import}{}", container(name, &format!("{LASTS}\n  env = {{ A = \"1\" }}\n  {way}"))));
        apply(&scenario);
        converged(&scenario);
        assert_eq!(id(engine, name), before);
        destroy(engine, &scenario, name);
    }
    // One that is another is not taken over: that would replace it.
    engine.docker(&["run", "--detach", "--name", "different", "--env", "A=1", IMAGE, "sleep", "10000"]);
    let scenario = engine.scenario(&container("different", &format!("{LASTS}\n  env = {{ A = \"2\" }}\n  on_exists = \"adopt\"")));
    let told = scenario.run(&["apply", "--auto-approve"]).expect_code(1).all();
    assert!(told.contains("env"), "{told}");
    let scenario = engine.scenario(&container("different", LASTS));
    let told = scenario.run(&["plan"]).expect_code(1).all();
    assert!(told.contains("docker container exists") && told.contains("on_exists = \"adopt\""), "{told}");
    assert!(is_running(engine, "different"));
    engine.docker(&["rm", "--force", "different"]);
}

/// How `docker create` is told of an argument, that argument, and another value of it.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("--cap-add NET_ADMIN", "capabilities_add = [\"NET_ADMIN\"]", "capabilities_add = [\"SYS_TIME\"]"),
    ("--cap-drop MKNOD", "capabilities_drop = [\"CAP_MKNOD\"]", "capabilities_drop = [\"CHOWN\"]"),
    ("--log-opt max-size=1m", "log_options = { \"max-size\" = \"1m\" }", "log_options = { \"max-size\" = \"2m\" }"),
    ("--log-driver none", "log_driver = \"none\"", "log_driver = \"json-file\""),
    (
        "--health-cmd true --health-interval 2m --health-retries 3",
        "health = { test = [\"CMD-SHELL\", \"true\"], interval = \"120s\", retries = 3 }",
        "health = { test = [\"CMD-SHELL\", \"true\"], interval = \"60s\", retries = 3 }",
    ),
    ("--env A=1", "env = { A = \"1\" }", "env = { A = \"2\" }"),
    (
        "--publish 127.0.0.1:18112:80/udp",
        "ports = [{ container_port = 80, host_port = 18112, host_address = \"127.0.0.1\", protocol = \"udp\" }]",
        "ports = [{ container_port = 80, host_port = 18112, host_address = \"127.0.0.2\", protocol = \"udp\" }]",
    ),
    (
        "--volume /tmp:/host:ro",
        "mounts = [{ target = \"/host\", source = \"/tmp\", read_only = true }]",
        "mounts = [{ target = \"/host\", source = \"/tmp\" }]",
    ),
    ("--sysctl net.ipv4.ip_forward=1", "sysctls = { \"net.ipv4.ip_forward\" = \"1\" }", "sysctls = { \"net.ipv4.ip_forward\" = \"0\" }"),
    ("--security-opt seccomp=unconfined", "security_options = [\"seccomp=unconfined\"]", "security_options = []"),
    ("--dns 9.9.9.9", "dns = [\"9.9.9.9\"]", "dns = [\"1.1.1.1\"]"),
    ("--dns-search mesh.test", "dns_search = [\"mesh.test\"]", "dns_search = [\"test\"]"),
    ("--add-host db:10.0.0.2", "hosts = { db = \"10.0.0.2\" }", "hosts = { db = \"10.0.0.3\" }"),
    ("--hostname a", "hostname = \"a\"", "hostname = \"b\""),
    ("--user 1:1", "user = \"1:1\"", "user = \"1\""),
    ("--workdir /etc", "working_dir = \"/etc\"", "working_dir = \"/\""),
    ("--read-only", "read_only = true", "read_only = false"),
    ("--init", "init = true", "init = false"),
    ("--stop-timeout 3", "stop_timeout = 3", "stop_timeout = 4"),
    ("--network host", "network_mode = \"host\"", "network_mode = \"none\""),
    ("--label team=mesh", "labels = { team = \"mesh\" }", "labels = { team = \"other\" }"),
];

#[test]
fn what_others_made_is_the_same_or_differs_in_the_argument_that_is_named() {
    let Some(engine) = docker::shared() else { return };
    for (at, (options, same, other)) in DIFFERENCES.iter().enumerate() {
        let name = format!("differs-{at}");
        let created = ["create", "--name", &name, "--stop-signal", "KILL"].into_iter().chain(options.split(' '));
        engine.docker(&created.chain([IMAGE, "sleep", "10000"]).collect::<Vec<_>>());
        let import = format!("import {{\n  to = docker_container.c\n  id = \"{name}\"\n}}\n");
        let argument = same.split_once(' ').unwrap().0;
        let planned = |arguments: &str| {
            let scenario = engine.scenario(&format!("{import}{}", container(&name, &format!("{LASTS}\n  running = false\n  {arguments}"))));
            let told = scenario.run(&["plan"]);
            (told.code, told.all())
        };
        let (code, told) = planned(same);
        assert!(code == 0 && told.contains("1 to import") && told.contains("0 to change"), "{same}: {told}");
        let (code, told) = planned(other);
        assert!(code == 1 && told.contains("import would replace") && told.contains(&format!("`{argument}`")), "{other}: {told}");
        engine.docker(&["rm", "--force", &name]);
    }
}

#[test]
fn a_power_cut_stops_containers_and_the_next_apply_starts_them() {
    let Some(engine) = Engine::start() else { return };
    let scenario = engine.scenario(&container("cut", &format!("{LASTS}\n  files = {{ \"/etc/app.conf\" = {{ content = \"kept\" }} }}")));
    apply(&scenario);
    let before = id(&engine, "cut");
    engine.stop();
    let told = scenario.run(&["plan"]).all();
    assert!(told.contains("no Docker Engine answers at"), "{told}");
    engine.start_again();
    assert!(!is_running(&engine, "cut"));
    apply(&scenario);
    converged(&scenario);
    assert_eq!((id(&engine, "cut"), is_running(&engine, "cut")), (before, true));
    assert_eq!(engine.docker(&["exec", "cut", "cat", "/etc/app.conf"]), "kept");
    destroy(&engine, &scenario, "cut");
}

const COUNTING: Counting = Counting(env!("CARGO_BIN_EXE_meshplan-counting"));
const APPLY: [&str; 2] = ["apply", "--auto-approve"];
const DESTROY: [&str; 2] = ["destroy", "--auto-approve"];

/// A network, an image and a container with a file, all of one name.
fn lab(engine: &Engine, name: &str) -> Scenario {
    let archive = engine.tarball().display().to_string();
    let rest = format!("networks = [{{ network = docker_network.n.id }}]\n  files = {{ \"/etc/app.conf\" = {{ content = \"{name}\" }} }}");
    let container = container(name, &format!("{LASTS}\n  {rest}")).replace(&format!("\"{IMAGE}\""), "docker_image.i.id");
    let image = format!("name = \"{name}:1\"\n  archive = \"{archive}\"\n  changes = [\"ENV NAME={name}\"]");
    engine.scenario(&format!(
        "resource \"docker_network\" \"n\" {{\n  name = \"{name}\"\n}}\nresource \"docker_image\" \"i\" {{\n  {image}\n}}\n{container}"
    ))
}

/// What there is of a lab: how many containers, networks and images.
fn count(engine: &Engine, name: &str) -> [usize; 3] {
    let containers = engine.docker(&["ps", "--all", "--quiet", "--filter", &format!("name=^{name}$")]);
    let networks = engine.docker(&["network", "ls", "--quiet", "--filter", &format!("name=^{name}$")]);
    let images = engine.docker(&["images", "--quiet", &format!("{name}:1")]);
    [containers, networks, images].map(|ids| ids.lines().count())
}

/// The id of the container's record, if its create was interrupted before the Engine heard of it.
fn unheard(engine: &Engine, scenario: &Scenario, name: &str) -> Option<String> {
    let loaded = state::Store::new(scenario.path().join("meshplan.state.json")).read().unwrap();
    let record = loaded.state.record(&Address::managed("docker_container", "c"))?;
    (record.uid.is_none() && engine.inspect("container", name).is_none()).then(|| record.id.as_str().to_owned())
}

#[test]
fn what_is_killed_is_completed_by_the_next_run_and_leaves_nothing() {
    let Some(engine) = docker::shared() else { return };
    let straight = lab(engine, "killed");
    let (making, removing) = (COUNTING.finish(&straight, &APPLY, None), COUNTING.finish(&straight, &DESTROY, None));
    let mut imitated = 0;
    for point in 0..making {
        let scenario = lab(engine, "killed");
        if COUNTING.is_killed(&scenario, &APPLY, point, making) {
            if let Some(record) = unheard(engine, &scenario, "killed") {
                // The Engine did hear, and no more: made, not started, without its file.
                imitated += 1;
                let label = format!("meshplan.io/record={record}");
                let image = engine.docker(&["images", "--no-trunc", "--quiet", "killed:1"]);
                let own = ["create", "--name", "killed", "--network", "killed", "--stop-signal", "KILL", "--label", &label];
                engine.docker(&[&own[..], &[&image, "sleep", "10000"]].concat());
            }
            let made = engine.inspect("container", "killed").map(|container| container["Id"].clone());
            COUNTING.finish(&scenario, &APPLY, Some(point));
            assert!(made.is_none_or(|made| made == id(engine, "killed")), "made again after point {point}");
        }
        converged(&scenario);
        assert_eq!(count(engine, "killed"), [1, 1, 1], "after point {point}");
        assert_eq!(engine.docker(&["exec", "killed", "cat", "/etc/app.conf"]), "killed", "after point {point}");
        let point = point % removing;
        if COUNTING.is_killed(&scenario, &DESTROY, point, removing) {
            COUNTING.finish(&scenario, &DESTROY, Some(point));
        }
        assert_eq!((count(engine, "killed"), scenario.addresses()), ([0, 0, 0], Vec::new()), "destroyed after point {point}");
    }
    assert!(imitated > 0);
}
