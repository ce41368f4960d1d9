//! Where the Docker Engine is: as the docker command line looks for it.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the Engine is when nothing says so.
const USUAL: &str = "unix:///var/run/docker.sock";

/// Where an Engine is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A URL: `unix:///var/run/docker.sock`, or `tcp://host:port`.
    pub host: String,
    /// The directory with `ca.pem`, `cert.pem` and `key.pem`, if TLS is spoken.
    pub certificates: Option<PathBuf>,
}

/// What says where the Engine is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// The setting `host` of the provider.
    pub(crate) host: Option<&'a str>,
    /// The setting `certificates` of the provider.
    pub(crate) certificates: Option<&'a Path>,
    /// The environment.
    pub(crate) environment: &'a BTreeMap<String, String>,
}

impl Sources<'_> {
    /// Looks in the order of the docker command line: what is set, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context of the command line's
    /// configuration, the socket of the machine. The error is a fragment that says which file or variable leads nowhere.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, String> {
        if let Some(host) = self.host {
            return Ok(Endpoint { host: host.to_owned(), certificates: self.certificates.map(Path::to_owned) });
        }
        let directory = self.directory();
        if let Some(host) = self.variable("DOCKER_HOST") {
            let verified = self.variable("DOCKER_TLS_VERIFY").is_some();
            let certificates = self.variable("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| directory.clone());
            let certificates = certificates.filter(|_| verified && !host.starts_with("unix:"));
            return Ok(Endpoint { host: host.to_owned(), certificates });
        }
        let named = self.variable("DOCKER_CONTEXT").map(str::to_owned);
        let name = named.or_else(|| current(directory.as_deref()?)).filter(|name| name != "default");
        match (name, directory) {
            (Some(name), Some(directory)) => of_context(&name, &directory),
            (Some(name), None) => {
                Err(format!("`DOCKER_CONTEXT` names `{name}`, and neither `DOCKER_CONFIG` nor `HOME` says where contexts are"))
            }
            (None, _) => Ok(Endpoint { host: USUAL.to_owned(), certificates: None }),
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The directory of the command line's configuration.
    fn directory(&self) -> Option<PathBuf> {
        let given = self.variable("DOCKER_CONFIG").map(PathBuf::from);
        given.or_else(|| Some(Path::new(self.variable("HOME")?).join(".docker")))
    }
}

/// The context that `docker context use` chose.
fn current(directory: &Path) -> Option<String> {
    let configuration: Json = serde_json::from_str(&std::fs::read_to_string(directory.join("config.json")).ok()?).ok()?;
    configuration.get("currentContext")?.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The endpoint of a context. Its files lie under the SHA-256 of its name.
fn of_context(name: &str, directory: &Path) -> Result<Endpoint, String> {
    let id = engine::value::hex(&Sha256::digest(name.as_bytes()));
    let contexts = directory.join("contexts");
    let file = contexts.join("meta").join(&id).join("meta.json");
    let text = std::fs::read_to_string(&file)
        .map_err(|error| format!("the docker context `{name}` is not there: `{}`: {error}", file.display()))?;
    let described: Json =
        serde_json::from_str(&text).map_err(|error| format!("the docker context `{name}`: `{}`: {error}", file.display()))?;
    let host = described.pointer("/Endpoints/docker/Host").and_then(Json::as_str).filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| format!("the docker context `{name}` names no host of an Engine in `{}`", file.display()))?;
    let certificates = contexts.join("tls").join(&id).join("docker");
    Ok(Endpoint { host: host.to_owned(), certificates: Some(certificates).filter(|directory| directory.is_dir()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(environment: &[(&str, &str)], host: Option<&str>) -> Result<(String, Option<PathBuf>), String> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let sources = Sources { host, certificates: None, environment: &environment };
        sources.endpoint().map(|endpoint| (endpoint.host, endpoint.certificates))
    }

    #[test]
    fn the_engine_is_where_the_docker_command_line_finds_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let home = directory.path().to_str().expect("a path");
        let id = engine::value::hex(&Sha256::digest(b"lab"));
        let contexts = directory.path().join(".docker/contexts");
        let write = |path: PathBuf, text: &str| {
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            std::fs::write(path, text).expect("a file");
        };
        write(directory.path().join(".docker/config.json"), r#"{ "currentContext": "lab" }"#);
        write(
            contexts.join("meta").join(&id).join("meta.json"),
            r#"{ "Name": "lab", "Endpoints": { "docker": { "Host": "tcp://lab:2376" } } }"#,
        );
        let tls = contexts.join("tls").join(&id).join("docker");
        write(tls.join("ca.pem"), "");
        let plain = |host: &str| Ok((host.to_owned(), None));
        for (environment, host, expected) in [
            (vec![], None, plain(USUAL)),
            (vec![("HOME", "/nowhere")], None, plain(USUAL)),
            (vec![("HOME", home)], None, Ok(("tcp://lab:2376".to_owned(), Some(tls.clone())))),
            (vec![("HOME", home), ("DOCKER_CONTEXT", "default")], None, plain(USUAL)),
            (vec![("HOME", home), ("DOCKER_HOST", "unix:///run/d.sock"), ("DOCKER_TLS_VERIFY", "1")], None, plain("unix:///run/d.sock")),
            (vec![("HOME", home), ("DOCKER_HOST", "tcp://a:1")], None, plain("tcp://a:1")),
            (
                vec![("DOCKER_HOST", "tcp://a:1"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/certs")],
                None,
                Ok(("tcp://a:1".to_owned(), Some("/certs".into()))),
            ),
            (vec![("DOCKER_HOST", "tcp://a:1")], Some("unix:///own.sock"), plain("unix:///own.sock")),
        ] {
            assert_eq!(found(&environment, host), expected, "{environment:?} {host:?}");
        }
        let missing = found(&[("HOME", home), ("DOCKER_CONTEXT", "other")], None).expect_err("no such context");
        assert!(missing.starts_with("the docker context `other` is not there: `"), "{missing}");
        write(contexts.join("meta").join(&id).join("meta.json"), "{}");
        let empty = found(&[("HOME", home)], None).expect_err("no host");
        assert!(empty.starts_with("the docker context `lab` names no host of an Engine in `"), "{empty}");
    }
}
