//! Values of a plan as a table: what JSON has stands as it is, all else by its number, and what several share stands once.
//!
//! A node names only nodes before it, so that reading is one pass whatever the nesting.

use super::super::words_v1::Words;
use super::addresses::Named;
use super::secrets::{Opened, Secrets};
use engine::config::Expr;
use engine::schema::Catalogue;
use engine::value::{
    Class, Data, Entry, Field, Instance, Mapping, MappingKind, Marks, ObjectType, Sequence, SequenceKind, Thunk, Type, Value, parse_number,
};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A value where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    Null,
    Bool(bool),
    Text(Arc<str>),
    /// The node of this number.
    Node(u32),
}

/// A value that others name by its number.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NodeV1 {
    Number(Words),
    Tuple(Vec<At>),
    List(TypeV1, Vec<At>),
    Set(TypeV1, Vec<At>),
    Object(BTreeMap<Words, At>),
    Map(TypeV1, BTreeMap<Words, At>),
    Instance(Named, Vec<Words>, At),
    /// A reference to the instance of this node.
    Reference(u32),
    /// What it is, and the slot that computes it.
    Unknown(TypeV1, Option<u32>),
    Pending(TypeV1),
    Blocked(Words),
    Sensitive(At),
    /// What is not known and will be ephemeral.
    Ephemeral(At),
    /// The secret of this number; it is sealed.
    Secret(u32),
}

/// A type, with what only constraints have.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TypeV1 {
    Any,
    Bool,
    Number,
    String,
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>),
    Tuple(Vec<Self>),
    Object(BTreeMap<Words, FieldV1>),
    Reference(Words),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldV1 {
    #[serde(rename = "type")]
    ty: TypeV1,
    #[serde(default, skip_serializing_if = "super::super::words_v1::is_false")]
    optional: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    default: Option<At>,
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Node(number) => serializer.serialize_u32(*number),
        }
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

/// A value that is there, and may be null: without this a null would be none.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<At>, D::Error> {
    At::deserialize(deserializer).map(Some)
}

struct Reading;

impl Visitor<'_> for Reading {
    type Value = At;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or the number of one")
    }

    fn visit_unit<E: de::Error>(self) -> Result<At, E> {
        Ok(At::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<At, E> {
        Ok(At::Bool(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<At, E> {
        Ok(At::Text(text.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<At, E> {
        u32::try_from(number).map(At::Node).map_err(|_| E::custom("the number of a value is too large"))
    }
}

/// What the numbers of deferred computations in values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Numbers {
    /// Nothing any more: they were those of the walk that made the plan.
    Gone,
    /// Slots of the program.
    Slots,
}

/// The table in the making. What it was given has to outlive it: what is shared is known by where it lies.
pub(super) struct Writing<'a> {
    pub(super) nodes: Vec<NodeV1>,
    known: BTreeMap<(usize, Numbers), u32>,
    /// What the numbers of deferred computations mean in what is written.
    pub(super) numbers: Numbers,
    /// Where secrets go; nothing within a secret, where they stay.
    secrets: Option<&'a mut Secrets>,
    /// Whether anything ephemeral was met, which is not written down.
    pub(super) met_ephemeral: bool,
}

impl<'a> Writing<'a> {
    pub(super) fn new(secrets: Option<&'a mut Secrets>) -> Self {
        Self { nodes: Vec::new(), known: BTreeMap::new(), numbers: Numbers::Slots, secrets, met_ephemeral: false }
    }

    fn push(&mut self, node: NodeV1) -> u32 {
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    /// A value, with all that it leads to in the table.
    pub(super) fn put(&mut self, value: &Value) -> At {
        if value.marks().has(Marks::EPHEMERAL) {
            if !matches!(value.data(), Data::Unknown(..)) {
                self.met_ephemeral = true;
                return At::Null;
            }
            let node = NodeV1::Ephemeral(self.put(&value.clone().without(Marks::EPHEMERAL)));
            return At::Node(self.push(node));
        }
        if !value.is_marked_sensitive() {
            return self.put_data(value);
        }
        let shows_nothing = matches!(value.data(), Data::Null | Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_));
        let node = match &mut self.secrets {
            Some(secrets) if !shows_nothing => NodeV1::Secret(secrets.keep(value, self.numbers)),
            _ => NodeV1::Sensitive(self.put_data(value)),
        };
        At::Node(self.push(node))
    }

    fn put_data(&mut self, value: &Value) -> At {
        let node = match value.data() {
            Data::Null => return At::Null,
            Data::Bool(value) => return At::Bool(*value),
            Data::String(text) => return At::Text(text.clone()),
            Data::Sequence(sequence) => return At::Node(self.once(sequence, value.is_constant(), Self::sequence)),
            Data::Mapping(mapping) => return At::Node(self.once(mapping, value.is_constant(), Self::mapping)),
            Data::Instance(instance) => return At::Node(self.instance(instance)),
            Data::Number(number) => NodeV1::Number(Words(number.to_string().into())),
            Data::Reference(instance) => NodeV1::Reference(self.instance(instance)),
            Data::Unknown(ty, thunk) => {
                let counts = self.numbers == Numbers::Slots && !thunk.is_none();
                NodeV1::Unknown(self.ty(ty), counts.then_some(thunk.0))
            }
            Data::Pending(ty) => NodeV1::Pending(self.ty(ty)),
            Data::Blocked(why) => NodeV1::Blocked(Words(why.clone())),
        };
        At::Node(self.push(node))
    }

    /// The node of what is shared, made when it is met first. A constant is the same whatever numbers mean.
    fn once<T>(&mut self, shared: &Arc<T>, constant: bool, make: impl FnOnce(&mut Self, &T) -> NodeV1) -> u32 {
        let lies_at = (Arc::as_ptr(shared).cast::<()>() as usize, if constant { Numbers::Gone } else { self.numbers });
        if let Some(known) = self.known.get(&lies_at) {
            return *known;
        }
        let node = make(self, shared);
        let number = self.push(node);
        self.known.insert(lies_at, number);
        number
    }

    fn instance(&mut self, instance: &Arc<Instance>) -> u32 {
        self.once(instance, instance.attributes.is_constant(), |writing, instance| {
            let classes = instance.classes.iter().map(|class| Words((*class).into())).collect();
            NodeV1::Instance(Named(instance.address.clone()), classes, writing.put(&instance.attributes))
        })
    }

    fn sequence(&mut self, sequence: &Sequence) -> NodeV1 {
        let items = sequence.items().iter().map(|item| self.put(item)).collect();
        match sequence.kind() {
            SequenceKind::Tuple => NodeV1::Tuple(items),
            SequenceKind::List(element) => NodeV1::List(self.ty(element), items),
            SequenceKind::Set(element) => NodeV1::Set(self.ty(element), items),
        }
    }

    fn mapping(&mut self, mapping: &Mapping) -> NodeV1 {
        let entries = mapping.entries().iter().map(|entry| (Words(entry.key.clone()), self.put(&entry.value))).collect();
        match mapping.kind() {
            MappingKind::Object => NodeV1::Object(entries),
            MappingKind::Map(element) => NodeV1::Map(self.ty(element), entries),
        }
    }

    /// An expression that nobody may see; its number. Nothing within a secret, where it is one already.
    pub(super) fn put_secret(&mut self, expression: &Expr) -> Option<u32> {
        self.secrets.as_mut().map(|secrets| secrets.keep_expression(expression))
    }

    pub(super) fn ty(&mut self, ty: &Type) -> TypeV1 {
        match ty {
            Type::Any => TypeV1::Any,
            Type::Bool => TypeV1::Bool,
            Type::Number => TypeV1::Number,
            Type::String => TypeV1::String,
            Type::List(element) => TypeV1::List(Box::new(self.ty(element))),
            Type::Set(element) => TypeV1::Set(Box::new(self.ty(element))),
            Type::Map(element) => TypeV1::Map(Box::new(self.ty(element))),
            Type::Tuple(elements) => TypeV1::Tuple(elements.iter().map(|element| self.ty(element)).collect()),
            Type::Reference(class) => TypeV1::Reference(Words((*class).into())),
            Type::Object(object) => {
                let fields = object.fields.iter().map(|(name, field)| {
                    let default = field.default.as_ref().map(|default| self.put(default));
                    (Words(name.clone()), FieldV1 { ty: self.ty(&field.ty), optional: field.optional, default })
                });
                TypeV1::Object(fields.collect())
            }
        }
    }
}

/// The values of a table.
pub(super) struct Values<'a> {
    values: Vec<Value>,
    catalogue: &'a Catalogue,
}

impl<'a> Values<'a> {
    /// Reads a table, or says what of it is damaged.
    pub(super) fn read(nodes: Vec<NodeV1>, catalogue: &'a Catalogue, secrets: &Opened) -> Result<Self, String> {
        let mut read = Self { values: Vec::with_capacity(nodes.len()), catalogue };
        for node in nodes {
            let value = read.node(node, secrets)?;
            read.values.push(value);
        }
        Ok(read)
    }

    /// What stands where a value is used.
    pub(super) fn get(&self, at: &At) -> Result<Value, String> {
        match at {
            At::Null => Ok(Value::null()),
            At::Bool(value) => Ok(Value::bool(*value)),
            At::Text(text) => Ok(Value::string(text.clone())),
            At::Node(number) => {
                self.values.get(*number as usize).cloned().ok_or_else(|| format!("the value {number} is named before it stands there"))
            }
        }
    }

    fn node(&self, node: NodeV1, secrets: &Opened) -> Result<Value, String> {
        Ok(match node {
            NodeV1::Number(text) => Value::number(parse_number(&text.0).map_err(|_| format!("`{}` is no number", text.0))?),
            NodeV1::Tuple(items) => self.sequence(SequenceKind::Tuple, &items)?,
            NodeV1::List(element, items) => self.sequence(SequenceKind::List(self.ty(element)?), &items)?,
            NodeV1::Set(element, items) => self.sequence(SequenceKind::Set(self.ty(element)?), &items)?,
            NodeV1::Object(entries) => self.mapping(MappingKind::Object, entries)?,
            NodeV1::Map(element, entries) => self.mapping(MappingKind::Map(self.ty(element)?), entries)?,
            NodeV1::Instance(address, classes, attributes) => {
                let instance = Instance { address: address.0, classes: self.classes(&classes)?, attributes: self.get(&attributes)? };
                Value::new(Data::Instance(Arc::new(instance)))
            }
            NodeV1::Reference(number) => {
                let value = self.get(&At::Node(number))?;
                let instance = value.instance().ok_or_else(|| format!("the value {number} is no instance"))?;
                Value::new(Data::Reference(instance.clone()))
            }
            NodeV1::Unknown(ty, slot) => Value::deferred(self.ty(ty)?, slot.map_or(Thunk::NONE, Thunk)),
            NodeV1::Pending(ty) => Value::pending(self.ty(ty)?),
            NodeV1::Blocked(why) => Value::blocked(why.0),
            NodeV1::Sensitive(at) => self.get(&at)?.sensitive(),
            NodeV1::Ephemeral(at) => self.get(&at)?.ephemeral_if(true),
            NodeV1::Secret(number) => secrets.value(number)?,
        })
    }

    fn sequence(&self, kind: SequenceKind, items: &[At]) -> Result<Value, String> {
        let items = items.iter().map(|item| self.get(item)).collect::<Result<_, _>>()?;
        Ok(Value::new(Data::Sequence(Arc::new(Sequence::new(kind, items)))))
    }

    fn mapping(&self, kind: MappingKind, entries: BTreeMap<Words, At>) -> Result<Value, String> {
        let entries = entries.into_iter().map(|(key, at)| Ok(Entry::new(key.0, self.get(&at)?))).collect::<Result<_, String>>()?;
        Ok(Value::new(Data::Mapping(Arc::new(Mapping::new(kind, entries)))))
    }

    pub(super) fn ty(&self, ty: TypeV1) -> Result<Type, String> {
        Ok(match ty {
            TypeV1::Any => Type::Any,
            TypeV1::Bool => Type::Bool,
            TypeV1::Number => Type::Number,
            TypeV1::String => Type::String,
            TypeV1::List(element) => Type::list(self.ty(*element)?),
            TypeV1::Set(element) => Type::set(self.ty(*element)?),
            TypeV1::Map(element) => Type::map(self.ty(*element)?),
            TypeV1::Tuple(elements) => Type::Tuple(elements.into_iter().map(|element| self.ty(element)).collect::<Result<_, _>>()?),
            TypeV1::Reference(class) => Type::Reference(self.class(&class.0)?),
            TypeV1::Object(fields) => {
                let fields = fields.into_iter().map(|(name, field)| {
                    let default = field.default.map(|default| self.get(&default)).transpose()?;
                    Ok((name.0, Field { ty: self.ty(field.ty)?, optional: field.optional, default }))
                });
                Type::Object(Arc::new(ObjectType { fields: fields.collect::<Result<_, String>>()? }))
            }
        })
    }

    fn every_class(&self) -> impl Iterator<Item = &'static [Class]> {
        use engine::address::Mode;
        let kinds = [Mode::Managed, Mode::Data].into_iter().flat_map(|mode| self.catalogue.kinds(mode));
        kinds.map(|kind| kind.schema().classes)
    }

    fn class(&self, name: &str) -> Result<Class, String> {
        let known = self.every_class().flatten().find(|class| **class == name);
        known.copied().ok_or_else(|| format!("no kind is a `{name}`"))
    }

    /// The names of the classes that an instance offers, as its kind has them.
    fn classes(&self, names: &[Words]) -> Result<&'static [Class], String> {
        if names.is_empty() {
            return Ok(&[]);
        }
        let same =
            |classes: &&'static [Class]| classes.len() == names.len() && classes.iter().zip(names).all(|(class, name)| **class == *name.0);
        self.every_class().find(same).ok_or_else(|| {
            let names: Vec<_> = names.iter().map(|name| &*name.0).collect();
            format!("no kind offers the classes `{}`", names.join("`, `"))
        })
    }

    /// The name of an attribute, as the kind has it.
    pub(super) fn attribute(&self, kind: &str, name: &str) -> Result<&'static str, String> {
        use engine::address::Mode;
        let kinds = [Mode::Managed, Mode::Data].into_iter().filter_map(|mode| self.catalogue.get(mode, kind));
        let found = kinds.flat_map(|kind| kind.schema().attributes.iter()).find(|attribute| attribute.name == name);
        found.map(|attribute| attribute.name).ok_or_else(|| format!("`{kind}` has no attribute `{name}`"))
    }
}
