//! Real components that a test needs. Where one is missing the test passes over what needs it and says so at its end; with
//! `MESHPLAN_REQUIRE_REAL=1` that is a failure.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;

/// What was missing, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing(BTreeSet<&'static str>);

impl Missing {
    /// Whether one of the tools is missing in the `PATH`, which is kept.
    pub fn any_of(&mut self, tools: impl IntoIterator<Item = &'static str>) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there = |tool: &str| std::env::split_paths(&path).any(|directory| directory.join(tool).is_file());
        let missing: Vec<_> = tools.into_iter().filter(|tool| !is_there(tool)).collect();
        self.0.extend(&missing);
        !missing.is_empty()
    }

    /// Notes what was found missing.
    pub fn note(&mut self, components: impl IntoIterator<Item = &'static str>) {
        self.0.extend(components);
    }

    /// Says what was missing, past the harness, which shows only what failed tests print; or fails.
    pub fn close(&self) {
        self.close_with(std::env::var("MESHPLAN_REQUIRE_REAL").ok().as_deref());
    }

    fn close_with(&self, require_real: Option<&str>) {
        if self.0.is_empty() {
            return;
        }
        assert_ne!(require_real, Some("1"), "{self}, and MESHPLAN_REQUIRE_REAL=1 lets nothing be skipped");
        std::io::stderr().write_all(format!("{self}\n").as_bytes()).unwrap();
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "skipped: needs {}", self.0.iter().copied().collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_listed_once() {
        let mut missing = Missing::default();
        assert!(!missing.any_of(["sh"]));
        assert!(missing.any_of(["no-such-tool", "sh"]) && missing.any_of(["another", "no-such-tool"]) && missing.any_of(["another"]));
        assert_eq!(missing.to_string(), "skipped: needs another, no-such-tool");
        Missing::default().close_with(Some("1"));
    }

    #[test]
    #[should_panic(expected = "skipped: needs no-such-tool")]
    fn what_is_required_must_be_there() {
        let mut missing = Missing::default();
        missing.any_of(["no-such-tool"]);
        missing.close_with(Some("1"));
    }
}
