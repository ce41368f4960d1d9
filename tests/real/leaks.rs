//! No secret stands in what commands print and write: what was planted is looked for in all of it, on a real API server.

use crate::within::Within;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;
use meshplan_tests::apiserver::webhook::{Behaviour, Registration, Webhook};
use meshplan_tests::apiserver::{Access, Credential};
use meshplan_tests::killed::Counting;
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;

const COUNTING: Counting = Counting(env!("CARGO_BIN_EXE_meshplan-counting"));

/// What a password has that messages write in other ways: a quote, a backslash, what is escaped in URLs, a line feed.
const PASSWORD: &str = "pl4nted-pass\"w\\ord/%+ with-second-half\nand-a-l4st-line-of-it";
const PROXY: &str = "pl4nted-of-the-proxy";

const CONFIGURATION: &str = r#"
meshplan {
  encryption {
    key_file = "k"
  }
}
variable "password" {
  sensitive = true
}
variable "size" {
  default = 1
}
resource "kubernetes_secret" "s" {
  cluster   = data.kubernetes_cluster.c
  namespace = "NAMESPACE"
  name      = "s"
  data      = { password = var.password }
}
resource "kubernetes_manifest" "typed" {
  cluster  = data.kubernetes_cluster.c
  manifest = { apiVersion = "v1", kind = "Secret", metadata = { name = "typed", namespace = "NAMESPACE" }, stringData = { p = var.password } }
}
resource "kubernetes_manifest" "map" {
  cluster  = data.kubernetes_cluster.c
  manifest = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "map", namespace = "NAMESPACE" }, data = { p = "of ${var.password}", size = tostring(var.size) } }
}
resource "ca_root" "mesh" {
  subject = { common_name = "Root" }
}
resource "kubernetes_secret" "ca" {
  cluster   = data.kubernetes_cluster.c
  namespace = "NAMESPACE"
  name      = "ca"
  data      = { key = ca_root.mesh.private_key_pem, size = tostring(var.size), also = var.password }
}
resource "meshplan_data" "a" {
  input = { hidden = var.password, shown = var.size, login = data.kubernetes_cluster.c.connection }
}
output "password" {
  value     = var.password
  sensitive = true
}
"#;

/// What is looked for, and where it has not been found.
struct Search {
    within: Within,
    planted: Vec<String>,
}

impl Search {
    fn new(within: Within, planted: Vec<String>) -> Self {
        Self { within, planted }
    }

    fn look(&self, text: &str, place: &str) {
        for planted in &self.planted {
            assert!(!text.contains(planted), "`{planted}` in {place}:\n{text}");
        }
    }

    /// Runs a command line with all that makes programs talk; what it said.
    fn run(&self, args: &str, code: i32) -> String {
        self.run_to(args, Some(code), None)
    }

    fn run_to(&self, args: &str, code: Option<i32>, point: Option<u64>) -> String {
        let arguments: Vec<&str> = args.split(' ').collect();
        let output = COUNTING.run(&self.within.scenario, &arguments, point);
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
        self.look(&said, args);
        let ended = output.status.code();
        // Appends that come together are one point, so that a run may end before it comes to the last ones.
        assert!(ended == code || (point.is_some() && ended == Some(0)), "{args} ended with {ended:?}: {said}");
        said
    }

    /// Everything below the directory that meshplan wrote.
    fn look_at_files(&self, when: &str) -> usize {
        self.look_below(self.within.scenario.path(), when)
    }

    fn look_below(&self, directory: &Path, when: &str) -> usize {
        let given = ["main.mesh.hcl", "main.meshtest.hcl", "kubeconfig", "k", "points"];
        let mut seen = 0;
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                seen += self.look_below(&path, when);
            } else if !given.iter().any(|name| path.ends_with(name)) {
                let bytes = std::fs::read(&path).unwrap();
                let mut unpacked = String::new();
                if path.extension().is_some_and(|extension| extension == "gz") {
                    MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut unpacked).unwrap();
                }
                self.look(&(unpacked + &String::from_utf8_lossy(&bytes)), &format!("{when}: {}", path.display()));
                seen += 1;
            }
        }
        seen
    }
}

/// Words of a secret that tell it from others, as it is, and as JSON, Go, URLs and base64 write it.
fn forms(secret: &str) -> Vec<String> {
    let halves: Vec<&str> = secret.split(['"', '\\', '\n', '%', '+', ' ', '/']).filter(|part| part.len() >= 8).collect();
    let encoded = BASE64_STANDARD.encode(secret);
    [halves.iter().map(|part| (*part).to_owned()).collect(), vec![encoded[..encoded.len() - 4].to_owned()]].concat()
}

/// The way of a cluster's admin, with what is secret in it.
fn secret_of(way: &Access) -> Vec<String> {
    match &way.credential {
        Credential::Certificate(pair) => {
            let lines = pair.key.lines().filter(|line| line.len() > 32).map(str::to_owned);
            lines.chain([BASE64_STANDARD.encode(&pair.key)[..40].to_owned()]).collect()
        }
        Credential::Token(token) => vec![token.clone(), token.rsplit('.').next().unwrap().to_owned()],
        Credential::Nothing | Credential::Exec { .. } => Vec::new(),
    }
}

fn search() -> Option<Search> {
    let mut within = Within::shared()?;
    let rules = [json!({ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] })];
    let user = within.cluster.token_user(&within.namespace, &within.cluster.name("writer"), &rules);
    within.reach(&user);
    within.configure(CONFIGURATION);
    within.scenario.write("k", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n");
    let talkative = [("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full"), ("MESHPLAN_VAR_password", PASSWORD)];
    for (name, value) in talkative {
        within.scenario.set(name, value);
    }
    let planted = [
        forms(PASSWORD),
        secret_of(&user),
        secret_of(within.cluster.admin()),
        vec![PROXY.to_owned(), "another-pl4nted".to_owned(), "PRIVATE KEY".to_owned()],
    ];
    Some(Search::new(within, planted.concat()))
}

/// What an admission webhook says that repeats an object's secrets in every form it may find them in.
fn chatter() -> String {
    let go = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let (json, encoded) = (Value::from(PASSWORD).to_string(), BASE64_STANDARD.encode(PASSWORD));
    format!("no: {PASSWORD}; %q: \"{go}\"; json: {json}; base64: {encoded}; within: of {PASSWORD}")
}

const SHOWN: [(&str, i32); 22] = [
    ("validate", 0),
    ("plan", 0),
    ("plan --json --detailed-exitcode", 0),
    ("plan --var size=2", 0),
    ("plan --json --var size=2", 0),
    ("plan --destroy", 0),
    ("plan --refresh-only", 0),
    ("plan --replace kubernetes_secret.s", 0),
    ("graph", 0),
    ("show", 0),
    ("show --json", 0),
    ("output", 0),
    ("output --json", 0),
    ("state list", 0),
    ("state show meshplan_data.a", 0),
    ("state show kubernetes_secret.s", 0),
    ("state show kubernetes_manifest.typed", 0),
    ("state show ca_root.mesh", 0),
    ("state history", 0),
    ("state history --json", 0),
    ("state pull", 0),
    ("state diff", 0),
];

#[test]
fn nothing_planted_is_found_in_what_is_said_and_written() {
    let Some(search) = search() else { return };
    let within = &search.within;
    let webhook = |phase: &str| {
        let registration = Registration { resource: phase, ..Registration::validating(&within.namespace, phase) };
        Webhook::start(within.cluster, &registration, Behaviour::Allow)
    };
    let (secrets, maps) = (webhook("secrets"), webhook("configmaps"));
    search.run("plan --out p.json", 0);
    search.run("show p.json", 0);
    search.run("show --json p.json", 0);

    let talk = |behaviour: Behaviour, commands: &[&str], code: i32| {
        secrets.behave(behaviour.clone());
        maps.behave(behaviour.clone());
        for args in commands {
            let said = search.run(args, code);
            assert!(code == 0 || said.contains("(sensitive value)"), "{args}: {said}");
            search.look_at_files(args);
        }
    };
    let (apply, destroy, change) =
        ("apply --auto-approve", "destroy --auto-approve", "apply --auto-approve --var password=another-pl4nted-one");
    talk(Behaviour::Reject(chatter()), &["plan", "plan --json", apply, "apply --auto-approve --json", "apply p.json"], 1);
    talk(Behaviour::RejectDryRuns(chatter()), &["plan", "plan --json"], 1);
    talk(Behaviour::Warn(chatter()), &["plan", apply, change, destroy, "apply --auto-approve --json"], 0);
    talk(Behaviour::Reject(chatter()), &["plan --var password=another-pl4nted-one", change, destroy, "destroy --auto-approve --json"], 1);
    talk(Behaviour::Allow, &[apply, destroy], 0);

    let points = COUNTING.finish(&within.scenario, &["apply", "--auto-approve"], None);
    search.run("destroy --auto-approve", 0);
    for point in (1..points).step_by(3) {
        search.run_to("apply --auto-approve", None, Some(point));
        assert!(search.look_at_files(&format!("killed at {point}")) >= 2);
        search.run("plan", 0);
        search.run("apply --auto-approve --json", 0);
        search.run("destroy --auto-approve --json", 0);
    }
    search.run("apply --auto-approve", 0);
    for (args, code) in SHOWN {
        search.run(args, code);
    }
    assert!(search.look_at_files("at the end") >= 6, "state, backup, plan, revisions");
}

#[test]
fn what_somebody_else_wrote_into_a_secret_is_not_shown_either() {
    let Some(mut search) = search() else { return };
    search.run("apply --auto-approve", 0);
    let theirs = "pl4nted-by-somebody-else";
    search.planted.extend(forms(theirs));
    let path = search.within.path("/api/v1 secrets/s?fieldManager=kubectl-edit");
    let written = json!({ "stringData": { "password": theirs, "more": theirs } });
    search.within.cluster.api().call("PATCH", &path, Some(&written)).done();
    for args in
        ["plan", "plan --json", "plan --refresh-only", "apply --refresh-only --auto-approve", "state diff", "plan", "apply --auto-approve"]
    {
        let said = search.run(args, 0);
        assert!(args != "plan --json" || said.contains("kubectl-edit"), "who did it is told: {said}");
        search.look_at_files(args);
    }
    search.run("destroy --auto-approve", 0);
}

#[test]
fn consoles_and_tests_show_no_secret_and_leave_none() {
    let Some(mut search) = search() else { return };
    let temporary = search.within.scenario.path().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    search.within.scenario.set("TMPDIR", &temporary.display().to_string());
    search.run("apply --auto-approve", 0);
    for expression in [
        "var.password",
        "kubernetes_secret.s",
        "kubernetes_secret.s.data",
        "[for part in split(\"-\", var.password) : part]",
        "{ a = { (\"b\") = var.password } }",
        "tonumber(var.password)",
        "kubernetes_manifest.map.manifest",
        "data.kubernetes_cluster.c",
        "ca_root.mesh",
        "type(var.password)",
        "file(var.password)",
        "sha256(ca_root.mesh.private_key_pem)",
    ] {
        let output = search.within.scenario.run_with(&["console"], &format!("{expression}\n"));
        search.look(&output.all(), expression);
    }
    let test = "run \"a\" {\n  assert {\n    condition     = output.password == \"x\"\n    error_message = \"it is ${output.password}\"\n  }\n  assert {\n    condition     = \
                kubernetes_secret.s.data.password == var.password && meshplan_data.a.output.hidden == \"\"\n    error_message = \"no\"\n  }\n}\nrun \"b\" {\n  command = plan\n  variables {\n    \
                size = 3\n  }\n}\n";
    search.within.scenario.write("main.meshtest.hcl", &test.replace("NAMESPACE", &search.within.namespace));
    let other = search.within.cluster.namespace();
    search.within.scenario.replace("main.mesh.hcl", &search.within.namespace, &other);
    for args in ["test", "test --verbose", "test --json", "test --json --verbose"] {
        let said = search.run(args, 1);
        assert!(said.contains("assert"), "{said}");
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "nothing is left");
    }
}

#[test]
fn ways_to_clusters_that_lead_nowhere_tell_no_credentials() {
    let Some(mut search) = search() else { return };
    let admin = search.within.cluster.admin().clone();
    search.planted.extend(["pl4nted-token", "pl4nted-of-the-plugin"].map(str::to_owned));
    let proxied = |server: &str| {
        let way = Access { server: server.to_owned(), ..admin.named("c") };
        way.kubeconfig().replace("\"server\":", &format!("\"proxy-url\": \"http://me:{PROXY}@127.0.0.1:1\",\n\"server\":"))
    };
    let by = |credential: Credential| admin.named("c").by(credential).kubeconfig();
    let plugin = |script: &str| by(Credential::Exec { command: "sh".to_owned(), arguments: vec!["-c".to_owned(), script.to_owned()] });
    let credential = r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"pl4nted-token"}}"#;
    let rows = [
        ("a proxy that is not there", proxied(&admin.server)),
        ("a proxy that is misspelt", proxied(&admin.server).replace("@127.0.0.1:1", "@:x y")),
        ("a server with a password", by(Credential::Nothing).replace("https://", &format!("https://me:{PROXY}@"))),
        ("a token that does not open", by(Credential::Token("pl4nted-token".to_owned()))),
        ("a key that is none", admin.named("c").kubeconfig().replace("\"client-key-data\": \"", "\"client-key-data\": \"AAAA")),
        ("a plugin's token that does not open", plugin(&format!("echo '{credential}'"))),
        ("a plugin that fails", plugin("echo pl4nted-of-the-plugin; exit 1")),
        ("a plugin that says something else", plugin("echo '{\"token\":\"pl4nted-token\"}'")),
        ("no YAML", format!("users:\n- token: {}\n  - name: [", "pl4nted-token")),
    ];
    for (name, kubeconfig) in rows {
        search.within.scenario.write("kubeconfig", &kubeconfig);
        for args in ["plan", "plan --json", "apply --auto-approve", "validate"] {
            let output = COUNTING.run(&search.within.scenario, &args.split(' ').collect::<Vec<_>>(), None);
            let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
            search.look(&said, &format!("{args} with {name}"));
            assert!(args == "validate" || ["observed", "error", "blocked"].iter().any(|word| said.contains(word)), "{name}: {said}");
        }
        search.look_at_files(name);
    }
    search.within.scenario.set("HTTPS_PROXY", &format!("http://me:{PROXY}@127.0.0.1:1"));
    let elsewhere = Access { server: "https://meshplan.invalid:6443".to_owned(), ..admin.named("c") };
    search.within.scenario.write("kubeconfig", &elsewhere.kubeconfig());
    let said = search.run("plan", 0);
    assert!(said.contains("127.0.0.1:1") || said.contains("observed"), "{said}");
}
