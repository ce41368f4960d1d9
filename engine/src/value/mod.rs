//! Values of the language: known, pending, unknown or blocked, sensitive or not, and each with the resources it came from.
//!
//! A [`Value`] is 32 bytes: its data, one [`Origin`] and summary flags, so that "is all of this known?" costs nothing. Collections
//! carry an origin of their own, one for each key and one for each element; taking an element adds the collection's own and
//! never its siblings'.

mod collection;
mod extent;
mod fingerprint;
mod hiding;
mod json;
mod mark;
mod number;
mod origin;
mod types;
mod written;

pub use collection::{Entry, Mapping, MappingKind, Sequence, SequenceKind};
pub use extent::Extent;
pub(crate) use fingerprint::TupleHash;
pub use fingerprint::{fingerprint, hex, keyed_fingerprint};
pub use hiding::Secrets;
pub use json::NotJson;
pub use mark::Marks;
pub use number::{NotANumber, Number, convert_number, parse_number};
pub use origin::{Made, Origin, Origins};
pub use types::{Class, Field, ObjectType, Type};

use crate::address::Address;
use std::fmt;
use std::sync::Arc;

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An exact decimal.
    Number(Number),
    /// Text.
    String(Arc<str>),
    /// A list, tuple or set.
    Sequence(Arc<Sequence>),
    /// A map or object.
    Mapping(Arc<Mapping>),
    /// A resource instance, with its attributes. The language sees it as an object.
    Instance(Arc<Instance>),
    /// A reference of a class: the address survives, the attributes are not visible to the language, and whether they are known
    /// does not count.
    Reference(Arc<Instance>),
    /// Known after apply. Its origin says what it waits for, its thunk how it is computed then.
    Unknown(Arc<Type>, Thunk),
    /// An unanswered question of this run stands behind it.
    Pending(Arc<Type>),
    /// It could not be observed; why.
    Blocked(Arc<str>),
}

/// The deferred computation behind an unknown: while planning an expression of the evaluator's arena, in a finished program a slot.
/// Ids are in order of arrival, never enter bytes, and do not count for equality: they say how a value comes about, not what it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Thunk(pub u32);

impl Thunk {
    /// No computation is known: whoever made the unknown computes it.
    pub const NONE: Self = Self(u32::MAX);

    /// Whether no computation is known.
    pub fn is_none(self) -> bool {
        self.0 == u32::MAX
    }
}

impl PartialEq for Thunk {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A resource instance as a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Which one.
    pub address: Address,
    /// The classes it offers, such as `cluster`.
    pub classes: &'static [Class],
    /// An object with the kind's attributes, or one value that is pending, unknown or blocked as a whole.
    pub attributes: Value,
}

/// Summary bits of a value. All but the marks of its own, [`Flags::SENSITIVE`] and [`Flags::EPHEMERAL`], are true of a collection when they are true of anything within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// The value itself is sensitive, and with it all within.
    pub const SENSITIVE: Self = Self(1);
    /// The value or something within is sensitive.
    pub const HOLDS_SENSITIVE: Self = Self(2);
    /// Something is pending.
    pub const PENDING: Self = Self(4);
    /// Something is blocked.
    pub const BLOCKED: Self = Self(8);
    /// Something is unknown.
    pub const UNKNOWN: Self = Self(16);
    /// A reference within leads to an instance whose attributes are not wholly known: known to the language, no constant to
    /// a program.
    pub const OPEN: Self = Self(32);
    /// The value itself is ephemeral, and with it all within.
    pub const EPHEMERAL: Self = Self(64);
    /// The value or something within is ephemeral.
    pub const HOLDS_EPHEMERAL: Self = Self(128);

    /// Whether all the bits of `other` are set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without the other's.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What a collection takes over from an element: everything but its own marks.
    #[must_use]
    pub fn within(self) -> Self {
        self.without(Self::SENSITIVE).without(Self::EPHEMERAL)
    }
}

/// A value of the language.
#[derive(Clone)]
pub struct Value {
    data: Data,
    origin: Origin,
    flags: Flags,
}

/// Shows nothing of what is marked sensitive.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_marked_sensitive() {
            return f.write_str("(sensitive)");
        }
        f.debug_struct("Value").field("data", &self.data).field("origin", &self.origin).field("flags", &self.flags).finish()
    }
}

/// Equality of data and marks. Origins do not count: they say where a value came from, not what it is.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data && self.marks() == other.marks()
    }
}

impl Value {
    /// A value of the given data, with flags that follow from it, no origin and no mark.
    pub fn new(data: Data) -> Self {
        let flags = match &data {
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => Flags::default(),
            Data::Sequence(sequence) => sequence.flags(),
            Data::Mapping(mapping) => mapping.flags(),
            Data::Instance(instance) => instance.attributes.flags.within(),
            Data::Reference(instance) => {
                let attributes = instance.attributes.flags;
                let open = [Flags::PENDING, Flags::BLOCKED, Flags::UNKNOWN, Flags::OPEN].iter().any(|f| attributes.has(*f));
                if open { Flags::OPEN } else { Flags::default() }
            }
            Data::Unknown(..) => Flags::UNKNOWN,
            Data::Pending(_) => Flags::PENDING,
            Data::Blocked(_) => Flags::BLOCKED,
        };
        Self { data, origin: Origin::NONE, flags }
    }

    /// `null`.
    pub fn null() -> Self {
        Self::new(Data::Null)
    }

    /// Text.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::new(Data::String(text.into()))
    }

    /// An exact number.
    pub fn number(number: impl Into<Number>) -> Self {
        Self::new(Data::Number(number.into()))
    }

    /// `true` or `false`.
    pub fn bool(value: bool) -> Self {
        Self::new(Data::Bool(value))
    }

    /// A tuple, as `[…]` makes one.
    pub fn tuple(items: Vec<Self>) -> Self {
        Self::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::Tuple, items))))
    }

    /// An object, as `{…}` makes one; later entries of a key replace earlier ones.
    pub fn object<K: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| Entry::new(key, value)).collect();
        Self::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Object, entries))))
    }

    /// A reference to an instance, which shows these attributes of it.
    pub fn reference(address: Address, classes: &'static [Class], attributes: Self) -> Self {
        Self::new(Data::Reference(Arc::new(Instance { address, classes, attributes })))
    }

    /// Known after apply, of a type; who makes it known is not said.
    pub fn unknown(ty: Type) -> Self {
        Self::deferred(ty, Thunk::NONE)
    }

    /// Known after apply, of a type, by this computation.
    pub fn deferred(ty: Type, thunk: Thunk) -> Self {
        Self::new(Data::Unknown(ty.shared(), thunk))
    }

    /// Behind an unanswered question, of a type.
    pub fn pending(ty: Type) -> Self {
        Self::new(Data::Pending(ty.shared()))
    }

    /// Not to be observed, and why.
    pub fn blocked(why: impl Into<Arc<str>>) -> Self {
        Self::new(Data::Blocked(why.into()))
    }

    /// What it is.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The value's own origin; of a collection, not its elements'.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The summary bits.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// The same value with this origin instead of its own.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The same value, marked sensitive.
    #[must_use]
    pub fn sensitive(self) -> Self {
        self.marked(Marks::SENSITIVE)
    }

    /// The same value marked sensitive if asked.
    #[must_use]
    pub fn sensitive_if(self, sensitive: bool) -> Self {
        if sensitive { self.sensitive() } else { self }
    }

    /// The same value without marks of its own (elements keep theirs).
    #[must_use]
    pub fn unmarked(self) -> Self {
        let origin = self.origin;
        Self::new(self.data).with_origin(origin)
    }

    /// Whether the value itself is marked sensitive.
    pub fn is_marked_sensitive(&self) -> bool {
        self.flags.has(Flags::SENSITIVE)
    }

    /// Whether the value or anything within is sensitive.
    pub fn holds_sensitive(&self) -> bool {
        self.flags.has(Flags::HOLDS_SENSITIVE)
    }

    /// Whether nothing in it is pending, blocked or unknown. What a reference leads to does not count.
    pub fn is_known(&self) -> bool {
        ![Flags::PENDING, Flags::BLOCKED, Flags::UNKNOWN].iter().any(|flag| self.flags.has(*flag))
    }

    /// Whether it is wholly known and no reference in it leads to what is not: what a program may fold.
    pub fn is_constant(&self) -> bool {
        self.is_known() && !self.flags.has(Flags::OPEN)
    }

    /// Whether anything in it is pending.
    pub fn holds_pending(&self) -> bool {
        self.flags.has(Flags::PENDING)
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// A truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.data {
            Data::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A number.
    pub fn as_number(&self) -> Option<Number> {
        match &self.data {
            Data::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A whole number within range.
    pub fn as_u64(&self) -> Option<u64> {
        number::to_u64(self.as_number()?)
    }

    /// The elements of a list, tuple or set; nothing for anything else.
    pub fn items(&self) -> &[Self] {
        match &self.data {
            Data::Sequence(sequence) => sequence.items(),
            _ => &[],
        }
    }

    /// The entries of a map, object or instance, sorted by key; nothing for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.data {
            Data::Mapping(mapping) => mapping.entries(),
            Data::Instance(instance) => instance.attributes.entries(),
            _ => &[],
        }
    }

    /// An object of these [`Self::entries`] and of more, which replace those of their keys. It has no mark and no origin of its own.
    #[must_use]
    pub fn with_entries<K: Into<Arc<str>>>(&self, more: impl IntoIterator<Item = (K, Self)>) -> Self {
        let own = self.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone()));
        Self::object(own.chain(more.into_iter().map(|(key, value)| (key.into(), value))))
    }

    /// The value under a key of a map, object or instance, as it stands there: without the collection's origin or mark.
    /// Providers read their arguments with it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.data {
            Data::Mapping(mapping) => mapping.get(key).map(|entry| &entry.value),
            Data::Instance(instance) => instance.attributes.get(key),
            _ => None,
        }
    }

    /// What stands under a key unless that is missing or null.
    pub fn present(&self, key: &str) -> Option<&Self> {
        self.get(key).filter(|value| !value.is_null())
    }

    /// The text under a key, if text stands there.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The instance that a reference (or an instance) leads to.
    pub fn instance(&self) -> Option<&Arc<Instance>> {
        match &self.data {
            Data::Instance(instance) | Data::Reference(instance) => Some(instance),
            _ => None,
        }
    }

    /// An attribute of the instance that a reference leads to. Providers use it; the language cannot.
    pub fn referent(&self, attribute: &str) -> Option<&Self> {
        self.instance()?.attributes.get(attribute)
    }

    /// The first reason why it could not be observed, if there is one within.
    pub fn blocked_why(&self) -> Option<Arc<str>> {
        if let Data::Blocked(why) = &self.data {
            return Some(why.clone());
        }
        if !self.flags.has(Flags::BLOCKED) {
            return None;
        }
        self.parts().find_map(Self::blocked_why)
    }

    /// The values directly within: elements, entries' values, an instance's attributes (but not a reference's).
    pub fn parts(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match &self.data {
            Data::Sequence(sequence) => Box::new(sequence.items().iter()),
            Data::Mapping(mapping) => Box::new(mapping.entries().iter().map(|entry| &entry.value)),
            Data::Instance(instance) => Box::new(std::iter::once(&instance.attributes)),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// Calls `visit` with each reference within, this value included.
    pub fn each_reference(&self, visit: &mut dyn FnMut(&Arc<Instance>)) {
        if let Data::Reference(instance) = &self.data {
            visit(instance);
        }
        for part in self.parts() {
            part.each_reference(visit);
        }
    }

    /// All the resources that this value and everything within came from, as one origin. Cached by each collection.
    pub fn deep_origin(&self, origins: &mut Origins) -> Origin {
        match &self.data {
            Data::Sequence(sequence) => {
                let within = sequence.deep_origin(origins);
                origins.join(&[self.origin, within])
            }
            Data::Mapping(mapping) => {
                let within = mapping.deep_origin(origins);
                origins.join(&[self.origin, within])
            }
            Data::Instance(instance) | Data::Reference(instance) => {
                let at = origins.instance(&instance.address);
                origins.join(&[self.origin, at])
            }
            _ => self.origin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sensitive_is_not_shown_however_deep_it_lies() {
        let secret = || Value::string("s3cret");
        for value in [
            secret().sensitive(),
            Value::tuple(vec![secret()]).sensitive(),
            Value::object([("a", Value::tuple(vec![Value::null(), secret().sensitive()]))]),
        ] {
            let shown = format!("{value:?}");
            assert!(shown.contains("(sensitive)") && !shown.contains("s3cret"), "{shown}");
        }
        assert!(format!("{:?}", secret()).contains("s3cret"));
    }
}
