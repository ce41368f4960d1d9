//! `meshplan test`

use crate::args::{Performing, Planning, positive};
use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::session::Session;
use crate::testing;
use crate::view::test::Status;
use std::path::PathBuf;
use std::time::Duration;

/// Run the tests of a configuration
///
/// A test file (`*.meshtest.hcl`, beside the configuration or in its directory `tests`) has `run` blocks. Each plans or applies the
/// configuration, one after the other, and asserts what must hold then. A file has a state of its own, in a temporary directory, and
/// sandbox clusters of its own; at its end everything is destroyed. What could not be destroyed is named, and its state is kept.
///
/// Clusters of a kubeconfig are as real here as for `apply`.
///
/// The first Ctrl-C lets running steps finish, and destroys what was made. Another one leaves the rest, and names it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  meshplan test\n  meshplan test --filter tests/mesh.meshtest.hcl --verbose")]
pub struct Test {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// Run this file alone; may be given several times
    #[arg(long, value_name = "FILE")]
    pub filter: Vec<PathBuf>,
    /// Look for test files in DIR as well, below the configuration
    #[arg(long, value_name = "DIR", default_value = testing::DIRECTORY)]
    pub test_directory: PathBuf,
    /// Show each plan, what happens, and what is remembered after each run
    #[arg(long)]
    pub verbose: bool,
    /// Print one JSON event per line instead of text
    #[arg(long)]
    pub json: bool,
    /// Run at most N operations at once; waiting does not count
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = positive)]
    pub parallelism: usize,
}

pub(super) fn run(session: &mut Session, args: &Test) -> Result<u8, Failure> {
    let project = Project::load(session, &args.planning)?;
    let (files, problems) = testing::load(session, &project.config, &args.test_directory);
    session.show_or_fail(problems)?;
    let files = testing::filtered(files, &args.filter)?;
    if files.is_empty() {
        let places = format!("`{}` or `{}`", session.workplace.shown_directory, args.test_directory.display());
        session.view.say(&format!("There is no test: no file `*{}` stands in {places}.", testing::ENDING));
    }
    let runtime = Session::runtime()?;
    let performing =
        Performing { auto_approve: true, approve: None, parallelism: args.parallelism, lock_timeout: Duration::ZERO, json: false };
    let detail = if args.verbose { testing::Detail::Everything } else { testing::Detail::Results };
    let ended = testing::perform(session, &runtime, &project, (&files, &performing, detail))?;
    runtime.shutdown_background();
    Ok(match ended {
        testing::Ended::AtOnce => exit::INTERRUPTED,
        testing::Ended::With(status) if status <= Status::Pass => exit::DONE,
        testing::Ended::With(_) => exit::FAILED,
    })
}
