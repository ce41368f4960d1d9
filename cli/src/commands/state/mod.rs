//! `meshplan state`

pub mod diff;
pub mod history;
pub mod list;
pub mod migrate;
pub mod mv;
pub mod pull;
pub mod push;
pub mod reseal;
pub mod restore;
pub mod rm;
pub mod show;
pub mod unlock;
mod write;

use crate::failure::Failure;
use crate::session::Session;
use clap::Subcommand;
use engine::address::NotAnAddress;

/// Look at what is remembered, and change it without touching anything else
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "what stands at a variant would replace the help of its verb")]
pub enum State {
    List(list::List),
    Show(show::Show),
    Mv(mv::Mv),
    Rm(rm::Rm),
    Pull(pull::Pull),
    Push(push::Push),
    History(history::History),
    Diff(diff::Diff),
    Restore(restore::Restore),
    Migrate(migrate::Migrate),
    Unlock(unlock::Unlock),
    Reseal(reseal::Reseal),
}

pub(super) fn run(session: &mut Session, verb: &State) -> Result<u8, Failure> {
    match verb {
        State::List(args) => list::run(session, args),
        State::Show(args) => show::run(session, args),
        State::Mv(args) => mv::run(session, args),
        State::Rm(args) => rm::run(session, args),
        State::Pull(args) => pull::run(session, args),
        State::Push(args) => push::run(session, args),
        State::History(args) => history::run(session, args),
        State::Diff(args) => diff::run(session, args),
        State::Restore(args) => restore::run(session, args),
        State::Migrate(args) => migrate::run(session, args),
        State::Unlock(args) => unlock::run(session, args),
        State::Reseal(args) => reseal::run(session, args),
    }
}

/// An address that was typed: of a resource, or of whatever else can be named.
fn typed<T: std::str::FromStr<Err = NotAnAddress>>(text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|error: NotAnAddress| Failure::one("not an address", error.to_string()).help("`meshplan state list` shows all addresses."))
}
