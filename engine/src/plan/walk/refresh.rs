//! A run that changes the state and outputs alone: what is there now is written down, what is not any more is forgotten.

use super::instance::{Found, Subject};
use super::range::LEFT_OUT;
use super::tables::{Fate, Planned as PlannedInstance, Terms};
use super::world::Seen;
use super::{FAILED, Walk};
use crate::address::{Address, Mode};
use crate::diagnostic::Problems;
use crate::plan::{Action, Reason};
use crate::schema::{Comparison, Drift, Kind, Planned};
use crate::state::{Record, Status};
use crate::value::{Origin, Value};
use std::sync::Arc;

/// What is there of a thing: what is to be remembered, and what of it was changed outside.
type Refreshed = (Value, Drift);

impl Walk<'_> {
    /// What is there of an instance of the configuration. What is not remembered yet is nobody's business here.
    pub(super) fn plan_refresh(
        &mut self,
        subject: &Subject<'_>,
        record: Option<Record>,
        place: Option<&Address>,
    ) -> Result<Found, Problems> {
        let Some(record) = record else { return Ok(Found::Fate(Fate::Blocked(LEFT_OUT.into()))) };
        let refreshed = match self.seen(subject.address, None, &record) {
            Seen::Pending => return Ok(Found::Open),
            Seen::Unreachable(why) => return Ok(Found::Fate(Fate::Blocked(why))),
            Seen::Refused(problem) => return Err(vec![problem]),
            Seen::Absent => return Ok(Found::Fate(self.refreshed(&record, (subject.kind, None)))),
            Seen::Remembered => (with_references(&record.attributes, subject.arguments), Drift::default()),
            Seen::Present(observed) => {
                let same_place = record.place.as_ref() == place;
                match self.compared(subject, &record, &observed).filter(|_| same_place) {
                    Some(refreshed) => refreshed,
                    // What the configuration changes is not what is remembered; its values mean nothing to others before an apply.
                    None => match overlaid(subject.kind, &record, &observed) {
                        Some((attributes, drift)) => (with_references(&attributes, subject.arguments), drift),
                        None => return Ok(Found::Fate(Fate::Blocked(LEFT_OUT.into()))),
                    },
                }
            }
        };
        let Fate::Planned(planned) = self.refreshed(&record, (subject.kind, Some(refreshed))) else { return Ok(Found::Open) };
        // Members are looked at like any other instance.
        let Some(planned) = self.plan_members(subject, PlannedInstance { edges: subject.edges, ..*planned })? else {
            return Ok(Found::Open);
        };
        Ok(Found::Fate(Fate::Planned(Box::new(planned))))
    }

    /// Gives every record that no instance of the configuration stands for, or whose instance cannot be told, its fate.
    pub(super) fn refresh_rest(&mut self) {
        let rest = |fate: Option<&Fate>| match fate {
            Some(Fate::Blocked(why)) => &**why == LEFT_OUT || &**why == FAILED,
            Some(Fate::Planned(_) | Fate::Failed) => false,
            None => true,
        };
        let addresses: Vec<_> = self.prior.resources.keys().filter(|address| rest(self.tables.fates.get(address))).cloned().collect();
        for address in addresses {
            let Some(record) = self.prior.record(&address).cloned() else { continue };
            let Some(kind) = self.catalogue.get(Mode::Managed, &record.kind).cloned() else { continue };
            let fate = match self.seen(&address, None, &record) {
                Seen::Unreachable(why) => Fate::Blocked(why),
                Seen::Pending | Seen::Remembered => Fate::Blocked(LEFT_OUT.into()),
                Seen::Refused(problem) => {
                    self.tables.diagnostics.push(problem.about(&address));
                    Fate::Failed
                }
                Seen::Absent => self.refreshed(&record, (&kind, None)),
                Seen::Present(observed) => match overlaid(&kind, &record, &observed) {
                    Some(refreshed) => self.refreshed(&record, (&kind, Some(refreshed))),
                    None => Fate::Blocked(LEFT_OUT.into()),
                },
            };
            self.tables.fates.insert(address, fate);
        }
        let deposed: Vec<_> =
            self.prior.records().filter_map(|(address, key, record)| Some((address.clone(), key?.clone(), record.clone()))).collect();
        for (address, key, record) in deposed {
            if matches!(self.seen(&address, Some(&key), &record), Seen::Absent) {
                self.deposed.insert((address, key), Action::Forget);
            }
        }
        self.leave_others_alone();
    }

    /// Data sources that an apply would read, and records that are not aimed at, are not part of this.
    fn leave_others_alone(&mut self) {
        let aims = &self.inputs.aims;
        let is_meant = |address: &Address| (aims.targets.is_empty() || aims.targets(address)) && !aims.excludes(address);
        for (address, fate) in &mut self.tables.fates {
            let is_read = matches!(fate, Fate::Planned(planned) if planned.action == Action::Read);
            if is_read || (address.mode == Mode::Managed && !is_meant(address)) {
                *fate = Fate::Blocked(LEFT_OUT.into());
            }
        }
        self.deposed.retain(|(address, _), _| is_meant(address));
    }

    /// What the kind makes of what is there, if the configuration is as it was applied.
    fn compared(&self, subject: &Subject<'_>, record: &Record, observed: &Value) -> Option<Refreshed> {
        let comparison = Comparison {
            desired: subject.arguments,
            prior: Some(record),
            observed: Some(observed),
            preview: None,
            previewable: false,
            secret_key: &self.prior.secret_key,
        };
        match subject.kind.planned(comparison) {
            Planned::Keep(attributes) => Some((attributes, Drift::default())),
            Planned::Update { attributes, drifted, .. } if !drifted.paths.is_empty() => {
                let there = found_attributes(subject.kind, observed);
                let known = attributes.entries().iter().map(|entry| {
                    let reference = entry.value.instance().is_some();
                    let found = there.and_then(|there| there.get(&entry.key)).filter(|_| !reference);
                    let remembered = || record.attributes.get(&entry.key).cloned();
                    let given = Some(entry.value.clone()).filter(Value::is_known);
                    (entry.key.clone(), found.cloned().or(given).or_else(remembered).unwrap_or_else(Value::null))
                });
                Some((Value::object(known), drifted))
            }
            _ => None,
        }
    }

    /// Why what came from there tells nothing any more: one of its instances is not made again by what only looks, and is gone.
    pub(super) fn gone_behind(&self, origin: Origin) -> Option<Arc<str>> {
        let is_gone = |address: &&Address| self.tables.planned(address).is_some_and(|planned| planned.action == Action::Forget);
        let gone = || self.arena.origins.instances(origin).into_iter().find(is_gone);
        let address = self.inputs.aims.refresh_only.then(gone).flatten()?;
        Some(format!("`{address}` does not exist any more").into())
    }

    /// The fate of a record: forgotten, written down anew, or kept.
    fn refreshed(&self, record: &Record, (kind, there): (&Arc<dyn Kind>, Option<Refreshed>)) -> Fate {
        let (action, reason, attributes) = match there {
            None => (Action::Forget, Reason::Gone, record.attributes.clone()),
            Some((attributes, drift)) => {
                let paths = self.differing(kind, record, &attributes);
                match (paths.is_empty() || record.status != Status::Ready, drift.paths.is_empty()) {
                    (true, true) => (Action::Keep, Reason::Unchanged, attributes),
                    // What the state remembers is what was applied: there is nothing to write.
                    (true, false) => (Action::Keep, Reason::Drift(drift), attributes),
                    (false, true) => (Action::Update, Reason::Drift(Drift { paths, by: Vec::new() }), attributes),
                    (false, false) => (Action::Update, Reason::Drift(drift), attributes),
                }
            }
        };
        Fate::Planned(Box::new(PlannedInstance {
            kind: kind.clone(),
            action,
            reason,
            arguments: Value::null(),
            attributes,
            prior: Some(Box::new(record.clone())),
            observed: None,
            edges: Origin::NONE,
            place: record.place.clone(),
            settles: false,
            dies_with_place: false,
            not_previewed: None,
            unpreviewed: None,
            terms: Terms::default(),
            members: None,
            unread: None,
        }))
    }

    /// The attributes that would be remembered otherwise than they are.
    fn differing(&self, kind: &Arc<dyn Kind>, record: &Record, attributes: &Value) -> Vec<String> {
        let remembered = kind.remembered(attributes, &self.prior.secret_key);
        let differs = |name: &str, value: &Value| {
            let was = record.attributes.get(name).cloned().unwrap_or_else(Value::null);
            value.instance().is_none() && matches!((value.to_json(), was.to_json()), (Ok(value), Ok(was)) if value != was)
        };
        let entries = remembered.entries().iter().filter(|entry| differs(&entry.key, &entry.value));
        entries.map(|entry| entry.key.to_string()).collect()
    }
}

/// What was found, where that has the shape of attributes.
fn found_attributes<'a>(kind: &Arc<dyn Kind>, observed: &'a Value) -> Option<&'a Value> {
    let entries = observed.entries();
    (!entries.is_empty() && entries.iter().all(|entry| kind.schema().attribute(&entry.key).is_some())).then_some(observed)
}

/// What is remembered with what was found in its place; nothing where that does not tell attributes.
fn overlaid(kind: &Arc<dyn Kind>, record: &Record, observed: &Value) -> Option<Refreshed> {
    let there = found_attributes(kind, observed)?;
    let reference =
        |name: &str| kind.schema().attribute(name).is_some_and(|attribute| matches!(attribute.ty, crate::value::Type::Reference(_)));
    let entries = record.attributes.entries().iter().map(|entry| {
        let found = there.get(&entry.key).filter(|found| found.is_known() && !reference(&entry.key));
        (entry.key.clone(), found.unwrap_or(&entry.value).clone())
    });
    Some((Value::object(entries), Drift::default()))
}

/// What is remembered, references as the configuration has them: the state keeps their addresses alone.
fn with_references(remembered: &Value, arguments: &Value) -> Value {
    Value::object(remembered.entries().iter().map(|entry| {
        let reference = arguments.get(&entry.key).filter(|argument| argument.instance().is_some());
        (entry.key.clone(), reference.unwrap_or(&entry.value).clone())
    }))
}
