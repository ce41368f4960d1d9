//! `istio_remote_secret`: in one cluster, the Secret by which its istiod reads another, as `istioctl create-remote-secret` writes it.

use crate::arguments::{ISTIO_SYSTEM, label, object, referring, through, usual};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::{ObjectKind, Until, Wait};
use serde_json::json;

/// `istio_remote_secret`.
pub struct RemoteSecret {
    schema: Schema,
}

impl Default for RemoteSecret {
    fn default() -> Self {
        let mut attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster whose istiod reads the other."),
            Attribute::required("reader", Type::Reference("reader"), "The account in the cluster that is read.").credential(),
            Attribute::optional("namespace", Type::String, "The namespace of the istiod that reads.")
                .default(Value::string(ISTIO_SYSTEM))
                .replaces(),
        ];
        attributes.extend(usual());
        let schema = Schema {
            kind: "istio_remote_secret",
            doc: "Lets the istiod of one cluster read another: a kubeconfig of the reader's account. The mesh needs one for each ordered pair.",
            version: 1,
            attributes,
            classes: &[],
            place: Some("cluster"),
            outside: true,
            settles: true,
        };
        Self { schema }
    }
}

impl ObjectKind for RemoteSecret {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        label(arguments, "namespace").into_iter().chain(itself(arguments)).collect()
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        Some(referring(arguments, "reader").map(|()| secret(arguments)))
    }

    fn wait(&self, _: &Value) -> Wait {
        Wait { until: Until::Nothing, seconds: None }
    }
}

/// A cluster that is to read itself: istiod does so anyway and skips such a secret.
fn itself(arguments: &Value) -> Option<Problem> {
    let peer = &arguments.get("cluster")?.instance()?.address;
    let read = &through(arguments, &["reader", "control_plane", "cluster"])?.instance()?.address;
    if peer != read {
        return None;
    }
    let detail = format!("`reader` reads `{read}`, which is `cluster` itself; istiod reads its own cluster without a secret");
    Some(Problem::with("reader", "a cluster reading itself", detail).help("Leave out the pairs whose two clusters are one."))
}

fn secret(arguments: &Value) -> Value {
    let name = through(arguments, &["reader", "cluster_name"]).and_then(Value::as_str);
    let text = |text: String| Value::string(text);
    let unknown = || Value::unknown(Type::String);
    let (secret_name, annotation) = match name {
        Some(name) => (text(format!("istio-remote-secret-{name}")), Value::string(name)),
        None => (unknown(), unknown()),
    };
    let metadata = object([
        ("name", secret_name),
        ("namespace", arguments.get("namespace").cloned().unwrap_or_else(Value::null)),
        ("labels", Value::from_json(&json!({ "istio/multiCluster": "true" }))),
        ("annotations", Value::object([("networking.istio.io/cluster", annotation)])),
    ]);
    let content = name.map_or_else(
        || Value::unknown(Type::map(Type::String)),
        |name| Value::object([(name, kubeconfig(arguments, name).map_or_else(unknown, text).sensitive())]),
    );
    Value::object([("apiVersion", Value::string("v1")), ("kind", Value::string("Secret")), ("metadata", metadata), ("stringData", content)])
}

/// The kubeconfig of the reader's account, with the cluster's name for all its names; nothing while a part is not known. Written here word
/// by word, since istiod compares bytes and people compare lines with what `istioctl` prints.
fn kubeconfig(arguments: &Value, name: &str) -> Option<String> {
    let of = |part: &str| through(arguments, &["reader", part])?.as_str();
    let authority = scalar(&STANDARD.encode(of("certificate_authority")?));
    let (server, token, name) = (scalar(of("server")?), scalar(of("token")?), scalar(name));
    Some(format!(
        "apiVersion: v1\n\
         clusters:\n- cluster:\n    certificate-authority-data: {authority}\n    server: {server}\n  name: {name}\n\
         contexts:\n- context:\n    cluster: {name}\n    user: {name}\n  name: {name}\n\
         current-context: {name}\n\
         kind: Config\n\
         users:\n- name: {name}\n  user:\n    token: {token}\n"
    ))
}

/// A text as YAML: as it is where that reads back as the same text, else quoted as JSON quotes it.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._/+=:-".contains(c))
        && !text.ends_with(':')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::{cluster, reference};
    use serde_json::Value as Json;

    fn reader(changes: &[(&str, Value)]) -> Value {
        let plane = reference(&["control_plane"], "p", Value::object([("cluster", cluster("c1"))]));
        let attributes = Value::from_json(
            &json!({ "cluster_name": "cluster1", "server": "https://10.0.0.1:6443", "token": "t0k3n", "certificate_authority": "CA\n" }),
        );
        reference(&["reader"], "r", attributes.with_entries([("control_plane", plane)]).with_entries(changes.iter().cloned()))
    }

    fn arguments(reader: Value) -> Value {
        RemoteSecret::default().schema().defaults().with_entries([("cluster", cluster("c2")), ("reader", reader)])
    }

    const KUBECONFIG: &str = "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0EK
    server: https://10.0.0.1:6443
  name: cluster1
contexts:
- context:
    cluster: cluster1
    user: cluster1
  name: cluster1
current-context: cluster1
kind: Config
users:
- name: cluster1
  user:
    token: t0k3n
";

    #[test]
    fn the_secret_is_what_istioctl_writes() {
        let object = RemoteSecret::default().object(&arguments(reader(&[]))).unwrap().unwrap();
        let expected = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "istio-remote-secret-cluster1",
                "namespace": "istio-system",
                "labels": { "istio/multiCluster": "true" },
                "annotations": { "networking.istio.io/cluster": "cluster1" },
            },
            "stringData": { "cluster1": KUBECONFIG },
        });
        assert_eq!(object.to_json().unwrap(), expected);
        assert!(object.get("stringData").unwrap().get("cluster1").unwrap().is_marked_sensitive());
    }

    #[test]
    fn names_that_look_like_something_else_stay_text() {
        let long = "a".repeat(200);
        for name in ["true", "123", "1e3", "null", "No", "-", "a:", "a b", "0x10", "\"", "\n", "~", &long] {
            let text = kubeconfig(&arguments(reader(&[])), name).unwrap();
            let back: Json = serde_saphyr::from_str(&text).unwrap();
            assert_eq!((&back["current-context"], &back["users"][0]["name"]), (&json!(name), &json!(name)), "{text}");
            assert_eq!(text.lines().count(), KUBECONFIG.lines().count(), "nothing is folded: {text}");
        }
    }

    #[test]
    fn a_token_that_is_not_there_yet_leaves_name_and_key_known() {
        let object = RemoteSecret::default().object(&arguments(reader(&[("token", Value::unknown(Type::String))]))).unwrap().unwrap();
        assert_eq!(object.get("metadata").unwrap().text("name"), Some("istio-remote-secret-cluster1"));
        assert!(object.get("stringData").unwrap().get("cluster1").is_some_and(|text| !text.is_known() && text.is_marked_sensitive()));
        let nameless =
            RemoteSecret::default().object(&arguments(reader(&[("cluster_name", Value::unknown(Type::String))]))).unwrap().unwrap();
        assert!(!nameless.get("metadata").unwrap().is_known() && !nameless.get("stringData").unwrap().is_known());
    }

    #[test]
    fn the_reader_is_a_credential_of_the_cluster_that_is_read() {
        let kind = RemoteSecret::default();
        let holders: Vec<_> =
            kind.schema().attributes.iter().filter(|attribute| attribute.credential).map(|attribute| attribute.name).collect();
        assert_eq!(holders, ["reader"]);
        assert!(!kind.remembered(&arguments(reader(&[])), b"key").to_json().unwrap().to_string().contains("t0k3n"));
    }

    #[test]
    fn a_cluster_does_not_read_itself() {
        let own = arguments(reader(&[])).with_entries([("cluster", cluster("c1"))]);
        let problems = RemoteSecret::default().validate(&own);
        assert_eq!(problems.first().map(|problem| problem.summary.as_str()), Some("a cluster reading itself"));
        assert!(RemoteSecret::default().validate(&arguments(reader(&[]))).is_empty());
    }
}
