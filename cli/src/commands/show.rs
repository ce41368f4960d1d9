//! `meshplan show`

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::{json, memory};

/// Show everything that is remembered
///
/// Prints every resource of the state with its attributes, and the outputs. Sensitive values are masked.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Print a JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(session: &mut Session, args: &Show) -> Result<u8, Failure> {
    let state = session.remembered_in_part()?;
    let text = if args.json { format!("{:#}\n", json::state(&state)) } else { memory::state(&state) };
    session.data(&text);
    Ok(exit::DONE)
}
