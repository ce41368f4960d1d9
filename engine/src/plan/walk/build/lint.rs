//! Problems that show only when instances are seen together.

use super::super::skeleton::Item;
use super::super::tables::{Fate, Instances, Keys};
use super::super::{Walk, instance};
use crate::address::{Address, Mode};
use crate::config::ResourceName;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Inputs};
use crate::schema::{LintInput, LintInstance, Problem};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Walk<'_> {
    /// Two managed instances that would be the same thing are an error that names both.
    pub(super) fn duplicate_identities(&mut self) {
        let mut seen = BTreeMap::new();
        let mut problems = Vec::new();
        for (address, fate) in &self.tables.fates {
            let Fate::Planned(planned) = fate else { continue };
            if address.mode == Mode::Data || planned.arguments.is_null() {
                continue;
            }
            let Some(identity) = planned.kind.identity(&planned.arguments) else { continue };
            // What lies in a place is the same thing whoever reaches it; what lies in none is one thing on each machine.
            let machine = if planned.place.is_none() { self.providers.machine(address, self.catalogue) } else { Vec::new() };
            let is_shared = planned.kind.is_shared(&planned.arguments);
            let this = (self.place_name(planned.place.as_ref()), machine, identity.clone());
            if let Some((first, shares)) = seen.insert(this, (address.clone(), is_shared)) {
                if shares && is_shared {
                    continue;
                }
                let place = planned.place.as_ref().map_or_else(String::new, |place| format!(" in `{place}`"));
                let detail = format!("`{first}` and `{address}` are both `{identity}`{place}");
                let help = "Give one of them another name, or remove it.";
                problems.push(self.placed(Diagnostic::error("duplicate name", detail).help(help), address));
            }
        }
        self.tables.diagnostics.extend(problems);
    }

    /// What tells a place from all others: its uid, however it is addressed; its address while it has none.
    pub(super) fn place_name(&self, place: Option<&Address>) -> Option<Arc<str>> {
        let place = place?;
        Some(self.place_uid(place).unwrap_or_else(|| place.to_string().into()))
    }

    /// The same of a place as the state remembers it.
    pub(super) fn recorded_place_name(&self, place: Option<&Address>) -> Option<Arc<str>> {
        let uid = self.prior.places.get(place?).and_then(|place| place.uid.clone());
        uid.or_else(|| self.place_name(place))
    }

    /// What each kind says of all its instances together.
    pub(super) fn lint(&mut self) {
        let mut by_kind = BTreeMap::<(Mode, &'static str), Vec<_>>::new();
        for (address, fate) in &self.tables.fates {
            let Fate::Planned(planned) = fate else { continue };
            let value = match address.mode {
                Mode::Managed => &planned.arguments,
                Mode::Data if planned.action == Action::Keep => &planned.attributes,
                Mode::Data => continue,
            };
            if !value.is_null() {
                by_kind.entry((address.mode, planned.kind.schema().kind)).or_default().push((address, planned, value));
            }
        }
        let mut problems = Vec::new();
        for instances in by_kind.into_values() {
            let Some((_, first, _)) = instances.first() else { continue };
            let values: Vec<_> = instances.iter().map(|(address, _, value)| (*address, *value)).collect();
            problems.extend(first.kind.lint(&values));
        }
        problems.extend(self.between_kinds());
        problems.retain(|(address, problem)| !self.exceptions.cover(problem.rule, address));
        let nowhere = crate::source::Span::new(crate::source::FileId(u32::MAX), 0..0);
        let placed = problems.into_iter().map(|(address, problem)| {
            let mut diagnostic = instance::diagnosed(problem, nowhere);
            diagnostic.at = None;
            self.placed(diagnostic, &address)
        });
        let placed: Vec<_> = placed.collect();
        self.tables.diagnostics.extend(placed);
        if self.is_complete() && self.is_known() {
            self.tables.diagnostics.extend(self.exceptions.unused());
        }
    }

    /// What the lints of providers say of everything that is planned to be there.
    fn between_kinds(&self) -> Vec<(Address, Problem)> {
        let mut lints = self.catalogue.lints().peekable();
        if lints.peek().is_none() {
            return Vec::new();
        }
        let mut input = LintInput { instances: Vec::new(), complete: self.is_complete(), now: self.inputs.surroundings.planned_at };
        for (address, fate) in &self.tables.fates {
            let Fate::Planned(planned) = fate else { continue };
            let arguments = match address.mode {
                Mode::Managed => &planned.arguments,
                Mode::Data if planned.action == Action::Keep => &planned.attributes,
                Mode::Data => continue,
            };
            if arguments.is_null() {
                continue;
            }
            let written = if address.mode == Mode::Managed { planned.kind.writes(arguments) } else { None };
            let place = self.place_name(planned.place.as_ref());
            let (kind, attributes) = (planned.kind.schema().kind, &planned.attributes);
            input.instances.push(LintInstance { address, kind, arguments, attributes, written, place });
        }
        lints.flat_map(|(_, lint)| lint.look(&input)).collect()
    }

    /// Whether all that the configuration asks for is planned.
    fn is_complete(&self) -> bool {
        let Inputs { aims, destroy, .. } = &self.inputs;
        let asked = !self.stuck && !destroy && !aims.is_partial() && !aims.refresh_only;
        asked
            && !self.tables.diagnostics.iter().any(Diagnostic::is_error)
            && self.tables.fates.values().all(|fate| matches!(fate, Fate::Planned(_)))
            && self.tables.modules.iter().all(|module| matches!(module, Instances::Known(_)))
            && self.tables.groups.iter().flatten().all(|(_, group)| matches!(group.keys, Keys::Known(_)))
    }

    /// Whether nothing is left that only an apply tells.
    fn is_known(&self) -> bool {
        self.tables.fates.values().all(|fate| matches!(fate, Fate::Planned(planned) if planned.arguments.is_known()))
    }

    /// A problem about an instance, at the block it comes from.
    pub(in super::super) fn placed(&self, problem: Diagnostic, address: &Address) -> Diagnostic {
        let name = ResourceName { mode: address.mode, kind: address.kind.clone(), name: address.name.clone() };
        let module = self.tables.static_module(&address.module);
        let node = module.and_then(|module| self.tables.skeleton.find(module, &Item::Resource(name)));
        let problem = problem.about(address);
        match node.and_then(|node| self.tables.skeleton.span(node)) {
            Some(span) => problem.at(span),
            None => problem,
        }
    }
}
