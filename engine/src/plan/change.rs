//! Changes as people review them.

use crate::address::Address;
use crate::schema::{Drift, Pair};
use crate::value::Value;
use std::fmt;
use std::sync::Arc;

/// What is done to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing.
    Keep,
    /// Nothing but a wait: it was created before and not waited for.
    Settle,
    /// A data source is read at apply.
    Read,
    /// Created.
    Create,
    /// Changed in place.
    Update,
    /// There already, and ours from now on; changed in place where it is not as configured.
    Import,
    /// Deleted, then created.
    Replace,
    /// Created, then deleted.
    ReplaceCreateFirst,
    /// Deleted.
    Delete,
    /// Dropped from the state, left in the world.
    Forget,
    /// Its address changes and nothing else.
    Move,
}

impl Action {
    /// Whether applying it changes the world or the state.
    pub fn is_change(self) -> bool {
        !matches!(self, Self::Keep)
    }

    /// Whether what is there goes for a successor.
    pub fn is_replacement(self) -> bool {
        matches!(self, Self::Replace | Self::ReplaceCreateFirst)
    }

    /// The glyph that stands before it, as in Terraform.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Keep => " ",
            Self::Settle => "…",
            Self::Read => "<=",
            Self::Create => "+",
            Self::Update => "~",
            Self::Import => "<-",
            Self::Replace => "-/+",
            Self::ReplaceCreateFirst => "+/-",
            Self::Delete => "-",
            Self::Forget => ".",
            Self::Move => "->",
        }
    }
}

/// Why. Every change has a reason; it prints as the words after the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is as desired.
    Unchanged,
    /// The configuration has it, the state does not.
    NotInState,
    /// The state has it, the world does not.
    Gone,
    /// These attributes differ from what the state remembers.
    Configuration(Vec<String>),
    /// These attributes were changed outside.
    Drift(Drift),
    /// These attributes cannot change in place.
    CannotUpdate(Vec<String>),
    /// No block of the configuration has this address any more.
    NotInConfiguration,
    /// Its group has no such key any more.
    KeyGone,
    /// Everything is destroyed.
    Destroy,
    /// The place it lies in is replaced.
    PlaceReplaced(Address),
    /// The address of the place it lies in leads to another one now.
    AnotherPlace(Address),
    /// The place it lies in is destroyed, and it with it.
    PlaceDestroyed(Address),
    /// It was replaced, and its successor is there.
    Deposed,
    /// Its create failed in a way that cannot be resumed.
    Tainted,
    /// Its last create, update or delete was interrupted.
    Interrupted,
    /// It was created and never became ready.
    NotReady,
    /// Members of its manifest set change, and what it reads from them may.
    MembersChange,
    /// A value in `replace_triggered_by` changed.
    Triggered(String),
    /// The run was asked to replace it.
    Requested,
    /// The run was asked to forget the place that it lies in, or is.
    Abandoned(Address),
    /// What it reads is known only after these are applied.
    ReadAfter(Vec<Address>),
    /// Its arguments are known only after apply.
    ReadWhenKnown,
    /// Something waits for the check of this name, which it is a part of.
    ReadUntil(Arc<str>),
    /// A `moved` block renames it.
    MovedFrom(Address),
    /// A `removed` block gives it up.
    Removed,
    /// An `import` block names it.
    Imported {
        /// By this id.
        id: Arc<str>,
        /// What differs from the configuration and changes.
        changed: Vec<String>,
    },
}

impl Reason {
    /// A word for it that programs may rely on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::NotInState => "not_in_state",
            Self::Gone => "gone",
            Self::Configuration(_) => "configuration",
            Self::Drift(_) => "drift",
            Self::CannotUpdate(_) => "cannot_update",
            Self::NotInConfiguration => "not_in_configuration",
            Self::KeyGone => "key_gone",
            Self::Destroy => "destroy",
            Self::PlaceReplaced(_) => "place_replaced",
            Self::AnotherPlace(_) => "another_place",
            Self::PlaceDestroyed(_) => "place_destroyed",
            Self::Deposed => "deposed",
            Self::Tainted => "tainted",
            Self::Interrupted => "interrupted",
            Self::NotReady => "not_ready",
            Self::Triggered(_) => "triggered",
            Self::Requested => "requested",
            Self::Abandoned(_) => "abandoned",
            Self::ReadAfter(_) => "read_after",
            Self::ReadWhenKnown => "read_when_known",
            Self::ReadUntil(_) => "read_until",
            Self::MembersChange => "members_change",
            Self::MovedFrom(_) => "moved",
            Self::Removed => "removed",
            Self::Imported { .. } => "imported",
        }
    }

    /// Whether it says of an import that something changes with it.
    pub fn changes_what_is_imported(&self) -> bool {
        matches!(self, Self::Imported { changed, .. } if !changed.is_empty())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |paths: &[String]| {
            let shown: Vec<_> = paths.iter().take(3).map(|path| format!("`{path}`")).collect();
            match paths.len().saturating_sub(3) {
                0 => shown.join(", "),
                more => format!("{} and {more} more", shown.join(", ")),
            }
        };
        match self {
            Self::Unchanged => f.write_str("unchanged"),
            Self::NotInState => f.write_str("not in state"),
            Self::Gone => f.write_str("deleted outside"),
            Self::Configuration(paths) => write!(f, "{} changed in configuration", list(paths)),
            Self::Drift(Drift { paths, by }) if by.is_empty() => write!(f, "{} changed outside", list(paths)),
            Self::Drift(Drift { paths, by }) => write!(f, "{} changed outside {}", list(paths), by.join(" and ")),
            Self::CannotUpdate(paths) => write!(f, "{} cannot change in place", list(paths)),
            Self::NotInConfiguration => f.write_str("not in configuration"),
            Self::KeyGone => f.write_str("its key is not in `for_each` or `count` any more"),
            Self::Destroy => f.write_str("everything is destroyed"),
            Self::PlaceReplaced(place) => write!(f, "`{place}` is replaced"),
            Self::AnotherPlace(place) => write!(f, "`{place}` leads to another place"),
            Self::PlaceDestroyed(place) => write!(f, "`{place}` is destroyed"),
            Self::Deposed => f.write_str("replaced before, not deleted yet"),
            Self::Tainted => f.write_str("its create failed"),
            Self::Interrupted => f.write_str("its last operation was interrupted"),
            Self::NotReady => f.write_str("created, not ready yet"),
            Self::MembersChange => f.write_str("its members change"),
            Self::Triggered(by) => write!(f, "`{by}` changed"),
            Self::Requested => f.write_str("as requested"),
            Self::Abandoned(place) => write!(f, "abandoned with `{place}`"),
            Self::ReadAfter(addresses) => {
                let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                write!(f, "read after {} changes", list(&shown))
            }
            Self::ReadWhenKnown => f.write_str("read when its arguments are known"),
            Self::ReadUntil(check) => write!(f, "read until `check.{check}` passes"),
            Self::Removed => f.write_str("given up by a `removed` block, stays as it is"),
            Self::MovedFrom(from) => write!(f, "moved from `{from}`"),
            Self::Imported { id, changed } if changed.is_empty() => write!(f, "exists as `{id}`"),
            Self::Imported { id, changed } => write!(f, "exists as `{id}`, {} changes", list(changed)),
        }
    }
}

/// One instance and what becomes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which.
    pub address: Address,
    /// The deposed object that is meant, or the current one.
    pub deposed: Option<Arc<str>>,
    /// The kind (of a member its own, not its parent's).
    pub kind: Arc<str>,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The place it lies in.
    pub place: Option<Address>,
    /// What is remembered or observed; nothing for a create. Sensitive parts are marked.
    pub before: Option<Value>,
    /// What it becomes; nothing for a delete. Unknown parts say so.
    pub after: Option<Value>,
    /// Of a create, the attributes that are no more than what the schema has them by default.
    pub defaults: Vec<&'static str>,
    /// Why the server was not asked what it would make of it, if it was not and could have been.
    pub not_previewed: Option<Arc<str>>,
    /// What this change takes with it or brings about, each a whole phrase such as `38 resources within it are created again`.
    pub causes: Vec<String>,
    /// What a digest counts of it beside what is shown.
    pub counted: Counted,
}

impl Change {
    /// A change of what its address names, of which nothing else is told.
    pub fn of(address: Address, action: Action, reason: Reason) -> Self {
        Self {
            kind: address.kind.clone(),
            address,
            deposed: None,
            action,
            reason,
            place: None,
            before: None,
            after: None,
            defaults: Vec::new(),
            not_previewed: None,
            causes: Vec::new(),
            counted: Counted::default(),
        }
    }
}

/// What a digest counts of a change beside what is shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counted {
    /// A fingerprint of the fields that are ours, as they were seen, or else as they are remembered; secrets in it under the state's key.
    /// Nothing for what is new.
    pub before: Option<Arc<str>>,
    /// What would be planned where no server may be asked, if that differs and replaces no more and no less.
    pub unpreviewed: Option<Box<Unpreviewed>>,
}

/// A change as it is planned without a server's preview.
#[derive(Debug, Clone, PartialEq)]
pub struct Unpreviewed {
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// What it becomes.
    pub after: Value,
}

/// What could not be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The instance, group or record.
    pub address: Address,
    /// Why, as a fragment.
    pub why: Arc<str>,
    /// What this plan makes or changes so that it can be observed: it is planned once that is done. Nothing if no apply of this plan
    /// helps.
    pub after: Option<Address>,
}

/// A root output that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputChange {
    /// Its name.
    pub name: Arc<str>,
    /// What is remembered.
    pub before: Option<Value>,
    /// What it becomes; nothing if it goes.
    pub after: Option<Value>,
    /// Whether its value is not shown.
    pub sensitive: bool,
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    /// Every assertion holds.
    Passed,
    /// One does not.
    Failed,
    /// It is known only after apply.
    Unknown,
    /// It needs what this environment does not have.
    NotRun,
}

/// A check and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// Its name, with the module's path before it.
    pub name: Arc<str>,
    /// How it stands.
    pub status: CheckStatus,
    /// What its failed assertions say, or why it was not run.
    pub messages: Vec<String>,
    /// What its data sources say of pairs, as far as they were read. No plan file keeps it.
    pub pairs: Vec<Pair>,
}

/// How many of each action. A replacement counts only as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Created.
    pub add: usize,
    /// Changed in place (settled ones included).
    pub change: usize,
    /// Replaced.
    pub replace: usize,
    /// Deleted.
    pub destroy: usize,
    /// Dropped from the state.
    pub forget: usize,
    /// Data sources read at apply.
    pub read: usize,
    /// Renamed.
    pub moved: usize,
    /// Imported. What changes with that counts as changed as well.
    pub import: usize,
    /// Left as they are.
    pub keep: usize,
}

impl Counts {
    /// Counts the changes.
    pub fn of(changes: &[Change]) -> Self {
        let mut counts = Self::default();
        for change in changes {
            *match change.action {
                Action::Keep => &mut counts.keep,
                Action::Settle | Action::Update => &mut counts.change,
                Action::Read => &mut counts.read,
                Action::Create => &mut counts.add,
                Action::Replace | Action::ReplaceCreateFirst => &mut counts.replace,
                Action::Delete => &mut counts.destroy,
                Action::Forget => &mut counts.forget,
                Action::Move => &mut counts.moved,
                Action::Import => &mut counts.import,
            } += 1;
            counts.change += usize::from(change.reason.changes_what_is_imported());
        }
        counts
    }
}
