//! The changes of a plan in the sections of the page: a section for each cluster, what weighs most first.

use super::colour::{Colour, Tally};
use super::mesh::Mesh;
use engine::plan::{Blocked, Change, Plan, Reason};
use std::collections::BTreeMap;

/// All sections: clusters in the order of the picture, then what lies in none.
#[derive(Debug)]
pub(super) struct Sections<'a>(pub(super) Vec<Section<'a>>);

/// What changes in a cluster.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// What links lead to.
    pub(super) id: String,
    /// What it is called.
    pub(super) label: String,
    /// What changes or is blocked.
    pub(super) entries: Vec<Entry<'a>>,
    /// All that lies in it.
    pub(super) tally: Tally,
}

/// What has a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry<'a> {
    /// A change.
    Change(&'a Change),
    /// What could not be planned.
    Blocked(&'a Blocked),
}

impl Entry<'_> {
    /// What becomes of it.
    pub(super) fn colour(self) -> Colour {
        match self {
            Self::Change(change) => Colour::of(change.action),
            Self::Blocked(_) => Colour::Blocked,
        }
    }

    /// What kind of thing it is.
    pub(super) fn kind(&self) -> &str {
        match self {
            Self::Change(change) => &change.kind,
            Self::Blocked(blocked) => &blocked.address.kind,
        }
    }

    /// Whether it goes, or is made again, because the place that it lies in is.
    pub(super) fn goes_with_place(&self) -> bool {
        matches!(self, Self::Change(change) if matches!(change.reason, Reason::PlaceDestroyed(_) | Reason::PlaceReplaced(_)))
    }

    /// What comes first: blocked, replaced and deleted; all else in the order of the plan.
    fn rank(self) -> Colour {
        self.colour().min(Colour::Forget)
    }
}

impl<'a> Sections<'a> {
    /// Looks at a plan.
    pub(super) fn of(plan: &'a Plan, mesh: &Mesh<'a>) -> Self {
        let mut found: BTreeMap<usize, (Vec<Entry<'a>>, Tally)> = BTreeMap::new();
        let last = mesh.clusters.len();
        for blocked in &plan.blocked {
            let place = plan.prior.record(&blocked.address).and_then(|record| record.place.as_ref());
            let section = found.entry(mesh.position(&blocked.address, place).unwrap_or(last)).or_default();
            section.0.push(Entry::Blocked(blocked));
            section.1.count(Colour::Blocked);
        }
        for change in &plan.changes {
            let section = found.entry(mesh.position(&change.address, change.place.as_ref()).unwrap_or(last)).or_default();
            section.1.count(Colour::of(change.action));
            if change.action.is_change() {
                section.0.push(Entry::Change(change));
            }
        }
        let section = |(at, (mut entries, tally)): (usize, (Vec<Entry<'a>>, Tally))| {
            entries.sort_by_key(|entry| entry.rank());
            let (id, label) = match mesh.clusters.get(at) {
                Some(cluster) => (format!("place-{at}"), cluster.label.clone()),
                None => ("outside".to_owned(), "Outside all clusters".to_owned()),
            };
            Section { id, label, entries, tally }
        };
        Self(found.into_iter().map(section).collect())
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|section| section.entries.len()).sum()
    }

    /// Every line.
    pub(super) fn each(&self) -> impl Iterator<Item = Entry<'a>> {
        self.0.iter().flat_map(|section| section.entries.iter().copied())
    }
}

/// The paths that force a replacement.
pub(super) fn replacing(change: &Change) -> &[String] {
    match &change.reason {
        Reason::CannotUpdate(paths) => paths,
        _ => &[],
    }
}
