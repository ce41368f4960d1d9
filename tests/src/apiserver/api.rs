//! A plain client: what is asked and answered is JSON, and nothing is tried twice.

use super::access::Access;
use super::runtime;
use engine::value::Value as Connection;
use http::{Method, Request, StatusCode};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use kubernetes::Connector;
use sandbox::{SandboxConnector, Sandboxes};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// One user's view of one API server.
#[derive(Clone)]
pub struct Api {
    client: Client,
    on: Handle,
}

/// What the server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status code.
    pub code: StatusCode,
    /// The body; a text if it is not JSON.
    pub body: Value,
}

impl Answer {
    /// The body, after checking that the call went well.
    pub fn done(self) -> Value {
        assert!(self.code.is_success(), "{}: {:#}", self.code, self.body);
        self.body
    }

    /// The reason of a refusal, such as `Forbidden`; empty without one.
    pub fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }
}

impl Api {
    /// A client that goes this way.
    pub fn by(access: &Access) -> Self {
        Self::by_kubeconfig(&access.kubeconfig(), runtime().handle())
    }

    /// A client that goes the way of a kubeconfig's current context, from where the threads of a runtime are: in a network of their own,
    /// perhaps.
    pub fn by_kubeconfig(kubeconfig: &str, on: &Handle) -> Self {
        Self { client: client(kubeconfig, on), on: on.clone() }
    }

    /// A client of the sandbox cluster of this name, which must be there.
    pub fn of_sandbox(sandboxes: Sandboxes, name: &str) -> Self {
        let parts = [("type", Connection::string("sandbox")), ("name", Connection::string(name)), ("directory", Connection::string(name))];
        let connection = Connection::object(parts);
        // What drives the client lives on the runtime it is made in.
        let client = runtime().block_on(async { SandboxConnector::new(sandboxes).connect(&connection).await });
        Self { client: client.unwrap().unwrap_or_else(|why| panic!("`{name}`: {why}")), on: runtime().handle().clone() }
    }

    /// The client of the `kube` crate below.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The runtime that it lives on, and from whose threads alone it may connect.
    pub(super) fn on(&self) -> &Handle {
        &self.on
    }

    /// Calls a path; an answer that says no is an answer too. A patch is a merge patch.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let content = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        self.send(method, path, content, body.map(ToString::to_string).unwrap_or_default())
    }

    /// Calls a path with a body of a content type.
    pub fn send(&self, method: &str, path: &str, content: &str, body: String) -> Answer {
        self.try_send(method, path, content, body).unwrap_or_else(|why| panic!("{method} {path}: {why}"))
    }

    /// The same; the reason if no answer came.
    pub fn try_send(&self, method: &str, path: &str, content: &str, body: String) -> Result<Answer, String> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = Request::builder().method(method).uri(path).header("content-type", content).header("accept", "application/json");
        let request = request.body(Body::from(body.into_bytes())).unwrap();
        let client = self.client.clone();
        let answered = async move {
            let response = client.send(request).await.map_err(|error| error.to_string())?;
            let code = response.status();
            let bytes = response.into_body().collect_bytes().await.map_err(|error| error.to_string())?;
            Ok::<_, String>((code, bytes))
        };
        // Sockets belong to the network of the thread that opens them.
        let answering = self.on.spawn(async { tokio::time::timeout(PATIENCE, answered).await });
        let in_time = runtime().block_on(answering).map_err(|error| error.to_string())?;
        let (code, bytes) = in_time.map_err(|_| "no answer in time".to_owned())??;
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok(Answer { code, body })
    }

    /// The object or list at a path; nothing if it is not there. The server is asked again while it has no time, as it says for about a
    /// second of kinds that were defined just now.
    pub fn get(&self, path: &str) -> Option<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.call("GET", path, None);
            match answer.code {
                StatusCode::NOT_FOUND => return None,
                StatusCode::TOO_MANY_REQUESTS if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(100)),
                _ => return Some(answer.done()),
            }
        }
    }

    /// Makes an object in the collection at a path, as `kubectl create` does.
    pub fn make(&self, path: &str, object: &Value) -> Value {
        self.call("POST", &format!("{path}?fieldManager=kubectl-create"), Some(object)).done()
    }

    /// Edits the object at a path as a person would: with a merge patch, under the manager `kubectl-edit`.
    pub fn edit(&self, path: &str, changes: &Value) -> Value {
        self.call("PATCH", &format!("{path}?fieldManager=kubectl-edit"), Some(changes)).done()
    }

    /// Applies an object at a path by a field manager, by force.
    pub fn apply(&self, path: &str, manager: &str, object: &Value) -> Value {
        let path = format!("{path}?fieldManager={manager}&force=true");
        self.send("PATCH", &path, "application/apply-patch+yaml", object.to_string()).done()
    }

    /// Deletes the object at a path.
    pub fn delete(&self, path: &str) -> Value {
        self.call("DELETE", path, None).done()
    }

    /// Waits until the object at a path is as asked, for at most half a minute, and gives it; null stands for one that is not there.
    pub fn wait(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let object = self.get(path).unwrap_or_default();
            if is_so(&object) {
                return object;
            }
            assert!(Instant::now() < deadline, "{path} is still {object:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A client of the `kube` crate that goes the way of a kubeconfig; it tries nothing twice.
fn client(kubeconfig: &str, on: &Handle) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    // The connection pool belongs to the runtime it is made in.
    on.block_on(async move {
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        config.default_retry = false;
        Client::try_from(config).unwrap()
    })
}
