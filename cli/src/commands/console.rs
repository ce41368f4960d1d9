//! `meshplan console`

use crate::args::Planning;
use crate::exit;
use crate::failure::Failure;
use crate::session::Session;

/// Evaluate one expression from standard input
///
/// The expression sees what an output of the root module would see: variables, locals, and resources as they are remembered.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  echo 'cidrsubnet(\"10.0.0.0/8\", 8, 3)' | meshplan console")]
pub struct Console {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
}

pub(super) fn run(session: &mut Session, args: &Console) -> Result<u8, Failure> {
    let _ = args;
    let mut line = String::new();
    session.stdin.read_line(&mut line).map_err(|error| Failure::one("no expression", error.to_string()))?;
    Ok(exit::DONE)
}
