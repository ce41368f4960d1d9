//! How what is remembered is changed by hand: under the lock, through the journal.

use crate::args::Writing;
use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use engine::state::{Entry, State};

/// What a command makes of a state.
pub(super) struct Rewriting {
    /// The changes, in order.
    pub(super) entries: Vec<Entry>,
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
    let Rewriting { entries, said, .. } = decide(&state)?;
    for entry in &entries {
        state.apply(entry);
    }
    runtime.block_on(async {
        guard.append(entries).await?;
        guard.fold(&state).await?;
        guard.release().await
    })?;
    session.data(&said);
    Ok(exit::DONE)
}
