//! What stands in the way of instances on the machine that their provider works on: asked before they are planned, judged when all is.

use super::Walk;
use super::instance::{Subject, diagnosed};
use super::tables::{Fate, Planned};
use crate::address::Address;
use crate::diagnostic::Diagnostic;
use crate::plan::Action;
use crate::question::{Answer, Ask};
use crate::schema::Obstacle;
use std::collections::BTreeSet;

/// What a provider says against an instance, placed.
#[derive(Debug, Clone)]
pub(super) struct Obstructed {
    said: Diagnostic,
    holder: Option<String>,
    mended_by: Option<String>,
}

/// What has to be done before an instance is made, so that nothing stands in its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Clearing {
    /// What is there of this address is removed.
    Removed(Address),
    /// This deposed object is removed.
    Deposed(Address, std::sync::Arc<str>),
    /// This instance is made or changed.
    Made(Address),
}

/// Whether something stands in the way.
enum Way {
    Blocked,
    /// By what the instance itself has made before.
    Own,
    Free(Option<Clearing>),
}

impl Walk<'_> {
    /// Asks what stands in the way of an instance that something is done to; false while the answer is awaited.
    pub(super) fn look_for_obstacles(&mut self, subject: &Subject<'_>, planned: &Planned) -> bool {
        let is_made = matches!(planned.action, Action::Create | Action::Update | Action::Replace | Action::ReplaceCreateFirst);
        let is_asked = !self.inputs.skip_refresh && !self.inputs.skip_preview && subject.kind.claims(subject.arguments).is_some();
        if !is_made || !is_asked {
            return true;
        }
        let obstacles = match self.ask(Ask::Obstacles(Box::new(self.proposal(subject, planned)))) {
            None => return false,
            Some(Answer::Present(told)) => Obstacle::heard(&told),
            // Who cannot look says so itself.
            Some(_) => Vec::new(),
        };
        let placed = obstacles.into_iter().map(|Obstacle { problem, holder, mended_by }| {
            let said = diagnosed(problem, subject.span).about(subject.address);
            Obstructed { said, holder, mended_by }
        });
        self.obstacles.insert(subject.address.clone(), placed.collect());
        true
    }

    /// Tells what stands in the way and is not cleared away by the plan itself; `conflicting` are those that are in the way of each other,
    /// which has been said. What holds for many instances alike is told at the first.
    pub(super) fn judge_obstacles(&mut self, conflicting: &BTreeSet<Address>) {
        for (address, obstacles) in std::mem::take(&mut self.obstacles) {
            let mut failed = false;
            for obstructed in obstacles {
                let said = match self.way(&address, &obstructed, conflicting) {
                    Way::Free(clearing) => {
                        self.clearings.extend(clearing.map(|clearing| (address.clone(), clearing)));
                        continue;
                    }
                    Way::Blocked => obstructed.said,
                    Way::Own => until_it_goes(obstructed.said),
                };
                failed |= said.is_error();
                let same = |told: &Diagnostic| (&told.summary, &told.detail) == (&said.summary, &said.detail);
                if said.is_error() || !self.tables.diagnostics.iter().any(same) {
                    self.tables.diagnostics.push(said);
                }
            }
            if failed {
                self.tables.fates.insert(address, Fate::Failed);
            }
        }
    }

    fn way(&self, address: &Address, obstructed: &Obstructed, conflicting: &BTreeSet<Address>) -> Way {
        if let Some(wanted) = &obstructed.mended_by
            && let Some((bringer, _)) = self.desired().find(|(other, planned)| *other != address && brings(planned, wanted))
        {
            return Way::Free(Some(Clearing::Made(bringer.clone())));
        }
        let Some(holder) = &obstructed.holder else { return Way::Blocked };
        let is_holder =
            |record: &crate::state::Record| [&record.uid, &record.identity].into_iter().flatten().any(|name| **name == **holder);
        let Some((of, key, _)) = self.prior.records().find(|(_, _, record)| is_holder(record)) else { return Way::Blocked };
        if let Some(key) = key {
            let goes = matches!(self.deposed.get(&(of.clone(), key.clone())), Some(Action::Delete));
            return if goes { Way::Free(Some(Clearing::Deposed(of.clone(), key.clone()))) } else { Way::Blocked };
        }
        match self.tables.planned(of).map(|planned| planned.action) {
            Some(Action::Delete | Action::Replace) => Way::Free(Some(Clearing::Removed(of.clone()))),
            Some(Action::ReplaceCreateFirst) if of == address => Way::Own,
            Some(Action::Forget | Action::ReplaceCreateFirst) => Way::Blocked,
            // What it has made is not there: this is another thing of the same name.
            Some(Action::Create) if of == address => Way::Blocked,
            _ if of == address || conflicting.contains(address) => Way::Free(None),
            Some(_) => Way::Blocked,
            // Nobody knows what becomes of it, which is said.
            None => Way::Free(None),
        }
    }
}

/// What is said where the former object stands in the way of its successor.
fn until_it_goes(said: Diagnostic) -> Diagnostic {
    let detail =
        format!("{}; it is what is to be replaced, and goes only after its successor has come (`create_before_destroy`)", said.detail);
    Diagnostic { detail, ..said }.help("Leave `create_before_destroy` out, or give the successor a name, an address or a port of its own.")
}

fn brings(planned: &Planned, wanted: &str) -> bool {
    planned.kind.identity(&planned.arguments).as_deref() == Some(wanted)
        || planned.kind.brings(&planned.arguments).iter().any(|what| what == wanted)
}
