//! Places that somebody gives up: they do not answer and never will, and are forgotten with all within.

use super::Walk;
use super::world::{Seen, heard};
use crate::address::Address;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::plan::{Action, Reason};
use crate::state::Record;

impl Walk<'_> {
    /// Gives what lies in abandoned places its fate, whatever the configuration says of it: a later plan makes anew what is still desired.
    pub(super) fn abandon_places(&mut self) {
        for address in self.inputs.aims.abandon.clone() {
            match self.not_abandoned(&address) {
                Some(problem) => self.tables.diagnostics.push(problem),
                None => self.abandon(&address),
            }
        }
    }

    /// The places that are abandoned in this run.
    pub(super) fn abandoned(&self) -> Vec<Address> {
        let abandoned = self.inputs.aims.abandon.iter().filter(|address| self.not_abandoned(address).is_none());
        abandoned.cloned().collect()
    }

    fn abandon(&mut self, place: &Address) {
        let within = self.prior.within(place);
        let count = within.len();
        for address in within.into_iter().chain([place.clone()]) {
            self.deposed.retain(|(of, _), _| *of != address);
            self.unobserved.retain(|blocked| blocked.address != address);
            let Some(record) = self.prior.record(&address).cloned() else { continue };
            let fate = self.gone(&address, &record, (Action::Forget, Reason::Abandoned(place.clone())), address != *place);
            self.tables.fates.insert(address, fate);
        }
        let server = self.prior.places.get(place).and_then(|place| place.server.as_deref());
        let server = server.map_or_else(String::new, |server| format!(" at {server}"));
        let resources = if count == 1 { "1 resource".to_owned() } else { format!("{count} resources") };
        let detail = format!("`{place}`{server} does not answer; it will be forgotten with {resources} within, which are not deleted");
        let help = "What still exists there stays and is nobody's any more. Apply only if the place is gone for good.";
        self.tables.diagnostics.push(Diagnostic::warning("place abandoned", detail).about(place).help(help));
    }

    /// Why a place is not abandoned.
    fn not_abandoned(&self, address: &Address) -> Option<Diagnostic> {
        if !self.prior.places.contains_key(address) {
            let names: Vec<String> = self.prior.places.keys().map(ToString::to_string).collect();
            let detail = format!("the state knows no place `{address}`");
            let problem = Diagnostic::error("no place to abandon", detail);
            return Some(match did_you_mean(&address.to_string(), names.iter().map(String::as_str)) {
                Some(near) => problem.help(format!("Did you mean `{near}`?")),
                None if names.is_empty() => problem.help("Nothing that is remembered lies in a place."),
                None => problem.help(format!("It knows `{}`.", names.join("`, `"))),
            });
        }
        if self.inputs.skip_refresh {
            let detail = format!("whether `{address}` answers is not looked at with `--refresh=false`");
            return Some(Diagnostic::error("place not looked at", detail).about(address).help("Leave out `--refresh=false`."));
        }
        let answered = heard(self.answers.get(format!("place {address}").as_str()));
        if matches!(answered, Seen::Present(_) | Seen::Absent) || matches!(self.recorded_place(address), Seen::Present(_) | Seen::Absent) {
            let detail = format!("`{address}` is not out of reach: whether what lies within is there can be told, and it can be deleted");
            let help = "Remove it from the configuration, or destroy it, without `--abandon`.";
            return Some(Diagnostic::error("place answers", detail).about(address).help(help));
        }
        let within = self.prior.within(address);
        let is_protected = |of: &Address| {
            let objects = self.prior.resources.get(of);
            let mut records = objects.into_iter().flat_map(|objects| objects.current.iter().chain(objects.deposed.values()));
            records.any(|record: &Record| record.prevent_destroy)
        };
        let protected: Vec<_> = within.iter().chain([address]).filter(|of| is_protected(of)).map(|of| format!("`{of}`")).collect();
        if protected.is_empty() {
            return None;
        }
        let detail = format!("{} has `prevent_destroy`, and would be forgotten with `{address}`", protected.join(", "));
        let help = "Take it out of the state first, with a `removed` block whose `destroy` is false or by `state rm`.";
        Some(Diagnostic::error("protected resource", detail).about(address).help(help))
    }
}
