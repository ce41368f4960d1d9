//! `meshplan state unlock`

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;

/// Take the lock away from a run that does not give it back
///
/// ID is the one in the message that names the holder. The run that has the lock can write nothing more from the next run on; what it
/// wrote until then is counted in. A lock that expires is taken over without this command once it has.
///
/// The lock of a state file cannot be taken from a process that lives: end the process.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  meshplan state unlock d2719f6e-3a39-4a31-8bb1-9be5f2ad1d10")]
pub struct Unlock {
    /// The id of the lock
    #[arg(value_name = "ID")]
    pub id: String,
    /// Do not ask
    #[arg(long)]
    pub force: bool,
}

pub(super) fn run(session: &mut Session, args: &Unlock) -> Result<u8, Failure> {
    let store = session.store();
    let Some(holder) = store.claimed()?.filter(|holder| holder.id == args.id) else {
        // Says that it is not held under this id.
        store.break_lock(&args.id)?;
        return Ok(exit::DONE);
    };
    session.view.say(&format!("Held by {holder}."));
    if !args.force && !session.confirmed("Take the lock away from that run?") {
        session.view.say("\nNot agreed: the lock is left as it is.");
        return Ok(exit::FAILED);
    }
    store.break_lock(&args.id)?;
    session.view.say("The lock is free.");
    Ok(exit::DONE)
}
