//! `meshplan state reseal`

use crate::exit;
use crate::failure::Failure;
use crate::history;
use crate::session::Session;
use engine::state::State;
use std::time::Duration;

/// Seal what is remembered with the key of the configuration
///
/// With an `encryption` block every write seals what is secret. This writes at once: after the block was added, or after its key was
/// replaced and the one before stands in a `fallback` block. What was sealed with that key already stays as it is.
///
/// Backups, revisions and plan files that were written before are not touched: they hold what they held.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  meshplan state reseal\n  meshplan state reseal --unseal")]
pub struct Reseal {
    /// Write all secrets in the clear, to do without the `encryption` block from then on
    #[arg(long)]
    pub unseal: bool,
    /// Wait so long for another run to release the state, as in `30s` or `5m`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = crate::args::duration)]
    pub lock_timeout: Duration,
}

pub(super) fn run(session: &mut Session, args: &Reseal) -> Result<u8, Failure> {
    let runtime = Session::runtime()?;
    let store = if args.unseal { session.unsealing()? } else { session.sealing()? };
    let (guard, state) = session.lock_store(&store, "state reseal", args.lock_timeout)?;
    history::catch_up(session, None, &state);
    let serial = runtime.block_on(guard.fold(&state))?;
    if serial > state.serial {
        let resealed = State { serial, ..state.clone() };
        history::keep_resealed(session, store, &resealed);
    }
    runtime.block_on(guard.release())?;
    let done = match (serial > state.serial, args.unseal) {
        (false, false) => "Everything secret is sealed with this key already.\n".to_owned(),
        (false, true) => "Nothing is sealed.\n".to_owned(),
        (true, false) => format!("Everything secret is sealed with this key now; the state has serial {serial}.\n"),
        (true, true) => format!(
            "Everything secret stands in the clear now; the state has serial {serial}. The next write seals it again unless the `encryption` \
             block is removed.\n"
        ),
    };
    session.data(&done);
    if serial > state.serial {
        session.view.say("note: what was written before is as it was: the backup of the state, older revisions, saved plans");
    }
    Ok(exit::DONE)
}
