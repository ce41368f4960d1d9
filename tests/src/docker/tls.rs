//! A way to an Engine over TCP, where both sides of TLS show a certificate, as `dockerd --tlsverify` offers it.

use super::Engine;
use crate::apiserver::authority::{Authority, Validity};
use crate::namespace::Namespace;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// A server that passes on what those say who show a certificate of its authority. It ends with its owner.
pub struct TlsWay {
    _runtime: Runtime,
    address: SocketAddr,
    certificates: TempDir,
}

impl fmt::Debug for TlsWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsWay").field("address", &self.address).finish_non_exhaustive()
    }
}

impl TlsWay {
    /// A way to an Engine.
    pub fn to(engine: &Engine) -> Self {
        Self::on(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(), engine)
    }

    /// A way to an Engine from a network.
    pub fn from(network: &Namespace, engine: &Engine) -> Self {
        Self::on(network.runtime(), engine)
    }

    /// One that stands where the threads of a runtime are.
    fn on(runtime: Runtime, engine: &Engine) -> Self {
        let authority = Authority::new("docker");
        let acceptor = TlsAcceptor::from(Arc::new(configuration(&authority)));
        let listener = runtime.block_on(runtime.spawn(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))).unwrap().unwrap();
        let address = listener.local_addr().unwrap();
        let socket = engine.socket();
        drop(runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(tokio::spawn(pass(stream, acceptor.clone(), socket.clone())));
            }
        }));
        let certificates = tempfile::tempdir().unwrap();
        let client = authority.client("tests", &[], Validity::Current);
        for (name, text) in [("ca.pem", authority.certificate()), ("cert.pem", &client.certificate), ("key.pem", &client.key)] {
            std::fs::write(certificates.path().join(name), text).unwrap();
        }
        Self { _runtime: runtime, address, certificates }
    }

    /// Where it is, as `DOCKER_HOST` says it.
    pub fn host(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// The directory with `ca.pem`, `cert.pem` and `key.pem`.
    pub fn certificates(&self) -> &Path {
        self.certificates.path()
    }
}

fn configuration(authority: &Authority) -> ServerConfig {
    let server = authority.server(&[]);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate().as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider())).build().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(server.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions().unwrap();
    config.with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap()
}

async fn pass(stream: TcpStream, acceptor: TlsAcceptor, socket: PathBuf) {
    // Who shows no certificate hears so from TLS.
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let Ok(mut engine) = UnixStream::connect(socket).await else { return };
    drop(tokio::io::copy_bidirectional(&mut stream, &mut engine).await);
}
