//! `meshplan validate`

use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::session::Session;

/// Check the configuration without looking at anything else
///
/// Reads every file and reports every problem it can find without the state, without values of variables and without calling
/// anything: syntax, unknown kinds, missing and unknown attributes.
#[derive(Debug, clap::Args)]
pub struct Validate {
    /// Print one JSON event per line instead of text
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(session: &mut Session, args: &Validate) -> Result<u8, Failure> {
    let config = Project::read(session)?;
    let problems = crate::validate::validate(&config, session.registry().catalogue());
    session.view.diagnostics(&session.sources, &problems);
    if problems.iter().any(engine::diagnostic::Diagnostic::is_error) {
        return Ok(exit::FAILED);
    }
    if args.json {
        session.view.say("valid");
    } else {
        session.data("The configuration is valid.\n");
    }
    Ok(exit::DONE)
}
