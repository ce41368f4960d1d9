//! What is wrong with an object, told without a server.

use crate::client::builtin;
use engine::schema::Problem;
use engine::value::{Data, Value};

/// What is said of an object whose name the server would choose.
const GENERATED: &str = "`metadata.name` is missing, and `metadata.generateName` does not do: under a name that the server chooses, the object \
    would not be found again";

/// Every problem of an object that is seen without a server. Unknown parts are no problem.
pub(crate) fn object(object: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !matches!(object.data(), Data::Mapping(_) | Data::Instance(_)) {
        return if object.is_known() {
            vec![incomplete("an object with `apiVersion`, `kind` and `metadata.name` is needed")]
        } else {
            problems
        };
    }
    let required = |at: Option<&Value>, path: &str| match at {
        Some(value) if !value.is_known() => None,
        Some(value) if value.as_str().is_some_and(|text| !text.is_empty()) => None,
        Some(value) if !value.is_null() => Some(incomplete(format!("`{path}` has to be a text that is not empty"))),
        _ => Some(incomplete(format!("`{path}` is missing"))),
    };
    let metadata = object.get("metadata");
    let known_metadata = metadata.is_none_or(|metadata| matches!(metadata.data(), Data::Mapping(_) | Data::Null));
    problems.extend(required(object.get("apiVersion"), "apiVersion"));
    problems.extend(required(object.get("kind"), "kind"));
    if known_metadata {
        let unnamed = required(metadata.and_then(|metadata| metadata.get("name")), "metadata.name");
        let generated = metadata.is_some_and(|metadata| metadata.present("generateName").is_some());
        problems.extend(unnamed.map(|problem| if generated { incomplete(GENERATED) } else { problem }));
    }
    if !problems.is_empty() {
        return problems;
    }
    let kind = object.text("kind").unwrap_or_default();
    let metadata = |part| metadata.and_then(|metadata| metadata.present(part));
    if let Some(problem) = metadata("name").and_then(Value::as_str).and_then(|name| object_name(kind, name)) {
        problems.push(problem);
    }
    if let Some(namespace) = metadata("namespace").and_then(Value::as_str) {
        problems.extend(label_name("metadata.namespace", namespace));
        if builtin(object.text("apiVersion").unwrap_or_default(), kind).is_some_and(|served| !served.namespaced) {
            let detail = format!("no namespace holds objects of kind `{kind}`; `metadata.namespace` is left out");
            problems.push(Problem::new("namespace not used", detail).warning());
        }
    }
    for part in ["labels", "annotations"] {
        problems.extend(metadata(part).into_iter().flat_map(|entries| keys(part, entries)));
    }
    problems
}

fn incomplete(detail: impl Into<String>) -> Problem {
    Problem::new("incomplete object", detail)
}

/// What is wrong with the name of an object of a kind.
pub(crate) fn object_name(kind: &str, name: &str) -> Option<Problem> {
    match kind {
        "Namespace" | "Service" => label_name("metadata.name", name),
        "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => {
            let fits = !matches!(name, "." | "..") && !name.contains(['/', '%']);
            (!fits).then(|| invalid("metadata.name", name, "it may not hold `/` or `%`, nor be `.` or `..`"))
        }
        _ => {
            let rule = "small letters, digits, `-` and `.` are allowed, at most 253, each part starting and ending with a letter or digit";
            (!subdomain(name)).then(|| invalid("metadata.name", name, rule))
        }
    }
}

/// What is wrong with a name that has to be a DNS label.
pub(crate) fn label_name(path: &str, name: &str) -> Option<Problem> {
    let fits = label(name);
    (!fits)
        .then(|| invalid(path, name, "small letters, digits and `-` are allowed, at most 63, starting and ending with a letter or digit"))
}

fn invalid(path: &str, name: &str, rule: &str) -> Problem {
    Problem::new("invalid name", format!("`{path}` is `{name}`: {rule}"))
}

fn label(name: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.len() <= 63
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && edge(name.chars().next())
        && edge(name.chars().next_back())
}

fn subdomain(name: &str) -> bool {
    let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| part.starts_with(small) && part.ends_with(small) && part.chars().all(|c| small(c) || c == '-');
    name.len() <= 253 && name.split('.').all(part)
}

/// What is wrong with the keys and values of labels or annotations.
pub(crate) fn keys(part: &str, entries: &Value) -> Vec<Problem> {
    let name = |text: &str, longest: usize| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        text.len() <= longest
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            && edge(text.chars().next())
            && edge(text.chars().next_back())
    };
    let mut problems = Vec::new();
    for entry in entries.entries() {
        let fits = match entry.key.split_once('/') {
            Some((prefix, key)) => subdomain(prefix) && name(key, 63),
            None => name(&entry.key, 63),
        };
        if !fits {
            let rule = "letters, digits, `-`, `_` and `.` are allowed, at most 63, after an optional `domain/`";
            problems.push(Problem::new("invalid key", format!("`metadata.{part}` has a key `{}`: {rule}", entry.key)));
        }
        match entry.value.as_str() {
            Some(text) if part == "labels" && !text.is_empty() && !name(text, 63) => {
                let rule = "letters, digits, `-`, `_` and `.` are allowed, at most 63";
                problems.push(Problem::new("invalid label", format!("the label `{}` is `{text}`: {rule}", entry.key)));
            }
            None if entry.value.is_known() && !entry.value.is_null() => {
                let detail = format!("`metadata.{part}` has `{}` with a value that is no text", entry.key);
                problems.push(Problem::new("invalid value", detail).help("put the value in quotes"));
            }
            _ => {}
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::{Value as Json, json};

    fn check(value: &Json) -> Vec<String> {
        object(&Value::from_json(value)).into_iter().map(|problem| problem.detail).collect()
    }

    fn named(api_version: &str, kind: &str, metadata: &Json) -> Json {
        json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata })
    }

    #[test]
    fn what_is_missing_is_named() {
        let generated = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "generateName": "m-" } });
        assert_eq!(check(&generated), [GENERATED]);
        assert_eq!(check(&json!({})), ["`apiVersion` is missing", "`kind` is missing", "`metadata.name` is missing"]);
        assert_eq!(check(&json!("x")), ["an object with `apiVersion`, `kind` and `metadata.name` is needed"]);
        assert_eq!(
            check(&named("v1", "", &json!({ "name": 7 }))),
            ["`kind` has to be a text that is not empty", "`metadata.name` has to be a text that is not empty"]
        );
        assert!(object(&Value::unknown(Type::Any)).is_empty());
        let metadata = Value::unknown(Type::Any);
        assert!(
            object(&Value::object([("apiVersion", Value::string("v1")), ("kind", Value::string("Secret")), ("metadata", metadata)]))
                .is_empty()
        );
    }

    #[test]
    fn names_follow_dns_where_the_server_wants_it() {
        let long = "a".repeat(64);
        for (kind, name, fits) in [
            ("Secret", "istio.a-b", true),
            ("Secret", "A", false),
            ("Secret", "a.", false),
            ("Secret", "-a", false),
            ("Secret", long.as_str(), true),
            ("Namespace", "a.b", false),
            ("Namespace", long.as_str(), false),
            ("Namespace", "istio-system", true),
            ("ClusterRole", "system:node", true),
            ("ClusterRole", "a/b", false),
        ] {
            assert_eq!(object_name(kind, name).is_none(), fits, "{kind} {name}");
        }
    }

    #[test]
    fn labels_and_annotations_are_looked_at() {
        let labels = |labels: Json| check(&named("v1", "Secret", &json!({ "name": "a", "labels": labels })));
        assert!(labels(json!({ "topology.istio.io/network": "n-1", "x": "" })).is_empty());
        assert_eq!(labels(json!({ "-x": "y" })).len(), 1);
        assert_eq!(labels(json!({ "x": "a b" })), ["the label `x` is `a b`: letters, digits, `-`, `_` and `.` are allowed, at most 63"]);
        assert_eq!(labels(json!({ "x": true })), ["`metadata.labels` has `x` with a value that is no text"]);
        assert!(check(&named("v1", "Secret", &json!({ "name": "a", "annotations": { "x": "any text, at all" } }))).is_empty());
    }

    #[test]
    fn a_namespace_where_none_belongs_is_a_warning() {
        let problems = object(&Value::from_json(&named("v1", "Namespace", &json!({ "name": "a", "namespace": "b" }))));
        assert!(problems.len() == 1 && problems[0].warning);
    }
}
