//! Places that the state remembers: how they are reached, and whether their addresses still lead to them.
//!
//! A place is known by its uid. The address of a data source may come to lead to another place, because its arguments changed or because
//! another cluster answers to them; what lies in the recorded place is then reached through the recorded arguments, or not at all.

use super::Walk;
use super::skeleton::Item;
use super::tables::Instances;
use super::world::{Seen, heard};
use crate::address::{Address, Mode};
use crate::config::ResourceName;
use crate::diagnostic::Diagnostic;
use crate::plan::Action;
use crate::question::Answer;
use crate::state::{Place, Record};
use crate::value::Value;
use std::sync::Arc;

impl Walk<'_> {
    /// What is known of the place of a record.
    pub(super) fn place_seen(&self, record: &Record) -> Seen {
        record.place.as_ref().map_or(Seen::Remembered, |place| self.recorded_place(place))
    }

    /// What is known of a place that the state remembers. One that does not answer as it was described then may still be found where the
    /// configuration describes it now. Another uid than the recorded one means that it is gone, with all within.
    pub(super) fn recorded_place(&self, address: &Address) -> Seen {
        let Some(place) = self.prior.places.get(address).filter(|_| !self.inputs.skip_refresh) else { return Seen::Remembered };
        let seen = match self.closed_place(address, place) {
            Some(why) => Seen::Unreachable(why),
            None => heard(self.answers.get(format!("place {address}").as_str())),
        };
        match &seen {
            Seen::Present(value) if may_be(place, value) => return seen,
            Seen::Present(_) | Seen::Unreachable(_) => {}
            _ => return seen,
        }
        if let Some(now) = self.described(address).filter(|now| place.uid.is_some() && may_be(place, now)) {
            return Seen::Present(now.clone());
        }
        if self.is_undecided(address) {
            return Seen::Pending;
        }
        if matches!(seen, Seen::Present(_)) { Seen::Absent } else { seen }
    }

    /// Whether a place did not answer as it was described before, and is found where the configuration describes it.
    pub(super) fn found_places_again(&self) -> bool {
        self.prior.places.iter().any(|(address, place)| {
            let again = || place.uid.is_some() && self.described(address).is_some_and(|now| may_be(place, now));
            address.mode == Mode::Data && !matches!(self.answered(address), Some(now) if may_be(place, now)) && again()
        })
    }

    /// Whether the address of a place leads to another one than the state remembers.
    pub(super) fn leads_elsewhere(&self, address: &Address) -> bool {
        let described = self.described(address);
        self.prior.places.get(address).zip(described).is_some_and(|(place, now)| !may_be(place, now))
    }

    /// Whether another place answers where the recorded one was, and the configuration does not say where that is now.
    pub(super) fn is_lost(&self, address: &Address) -> bool {
        self.answered(address).is_some() && matches!(self.recorded_place(address), Seen::Absent)
    }

    /// Why nothing may be made in a place: what lies in the one that its address led to before cannot be reached to be deleted.
    pub(super) fn stranded(&self, address: &Address) -> Option<Arc<str>> {
        match self.recorded_place(address) {
            Seen::Unreachable(why) if self.leads_elsewhere(address) => {
                Some(format!("`{address}` leads to another place now, and the former one cannot be reached: {why}").into())
            }
            _ => None,
        }
    }

    /// How the place that the state remembers under this address is reached; its uid.
    pub fn reached_before(&self, address: &Address) -> Option<(Value, Option<Arc<str>>)> {
        let place = self.prior.places.get(address).filter(|_| address.mode == Mode::Data);
        let Some(place) = place else { return self.reached(address) };
        let known = [self.answered(address), self.described(address)].into_iter().flatten().find(|value| may_be(place, value))?;
        Some((known.get("connection").filter(|value| value.is_known() && !value.is_null())?.clone(), place.uid.clone()))
    }

    /// Warns of each place that is another now, and of how much is forgotten with the one that was.
    pub(super) fn warn_of_lost_places(&mut self) {
        let lost: Vec<_> = self.prior.places.keys().filter(|address| self.is_lost(address)).cloned().collect();
        for address in lost {
            let within = self.prior.within(&address).len();
            if within == 0 {
                continue;
            }
            let place = &self.prior.places[&address];
            let uid = place.uid.as_deref().unwrap_or_default();
            let server = place.server.as_ref().map_or_else(String::new, |server| format!(" at {server}"));
            let resources = if within == 1 { "1 resource".to_owned() } else { format!("{within} resources") };
            let detail = format!(
                "`{address}` was `{uid}`{server}, and another one answers there now; {resources} in the former will be forgotten, not deleted"
            );
            let help = "If the former is still there, let the configuration lead to it again before you apply.";
            self.tables.diagnostics.push(Diagnostic::warning("another place", detail).about(&address).help(help));
        }
    }

    /// What answered where the state remembers a place.
    fn answered(&self, address: &Address) -> Option<&Value> {
        match self.answers.get(format!("place {address}").as_str()) {
            Some(Answer::Present(value)) => Some(value),
            _ => None,
        }
    }

    /// What a data source of the configuration says of the place at its address.
    fn described(&self, address: &Address) -> Option<&Value> {
        let planned = self.tables.planned(address).filter(|planned| address.mode == Mode::Data && planned.action == Action::Keep);
        planned.map(|planned| &planned.attributes)
    }

    /// Whether the configuration may still come to describe this address.
    fn is_undecided(&self, address: &Address) -> bool {
        if address.mode != Mode::Data || self.tables.fates.contains_key(address) {
            return false;
        }
        let name = ResourceName { mode: address.mode, kind: address.kind.clone(), name: address.name.clone() };
        let Some(module) = self.tables.static_module(&address.module) else { return false };
        let Some(node) = self.tables.skeleton.find(module, &Item::Resource(name)) else { return false };
        let expected = match &self.tables.modules[module] {
            Instances::Open => true,
            Instances::Known(instances) => instances.iter().any(|instance| instance.path == address.module),
            Instances::Blocked(_) | Instances::Failed => false,
        };
        expected && !self.tables.group(node, &address.module).is_some_and(|group| group.finished)
    }
}

/// Whether what was answered may be this place: its uid is the same, or one of the two is not known.
fn may_be(place: &Place, answered: &Value) -> bool {
    place.uid.as_deref().zip(answered.text("uid")).is_none_or(|(recorded, uid)| *recorded == *uid)
}
