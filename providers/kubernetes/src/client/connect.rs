//! From the value of a place's attribute `connection` to a client.

use super::Cluster;
use super::pace::Pace;
use engine::port::BoxFuture;
use engine::value::{Value, fingerprint};
use kube::Client;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Turns connections of one type into clients. The `connection` of a kind of class `cluster` is an object whose `type` says which connector
/// knows it.
pub trait Connector: Send + Sync {
    /// A client for this connection; nothing if the connection is of another type; or why there is none, as a fragment without secrets.
    fn connect<'a>(&'a self, connection: &'a Value) -> BoxFuture<'a, Option<Result<Client, String>>>;

    /// Whether pods run in the clusters that it leads to. What needs running ones is not asked elsewhere.
    fn runs_pods(&self) -> bool {
        true
    }
}

/// How a cluster is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// Most requests at a time. Watches do not count.
    pub at_once: usize,
    /// Longest time for one answer.
    pub timeout: Duration,
    /// Most tries while a server answers that it cannot now.
    pub tries: u32,
}

impl Requests {
    /// How clusters are asked unless something else is said, whatever `--parallelism` allows in all.
    pub const USUAL: Self = Self { at_once: 8, timeout: Pace::USUAL.deadline, tries: Pace::USUAL.tries };
}

/// Clusters by connection: one client each, kept as long as this is.
#[derive(Clone)]
pub struct Clusters {
    connectors: Vec<Arc<dyn Connector>>,
    pace: Pace,
    at_once: usize,
    known: Arc<Mutex<BTreeMap<String, Arc<Cluster>>>>,
}

impl Clusters {
    /// No clusters yet, and these ways to reach some.
    pub fn new(connectors: Vec<Arc<dyn Connector>>) -> Self {
        Self { connectors, pace: Pace::USUAL, at_once: Requests::USUAL.at_once, known: Arc::default() }
    }

    /// The same asked in another way, and first by another connector if there is one. What is known of clusters is not shared.
    pub(crate) fn asked(&self, requests: Requests, first: Option<Arc<dyn Connector>>) -> Self {
        let usual = self.pace;
        let unanswered_tries = usual.unanswered_tries.min(requests.tries);
        let pace = Pace { deadline: requests.timeout, tries: requests.tries, unanswered_tries, ..usual };
        let connectors = first.into_iter().chain(self.connectors.iter().cloned()).collect();
        Self { connectors, pace, at_once: requests.at_once, known: Arc::default() }
    }

    /// The same at another pace.
    #[cfg(test)]
    pub(crate) fn paced(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The cluster behind a connection, or why it cannot be reached.
    pub async fn cluster(&self, connection: &Value) -> Result<Arc<Cluster>, String> {
        let key = fingerprint(connection);
        if let Some(cluster) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(cluster.clone());
        }
        for connector in &self.connectors {
            if let Some(client) = connector.connect(connection).await {
                let cluster = Cluster::asked(client?, self.pace, self.at_once);
                let cluster = Arc::new(if connector.runs_pods() { cluster } else { cluster.without_pods() });
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                return Ok(known.entry(key).or_insert(cluster).clone());
            }
        }
        Err(format!("nothing here knows connections of type `{}`", connection.text("type").unwrap_or("")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::KubeconfigConnector;

    fn connection(entries: &[(&str, &str)]) -> Value {
        Value::object(entries.iter().map(|(key, value)| (*key, Value::string(*value))))
    }

    #[tokio::test]
    async fn connections_of_another_type_are_left_to_others() {
        let other = connection(&[("type", "sandbox")]);
        assert!(KubeconfigConnector::default().connect(&other).await.is_none());
        let clusters = Clusters::new(vec![Arc::new(KubeconfigConnector::default())]);
        let why = clusters.cluster(&other).await.err();
        assert_eq!(why.as_deref(), Some("nothing here knows connections of type `sandbox`"));
    }

    #[tokio::test]
    async fn clusters_are_asked_as_is_said() {
        let text = "contexts: [{ name: a, context: { cluster: c, user: u } }]\nclusters: [{ name: c, cluster: { server: 'https://10.0.0.1' } }]\n\
            users: [{ name: u, user: { token: t } }]\ncurrent-context: a\n";
        let usual = Clusters::new(vec![Arc::new(KubeconfigConnector::default())]);
        let asked = usual.asked(Requests { at_once: 2, timeout: Duration::from_secs(5), tries: 2 }, None);
        let inline = connection(&[("type", "kubeconfig"), ("kubeconfig", text)]);
        let (one, other) = (usual.cluster(&inline).await.expect("a client"), asked.cluster(&inline).await.expect("a client"));
        let pace = |cluster: &Cluster| (cluster.pace.deadline.as_secs(), cluster.pace.tries, cluster.pace.unanswered_tries);
        assert_eq!((one.gate.available_permits(), pace(&one)), (8, (60, 6, 3)));
        assert_eq!((other.gate.available_permits(), pace(&other)), (2, (5, 2, 2)));
    }

    #[tokio::test]
    async fn one_connection_has_one_client() {
        let text = "contexts: [{ name: a, context: { cluster: c, user: u } }]\nclusters: [{ name: c, cluster: { server: 'https://10.0.0.1' } }]\n\
            users: [{ name: u, user: { token: t } }]\ncurrent-context: a\n";
        let clusters = Clusters::new(vec![Arc::new(KubeconfigConnector::default())]);
        let inline = connection(&[("type", "kubeconfig"), ("kubeconfig", text)]);
        let first = clusters.cluster(&inline).await.expect("a client");
        let second = clusters.cluster(&inline.clone().sensitive()).await.expect("a client");
        assert!(Arc::ptr_eq(&first, &second));
    }
}
