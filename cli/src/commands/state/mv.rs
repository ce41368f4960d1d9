//! `meshplan state mv`

use super::typed;
use super::write::{Rewriting, rewrite};
use crate::args::Writing;
use crate::failure::Failure;
use crate::session::Session;
use engine::config::Subject;
use engine::plan::rename;
use engine::state::Entry;
use std::fmt::Write as _;

/// Remember something under another address
///
/// FROM and TO are addresses of resources, of single instances, or of modules; what has instances moves with all of them. What depends on
/// it, or lies in it, follows. Nothing but the state is changed: rename the block as well, or the next plan moves things back and forth. A
/// `moved` block does the same within a plan.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan state mv kubernetes_secret.ca kubernetes_secret.root\n  meshplan state mv 'ca_root.mesh[\"eu\"]' 'module.eu.ca_root.mesh'\n  meshplan state mv --dry-run module.mesh 'module.mesh[\"eu\"]'"
)]
pub struct Mv {
    /// The address it has
    #[arg(value_name = "FROM")]
    pub from: String,
    /// The address it gets
    #[arg(value_name = "TO")]
    pub to: String,
    /// How it is written.
    #[command(flatten)]
    pub writing: Writing,
}

pub(super) fn run(session: &mut Session, args: &Mv) -> Result<u8, Failure> {
    let (from, to): (Subject, Subject) = (typed(&args.from)?, typed(&args.to)?);
    rewrite(session, ("state mv", &args.writing), &|state| {
        let entries = rename(state, &from, &to).map_err(Failure)?;
        let mut lines = String::new();
        for entry in &entries {
            if let Entry::Move { from, to } = entry {
                let _ = writeln!(lines, "{from} -> {to}");
            }
        }
        let count = entries.len();
        Ok(Rewriting {
            entries,
            count: ("moved", count),
            said: format!("{lines}\nMoved: {count}.\n"),
            would: format!("{lines}\nWould be moved: {count}.\n"),
        })
    })
}
