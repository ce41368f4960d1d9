//! The changes of a plan in the sections of the page: what weighs most first, everything else by the clusters that it concerns.

use super::colour::{Colour, Tally};
use crate::clusters::{Clusters, Places};
use crate::entry::Entry;
use crate::review::Review;
use engine::address::Address;
use engine::plan::{Action, Blocked, Plan};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// All sections, none of them empty.
#[derive(Debug)]
pub(super) struct Sections<'e, 'a>(pub(super) Vec<Section<'e, 'a>>);

/// What stands together.
#[derive(Debug)]
pub(super) struct Section<'e, 'a> {
    /// What it is called.
    pub(super) label: String,
    /// The places of everything in it, if they are the same.
    pub(super) places: Option<Places<'a>>,
    /// What changes or is blocked.
    pub(super) items: Vec<Item<'e, 'a>>,
}

/// What has a line.
#[derive(Debug)]
pub(super) enum Item<'e, 'a> {
    /// A change, or the same change of several things.
    Entry(&'e Entry<'a>),
    /// What could not be planned, for one reason, in one place.
    Blocked(Vec<&'a Blocked>, Places<'a>),
}

impl Item<'_, '_> {
    /// Counts what it stands for.
    fn count(&self, tally: &mut Tally) {
        match self {
            Self::Blocked(blocked, _) => blocked.iter().for_each(|_| tally.count(Colour::Blocked)),
            Self::Entry(entry) => {
                for change in std::iter::once(*entry).chain(&entry.below).flat_map(|entry| &entry.changes) {
                    if change.action != Action::Keep {
                        tally.count(Colour::of(change.action));
                    }
                }
            }
        }
    }

    /// How many lines it takes.
    fn lines(&self) -> usize {
        match self {
            Self::Blocked(..) => 1,
            Self::Entry(entry) if entry.alone().is_some() => 1,
            Self::Entry(entry) => 1 + entry.below.len(),
        }
    }
}

impl Section<'_, '_> {
    /// How much of what is in it.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.items.iter().for_each(|item| item.count(&mut tally));
        tally
    }
}

impl<'e, 'a> Sections<'e, 'a> {
    /// Puts entries into sections.
    pub(super) fn of(plan: &'a Plan, review: &Review<'a>, entries: &'e [Entry<'a>]) -> Self {
        let section = |label: &str, items| Section { label: label.to_owned(), places: None, items };
        let (mut first, rest): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry.rank() == 0);
        first.sort_by_key(|entry| Reverse(entry.changes.iter().map(|change| review.within(change).len()).sum::<usize>()));
        let mut sections = vec![
            section("Not planned, because it could not be observed", blocked(plan)),
            section("Replaced or deleted", first.into_iter().map(Item::Entry).collect()),
        ];
        let mut by_places: BTreeMap<(bool, Reverse<usize>, &Places<'a>), Vec<Item<'e, 'a>>> = BTreeMap::new();
        for entry in rest {
            let of = (entry.places.is_empty(), Reverse(entry.places.len()), &entry.places);
            by_places.entry(of).or_default().push(Item::Entry(entry));
        }
        for ((_, _, places), items) in by_places {
            sections.push(Section { label: label(review.clusters(), places), places: Some(places.clone()), items });
        }
        sections.retain(|section| !section.items.is_empty());
        Self(sections)
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.each().map(Item::lines).sum()
    }

    /// Everything in all of them.
    pub(super) fn each(&self) -> impl Iterator<Item = &Item<'e, 'a>> {
        self.0.iter().flat_map(|section| &section.items)
    }
}

fn label(clusters: &Clusters<'_>, places: &Places<'_>) -> String {
    match places.len() {
        0 => "Outside all clusters".to_owned(),
        1 => format!("Only in {}", clusters.named(places)),
        _ => format!("In {}", clusters.named(places)),
    }
}

/// The place of what could not be planned, why, and what it waits for.
type Likeness<'a> = (Option<&'a Address>, &'a str, Option<&'a Address>);

/// What could not be planned; what has one reason in one place stands once.
fn blocked<'e, 'a>(plan: &'a Plan) -> Vec<Item<'e, 'a>> {
    let mut alike: BTreeMap<Likeness<'a>, Vec<&'a Blocked>> = BTreeMap::new();
    for blocked in &plan.blocked {
        let place = plan.prior.record(&blocked.address).and_then(|record| record.place.as_ref());
        alike.entry((place, &blocked.why, blocked.after.as_ref())).or_default().push(blocked);
    }
    alike.into_iter().map(|((place, ..), blocked)| Item::Blocked(blocked, place.into_iter().collect())).collect()
}
