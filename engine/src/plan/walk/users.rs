//! Who uses what the plan deletes: asked once it is known what that is, judged when all is planned.

use super::Walk;
use super::orphans::Orphan;
use super::tables::{Fate, Planned};
use super::world::Seen;
use crate::address::{Address, Mode};
use crate::diagnostic::Diagnostic;
use crate::plan::Action;
use crate::question::{Answer, Ask, Question};
use crate::schema::{Usage, User, named};
use crate::state::Record;
use std::collections::BTreeMap;

/// Addresses by the place that something lies in, and its uid or its identity there.
type ByName<'a> = BTreeMap<(Option<&'a Address>, &'a str), Vec<&'a Address>>;

impl Walk<'_> {
    /// Asks who uses what is not desired any more. What goes with its place is used by nobody who stays.
    pub(super) fn ask_users(&mut self) {
        if self.inputs.skip_refresh || self.inputs.aims.refresh_only {
            return;
        }
        let unwanted = |address: &Address| {
            !self.tables.fates.contains_key(address) && matches!(self.orphan(address), Orphan::Unwanted(_)) && !self.moves.gives_up(address)
        };
        // Where only a part is planned, what becomes of a place shows later.
        let goes_as_well = |place: &Address| !self.inputs.aims.is_partial() && self.prior.record(place).is_some() && unwanted(place);
        let asked = self.prior.records().filter(|(address, deposed, record)| {
            deposed.is_none()
                && self.has_users(record)
                && self.range.reads(address)
                && unwanted(address)
                && !record.place.as_ref().is_some_and(goes_as_well)
                && matches!(self.seen(address, None, record), Seen::Present(_))
        });
        let asked: Vec<_> = asked.map(|(address, _, record)| question(address, record)).collect();
        for ask in asked {
            self.ask(ask);
        }
    }

    fn has_users(&self, record: &Record) -> bool {
        self.catalogue.get(Mode::Managed, &record.kind).is_some_and(|kind| kind.has_users(&record.attributes))
    }

    /// Refuses to delete what is used by somebody whom this plan neither deletes nor changes, and remembers who has to be first where it does.
    pub(super) fn judge_users(&mut self) {
        let goes = |planned: &Planned| planned.action == Action::Delete && !planned.dies_with_place;
        let going = self.prior.records().filter(|(address, deposed, record)| {
            deposed.is_none() && self.has_users(record) && self.tables.planned(address).is_some_and(goes)
        });
        let going: Vec<_> = going.map(|(address, _, record)| (address.clone(), record.clone())).collect();
        if going.is_empty() {
            return;
        }
        let by_name = self.by_name();
        let mut said = Vec::new();
        let mut first = Vec::new();
        for (address, record) in going {
            let usage = match self.answers.get(Question::new(question(&address, &record)).key()) {
                Some(Answer::Present(told)) => Usage::heard(told),
                Some(Answer::Unreachable(why)) => {
                    let detail = format!("`{address}` goes with this plan, and who uses it could not be seen: {why}");
                    said.push(Diagnostic::error("use not known", detail).about(&address));
                    continue;
                }
                Some(Answer::Refused(problem)) => {
                    said.push(problem.clone().about(&address));
                    continue;
                }
                Some(Answer::Absent | Answer::Conflict(_)) | None => continue,
            };
            let (mut stay, mut left) = (Vec::new(), Vec::new());
            for user in &usage.users {
                match self.goes_first(user, &record, &by_name) {
                    Some(of) => first.push((address.clone(), of)),
                    None if user.warns => left.push(user.name.as_str()),
                    None => stay.push(user.name.as_str()),
                }
            }
            let told = |problem: Diagnostic| match &usage.help {
                Some(help) => problem.about(&address).help(help.as_str()),
                None => problem.about(&address),
            };
            if !stay.is_empty() {
                let detail = format!("`{address}` goes with this plan, and {} is still used: by {}", usage.subject, named(&stay));
                said.push(told(Diagnostic::error("still in use", detail)));
            }
            if !left.is_empty() {
                let detail = format!("`{address}` goes with this plan, and {} is still named: by {}", usage.subject, named(&left));
                said.push(told(Diagnostic::warning("still named", detail)));
            }
        }
        for problem in &said {
            if let Some(address) = problem.address.as_ref().filter(|_| problem.is_error()) {
                self.tables.fates.insert(address.clone(), Fate::Failed);
            }
        }
        self.tables.diagnostics.extend(said);
        first.sort_unstable();
        first.dedup();
        self.users_first = first;
    }

    /// What is remembered, by uid and by identity within its place.
    fn by_name(&self) -> ByName<'_> {
        let mut by_name = ByName::new();
        for (address, deposed, record) in self.prior.records() {
            if deposed.is_some() {
                continue;
            }
            for name in record.uid.iter().chain(&record.identity) {
                by_name.entry((record.place.as_ref(), name)).or_default().push(address);
            }
        }
        by_name
    }

    /// What the plan deletes or changes, and a user with it.
    fn goes_first(&self, user: &User, of: &Record, by_name: &ByName<'_>) -> Option<Address> {
        let frees = |holder: &&Address| {
            let Some(planned) = self.tables.planned(holder) else { return false };
            match planned.action {
                // What only writes into somebody's thing has no identity, and leaves the thing there.
                Action::Delete => user.lets_go || planned.prior.as_ref().is_some_and(|prior| prior.identity.is_some()),
                Action::Update | Action::Replace | Action::ReplaceCreateFirst => user.lets_go,
                _ => false,
            }
        };
        let holders = user.holders.iter().filter_map(|holder| by_name.get(&(of.place.as_ref(), holder.as_str())));
        holders.flatten().copied().find(frees).cloned()
    }
}

fn question(address: &Address, record: &Record) -> Ask {
    Ask::Users { address: address.clone(), record: Box::new(record.clone()) }
}
