//! What an API server asks nodes and Services of its cluster goes through here, where a cluster has none of its own network: commands in pods,
//! and admission webhooks.

use super::{ApiServer, runtime};
use engine::port::BoxFuture;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};

/// What tells the API server to come here, to a socket in its directory.
pub(super) const CONFIGURATION: &str = "
apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
  - name: cluster
    connection: { proxyProtocol: HTTPConnect, transport: { uds: { udsName: egress } } }
";

/// The longest head of a request.
const LONGEST: usize = 4096;

/// What connects to an address of the cluster, such as `10.96.0.7:443`.
pub type Dialing = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<TcpStream>> + Send + Sync>;

/// The way of one API server into its cluster, until it is dropped.
pub struct Egress {
    accepting: AbortHandle,
}

impl Egress {
    /// Serves the API server of a cluster that was started with [`ApiServer::start_with_egress`].
    pub fn serve(cluster: &ApiServer, dialing: Dialing) -> Self {
        let socket = cluster.directory().join("egress");
        let listener = runtime().block_on(async { UnixListener::bind(socket) }).unwrap();
        Self { accepting: runtime().spawn(accept(listener, dialing)).abort_handle() }
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts until it is aborted; its connections end with it.
async fn accept(listener: UnixListener, dialing: Dialing) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => drop(connections.spawn(pass(stream, dialing.clone()))),
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Passes on what comes, in both directions. How it ends is seen by the API server.
async fn pass(mut stream: UnixStream, dialing: Dialing) -> io::Result<()> {
    let address = asked(&mut stream).await?;
    match dialing(address).await {
        Ok(mut there) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            copy_bidirectional(&mut stream, &mut there).await.map(drop)
        }
        Err(why) => stream.write_all(format!("HTTP/1.1 502 {why}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await,
    }
}

/// The address of a request `CONNECT address HTTP/1.1`.
async fn asked(stream: &mut UnixStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let address = head.strip_prefix("CONNECT ").and_then(|rest| rest.split_whitespace().next());
    address.map(str::to_owned).ok_or_else(|| io::Error::other(format!("`{head}` is no request to connect")))
}
