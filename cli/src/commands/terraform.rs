//! Verbs of Terraform's that meshplan does not have, and what to type instead.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What is said to whoever types a verb of Terraform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// There is nothing to be done for it: why, and what to type next.
    Needless(&'static str),
    /// Something else does it: what.
    Other(&'static str),
}

const INIT: &str = "There is nothing to initialise: every provider is part of meshplan, modules are read where they are, and the state is written by \
the first apply.\nNext: `meshplan plan` shows what would change, `meshplan apply` does it. After a change of the `backend` block, \
`meshplan state migrate` takes the state along; arguments that stay out of it are given with `--backend-config`.";

const VERBS: [(&str, Instead); 17] = [
    ("init", Instead::Needless(INIT)),
    ("cloud", Instead::Other("there is no service behind it: the `backend` block says where the state is kept")),
    ("env", Instead::Other("use a directory for each environment (`meshplan -C prod plan`), or a state for each (`--backend-config`)")),
    ("force-unlock", Instead::Other("use `meshplan state unlock`")),
    ("get", Instead::Other("there is nothing to get: modules are read where they are")),
    ("help", Instead::Other("use `meshplan --help`, and `meshplan plan --help` for a verb")),
    ("login", Instead::Other("there is no service to log in to: backends and clusters take the credentials of the environment")),
    ("logout", Instead::Other("there is no service to log out of")),
    ("metadata", Instead::Other("use `meshplan schema`")),
    ("modules", Instead::Other("`meshplan graph` shows what the configuration consists of")),
    (
        "providers",
        Instead::Other("every provider is part of meshplan: `meshplan version` tells which it is, `meshplan schema` what there is"),
    ),
    ("query", Instead::Other("the data source `kubernetes_objects` finds what exists, and `import` blocks take it over")),
    ("refresh", Instead::Other("use `meshplan apply --refresh-only`, and `meshplan plan --refresh-only` to look first")),
    ("replace-provider", Instead::Other("kinds belong to one provider each, and there is nothing to replace")),
    ("taint", Instead::Other("use `meshplan apply --replace ADDRESS`, and `meshplan plan --replace ADDRESS` to look first")),
    ("untaint", Instead::Other("nothing is tainted: what is to be replaced is named once, with `meshplan apply --replace ADDRESS`")),
    (
        "workspace",
        Instead::Other("use a directory for each environment (`meshplan -C prod plan`), or a state for each (`--backend-config`)"),
    ),
];

/// The verb of Terraform's that a complaint about the command line is about, and what is said of it.
pub(crate) fn instead(complaint: &clap::Error) -> Option<(&'static str, Instead)> {
    let Some(ContextValue::String(typed)) = complaint.get(ContextKind::InvalidSubcommand) else { return None };
    let (verb, instead) = VERBS.iter().find(|(verb, _)| verb == typed)?;
    Some((verb, *instead))
}

/// The complaint that names what to type.
pub(crate) fn complaint(verb: &str, other: &str) -> clap::Error {
    let words = format!("meshplan has no `{verb}`\n\n  tip: {other}\n");
    super::Args::command().error(ErrorKind::InvalidSubcommand, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{Args, parse};
    use clap::Command;
    use std::ffi::OsString;

    /// The words in backquotes that begin with the program's name.
    fn command_lines(text: &str) -> Vec<&str> {
        text.split('`').skip(1).step_by(2).filter(|words| words.starts_with("meshplan ")).collect()
    }

    #[test]
    fn every_verb_is_answered_with_what_there_is() {
        let command = Args::command();
        for (verb, instead) in VERBS {
            assert!(command.get_subcommands().map(Command::get_name).all(|own| own != verb), "`{verb}` is ours");
            let (Instead::Needless(words) | Instead::Other(words)) = instead;
            assert!(!words.ends_with('.') || matches!(instead, Instead::Needless(_)), "{words}");
            for line in command_lines(words) {
                let typed = line.replace("ADDRESS", "k.a");
                // Verbs that need more arguments are named without them.
                let wrong = parse(typed.split(' ').map(OsString::from)).err().map(|error| error.kind());
                let fine = [None, Some(ErrorKind::DisplayHelp), Some(ErrorKind::MissingRequiredArgument)];
                assert!(fine.contains(&wrong), "{verb}: {line}: {wrong:?}");
            }
        }
        assert!(VERBS.is_sorted_by_key(|(verb, _)| (*verb != "init", *verb)));
    }
}
