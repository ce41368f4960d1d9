//! `kubernetes_manifests`: many objects, each a member with a record and a line in the plan of its own.

use super::manifest::on_exists;
use super::{Written, parse_documents, schema};
use crate::object::{identity_of, name_of};
use crate::object_kind::{ObjectKind, ObjectName};
use crate::observation::{sealed, veiled};
use crate::rules::{Rank, rank};
use crate::validation;
use engine::schema::{Attribute, Member, Problem, Schema};
use engine::value::{Type, Value};
use std::collections::{BTreeMap, BTreeSet};

/// `kubernetes_manifests`.
pub struct Manifests {
    schema: Schema,
}

impl Default for Manifests {
    fn default() -> Self {
        let doc = "A set of Kubernetes objects. Each is a member with its own line in the plan; what leaves the set is deleted.";
        let content = "YAML text of any number of documents, such as `file(\"addons.yaml\")`. Has to be known when planning.";
        let objects = "Objects, in addition to those of `content`. Their names have to be known when planning.";
        let selector = "Labels that an object must have to count; all objects count without it.";
        let own = vec![
            Attribute::optional("content", Type::String, content),
            Attribute::optional("objects", Type::Any, objects),
            Attribute::optional("selector", Type::map(Type::String), selector),
            Attribute::optional("namespace", Type::String, "The namespace of objects that say none, as `kubectl apply -n`."),
            Attribute::optional("wait", Type::Bool, "Whether to wait until each object is ready.").default(Value::bool(true)),
        ];
        // The members settle, each by itself; the set has nothing to find out after them.
        Self { schema: Schema { settles: false, ..schema("kubernetes_manifests", doc, own) } }
    }
}

impl ObjectKind for Manifests {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems: Vec<_> = on_exists(arguments).into_iter().collect();
        match chosen(arguments) {
            Ok(objects) => problems.extend(objects.iter().flat_map(|object| told(object, validation::object(&object.object)))),
            // What is not known yet is said when it is rendered.
            Err(problem) if problem.summary == NOT_KNOWN => {}
            Err(problem) => problems.push(problem),
        }
        problems
    }

    fn object(&self, _: &Value) -> Option<Result<Value, Problem>> {
        None
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        let given = |name| arguments.present(name).map(|value| (name, value.clone()));
        let extra: Vec<_> = ["force", "on_exists", "wait"].into_iter().filter_map(given).collect();
        let null = Value::null();
        let cluster = arguments.get("cluster").unwrap_or(&null);
        Some(chosen(arguments).and_then(|objects| members(cluster, objects.into_iter().map(|chosen| chosen.object).collect(), &extra)))
    }

    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        Value::object(attributes.entries().iter().map(|entry| {
            let kept = if matches!(&*entry.key, "content" | "objects") { sealed(&entry.value, secret_key) } else { entry.value.clone() };
            (entry.key.clone(), kept)
        }))
    }
}

const NOT_KNOWN: &str = "manifests not known";

/// An object of the set.
struct Chosen {
    /// Where in `content` it stands, if there.
    place: Option<String>,
    object: Value,
}

/// The objects that the arguments name, as far as the selector lets them in.
fn chosen(arguments: &Value) -> Result<Vec<Chosen>, Problem> {
    let mut objects = written(arguments)?;
    let given = |object: &Value| Chosen { place: None, object: object.clone() };
    match arguments.present("objects") {
        Some(several) if !several.items().is_empty() => objects.extend(several.items().iter().map(given)),
        Some(several) if !several.entries().is_empty() => objects.extend(several.entries().iter().map(|entry| given(&entry.value))),
        Some(several) if !several.is_known() => return Err(not_known("objects")),
        _ => {}
    }
    let selector = arguments.present("selector").map(Value::entries).unwrap_or_default();
    objects.retain(|Chosen { object, .. }| {
        let labels = object.get("metadata").and_then(|metadata| metadata.get("labels"));
        selector.iter().all(|entry| labels.and_then(|labels| labels.text(&entry.key)) == entry.value.as_str())
    });
    if let Some(namespace) = arguments.text("namespace") {
        for chosen in &mut objects {
            chosen.object = placed(&chosen.object, namespace);
        }
    }
    Ok(objects)
}

/// The objects of `content`.
fn written(arguments: &Value) -> Result<Vec<Chosen>, Problem> {
    let Some(content) = arguments.present("content") else { return Ok(Vec::new()) };
    let Some(text) = content.as_str() else { return Err(not_known("content")) };
    let documents = parse_documents(text).map_err(|problem| Problem { attribute: Some("content".into()), ..problem })?;
    let chosen =
        |written: Written| Chosen { place: Some(written.place()), object: written.object.sensitive_if(content.is_marked_sensitive()) };
    Ok(documents.into_iter().map(chosen).collect())
}

fn not_known(attribute: &str) -> Problem {
    let detail = format!("`{attribute}` is known only after apply, but which objects there are has to be known when planning");
    Problem::with(attribute, NOT_KNOWN, detail).help("write the objects out in `objects`: then only their names have to be known")
}

/// The object in a namespace, unless it says one or none holds its kind.
fn placed(object: &Value, namespace: &str) -> Value {
    let metadata = object.get("metadata").filter(|metadata| metadata.present("namespace").is_none());
    let held = crate::client::builtin(object.text("apiVersion").unwrap_or_default(), object.text("kind").unwrap_or_default());
    let (Some(metadata), true) = (metadata, held.is_none_or(|served| served.namespaced)) else { return object.clone() };
    let within = metadata.entries().iter().map(|entry| (entry.key.to_string(), entry.value.clone()));
    let within = Value::object(within.chain([("namespace".to_owned(), Value::string(namespace))]));
    Value::object(
        object.entries().iter().map(|entry| (entry.key.to_string(), entry.value.clone())).chain([("metadata".to_owned(), within)]),
    )
}

/// Problems of an object, with its place and name.
fn told(chosen: &Chosen, problems: Vec<Problem>) -> impl Iterator<Item = Problem> {
    let place = chosen.place.iter().map(|place| format!("`content`, {place}: "));
    let name = name_of(&chosen.object).map(|name| format!("{name}: "));
    let whose: String = place.chain(name).collect();
    problems.into_iter().map(move |problem| Problem { detail: format!("{whose}{}", problem.detail), ..problem })
}

/// The members of a set that holds these objects, in the order in which they are made. `cluster` is the reference each lies in; `extra` are
/// further arguments of `kubernetes_manifest`, such as `force`. Two objects of one name, or one without a known name, are a problem.
pub fn members(cluster: &Value, objects: Vec<Value>, extra: &[(&'static str, Value)]) -> Result<Vec<Member>, Problem> {
    let mut ranked: Vec<(Rank, ObjectName, Value)> = Vec::new();
    for object in objects {
        if let Some(problem) = validation::object(&object).into_iter().find(|problem| !problem.warning) {
            return Err(problem);
        }
        let Some(name) = name_of(&object) else {
            let detail =
                "an object's kind, namespace or name is known only after apply, but which objects there are has to be known when planning";
            return Err(Problem::new(NOT_KNOWN, detail));
        };
        ranked.push((rank(&name), name, object));
    }
    ranked.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let keys = keys(&ranked)?;
    // A Service may wait long for its address, and nothing else has to wait for that.
    let awaited = |rank: Rank| rank != Rank::Service;
    let mut before: BTreeMap<Rank, Vec<String>> = BTreeMap::new();
    for ((rank, ..), key) in ranked.iter().zip(&keys).filter(|((rank, ..), _)| awaited(*rank)) {
        before.entry(*rank).or_default().push(key.clone());
    }
    let members = ranked.into_iter().zip(keys).map(|((rank, _, object), key)| {
        let after = before.range(..rank).next_back().map(|(_, keys)| keys.clone()).unwrap_or_default();
        Member { key, kind: "kubernetes_manifest", arguments: arguments(cluster, &object, extra), after }
    });
    Ok(members.collect())
}

/// The key of each member: `Kind/namespace/name`, with the group behind the kind where two groups have one of that name.
fn keys(ranked: &[(Rank, ObjectName, Value)]) -> Result<Vec<String>, Problem> {
    let mut groups: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (_, name, _) in ranked {
        groups.entry(name.to_string()).or_default().insert(name.group());
    }
    let mut seen = BTreeSet::new();
    let keys = ranked.iter().map(|(_, name, _)| {
        let plain = name.to_string();
        let key = if groups.get(&plain).is_some_and(|groups| groups.len() > 1) { identity_of(name) } else { plain };
        if !seen.insert(key.clone()) {
            return Err(Problem::new("duplicate member", format!("the set holds `{key}` twice")).help("remove one of the two"));
        }
        Ok(key)
    });
    keys.collect()
}

/// The arguments of a member.
fn arguments(cluster: &Value, object: &Value, extra: &[(&'static str, Value)]) -> Value {
    let fixed = [
        ("cluster", cluster.clone()),
        ("manifest", veiled(object)),
        ("yaml", Value::null()),
        ("wait", Value::bool(true)),
        ("force", Value::bool(false)),
        ("on_exists", Value::string("error")),
    ];
    Value::object(fixed.into_iter().chain(extra.iter().cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn object(api_version: &str, kind: &str, name: &str) -> Json {
        json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name, "namespace": "n" } })
    }

    fn set(arguments: &Json) -> Result<Vec<(String, Vec<String>)>, String> {
        let members = Manifests::default().members(&Value::from_json(arguments)).expect("a set");
        members.map(|members| members.into_iter().map(|member| (member.key, member.after)).collect()).map_err(|problem| problem.detail)
    }

    #[test]
    fn members_are_ordered_and_wait_for_those_before_them() {
        let objects = json!([
            object("networking.istio.io/v1", "Gateway", "g"),
            object("apps/v1", "Deployment", "d"),
            object("v1", "Service", "s"),
            object("v1", "ConfigMap", "c"),
            object("v1", "Namespace", "n"),
        ]);
        let expected = [
            ("Namespace/n", vec![]),
            ("ConfigMap/n/c", vec!["Namespace/n"]),
            ("Service/n/s", vec!["ConfigMap/n/c"]),
            ("Deployment/n/d", vec!["ConfigMap/n/c"]),
            ("Gateway/n/g", vec!["Deployment/n/d"]),
        ];
        let expected: Vec<_> =
            expected.iter().map(|(key, after)| ((*key).to_owned(), after.iter().map(|key| (*key).to_owned()).collect())).collect();
        assert_eq!(set(&json!({ "objects": objects })), Ok(expected));
    }

    #[test]
    fn text_selector_and_namespace_choose_the_objects() {
        let content = "apiVersion: v1\nkind: Service\nmetadata: { name: a, labels: { service: x } }\n---\napiVersion: v1\nkind: Service\nmetadata: { name: b }\n";
        let keys = |arguments: Json| set(&arguments).map(|members| members.into_iter().map(|(key, _)| key).collect::<Vec<_>>());
        assert_eq!(keys(json!({ "content": content })), Ok(vec!["Service/default/a".to_owned(), "Service/default/b".to_owned()]));
        assert_eq!(
            keys(json!({ "content": content, "selector": { "service": "x" }, "namespace": "sample" })),
            Ok(vec!["Service/sample/a".to_owned()])
        );
        assert_eq!(keys(json!({ "content": "", "objects": {} })), Ok(vec![]));
    }

    #[test]
    fn two_of_one_name_are_a_problem_and_two_groups_are_not() {
        let secret = object("v1", "Secret", "a");
        assert_eq!(set(&json!({ "objects": [secret, secret] })), Err("the set holds `Secret/n/a` twice".into()));
        let two = json!({ "objects": [object("networking.istio.io/v1", "Gateway", "a"), object("gateway.networking.k8s.io/v1", "Gateway", "a")] });
        let keys: Vec<_> = set(&two).expect("members").into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["Gateway.gateway.networking.k8s.io/n/a", "Gateway.networking.istio.io/n/a"]);
    }

    #[test]
    fn what_is_in_a_set_has_to_be_known() {
        let unknown = Value::object([("content", Value::unknown(Type::String))]);
        let kind = Manifests::default();
        assert!(kind.validate(&unknown).is_empty());
        assert!(kind.members(&unknown).is_some_and(|members| members.is_err_and(|problem| problem.summary == NOT_KNOWN)));
        let metadata = Value::object([("name", Value::string("a")), ("annotations", Value::unknown(Type::Any))]);
        let object = Value::object([("apiVersion", Value::string("v1")), ("kind", Value::string("Secret")), ("metadata", metadata)]);
        let known = Value::object([("objects", Value::tuple(vec![object]))]);
        assert!(kind.members(&known).is_some_and(|members| members.is_ok_and(|members| members.len() == 1)));
    }

    #[test]
    fn problems_name_their_object() {
        let bad = json!({ "objects": [{ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "A" } }, { "kind": "x" }], "on_exists": "x" });
        let details: Vec<_> = Manifests::default().validate(&Value::from_json(&bad)).into_iter().map(|problem| problem.detail).collect();
        assert!(details.iter().any(|detail| detail.starts_with("Secret/default/A: `metadata.name` is `A`")), "{details:?}");
        assert_eq!(details.len(), 4);
    }

    #[test]
    fn a_record_keeps_fingerprints_of_what_was_rendered() {
        let arguments = Value::from_json(&json!({ "content": "hunter2", "objects": [{ "data": "hunter2" }], "namespace": "n" }));
        let kept = Manifests::default().remembered(&arguments, b"key").to_json().expect("known");
        assert!(!kept.to_string().contains("hunter2"));
        assert_eq!(kept["namespace"], "n");
    }
}
