//! Users with fewer rights than all, and credentials that do not open.

use super::authority::Validity;
use super::process::ISSUER;
use super::{Access, ApiServer, Credential};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

impl ApiServer {
    /// The way in for a user with a client certificate who may do what these RBAC rules say, in all namespaces.
    pub fn user(&self, name: &str, rules: &[Value]) -> Access {
        self.allow(name, rules, &json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name }));
        self.certificate_user(name, &[], Validity::Current)
    }

    /// The way in for a user of these groups with a client certificate, to whom nothing is allowed by this.
    pub fn certificate_user(&self, name: &str, groups: &[&str], validity: Validity) -> Access {
        self.admin().named(name).by(Credential::Certificate(self.authority().client(name, groups, validity)))
    }

    /// The way in for a service account with a bound token (good for one hour), which is made in the namespace and may do what the rules
    /// say, in all namespaces.
    pub fn token_user(&self, namespace: &str, name: &str, rules: &[Value]) -> Access {
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        self.api().make(&accounts, &json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name } }));
        self.allow(&format!("{namespace}-{name}"), rules, &json!({ "kind": "ServiceAccount", "name": name, "namespace": namespace }));
        let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": { "expirationSeconds": 3600 } });
        let token = self.api().call("POST", &format!("{accounts}/{name}/token"), Some(&request)).done();
        self.admin().named(name).by(Credential::Token(token["status"]["token"].as_str().unwrap().to_owned()))
    }

    /// A token of the service account `default` of the namespace `default`, good for an hour from now, or until an hour ago.
    pub fn default_token(&self, validity: Validity) -> String {
        let account = self.api().get("/api/v1/namespaces/default/serviceaccounts/default").unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let expires = match validity {
            Validity::Current => now + 3600,
            Validity::Past => now - 3600,
        };
        self.tokens.token(&json!({
            "iss": ISSUER, "aud": [ISSUER], "iat": now - 7200, "nbf": now - 7200, "exp": expires, "sub": "system:serviceaccount:default:default",
            "kubernetes.io": { "namespace": "default", "serviceaccount": { "name": "default", "uid": account["metadata"]["uid"] } },
        }))
    }

    /// Lets a subject do what the rules say, by a cluster role of this name, which must be new, and its binding.
    pub fn allow(&self, role: &str, rules: &[Value], subject: &Value) {
        let rbac = "/apis/rbac.authorization.k8s.io/v1";
        let version = "rbac.authorization.k8s.io/v1";
        let role = json!({ "apiVersion": version, "kind": "ClusterRole", "metadata": { "name": role }, "rules": rules });
        let binding = json!({
            "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": role["metadata"], "subjects": [subject],
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role["metadata"]["name"] },
        });
        self.api().make(&format!("{rbac}/clusterroles"), &role);
        self.api().make(&format!("{rbac}/clusterrolebindings"), &binding);
    }
}
