//! Types of the language.

use super::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// What a reference leads to, such as `cluster` or `issuer`: every kind that offers the class converts to it.
pub type Class = &'static str;

/// A type constraint, or the type of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Whatever comes.
    Any,
    /// `true` or `false`.
    Bool,
    /// An exact decimal.
    Number,
    /// Text.
    String,
    /// Elements of one type, in order.
    List(Arc<Self>),
    /// Elements of one type, each once.
    Set(Arc<Self>),
    /// Values of one type by key.
    Map(Arc<Self>),
    /// Named attributes.
    Object(Arc<ObjectType>),
    /// Elements of these types.
    Tuple(Arc<[Self]>),
    /// A resource instance of a class.
    Reference(Class),
}

/// The attributes of an object type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectType {
    /// By name.
    pub fields: BTreeMap<Arc<str>, Field>,
}

/// One attribute of an object type.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its type.
    pub ty: Type,
    /// Whether it may be missing: `optional(type)` or `optional(type, default)`.
    pub optional: bool,
    /// What a missing one becomes; null without one.
    pub default: Option<Value>,
}

impl Type {
    /// The type behind a counted pointer; of simple types there is one for all, because most values of a plan that are not known have one.
    pub fn shared(self) -> Arc<Self> {
        static SIMPLE: LazyLock<[Arc<Type>; 4]> = LazyLock::new(|| [Type::Any, Type::Bool, Type::Number, Type::String].map(Arc::new));
        match SIMPLE.iter().find(|simple| ***simple == self) {
            Some(simple) => simple.clone(),
            None => Arc::new(self),
        }
    }

    /// `list(element)`.
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// `set(element)`.
    pub fn set(element: Self) -> Self {
        Self::Set(Arc::new(element))
    }

    /// `map(element)`.
    pub fn map(element: Self) -> Self {
        Self::Map(Arc::new(element))
    }

    /// `object({ name = optional(type), … })`: each field with whether it is optional.
    pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Self, bool)>) -> Self {
        let fields = fields.into_iter().map(|(name, ty, optional)| (name.into(), Field { ty, optional, default: None }));
        Self::Object(Arc::new(ObjectType { fields: fields.collect() }))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Set(element) => write!(f, "set({element})"),
            Self::Map(element) => write!(f, "map({element})"),
            Self::Reference(class) => f.write_str(class),
            Self::Tuple(elements) => {
                f.write_str("tuple([")?;
                for (at, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if at > 0 { ", " } else { "" })?;
                }
                f.write_str("])")
            }
            Self::Object(object) => {
                f.write_str("object({")?;
                for (at, (name, field)) in object.fields.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { " " };
                    if field.optional {
                        write!(f, "{comma}{name} = optional({})", field.ty)?;
                    } else {
                        write!(f, "{comma}{name} = {}", field.ty)?;
                    }
                }
                f.write_str(" })")
            }
        }
    }
}
