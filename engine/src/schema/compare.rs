//! The comparison that fits most kinds: attribute by attribute, with what the schema says about each.

use super::{Attribute, Comparison, Drift, OnChange, Planned, Presence, Schema};
use crate::value::Value;

/// What becomes of an instance, going by the schema alone: what is desired is held against what was observed, else against what the
/// state remembers; an unknown counts as a change.
pub fn compare(schema: &Schema, asked: Comparison<'_>) -> Planned {
    let remembered = asked.prior.map(|prior| &prior.attributes);
    let Some(base) = asked.observed.or(remembered) else {
        return Planned::Create(attributes(schema, asked.desired, None, true));
    };
    let mut changed = Vec::new();
    let mut because = Vec::new();
    let mut drifted = Drift::default();
    for attribute in &schema.attributes {
        let Some(desired) = configured(attribute, asked.desired) else { continue };
        let null = Value::null();
        let was = base.get(attribute.name).unwrap_or(&null);
        if same(desired, was) {
            continue;
        }
        let remembers = remembered.and_then(|remembered| remembered.get(attribute.name)).unwrap_or(&null);
        if asked.observed.is_some() && same(desired, remembers) {
            drifted.paths.push(attribute.name.to_owned());
        }
        changed.push(attribute.name.to_owned());
        if attribute.on_change == OnChange::Replace {
            because.push(attribute.name.to_owned());
        }
    }
    if !because.is_empty() {
        return Planned::Replace { attributes: attributes(schema, asked.desired, None, true), because };
    }
    if changed.is_empty() {
        return Planned::Keep(attributes(schema, asked.desired, Some(base), false));
    }
    Planned::Update { attributes: attributes(schema, asked.desired, Some(base), true), changed, drifted }
}

/// The attributes of a thing yet to be created: arguments as desired, computed ones unknown.
pub fn created(schema: &Schema, desired: &Value) -> Value {
    attributes(schema, desired, None, true)
}

/// What the configuration says of an attribute, if it has a say.
fn configured<'a>(attribute: &Attribute, desired: &'a Value) -> Option<&'a Value> {
    let value = desired.get(attribute.name)?;
    match attribute.presence {
        Presence::Computed => None,
        Presence::OptionalComputed if value.is_null() => None,
        _ => Some(value),
    }
}

/// Whether two values are the same to a comparison: marks do not count, and a reference equals the address the state keeps.
pub(crate) fn same(desired: &Value, was: &Value) -> bool {
    if let (Some(a), Some(b)) = (desired.instance(), was.instance()) {
        return a.address == b.address;
    }
    if !desired.is_known() {
        return false;
    }
    match (desired.to_json(), was.to_json()) {
        (Ok(desired), Ok(was)) => desired == was,
        _ => false,
    }
}

/// The attributes that dependents see: arguments as desired, computed ones kept from `base` or unknown.
fn attributes(schema: &Schema, desired: &Value, base: Option<&Value>, changes: bool) -> Value {
    Value::object(schema.attributes.iter().map(|attribute| {
        let value = match configured(attribute, desired) {
            Some(value) => value.clone(),
            None if attribute.presence == Presence::Optional => Value::null(),
            None => base
                .filter(|_| !(changes && attribute.volatile))
                .and_then(|base| base.get(attribute.name))
                .cloned()
                .unwrap_or_else(|| Value::unknown(attribute.ty.clone())),
        };
        (attribute.key.clone(), value.sensitive_if(attribute.sensitive))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Record, RecordId};
    use crate::value::Type;

    fn schema() -> Schema {
        Schema {
            kind: "thing",
            doc: "",
            version: 1,
            attributes: vec![
                Attribute::required("name", Type::String, "").replaces(),
                Attribute::optional("size", Type::Number, ""),
                Attribute::computed("token", Type::String, "").sensitive(),
                Attribute::computed("revision", Type::Number, "").volatile(),
            ],
            classes: &[],
            place: None,
            outside: true,
            settles: false,
        }
    }

    fn thing(name: &str, size: u64) -> Value {
        Value::object([("name", Value::string(name)), ("size", Value::number(size))])
    }

    fn record(name: &str, size: u64) -> Record {
        let mut record = Record::new(RecordId::new("r1"), "thing");
        record.attributes = Value::object([
            ("name", Value::string(name)),
            ("size", Value::number(size)),
            ("token", Value::string("t").sensitive()),
            ("revision", Value::number(1)),
        ]);
        record
    }

    fn planned(desired: &Value, prior: Option<&Record>, observed: Option<&Value>) -> Planned {
        compare(&schema(), Comparison { desired, prior, observed, preview: None, previewable: false, secret_key: &[] })
    }

    #[test]
    fn what_is_not_there_is_created_with_its_computed_attributes_unknown() {
        let Planned::Create(attributes) = planned(&thing("a", 1), None, None) else { panic!("no create") };
        assert!(attributes.get("token").is_some_and(|token| !token.is_known() && token.is_marked_sensitive()));
        assert_eq!(attributes.text("name"), Some("a"));
    }

    #[test]
    fn what_is_as_desired_is_kept_with_all_it_has() {
        let record = record("a", 1);
        let Planned::Keep(attributes) = planned(&thing("a", 1), Some(&record), None) else { panic!("no keep") };
        assert_eq!(attributes.get("token"), record.attributes.get("token"));
    }

    #[test]
    fn a_change_updates_or_replaces_and_says_which_attribute() {
        let record = record("a", 1);
        let Planned::Update { attributes, changed, drifted } = planned(&thing("a", 2), Some(&record), None) else { panic!("no update") };
        assert_eq!((changed, drifted.paths), (vec!["size".to_owned()], vec![]));
        assert!(attributes.get("revision").is_some_and(|revision| !revision.is_known()));
        assert!(attributes.get("token").is_some_and(Value::is_known));
        let Planned::Replace { because, .. } = planned(&thing("b", 1), Some(&record), None) else { panic!("no replace") };
        assert_eq!(because, ["name"]);
    }

    #[test]
    fn what_changed_outside_is_drift() {
        let record = record("a", 1);
        let observed = thing("a", 7);
        let Planned::Update { changed, drifted, .. } = planned(&thing("a", 1), Some(&record), Some(&observed)) else { panic!("no update") };
        assert_eq!((changed, drifted.paths), (vec!["size".to_owned()], vec!["size".to_owned()]));
    }
}
