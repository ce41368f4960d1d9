//! Rules of the lint that a configuration silences.

use crate::address::Address;
use crate::config::{Config, LintException};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::schema::Catalogue;
use std::collections::BTreeSet;

/// What a configuration silences, and which of it was of use.
#[derive(Debug, Default)]
pub(crate) struct Exceptions {
    given: Vec<LintException>,
    used: BTreeSet<usize>,
}

impl Exceptions {
    /// Those of the root module.
    pub(crate) fn of(config: &Config) -> Self {
        Self { given: given(config).to_vec(), used: BTreeSet::new() }
    }

    /// Whether a finding about an instance is not to be reported. Each exception that says so has been of use.
    pub(crate) fn cover(&mut self, rule: Option<&str>, address: &Address) -> bool {
        let Some(rule) = rule else { return false };
        let covers = |exception: &LintException| exception.at.is_empty() || exception.at.iter().any(|subject| subject.covers(address));
        let found = self.given.iter().enumerate().filter(|(_, exception)| *exception.rule == *rule && covers(exception));
        let found: Vec<_> = found.map(|(at, _)| at).collect();
        self.used.extend(&found);
        !found.is_empty()
    }

    /// A warning for each that was of no use.
    pub(crate) fn unused(&self) -> impl Iterator<Item = Diagnostic> {
        self.given.iter().enumerate().filter(|(at, _)| !self.used.contains(at)).map(|(_, exception)| {
            let detail = format!("nothing that the exception is for breaks the rule `{}`", exception.rule);
            Diagnostic::warning("unused lint exception", detail).at(exception.span).help("Remove the block, or correct its `at`.")
        })
    }
}

fn given(config: &Config) -> &[LintException] {
    config.modules.get(&config.root).map(|root| root.settings.exceptions.as_slice()).unwrap_or_default()
}

/// Every exception for a rule that no provider has.
pub fn unknown_rules(config: &Config, catalogue: &Catalogue) -> Problems {
    let unknown = given(config).iter().filter(|exception| !catalogue.rules().any(|rule| *rule.id == *exception.rule));
    let told = unknown.map(|exception| {
        let problem = Diagnostic::error("unknown rule", format!("the lint has no rule `{}`", exception.rule)).at(exception.span);
        match did_you_mean(&exception.rule, catalogue.rules().map(|rule| rule.id)) {
            Some(near) => problem.help(format!("Did you mean `{near}`?")),
            None => problem.help("`docs/reference/lint.md` lists the rules by their ids."),
        }
    });
    told.collect()
}

/// What is left of problems that a configuration alone shows. Whether an exception for some instances is for a block only a plan tells.
pub fn reported(problems: Problems, config: &Config) -> Problems {
    let silenced = |rule: &str| given(config).iter().any(|exception| *exception.rule == *rule);
    problems.into_iter().filter(|problem| !problem.rule.as_deref().is_some_and(silenced)).collect()
}
