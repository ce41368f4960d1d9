//! `meshplan state rm`

use super::typed;
use super::write::{Rewriting, rewrite};
use crate::args::Writing;
use crate::failure::Failure;
use crate::session::Session;
use engine::config::Subject;
use engine::plan::forget;
use engine::state::{Entry, State};
use std::fmt::Write as _;

/// Forget something without deleting it
///
/// What an ADDRESS names is no longer managed: it stays where it is, as it is. A block that is left in the configuration makes it anew
/// with the next apply, or finds it in the way. A `removed` block with `destroy = false` does the same within a plan.
///
/// A cluster is only forgotten together with all that lies in it.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan state rm kubernetes_secret.ca\n  meshplan state rm --dry-run module.mesh 'sandbox_cluster.this[\"eu\"]'"
)]
pub struct Rm {
    /// What is forgotten: resources, single instances or modules
    #[arg(value_name = "ADDRESS", required = true)]
    pub addresses: Vec<String>,
    /// How it is written.
    #[command(flatten)]
    pub writing: Writing,
}

pub(super) fn run(session: &mut Session, args: &Rm) -> Result<u8, Failure> {
    let subjects: Vec<Subject> = args.addresses.iter().map(|address| typed(address)).collect::<Result<_, _>>()?;
    rewrite(session, ("state rm", &args.writing), &|state| {
        let entries = forget(state, &subjects).map_err(Failure)?;
        let removed = entries.iter().filter(|entry| matches!(entry, Entry::Remove { .. })).count();
        let lines = left_behind(state, &entries);
        let said = format!("{lines}\nForgotten: {removed}. What they name stays where it is and is not managed any more.\n");
        let would = format!("{lines}\nWould be forgotten: {removed}. What they name would stay where it is.\n");
        Ok(Rewriting { entries, count: ("forgotten", removed), said, would })
    })
}

/// A line for each object that stays in the world: what it is, and where.
fn left_behind(state: &State, entries: &[Entry]) -> String {
    let mut lines = String::new();
    for entry in entries {
        let Entry::Remove { address, deposed } = entry else { continue };
        let Some(objects) = state.resources.get(address) else { continue };
        let record = match deposed {
            Some(key) => objects.deposed.get(key),
            None => objects.current.as_ref(),
        };
        let Some(record) = record else { continue };
        lines.push_str(&address.to_string());
        if let Some(key) = deposed {
            let _ = write!(lines, " (deposed {key})");
        }
        if let Some(place) = &record.place {
            let _ = write!(lines, " in {place}");
        }
        if let Some(uid) = &record.uid {
            let _ = write!(lines, ", uid {uid}");
        }
        lines.push('\n');
    }
    lines
}
