//! The places that a plan's changes lie in, and what they are called where there is little room.

use engine::address::{Address, Key};
use engine::plan::{Change, Counts, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// Most places that are named one by one.
const NAMED: usize = 6;

/// The places of a plan, changing or not.
#[derive(Debug, Default)]
pub struct Clusters<'a> {
    labels: BTreeMap<&'a Address, String>,
}

/// Which places something concerns.
pub type Places<'a> = BTreeSet<&'a Address>;

impl<'a> Clusters<'a> {
    /// All places that changes of a plan lie in. Each is called by its key if no other has the same, and by its address otherwise.
    pub fn of(plan: &'a Plan) -> Self {
        let places: Places<'a> = plan.changes.iter().filter_map(|change| change.place.as_ref()).collect();
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

    /// How many of each action there are in each place, if there are several; what lies in none comes last and has no label.
    pub fn counts(&self, plan: &'a Plan) -> Vec<(Option<String>, Counts)> {
        if self.labels.len() < 2 {
            return Vec::new();
        }
        let mut within: BTreeMap<Option<&Address>, Vec<Change>> = self.labels.keys().map(|place| (Some(*place), Vec::new())).collect();
        let light = |change: &Change| Change { before: None, after: None, ..change.clone() };
        for change in &plan.changes {
            within.entry(self.place(change)).or_default().push(light(change));
        }
        let outside = within.remove(&None).map(|changes| (None, Counts::of(&changes)));
        let placed = within.into_iter().map(|(place, changes)| (place.map(|place| self.label(place)), Counts::of(&changes)));
        placed.chain(outside.filter(|(_, counts)| Counts { keep: 0, ..*counts } != Counts::default())).collect()
    }
}
