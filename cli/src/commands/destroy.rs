//! `meshplan destroy`

use crate::args::{Performing, Planning};
use crate::failure::Failure;
use crate::perform::perform;
use crate::project::Aim;
use crate::session::Session;

/// Delete everything that is remembered, in reverse
///
/// Makes a plan that deletes every resource of the state, shows it, asks, and does it: dependents first, clusters last.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  meshplan destroy\n  meshplan plan --destroy")]
pub struct Destroy {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// How it is performed.
    #[command(flatten)]
    pub performing: Performing,
}

pub(super) fn run(session: &mut Session, args: &Destroy) -> Result<u8, Failure> {
    perform(session, &args.planning, &args.performing, Aim::Nothing)
}
