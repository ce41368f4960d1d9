//! `meshplan test`: each file in a state of its own, its runs in their order, everything destroyed at its end.
//!
//! A run is planned and applied as by the commands of these names. What must hold after it is then asked of one more plan, whose
//! configuration has the run's conditions as outputs: they mean what they would mean in the module.

mod bench;
mod files;
mod given;
mod interruptions;
mod judge;
mod recorder;
mod run;

pub(crate) use files::{DIRECTORY, ENDING, Loaded, filtered, load};
pub(crate) use recorder::Detail;

use crate::args::Performing;
use crate::failure::Failure;
use crate::project::Project;
use crate::session::Session;
use crate::view::test::{Status, TestEvent};
use bench::{Bench, Stopped};
use recorder::Recorder;
use tokio::runtime::Runtime;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// In this way.
    With(Status),
    /// By another interruption while what was made was to be destroyed, or a second one before.
    AtOnce,
}

/// Runs test files one after the other, and shows how it goes.
pub(crate) fn perform(
    session: &mut Session,
    runtime: &Runtime,
    project: &Project,
    (files, performing, detail): (&[Loaded], &Performing, Detail),
) -> Result<Ended, Failure> {
    interruptions::listen(session, runtime);
    let recorder = Recorder::install(session, detail);
    let mut bench = Bench::new(session, runtime, project, performing, recorder);
    bench.detail = detail;
    for file in files {
        bench.file(file)?;
    }
    let Bench { tally, stopped, .. } = bench;
    session.view.test(&TestEvent::Ended(tally));
    Ok(if stopped == Stopped::AtOnce { Ended::AtOnce } else { Ended::With(tally.status) })
}
