//! What becomes of a thing at the Engine: arguments against the record, and against what is there as far as they speak of it.

use crate::engines::ENGINE;
use engine::schema::{Attribute, Comparison, Drift, OnChange, Planned, Presence, Problem, Schema, created};
use engine::state::{Operation, Status};
use engine::value::{Data, Type, Value, keyed_fingerprint};
use serde_json::Value as Json;

/// How a kind's arguments are compared.
pub trait Comparable {
    /// The kind's data.
    fn schema(&self) -> &Schema;

    /// An argument in the shape that observations have it in.
    fn canonical(&self, name: &str, argument: &Json) -> Json {
        let _ = name;
        argument.clone()
    }

    /// Whether a difference can be mended in place: by default what the schema says of a change.
    fn is_mended_in_place(&self, difference: &Difference<'_>) -> bool {
        difference.attribute.on_change == OnChange::Update
    }
}

/// One argument that is not as it was, or not as it is there.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    /// The argument.
    pub attribute: &'a Attribute,
    /// What is wanted; may be unknown.
    pub desired: &'a Value,
    /// What is remembered, with HMACs in the place of secrets; null if nothing is.
    pub remembered: &'a Value,
    /// Whether it is the configuration that changed, and not the world alone.
    pub is_configured: bool,
}

/// What an observation says beside of a thing at another Engine than its provider leads to: why that one cannot be used, or null.
const ELSEWHERE: &str = "elsewhere";

/// The attribute with the Engine that a thing is at.
pub fn engine_attribute() -> Attribute {
    let ty = Type::object(["id", "root", "machine", "host"].map(|name| (name, Type::String, false)));
    let doc = "The Docker Engine that it is at: its id, the directory of its data, the name of its machine, and where it was reached. Where the provider comes to lead to another \
               one, it is deleted at this one first.";
    Attribute::computed(ENGINE, ty, doc)
}

/// What was observed of a thing at another Engine than its provider leads to, with why that one cannot be used, if it cannot.
pub fn found_elsewhere(observed: &Value, unusable: Option<&str>) -> Value {
    observed.with_entries([(ELSEWHERE, unusable.map_or_else(Value::null, Value::string))])
}

/// An observation without the Engine, of whose ways there a plan does not stand on any.
pub fn without_engine(observed: &Value) -> Value {
    let entries = observed.entries().iter().filter(|entry| &*entry.key != ENGINE);
    Value::object(entries.map(|entry| (entry.key.clone(), entry.value.clone())))
}

/// What becomes of an instance. Something new is previewed first, where it may be: whether its name is free can be told before an apply.
pub fn planned(kind: &dyn Comparable, asked: Comparison<'_>) -> Planned {
    let schema = kind.schema();
    let null = Value::null();
    let remembered = asked.prior.map(|prior| &prior.attributes);
    let Some(base) = asked.observed.or(remembered) else {
        if asked.previewable && asked.preview.is_none() && asked.desired.is_constant() {
            return Planned::Ask;
        }
        return Planned::Create(created(schema, asked.desired));
    };
    if let Some(unusable) = asked.observed.and_then(|observed| observed.get(ELSEWHERE)) {
        return match unusable.as_str() {
            Some(why) => Planned::Refused(Problem::new("Docker Engine not reached", format!("it moves to another Docker Engine: {why}"))),
            None => Planned::Replace { attributes: created(schema, asked.desired), because: vec![ENGINE.to_owned()] },
        };
    }
    // Of an interrupted create the record says what was planned, as far as that was known: what is there tells more.
    let is_begun = asked.prior.is_some_and(|prior| prior.status == Status::Interrupted(Operation::Create));
    let remembered = remembered.filter(|_| !(is_begun && asked.observed.is_some()));
    let (mut changed, mut because, mut drifted) = (Vec::new(), Vec::new(), Drift::default());
    for attribute in schema.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed) {
        let desired = asked.desired.get(attribute.name).unwrap_or(&null);
        if attribute.presence == Presence::OptionalComputed && desired.is_null() {
            continue;
        }
        let was = remembered.and_then(|remembered| remembered.get(attribute.name)).unwrap_or(&null);
        let is_there =
            asked.observed.and_then(|observed| observed.get(attribute.name)).map(|found| is_there(kind, attribute, desired, found));
        let is_configured = remembered.is_some() && !same(&sealed(desired, asked.secret_key), was);
        if !is_configured && is_there != Some(false) {
            continue;
        }
        changed.push(attribute.name.to_owned());
        if !is_configured && remembered.is_some() {
            drifted.paths.push(attribute.name.to_owned());
        }
        // What was never said of it and is there already is only written down.
        let only_said = was.is_null() && is_there == Some(true);
        let difference = Difference { attribute, desired, remembered: was, is_configured };
        if !only_said && !kind.is_mended_in_place(&difference) {
            because.push(attribute.name.to_owned());
        }
    }
    if !because.is_empty() {
        return Planned::Replace { attributes: created(schema, asked.desired), because };
    }
    let attributes = attributes(schema, (asked.desired, base), !changed.is_empty());
    if changed.is_empty() { Planned::Keep(attributes) } else { Planned::Update { attributes, changed, drifted } }
}

/// Whether what is desired is there; what is not desired may be there beside it.
fn is_there(kind: &dyn Comparable, attribute: &Attribute, desired: &Value, found: &Value) -> bool {
    match (desired.to_json(), found.to_json()) {
        (Ok(Json::Null), _) => true,
        (Ok(desired), Ok(found)) => holds(&found, &kind.canonical(attribute.name, &desired)),
        _ => false,
    }
}

/// Whether all that is wanted is there: of an object the entries that are wanted, of anything else the same.
pub fn holds(found: &Json, wanted: &Json) -> bool {
    match (found, wanted) {
        (_, Json::Null) => true,
        (Json::Object(found), Json::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| holds(found.get(key).unwrap_or(&Json::Null), wanted))
        }
        (Json::Array(found), Json::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| holds(found, wanted))
        }
        (found, wanted) => found == wanted,
    }
}

/// Whether two values are the same, null and missing entries being one.
fn same(desired: &Value, was: &Value) -> bool {
    match (desired.to_json(), was.to_json()) {
        (Ok(desired), Ok(was)) => holds(&was, &desired) && holds(&desired, &was),
        _ => false,
    }
}

/// A value with an HMAC in the place of each secret: what a record keeps.
pub(crate) fn sealed(value: &Value, secret_key: &[u8]) -> Value {
    if value.is_null() || !value.holds_sensitive() {
        return value.clone();
    }
    if value.is_marked_sensitive() {
        let hash = || Value::string(format!("hmac-sha256:{}", keyed_fingerprint(value, secret_key))).sensitive();
        return if value.is_known() { hash() } else { value.clone() };
    }
    match value.data() {
        Data::Mapping(_) => Value::object(value.entries().iter().map(|entry| (entry.key.clone(), sealed(&entry.value, secret_key)))),
        Data::Sequence(_) => Value::tuple(value.items().iter().map(|item| sealed(item, secret_key)).collect()),
        _ => value.clone(),
    }
}

/// Attributes as a record keeps them: arguments sealed, what the kind computes as it is.
pub fn remembered(schema: &Schema, attributes: &Value, secret_key: &[u8]) -> Value {
    Value::object(attributes.entries().iter().map(|entry| {
        let is_argument = schema.attribute(&entry.key).is_some_and(|attribute| attribute.presence != Presence::Computed);
        (entry.key.clone(), if is_argument { sealed(&entry.value, secret_key) } else { entry.value.clone() })
    }))
}

/// What dependents see: arguments as desired, computed ones as they are there or unknown.
fn attributes(schema: &Schema, (desired, base): (&Value, &Value), changes: bool) -> Value {
    Value::object(schema.attributes.iter().map(|attribute| {
        let given = desired.get(attribute.name).filter(|given| match attribute.presence {
            Presence::Computed => false,
            Presence::OptionalComputed => !given.is_null(),
            Presence::Required | Presence::Optional => true,
        });
        let there = || base.get(attribute.name).filter(|_| !(changes && attribute.volatile)).cloned();
        let rest = || if attribute.presence == Presence::Optional { Value::null() } else { Value::unknown(attribute.ty.clone()) };
        let value = given.cloned().or_else(|| there().filter(|_| attribute.presence != Presence::Optional)).unwrap_or_else(rest);
        (attribute.key.clone(), value.sensitive_if(attribute.sensitive))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::state::{Record, RecordId};
    use engine::value::Type;
    use serde_json::json;

    struct Thing(Schema);

    impl Comparable for Thing {
        fn schema(&self) -> &Schema {
            &self.0
        }

        fn canonical(&self, name: &str, argument: &Json) -> Json {
            if name == "policy" { json!(argument.as_str().unwrap_or_default().to_lowercase()) } else { argument.clone() }
        }
    }

    fn thing() -> Thing {
        let attributes = vec![
            Attribute::required("name", Type::String, "").replaces(),
            Attribute::optional("policy", Type::String, ""),
            Attribute::optional("env", Type::map(Type::String), "").replaces(),
            Attribute::optional_computed("subnet", Type::String, "").replaces(),
            Attribute::computed("address", Type::String, "").volatile(),
            Attribute::computed("id", Type::String, ""),
        ];
        Thing(Schema { kind: "thing", doc: "", version: 1, attributes, classes: &[], place: None, outside: true, settles: false })
    }

    fn secret(text: &str) -> Value {
        Value::object([("A", Value::string("1")), ("KEY", Value::string(text).sensitive())])
    }

    fn desired(policy: &str, key: &str) -> Value {
        let rest = [("name", Value::string("n")), ("policy", Value::string(policy)), ("subnet", Value::null())];
        Value::object(rest.into_iter().chain([("env", secret(key))]))
    }

    fn record() -> Record {
        let mut record = Record::new(RecordId::new("r"), "thing");
        let computed = [("subnet", Value::string("10.0.0.0/8")), ("address", Value::string("a")), ("id", Value::string("1"))];
        let given = [("name", Value::string("n")), ("policy", Value::string("Always")), ("env", secret("k"))];
        record.attributes = remembered(&thing().0, &Value::object(given.into_iter().chain(computed)), b"key");
        record
    }

    fn found(policy: &str, key: &str) -> Value {
        Value::from_json(&json!({ "name": "n", "policy": policy, "env": { "A": "1", "KEY": key, "PATH": "/bin" }, "subnet": "10.0.0.0/8",
            "address": "b", "id": "1", "uid": "1" }))
    }

    fn becomes(desired: &Value, prior: Option<&Record>, observed: Option<&Value>) -> (&'static str, Vec<String>, Vec<String>) {
        let asked = Comparison { desired, prior, observed, preview: None, previewable: true, secret_key: b"key" };
        match planned(&thing(), asked) {
            Planned::Ask => ("ask", Vec::new(), Vec::new()),
            Planned::Create(_) => ("create", Vec::new(), Vec::new()),
            Planned::Keep(_) => ("keep", Vec::new(), Vec::new()),
            Planned::Update { changed, drifted, .. } => ("update", changed, drifted.paths),
            Planned::Replace { because, .. } => ("replace", because, Vec::new()),
            Planned::Refused(problem) => panic!("{problem:?}"),
        }
    }

    #[test]
    fn arguments_are_held_against_the_record_and_the_world() {
        let record = record();
        let unknown = Value::object([("name", Value::unknown(Type::String)), ("policy", Value::string("Always")), ("env", secret("k"))]);
        let there = found("always", "k");
        for (desired, prior, observed, expected) in [
            (desired("Always", "k"), None, None, ("ask", vec![], vec![])),
            (unknown.clone(), None, None, ("create", vec![], vec![])),
            (desired("Always", "k"), Some(&record), Some(there.clone()), ("keep", vec![], vec![])),
            (desired("Always", "k"), Some(&record), None, ("keep", vec![], vec![])),
            (desired("No", "k"), Some(&record), Some(there.clone()), ("update", vec!["policy"], vec![])),
            (desired("Always", "k"), Some(&record), Some(found("no", "k")), ("update", vec!["policy"], vec!["policy"])),
            (desired("Always", "other"), Some(&record), Some(there.clone()), ("replace", vec!["env"], vec![])),
            (desired("Always", "k"), Some(&record), Some(found("always", "other")), ("replace", vec!["env"], vec![])),
            (unknown, Some(&record), Some(there.clone()), ("replace", vec!["name"], vec![])),
            // An import: what is there already needs no change.
            (desired("Always", "k"), None, Some(there.clone()), ("keep", vec![], vec![])),
            (desired("No", "k"), None, Some(there), ("update", vec!["policy"], vec![])),
        ] {
            let (what, changed, drifted) = becomes(&desired, prior, observed.as_ref());
            let expected: (&str, Vec<_>, Vec<_>) = expected;
            assert_eq!(
                (what, changed.iter().map(String::as_str).collect(), drifted.iter().map(String::as_str).collect()),
                expected,
                "{desired:?}"
            );
        }
    }

    #[test]
    fn what_is_at_another_engine_moves_if_that_one_can_be_used() {
        let (record, there) = (record(), found("always", "k"));
        let becomes = |observed: &Value| becomes(&desired("Always", "k"), Some(&record), Some(observed));
        assert_eq!(becomes(&there).0, "keep");
        assert_eq!(becomes(&found_elsewhere(&there, None)), ("replace", vec!["engine".to_owned()], Vec::new()));
        let observed = found_elsewhere(&there, Some("nobody answers"));
        let (desired, secret_key) = (desired("Always", "k"), b"key".as_slice());
        let asked =
            Comparison { desired: &desired, prior: Some(&record), observed: Some(&observed), preview: None, previewable: true, secret_key };
        let Planned::Refused(problem) = planned(&thing(), asked) else { panic!("not refused") };
        assert_eq!(problem.detail, "it moves to another Docker Engine: nobody answers");
    }

    #[test]
    fn an_interrupted_create_is_held_against_what_is_there() {
        let mut record = record();
        record.status = Status::Interrupted(Operation::Create);
        record.attributes = Value::object([("name", Value::string("n")), ("env", Value::null()), ("policy", Value::null())]);
        let becomes = |found: &Value| becomes(&desired("Always", "k"), Some(&record), Some(found));
        assert_eq!(becomes(&found("always", "k")).0, "keep");
        assert_eq!(becomes(&found("no", "k")), ("update", vec!["policy".to_owned()], Vec::new()));
        assert_eq!(becomes(&found("always", "other")).0, "replace");
    }

    #[test]
    fn what_is_said_at_last_and_is_there_already_is_only_written_down() {
        let mut record = record();
        let without_env = record.attributes.entries().iter().filter(|entry| &*entry.key != "env");
        record.attributes = Value::object(without_env.map(|entry| (entry.key.clone(), entry.value.clone())));
        assert_eq!(becomes(&desired("Always", "k"), Some(&record), Some(&found("always", "k"))).0, "update");
        assert_eq!(becomes(&desired("Always", "k"), Some(&record), Some(&found("always", "other"))).0, "replace");
    }

    #[test]
    fn a_record_keeps_no_secret_and_a_change_loses_what_is_volatile() {
        let record = record();
        let kept = record.attributes.to_json().expect("known");
        let key = kept.pointer("/env/KEY").and_then(Json::as_str).expect("a text");
        assert!(key.starts_with("hmac-sha256:") && kept.pointer("/env/A") == Some(&json!("1")), "{kept}");
        let asked =
            |desired| Comparison { desired, prior: Some(&record), observed: None, preview: None, previewable: true, secret_key: b"key" };
        let Planned::Update { attributes, .. } = planned(&thing(), asked(&desired("No", "k"))) else { panic!("no update") };
        assert!(attributes.get("address").is_some_and(|address| !address.is_known()));
        assert_eq!((attributes.text("id"), attributes.text("subnet")), (Some("1"), Some("10.0.0.0/8")));
    }
}
