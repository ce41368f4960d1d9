//! Changes put together for whoever reviews them: the same change of many things stands once.

use crate::clusters::{Clusters, Places};
use crate::consequences::consequences;
use crate::definitions::Definitions;
use crate::difference::{Difference, Leaf, What};
use crate::merge::{ANY_PLACE, merged, structure};
use engine::address::{Address, AddressParts, Key, ModulePath};
use engine::plan::{Action, Change, Reason};
use std::collections::BTreeMap;

/// The attribute of an object's change that holds the object.
const OBJECT: &str = "manifest.";

/// Most members that stand without their set.
const FEW: usize = 2;

/// How far changes are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// What is the same of many things stands once.
    #[default]
    Folded,
    /// Each thing stands by itself, with all that is known of it.
    Full,
}

/// One change, or the same change of several things.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The changes, in the order of the plan; at least one.
    pub changes: Vec<&'a Change>,
    /// Members of sets that change in the same way: what each is called within its set, in order. One if it stands by itself.
    pub members: Vec<&'a str>,
    /// What things of one block are told apart by, in the order of the changes, if it stands for several that are the same but for that.
    pub keys: Vec<String>,
    /// The places that they lie in.
    pub places: Places<'a>,
    /// Why: without what is each place's own.
    pub reason: String,
    /// What differs, if something was there and something will be.
    pub difference: Option<Difference>,
    /// What it brings about beside itself, each a whole phrase.
    pub causes: Vec<String>,
    /// What changes within a set.
    pub below: Vec<Self>,
}

impl<'a> Entry<'a> {
    /// The first of its changes, which stands for all.
    pub fn first(&self) -> &'a Change {
        self.changes[0]
    }

    /// Replacements and deletions first, and what holds them; then everything else.
    pub fn rank(&self) -> usize {
        let ends = matches!(self.first().action, Action::Delete | Action::Replace | Action::ReplaceCreateFirst);
        usize::from(!ends && self.below.iter().all(|entry| entry.rank() > 0))
    }

    /// What differs, without what the changes below tell: a set's own text that they are rendered from, where it may not be shown.
    pub fn told(&self) -> Option<Difference> {
        let mut difference = self.difference.clone()?;
        if !self.below.is_empty() {
            difference.leaves.retain(tells);
        }
        Some(difference)
    }

    /// The few members of a set that change, if nothing is to be said of the set itself: they stand for it.
    pub fn few(&self) -> Option<&[Self]> {
        let head = self.first();
        let silent = head.action == Action::Keep || self.difference.as_ref().is_some_and(|found| !found.leaves.iter().any(tells));
        let plain = matches!(head.action, Action::Keep | Action::Update | Action::Settle) && head.causes.is_empty();
        let few = (1..=FEW).contains(&self.below.len());
        let each = self.below.iter().all(|member| member.members.len() == 1 && member.places == self.places);
        (plain && silent && few && each).then_some(self.below.as_slice())
    }

    /// The only one of these.
    pub fn alone(&self) -> Option<&Self> {
        match self.few()? {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Its members by kind and namespace, if it stands for several: `4 Role in istio-system` and their names.
    pub fn kinds(&self) -> Vec<(String, Vec<String>)> {
        if self.members.len() < 2 {
            return Vec::new();
        }
        let mut kinds: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for member in &self.members {
            let (kind, name) = member.split_once('/').unwrap_or(("", member));
            let (namespace, name) = name.split_once('/').unwrap_or(("", name));
            kinds.entry((namespace, kind)).or_default().push(name.to_owned());
        }
        let title = |(namespace, kind): (&str, &str), count: usize| match namespace {
            "" => format!("{count} {kind}"),
            _ => format!("{count} {kind} in {namespace}"),
        };
        kinds.into_iter().map(|(of, names)| (title(of, names.len()), names)).collect()
    }

    /// The address, with `[*]` for keys that are not the same for all.
    pub fn address(&self) -> String {
        if let [only] = self.changes.as_slice() {
            return only.address.to_string();
        }
        pattern(&self.changes.iter().map(|change| &change.address).collect::<Vec<_>>())
    }
}

/// Whether a leaf tells more than that something changes.
fn tells(leaf: &Leaf) -> bool {
    !matches!(leaf.what, What::Secret | What::Veiled)
}

/// What entries are made with.
pub(crate) struct Grouping<'a> {
    pub(crate) clusters: &'a Clusters<'a>,
    pub(crate) definitions: &'a Definitions,
    pub(crate) detail: Detail,
}

/// A change, looked at by itself.
struct Sight<'a> {
    change: &'a Change,
    place: Option<&'a Address>,
    reason: String,
    difference: Option<Difference>,
    causes: Vec<String>,
}

impl Sight<'_> {
    /// The same for changes that may stand together.
    fn likeness(&self) -> String {
        let change = self.change;
        let structure = self.difference.as_ref().map(structure).unwrap_or_default();
        let attributes: Vec<&str> = match (&change.before, &change.after) {
            (None, Some(after)) => after.entries().iter().filter(|entry| !entry.value.is_null()).map(|entry| &*entry.key).collect(),
            _ => Vec::new(),
        };
        let why = (&self.reason, &change.not_previewed, &change.causes, &self.causes);
        format!("{} {:?} {:?} {why:?} {attributes:?}\n{structure}", shape(&change.address), change.action, change.deposed)
    }
}

impl<'a> Grouping<'a> {
    /// Entries of things that are no members, each with the changes of its members.
    pub(crate) fn entries(&self, heads: &[&'a Change], members: &BTreeMap<Address, Vec<&'a Change>>) -> Vec<Entry<'a>> {
        let mut groups: Vec<Vec<Sight<'a>>> = Vec::new();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for change in heads {
            let sight = self.sight(change);
            let likeness = sight.place.filter(|_| self.detail == Detail::Folded).map(|_| sight.likeness());
            let at = likeness.and_then(|likeness| {
                let next = groups.len();
                let at = *known.entry(likeness).or_insert(next);
                (at < next).then_some(at)
            });
            match at {
                Some(at) => groups[at].push(sight),
                None => groups.push(vec![sight]),
            }
        }
        let mut entries = Vec::new();
        for group in groups {
            let places: Places<'_> = group.iter().filter_map(|sight| sight.place).collect();
            if places.len() > 1 {
                entries.push(self.entry(group, members));
            } else {
                entries.extend(group.into_iter().map(|sight| self.entry(vec![sight], members)));
            }
        }
        entries.sort_by_key(Entry::rank);
        entries
    }

    fn sight(&self, change: &'a Change) -> Sight<'a> {
        let difference = difference(self.definitions, change);
        let causes = consequences(change, difference.as_ref());
        let place = self.clusters.place(change);
        let own = place.map(|place| place.key.to_string()).filter(|key| !key.is_empty());
        let reason = change.reason.to_string();
        let reason = match own {
            Some(key) => reason.replace(&key, "[*]"),
            None => reason,
        };
        Sight { change, place, reason, difference, causes }
    }

    fn entry(&self, group: Vec<Sight<'a>>, members: &BTreeMap<Address, Vec<&'a Change>>) -> Entry<'a> {
        let within = group.iter().filter_map(|sight| members.get(&sight.change.address)).flatten();
        let within: Vec<&'a Change> = within.copied().collect();
        let below = self.below(&within);
        self.together(group, below)
    }

    /// Changes of one structure as one entry.
    fn together(&self, group: Vec<Sight<'a>>, below: Vec<Entry<'a>>) -> Entry<'a> {
        let names: Vec<String> =
            group.iter().map(|sight| sight.place.map_or_else(String::new, |place| self.clusters.label(place))).collect();
        let all: Vec<(&str, &Difference)> =
            names.iter().zip(&group).filter_map(|(name, sight)| Some((name.as_str(), sight.difference.as_ref()?))).collect();
        let difference = if all.is_empty() { None } else { Some(merged(&all, ANY_PLACE)) };
        let places = group.iter().filter_map(|sight| sight.place).collect();
        let changes: Vec<&'a Change> = group.iter().map(|sight| sight.change).collect();
        let members = changes.first().and_then(|change| change.address.member.as_deref()).into_iter().collect();
        let (reason, causes) = group.into_iter().next().map(|sight| (sight.reason, sight.causes)).unwrap_or_default();
        Entry { changes, members, keys: Vec::new(), places, reason, difference, causes, below }
    }

    /// Members: of each the places together, then those that change in the very same way.
    fn below(&self, changes: &[&'a Change]) -> Vec<Entry<'a>> {
        let mut order: Vec<Vec<Sight<'a>>> = Vec::new();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for change in changes {
            let sight = self.sight(change);
            let at = *known.entry(sight.likeness()).or_insert(order.len());
            if at == order.len() {
                order.push(Vec::new());
            }
            order[at].push(sight);
        }
        let entries: Vec<Entry<'a>> = order.into_iter().map(|group| self.together(group, Vec::new())).collect();
        let mut entries = if self.detail == Detail::Folded { combined(entries) } else { entries };
        entries.sort_by_key(Entry::rank);
        entries
    }
}

/// Fewest members without anything to show of them that stand together.
const FEWEST: usize = 4;

/// Members that change in the very same way, in the same places, as one.
fn combined(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    let mut alike: BTreeMap<String, Vec<Vec<usize>>> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        let first = entry.first();
        let places: Vec<String> = entry.places.iter().map(ToString::to_string).collect();
        let why = (
            first.reason.code(),
            &first.not_previewed,
            &first.deposed,
            &first.causes,
            &entry.causes,
            entry.places.len() == entry.changes.len(),
        );
        let groups = alike.entry(format!("{:?} {why:?} {places:?}", first.action)).or_default();
        match groups.iter_mut().find(|group| same_change(&entries[group[0]], entry)) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    let enough = |group: &Vec<usize>| group.len() >= if entries[group[0]].difference.is_some() { 2 } else { FEWEST };
    let leaders: BTreeMap<usize, usize> =
        alike.values().flatten().filter(|group| enough(group)).flat_map(|group| group[1..].iter().map(|at| (*at, group[0]))).collect();
    let mut kept: BTreeMap<usize, Entry<'_>> = BTreeMap::new();
    for (at, entry) in entries.into_iter().enumerate() {
        match leaders.get(&at).and_then(|leader| kept.get_mut(leader)) {
            Some(leader) => {
                leader.changes.extend(entry.changes);
                leader.members.extend(entry.members);
            }
            None => {
                kept.insert(at, entry);
            }
        }
    }
    kept.into_values().collect()
}

/// Whether two entries say the same of different things.
fn same_change(one: &Entry<'_>, other: &Entry<'_>) -> bool {
    let leaves = |entry: &Entry<'_>| entry.difference.as_ref().map(|found| found.leaves.clone());
    let telling = |entry: &Entry<'_>| entry.difference.as_ref().is_none_or(|found| !found.leaves.is_empty() && !is_secret(found));
    telling(one) && telling(other) && leaves(one) == leaves(other)
}

/// Whether nothing is told but that something secret changes: of two such changes nobody knows whether they are the same.
fn is_secret(difference: &Difference) -> bool {
    difference.leaves.iter().any(|leaf| matches!(leaf.what, What::Secret | What::Veiled))
}

/// What differs, if the thing was there and stays, or comes again.
fn difference(definitions: &Definitions, change: &Change) -> Option<Difference> {
    let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
    match change.action {
        Action::Import if !change.reason.changes_what_is_imported() => return None,
        Action::Update | Action::Import | Action::Replace | Action::ReplaceCreateFirst => {}
        _ => return None,
    }
    let mut found = Difference::of(definitions, before, after);
    if change.address.member.is_some() {
        for leaf in &mut found.leaves {
            if let Some(path) = leaf.path.strip_prefix(OBJECT) {
                leaf.path = path.to_owned();
            }
        }
    }
    Some(found)
}

/// An address without its keys.
pub(crate) fn shape(address: &Address) -> String {
    let module = address.module.steps().iter().fold(ModulePath::root(), |path, step| path.child(&step.name, Key::None));
    Address::from(AddressParts { module, key: Key::None, ..AddressParts::clone(address) }).to_string()
}

/// Addresses of one shape in one, with `[*]` for keys that differ.
fn pattern(addresses: &[&Address]) -> String {
    let Some(first) = addresses.first() else { return String::new() };
    let any = || Key::Text("*".into());
    let same = |key: fn(&Address, usize) -> Option<&Key>, at: usize| addresses.iter().all(|other| key(other, at) == key(first, at));
    let mut module = ModulePath::root();
    for (at, step) in first.module.steps().iter().enumerate() {
        let kept = same(|address, at| address.module.steps().get(at).map(|step| &step.key), at);
        module = module.child(&step.name, if kept { step.key.clone() } else { any() });
    }
    let key = if same(|address, _| Some(&address.key), 0) { first.key.clone() } else { any() };
    let parts = AddressParts { module, key, ..AddressParts::clone(first) };
    Address::from(parts).to_string().replace("[\"*\"]", "[*]")
}

/// A path as the reasons have it: within the object, if a change is one of an object.
pub(crate) fn object_path(path: &str) -> &str {
    path.strip_prefix(OBJECT).unwrap_or(path)
}

/// Whether a reason names fields that the lines below it show.
pub(crate) fn fields(reason: &Reason) -> &[String] {
    match reason {
        Reason::Configuration(paths) | Reason::CannotUpdate(paths) => paths,
        Reason::Drift(drift) => &drift.paths,
        Reason::Imported { changed, .. } => changed,
        _ => &[],
    }
}
