//! Programs that log in: the exec plugins of a kubeconfig.

use crate::object_kind::Json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::port::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};
use kube::client::Body;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{IsTerminal as _, stdin};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::process::Command;
use tower::{BoxError, Service};

/// Credentials that expire sooner than this are asked for anew.
const SOON: SignedDuration = SignedDuration::from_secs(10);

/// The plugins of a run. Each is run once, whatever the number of contexts that name it, and again when what it gave expires.
#[derive(Clone, Default)]
pub(super) struct Plugins {
    known: Arc<Mutex<BTreeMap<String, Plugin>>>,
    /// Held by the one that talks with the user.
    terminal: Arc<tokio::sync::Mutex<()>>,
}

/// One plugin, and what it gave last.
#[derive(Clone)]
pub(super) struct Plugin {
    exec: Arc<ExecConfig>,
    last: Arc<tokio::sync::Mutex<Option<Given>>>,
    terminal: Arc<tokio::sync::Mutex<()>>,
}

/// What a plugin gave: a token, a client certificate, or both.
#[derive(Clone)]
pub(super) struct Given {
    bearer: Option<HeaderValue>,
    /// Certificate and key, PEM.
    pair: Option<(String, String)>,
    until: Option<Timestamp>,
}

/// Why a plugin gave nothing, as a fragment. There is nothing in it of what it printed to its standard output, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl Plugins {
    /// Takes the plugin out of what a kubeconfig says of a user; nothing if there is none, or if something else there counts before it.
    pub(super) fn take(&self, user: &mut AuthInfo) -> Option<Plugin> {
        let exec = user.exec.take()?;
        if user.token.is_some() || user.token_file.is_some() || user.username.is_some() || user.auth_provider.is_some() {
            return None;
        }
        // The cluster is no part of how a plugin is written down, but of what it is told.
        let key = json!([exec, exec.cluster]).to_string();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Plugin { exec: Arc::new(exec), last: Arc::default(), terminal: self.terminal.clone() };
        Some(known.entry(key).or_insert_with(made).clone())
    }
}

impl Plugin {
    /// Credentials that last.
    pub(super) async fn given(&self) -> Result<Given, Refusal> {
        let mut last = self.last.lock().await;
        let now = Timestamp::now();
        if let Some(given) = last.as_ref().filter(|given| given.until.is_none_or(|until| until.duration_since(now) > SOON)) {
            return Ok(given.clone());
        }
        let given = self.run().await?;
        *last = Some(given.clone());
        Ok(given)
    }

    async fn run(&self) -> Result<Given, Refusal> {
        let program = self.exec.command.as_deref().unwrap_or_default();
        let refused = |why: String| Refusal(format!("its exec plugin `{program}` {why}"));
        let interactive = match self.exec.interactive_mode {
            Some(ExecInteractiveMode::Never) => false,
            Some(ExecInteractiveMode::Always) if !stdin().is_terminal() => {
                return Err(refused("wants to talk with somebody, and there is no terminal here".to_owned()));
            }
            _ => stdin().is_terminal(),
        };
        let _terminal = if interactive { Some(self.terminal.lock().await) } else { None };
        let output = self.command(program, interactive).output().await;
        let output = output.map_err(|why| refused(format!("does not start: {why}; {}", self.hint())))?;
        if !output.status.success() {
            return Err(refused(format!("failed ({}){}", output.status, said(&output))));
        }
        read(&output.stdout).map_err(|why| refused(why.to_owned()))
    }

    fn command(&self, program: &str, interactive: bool) -> Command {
        let (exec, mut command) = (&*self.exec, Command::new(program));
        let mut spec = json!({ "interactive": interactive });
        if let Some(cluster) = &exec.cluster {
            spec["cluster"] = json!(cluster);
        }
        let asked = json!({ "kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec });
        let variables = exec.env.iter().flatten().filter_map(|entry| Some((entry.get("name")?, entry.get("value")?)));
        command.args(exec.args.iter().flatten()).envs(variables).env("KUBERNETES_EXEC_INFO", asked.to_string()).kill_on_drop(true);
        if interactive {
            command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
        } else {
            command.stdin(Stdio::null());
        }
        command
    }

    /// What the kubeconfig says of how to install it.
    fn hint(&self) -> String {
        let hint = self.exec.install_hint.as_deref().map(str::split_whitespace);
        hint.map_or_else(|| "is it installed and on `PATH`?".to_owned(), |words| words.collect::<Vec<_>>().join(" "))
    }
}

/// The reason that a plugin told, unless it told the user itself.
fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

/// Reads an `ExecCredential`, in JSON or YAML.
fn read(printed: &[u8]) -> Result<Given, &'static str> {
    const NONE: &str = "printed no `ExecCredential`";
    let credential: Json = serde_saphyr::from_slice(printed).map_err(|_| NONE)?;
    let status = credential.get("status").ok_or(NONE)?;
    let text = |key: &str| status.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let bearer = text("token").map(|token| {
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.trim())).map_err(|_| "gave a token that fits into no header")?;
        value.set_sensitive(true);
        Ok::<_, &'static str>(value)
    });
    let pair = text("clientCertificateData").zip(text("clientKeyData")).map(|(certificate, key)| (certificate.to_owned(), key.to_owned()));
    let until =
        text("expirationTimestamp").map(|until| until.parse().map_err(|_| "gave credentials that expire at no time that can be read"));
    let given = Given { bearer: bearer.transpose()?, pair, until: until.transpose()? };
    if given.bearer.is_none() && given.pair.is_none() { Err(NONE) } else { Ok(given) }
}

impl Given {
    /// Lets a user show the client certificate. One that expires within the run is not replaced.
    pub(super) fn show(self, user: &mut AuthInfo) {
        if let Some((certificate, key)) = self.pair {
            user.client_certificate_data = Some(STANDARD.encode(certificate));
            user.client_key_data = Some(STANDARD.encode(key).into());
        }
    }
}

/// Sends requests with the token of a plugin.
pub(super) struct LoggedIn<S> {
    inner: S,
    plugin: Plugin,
    asking: Option<BoxFuture<'static, Result<Given, Refusal>>>,
    next: Option<Result<Given, Refusal>>,
}

impl<S> LoggedIn<S> {
    pub(super) fn new(inner: S, plugin: Plugin) -> Self {
        Self { inner, plugin, asking: None, next: None }
    }
}

impl<S> Service<Request<Body>> for LoggedIn<S>
where
    S: Service<Request<Body>, Error = BoxError>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let plugin = &self.plugin;
        let asking = self.asking.get_or_insert_with(|| {
            let plugin = plugin.clone();
            Box::pin(async move { plugin.given().await })
        });
        // That there is none is the request's failure: one of readiness would end the client.
        self.next = Some(ready!(asking.as_mut().poll(context)));
        self.asking = None;
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.next.take() {
            Some(Err(refusal)) => return Box::pin(std::future::ready(Err(refusal.into()))),
            Some(Ok(Given { bearer: Some(bearer), .. })) => drop(request.headers_mut().insert(AUTHORIZATION, bearer)),
            Some(Ok(_)) | None => {}
        }
        Box::pin(self.inner.call(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A plugin that runs a script in a directory.
    fn plugin(directory: &Path, script: &str, more: &Json) -> Plugin {
        let mut exec = json!({ "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
            "env": [{ "name": "HERE", "value": directory }], "interactiveMode": "Never" });
        exec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut user = AuthInfo { exec: serde_json::from_value(exec).unwrap(), ..AuthInfo::default() };
        Plugins::default().take(&mut user).unwrap()
    }

    fn header(given: &Given) -> &str {
        given.bearer.as_ref().map_or("", |bearer| bearer.to_str().unwrap())
    }

    fn prints(status: &Json) -> String {
        format!("echo run >> $HERE/runs; echo '{}'", json!({ "kind": "ExecCredential", "status": status }))
    }

    #[tokio::test]
    async fn a_plugin_is_run_once_and_again_when_what_it_gave_expires() {
        let at = |seconds| (Timestamp::now() + SignedDuration::from_secs(seconds)).to_string();
        for (status, runs) in [
            (json!({ "token": "t" }), 1),
            (json!({ "token": "t", "expirationTimestamp": at(60) }), 1),
            (json!({ "token": "t", "expirationTimestamp": at(5) }), 3),
            (json!({ "token": "t", "expirationTimestamp": "2020-01-01T00:00:00Z" }), 3),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let plugin = plugin(directory.path(), &prints(&status), &json!({}));
            for _ in 0..3 {
                assert_eq!(header(&plugin.given().await.ok().unwrap()), "Bearer t");
            }
            let run = std::fs::read_to_string(directory.path().join("runs")).unwrap();
            assert_eq!(run.lines().count(), runs, "{status}");
        }
    }

    #[tokio::test]
    async fn a_plugin_that_gives_nothing_says_why_and_nothing_of_what_it_printed() {
        for (script, more, words) in [
            ("echo hunter2; echo ' no\nsession' >&2; exit 3", json!({}), "`sh` failed (exit status: 3): no session"),
            ("echo hunter2; exit 3", json!({}), "`sh` failed (exit status: 3)"),
            ("echo hunter2", json!({}), "`sh` printed no `ExecCredential`"),
            ("echo '{ hunter2: ['", json!({}), "`sh` printed no `ExecCredential`"),
            ("echo 'status: { clientCertificateData: hunter2 }'", json!({}), "`sh` printed no `ExecCredential`"),
            (
                "echo 'status: { token: hunter2, expirationTimestamp: soon }'",
                json!({}),
                "`sh` gave credentials that expire at no time that can be read",
            ),
            (r#"echo '{ "status": { "token": "a\u0000hunter2" } }'"#, json!({}), "`sh` gave a token that fits into no header"),
            (
                "",
                json!({ "command": "no-such" }),
                "`no-such` does not start: No such file or directory (os error 2); is it installed and on `PATH`?",
            ),
            (
                "",
                json!({ "command": "no-such", "installHint": "Get\n it." }),
                "`no-such` does not start: No such file or directory (os error 2); Get it.",
            ),
        ] {
            let refusal = plugin(Path::new("/"), script, &more).given().await.err().unwrap();
            assert_eq!(refusal.to_string(), format!("its exec plugin {words}"), "{script}");
        }
    }

    #[tokio::test]
    async fn a_plugin_is_told_what_it_is_for() {
        let directory = tempfile::tempdir().unwrap();
        let script = r#"cat > "$HERE/stdin"; echo "$KUBERNETES_EXEC_INFO" > "$HERE/info"; echo 'status: { token: t }'"#;
        let mut plugin = plugin(directory.path(), script, &json!({ "provideClusterInfo": true }));
        let exec = ExecConfig { cluster: serde_json::from_value(json!({ "server": "https://10.0.0.1" })).ok(), ..(*plugin.exec).clone() };
        plugin.exec = Arc::new(exec);
        assert!(plugin.given().await.is_ok());
        let file = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        let told: Json = serde_json::from_str(&file("info")).unwrap();
        let spec = json!({ "interactive": false, "cluster": { "server": "https://10.0.0.1" } });
        let expected = json!({ "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "spec": spec });
        assert_eq!((told, file("stdin")), (expected, String::new()));
    }

    #[test]
    fn contexts_of_one_plugin_share_it_and_a_token_counts_before_it() {
        let plugins = Plugins::default();
        let user = |more: &Json| -> AuthInfo {
            let mut user = json!({ "exec": { "command": "login" } });
            user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(user).unwrap()
        };
        let one = plugins.take(&mut user(&json!({}))).unwrap();
        let same = plugins.take(&mut user(&json!({}))).unwrap();
        let other = plugins.take(&mut user(&json!({ "exec": { "command": "login", "args": ["b"] } }))).unwrap();
        assert!(Arc::ptr_eq(&one.last, &same.last) && !Arc::ptr_eq(&one.last, &other.last));
        for more in [json!({ "token": "t" }), json!({ "tokenFile": "/t" }), json!({ "username": "u", "password": "p" })] {
            let mut user = user(&more);
            assert!(plugins.take(&mut user).is_none() && user.exec.is_none());
        }
    }
}
