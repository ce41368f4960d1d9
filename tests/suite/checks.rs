//! `meshplan check` in sandboxes: what is decided by what exists, what is not run for want of running pods, and how it ends.

use meshplan_tests::scenario::Scenario;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

const ONCE: [&str; 3] = ["check", "--timeout", "0s"];
const APPLY: [&str; 2] = ["apply", "--auto-approve"];

/// A mesh's roots and its control planes' word for each other.
const MESH: &str = r#"
variable "roots" {
  type    = map(string)
  default = { c1 = "one", c2 = "one" }
}
resource "sandbox_cluster" "this" {
  for_each = var.roots
  name     = each.key
}
resource "ca_root" "this" {
  for_each = toset(["one", "another"])
  subject  = { common_name = each.key }
}
resource "ca_intermediate" "this" {
  for_each = var.roots
  issuer   = ca_root.this[each.value]
  subject  = { common_name = each.key }
}
resource "kubernetes_namespace" "istio_system" {
  for_each = var.roots
  cluster  = sandbox_cluster.this[each.key]
  name     = "istio-system"
}
resource "istio_cacerts" "this" {
  for_each     = var.roots
  cluster      = sandbox_cluster.this[each.key]
  namespace    = kubernetes_namespace.istio_system[each.key].name
  intermediate = ca_intermediate.this[each.key]
}
check "one_root" {
  data "certificate_compare" "roots" {
    clusters   = sandbox_cluster.this
    depends_on = [istio_cacerts.this]
  }
  assert {
    condition     = data.certificate_compare.roots.equal
    error_message = "there are ${length(distinct(values(data.certificate_compare.roots.roots)))} roots"
  }
}
check "synced" {
  data "istio_remote_clusters" "mesh" {
    clusters = sandbox_cluster.this
  }
  assert {
    condition     = length(data.istio_remote_clusters.mesh.unsynced) == 0
    error_message = join("; ", data.istio_remote_clusters.mesh.unsynced)
  }
}
"#;

const NOT_RUN: &str = "not run: no data plane: a sandbox runs no pods, in cluster `c1`";

#[test]
fn roots_are_compared_and_what_needs_pods_is_not_run() {
    let scenario = Scenario::with(MESH);
    let before = scenario.run(&ONCE).expect_code(4).stdout;
    let unapplied = "not run: it looks at what is not applied";
    assert_eq!(before, format!("check.one_root  {unapplied}\ncheck.synced    {unapplied}\n\n0 passed, 0 failed, 2 not run.\n"));
    let applied = scenario.run(&APPLY).expect_code(0);
    assert!(applied.all().contains("check.one_root: passed") && applied.all().contains("check.synced: not run"), "{}", applied.all());
    let told = scenario.run(&ONCE).expect_code(4).stdout;
    assert_eq!(told, format!("check.one_root  passed\ncheck.synced    {NOT_RUN}\n\n1 passed, 0 failed, 1 not run.\n"));
    // Such a check is as little a problem of a plan as of an apply, and waits for nothing.
    let plan = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0).stdout;
    assert!(plan.contains("check.synced  not run"), "{plan}");
    let lines = scenario.run(&["check", "--json"]).expect_code(4).stdout;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.last().unwrap().to_string(), r#"{"event":"check_summary","failed":0,"not_run":1,"passed":1}"#);

    // What the configuration would change does not count, what is there does.
    let other = ["--var", "roots={ c1 = \"one\", c2 = \"another\" }"];
    scenario.run(&[&ONCE[..], &other].concat()).expect_code(4);
    let scenario = Scenario::with(MESH);
    scenario.run(&[&APPLY[..], &other].concat()).expect_code(0);
    let told = scenario.run(&[&ONCE[..], &other].concat()).expect_code(1).stdout;
    assert!(told.contains("check.one_root  failed: there are 2 roots\n") && told.ends_with("0 passed, 1 failed, 1 not run.\n"), "{told}");

    // A Secret that somebody broke.
    let broken = MESH.replace("resource \"istio_cacerts\" \"this\" {", "resource \"kubernetes_secret\" \"this\" {");
    let broken = broken
        .replace("  intermediate = ca_intermediate.this[each.key]\n", "  name = \"cacerts\"\n  data = { \"root-cert.pem\" = \"none\" }\n");
    let scenario = Scenario::with(&broken.replace("istio_cacerts.this", "kubernetes_secret.this"));
    scenario.run(&APPLY).expect_code(0);
    let told = scenario.run(&ONCE).expect_code(1).stdout;
    assert!(told.contains("`root-cert.pem` in `cacerts` of cluster `c1`: there is no certificate in it"), "{told}");
}

#[test]
fn commands_in_pods_are_not_run_in_sandboxes() {
    let text = std::fs::read_to_string(meshplan_tests::scenario::project().join("docs/reference/examples/data.pod_exec.mesh.hcl")).unwrap();
    let scenario = Scenario::with(&text);
    let applied = scenario.run(&APPLY).expect_code(0).all();
    assert!(applied.contains("check.answers: not run\n      no data plane: a sandbox runs no pods, in cluster `c1`\n"), "{applied}");
    assert_eq!(scenario.run(&ONCE).expect_code(4).stdout, format!("check.answers  {NOT_RUN}\n\n0 passed, 0 failed, 1 not run.\n"));
}

/// A reachability of sandboxes, and what waits for it.
fn reachability(more: &str) -> String {
    let example = meshplan_tests::scenario::project().join("docs/reference/examples/data.istio_reachability.mesh.hcl");
    let text = std::fs::read_to_string(example).unwrap();
    assert!(text.contains("    timeout = \"3s\"\n"));
    text.replace("    timeout = \"3s\"\n", more)
}

#[test]
fn who_reaches_whom_is_not_asked_in_sandboxes() {
    let scenario = Scenario::with(&reachability(""));
    let applied = scenario.run(&APPLY).expect_code(0).all();
    assert!(applied.contains("check.reachable: not run\n      no data plane: a sandbox runs no pods, in cluster `c1`\n"), "{applied}");
    let plan = scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0).stdout;
    assert!(plan.contains("check.reachable  not run\n        a plan makes nothing to look with: `meshplan check` does\n"), "{plan}");
    assert_eq!(
        scenario.run(&ONCE).expect_code(4).stdout,
        "check.reachable  not run: no data plane: a sandbox runs no pods, in cluster `c1`\n\
         \u{20} from \\ to              c1       c2\n\
         \u{20} c1         API server  -        not run\n\
         \u{20}            gateway     -        -\n\
         \u{20} c2         API server  not run  -\n\
         \u{20}            gateway     not run  -\n\
         \u{20} -: nothing to ask for\n\
         \u{20} c1 to API server of c2, not run: no data plane: a sandbox runs no pods\n\
         \u{20} c2, not run: no data plane: a sandbox runs no pods\n\
         \n\
         0 passed, 0 failed, 1 not run.\n"
    );
    scenario.write("main.meshtest.hcl", "run \"asks\" {\n  expect_failures = [check.reachable]\n}\n");
    let tested = scenario.run(&["test"]).all();
    assert!(tested.contains("no data plane: a sandbox runs no pods, in cluster `c1`"), "{tested}");

    let gated = "resource \"kubernetes_namespace\" \"gated\" {\n  cluster    = sandbox_cluster.this[\"c1\"]\n  name       = \"gated\"\n  depends_on = [check.reachable]\n}\n";
    scenario.write("gated.mesh.hcl", gated);
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(plan.contains("read until `check.reachable` passes"), "{plan}");
    let applied = scenario.run(&APPLY).expect_code(1).all();
    assert!(applied.contains("error: check not run") && !scenario.addresses().iter().any(|address| address.contains("gated")), "{applied}");
}

#[test]
fn this_machine_asks_who_is_reached_if_it_is_told_to() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scenario = Scenario::with(&reachability("    probe   = \"host\"\n    timeout = \"1s\"\n"));
    let both = format!("server = \"https://127.0.0.1:{port}\"");
    scenario.replace("main.mesh.hcl", "gateway = \"10.2.1.40\"", &both);
    scenario.replace("main.mesh.hcl", "server = \"https://api.c2.example:6443\"", &both);
    scenario.run(&APPLY).expect_code(0);
    let told = scenario.run(&ONCE).expect_code(1).stdout;
    // Where there is no curl that is what it says.
    let refused = format!("check.reachable  failed: from host: API server of c1 at https://127.0.0.1:{port}: refused\n");
    assert!(told.starts_with(&refused) || told.contains("from host: not run: on this machine there is no curl"), "{told}");
    // Nothing is made for it, so plans ask as well.
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(plan.contains("check.reachable  failed\n        from host: "), "{plan}");
}

#[test]
fn a_configuration_without_checks_has_none_to_fail() {
    let scenario = Scenario::with("resource \"meshplan_data\" \"a\" {\n  input = 1\n}\n");
    assert_eq!(scenario.run(&ONCE).expect_code(0).stdout, "There is no check: the configuration has no `check` blocks.\n");
    scenario.write("wrong.mesh.hcl", "locals {\n  a = b\n}\n");
    assert!(scenario.run(&ONCE).expect_code(1).stderr.starts_with("error: "));
}

/// Two probes of a port of this machine.
fn probes(port: u16) -> String {
    format!(
        r#"
check "open" {{
  data "tcp_probe" "local" {{
    address = "127.0.0.1"
    port    = {port}
    timeout = "1s"
  }}
  assert {{
    condition     = data.tcp_probe.local.open
    error_message = "it is ${{data.tcp_probe.local.status}}"
  }}
}}
check "served" {{
  data "http_probe" "local" {{
    url     = "http://hello.mesh.test:{port}/hello"
    address = "127.0.0.1"
    timeout = "1s"
  }}
  assert {{
    condition     = data.http_probe.local.ok
    error_message = "it is not served: ${{jsonencode(data.http_probe.local.status)}}"
  }}
}}
"#
    )
}

#[test]
fn what_fails_is_looked_at_again_until_it_passes_or_the_time_is_up() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scenario = Scenario::with(&probes(port));
    let told = scenario.run(&ONCE).expect_code(1);
    assert_eq!(
        told.stdout,
        "check.open    failed: it is REFUSED\ncheck.served  failed: it is not served: null\n\n0 passed, 2 failed, 0 not run.\n"
    );
    assert_eq!(told.stderr, "");
    let started = Instant::now();
    let told = scenario.run(&["check", "--timeout", "3s"]).expect_code(1);
    assert!(started.elapsed() >= Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(told.stderr.starts_with("2 of 2 checks do not pass yet: "), "{}", told.stderr);
    let server = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(2));
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        // Until somebody asks for the page: others only connect.
        loop {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).unwrap();
            if asked[..length].starts_with(b"GET /hello ") {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nHi").unwrap();
                return listener;
            }
        }
    });
    let told = scenario.run(&["check", "--timeout", "1m"]).expect_code(0);
    assert_eq!(told.stdout, "check.open    passed\ncheck.served  passed\n\n2 passed, 0 failed, 0 not run.\n");
    drop(server.join().unwrap());
}

#[test]
fn what_is_known_not_to_hold_is_told_beside_what_cannot_be_read() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        r#"
resource "sandbox_cluster" "c1" {{
  name = "c1"
}}
check "both" {{
  data "pod_exec" "a" {{
    clusters = {{ c1 = sandbox_cluster.c1 }}
    name     = "sleep"
    command  = ["true"]
  }}
  data "tcp_probe" "b" {{
    address = "127.0.0.1"
    port    = {port}
    timeout = "1s"
  }}
  data "tcp_probe" "after" {{
    address = "127.0.0.1"
    port    = {port} * data.pod_exec.a.succeeded.c1
    timeout = "1s"
  }}
  assert {{
    condition     = data.pod_exec.a.succeeded.c1 == 1 && data.tcp_probe.after.open
    error_message = "it ends otherwise"
  }}
  assert {{
    condition     = data.tcp_probe.b.open
    error_message = "it is ${{data.tcp_probe.b.status}}"
  }}
}}
"#
    );
    let scenario = Scenario::with(&text);
    scenario.run(&APPLY).expect_code(0);
    let told = scenario.run(&ONCE).expect_code(1).stdout;
    assert_eq!(told, "check.both  failed: it is REFUSED\n\n0 passed, 1 failed, 0 not run.\n");
    // What holds does not make up for what was not asked.
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let told = scenario.run(&ONCE).expect_code(4).stdout;
    assert_eq!(told, format!("check.both  {NOT_RUN}\n\n0 passed, 0 failed, 1 not run.\n"));
    drop(listener);
}

#[test]
fn what_a_probe_is_answered_may_repeat_its_secrets_and_is_not_told() {
    const TOKEN: &str = "tok-4711-en";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Repeats what it was asked, upside down as well.
    drop(std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut asked = [0; 4096];
            let length = stream.read(&mut asked).unwrap_or_default();
            let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
            let body = format!("{asked}{}", asked.chars().rev().collect::<String>());
            drop(stream.write_all(
                format!("HTTP/1.1 403 Forbidden\r\nX-Token: {TOKEN}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes(),
            ));
        }
    }));
    let check = |name: &str, url: &str, shown: &str| {
        format!(
            "check \"{name}\" {{\n  data \"http_probe\" \"p\" {{\n    url = \"{url}\"\n    headers = {{ Authorization = \"Bearer ${{var.token}}\" }}\n    \
             timeout = \"1s\"\n  }}\n  assert {{\n    condition = data.http_probe.p.ok\n    error_message = \"{shown}\"\n  }}\n}}\n"
        )
    };
    let variable = "variable \"token\" {\n  sensitive = true\n  type = string\n}\n".to_owned();
    let text = [
        variable,
        check("body", &format!("http://127.0.0.1:{port}/"), "it said ${data.http_probe.p.body_received}"),
        check("headers", &format!("http://127.0.0.1:{port}/"), "it said ${jsonencode(data.http_probe.p.headers_received)}"),
        check("lost", "http://${var.token}.invalid/", "it failed: ${data.http_probe.p.failure}"),
        check("status", &format!("http://127.0.0.1:{port}/"), "it is ${data.http_probe.p.status}"),
        check("wrong", "ftp://${var.token}", "none"),
    ];
    let scenario = Scenario::with(&text.concat());
    scenario.write("token.auto.vars.hcl", &format!("token = \"{TOKEN}\"\n"));
    for arguments in [&ONCE[..], &["plan"], &["plan", "--json"], &APPLY] {
        let told = scenario.run(arguments).all();
        let reversed: String = TOKEN.chars().rev().collect();
        assert!(!told.contains(TOKEN) && !told.contains(&reversed), "{arguments:?}: {told}");
    }
    let told = scenario.run(&ONCE).expect_code(1).stdout;
    for name in ["body", "headers", "lost"] {
        let line = told.lines().find(|line| line.starts_with(&format!("check.{name} "))).unwrap_or_default();
        assert!(line.ends_with("failed: (the message is sensitive)"), "{told}");
    }
    assert!(told.contains("failed: it is 403") && told.contains("`url` is no URL of scheme"), "{told}");
}
