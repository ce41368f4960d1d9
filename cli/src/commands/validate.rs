//! `meshplan validate`

use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::session::Session;
use crate::testing;
use crate::view::json::validation;
use engine::diagnostic::Diagnostic;
use std::path::Path;

/// Check the configuration without looking at anything else
///
/// Reads every file and reports every problem it can find without the state, without values of variables and without calling
/// anything: syntax, unknown kinds, missing and unknown attributes, values of a wrong type or that no kind takes. Test files
/// (`*.meshtest.hcl`) are read with the module.
#[derive(Debug, clap::Args)]
pub struct Validate {
    /// Print one JSON object in the shape of `terraform validate -json`
    #[arg(long)]
    pub json: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "every verb has this shape")]
pub(super) fn run(session: &mut Session, args: &Validate) -> Result<u8, Failure> {
    let (config, problems) = Project::parse(session);
    let readable = !problems.iter().any(Diagnostic::is_error);
    let mut problems = crate::validate::all(&config, session.registry().catalogue(), problems);
    if readable {
        problems.extend(testing::load(session, &config, Path::new(testing::DIRECTORY)).1);
    }
    let valid = !problems.iter().any(Diagnostic::is_error);
    if args.json {
        session.data(&validation(&session.sources, &problems));
    } else {
        session.view.diagnostics(&session.sources, &problems);
        if valid {
            session.data("The configuration is valid.\n");
        }
    }
    Ok(if valid { exit::DONE } else { exit::FAILED })
}
