//! One hash for what a plan does, so that a review can be pinned without the plan.

use super::{Action, Change, Plan, Reason};
use crate::value::{Data, Entry, Mapping, Sequence, TupleHash, Value, keyed_fingerprint};
use std::fmt::{Display, Write as _};
use std::sync::Arc;

impl Plan {
    /// `sha256:…` over what the plan does: of every change its address, action, kind of reason, place and what it becomes, every output
    /// that changes, and what is blocked. Not: times, versions, uids of new objects, who changed what is there, what a server's preview
    /// told. What is sensitive enters as an HMAC under the state's key; before there is one it enters by its path alone.
    pub fn digest(&self) -> String {
        if let Some(pinned) = &self.pinned {
            return pinned.to_string();
        }
        // Fed part by part: a tuple of all of it would be as large as the changes themselves.
        let mut hash = TupleHash::new();
        hash.nested(|changes| {
            let mut text = String::new();
            for change in self.changes.iter().filter(|change| change.action != Action::Keep) {
                changes.nested(|parts| self.feed(change, parts, &mut text));
            }
        });
        hash.nested(|outputs| {
            for output in &self.outputs {
                outputs.nested(|parts| {
                    parts.text(&output.name);
                    self.feed_after(output.after.as_ref(), parts);
                });
            }
        });
        hash.nested(|blocked| self.blocked.iter().for_each(|it| blocked.text(&it.address.to_string())));
        format!("sha256:{}", hash.finish())
    }

    fn feed(&self, change: &Change, parts: &mut TupleHash, text: &mut String) {
        let place = change.place.as_ref().and_then(|place| self.program.places.get(place).or_else(|| self.prior.places.get(place)));
        let mut write = |shown: &dyn Display, parts: &mut TupleHash| {
            text.clear();
            // Writing to a string never fails.
            let _ = write!(text, "{shown}");
            parts.text(text);
        };
        write(&change.address, parts);
        parts.text(change.deposed.as_deref().unwrap_or_default());
        parts.text(change.action.glyph());
        parts.text(change.reason.code());
        parts.nested(|parts| about(&change.reason).iter().for_each(|it| parts.text(it)));
        parts.text(place.and_then(|place| place.uid.as_deref()).unwrap_or_default());
        self.feed_after(change.after.as_ref(), parts);
    }

    fn feed_after(&self, after: Option<&Value>, parts: &mut TupleHash) {
        match after {
            None => parts.add(&Value::null()),
            Some(after) if after.holds_sensitive() => parts.add(&self.without_secrets(after)),
            Some(after) => parts.add(after),
        }
    }

    fn without_secrets(&self, value: &Value) -> Value {
        if !value.holds_sensitive() {
            return value.clone();
        }
        if value.is_marked_sensitive() {
            // A lock mints the key before the first write; the plan that is reviewed before it must have the same digest.
            let has_key = self.prior.serial > 0 && !self.prior.secret_key.is_empty();
            return Value::string(if has_key { keyed_fingerprint(value, &self.prior.secret_key) } else { "sensitive".to_owned() });
        }
        match value.data() {
            Data::Sequence(sequence) => {
                let items = sequence.items().iter().map(|item| self.without_secrets(item)).collect();
                Value::new(Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items))))
            }
            Data::Mapping(mapping) => {
                let entries = mapping.entries().iter().map(|entry| Entry::new(entry.key.clone(), self.without_secrets(&entry.value)));
                Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))))
            }
            Data::Instance(instance) => self.without_secrets(&instance.attributes),
            _ => value.clone(),
        }
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
    use crate::plan::{Blocked, OutputChange};
    use crate::schema::Drift;
    use crate::state::{Connect, Place};

    fn plan(after: Value, key: &[u8]) -> Plan {
        let change = Change {
            address: Address::managed("k", "a"),
            deposed: None,
            kind: "k".into(),
            action: Action::Create,
            reason: Reason::NotInState,
            place: None,
            before: None,
            after: Some(after),
            defaults: Vec::new(),
            not_previewed: None,
            causes: Vec::new(),
        };
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
        let digest = plan(holding("x"), b"key").digest();
        assert_eq!(digest, plan(holding("x"), b"key").digest());
        assert_ne!(digest, plan(holding("y"), b"key").digest());
        assert_ne!(digest, plan(holding("x"), b"other").digest());
        assert_eq!(plan(holding("x"), b"").digest(), plan(holding("y"), b"").digest());
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
        plan.digest()
    }

    #[test]
    fn what_is_done_counts() {
        let rows: [Row; 10] = [
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
}
