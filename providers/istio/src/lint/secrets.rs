//! Secrets that istiod reads, written by hand.

use super::rules;
use super::scene::{Object, Scene};
use crate::arguments::ISTIO_SYSTEM;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::address::Address;
use engine::schema::Problem;
use engine::value::Value;
use kubernetes::parse_yaml;

/// The one name under which istiod looks for its authority, and what it reads there.
const CACERTS: &str = "cacerts";
const FILES: [&str; 3] = ["ca-cert.pem", "ca-key.pem", "root-cert.pem"];
/// Where istiod keeps an authority that it made itself, and the type that it gives such Secrets.
const SELF_MADE: &str = "istio-ca-secret";
const SELF_MADE_TYPE: &str = "istio.io/ca-root";

pub(super) fn findings(scene: &Scene<'_>) -> Vec<(Address, Problem)> {
    let secrets = || scene.of_kind("", "Secret");
    let misnamed = secrets().filter(|_| scene.complete).filter_map(|secret| Some((secret.address.clone(), misnamed(scene, secret)?)));
    // The server of our own remote secrets is looked at where it is told.
    let by_hand = secrets().filter(|secret| secret.by != "istio_remote_secret");
    misnamed.chain(by_hand.filter_map(|secret| Some((secret.address.clone(), looped(secret)?)))).collect()
}

/// An authority beside the name under which istiod looks for it.
fn misnamed(scene: &Scene<'_>, secret: Object<'_>) -> Option<Problem> {
    let name = secret.name().filter(|name| ![CACERTS, SELF_MADE].contains(name))?;
    if secret.text(&["type"]) == Some(SELF_MADE_TYPE) {
        return None;
    }
    let has = |key: &str| ["data", "stringData"].iter().any(|part| secret.at(&[part]).is_some_and(|part| part.get(key).is_some()));
    let named = |other: Object<'_>| other.name() == Some(CACERTS) && other.place == secret.place && other.namespace() == secret.namespace();
    let is_of_istiod = secret.namespace() == ISTIO_SYSTEM
        || scene.operators().any(|plane| plane.place == secret.place && plane.namespace() == secret.namespace());
    if !is_of_istiod || !FILES.iter().all(|file| has(file)) || scene.of_kind("", "Secret").any(named) {
        return None;
    }
    let detail =
        format!("`{name}` in `{}` holds an authority, and istiod reads none but that of the Secret `{CACERTS}`", secret.namespace());
    Some(rules::CACERTS_MISNAMED.broken(detail))
}

/// A remote secret whose kubeconfig leads to the reader's own host. What it says is not told: it is part of a secret.
fn looped(secret: Object<'_>) -> Option<Problem> {
    if secret.text(&["metadata", "labels", "istio/multiCluster"]) != Some("true") {
        return None;
    }
    let decoded = |entry: &Value| String::from_utf8(STANDARD.decode(entry.as_str()?).ok()?).ok();
    let plain = secret.at(&["stringData"]).map(Value::entries).unwrap_or_default();
    let encoded = secret.at(&["data"]).map(Value::entries).unwrap_or_default();
    let mut texts = plain.iter().filter_map(|entry| Some((&entry.key, entry.value.as_str()?.to_owned())));
    let mut decoded = encoded.iter().filter_map(|entry| Some((&entry.key, decoded(&entry.value)?)));
    let (key, _) = texts.find(|(_, text)| leads_home(text)).or_else(|| decoded.find(|(_, text)| leads_home(text)))?;
    let detail =
        format!("the kubeconfig of `{key}` in {} names a loopback address as its server: to istiod that is its own host", secret.called());
    Some(rules::LOOPBACK_API_SERVER.broken(detail))
}

fn leads_home(kubeconfig: &str) -> bool {
    let documents = parse_yaml(kubeconfig).unwrap_or_default();
    let clusters = documents.iter().filter_map(|document| document.get("clusters")).flat_map(Value::items);
    clusters.filter_map(|cluster| cluster.get("cluster")?.text("server")).any(is_loopback)
}

/// Whether a URL leads to the host of whoever asks.
pub(crate) fn is_loopback(server: &str) -> bool {
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    ["127.", "localhost", "[::1]", "0.0.0.0"].iter().any(|own| host.starts_with(own))
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;
    use serde_json::{Value as Json, json};

    fn secret(name: &str, namespace: &str, more: &Json) -> Json {
        let mut object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": namespace } });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    }

    #[test]
    fn an_authority_is_called_cacerts() {
        let files = json!({ "data": { "ca-cert.pem": "", "ca-key.pem": "", "root-cert.pem": "", "cert-chain.pem": "" } });
        let part = json!({ "stringData": { "root-cert.pem": "" } });
        let self_made = secret("testing", "istio-system", &json!({ "type": "istio.io/ca-root", "data": files["data"] }));
        let (testing, right) = (secret("testing", "istio-system", &files), secret("cacerts", "istio-system", &files));
        for (objects, expected) in [
            (vec![("c1", testing.clone())], "cacerts-misnamed o0"),
            (vec![("c1", testing.clone()), ("c2", right.clone())], "cacerts-misnamed o0"),
            (vec![("c1", testing.clone()), ("c1", right.clone())], ""),
            (vec![("c1", right)], ""),
            (vec![("c1", secret("testing", "vault", &files))], ""),
            (vec![("c1", secret("testing", "istio-system", &part))], ""),
            (vec![("c1", secret("istio-ca-secret", "istio-system", &files))], ""),
            (vec![("c1", self_made)], ""),
        ] {
            assert_eq!(found(&objects, true).join(" "), expected);
            assert_eq!(found(&objects, false), [""; 0], "the right one may be left out");
        }
    }

    #[test]
    fn a_remote_secret_leads_to_another_host() {
        let config = |server: &str| format!("apiVersion: v1\nkind: Config\nclusters:\n- name: a\n  cluster:\n    server: {server}\n");
        let of = |part: &str, text: String| {
            let metadata = json!({ "name": "s", "namespace": "istio-system", "labels": { "istio/multiCluster": "true" } });
            found(&[("c1", secret("s", "istio-system", &json!({ "metadata": metadata, part: { "a": text } })))], true).join(" ")
        };
        assert_eq!(of("stringData", config("https://127.0.0.1:6443")), "loopback-api-server o0");
        assert_eq!(of("data", STANDARD.encode(config("https://localhost:6443"))), "loopback-api-server o0");
        assert_eq!(of("stringData", config("https://10.0.0.1:6443")), "");
        assert_eq!(of("data", "no base64".to_owned()), "");
        assert_eq!(of("stringData", "{".to_owned()), "");
    }
}
