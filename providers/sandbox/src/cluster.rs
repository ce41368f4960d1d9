//! Sandbox clusters of one directory: made, opened, removed; and what a new one holds.

use crate::api::{Api, Made, audit};
use crate::controllers;
use crate::kube_proxy;
use crate::object::{self, Json, fresh_uid, set};
use crate::ownership::{Owners, Shape, Writer};
use crate::refusal::Refusal;
use crate::resource::{Key, builtin};
use crate::store::{Facts, Store, StoreError, Transaction, names};
use engine::value::hex;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The version that a cluster says it has unless it is told: that of the API it imitates.
pub(crate) const VERSION: &str = "v1.36.0";
/// Namespaces of every cluster.
const NAMESPACES: &[&str] = &["default", "kube-node-lease", "kube-public", "kube-system"];
/// Who owns the fields of nodes.
const MANAGER: &str = "meshplan-sandbox";

/// Nodes with their labels.
pub(crate) type Nodes = BTreeMap<String, BTreeMap<String, String>>;

/// What a new cluster is to be.
pub(crate) struct Wanted<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Who makes it: a record's id.
    pub(crate) owner: &'a str,
    /// Its nodes.
    pub(crate) nodes: &'a Nodes,
    /// Its load balancers' addresses.
    pub(crate) pool: &'a str,
    /// The version it says it has.
    pub(crate) version: &'a str,
}

/// The clusters of a directory. Clones share what is open.
#[derive(Clone)]
pub struct Sandboxes {
    base: Arc<PathBuf>,
    open: Arc<Mutex<BTreeMap<String, Arc<Store>>>>,
}

impl Sandboxes {
    /// The clusters of this directory, which need not be there yet.
    pub fn new(base: PathBuf) -> Self {
        Self { base: Arc::new(base), open: Arc::default() }
    }

    /// Where they are.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Their names, sorted.
    pub fn names(&self) -> Vec<String> {
        names(&self.base)
    }

    /// How often each object of a cluster was made and deleted, controllers' included. An error is a fragment.
    pub fn audit(&self, name: &str) -> Result<Vec<Made>, String> {
        let store = self.store(name).map_err(|error| error.to_string())?;
        store.read(audit).map_err(|error| error.to_string())
    }

    /// The API of a cluster.
    pub(crate) fn api(&self, name: &str) -> Result<Api, StoreError> {
        Ok(Api::new(self.store(name)?))
    }

    /// A cluster's store, opened if it is not.
    pub(crate) fn store(&self, name: &str) -> Result<Arc<Store>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = open.get(name) {
            return Ok(store.clone());
        }
        if name.is_empty() || name.starts_with('.') || name.contains('/') {
            return Err(StoreError::Gone(format!("`{name}` is no name of a sandbox cluster")));
        }
        let store = Arc::new(Store::open(&self.base.join(name))?);
        open.insert(name.to_owned(), store.clone());
        Ok(store)
    }

    /// What a cluster is, if it is there.
    pub(crate) fn facts(&self, name: &str) -> Result<Option<Facts>, StoreError> {
        match self.store(name).and_then(|store| store.read(|world| world.facts().clone())) {
            Ok(facts) => Ok(Some(facts)),
            Err(StoreError::Gone(_)) => {
                self.forget(name);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a cluster. It must not be there.
    pub(crate) fn make(&self, wanted: &Wanted<'_>) -> Result<Facts, StoreError> {
        let token_key: Vec<u8> = (0..2).flat_map(|_| *uuid::Uuid::new_v4().as_bytes()).collect();
        let facts = Facts {
            name: wanted.name.to_owned(),
            owner: wanted.owner.to_owned(),
            uid: fresh_uid(),
            kubernetes_version: wanted.version.to_owned(),
            certificate_authority: authority(wanted.name).map_err(StoreError::Failed)?,
            load_balancer_pool: wanted.pool.to_owned(),
            token_key: hex(&token_key),
        };
        Store::create(&self.base, &facts, |transaction| seed(transaction, wanted.nodes))?;
        self.forget(wanted.name);
        Ok(facts)
    }

    /// Removes a cluster and all within.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.forget(name);
        Store::remove(&self.base, name)
    }

    fn forget(&self, name: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// The certificate of a new authority. Its key is thrown away: nothing is signed with it, clients only compare.
fn authority(name: &str) -> Result<String, String> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, format!("sandbox-{name}"));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().map_err(|error| error.to_string())?;
    Ok(parameters.self_signed(&key).map_err(|error| error.to_string())?.pem())
}

/// Writes what a new cluster holds.
pub(crate) fn seed(transaction: &mut Transaction<'_>, nodes: &Nodes) -> Result<(), Refusal> {
    for name in NAMESPACES {
        let uid = if *name == "kube-system" { transaction.facts().uid.clone() } else { fresh_uid() };
        put(
            transaction,
            &Key::new("namespaces", "", name),
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
            (&uid, "kube-apiserver"),
        )?;
    }
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "kubernetes", "namespace": "default", "labels": { "component": "apiserver", "provider": "kubernetes" } },
        "spec": { "clusterIP": "10.96.0.1", "ports": [{ "name": "https", "port": 443, "targetPort": 6443, "protocol": "TCP" }] },
    });
    put(transaction, &Key::new("services", "default", "kubernetes"), service, (&fresh_uid(), "kube-apiserver"))?;
    let key = |plural| Key::new(plural, "kube-system", "kube-proxy");
    put(transaction, &key("configmaps"), kube_proxy::config_map(), (&fresh_uid(), "kubeadm"))?;
    let version = transaction.facts().kubernetes_version.clone();
    put(transaction, &key("daemonsets.apps"), kube_proxy::daemon_set(&version), (&fresh_uid(), "kubeadm"))?;
    set_nodes(transaction, nodes);
    controllers::run(transaction);
    Ok(())
}

fn put(transaction: &mut Transaction<'_>, key: &Key, mut object: Json, (uid, manager): (&str, &str)) -> Result<(), Refusal> {
    let resource = builtin(key.group(), "v1", key.plural()).ok_or_else(Refusal::no_such_path)?;
    crate::admission::create(transaction, &resource, &mut object)?;
    set(&mut object, &["metadata", "uid"], uid);
    let now = transaction.now().to_owned();
    let version = object["apiVersion"].as_str().unwrap_or_default().to_owned();
    let mut owners = Owners::default();
    owners.updated(&json!({}), &object, Shape::of(&resource), Writer { manager, api_version: &version, subresource: "", now: &now });
    owners.write(&mut object);
    transaction.put(key, object);
    Ok(())
}

/// Makes the nodes and their labels what is wanted; labels of others stay.
pub(crate) fn set_nodes(transaction: &mut Transaction<'_>, nodes: &Nodes) {
    for (key, _) in transaction.list("nodes", None) {
        if !nodes.contains_key(&*key.name) {
            transaction.remove(&key);
        }
    }
    for (at, (name, labels)) in nodes.iter().enumerate() {
        let key = Key::new("nodes", "", name);
        let mut wanted = labels.clone();
        wanted.insert("kubernetes.io/hostname".to_owned(), name.clone());
        let config = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": wanted }, "spec": { "podCIDR": format!("10.244.{at}.0/24") } });
        controllers::apply(transaction, &key, &config, MANAGER);
        let (version, now) = (transaction.facts().kubernetes_version.clone(), transaction.now().to_owned());
        let name = name.clone();
        transaction.control(&key, MANAGER, "status", |node| {
            let condition = json!({ "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "no containers run in a sandbox (simulated)",
                "lastHeartbeatTime": now, "lastTransitionTime": now });
            object::set_default(node, &["status", "conditions"], json!([condition]));
            object::set_default(node, &["status", "addresses"], json!([{ "type": "Hostname", "address": name }]));
            set(node, &["status", "nodeInfo", "kubeletVersion"], version);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::World;

    fn nodes(names: &[(&str, &str)]) -> Nodes {
        names.iter().map(|(name, zone)| ((*name).to_owned(), BTreeMap::from([("zone".to_owned(), (*zone).to_owned())]))).collect()
    }

    fn made() -> (tempfile::TempDir, Sandboxes, Facts) {
        let base = tempfile::tempdir().expect("a directory");
        let sandboxes = Sandboxes::new(base.path().join("sandbox"));
        let wanted =
            Wanted { name: "c1", owner: "r-1", nodes: &nodes(&[("n1", "a"), ("n2", "b")]), pool: "198.18.0.0/30", version: VERSION };
        let facts = sandboxes.make(&wanted).expect("made");
        (base, sandboxes, facts)
    }

    fn object(sandboxes: &Sandboxes, key: &Key) -> Option<Json> {
        sandboxes.store("c1").expect("open").read(|world: &World| world.get(key).map(|object| (**object).clone())).expect("read")
    }

    #[test]
    fn a_new_cluster_holds_what_every_cluster_holds() {
        let (_base, sandboxes, facts) = made();
        assert_eq!(sandboxes.names(), ["c1"]);
        assert!(facts.certificate_authority.starts_with("-----BEGIN CERTIFICATE-----"));
        let system = object(&sandboxes, &Key::new("namespaces", "", "kube-system")).expect("kube-system");
        assert_eq!(object::uid(&system), facts.uid);
        assert!(object(&sandboxes, &Key::new("serviceaccounts", "default", "default")).is_some());
        let node = object(&sandboxes, &Key::new("nodes", "", "n1")).expect("a node");
        assert_eq!(node["metadata"]["labels"], json!({ "kubernetes.io/hostname": "n1", "zone": "a" }));
        assert!(sandboxes.audit("c1").expect("audit").iter().all(|made| made.created == 1 && made.deleted == 0));
    }

    #[test]
    fn nodes_follow_what_is_wanted() {
        let (_base, sandboxes, _) = made();
        let store = sandboxes.store("c1").expect("open");
        let wanted = nodes(&[("n2", "c"), ("n3", "d")]);
        store
            .write(|transaction| {
                set_nodes(transaction, &wanted);
                Ok(())
            })
            .expect("changed");
        assert!(object(&sandboxes, &Key::new("nodes", "", "n1")).is_none());
        let zone = |name: &str| object(&sandboxes, &Key::new("nodes", "", name)).expect("a node")["metadata"]["labels"]["zone"].clone();
        assert_eq!((zone("n2"), zone("n3")), (json!("c"), json!("d")));
    }

    #[test]
    fn a_cluster_is_gone_when_it_is_removed() {
        let (_base, sandboxes, _) = made();
        sandboxes.remove("c1").expect("removed");
        assert!(sandboxes.facts("c1").expect("asked").is_none());
        assert!(sandboxes.audit("c1").is_err() && sandboxes.api("../c1").is_err());
        let nothing = sandboxes.make(&Wanted { name: "c1", owner: "r-2", nodes: &Nodes::new(), pool: "198.18.0.0/30", version: VERSION });
        assert!(nothing.is_ok_and(|facts| facts.owner == "r-2"));
    }
}
