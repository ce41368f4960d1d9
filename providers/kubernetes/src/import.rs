//! Objects that are there and are to be ours: which one an id names, and what of it the arguments speak of.

use crate::client::builtin;
use crate::difference::difference;
use crate::object::{canonical, is_secret, name_of, name_of_id};
use crate::object_kind::{ObjectKind, ObjectName, Ownership};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::schema::Problem;
use engine::value::{Data, Value};

/// Whether an id names the object that these arguments write. It is `apiVersion=v1,kind=Secret,namespace=n,name=a` or `v1/Secret/n/a`, and of
/// kinds that are always objects of one kind also `n/a` or `a`.
pub(crate) fn agrees(kind: &dyn ObjectKind, id: &str, arguments: &Value) -> Result<(), Problem> {
    let (Some(_), Some(object)) = (kind.imported(), kind.object(arguments)) else { return Err(not_importable(kind)) };
    let Some(desired) = name_of(&canonical(&object?)) else {
        let detail = "its kind, namespace or name is known only after apply, and what is imported is looked at when the plan is made";
        return Err(
            Problem::new("import not known yet", detail).help("Let them come from variables, locals or a data source that is read now.")
        );
    };
    let named = read(kind, id)?;
    if named.group() == desired.group() && named.kind == desired.kind && named.name == desired.name && in_one_namespace(&named, &desired) {
        return Ok(());
    }
    let written = |name: &ObjectName| match name.group() {
        "" => name.to_string(),
        group => format!("{name} of {group}"),
    };
    let detail = format!("`id` names `{}`, and the configuration writes `{}`", written(&named), written(&desired));
    Err(Problem::new("id of another object", detail).help("Let both name the same object."))
}

/// The object that an id names where no configuration describes it yet.
pub(crate) fn named_by(kind: &dyn ObjectKind, id: &str) -> Result<ObjectName, Problem> {
    let named = read(kind, id)?;
    match kind.writes() {
        Some((api_version, written)) if (api_version, written) != (named.api_version.as_str(), named.kind.as_str()) => {
            let detail = format!("`id` names `{named}`, and `{}` writes objects of kind `{written}`", kind.schema().kind);
            let help = "Import it as a `kubernetes_manifest`, or correct `id`.";
            Err(Problem::new("id of another object", detail).help(help))
        }
        _ => Ok(named),
    }
}

/// The object that an id names.
fn read(kind: &dyn ObjectKind, id: &str) -> Result<ObjectName, Problem> {
    let named = named(id).or_else(|| short(id, kind.writes()?));
    named.ok_or_else(|| {
        let long = "`apiVersion=v1,kind=Secret,namespace=n,name=a` or `v1/Secret/n/a`";
        let forms = if kind.writes().is_none() { long.to_owned() } else { format!("`n/a`, {long}") };
        Problem::new("wrong `id`", format!("`{id}` names no object")).help(format!("Write it like {forms}."))
    })
}

fn not_importable(kind: &dyn ObjectKind) -> Problem {
    let name = kind.schema().kind;
    let problem = |detail: String| Problem::new("not importable", detail);
    if kind.ownership() == Ownership::Fields {
        let detail = format!("`{name}` owns fields of an object that somebody else makes, and takes them over as it is");
        return problem(detail).help("Do without an import: an apply takes them over.");
    }
    let detail = format!("`{name}` makes its objects from more than an object says, and cannot be imported");
    if kind.schema().attribute("on_exists").is_some() {
        return problem(detail).help("Write `on_exists = \"adopt\"` in its block instead: an apply then takes over what is there already.");
    }
    problem(detail).help("Do without an import: an apply creates it.")
}

/// The object that a whole id names.
fn named(id: &str) -> Option<ObjectName> {
    if !id.contains('=') {
        return name_of_id(id);
    }
    let (mut api_version, mut kind, mut namespace, mut name) = (None, None, None, None);
    for part in id.split(',') {
        let (key, value) = part.trim().split_once('=')?;
        let place = match key.trim() {
            "apiVersion" => &mut api_version,
            "kind" => &mut kind,
            "namespace" => &mut namespace,
            "name" => &mut name,
            _ => return None,
        };
        if place.replace(value.trim().to_owned()).is_some() {
            return None;
        }
    }
    Some(ObjectName { api_version: api_version?, kind: kind?, namespace, name: name.filter(|name| !name.is_empty())? })
}

/// The object of a kind that a short id names.
fn short(id: &str, (api_version, kind): (&str, &str)) -> Option<ObjectName> {
    let (namespace, name) = match id.split('/').collect::<Vec<_>>()[..] {
        [name] => (None, name),
        [namespace, name] => (Some(namespace.to_owned()), name),
        _ => return None,
    };
    (!name.is_empty() && !name.contains('=')).then(|| ObjectName { namespace, ..ObjectName::global(api_version, kind, name) })
}

/// Whether two names lie in one namespace. Where none is said it is `default`, unless no namespace holds such objects.
fn in_one_namespace(named: &ObjectName, desired: &ObjectName) -> bool {
    let held = builtin(&desired.api_version, &desired.kind).is_none_or(|served| served.namespaced);
    let said = |name: &ObjectName| name.namespace.clone().filter(|namespace| !held || namespace != "default");
    said(named) == said(desired)
}

/// The arguments as a live object has them, as far as they speak of it.
pub(crate) fn as_found(kind: &dyn ObjectKind, arguments: &Value, live: &Value) -> Vec<(&'static str, Value)> {
    let live = with_text(live);
    let parts = kind.imported().unwrap_or_default().iter().filter_map(|(argument, path)| {
        let there = path.iter().try_fold(&live, |at, step| at.get(step));
        Some((*argument, as_there(arguments.present(argument)?, there)))
    });
    parts.collect()
}

/// What is there in the place of what is desired, no more than that speaks of.
fn as_there(desired: &Value, there: Option<&Value>) -> Value {
    let Some(there) = there else { return Value::null() };
    if difference(desired, there).wanted.is_empty() {
        return desired.clone();
    }
    let pairs = desired.items().iter().zip(there.items());
    let value = match (desired.data(), there.data()) {
        (Data::Mapping(_), Data::Mapping(_)) => Value::object(desired.entries().iter().filter_map(|entry| {
            let there = there.get(&entry.key)?;
            Some((entry.key.clone(), as_there(&entry.value, Some(there))))
        })),
        (Data::Sequence(_), Data::Sequence(_)) if desired.items().len() == there.items().len() => {
            Value::tuple(pairs.map(|(desired, there)| as_there(desired, Some(there))).collect())
        }
        _ => there.clone(),
    };
    value.sensitive_if(desired.is_marked_sensitive())
}

/// A live Secret with its data as text, as far as it is text, in addition.
pub(crate) fn with_text(live: &Value) -> Value {
    let Some(data) = live.get("data").filter(|_| is_secret(live)) else { return live.clone() };
    let text = |value: &Value| String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok();
    let texts = data.entries().iter().filter_map(|entry| Some((entry.key.clone(), Value::string(text(&entry.value)?).sensitive())));
    let entries = live.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone()));
    Value::object(entries.chain([("stringData".into(), Value::object(texts))]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{Labels, Manifest, Manifests, Namespace, Secret};
    use crate::observation::value_of;
    use serde_json::{Value as Json, json};

    fn summary(kind: &dyn ObjectKind, id: &str, arguments: &Json) -> String {
        agrees(kind, id, &Value::from_json(arguments)).err().map(|problem| problem.summary).unwrap_or_default()
    }

    #[test]
    fn an_id_names_the_object_that_the_configuration_writes() {
        let manifest = |api_version: &str, kind: &str, namespace: Json| json!({ "manifest": { "apiVersion": api_version, "kind": kind, "metadata": { "name": "a", "namespace": namespace } } });
        let other = "id of another object";
        let rows = [
            ("apiVersion=v1,kind=ConfigMap,namespace=n,name=a", manifest("v1", "ConfigMap", json!("n")), ""),
            (" kind=ConfigMap, apiVersion=v1 , name=a,namespace=n", manifest("v1", "ConfigMap", json!("n")), ""),
            ("v1/ConfigMap/n/a", manifest("v1", "ConfigMap", json!("n")), ""),
            ("v1/ConfigMap/a", manifest("v1", "ConfigMap", json!("n")), other),
            ("v1/ConfigMap/a", manifest("v1", "ConfigMap", json!("default")), ""),
            ("v1/ConfigMap/default/a", manifest("v1", "ConfigMap", Json::Null), ""),
            ("v1/ConfigMap/n/b", manifest("v1", "ConfigMap", json!("n")), other),
            ("v1/Secret/n/a", manifest("v1", "ConfigMap", json!("n")), other),
            ("networking.istio.io/v1/Gateway/n/a", manifest("networking.istio.io/v1beta1", "Gateway", json!("n")), ""),
            ("gateway.networking.k8s.io/v1/Gateway/n/a", manifest("networking.istio.io/v1", "Gateway", json!("n")), other),
            ("apiVersion=v1,kind=Namespace,name=a", manifest("v1", "Namespace", Json::Null), ""),
            ("apiVersion=v1,kind=Namespace,namespace=default,name=a", manifest("v1", "Namespace", Json::Null), other),
            ("n/a", manifest("v1", "ConfigMap", json!("n")), "wrong `id`"),
            ("", manifest("v1", "ConfigMap", json!("n")), "wrong `id`"),
            ("apiVersion=v1,kind=ConfigMap", manifest("v1", "ConfigMap", json!("n")), "wrong `id`"),
            ("apiVersion=v1,kind=ConfigMap,name=a,name=b", manifest("v1", "ConfigMap", json!("n")), "wrong `id`"),
            ("apiVersion=v1,kind=ConfigMap,name=a,uid=b", manifest("v1", "ConfigMap", json!("n")), "wrong `id`"),
        ];
        for (id, arguments, expected) in rows {
            assert_eq!(summary(&Manifest::default(), id, &arguments), expected, "{id} {arguments}");
        }
    }

    #[test]
    fn a_short_id_is_enough_where_the_kind_is_always_the_same() {
        let secret = json!({ "name": "a", "namespace": "n" });
        for (id, expected) in
            [("n/a", ""), ("v1/Secret/n/a", ""), ("a", "id of another object"), ("n/b", "id of another object"), ("x/n/a", "wrong `id`")]
        {
            assert_eq!(summary(&Secret::default(), id, &secret), expected, "{id}");
        }
        let namespace = json!({ "name": "istio-system" });
        for (id, expected) in [("istio-system", ""), ("kube-system", "id of another object"), ("n/istio-system", "id of another object")] {
            assert_eq!(summary(&Namespace::default(), id, &namespace), expected, "{id}");
        }
        let unknown = Value::object([("name", Value::unknown(engine::value::Type::String))]);
        assert_eq!(
            agrees(&Namespace::default(), "a", &unknown).err().map(|problem| problem.summary).as_deref(),
            Some("import not known yet")
        );
    }

    #[test]
    fn what_is_no_object_of_its_own_is_not_imported() {
        let labels = json!({ "api_version": "v1", "kind": "Node", "name": "a", "labels": {} });
        assert_eq!(summary(&Labels::default(), "v1/Node/a", &labels), "not importable");
        assert_eq!(summary(&Manifests::default(), "x", &json!({ "content": "" })), "not importable");
    }

    #[test]
    fn what_is_there_is_shown_as_far_as_the_arguments_speak_of_it() {
        let live = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "n", "labels": { "x": "y" } },
            "data": { "same": "1", "other": "2", "more": "3" }, "list": [1, 2] });
        let manifest = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "n" },
            "data": { "same": "1", "other": "4", "new": "5" }, "list": [1, 3] });
        let found = as_found(&Manifest::default(), &Value::from_json(&json!({ "manifest": manifest })), &value_of(&live));
        let expected = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "n" },
            "data": { "same": "1", "other": "2" }, "list": [1, 2] });
        assert_eq!(found.into_iter().map(|(name, value)| (name, value.to_json().unwrap())).collect::<Vec<_>>(), [("manifest", expected)]);
    }

    #[test]
    fn the_text_of_a_secret_is_compared_and_never_shown() {
        let live = json!({ "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": { "name": "a", "labels": { "x": "y" } },
            "data": { "k": "aHVudGVyMg==", "raw": "/w==" } });
        let arguments = Value::object([
            ("type", Value::string("Opaque")),
            ("data", Value::object([("k", Value::string("hunter3"))]).sensitive()),
            ("labels", Value::null()),
        ]);
        let found = as_found(&Secret::default(), &arguments, &value_of(&live));
        let data = found.iter().find(|(name, _)| *name == "data").map(|(_, data)| data).unwrap();
        assert_eq!(data.to_json().unwrap(), json!({ "k": "hunter2" }));
        assert!(data.is_marked_sensitive() && data.get("k").unwrap().is_marked_sensitive());
        assert_eq!(found.len(), 2, "what the arguments say nothing of is not shown");
    }
}
