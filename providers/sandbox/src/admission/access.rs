//! What the API server refuses of roles and their bindings.

use crate::object::{Json, items, text};
use crate::resource::{Resource, Scope};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Refuses rules that allow nothing.
pub(super) fn rules(object: &Json, causes: &mut Vec<(String, String)>) {
    for (at, rule) in items(object, &["rules"]).iter().enumerate() {
        let mut require = |field: &str, why: &str| {
            if items(rule, &[field]).is_empty() {
                causes.push((format!("rules[{at}].{field}"), format!("Required value: {why}")));
            }
        };
        require("verbs", "verbs must contain at least one value");
        if items(rule, &["nonResourceURLs"]).is_empty() {
            require("apiGroups", "resource rules must supply at least one api group");
            require("resources", "resource rules must supply at least one resource");
        }
    }
}

/// Refuses a role that is made of others and says of none which.
pub(super) fn aggregation(object: &Json, causes: &mut Vec<(String, String)>) {
    let made = object.get("aggregationRule").is_some_and(|rule| !rule.is_null());
    if made && items(object, &["aggregationRule", "clusterRoleSelectors"]).is_empty() {
        let why = "Required value: at least one clusterRoleSelector required if aggregationRule is non-nil";
        causes.push(("aggregationRule.clusterRoleSelectors".to_owned(), why.to_owned()));
    }
}

/// Refuses a binding of what is no role, or to whom nobody is.
pub(super) fn binding(resource: &Resource, object: &Json, causes: &mut Vec<(String, String)>) {
    let roles = if resource.scope == Scope::Namespaced { ["Role", "ClusterRole"].as_slice() } else { &["ClusterRole"] };
    one_of(object, &["roleRef", "apiGroup"], &[GROUP], "roleRef.apiGroup", causes);
    one_of(object, &["roleRef", "kind"], roles, "roleRef.kind", causes);
    if text(object, &["roleRef", "name"]).unwrap_or_default().is_empty() {
        causes.push(("roleRef.name".to_owned(), "Required value".to_owned()));
    }
    for (at, subject) in items(object, &["subjects"]).iter().enumerate() {
        let path = |field: &str| format!("subjects[{at}].{field}");
        if text(subject, &["name"]).unwrap_or_default().is_empty() {
            causes.push((path("name"), "Required value".to_owned()));
        }
        match text(subject, &["kind"]) {
            Some("ServiceAccount") => {
                one_of(subject, &["apiGroup"], &[""], &path("apiGroup"), causes);
                if resource.scope == Scope::Cluster && text(subject, &["namespace"]).unwrap_or_default().is_empty() {
                    causes.push((path("namespace"), "Required value".to_owned()));
                }
            }
            Some("User" | "Group") => one_of(subject, &["apiGroup"], &[GROUP], &path("apiGroup"), causes),
            _ => one_of(subject, &["kind"], &["ServiceAccount", "User", "Group"], &path("kind"), causes),
        }
    }
}

fn one_of(object: &Json, field: &[&str], allowed: &[&str], path: &str, causes: &mut Vec<(String, String)>) {
    let given = text(object, field).unwrap_or_default();
    if !allowed.contains(&given) {
        let listed: Vec<_> = allowed.iter().map(|word| format!("{word:?}")).collect();
        causes.push((path.to_owned(), format!("Unsupported value: {given:?}: supported values: {}", listed.join(", "))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;
    use serde_json::json;

    fn fields(check: impl FnOnce(&mut Vec<(String, String)>)) -> Vec<String> {
        let mut causes = Vec::new();
        check(&mut causes);
        causes.into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn rules_allow_something() {
        for (rule, expected) in [
            (json!({ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }), Vec::new()),
            (json!({ "nonResourceURLs": ["/x"], "verbs": ["get"] }), Vec::new()),
            (json!({}), vec!["rules[0].verbs", "rules[0].apiGroups", "rules[0].resources"]),
        ] {
            assert_eq!(fields(|causes| rules(&json!({ "rules": [rule] }), causes)), expected);
        }
    }

    #[test]
    fn a_role_is_made_of_those_that_it_selects() {
        for (object, expected) in
            [(json!({}), 0), (json!({ "aggregationRule": { "clusterRoleSelectors": [{}] } }), 0), (json!({ "aggregationRule": {} }), 1)]
        {
            assert_eq!(fields(|causes| aggregation(&object, causes)).len(), expected, "{object}");
        }
    }

    #[test]
    fn bindings_name_a_role_and_those_who_have_it() {
        let role = json!({ "apiGroup": GROUP, "kind": "ClusterRole", "name": "r" });
        for (plural, role, subject, expected) in [
            ("rolebindings", role.clone(), json!({ "kind": "ServiceAccount", "name": "a" }), Vec::new()),
            ("clusterrolebindings", role.clone(), json!({ "kind": "ServiceAccount", "name": "a" }), vec!["subjects[0].namespace"]),
            ("rolebindings", role.clone(), json!({ "kind": "User", "name": "u" }), vec!["subjects[0].apiGroup"]),
            ("rolebindings", role, json!({ "kind": "Nobody" }), vec!["subjects[0].name", "subjects[0].kind"]),
            (
                "clusterrolebindings",
                json!({ "kind": "Role" }),
                json!({ "kind": "Group", "name": "g", "apiGroup": GROUP }),
                vec!["roleRef.apiGroup", "roleRef.kind", "roleRef.name"],
            ),
        ] {
            let resource = builtin(GROUP, "v1", plural).expect(plural);
            let object = json!({ "roleRef": role, "subjects": [subject] });
            assert_eq!(fields(|causes| binding(&resource, &object, causes)), expected, "{object}");
        }
    }
}
