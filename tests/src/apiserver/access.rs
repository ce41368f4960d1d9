//! Ways to an API server: who one is, which server one means, and the kubeconfig that says so.

use super::authority::Pair;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// How a client says who it is.
#[derive(Clone)]
pub enum Credential {
    /// Not at all.
    Nothing,
    /// By a client certificate.
    Certificate(Pair),
    /// By a bearer token.
    Token(String),
    /// By a program that prints an `ExecCredential`, and its arguments.
    Exec {
        /// The program.
        command: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// A way to one server as one user. To change one, clone it and set a field.
#[derive(Clone)]
pub struct Access {
    /// The context's name in a kubeconfig; the cluster and the user there have it too.
    pub name: String,
    /// The server, such as `https://127.0.0.1:6443`.
    pub server: String,
    /// The authority that the server's certificate must come from, PEM; nothing for plain HTTP.
    pub authority: Option<String>,
    /// Who the client is.
    pub credential: Credential,
}

impl Access {
    /// The same way under another context's name.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }

    /// The same way as another user.
    #[must_use]
    pub fn by(&self, credential: Credential) -> Self {
        Self { credential, ..self.clone() }
    }

    /// A kubeconfig with this one context, which is the current one.
    pub fn kubeconfig(&self) -> String {
        kubeconfig(std::slice::from_ref(self))
    }
}

/// A kubeconfig (as JSON, which is YAML) with a context for each way; the first is the current one.
pub fn kubeconfig(ways: &[Access]) -> String {
    let each = |entry: &dyn Fn(&Access) -> Value| ways.iter().map(entry).collect::<Vec<_>>();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": ways.first().map(|way| &way.name),
        "clusters": each(&|way| json!({ "name": way.name, "cluster": cluster(way) })),
        "contexts": each(&|way| json!({ "name": way.name, "context": { "cluster": way.name, "user": way.name } })),
        "users": each(&|way| json!({ "name": way.name, "user": user(&way.credential) })),
    });
    format!("{config:#}\n")
}

fn cluster(way: &Access) -> Value {
    match &way.authority {
        Some(authority) => json!({ "server": way.server, "certificate-authority-data": BASE64_STANDARD.encode(authority) }),
        None => json!({ "server": way.server }),
    }
}

fn user(credential: &Credential) -> Value {
    match credential {
        Credential::Nothing => json!({}),
        Credential::Certificate(pair) => json!({
            "client-certificate-data": BASE64_STANDARD.encode(&pair.certificate), "client-key-data": BASE64_STANDARD.encode(&pair.key),
        }),
        Credential::Token(token) => json!({ "token": token }),
        Credential::Exec { command, arguments } => json!({ "exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": arguments, "interactiveMode": "Never",
        } }),
    }
}
