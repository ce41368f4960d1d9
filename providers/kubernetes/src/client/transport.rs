//! What kept a request from being answered, in words that say what to do about it.

use super::error::{CallError, Lost};
use super::plugin::Refusal;
use http::Uri;
use hyper_util::client::legacy;
use kube::client::AuthError;
use rustls::CertificateError;
use std::error::Error;
use std::fmt;
use std::io;
use tower::BoxError;

/// A request that the client could not get an answer to.
pub(super) fn unanswered(error: &(dyn Error + 'static)) -> CallError {
    if let Some(refusal) = causes(error).find_map(|cause| cause.downcast_ref::<Refusal>()) {
        return hopeless(no_credentials(refusal));
    }
    if let Some(provider) = causes(error).find_map(|cause| cause.downcast_ref::<AuthError>()) {
        return hopeless(no_credentials(&credentials(provider)));
    }
    if let Some(certificate) = causes(error).find_map(certificate) {
        return hopeless(certificate);
    }
    let text = one_line(error);
    let proxy = causes(error).find_map(|cause| cause.downcast_ref::<Behind>()).map(|behind| &behind.proxy);
    let (host, address, target) = match proxy {
        None => ("the API server's host".to_owned(), "the API server's address".to_owned(), "the API server".to_owned()),
        Some(proxy) => {
            let named = format!("the proxy `{proxy}` on the way to the API server");
            (format!("the host of {named}"), format!("the address of {named}"), named)
        }
    };
    if text.contains("dns error") {
        return hopeless(format!("{host} is not known: {}; is its name right, and is its network there?", last(error)));
    }
    let lost = match causes(error).find_map(|cause| cause.downcast_ref::<legacy::Error>()) {
        Some(client) if client.is_connect() => Lost::Unsent,
        _ => Lost::Unknown,
    };
    let message = match causes(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            format!("nothing listens at {address} (connection refused): it is down, or the address is another one")
        }
        Some(io::ErrorKind::TimedOut) if lost == Lost::Unsent => {
            format!(
                "{address} does not answer (connecting timed out): a firewall, a network that is not there, a machine that is off, or a \
                 server that hangs"
            )
        }
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            format!("no network leads to {target} ({})", last(error))
        }
        _ if lost == Lost::Unsent && proxy.is_some() => format!("{target} does not lead there: {}", last(error)),
        _ if lost == Lost::Unsent => format!("the API server could not be reached: {text}"),
        _ => format!("the connection to the API server broke before the answer came: {}", last(error)),
    };
    CallError { lost, ..CallError::unanswered(message) }
}

/// A failure behind a proxy, which is what was connected to.
#[derive(Debug)]
pub(super) struct Behind {
    /// Scheme, host and port: what else a URL says may be a password.
    proxy: String,
    failure: BoxError,
}

impl Behind {
    /// A failure on the way through the proxy of this URL, or as it is where there is none.
    pub(super) fn of(proxy: Option<&Uri>, failure: BoxError) -> BoxError {
        let Some(proxy) = proxy else { return failure };
        let port = proxy.port().map_or_else(String::new, |port| format!(":{port}"));
        let proxy = format!("{}://{}{port}", proxy.scheme_str().unwrap_or("http"), proxy.host().unwrap_or_default());
        Box::new(Self { proxy, failure })
    }
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.failure, f)
    }
}

impl Error for Behind {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.failure)
    }
}

fn hopeless(message: String) -> CallError {
    CallError { lost: Lost::Hopeless, ..CallError::unanswered(message) }
}

/// An error and what caused it. What an I/O error wraps is no cause to it, though it is.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|wrapped| wrapped as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

/// What is wrong with the server's certificate.
fn certificate(cause: &(dyn Error + 'static)) -> Option<String> {
    let rustls::Error::InvalidCertificate(why) = cause.downcast_ref::<rustls::Error>()? else { return None };
    Some(match why {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the API server's certificate is not of the CA that the kubeconfig trusts: the cluster was made anew, or another one answers; \
             fetch its kubeconfig again"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("the API server's certificate is for other names than its address: {why}; use one of those, or `tls-server-name`")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the API server's certificate has expired: {why}; renew it, or set this machine's clock")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the API server's certificate is not valid yet: {why}; set this machine's clock")
        }
        other => format!("the API server's certificate is refused: {other}"),
    })
}

/// That there are no credentials, and why.
pub(super) fn no_credentials(why: &impl fmt::Display) -> String {
    format!("the kubeconfig gives no credentials: {why}")
}

/// Why a provider of tokens has none. What its program printed may be one.
pub(super) fn credentials(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { out, .. } => format!("its program failed ({})", out.status),
        other => one_line(other),
    }
}

/// An error and what caused it, in one line.
pub(super) fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error).skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The last cause, in one line.
fn last(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn told(error: impl Into<Box<dyn Error + Send + Sync>>) -> CallError {
        unanswered(&kube::Error::Service(error.into()))
    }

    #[test]
    fn a_wrong_certificate_is_told_and_not_tried_again() {
        for (why, words) in [
            (CertificateError::UnknownIssuer, "is not of the CA that the kubeconfig trusts"),
            (CertificateError::Expired, "has expired"),
            (CertificateError::NotValidForName, "is for other names than its address"),
            (CertificateError::NotValidYet, "set this machine's clock"),
            (CertificateError::Revoked, "is refused"),
        ] {
            let error = told(io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(why)));
            assert!(error.message.contains(words), "{error}");
            assert_eq!(error.lost, Lost::Hopeless);
        }
    }

    #[test]
    fn a_connection_that_breaks_leaves_open_what_was_done() {
        let error = told(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(error.to_string(), "the connection to the API server broke before the answer came: connection reset");
        assert_eq!(error.lost, Lost::Unknown);
    }

    #[test]
    fn a_provider_of_tokens_that_fails_is_told_without_what_it_printed() {
        let out = Command::new("sh").args(["-c", "echo hunter2; echo hunter3 >&2; exit 3"]).output().expect("a shell");
        let error = told(kube::Error::Auth(AuthError::AuthExecRun { cmd: "login --password hunter4".to_owned(), out: Box::new(out) }));
        assert_eq!(error.to_string(), "the kubeconfig gives no credentials: its program failed (exit status: 3)");
        assert_eq!(error.lost, Lost::Hopeless);
    }
}
