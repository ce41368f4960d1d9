//! A no-op plan by the whole binary over 2,000 objects in ten clusters, without latency and with 50 ms a request, and `kubectl get` of the same
//! objects through the same proxies beside it.
//!
//! ```sh
//! cargo build --release
//! cargo bench -p meshplan-tests --bench latency [-- BINARY]
//! ```
//!
//! BINARY is `target/release/meshplan` unless given. The ten clusters are five views of each of two real API servers; see
//! `tests/real/assets.sh` for their programs. The proxies delay requests, and no handshakes.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on shall stop, and its figures are all it is for"
)]

use meshplan_tests::apiserver::{self, Credential, Proxy};
use meshplan_tests::scenario::{Scenario, project};
use std::fs::canonicalize;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a request takes longer.
const LATENCY: Duration = Duration::from_millis(50);

/// What is measured is measured so many times; the medians count.
const ROUNDS: usize = 9;

/// In each of ten clusters, a namespace and 199 maps.
const MAPS: &str = r#"
locals {
  clusters = toset([for number in range(10) : "v${number}"])
  maps     = merge([for cluster in local.clusters : { for number in range(199) : "${cluster}/m${number}" => cluster }]...)
}
data "kubernetes_cluster" "this" {
  for_each = local.clusters
  context  = each.key
}
resource "kubernetes_namespace" "this" {
  for_each = local.clusters
  cluster  = data.kubernetes_cluster.this[each.key]
  name     = "latency-${each.key}"
}
resource "kubernetes_manifest" "map" {
  for_each = local.maps
  cluster  = data.kubernetes_cluster.this[each.value]
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = split("/", each.key)[1], namespace = kubernetes_namespace.this[each.value].name }
    data       = { key = "value" }
  }
}
"#;

struct Bench {
    scenario: Scenario,
    views: Vec<Proxy>,
    binary: PathBuf,
    kubectl: PathBuf,
}

impl Bench {
    /// The objects, made; nothing where the programs of a cluster are missing.
    fn new(binary: PathBuf) -> Option<Self> {
        let servers = [apiserver::shared(0)?, apiserver::shared(1)?];
        let views: Vec<_> = (0..10).map(|number| Proxy::apart(servers[number % 2], &format!("v{number}"))).collect();
        let mut scenario = Scenario::with(MAPS);
        // The proxies ask nobody who they are, but `kubectl` asks its user who has no credentials.
        let by = || Credential::Token("any".to_owned());
        scenario.reach(&views.iter().map(|view| view.access().by(by())).collect::<Vec<_>>());
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        Some(Self { scenario, views, binary, kubectl: apiserver::required()?.kubectl() })
    }

    fn delay(&self, latency: Duration) {
        self.views.iter().for_each(|view| view.delay(latency));
    }

    fn start(&self, mut command: Command) -> Child {
        let directory = self.scenario.path();
        // What `kubectl` discovers it keeps in its user's home.
        command.current_dir(directory).env("KUBECONFIG", directory.join("kubeconfig")).env("HOME", directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("a program that starts")
    }

    fn end(mut child: Child) {
        assert!(child.wait().expect("a program that was started").success());
    }

    fn plan(&self) {
        let mut command = Command::new(&self.binary);
        command.args(["plan", "--detailed-exitcode"]);
        Self::end(self.start(command));
    }

    fn get(&self, number: usize) -> Child {
        let mut command = Command::new(&self.kubectl);
        command.args(["get", "configmaps", "--output=json", &format!("--context=v{number}"), &format!("--namespace=latency-v{number}")]);
        self.start(command)
    }

    fn get_one_by_one(&self) {
        (0..self.views.len()).for_each(|number| Self::end(self.get(number)));
    }

    fn get_all_at_once(&self) {
        let children: Vec<_> = (0..self.views.len()).map(|number| self.get(number)).collect();
        children.into_iter().for_each(Self::end);
    }
}

/// Something to measure, and how long it took, without latency and with it.
struct Row {
    what: &'static str,
    run: fn(&Bench),
    took: [Vec<Duration>; 2],
}

fn median(took: &[Duration]) -> f64 {
    let mut took = took.to_vec();
    took.sort();
    took[took.len() / 2].as_secs_f64()
}

fn main() {
    let given = std::env::args_os().skip(1).find(|argument| !argument.to_string_lossy().starts_with('-'));
    let binary = given.map_or_else(|| project().join("target/release/meshplan"), PathBuf::from);
    let binary = canonicalize(binary).expect("the binary to measure: build it with `cargo build --release`, or name another");
    let Some(bench) = Bench::new(binary) else { return };
    let row = |what, run| Row { what, run, took: [Vec::new(), Vec::new()] };
    let mut rows = [
        row("meshplan plan, nothing to do", Bench::plan),
        row("kubectl get, ten at once", Bench::get_all_at_once),
        row("kubectl get, one by one", Bench::get_one_by_one),
    ];
    for row in &rows {
        // Also fills `kubectl`'s cache.
        (row.run)(&bench);
        bench.views.iter().for_each(Proxy::forget);
        (row.run)(&bench);
        println!("{}: {} requests", row.what, bench.views.iter().map(|view| view.seen().len()).sum::<usize>());
    }
    for _ in 0..ROUNDS {
        for (at, latency) in [Duration::ZERO, LATENCY].into_iter().enumerate() {
            bench.delay(latency);
            for row in &mut rows {
                let start = Instant::now();
                (row.run)(&bench);
                row.took[at].push(start.elapsed());
            }
        }
    }
    let plan = rows.first().map(|row| median(&row.took[1])).unwrap_or_default();
    for Row { what, took: [without, with], .. } in &rows {
        let (without, with) = (median(without), median(with));
        println!("{what:30} {without:6.2} s {with:6.2} s  {:5.2} times itself  {:5.2} times the plan", with / without, with / plan);
    }
}
