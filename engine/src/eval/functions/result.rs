//! Collections as functions give them.

use crate::value::{Data, Entry, Mapping, MappingKind, Sequence, SequenceKind, Type, Value};
use std::sync::Arc;

/// A sequence of a kind whose elements fit it already.
pub(super) fn sequence(kind: SequenceKind, items: Vec<Value>) -> Value {
    Value::new(Data::Sequence(Arc::new(Sequence::new(kind, items))))
}

/// A list of elements that are of the type already.
pub(super) fn list(element: Type, items: Vec<Value>) -> Value {
    sequence(SequenceKind::List(element), items)
}

/// A list of strings.
pub(super) fn texts(items: impl IntoIterator<Item = impl Into<Arc<str>>>) -> Value {
    list(Type::String, items.into_iter().map(Value::string).collect())
}

/// A map of values that are of the type already.
pub(super) fn map(element: Type, entries: Vec<Entry>) -> Value {
    Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Map(element), entries))))
}

/// An object.
pub(super) fn object(entries: Vec<Entry>) -> Value {
    Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Object, entries))))
}
