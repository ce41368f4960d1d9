//! What the Engine says of a thing, in the shape of a kind's arguments, and what becomes of it there.

use engine::schema::{Presence, Schema};
use engine::value::Value;
use serde_json::{Map, Value as Json};

/// What is there of one thing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    /// Its id at the Engine.
    pub(crate) id: String,
    /// By the names of arguments and computed attributes, in the shape that [`crate::planning`] compares.
    pub(crate) parts: Map<String, Json>,
}

impl Facts {
    /// As an observation. What is sensitive in what it is compared with, arguments or a record, is so here.
    pub(crate) fn observed(&self, told: &Value) -> Value {
        let parts = self.parts.iter().map(|(name, part)| {
            let found = Value::from_json(part);
            (name.as_str(), told.get(name).map_or_else(|| found.clone(), |told| as_sensitive(&found, told)))
        });
        Value::object(parts.chain([("uid", Value::string(self.id.as_str()))]))
    }

    /// All attributes of the schema: what the arguments say, and what is there of the rest.
    pub(crate) fn attributes(&self, schema: &Schema, arguments: &Value) -> Value {
        Value::object(schema.attributes.iter().map(|attribute| {
            let given = arguments.get(attribute.name).filter(|given| match attribute.presence {
                Presence::Computed => false,
                Presence::OptionalComputed => !given.is_null(),
                Presence::Required | Presence::Optional => true,
            });
            let found = || self.parts.get(attribute.name).filter(|_| attribute.presence != Presence::Optional).map(Value::from_json);
            let value = given.cloned().or_else(found).unwrap_or_else(Value::null);
            (attribute.name, value.sensitive_if(attribute.sensitive))
        }))
    }

    /// The answer to a question about what is to be imported: an observation, with the attributes as they are there.
    pub(crate) fn imported(&self, schema: &Schema, arguments: &Value) -> Value {
        let observed = self.observed(arguments);
        let attributes = Value::object(schema.attributes.iter().map(|attribute| {
            let there = observed
                .get(attribute.name)
                .filter(|_| attribute.presence == Presence::Computed || arguments.present(attribute.name).is_some());
            let given = || arguments.get(attribute.name).cloned().unwrap_or_else(Value::null);
            (attribute.name, there.cloned().unwrap_or_else(given).sensitive_if(attribute.sensitive))
        }));
        observed.with_entries([("attributes", attributes), ("notes", Value::tuple(Vec::new()))])
    }
}

/// A value with the sensitive parts of another.
fn as_sensitive(found: &Value, told: &Value) -> Value {
    if told.is_marked_sensitive() {
        return found.clone().sensitive();
    }
    if !told.holds_sensitive() {
        return found.clone();
    }
    if !found.entries().is_empty() {
        let entries = found.entries().iter();
        return Value::object(entries.map(|entry| {
            let inner = told.get(&entry.key).map_or_else(|| entry.value.clone(), |told| as_sensitive(&entry.value, told));
            (entry.key.clone(), inner)
        }));
    }
    // Which element of a list is the secret cannot be told when the list is another.
    if found.items().is_empty() { found.clone() } else { found.clone().sensitive() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::schema::Attribute;
    use engine::value::Type;
    use serde_json::json;

    #[test]
    fn what_is_secret_in_the_arguments_is_so_in_what_was_found() {
        let parts = json!({ "env": { "A": "1", "KEY": "x" }, "command": ["a", "b"], "name": "n" });
        let facts = Facts { id: "1".into(), parts: parts.as_object().cloned().unwrap_or_default() };
        let env = Value::object([("A", Value::string("1")), ("KEY", Value::string("y").sensitive())]);
        let command = Value::tuple(vec![Value::string("c").sensitive()]);
        let observed = facts.observed(&Value::object([("env", env), ("command", command)]));
        let is_secret = |path: &[&str]| path.iter().try_fold(&observed, |at, step| at.get(step)).is_some_and(Value::is_marked_sensitive);
        assert_eq!(
            (is_secret(&["env", "KEY"]), is_secret(&["env", "A"]), is_secret(&["command"]), is_secret(&["name"])),
            (true, false, true, false)
        );
        assert_eq!(observed.text("uid"), Some("1"));
    }

    #[test]
    fn attributes_are_what_was_given_and_what_is_there_of_the_rest() {
        let attributes = vec![
            Attribute::required("name", Type::String, ""),
            Attribute::optional("note", Type::String, ""),
            Attribute::optional_computed("subnet", Type::String, ""),
            Attribute::computed("id", Type::String, ""),
        ];
        let schema = Schema { kind: "k", doc: "", version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        let parts = json!({ "name": "other", "note": "theirs", "subnet": "10.0.0.0/8", "id": "1" });
        let facts = Facts { id: "1".into(), parts: parts.as_object().cloned().unwrap_or_default() };
        let arguments = Value::from_json(&json!({ "name": "n", "note": null, "subnet": null }));
        let made = facts.attributes(&schema, &arguments).to_json().ok();
        assert_eq!(made, Some(json!({ "name": "n", "note": null, "subnet": "10.0.0.0/8", "id": "1" })));
        let found = facts.imported(&schema, &arguments).get("attributes").and_then(|found| found.to_json().ok());
        assert_eq!(found, Some(json!({ "name": "other", "note": null, "subnet": null, "id": "1" })));
    }
}
