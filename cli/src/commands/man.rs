//! `meshplan man`

use super::Args;
use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use clap::CommandFactory;
use clap_mangen::generate_to;
use std::fs;
use std::path::PathBuf;

/// Write the manual pages into a directory
///
/// One page for each command: `meshplan.1`, `meshplan-plan.1` and so on. `man` finds them in a directory `man1` of `$MANPATH`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  meshplan man ~/.local/share/man/man1")]
pub struct Man {
    /// The directory, which is made if it is not there
    #[arg(value_name = "DIR")]
    pub into: PathBuf,
}

pub(super) fn run(session: &mut Session, args: &Man) -> Result<u8, Failure> {
    let into = session.workplace.working_directory.join(&args.into);
    let failed = |error: std::io::Error| Failure::one("manual pages not written", format!("`{}`: {error}", args.into.display()));
    fs::create_dir_all(&into).map_err(failed)?;
    generate_to(Args::command(), &into).map_err(failed)?;
    Ok(exit::DONE)
}
