//! Sets of objects on a real cluster: from a directory or the web, narrowed by labels, and told apart where something is wrong with one.

use crate::within::Within;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// A directory with manifests, and a namespace of its own.
fn with_manifests() -> Option<Within> {
    let within = Within::shared()?;
    manifest(&within, "rules/a.yaml", &[("a1", "web"), ("a2", "api")]);
    manifest(&within, "rules/more/b.yml", &[("b", "web")]);
    Some(within)
}

/// Writes a file of `ConfigMaps`: name and label `app` of each.
fn manifest(within: &Within, path: &str, objects: &[(&str, &str)]) {
    let document = |(name, app): &(&str, &str)| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name}, labels: {{ app: {app} }} }}\ndata: {{ k: v }}\n")
    };
    within.scenario.write(path, &objects.iter().map(document).collect::<Vec<_>>().join("---\n"));
}

fn configure(within: &Within, source: &str, selector: &str) {
    within.configure(&format!(
        "data \"kubernetes_manifest_source\" \"s\" {{\n  {source}\n}}\n\
         resource \"kubernetes_manifests\" \"m\" {{\n  cluster = data.kubernetes_cluster.c\n  namespace = \"NAMESPACE\"\n  \
         objects = data.kubernetes_manifest_source.s.objects\n  {selector}\n}}\n"
    ));
}

fn apply(within: &Within) {
    within.apply();
    within.assert_converged();
}

/// The `ConfigMaps` of the namespace that carry the label.
fn names(within: &Within) -> Vec<String> {
    let list = within.cluster.api().get(&within.path("/api/v1 configmaps?labelSelector=app")).unwrap();
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
    list["items"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn a_directory_is_a_set_and_what_leaves_it_is_deleted() {
    let Some(within) = with_manifests() else { return };
    configure(&within, "path = \"rules\"\n  recursive = true", "");
    apply(&within);
    assert_eq!(names(&within), ["a1", "a2", "b"]);
    manifest(&within, "rules/a.yaml", &[("a1", "web")]);
    apply(&within);
    assert_eq!(names(&within), ["a1", "b"]);
    configure(&within, "path = \"rules\"", "");
    apply(&within);
    assert_eq!(names(&within), ["a1"]);
}

#[test]
fn labels_choose_among_the_objects_of_a_file() {
    let Some(within) = with_manifests() else { return };
    configure(&within, "path = \"rules/a.yaml\"", "selector = { app = \"api\" }");
    apply(&within);
    assert_eq!(names(&within), ["a2"]);
    configure(&within, "path = \"rules/a.yaml\"", "selector = { app = \"web\" }");
    apply(&within);
    assert_eq!(names(&within), ["a1"]);
}

#[test]
fn a_manifest_that_is_wrong_is_told_with_its_place_and_changes_nothing() {
    let Some(within) = with_manifests() else { return };
    configure(&within, "path = \"rules\"\n  recursive = true", "");
    within.scenario.write("rules/more/c.yaml", "# first\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { labels: { app: web } }\n");
    let told = within.fail();
    assert!(told.contains("`more/c.yaml`, document 1, line 1: `metadata.name` is missing"), "{told}");
    within.scenario.write("rules/more/c.yaml", "a: 1\n---\nb: 2\nb: 3\n");
    let told = within.fail();
    assert!(told.contains("`more/c.yaml`, document 2, line 4, column 1: "), "{told}");
    assert!(names(&within).is_empty());
}

/// A web server that gives this text under any path, until it is told to be gone.
struct Web {
    address: SocketAddr,
    thread: JoinHandle<usize>,
}

impl Web {
    fn with(text: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len());
        let thread = thread::spawn(move || {
            let mut requests = 0;
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = [0; 4096];
                if stream.read(&mut head).unwrap() == 0 {
                    return requests;
                }
                stream.write_all(answer.as_bytes()).unwrap();
                requests += 1;
            }
        });
        Self { address, thread }
    }

    fn url(&self) -> String {
        format!("http://{}/rules.yaml", self.address)
    }

    /// Stops it: how often it was asked. A connection without a request is the sign.
    fn gone(self) -> usize {
        drop(TcpStream::connect(self.address).unwrap());
        self.thread.join().unwrap()
    }
}

#[test]
fn a_pinned_file_of_the_web_is_downloaded_once() {
    let Some(mut within) = with_manifests() else { return };
    within.scenario.set("XDG_CACHE_HOME", &within.scenario.path().join("caches").display().to_string());
    let web = Web::with(&within.scenario.read("rules/a.yaml"));
    let url = web.url();
    let pin = |digest: &str| configure(&within, &format!("url = \"{url}\"\n  sha256 = \"{digest}\""), "");
    let zeros = "0".repeat(64);
    pin(&zeros);
    let told = within.scenario.run(&["plan"]).expect_code(1).all();
    let found = told.split("SHA-256 `").nth(1).and_then(|rest| rest.split('`').next()).unwrap().to_owned();
    assert!(told.contains("digest mismatch") && told.contains(&zeros) && found.len() == 64, "{told}");
    pin(&found);
    apply(&within);
    assert_eq!(web.gone(), 2, "once with the wrong digest, once with the right one");
    assert_eq!(names(&within), ["a1", "a2"]);
    let kept = format!("caches/meshplan/downloads/{found}");
    assert_eq!(within.scenario.read(&kept), within.scenario.read("rules/a.yaml"));
    within.destroy();
    assert!(names(&within).is_empty());
    apply(&within);
    assert_eq!(names(&within), ["a1", "a2"], "made again with nobody at the URL");
    within.scenario.write(&kept, "kind: Evil");
    let told = within.scenario.run(&["plan"]).all();
    assert!(told.contains("is not in the cache and could not be downloaded") && !told.contains("Evil"), "{told}");
}

#[test]
fn a_server_of_the_web_that_nobody_vouches_for_is_refused() {
    let Some(within) = with_manifests() else { return };
    let url = format!("{}/version", within.cluster.admin().server);
    configure(&within, &format!("url = \"{url}\"\n  sha256 = \"{}\"", "0".repeat(64)), "");
    let told = within.scenario.run(&["plan"]).expect_code(1).all();
    assert!(told.contains("the server's certificate is of no authority that this system trusts"), "{told}");
}
