//! `--var` and `--var-file`, in the order in which they were typed: the later one counts.

use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

/// One value, or one file of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assignment {
    /// `--var NAME=VALUE`
    Value {
        /// The variable.
        name: String,
        /// As typed.
        text: String,
    },
    /// `--var-file FILE`
    File(String),
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assignments(pub Vec<Assignment>);

impl FromArgMatches for Assignments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut all = Vec::new();
        if let (Some(indices), Some(values)) = (matches.indices_of("var"), matches.get_many::<Assignment>("var")) {
            all.extend(indices.zip(values.cloned()));
        }
        if let (Some(indices), Some(values)) = (matches.indices_of("var-file"), matches.get_many::<String>("var-file")) {
            all.extend(indices.zip(values.cloned().map(Assignment::File)));
        }
        all.sort_by_key(|(index, _)| *index);
        Ok(Self(all.into_iter().map(|(_, assignment)| assignment).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Assignments {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new("var")
                    .long("var")
                    .value_name("NAME=VALUE")
                    .value_parser(value)
                    .action(ArgAction::Append)
                    .help("Set a variable of the root module; may be repeated"),
            )
            .arg(
                Arg::new("var-file")
                    .long("var-file")
                    .value_name("FILE")
                    .action(ArgAction::Append)
                    .help("Read values of variables from a file; may be repeated"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn value(text: &str) -> Result<Assignment, String> {
    match text.split_once('=') {
        Some((name, text)) if !name.trim().is_empty() => Ok(Assignment::Value { name: name.trim().to_owned(), text: text.to_owned() }),
        _ => Err("expected a name and a value, as in `region=eu`".to_owned()),
    }
}
