//! Terraform's spelling of long options: one dash instead of two.

use clap::Command;
use std::collections::BTreeSet;
use std::ffi::OsString;

/// The same arguments with every known long option written with two dashes. What follows `--` stays as it is.
pub(super) fn two_dashes(command: &Command, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut names = BTreeSet::from(["help".to_owned()]);
    long_names(command, &mut names);
    let mut open = true;
    args.into_iter()
        .map(|arg| {
            open &= arg != "--";
            if open && is_long(&names, &arg) { prefixed(&arg) } else { arg }
        })
        .collect()
}

fn is_long(names: &BTreeSet<String>, arg: &OsString) -> bool {
    let Some(rest) = arg.to_str().and_then(|arg| arg.strip_prefix('-')) else { return false };
    let name = rest.split_once('=').map_or(rest, |(name, _)| name);
    names.contains(name)
}

fn prefixed(arg: &OsString) -> OsString {
    let mut long = OsString::from("-");
    long.push(arg);
    long
}

fn long_names(command: &Command, names: &mut BTreeSet<String>) {
    names.extend(command.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)));
    for subcommand in command.get_subcommands() {
        long_names(subcommand, names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Args;
    use clap::CommandFactory;

    #[test]
    fn one_dash_becomes_two_where_an_option_is_meant() {
        for (typed, meant) in [
            ("apply -auto-approve", "apply --auto-approve"),
            ("plan -var x=y", "plan --var x=y"),
            ("plan -out=x -refresh=false", "plan --out=x --refresh=false"),
            ("plan -C dir --var x=y", "plan -C dir --var x=y"),
            ("-chdir=dir plan -help", "--chdir=dir plan --help"),
            ("plan -unheard-of", "plan -unheard-of"),
            ("output -- -json", "output -- -json"),
        ] {
            let args = typed.split(' ').map(OsString::from);
            let spelled: Vec<_> = two_dashes(&Args::command(), args).into_iter().map(|arg| arg.into_string().unwrap()).collect();
            assert_eq!(spelled.join(" "), meant);
        }
    }
}
