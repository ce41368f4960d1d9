//! Orders and circles of a directed graph. The only module that names `petgraph`.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::VecDeque;

/// An order in which every node comes after those it needs, or every circle there is.
///
/// Nodes are `0..count`, at most `u32::MAX`; an edge `(a, b)` says that `a` needs `b`. Each circle is a closed walk without its first
/// node repeated at the end, the smallest node first. Linear in nodes and edges, without recursion.
pub fn order(count: usize, edges: &[(usize, usize)]) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let order = Needing::new(count, edges).order();
    let mut place = vec![0_u32; count];
    for (at, node) in order.iter().enumerate() {
        place[*node] = small(at);
    }
    if edges.iter().all(|(node, needed)| place[*needed] < place[*node]) {
        return Ok(order);
    }
    Err(circles(count, edges))
}

/// The nodes that need each node. A plan has one of these at its peak: four bytes a node and four an edge.
struct Needing {
    /// Where the list of a node begins; it ends where the next one begins.
    starts: Vec<u32>,
    nodes: Vec<u32>,
}

impl Needing {
    fn new(count: usize, edges: &[(usize, usize)]) -> Self {
        let mut starts = vec![0_u32; count + 1];
        for (_, needed) in edges {
            starts[needed + 1] += 1;
        }
        for at in 1..=count {
            starts[at] += starts[at - 1];
        }
        let mut open = starts.clone();
        let mut nodes = vec![0; edges.len()];
        for (node, needed) in edges.iter().rev() {
            nodes[open[*needed] as usize] = small(*node);
            open[*needed] += 1;
        }
        Self { starts, nodes }
    }

    fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.nodes[self.starts[node] as usize..self.starts[node + 1] as usize]
    }

    /// Depth first: a node is done after all that need it, and stands before them. Without circles that is an order.
    fn order(&self) -> Vec<usize> {
        let count = self.starts.len() - 1;
        let (mut seen, mut done) = (vec![false; count], vec![false; count]);
        let mut order = Vec::with_capacity(count);
        let mut open: Vec<u32> = Vec::new();
        for first in 0..count {
            if !seen[first] {
                open.push(small(first));
            }
            while let Some(node) = open.last().copied() {
                let at = node as usize;
                if seen[at] {
                    open.pop();
                    if !std::mem::replace(&mut done[at], true) {
                        order.push(at);
                    }
                } else {
                    seen[at] = true;
                    open.extend(self.of(node).iter().filter(|next| !seen[**next as usize]));
                }
            }
        }
        order.reverse();
        order
    }
}

fn small(node: usize) -> u32 {
    u32::try_from(node).unwrap_or(u32::MAX)
}

/// Every circle there is.
fn circles(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut graph = DiGraph::<(), (), usize>::with_capacity(count, edges.len());
    for _ in 0..count {
        graph.add_node(());
    }
    for (node, needed) in edges {
        graph.add_edge(NodeIndex::new(*needed), NodeIndex::new(*node), ());
    }
    let mut circles: Vec<_> = kosaraju_scc(&graph)
        .into_iter()
        .filter_map(|component| {
            let mut members: Vec<usize> = component.into_iter().map(NodeIndex::index).collect();
            members.sort_unstable();
            shortest_circle(&members, edges)
        })
        .collect();
    circles.sort();
    circles
}

/// The shortest closed walk through the smallest member of a strongly connected component, in the direction of need.
fn shortest_circle(members: &[usize], edges: &[(usize, usize)]) -> Option<Vec<usize>> {
    let first = *members.first()?;
    let mut inside: Vec<_> = edges.iter().filter(|(a, b)| members.binary_search(a).is_ok() && members.binary_search(b).is_ok()).collect();
    inside.sort_unstable();
    let mut came_from = vec![None; members.len()];
    let place = |node: usize| members.binary_search(&node).unwrap_or_default();
    let mut open = VecDeque::from([first]);
    while let Some(node) = open.pop_front() {
        let from = inside.partition_point(|(from, _)| *from < node);
        for (_, needed) in inside[from..].iter().take_while(|(from, _)| *from == node) {
            if *needed == first {
                let mut circle = vec![node];
                let mut at = node;
                while at != first {
                    at = came_from[place(at)]?;
                    circle.push(at);
                }
                circle.reverse();
                return Some(circle);
            }
            if came_from[place(*needed)].is_none() {
                came_from[place(*needed)] = Some(node);
                open.push_back(*needed);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_comes_after_those_it_needs() {
        let edges = [(0, 1), (1, 2), (3, 2), (0, 3)];
        let order = order(4, &edges).unwrap();
        let at = |node| order.iter().position(|n| *n == node).unwrap();
        assert!(edges.iter().all(|(node, needed)| at(*needed) < at(*node)));
    }

    #[test]
    fn circles_are_found_whole_and_each_once() {
        assert_eq!(order(5, &[(0, 1), (1, 2), (2, 0), (3, 4), (4, 3), (2, 3)]), Err(vec![vec![0, 1, 2], vec![3, 4]]));
        assert_eq!(order(2, &[(1, 1), (1, 0)]), Err(vec![vec![1]]));
    }

    #[test]
    fn a_long_chain_does_not_exhaust_the_stack() {
        let edges: Vec<_> = (1..100_000).map(|node| (node, node - 1)).chain([(0, 99_999)]).collect();
        assert_eq!(order(100_000, &edges).map_err(|circles| circles.len()), Err(1));
        assert_eq!(order(100_000, &edges[..99_999]).map(|order| order.len()), Ok(100_000));
    }
}
