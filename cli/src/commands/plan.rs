//! `meshplan plan`

use super::generated;
use crate::args::{Aiming, Manner, Planning, revision};
use crate::exit;
use crate::failure::Failure;
use crate::history;
use crate::project::{Aim, Project};
use crate::saved;
use crate::session::Session;
use engine::plan::When;
use std::path::PathBuf;

/// Show what apply would change, and why
///
/// Reads the configuration, what is remembered and what exists, and shows the changes that would bring the two together. It changes
/// nothing and takes no lock; with `--out` it writes the plan to a file, to be applied with `meshplan apply FILE`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(
    after_long_help = "Examples:\n  meshplan plan\n  meshplan plan --var region=eu --detailed-exitcode\n  meshplan plan --out mesh.plan\n  meshplan plan --json | jq 'select(.event == \"planned_change\")'"
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
    /// Write the plan to FILE, for `meshplan apply FILE` and `meshplan show FILE`
    ///
    /// An apply of it asks nothing, and is refused once the state, or what the plan is about, is not what it was. What is secret in it is
    /// sealed.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write `resource` blocks to FILE for `import` blocks that have none
    ///
    /// They say what is there, but for what is secret and what the server gives anyway. FILE must not exist; read it, and keep it as a part of the
    /// configuration. An `import` block says in its argument `cluster` where to look.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "destroy", "refresh_only", "target", "target_file", "exclude", "exclude_file"])]
    pub generate_config_out: Option<PathBuf>,
    /// Exit with 0 if there is nothing to change, 2 if there is, 1 on an error
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Show the order of an apply instead of what changes: what can run at once, and about how many requests each cluster gets
    #[arg(long)]
    pub steps: bool,
    /// Print one JSON event per line instead of text
    #[arg(long)]
    pub json: bool,
    /// A saved plan, which cannot be planned again
    #[arg(value_name = "FILE", hide = true)]
    pub file: Option<PathBuf>,
}

/// The configuration, aimed as the arguments say.
pub(super) fn aimed(session: &Session, args: &Plan, project: Project) -> Result<Project, Failure> {
    let project = project.aimed(session, &args.aiming, &args.manner)?;
    Ok(Project { when: if args.out.is_some() { When::Later } else { When::AtOnce }, ..project })
}

pub(super) fn run(session: &mut Session, args: &Plan) -> Result<u8, Failure> {
    if let Some(file) = &args.file {
        let detail = format!("`{}` cannot be planned again", file.display());
        let help = "Write one with `--out FILE`, look at it with `meshplan show FILE`, apply it with `meshplan apply FILE`.";
        return Err(Failure::one("plan takes no file", detail).help(help));
    }
    let runtime = Session::runtime()?;
    let (project, plan) = if let Some(file) = &args.generate_config_out {
        generated::plan(session, &runtime, args, file)?
    } else {
        let project = history::project(session, &args.planning, args.to)?;
        let project = aimed(session, args, project)?;
        // Without looking, fingerprints are compared, under a key that may be sealed; and who applies a file takes it as whole.
        let needs_all = args.out.is_some() || !args.planning.refresh;
        let state = if needs_all { session.remembered()? } else { session.remembered_to_plan()? };
        let aim = if args.destroy { Aim::Nothing } else { Aim::Configuration };
        let plan = session.plan(&runtime, &project, state, aim);
        (project, plan)
    };
    let good = if args.steps { session.show_steps(&plan) } else { session.show_plan(&plan) };
    let changes = plan.has_changes();
    if let Some(file) = &args.out {
        let written = saved::save(session, &project, plan, file)?;
        // The process ends here, and takes less time to do so than to free each part of a large plan.
        std::mem::forget(written);
    } else {
        std::mem::forget(plan);
    }
    std::mem::forget(project);
    Ok(match (good, changes && args.detailed_exitcode) {
        (false, _) => exit::FAILED,
        (true, true) => exit::CHANGES,
        (true, false) => exit::DONE,
    })
}
