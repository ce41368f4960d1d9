//! What `schema` prints: kinds as JSON schemas (2020-12).

use engine::address::Mode;
use engine::schema::{Attribute, Catalogue, OnChange, Presence, ProviderSchema};
use engine::value::Type;
use serde_json::{Map, Value as Json, json};

/// The kinds that are wanted as one JSON object on several lines.
pub fn schema(catalogue: &Catalogue, wanted: impl Fn(&str) -> bool) -> String {
    let kinds = |mode| -> Map<String, Json> {
        let kinds = catalogue.kinds(mode).map(|kind| kind.schema()).filter(|schema| wanted(schema.kind));
        kinds.map(|schema| (schema.kind.to_owned(), of_kind(schema))).collect()
    };
    let providers = catalogue.providers().filter(|provider| wanted(provider.name));
    let providers: Map<String, Json> = providers.map(|provider| (provider.name.to_owned(), of_provider(provider))).collect();
    let (resources, data) = (kinds(Mode::Managed), kinds(Mode::Data));
    format!("{:#}\n", json!({ "format_version": "1.0", "resources": resources, "data": data, "providers": providers }))
}

fn of_kind(schema: &engine::schema::Schema) -> Json {
    let required: Vec<_> = schema.attributes.iter().filter(|of| of.presence == Presence::Required).map(|of| of.name).collect();
    let properties: Map<String, Json> = schema.attributes.iter().map(|of| (of.name.to_owned(), of_attribute(of))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema.kind,
        "description": schema.doc,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "x-meshplan": { "version": schema.version, "classes": schema.classes.iter().map(ToString::to_string).collect::<Vec<_>>() },
    })
}

fn of_provider(provider: &ProviderSchema) -> Json {
    let properties = provider.settings.iter().map(|setting| (setting.attribute.name.to_owned(), of_attribute(&setting.attribute)));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": provider.name,
        "description": provider.doc,
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "additionalProperties": false,
    })
}

fn of_attribute(attribute: &Attribute) -> Json {
    let mut schema = of_type(&attribute.ty);
    schema.insert("description".to_owned(), json!(attribute.doc));
    if let Some(default) = attribute.default.as_ref().and_then(|default| default.to_json().ok()) {
        schema.insert("default".to_owned(), default);
    }
    if attribute.presence == Presence::Computed {
        schema.insert("readOnly".to_owned(), json!(true));
    }
    let computed = matches!(attribute.presence, Presence::Computed | Presence::OptionalComputed);
    let replaces = attribute.on_change == OnChange::Replace;
    let more = json!({ "type": attribute.ty.to_string(), "computed": computed, "replaces": replaces, "sensitive": attribute.sensitive });
    schema.insert("x-meshplan".to_owned(), more);
    schema.into()
}

/// What JSON of a type looks like. A reference is no JSON: only `x-meshplan` tells its class.
fn of_type(ty: &Type) -> Map<String, Json> {
    let schema = match ty {
        Type::Any | Type::Reference(_) => json!({}),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Number => json!({ "type": "number" }),
        Type::String => json!({ "type": "string" }),
        Type::List(element) => json!({ "type": "array", "items": of_type(element) }),
        Type::Set(element) => json!({ "type": "array", "items": of_type(element), "uniqueItems": true }),
        Type::Map(element) => json!({ "type": "object", "additionalProperties": of_type(element) }),
        Type::Tuple(elements) => {
            let items: Vec<_> = elements.iter().map(of_type).collect();
            json!({ "type": "array", "prefixItems": items, "minItems": items.len(), "items": false })
        }
        Type::Object(object) => {
            let properties: Map<_, _> = object.fields.iter().map(|(name, field)| (name.to_string(), of_type(&field.ty).into())).collect();
            let required: Vec<_> = object.fields.iter().filter(|(_, field)| !field.optional).map(|(name, _)| &**name).collect();
            json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
        }
    };
    match schema {
        Json::Object(schema) => schema,
        _ => Map::new(),
    }
}
