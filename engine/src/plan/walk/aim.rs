//! What a run is aimed at, held against what there is.

use super::Walk;
use super::skeleton::Item;
use super::tables::Fate;
use crate::address::{Address, Mode};
use crate::config::Subject;
use crate::diagnostic::{Diagnostic, did_you_mean};
use std::collections::BTreeSet;

impl Walk<'_> {
    /// Holds what a run is aimed at against what there is, and says that it is aimed at a part.
    pub(super) fn judge_aims(&mut self) {
        let aims = self.inputs.aims.clone();
        for (option, subjects) in [("--target", &aims.targets), ("--exclude", &aims.excludes)] {
            let missing = subjects.iter().filter(|subject| !self.is_there(subject));
            let problems: Vec<_> = missing.map(|subject| self.not_found(&subject.to_string(), option)).collect();
            self.tables.diagnostics.extend(problems);
        }
        for address in &aims.replace {
            if let Some(problem) = self.not_replaced(address) {
                self.tables.diagnostics.push(problem);
            }
        }
        if aims.is_partial() {
            let named = |subjects: &[Subject]| subjects.iter().map(|subject| format!("`{subject}`")).collect::<Vec<_>>().join(", ");
            let detail = match aims.targets.as_slice() {
                [] => format!("all but {} and what depends on it is planned", named(&aims.excludes)),
                targets => format!(
                    "{} is planned, with what it depends on and what has to go or change before it, and nothing else",
                    named(targets)
                ),
            };
            let help = "This is for repairs and for looking at a part: plan without `--target` and `--exclude` afterwards.";
            self.tables.diagnostics.push(Diagnostic::warning("only a part is planned", detail).help(help));
        }
    }

    fn is_there(&self, subject: &Subject) -> bool {
        let known = self.tables.fates.keys().chain(self.prior.resources.keys());
        let skeletons = [&self.tables.skeleton, &self.undesired];
        let written = || skeletons.iter().any(|skeleton| (0..skeleton.nodes.len()).any(|node| skeleton.is_meant(node, subject)));
        known.into_iter().any(|address| subject.covers(address)) || (!subject.has_key() && written()) || self.is_open(subject)
    }

    /// Whether keys that were not found out may be among those of a subject.
    fn is_open(&self, subject: &Subject) -> bool {
        let skeleton = &self.tables.skeleton;
        let open = |node: usize| {
            let module = skeleton.nodes[node].module;
            let instances = self.tables.modules[module].known();
            instances.is_empty()
                || instances.iter().any(|instance| self.tables.group(node, &instance.path).is_none_or(|group| group.value.is_none()))
        };
        (0..skeleton.nodes.len()).any(|node| skeleton.is_meant(node, subject) && open(node))
    }

    fn not_found(&self, name: &str, option: &str) -> Diagnostic {
        let mut names: BTreeSet<String> = self.tables.fates.keys().chain(self.prior.resources.keys()).map(ToString::to_string).collect();
        for skeleton in [&self.tables.skeleton, &self.undesired] {
            let blocks = (0..skeleton.nodes.len()).filter(|node| matches!(skeleton.nodes[*node].item, Item::Resource(_) | Item::Call(_)));
            names.extend(blocks.map(|node| skeleton.name(node)));
        }
        let detail = format!("`{option}` names `{name}`, which neither the configuration nor the state has");
        let problem = Diagnostic::error("address not found", detail);
        match did_you_mean(name, names.iter().map(String::as_str)) {
            Some(near) => problem.help(format!("Did you mean `{near}`?")),
            None => problem.help("`meshplan state list` lists what is remembered."),
        }
    }

    /// Why an instance is not replaced though that was asked for.
    fn not_replaced(&self, address: &Address) -> Option<Diagnostic> {
        let said = |detail: String, help: &str| Some(Diagnostic::error("no instance to replace", detail).help(help));
        if let Some(fate) = self.tables.fates.get(address) {
            let goes = matches!(fate, Fate::Planned(planned) if planned.arguments.is_null());
            if goes || address.mode == Mode::Data {
                return said(format!("`{address}` is no resource of the configuration"), "Replace what the configuration has.");
            }
            return None;
        }
        let visits = |node| self.range.visits(node);
        if !self.range.reads(address) || !self.tables.skeleton.node_of(address).is_none_or(visits) {
            return said(format!("`{address}` is not among what is planned"), "Add it to the targets, or do not exclude it.");
        }
        let all = Subject::Resource(address.clone());
        let instances: Vec<_> =
            self.tables.fates.keys().filter(|instance| all.covers(instance)).take(3).map(|it| format!("`{it}`")).collect();
        if instances.is_empty() {
            return Some(self.not_found(&address.to_string(), "--replace"));
        }
        said(format!("`{address}` is more than one instance: {}", instances.join(", ")), "Name one instance, or several one by one.")
    }
}
