//! What `provider` blocks may set of providers that send requests to clusters.

use crate::client::{Clusters, KubeconfigConnector, Requests};
use crate::data::{ClusterLint, Surroundings, data_sources};
use crate::kinds::kinds;
use crate::provider::ObjectProvider;
use engine::address::Mode;
use engine::config::seconds;
use engine::port::{Provider, ProviderMaker};
use engine::schema::{Attribute, Lint, Problem, ProviderSchema, Setting};
use engine::value::{Type, Value};
use std::sync::Arc;
use std::time::Duration;

/// How clusters are reached by default, and by what else.
#[derive(Clone)]
pub struct Reaching {
    /// The way through kubeconfigs.
    pub kubeconfigs: KubeconfigConnector,
    /// Every cluster, in the usual way, shared by all providers that are not configured.
    pub usual: Clusters,
}

impl Reaching {
    /// Settings that [`Reaching::configured`] honours.
    pub fn settings() -> Vec<Setting> {
        let own = |name, ty, doc| Setting::own(Attribute::optional(name, ty, doc));
        vec![
            Setting::own(
                Attribute::optional(
                    "token",
                    Type::String,
                    "Bearer token for clusters of kubeconfigs, in place of the credentials there. It is not stored; let it come from an ephemeral variable.",
                )
                .sensitive(),
            ),
            own("requests_at_once", Type::Number, "Most requests to one cluster at a time, watches not counted: 1 to 256, 8 without it."),
            own("request_timeout", Type::String, "Longest time for one answer, such as `90s` or `2m`: 1s to 1h, `1m` without it."),
            own(
                "request_tries",
                Type::Number,
                "How often a request is tried while a server answers that it cannot now: 1 to 20, 6 without it. Where nothing answers, 3 at most.",
            ),
        ]
    }

    /// Every cluster as the settings say: the shared ones if these say nothing.
    pub fn configured(&self, settings: &Value) -> Result<Clusters, Problem> {
        let usual = Requests::USUAL;
        let at_once = whole(settings, "requests_at_once", (1, 256))?;
        let tries = whole(settings, "request_tries", (1, 20))?;
        let token = settings.text("token");
        let timeout = match settings.text("request_timeout") {
            None => None,
            Some(text) => Some(seconds(text).filter(|time| (1..=3600).contains(time)).ok_or_else(|| {
                let detail = format!("`request_timeout` is a time from 1s to 1h, such as `90s`, and not `{text}`");
                Problem::with("request_timeout", "invalid setting", detail)
            })?),
        };
        if at_once.is_none() && tries.is_none() && timeout.is_none() && token.is_none() {
            return Ok(self.usual.clone());
        }
        let requests = Requests {
            at_once: at_once.and_then(|number| usize::try_from(number).ok()).unwrap_or(usual.at_once),
            tries: tries.and_then(|number| u32::try_from(number).ok()).unwrap_or(usual.tries),
            timeout: timeout.map_or(usual.timeout, Duration::from_secs),
        };
        let kubeconfigs = token.map(|token| self.kubeconfigs.clone().with_token(token));
        Ok(self.usual.asked(requests, kubeconfigs.map(|connector| Arc::new(connector) as Arc<_>)))
    }
}

fn whole(settings: &Value, name: &str, (least, most): (u64, u64)) -> Result<Option<u64>, Problem> {
    let Some(value) = settings.present(name) else { return Ok(None) };
    match value.as_u64().filter(|number| (least..=most).contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(Problem::with(name, "invalid setting", format!("`{name}` is a whole number from {least} to {most}"))),
    }
}

/// Makes the provider `kubernetes`.
pub struct KubernetesMaker {
    surroundings: Surroundings,
    reaching: Reaching,
}

impl KubernetesMaker {
    /// A maker for this machine.
    pub fn new(surroundings: Surroundings, reaching: Reaching) -> Self {
        Self { surroundings, reaching }
    }

    fn made(&self, clusters: &Clusters) -> Vec<Arc<dyn Provider>> {
        let sources = data_sources(self.surroundings.clone());
        let procedures = crate::procedures(clusters.clone(), self.surroundings.working_directory.clone());
        vec![Arc::new(ObjectProvider::new(kinds(), sources, clusters.clone())), procedures]
    }
}

impl ProviderMaker for KubernetesMaker {
    fn schema(&self) -> ProviderSchema {
        const CLUSTERS: &[(Mode, &str)] = &[(Mode::Data, "kubernetes_cluster")];
        let supplied = |name, doc| Setting::supplying(Attribute::optional(name, Type::String, doc), CLUSTERS);
        let mut settings = vec![
            supplied("kubeconfig", "Path of the kubeconfig of every `data.kubernetes_cluster` that names none."),
            supplied("context", "Context of every `data.kubernetes_cluster` that names none."),
        ];
        settings.extend(Reaching::settings());
        ProviderSchema { name: "kubernetes", doc: "Objects of Kubernetes clusters, and what is done to them.", settings }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        self.made(&self.reaching.usual)
    }

    fn configured(&self, settings: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        Ok(self.made(&self.reaching.configured(settings)?))
    }

    fn lint(&self) -> Option<Arc<dyn Lint>> {
        Some(Arc::new(ClusterLint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaching() -> Reaching {
        Reaching { kubeconfigs: KubeconfigConnector::default(), usual: Clusters::new(vec![Arc::new(KubeconfigConnector::default())]) }
    }

    #[test]
    fn settings_have_limits() {
        for (name, value, expected) in [
            ("requests_at_once", Value::number(0), "`requests_at_once` is a whole number from 1 to 256"),
            ("requests_at_once", Value::number(257), "`requests_at_once` is a whole number from 1 to 256"),
            ("request_tries", Value::number(21), "`request_tries` is a whole number from 1 to 20"),
            ("request_timeout", Value::string("fast"), "`request_timeout` is a time from 1s to 1h, such as `90s`, and not `fast`"),
            ("request_timeout", Value::string("2h"), "`request_timeout` is a time from 1s to 1h, such as `90s`, and not `2h`"),
            ("requests_at_once", Value::number(256), ""),
            ("request_tries", Value::number(1), ""),
            ("request_timeout", Value::string("1h"), ""),
            ("token", Value::string("t"), ""),
        ] {
            let told = reaching().configured(&Value::object([(name, value)])).err().map_or_else(String::new, |problem| problem.detail);
            assert_eq!(told, expected);
        }
    }

    #[tokio::test]
    async fn a_token_stands_in_for_the_credentials_of_a_kubeconfig_and_clusters_are_not_shared() {
        let text = "contexts: [{ name: a, context: { cluster: c, user: u } }]\nclusters: [{ name: c, cluster: { server: 'https://10.0.0.1' } }]\n\
            users: [{ name: u, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: /nowhere/at-all, interactiveMode: Never } } }]\n\
            current-context: a\n";
        let connection = Value::object([("type", Value::string("kubeconfig")), ("kubeconfig", Value::string(text))]);
        let reaching = reaching();
        let why = reaching.usual.cluster(&connection).await.err().expect("no credentials");
        assert!(why.contains("gives no credentials"), "{why}");
        let given = reaching.configured(&Value::object([("token", Value::string("t"))])).expect("settings");
        let cluster = given.cluster(&connection).await.expect("a client");
        let nothing = reaching.configured(&Value::object([("token", Value::null())])).expect("settings");
        assert!(nothing.cluster(&connection).await.is_err());
        let slow = given.cluster(&connection).await.expect("a client");
        assert!(Arc::ptr_eq(&cluster, &slow));
    }
}
