//! What is there of the fields that were to be ours, whoever holds them by now.

use crate::object::canonical;
use crate::object_kind::{Json, ObjectKind};
use engine::value::Value;
use serde_json::Map;

/// The part of a live object that is ours, with what is there of other fields that the arguments write, but for those that controllers have
/// made their own (paths as [`crate::difference`] names them). Nothing if the arguments do not tell.
pub(crate) fn held(kind: &dyn ObjectKind, arguments: &Value, (part, live): (&Json, &Json), rewritten: &[Vec<String>]) -> Option<Json> {
    let mut shape = canonical(&kind.object(arguments)?.ok()?).to_json().ok()?;
    for path in rewritten {
        forget(&mut shape, path);
    }
    let mut held = part.clone();
    fill(&mut held, &shape, live);
    Some(held)
}

/// Adds what is there of the shape's fields and not in the part yet.
fn fill(part: &mut Json, shape: &Json, live: &Json) {
    match (part, shape, live) {
        (Json::Object(part), Json::Object(shape), Json::Object(live)) => {
            for (key, inner) in shape {
                let Some(there) = live.get(key) else { continue };
                match part.get_mut(key) {
                    Some(known) => fill(known, inner, there),
                    None => drop(part.insert(key.clone(), projected(inner, there))),
                }
            }
        }
        (Json::Array(part), Json::Array(shape), Json::Array(live)) => {
            for inner in shape {
                let Some(there) = named_like(live, inner) else { continue };
                match part.iter_mut().find(|item| name(item) == name(inner)) {
                    Some(known) => fill(known, inner, there),
                    None => part.push(projected(inner, there)),
                }
            }
        }
        _ => {}
    }
}

fn forget(shape: &mut Json, path: &[String]) {
    let Some((step, rest)) = path.split_first() else { return };
    let next = match shape {
        Json::Object(fields) if rest.is_empty() => return drop(fields.remove(step)),
        Json::Object(fields) => fields.get_mut(step),
        Json::Array(items) => items.iter_mut().find(|item| name(item) == Some(step)),
        _ => None,
    };
    if let Some(next) = next {
        forget(next, rest);
    }
}

/// What is there of a shape's fields.
fn projected(shape: &Json, live: &Json) -> Json {
    match (shape, live) {
        (Json::Object(shape), Json::Object(_)) => {
            let fields = shape.iter().filter_map(|(key, inner)| Some((key.clone(), projected(inner, live.get(key)?))));
            Json::Object(fields.collect::<Map<_, _>>())
        }
        (Json::Array(shape), Json::Array(items)) if shape.iter().all(|inner| name(inner).is_some()) => {
            let items = shape.iter().filter_map(|inner| Some(projected(inner, named_like(items, inner)?)));
            Json::Array(items.collect())
        }
        _ => live.clone(),
    }
}

fn name(item: &Json) -> Option<&str> {
    item.get("name").and_then(Json::as_str)
}

fn named_like<'a>(items: &'a [Json], inner: &Json) -> Option<&'a Json> {
    let wanted = name(inner)?;
    items.iter().find(|item| name(item) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Manifest;
    use serde_json::json;

    #[test]
    fn what_others_took_over_is_there_again_and_what_is_theirs_is_not() {
        let head = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "d", "namespace": "n" } });
        let with = |spec: Json| {
            let mut object = head.clone();
            object["spec"] = spec;
            object
        };
        let web = |image: &str| json!({ "name": "web", "image": image, "env": [{ "name": "A", "value": "1" }] });
        let mut live = with(json!({ "replicas": 3, "paused": true, "containers": [{ "name": "side" }, web("2")], "args": ["x"] }));
        live["metadata"]["labels"] = json!({ "team": "theirs" });
        let shape = with(json!({ "replicas": 1, "containers": [web("1")], "args": ["y"], "gone": 1 }));
        let arguments = Value::from_json(&json!({ "manifest": shape }));
        let expected = with(json!({ "replicas": 3, "containers": [web("2")], "args": ["x"] }));
        let rows = [
            with(json!({ "replicas": 3, "containers": [web("2")], "args": ["x"] })),
            with(json!({ "containers": [{ "name": "web", "env": [{ "name": "A", "value": "1" }] }], "args": ["x"] })),
            with(json!({ "replicas": 3 })),
            head.clone(),
        ];
        for part in rows {
            assert_eq!(held(&Manifest::default(), &arguments, (&part, &live), &[]), Some(expected.clone()), "{part}");
        }
        let taken = [["spec", "replicas"].as_slice(), &["spec", "containers", "web", "image"]]
            .map(|path| path.iter().map(ToString::to_string).collect());
        let theirs = with(json!({ "containers": [{ "name": "web", "env": [{ "name": "A", "value": "1" }] }], "args": ["x"] }));
        assert_eq!(held(&Manifest::default(), &arguments, (&head, &live), &taken), Some(theirs));
        let data = Value::object([("a", Value::unknown(engine::value::Type::Any))]);
        let object = [("apiVersion", Value::string("v1")), ("kind", Value::string("ConfigMap")), ("data", data)];
        let unknown = Value::object([("manifest", Value::object(object))]);
        assert_eq!(held(&Manifest::default(), &unknown, (&head, &live), &[]), None);
    }
}
