//! Checks, as far as a plan can decide them.

use super::super::conditions::Verdict;
use super::super::probes::probe_address;
use super::super::range::{UNSEEN, is_left_out, is_not_run};
use super::super::skeleton::Item;
use super::super::tables::{Fate, Planned};
use super::super::{Site, Walk};
use super::Checked;
use crate::address::{Address, ModulePath};
use crate::config::CheckBlock;
use crate::plan::{Action, CheckResult, CheckStatus};
use crate::question::wants_data_plane;
use crate::schema::Pair;
use crate::value::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Walk<'_> {
    /// What every check says, as far as a plan can tell.
    pub(super) fn check_results(&mut self) -> Vec<Checked> {
        let gates = self.gates();
        let mut results = Vec::new();
        for node in (0..self.tables.skeleton.nodes.len()).filter(|node| self.range.visits(*node)).collect::<Vec<_>>() {
            let module = self.tables.skeleton.nodes[node].module;
            let Item::Check(name) = self.tables.skeleton.nodes[node].item.clone() else { continue };
            for instance in self.tables.modules[module].known().to_vec() {
                let text = self.tables.skeleton.modules[module].module.clone();
                let full = super::super::check_name(&instance.path, &name);
                let check = &text.checks[&name];
                let place = (module, &instance.path);
                let checked = self.check_of((node, full.clone()), (&name, check), place);
                results.push(if gates.contains(&full) { self.gate(checked, (&name, check), place) } else { checked });
            }
        }
        results
    }

    fn check_of(&mut self, named: (usize, Arc<str>), (name, check): (&str, &CheckBlock), (module, path): (usize, &ModulePath)) -> Checked {
        let scoped = self.scoped(path, name, check);
        let site = Site { scoped: Some(&scoped), ..Site::of(module, path) };
        let data: Vec<_> = check.data.iter().map(|data| probe_address(path, name, &data.name)).collect();
        let pairs = self.pairs(&data);
        let mut checked = self.check_result(named, check, (site, data));
        checked.result.pairs = pairs;
        checked
    }

    /// What data sources say of pairs that were read.
    fn pairs(&self, data: &[Address]) -> Vec<Pair> {
        let planned = data.iter().filter_map(|address| self.tables.planned(address));
        planned.filter(|planned| planned.action == Action::Keep).flat_map(|planned| planned.kind.pairs(&planned.attributes)).collect()
    }

    /// A check that something waits for, from what it says now: what it looks at by itself, it looks at when that is about to start.
    fn gate(&mut self, mut checked: Checked, (name, check): (&Arc<str>, &CheckBlock), (module, path): (usize, &ModulePath)) -> Checked {
        let unseen = checked.result.messages.iter().any(|message| message == UNSEEN);
        let mut decides = checked.result.clone();
        if !check.data.is_empty() && !unseen && !self.inputs.aims.refresh_only {
            self.put_off_probes((name, check), (module, path));
            let put_off = self.check_of((checked.node, checked.result.name.clone()), (name, check), (module, path));
            (checked.open, checked.data, decides) = (put_off.open, put_off.data, put_off.result);
        }
        if matches!(decides.status, CheckStatus::Failed | CheckStatus::NotRun) {
            // What waits for it does not start: apply says so when it comes there.
            checked.open.push((Value::bool(false), Value::string(decides.messages.join("; "))));
            checked.timeout = 0;
        }
        checked
    }

    /// The checks that a step waits for.
    fn gates(&self) -> BTreeSet<Arc<str>> {
        let has_step = |action| !matches!(action, Action::Keep | Action::Move | Action::Delete | Action::Forget);
        // What a set waits for its members wait for.
        let of_a_member = |planned: &Planned| {
            let mut members = planned.members.iter().flatten().filter_map(|member| self.tables.planned(&member.address));
            members.any(|member| has_step(member.action))
        };
        let planned = self.tables.fates.values().filter_map(|fate| match fate {
            Fate::Planned(planned) => planned.terms.waits.as_ref().filter(|_| has_step(planned.action) || of_a_member(planned)),
            Fate::Blocked(_) | Fate::Failed => None,
        });
        planned.flat_map(|waits| waits.gates.iter().cloned()).collect()
    }

    /// The messages of the assertions of a check that are known not to hold.
    fn failures(&mut self, check: &CheckBlock, site: Site<'_>) -> Vec<String> {
        let mut messages = Vec::new();
        for assertion in &check.assertions {
            if let Ok(Verdict::Fails(message)) = self.assertion(assertion, site) {
                messages.push(message);
            }
        }
        messages
    }

    fn check_result(&mut self, (node, name): (usize, Arc<str>), check: &CheckBlock, (site, data): (Site<'_>, Vec<Address>)) -> Checked {
        let mut result = CheckResult { name, status: CheckStatus::Passed, messages: Vec::new(), pairs: Vec::new() };
        let (mut open, timeout) = (Vec::new(), check.timeout);
        // What fails a check counts more than what only keeps it from being run.
        let unread = data.iter().filter_map(|address| self.unread.get_key_value(address)).min_by_key(|(_, why)| is_not_run(why));
        if let Some((address, why)) = unread.map(|(address, why)| (address.clone(), why.clone())) {
            let not_run = is_not_run(&why);
            result.status = if not_run { CheckStatus::NotRun } else { CheckStatus::Failed };
            // What does not hold whatever the others say is told all the same; of what is left out nothing is.
            if !not_run || wants_data_plane(&why) {
                result.messages = self.failures(check, site);
            }
            if !result.messages.is_empty() {
                result.status = CheckStatus::Failed;
            }
            if !not_run {
                result.messages.push(format!("`{address}`: {why}"));
            } else if result.messages.is_empty() {
                result.messages.push(why);
            }
            return Checked { node, result, open, data: Vec::new(), timeout };
        }
        let mut no_data_plane = None;
        for assertion in &check.assertions {
            match self.assertion(assertion, site) {
                Ok(Verdict::Holds) => {}
                Ok(Verdict::Fails(message)) => {
                    result.status = CheckStatus::Failed;
                    result.messages.push(message);
                }
                Ok(Verdict::Later(condition, message)) => open.push((condition, message)),
                Ok(Verdict::Pending) => result.status = CheckStatus::Unknown,
                Ok(Verdict::Unobserved(why)) if is_left_out(&why) => {
                    result.status = CheckStatus::NotRun;
                    result.messages = vec![self.unseen().to_owned()];
                    return Checked { node, result, open: Vec::new(), data, timeout };
                }
                Ok(Verdict::Unobserved(why)) if wants_data_plane(&why) => no_data_plane = Some(why.to_string()),
                Ok(Verdict::Unobserved(why)) => {
                    result.status = CheckStatus::Failed;
                    result.messages.push(format!("it could not be observed: {why}"));
                }
                Err(problems) => {
                    result.status = CheckStatus::Failed;
                    result.messages.extend(problems.iter().map(|problem| problem.detail.clone()));
                }
            }
        }
        if let Some(why) = no_data_plane.filter(|_| result.status != CheckStatus::Failed) {
            let result = CheckResult { status: CheckStatus::NotRun, messages: vec![why], ..result };
            return Checked { node, result, open: Vec::new(), data, timeout };
        }
        if result.status == CheckStatus::Passed && !open.is_empty() {
            result.status = CheckStatus::Unknown;
        }
        Checked { node, result, open, data, timeout }
    }
}
