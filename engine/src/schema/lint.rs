//! Rules that a configuration is held against beyond what an apply needs, each with an id by which it can be silenced.

use super::Problem;
use crate::address::{Address, Mode};
use crate::value::Value;
use std::sync::Arc;

/// A rule of the lint.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The id, in words with `-` between, such as `loopback-api-server`.
    pub id: &'static str,
    /// A few constant words: the summary of its findings.
    pub summary: &'static str,
    /// Whether a finding is only worth a look.
    pub warning: bool,
    /// What it finds, as whole sentences.
    pub finds: &'static str,
    /// What happens where nobody mends it, as whole sentences.
    pub why: &'static str,
    /// What to do, as a whole sentence.
    pub help: &'static str,
}

impl Rule {
    /// A finding about the whole of an instance.
    pub fn broken(&self, detail: impl Into<String>) -> Problem {
        Problem { warning: self.warning, rule: Some(self.id), ..Problem::new(self.summary, detail).help(self.help) }
    }

    /// A finding about one argument.
    pub fn broken_by(&self, attribute: &str, detail: impl Into<String>) -> Problem {
        Problem { attribute: Some(attribute.to_owned()), ..self.broken(detail) }
    }
}

/// A planned instance, as lints see it.
#[derive(Debug, Clone)]
pub struct LintInstance<'a> {
    /// Its address.
    pub address: &'a Address,
    /// Its kind.
    pub kind: &'static str,
    /// Its arguments; of a data source that was read all attributes.
    pub arguments: &'a Value,
    /// Its attributes, as what depends on it sees them.
    pub attributes: &'a Value,
    /// What it writes: see [`super::Kind::writes`].
    pub written: Option<Value>,
    /// What tells the place that it lies in from all others.
    pub place: Option<Arc<str>>,
}

impl LintInstance<'_> {
    /// Whether it is a resource.
    pub fn is_managed(&self) -> bool {
        self.address.mode == Mode::Managed
    }
}

/// What a lint looks at.
#[derive(Debug, Clone, Default)]
pub struct LintInput<'a> {
    /// Everything that is planned to be there, in the order of addresses.
    pub instances: Vec<LintInstance<'a>>,
    /// Whether that is all the configuration asks for: what is missing otherwise may only be left out, or not be known yet.
    pub complete: bool,
    /// When planning began, in seconds since 1970.
    pub now: u64,
}

/// What is wrong between instances, of whichever kinds they are.
pub trait Lint: Send + Sync {
    /// Every rule whose findings the provider reports, here or for one instance alone.
    fn rules(&self) -> &'static [&'static Rule];

    /// Findings, each with the instance it is reported at. What is not known is no finding.
    fn look(&self, input: &LintInput<'_>) -> Vec<(Address, Problem)>;
}
