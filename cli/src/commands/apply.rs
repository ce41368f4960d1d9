//! `meshplan apply`

use crate::args::{Aiming, Manner, Performing, Planning, revision};
use crate::failure::Failure;
use crate::perform::perform;
use crate::project::{Aim, Project};
use crate::session::Session;
use std::path::PathBuf;

/// Change what exists to what the configuration says
///
/// Makes a plan, shows it, asks, and does what the plan says. Independent steps run at the same time; when one fails the others go
/// on and what depends on it is left for the next run. Every step is written down before and after it happens, so an apply that is
/// interrupted or killed is continued by running it again.
///
/// The first Ctrl-C lets running steps finish and starts nothing new; the second leaves at once.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan apply\n  meshplan -C examples/quickstart apply\n  meshplan apply --auto-approve --var-file prod.vars.hcl"
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
    /// A saved plan; applying one comes with a later version
    #[arg(value_name = "FILE", hide = true)]
    pub file: Option<PathBuf>,
}

pub(super) fn run(session: &mut Session, args: &Apply) -> Result<u8, Failure> {
    if let Some(file) = &args.file {
        let detail = format!("`{}` cannot be applied: this version of meshplan applies only the plan it has just made", file.display());
        return Err(Failure::one("saved plans are not applied yet", detail).help("Run `meshplan apply` without a file."));
    }
    let project = Project::choose(session, &args.planning, args.to)?.aimed(session, &args.aiming, &args.manner)?;
    perform(session, &project, &args.performing, Aim::Configuration)
}
