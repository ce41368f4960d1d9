//! `meshplan host-effects`: what `sudo` starts for the provider `host`. Nobody types it.

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use std::io::Read as _;

/// Do on this machine what another meshplan writes to standard input
#[derive(Debug, clap::Args)]
pub struct HostEffects {}

pub(super) fn run(session: &mut Session) -> Result<u8, Failure> {
    let mut text = String::new();
    session.stdin.read_to_string(&mut text).map_err(|error| unreadable(&error.to_string()))?;
    let answer = host::serve(&text).map_err(|why| unreadable(&why))?;
    session.data(&answer);
    Ok(exit::DONE)
}

fn unreadable(why: &str) -> Failure {
    Failure::one("effects not readable", format!("{why}: this command is one that meshplan gives itself"))
}
