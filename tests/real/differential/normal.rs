//! Answers without what is different each time: identities, versions, times, addresses and ports that are given out.

use super::sequence::Sequence;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What one server has told of in a sequence, so that the same thing reads the same again.
#[derive(Debug, Default)]
pub(super) struct Names {
    uids: Vec<String>,
    /// Versions of each object in the order they were seen: that a write changes nothing is a part of the answer.
    versions: BTreeMap<String, Vec<String>>,
    /// Whether what imitated controllers write is left out.
    imitated: bool,
}

/// Who controllers are, as owners of fields.
const CONTROLLERS: &str = "kube-controller-manager";
/// What controllers write of how often a Deployment was changed.
const REVISION: &str = "deployment.kubernetes.io/revision";

impl Names {
    /// Those of the answers to a sequence.
    pub(super) fn of(sequence: &Sequence) -> Self {
        Self { imitated: sequence.imitated, ..Self::default() }
    }

    /// The answer with placeholders.
    pub(super) fn normal(&mut self, answer: &Value) -> Value {
        match answer {
            Value::Object(fields) => self.object(fields),
            Value::Array(items) => items.iter().map(|item| self.normal(item)).collect(),
            Value::String(text) => Value::String(self.text(text)),
            other => other.clone(),
        }
    }

    fn object(&mut self, fields: &Map<String, Value>) -> Value {
        let version = fields.get("resourceVersion").and_then(Value::as_str).map(|version| self.version(fields, version));
        let mut object = Map::new();
        for (name, value) in fields {
            if self.imitated && is_imitated(name, value) {
                continue;
            }
            let normal = match (name.as_str(), value) {
                ("resourceVersion", Value::String(_)) => version.clone().unwrap_or_default().into(),
                ("continue", Value::String(token)) if !token.is_empty() => "<continue>".into(),
                ("clusterIP", Value::String(address)) => given_out(address).into(),
                ("clusterIPs", Value::Array(addresses)) => addresses.iter().filter_map(Value::as_str).map(given_out).collect(),
                ("nodePort" | "healthCheckNodePort", Value::Number(_)) => "<port>".into(),
                ("managedFields", Value::Array(owners)) => self.owners(owners),
                _ => self.normal(value),
            };
            object.insert(self.text(name), normal);
        }
        in_order(&mut object);
        Value::Object(object)
    }

    /// The version of an object, by what came before; those of lists say when others wrote.
    fn version(&mut self, metadata: &Map<String, Value>, version: &str) -> String {
        let Some(uid) = metadata.get("uid").and_then(Value::as_str) else {
            return if version.is_empty() || version == "0" { version.to_owned() } else { "<version>".to_owned() };
        };
        if self.imitated {
            return "<version>".to_owned();
        }
        let seen = self.versions.entry(uid.to_owned()).or_default();
        format!("<version {}>", place(seen, version))
    }

    /// Owners in an order that times have no part in.
    fn owners(&mut self, owners: &[Value]) -> Value {
        let others = owners.iter().filter(|owner| !self.imitated || owner["manager"] != CONTROLLERS).collect::<Vec<_>>();
        let mut owners: Vec<_> = others.into_iter().map(|owner| self.normal(owner)).collect();
        let key = |owner: &Value| ["manager", "operation", "subresource", "apiVersion"].map(|name| owner[name].to_string());
        owners.sort_by_key(key);
        Value::Array(owners)
    }

    /// A text with times and uids replaced wherever they stand.
    fn text(&mut self, text: &str) -> String {
        let mut normal = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if let Some(time) = shaped(rest, "dddd-dd-ddTdd:dd:dd") {
                normal.push_str("<time>");
                let after = &rest[time..];
                let fraction = after.find(|part: char| part != '.' && !part.is_ascii_digit()).unwrap_or(after.len());
                rest = after[fraction..].trim_start_matches('Z');
            } else if let Some(uid) = shaped(rest, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh") {
                let place = place(&mut self.uids, &rest[..uid]).to_string();
                normal.extend(["<uid ", &place, ">"]);
                rest = &rest[uid..];
            } else if let Some(version) = rest.strip_prefix("ResourceVersion in ").and_then(|_| bracketed(rest)) {
                normal.push_str("ResourceVersion in <version>");
                rest = &rest[version..];
            } else if let Some(version) = rest.strip_prefix("too old resource version: ").and_then(|_| bracketed(rest)) {
                normal.push_str("too old resource version: <version>");
                rest = &rest[version..];
            } else {
                normal.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        normal
    }
}

/// Whether a field is what controllers write, or nothing without that.
fn is_imitated(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("status", Value::Object(_)) => true,
        ("annotations", Value::Object(notes)) => notes.keys().all(|note| note == REVISION),
        _ => name == REVISION,
    }
}

/// The causes of a refusal in an order of their own: a real server finds those of a defined kind in any.
fn in_order(status: &mut Map<String, Value>) {
    let Some(causes) = status.get_mut("details").and_then(|details| details.get_mut("causes")).and_then(Value::as_array_mut) else {
        return;
    };
    let line =
        |cause: &Value| format!("{}: {}", cause["field"].as_str().unwrap_or_default(), cause["message"].as_str().unwrap_or_default());
    let told: Vec<_> = causes.iter().map(line).collect();
    causes.sort_by_cached_key(line);
    let listed = format!("[{}]", told.join(", "));
    let Some(message) = status.get("message").and_then(Value::as_str).filter(|message| message.contains(&listed)) else { return };
    let mut sorted = told.clone();
    sorted.sort();
    let message = message.replace(&listed, &format!("[{}]", sorted.join(", ")));
    status.insert("message".to_owned(), message.into());
}

/// How many came before it, and it; it is kept.
fn place(seen: &mut Vec<String>, text: &str) -> usize {
    if let Some(at) = seen.iter().position(|other| other == text) {
        return at + 1;
    }
    seen.push(text.to_owned());
    seen.len()
}

/// The length of a shape that a text begins with: `d` is a digit, `h` a hexadecimal one.
fn shaped(text: &str, shape: &str) -> Option<usize> {
    let fits = |(byte, wanted): (u8, u8)| match wanted {
        b'd' => byte.is_ascii_digit(),
        b'h' => byte.is_ascii_hexdigit(),
        _ => byte == wanted,
    };
    (text.len() >= shape.len() && text.bytes().zip(shape.bytes()).all(fits)).then_some(shape.len())
}

/// The length of a text up to the end of a number in brackets.
fn bracketed(text: &str) -> Option<usize> {
    let (open, close) = (text.find('(')?, text.find(')')?);
    (open < close && text[open + 1..close].bytes().all(|byte| byte.is_ascii_digit())).then_some(close + 1)
}

fn given_out(address: &str) -> String {
    if address.parse::<std::net::IpAddr>().is_ok() { "<address>".to_owned() } else { address.to_owned() }
}

/// Where two normal answers differ: the path, and what each side has there, nothing if it has nothing.
pub(super) fn differences<'a>(one: &'a Value, other: &'a Value) -> Vec<(String, Option<&'a Value>, Option<&'a Value>)> {
    let mut found = Vec::new();
    compare(String::new(), Some(one), Some(other), &mut found);
    found
}

fn compare<'a>(
    path: String,
    one: Option<&'a Value>,
    other: Option<&'a Value>,
    found: &mut Vec<(String, Option<&'a Value>, Option<&'a Value>)>,
) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            for (name, value) in one {
                compare(below(name), Some(value), other.get(name), found);
            }
            for (name, value) in other.iter().filter(|(name, _)| !one.contains_key(*name)) {
                compare(below(name), None, Some(value), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                compare(below(&at.to_string()), Some(one), Some(other), found);
            }
        }
        (one, other) if one == other => {}
        _ => found.push((path, one, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_each_time_is_replaced_and_what_says_something_stays() {
        let mut names = Names::default();
        let (one, other) = ("11111111-1111-4111-8111-111111111111", "21111111-1111-4111-8111-111111111111");
        let rows = [
            (json!({ "uid": one, "resourceVersion": "7" }), json!({ "uid": "<uid 1>", "resourceVersion": "<version 1>" })),
            (json!({ "uid": other, "resourceVersion": "9" }), json!({ "uid": "<uid 2>", "resourceVersion": "<version 1>" })),
            (json!({ "uid": one, "resourceVersion": "12" }), json!({ "uid": "<uid 1>", "resourceVersion": "<version 2>" })),
            (json!({ "resourceVersion": "12" }), json!({ "resourceVersion": "<version>" })),
            (json!({ "resourceVersion": "" }), json!({ "resourceVersion": "" })),
            (json!(format!("not {other} at 2026-01-02T03:04:05.678Z!")), json!("not <uid 2> at <time>!")),
            (json!("the ResourceVersion in record (17)."), json!("the ResourceVersion in <version>.")),
            (json!("too old resource version: 1 (17)"), json!("too old resource version: <version>")),
            (json!({ "clusterIP": "10.96.0.7", "nodePort": 30001 }), json!({ "clusterIP": "<address>", "nodePort": "<port>" })),
            (
                json!({ "message": "no: [b: x, a: y]", "details": { "causes": [{ "field": "b", "message": "x" }, { "field": "a", "message": "y" }] } }),
                json!({ "message": "no: [a: y, b: x]", "details": { "causes": [{ "field": "a", "message": "y" }, { "field": "b", "message": "x" }] } }),
            ),
            (json!({ "clusterIP": "None", "clusterIPs": ["None"] }), json!({ "clusterIP": "None", "clusterIPs": ["None"] })),
            (
                json!({ "managedFields": [{ "manager": "b" }, { "manager": "a" }] }),
                json!({ "managedFields": [{ "manager": "a" }, { "manager": "b" }] }),
            ),
        ];
        for (answer, expected) in rows {
            assert_eq!(names.normal(&answer), expected);
        }
    }

    #[test]
    fn differences_are_told_where_they_are() {
        let (one, other) = (json!({ "a": { "b": [1, 2] }, "c": 1 }), json!({ "a": { "b": [1, 3] }, "d": 1 }));
        let found = differences(&one, &other);
        let paths: Vec<_> = found.iter().map(|(path, _, _)| path.as_str()).collect();
        assert_eq!(paths, ["a/b/1", "c", "d"]);
        assert!(differences(&one, &one).is_empty());
        assert_eq!(differences(&json!([1]), &json!([1, 2])).len(), 1);
    }
}
