//! `meshplan state diff`

use crate::args::revision;
use crate::exit;
use crate::failure::Failure;
use crate::history;
use crate::session::Session;
use engine::state::State;
use review::terminal::between;

/// Show what differs between two revisions of the state
///
/// With one revision: between that and the state as it is. With none: what the last operation changed. Sensitive values are masked.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  meshplan state diff\n  meshplan state diff @3\n  meshplan state diff @3 @5")]
pub struct Diff {
    /// From here, as `state history` lists it
    #[arg(value_name = "@A", value_parser = revision)]
    pub from: Option<u64>,
    /// To here
    #[arg(value_name = "@B", value_parser = revision)]
    pub to: Option<u64>,
}

pub(super) fn run(session: &mut Session, args: &Diff) -> Result<u8, Failure> {
    let history = history::of(session)?;
    let from = match args.from {
        Some(from) => Some(from),
        None => history.numbers()?.iter().rev().nth(1).copied(),
    };
    let before = from.map_or_else(|| Ok(State::default()), |from| history.readable_state(from))?;
    let (after, name) = match args.to {
        Some(to) => (history.readable_state(to)?, format!("@{to}")),
        None => (session.remembered_in_part()?, "the state".to_owned()),
    };
    let before_name = from.map_or_else(|| "an empty state".to_owned(), |from| format!("@{from}"));
    let text = between((&before, &before_name), (&after, &name), session.layout);
    session.data(&text);
    Ok(exit::DONE)
}
