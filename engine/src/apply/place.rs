//! Places during an apply: how they are reached, and what is written down about them.

use super::run::{Run, stored};
use crate::address::{Address, Mode};
use crate::eval::fill;
use crate::plan::{Action, Target};
use crate::port::{Connected, Failure};
use crate::state::{Connect, Entry, Fingerprint, Place};
use std::sync::Arc;

impl Run<'_> {
    /// Writes down the place a target lies in, before the first thing in it. A source that leads to another place than the one that is
    /// remembered under its address stops what would be made there: the plan did not leave that one.
    pub(super) fn put_place(&mut self, target: &Target) -> Result<(), Failure> {
        let Some((address, place)) = target.place.as_ref().and_then(|address| Some((address, self.place(address)?))) else { return Ok(()) };
        let known = self.state.places.get(address);
        if let (Mode::Data, Some(before), Some(now)) = (address.mode, known.and_then(|known| known.uid.as_ref()), &place.uid)
            && before != now
        {
            let detail = format!("`{address}` was planned as `{before}`, and leads to `{now}` now; nothing was touched there. Plan again");
            return Err(Failure::new("another place", detail));
        }
        if known.is_none_or(|known| !known.is_same(&place)) {
            self.write(Entry::PutPlace { address: address.clone(), place });
        }
        Ok(())
    }

    /// Writes down what changed about places that are kept: where their kubeconfig is now, their server, their CA.
    pub(super) fn keep_places(&mut self) {
        let kept: Vec<_> = self.state.places.keys().filter(|address| address.mode == Mode::Data).cloned().collect();
        for address in kept {
            let Some(place) = self.place(&address) else { continue };
            if self.state.places.get(&address).is_some_and(|known| known.uid == place.uid && !known.is_same(&place)) {
                self.write(Entry::PutPlace { address, place });
            }
        }
    }

    /// What is to be remembered of a place that this plan leads to.
    fn place(&mut self, address: &Address) -> Option<Place> {
        let mut place = self.plan.program.places.get(address)?.clone();
        if let Connect::Source { arguments, .. } = &mut place.connect {
            *arguments = stored(&fill(&arguments.clone(), self));
        }
        if let Some(instance) = self.walk.instance(address) {
            let text = |name: &str| instance.text(name).map(Arc::from);
            place.uid = text("uid").or(place.uid);
            place.server = text("server").or(place.server);
            let authority = instance.text("certificate_authority").and_then(Fingerprint::of_certificate);
            place.ca_fingerprint = authority.or(place.ca_fingerprint);
        }
        Some(place)
    }

    /// How a target's place is reached. What is deleted is deleted where it was made; everything else goes where the address leads.
    pub(super) fn connected(&self, target: &Target, action: Action) -> Option<Connected> {
        let address = target.place.as_ref()?;
        let recorded = || self.state.places.get(address)?.uid.clone();
        if let (Action::Delete, Some(connection)) = (action, self.plan.left.get(address)) {
            return Some(Connected { address: address.clone(), connection: connection.clone(), uid: recorded() });
        }
        let made = self.walk.instance(address).and_then(|instance| instance.get("connection")).filter(|connection| !connection.is_null());
        let connection = made.or_else(|| self.plan.connections.get(address)).cloned()?;
        let led_to = || self.walk.instance(address).and_then(|instance| instance.text("uid")).map(Arc::from);
        // A source may have been read again since: what is remembered is what was planned for.
        let uid =
            if address.mode == Mode::Data && action != Action::Read { recorded().or_else(led_to) } else { led_to().or_else(recorded) };
        Some(Connected { address: address.clone(), connection, uid })
    }
}
