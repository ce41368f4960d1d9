//! Values as other types: what arguments, variables and operands go through.

use super::instance::all_looked_at;
use super::order::set_of;
use super::strict::{Open, from_also, literal, opened};
use super::unify::{element_type, type_words, words};
use super::{Arena, instance_origin};
use crate::config::{Expr, Node};
use crate::source::{FileId, Span};
use crate::value::{
    Class, Data, Entry, Field, Mapping, MappingKind, Marks, Number, ObjectType, Sequence, SequenceKind, Type, Value, convert_number,
};
use std::fmt;
use std::sync::Arc;

/// Why a value is not of a type and cannot become it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where in the value: `.clusters["c1"].network`; empty for the value itself.
    pub path: String,
    /// What was expected, with its article: `a string`.
    pub expected: String,
    /// What was found, with its article: `an object`. Never holds a sensitive value.
    pub found: String,
    /// What was found without anything of its text or its keys.
    plainly: Option<String>,
}

impl Mismatch {
    fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: String::new(), expected: expected.into(), found: found.into(), plainly: None }
    }

    /// With the words for what was found that hold nothing of it.
    fn or_plainly(self, words: String) -> Self {
        Self { plainly: Some(words), ..self }
    }

    fn within(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }

    /// Of a value that is not known: the path in its type tells nothing of one that is hidden.
    fn about(self, value: &Value) -> Self {
        if value.marks() == Marks::NONE { self } else { Self { path: String::new(), ..self } }
    }

    /// Within a part of a value. What is hidden hides all that stands in it, its keys as well.
    fn in_part(self, whole: &Value, step: impl FnOnce() -> String) -> Self {
        if whole.marks() == Marks::NONE {
            return self.within(&step());
        }
        Self { path: "[*]".to_owned(), expected: self.expected, found: self.plainly.unwrap_or(self.found), plainly: None }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "at `{}`: ", self.path)?;
        }
        write!(f, "{} is required, found {}", self.expected, self.found)
    }
}

impl std::error::Error for Mismatch {}

/// A value as a type. Primitives convert as in Terraform, tuples become lists and sets, objects maps, missing optional attributes their
/// defaults, and attributes that the type does not name are dropped. What is pending or unknown gets the type; an unknown that the type
/// would change is converted when it is known. For a reference of a class an instance that offers it is required.
pub fn convert(value: Value, ty: &Type, arena: &mut Arena) -> Result<Value, Mismatch> {
    match (value.data(), ty) {
        (_, Type::Any) | (Data::Null | Data::Blocked(_), _) => Ok(value),
        (Data::Pending(from), _) => {
            possible(from, ty).map_err(|mismatch| mismatch.about(&value))?;
            Ok(Value::pending(ty.clone()).with_origin(value.origin()).marked(value.marks()))
        }
        (Data::Unknown(from, _), _) => {
            let from = from.clone();
            unknown(&from, value, ty, arena)
        }
        (_, Type::Bool | Type::Number | Type::String) => primitive(&value, ty),
        (Data::Instance(_) | Data::Reference(_), Type::Reference(class)) => reference(&value, class),
        (_, Type::Reference(class)) => Err(not_a_reference(&value, class)),
        (Data::Sequence(sequence), Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
            let sequence = sequence.clone();
            sequence_as(value, &sequence, ty, arena)
        }
        (Data::Mapping(mapping), Type::Map(_) | Type::Object(_)) => {
            let mapping = mapping.clone();
            mapping_as(value, &mapping, ty, arena)
        }
        (Data::Instance(_), Type::Map(_) | Type::Object(_)) => instance_as(&value, ty, arena),
        _ => Err(Mismatch::new(type_words(ty), words(&value))),
    }
}

/// A known, single value as a bool, number or string, with its origin and mark.
pub(crate) fn primitive(value: &Value, ty: &Type) -> Result<Value, Mismatch> {
    let data = match (value.data(), ty) {
        (Data::Bool(_), Type::Bool) | (Data::Number(_), Type::Number) | (Data::String(_), Type::String) => return Ok(value.clone()),
        (Data::Bool(truth), Type::String) => Data::String(if *truth { "true" } else { "false" }.into()),
        (Data::Number(number), Type::String) => Data::String(number_text(*number).into()),
        (Data::String(text), Type::Number) => {
            let parsed = convert_number(text).map_err(|error| Mismatch::new(error_words(error), quoted(value)).or_plainly(words(value)))?;
            Data::Number(parsed)
        }
        (Data::String(text), Type::Bool) => match &**text {
            "true" | "1" => Data::Bool(true),
            "false" | "0" => Data::Bool(false),
            _ => return Err(Mismatch::new("`true` or `false`", quoted(value)).or_plainly(words(value))),
        },
        _ => return Err(Mismatch::new(type_words(ty), words(value))),
    };
    Ok(Value::new(data).with_origin(value.origin()).marked(value.marks()))
}

/// A number as text: no exponent, no zeros at the end.
pub(crate) fn number_text(number: Number) -> String {
    number.normalize().to_string()
}

fn error_words(error: crate::value::NotANumber) -> &'static str {
    match error {
        crate::value::NotANumber::Malformed => "a number",
        crate::value::NotANumber::TooPrecise => "a number of at most 28 digits",
    }
}

/// A text as messages show it: nothing of a sensitive one, and not all of a long one.
fn quoted(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !value.is_hidden() && text.chars().count() <= 40 && !text.contains('\n') => format!("the string `{text}`"),
        _ => words(value),
    }
}

fn unknown(from: &Type, value: Value, ty: &Type, arena: &mut Arena) -> Result<Value, Mismatch> {
    if let Type::Reference(class) = ty {
        return Err(Mismatch::new(
            format!("a reference of class `{class}`"),
            "what is known only after apply: which one must be known now",
        ));
    }
    possible(from, ty).map_err(|mismatch| mismatch.about(&value))?;
    if fits(from, ty) {
        return Ok(value);
    }
    Ok(opened(Open::Unknown, ty.clone(), [&value], arena, || later(value.clone(), ty)))
}

/// The conversion as an expression. It stands nowhere in the text.
fn later(value: Value, ty: &Type) -> Expr {
    let nowhere = Span::new(FileId(u32::MAX), 0..0);
    Expr::new(Node::Convert(Box::new(literal(value, nowhere)), Arc::new(ty.clone())), nowhere)
}

fn reference(value: &Value, class: Class) -> Result<Value, Mismatch> {
    let Some(instance) = value.instance() else { return Err(not_a_reference(value, class)) };
    if !instance.classes.contains(&class) {
        return Err(Mismatch::new(format!("a reference of class `{class}`"), format!("{}, which is none", words(value))));
    }
    if matches!(value.data(), Data::Reference(_)) {
        return Ok(value.clone());
    }
    Ok(Value::new(Data::Reference(instance.clone())).with_origin(value.origin()).marked(value.marks()))
}

fn not_a_reference(value: &Value, class: Class) -> Mismatch {
    let found = match value.data() {
        Data::Mapping(_) => {
            "an object: what an object literal, `merge` or a type constraint made of a resource leads to it no more".to_owned()
        }
        _ => words(value),
    };
    Mismatch::new(format!("a reference of class `{class}`"), found)
}

fn sequence_as(value: Value, sequence: &Sequence, ty: &Type, arena: &mut Arena) -> Result<Value, Mismatch> {
    let fitting = match (sequence.kind(), ty) {
        (SequenceKind::List(from), Type::List(to)) | (SequenceKind::Set(from), Type::Set(to)) => fits(from, to),
        _ => false,
    };
    if fitting {
        return Ok(value);
    }
    let items = sequence.items();
    if let (SequenceKind::Set(_), Type::List(_) | Type::Tuple(_), Some(open)) = (sequence.kind(), ty, super::repeat::unordered(&value)) {
        // Which place an unknown element will have is not known either, nor whether it will equal another one.
        return Ok(opened(open, ty.clone(), [&value], arena, || later(value.clone(), ty)));
    }
    let made = match ty {
        Type::Tuple(types) => {
            if types.len() != items.len() {
                let (expected, found) = (types.len(), items.len());
                return Err(Mismatch::new(format!("a tuple of {expected}"), format!("{} of {found}", words(&value))));
            }
            let items = items.iter().zip(types.iter()).enumerate();
            let items = items.map(|(at, (item, ty))| element(&value, item, at, ty, arena)).collect::<Result<_, _>>()?;
            Value::tuple(items)
        }
        Type::Set(wanted) => {
            let wanted = wanted_element(wanted, items.iter(), "one type for all elements")?;
            let items = items.iter().enumerate().map(|(at, item)| element(&value, item, at, &wanted, arena)).collect::<Result<_, _>>()?;
            set_of(wanted, items, &mut arena.origins)
        }
        Type::List(wanted) => {
            let wanted = wanted_element(wanted, items.iter(), "one type for all elements")?;
            let items = items.iter().enumerate().map(|(at, item)| element(&value, item, at, &wanted, arena)).collect::<Result<_, _>>()?;
            Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::List(wanted), items))))
        }
        _ => return Err(Mismatch::new(type_words(ty), words(&value))),
    };
    Ok(made.with_origin(value.origin()).marked(value.marks()))
}

fn element(whole: &Value, item: &Value, at: usize, ty: &Type, arena: &mut Arena) -> Result<Value, Mismatch> {
    let is_set = matches!(whole.data(), Data::Sequence(sequence) if matches!(sequence.kind(), SequenceKind::Set(_)));
    // Nobody sees in which place of a set an element is.
    let step = || match item.data() {
        Data::String(text) if is_set && item.marks() == Marks::NONE => format!("[{text:?}]"),
        _ if is_set => "[*]".to_owned(),
        _ => format!("[{at}]"),
    };
    convert(item.clone(), ty, arena).map_err(|mismatch| mismatch.in_part(whole, step))
}

/// The element type a collection gets: what is asked for, or if that is any the one its elements share.
fn wanted_element<'a>(asked: &Type, items: impl Iterator<Item = &'a Value>, expected: &str) -> Result<Type, Mismatch> {
    if *asked == Type::Any {
        element_type(items).ok_or_else(|| Mismatch::new(expected, "several that do not agree"))
    } else {
        Ok(asked.clone())
    }
}

fn mapping_as(value: Value, mapping: &Mapping, ty: &Type, arena: &mut Arena) -> Result<Value, Mismatch> {
    let entries = mapping.entries();
    let (kind, entries) = match ty {
        Type::Map(to) => {
            if matches!(mapping.kind(), MappingKind::Map(from) if fits(from, to)) {
                return Ok(value);
            }
            let wanted = wanted_element(to, entries.iter().map(|entry| &entry.value), "one type for all values")?;
            let made = entries.iter().map(|entry| under(&value, entry, &wanted, arena)).collect::<Result<Vec<_>, _>>()?;
            (MappingKind::Map(wanted), made)
        }
        Type::Object(object) => (MappingKind::Object, fields(&value, mapping, object, arena)?),
        _ => return Err(Mismatch::new(type_words(ty), words(&value))),
    };
    let made = Value::new(Data::Mapping(Arc::new(Mapping::new(kind, entries))));
    Ok(made.with_origin(value.origin()).marked(value.marks()))
}

fn fields(value: &Value, mapping: &Mapping, object: &ObjectType, arena: &mut Arena) -> Result<Vec<Entry>, Mismatch> {
    let mut made = Vec::with_capacity(object.fields.len());
    for (name, field) in &object.fields {
        let entry = match mapping.get(name) {
            Some(entry) if !(entry.value.is_null() && field.default.is_some()) => under(value, entry, &field.ty, arena)?,
            Some(_) => default(name, field, arena)?,
            None if field.optional => default(name, field, arena)?,
            None => return Err(missing(name, value, mapping)),
        };
        made.push(entry);
    }
    Ok(made)
}

fn default(name: &Arc<str>, field: &Field, arena: &mut Arena) -> Result<Entry, Mismatch> {
    let value = field.default.clone().unwrap_or_else(Value::null);
    under(&Value::null(), &Entry::new(name.clone(), value), &field.ty, arena)
}

fn missing(name: &str, value: &Value, mapping: &Mapping) -> Mismatch {
    let names: Vec<_> = mapping.entries().iter().take(12).map(|entry| format!("`{}`", entry.key)).collect();
    let found = match names.as_slice() {
        [] => "an empty one".to_owned(),
        _ if value.marks() != Marks::NONE => words(value),
        names => format!("{} with {}", words(value), names.join(", ")),
    };
    Mismatch::new(format!("an object with `{name}`"), found).or_plainly(words(value))
}

fn under(whole: &Value, entry: &Entry, ty: &Type, arena: &mut Arena) -> Result<Entry, Mismatch> {
    let plain = |key: &str| key.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-');
    let step = || if plain(&entry.key) { format!(".{}", entry.key) } else { format!("[{:?}]", entry.key) };
    let value = convert(entry.value.clone(), ty, arena).map_err(|mismatch| mismatch.in_part(whole, step))?;
    Ok(Entry { key: entry.key.clone(), key_origin: entry.key_origin, value })
}

fn instance_as(value: &Value, ty: &Type, arena: &mut Arena) -> Result<Value, Mismatch> {
    let Some(instance) = value.instance() else { return Err(Mismatch::new(type_words(ty), words(value))) };
    let at = instance_origin(value, instance, arena);
    let attributes = from_also(instance.attributes.clone(), at, arena).marked(value.marks());
    match Open::of(&attributes) {
        Some(open) => Ok(opened(open, ty.clone(), &[attributes], arena, || later(value.clone(), ty))),
        None => convert(all_looked_at(value, attributes, arena), ty, arena),
    }
}

/// Whether every value of one type is one of the other as it stands, so that nothing has to be done to it.
fn fits(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (_, Type::Any) => true,
        (Type::List(from), Type::List(to)) | (Type::Set(from), Type::Set(to)) | (Type::Map(from), Type::Map(to)) => fits(from, to),
        (Type::Tuple(from), Type::Tuple(to)) => from.len() == to.len() && from.iter().zip(to.iter()).all(|(from, to)| fits(from, to)),
        (Type::Object(from), Type::Object(to)) => {
            let fields = || from.fields.values().zip(to.fields.values());
            from.fields.keys().eq(to.fields.keys()) && fields().all(|(from, to)| to.default.is_none() && fits(&from.ty, &to.ty))
        }
        _ => from == to,
    }
}

fn possible_at(at: usize, from: &Type, to: &Type) -> Result<(), Mismatch> {
    possible(from, to).map_err(|mismatch| mismatch.within(&format!("[{at}]")))
}

/// Whether a value of one type may convert to the other; a mismatch if it never does.
fn possible(from: &Type, to: &Type) -> Result<(), Mismatch> {
    match (from, to) {
        (Type::List(from) | Type::Set(from), Type::List(to) | Type::Set(to)) => {
            possible(from, to).map_err(|mismatch| mismatch.within("[*]"))
        }
        (Type::Tuple(from), Type::List(to) | Type::Set(to)) => from.iter().enumerate().try_for_each(|(at, from)| possible_at(at, from, to)),
        (Type::Tuple(from), Type::Tuple(to)) if from.len() == to.len() => {
            from.iter().zip(to.iter()).enumerate().try_for_each(|(at, (from, to))| possible_at(at, from, to))
        }
        (Type::Map(from), Type::Map(to)) => possible(from, to).map_err(|mismatch| mismatch.within("[*]")),
        (Type::Object(from), Type::Map(to)) => from
            .fields
            .iter()
            .try_for_each(|(name, field)| possible(&field.ty, to).map_err(|mismatch| mismatch.within(&format!(".{name}")))),
        (Type::Object(from), Type::Object(to)) => to.fields.iter().try_for_each(|(name, field)| match from.fields.get(name) {
            Some(from) => possible(&from.ty, &field.ty).map_err(|mismatch| mismatch.within(&format!(".{name}"))),
            None if field.optional => Ok(()),
            None => Err(Mismatch::new(format!("an object with `{name}`"), "one without it")),
        }),
        (Type::Any, _)
        | (_, Type::Any)
        | (Type::Reference(_), Type::Reference(_))
        | (Type::Bool | Type::Number, Type::String)
        | (Type::String, Type::Bool | Type::Number)
        | (Type::List(_) | Type::Set(_), Type::Tuple(_))
        | (Type::Map(_), Type::Object(_)) => Ok(()),
        _ if from == to => Ok(()),
        _ => Err(Mismatch::new(type_words(to), type_words(from))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::eval::scene::{Scene, show};
    use crate::value::Instance;
    use std::collections::BTreeMap;

    fn check(scene: &mut Scene, text: &str, ty: &Type, expected: &str) {
        let value = scene.value(text);
        let made = match convert(value, ty, &mut scene.arena) {
            Ok(value) => show(&value),
            Err(mismatch) => format!("{mismatch}"),
        };
        assert_eq!(made, expected, "{text} as {ty}");
    }

    fn object(fields: &[(&str, Type, bool, Option<Value>)]) -> Type {
        let fields = fields.iter().map(|(name, ty, optional, default)| {
            let field = Field { ty: ty.clone(), optional: *optional, default: default.clone() };
            (Arc::from(*name), field)
        });
        Type::Object(Arc::new(ObjectType { fields: fields.collect::<BTreeMap<_, _>>() }))
    }

    #[test]
    fn primitives_convert_as_in_terraform() {
        let mut scene = Scene::new([("secret", Value::string("hidden").sensitive())]);
        for (text, ty, expected) in [
            ("1", Type::String, "\"1\""),
            ("1.50", Type::String, "\"1.5\""),
            ("100", Type::String, "\"100\""),
            ("0.000001", Type::String, "\"0.000001\""),
            ("true", Type::String, "\"true\""),
            ("\"12\"", Type::Number, "12"),
            ("\"1e3\"", Type::Number, "1000"),
            ("\"true\"", Type::Bool, "true"),
            ("\"1\"", Type::Bool, "true"),
            ("\"0\"", Type::Bool, "false"),
            ("null", Type::Number, "null"),
            ("\"0x10\"", Type::Number, "a number is required, found the string `0x10`"),
            (
                "\"99999999999999999999999999999999\"",
                Type::Number,
                "a number of at most 28 digits is required, found the string `99999999999999999999999999999999`",
            ),
            ("\"yes\"", Type::Bool, "`true` or `false` is required, found the string `yes`"),
            ("var.secret", Type::Number, "a number is required, found a string"),
            ("var.secret", Type::String, "*\"hidden\""),
            ("1", Type::Bool, "a bool is required, found a number"),
            ("true", Type::Number, "a number is required, found a bool"),
            ("[1]", Type::String, "a string is required, found a tuple"),
            ("{}", Type::Number, "a number is required, found an object"),
        ] {
            check(&mut scene, text, &ty, expected);
        }
    }

    #[test]
    fn collections_convert_part_by_part() {
        let mut scene = Scene::default();
        let strings = || Type::list(Type::String);
        for (text, ty, expected) in [
            ("[1, \"a\", null]", strings(), "list[\"1\", \"a\", null]"),
            ("[]", strings(), "list[]"),
            ("[1, \"a\"]", Type::list(Type::Any), "list[\"1\", \"a\"]"),
            ("[[1], [\"a\"]]", Type::list(Type::Any), "list[[\"1\"], [\"a\"]]"),
            ("[1, true]", Type::list(Type::Any), "one type for all elements is required, found several that do not agree"),
            ("[3, 1, 2, 1]", Type::set(Type::Number), "set[1, 2, 3]"),
            ("[3, 10]", Type::set(Type::String), "set[\"10\", \"3\"]"),
            ("[1, \"1\"]", Type::set(Type::Any), "set[\"1\"]"),
            ("[1, 2]", Type::Tuple([Type::String, Type::Any].into()), "[\"1\", 2]"),
            ("[1]", Type::Tuple([Type::String, Type::Any].into()), "a tuple of 2 is required, found a tuple of 1"),
            ("{ b = 1, a = \"x\" }", Type::map(Type::String), "map{a=\"x\", b=\"1\"}"),
            ("{ b = 1, a = \"x\" }", Type::map(Type::Any), "map{a=\"x\", b=\"1\"}"),
            ("{ a = [1] }", Type::map(strings()), "map{a=list[\"1\"]}"),
            ("{ a = {b = [1, {}]} }", Type::map(Type::map(strings())), "at `.a.b[1]`: a string is required, found an object"),
            ("{ \"a b\" = [] }", Type::map(Type::String), "at `[\"a b\"]`: a string is required, found a tuple"),
            ("{}", strings(), "a list(string) is required, found an object"),
            ("[]", Type::map(Type::String), "a map(string) is required, found a tuple"),
            ("\"a\"", Type::set(Type::String), "a set(string) is required, found a string"),
        ] {
            check(&mut scene, text, &ty, expected);
        }
    }

    #[test]
    fn objects_get_their_defaults_and_lose_what_nobody_asked_for() {
        let mut scene = Scene::default();
        let inner = object(&[("deep", Type::Bool, true, Some(Value::bool(true)))]);
        let ty = object(&[
            ("name", Type::String, false, None),
            ("size", Type::Number, true, Some(Value::number(3))),
            ("note", Type::String, true, None),
            ("inner", inner, true, Some(Value::object::<&str>([]))),
        ]);
        for (text, expected) in [
            ("{ name = 1, more = 2 }", "{inner={deep=true}, name=\"1\", note=null, size=3}"),
            ("{ name = \"a\", size = null, inner = { deep = \"0\" } }", "{inner={deep=false}, name=\"a\", note=null, size=3}"),
            ("{ name = null, size = 4 }", "{inner={deep=true}, name=null, note=null, size=4}"),
            ("{ size = 1, note = \"x\" }", "an object with `name` is required, found an object with `note`, `size`"),
            ("{}", "an object with `name` is required, found an empty one"),
            ("{ name = \"a\", inner = { deep = \"maybe\" } }", "at `.inner.deep`: `true` or `false` is required, found the string `maybe`"),
        ] {
            check(&mut scene, text, &ty, expected);
        }
    }

    #[test]
    fn what_is_not_known_yet_gets_the_type_or_a_conversion_of_its_own() {
        let mut scene = Scene::new([
            ("number", Value::unknown(Type::Number)),
            ("any", Value::unknown(Type::Any)),
            ("list", Value::unknown(Type::list(Type::String))),
            ("pending", Value::pending(Type::Tuple([Type::Number].into()))),
            ("blocked", Value::blocked("why")),
        ]);
        for (text, ty, expected) in [
            ("var.number", Type::Number, "?number"),
            ("var.number", Type::String, "?string"),
            ("var.number", Type::Bool, "a bool is required, found a number"),
            ("var.number", Type::list(Type::Any), "a list(any) is required, found a number"),
            ("var.any", Type::list(Type::String), "?list(string)"),
            (
                "var.any",
                Type::Reference("cluster"),
                "a reference of class `cluster` is required, found what is known only after apply: which one must be known now",
            ),
            ("var.list", Type::set(Type::String), "?set(string)"),
            ("var.list", Type::list(Type::Bool), "?list(bool)"),
            ("var.list", Type::map(Type::Any), "a map(any) is required, found a list(string)"),
            ("var.pending", Type::list(Type::String), "…list(string)"),
            ("var.pending", Type::String, "a string is required, found a tuple"),
            ("var.blocked", Type::String, "!why"),
            ("[var.number]", Type::list(Type::String), "list[?string]"),
            ("[var.number, 1]", Type::set(Type::Number), "set[1, ?number]"),
            ("[var.number, 1]", Type::list(Type::Any), "list[?number, 1]"),
            ("{ a = var.any }", Type::map(Type::Any), "map{a=?any}"),
        ] {
            check(&mut scene, text, &ty, expected);
        }
        let thunks = scene.arena.thunks.len();
        for ty in [Type::Number, Type::Any] {
            let value = scene.value("var.number");
            assert!(convert(value, &ty, &mut scene.arena).is_ok());
        }
        assert_eq!(scene.arena.thunks.len(), thunks, "nothing has to be converted");
    }

    #[test]
    fn a_conversion_that_waits_is_made_when_the_value_is_there() {
        let mut scene = Scene::default();
        for (later, from, ty, expected) in [
            ("3", Type::Number, Type::String, "\"3\""),
            ("[2, 1, 2]", Type::Any, Type::set(Type::String), "set[\"1\", \"2\"]"),
            ("{ a = 1 }", Type::Any, object(&[("b", Type::Bool, true, Some(Value::bool(true)))]), "{b=true}"),
        ] {
            let value = scene.value(later);
            let computed = scene.arena.thunks.add(literal(value, Span::new(FileId(0), 0..0)));
            let made = convert(Value::deferred(from, computed), &ty, &mut scene.arena).unwrap();
            assert_eq!(scene.filled(&made).map(|value| show(&value)), Ok(expected.to_owned()), "{later}");
        }
    }

    #[test]
    fn origins_and_marks_survive() {
        let mut scene = Scene::default();
        let (a, b) = (scene.from("a"), scene.from("b"));
        let inner = Value::number(1).with_origin(b).sensitive();
        let value = Value::object([("k", inner)]).with_origin(a);
        let made = convert(value, &Type::map(Type::String), &mut scene.arena).unwrap();
        assert_eq!((made.origin(), made.entries()[0].value.origin()), (a, b));
        assert_eq!(show(&made), "map{k=*\"1\"}");
        let value = Value::unknown(Type::Number).with_origin(a).sensitive();
        let made = convert(value, &Type::String, &mut scene.arena).unwrap();
        assert_eq!((made.origin(), made.is_marked_sensitive()), (a, true));
    }

    fn resource(name: &str, attributes: Value) -> Value {
        Value::new(Data::Instance(Arc::new(Instance { address: Address::managed("k", name), classes: &["cluster"], attributes })))
    }

    #[test]
    fn only_an_instance_of_the_class_becomes_a_reference() {
        let mut scene = Scene::default();
        let attributes = || Value::object([("name", Value::string("n")), ("id", Value::unknown(Type::String))]);
        scene.names.resources.insert("known".to_owned(), resource("known", attributes()));
        scene.names.resources.insert("new".to_owned(), resource("new", Value::unknown(Type::Any)));
        let cluster = || Type::Reference("cluster");
        for (text, ty, expected) in [
            ("k.known", cluster(), "&k.known"),
            ("k.new", cluster(), "&k.new"),
            ("{ a = k.known, b = k.new }", Type::map(cluster()), "map{a=&k.known, b=&k.new}"),
            ("null", cluster(), "null"),
            ("k.known", Type::Reference("issuer"), "a reference of class `issuer` is required, found the k `k.known`, which is none"),
            (
                "{ for k, v in k.known : k => v }",
                cluster(),
                "a reference of class `cluster` is required, found an object: what an object literal, `merge` or a type constraint made of a \
                 resource leads to it no more",
            ),
            ("k.known.name", cluster(), "a reference of class `cluster` is required, found a string"),
            ("k.known", Type::String, "a string is required, found the k `k.known`"),
            ("k.known", Type::Any, "<k.known>"),
        ] {
            check(&mut scene, text, &ty, expected);
        }
        let value = scene.value("k.new");
        let reference = convert(value, &cluster(), &mut scene.arena).unwrap();
        assert!(reference.is_known() && !reference.is_constant());
        assert_eq!(show(&convert(reference, &cluster(), &mut scene.arena).unwrap()), "&k.new");
    }

    #[test]
    fn an_instance_becomes_an_object_with_its_address_as_origin() {
        let mut scene = Scene::default();
        let known = resource("a", Value::object([("name", Value::number(1)), ("other", Value::null())]));
        let ty = object(&[("name", Type::String, false, None)]);
        let made = convert(known, &ty, &mut scene.arena).unwrap();
        assert_eq!(show(&made), "{name=\"1\"}");
        assert_eq!(scene.sources(&made), "a");
        let made = convert(resource("b", Value::unknown(Type::Any)), &ty, &mut scene.arena).unwrap();
        assert_eq!(show(&made), "?object({ name = string })");
        assert_eq!(scene.sources(&made), "b");
        let made = convert(resource("c", Value::pending(Type::Any)), &ty, &mut scene.arena).unwrap();
        assert_eq!(show(&made), "…object({ name = string })");
    }
}
