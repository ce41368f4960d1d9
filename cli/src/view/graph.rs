//! What depends on what, as DOT and Mermaid. Nodes and edges come in order of their addresses.

use engine::address::Address;
use engine::config::SlotId;
use engine::plan::{Plan, Program};
use review::html::Edges;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The edges of a plan: those of its program, and for what the program need not touch those that are remembered.
pub fn edges(plan: &Plan) -> Edges {
    let owners = owners(&plan.program);
    let mut edges = Edges::new();
    for change in &plan.changes {
        let mut needs = BTreeSet::new();
        if let Some(slot) = plan.program.instances.get(&change.address) {
            collect(&plan.program, &owners, (*slot, &change.address), &mut needs);
            // What is kept has no slot that another could need.
            let target = plan.program.slots.get(slot.0 as usize).and_then(|slot| slot.op.target());
            needs.extend(target.into_iter().flat_map(|target| target.depends_on.iter().cloned()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use engine::address::Key;
    use engine::plan::{Action, Change, Op, Reason, Slot, Target};
    use engine::state::{Entry, Record, RecordId};
    use engine::value::Value;

    fn change(address: &Address, action: Action) -> Change {
        Change::of(address.clone(), action, Reason::NotInState)
    }

    fn create(address: &Address, needs: &[u32]) -> Slot {
        Slot {
            op: Op::Create { target: Target::of(address.clone()).into(), arguments: Value::null(), planned: Value::null() },
            needs: needs.iter().copied().map(SlotId).collect(),
        }
    }

    /// `c` is created after `b["x"]` through a join; `b["x"]` after `a`; `d` is kept, and remembers that it was made from `a`.
    fn plan() -> Plan {
        let [a, c, d] = ["a", "c", "d"].map(|name| Address::managed("k", name));
        let b = Address::managed("k", "b").with_key(Key::Text("x".into()));
        let mut plan = Plan { changes: vec![change(&a, Action::Create), change(&b, Action::Create)], ..Plan::default() };
        plan.changes.extend([change(&c, Action::Create), change(&d, Action::Keep)]);
        let join = Slot { op: Op::Join, needs: vec![SlotId(1)] };
        plan.program.slots = vec![create(&a, &[]), create(&b, &[0]), join, create(&c, &[2])];
        plan.program.instances = [(a.clone(), 0), (b, 1), (c, 3)].map(|(address, slot)| (address, SlotId(slot))).into();
        let mut record = Record::new(RecordId::new("d"), "k");
        record.depends_on.insert(a);
        plan.prior.apply(&Entry::Put { address: d, deposed: None, record });
        plan
    }

    #[test]
    fn edges_lead_through_joins_and_from_memory() {
        assert_eq!(
            dot(&edges(&plan())),
            r#"digraph meshplan {
  rankdir = "RL";
  node [shape = "box", fontname = "monospace"];
  "k.a";
  "k.b[\"x\"]";
  "k.c";
  "k.d";
  "k.b[\"x\"]" -> "k.a";
  "k.c" -> "k.b[\"x\"]";
  "k.d" -> "k.a";
}
"#
        );
    }

    #[test]
    fn mermaid_gets_numbered_nodes_with_quoted_labels() {
        assert_eq!(
            mermaid(&edges(&plan())),
            "flowchart RL\n  n0[\"k.a\"]\n  n1[\"k.b[#quot;x#quot;]\"]\n  n2[\"k.c\"]\n  n3[\"k.d\"]\n  n1 --> n0\n  n2 --> n1\n  n3 --> n0\n"
        );
    }
}
