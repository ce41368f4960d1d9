//! The command lines of a cluster's three programs.

use super::access::Access;
use super::authority::{Authority, TokenKey};
use super::components::Components;
use crate::keeper::Keeper;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

/// The processes' names.
pub(super) const ETCD: &str = "etcd";
pub(super) const API_SERVER: &str = "kube-apiserver";
pub(super) const CONTROLLERS: &str = "kube-controller-manager";

/// The socket of the store, in the cluster's directory.
pub(super) const STORE: &str = "client:0";

/// Where services get their addresses.
pub const SERVICE_RANGE: &str = "10.96.0.0/16";
/// Who issues the tokens of service accounts.
pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// The controllers that run, one a line: those that work on the API alone, and of them those that a mesh's objects meet.
const RUNNING: &str = include_str!("controllers.txt");

/// Writes what the programs read.
pub(super) fn write_files(keeper: &Keeper, authority: &Authority, tokens: &TokenKey, admin: &Access) {
    let server = authority.server(&["kubernetes.default.svc"]);
    let files = [
        ("ca.crt", authority.certificate()),
        ("server.crt", &server.certificate),
        ("server.key", &server.key),
        ("tokens.key", &tokens.private()),
        ("tokens.pub", &tokens.public()),
        ("admin.kubeconfig", &admin.kubeconfig()),
    ];
    for (name, text) in files {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(keeper.directory().join(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }
}

/// Starts the store and the API server; neither waits for the other. The text is the server's configuration of egress.
pub(super) fn start_server(components: &Components, keeper: &Keeper, port: u16, egress: Option<&str>) {
    keeper.start(ETCD, &components.program(ETCD), &store());
    let mut arguments = server(port);
    if let Some(egress) = egress {
        std::fs::write(keeper.directory().join("egress.yaml"), egress).unwrap();
        arguments.push("--egress-selector-config-file=egress.yaml".to_owned());
    }
    keeper.start(API_SERVER, &components.program(API_SERVER), &arguments);
}

/// Starts the controllers, which want a server that answers.
pub(super) fn start_controllers(components: &Components, keeper: &Keeper) {
    let arguments = [
        format!("--controllers={}", RUNNING.trim_end().replace('\n', ",")),
        "--kubeconfig=admin.kubeconfig".to_owned(),
        "--service-account-private-key-file=tokens.key".to_owned(),
        "--root-ca-file=ca.crt".to_owned(),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        // Tests wait for what controllers do.
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
    ];
    keeper.start(CONTROLLERS, &components.program(CONTROLLERS), &arguments);
}

/// Sockets in the working directory: no other cluster can be reached by mistake.
fn store() -> Vec<String> {
    let arguments = [
        "--data-dir=store",
        "--unsafe-no-fsync",
        "--listen-client-urls=unix://client:0",
        "--advertise-client-urls=unix://client:0",
        "--listen-peer-urls=unix://peer:0",
        "--initial-advertise-peer-urls=unix://peer:0",
        "--initial-cluster=default=unix://peer:0",
        "--log-level=warn",
    ];
    arguments.map(str::to_owned).to_vec()
}

fn server(port: u16) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--etcd-servers=unix://client:0",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        // The port is held for this cluster also while nothing listens on it.
        "--permit-port-sharing=true",
        "--client-ca-file=ca.crt",
        "--tls-cert-file=server.crt",
        "--tls-private-key-file=server.key",
        "--service-account-signing-key-file=tokens.key",
        "--service-account-key-file=tokens.pub",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--endpoint-reconciler-type=none",
        "--profiling=false",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.extend([
        format!("--secure-port={port}"),
        format!("--service-account-issuer={ISSUER}"),
        format!("--service-cluster-ip-range={SERVICE_RANGE}"),
    ]);
    arguments
}
