//! `meshplan sandbox`

use crate::failure::Failure;
use crate::session::Session;
use clap::Subcommand;

/// Work with sandbox clusters
#[derive(Debug, Subcommand)]
pub enum Sandbox {
    /// Serve the sandbox clusters of this configuration to kubectl
    Serve(Serve),
}

/// How they are served.
#[derive(Debug, clap::Args)]
pub struct Serve {}

pub(super) fn run(_: &mut Session, verb: &Sandbox) -> Result<u8, Failure> {
    match verb {
        Sandbox::Serve(_) => Err(Failure::one("not there yet", "sandbox clusters cannot be served yet")),
    }
}
