//! Real clusters for tests: `etcd`, `kube-apiserver` and `kube-controller-manager` on the loopback, each cluster with its own authority.
//! Nothing runs pods.
//!
//! ```no_run
//! use meshplan_tests::apiserver;
//! use serde_json::json;
//!
//! // One of the clusters that all tests of a binary share; ends the test, and says so, where the programs are missing.
//! let Some(cluster) = apiserver::shared(0) else { return };
//! let namespace = cluster.namespace(); // a fresh one
//! let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
//! cluster.api().make(&format!("/api/v1/namespaces/{namespace}/configmaps"), &object);
//! let kubeconfig = cluster.admin().named("c1").kubeconfig(); // text; `access::kubeconfig(&[…])` for several contexts
//! let viewer = cluster.user("viewer", &[json!({ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"] })]);
//! assert_eq!(apiserver::Api::by(&viewer).call("DELETE", "/api/v1/namespaces/default/configmaps/a", None).code, 403);
//! ```
//!
//! In front of a cluster may stand a [`Proxy`], which counts, delays and fails requests, and within it a [`webhook::Webhook`].
//! [`shared_with_stand_ins`] gives clusters with nodes whose pods seem to run, and load balancers with addresses.
//! A test that breaks a cluster, or counts on being alone in it, starts its own: [`ApiServer::start`]; it ends when it is dropped. All
//! functions block, so none of them may be called from within a runtime.

pub mod access;
mod api;
pub mod authority;
mod components;
pub mod egress;
pub mod inventory;
mod loopback;
mod process;
pub mod proxy;
mod request;
mod shared;
pub mod stand_in;
mod store;
mod users;
pub mod webhook;

pub use access::{Access, Credential};
pub use api::{Answer, Api};
pub use components::Components;
pub use process::{ISSUER, SERVICE_RANGE};
pub use proxy::{Fault, Proxy};
pub use request::Seen;
pub use shared::{required, shared, shared_with_stand_ins};
pub use stand_in::{Cast, StandIns};

use crate::keeper::Keeper;
use authority::{Authority, TokenKey, Validity};
use process::{API_SERVER, CONTROLLERS, ETCD};
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;

/// How long a cluster may take to be ready; four seconds are usual.
const PATIENCE: Duration = Duration::from_mins(2);

/// The runtime that the kit's clients and servers live on, for as long as the process.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

/// A running cluster.
pub struct ApiServer {
    components: Components,
    authority: Authority,
    tokens: TokenKey,
    admin: Access,
    api: Api,
    names: AtomicU64,
    keeper: Keeper,
    // Bound and not listening: the port stays this cluster's while its server is stopped.
    _port: TcpSocket,
}

impl ApiServer {
    /// Starts a cluster and waits until it is ready: the server answers, the controllers work. Its name is that of its contexts.
    pub fn start(components: &Components, name: &str) -> Self {
        Self::start_without_controllers(components, name).controlled()
    }

    /// The same, for a cluster whose server goes through an [`egress::Egress`] to nodes and Services.
    pub fn start_with_egress(components: &Components, name: &str) -> Self {
        Self::served(components, name, Some(egress::CONFIGURATION)).controlled()
    }

    /// Starts the controllers, and waits until they work.
    fn controlled(self) -> Self {
        let cluster = self;
        process::start_controllers(&cluster.components, &cluster.keeper);
        let works = |path: &str| cluster.api.try_send("GET", path, "application/json", String::new()).is_ok_and(|a| a.code.is_success());
        // Made by the controllers of service accounts and of the authority's certificate.
        for path in ["/api/v1/namespaces/default/serviceaccounts/default", "/api/v1/namespaces/default/configmaps/kube-root-ca.crt"] {
            cluster.wait_until(CONTROLLERS, path, &|| works(path));
        }
        cluster
    }

    /// Starts a store and a server only: what controllers do does not happen.
    pub fn start_without_controllers(components: &Components, name: &str) -> Self {
        Self::served(components, name, None)
    }

    /// A store and a server, which reads of a file how it reaches nodes and Services.
    fn served(components: &Components, name: &str, egress: Option<&str>) -> Self {
        let port = TcpSocket::new_v4().unwrap();
        port.set_reuseport(true).unwrap();
        port.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = port.local_addr().unwrap();
        let authority = Authority::new(&format!("{name} authority"));
        let admin = Access {
            name: name.to_owned(),
            server: format!("https://{address}"),
            authority: Some(authority.certificate().to_owned()),
            credential: Credential::Certificate(authority.client("admin", &["system:masters"], Validity::Current)),
        };
        let (tokens, keeper) = (TokenKey::new(), Keeper::new(name));
        process::write_files(&keeper, &authority, &tokens, &admin);
        process::start_server(components, &keeper, address.port(), egress);
        let api = Api::by(&admin);
        let cluster = Self { components: components.clone(), authority, tokens, admin, api, names: AtomicU64::new(0), keeper, _port: port };
        cluster.wait_until_it_answers();
        cluster
    }

    /// The way in for one who may do everything.
    pub fn admin(&self) -> &Access {
        &self.admin
    }

    /// The client of the one who may do everything.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The authority of the server and of its clients.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The directory of its data and logs, which goes away with it.
    pub fn directory(&self) -> &Path {
        self.keeper.directory()
    }

    /// The uid of the namespace `kube-system`, which stands for the cluster.
    pub fn uid(&self) -> String {
        let namespace = self.api.get("/api/v1/namespaces/kube-system").unwrap();
        namespace["metadata"]["uid"].as_str().unwrap().to_owned()
    }

    /// A name that no other test in this cluster has, with this beginning.
    pub fn name(&self, start: &str) -> String {
        format!("{start}-{}", self.names.fetch_add(1, Ordering::SeqCst))
    }

    /// A fresh namespace, with the service account that pods need; its name.
    pub fn namespace(&self) -> String {
        let name = self.name("test");
        self.api.make("/api/v1/namespaces", &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }));
        self.api.wait(&format!("/api/v1/namespaces/{name}/serviceaccounts/default"), |account| !account.is_null());
        name
    }

    /// Runs `kubectl` as the one who may do everything.
    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_with(&[self.keeper.directory().join("admin.kubeconfig")], arguments)
    }

    /// Runs `kubectl` with these files in `KUBECONFIG`.
    pub fn kubectl_with(&self, kubeconfigs: &[PathBuf], arguments: &[&str]) -> Output {
        let list = std::env::join_paths(kubeconfigs).unwrap_or_else(|error| panic!("KUBECONFIG: {error}"));
        let mut command = Command::new(self.components.kubectl());
        // It writes a cache of what it discovered.
        command.args(arguments).env("KUBECONFIG", list).env("HOME", self.keeper.directory());
        command.output().unwrap_or_else(|error| panic!("kubectl: {error}"))
    }

    /// Starts a program of the components in the cluster's directory.
    fn run(&self, program: &str, arguments: &[String]) {
        self.keeper.start(program, &self.components.program(program), arguments);
    }

    /// Kills the API server; the store and the port stay. Nobody answers, as with a machine that is off.
    pub fn stop(&self) {
        self.keeper.stop(API_SERVER);
    }

    /// Starts a stopped API server again and waits until it answers.
    pub fn start_again(&self) {
        self.keeper.start_again(API_SERVER);
        self.wait_until_it_answers();
    }

    /// Holds the API server: connections are made and nothing is answered.
    pub fn pause(&self) {
        self.keeper.pause(API_SERVER);
    }

    /// Lets a held API server go on.
    pub fn resume(&self) {
        self.keeper.resume(API_SERVER);
    }

    /// Kills the controllers: nothing is done after a change any more.
    pub fn stop_controllers(&self) {
        self.keeper.stop(CONTROLLERS);
    }

    /// Starts stopped controllers again.
    pub fn start_controllers(&self) {
        self.keeper.start_again(CONTROLLERS);
    }

    fn wait_until_it_answers(&self) {
        let ready = || self.api.try_send("GET", "/readyz", "application/json", String::new()).is_ok_and(|answer| answer.code == 200);
        self.wait_until(API_SERVER, "/readyz", &ready);
    }

    /// Waits for a process to do something; fails with the end of its log if it ends, or in time does not.
    fn wait_until(&self, process: &str, what: &str, is_so: &dyn Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            let why = match () {
                () if !self.keeper.runs(process) => "has ended",
                () if !self.keeper.runs(ETCD) => "has no store",
                () if Instant::now() > deadline => "takes too long",
                () => {
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                }
            };
            panic!("`{process}` {why}, waiting for {what}:\n{}\n{}", self.keeper.log(process), self.keeper.log(ETCD));
        }
    }
}
