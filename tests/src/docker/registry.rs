//! A registry of images in the network of an Engine, on its loopback, where Engines take one without TLS.

use super::Engine;
use crate::namespace::Namespace;
use aws_lc_rs::digest::{SHA256, digest};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// What is served, by the path and with its type; and the paths that were asked for.
#[derive(Debug, Default)]
struct Shelf {
    contents: BTreeMap<String, (&'static str, Bytes)>,
    asked: Vec<String>,
}

/// A running registry. It ends with its owner.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    shelf: Arc<Mutex<Shelf>>,
    // In this order: threads end before the network that they are in is let go.
    _runtime: Runtime,
    _network: Namespace,
}

impl Registry {
    /// Starts an empty one.
    pub fn beside(engine: &Engine) -> Self {
        // It stays as long as threads may begin, which enter it by its holder.
        let network = engine.network("true");
        let runtime = network.runtime();
        // On a thread of that network; the socket stays where it was made.
        let bound = runtime.spawn(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = runtime.block_on(bound).unwrap().unwrap();
        let address = listener.local_addr().unwrap();
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        drop(runtime.spawn(accept(listener, shelf.clone())));
        Self { address, shelf, _runtime: runtime, _network: network }
    }

    /// Puts an image on the shelf: a root file system, with something in its environment. Its digest.
    pub fn offer(&self, name: &str, root: &[u8], variable: &str) -> String {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(root).unwrap();
        let packed = packed.finish().unwrap();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": { "Env": [variable], "Cmd": ["sleep", "10000"] },
            "rootfs": { "type": "layers", "diff_ids": [hashed(root)] }, "history": [{ "created_by": "tests" }],
        });
        let config = config.to_string().into_bytes();
        let part = |kind: &str, content: &[u8]| json!({ "mediaType": kind, "size": content.len(), "digest": hashed(content) });
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": part(CONFIG, &config), "layers": [part(LAYER, &packed)] });
        let manifest = manifest.to_string().into_bytes();
        let found = hashed(&manifest);
        for (kind, content) in [(CONFIG, config), (LAYER, packed)] {
            self.put(format!("/v2/{name}/blobs/{}", hashed(&content)), kind, content);
        }
        self.put(format!("/v2/{name}/manifests/{found}"), MANIFEST, manifest);
        found
    }

    /// Gives the manifest of one image to those who ask for another digest.
    pub fn swap(&self, image: &str, (there, asked): (&str, &str)) {
        let mut held = self.shelf.lock().unwrap();
        let content = held.contents[&format!("/v2/{image}/manifests/{there}")].clone();
        held.contents.insert(format!("/v2/{image}/manifests/{asked}"), content);
    }

    /// The image of this name and digest, as Engines name it.
    pub fn image(&self, name: &str, digest: &str) -> String {
        format!("{}/{name}@{digest}", self.address)
    }

    /// How often manifests were asked for.
    pub fn asked(&self) -> usize {
        self.shelf.lock().unwrap().asked.iter().filter(|path| path.contains("/manifests/")).count()
    }

    fn put(&self, path: String, kind: &'static str, content: Vec<u8>) {
        self.shelf.lock().unwrap().contents.insert(path, (kind, content.into()));
    }
}

/// The digest of something, as registries write it.
fn hashed(content: &[u8]) -> String {
    let bytes = digest(&SHA256, content);
    let hex: Vec<_> = bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", hex.concat())
}

async fn accept(listener: TcpListener, shelf: Arc<Mutex<Shelf>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shelf = shelf.clone();
        let service = service_fn(move |request| {
            let answer = answer(&request, &shelf);
            async move { Ok::<_, Infallible>(answer) }
        });
        // Who speaks TLS to it, as Engines try first, hears that this is none.
        drop(tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service)));
    }
}

fn answer(request: &Request<Incoming>, shelf: &Mutex<Shelf>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let mut shelf = shelf.lock().unwrap();
    let found = shelf.contents.get(&path).cloned();
    shelf.asked.push(path.clone());
    let (status, kind, content) = match found {
        Some((kind, content)) => (StatusCode::OK, kind, content),
        None if path == "/v2/" => (StatusCode::OK, "application/json", Bytes::from("{}")),
        None => {
            let error = json!({ "errors": [{ "code": "MANIFEST_UNKNOWN", "message": "manifest unknown" }] });
            (StatusCode::NOT_FOUND, "application/json", Bytes::from(error.to_string()))
        }
    };
    let answer = Response::builder().status(status).header("Content-Type", kind).header("Docker-Distribution-Api-Version", "registry/2.0");
    answer.body(Full::new(content)).unwrap()
}
