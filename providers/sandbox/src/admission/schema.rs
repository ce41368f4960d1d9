//! Schemas of defined kinds: unknown fields are taken out, defaults filled in, values checked.

use crate::object::Json;

/// Takes out fields that no property names, unless the schema keeps them.
pub(super) fn prune(object: &mut Json, schema: &Json, unknown: &mut Vec<String>) {
    let Some(fields) = object.as_object_mut() else { return };
    fields.retain(|name, value| {
        if ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
            return true;
        }
        keep(name, value, schema, name, unknown)
    });
}

fn keep(name: &str, value: &mut Json, schema: &Json, path: &str, unknown: &mut Vec<String>) -> bool {
    let property = schema.get("properties").and_then(|properties| properties.get(name));
    if let Some(property) = property.or_else(|| schema.get("additionalProperties").filter(|more| more.is_object())) {
        within(value, property, path, unknown);
        return true;
    }
    if preserves(schema) || schema.get("additionalProperties") == Some(&Json::Bool(true)) {
        return true;
    }
    unknown.push(path.to_owned());
    false
}

fn within(value: &mut Json, schema: &Json, path: &str, unknown: &mut Vec<String>) {
    match value {
        Json::Object(fields) => fields.retain(|name, value| keep(name, value, schema, &format!("{path}.{name}"), unknown)),
        Json::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (at, item) in items.iter_mut().enumerate() {
                within(item, schema, &format!("{path}[{at}]"), unknown);
            }
        }
        _ => {}
    }
}

fn preserves(schema: &Json) -> bool {
    schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Json::Bool(true))
}

/// Fills in what the schema says a missing field is.
pub(super) fn fill(value: &mut Json, schema: &Json) {
    match value {
        Json::Object(fields) => {
            let properties = schema.get("properties").and_then(Json::as_object);
            for (name, property) in properties.into_iter().flatten() {
                if let Some(default) = property.get("default")
                    && !fields.contains_key(name)
                {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(value) = fields.get_mut(name) {
                    fill(value, property);
                }
            }
            if let Some(more) = schema.get("additionalProperties").filter(|more| more.is_object()) {
                let named = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
                fields.iter_mut().filter(|(name, _)| !named(name)).for_each(|(_, value)| fill(value, more));
            }
        }
        Json::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for item in items {
                    fill(item, schema);
                }
            }
        }
        _ => {}
    }
}

/// Holds types, required fields and enumerations against the schema: each problem with its field.
pub(super) fn check(value: &Json, schema: &Json, path: &str, causes: &mut Vec<(String, String)>) {
    if value.is_null() && schema.get("nullable") == Some(&Json::Bool(true)) {
        return;
    }
    let wanted = schema.get("type").and_then(Json::as_str).unwrap_or_default();
    let fits = match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    };
    if !fits && schema.get("x-kubernetes-int-or-string") != Some(&Json::Bool(true)) {
        causes.push((path.to_owned(), format!("Invalid value: {:?}: must be of type {wanted}: {:?}", type_of(value), type_of(value))));
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Json::as_array)
        && !allowed.contains(value)
    {
        let allowed: Vec<_> = allowed.iter().map(Json::to_string).collect();
        causes.push((path.to_owned(), format!("Unsupported value: {value}: supported values: {}", allowed.join(", "))));
    }
    for required in schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
        if value.is_object() && value.get(required).is_none() {
            causes.push((join(path, required), "Required value".to_owned()));
        }
    }
    for (name, below) in value.as_object().into_iter().flatten() {
        if let Some(property) = schema.get("properties").and_then(|properties| properties.get(name)) {
            check(below, property, &join(path, name), causes);
        }
    }
    if let Some(items) = schema.get("items") {
        for (at, item) in value.as_array().into_iter().flatten().enumerate() {
            check(item, items, &format!("{path}[{at}]"), causes);
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_f64() => "number",
        Json::Number(_) => "integer",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Json {
        json!({ "type": "object", "required": ["spec"], "properties": { "spec": { "type": "object", "required": ["size"], "properties": {
            "size": { "type": "integer", "default": 3 },
            "mode": { "type": "string", "enum": ["A", "B"] },
            "free": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
            "map": { "type": "object", "additionalProperties": { "type": "object", "properties": { "x": { "type": "string", "default": "d" } } } },
            "list": { "type": "array", "items": { "type": "object", "properties": { "name": { "type": "string" } } } },
            "port": { "x-kubernetes-int-or-string": true },
        } } } })
    }

    #[test]
    fn what_no_property_names_is_taken_out() {
        let mut object = json!({ "apiVersion": "e/v1", "kind": "T", "metadata": { "name": "t" }, "extra": 1,
            "spec": { "size": 1, "sise": 2, "free": { "any": { "thing": 1 } }, "map": { "k": { "x": "1", "y": "2" } }, "list": [{ "name": "a", "nam": "b" }] } });
        let mut unknown = Vec::new();
        prune(&mut object, &schema(), &mut unknown);
        assert_eq!(unknown, ["extra", "spec.list[0].nam", "spec.map.k.y", "spec.sise"]);
        assert_eq!(
            object["spec"],
            json!({ "size": 1, "free": { "any": { "thing": 1 } }, "map": { "k": { "x": "1" } }, "list": [{ "name": "a" }] })
        );
    }

    #[test]
    fn defaults_fill_what_is_missing() {
        let mut object = json!({ "spec": { "map": { "k": {} } } });
        fill(&mut object, &schema());
        assert_eq!(object, json!({ "spec": { "size": 3, "map": { "k": { "x": "d" } } } }));
        let mut without = json!({});
        fill(&mut without, &schema());
        assert_eq!(without, json!({}));
    }

    #[test]
    fn values_are_held_against_types() {
        let check = |object: &Json| {
            let mut causes = Vec::new();
            check(object, &schema(), "", &mut causes);
            causes.into_iter().map(|(field, message)| format!("{field}: {message}")).collect::<Vec<_>>()
        };
        assert_eq!(check(&json!({ "spec": { "size": 1, "port": "http", "mode": "A" } })), Vec::<String>::new());
        assert_eq!(check(&json!({})), ["spec: Required value"]);
        assert_eq!(
            check(&json!({ "spec": { "size": "1", "mode": "C" } })),
            [
                "spec.mode: Unsupported value: \"C\": supported values: \"A\", \"B\"",
                "spec.size: Invalid value: \"string\": must be of type integer: \"string\""
            ]
        );
    }
}
