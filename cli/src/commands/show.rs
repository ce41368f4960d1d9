//! `meshplan show`

use crate::exit;
use crate::failure::Failure;
use crate::saved::{self, Shown};
use crate::session::Session;
use crate::view::{json, memory};
use review::html::{self, Origin};
use review::markdown;
use state::PlanFile;
use std::path::PathBuf;

/// Show what is remembered, or a saved plan
///
/// Prints every resource of the state with its attributes, and the outputs; with a FILE the plan in it, or the state in it if it is a
/// state file. It needs no configuration for that. Sensitive values are masked. With --html a plan becomes one page for a browser, which
/// loads nothing from anywhere.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan show\n  meshplan show mesh.plan\n  meshplan show --html mesh.plan > plan.html\n  meshplan show --markdown mesh.plan > comment.md\n  meshplan show --json mesh.plan | jq '.changes[].address'"
)]
pub struct Show {
    /// Print a JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// Print a page for a browser: the mesh as a picture, and every change
    #[arg(long, conflicts_with = "json", requires = "file")]
    pub html: bool,
    /// Print Markdown for the comment of a pull request: a table, what changes folded by cluster, the digest
    #[arg(long, conflicts_with_all = ["json", "html"], requires = "file")]
    pub markdown: bool,
    /// A plan that `meshplan plan --out` has written, or a state file
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

pub(super) fn run(session: &mut Session, args: &Show) -> Result<u8, Failure> {
    let state = match &args.file {
        Some(file) => match saved::look(session, file)? {
            Shown::Plan(plan) => return Ok(show_plan(session, &plan, args)),
            Shown::State(_) if args.html || args.markdown => return Err(saved::not_a_plan(file)),
            Shown::State(state) => *state,
        },
        None => session.remembered_in_part()?,
    };
    let text = if args.json { format!("{:#}\n", json::state(&state)) } else { memory::state(&state) };
    session.data(&text);
    Ok(exit::DONE)
}

fn show_plan(session: &mut Session, file: &PlanFile, args: &Show) -> u8 {
    if args.html {
        let origin = Origin { made: &file.made(), version: env!("CARGO_PKG_VERSION"), sources: &file.sources };
        session.data(&html::plan(&file.plan, origin));
        return exit::DONE;
    }
    if args.markdown {
        session.data(&markdown::plan(&file.plan, &file.sources));
        return exit::DONE;
    }
    if args.json {
        session.data(&format!("{:#}\n", json::plan_file(file)));
        return exit::DONE;
    }
    session.view.plan(&file.plan);
    session.view.diagnostics(&file.sources, &file.plan.diagnostics);
    if file.plan.is_errored() {
        session.view.say("The plan is incomplete, because of what is wrong: it cannot be applied.");
    }
    exit::DONE
}
