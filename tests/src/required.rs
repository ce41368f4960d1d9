//! Real components that a test needs. Where one is missing the test says so and passes over what needs it; with `MESHPLAN_REQUIRE_REAL=1`
//! that is a failure.

use std::io::Write;
use std::path::PathBuf;

/// Where a tool is, if it is in the `PATH`. Says `skipped: needs NAME` otherwise.
pub fn tool(name: &str) -> Option<PathBuf> {
    let found = std::env::split_paths(&std::env::var_os("PATH")?).map(|directory| directory.join(name)).find(|path| path.is_file());
    if found.is_none() {
        skipped(name, if std::env::var("MESHPLAN_REQUIRE_REAL").is_ok_and(|set| set == "1") { Missing::Failure } else { Missing::Line });
    }
    found
}

/// What a missing component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Failure,
    Line,
}

fn skipped(name: &str, missing: Missing) {
    match missing {
        Missing::Failure => panic!("needs `{name}`, and MESHPLAN_REQUIRE_REAL=1 lets nothing be skipped"),
        // Past the harness, which shows only what failed tests print.
        Missing::Line => drop(writeln!(std::io::stderr(), "skipped: needs {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_in_the_path() {
        assert!(tool("sh").is_some_and(|path| path.is_absolute()));
    }

    #[test]
    #[should_panic(expected = "needs `no-such-tool`")]
    fn what_is_required_must_be_there() {
        skipped("no-such-tool", Missing::Failure);
    }
}
