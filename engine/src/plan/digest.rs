//! One hash for what a plan does, so that a review can be pinned without the plan.

use super::{Action, Change, Plan};
use crate::value::{Data, Entry, Mapping, Sequence, TupleHash, Value, keyed_fingerprint};
use std::fmt::{Display, Write as _};
use std::sync::Arc;

impl Plan {
    /// `sha256:…` over what the plan does: of every change its address, action, reason, place and what it becomes, every output that
    /// changes, and what is blocked. Not: times, versions, uids of new objects, what a server's preview added. What is sensitive enters as
    /// an HMAC under the state's key; before there is one it enters by its path alone.
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
        write(&change.reason, parts);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::plan::{Change, Reason};

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
}
