//! Schemas of defined kinds: unknown fields are taken out, defaults filled in, values checked.

use crate::object::Json;
use regex::Regex;

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

/// Holds a value against the schema: each problem with its field. Formats and rules in CEL are not looked at.
pub(super) fn check(value: &Json, schema: &Json, path: &str, causes: &mut Vec<(String, String)>) {
    if value.is_null() && schema.get("nullable") == Some(&Json::Bool(true)) {
        return;
    }
    if let Some(wanted) = wrong_type(value, schema) {
        causes.push((path.to_owned(), format!("Invalid value: {:?}: {path} in body must be of type {wanted}: {0:?}", type_of(value))));
        causes.extend(unlisted(value, schema).map(|why| (path.to_owned(), why)));
        return;
    }
    causes.extend(out_of_bounds(value, schema, path).into_iter().map(|why| (path.to_owned(), why)));
    for required in schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
        if value.is_object() && value.get(required).is_none() {
            causes.push((join(path, required), "Required value".to_owned()));
        }
    }
    for (name, below) in value.as_object().into_iter().flatten() {
        let property = schema.get("properties").and_then(|properties| properties.get(name));
        if let Some(property) = property.or_else(|| schema.get("additionalProperties").filter(|more| more.is_object())) {
            check(below, property, &join(path, name), causes);
        }
    }
    if let Some(items) = schema.get("items") {
        for (at, item) in value.as_array().into_iter().flatten().enumerate() {
            check(item, items, &format!("{path}[{at}]"), causes);
        }
        twice(value, schema, path, causes);
    }
}

/// The type that the schema has where the value is of another one.
fn wrong_type<'a>(value: &Json, schema: &'a Json) -> Option<&'a str> {
    if schema.get("x-kubernetes-int-or-string") == Some(&Json::Bool(true)) {
        return (!value.is_string() && !value.is_i64() && !value.is_u64()).then_some("integer,string");
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
    (!fits).then_some(wanted)
}

/// What the schema's enumeration does not allow.
fn unlisted(value: &Json, schema: &Json) -> Option<String> {
    let allowed = schema.get("enum").and_then(Json::as_array).filter(|allowed| !allowed.contains(value))?;
    let allowed: Vec<_> = allowed.iter().map(Json::to_string).collect();
    Some(format!("Unsupported value: {value}: supported values: {}", allowed.join(", ")))
}

/// What the schema's bounds, pattern and enumeration do not allow.
fn out_of_bounds(value: &Json, schema: &Json, path: &str) -> Vec<String> {
    let bound = |name: &str| schema.get(name).filter(|bound| bound.is_number());
    let mut found: Vec<_> = unlisted(value, schema).into_iter().collect();
    if let Some(number) = value.as_f64() {
        if let Some(least) = bound("minimum").filter(|least| least.as_f64().is_some_and(|least| number < least)) {
            found.push(format!("Invalid value: {value}: {path} in body should be greater than or equal to {least}"));
        }
        if let Some(most) = bound("maximum").filter(|most| most.as_f64().is_some_and(|most| number > most)) {
            found.push(format!("Invalid value: {value}: {path} in body should be less than or equal to {most}"));
        }
    }
    found.extend(value.as_str().and_then(|text| unfit(text, schema, path)));
    found
}

/// The first of what the schema says about texts that does not hold.
fn unfit(text: &str, schema: &Json, path: &str) -> Option<String> {
    let bound = |name: &str| schema.get(name).and_then(Json::as_u64);
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    if let Some(most) = bound("maxLength").filter(|most| length > *most) {
        return Some(format!("Too long: may not be more than {most} bytes"));
    }
    if let Some(least) = bound("minLength").filter(|least| length < *least) {
        return Some(format!("Invalid value: {text:?}: {path} in body should be at least {least} chars long"));
    }
    // What this reader of expressions cannot take it does not hold against anything.
    let pattern = schema.get("pattern").and_then(Json::as_str)?;
    let holds = Regex::new(pattern).map_or(true, |regex| regex.is_match(text));
    (!holds).then(|| format!("Invalid value: {text:?}: {path} in body should match '{pattern}'"))
}

/// Items that a set or a keyed list has twice.
fn twice(value: &Json, schema: &Json, path: &str, causes: &mut Vec<(String, String)>) {
    let keys: Vec<_> =
        schema.get("x-kubernetes-list-map-keys").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    let key = |item: &Json| match schema.get("x-kubernetes-list-type").and_then(Json::as_str) {
        Some("set") => Some(item.clone()),
        Some("map") => Some(keys.iter().filter_map(|key| Some(((*key).to_owned(), item.get(key)?.clone()))).collect()),
        _ => None,
    };
    let mut seen = Vec::new();
    for (at, key) in value.as_array().into_iter().flatten().map(key).enumerate() {
        let Some(key) = key else { return };
        if seen.contains(&key) {
            causes.push((format!("{path}[{at}]"), format!("Duplicate value: {key}")));
        } else {
            seen.push(key);
        }
    }
}

/// Where an applied configuration has a value of another type than the schema, as the server says it.
pub(super) fn untyped(value: &Json, schema: &Json, path: &str) -> Option<String> {
    if value.is_null() {
        return None;
    }
    // Numbers are all of one type here.
    if let Some(wanted) = wrong_type(value, schema).filter(|wanted| *wanted != "integer" || !value.is_number()) {
        let wanted = match wanted {
            "integer" | "number" => "numeric (int or float)",
            "object" => "map",
            "array" => "list",
            other => other,
        };
        let given = match value {
            Json::Number(number) if wanted == "string" => format!("&value.valueUnstructured{{Value:{number}}}"),
            other => type_of(other).to_owned(),
        };
        return Some(format!("{path}: expected {wanted}, got {given}"));
    }
    let property =
        |name: &str| schema.get("properties").and_then(|properties| properties.get(name)).or_else(|| schema.get("additionalProperties"));
    let fields = value.as_object().into_iter().flatten();
    let mut found = fields.filter_map(|(name, below)| untyped(below, property(name)?, &format!("{path}.{name}")));
    found.next().or_else(|| value.as_array()?.iter().find_map(|item| untyped(item, schema.get("items")?, path)))
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
    fn values_are_held_against_bounds_patterns_and_keys() {
        let schema = json!({ "properties": {
            "number": { "minimum": 1, "maximum": 9 },
            "text": { "type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]*$" },
            "unread": { "pattern": "(?=x)" },
            "set": { "items": {}, "x-kubernetes-list-type": "set" },
            "rows": { "items": {}, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"] },
        } });
        for (object, expected) in [
            (json!({ "number": 1, "text": "ab", "unread": "y", "set": [1, 2], "rows": [{ "id": 1 }, { "id": 2 }] }), None),
            (json!({ "number": 0 }), Some("Invalid value: 0: number in body should be greater than or equal to 1")),
            (json!({ "number": 10 }), Some("Invalid value: 10: number in body should be less than or equal to 9")),
            (json!({ "text": "a" }), Some("Invalid value: \"a\": text in body should be at least 2 chars long")),
            (json!({ "text": "abcd" }), Some("Too long: may not be more than 3 bytes")),
            (json!({ "text": "AB" }), Some("Invalid value: \"AB\": text in body should match '^[a-z]*$'")),
            (json!({ "set": [1, 1] }), Some("Duplicate value: 1")),
            (json!({ "rows": [{ "id": 1, "x": 1 }, { "id": 1 }] }), Some("Duplicate value: {\"id\":1}")),
        ] {
            let mut causes = Vec::new();
            check(&object, &schema, "", &mut causes);
            assert_eq!(causes.first().map(|(_, why)| why.as_str()), expected, "{object}");
            assert!(causes.len() < 2, "{causes:?}");
        }
    }

    #[test]
    fn an_apply_is_of_the_schema_s_types() {
        for (spec, expected) in [
            (json!({ "size": 1, "mode": null }), None),
            (json!({ "size": 1.5 }), None),
            (json!({ "size": "1" }), Some(".spec.size: expected numeric (int or float), got string")),
            (json!({ "list": [{ "name": 1 }] }), Some(".spec.list.name: expected string, got &value.valueUnstructured{Value:1}")),
            (json!({ "map": [] }), Some(".spec.map: expected map, got array")),
        ] {
            assert_eq!(untyped(&json!({ "spec": spec }), &schema(), "").as_deref(), expected, "{spec}");
        }
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
                "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\""
            ]
        );
    }
}
