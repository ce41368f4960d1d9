//! Values with what is sensitive in them replaced by something else.

use crate::format::value_v1::{name_of, push_index, push_key};
use engine::value::{Data, Entry, Mapping, Sequence, Value};
use std::sync::Arc;

/// What a sensitive part, which has this path, is replaced by.
type Replace<'a, E> = &'a mut dyn FnMut(&Value, &str) -> Result<Value, E>;

/// The value with every sensitive part replaced that does not lie in another.
pub(super) fn replaced<E>(value: &Value, with: Replace<'_, E>) -> Result<Value, E> {
    walk(value, &mut String::new(), with)
}

fn walk<E>(value: &Value, path: &mut String, with: Replace<'_, E>) -> Result<Value, E> {
    if value.is_marked_sensitive() {
        return with(value, name_of(path));
    }
    if !value.holds_sensitive() {
        return Ok(value.clone());
    }
    let length = path.len();
    match value.data() {
        Data::Sequence(sequence) => {
            let mut items = Vec::with_capacity(sequence.items().len());
            for (at, item) in sequence.items().iter().enumerate() {
                push_index(path, at);
                items.push(walk(item, path, with)?);
                path.truncate(length);
            }
            Ok(Value::new(Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items)))))
        }
        Data::Mapping(mapping) => {
            let mut entries = Vec::with_capacity(mapping.entries().len());
            for entry in mapping.entries() {
                push_key(path, &entry.key);
                entries.push(Entry { value: walk(&entry.value, path, with)?, ..entry.clone() });
                path.truncate(length);
            }
            Ok(Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries)))))
        }
        Data::Instance(instance) => walk(&instance.attributes, path, with),
        _ => Ok(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{map, sequence};
    use engine::value::{SequenceKind, Type};

    #[test]
    fn each_outermost_sensitive_part_is_replaced_under_its_path() {
        let secret = || Value::string("s").sensitive();
        let value = Value::object([
            ("plain", Value::tuple(vec![Value::string("p")])),
            ("tls.key", map(Type::String, vec![("a", secret()), ("b", Value::string("p"))])),
            ("list", sequence(SequenceKind::List(Type::String), vec![Value::string("p"), secret()])),
            ("whole", Value::object([("part", secret())]).sensitive()),
        ]);
        let mut paths = Vec::new();
        let result = replaced(&value, &mut |part, path| {
            paths.push((path.to_owned(), part.clone()));
            Ok::<_, ()>(Value::null())
        });
        let expected = Value::object([
            ("plain", Value::tuple(vec![Value::string("p")])),
            ("tls.key", map(Type::String, vec![("a", Value::null()), ("b", Value::string("p"))])),
            ("list", sequence(SequenceKind::List(Type::String), vec![Value::string("p"), Value::null()])),
            ("whole", Value::null()),
        ]);
        assert_eq!(result, Ok(expected));
        let paths: Vec<_> = paths.iter().map(|(path, part)| (path.as_str(), part.data() == secret().data())).collect();
        assert_eq!(paths, [("list[1]", true), ("[\"tls.key\"].a", true), ("whole", false)]);
        assert_eq!(replaced(&secret(), &mut |_, path| Ok::<_, ()>(Value::string(path))), Ok(Value::string(".")));
        assert_eq!(replaced(&value, &mut |_, _| Err("no")), Err("no"));
    }
}
