//! `kubernetes_cluster`: a cluster that is there already, by its kubeconfig context.

use crate::client::{CallError, KubeconfigConnector, Target};
use crate::data_source::{DataSource, Source};
use engine::address::Address;
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Lint, LintInput, Problem, Rule, Schema};
use engine::value::{Type, Value};
use futures::future::try_join;
use std::collections::BTreeMap;

/// Two ways to one cluster.
pub(crate) static ONE_CLUSTER_TWICE: Rule = Rule {
    id: "one-cluster-twice",
    summary: "one cluster twice",
    warning: false,
    finds: "Two kubeconfig contexts of the configuration reach the same cluster: the namespace `kube-system` has one UID behind both.",
    why: "Each is given what is meant for a cluster of its own, and the later takes the place of the other.",
    help: "Keep one of them, and let what lies in the other refer to it.",
};

/// The lint of the provider `kubernetes`: its findings are those of its kinds.
pub(crate) struct ClusterLint;

impl Lint for ClusterLint {
    fn rules(&self) -> &'static [&'static Rule] {
        static ALL: &[&Rule] = &[&ONE_CLUSTER_TWICE];
        ALL
    }

    fn look(&self, _: &LintInput<'_>) -> Vec<(Address, Problem)> {
        Vec::new()
    }
}

/// `data.kubernetes_cluster`.
pub struct ExistingCluster {
    schema: Schema,
    kubeconfigs: KubeconfigConnector,
}

impl ExistingCluster {
    /// The data source, whose `kubeconfig` and `context` this connector knows.
    pub fn new(kubeconfigs: KubeconfigConnector) -> Self {
        let connection = Type::object([("type", Type::String, false), ("path", Type::String, true), ("context", Type::String, true)]);
        let attributes = vec![
            Attribute::optional("context", Type::String, "The kubeconfig context; the current one without it."),
            Attribute::optional("kubeconfig", Type::String, "Path of the kubeconfig; `KUBECONFIG` or `~/.kube/config` without it."),
            Attribute::computed("server", Type::String, "URL of the API server."),
            Attribute::computed("uid", Type::String, "UID of the namespace `kube-system`, which stands for the cluster."),
            Attribute::computed("version", Type::String, "The API server's version, such as `v1.34.1`."),
            Attribute::computed("certificate_authority", Type::String, "PEM of the CA that the kubeconfig trusts; null if it names none."),
            Attribute::computed("connection", connection, "How to reach it: file and context, no credentials.").sensitive(),
        ];
        let doc = "A cluster that is there already, by its kubeconfig context.";
        let classes = &["cluster"];
        let schema =
            Schema { kind: "kubernetes_cluster", doc, version: 1, attributes, classes, place: None, outside: true, settles: false };
        Self { schema, kubeconfigs }
    }

    async fn look(&self, arguments: &Value, source: Source<'_>) -> Result<Value, String> {
        let given = |name| arguments.present(name).cloned().unwrap_or_else(Value::null);
        let connection =
            Value::object([("type", Value::string("kubeconfig")), ("path", given("kubeconfig")), ("context", given("context"))])
                .sensitive();
        let Target { server, certificate_authority } = self.kubeconfigs.target(&connection).await?;
        let cluster = source.clusters.cluster(&connection).await?;
        let fragment = |error: CallError| error.to_string();
        let (uid, version) = try_join(cluster.fresh_uid(), cluster.version()).await.map_err(fragment)?;
        Ok(Value::object([
            ("context", given("context")),
            ("kubeconfig", given("kubeconfig")),
            ("server", Value::string(server)),
            ("uid", Value::string(uid)),
            ("version", Value::string(version)),
            ("certificate_authority", certificate_authority.map_or_else(Value::null, Value::string)),
            ("connection", connection),
        ]))
    }
}

impl DataSource for ExistingCluster {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Two ways to one cluster would be two clusters to everything else: each would be given what is meant for the other.
    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        let mut ways: BTreeMap<&str, (&Address, &Value)> = BTreeMap::new();
        let mut problems = Vec::new();
        for (address, cluster) in instances {
            let Some(uid) = cluster.text("uid") else { continue };
            let (first, other) = *ways.entry(uid).or_insert((address, cluster));
            if way(other) != way(cluster) {
                let detail = format!(
                    "{} of `{first}` and {} of `{address}` reach the same cluster: namespace `kube-system` has the uid `{uid}` in both",
                    context(other),
                    context(cluster)
                );
                problems.push(((*address).clone(), ONE_CLUSTER_TWICE.broken(detail)));
            }
        }
        problems
    }

    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            match self.look(arguments, source).await {
                Ok(attributes) => Answer::Present(attributes),
                Err(why) => Answer::Unreachable(why.into()),
            }
        })
    }
}

/// What of a cluster's attributes says how it is reached.
fn way(cluster: &Value) -> [Option<&str>; 2] {
    ["kubeconfig", "context"].map(|name| cluster.text(name))
}

fn context(cluster: &Value) -> String {
    cluster.text("context").map_or_else(|| "the current context".to_owned(), |name| format!("context `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Clusters;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_cluster_that_cannot_be_reached_is_not_absent() {
        let kind = ExistingCluster::new(KubeconfigConnector::default());
        let clusters = Clusters::new(vec![Arc::new(KubeconfigConnector::default())]);
        let arguments = Value::object([("context", Value::string("c1-admin")), ("kubeconfig", Value::null())]);
        let answer = kind.read(&arguments, Source { place: None, clusters: &clusters }).await;
        assert_eq!(answer, Answer::Unreachable("there is no kubeconfig; looked for none".into()));
    }

    #[tokio::test]
    async fn a_context_leads_to_server_uid_and_connection() {
        let file = std::env::temp_dir().join(format!("meshplan-kubeconfig-{}", std::process::id()));
        let text = "apiVersion: v1\nkind: Config\ncontexts: [{ name: c1, context: { cluster: c, user: u } }]\n\
            clusters: [{ name: c, cluster: { server: 'https://10.0.0.1:6443', certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClFVSkQKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo= } }]\n\
            users: [{ name: u, user: { token: hunter2 } }]\n";
        std::fs::write(&file, text).expect("a file");
        let clusters = Clusters::new(vec![Arc::new(crate::fake::Fake::new())]);
        let path = Value::string(file.display().to_string());
        let arguments = Value::object([("context", Value::string("c1")), ("kubeconfig", path)]);
        let kind = ExistingCluster::new(KubeconfigConnector::default());
        let answer = kind.read(&arguments, Source { place: None, clusters: &clusters }).await;
        std::fs::remove_file(&file).expect("removed");
        let Answer::Present(attributes) = answer else { panic!("{answer:?}") };
        assert_eq!((attributes.text("server"), attributes.text("uid")), (Some("https://10.0.0.1:6443"), Some("cluster-1")));
        assert_eq!(attributes.text("version"), Some("v1.34.1"));
        assert_eq!(attributes.text("certificate_authority"), Some("-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"));
        assert!(attributes.get("connection").is_some_and(|connection| connection.text("context") == Some("c1")));
        assert!(!attributes.to_json().expect("known").to_string().contains("hunter2"));
    }

    #[test]
    fn two_ways_to_one_cluster_are_named() {
        let cluster =
            |context: Value, uid: &str| Value::object([("context", context), ("kubeconfig", Value::null()), ("uid", Value::string(uid))]);
        let named = |context: &str, uid: &str| cluster(Value::string(context), uid);
        let problems = |clusters: &[Value]| {
            let addresses: Vec<_> =
                (0..clusters.len()).map(|number| Address::managed("kubernetes_cluster", &format!("c{number}"))).collect();
            let instances: Vec<_> = addresses.iter().zip(clusters).collect();
            let found = ExistingCluster::new(KubeconfigConnector::default()).lint(&instances);
            found.into_iter().map(|(address, problem)| format!("{address}: {}", problem.detail)).collect::<Vec<_>>()
        };
        assert_eq!(problems(&[named("a", "1"), named("b", "2"), named("a", "1")]), Vec::<String>::new());
        let detail = "context `a` of `kubernetes_cluster.c0` and the current context of `kubernetes_cluster.c2` reach the same cluster: \
            namespace `kube-system` has the uid `1` in both";
        assert_eq!(
            problems(&[named("a", "1"), named("b", "2"), cluster(Value::null(), "1")]),
            [format!("kubernetes_cluster.c2: {detail}")]
        );
    }

    #[test]
    fn it_is_a_cluster() {
        let kind = ExistingCluster::new(KubeconfigConnector::default());
        assert_eq!(kind.schema().classes, ["cluster"]);
        assert!(kind.schema().attribute("connection").is_some_and(|connection| connection.sensitive));
    }
}
