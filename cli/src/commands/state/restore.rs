//! `meshplan state restore`

use crate::args::{Writing, revision};
use crate::exit;
use crate::failure::Failure;
use crate::history;
use crate::session::Session;
use engine::state::State;
use review::terminal::between;

/// Bring the state of a revision back
///
/// Shows what differs from the state as it is, asks, and writes that under a new serial. Nothing but the state is changed: what exists stays
/// as it is, and the next plan compares the two. To bring an earlier configuration back, and the world with it, use `apply --to`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  meshplan state restore @3\n  meshplan state restore --dry-run @3")]
pub struct Restore {
    /// The revision, as `state history` lists it
    #[arg(value_name = "@N", value_parser = revision)]
    pub revision: u64,
    /// Restore without asking
    #[arg(long)]
    pub auto_approve: bool,
    /// How it is written.
    #[command(flatten)]
    pub writing: Writing,
}

pub(super) fn run(session: &mut Session, args: &Restore) -> Result<u8, Failure> {
    let restored = history::of(session)?.state(args.revision)?;
    let name = format!("@{}", args.revision);
    if args.writing.dry_run {
        let state = session.remembered()?;
        let text = between((&state, "the state"), (&restored, &name), session.layout);
        session.data(&text);
        return Ok(exit::DONE);
    }
    let runtime = Session::runtime()?;
    let (guard, state) = session.lock("state restore", args.writing.lock_timeout)?;
    let restored = fitting(&state, restored)?;
    let text = between((&state, "the state"), (&restored, &name), session.layout);
    session.data(&text);
    if (State { serial: state.serial, ..restored.clone() }) == state {
        runtime.block_on(guard.release())?;
        return Ok(exit::DONE);
    }
    if !args.auto_approve && !session.confirmed(&format!("Replace the state by that of {name}?")) {
        session.view.say("\nNot approved: nothing was changed.");
        return Ok(exit::FAILED);
    }
    history::catch_up(session, None, &state);
    let restored = State { serial: restored.serial.max(state.serial) + 1, ..restored };
    runtime.block_on(guard.replace(&restored))?;
    history::keep_change(session, &format!("state restore {name}"), &[], &restored);
    runtime.block_on(guard.release())?;
    let said = format!("\nThe state has serial {} now. Nothing else was touched: what exists is as it was.\n", restored.serial);
    session.data(&said);
    Ok(exit::DONE)
}

/// A state of the history with the key of the one that is there, if the two are of one lineage, or nothing is there.
fn fitting(state: &State, restored: State) -> Result<State, Failure> {
    let fresh = state.serial == 0 && state.is_empty() && state.outputs.is_empty();
    if !fresh && state.lineage != restored.lineage {
        let detail =
            format!("it is of the lineage `{}`, and the state of `{}`: they describe different things", restored.lineage, state.lineage);
        return Err(Failure::one("revision of another state", detail).help("Move the state away first if it is not needed any more."));
    }
    Ok(State { secret_key: state.secret_key.clone(), ..restored })
}
