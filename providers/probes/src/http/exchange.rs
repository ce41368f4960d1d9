//! One request and its answer, over a connection of its own.

use http::header::{CONNECTION, HOST, USER_AGENT};
use http::uri::PathAndQuery;
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Most bytes of a body that are kept.
const MOST: usize = 1 << 20;

/// What is sent, and where to.
pub(super) struct Wish {
    pub(super) url: Uri,
    pub(super) method: Method,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) address: Option<String>,
    pub(super) ca_certificate: Option<String>,
}

/// What a server answered.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// Names are in small letters; of several values of one name the last.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// Sends a request and reads the answer; or says why there is none, as a fragment.
pub(super) async fn exchange(wish: &Wish) -> Result<Answered, String> {
    let host = wish.url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let encrypted = wish.url.scheme_str() == Some("https");
    let port = wish.url.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
    let address = wish.address.as_deref().unwrap_or(host);
    let stream = TcpStream::connect((address, port)).await.map_err(|error| format!("connecting failed: {error}"))?;
    if !encrypted {
        return sent(stream, wish).await;
    }
    let config = ClientConfig::builder().with_root_certificates(roots(wish.ca_certificate.as_deref())?).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|_| "the URL's host cannot be the name in a certificate".to_owned())?;
    let secured = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    sent(secured.map_err(|error| format!("TLS failed: {error}"))?, wish).await
}

async fn sent(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, wish: &Wish) -> Result<Answered, String> {
    let broken = |error: hyper::Error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("the exchange broke: {error}{cause}")
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let path = wish.url.path_and_query().map_or("/", PathAndQuery::as_str);
    let authority = wish.url.authority().map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default().to_owned());
    let mut request = Request::builder().method(wish.method.clone()).uri(path);
    request = request.header(USER_AGENT, concat!("meshplan/", env!("CARGO_PKG_VERSION"))).header(CONNECTION, "close");
    if !wish.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(HOST.as_str())) {
        request = request.header(HOST, authority.unwrap_or_default());
    }
    for (name, value) in &wish.headers {
        request = request.header(name, value);
    }
    let request =
        request.body(Full::new(Bytes::from(wish.body.clone()))).map_err(|error| format!("the request cannot be sent: {error}"))?;
    let driven = async {
        drop(connection.await);
        // Whoever asks is told by the request itself that the connection has ended.
        std::future::pending::<()>().await;
    };
    let exchanged = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status().as_u16();
        let headers =
            response.headers().iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let headers = headers.collect();
        let body = body(response.into_body()).await.map_err(broken)?;
        Ok(Answered { status, headers, body })
    };
    tokio::select! {
        () = driven => Err("the connection ended".to_owned()),
        answered = exchanged => answered,
    }
}

async fn body(mut incoming: Incoming) -> Result<String, hyper::Error> {
    let mut bytes = Vec::new();
    while let Some(frame) = incoming.frame().await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() >= MOST {
            bytes.truncate(MOST);
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The certificates of a PEM text, or those that this machine trusts; or what is wrong with them, as a fragment.
pub(super) fn roots(pem: Option<&str>) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let Some(pem) = pem else {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(store);
    };
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| "holds a part that is no PEM".to_owned())?;
        store.add(certificate).map_err(|_| "holds a certificate that cannot be read".to_owned())?;
    }
    if store.is_empty() { Err("holds no certificate".to_owned()) } else { Ok(store) }
}
