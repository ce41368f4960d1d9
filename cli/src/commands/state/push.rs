//! `meshplan state push`

use crate::args::Writing;
use crate::exit;
use crate::failure::Failure;
use crate::history;
use crate::session::Session;
use engine::state::State;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Replace the state by the one in a file
///
/// FILE is what `state pull` printed, changed or not. A state of another origin, an older one, and one that differs under the same serial
/// are refused unless `--force` is given; a state that is empty takes any. The state before is kept beside as the backup.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  meshplan state push copy.json\n  meshplan state push - < copy.json")]
pub struct Push {
    /// The file, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace a state of another origin, or a newer one
    #[arg(long)]
    pub force: bool,
    /// How it is written.
    #[command(flatten)]
    pub writing: Writing,
}

pub(super) fn run(session: &mut Session, args: &Push) -> Result<u8, Failure> {
    let mut pushed = given(session, &args.file)?;
    if args.writing.dry_run {
        let state = session.remembered()?;
        let verdict = judge(&state, &mut pushed, args.force)?;
        let (said, count) = (if verdict == Verdict::Same { "Would change nothing" } else { "Would be replaced" }, pushed.resources.len());
        session.data(&format!("{said}: serial {}, {count} addresses.\n", pushed.serial));
        return Ok(exit::DONE);
    }
    let runtime = Session::runtime()?;
    let (guard, state) = session.lock("state push", args.writing.lock_timeout)?;
    if judge(&state, &mut pushed, args.force)? == Verdict::Same {
        runtime.block_on(guard.release())?;
        session.data("The state is the same already.\n");
        return Ok(exit::DONE);
    }
    history::catch_up(session, None, &state);
    runtime.block_on(guard.replace(&pushed))?;
    history::keep_change(session, "state push", &[], &pushed);
    runtime.block_on(guard.release())?;
    session.data(&format!("The state has serial {} now, and {} addresses.\n", pushed.serial, pushed.resources.len()));
    Ok(exit::DONE)
}

fn given(session: &mut Session, file: &Path) -> Result<State, Failure> {
    let standard = file == Path::new("-");
    let shown = if standard { Path::new("standard input") } else { file };
    let mut text = String::new();
    let read = if standard {
        session.stdin.read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(session.workplace.working_directory.join(file)).map(|read| text = read)
    };
    read.map_err(|error| {
        let why = if error.kind() == ErrorKind::InvalidData { "it is not UTF-8 text".to_owned() } else { error.to_string() };
        Failure::one("state not pushed", format!("`{}`: {why}", shown.display()))
    })?;
    Ok(session.store().state_in(shown, &text)?)
}

/// What becomes of a pushed state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It replaces the one that is there.
    Replaces,
    /// It is the one that is there.
    Same,
}

/// Whether a state may replace the one that is there; a forced one gets a serial after it, so that serials only grow.
fn judge(state: &State, pushed: &mut State, force: bool) -> Result<Verdict, Failure> {
    let refuse = |detail: String| {
        Err(Failure::one("state not pushed", detail).help("Add `--force` if the state in the file is the right one all the same."))
    };
    if pushed.lineage.is_empty() {
        return Err(Failure::one("state not pushed", "it has no `lineage`").help("Give a file that `meshplan state pull` wrote."));
    }
    let fresh = state.serial == 0 && state.is_empty() && state.outputs.is_empty();
    if fresh {
        return Ok(Verdict::Replaces);
    }
    if (State { serial: state.serial, ..pushed.clone() }) == *state {
        return Ok(Verdict::Same);
    }
    if force {
        pushed.serial = pushed.serial.max(state.serial + 1);
        return Ok(Verdict::Replaces);
    }
    if pushed.lineage != state.lineage {
        return refuse(format!(
            "it is of the lineage `{}`, and the state of `{}`: they describe different things",
            pushed.lineage, state.lineage
        ));
    }
    match pushed.serial.cmp(&state.serial) {
        std::cmp::Ordering::Less => refuse(format!("it has serial {}, and the state is newer: {}", pushed.serial, state.serial)),
        std::cmp::Ordering::Equal => refuse(format!("it has serial {} as the state has, and other content", pushed.serial)),
        std::cmp::Ordering::Greater => Ok(Verdict::Replaces),
    }
}
