//! One hash for what a plan does, so that a review can be pinned without the plan.

use super::canonical::Deferred;
use super::{Action, Change, Plan, Reason, Unpreviewed};
use crate::state::State;
use crate::value::{Data, Entry, Mapping, Sequence, TupleHash, Value, hex, keyed_fingerprint};
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

/// The key that secrets in a digest are hidden with. A lock mints one before the first write, and the plan that is reviewed before it must
/// have the same digest: until then there is none.
pub(super) fn digest_key(prior: &State) -> &[u8] {
    if prior.serial > 0 { &prior.secret_key } else { &[] }
}

/// How secrets enter a digest: as HMACs under a key, and without one by where they stand.
#[derive(Clone, Copy)]
pub(super) struct Secrets<'a> {
    key: &'a [u8],
}

impl Secrets<'_> {
    /// Feeds a value without what is secret in it.
    pub(super) fn feed(self, value: &Value, parts: &mut TupleHash) {
        if value.holds_sensitive() { parts.add(&self.hidden(value)) } else { parts.add(value) }
    }

    fn hidden(self, value: &Value) -> Value {
        if !value.holds_sensitive() {
            return value.clone();
        }
        if value.is_marked_sensitive() {
            return Value::string(if self.key.is_empty() { "sensitive".to_owned() } else { keyed_fingerprint(value, self.key) });
        }
        match value.data() {
            Data::Sequence(sequence) => {
                let items = sequence.items().iter().map(|item| self.hidden(item)).collect();
                Value::new(Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items))))
            }
            Data::Mapping(mapping) => {
                let entries = mapping.entries().iter().map(|entry| Entry::new(entry.key.clone(), self.hidden(&entry.value)));
                Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))))
            }
            Data::Instance(instance) => self.hidden(&instance.attributes),
            _ => value.clone(),
        }
    }
}

/// A digest that was computed already, if it was. A clone of it is none: it may be of a plan that becomes another one.
#[derive(Debug, Default)]
pub struct Digested(OnceLock<String>);

impl Clone for Digested {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Plan {
    /// `sha256:…` over what the plan does: of every change its address, action, kind of reason and place, what of it is ours as it is and
    /// what it becomes; how that is computed where it is known only after the apply; every output that changes, and what is blocked.
    /// Not: times, versions, uids of new objects, who changed what is there, what a server's preview told. What is sensitive enters as an
    /// HMAC under the state's key; before there is one it enters by its path alone. It is a walk over the whole plan, made once.
    pub fn digest(&self) -> &str {
        self.pinned.as_deref().unwrap_or_else(|| self.digested.0.get_or_init(|| self.computed()))
    }

    fn computed(&self) -> String {
        let secrets = Secrets { key: digest_key(&self.prior) };
        // Fed part by part: a tuple of all of it would be as large as the changes themselves.
        let mut hash = TupleHash::new();
        hash.nested(|changes| {
            let mut text = String::new();
            for change in &self.changes {
                self.feed(change, (changes, secrets), &mut text);
            }
        });
        hash.nested(|outputs| {
            for output in &self.outputs {
                outputs.nested(|parts| {
                    parts.text(&output.name);
                    secrets.feed(output.before.as_ref().unwrap_or(&Value::null()), parts);
                    secrets.feed(output.after.as_ref().unwrap_or(&Value::null()), parts);
                });
            }
        });
        hash.nested(|deferred| Deferred::of(&self.program, secrets).hashes().iter().for_each(|it| deferred.text(&hex(it))));
        hash.nested(|blocked| self.blocked.iter().for_each(|it| blocked.text(&it.address.to_string())));
        format!("sha256:{}", hash.finish())
    }

    /// Feeds a change as it is planned by everybody who may read, whether or not a server may be asked what would become of it.
    fn feed(&self, change: &Change, (changes, secrets): (&mut TupleHash, Secrets<'_>), text: &mut String) {
        let nothing = Value::null();
        let (action, reason, after) = match change.counted.unpreviewed.as_deref() {
            Some(Unpreviewed { action, reason, after }) => (*action, reason, after),
            None => (change.action, &change.reason, change.after.as_ref().unwrap_or(&nothing)),
        };
        if action == Action::Keep {
            return;
        }
        let place = change.place.as_ref().and_then(|place| self.program.places.get(place).or_else(|| self.prior.places.get(place)));
        changes.nested(|parts| {
            text.clear();
            // Writing to a string never fails.
            let _ = write!(text, "{}", change.address);
            parts.text(text);
            parts.text(change.deposed.as_deref().unwrap_or_default());
            parts.text(action.glyph());
            parts.text(reason.code());
            parts.nested(|parts| about(reason).iter().for_each(|it| parts.text(it)));
            parts.text(place.and_then(|place| place.uid.as_deref()).unwrap_or_default());
            parts.text(change.counted.before.as_deref().unwrap_or_default());
            secrets.feed(after, parts);
        });
    }
}

/// What a reason is about, as everybody gives it who makes this plan. Which fields differ is not part of it, as a server may tell that better
/// than can be told without it, nor who changed them and when; what they become is.
fn about(reason: &Reason) -> Vec<String> {
    match reason {
        Reason::PlaceReplaced(place) | Reason::AnotherPlace(place) | Reason::PlaceDestroyed(place) | Reason::Abandoned(place) => {
            vec![place.to_string()]
        }
        Reason::MovedFrom(from) => vec![from.to_string()],
        Reason::Triggered(by) => vec![by.clone()],
        Reason::ReadAfter(addresses) => addresses.iter().map(ToString::to_string).collect(),
        Reason::Imported { id, changed: _ } => vec![id.to_string()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::config::{Binary, Expr, Node, SlotId};
    use crate::plan::{Blocked, Op, OutputChange, Slot, Target, Unpreviewed};
    use crate::schema::Drift;
    use crate::source::{FileId, Span};
    use crate::state::{Connect, Place};
    use crate::value::{Thunk, Type};

    fn plan(after: Value, key: &[u8]) -> Plan {
        let change = Change { after: Some(after), ..Change::of(Address::managed("k", "a"), Action::Create, Reason::NotInState) };
        let mut plan = Plan { changes: vec![change], ..Plan::default() };
        plan.prior.secret_key = key.to_vec();
        plan.prior.serial = 1;
        plan
    }

    fn holding(secret: &str) -> Value {
        Value::object([("a", Value::number(1)), ("s", Value::string(secret).sensitive())])
    }

    #[test]
    fn the_same_plan_has_the_same_digest_and_another_value_another() {
        let digest = plan(holding("x"), b"key").digest().to_owned();
        assert_eq!(digest, plan(holding("x"), b"key").digest());
        assert_ne!(digest, plan(holding("y"), b"key").digest());
        assert_ne!(digest, plan(holding("x"), b"other").digest());
        assert_eq!(plan(holding("x"), b"").digest(), plan(holding("y"), b"").digest());
    }

    #[test]
    fn a_digest_is_computed_once_and_anew_for_a_copy() {
        let first = plan(holding("x"), b"key");
        assert!(std::ptr::eq(first.digest(), first.digest()));
        let mut other = first.clone();
        other.changes.clear();
        assert_ne!(other.digest(), first.digest());
        other.pinned = Some("sha256:1".into());
        assert_eq!(other.digest(), "sha256:1");
    }

    #[test]
    fn before_the_first_write_a_key_that_a_lock_minted_does_not_count() {
        let [mut minted, mut none] = [plan(holding("x"), b"key"), plan(holding("y"), b"")];
        (minted.prior.serial, none.prior.serial) = (0, 0);
        assert_eq!(minted.digest(), none.digest());
    }

    #[test]
    fn what_is_kept_does_not_count() {
        let mut kept = plan(holding("x"), b"");
        kept.changes[0].action = Action::Keep;
        assert_eq!(kept.digest(), Plan::default().digest());
    }
    fn drift(path: &str, by: &str) -> Reason {
        Reason::Drift(Drift { paths: vec![path.to_owned()], by: vec![by.to_owned()] })
    }

    /// A part of a plan, and what becomes of it.
    type Row = (&'static str, fn(&mut Plan));

    fn spot(uid: &str) -> Place {
        Place { kind: "place".into(), uid: Some(uid.into()), server: None, ca_fingerprint: None, connect: Connect::Record }
    }

    fn with(mutate: impl Fn(&mut Plan)) -> String {
        let mut plan = plan(holding("x"), b"key");
        plan.changes[0].reason = drift("a", "by `kubectl-edit` at 2026-01-01T00:00:00Z");
        plan.changes[0].place = Some(Address::managed("place", "p"));
        plan.program.places.insert(Address::managed("place", "p"), spot("1"));
        mutate(&mut plan);
        plan.digest().to_owned()
    }

    #[test]
    fn what_is_done_counts() {
        let rows: [Row; 12] = [
            ("what of it is ours as it is", |plan| plan.changes[0].counted.before = Some("1".into())),
            ("an output as it was", |plan| {
                let (before, after) = (Some(Value::number(2)), Some(Value::number(1)));
                plan.outputs.push(OutputChange { name: "o".into(), before, after, sensitive: false });
            }),
            ("address", |plan| plan.changes[0].address = Address::managed("k", "b")),
            ("deposed", |plan| plan.changes[0].deposed = Some("1".into())),
            ("action", |plan| plan.changes[0].action = Action::Update),
            ("reason", |plan| plan.changes[0].reason = Reason::Configuration(vec!["a".to_owned()])),
            ("what the reason is about", |plan| plan.changes[0].reason = Reason::MovedFrom(Address::managed("k", "b"))),
            ("the same about another", |plan| plan.changes[0].reason = Reason::MovedFrom(Address::managed("k", "c"))),
            ("the place's uid", |plan| plan.program.places.values_mut().for_each(|place| place.uid = Some("2".into()))),
            ("desired fields", |plan| plan.changes[0].after = Some(Value::object([("a", Value::number(2))]))),
            ("an output", |plan| {
                plan.outputs.push(OutputChange { name: "o".into(), before: None, after: Some(Value::number(1)), sensitive: false });
            }),
            ("what is blocked", |plan| plan.blocked.push(Blocked { address: Address::managed("k", "c"), why: "it".into(), after: None })),
        ];
        let mut seen = vec![with(|_| {})];
        for (what, mutate) in rows {
            let digest = with(mutate);
            assert!(!seen.contains(&digest), "{what}");
            seen.push(digest);
        }
    }

    #[test]
    fn what_is_seen_by_chance_or_by_a_preview_does_not_count() {
        let rows: [Row; 5] = [
            ("who and when", |plan| plan.changes[0].reason = drift("a", "by `argocd` at 2026-02-02T00:00:00Z")),
            ("fields as a preview tells them", |plan| plan.changes[0].reason = drift("spec.replicas", "")),
            ("whether a server was asked", |plan| plan.changes[0].not_previewed = Some("servers were not to be asked".into())),
            ("the serial", |plan| plan.prior.serial = 7),
            ("what a change takes with it", |plan| plan.changes[0].causes.push("1 resource".to_owned())),
        ];
        for (what, mutate) in rows {
            assert_eq!(with(mutate), with(|_| {}), "{what}");
        }
    }

    /// What somebody plans whom a server tells, and what is planned without that.
    fn previewed((action, reason): (Action, &Reason), without: Option<(Action, &Reason)>) -> String {
        with(|plan| {
            let change = &mut plan.changes[0];
            (change.action, change.reason) = (action, reason.clone());
            let after = change.after.clone().unwrap();
            let unpreviewed = |(action, reason): (Action, &Reason)| Box::new(Unpreviewed { action, reason: reason.clone(), after });
            change.counted.unpreviewed = without.map(unpreviewed);
        })
    }

    #[test]
    fn what_a_server_finds_to_be_nothing_counts_as_it_is_planned_without_it() {
        let update = (Action::Update, &Reason::Configuration(vec!["a".to_owned()]));
        let (keep, moved) = ((Action::Keep, &Reason::Unchanged), (Action::Move, &Reason::MovedFrom(Address::managed("k", "b"))));
        let without = previewed(update, None);
        assert_eq!(previewed(keep, Some(update)), without);
        assert_eq!(previewed(moved, Some(update)), without);
        assert_eq!(previewed((Action::Update, &drift("a", "")), Some(keep)), previewed(keep, None));
        assert_ne!(previewed((Action::Replace, &Reason::CannotUpdate(vec!["a".to_owned()])), None), without);
    }

    /// The digest of a plan whose change takes an argument from another thing: `x + number`, in a program that stands this far back.
    fn deferred(number: Value, shift: u32, parenthesis: bool) -> String {
        let at = |from| Span::new(FileId(shift), from..from + 1);
        let unknown = |slot: u32| Value::deferred(Type::Any, Thunk(slot + shift));
        let operand = |value: Value| Box::new(Expr::new(Node::Literal(value), at(1)));
        let target = |name: &str| Arc::new(Target::of(Address::managed("k", name)));
        let create = |name: &str, arguments: Value| Op::Create { target: target(name), planned: arguments.clone(), arguments };
        let sum = Expr::new(Node::Binary(Binary::Add, operand(unknown(0)), operand(number)), at(3));
        let sum = if parenthesis { Expr::new(Node::Parenthesis(Box::new(sum)), at(5)) } else { sum };
        let ops = [create("x", Value::object([("a", Value::null())])), Op::Eval(sum), create("a", Value::object([("a", unknown(1))]))];
        with(|plan| {
            let slots = (0..shift).map(|_| Op::Join).chain(ops.clone());
            plan.program.slots = slots.map(|op| Slot { op, needs: Vec::<SlotId>::new() }).collect();
        })
    }

    #[test]
    fn how_something_is_computed_after_the_apply_counts_and_how_it_is_written_does_not() {
        let one = deferred(Value::number(1), 0, false);
        assert_eq!(deferred(Value::number(1), 3, true), one);
        let secret = |text: &str| deferred(Value::string(text).sensitive(), 0, false);
        let ephemeral = |text: &str| deferred(Value::string(text).ephemeral_if(true), 0, false);
        assert_eq!(ephemeral("x"), ephemeral("y"));
        let others = [deferred(Value::number(2), 0, false), secret("x"), secret("y"), ephemeral("x"), with(|_| {})];
        let mut all: Vec<_> = others.into_iter().chain([one]).collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        // What looks at something ephemeral is as if it were not there.
        assert_eq!(all.len(), count - 1);
    }
}
