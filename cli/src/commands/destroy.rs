//! `meshplan destroy`

use crate::args::{Aiming, Manner, Performing, Planning};
use crate::failure::Failure;
use crate::perform::perform;
use crate::project::{Aim, Project};
use crate::session::Session;
use std::path::PathBuf;

/// Delete everything that is remembered, in reverse
///
/// Makes a plan that deletes every resource of the state, shows it, asks, and does it: dependents first, clusters last. With --target only
/// these go, and what depends on them; with --exclude these stay, and what they were made from.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  meshplan destroy\n  meshplan plan --destroy\n  meshplan destroy --target module.shop")]
pub struct Destroy {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// What it is aimed at.
    #[command(flatten)]
    pub aiming: Aiming,
    /// How it is performed.
    #[command(flatten)]
    pub performing: Performing,
    /// A saved plan, which this verb does not take
    #[arg(value_name = "FILE", hide = true)]
    pub file: Option<PathBuf>,
}

pub(super) fn run(session: &mut Session, args: &Destroy) -> Result<u8, Failure> {
    if let Some(file) = &args.file {
        let detail = format!("`destroy` makes a plan of its own, and takes none such as `{}`", file.display());
        let help = "Make one with `meshplan plan --destroy --out FILE` and apply it with `meshplan apply FILE`.";
        return Err(Failure::one("destroy takes no plan", detail).help(help));
    }
    let project = Project::load(session, &args.planning)?.aimed(session, &args.aiming, &Manner::default())?;
    perform(session, &project, &args.performing, Aim::Nothing)
}
