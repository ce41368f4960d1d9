//! The marks of a value: that it is sensitive, that it is ephemeral. They follow data and decisions alike.

use super::{Data, Flags, Value};
use std::ops::{BitOr, BitOrAssign};

/// Marks that a value carries, or that a result takes over from what it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks(Flags);

impl Marks {
    /// No mark.
    pub const NONE: Self = Self(Flags(0));
    /// It is never shown.
    pub const SENSITIVE: Self = Self(Flags::SENSITIVE);
    /// It is never stored: neither in a state nor in a plan.
    pub const EPHEMERAL: Self = Self(Flags::EPHEMERAL);

    /// What the values themselves are marked with, all together.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        values.into_iter().fold(Self::NONE, |marks, value| marks | value.marks())
    }

    /// What the values and all within them are marked with, all together.
    pub fn within<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        values.into_iter().fold(Self::NONE, |marks, value| marks | value.marks_within())
    }

    /// Whether all of these are among them.
    pub fn has(self, marks: Self) -> bool {
        self.0.has(marks.0)
    }
}

impl BitOr for Marks {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0.with(other.0))
    }
}

impl BitOrAssign for Marks {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl Value {
    /// What the value itself is marked with.
    pub fn marks(&self) -> Marks {
        Marks(Flags(self.flags.0 & (Flags::SENSITIVE.0 | Flags::EPHEMERAL.0)))
    }

    /// What the value or anything within it is marked with.
    pub fn marks_within(&self) -> Marks {
        let mark = |holds, mark| if self.flags.has(holds) { mark } else { Marks::NONE };
        mark(Flags::HOLDS_SENSITIVE, Marks::SENSITIVE) | mark(Flags::HOLDS_EPHEMERAL, Marks::EPHEMERAL)
    }

    /// The same value, with these marks beside its own.
    #[must_use]
    pub fn marked(mut self, marks: Marks) -> Self {
        let held = |mark: Flags, holds| if marks.0.has(mark) { holds } else { Flags::default() };
        let held = held(Flags::SENSITIVE, Flags::HOLDS_SENSITIVE).with(held(Flags::EPHEMERAL, Flags::HOLDS_EPHEMERAL));
        self.flags = self.flags.with(marks.0).with(held);
        self
    }

    /// The same value marked ephemeral if asked.
    #[must_use]
    pub fn ephemeral_if(self, ephemeral: bool) -> Self {
        if ephemeral { self.marked(Marks::EPHEMERAL) } else { self }
    }

    /// The same value without these marks of its own (elements keep theirs).
    #[must_use]
    pub fn without(self, marks: Marks) -> Self {
        let left = Marks(self.marks().0.without(marks.0));
        self.unmarked().marked(left)
    }

    /// Whether messages show nothing of it: it or something within is sensitive or ephemeral.
    pub fn is_hidden(&self) -> bool {
        self.marks_within() != Marks::NONE
    }

    /// Whether the value or anything within is hidden as a whole, so that messages do not name its keys either.
    pub fn hides_keys(&self) -> bool {
        let is_single = matches!(self.data(), Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_));
        self.is_hidden() && ((self.marks() != Marks::NONE && !is_single) || self.parts().any(Self::hides_keys))
    }

    /// Whether the value or anything within is never to be stored.
    pub fn holds_ephemeral(&self) -> bool {
        self.flags.has(Flags::HOLDS_EPHEMERAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_put_on_taken_off_and_seen_from_outside() {
        let both = Marks::SENSITIVE | Marks::EPHEMERAL;
        let inner = || Value::string("s").marked(both);
        assert_eq!((inner().marks(), inner().marks_within()), (both, both));
        let outer = Value::tuple(vec![inner(), Value::null()]);
        assert_eq!((outer.marks(), outer.marks_within()), (Marks::NONE, both));
        assert!(outer.holds_ephemeral() && outer.holds_sensitive() && !Value::null().holds_ephemeral());
        assert_eq!(inner().without(Marks::SENSITIVE).marks_within(), Marks::EPHEMERAL);
        assert_eq!(outer.clone().without(both).marks_within(), both);
        assert_eq!((Marks::of([&outer]), Marks::within([&outer, &Value::null()])), (Marks::NONE, both));
        assert!(both.has(Marks::EPHEMERAL) && !Marks::SENSITIVE.has(both));
        assert_ne!(inner(), Value::string("s").sensitive());
    }
}
