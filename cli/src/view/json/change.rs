//! A change as programs read it.

use super::name;
use super::value::{Hidden, Shown};
use engine::address::Address;
use engine::plan::{Change, Reason};
use serde::{Serialize, Serializer};

/// A change without its secrets. Nothing of it is copied: a plan has many.
#[derive(Serialize)]
pub(super) struct Changed<'a> {
    action: &'static str,
    address: Text<'a>,
    after: Option<Shown<'a>>,
    after_sensitive: Option<Vec<String>>,
    after_unknown: Option<Vec<String>>,
    before: Option<Shown<'a>>,
    before_sensitive: Option<Vec<String>>,
    causes: &'a [String],
    defaults: &'a [&'static str],
    deposed: Option<&'a str>,
    kind: &'a str,
    not_previewed: Option<&'a str>,
    place: Option<Text<'a>>,
    reason: Why<'a>,
}

impl<'a> Changed<'a> {
    pub(super) fn of(change: &'a Change) -> Self {
        let (before, after) = (change.before.as_ref().map(Hidden::of), change.after.as_ref().map(Hidden::of));
        let (after_sensitive, after_unknown) = after.map(|after| (after.sensitive, after.unknown)).unzip();
        Self {
            action: name(change.action),
            address: Text(&change.address),
            after: change.after.as_ref().map(Shown),
            after_sensitive,
            after_unknown,
            before: change.before.as_ref().map(Shown),
            before_sensitive: before.map(|before| before.sensitive),
            causes: &change.causes,
            defaults: &change.defaults,
            deposed: change.deposed.as_deref(),
            kind: &change.kind,
            not_previewed: change.not_previewed.as_deref(),
            place: change.place.as_ref().map(Text),
            reason: Why(&change.reason),
        }
    }
}

/// An address as its text.
struct Text<'a>(&'a Address);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// A reason: the word for programs, and the words for people.
struct Why<'a>(&'a Reason);

impl Serialize for Why<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Members {
            code: &'static str,
            text: String,
        }
        Members { code: self.0.code(), text: self.0.to_string() }.serialize(serializer)
    }
}
