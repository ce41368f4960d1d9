//! Records of other versions of their kinds: older ones are brought to today's shape before anything is asked, newer ones are refused.

use super::instance::diagnosed;
use crate::address::{Address, Mode};
use crate::diagnostic::Diagnostic;
use crate::schema::Catalogue;
use crate::source::{FileId, Span};
use crate::state::{Record, State};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Records of one kind in one version that is newer than the kind: the first of them, and how many there are.
type Newer<'a> = BTreeMap<(Arc<str>, u32), (&'a Address, usize)>;

/// Upgrades every older record in place. Returns how many there were, and what is wrong; with an error nothing may be planned.
pub(super) fn upgrade(state: &mut State, catalogue: &Catalogue) -> (usize, Vec<Diagnostic>) {
    let mut upgraded = 0;
    let mut problems = Vec::new();
    let mut newer = Newer::new();
    for (address, objects) in &mut state.resources {
        for record in objects.current.iter_mut().chain(objects.deposed.values_mut()) {
            // What to do about a kind that is not known is decided where the record's fate is.
            let Some(kind) = catalogue.get(Mode::Managed, &record.kind) else { continue };
            let version = kind.schema().version;
            if record.schema_version > version {
                newer.entry((record.kind.clone(), record.schema_version)).or_insert((address, 0)).1 += 1;
            }
            if record.schema_version >= version {
                continue;
            }
            match kind.upgrade(record.schema_version, record.attributes.clone()) {
                Ok(attributes) => {
                    *record = Record { attributes, schema_version: version, ..record.clone() };
                    upgraded += 1;
                }
                Err(problem) => {
                    let mut problem = diagnosed(problem, Span::new(FileId(u32::MAX), 0..0)).about(address);
                    problem.at = None;
                    problems.push(problem);
                }
            }
        }
    }
    problems.extend(newer.into_iter().map(|((kind, version), (address, count))| {
        let more = if count == 1 { String::new() } else { format!(" and {} more", count - 1) };
        let known = catalogue.get(Mode::Managed, &kind).map_or(0, |kind| kind.schema().version);
        let detail = format!("the state holds `{address}`{more} in version {version} of `{kind}`, and this meshplan knows version {known}");
        Diagnostic::error("newer record", detail).about(address).help("Use the meshplan that wrote the state, or a later one.")
    }));
    (upgraded, problems)
}
