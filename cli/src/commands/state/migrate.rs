//! `meshplan state migrate`

use crate::args::duration;
use crate::backend::{self, Choice};
use crate::exit;
use crate::failure::Failure;
use crate::history;
use crate::session::Session;
use backends::Wrong;
use state::{Migrated, Onto, Store};
use std::collections::BTreeMap;
use std::time::Duration;

/// Copy the state to where the configuration keeps it now
///
/// After the `backend` block was changed, the state is copied from where it was kept before: from what the last run used, or from
/// `meshplan.state.json` beside the configuration. It is copied under the locks of both, as it is, and read again; what was there stays.
/// Its history is copied along to a place that has none yet.
///
/// A state of another origin, and a later one, are not replaced unless `--force` is given.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan state migrate\n  meshplan state migrate --from local:path=old.state.json\n  meshplan state migrate --from kubernetes:context=ops,namespace=mesh"
)]
pub struct Migrate {
    /// Copy from this backend, as in `local:path=old.json`
    #[arg(long, value_name = "KIND[:NAME=TEXT,…]", conflicts_with = "reconfigure", value_parser = origin)]
    pub from: Option<Origin>,
    /// Use what is configured now, and copy nothing
    #[arg(long)]
    pub reconfigure: bool,
    /// Replace a state of another origin, or a later one
    #[arg(long)]
    pub force: bool,
    /// Wait so long for others to release the states, as in `30s` or `5m`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
}

/// A backend that is written in one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    kind: String,
    arguments: BTreeMap<String, String>,
}

fn origin(text: &str) -> Result<Origin, String> {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let pairs = rest.split(',').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| pair.split_once('=').map(|(name, text)| (name.to_owned(), text.to_owned()));
    let arguments = pairs.map(|given| pair(given).ok_or_else(|| format!("`{given}` is no argument: expected `NAME=TEXT`")));
    Ok(Origin { kind: kind.to_owned(), arguments: arguments.collect::<Result<_, _>>()? })
}

pub(super) fn run(session: &mut Session, args: &Migrate) -> Result<u8, Failure> {
    let now = backend::configured(&session.workplace).map_err(Failure)?;
    let target = session.with_keys(Store::on(now.open(&session.workplace).map_err(wrong)?))?;
    let shown = target.path().display().to_string();
    if args.reconfigure {
        backend::keep(&session.workplace, &now)?;
        session.view.say(&format!("From now on the state is kept in `{shown}`. Nothing was copied."));
        return Ok(exit::DONE);
    }
    let given = args.from.clone().map(|Origin { kind, arguments }| Choice { kind, arguments });
    let Some(before) = given.or_else(|| backend::before(&session.workplace, &now)) else {
        let detail = format!("the state is kept in `{shown}`, and was not kept anywhere else");
        return Err(Failure::one("nothing to migrate", detail).help("`--from` names another place to copy from."));
    };
    let source = session.with_keys(Store::on(before.open(&session.workplace).map_err(wrong)?))?;
    if source.path() == target.path() {
        return Err(Failure::one("nothing to migrate", format!("`{shown}` is where the state is kept already")));
    }
    let onto = if args.force { Onto::Whatever } else { Onto::Earlier };
    let both = (source.clone(), target.clone());
    let migrated =
        source.migrate_to(&target, (onto, args.lock_timeout), &mut |state| history::keep_migration(session, both.clone(), state))?;
    backend::keep(&session.workplace, &now)?;
    let from = source.path().display();
    session.view.say(&match migrated {
        Migrated::Nothing => format!("`{from}` has no state to copy. From now on the state is kept in `{shown}`."),
        Migrated::Already { serial } => format!("`{shown}` has the state already, with serial {serial}."),
        Migrated::Copied { serial } => {
            format!(
                "Copied the state with serial {serial} to `{shown}`. What stands in `{from}` is left as it is, and is not used any more."
            )
        }
    });
    Ok(exit::DONE)
}

fn wrong(Wrong { why, help, .. }: Wrong) -> Failure {
    Failure::one("wrong backend", why).help(&help)
}
