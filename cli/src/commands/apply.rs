//! `meshplan apply`

use crate::args::{Aiming, Manner, Performing, Planning, revision};
use crate::failure::Failure;
use crate::history;
use crate::perform::perform;
use crate::project::Aim;
use crate::saved;
use crate::session::Session;
use std::path::PathBuf;

/// Change what exists to what the configuration says
///
/// Makes a plan, shows it, asks, and does what the plan says. Independent steps run at the same time; when one fails the others go
/// on and what depends on it is left for the next run. Every step is written down before and after it happens, so an apply that is
/// interrupted or killed is continued by running it again.
///
/// With a FILE that `meshplan plan --out` has written it does what that plan says, without asking, if the state and what the plan is about
/// are as they were when it was made. Ephemeral variables are not in it and are given again.
///
/// The first Ctrl-C lets running steps finish and starts nothing new; the second leaves at once.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan apply\n  meshplan -C examples/quickstart apply\n  meshplan apply --auto-approve --var-file prod.vars.hcl\n  meshplan plan --out mesh.plan && meshplan apply mesh.plan"
)]
pub struct Apply {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// What it is aimed at.
    #[command(flatten)]
    pub aiming: Aiming,
    /// What is done with what could stay.
    #[command(flatten)]
    pub manner: Manner,
    /// How it is performed.
    #[command(flatten)]
    pub performing: Performing,
    /// Plan the configuration of revision @N instead of the one in the directory, as `state history` lists it
    ///
    /// Its variables count as they were then; what is kept nowhere (`ephemeral`) has to be given again, and `--var` overrides.
    #[arg(long, value_name = "@N", value_parser = revision)]
    pub to: Option<u64>,
    /// Apply the plan in FILE instead of making one
    #[arg(value_name = "FILE", conflicts_with = "approve")]
    pub file: Option<PathBuf>,
}

impl Apply {
    /// Whether nothing was said of how to plan, values of variables apart.
    fn is_unsaid(&self) -> bool {
        self.planning.is_unsaid() && self.aiming.is_unsaid() && self.manner.is_unsaid() && self.to.is_none()
    }
}

pub(super) fn run(session: &mut Session, args: &Apply) -> Result<u8, Failure> {
    match &args.file {
        Some(file) if args.is_unsaid() => saved::apply(session, file, &args.planning.assignments.0, &args.performing),
        Some(file) => {
            let detail = format!("what is planned with is part of `{}`", file.display());
            Err(Failure::one("options of a saved plan", detail).help("Leave the options of planning out, or plan again with them."))
        }
        None => {
            let project = history::project(session, &args.planning, args.to)?.aimed(session, &args.aiming, &args.manner)?;
            perform(session, &project, &args.performing, Aim::Configuration)
        }
    }
}
