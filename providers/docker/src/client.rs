//! Calls of the Engine API, with JSON as the API has it on both sides. Nothing else here names the crate behind it.

use crate::endpoint::Endpoint;
use crate::engines::Identity;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, DownloadFromContainerOptionsBuilder, InspectContainerOptions,
    InspectNetworkOptions, ListContainersOptionsBuilder, ListNetworksOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptions, StartContainerOptions, StopContainerOptionsBuilder, TagImageOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use serde_json::Value as Json;
use std::error::Error;
use std::fmt;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// Longest wait for one answer, in seconds. Creating a container waits for volumes and starting one for its network.
const TIMEOUT: u64 = 120;

/// Longest wait for the first answer.
const FIRST: Duration = Duration::from_secs(15);

/// Longest wait for a container to stop.
const PATIENT: Duration = Duration::from_mins(15);

/// How much of a file is sent at once, in bytes.
const PIECE: usize = 1 << 18;

/// The lowest version of the API that is spoken: that of Docker 20.10.
const LOWEST: (usize, usize) = (1, 41);

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// The HTTP status; nothing if no answer came.
    pub status: Option<u16>,
    /// The Engine's sentence, or what kept the call from it.
    pub message: String,
}

impl CallError {
    /// Whether what it is about is not there.
    pub fn is_absent(&self) -> bool {
        self.status == Some(404)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Why an Engine cannot be used: a sentence that ends with what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It does not answer, or not to this user. It may by the time that a plan is applied.
    Unreached(String),
    /// It is too old, and stays so until somebody installs another one.
    TooOld(String),
}

impl Unusable {
    /// What it is called.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::Unreached(_) => "Docker Engine not reached",
            Self::TooOld(_) => "Docker Engine too old",
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unreached(why) | Self::TooOld(why)) = self;
        f.write_str(why)
    }
}

/// The outcome of a call.
pub type Called<T> = Result<T, CallError>;

/// An Engine that has answered.
#[derive(Debug, Clone)]
pub struct Client {
    docker: Docker,
    identity: Identity,
}

impl Client {
    /// Speaks to an Engine for the first time. The error is a sentence that ends with what mends it.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, Unusable> {
        let docker = open(endpoint).map_err(Unusable::Unreached)?;
        let negotiated = tokio::time::timeout(FIRST, docker.negotiate_version()).await;
        let docker = match negotiated {
            Ok(Ok(docker)) => docker,
            Ok(Err(error)) => return Err(Unusable::Unreached(unanswered(&endpoint.host, &error))),
            Err(_) => {
                let why = format!("the Docker Engine at `{}` has not answered within {} s", endpoint.host, FIRST.as_secs());
                return Err(Unusable::Unreached(why));
            }
        };
        let version = docker.client_version();
        if (version.major_version, version.minor_version) < LOWEST {
            let host = &endpoint.host;
            return Err(Unusable::TooOld(format!(
                "the Docker Engine at `{host}` speaks version {version} of the API; Docker 20.10 or newer is needed, which `curl -fsSL https://get.docker.com | sudo sh` installs on its machine"
            )));
        }
        let (id, root, machine) = match docker.info().await {
            Ok(told) => (told.id.unwrap_or_default(), told.docker_root_dir.unwrap_or_default(), told.name.unwrap_or_default()),
            // A proxy in front of the Engine may keep this to itself, or tell it in words of its own: then it is known by where it is.
            Err(
                bollard::errors::Error::DockerResponseServerError { .. }
                | bollard::errors::Error::JsonDataError { .. }
                | bollard::errors::Error::JsonSerdeError { .. },
            ) => Default::default(),
            Err(error) => return Err(Unusable::Unreached(unanswered(&endpoint.host, &error))),
        };
        Ok(Self { docker, identity: Identity { id, root, machine, host: endpoint.host.clone() } })
    }

    /// Which Engine it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Every network, as `GET /networks` tells: without the containers in it.
    pub async fn networks(&self) -> Called<Vec<Json>> {
        all(self.docker.list_networks(None::<ListNetworksOptions>).await?)
    }

    /// A network by its id or name, with the containers in it.
    pub(crate) async fn network(&self, id: &str) -> Called<Json> {
        json(self.docker.inspect_network(id, None::<InspectNetworkOptions>).await?)
    }

    /// Makes a network, and gives its id.
    pub(crate) async fn create_network(&self, body: Json) -> Called<String> {
        Ok(self.docker.create_network(read(body)?).await?.id)
    }

    /// Removes a network.
    pub(crate) async fn remove_network(&self, id: &str) -> Called<()> {
        Ok(self.docker.remove_network(id).await?)
    }
}

/// Images.
impl Client {
    /// An image by its name or id.
    pub async fn image(&self, name: &str) -> Called<Json> {
        json(self.docker.inspect_image(name).await?)
    }

    /// Pulls an image, by tag or by digest.
    pub(crate) async fn pull_image(&self, name: &str) -> Called<()> {
        let options = CreateImageOptionsBuilder::new().from_image(name).build();
        drained(self.docker.create_image(Some(options), None, None)).await
    }

    /// Makes an image of an archive of a root file system, plain or compressed.
    pub(crate) async fn import_image(&self, (repository, tag): (&str, &str), archive: &Path, changes: Vec<String>) -> Called<()> {
        let file = tokio::fs::File::open(archive)
            .await
            .map_err(|error| CallError { status: None, message: format!("`{}`: {error}", archive.display()) })?;
        let pieces = futures::stream::try_unfold(file, |mut file| async move {
            let mut piece = Vec::with_capacity(PIECE);
            let read = (&mut file).take(PIECE as u64).read_to_end(&mut piece).await?;
            Ok::<_, std::io::Error>((read > 0).then(|| (piece.into(), file)))
        });
        let options = CreateImageOptionsBuilder::new().from_src("-").repo(repository).tag(tag).changes(changes).build();
        drained(self.docker.create_image(Some(options), Some(bollard::body_try_stream(pieces)), None)).await
    }

    /// Gives an image another name.
    pub(crate) async fn tag_image(&self, name: &str, (repository, tag): (&str, &str)) -> Called<()> {
        Ok(self.docker.tag_image(name, Some(TagImageOptionsBuilder::new().repo(repository).tag(tag).build())).await?)
    }

    /// Takes a name from an image, and the image away with its last name.
    pub(crate) async fn remove_image(&self, name: &str) -> Called<()> {
        self.docker.remove_image(name, None::<RemoveImageOptions>, None).await?;
        Ok(())
    }
}

/// Containers.
impl Client {
    /// Every container, running or not, as `GET /containers/json` tells.
    pub async fn containers(&self) -> Called<Vec<Json>> {
        all(self.docker.list_containers(Some(ListContainersOptionsBuilder::new().all(true).build())).await?)
    }

    /// A container by its id or name.
    pub async fn container(&self, id: &str) -> Called<Json> {
        json(self.docker.inspect_container(id, None::<InspectContainerOptions>).await?)
    }

    /// Makes a container, and gives its id.
    pub(crate) async fn create_container(&self, name: &str, body: Json) -> Called<String> {
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        Ok(self.docker.create_container(Some(options), read(body)?).await?.id)
    }

    /// Starts a container; nothing if it runs.
    pub async fn start_container(&self, id: &str) -> Called<()> {
        Ok(self.docker.start_container(id, None::<StartContainerOptions>).await?)
    }

    /// Lets a paused container go on.
    pub async fn resume_container(&self, id: &str) -> Called<()> {
        Ok(self.docker.unpause_container(id).await?)
    }

    /// Stops a container, after its own grace; nothing if it does not run.
    pub(crate) async fn stop_container(&self, id: &str) -> Called<()> {
        // The container's own grace may be longer than an answer usually takes.
        let patient = self.docker.clone().with_timeout(PATIENT);
        Ok(patient.stop_container(id, Some(StopContainerOptionsBuilder::new().build())).await?)
    }

    /// The last lines that a container wrote, running or not. Log drivers that only hand on answer with an error.
    pub(crate) async fn log(&self, id: &str, lines: usize) -> Called<String> {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let pieces: Vec<_> = self.docker.logs(id, Some(options)).try_collect().await?;
        let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.as_ref().iter().copied()).collect();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Changes what can be changed of a container.
    pub(crate) async fn update_container(&self, id: &str, body: Json) -> Called<()> {
        Ok(self.docker.update_container(id, read(body)?).await?)
    }

    /// Removes a container, running or not, with its anonymous volumes.
    pub(crate) async fn remove_container(&self, id: &str) -> Called<()> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        Ok(self.docker.remove_container(id, Some(options)).await?)
    }

    /// Unpacks an archive in the root of a container, running or not.
    pub(crate) async fn upload(&self, id: &str, archive: Vec<u8>) -> Called<()> {
        let options = UploadToContainerOptionsBuilder::new().path("/").build();
        Ok(self.docker.upload_to_container(id, Some(options), bollard::body_full(archive.into())).await?)
    }

    /// A file of a container, running or not, as an archive.
    pub async fn download(&self, id: &str, path: &str) -> Called<Vec<u8>> {
        let options = DownloadFromContainerOptionsBuilder::new().path(path).build();
        let pieces: Vec<_> = self.docker.download_from_container(id, Some(options)).try_collect().await?;
        Ok(pieces.concat())
    }

    /// Connects a container to a network.
    pub(crate) async fn connect_container(&self, network: &str, body: Json) -> Called<()> {
        Ok(self.docker.connect_network(network, read(body)?).await?)
    }

    /// Takes a container out of a network, running or not.
    pub(crate) async fn disconnect_container(&self, network: &str, id: &str) -> Called<()> {
        let body = serde_json::json!({ "Container": id, "Force": true });
        Ok(self.docker.disconnect_network(network, read(body)?).await?)
    }
}

/// Waits for the end of what the Engine tells while it works.
async fn drained<T>(mut told: impl Stream<Item = Result<T, bollard::errors::Error>> + Unpin) -> Called<()> {
    while let Some(said) = told.next().await {
        said?;
    }
    Ok(())
}

/// A client for an endpoint, which has not spoken yet.
fn open(endpoint: &Endpoint) -> Result<Docker, String> {
    let host = endpoint.host.as_str();
    let opened = match (host.split_once("://").map(|(scheme, _)| scheme), &endpoint.certificates) {
        (Some("unix"), _) => Docker::connect_with_unix(host, TIMEOUT, API_DEFAULT_VERSION),
        (Some("tcp" | "https"), Some(directory)) => {
            let file = |name: &str| directory.join(name);
            Docker::connect_with_ssl(host, &file("key.pem"), &file("cert.pem"), &file("ca.pem"), TIMEOUT, API_DEFAULT_VERSION)
        }
        (Some("tcp" | "http"), None) => Docker::connect_with_http(host, TIMEOUT, API_DEFAULT_VERSION),
        _ => {
            let forward = "forward its socket with `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST` and set `DOCKER_HOST=unix:///tmp/docker.sock`";
            let instead = if host.starts_with("ssh:") { forward } else { "write `unix:///var/run/docker.sock` or `tcp://host:2376`" };
            return Err(format!("`{host}` is no way to a Docker Engine that is understood here; {instead}"));
        }
    };
    opened.map_err(|error| unanswered(host, &error))
}

/// Why an Engine does not answer, with the command that mends it.
fn unanswered(host: &str, error: &bollard::errors::Error) -> String {
    let why = innermost(error);
    let is = |words: &str| why.contains(words);
    if is("Permission denied") {
        return format!(
            "this user may not use the Docker Engine at `{host}` ({why}); allow it with `sudo usermod -aG docker $USER` and log in again"
        );
    }
    let starts = if cfg!(target_os = "macos") { "open -a Docker" } else { "sudo systemctl start docker" };
    format!(
        "no Docker Engine answers at `{host}` ({why}); start it with `{starts}`, or let `DOCKER_HOST` or `docker context use` lead to another"
    )
}

/// The sentence at the bottom of an error, which is the operating system's.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut at = error;
    while let Some(next) = at.source() {
        at = next;
    }
    at.to_string()
}

impl From<bollard::errors::Error> for CallError {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error as Foreign;
        match error {
            Foreign::DockerResponseServerError { status_code, message } => {
                let message = message.trim().to_owned();
                let said = if message.is_empty() { format!("the Engine answered with status {status_code}") } else { message };
                Self { status: Some(status_code), message: said }
            }
            Foreign::DockerStreamError { error } => Self { status: Some(500), message: error.trim().to_owned() },
            other => Self { status: None, message: innermost(&other) },
        }
    }
}

/// What was read, as JSON.
fn json(found: impl Serialize) -> Called<Json> {
    serde_json::to_value(found)
        .map_err(|error| CallError { status: None, message: format!("the Engine's answer is not understood: {error}") })
}

fn all<T: Serialize>(found: Vec<T>) -> Called<Vec<Json>> {
    found.into_iter().map(json).collect()
}

/// JSON as the body of a request.
fn read<T: serde::de::DeserializeOwned>(body: Json) -> Called<T> {
    serde_json::from_value(body)
        .map_err(|error| CallError { status: None, message: format!("the request does not fit the Engine's API: {error}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(host: &str, certificates: Option<&str>) -> String {
        let endpoint = Endpoint { host: host.to_owned(), certificates: certificates.map(Into::into) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(Client::connect(&endpoint)).expect_err("nobody is there").to_string()
    }

    /// Something that answers one request, as an Engine with this version of the API does.
    fn aged(version: &str) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let body = format!("{{\"Version\":\"19.03.15\",\"ApiVersion\":\"{version}\"}}");
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 4096];
            assert!(std::io::Read::read(&mut stream, &mut request).expect("a request") > 0);
            std::io::Write::write_all(&mut stream, answer.as_bytes()).expect("an answer");
        });
        format!("tcp://{address}")
    }

    #[test]
    fn an_engine_that_does_not_answer_is_named_with_what_mends_it() {
        for (host, words) in [
            ("unix:///nowhere/docker.sock", "no Docker Engine answers at `unix:///nowhere/docker.sock`"),
            ("tcp://127.0.0.1:1", "no Docker Engine answers at `tcp://127.0.0.1:1` (Connection refused"),
            ("ssh://me@lab", "forward its socket with `ssh -nNT -L"),
            ("lab", "write `unix:///var/run/docker.sock` or `tcp://host:2376`"),
        ] {
            let told = refused(host, None);
            assert!(told.contains(words), "{told}");
        }
        let told = refused(&aged("1.40"), None);
        assert!(told.contains("speaks version 1.40 of the API; Docker 20.10 or newer is needed"), "{told}");
        let told = refused(&aged("nonsense"), None);
        assert!(told.contains("no Docker Engine answers at"), "{told}");
        let told = refused("tcp://127.0.0.1:1", Some("/nowhere"));
        assert!(told.contains("/nowhere/ca.pem"), "{told}");
    }
}
