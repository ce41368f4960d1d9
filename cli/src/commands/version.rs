//! `meshplan version`

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use serde_json::json;
use std::env::consts::{ARCH, OS};

/// Print the version and the platform it was built for
#[derive(Debug, clap::Args)]
pub struct Version {
    /// Print a JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "every verb has this shape")]
pub(super) fn run(session: &mut Session, args: &Version) -> Result<u8, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if args.json {
        let json = json!({ "name": "meshplan", "version": version, "target": format!("{ARCH}-{OS}") });
        session.data(&format!("{json}\n"));
    } else {
        session.data(&format!("meshplan {version} ({ARCH}-{OS})\n"));
    }
    Ok(exit::DONE)
}
