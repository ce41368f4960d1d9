//! Problems as values: they accumulate, they know their place, and nobody here prints them.

use crate::address::Address;
use crate::source::Span;
use std::fmt;
use std::sync::Arc;

/// Whether a problem stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The run cannot go on as asked; exit code 1.
    Error,
    /// Worth a look; the run goes on.
    Warning,
}

/// One problem. The summary is constant and short; the detail says what, why here, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A few constant words, such as `unknown variable`. The page `docs/messages.md` lists them.
    pub summary: String,
    /// Whole sentences: what is wrong and why here. Names stand in backticks. Never holds a secret.
    pub detail: String,
    /// The offending span.
    pub at: Option<Span>,
    /// Other places that matter, each with a few words.
    pub related: Vec<(Span, String)>,
    /// The resource it is about.
    pub address: Option<Address>,
    /// What to do, as a whole sentence.
    pub help: Option<String>,
    /// The rule of the lint that is broken, if it is one that can be silenced: see [`crate::schema::Rule`].
    pub rule: Option<Arc<str>>,
}

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            at: None,
            related: Vec::new(),
            address: None,
            help: None,
            rule: None,
        }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary, detail) }
    }

    /// The same problem, at a place.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.at = Some(span);
        self
    }

    /// The same problem, with another place that matters.
    #[must_use]
    pub fn related(mut self, span: Span, words: impl Into<String>) -> Self {
        self.related.push((span, words.into()));
        self
    }

    /// The same problem, about a resource.
    #[must_use]
    pub fn about(mut self, address: &Address) -> Self {
        self.address = Some(address.clone());
        self
    }

    /// The same problem, with what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same problem, as a finding of a rule of the lint.
    #[must_use]
    pub fn by_rule(mut self, rule: Option<&str>) -> Self {
        self.rule = rule.map(Arc::from);
        self
    }

    /// Whether this stops the run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.summary, self.detail)
    }
}

/// Every problem of an evaluation that could not give a value. Never empty.
pub type Problems = Vec<Diagnostic>;

/// The candidate nearest to a misspelt name, if one is near enough to be meant.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    // Names that share no letter at all are not meant for each other, however short they are.
    let nearness = |candidate: &str| Some(distance(name, candidate)).filter(|distance| *distance < length.max(candidate.chars().count()));
    candidates
        .into_iter()
        .filter_map(|candidate| Some((nearness(candidate)?, candidate)))
        .filter(|(distance, _)| *distance <= length.div_ceil(3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Damerau-Levenshtein distance (adjacent transpositions count one), in characters.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let mut best = (rows[i][j + 1] + 1).min(row[j] + 1).min(rows[i][j] + usize::from(ca != cb));
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = ["cluster", "network", "mesh_id"];
        assert_eq!(did_you_mean("clsuter", names), Some("cluster"));
        assert_eq!(did_you_mean("netwrk", names), Some("network"));
        assert_eq!(did_you_mean("subject", names), None);
        assert_eq!(did_you_mean("z", ["k", "l"]), None);
        assert_eq!(did_you_mean("a", ["ab"]), Some("ab"));
    }
}
