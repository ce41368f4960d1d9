//! Where the nodes of a graph of dependencies stand: a lane for each cluster, what needs nothing on the left, what needs it to its right.

use super::colour::{Colour, Tally};
use super::mesh::Mesh;
use engine::address::Address;
use engine::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// Every resource, and what each needs directly.
pub type Edges = BTreeMap<Address, BTreeSet<Address>>;

/// Width of a node, in pixels.
pub(super) const WIDTH: usize = 250;
/// Height of a node.
pub(super) const HEIGHT: usize = 42;
/// From one column to the next.
const COLUMN: usize = WIDTH + 80;
/// From one node to the next below it.
const ROW: usize = HEIGHT + 12;
/// Space around everything, and in each lane.
const MARGIN: usize = 20;
/// Space for the name of a lane.
const TITLE: usize = 34;

/// A resource. The members of a set stand for nothing by themselves: they are counted at their set.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) address: Address,
    pub(super) colour: Colour,
    pub(super) members: usize,
    /// The lane it stands in, by its position.
    pub(super) lane: usize,
    /// The longest way to something that needs nothing.
    depth: usize,
    pub(super) x: usize,
    pub(super) y: usize,
    /// What it needs, by position.
    pub(super) needs: Vec<usize>,
    /// Of what it needs, what nothing else that it needs does.
    pub(super) arrows: Vec<usize>,
}

/// What lies in one cluster, or in none and in one module.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) label: String,
    pub(super) y: usize,
    pub(super) height: usize,
    /// What becomes of what stands in it.
    pub(super) tally: Tally,
    /// How much of other lanes is needed in it directly, by their positions.
    pub(super) needs: BTreeMap<usize, usize>,
}

/// A graph that is laid out.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    pub(super) nodes: Vec<Node>,
    pub(super) lanes: Vec<Lane>,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Drawing {
    /// Lays out the resources of a plan.
    pub(super) fn of(plan: &Plan, edges: &Edges) -> Self {
        let mesh = Mesh::of(plan);
        let (nodes, labels) = nodes(plan, edges, &mesh);
        let mut drawing = Self { nodes, ..Self::default() };
        drawing.deepen();
        drawing.reduce();
        drawing.place(labels);
        drawing
    }

    /// Gives each node its depth. What needs itself through others stays on the left.
    fn deepen(&mut self) {
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        let mut open: Vec<usize> = self.nodes.iter().map(|node| node.needs.len()).collect();
        for (at, node) in self.nodes.iter().enumerate() {
            node.needs.iter().for_each(|need| needed_by[*need].push(at));
        }
        let mut ready: Vec<usize> = (0..self.nodes.len()).filter(|at| open[*at] == 0).collect();
        while let Some(at) = ready.pop() {
            for next in &needed_by[at] {
                self.nodes[*next].depth = self.nodes[*next].depth.max(self.nodes[at].depth + 1);
                open[*next] -= 1;
                if open[*next] == 0 {
                    ready.push(*next);
                }
            }
        }
    }

    /// Leaves out the arrows that others lead to as well, so that the rest can be followed.
    fn reduce(&mut self) {
        let words = self.nodes.len().div_ceil(64);
        let mut reached: Vec<Vec<u64>> = vec![vec![0; words]; self.nodes.len()];
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(|at| self.nodes[*at].depth);
        for at in order {
            let mut beyond = vec![0; words];
            for need in &self.nodes[at].needs {
                beyond.iter_mut().zip(&reached[*need]).for_each(|(word, more)| *word |= more);
            }
            let needs = &self.nodes[at].needs;
            let arrows = needs.iter().copied().filter(|need| beyond[need / 64] & (1 << (need % 64)) == 0).collect();
            for need in needs {
                beyond[need / 64] |= 1 << (need % 64);
            }
            reached[at] = beyond;
            self.nodes[at].arrows = arrows;
        }
    }

    /// Gives each node its place: columns from left to right, each in the order of what its nodes need.
    fn place(&mut self, labels: Vec<String>) {
        let mut y = MARGIN;
        let deepest = self.nodes.iter().map(|node| node.depth).max().unwrap_or(0);
        for (lane, label) in labels.into_iter().enumerate() {
            let mut rows = 0;
            for depth in 0..=deepest {
                let mut column: Vec<usize> =
                    (0..self.nodes.len()).filter(|at| self.nodes[*at].lane == lane && self.nodes[*at].depth == depth).collect();
                column.sort_by_key(|at| (self.middle_of_needs(*at), *at));
                rows = rows.max(column.len());
                for (row, at) in column.into_iter().enumerate() {
                    self.nodes[at].x = 2 * MARGIN + depth * COLUMN;
                    self.nodes[at].y = y + TITLE + row * ROW;
                }
            }
            let height = TITLE + rows * ROW + MARGIN / 2;
            let (tally, needs) = self.within(lane);
            self.lanes.push(Lane { label, y, height, tally, needs });
            y += height + MARGIN;
        }
        self.width = 4 * MARGIN + deepest * COLUMN + WIDTH;
        self.height = y;
    }

    /// What becomes of what stands in a lane, and how much of others it needs.
    fn within(&self, lane: usize) -> (Tally, BTreeMap<usize, usize>) {
        let mut tally = Tally::default();
        let mut needed: BTreeSet<usize> = BTreeSet::new();
        for node in self.nodes.iter().filter(|node| node.lane == lane) {
            tally.count(node.colour);
            needed.extend(node.needs.iter().filter(|need| self.nodes[**need].lane != lane));
        }
        let mut needs: BTreeMap<usize, usize> = BTreeMap::new();
        for need in needed {
            *needs.entry(self.nodes[need].lane).or_default() += 1;
        }
        (tally, needs)
    }

    fn middle_of_needs(&self, at: usize) -> usize {
        let needs = &self.nodes[at].needs;
        needs.iter().map(|need| self.nodes[*need].y).sum::<usize>() / needs.len().max(1)
    }
}

/// Every node, and what the lanes are called: first what lies in no cluster, by module, then the clusters.
fn nodes(plan: &Plan, edges: &Edges, mesh: &Mesh<'_>) -> (Vec<Node>, Vec<String>) {
    let head = |address: &Address| address.parent().filter(|parent| edges.contains_key(parent)).unwrap_or_else(|| address.clone());
    let mut needs: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    let mut members: BTreeMap<Address, usize> = BTreeMap::new();
    for (address, direct) in edges {
        let from = head(address);
        *members.entry(from.clone()).or_default() += usize::from(from != *address);
        let direct = direct.iter().map(head).filter(|to| *to != from);
        needs.entry(from.clone()).or_default().extend(direct);
    }
    let all: BTreeSet<Address> = needs.keys().cloned().chain(needs.values().flatten().cloned()).collect();
    let positions: BTreeMap<&Address, usize> = all.iter().enumerate().map(|(at, address)| (address, at)).collect();
    let lane = |address: &Address| {
        let place = plan.change(address).and_then(|change| change.place.as_ref());
        let cluster = mesh.position(address, place);
        (cluster, cluster.is_none().then(|| address.module.clone()))
    };
    let lanes: BTreeSet<_> = all.iter().map(lane).collect();
    let labels = lanes.iter().map(|(cluster, module)| match (cluster.and_then(|at| mesh.clusters.get(at)), module) {
        (Some(cluster), _) => {
            std::iter::once(cluster.label.clone()).chain(cluster.network.iter().map(|network| format!(" · {network}"))).collect()
        }
        (None, Some(module)) if !module.is_root() => module.to_string(),
        (None, _) => "outside all clusters".to_owned(),
    });
    let labels = labels.collect();
    let lanes: BTreeMap<_, usize> = lanes.into_iter().zip(0..).collect();
    let node = |address: &Address| Node {
        colour: plan.change(address).map_or(Colour::Keep, |change| Colour::of(change.action)),
        members: members.get(address).copied().unwrap_or(0),
        lane: lanes.get(&lane(address)).copied().unwrap_or(0),
        depth: 0,
        x: 0,
        y: 0,
        arrows: Vec::new(),
        needs: needs.get(address).into_iter().flatten().map(|need| positions[need]).collect(),
        address: address.clone(),
    };
    (all.iter().map(node).collect(), labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::address::{AddressParts, Key, ModulePath};
    use engine::plan::{Action, Change, Reason};

    fn leads_to(drawing: &Drawing, from: usize, to: usize) -> bool {
        drawing.nodes[from].needs.iter().any(|need| *need == to || leads_to(drawing, *need, to))
    }

    #[test]
    fn what_needs_something_stands_to_its_right_and_nothing_stands_on_another() {
        let name = |number: usize| Address::managed("k", &format!("n{number:02}"));
        let mut edges: Edges = (0..20).map(|at| (name(at), (0..at).filter(|to| (at * 7 + to * 3) % 5 == 0).map(name).collect())).collect();
        edges.insert(name(3).with_member("ConfigMap/a/b"), BTreeSet::from([name(3), name(1)]));
        let drawing = Drawing::of(&Plan::default(), &edges);
        assert_eq!((drawing.nodes.len(), drawing.nodes[3].members), (20, 1));
        assert!(drawing.nodes[3].needs.contains(&1), "what a member needs, its set needs");
        for (at, node) in drawing.nodes.iter().enumerate() {
            assert!(node.needs.iter().all(|need| drawing.nodes[*need].x < node.x), "{}", node.address);
            let through = |need: &usize| node.needs.iter().any(|other| leads_to(&drawing, *other, *need));
            assert!(node.needs.iter().all(|need| node.arrows.contains(need) != through(need)), "{}", node.address);
            assert!(node.x + WIDTH < drawing.width && node.y + HEIGHT < drawing.height);
            let apart = |other: &Node| other.x != node.x || other.y.abs_diff(node.y) >= HEIGHT;
            assert!(drawing.nodes[..at].iter().all(apart), "{}", node.address);
        }
    }

    #[test]
    fn a_lane_is_a_cluster_or_a_module_and_says_what_it_needs() {
        let keyed = |name: &str, key: &str| Address::managed("k", name).with_key(Key::Text(key.into()));
        let [c1, c2] = ["c1", "c2"].map(|key| keyed("cluster", key));
        let change = |address: &Address, place: Option<&Address>| Change {
            place: place.cloned(),
            ..Change::of(address.clone(), Action::Create, Reason::NotInState)
        };
        let root = Address::managed("k", "root");
        let module = ModulePath::root().child("ca", Key::None);
        let inner = Address::from(AddressParts { module, ..AddressParts::clone(&root) });
        let [a, b] = [("c1", &c1), ("c2", &c2)].map(|(key, place)| (keyed("a", key), place));
        let mut changes = vec![change(&c1, None), change(&c2, None), change(&root, None), change(&inner, None)];
        changes.extend([change(&a.0, Some(a.1)), change(&b.0, Some(b.1))]);
        changes.sort_by(|one, other| one.address.cmp(&other.address));
        let needs = |of: &[&Address]| of.iter().map(|address| (*address).clone()).collect::<BTreeSet<_>>();
        let edges = Edges::from([
            (a.0.clone(), needs(&[&c1, &root, &inner])),
            (b.0.clone(), needs(&[&c2, &a.0, &inner])),
            (root, BTreeSet::new()),
            (inner, BTreeSet::new()),
        ]);
        let drawing = Drawing::of(&Plan { changes, ..Plan::default() }, &edges);
        let told: Vec<_> = drawing.lanes.iter().map(|lane| (&*lane.label, lane.tally.of(Colour::Create), &lane.needs)).collect();
        let needs = |of: &[(usize, usize)]| of.iter().copied().collect::<BTreeMap<_, _>>();
        let (none, first, second) = (needs(&[]), needs(&[(0, 1), (1, 1)]), needs(&[(1, 1), (2, 1)]));
        assert_eq!(told, [("outside all clusters", 1, &none), ("module.ca", 1, &none), ("c1", 2, &first), ("c2", 2, &second)]);
        assert!(drawing.lanes.is_sorted_by_key(|lane| lane.y));
        for node in &drawing.nodes {
            let lane = &drawing.lanes[node.lane];
            assert!(lane.y < node.y && node.y + HEIGHT < lane.y + lane.height, "{}", node.address);
        }
    }

    #[test]
    fn what_needs_itself_through_others_is_drawn_all_the_same() {
        let [a, b] = ["a", "b"].map(|name| Address::managed("k", name));
        let edges = Edges::from([(a.clone(), BTreeSet::from([b.clone()])), (b, BTreeSet::from([a]))]);
        assert_eq!(Drawing::of(&Plan::default(), &edges).nodes.len(), 2);
    }
}
