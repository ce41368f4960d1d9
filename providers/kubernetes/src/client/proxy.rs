//! Which proxy leads to a server.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The proxies of the environment, as `kubectl` takes them: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in capitals or not. What a
/// kubeconfig names in `proxy-url` goes before them.
#[derive(Clone, Default)]
pub struct Proxies {
    https: Option<String>,
    http: Option<String>,
    without: Option<Arc<Matcher>>,
}

impl fmt::Debug for Proxies {
    /// Says that there are some. Their URLs may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

impl Proxies {
    /// What the environment says.
    pub fn from_environment(environment: &BTreeMap<String, String>) -> Self {
        let text = |name: &str| {
            let found = environment.get(&name.to_uppercase()).or_else(|| environment.get(name));
            found.filter(|value| !value.trim().is_empty()).cloned()
        };
        // The matcher is asked for nothing but whether a server is left out.
        let without = Matcher::builder().all("http://proxy.invalid").no(text("no_proxy").unwrap_or_default()).build();
        Self { https: text("https_proxy"), http: text("http_proxy"), without: Some(Arc::new(without)) }
    }

    /// The proxy on the way to a server. None leads to the machine itself.
    pub(super) fn leading_to(&self, server: &Uri) -> Result<Option<Uri>, String> {
        let proxy = if server.scheme_str() == Some("http") { &self.http } else { &self.https };
        let left_out = self.without.as_ref().is_none_or(|without| without.intercept(server).is_none());
        match proxy {
            Some(proxy) if !left_out && !server.host().is_some_and(is_here) => proxy_at(proxy).map(Some),
            _ => Ok(None),
        }
    }
}

/// A proxy as the environment or a kubeconfig writes it: a URL, or host and port.
pub(super) fn proxy_at(text: &str) -> Result<Uri, String> {
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // What it says may hold a password.
    url.parse().map_err(|_| "the proxy that leads to it is named by no URL".to_owned())
}

fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_those_that_kubectl_takes() {
        for (variables, server, expected) in [
            ("", "https://east.example:6443", None),
            ("HTTPS_PROXY=http://proxy:3128", "https://east.example:6443", Some("http://proxy:3128/")),
            ("https_proxy=proxy:3128", "https://east.example:6443", Some("http://proxy:3128/")),
            ("HTTPS_PROXY=http://one https_proxy=http://two", "https://east.example", Some("http://one/")),
            ("HTTPS_PROXY=http://me:secret@proxy:3128", "https://east.example", Some("http://me:secret@proxy:3128/")),
            ("HTTP_PROXY=http://proxy", "https://east.example", None),
            ("HTTP_PROXY=http://proxy", "http://east.example", Some("http://proxy/")),
            ("HTTPS_PROXY=http://proxy NO_PROXY=east.example", "https://east.example", None),
            ("HTTPS_PROXY=http://proxy NO_PROXY=.example,10.0.0.0/8", "https://east.example", None),
            ("HTTPS_PROXY=http://proxy NO_PROXY=.example,10.0.0.0/8", "https://10.1.2.3:6443", None),
            ("HTTPS_PROXY=http://proxy NO_PROXY=.example,10.0.0.0/8", "https://11.1.2.3:6443", Some("http://proxy/")),
            ("HTTPS_PROXY=http://proxy no_proxy=*", "https://east.example", None),
            ("HTTPS_PROXY=http://proxy", "https://127.0.0.1:6443", None),
            ("HTTPS_PROXY=http://proxy", "https://[::1]:6443", None),
            ("HTTPS_PROXY=http://proxy", "https://localhost:6443", None),
        ] {
            let pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
            let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let found = Proxies::from_environment(&environment).leading_to(&server.parse().unwrap()).unwrap();
            assert_eq!(found.map(|found| found.to_string()).as_deref(), expected, "{variables} {server}");
        }
    }
}
