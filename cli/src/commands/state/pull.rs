//! `meshplan state pull`

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;

/// Print the state as its file would have it
///
/// What a running or unfinished apply has done so far is counted in. The text holds what the state file holds: secrets in the clear
/// unless the configuration has an `encryption` block, whose key is only needed while an apply has not ended; keep it where nobody else can read it. `state push` takes it back.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  (umask 077; meshplan state pull > copy.json)")]
pub struct Pull {}

pub(super) fn run(session: &mut Session, _: &Pull) -> Result<u8, Failure> {
    match session.text()? {
        Some(text) => session.data(&String::from_utf8_lossy(&text)),
        None => session.view.say("note: nothing is remembered yet, and nothing is printed"),
    }
    Ok(exit::DONE)
}
