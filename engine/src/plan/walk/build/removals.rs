//! Deletes, and their order: what depends on a thing is gone before the thing is.

use super::super::tables::{Fate, Planned};
use super::Builder;
use crate::address::Address;
use crate::config::{Node, SlotId, seconds};
use crate::plan::{Action, Op, Target};
use crate::state::Record;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Slots, each with one that it waits for.
type Orders = Vec<(SlotId, SlotId)>;

impl Builder<'_, '_> {
    /// Adds the step that removes what is not desired. What dies with its place has none: the place's removal is its own.
    pub(super) fn add_removal(&mut self, address: &Address, planned: &Planned) {
        if planned.dies_with_place {
            return;
        }
        let target = Arc::new(self.removal_target(address, planned));
        let op = if planned.action == Action::Forget {
            Op::Forget { target, place: self.walk.prior.places.contains_key(address) }
        } else {
            Op::Delete { target }
        };
        // A set that turns out to hold other members than planned stops before the first effect on any of them.
        let render = address.parent().and_then(|set| self.renders.get(&set)).copied();
        let slot = self.push(op, Vec::new());
        self.wishes.extend(render.map(|render| (slot, render)));
        self.removals.insert(address.clone(), slot);
        self.finals.insert(address.clone(), slot);
    }

    /// Deposed objects are deleted whatever becomes of the current one.
    pub(super) fn add_deposed(&mut self) {
        let deposed: Vec<_> =
            self.walk.prior.records().filter_map(|(address, key, record)| Some((address.clone(), key?.clone(), record.clone()))).collect();
        for (address, key, record) in deposed {
            let mut target = recorded(&address, &record);
            target.deposed = Some(key.clone());
            let target = Arc::new(target);
            let op = match self.walk.deposed.get(&(address.clone(), key.clone())) {
                Some(Action::Forget) => Op::Forget { target, place: false },
                Some(_) => Op::Delete { target },
                None => continue,
            };
            let slot = self.push(op, Vec::new());
            self.leftovers.insert((address, key), slot);
        }
    }

    /// The old thing of a create-before-destroy replacement is deleted after the new one is there and all that depends on it has moved on.
    pub(super) fn add_deposal(&mut self, address: &Address, planned: &Planned, last: SlotId) {
        let mut target = self.removal_target(address, planned);
        target.deposed = planned.prior.as_ref().map(|prior| prior.id.deposed_key());
        let slot = self.push(Op::Delete { target: Arc::new(target) }, vec![last]);
        self.deposals.insert(address.clone(), slot);
    }

    pub(super) fn removal_target(&self, address: &Address, planned: &Planned) -> Target {
        let timeout = planned.terms.timeout("delete").or_else(|| self.written_timeout(address));
        if let Some(record) = &planned.prior {
            Target { timeout, ..recorded(address, record) }
        } else {
            let target = recorded(address, &Record::new(crate::state::RecordId::new(""), planned.kind.schema().kind));
            Target { timeout, place: planned.place.clone(), ..target }
        }
    }

    /// `timeouts { delete }` of the block that a thing which is not desired any more belonged to, if it is still there and says it
    /// outright: an instance that is gone has no `each.key` to compute it by.
    fn written_timeout(&self, address: &Address) -> Option<u64> {
        let block = self.walk.tables.skeleton.block_of(address).or_else(|| self.walk.undesired.block_of(address))?;
        match &block.timeouts.get("delete")?.node {
            Node::Literal(value) => seconds(value.as_str()?),
            _ => None,
        }
    }

    /// Puts removals after those of what depends on them, and creates after the removal of what has their identity now.
    pub(super) fn order_removals(&mut self) {
        let mut needs = Orders::new();
        let mut wishes = Orders::new();
        let members = self.removed_members();
        for (address, key, record) in self.walk.prior.records() {
            self.order_deposed((address, key, record), (&mut needs, &mut wishes));
            // What dies with its place holds no other removal up: two clusters that know each other could not both be destroyed.
            let dies_with_place = self.walk.tables.planned(address).is_some_and(|planned| planned.dies_with_place);
            for needed in &record.depends_on {
                if let (Some(deposal), Some(change)) = (self.deposals.get(needed), self.finals.get(address)) {
                    needs.push((*deposal, *change));
                }
                if dies_with_place {
                    continue;
                }
                // What a set renders no more goes after all that read the set have changed, such as those who hold a token of it.
                let change = self.finals.get(address).filter(|_| self.removal(address).is_none());
                self.wishes
                    .extend(members.get(needed).into_iter().flatten().zip(change.into_iter().cycle()).map(|(old, new)| (*old, *new)));
                let Some(removal) = self.removal(needed) else { continue };
                match self.removal(address) {
                    Some(earlier) if earlier != removal => needs.push((removal, earlier)),
                    // What is changed to do without it is changed before it goes; what is replaced comes back only after.
                    None if self.is_only_removed(needed) => self.wishes.extend(self.finals.get(address).map(|change| (removal, *change))),
                    _ => {}
                }
            }
        }
        needs.extend(self.successors());
        self.wishes.append(&mut wishes);
        self.wait_for_clearings();
        self.wait_for_users();
        self.add_needs(needs);
    }

    /// What a record came from goes after the record's own object, if that is, or was before, replaced by one made first.
    fn order_deposed(&self, (address, key, record): (&Address, Option<&Arc<str>>, &Record), (needs, wishes): (&mut Orders, &mut Orders)) {
        let goes = match key {
            None => self.deposals.get(address).copied(),
            Some(key) => self.leftovers.get(&(address.clone(), key.clone())).copied(),
        };
        if goes.is_none() && self.leftovers.is_empty() {
            return;
        }
        for needed in &record.depends_on {
            needs.extend(self.deposals.get(needed).copied().zip(goes));
            match self.removal(needed).zip(goes) {
                // Nothing comes back before a leftover goes, but what is replaced create first needs what it is made from.
                Some(order) if key.is_some() => needs.push(order),
                Some(order) if self.is_only_removed(needed) => wishes.push(order),
                _ => {}
            }
            let change = self.finals.get(address).copied().filter(|_| key.is_none());
            let of_needed = (needed.clone(), Arc::from(""))..;
            let leftovers = self.leftovers.range(of_needed).take_while(|((address, _), _)| address == needed);
            for (_, leftover) in leftovers {
                wishes.extend(goes.into_iter().chain(change).map(|earlier| (*leftover, earlier)));
            }
        }
    }

    /// What is used goes after its users, where the plan deletes or changes these.
    fn wait_for_users(&mut self) {
        for (address, user) in std::mem::take(&mut self.walk.users_first) {
            let first = self.removals.get(&user).or_else(|| self.finals.get(&user));
            self.wishes.extend(self.removals.get(&address).copied().zip(first.copied()));
        }
    }

    /// The removals of members whose sets stay, by set.
    fn removed_members(&self) -> BTreeMap<Address, Vec<SlotId>> {
        let mut members: BTreeMap<Address, Vec<SlotId>> = BTreeMap::new();
        for (address, slot) in &self.removals {
            if let Some(set) = address.parent().filter(|set| self.is_only_removed(address) && !self.is_only_removed(set)) {
                members.entry(set).or_default().push(*slot);
            }
        }
        members
    }

    /// Lets slots wait for others, each pair a slot and what it needs.
    pub(super) fn add_needs(&mut self, mut needs: Vec<(SlotId, SlotId)>) {
        needs.retain(|(slot, needed)| slot != needed);
        needs.sort_unstable();
        for group in needs.chunk_by(|(slot, _), (other, _)| slot == other) {
            let needs = &mut self.slots[group[0].0.0 as usize].needs;
            needs.extend(group.iter().map(|(_, needed)| *needed));
            needs.sort_unstable();
            needs.dedup();
        }
    }

    /// The step that removes what is remembered of an address: its own, or its dying place's.
    fn removal(&self, address: &Address) -> Option<SlotId> {
        if let Some(slot) = self.removals.get(address) {
            return Some(*slot);
        }
        let place = self.walk.prior.record(address)?.place.as_ref()?;
        if self.walk.tables.planned(address).is_some_and(|planned| planned.dies_with_place) { self.removal(place) } else { None }
    }

    fn is_only_removed(&self, address: &Address) -> bool {
        self.walk.tables.planned(address).is_some_and(|planned| matches!(planned.action, Action::Delete | Action::Forget))
    }

    /// A create whose identity another address gives up waits for that removal.
    fn successors(&self) -> Vec<(SlotId, SlotId)> {
        let mut given_up = BTreeMap::new();
        for (address, slot) in &self.removals {
            if let Some(record) = self.walk.prior.record(address)
                && let Some(identity) = &record.identity
            {
                given_up.insert((self.walk.recorded_place_name(record.place.as_ref()), identity.to_string()), *slot);
            }
        }
        let mut needs = Vec::new();
        for (at, slot) in self.slots.iter().enumerate() {
            let Op::Create { target, .. } = &slot.op else { continue };
            let Some(Fate::Planned(planned)) = self.walk.tables.fates.get(&target.address) else { continue };
            let Some(identity) = planned.kind.identity(&planned.arguments) else { continue };
            if let Some(removal) = given_up.get(&(self.walk.place_name(planned.place.as_ref()), identity)) {
                needs.push((SlotId(u32::try_from(at).unwrap_or(u32::MAX)), *removal));
            }
        }
        needs
    }
}

/// A target as the state remembers it.
pub(super) fn recorded(address: &Address, record: &Record) -> Target {
    Target {
        kind: record.kind.clone(),
        place: record.place.clone(),
        depends_on: record.depends_on.iter().cloned().collect(),
        create_before_destroy: record.create_before_destroy,
        prevent_destroy: record.prevent_destroy,
        ..Target::of(address.clone())
    }
}
