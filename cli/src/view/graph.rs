//! What depends on what, as DOT and Mermaid. Nodes and edges come in order of their addresses.

use engine::address::Address;
use engine::config::SlotId;
use engine::plan::{Plan, Program};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Every resource of a plan, and what each needs directly.
pub type Edges = BTreeMap<Address, BTreeSet<Address>>;

/// The edges of a plan: those of its program, and for what the program need not touch those that are remembered.
pub fn edges(plan: &Plan) -> Edges {
    let owners = owners(&plan.program);
    let mut edges = Edges::new();
    for change in &plan.changes {
        let mut needs = BTreeSet::new();
        if let Some(slot) = plan.program.instances.get(&change.address) {
            collect(&plan.program, &owners, (*slot, &change.address), &mut needs);
        }
        if let Some(record) = plan.prior.record(&change.address) {
            needs.extend(record.depends_on.iter().cloned());
        }
        needs.remove(&change.address);
        edges.insert(change.address.clone(), needs);
    }
    edges
}

/// Which resource a slot is about.
fn owners(program: &Program) -> BTreeMap<SlotId, &Address> {
    let mut owners: BTreeMap<SlotId, &Address> = program.instances.iter().map(|(address, slot)| (*slot, address)).collect();
    for (at, slot) in (0u32..).zip(&program.slots) {
        if let Some(target) = slot.op.target() {
            owners.insert(SlotId(at), &target.address);
        }
    }
    owners
}

/// Adds the resources that a slot needs, also through slots that are about none.
fn collect(program: &Program, owners: &BTreeMap<SlotId, &Address>, from: (SlotId, &Address), needs: &mut BTreeSet<Address>) {
    let mut open = vec![from.0];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let Some(slot) = program.slots.get(id.0 as usize) else { continue };
        for need in &slot.needs {
            match owners.get(need) {
                Some(address) if *address != from.1 => {
                    needs.insert((*address).clone());
                }
                _ if seen.insert(*need) => open.push(*need),
                _ => {}
            }
        }
    }
}

/// The graph for Graphviz, an arrow from each resource to what it needs.
pub fn dot(edges: &Edges) -> String {
    let mut text = "digraph meshplan {\n  rankdir = \"RL\";\n  node [shape = \"box\", fontname = \"monospace\"];\n".to_owned();
    for address in edges.keys() {
        let _ = writeln!(text, "  {};", quoted(address));
    }
    for (address, needs) in edges {
        for need in needs {
            let _ = writeln!(text, "  {} -> {};", quoted(address), quoted(need));
        }
    }
    text.push_str("}\n");
    text
}

/// The graph as a Mermaid flowchart.
pub fn mermaid(edges: &Edges) -> String {
    let mut all: BTreeSet<&Address> = edges.keys().collect();
    all.extend(edges.values().flatten());
    let ids: BTreeMap<&Address, usize> = all.iter().enumerate().map(|(at, address)| (*address, at)).collect();
    let mut text = "flowchart RL\n".to_owned();
    for (address, id) in &ids {
        let label = address.to_string().replace('"', "#quot;");
        let _ = writeln!(text, "  n{id}[\"{label}\"]");
    }
    for (address, needs) in edges {
        for need in needs {
            let _ = writeln!(text, "  n{} --> n{}", ids[address], ids[need]);
        }
    }
    text
}

fn quoted(address: &Address) -> String {
    format!("\"{}\"", address.to_string().replace('\\', "\\\\").replace('"', "\\\""))
}
