//! A kubelet that runs no containers: its node and pods say that they run, and commands in them end as the test says.
//!
//! An API server hands the commands of its clients on over SPDY/3.1, one connection each, with a stream for the outcome, one for standard output
//! and one for standard error. Of that protocol no more is spoken here than this takes: streams are opened by the other side, in this order.

use super::super::ApiServer;
use super::super::authority::Authority;
use super::super::loopback::{Answering, Body, Cut, Loopback, whole};
use http::header::{CONNECTION, UPGRADE};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The header by which both sides agree on what the streams are.
const PROTOCOL: &str = "x-stream-protocol-version";

/// A command as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ordered {
    /// The pod, as `namespace/name`.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The program and its arguments.
    pub command: Vec<String>,
}

/// How a command ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ends {
    /// With this exit code, after it wrote this to standard output and standard error.
    With(u8, String, String),
    /// It cannot be started, and why.
    NotStarted(String),
    /// It runs, and nobody hears how it ends.
    Unheard,
}

/// What decides how commands end.
type Deciding = Arc<dyn Fn(&Ordered) -> Ends + Send + Sync>;

/// The part of a kubelet that takes commands, until it is dropped.
pub struct Commands {
    ordered: Arc<Mutex<Vec<Ordered>>>,
    loopback: Loopback,
}

impl Commands {
    /// Serves it. What decides may take its time.
    pub fn serve(decides: impl Fn(&Ordered) -> Ends + Send + Sync + 'static) -> Self {
        let (ordered, decides): (Arc<Mutex<Vec<Ordered>>>, Deciding) = (Arc::default(), Arc::new(decides));
        let seen = ordered.clone();
        let answering: Answering = Arc::new(move |request| Box::pin(ready(answer(request, &seen, decides.clone()))));
        Self { ordered, loopback: Loopback::serve(&Authority::new("kubelet authority").server(&[]), answering) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.loopback.address()
    }
}

/// A node with its kubelet, until it is dropped.
pub struct Kubelet<'a> {
    cluster: &'a ApiServer,
    node: String,
    commands: Commands,
}

impl<'a> Kubelet<'a> {
    /// Serves a kubelet and makes its node.
    pub fn start(cluster: &'a ApiServer, node: &str, decides: impl Fn(&Ordered) -> Ends + Send + Sync + 'static) -> Self {
        cluster.api().make("/api/v1/nodes", &json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": node } }));
        Self::of(cluster, &[node], decides)
    }

    /// Serves the kubelet of nodes that are there: commands in their pods come here, whoever says that the pods run.
    pub fn of(cluster: &'a ApiServer, nodes: &[&str], decides: impl Fn(&Ordered) -> Ends + Send + Sync + 'static) -> Self {
        let commands = Commands::serve(decides);
        let status = json!({ "status": {
            "addresses": [{ "type": "InternalIP", "address": "127.0.0.1" }],
            "daemonEndpoints": { "kubeletEndpoint": { "Port": commands.address().port() } },
        } });
        for node in nodes {
            cluster.api().call("PATCH", &format!("/api/v1/nodes/{node}/status"), Some(&status)).done();
        }
        Self { cluster, node: nodes[0].to_owned(), commands }
    }

    /// Makes a pod of one container that is said to run there, with an id of it or without.
    pub fn pod(&self, (namespace, name): (&str, &str), labels: &Value, (container, id): (&str, &str)) {
        let spec = json!({ "nodeName": self.node, "containers": [{ "name": container, "image": "none" }] });
        let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "labels": labels }, "spec": spec });
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        self.cluster.api().make(&path, &pod);
        let mut state =
            json!({ "name": container, "ready": true, "restartCount": 0, "image": "none", "imageID": "", "state": { "running": {} } });
        if !id.is_empty() {
            state["containerID"] = id.into();
        }
        let status = json!({ "status": { "phase": "Running", "containerStatuses": [state] } });
        self.cluster.api().call("PATCH", &format!("{path}/{name}/status"), Some(&status)).done();
    }

    /// The name of its first node.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The commands that came so far.
    pub fn ordered(&self) -> Vec<Ordered> {
        self.commands.ordered.lock().unwrap().clone()
    }
}

fn answer(mut request: Request<Incoming>, seen: &Mutex<Vec<Ordered>>, decides: Deciding) -> Result<Response<Body>, Cut> {
    let refused = |why: &str| Ok(Response::builder().status(StatusCode::BAD_REQUEST).body(whole(why.to_owned())).unwrap());
    let Some(ordered) = read(request.uri()) else { return refused("no command") };
    let spoken = request.headers().get(UPGRADE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !spoken.eq_ignore_ascii_case("spdy/3.1") {
        return refused(&format!("`{spoken}` is not spoken here"));
    }
    seen.lock().unwrap().push(ordered.clone());
    let upgrade = hyper::upgrade::on(&mut request);
    drop(tokio::spawn(async move {
        let outcome = tokio::task::spawn_blocking(move || decides(&ordered)).await;
        if let (Ok(upgraded), Ok(ends)) = (upgrade.await, outcome) {
            // How it ends is seen by the other side.
            drop(converse(TokioIo::new(upgraded), &ends).await);
        }
    }));
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).header(CONNECTION, "Upgrade").header(UPGRADE, "SPDY/3.1");
    Ok(response.header(PROTOCOL, "v4.channel.k8s.io").body(whole(String::new())).unwrap())
}

/// The command of `/exec/namespace/pod/container?command=…`.
fn read(uri: &http::Uri) -> Option<Ordered> {
    let path: Vec<_> = uri.path().strip_prefix("/exec/")?.split('/').collect();
    let [namespace, pod, container] = path[..] else { return None };
    let parts = uri.query().unwrap_or_default().split('&').filter_map(|part| part.strip_prefix("command="));
    Some(Ordered { pod: format!("{namespace}/{pod}"), container: container.to_owned(), command: parts.map(decoded).collect() })
}

/// A value of a query.
fn decoded(text: &str) -> String {
    let mut bytes: VecDeque<u8> = text.bytes().collect();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.pop_front() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: Vec<u8> = bytes.drain(..2).collect();
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(plain).unwrap()
}

/// Speaks until the other side ends the connection.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, ends: &Ends) -> io::Result<()> {
    let mut streams = Vec::new();
    loop {
        let mut head = [0; 8];
        if stream.read_exact(&mut head).await.is_err() {
            return Ok(());
        }
        let length = u32::from_be_bytes([0, head[5], head[6], head[7]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).await?;
        // Of control frames those that open a stream, and pings, which are given back.
        match (head[0] & 0x80 != 0, head[3]) {
            (true, 1) => {
                let id = [payload[0], payload[1], payload[2], payload[3]];
                stream.write_all(&reply(id, streams.is_empty())).await?;
                streams.push(id);
                if let ([outcome, out, error], true) = (&streams[..], *ends != Ends::Unheard) {
                    for (id, text) in [(out, written(ends).0), (error, written(ends).1), (outcome, status(ends).to_string())] {
                        stream.write_all(&data(*id, text.as_bytes())).await?;
                    }
                }
            }
            (true, 6) => stream.write_all(&[&head[..], &payload].concat()).await?,
            _ => {}
        }
    }
}

/// A frame that takes a stream: it has no headers, which is a number of four bytes in a zlib stream that goes on from frame to frame. It stands
/// uncompressed, and an empty block after it lets the other side read it at once.
fn reply(id: [u8; 4], first: bool) -> Vec<u8> {
    let begin: &[u8] = if first { &[0x78, 0x9c] } else { &[] };
    let block = [begin, &[0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0], &[0, 0, 0, 0xff, 0xff]].concat();
    let length = u8::try_from(4 + block.len()).unwrap();
    [&[0x80, 3, 0, 2, 0, 0, 0, length][..], &id, &block].concat()
}

/// A frame that ends a stream with these bytes.
fn data(id: [u8; 4], bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&id[..], &[1], &length[1..], bytes].concat()
}

fn written(ends: &Ends) -> (String, String) {
    match ends {
        Ends::With(_, stdout, stderr) => (stdout.clone(), stderr.clone()),
        Ends::NotStarted(_) | Ends::Unheard => Default::default(),
    }
}

fn status(ends: &Ends) -> Value {
    match ends {
        Ends::With(0, ..) => json!({ "metadata": {}, "status": "Success" }),
        Ends::With(code, ..) => json!({
            "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: {code}"),
            "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
        }),
        Ends::NotStarted(why) => json!({ "metadata": {}, "status": "Failure", "reason": "InternalError", "message": why, "code": 500 }),
        Ends::Unheard => Value::Null,
    }
}
