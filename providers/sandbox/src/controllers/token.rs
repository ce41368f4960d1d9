//! Fills Secrets that ask for a service account's token.

use crate::object::{self, at, set, text};
use crate::resource::Key;
use crate::store::{Event, Facts, Transaction};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use engine::value::{Value, keyed_fingerprint};
use serde_json::json;

const TYPE: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";

pub(super) fn react(transaction: &mut Transaction<'_>, event: &Event) {
    match (&*event.key.resource, &event.new) {
        ("secrets", Some(_)) => fill(transaction, &event.key),
        ("serviceaccounts", account) => {
            for (key, secret) in transaction.list("secrets", Some(&event.key.namespace)) {
                let is_of =
                    text(&secret, &["type"]) == Some(TYPE) && text(&secret, &["metadata", "annotations", ACCOUNT]) == Some(&event.key.name);
                if is_of && account.is_some() {
                    fill(transaction, &key);
                } else if is_of {
                    // A token outlives its account nowhere.
                    crate::api::remove(transaction, &key);
                }
            }
        }
        _ => {}
    }
}

fn fill(transaction: &mut Transaction<'_>, key: &Key) {
    let Some(secret) = transaction.get(key) else { return };
    if text(&secret, &["type"]) != Some(TYPE) || at(&secret, &["data", "token"]).is_some() || object::is_terminating(&secret) {
        return;
    }
    let Some(name) = text(&secret, &["metadata", "annotations", ACCOUNT]).map(str::to_owned) else { return };
    let Some(account) = transaction.get(&Key::new("serviceaccounts", &key.namespace, &name)) else { return };
    let facts = transaction.facts();
    let token = service_account_token(facts, &key.namespace, &name, object::uid(&secret));
    let authority = BASE64_STANDARD.encode(&facts.certificate_authority);
    let (uid, namespace) = (object::uid(&account).to_owned(), BASE64_STANDARD.encode(&*key.namespace));
    transaction.control(key, "kube-controller-manager", "", |secret| {
        set(secret, &["data", "token"], BASE64_STANDARD.encode(token));
        set(secret, &["data", "ca.crt"], authority);
        set(secret, &["data", "namespace"], namespace);
        set(secret, &["metadata", "annotations", "kubernetes.io/service-account.uid"], uid);
    });
}

/// A token in the shape of the real ones: a JWT, signed with the cluster's key. `for_uid` tells one Secret's token from another's.
pub(crate) fn service_account_token(facts: &Facts, namespace: &str, account: &str, for_uid: &str) -> String {
    let header = json!({ "alg": "HS256", "kid": "meshplan-sandbox" });
    let claims = json!({
        "iss": "kubernetes/serviceaccount", "sub": format!("system:serviceaccount:{namespace}:{account}"),
        "kubernetes.io/serviceaccount/namespace": namespace, "kubernetes.io/serviceaccount/service-account.name": account, "jti": for_uid,
    });
    let part = |json: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = keyed_fingerprint(&Value::string(signed.as_str()), facts.token_key.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

#[cfg(test)]
mod tests {
    use super::super::tests::Cluster;
    use super::*;

    const SECRETS: &str = "/api/v1/namespaces/default/secrets";

    fn token(name: &str, account: &str) -> serde_json::Value {
        json!({ "metadata": { "name": name, "annotations": { ACCOUNT: account } }, "type": TYPE })
    }

    #[test]
    fn a_token_is_filled_once_its_account_is_there() {
        let cluster = Cluster::new();
        cluster.create(SECRETS, &token("t", "reader"));
        assert!(cluster.get(&format!("{SECRETS}/t")).is_some_and(|secret| secret.get("data").is_none()));
        cluster.create("/api/v1/namespaces/default/serviceaccounts", &json!({ "metadata": { "name": "reader" } }));
        let secret = cluster.get(&format!("{SECRETS}/t")).expect("there");
        let keys: Vec<_> = secret["data"].as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["ca.crt", "namespace", "token"]);
        cluster.call("DELETE", "/api/v1/namespaces/default/serviceaccounts/reader", &json!(null));
        assert!(cluster.get(&format!("{SECRETS}/t")).is_none());
    }

    #[test]
    fn a_new_secret_has_a_new_token() {
        let cluster = Cluster::new();
        cluster.create(SECRETS, &token("t", "default"));
        let first = cluster.get(&format!("{SECRETS}/t")).expect("there")["data"]["token"].clone();
        cluster.call("DELETE", &format!("{SECRETS}/t"), &json!(null));
        cluster.create(SECRETS, &token("t", "default"));
        let second = cluster.get(&format!("{SECRETS}/t")).expect("there")["data"]["token"].clone();
        assert_ne!(first, second);
    }
}
