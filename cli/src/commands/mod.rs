//! One verb, one file: its arguments, whose comments are the help, and one function that reads like the data flow.

pub mod apply;
pub mod check;
pub mod completion;
pub mod console;
pub mod destroy;
pub mod explain;
pub mod fmt;
mod generated;
pub mod graph;
pub mod host_effects;
pub mod import;
pub mod man;
pub mod output;
pub mod plan;
pub mod sandbox;
pub mod schema;
pub mod show;
mod spelling;
pub mod state;
mod terraform;
pub mod test;
pub mod validate;
pub mod version;

pub use terraform::Instead;
pub(crate) use terraform::{complaint, instead};

use crate::args::Global;
use crate::failure::Failure;
use crate::session::{Session, Telling};
use clap::{CommandFactory, Parser, Subcommand};
use std::ffi::OsString;

/// Plan, apply and destroy multi-cluster Istio meshes from one configuration
///
/// A directory of `*.mesh.hcl` files says what is wanted: clusters, certificates, control planes, gateways, remote secrets. `plan`
/// shows what has to change and why, `apply` does exactly that, `destroy` undoes it in reverse. What was made is remembered in
/// `meshplan.state.json` beside the configuration.
#[derive(Debug, Parser)]
#[command(
    name = "meshplan",
    disable_help_subcommand = true,
    disable_version_flag = true,
    after_help = "Long options may be written with one dash, as in `-auto-approve` and `-var region=eu`."
)]
pub struct Args {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "what stands at a variant would replace the help of its verb")]
pub enum Verb {
    Plan(plan::Plan),
    Apply(apply::Apply),
    Destroy(destroy::Destroy),
    Explain(explain::Explain),
    Import(import::Import),
    Check(check::Check),
    Test(test::Test),
    Validate(validate::Validate),
    Fmt(fmt::Fmt),
    Show(show::Show),
    Output(output::Output),
    Graph(graph::Graph),
    #[command(subcommand)]
    State(state::State),
    Console(console::Console),
    Schema(schema::Schema),
    Version(version::Version),
    Completion(completion::Completion),
    Man(man::Man),
    #[command(subcommand)]
    Sandbox(sandbox::Sandbox),
    #[command(name = host::VERB, hide = true)]
    HostEffects(host_effects::HostEffects),
}

impl Verb {
    /// How the run is told. Verbs that print one document write it themselves.
    pub(crate) fn telling(&self) -> Telling {
        let events = match self {
            Self::Plan(args) => args.json,
            Self::Apply(args) => args.performing.json,
            Self::Destroy(args) => args.performing.json,
            Self::Import(args) => args.performing.json,
            Self::Check(args) => args.json,
            Self::Test(args) => args.json,
            _ => false,
        };
        if events { Telling::Events } else { Telling::Text }
    }
}

/// Reads a command line. The error holds the help or the complaint, and knows which of the two it is.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
    let command = Args::command();
    Args::try_parse_from(spelling::two_dashes(&command, args))
}

/// Does it, and says what to exit with.
pub(crate) fn perform(session: &mut Session, verb: Verb) -> Result<u8, Failure> {
    match verb {
        Verb::Plan(args) => plan::run(session, &args),
        Verb::Apply(args) => apply::run(session, &args),
        Verb::Destroy(args) => destroy::run(session, &args),
        Verb::Explain(args) => explain::run(session, &args),
        Verb::Import(args) => import::run(session, &args),
        Verb::Check(args) => check::run(session, &args),
        Verb::Test(args) => test::run(session, &args),
        Verb::Validate(args) => validate::run(session, &args),
        Verb::Fmt(args) => fmt::run(session, &args),
        Verb::Show(args) => show::run(session, &args),
        Verb::Output(args) => output::run(session, &args),
        Verb::Graph(args) => graph::run(session, &args),
        Verb::State(args) => state::run(session, &args),
        Verb::Console(args) => console::run(session, &args),
        Verb::Schema(args) => schema::run(session, &args),
        Verb::Completion(args) => completion::run(session, &args),
        Verb::Man(args) => man::run(session, &args),
        Verb::Version(args) => version::run(session, &args),
        Verb::Sandbox(args) => sandbox::run(session, &args),
        Verb::HostEffects(_) => host_effects::run(session),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Assignment;
    use std::path::PathBuf;
    use std::time::Duration;

    fn parsed(args: &str) -> Args {
        parse(std::iter::once("meshplan").chain(args.split(' ')).map(OsString::from)).unwrap()
    }

    #[test]
    fn the_declaration_holds_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn options_mean_what_they_say() {
        let args = parsed("-C dir plan -refresh=false -detailed-exitcode -out=x");
        assert_eq!(args.global.directory, Some(PathBuf::from("dir")));
        let Verb::Plan(plan) = args.verb else { panic!("no plan") };
        assert_eq!((plan.planning.refresh, plan.detailed_exitcode, plan.out), (false, true, Some(PathBuf::from("x"))));
        let Verb::Apply(apply) = parsed("apply --parallelism 3 --lock-timeout 2m").verb else { panic!("no apply") };
        let performing = apply.performing;
        assert_eq!((performing.parallelism, performing.lock_timeout, performing.auto_approve), (3, Duration::from_mins(2), false));
        assert!(apply.planning.refresh && apply.file.is_none());
        let Verb::Destroy(destroy) = parsed("destroy -auto-approve").verb else { panic!("no destroy") };
        assert_eq!((destroy.performing.parallelism, destroy.performing.auto_approve), (10, true));
    }

    #[test]
    fn values_keep_the_order_they_were_typed_in() {
        let value = |name: &str, text: &str| Assignment::Value { name: name.to_owned(), text: text.to_owned() };
        let file = |path: &str| Assignment::File(path.to_owned());
        for (typed, expected) in [
            ("plan", vec![]),
            ("plan -var a=1 --var-file f -var a=b=c", vec![value("a", "1"), file("f"), value("a", "b=c")]),
            ("plan --var-file=f --var=a= --var-file g", vec![file("f"), value("a", ""), file("g")]),
        ] {
            let Verb::Plan(plan) = parsed(typed).verb else { panic!("no plan") };
            assert_eq!(plan.planning.assignments.0, expected, "{typed}");
        }
    }

    #[test]
    fn every_verb_has_help_that_reads_like_the_house() {
        let command = Args::command();
        for verb in command.get_subcommands().chain([&command]) {
            let about = verb.get_about().map(ToString::to_string).unwrap();
            assert!(!about.ends_with('.') && about.starts_with(char::is_uppercase), "{}: {about}", verb.get_name());
            for arg in verb.get_arguments().filter(|arg| !arg.is_hide_set()) {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty() && !help.ends_with('.'), "{} {}: {help}", verb.get_name(), arg.get_id());
            }
        }
    }
}
