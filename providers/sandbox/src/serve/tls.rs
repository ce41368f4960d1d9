//! A certificate for one address, and a listener that speaks TLS with it.

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to rest when no connection can be accepted, such as when there are too many open files.
const REST: Duration = Duration::from_millis(100);

/// A certificate with its key, and the authority that signed it.
pub(super) struct Certificate {
    authority: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// A fresh certificate for an address.
    pub(super) fn new(address: IpAddr) -> io::Result<Self> {
        make(address).map_err(io::Error::other)
    }

    /// The certificate of its authority, PEM.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Speaks TLS on a listener.
    pub(super) fn listen(self, listener: TcpListener) -> io::Result<TlsListener> {
        let versions = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
        let config = versions.map_err(io::Error::other)?.with_no_client_auth().with_single_cert(self.chain, self.key);
        let mut config = config.map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (address, acceptor) = (listener.local_addr()?, TlsAcceptor::from(Arc::new(config)));
        let (tell, ready) = mpsc::channel(64);
        tokio::spawn(accept(listener, acceptor, tell));
        Ok(TlsListener { address, ready })
    }
}

fn make(address: IpAddr) -> Result<Certificate, rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "meshplan sandbox");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let issuer_key = KeyPair::generate()?;
    let signed = authority.self_signed(&issuer_key)?;
    let issuer = Issuer::from_params(&authority, &issuer_key);

    let mut leaf = CertificateParams::new(vec![address.to_string(), "localhost".to_owned()])?;
    leaf.distinguished_name.push(DnType::CommonName, "meshplan sandbox serve");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Ok(Certificate { authority: signed.pem(), chain: vec![certificate.der().clone()], key })
}

/// Accepts connections, each with a handshake of its own, so that a slow one holds up nobody. Ends with its listener.
async fn accept(listener: TcpListener, acceptor: TlsAcceptor, tell: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = tell.closed() => return,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(REST).await;
            continue;
        };
        let (acceptor, tell) = (acceptor.clone(), tell.clone());
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                // Nobody listens any more when this fails.
                drop(tell.send((stream, peer)).await);
            }
        });
    }
}

/// Connections whose handshake is done.
pub(super) struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The other end only goes when this listener does.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
