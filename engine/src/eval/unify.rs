//! Types of values, and the one type that several can be converted to.

use crate::value::{Data, Field, MappingKind, ObjectType, SequenceKind, Type, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What null is of among types that are unified: it has no say, also not within an object. No class has an empty name.
const NULL: Type = Type::Reference("");

/// The type of a value. Null, what is blocked, and an instance are of any type: an instance stays itself wherever it goes until a
/// type is asked of it, and an object type would take its address away.
pub fn type_of(value: &Value) -> Type {
    typed(value, &Type::Any)
}

/// The type of a value, with that of a null.
fn typed(value: &Value, null: &Type) -> Type {
    match value.data() {
        Data::Null => null.clone(),
        Data::Blocked(_) | Data::Instance(_) => Type::Any,
        Data::Bool(_) => Type::Bool,
        Data::Number(_) => Type::Number,
        Data::String(_) => Type::String,
        Data::Sequence(sequence) => match sequence.kind() {
            SequenceKind::Tuple => Type::Tuple(sequence.items().iter().map(|item| typed(item, null)).collect()),
            SequenceKind::List(element) => Type::list(element.clone()),
            SequenceKind::Set(element) => Type::set(element.clone()),
        },
        Data::Mapping(mapping) => match mapping.kind() {
            MappingKind::Map(element) => Type::map(element.clone()),
            MappingKind::Object => {
                let field = |ty| Field { ty, optional: false, default: None };
                let fields = mapping.entries().iter().map(|entry| (entry.key.clone(), field(typed(&entry.value, null))));
                Type::Object(Arc::new(ObjectType { fields: fields.collect() }))
            }
        },
        Data::Reference(instance) => instance.classes.first().map_or(Type::Any, |class| Type::Reference(class)),
        Data::Unknown(ty, _) | Data::Pending(ty) => (**ty).clone(),
    }
}

/// What a value is, in a few words, for messages: never its content.
pub fn words(value: &Value) -> String {
    match value.data() {
        Data::Null => "null".to_owned(),
        Data::Sequence(sequence) if *sequence.kind() == SequenceKind::Tuple => "a tuple".to_owned(),
        Data::Mapping(mapping) if *mapping.kind() == MappingKind::Object => "an object".to_owned(),
        Data::Instance(instance) => format!("the {} `{}`", instance.address.kind, instance.address),
        Data::Reference(instance) => format!("a reference to `{}`", instance.address),
        Data::Blocked(_) => "what could not be observed".to_owned(),
        _ => type_words(&type_of(value)),
    }
}

/// A type in a few words, for messages. It names no attributes: those of a value that is sensitive are as secret as what they hold.
pub(crate) fn type_words(ty: &Type) -> String {
    match ty {
        Type::Any => "a value of any type".to_owned(),
        Type::Bool => "a bool".to_owned(),
        Type::Number => "a number".to_owned(),
        Type::String => "a string".to_owned(),
        Type::List(element) if matches!(**element, Type::Object(_)) => "a list of objects".to_owned(),
        Type::Set(element) if matches!(**element, Type::Object(_)) => "a set of objects".to_owned(),
        Type::Map(element) if matches!(**element, Type::Object(_)) => "a map of objects".to_owned(),
        Type::List(element) | Type::Set(element) | Type::Map(element) if !holds_objects(element) && ty.to_string().len() <= 40 => {
            format!("a {ty}")
        }
        Type::List(_) => "a list".to_owned(),
        Type::Set(_) => "a set".to_owned(),
        Type::Map(_) => "a map".to_owned(),
        Type::Object(_) => "an object".to_owned(),
        Type::Tuple(_) => "a tuple".to_owned(),
        Type::Reference(class) => format!("a reference of class `{class}`"),
    }
}

fn holds_objects(ty: &Type) -> bool {
    match ty {
        Type::Object(_) => true,
        Type::List(element) | Type::Set(element) | Type::Map(element) => holds_objects(element),
        Type::Tuple(elements) => elements.iter().any(holds_objects),
        Type::Any | Type::Bool | Type::Number | Type::String | Type::Reference(_) => false,
    }
}

/// The one type that values of all these types can be converted to without loss, if there is one: strings take in numbers and bools,
/// lists take in tuples and sets, maps take in objects, and with [`Type::Any`] among them nothing is converted. No types unify to any.
pub fn unify(types: &[Type]) -> Option<Type> {
    all(types.iter())
}

/// The one type of these values, which the elements of a list, set or map of them get, or the branches of a conditional. Nulls have no
/// say, also within tuples and objects.
pub(crate) fn element_type<'a>(values: impl IntoIterator<Item = &'a Value>) -> Option<Type> {
    let mut types: Vec<Type> = Vec::new();
    for value in values {
        let ty = typed(value, &NULL);
        if !types.contains(&ty) {
            types.push(ty);
        }
    }
    all(types.iter()).map(without_null)
}

/// A type in which nothing but nulls said anything of some part.
fn without_null(ty: Type) -> Type {
    match ty {
        NULL => Type::Any,
        Type::List(element) => Type::list(without_null((*element).clone())),
        Type::Set(element) => Type::set(without_null((*element).clone())),
        Type::Map(element) => Type::map(without_null((*element).clone())),
        Type::Tuple(items) => Type::Tuple(items.iter().cloned().map(without_null).collect()),
        Type::Object(object) => {
            let fields = object.fields.iter().map(|(name, field)| {
                let ty = without_null(field.ty.clone());
                (name.clone(), Field { ty, ..field.clone() })
            });
            Type::Object(Arc::new(ObjectType { fields: fields.collect() }))
        }
        plain => plain,
    }
}

fn pair(one: &Type, other: &Type) -> Option<Type> {
    if one == other {
        return Some(one.clone());
    }
    match (one, other) {
        (&NULL, ty) | (ty, &NULL) => Some(ty.clone()),
        (Type::Any, _) | (_, Type::Any) | (Type::Reference(_), Type::Reference(_)) => Some(Type::Any),
        (Type::String, Type::Number | Type::Bool) | (Type::Number | Type::Bool, Type::String) => Some(Type::String),
        (Type::List(a), Type::List(b) | Type::Set(b)) | (Type::Set(a), Type::List(b)) => Some(Type::list(pair(a, b)?)),
        (Type::Set(a), Type::Set(b)) => Some(Type::set(pair(a, b)?)),
        (Type::Map(a), Type::Map(b)) => Some(Type::map(pair(a, b)?)),
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            let elements = a.iter().zip(b.iter()).map(|(a, b)| pair(a, b));
            Some(Type::Tuple(elements.collect::<Option<_>>()?))
        }
        (Type::Tuple(a), Type::Tuple(b)) => Some(Type::list(all(a.iter().chain(b.iter()))?)),
        (Type::List(element), Type::Tuple(items)) | (Type::Tuple(items), Type::List(element)) => {
            Some(Type::list(all(items.iter().chain([&**element]))?))
        }
        (Type::Set(element), Type::Tuple(items)) | (Type::Tuple(items), Type::Set(element)) => {
            Some(Type::set(all(items.iter().chain([&**element]))?))
        }
        (Type::Object(a), Type::Object(b)) => objects(a, b),
        (Type::Map(element), Type::Object(object)) | (Type::Object(object), Type::Map(element)) => {
            Some(Type::map(all(object.fields.values().map(|field| &field.ty).chain([&**element]))?))
        }
        _ => None,
    }
}

fn objects(one: &ObjectType, other: &ObjectType) -> Option<Type> {
    if !one.fields.keys().eq(other.fields.keys()) {
        return Some(Type::map(all(one.fields.values().chain(other.fields.values()).map(|field| &field.ty))?));
    }
    let both = one.fields.iter().zip(other.fields.values());
    let fields: Option<BTreeMap<_, _>> = both
        .map(|((name, a), b)| {
            let ty = pair(&a.ty, &b.ty)?;
            Some((name.clone(), Field { ty, optional: a.optional || b.optional, default: None }))
        })
        .collect();
    Some(Type::Object(Arc::new(ObjectType { fields: fields? })))
}

/// The one type of several, whatever their order: two that do not agree may both agree with a third.
fn all<'a>(types: impl Iterator<Item = &'a Type>) -> Option<Type> {
    let (mut distinct, mut nulls) = (Vec::<&Type>::new(), false);
    for ty in types {
        if *ty == Type::Any {
            return Some(Type::Any);
        }
        if *ty == NULL {
            nulls = true;
        } else if !distinct.contains(&ty) {
            distinct.push(ty);
        }
    }
    if distinct.is_empty() {
        return Some(if nulls { NULL } else { Type::Any });
    }
    let from = |first: &Type| distinct.iter().try_fold(first.clone(), |all, ty| pair(&all, ty));
    distinct.iter().find_map(|first| from(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::value::Instance;

    fn tuple(types: &[Type]) -> Type {
        Type::Tuple(types.into())
    }

    #[test]
    fn types_unify_as_in_terraform() {
        let object = |fields: &[(&str, Type)]| Type::object(fields.iter().map(|(name, ty)| (*name, ty.clone(), false)));
        let (number, string) = (|| Type::Number, || Type::String);
        for (one, other, expected) in [
            (number(), string(), Some(string())),
            (Type::Bool, string(), Some(string())),
            (number(), Type::Bool, None),
            (number(), Type::Any, Some(Type::Any)),
            (tuple(&[number()]), string(), None),
            (tuple(&[number(), number()]), tuple(&[]), Some(Type::list(number()))),
            (tuple(&[number()]), tuple(&[string()]), Some(tuple(&[string()]))),
            (tuple(&[number()]), tuple(&[tuple(&[])]), None),
            (tuple(&[number()]), Type::list(string()), Some(Type::list(string()))),
            (Type::set(string()), tuple(&[string()]), Some(Type::set(string()))),
            (Type::set(string()), Type::list(number()), Some(Type::list(string()))),
            (object(&[("a", number())]), object(&[("b", number())]), Some(Type::map(number()))),
            (object(&[("a", number())]), object(&[("b", string())]), Some(Type::map(string()))),
            (object(&[("a", number())]), object(&[("b", tuple(&[number()]))]), None),
            (object(&[("a", number())]), object(&[("a", string())]), Some(object(&[("a", string())]))),
            (object(&[("a", number())]), object(&[]), Some(Type::map(number()))),
            (Type::map(number()), object(&[("b", string())]), Some(Type::map(string()))),
            (
                object(&[("a", object(&[("b", number())]))]),
                object(&[("a", object(&[("c", number())]))]),
                Some(object(&[("a", Type::map(number()))])),
            ),
            (Type::Reference("cluster"), Type::Reference("cluster"), Some(Type::Reference("cluster"))),
            (Type::Reference("cluster"), Type::Reference("issuer"), Some(Type::Any)),
            (Type::Reference("cluster"), string(), None),
        ] {
            assert_eq!(unify(&[one.clone(), other.clone()]), expected, "{one} with {other}");
            assert_eq!(unify(&[other.clone(), one.clone()]), expected, "{other} with {one}");
        }
        assert_eq!(unify(&[]), Some(Type::Any));
        assert_eq!(unify(&[number(), tuple(&[]), Type::Any]), Some(Type::Any));
        assert_eq!(unify(&[number(), string(), Type::Bool]), Some(string()));
        assert_eq!(unify(&[number(), Type::Bool, string()]), Some(string()));
    }

    #[test]
    fn a_null_has_no_say_in_an_element_type() {
        assert_eq!(element_type(&[Value::null(), Value::number(1), Value::string("a")]), Some(Type::String));
        assert_eq!(element_type(&[Value::null()]), Some(Type::Any));
        assert_eq!(element_type(&[Value::number(1), Value::bool(true)]), None);
        let within = |value: Value| Value::object([("a", Value::tuple(vec![value]))]);
        for (values, expected) in [
            ([within(Value::null()), within(Value::number(1)), within(Value::string("x"))], "object({ a = tuple([string]) })"),
            ([within(Value::null()), within(Value::null()), Value::null()], "object({ a = tuple([any]) })"),
            ([within(Value::null()), within(Value::unknown(Type::Any)), within(Value::number(1))], "object({ a = tuple([any]) })"),
            ([Value::object([("b", Value::null())]), Value::object([("c", Value::number(1))]), Value::null()], "map(number)"),
        ] {
            assert_eq!(element_type(&values).map(|ty| ty.to_string()).as_deref(), Some(expected), "{values:?}");
        }
    }

    #[test]
    fn values_have_types_and_words() {
        let instance = Arc::new(Instance { address: Address::managed("ca_root", "mesh"), classes: &["issuer"], attributes: Value::null() });
        for (value, ty, said) in [
            (Value::null(), "any", "null"),
            (Value::tuple(vec![Value::number(1), Value::string("s")]), "tuple([number, string])", "a tuple"),
            (Value::object([("a", Value::bool(true))]), "object({ a = bool })", "an object"),
            (Value::unknown(Type::set(Type::String)), "set(string)", "a set(string)"),
            (Value::pending(Type::Number), "number", "a number"),
            (Value::new(Data::Instance(instance.clone())), "any", "the ca_root `ca_root.mesh`"),
            (Value::new(Data::Reference(instance)), "issuer", "a reference to `ca_root.mesh`"),
        ] {
            assert_eq!(type_of(&value).to_string(), ty);
            assert_eq!(words(&value), said);
        }
    }
}
