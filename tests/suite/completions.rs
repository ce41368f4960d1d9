//! What shells are given to complete command lines with: bash takes it as its own, and finds verbs and options by it.

use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use std::process::{Command, Output};

/// Completes the last of its arguments as bash does on a tab.
const COMPLETE: &str = r#"source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_meshplan meshplan "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
echo "${COMPREPLY[@]}""#;

fn bash(args: &[&str]) -> Output {
    Command::new("bash").args(["--noprofile", "--norc"]).args(args).output().unwrap()
}

#[test]
fn bash_completes_command_lines() {
    let mut missing = Missing::default();
    if missing.any_of(["bash"]) {
        return missing.close();
    }
    let scenario = Scenario::with("");
    scenario.write("completion.bash", &scenario.run(&["completion", "bash"]).expect_code(0).stdout);
    let path = scenario.path().join("completion.bash").display().to_string();
    let judged = bash(&["-n", &path]);
    assert!(judged.status.success() && judged.stderr.is_empty(), "{judged:?}");
    for (typed, expected) in [
        (&["meshplan", "pl"][..], "plan"),
        (&["meshplan", "state", "sh"], "show"),
        (&["meshplan", "plan", "--det"], "--detailed-exitcode --detail"),
        (&["meshplan", "plan", "--detail", ""], "folded full"),
        (&["meshplan", "nonsense", "--x"], ""),
    ] {
        let completed = bash(&[&["-c", COMPLETE, "bash", &path], typed].concat());
        assert_eq!((String::from_utf8_lossy(&completed.stdout).trim_end(), completed.stderr.as_slice()), (expected, &[][..]), "{typed:?}");
    }
}
