//! The mesh of a plan: clusters with what lies in them, which of them refer to which, and what lies in none.

use super::colour::{Colour, Tally};
use engine::address::{Address, Key, ModulePath};
use engine::plan::{Blocked, Change, Plan};
use engine::value::{Data, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Most clusters of which each is spelled out by kind.
const MOST_SPELLED: usize = 8;
/// The label that says which network something lies in.
const NETWORK_LABEL: &str = "topology.istio.io/network";

/// A mesh.
#[derive(Debug, Default)]
pub(super) struct Mesh<'a> {
    /// By network, then by name.
    pub(super) clusters: Vec<Cluster<'a>>,
    /// Clusters that refer to others, by their positions.
    pub(super) links: BTreeMap<(usize, usize), Link>,
    /// What lies in no cluster, by module.
    pub(super) outside: BTreeMap<&'a ModulePath, Kinds<'a>>,
    positions: BTreeMap<&'a Address, usize>,
}

/// How many there are of each kind.
pub(super) type Kinds<'a> = BTreeMap<&'a str, Tally>;

/// A cluster, or another place that resources lie in.
#[derive(Debug)]
pub(super) struct Cluster<'a> {
    /// What it is called where there is little room.
    pub(super) label: String,
    /// What describes it.
    pub(super) address: &'a Address,
    /// The network of its pods, if something in it says so.
    pub(super) network: Option<String>,
    /// What becomes of the cluster itself, if it is in the plan.
    pub(super) own: Colour,
    /// What lies in it, but for gateways.
    pub(super) kinds: Kinds<'a>,
    /// Its gateways: what becomes of each, and its address as far as it is known.
    pub(super) gateways: Vec<(Colour, Option<String>)>,
    /// All that lies in it.
    pub(super) tally: Tally,
}

/// What in one cluster refers to another.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// What becomes of what refers.
    pub(super) tally: Tally,
    /// What refers.
    pub(super) addresses: Vec<String>,
}

impl<'a> Mesh<'a> {
    /// Looks at a plan.
    pub(super) fn of(plan: &'a Plan) -> Self {
        let mut mesh = Self::default();
        let remembered = |blocked: &Blocked| plan.prior.record(&blocked.address).and_then(|record| record.place.as_ref());
        let mut places: BTreeSet<&Address> = plan.changes.iter().filter_map(|change| change.place.as_ref()).collect();
        places.extend(plan.blocked.iter().filter_map(remembered));
        mesh.clusters = clusters(plan, &places);
        mesh.positions = mesh.clusters.iter().enumerate().map(|(at, cluster)| (cluster.address, at)).collect();
        let mut lies = BTreeMap::new();
        for change in &plan.changes {
            mesh.count(change);
            if let Some(at) = change.place.as_ref().and_then(|place| mesh.positions.get(place)) {
                lies.insert(&change.address, *at);
            }
        }
        for blocked in &plan.blocked {
            mesh.tally((&blocked.address, remembered(blocked)), &blocked.address.kind, Colour::Blocked);
        }
        for change in &plan.changes {
            mesh.link(change, &lies);
        }
        mesh.shorten();
        mesh
    }

    /// Of many clusters each has no more than its sums.
    fn shorten(&mut self) {
        if self.clusters.len() > MOST_SPELLED {
            for cluster in &mut self.clusters {
                cluster.kinds = Kinds::from([("resources", cluster.tally.clone())]);
                cluster.gateways.clear();
            }
        }
    }

    /// Whether there is nothing to be seen.
    pub(super) fn is_empty(&self) -> bool {
        self.clusters.is_empty() && self.outside.is_empty()
    }

    /// The cluster that something lies in, by its position. A cluster lies in itself.
    pub(super) fn position(&self, address: &Address, place: Option<&Address>) -> Option<usize> {
        self.positions.get(address).or_else(|| self.positions.get(place?)).copied()
    }

    /// What links to places lead to.
    pub(super) fn ids(&self, places: &BTreeSet<&Address>) -> Vec<String> {
        places.iter().filter_map(|place| self.positions.get(place)).map(|at| format!("place-{at}")).collect()
    }

    fn count(&mut self, change: &'a Change) {
        let colour = Colour::of(change.action);
        if let Some(at) = self.positions.get(&change.address) {
            let cluster = &mut self.clusters[*at];
            cluster.own = cluster.own.min(colour);
            cluster.tally.count(colour);
            return;
        }
        let gateway = change.place.as_ref().and_then(|place| self.positions.get(place)).filter(|_| change.kind.ends_with("_gateway"));
        match gateway {
            Some(at) => {
                let known = side(change).and_then(|value| value.get("address")).filter(|value| !value.is_marked_sensitive());
                self.clusters[*at].gateways.push((colour, known.and_then(Value::as_str).map(str::to_owned)));
                self.clusters[*at].tally.count(colour);
            }
            None => self.tally((&change.address, change.place.as_ref()), &change.kind, colour),
        }
    }

    fn tally(&mut self, (address, place): (&'a Address, Option<&Address>), kind: &'a str, colour: Colour) {
        match self.position(address, place) {
            Some(at) => {
                self.clusters[at].tally.count(colour);
                self.clusters[at].kinds.entry(kind).or_default().count(colour);
            }
            None => self.outside.entry(&address.module).or_default().entry(kind).or_default().count(colour),
        }
    }

    /// Notes which other clusters something refers to.
    fn link(&mut self, change: &Change, lies: &BTreeMap<&Address, usize>) {
        let Some(from) = change.place.as_ref().and_then(|place| self.positions.get(place)).copied() else { return };
        let referred = side(change).into_iter().flat_map(Value::entries).filter_map(|entry| address_of(&entry.value));
        let reached: BTreeSet<usize> = referred.filter_map(|address| lies.get(&address).copied()).filter(|to| *to != from).collect();
        for to in reached {
            let link = self.links.entry((from, to)).or_default();
            link.tally.count(Colour::of(change.action));
            link.addresses.push(change.address.to_string());
        }
    }
}

fn clusters<'a>(plan: &'a Plan, places: &BTreeSet<&'a Address>) -> Vec<Cluster<'a>> {
    let key = |place: &Address| match &place.key {
        Key::Text(text) => text.to_string(),
        Key::None | Key::Number(_) => place.to_string(),
    };
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for place in places {
        *times.entry(key(place)).or_default() += 1;
    }
    let label = |place: &Address| Some(key(place)).filter(|key| times.get(key) == Some(&1)).unwrap_or_else(|| place.to_string());
    let networks = networks(plan);
    let of = |place: &&'a Address| Cluster {
        label: label(place),
        address: place,
        network: networks.get(place).map(|(_, network)| network.clone()),
        own: Colour::Keep,
        kinds: Kinds::new(),
        gateways: Vec::new(),
        tally: Tally::default(),
    };
    let mut clusters: Vec<_> = places.iter().map(of).collect();
    clusters.sort_by_cached_key(|cluster| (cluster.network.clone(), natural(&cluster.label)));
    clusters
}

/// Orders names as people do: `c2` before `c10`.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let (letters, after) = rest.split_at(digits);
        let end = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
        let number = if end == 0 { 0 } else { after[..end].parse().unwrap_or(u64::MAX) };
        parts.push((letters.to_owned(), number));
        rest = &after[end..];
    }
    parts
}

/// The network of each place: by an attribute of that name, otherwise by a label.
fn networks(plan: &Plan) -> BTreeMap<&Address, (usize, String)> {
    let mut networks = BTreeMap::new();
    for change in &plan.changes {
        let (Some(place), Some(value)) = (&change.place, side(change)) else { continue };
        let by_label = || value.present("labels")?.text(NETWORK_LABEL).map(|network| (1, network));
        let found = value.text("network").map(|network| (0, network)).or_else(by_label);
        if let Some((rank, network)) = found {
            let known = networks.entry(place).or_insert_with(|| (rank, network.to_owned()));
            if rank < known.0 {
                *known = (rank, network.to_owned());
            }
        }
    }
    networks
}

/// What a thing becomes, or what it was if it goes.
fn side(change: &Change) -> Option<&Value> {
    change.after.as_ref().or(change.before.as_ref())
}

/// The resource that a value refers to, also where it is remembered as a text.
fn address_of(value: &Value) -> Option<Address> {
    match value.data() {
        Data::Reference(instance) | Data::Instance(instance) => Some(instance.address.clone()),
        Data::String(text) if !value.is_marked_sensitive() && text.contains('.') && text.len() < 400 => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_as_people_do() {
        let mut names = ["c10", "c2", "c", "b9-x", "c2a", "99999999999999999999999", "1"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["1", "99999999999999999999999", "b9-x", "c", "c2", "c2a", "c10"]);
    }
}
