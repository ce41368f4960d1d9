//! Text in, objects out: the provider under the engine's own walk and drive, against the small API server.

use super::ObjectProvider;
use crate::client::Clusters;
use crate::fake::{Fake, managed};
use engine::apply::{Effects, drive};
use engine::config;
use engine::observe::{self, Edge};
use engine::plan::{Inputs, Plan};
use engine::port::{BoxFuture, Files, Guard, Machine, Provider, Registry, StoreError};
use engine::question::Answer;
use engine::source::SourceTree;
use engine::state::{Entry, RecordId, State};
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Memory {
    folded: Mutex<Option<State>>,
    ids: AtomicU64,
}

impl Guard for Memory {
    fn append<'a>(&'a self, _: &'a [Entry]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn fold<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, StoreError>> {
        *self.folded.lock().unwrap() = Some(state.clone());
        Box::pin(std::future::ready(Ok(state.serial + 1)))
    }

    fn replace<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<(), StoreError>> {
        *self.folded.lock().unwrap() = Some(state.clone());
        Box::pin(std::future::ready(Ok(())))
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Machine for Memory {
    fn sleep(&self, _: std::time::Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> u64 {
        0
    }

    fn record_id(&self) -> RecordId {
        RecordId::new(&format!("r{}", self.ids.fetch_add(1, Ordering::SeqCst)))
    }
}

impl Files for Memory {
    fn read(&self, _: &str) -> Answer {
        Answer::Absent
    }

    fn list(&self, _: &str, _: Option<usize>) -> Answer {
        Answer::Absent
    }
}

struct Bench {
    fake: Fake,
    registry: Registry,
    memory: Memory,
    state: State,
}

impl Bench {
    fn new(name: &str) -> Self {
        let file = std::env::temp_dir().join(format!("meshplan-{name}-{}", std::process::id()));
        let text = "apiVersion: v1\nkind: Config\ncurrent-context: c1\ncontexts: [{ name: c1, context: { cluster: c, user: u } }]\n\
            clusters: [{ name: c, cluster: { server: 'https://10.0.0.1:6443' } }]\nusers: [{ name: u, user: {} }]\n";
        std::fs::write(&file, text).expect("a kubeconfig");
        let fake = Fake::new();
        let files: Vec<PathBuf> = vec![file];
        let provider = ObjectProvider::new(
            crate::kinds(),
            crate::data_sources(crate::Surroundings { kubeconfigs: files, ..Default::default() }),
            Clusters::new(vec![Arc::new(fake.clone())]),
        )
        .quick();
        let provider: Arc<dyn Provider> = Arc::new(provider);
        let mut registry = Registry::default();
        registry.add(&provider);
        let state = State { secret_key: b"key".to_vec(), ..State::default() };
        Self { fake, registry, memory: Memory::default(), state }
    }

    async fn plan(&self, text: &str, destroy: bool) -> Plan {
        let mut tree = SourceTree::new(".");
        let file = tree.add("main.mesh.hcl", text);
        tree.modules.get_mut(&tree.root).unwrap().files.push(file);
        let (config, problems) = config::parse(&tree, &["cluster"]);
        assert!(problems.is_empty(), "{problems:#?}");
        let edge = Edge { registry: &self.registry, files: &self.memory };
        observe::plan(&config, self.state.clone(), Inputs { destroy, ..Inputs::default() }, edge).await
    }

    async fn apply(&mut self, plan: &Plan) {
        assert!(!plan.is_errored(), "{:#?}", plan.diagnostics);
        let stop = AtomicBool::new(false);
        let effects = Effects { registry: &self.registry, guard: &self.memory, machine: &self.memory, stop: &stop, parallelism: 4 };
        let summary = drive(plan, effects, &mut |_| {}).await.summary;
        assert!(summary.is_complete(), "{summary:#?}");
        self.state = self.memory.folded.lock().unwrap().clone().expect("a state");
    }

    /// Each change as its glyph, address and reason.
    async fn changes(&self, text: &str) -> Vec<String> {
        let plan = self.plan(text, false).await;
        assert!(!plan.is_errored(), "{:#?}", plan.diagnostics);
        let changes = plan.changes.iter().filter(|change| change.action.is_change());
        changes.map(|change| format!("{} {} {}", change.action.glyph(), change.address, change.reason)).collect()
    }
}

const MESH: &str = r#"
data "kubernetes_cluster" "c" {
  context = "c1"
}
resource "kubernetes_namespace" "sample" {
  cluster = data.kubernetes_cluster.c
  name    = "sample"
  labels  = { istio-injection = "enabled" }
}
resource "kubernetes_labels" "network" {
  cluster     = data.kubernetes_cluster.c
  api_version = "v1"
  kind        = "Namespace"
  name        = kubernetes_namespace.sample.name
  labels      = { network = "network1" }
  depends_on  = [kubernetes_namespace.sample]
}
resource "kubernetes_secret" "token" {
  cluster   = data.kubernetes_cluster.c
  name      = "token"
  namespace = kubernetes_namespace.sample.name
  data      = { token = "hunter2" }
}
resource "kubernetes_manifests" "app" {
  cluster   = data.kubernetes_cluster.c
  namespace = kubernetes_namespace.sample.name
  content   = <<-EOT
    apiVersion: v1
    kind: ConfigMap
    metadata: { name: a }
    data: { k: v }
    ---
    apiVersion: v1
    kind: ServiceAccount
    metadata: { name: b }
  EOT
}
"#;

const MAP: &str = "/api/v1/namespaces/sample/configmaps/a";

#[tokio::test]
async fn a_configuration_is_applied_kept_changed_and_destroyed() {
    let mut bench = Bench::new("end-to-end");
    let plan = bench.plan(MESH, false).await;
    bench.apply(&plan).await;
    let namespace = bench.fake.get("/api/v1/namespaces/sample").expect("a namespace");
    assert_eq!(namespace["metadata"]["labels"], json!({ "istio-injection": "enabled", "network": "network1" }));
    assert_eq!(bench.fake.get("/api/v1/namespaces/sample/secrets/token").expect("a secret")["data"], json!({ "token": "aHVudGVyMg==" }));
    assert!(bench.fake.get(MAP).is_some() && bench.fake.get("/api/v1/namespaces/sample/serviceaccounts/b").is_some());
    assert!(!format!("{:?}", bench.state.resources).contains("hunter2"));

    bench.fake.asked();
    assert_eq!(bench.changes(MESH).await, Vec::<String>::new());
    assert!(bench.fake.asked().iter().all(|asked| asked.starts_with("GET ")));

    let changed = bench.changes(&MESH.replace("k: v", "k: w")).await;
    assert_eq!(
        changed,
        [
            "~ kubernetes_manifests.app `content` changed in configuration",
            "~ kubernetes_manifests.app/ConfigMap/sample/a `data.k` changed in configuration"
        ]
    );
    let edited = MESH.replace("k: v", "k: w").replace("hunter2", "hunter3");
    let plan = bench.plan(&edited, false).await;
    bench.apply(&plan).await;
    assert_eq!(bench.fake.get(MAP).expect("a map")["data"], json!({ "k": "w" }));
    assert_eq!(bench.changes(&edited).await, Vec::<String>::new());

    let mut drifted = bench.fake.get(MAP).expect("a map");
    drifted["data"]["k"] = "by hand".into();
    bench.fake.put(MAP, managed(drifted, "kubectl-edit", &json!({ "f:data": { "f:k": {} } })));
    let shown = "~ kubernetes_manifests.app/ConfigMap/sample/a `data.k` changed outside by `kubectl-edit` at T";
    assert_eq!(bench.changes(&edited).await, [shown]);
    let plan = bench.plan(&edited, false).await;
    bench.apply(&plan).await;
    assert_eq!(bench.changes(&edited).await, Vec::<String>::new());

    let plan = bench.plan(&edited, true).await;
    bench.apply(&plan).await;
    let left: Vec<_> = bench.fake.0.lock().unwrap().objects.keys().cloned().collect();
    assert_eq!(left, ["/api/v1/namespaces/kube-system", "/version"]);
    assert!(bench.state.resources.is_empty(), "{:?}", bench.state.resources.keys());
}
