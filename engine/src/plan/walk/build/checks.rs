//! Checks, as far as a plan can decide them.

use super::super::conditions::Verdict;
use super::super::skeleton::Item;
use super::super::{Site, Walk};
use super::Checked;
use crate::plan::{CheckResult, CheckStatus};
use std::sync::Arc;

impl Walk<'_> {
    /// What every check says, as far as a plan can tell.
    pub(super) fn check_results(&mut self) -> Vec<Checked> {
        let mut results = Vec::new();
        for node in 0..self.tables.skeleton.nodes.len() {
            let module = self.tables.skeleton.nodes[node].module;
            let Item::Check(name) = self.tables.skeleton.nodes[node].item.clone() else { continue };
            for instance in self.tables.modules[module].known().to_vec() {
                let text = self.tables.skeleton.modules[module].module.clone();
                let prefix = if instance.path.is_root() { String::new() } else { format!("{}.", instance.path) };
                let full: Arc<str> = format!("{prefix}{name}").into();
                results.push(self.check_result(full, &text.checks[&name], Site::of(module, &instance.path)));
            }
        }
        results
    }

    fn check_result(&mut self, name: Arc<str>, check: &crate::config::CheckBlock, site: Site<'_>) -> Checked {
        let mut result = CheckResult { name, status: CheckStatus::Passed, messages: Vec::new() };
        let mut open = Vec::new();
        if let Some(data) = check.data.first() {
            result.status = CheckStatus::NotRun;
            result.messages.push(format!("`data.{}` inside a check is not run yet", data.name.kind));
            return (result, open);
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
                Err(problems) => {
                    result.status = CheckStatus::Failed;
                    result.messages.extend(problems.iter().map(|problem| problem.detail.clone()));
                }
            }
        }
        if result.status == CheckStatus::Passed && !open.is_empty() {
            result.status = CheckStatus::Unknown;
        }
        (result, open)
    }
}
