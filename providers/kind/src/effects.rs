//! Making, mending and removing clusters.

use crate::clock::Deadline;
use crate::cluster::ClusterKind;
use crate::lock::Lock;
use crate::preflight::{exists, file_taken};
use crate::program::{Run, RunError};
use crate::provider::{KindProvider, usable};
use crate::seen::{self, Cluster, Depth, Files};
use crate::{kubeconfig, naming, pinning, rendering, saying, settling};
use docker::{CallError, Client, Endpoint};
use engine::port::{Done, Failure, Request};
use engine::schema::{Kind as _, Problem};
use engine::value::{Secrets, Value};
use std::path::Path;

/// Longest time to make a cluster, in seconds, where the configuration says nothing: the image may have to be pulled.
const USUAL_CREATE: u64 = 1200;
/// Longest time to remove one.
const USUAL_DELETE: u64 = 300;
/// How often what a broken create left is removed, as something that it began may still come.
const CLEANINGS: usize = 3;

/// What `kind` is run with.
#[derive(Debug, Clone, Copy)]
struct Tools<'a> {
    kind: &'a Path,
    client: &'a Client,
    endpoint: &'a Endpoint,
    /// The cluster's kubeconfig.
    file: &'a Path,
    lock: &'a Lock,
}

impl KindProvider {
    /// Makes a cluster. If that fails nothing is left of it.
    pub(crate) async fn make(&self, request: &Request) -> Result<Done, Failure> {
        let (client, endpoint) = self.reached().await?;
        let kind = self.program.usable().await.map_err(|why| Failure::new("kind not usable", why))?;
        let name = name(request);
        let file = self.files().kubeconfig(name, &request.arguments);
        let lock = self.alone(request, USUAL_CREATE).await?;
        let tools = Tools { kind: &kind, client, endpoint, file: &file, lock: &lock };
        match named(client, name).await.map_err(|error| failed("made", name, &error.message))? {
            // An interrupted create left it.
            Some(cluster) if cluster.is_made_for(&request.id) => self.removed(tools, request).await?,
            Some(cluster) => return Err(refused(exists(&cluster))),
            None => {}
        }
        if let Some(problem) = file_taken(&file, name) {
            return Err(refused(problem));
        }
        let image = match request.arguments.text("node_image") {
            Some(image) => Some(image.to_owned()),
            None => pinning::of_program(&kind).await,
        };
        let config = rendering::rendered(&request.arguments, image.as_deref(), (&request.id, self.files().working_directory));
        let made = self.run_create(tools, (request, config.to_string())).await;
        let made = match made {
            Ok(()) => self.finished(client, request).await,
            Err(failure) => Err(failure),
        };
        match made {
            Ok(done) => Ok(done),
            Err(failure) => Err(self.undone(tools, request, failure).await),
        }
    }

    /// Waits until no `kind` of an earlier run is at the cluster any more.
    async fn alone(&self, request: &Request, usual: u64) -> Result<Lock, Failure> {
        let name = name(request);
        let path = self.files().directory.join(naming::kubeconfig_path(name)).with_extension("running");
        let deadline = Deadline::after(request.timeout.unwrap_or(usual));
        match Lock::take(&path, (deadline, &request.activity)).await {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => {
                let (shown, seconds) = (path.display(), deadline.seconds);
                let detail = format!(
                    "the `kind` of an earlier run is still at the cluster `{name}`, after {seconds} s; `fuser -v {shown}` shows it: wait until it has ended, or \
                     end it, and apply again"
                );
                Err(Failure::new("kind still running", detail))
            }
            Err(error) => Err(not_written(&path, &error)),
        }
    }

    async fn run_create(
        &self,
        Tools { kind, endpoint, file, lock, .. }: Tools<'_>,
        (request, input): (&Request, String),
    ) -> Result<(), Failure> {
        let name = name(request);
        kubeconfig::make_directory(file).map_err(|error| not_written(file, &error))?;
        let path = file.display().to_string();
        let arguments = vec!["create", "cluster", "--config", "-", "--name", name, "--kubeconfig", &path, "--wait", "0s"];
        let run = Run { arguments, input, endpoint, network: request.arguments.text("network"), lock };
        let deadline = Deadline::after(request.timeout.unwrap_or(USUAL_CREATE));
        match self.program.run(kind, run, (deadline, &request.activity)).await {
            Ok(()) => Ok(()),
            Err(RunError::NotRun(why)) => Err(Failure::new("kind not usable", why)),
            Err(error) => {
                let detail = format!("the cluster `{name}` was not created: {}", said(request, &error));
                Err(Failure::new("kind cluster not created", detail))
            }
        }
    }

    /// Reads what kind made, and writes its kubeconfig as it will be compared with.
    async fn finished(&self, client: &Client, request: &Request) -> Result<Done, Failure> {
        let name = name(request);
        let cluster = named(client, name).await.map_err(|error| failed("read", name, &error.message))?.ok_or_else(|| gone(request))?;
        self.keep_kubeconfig(&cluster, &request.arguments)?;
        let text = cluster.kubeconfig().ok_or_else(|| failed("made", name, "its control plane has no kubeconfig"))?;
        // If it does not answer yet the wait tells.
        let uid = settling::uid(&self.clusters, name, &text).await.ok();
        Ok(done(&cluster, request, (self.files(), uid.as_deref())))
    }

    fn keep_kubeconfig(&self, cluster: &Cluster, arguments: &Value) -> Result<(), Failure> {
        let file = self.files().kubeconfig(&cluster.name, arguments);
        let Some(text) = cluster.kubeconfig().filter(|text| !kubeconfig::holds(&file, text)) else { return Ok(()) };
        if kubeconfig::owner(&file, &cluster.name) == kubeconfig::Owner::Somebody {
            let detail = format!("`{}` holds something else than the kubeconfig of the cluster `{}`", file.display(), cluster.name);
            return Err(Failure::new("kubeconfig taken", detail));
        }
        kubeconfig::write(&file, &text).map_err(|error| not_written(&file, &error))
    }

    /// Removes what a failed create left: a failure that says so.
    async fn undone(&self, tools: Tools<'_>, request: &Request, failure: Failure) -> Failure {
        let name = name(request);
        if let Ok(Some(cluster)) = named(tools.client, name).await
            && !cluster.is_remains()
            && !cluster.is_made_for(&request.id)
        {
            // Somebody was faster.
            return failure;
        }
        match self.removed(tools, request).await {
            Ok(()) => failure,
            Err(rest) => {
                let left = format!(
                    "{}; what there is of it is left: {}; `kind delete cluster --name {name}` removes it",
                    failure.detail, rest.detail
                );
                Failure { detail: left, ..failure }
            }
        }
    }

    /// Lets kind remove a cluster, until the Engine has none of it.
    async fn removed(&self, Tools { kind, client, endpoint, file, lock }: Tools<'_>, request: &Request) -> Result<(), Failure> {
        let name = name(request);
        let deadline = Deadline::after(request.timeout.unwrap_or(USUAL_DELETE).max(USUAL_DELETE));
        let path = file.display().to_string();
        for _ in 0..CLEANINGS {
            let arguments = vec!["delete", "cluster", "--name", name, "--kubeconfig", &path];
            let run = Run { arguments, input: String::new(), endpoint, network: None, lock };
            self.program
                .run(kind, run, (deadline, &request.activity))
                .await
                .map_err(|error| failed("removed", name, &said(request, &error)))?;
            let left = named(client, name).await.map_err(|error| failed("read", name, &error.message))?;
            if left.is_none() {
                return kubeconfig::remove(file, name).map_err(|error| not_written(file, &error));
            }
            deadline.pause().await;
        }
        Err(failed("removed", name, "containers of it are still there"))
    }

    /// Starts what stands still and writes the kubeconfig, or takes over what an import found.
    pub(crate) async fn mend(&self, request: &Request) -> Result<Done, Failure> {
        let (client, _) = self.reached().await?;
        let cluster = found(client, request).await?.ok_or_else(|| gone(request))?;
        for node in cluster.stopped() {
            request.activity.waits_for(format!("the node `{}` starts", node.name()));
            let started = async {
                if node.is_paused() {
                    return client.resume_container(node.id()).await;
                }
                client.start_container(node.id()).await
            };
            started.await.map_err(|error| not_started(node.name(), &error))?;
        }
        let cluster = found(client, request).await?.ok_or_else(|| gone(request))?;
        self.keep_kubeconfig(&cluster, &request.arguments)?;
        if let Some(before) = request.prior.as_ref().map(|prior| self.files().kubeconfig(&cluster.name, &prior.attributes))
            && before != self.files().kubeconfig(&cluster.name, &request.arguments)
        {
            kubeconfig::remove(&before, &cluster.name).map_err(|error| not_written(&before, &error))?;
        }
        let uid = request.prior.as_ref().and_then(|prior| prior.uid.as_deref().or_else(|| prior.attributes.text("uid")));
        Ok(done(&cluster, request, (self.files(), uid)))
    }

    /// Removes a cluster, with its kubeconfig.
    pub(crate) async fn remove(&self, request: &Request) -> Result<(), Failure> {
        let engine = self.engine_of(request).await?;
        let (client, endpoint) = usable(&engine).await?;
        let name = name(request);
        let file = self.files().kubeconfig(name, &request.arguments);
        let lock = self.alone(request, USUAL_DELETE).await?;
        if found(client, request).await?.is_none() {
            return kubeconfig::remove(&file, name).map_err(|error| not_written(&file, &error));
        }
        let kind = self.program.usable().await.map_err(|why| Failure::new("kind not usable", why))?;
        // Before the cluster goes: kind ends its work also for one who was killed meanwhile, and nobody comes back for a file without a cluster.
        kubeconfig::remove(&file, name).map_err(|error| not_written(&file, &error))?;
        self.removed(Tools { kind: &kind, client, endpoint, file: &file, lock: &lock }, request).await
    }
}

/// The cluster of a name.
async fn named(client: &Client, name: &str) -> Result<Option<Cluster>, CallError> {
    seen::cluster(client, (&client.containers().await?, name), Depth::Usual).await
}

/// The cluster that a request is about: what its record means, or what was made or is imported for it.
pub(crate) async fn found(client: &Client, request: &Request) -> Result<Option<Cluster>, Failure> {
    let name = name(request);
    let cluster = named(client, name).await.map_err(|error| failed("read", name, &error.message))?;
    Ok(cluster.filter(|cluster| match &request.prior {
        Some(record) if record.attributes.present("containers").is_some() => cluster.is_of(record),
        Some(record) => record.uid.is_some() || cluster.is_of(record) || cluster.is_remains(),
        None => cluster.is_made_for(&request.id),
    }))
}

/// What there is of a cluster, as an effect leaves it.
pub(crate) fn done(cluster: &Cluster, request: &Request, (files, uid): (Files<'_>, Option<&str>)) -> Done {
    let parts = cluster.parts(&request.arguments, files, uid);
    let attributes = seen::attributes(ClusterKind::default().schema(), &request.arguments, &parts);
    Done { uid: uid.map(Into::into), ..Done::new(attributes) }
}

fn name(request: &Request) -> &str {
    request.arguments.text("name").unwrap_or_default()
}

/// There is nothing of what a request is about.
pub(crate) fn gone(request: &Request) -> Failure {
    Failure::new("kind cluster not found", format!("the cluster `{}` is not there any more", name(request)))
}

fn failed(what: &str, name: &str, why: &str) -> Failure {
    Failure::new("kind cluster not changed", format!("the cluster `{name}` was not {what}: {why}"))
}

/// A problem that only the apply meets.
fn refused(problem: Problem) -> Failure {
    let help = problem.help.map(|help| format!(". {help}")).unwrap_or_default();
    Failure::new(problem.summary, format!("{}{help}", problem.detail))
}

fn not_written(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new("kubeconfig not usable", format!("`{}` cannot be written: {error}", file.display()))
}

/// Why kind did not do as told. What it repeats of secrets is left out.
fn said(request: &Request, error: &RunError) -> String {
    let said = match error {
        RunError::NotRun(why) => why.clone(),
        RunError::Late(seconds) => format!("it was not done within {seconds} s"),
        RunError::Failed(output) => saying::told(output),
    };
    Secrets::of([&request.arguments]).hidden_in(&said)
}

fn not_started(node: &str, error: &CallError) -> Failure {
    let says = |words: &str| error.message.contains(words);
    let hint = if says("cannot assign requested address") {
        "; the host does not have the address any more: a `host_vip` that the cluster refers to gives it back"
    } else if says("port is already allocated") || says("address already in use") {
        "; another program or container holds the port: `ss -tulpn` and `docker ps` show which"
    } else {
        ""
    };
    Failure::new("kind node not started", format!("the node `{node}` did not start: {error}{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(arguments: Value) -> Request {
        Request {
            address: engine::address::Address::managed("kind_cluster", "c"),
            kind: "kind_cluster".into(),
            id: engine::state::RecordId::new("r1"),
            place: None,
            arguments,
            prior: None,
            timeout: None,
            now: 0,
            secret_key: std::sync::Arc::from([]),
            activity: engine::port::Activity::default(),
        }
    }

    #[test]
    fn what_kind_says_is_told_without_secrets() {
        let patches = Value::tuple(vec![Value::string("password = 'hunter2'").sensitive()]);
        let request = request(Value::object([("name", Value::string("c")), ("containerd_config_patches", patches)]));
        for (error, words) in [
            (RunError::Failed("ERROR: toml: password = 'hunter2' is wrong".to_owned()), "toml: (sensitive value) is wrong"),
            (RunError::Late(5), "it was not done within 5 s"),
        ] {
            let failure = failed("removed", "c", &said(&request, &error));
            assert_eq!(
                (failure.summary.as_str(), failure.detail),
                ("kind cluster not changed", format!("the cluster `c` was not removed: {words}"))
            );
        }
        assert_eq!(gone(&request).to_string(), "kind cluster not found: the cluster `c` is not there any more");
    }

    #[test]
    fn what_keeps_a_node_from_starting_comes_with_a_hint() {
        for (message, hint) in [
            ("listen tcp4 10.2.1.40:6443: bind: cannot assign requested address", "gives it back"),
            ("Bind for 0.0.0.0:80 failed: port is already allocated", "`docker ps` show which"),
            ("no such file", "no such file"),
        ] {
            let told = not_started("c-worker", &CallError { status: Some(500), message: message.to_owned() }).detail;
            assert!(told.starts_with("the node `c-worker` did not start: ") && told.ends_with(hint), "{told}");
        }
    }
}
