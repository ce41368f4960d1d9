//! How what is remembered is changed by hand: under the lock, through the journal.

use crate::args::Writing;
use crate::exit;
use crate::failure::Failure;
use crate::history;
use crate::session::Session;
use engine::state::{Entry, State};

/// What a command makes of a state.
pub(super) struct Rewriting {
    /// The changes, in order.
    pub(super) entries: Vec<Entry>,
    /// What they come to: what the history counts, and how many there are.
    pub(super) count: (&'static str, usize),
    /// What is said of them once they are made, each a line.
    pub(super) said: String,
    /// What is said of them if they are not to be made.
    pub(super) would: String,
}

/// Changes the state by the entries that follow from it, or says what would be changed. Without a change nothing is locked for long and
/// nothing written.
pub(super) fn rewrite(
    session: &mut Session,
    (operation, writing): (&str, &Writing),
    decide: &dyn Fn(&State) -> Result<Rewriting, Failure>,
) -> Result<u8, Failure> {
    if writing.dry_run {
        let state = session.remembered()?;
        let text = decide(&state)?.would;
        session.data(&text);
        return Ok(exit::DONE);
    }
    let runtime = Session::runtime()?;
    let (guard, mut state) = session.lock(operation, writing.lock_timeout)?;
    history::catch_up(session, None, &state);
    let Rewriting { entries, said, count, .. } = decide(&state)?;
    for entry in &entries {
        state.apply(entry);
    }
    state.serial = runtime.block_on(async {
        guard.append(&entries).await?;
        guard.fold(&state).await
    })?;
    history::keep_change(session, operation, &[count], &state);
    runtime.block_on(guard.release())?;
    session.data(&said);
    Ok(exit::DONE)
}
