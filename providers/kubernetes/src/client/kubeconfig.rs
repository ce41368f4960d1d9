//! The user's kubeconfigs: files and contexts.

use super::connect::Connector;
use super::plugin::{LoggedIn, Plugins};
use super::proxy::{Proxies, proxy_at};
use super::transport::{Behind, credentials, no_credentials, one_line};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::port::BoxFuture;
use engine::value::Value;
use kube::client::ClientBuilder;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tower::layer::layer_fn;
use tower::util::MapErrLayer;

/// What a kubeconfig says of a cluster, without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// URL of the API server.
    pub(crate) server: String,
    /// PEM.
    pub(crate) certificate_authority: Option<String>,
}

/// Knows `{ type = "kubeconfig", path, context }` and `{ type = "kubeconfig", kubeconfig, context }`: a file, or its text. Without either the
/// user's own files count, without a context the current one.
#[derive(Clone, Default)]
pub struct KubeconfigConnector {
    files: Vec<PathBuf>,
    directory: PathBuf,
    proxies: Proxies,
    plugins: Plugins,
    token: Option<Arc<str>>,
}

impl KubeconfigConnector {
    /// A connector that reads these files where a connection names none: what `KUBECONFIG` lists, or `~/.kube/config`. A path that a
    /// connection names is relative to the directory. The proxies lead to servers whose clusters name none.
    pub fn new(files: Vec<PathBuf>, directory: PathBuf, proxies: Proxies) -> Self {
        Self { files, directory, proxies, plugins: Plugins::default(), token: None }
    }

    /// The same with a bearer token in place of what kubeconfigs say of their users.
    #[must_use]
    pub(crate) fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    /// What a connection's kubeconfig says of its context.
    pub(crate) async fn config(&self, connection: &Value) -> Result<Config, String> {
        let kubeconfig = self.kubeconfig(connection)?;
        let context = connection.text("context").map(str::to_owned);
        if let Some(context) = &context
            && !kubeconfig.contexts.iter().any(|known| known.name == *context)
        {
            let known: Vec<_> = kubeconfig.contexts.iter().map(|known| format!("`{}`", known.name)).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(format!("the kubeconfig has no context `{context}`; it has {known}"));
        }
        if context.is_none() && kubeconfig.current_context.is_none() {
            return Err("the kubeconfig has no current context; give `context` one of its own".to_owned());
        }
        let named = proxy_url(&kubeconfig, context.as_deref()).map(|url| proxy_at(&url)).transpose()?;
        let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| one_line(&error))?;
        // The client asks `NO_PROXY` whether it leaves out the proxy; what it leaves out are servers.
        config.proxy_url = match named {
            Some(named) => Some(named),
            None => self.proxies.leading_to(&config.cluster_url)?,
        };
        config.connect_timeout = Some(Duration::from_secs(10));
        // How long an answer may take, and what is tried again, is `Pace`'s; a watch may well be silent for long.
        config.default_retry = false;
        Ok(config)
    }

    /// Which server a connection leads to, and which CA it trusts.
    pub(crate) async fn target(&self, connection: &Value) -> Result<Target, String> {
        let config = self.config(connection).await?;
        let pem = |der: &Vec<u8>| {
            let text = STANDARD.encode(der);
            let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
        };
        let certificates = config.root_cert.filter(|certificates| !certificates.is_empty());
        let certificate_authority = certificates.map(|certificates| certificates.iter().map(pem).collect());
        Ok(Target { server: config.cluster_url.to_string().trim_end_matches('/').to_owned(), certificate_authority })
    }

    async fn client(&self, connection: &Value) -> Result<Client, String> {
        let mut config = self.config(connection).await?;
        if let Some(token) = &self.token {
            config.auth_info = AuthInfo { token: Some(token.to_string().into()), ..AuthInfo::default() };
        }
        let proxy = config.proxy_url.clone();
        let plugin = self.plugins.take(&mut config.auth_info);
        if let Some(plugin) = &plugin {
            plugin.given().await.map_err(|refusal| no_credentials(&refusal))?.show(&mut config.auth_info);
        }
        // Providers of tokens that are older than plugins may run programs here, and others go on meanwhile.
        let built = tokio::task::spawn_blocking(move || ClientBuilder::try_from(config)).await;
        let builder = built.map_err(|_| "the client could not be made".to_owned())?.map_err(|error| match error {
            kube::Error::Auth(error) => no_credentials(&credentials(&error)),
            error => one_line(&error),
        })?;
        let builder = builder.with_layer(&MapErrLayer::new(move |failure| Behind::of(proxy.as_ref(), failure)));
        Ok(match plugin {
            Some(plugin) => builder.with_layer(&layer_fn(|inner| LoggedIn::new(inner, plugin.clone()))).build(),
            None => builder.build(),
        })
    }

    fn kubeconfig(&self, connection: &Value) -> Result<Kubeconfig, String> {
        if let Some(text) = connection.text("kubeconfig") {
            return Kubeconfig::from_yaml(text).map(tidied).map_err(|_| "the given text is no kubeconfig".to_owned());
        }
        if let Some(path) = connection.text("path") {
            return read(&self.directory.join(path));
        }
        let mut merged: Option<Kubeconfig> = None;
        for file in self.files.iter().filter(|file| file.exists()) {
            let next = read(file)?;
            merged = Some(match merged {
                Some(merged) => merged.merge(next).map_err(|error| one_line(&error))?,
                None => next,
            });
        }
        merged.ok_or_else(|| {
            let files: Vec<_> = self.files.iter().map(|file| format!("`{}`", file.display())).collect();
            format!("there is no kubeconfig; looked for {}", if files.is_empty() { "none".to_owned() } else { files.join(", ") })
        })
    }
}

/// The proxy that the cluster of a context names.
fn proxy_url(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig.contexts.iter().find(|known| known.name == context)?.context.as_ref()?;
    let cluster = kubeconfig.clusters.iter().find(|known| known.name == context.cluster)?.cluster.as_ref()?;
    cluster.proxy_url.clone().filter(|url| !url.is_empty())
}

fn read(path: &Path) -> Result<Kubeconfig, String> {
    let read = Kubeconfig::read_from(path).map_err(|error| match error {
        // The parser shows the lines that it stumbles over, and there may be secrets in them.
        KubeconfigError::Parse(_) => format!("`{}` is no kubeconfig", path.display()),
        KubeconfigError::ReadConfig(error, _) => format!("`{}` cannot be read: {error}", path.display()),
        error => format!("`{}`: {}", path.display(), one_line(&error)),
    });
    read.map(tidied)
}

/// `kubectl config unset current-context` leaves an empty name, which is none: the next file's counts.
fn tidied(read: Kubeconfig) -> Kubeconfig {
    Kubeconfig { current_context: read.current_context.filter(|name| !name.is_empty()), ..read }
}

impl Connector for KubeconfigConnector {
    fn connect<'a>(&'a self, connection: &'a Value) -> BoxFuture<'a, Option<Result<Client, String>>> {
        Box::pin(async move {
            if connection.text("type") != Some("kubeconfig") {
                return None;
            }
            Some(self.client(connection).await)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: { cluster: c, user: u }\n\
        clusters:\n- name: c\n  cluster: { server: 'https://10.0.0.1:6443' }\nusers:\n- name: u\n  user: { token: hunter2 }\n";

    fn connection(entries: &[(&str, &str)]) -> Value {
        Value::object(entries.iter().map(|(key, value)| (*key, Value::string(*value))))
    }

    async fn server(entries: &[(&str, &str)]) -> Result<String, String> {
        KubeconfigConnector::default().config(&connection(entries)).await.map(|config| config.cluster_url.to_string())
    }

    #[tokio::test]
    async fn a_kubeconfig_leads_to_its_server_or_says_why_not() {
        assert_eq!(server(&[("kubeconfig", KUBECONFIG)]).await, Ok("https://10.0.0.1:6443/".into()));
        assert_eq!(server(&[("kubeconfig", KUBECONFIG), ("context", "a")]).await, Ok("https://10.0.0.1:6443/".into()));
        let other = server(&[("kubeconfig", KUBECONFIG), ("context", "b")]).await;
        assert_eq!(other, Err("the kubeconfig has no context `b`; it has `a`".into()));
        assert_eq!(server(&[("kubeconfig", "token: [hunter2")]).await, Err("the given text is no kubeconfig".into()));
        assert_eq!(server(&[]).await, Err("there is no kubeconfig; looked for none".into()));
        let none = KUBECONFIG.replace("current-context: a", "preferences: {}");
        assert_eq!(
            server(&[("kubeconfig", &none)]).await,
            Err("the kubeconfig has no current context; give `context` one of its own".into())
        );
        let missing = server(&[("path", "/does/not/exist")]).await.unwrap_err();
        assert!(missing.starts_with("`/does/not/exist` cannot be read: "), "{missing}");
    }
}
