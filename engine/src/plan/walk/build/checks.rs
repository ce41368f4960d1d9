//! Checks, as far as a plan can decide them.

use super::super::conditions::Verdict;
use super::super::probes::probe_address;
use super::super::range::{UNSEEN, is_left_out};
use super::super::skeleton::Item;
use super::super::tables::Fate;
use super::super::{Site, Walk};
use super::Checked;
use crate::address::Address;
use crate::config::CheckBlock;
use crate::plan::{CheckResult, CheckStatus};
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
                let scoped = self.scoped(&instance.path, &name, check);
                let site = Site { scoped: Some(&scoped), ..Site::of(module, &instance.path) };
                let data = check.data.iter().map(|data| probe_address(&instance.path, &name, &data.name)).collect();
                let mut checked = self.check_result((node, full), check, (site, data));
                let Checked { result, open, .. } = &mut checked;
                if matches!(result.status, CheckStatus::Failed | CheckStatus::NotRun) && gates.contains(&result.name) {
                    // What waits for it does not start: apply says so when it comes there.
                    open.push((Value::bool(false), Value::string(result.messages.join("; "))));
                }
                results.push(checked);
            }
        }
        results
    }

    /// The checks that something waits for.
    fn gates(&self) -> BTreeSet<Arc<str>> {
        let planned = self.tables.fates.values().filter_map(|fate| match fate {
            Fate::Planned(planned) => planned.terms.waits.as_ref(),
            Fate::Blocked(_) | Fate::Failed => None,
        });
        planned.flat_map(|waits| waits.gates.iter().cloned()).collect()
    }

    fn check_result(&mut self, (node, name): (usize, Arc<str>), check: &CheckBlock, (site, data): (Site<'_>, Vec<Address>)) -> Checked {
        let mut result = CheckResult { name, status: CheckStatus::Passed, messages: Vec::new() };
        let mut open = Vec::new();
        if let Some((address, why)) = data.iter().find_map(|address| self.unread.get_key_value(address)) {
            let unseen = why == UNSEEN;
            result.status = if unseen { CheckStatus::NotRun } else { CheckStatus::Failed };
            result.messages.push(if unseen { why.clone() } else { format!("`{address}`: {why}") });
            return Checked { node, result, open, data: Vec::new() };
        }
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
                    result.messages = vec![UNSEEN.to_owned()];
                    return Checked { node, result, open: Vec::new(), data };
                }
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
        if result.status == CheckStatus::Passed && !open.is_empty() {
            result.status = CheckStatus::Unknown;
        }
        Checked { node, result, open, data }
    }
}
