//! The order of the states that are not *known*, and what an operation gives when one of its parts is in such a state.

use super::Arena;
use crate::config::{Expr, Node};
use crate::source::Span;
use crate::value::{Data, Flags, Marks, Origin, Type, Value};
use std::sync::Arc;

/// Why an operation cannot be computed yet. In the order of precedence: a pending part wins over a blocked one, and that over an
/// unknown one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Open {
    /// A question is unanswered.
    Pending,
    /// It could not be observed, and why.
    Blocked(Arc<str>),
    /// Known after apply.
    Unknown,
}

impl Open {
    /// The state of one value as such, whatever is within.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value.data() {
            Data::Pending(_) => Some(Self::Pending),
            Data::Blocked(why) => Some(Self::Blocked(why.clone())),
            Data::Unknown(..) => Some(Self::Unknown),
            _ => None,
        }
    }

    fn flag(&self) -> Flags {
        match self {
            Self::Pending => Flags::PENDING,
            Self::Blocked(_) => Flags::BLOCKED,
            Self::Unknown => Flags::UNKNOWN,
        }
    }
}

/// The first state that applies to an operation which looks at all of these parts and all within them, or nothing if they are known.
/// This is the only place that knows the order.
pub(crate) fn strict<'a>(parts: impl IntoIterator<Item = &'a Value>) -> Option<Open> {
    let mut found = None;
    for part in parts {
        if part.is_known() {
            continue;
        }
        let open = if part.flags().has(Flags::PENDING) {
            Open::Pending
        } else if let Some(why) = part.blocked_why() {
            Open::Blocked(why)
        } else {
            Open::Unknown
        };
        found = first(found, Some(open));
    }
    found
}

/// Of two states the one that comes first.
pub(crate) fn first(one: Option<Open>, other: Option<Open>) -> Option<Open> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one.flag() == other.flag() { one } else { one.min(other) }),
        (one, other) => one.or(other),
    }
}

/// What an operation over these parts gives that is in a state other than known: a value of that state and type, with the origins and
/// the mark of all parts. If it is unknown, `node` is the operation over literals and becomes the deferred computation.
pub(crate) fn opened<'a>(
    open: Open,
    ty: Type,
    parts: impl IntoIterator<Item = &'a Value>,
    arena: &mut Arena,
    deferred: impl FnOnce() -> Expr,
) -> Value {
    let mut origins = Vec::new();
    let mut marks = Marks::NONE;
    for part in parts {
        origins.push(part.deep_origin(&mut arena.origins));
        marks |= part.marks_within();
    }
    arena.made = arena.made.with(open.flag());
    let value = match open {
        Open::Pending => Value::pending(ty),
        Open::Blocked(why) => Value::blocked(why),
        Open::Unknown => Value::deferred(ty, arena.thunks.add(deferred())),
    };
    value.with_origin(arena.origins.join(&origins)).marked(marks)
}

/// A value as an expression.
pub(crate) fn literal(value: Value, span: Span) -> Expr {
    Expr::new(Node::Literal(value), span)
}

/// The value with another origin beside its own.
pub(crate) fn from_also(value: Value, origin: Origin, arena: &mut Arena) -> Value {
    let own = value.origin();
    if origin == Origin::NONE || origin == own {
        return value;
    }
    if own == Origin::NONE {
        return value.with_origin(origin);
    }
    let both = arena.origins.join(&[own, origin]);
    value.with_origin(both)
}

/// A part of a container as it looks from outside: the container's own origin and mark are added, its siblings' are not.
pub(crate) fn taken(part: Value, container: &Value, arena: &mut Arena) -> Value {
    from_also(part, container.origin(), arena).marked(container.marks())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::source::FileId;

    #[test]
    fn pending_comes_before_blocked_before_unknown_however_deep() {
        let pending = || Value::tuple(vec![Value::pending(Type::String)]);
        let blocked = || Value::object([("a", Value::blocked("why"))]);
        let unknown = || Value::unknown(Type::String);
        let why = || Open::Blocked("why".into());
        for (parts, expected) in [
            (vec![], None),
            (vec![Value::string("x"), Value::null()], None),
            (vec![Value::number(1), unknown()], Some(Open::Unknown)),
            (vec![unknown(), blocked()], Some(why())),
            (vec![blocked(), unknown()], Some(why())),
            (vec![blocked(), pending(), unknown()], Some(Open::Pending)),
            (vec![Value::tuple(vec![unknown(), blocked()])], Some(why())),
            (vec![Value::tuple(vec![blocked(), pending()])], Some(Open::Pending)),
            (vec![blocked(), Value::blocked("other")], Some(why())),
        ] {
            assert_eq!(strict(&parts), expected, "{parts:?}");
        }
    }

    #[test]
    fn what_is_deferred_carries_all_origins_and_marks() {
        let mut arena = Arena::default();
        let [a, b] = ["a", "b"].map(|name| arena.origins.instance(&Address::managed("k", name)));
        let span = Span::new(FileId(0), 0..1);
        let within = Value::tuple(vec![Value::string("x").with_origin(a)]);
        let parts = [within, Value::unknown(Type::Any).with_origin(b).sensitive()];
        let value = opened(Open::Unknown, Type::Bool, &parts, &mut arena, || literal(Value::bool(true), span));
        assert_eq!(value.origin(), arena.origins.join(&[a, b]));
        assert!(value.is_marked_sensitive());
        let Data::Unknown(ty, thunk) = value.data() else { panic!("{value:?}") };
        assert_eq!(**ty, Type::Bool);
        assert_eq!(arena.thunks.get(*thunk), Some(&literal(Value::bool(true), span)));
        let value = opened(Open::Pending, Type::Bool, &parts, &mut arena, || unreachable!());
        assert_eq!(value.data(), &Data::Pending(Type::Bool.into()));
    }
}
