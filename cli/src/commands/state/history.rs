//! `meshplan state history`

use crate::args::revision;
use crate::exit;
use crate::failure::Failure;
use crate::history;
use crate::session::Session;
use crate::view;
use engine::diagnostic::Diagnostic;

/// List what was done, by the number of the revision it left
///
/// Every apply, destroy and change of the state by hand leaves one: the state after it, and of an apply the configuration with its
/// variables and the plan. They stand in `.meshplan/history`, and where
/// the state is in a cluster or a bucket beside it; `history = 50` in the `meshplan` block says how many are kept.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  meshplan state history\n  meshplan state history --json | jq '.[-1].digest'")]
pub struct History {
    /// Print a JSON array instead of text
    #[arg(long)]
    pub json: bool,
    /// Print the plan of revision @N, as JSON without secrets
    #[arg(long, value_name = "@N", value_parser = revision, conflicts_with = "json")]
    pub plan: Option<u64>,
}

pub(super) fn run(session: &mut Session, args: &History) -> Result<u8, Failure> {
    let history = history::of(session)?;
    if let Some(number) = args.plan {
        let Some(plan) = history.plan(number)? else {
            let detail = format!("@{number} was left by `{}`, which planned nothing", history.head(number)?.operation);
            return Err(
                Failure::one("revision without plan", detail).help("`meshplan state history` lists all; those of `apply` have one.")
            );
        };
        session.data(&format!("{plan}\n"));
        return Ok(exit::DONE);
    }
    let mut heads = Vec::new();
    for head in history.heads()? {
        match head {
            Ok(head) => heads.push(head),
            Err(error) => {
                let problem = Diagnostic { severity: engine::diagnostic::Severity::Warning, ..error.into() };
                session.view.diagnostics(&session.sources, &[problem]);
            }
        }
    }
    let text = if args.json { format!("{:#}\n", view::history::json(&heads)) } else { view::history::table(&heads) };
    session.data(&text);
    Ok(exit::DONE)
}
