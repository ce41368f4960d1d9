//! Reviews of tokens and permissions, and tokens on request. Whoever reaches the API may do everything; tokens are known by their Secret.

use super::Answer;
use super::call::Call;
use super::write::Writing;
use crate::controllers::service_account_token;
use crate::object::{Json, set, text};
use crate::refusal::Refusal;
use crate::store::{Transaction, World};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

/// Answers a review.
pub(crate) fn answer(world: &World, plural: &str, call: &Call) -> Result<Answer, Refusal> {
    let mut review = call.object()?;
    let status = match plural {
        "tokenreviews" => token_status(world, text(&review, &["spec", "token"]).unwrap_or_default()),
        "selfsubjectreviews" => {
            json!({ "userInfo": { "username": "sandbox-admin", "groups": ["system:masters", "system:authenticated"] } })
        }
        "selfsubjectrulesreviews" => json!({ "incomplete": false, "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
            "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }] }),
        _ => json!({ "allowed": true, "reason": "a sandbox allows everything (simulated)" }),
    };
    set(&mut review, &["status"], status);
    Ok(Answer::Object(201, review))
}

fn token_status(world: &World, token: &str) -> Json {
    let encoded = BASE64_STANDARD.encode(token);
    let holder = world
        .list("secrets", None)
        .map(|(_, secret)| secret)
        .find(|secret| !token.is_empty() && text(secret, &["data", "token"]) == Some(&encoded));
    let Some(secret) = holder else { return json!({ "authenticated": false, "error": "invalid bearer token" }) };
    let account = text(secret, &["metadata", "annotations", "kubernetes.io/service-account.name"]).unwrap_or_default();
    let namespace = crate::object::namespace(secret);
    json!({ "authenticated": true, "user": { "username": format!("system:serviceaccount:{namespace}:{account}"),
        "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{namespace}"), "system:authenticated"] } })
}

/// Answers `TokenRequest` for a service account.
pub(crate) fn token(transaction: &mut Transaction<'_>, writing: &Writing<'_>, mut request: Json) -> Result<Answer, Refusal> {
    if writing.resource.kind != "ServiceAccount" {
        return Err(Refusal::no_such_path());
    }
    let account = writing.live(transaction).ok_or_else(|| writing.missing())?;
    let token = service_account_token(transaction.facts(), &writing.namespace, &writing.name, crate::object::uid(&account));
    set(&mut request, &["status"], json!({ "token": token, "expirationTimestamp": "9999-12-31T23:59:59Z" }));
    Ok(Answer::Object(201, request))
}

#[cfg(test)]
mod tests {
    use super::super::call::tests::call;
    use super::*;
    use crate::resource::Key;
    use crate::store::{Event, Facts};
    use std::sync::Arc;

    fn reviewed(world: &World, plural: &str, body: &Json) -> Json {
        match answer(world, plural, &call("POST", "/", &body.to_string())) {
            Ok(Answer::Object(201, review)) => review["status"].clone(),
            _ => panic!("no review"),
        }
    }

    #[test]
    fn a_token_counts_as_long_as_its_secret_is_there() {
        let mut world = World::new(Facts::example("c"));
        let key = Key::new("secrets", "istio-system", "t");
        let secret = json!({ "metadata": { "name": "t", "namespace": "istio-system", "annotations": { "kubernetes.io/service-account.name": "reader" } }, "data": { "token": BASE64_STANDARD.encode("abc") } });
        world.apply(vec![Event { revision: 2, key, old: None, new: Some(Arc::new(secret)) }]);
        let status = reviewed(&world, "tokenreviews", &json!({ "spec": { "token": "abc" } }));
        assert_eq!(status["user"]["username"], json!("system:serviceaccount:istio-system:reader"));
        for token in ["", "abd"] {
            assert_eq!(reviewed(&world, "tokenreviews", &json!({ "spec": { "token": token } }))["authenticated"], json!(false));
        }
    }

    #[test]
    fn everything_is_allowed_and_said_to_be_simulated() {
        let world = World::new(Facts::example("c"));
        let status = reviewed(&world, "selfsubjectaccessreviews", &json!({ "spec": {} }));
        assert_eq!(
            (status["allowed"].as_bool(), status["reason"].as_str().is_some_and(|reason| reason.contains("(simulated)"))),
            (Some(true), true)
        );
    }
}
