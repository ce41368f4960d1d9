//! Values as JSON that people can read, and back exactly.
//!
//! A value stands as JSON would have it, and that is all for most: strings, truth values, numbers, tuples, objects. What JSON does
//! not show stands beside it, by path: the type of a list, set or map, `number` for a number that JSON's readers would round (it
//! stands as a string), and which parts are sensitive. A type counts for all within its path, until another is named.

use super::natural_v1::is_natural;
use super::type_text::{is_plain, parse, quote, stored, write};
use engine::value::{Data, Entry, Mapping, MappingKind, Sequence, SequenceKind, Type, Value, parse_number};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The path of the whole value.
const WHOLE: &str = ".";
/// Deeper nesting could be written but not read again.
const DEEPEST: usize = 100;
static ANY: Type = Type::Any;

/// What JSON does not show of a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Beside {
    /// Types as text, by path.
    pub(crate) types: BTreeMap<String, String>,
    /// Paths of what is sensitive.
    pub(crate) sensitive: BTreeSet<String>,
}

impl Beside {
    /// What JSON does not show of this value, or why it cannot be stored.
    pub(crate) fn of(value: &Value) -> Result<Self, &'static str> {
        if !value.is_known() {
            return Err("it holds a value that is not known");
        }
        let mut noting = Noting { found: Self::default(), path: String::new(), depth: 0 };
        noting.note(value, &ANY)?;
        Ok(noting.found)
    }

    /// The value with its types and marks, or which path leads to nothing.
    pub(crate) fn restore(self, natural: Value) -> Result<Value, String> {
        if self.types.is_empty() && self.sensitive.is_empty() {
            return Ok(natural);
        }
        let types = self.types.into_iter().map(|(path, text)| Ok((path, parse(&text)?))).collect::<Result<_, String>>()?;
        let mut restoring = Restoring { types, sensitive: self.sensitive, path: String::new() };
        let value = restoring.restore(&natural, &ANY);
        let unused = restoring.types.into_keys().next().or_else(|| restoring.sensitive.into_iter().next());
        match unused {
            Some(path) => Err(format!("the path `{path}` leads to nothing")),
            None => Ok(value),
        }
    }
}

fn sequence_type(kind: &SequenceKind) -> Option<Type> {
    match kind {
        SequenceKind::Tuple => None,
        SequenceKind::List(element) => Some(Type::list(stored(element))),
        SequenceKind::Set(element) => Some(Type::set(stored(element))),
    }
}

fn mapping_type(kind: &MappingKind) -> Option<Type> {
    match kind {
        MappingKind::Object => None,
        MappingKind::Map(element) => Some(Type::map(stored(element))),
    }
}

/// The type that elements have within a type.
fn element_type(ty: &Type, at: usize) -> &Type {
    match ty {
        Type::List(element) | Type::Set(element) => element,
        Type::Tuple(elements) => elements.get(at).unwrap_or(&ANY),
        _ => &ANY,
    }
}

/// The type that an entry has within a type.
fn entry_type<'a>(ty: &'a Type, key: &str) -> &'a Type {
    match ty {
        Type::Map(element) => element,
        Type::Object(object) => object.fields.get(key).map_or(&ANY, |field| &field.ty),
        _ => &ANY,
    }
}

/// Appends an attribute or key to a path.
pub(crate) fn push_key(path: &mut String, key: &str) {
    if !is_plain(key) {
        path.push('[');
        path.push_str(&quote(key));
        path.push(']');
        return;
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// Appends the index of an element to a path.
pub(crate) fn push_index(path: &mut String, at: usize) {
    path.push('[');
    path.push_str(&at.to_string());
    path.push(']');
}

/// A path as it is written: the empty one as a dot.
pub(crate) fn name_of(path: &str) -> &str {
    if path.is_empty() { WHOLE } else { path }
}

/// Whether JSON shows all of a value under this type, without a look within: no path is made for it.
fn says_all(value: &Value, expected: &Type) -> bool {
    let shown = match value.data() {
        Data::Null | Data::Bool(_) => true,
        Data::String(_) => *expected != Type::Number,
        _ => false,
    };
    shown && !value.is_marked_sensitive()
}

struct Noting {
    found: Beside,
    path: String,
    depth: usize,
}

impl Noting {
    fn note_type(&mut self, ty: &Type) {
        self.found.types.insert(name_of(&self.path).to_owned(), write(ty));
    }

    /// Notes what restoring the JSON form under the type `expected` would get wrong.
    fn note(&mut self, value: &Value, expected: &Type) -> Result<(), &'static str> {
        if self.depth > DEEPEST {
            return Err("it is nested more than 100 deep");
        }
        if value.is_marked_sensitive() {
            self.found.sensitive.insert(name_of(&self.path).to_owned());
        }
        match value.data() {
            Data::String(text) if *expected == Type::Number && parse_number(text).is_ok() => self.note_type(&Type::String),
            Data::Number(number) if *expected != Type::Number && !is_natural(*number) => self.note_type(&Type::Number),
            Data::Sequence(sequence) => return self.note_sequence(sequence, expected),
            Data::Mapping(mapping) => return self.note_mapping(mapping, expected),
            Data::Instance(instance) => return self.note(&instance.attributes, expected),
            _ => {}
        }
        Ok(())
    }

    fn note_sequence(&mut self, sequence: &Sequence, expected: &Type) -> Result<(), &'static str> {
        let own = match sequence_type(sequence.kind()) {
            Some(own) => (own != *expected).then_some(own),
            None => matches!(expected, Type::List(_) | Type::Set(_)).then(|| Type::Tuple(Arc::from([]))),
        };
        if let Some(own) = &own {
            self.note_type(own);
        }
        let ty = own.as_ref().unwrap_or(expected);
        let length = self.path.len();
        self.depth += 1;
        let too_deep = self.depth > DEEPEST;
        for (at, item) in sequence.items().iter().enumerate().filter(|(at, item)| too_deep || !says_all(item, element_type(ty, *at))) {
            push_index(&mut self.path, at);
            self.note(item, element_type(ty, at))?;
            self.path.truncate(length);
        }
        self.depth -= 1;
        Ok(())
    }

    fn note_mapping(&mut self, mapping: &Mapping, expected: &Type) -> Result<(), &'static str> {
        let own = match mapping_type(mapping.kind()) {
            Some(own) => (own != *expected).then_some(own),
            None => matches!(expected, Type::Map(_)).then(|| Type::object([])),
        };
        if let Some(own) = &own {
            self.note_type(own);
        }
        let ty = own.as_ref().unwrap_or(expected);
        let length = self.path.len();
        self.depth += 1;
        let too_deep = self.depth > DEEPEST;
        for entry in mapping.entries().iter().filter(|entry| too_deep || !says_all(&entry.value, entry_type(ty, &entry.key))) {
            push_key(&mut self.path, &entry.key);
            self.note(&entry.value, entry_type(ty, &entry.key))?;
            self.path.truncate(length);
        }
        self.depth -= 1;
        Ok(())
    }
}

struct Restoring {
    types: BTreeMap<String, Type>,
    sensitive: BTreeSet<String>,
    path: String,
}

impl Restoring {
    fn restore(&mut self, natural: &Value, expected: &Type) -> Value {
        let named = self.types.remove(name_of(&self.path));
        let ty = named.as_ref().unwrap_or(expected);
        let sensitive = self.sensitive.remove(name_of(&self.path));
        let value = match (natural.data(), ty) {
            (Data::String(text), Type::Number) => parse_number(text).map_or_else(|_| natural.clone(), Value::number),
            (Data::Sequence(sequence), ty) => self.restore_sequence(sequence, ty),
            (Data::Mapping(mapping), ty) => self.restore_mapping(mapping, ty),
            _ => natural.clone(),
        };
        value.sensitive_if(sensitive)
    }

    fn restore_sequence(&mut self, sequence: &Sequence, ty: &Type) -> Value {
        let kind = match ty {
            Type::List(element) => SequenceKind::List(Type::clone(element)),
            Type::Set(element) => SequenceKind::Set(Type::clone(element)),
            _ => SequenceKind::Tuple,
        };
        let length = self.path.len();
        let mut items = Vec::with_capacity(sequence.items().len());
        for (at, item) in sequence.items().iter().enumerate() {
            push_index(&mut self.path, at);
            items.push(self.restore(item, element_type(ty, at)));
            self.path.truncate(length);
        }
        Value::new(Data::Sequence(Arc::new(Sequence::new(kind, items))))
    }

    fn restore_mapping(&mut self, mapping: &Mapping, ty: &Type) -> Value {
        let kind = match ty {
            Type::Map(element) => MappingKind::Map(Type::clone(element)),
            _ => MappingKind::Object,
        };
        let length = self.path.len();
        let mut entries = Vec::with_capacity(mapping.entries().len());
        for entry in mapping.entries() {
            push_key(&mut self.path, &entry.key);
            entries.push(Entry::new(entry.key.clone(), self.restore(&entry.value, entry_type(ty, &entry.key))));
            self.path.truncate(length);
        }
        Value::new(Data::Mapping(Arc::new(Mapping::new(kind, entries))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::natural_v1::Natural;
    use super::*;
    use crate::sample::{map, sequence};
    use engine::address::Address;
    use engine::value::{Instance, Number};
    use proptest::prelude::*;

    /// The JSON of a value, the types and the sensitive paths beside it.
    fn written(value: &Value) -> (String, Beside) {
        let beside = Beside::of(value).unwrap();
        (serde_json::to_string(&Natural(value.clone())).unwrap(), beside)
    }

    fn read(json: &str, beside: Beside) -> Result<Value, String> {
        let Natural(natural) = serde_json::from_str(json).unwrap();
        beside.restore(natural)
    }

    fn number(text: &str) -> Value {
        Value::number(parse_number(text).unwrap())
    }

    fn list(element: Type, items: Vec<Value>) -> Value {
        sequence(SequenceKind::List(element), items)
    }

    fn set(element: Type, items: Vec<Value>) -> Value {
        sequence(SequenceKind::Set(element), items)
    }

    fn check(value: Value, json: &str, types: &[(&str, &str)], sensitive: &[&str]) {
        let (text, beside) = written(&value);
        assert_eq!(text, json);
        let noted: Vec<_> = beside.types.iter().map(|(path, ty)| (path.as_str(), ty.as_str())).collect();
        assert_eq!(noted, types, "{json}");
        assert_eq!(beside.sensitive.iter().collect::<Vec<_>>(), sensitive, "{json}");
        assert_eq!(read(&text, beside), Ok(value), "{json}");
    }

    #[test]
    fn plain_values_stand_as_they_are() {
        for (value, json) in [
            (Value::null(), "null"),
            (Value::bool(true), "true"),
            (Value::string("12"), "\"12\""),
            (number("0"), "0"),
            (number("-9223372036854775808"), "-9223372036854775808"),
            (number("18446744073709551615"), "18446744073709551615"),
            (number("0.1"), "0.1"),
            (number("-2.5"), "-2.5"),
            (number("3.0"), "3"),
            (Value::tuple(vec![]), "[]"),
            (Value::object::<&str>([]), "{}"),
            (
                Value::tuple(vec![Value::null(), Value::object([("b", number("1")), ("a", Value::tuple(vec![]))])]),
                "[null,{\"a\":[],\"b\":1}]",
            ),
        ] {
            check(value, json, &[], &[]);
        }
    }

    #[test]
    fn a_number_that_would_be_rounded_is_a_string_with_its_type() {
        for text in ["18446744073709551616", "-9223372036854775809", "0.1234567890123456789", "1e-28", "79228162514264337593543950335"] {
            let value = number(text);
            let json = format!("\"{}\"", value.as_number().unwrap().normalize());
            check(value, &json, &[(".", "number")], &[]);
        }
    }

    #[test]
    fn lists_sets_and_maps_name_their_type_once() {
        let inner = map(Type::list(Type::Number), vec![("k", list(Type::Number, vec![number("1"), number("0.12345678901234567890")]))]);
        check(
            Value::object([("a", set(Type::map(Type::list(Type::Number)), vec![inner]))]),
            "{\"a\":[{\"k\":[1,\"0.1234567890123456789\"]}]}",
            &[("a", "set(map(list(number)))")],
            &[],
        );
        check(list(Type::String, vec![Value::string("1"), Value::null()]), "[\"1\",null]", &[(".", "list(string)")], &[]);
    }

    #[test]
    fn what_differs_from_the_type_around_it_is_named_by_itself() {
        check(
            list(Type::Number, vec![Value::string("12"), Value::string("x"), number("3")]),
            "[\"12\",\"x\",3]",
            &[(".", "list(number)"), ("[0]", "string")],
            &[],
        );
        check(
            list(Type::list(Type::Any), vec![Value::tuple(vec![list(Type::Bool, vec![])]), set(Type::Any, vec![])]),
            "[[[]],[]]",
            &[(".", "list(list(any))"), ("[0]", "tuple([])"), ("[0][0]", "list(bool)"), ("[1]", "set(any)")],
            &[],
        );
        check(
            map(Type::map(Type::Any), vec![("a", Value::object([("b", Value::null())]))]),
            "{\"a\":{\"b\":null}}",
            &[(".", "map(map(any))"), ("a", "object({})")],
            &[],
        );
    }

    #[test]
    fn sensitive_parts_are_named_by_their_paths() {
        let secret = || Value::string("s").sensitive();
        check(
            Value::object([
                ("a-b", secret()),
                ("tls.key", Value::tuple(vec![number("1"), Value::object([("", secret()), ("q\"", secret())])])),
                ("whole", Value::object([("part", secret())]).sensitive()),
            ]),
            "{\"a-b\":\"s\",\"tls.key\":[1,{\"\":\"s\",\"q\\\"\":\"s\"}],\"whole\":{\"part\":\"s\"}}",
            &[],
            &["[\"tls.key\"][1][\"\"]", "[\"tls.key\"][1][\"q\\\"\"]", "a-b", "whole", "whole.part"],
        );
        check(secret(), "\"s\"", &[], &["."]);
    }

    #[test]
    fn references_are_kept_as_addresses_and_instances_as_objects() {
        let attributes = Value::object([("id", Value::string("1"))]);
        let instance =
            Arc::new(Instance { address: Address::managed("ca_root", "mesh"), classes: &["issuer"], attributes: attributes.clone() });
        let reference = Value::new(Data::Reference(instance.clone()));
        let peers = list(Type::object([("issuer", Type::Reference("issuer"), true)]), vec![Value::object([("issuer", reference)])]);
        let (json, beside) = written(&Value::object([("a", peers), ("b", Value::new(Data::Instance(instance)))]));
        assert_eq!(json, "{\"a\":[{\"issuer\":\"ca_root.mesh\"}],\"b\":{\"id\":\"1\"}}");
        let peer = Value::object([("issuer", Value::string("ca_root.mesh"))]);
        let peers = list(Type::object([("issuer", Type::String, false)]), vec![peer]);
        assert_eq!(read(&json, beside), Ok(Value::object([("a", peers), ("b", attributes)])));
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        for value in [Value::unknown(Type::Any), Value::pending(Type::Any), Value::tuple(vec![Value::blocked("gone")])] {
            assert_eq!(Beside::of(&value), Err("it holds a value that is not known"));
        }
        let deep = |levels| (0..levels).fold(Value::null(), |value, _| Value::tuple(vec![value]));
        assert!(Beside::of(&deep(DEEPEST)).is_ok());
        assert_eq!(Beside::of(&deep(DEEPEST + 1)), Err("it is nested more than 100 deep"));
    }

    #[test]
    fn what_was_edited_wrongly_is_refused() {
        let beside = |types: &[(&str, &str)], sensitive: &[&str]| Beside {
            types: types.iter().map(|(path, ty)| ((*path).to_owned(), (*ty).to_owned())).collect(),
            sensitive: sensitive.iter().map(|path| (*path).to_owned()).collect(),
        };
        for (beside, error) in [
            (beside(&[("a", "strings")], &[]), "`strings` is no type: a type is expected at `strings`"),
            (beside(&[("b", "string")], &[]), "the path `b` leads to nothing"),
            (beside(&[], &["a.b"]), "the path `a.b` leads to nothing"),
        ] {
            assert_eq!(read("{\"a\":1}", beside), Err(error.to_owned()));
        }
        let error = serde_json::from_str::<Natural>("[1, 1e300]").err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("the number has more digits, or is larger, than can be kept at line 1 column 9"));
    }

    fn any_type() -> impl Strategy<Value = Type> {
        let leaf = prop_oneof![Just(Type::Any), Just(Type::Bool), Just(Type::Number), Just(Type::String)];
        leaf.prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(Type::list),
                inner.clone().prop_map(Type::set),
                inner.clone().prop_map(Type::map),
                prop::collection::vec(inner.clone(), 0..3).prop_map(|elements| Type::Tuple(elements.into())),
                prop::collection::btree_map(any_key(), inner, 0..3).prop_map(|fields| Type::object(fields.iter().map(|(name, ty)| (
                    name.as_str(),
                    ty.clone(),
                    false
                )))),
            ]
        })
    }

    fn any_key() -> impl Strategy<Value = String> {
        prop_oneof!["[a-c]", "[0-9]", ".{0,3}"]
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let numbers = prop_oneof![
            any::<i64>().prop_map(Value::number),
            any::<u64>().prop_map(Value::number),
            (any::<i64>(), 0u32..28).prop_map(|(digits, scale)| Value::number(Number::new(digits, scale))),
            (any::<i64>(), any::<i64>(), 0u32..=28)
                .prop_map(|(a, b, scale)| Value::number(Number::from_i128_with_scale((i128::from(a) * i128::from(b)) >> 32, scale))),
        ];
        let leaf = prop_oneof![
            Just(Value::null()),
            any::<bool>().prop_map(Value::bool),
            numbers,
            ".*".prop_map(Value::string),
            "[0-9]{1,3}".prop_map(Value::string)
        ];
        let marked = (leaf, any::<bool>()).prop_map(|(value, mark)| value.sensitive_if(mark));
        marked.prop_recursive(4, 32, 4, |inner| {
            let items = prop::collection::vec(inner.clone(), 0..4);
            let entries = prop::collection::vec((any_key(), inner), 0..4);
            let sequences = (items, any_type(), 0..3).prop_map(|(items, ty, kind)| match kind {
                0 => Value::tuple(items),
                1 => list(ty, items),
                _ => set(ty, items),
            });
            let mappings = (entries, any_type(), any::<bool>()).prop_map(|(entries, ty, object)| {
                if object {
                    Value::object(entries)
                } else {
                    map(ty, entries.iter().map(|(key, value)| (key.as_str(), value.clone())).collect())
                }
            });
            (prop_oneof![sequences, mappings], any::<bool>()).prop_map(|(value, mark)| value.sensitive_if(mark))
        })
    }

    proptest! {
        #[test]
        fn every_known_value_comes_back_exactly(value in any_value()) {
            let (json, beside) = written(&value);
            prop_assert_eq!(read(&json, beside), Ok(value));
        }

        #[test]
        fn every_type_comes_back_exactly(ty in any_type()) {
            prop_assert_eq!(parse(&write(&ty)), Ok(ty));
        }
    }
}
