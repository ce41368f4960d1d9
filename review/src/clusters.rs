//! The places that a plan's changes lie in, and what they are called where there is little room.

use engine::address::{Address, Key};
use engine::plan::{Blocked, Change, Counts, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// Most places that are named one by one.
const NAMED: usize = 6;

/// The places of a plan, changing or not.
#[derive(Debug, Default)]
pub struct Clusters<'a> {
    labels: BTreeMap<&'a Address, String>,
}

/// How much there is of each in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// What could not be planned.
    pub blocked: usize,
    /// What is planned.
    pub planned: Counts,
}

impl Tally {
    /// Whether there is nothing but what stays as it is.
    fn is_quiet(self) -> bool {
        self.blocked == 0 && Counts { keep: 0, ..self.planned } == Counts::default()
    }
}

/// Which places something concerns.
pub type Places<'a> = BTreeSet<&'a Address>;

impl<'a> Clusters<'a> {
    /// All places that changes of a plan lie in, or what it could not plan. Each is called by its key if no other has the same, and by its address otherwise.
    pub fn of(plan: &'a Plan) -> Self {
        let mut places: Places<'a> = plan.changes.iter().filter_map(|change| change.place.as_ref()).collect();
        places.extend(plan.blocked.iter().filter_map(|blocked| remembered(plan, blocked)));
        let key = |place: &Address| match &place.key {
            Key::Text(text) => Some(text.to_string()),
            _ => None,
        };
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for key in places.iter().filter_map(|place| key(place)) {
            *times.entry(key).or_default() += 1;
        }
        let label = |place: &Address| key(place).filter(|key| times.get(key) == Some(&1)).unwrap_or_else(|| place.to_string());
        Self { labels: places.into_iter().map(|place| (place, label(place))).collect() }
    }

    /// The place that a change lies in; a place lies in itself.
    pub fn place(&self, change: &'a Change) -> Option<&'a Address> {
        self.labels.get_key_value(&change.address).map(|(place, _)| *place).or(change.place.as_ref())
    }

    /// What a place is called.
    pub fn label(&self, place: &Address) -> String {
        self.labels.get(place).cloned().unwrap_or_else(|| place.to_string())
    }

    /// What several places are called together: `c1, c2`, `all 14 clusters`, `all clusters but c3`.
    pub fn named(&self, places: &Places<'_>) -> String {
        let list = |places: &mut dyn Iterator<Item = &Address>| places.map(|place| self.label(place)).collect::<Vec<_>>().join(", ");
        let missing = self.labels.len() - places.len();
        match (places.len(), missing) {
            (count, 0) if count > NAMED => format!("all {count} clusters"),
            (count, 1..=NAMED) if count > NAMED => {
                format!("all clusters but {}", list(&mut self.labels.keys().copied().filter(|place| !places.contains(*place))))
            }
            _ => list(&mut places.iter().copied()),
        }
    }

    /// How much of each there is in each place, if there are several; what lies in none comes last and has no label.
    pub fn tallies(&self, plan: &'a Plan) -> Vec<(Option<String>, Tally)> {
        if self.labels.len() < 2 {
            return Vec::new();
        }
        let mut within: BTreeMap<Option<&Address>, (usize, Vec<Change>)> =
            self.labels.keys().map(|place| (Some(*place), (0, Vec::new()))).collect();
        let light = |change: &Change| Change { before: None, after: None, ..change.clone() };
        for change in &plan.changes {
            within.entry(self.place(change)).or_default().1.push(light(change));
        }
        for blocked in &plan.blocked {
            let own = self.labels.get_key_value(&blocked.address).map(|(place, _)| *place);
            let after = || blocked.after.as_ref().filter(|after| self.labels.contains_key(after));
            within.entry(own.or_else(|| remembered(plan, blocked)).or_else(after)).or_default().0 += 1;
        }
        let tally = |(blocked, changes): (usize, Vec<Change>)| Tally { blocked, planned: Counts::of(&changes) };
        let outside = within.remove(&None).map(|found| (None, tally(found)));
        let placed = within.into_iter().map(|(place, found)| (place.map(|place| self.label(place)), tally(found)));
        placed.chain(outside.filter(|(_, tally)| !tally.is_quiet())).collect()
    }
}

/// The place of what could not be planned, as far as the state knows it.
fn remembered<'a>(plan: &'a Plan, blocked: &Blocked) -> Option<&'a Address> {
    plan.prior.record(&blocked.address).and_then(|record| record.place.as_ref())
}
