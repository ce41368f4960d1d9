//! Every provider, put together.

use crate::world::MakeRegistry;
use docker::DockerMaker;
use engine::port::{Provider, ProviderMaker, Registry};
use engine::schema::{Lint, Problem, ProviderSchema};
use engine::value::Value;
use host::HostMaker;
use istio::IstioMaker;
use kind::KindMaker;
use kubernetes::{Clusters, KubeconfigConnector, KubernetesMaker, Proxies, Reaching, Surroundings};
use metallb::MetallbMaker;
use sandbox::SandboxProvider;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the clusters of the sandbox are, below the directory of the configuration.
pub(crate) const SANDBOX: &str = ".meshplan/sandbox";

/// Makes the registry of every kind there is. Clusters of the user's own are those of the kubeconfigs that the environment names, relative to
/// the working directory.
pub fn registry_maker(working_directory: &Path, environment: &BTreeMap<String, String>) -> MakeRegistry {
    let surroundings = Surroundings {
        kubeconfigs: kubeconfigs(working_directory, environment),
        proxies: Proxies::from_environment(environment),
        working_directory: working_directory.to_owned(),
        downloads: downloads(environment),
    };
    let docker = docker::Surroundings {
        environment: environment.clone(),
        working_directory: working_directory.to_owned(),
        engines: docker::Engines::default(),
    };
    Box::new(move |directory| registry(directory, surroundings.clone(), docker.clone()))
}

fn registry(directory: &Path, surroundings: Surroundings, docker: docker::Surroundings) -> Registry {
    // TLS needs one implementation of cryptography for the whole process. That another was installed before is fine.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let sandbox = SandboxProvider::new(directory.join(SANDBOX));
    let kubeconfigs =
        KubeconfigConnector::new(surroundings.kubeconfigs.clone(), surroundings.working_directory.clone(), surroundings.proxies.clone());
    let usual = Clusters::new(vec![Arc::new(kubeconfigs.clone()), Arc::new(sandbox.connector())]);
    let istioctl = istio::Surroundings { environment: docker.environment.clone(), working_directory: docker.working_directory.clone() };
    let kind = kind::Surroundings { machine: docker.clone(), directory: directory.to_owned(), clusters: usual.clone() };
    let reaching = Reaching { kubeconfigs, usual };
    let mut registry = Registry::default();
    let makers: [Arc<dyn ProviderMaker>; 10] = [
        Arc::new(Fixed { name: "meshplan", doc: "What stands in the state alone.", provider: core_provider::provider(), lint: None }),
        Arc::new(Fixed {
            name: "ca",
            doc: "Certificate authorities of meshes.",
            provider: certificates::provider(),
            lint: Some(certificates::lint()),
        }),
        Arc::new(HostMaker::new(surroundings.working_directory.clone(), program())),
        Arc::new(MetallbMaker::new(surroundings.clone(), reaching.clone())),
        Arc::new(KubernetesMaker::new(surroundings, reaching.clone())),
        Arc::new(IstioMaker { reaching, surroundings: istioctl }),
        Arc::new(DockerMaker(docker)),
        Arc::new(Fixed { name: "probes", doc: "Questions whether what was made works.", provider: probes::provider(), lint: None }),
        Arc::new(KindMaker(kind)),
        Arc::new(Fixed { name: "sandbox", doc: "Clusters inside the binary.", provider: Arc::new(sandbox), lint: None }),
    ];
    for maker in makers {
        registry.add_configurable(&maker);
    }
    registry
}

/// The program that runs, as another process can start it.
fn program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("meshplan"))
}

/// A provider without settings.
struct Fixed {
    name: &'static str,
    doc: &'static str,
    provider: Arc<dyn Provider>,
    lint: Option<Arc<dyn Lint>>,
}

impl ProviderMaker for Fixed {
    fn schema(&self) -> ProviderSchema {
        ProviderSchema { name: self.name, doc: self.doc, settings: Vec::new() }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        vec![self.provider.clone()]
    }

    fn configured(&self, _: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        Ok(self.usual())
    }

    fn lint(&self) -> Option<Arc<dyn Lint>> {
        self.lint.clone()
    }
}

/// What `KUBECONFIG` lists, or `~/.kube/config`.
pub(crate) fn kubeconfigs(working_directory: &Path, environment: &BTreeMap<String, String>) -> Vec<PathBuf> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    match (set("KUBECONFIG"), set("HOME")) {
        (Some(list), _) => {
            std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).map(|path| working_directory.join(path)).collect()
        }
        (None, Some(home)) => vec![Path::new(home).join(".kube").join("config")],
        (None, None) => Vec::new(),
    }
}

/// Where files of the web are kept: below `XDG_CACHE_HOME`, or `~/.cache`. A path that is not absolute is none, as the XDG Base Directory
/// Specification says.
fn downloads(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let absolute = |name: &str| environment.get(name).map(Path::new).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").map(Path::to_owned).or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(caches.join("meshplan").join("downloads"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::address::Mode;

    fn environment(variables: &str) -> BTreeMap<String, String> {
        let pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn kubeconfigs_are_where_kubectl_looks_for_them() {
        for (variables, expected) in [
            ("", vec![]),
            ("HOME=/home/me", vec!["/home/me/.kube/config"]),
            ("KUBECONFIG=/a:b: HOME=/home/me", vec!["/a", "/mesh/b"]),
            ("KUBECONFIG= HOME=/home/me", vec!["/home/me/.kube/config"]),
        ] {
            let expected: Vec<PathBuf> = expected.into_iter().map(PathBuf::from).collect();
            assert_eq!(kubeconfigs(Path::new("/mesh"), &environment(variables)), expected, "{variables}");
        }
    }

    #[test]
    fn downloads_are_kept_where_caches_are() {
        for (variables, expected) in [
            ("", None),
            ("HOME=/home/me", Some("/home/me/.cache/meshplan/downloads")),
            ("XDG_CACHE_HOME=/caches HOME=/home/me", Some("/caches/meshplan/downloads")),
            ("XDG_CACHE_HOME=caches HOME=/home/me", Some("/home/me/.cache/meshplan/downloads")),
            ("XDG_CACHE_HOME= HOME=home", None),
        ] {
            assert_eq!(downloads(&environment(variables)), expected.map(PathBuf::from), "{variables}");
        }
    }

    #[test]
    fn every_kind_is_there_and_documented() {
        let registry = registry(Path::new(""), Surroundings::default(), docker::Surroundings::default());
        for mode in [Mode::Managed, Mode::Data] {
            for kind in registry.catalogue().kinds(mode) {
                let schema = kind.schema();
                assert!(!schema.doc.is_empty(), "{}", schema.kind);
                let address = engine::address::Address::managed(schema.kind, "x");
                assert!(registry.provider(mode, schema.kind, &address).is_some(), "{}", schema.kind);
            }
        }
        for kind in ["meshplan_data", "ca_root", "ca_intermediate", "kubernetes_manifest", "kubernetes_namespace", "kubernetes_secret"] {
            assert!(registry.kind(Mode::Managed, kind).is_some(), "{kind}");
        }
    }
}
