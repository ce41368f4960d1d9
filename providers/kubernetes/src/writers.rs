//! Who else wrote which fields of a live object, and when.

use crate::difference::{ELEMENT_KEYS, dotted};
use crate::object_kind::Json;
use crate::ownership::{entries, selects};
use engine::value::Value;
use serde_json::Map;

/// Another manager, and the fields that it owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Writer<'a> {
    manager: &'a str,
    /// When it last wrote, as the server says: RFC 3339 in UTC.
    time: Option<&'a str>,
    /// Dotted, as [`crate::difference`] names them.
    fields: Vec<String>,
}

impl Writer<'_> {
    /// As an observation holds it: `manager`, `time` and `fields`.
    pub(crate) fn value(&self) -> Value {
        let fields = self.fields.iter().map(|field| Value::string(field.as_str())).collect();
        let time = self.time.map_or_else(Value::null, Value::string);
        Value::object([("manager", Value::string(self.manager)), ("time", time), ("fields", Value::tuple(fields))])
    }
}

/// All managers but this one that own fields of an object; its status does not count.
pub(crate) fn writers<'a>(live: &'a Json, manager: &str) -> Vec<Writer<'a>> {
    let text = |entry: &'a Json, key: &str| entry.get(key).and_then(Json::as_str);
    let others = entries(live).iter().filter(|entry| text(entry, "subresource") != Some("status"));
    let writer = |entry: &'a Json| {
        let other = text(entry, "manager").filter(|other| *other != manager)?;
        let mut fields = Vec::new();
        leaves(Some(live), entry.get("fieldsV1")?.as_object()?, &mut Vec::new(), &mut fields);
        Some(Writer { manager: other, time: text(entry, "time"), fields })
    };
    others.filter_map(writer).collect()
}

/// The leaves of a set of fields. What is not there any more has no name and is left out.
fn leaves(live: Option<&Json>, set: &Map<String, Json>, path: &mut Vec<String>, found: &mut Vec<String>) {
    let mut is_leaf = true;
    for (step, below) in set.iter().filter(|(step, _)| *step != ".") {
        is_leaf = false;
        let Some((name, next)) = live.and_then(|live| descend(live, step)) else { continue };
        path.push(name);
        leaves(Some(next), below.as_object().unwrap_or(&Map::new()), path, found);
        path.pop();
    }
    if is_leaf && !path.is_empty() {
        found.push(dotted(path));
    }
}

fn descend<'a>(live: &'a Json, step: &str) -> Option<(String, &'a Json)> {
    if let Some(key) = step.strip_prefix("f:") {
        return Some((key.to_owned(), live.get(key)?));
    }
    let items = live.as_array()?;
    let at = items.iter().enumerate().position(|(at, item)| selects(step, at, item))?;
    Some((element_name(items, at), items.get(at)?))
}

fn element_name(items: &[Json], at: usize) -> String {
    let name_by = |item: &Json, key: &str| match item.get(key)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let tells_apart = |key: &&str| {
        let mut names: Vec<_> = items.iter().map(|item| name_by(item, key)).collect();
        names.sort();
        names.dedup();
        names.len() == items.len() && names.iter().all(Option::is_some)
    };
    let key = ELEMENT_KEYS.into_iter().find(tells_apart);
    key.and_then(|key| name_by(items.get(at)?, key)).unwrap_or_else(|| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn other_writers_are_named_with_their_fields() {
        let entry = |manager: &str, subresource: Option<&str>, fields: &Json| {
            json!({ "manager": manager, "subresource": subresource,
            "operation": "Update", "time": "2026-01-02T00:00:00Z", "fieldsV1": fields })
        };
        let live = json!({
            "metadata": { "labels": { "istio.io/rev": "x" }, "managedFields": [
                entry("meshplan/r1", None, &json!({ "f:data": {} })),
                entry("kube-controller-manager", Some("status"), &json!({ "f:status": {} })),
                entry("kubectl-edit", None, &json!({ "f:metadata": { "f:labels": { ".": {}, "f:istio.io/rev": {}, "f:gone": {} } },
                    "f:spec": { "f:containers": { "k:{\"name\":\"app\"}": { ".": {}, "f:image": {} } },
                        "f:ports": { "k:{\"port\":53,\"protocol\":\"UDP\"}": { "f:targetPort": {} } }, "f:args": { "v:\"b\"": {} } } })),
            ] },
            "spec": { "containers": [{ "name": "app", "image": "i" }], "args": ["a", "b"],
                "ports": [{ "port": 53, "protocol": "TCP" }, { "port": 53, "protocol": "UDP", "targetPort": 5 }] },
            "status": {},
        });
        let found = writers(&live, "meshplan/r1");
        let mut fields = found[0].fields.clone();
        fields.sort();
        assert_eq!(fields, ["metadata.labels[\"istio.io/rev\"]", "spec.args[1]", "spec.containers.app.image", "spec.ports[1].targetPort"]);
        assert_eq!((found.len(), found[0].manager, found[0].time), (1, "kubectl-edit", Some("2026-01-02T00:00:00Z")));
        assert_eq!(found[0].value().text("manager"), Some("kubectl-edit"));
    }
}
