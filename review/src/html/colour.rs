//! What is done to a thing, as a colour, a sign and a word: never by colour alone.

use engine::plan::Action;
use std::collections::BTreeMap;

/// What becomes of a thing, what weighs most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Colour {
    /// It cannot be planned.
    Blocked,
    /// It goes for a successor.
    Replace,
    /// It goes.
    Delete,
    /// It is given up and stays.
    Forget,
    /// It changes in place.
    Update,
    /// It comes.
    Create,
    /// It is there, and ours from now on.
    Import,
    /// Its address changes.
    Move,
    /// It is only read or waited for.
    Read,
    /// It stays.
    Keep,
}

impl Colour {
    /// All of them, in their order.
    pub(super) const ALL: [Self; 10] = [
        Self::Blocked,
        Self::Replace,
        Self::Delete,
        Self::Forget,
        Self::Update,
        Self::Create,
        Self::Import,
        Self::Move,
        Self::Read,
        Self::Keep,
    ];

    /// The colour of an action.
    pub(super) fn of(action: Action) -> Self {
        match action {
            Action::Keep => Self::Keep,
            Action::Settle | Action::Read => Self::Read,
            Action::Create => Self::Create,
            Action::Update => Self::Update,
            Action::Import => Self::Import,
            Action::Replace | Action::ReplaceCreateFirst => Self::Replace,
            Action::Delete => Self::Delete,
            Action::Forget => Self::Forget,
            Action::Move => Self::Move,
        }
    }

    /// Its name in the style, and its word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Forget => "forget",
            Self::Update => "update",
            Self::Create => "create",
            Self::Import => "import",
            Self::Move => "move",
            Self::Read => "read",
            Self::Keep => "keep",
        }
    }

    /// The sign that stands before it.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Blocked => "?",
            Self::Replace => "±",
            Self::Delete => "−",
            Self::Forget => "·",
            Self::Update => "~",
            Self::Create => "+",
            Self::Import => "←",
            Self::Move => "→",
            Self::Read => "↓",
            Self::Keep => "=",
        }
    }
}

/// How many things of each colour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally(BTreeMap<Colour, usize>);

impl Tally {
    /// One more.
    pub(super) fn count(&mut self, colour: Colour) {
        *self.0.entry(colour).or_default() += 1;
    }

    /// What weighs most of what changes; `Keep` if nothing does.
    pub(super) fn first(&self) -> Colour {
        self.0.keys().next().copied().unwrap_or(Colour::Keep)
    }

    /// How many have a colour.
    pub(super) fn of(&self, colour: Colour) -> usize {
        self.0.get(&colour).copied().unwrap_or(0)
    }

    /// The colours that change something, with how many there are.
    pub(super) fn changing(&self) -> impl DoubleEndedIterator<Item = (Colour, usize)> {
        self.0.iter().filter(|(colour, _)| **colour != Colour::Keep).map(|(colour, count)| (*colour, *count))
    }

    /// `2 update, 1 create, 4 keep`.
    pub(super) fn words(&self) -> String {
        self.0.iter().map(|(colour, count)| format!("{count} {}", colour.word())).collect::<Vec<_>>().join(", ")
    }
}
