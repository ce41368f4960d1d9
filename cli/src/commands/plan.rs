//! `meshplan plan`

use crate::args::{Aiming, Manner, Planning, revision};
use crate::exit;
use crate::failure::Failure;
use crate::project::{Aim, Project};
use crate::session::Session;
use crate::view::json;
use std::path::PathBuf;

/// Show what apply would change, and why
///
/// Reads the configuration, what is remembered and what exists, and shows the changes that would bring the two together. It changes
/// nothing, writes nothing and takes no lock.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan plan\n  meshplan plan --var region=eu --detailed-exitcode\n  meshplan plan --json | jq 'select(.event == \"planned_change\")'"
)]
pub struct Plan {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// What it is aimed at.
    #[command(flatten)]
    pub aiming: Aiming,
    /// What is done with what could stay.
    #[command(flatten)]
    pub manner: Manner,
    /// Plan the configuration of revision @N instead of the one in the directory, as `state history` lists it
    ///
    /// Its variables count as they were then; what is kept nowhere (`ephemeral`) has to be given again, and `--var` overrides.
    #[arg(long, value_name = "@N", value_parser = revision)]
    pub to: Option<u64>,
    /// Plan to destroy everything
    #[arg(long, conflicts_with_all = ["to", "replace", "refresh_only"])]
    pub destroy: bool,
    /// Write the plan as JSON to FILE, for review
    ///
    /// The file shows the plan; it cannot be applied. Applying a saved plan comes with a later version.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 0 if there is nothing to change, 2 if there is, 1 on an error
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Print one JSON event per line instead of text
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(session: &mut Session, args: &Plan) -> Result<u8, Failure> {
    let project = Project::choose(session, &args.planning, args.to)?.aimed(session, &args.aiming, &args.manner)?;
    let runtime = Session::runtime()?;
    let state = session.remembered()?;
    let aim = if args.destroy { Aim::Nothing } else { Aim::Configuration };
    let plan = session.plan(&runtime, &project, state, aim);
    if !session.show_plan(&plan) {
        return Ok(exit::FAILED);
    }
    if let Some(file) = &args.out {
        let path = session.working_directory.join(file);
        let text = format!("{:#}\n", json::document(&plan));
        std::fs::write(&path, text).map_err(|error| Failure::one("plan not written", format!("`{}`: {error}", file.display())))?;
        session.view.say(&format!("The plan was written to {} for review; it cannot be applied from there.", file.display()));
    }
    let changes = plan.has_changes() && args.detailed_exitcode;
    // The process ends here, and takes less time to do so than to free each part of a large plan.
    std::mem::forget((plan, project));
    Ok(if changes { exit::CHANGES } else { exit::DONE })
}
