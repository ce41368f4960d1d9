//! Types as text, such as `map(object({ name = string }))`, and back.
//!
//! Only the types of values stand in files: what is optional or has a default belongs to constraints, and a reference is stored as
//! its address, which is a string.

use engine::value::{Field, ObjectType, Type};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The type that a stored value has where the value in memory has `ty`.
pub(super) fn stored(ty: &Type) -> Type {
    match ty {
        Type::Any | Type::Bool | Type::Number | Type::String => ty.clone(),
        Type::Reference(_) => Type::String,
        Type::List(element) => Type::list(stored(element)),
        Type::Set(element) => Type::set(stored(element)),
        Type::Map(element) => Type::map(stored(element)),
        Type::Tuple(elements) => Type::Tuple(elements.iter().map(stored).collect()),
        Type::Object(object) => Type::object(object.fields.iter().map(|(name, field)| (&**name, stored(&field.ty), false))),
    }
}

/// A stored type as text.
pub(super) fn write(ty: &Type) -> String {
    match ty {
        Type::Any => "any".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Number => "number".to_owned(),
        Type::String | Type::Reference(_) => "string".to_owned(),
        Type::List(element) => format!("list({})", write(element)),
        Type::Set(element) => format!("set({})", write(element)),
        Type::Map(element) => format!("map({})", write(element)),
        Type::Tuple(elements) => format!("tuple([{}])", elements.iter().map(write).collect::<Vec<_>>().join(", ")),
        Type::Object(object) if object.fields.is_empty() => "object({})".to_owned(),
        Type::Object(object) => {
            let fields = object.fields.iter().map(|(name, field)| format!("{} = {}", write_name(name), write(&field.ty)));
            format!("object({{ {} }})", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Whether a name can stand without quotes.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// A text between quotes, escaped as JSON does.
pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_name(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { quote(name) }
}

/// The type that a text writes, or what was expected where it stops being one.
pub(super) fn parse(text: &str) -> Result<Type, String> {
    let mut rest = Rest { text };
    let parsed = rest.parse_type();
    match parsed {
        Ok(ty) if rest.trimmed().is_empty() => Ok(ty),
        Ok(_) => Err(format!("`{text}` is no type: nothing is expected at `{}`", rest.text)),
        Err(expected) => Err(format!("`{text}` is no type: {expected} is expected at `{}`", rest.text)),
    }
}

/// Nested deeper than this, a type is a mistake or an attack.
const DEEPEST: usize = 100;

struct Rest<'a> {
    text: &'a str,
}

impl<'a> Rest<'a> {
    fn trimmed(&mut self) -> &'a str {
        self.text = self.text.trim_start();
        self.text
    }

    fn take(&mut self, token: &'static str) -> Result<(), &'static str> {
        self.text = self.trimmed().strip_prefix(token).ok_or(token)?;
        Ok(())
    }

    fn parse_type(&mut self) -> Result<Type, &'static str> {
        self.parse_at(0)
    }

    fn parse_at(&mut self, depth: usize) -> Result<Type, &'static str> {
        if depth > DEEPEST {
            return Err("less nesting");
        }
        let text = self.trimmed();
        let end = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
        let (word, after) = text.split_at(end);
        self.text = after;
        match word {
            "any" => Ok(Type::Any),
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            "list" => Ok(Type::list(self.element(depth)?)),
            "set" => Ok(Type::set(self.element(depth)?)),
            "map" => Ok(Type::map(self.element(depth)?)),
            "tuple" => self.elements(depth),
            "object" => self.fields(depth),
            _ => {
                self.text = text;
                Err("a type")
            }
        }
    }

    fn element(&mut self, depth: usize) -> Result<Type, &'static str> {
        self.take("(")?;
        let element = self.parse_at(depth + 1)?;
        self.take(")")?;
        Ok(element)
    }

    fn elements(&mut self, depth: usize) -> Result<Type, &'static str> {
        self.take("(")?;
        self.take("[")?;
        let mut elements = Vec::new();
        while self.take("]").is_err() {
            if !elements.is_empty() {
                self.take(",")?;
            }
            elements.push(self.parse_at(depth + 1)?);
        }
        self.take(")")?;
        Ok(Type::Tuple(elements.into()))
    }

    fn fields(&mut self, depth: usize) -> Result<Type, &'static str> {
        self.take("(")?;
        self.take("{")?;
        let mut fields = BTreeMap::new();
        while self.take("}").is_err() {
            if !fields.is_empty() {
                self.take(",")?;
            }
            let name = self.name()?;
            self.take("=")?;
            let field = Field { ty: self.parse_at(depth + 1)?, optional: false, default: None };
            if fields.insert(name, field).is_some() {
                return Err("another name");
            }
        }
        self.take(")")?;
        Ok(Type::Object(Arc::new(ObjectType { fields })))
    }

    fn name(&mut self) -> Result<Arc<str>, &'static str> {
        let text = self.trimmed();
        if text.starts_with('"') {
            let mut names = serde_json::Deserializer::from_str(text).into_iter::<String>();
            let name = names.next().and_then(Result::ok).ok_or("a name")?;
            self.text = &text[names.byte_offset()..];
            return Ok(name.into());
        }
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(text.len());
        let (name, after) = text.split_at(end);
        self.text = after;
        if name.is_empty() { Err("a name") } else { Ok(name.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_reads_as_it_is_written() {
        for text in [
            "any",
            "bool",
            "number",
            "string",
            "list(string)",
            "set(list(map(any)))",
            "tuple([])",
            "tuple([string, tuple([number]), set(bool)])",
            "object({})",
            "map(object({ a = string, b-c_d = list(number), \"istio.io/rev \\\"1\\\"\" = any, \"é\" = bool }))",
        ] {
            assert_eq!(parse(text).map(|ty| write(&ty)), Ok(text.to_owned()));
        }
        assert_eq!(parse(" list ( string ) "), Ok(Type::list(Type::String)));
    }

    #[test]
    fn what_is_no_type_says_where_it_stops_being_one() {
        for (text, expected) in [
            ("", "a type is expected at ``"),
            ("strings", "a type is expected at `strings`"),
            ("list", "( is expected at ``"),
            ("list(string", ") is expected at ``"),
            ("string)", "nothing is expected at `)`"),
            ("tuple([string string])", ", is expected at `string])`"),
            ("object({ = string })", "a name is expected at `= string })`"),
            ("object({ \"a = string })", "a name is expected at `\"a = string })`"),
            ("object({ a = string, a = number })", "another name is expected at ` })`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.ends_with(expected), "{text}: {error}");
        }
        assert!(parse(&"list(".repeat(100_000)).is_err());
    }

    #[test]
    fn a_stored_type_has_neither_references_nor_optional_attributes() {
        let ty =
            Type::map(Type::object([("cluster", Type::Reference("cluster"), true), ("n", Type::Tuple(Arc::from([Type::Number])), false)]));
        assert_eq!(write(&stored(&ty)), "map(object({ cluster = string, n = tuple([number]) }))");
    }
}
