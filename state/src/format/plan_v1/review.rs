//! What a plan shows: changes with their reasons, outputs, checks, what is blocked, and problems with their places in the text.

use super::super::words_v1::{Words, is_false};
use super::addresses::Named;
use super::expressions::SpanV1;
use super::values::{At, Values, Writing, present};
use engine::address::Address;
use engine::diagnostic::{Diagnostic, Severity};
use engine::plan::{Action, Blocked, Change, CheckResult, CheckStatus, Counted, OutputChange, Reason, Unpreviewed};
use engine::schema::Drift;
use serde::{Deserialize, Serialize};

/// Words of one enumeration, in both directions.
macro_rules! words {
    ($stored:ident, $meant:ident: $($name:ident),+) => {
        #[derive(Serialize, Deserialize, Clone, Copy)]
        #[serde(rename_all = "snake_case")]
        enum $stored { $($name),+ }

        impl From<$meant> for $stored {
            fn from(meant: $meant) -> Self {
                match meant { $($meant::$name => Self::$name),+ }
            }
        }

        impl From<$stored> for $meant {
            fn from(stored: $stored) -> Self {
                match stored { $($stored::$name => Self::$name),+ }
            }
        }
    };
}

words!(ActionV1, Action: Keep, Settle, Read, Create, Update, Import, Replace, ReplaceCreateFirst, Delete, Forget, Move);
words!(CheckStatusV1, CheckStatus: Passed, Failed, Unknown, NotRun);
words!(SeverityV1, Severity: Error, Warning);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReasonV1 {
    Unchanged,
    NotInState,
    Gone,
    Configuration(Vec<String>),
    Drift { paths: Vec<String>, by: Vec<String> },
    CannotUpdate(Vec<String>),
    NotInConfiguration,
    KeyGone,
    Destroy,
    PlaceReplaced(Named),
    AnotherPlace(Named),
    PlaceDestroyed(Named),
    Deposed,
    Tainted,
    Interrupted,
    NotReady,
    MembersChange,
    Triggered(String),
    Requested,
    ReadAfter(Vec<Named>),
    ReadWhenKnown,
    ReadUntil(Words),
    MovedFrom(Named),
    Removed,
    Abandoned(Named),
    Imported { id: Words, changed: Vec<String> },
}

impl From<&Reason> for ReasonV1 {
    fn from(reason: &Reason) -> Self {
        let at = |address: &Address| Named(address.clone());
        match reason {
            Reason::Unchanged => Self::Unchanged,
            Reason::NotInState => Self::NotInState,
            Reason::Gone => Self::Gone,
            Reason::Configuration(paths) => Self::Configuration(paths.clone()),
            Reason::Drift(Drift { paths, by }) => Self::Drift { paths: paths.clone(), by: by.clone() },
            Reason::CannotUpdate(paths) => Self::CannotUpdate(paths.clone()),
            Reason::NotInConfiguration => Self::NotInConfiguration,
            Reason::KeyGone => Self::KeyGone,
            Reason::Destroy => Self::Destroy,
            Reason::PlaceReplaced(address) => Self::PlaceReplaced(at(address)),
            Reason::AnotherPlace(address) => Self::AnotherPlace(at(address)),
            Reason::PlaceDestroyed(address) => Self::PlaceDestroyed(at(address)),
            Reason::Deposed => Self::Deposed,
            Reason::Tainted => Self::Tainted,
            Reason::Interrupted => Self::Interrupted,
            Reason::NotReady => Self::NotReady,
            Reason::MembersChange => Self::MembersChange,
            Reason::Triggered(by) => Self::Triggered(by.clone()),
            Reason::Requested => Self::Requested,
            Reason::ReadAfter(addresses) => Self::ReadAfter(addresses.iter().map(at).collect()),
            Reason::ReadWhenKnown => Self::ReadWhenKnown,
            Reason::ReadUntil(check) => Self::ReadUntil(Words(check.clone())),
            Reason::MovedFrom(address) => Self::MovedFrom(at(address)),
            Reason::Removed => Self::Removed,
            Reason::Abandoned(place) => Self::Abandoned(at(place)),
            Reason::Imported { id, changed } => Self::Imported { id: Words(id.clone()), changed: changed.clone() },
        }
    }
}

impl From<ReasonV1> for Reason {
    fn from(stored: ReasonV1) -> Self {
        match stored {
            ReasonV1::Unchanged => Self::Unchanged,
            ReasonV1::NotInState => Self::NotInState,
            ReasonV1::Gone => Self::Gone,
            ReasonV1::Configuration(paths) => Self::Configuration(paths),
            ReasonV1::Drift { paths, by } => Self::Drift(Drift { paths, by }),
            ReasonV1::CannotUpdate(paths) => Self::CannotUpdate(paths),
            ReasonV1::NotInConfiguration => Self::NotInConfiguration,
            ReasonV1::KeyGone => Self::KeyGone,
            ReasonV1::Destroy => Self::Destroy,
            ReasonV1::PlaceReplaced(address) => Self::PlaceReplaced(address.0),
            ReasonV1::AnotherPlace(address) => Self::AnotherPlace(address.0),
            ReasonV1::PlaceDestroyed(address) => Self::PlaceDestroyed(address.0),
            ReasonV1::Deposed => Self::Deposed,
            ReasonV1::Tainted => Self::Tainted,
            ReasonV1::Interrupted => Self::Interrupted,
            ReasonV1::NotReady => Self::NotReady,
            ReasonV1::MembersChange => Self::MembersChange,
            ReasonV1::Triggered(by) => Self::Triggered(by),
            ReasonV1::Requested => Self::Requested,
            ReasonV1::ReadAfter(addresses) => Self::ReadAfter(addresses.into_iter().map(|address| address.0).collect()),
            ReasonV1::ReadWhenKnown => Self::ReadWhenKnown,
            ReasonV1::ReadUntil(check) => Self::ReadUntil(check.0),
            ReasonV1::MovedFrom(address) => Self::MovedFrom(address.0),
            ReasonV1::Removed => Self::Removed,
            ReasonV1::Abandoned(place) => Self::Abandoned(place.0),
            ReasonV1::Imported { id, changed } => Self::Imported { id: id.0, changed },
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeV1 {
    address: Named,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<Words>,
    kind: Words,
    action: ActionV1,
    reason: ReasonV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    before: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    after: Option<At>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    defaults: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_previewed: Option<Words>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owned: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unpreviewed: Option<UnpreviewedV1>,
}

/// What would be planned without a server's preview.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnpreviewedV1 {
    action: ActionV1,
    reason: ReasonV1,
    after: At,
}

impl ChangeV1 {
    pub(super) fn of(change: &Change, values: &mut Writing<'_>) -> Self {
        Self {
            address: Named(change.address.clone()),
            deposed: change.deposed.clone().map(Words),
            kind: Words(change.kind.clone()),
            action: change.action.into(),
            reason: (&change.reason).into(),
            place: change.place.clone().map(Named),
            before: change.before.as_ref().map(|before| values.put(before)),
            after: change.after.as_ref().map(|after| values.put(after)),
            defaults: change.defaults.iter().map(|name| (*name).to_owned()).collect(),
            not_previewed: change.not_previewed.clone().map(Words),
            causes: change.causes.clone(),
            owned: change.counted.before.clone().map(Words),
            unpreviewed: change.counted.unpreviewed.as_ref().map(|unpreviewed| UnpreviewedV1 {
                action: unpreviewed.action.into(),
                reason: (&unpreviewed.reason).into(),
                after: values.put(&unpreviewed.after),
            }),
        }
    }

    pub(super) fn read(self, values: &Values<'_>) -> Result<Change, String> {
        let get = |at: Option<At>| at.map(|at| values.get(&at)).transpose();
        let defaults = self.defaults.iter().map(|name| values.attribute(&self.kind.0, name)).collect::<Result<_, _>>()?;
        Ok(Change {
            address: self.address.0,
            deposed: self.deposed.map(|key| key.0),
            kind: self.kind.0,
            action: self.action.into(),
            reason: self.reason.into(),
            place: self.place.map(|place| place.0),
            before: get(self.before)?,
            after: get(self.after)?,
            defaults,
            not_previewed: self.not_previewed.map(|why| why.0),
            causes: self.causes,
            counted: Counted {
                before: self.owned.map(|owned| owned.0),
                unpreviewed: self.unpreviewed.map(|stored| stored.read(values)).transpose()?,
            },
        })
    }
}

impl UnpreviewedV1 {
    fn read(self, values: &Values<'_>) -> Result<Box<Unpreviewed>, String> {
        let (action, reason) = (self.action.into(), self.reason.into());
        Ok(Box::new(Unpreviewed { action, reason, after: values.get(&self.after)? }))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputChangeV1 {
    name: Words,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    before: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    after: Option<At>,
    #[serde(default, skip_serializing_if = "is_false")]
    sensitive: bool,
}

impl OutputChangeV1 {
    pub(super) fn of(output: &OutputChange, values: &mut Writing<'_>) -> Self {
        let mut shown = |value: &engine::value::Value| {
            // Outputs that are only declared sensitive are kept like values that are.
            values.put(&value.clone().sensitive_if(output.sensitive && !value.holds_sensitive()))
        };
        let (before, after) = (output.before.as_ref().map(&mut shown), output.after.as_ref().map(&mut shown));
        Self { name: Words(output.name.clone()), before, after, sensitive: output.sensitive }
    }

    pub(super) fn read(self, values: &Values<'_>) -> Result<OutputChange, String> {
        let get = |at: Option<At>| at.map(|at| values.get(&at)).transpose();
        Ok(OutputChange { name: self.name.0, before: get(self.before)?, after: get(self.after)?, sensitive: self.sensitive })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckV1 {
    name: Words,
    status: CheckStatusV1,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    messages: Vec<String>,
}

impl From<&CheckResult> for CheckV1 {
    fn from(check: &CheckResult) -> Self {
        Self { name: Words(check.name.clone()), status: check.status.into(), messages: check.messages.clone() }
    }
}

impl From<CheckV1> for CheckResult {
    fn from(stored: CheckV1) -> Self {
        Self { name: stored.name.0, status: stored.status.into(), messages: stored.messages, pairs: Vec::new() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockedV1 {
    address: Named,
    why: Words,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Named>,
}

impl From<&Blocked> for BlockedV1 {
    fn from(blocked: &Blocked) -> Self {
        Self { address: Named(blocked.address.clone()), why: Words(blocked.why.clone()), after: blocked.after.clone().map(Named) }
    }
}

impl From<BlockedV1> for Blocked {
    fn from(stored: BlockedV1) -> Self {
        Self { address: stored.address.0, why: stored.why.0, after: stored.after.map(|address| address.0) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DiagnosticV1 {
    severity: SeverityV1,
    summary: String,
    detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<SpanV1>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    related: Vec<(SpanV1, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<Named>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
}

impl From<&Diagnostic> for DiagnosticV1 {
    fn from(problem: &Diagnostic) -> Self {
        Self {
            severity: problem.severity.into(),
            summary: problem.summary.clone(),
            detail: problem.detail.clone(),
            at: problem.at.map(SpanV1::from),
            related: problem.related.iter().map(|(span, words)| ((*span).into(), words.clone())).collect(),
            address: problem.address.clone().map(Named),
            help: problem.help.clone(),
            rule: problem.rule.as_deref().map(str::to_owned),
        }
    }
}

impl From<DiagnosticV1> for Diagnostic {
    fn from(stored: DiagnosticV1) -> Self {
        Self {
            severity: stored.severity.into(),
            summary: stored.summary,
            detail: stored.detail,
            at: stored.at.map(Into::into),
            related: stored.related.into_iter().map(|(span, words)| (span.into(), words)).collect(),
            address: stored.address.map(|address| address.0),
            help: stored.help,
            rule: stored.rule.map(Into::into),
        }
    }
}
