//! Who may still use what is to go: as long as somebody who does cannot be observed, and so neither changed nor deleted first, it stays.

use super::range::{is_left_out, outwards};
use super::tables::Fate;
use super::world::Seen;
use super::{FAILED, Walk};
use crate::address::Address;
use crate::plan::Action;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What stays though nobody desires it, each with why.
type Stays = BTreeMap<Address, Arc<str>>;

/// A record that cannot be observed.
struct User {
    address: Address,
    made_from: BTreeSet<Address>,
    place: Option<Address>,
    why: Arc<str>,
}

impl Walk<'_> {
    /// What is about to be deleted, or to die with one of these places, while somebody may still use it who cannot be observed; beside
    /// what is held back already. Who holds a token that a set renders no more uses that, whatever of the set it was made from.
    pub(super) fn still_used(&mut self, dying: &BTreeSet<Address>, held: &Stays) -> Stays {
        let members = self.members_that_go();
        let mut found = Stays::new();
        let former = self.former_still_used(dying);
        let stay = former.iter().flat_map(|(address, why)| self.former(address, why)).collect::<Vec<_>>();
        for User { address, made_from: used, place: within, why } in self.unobserved_users(dying).into_iter().chain(stay) {
            let left_out = is_left_out(&why);
            let of_sets = used.iter().filter(|set| address.parent().as_ref() != Some(set)).filter_map(|set| members.get(set)).flatten();
            let used: BTreeSet<&Address> = of_sets.chain(used.iter().chain(&within).filter(|_| !left_out)).collect();
            let stays = used.into_iter().filter(|used| **used != address).flat_map(|used| self.goes_with(used, dying));
            for used in stays.collect::<BTreeSet<_>>() {
                if held.contains_key(&used) || found.contains_key(&used) {
                    continue;
                }
                let words = match held.get(&address).or_else(|| former.get(&address)) {
                    Some(words) => words.clone(),
                    None if left_out => why.clone(),
                    None => self.repairs.said_of(&why, format!("`{address}` may still use it, and could not be observed: {why}")),
                };
                found.insert(used, words);
            }
        }
        found
    }

    /// The addresses whose former objects, deposed before or by this plan, stay: somebody who may still use them cannot be observed, or was
    /// made from them and stays as well. Each with why.
    pub(super) fn former_still_used(&mut self, dying: &BTreeSet<Address>) -> Stays {
        let users = self.unobserved_users(dying).into_iter().filter(|user| !is_left_out(&user.why));
        let mut open = Vec::new();
        for User { address, made_from, why, .. } in users.collect::<Vec<_>>() {
            let words = self.repairs.said_of(&why, format!("`{address}` may still use it, and could not be observed: {why}"));
            open.extend(made_from.into_iter().filter(|used| *used != address).map(|used| (used, words.clone())));
        }
        let mut stays = Stays::new();
        while let Some((address, words)) = open.pop() {
            let made_from = self.former_made_from(&address);
            if !made_from.is_empty() && !stays.contains_key(&address) {
                open.extend(made_from.into_iter().flatten().map(|used| (used.clone(), words.clone())));
                stays.insert(address, words);
            }
        }
        stays
    }

    /// The objects of an address that were to go for a successor, and stay.
    fn former(&self, address: &Address, why: &Arc<str>) -> Vec<User> {
        let place = self.prior.record(address).and_then(|record| record.place.clone());
        let made_from = self.former_made_from(address).into_iter();
        made_from.map(|used| User { address: address.clone(), made_from: used.clone(), place: place.clone(), why: why.clone() }).collect()
    }

    /// What the objects of an address that go for a successor were made from; empty if there is none.
    fn former_made_from(&self, address: &Address) -> Vec<&BTreeSet<Address>> {
        let Some(objects) = self.prior.resources.get(address) else { return Vec::new() };
        let is_deposed = self.tables.planned(address).is_some_and(|planned| planned.action == Action::ReplaceCreateFirst);
        let current = objects.current.iter().filter(|_| is_deposed);
        objects.deposed.values().chain(current).map(|record| &record.depends_on).collect()
    }

    /// Records that cannot be observed, current ones and deposed. Those in places that are given up, or that
    /// die with places that are replaced, count for nothing any more.
    fn unobserved_users(&self, dying: &BTreeSet<Address>) -> Vec<User> {
        let abandoned: BTreeSet<Address> = self.abandoned().iter().flat_map(|place| self.prior.within(place)).collect();
        let mut users = Vec::new();
        for (address, key, record) in self.prior.records().filter(|(address, ..)| !abandoned.contains(*address)) {
            let why = match key {
                None => unobserved(self.tables.fates.get(address)).cloned(),
                Some(_) if record.place.as_ref().is_some_and(|place| dying.contains(place)) => None,
                Some(key) => match self.seen(address, Some(key), record) {
                    Seen::Unreachable(why) => Some(why),
                    _ => None,
                },
            };
            if let Some(why) = why {
                let (made_from, place) = (record.depends_on.clone(), record.place.clone());
                users.push(User { address: address.clone(), made_from, place, why });
            }
        }
        users
    }

    /// What must stay for a thing to stay: itself if it is deleted, and the places that it would die with. Nothing can keep it whose
    /// place is replaced.
    fn goes_with(&self, address: &Address, dying: &BTreeSet<Address>) -> Vec<Address> {
        let is_deleted = |address: &Address| self.deletes(address);
        let mut stays: Vec<Address> = outwards(&self.prior, address).filter(|around| around != address && dying.contains(around)).collect();
        if !stays.iter().all(is_deleted) {
            return Vec::new();
        }
        stays.extend(Some(address).filter(|address| is_deleted(address)).cloned());
        stays
    }

    /// Members that go while their sets stay, by set.
    fn members_that_go(&self) -> BTreeMap<Address, Vec<Address>> {
        let mut members: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
        for address in self.prior.resources.keys().filter(|address| self.deletes(address)) {
            if let Some(set) = address.parent().filter(|set| !self.deletes(set)) {
                members.entry(set).or_default().push(address.clone());
            }
        }
        members
    }

    /// Whether a thing is deleted, and not replaced.
    fn deletes(&self, address: &Address) -> bool {
        self.tables.planned(address).is_some_and(|planned| planned.action == Action::Delete)
    }
}

/// Why a thing could not be observed. What is in error is no such thing: the error is told.
fn unobserved(fate: Option<&Fate>) -> Option<&Arc<str>> {
    match fate {
        Some(Fate::Blocked(why)) if &**why != FAILED => Some(why),
        Some(Fate::Planned(planned)) => planned.unread.as_ref(),
        _ => None,
    }
}
