//! What the program knows of places, and how one that an address leads away from is left.

use super::super::range::is_left_out;
use super::super::tables::Fate;
use super::Builder;
use crate::address::{Address, Mode};
use crate::config::SlotId;
use crate::diagnostic::Diagnostic;
use crate::plan::{Op, Target};
use crate::state::{Connect, Fingerprint, Place, Record, RecordId};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Builder<'_, '_> {
    /// What is known of every place that a step lies in, and of those that the state remembers and the plan still leads to.
    pub(super) fn places(&self) -> BTreeMap<Address, Place> {
        let prior = &self.walk.prior.places;
        let used = self.slots.iter().filter(|slot| !is_removal(&slot.op)).filter_map(|slot| slot.op.target()?.place.clone());
        let kept = prior.keys().filter(|place| place.mode == Mode::Data && !self.is_left(place)).cloned();
        let mut places = prior.clone();
        for address in used.chain(kept).collect::<BTreeSet<_>>() {
            let Some(planned) = self.walk.tables.planned(&address) else { continue };
            let kind: Arc<str> = planned.kind.schema().kind.into();
            let connect = match address.mode {
                Mode::Managed => Connect::Record,
                Mode::Data => Connect::Source { kind: kind.clone(), arguments: planned.arguments.clone() },
            };
            let known = |name: &str| planned.attributes.text(name).map(Arc::from);
            let ca_fingerprint = planned.attributes.text("certificate_authority").and_then(Fingerprint::of_certificate);
            let place = Place { kind, uid: known("uid"), server: known("server"), ca_fingerprint, connect };
            // A source that is read at apply says then which place it is; until then it is the one that is remembered.
            let unread = address.mode == Mode::Data && place.uid.is_none();
            if !(unread && prior.contains_key(&address)) {
                places.insert(address, place);
            }
        }
        places
    }

    /// How places are reached that their addresses do not lead to any more: what is deleted there is deleted through these.
    pub(super) fn left(&self) -> BTreeMap<Address, Value> {
        let left = self.walk.prior.places.keys().filter(|place| self.walk.leads_elsewhere(place));
        left.filter_map(|address| Some((address.clone(), self.walk.reached_before(address)?.0))).collect()
    }

    /// Lets what is made under an address wait until all that the state remembers at it is deleted or given up with the former place: one line
    /// of the journal, before which the state means the former place and after which it means the new one.
    pub(super) fn leave_places(&mut self) {
        let left: Vec<Address> = self.walk.prior.places.keys().filter(|place| self.is_left(place)).cloned().collect();
        for place in left {
            let within = |op: &Op| op.target().is_some_and(|target| target.place.as_ref() == Some(&place));
            let slots = |chosen: &dyn Fn(&Op) -> bool| -> Vec<SlotId> {
                let all = self.slots.iter().enumerate().filter(|(_, slot)| within(&slot.op) && chosen(&slot.op));
                all.map(|(at, _)| SlotId(u32::try_from(at).unwrap_or(u32::MAX))).collect()
            };
            let (removals, creates) = (slots(&is_removal), slots(&|op| matches!(op, Op::Create { .. })));
            if creates.is_empty() {
                continue;
            }
            self.refuse_rests(&place);
            let target = Arc::new(nothing(&place, &self.walk.prior.places[&place]));
            let leave = self.push(Op::Forget { target, place: true }, removals);
            self.add_needs(creates.into_iter().map(|create| (create, leave)).collect());
        }
    }

    /// Forgets places that have no record of their own and are abandoned: all within goes with that line.
    pub(super) fn abandon_places(&mut self) {
        let abandoned = self.walk.abandoned().into_iter().filter(|place| self.walk.prior.record(place).is_none());
        for place in abandoned.collect::<Vec<_>>() {
            let target = Arc::new(nothing(&place, &self.walk.prior.places[&place]));
            self.push(Op::Forget { target, place: true }, Vec::new());
        }
    }

    /// Whether what the state remembers at an address lies in another place than the address leads to.
    pub(super) fn is_left(&self, place: &Address) -> bool {
        self.walk.leads_elsewhere(place) || self.walk.is_lost(place)
    }

    /// A place in which something stays is not left.
    fn refuse_rests(&mut self, place: &Address) {
        let walk = &mut *self.walk;
        let lies_within = |address: &Address| walk.prior.record(address).is_some_and(|record| record.place.as_ref() == Some(place));
        // What is excluded keeps its place from being left, see `part`.
        let excluded = |why| is_left_out(why) && walk.inputs.aims.targets.is_empty();
        let unseen = walk.tables.fates.iter().filter_map(|(address, fate)| match fate {
            Fate::Blocked(why) if lies_within(address) && !excluded(why) => Some((address, why)),
            _ => None,
        });
        let deposed = walk.unobserved.iter().filter(|blocked| lies_within(&blocked.address));
        let Some((address, why)) = unseen.chain(deposed.map(|blocked| (&blocked.address, &blocked.why))).next() else { return };
        if is_left_out(why) {
            let detail = format!("`{place}` leads to another place now, and `{address}` in the former one is not among what is planned");
            let help = "Plan without `--target`: what lies in a place leaves it together.";
            walk.tables.diagnostics.push(Diagnostic::error("place not left", detail).about(place).help(help));
            return;
        }
        let detail = format!("`{place}` leads to another place now, and `{address}` in the former one could not be observed: {why}");
        let help = "Make it observable, or let the configuration lead to the former place again.";
        walk.tables.diagnostics.push(Diagnostic::error("place not left", detail).about(place).help(help));
    }
}

fn is_removal(op: &Op) -> bool {
    matches!(op, Op::Delete { .. } | Op::Forget { .. })
}

/// A target that names a place and no object.
fn nothing(address: &Address, place: &Place) -> Target {
    super::removals::recorded(address, &Record::new(RecordId::new(""), &place.kind))
}
