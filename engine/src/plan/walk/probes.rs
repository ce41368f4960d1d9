//! Data sources within checks. They are read last, and nothing that becomes of them fails a plan: the check says it.

use super::arguments::{blocked, waits};
use super::data::{missing, read, unread};
use super::instance::{Subject, group_member};
use super::range::{LEFT_OUT, UNTOUCHED, is_not_run};
use super::skeleton::Item;
use super::tables::{Fate, Instances, ModuleInstance, Planned, Terms};
use super::{FAILED, Site, Walk};
use crate::address::{Address, AddressParts, Key, Mode, ModulePath};
use crate::config::{CheckBlock, ResourceBlock, ResourceName};
use crate::diagnostic::Problems;
use crate::plan::{Action, Looking, Reason};
use crate::question::{Answer, Ask};
use crate::value::{Origin, Secrets, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The values of the data sources of a check, by their names.
pub(super) type Scoped = BTreeMap<ResourceName, Value>;

/// What a data source within a check came to.
enum Probe {
    /// Something is still to be answered.
    Open,
    /// This: read now, or at apply.
    Planned(Box<Planned>),
    /// It cannot be read; the check says this.
    Unread(String),
}

/// The address of a data source within a check: the check's name stands before its own, since each check names its own.
pub(super) fn probe_address(path: &ModulePath, check: &str, name: &ResourceName) -> Address {
    let within = format!("{check}.{}", name.name).into();
    let (module, kind) = (path.clone(), name.kind.clone());
    AddressParts { module, mode: Mode::Data, kind, name: within, key: Key::None, member: None }.into()
}

impl Walk<'_> {
    /// Visits the data sources of all checks, once everything else is planned.
    pub(super) fn visit_probes(&mut self) {
        for node in (0..self.tables.skeleton.nodes.len()).filter(|node| self.range.visits(*node)).collect::<Vec<_>>() {
            let module = self.tables.skeleton.nodes[node].module;
            let Item::Check(name) = self.tables.skeleton.nodes[node].item.clone() else { continue };
            let Instances::Known(instances) = self.tables.modules[module].clone() else { continue };
            let text = self.tables.skeleton.modules[module].module.clone();
            for instance in instances.iter().filter(|_| !text.checks[&name].data.is_empty()) {
                self.visit_check(module, instance, (&name, &text.checks[&name]));
            }
        }
    }

    fn visit_check(&mut self, module: usize, instance: &ModuleInstance, (name, check): (&Arc<str>, &CheckBlock)) {
        for data in &check.data {
            let address = probe_address(&instance.path, name, &data.name);
            if self.tables.planned(&address).is_some() {
                continue;
            }
            if self.unread.contains_key(&address) {
                continue;
            }
            // Those after it may read it.
            let scoped = self.scoped(&instance.path, name, check);
            let site = Site { scoped: Some(&scoped), ..Site::of(module, &instance.path) };
            match self.probe(data, &address, (site, None)) {
                Ok(Probe::Open) => return,
                Ok(Probe::Planned(planned)) => drop(self.tables.fates.insert(address, Fate::Planned(planned))),
                Ok(Probe::Unread(why)) => drop(self.unread.insert(address, why)),
                Err(problems) => {
                    let details: Vec<_> = problems.into_iter().map(|problem| problem.detail).collect();
                    self.unread.insert(address, details.join("; "));
                }
            }
        }
    }

    /// The data sources of a check as its expressions see them, as far as they are planned or could not be read.
    pub(super) fn scoped(&mut self, path: &ModulePath, name: &str, check: &CheckBlock) -> Scoped {
        let mut scoped = Scoped::new();
        for data in &check.data {
            let address = probe_address(path, name, &data.name);
            if let Some(planned) = self.tables.planned(&address).cloned() {
                scoped.insert(data.name.clone(), group_member(&address, &planned, &mut self.arena));
            } else if let Some(why) = self.unread.get(&address) {
                scoped.insert(data.name.clone(), Value::blocked(why.as_str()));
            }
        }
        scoped
    }

    /// Leaves the data sources of a check to apply that could be read now, or could not: something waits until the check passes.
    pub(super) fn put_off_probes(&mut self, (name, check): (&Arc<str>, &CheckBlock), (module, path): (usize, &ModulePath)) {
        let until = super::check_name(path, name);
        for data in &check.data {
            let address = probe_address(path, name, &data.name);
            if self.tables.planned(&address).is_some_and(|planned| planned.action == Action::Read) {
                continue;
            }
            let scoped = self.scoped(path, name, check);
            let site = Site { scoped: Some(&scoped), ..Site::of(module, path) };
            if let Ok(Probe::Planned(planned)) = self.probe(data, &address, (site, Some(&until))) {
                self.unread.remove(&address);
                self.tables.fates.insert(address, Fate::Planned(planned));
            }
        }
    }

    /// Plans the read of a data source: at apply if it is to be read until a check passes.
    fn probe(&mut self, data: &ResourceBlock, address: &Address, (site, until): (Site<'_>, Option<&Arc<str>>)) -> Result<Probe, Problems> {
        let Some(kind) = self.catalogue.get(Mode::Data, &data.name.kind).cloned() else {
            self.unknown_kind(data);
            return Ok(Probe::Unread(format!("there is no data source kind `{}`", data.name.kind)));
        };
        let misnamed = crate::plan::misnamed(data, kind.schema());
        if !misnamed.is_empty() {
            // What is wrong with its text is wrong with the configuration.
            self.report(misnamed.clone());
            return Err(misnamed);
        }
        let dependencies = self.dependencies(&data.depends_on, site)?;
        let arguments = self.arguments(data, kind.schema(), address, site)?;
        if waits(&arguments) || dependencies.pending {
            return Ok(Probe::Open);
        }
        if let Some(why) = blocked(&arguments).or(dependencies.blocked) {
            return Ok(Probe::Unread(self.unread_because(&why)));
        }
        let sources = arguments.deep_origin(&mut self.arena.origins);
        let edges = self.arena.origins.join(&[sources, dependencies.origin]);
        let standing = self.standing(edges);
        if let Some(why) =
            standing.blocked.or(standing.failed.then(|| FAILED.into())).or(standing.unread).or_else(|| self.gone_behind(edges))
        {
            return Ok(Probe::Unread(self.unread_because(&why)));
        }
        if let Some(problem) = kind.validate(&arguments).into_iter().find(|problem| !problem.warning) {
            return Ok(Probe::Unread(problem.detail));
        }
        let subject = Subject { address, kind: &kind, arguments: &arguments, edges, span: data.span };
        Ok(self.read_or_defer(&subject, until))
    }

    /// What a check looks at is looked at after all that it came from has changed.
    fn read_or_defer(&mut self, subject: &Subject<'_>, until: Option<&Arc<str>>) -> Probe {
        let standing = self.standing(subject.edges);
        let place = subject.kind.place(subject.arguments);
        let deferred = if !subject.arguments.is_known() {
            Some(Reason::ReadWhenKnown)
        } else if standing.changes() && !self.inputs.aims.refresh_only {
            let changing = if standing.remade.is_empty() { self.changing(subject.edges) } else { standing.remade };
            Some(Reason::ReadAfter(changing))
        } else {
            until.cloned().map(Reason::ReadUntil)
        };
        if let Some(reason) = deferred {
            let attributes = unread(subject);
            return Probe::Planned(Box::new(planned(subject, (Action::Read, reason), attributes, place)));
        }
        if self.inputs.looking == Looking::Untouching && subject.kind.acts(subject.arguments) {
            return Probe::Unread(UNTOUCHED.to_owned());
        }
        let ask = Ask::Data {
            address: subject.address.clone(),
            kind: subject.kind.schema().kind.into(),
            place: place.clone(),
            arguments: subject.arguments.clone(),
        };
        // What is said of it may repeat what it was asked with.
        match self.ask(ask).map(|answer| answer.without(&Secrets::of([subject.arguments]))) {
            None => Probe::Open,
            Some(Answer::Present(value)) => {
                let attributes = read(subject, &value);
                Probe::Planned(Box::new(planned(subject, (Action::Keep, Reason::Unchanged), attributes, place)))
            }
            Some(Answer::Unreachable(why)) => Probe::Unread(self.unread_because(&why)),
            Some(Answer::Refused(problem)) => Probe::Unread(problem.detail),
            Some(Answer::Absent | Answer::Conflict(_)) => Probe::Unread(missing(subject).detail),
        }
    }

    fn unread_because(&self, why: &str) -> String {
        match why {
            LEFT_OUT => self.unseen().to_owned(),
            why if is_not_run(why) => why.to_owned(),
            why => format!("it could not be observed: {why}"),
        }
    }

    /// The first few managed instances behind an origin that change.
    fn changing(&mut self, origin: Origin) -> Vec<Address> {
        let changes = |address: &&Address| self.tables.planned(address).is_some_and(|planned| planned.action.is_change());
        self.arena.origins.instances(origin).into_iter().filter(changes).take(3).cloned().collect()
    }
}

fn planned(subject: &Subject<'_>, (action, reason): (Action, Reason), attributes: Value, place: Option<Address>) -> Planned {
    Planned {
        kind: subject.kind.clone(),
        action,
        reason,
        arguments: subject.arguments.clone(),
        attributes,
        prior: None,
        observed: None,
        edges: subject.edges,
        place,
        settles: false,
        dies_with_place: false,
        not_previewed: None,
        unpreviewed: None,
        terms: Terms::default(),
        members: None,
        unread: None,
    }
}
