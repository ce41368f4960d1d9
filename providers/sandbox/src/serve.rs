//! Serves the clusters of a directory to `kubectl`: HTTPS on the loopback, behind a token that only the user can read.
//!
//! HTTPS because `kubectl` sends no token over plain HTTP. The certificate is made anew each time and stands in the kubeconfig.

mod tls;

use crate::api::{Prefix, render_refusal};
use crate::cluster::Sandboxes;
use crate::object::{Json, fresh_uid};
use crate::refusal::Refusal;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::AUTHORIZATION;
use http::{Request, Response, Uri};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs::OpenOptions;
use std::future::Future;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

/// What is served, and where.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The directory of the clusters, such as `.meshplan/sandbox`.
    pub base_directory: PathBuf,
    /// Where to listen: an address of the loopback; port 0 for any free one.
    pub address: SocketAddr,
    /// Where the kubeconfig goes, readable by the user alone; a file that is there is replaced.
    pub kubeconfig: PathBuf,
}

/// What came to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    /// The clusters, which are also the contexts of the kubeconfig.
    pub clusters: Vec<String>,
    /// The kubeconfig.
    pub kubeconfig: PathBuf,
}

struct Door {
    sandboxes: Sandboxes,
    token: String,
}

/// Serves every cluster of a directory until `stop` ends, then takes the kubeconfig away. `ready` hears where, once it listens. Clusters that
/// are made later are served as well, and have no context in the kubeconfig.
///
/// Fails if the address is not of the loopback or cannot be listened on, if there is no cluster, or if the kubeconfig cannot be written.
pub async fn serve(options: ServeOptions, ready: impl FnOnce(&Served), stop: impl Future<Output = ()>) -> io::Result<()> {
    if !options.address.ip().is_loopback() {
        let why = format!("`{}` is not of the loopback; sandbox clusters are served to this machine alone", options.address.ip());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let sandboxes = Sandboxes::new(options.base_directory);
    let clusters = sandboxes.names();
    if clusters.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no sandbox cluster in `{}`", sandboxes.base().display())));
    }
    let listener = TcpListener::bind(options.address).await?;
    let address = listener.local_addr()?;
    let token = format!("{}{}", fresh_uid(), fresh_uid()).replace('-', "");
    let certificate = tls::Certificate::new(address.ip())?;
    write_private(&options.kubeconfig, &kubeconfig(&clusters, address, &token, certificate.authority()))?;
    let served = Served { address, clusters, kubeconfig: options.kubeconfig };
    ready(&served);
    let router = Router::new().fallback(answer).with_state(Arc::new(Door { sandboxes, token }));
    // Watches may last long; nobody waits for them.
    let result = tokio::select! {
        result = axum::serve(certificate.listen(listener)?, router).into_future() => result,
        () = stop => Ok(()),
    };
    // Its token is of no use any more.
    drop(std::fs::remove_file(&served.kubeconfig));
    result
}

/// `/<cluster>/<path of the API>`.
async fn answer(State(door): State<Arc<Door>>, mut request: Request<Body>) -> Response<Body> {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    // Hashes are compared, so that the time it takes tells nothing of the token.
    if given.map(Sha256::digest) != Some(Sha256::digest(&door.token)) {
        return render_refusal(&Refusal::unauthorized());
    }
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let (cluster, rest) = path.split_once('/').unwrap_or((&path, ""));
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let Ok(within) = format!("/{rest}{query}").parse::<Uri>() else { return render_refusal(&Refusal::no_such_path()) };
    match door.sandboxes.api(cluster) {
        Ok(api) => {
            *request.uri_mut() = within;
            request.extensions_mut().insert(Prefix(format!("/{cluster}")));
            api.answer(request).await
        }
        Err(_) => render_refusal(&Refusal::no_such_path()),
    }
}

fn kubeconfig(clusters: &[String], address: SocketAddr, token: &str, authority: &str) -> String {
    let named = |entry: &dyn Fn(&str) -> Json| clusters.iter().map(|name| entry(name)).collect::<Vec<_>>();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": clusters.first(),
        "clusters": named(&|name| json!({ "name": name, "cluster": {
            "server": format!("https://{address}/{name}"), "certificate-authority-data": BASE64_STANDARD.encode(authority) } })),
        "contexts": named(&|name| json!({ "name": name, "context": { "cluster": name, "user": "sandbox" } })),
        "users": [{ "name": "sandbox", "user": { "token": token } }],
    });
    // JSON is YAML.
    format!("{config:#}\n")
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    let fresh = path.with_extension(format!("{}.new", fresh_uid()));
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).and_then(|mut file| file.write_all(text.as_bytes()));
    let result = written.and_then(|()| std::fs::rename(&fresh, path));
    if result.is_err() {
        // What is left of the attempt is of no use.
        drop(std::fs::remove_file(&fresh));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Nodes, VERSION, Wanted};
    use k8s_openapi::api::core::v1::Namespace;
    use kube::api::{Api, ListParams};
    use kube::config::{KubeConfigOptions, Kubeconfig};
    use std::os::unix::fs::PermissionsExt;
    use tokio::sync::oneshot;

    fn options(base: &Path) -> ServeOptions {
        ServeOptions { base_directory: base.join("sandbox"), address: ([127, 0, 0, 1], 0).into(), kubeconfig: base.join("kubeconfig") }
    }

    fn make(base: &Path, name: &str) {
        let sandboxes = Sandboxes::new(base.join("sandbox"));
        sandboxes.make(&Wanted { name, owner: "r", nodes: &Nodes::new(), pool: "198.18.0.0/28", version: VERSION }).expect("made");
    }

    #[tokio::test]
    async fn each_cluster_is_a_context_and_the_token_opens_the_door() {
        let base = tempfile::tempdir().expect("a directory");
        make(base.path(), "c1");
        make(base.path(), "c2");
        let (tell, told) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let options = options(base.path());
        let serving = tokio::spawn(async move {
            let stop = async {
                drop(stopped.await);
            };
            serve(options, |served| drop(tell.send(served.clone())), stop).await
        });
        let served: Served = told.await.expect("ready");
        assert_eq!(served.clusters, ["c1", "c2"]);
        let mode = std::fs::metadata(&served.kubeconfig).expect("the kubeconfig").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for (context, token, expected) in [("c1", None, Some(4)), ("c2", None, Some(4)), ("c1", Some("wrong"), None)] {
            let mut kubeconfig = Kubeconfig::read_from(&served.kubeconfig).expect("a kubeconfig");
            if let (Some(token), Some(auth)) = (token, kubeconfig.auth_infos[0].auth_info.as_mut()) {
                auth.token = Some(token.to_owned().into());
            }
            let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
            let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("a configuration");
            let client = kube::Client::try_from(config).expect("a client");
            let listed = Api::<Namespace>::all(client).list(&ListParams::default()).await.ok().map(|list| list.items.len());
            assert_eq!(listed, expected, "{context} {token:?}");
        }
        stop.send(()).expect("stopped");
        serving.await.expect("joined").expect("served");
        assert!(!served.kubeconfig.exists());
    }

    #[tokio::test]
    async fn only_the_loopback_and_only_what_is_there() {
        let base = tempfile::tempdir().expect("a directory");
        let nothing = serve(options(base.path()), |_| (), async {}).await.expect_err("refused");
        assert_eq!(nothing.kind(), io::ErrorKind::NotFound);
        make(base.path(), "c1");
        let open = ServeOptions { address: ([0, 0, 0, 0], 0).into(), ..options(base.path()) };
        assert_eq!(serve(open, |_| (), async {}).await.expect_err("refused").kind(), io::ErrorKind::InvalidInput);
    }
}
