//! What unknown values wait for: the resources that apply has to make or change first.

use crate::notation::{KNOWN_AFTER_APPLY, key, step};
use engine::address::Address;
use engine::config::SlotId;
use engine::plan::{Op, Plan, Program};
use engine::value::{Data, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Most resources that are named.
const NAMED: usize = 2;

/// What stands for the unknown parts of one resource's arguments, by their paths.
#[derive(Debug, Default)]
pub(crate) struct Unknowns(BTreeMap<String, String>);

impl Unknowns {
    /// What stands for what is unknown at a path: words about it, or about what it is part of.
    pub(crate) fn words(&self, path: &str) -> String {
        let mut path = path;
        loop {
            match (self.0.get(path), path.rfind(['.', '['])) {
                (Some(words), _) => return words.clone(),
                (None, Some(at)) => path = &path[..at],
                (None, None) => return KNOWN_AFTER_APPLY.to_owned(),
            }
        }
    }

    /// Whether anything is said about what is unknown at a path itself.
    pub(crate) fn tells(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }
}

/// What a program makes or changes, and from which arguments.
pub(crate) struct Waits<'a> {
    program: &'a Program,
}

impl<'a> Waits<'a> {
    pub(crate) fn of(plan: &'a Plan) -> Self {
        Self { program: &plan.program }
    }

    /// What stands for the unknown parts of a resource's arguments. What only the resource itself makes known is not among them.
    pub(crate) fn unknowns(&self, address: &Address) -> Unknowns {
        let mut unknowns = Unknowns::default();
        if let Some(arguments) = self.arguments(address) {
            self.collect(("", arguments), Some(address), &mut unknowns);
        }
        unknowns
    }

    /// What stands for the unknown parts of an output, by paths that begin with its name.
    pub(crate) fn of_output(&self, output: &str) -> Unknowns {
        let mut unknowns = Unknowns::default();
        for slot in &self.program.slots {
            if let Op::Output { name, value, .. } = &slot.op
                && **name == *output
            {
                self.collect((&key(output), value), None, &mut unknowns);
            }
        }
        unknowns
    }

    /// The arguments of a resource that is made or changed, as a template.
    fn arguments(&self, address: &Address) -> Option<&'a Value> {
        let slot = self.program.instances.get(address)?;
        match &self.program.slots.get(slot.0 as usize)?.op {
            Op::Create { arguments, .. }
            | Op::Settle { arguments, .. }
            | Op::Update { arguments, .. }
            | Op::Read { arguments, .. }
            | Op::Probe { arguments, .. } => Some(arguments),
            _ => None,
        }
    }

    /// Adds words for each unknown within a template.
    fn collect(&self, (path, value): (&str, &Value), address: Option<&Address>, unknowns: &mut Unknowns) {
        match value.data() {
            Data::Unknown(_, thunk) => {
                let mut found = BTreeSet::new();
                self.follow(SlotId(thunk.0), &mut found);
                found.retain(|found| Some(*found) != address);
                if !found.is_empty() {
                    unknowns.0.insert(path.to_owned(), words(&found));
                }
            }
            Data::Sequence(sequence) if !value.is_known() => {
                for (at, item) in sequence.items().iter().enumerate() {
                    self.collect((&format!("{path}[{at}]"), item), address, unknowns);
                }
            }
            Data::Mapping(mapping) if !value.is_known() => {
                for entry in mapping.entries() {
                    self.collect((&step(path, &entry.key), &entry.value), address, unknowns);
                }
            }
            _ => {}
        }
    }

    /// Adds the resources that a slot waits for, through all slots that are about none.
    fn follow(&self, from: SlotId, found: &mut BTreeSet<&'a Address>) {
        let mut open = vec![from];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            let Some(slot) = self.program.slots.get(id.0 as usize).filter(|_| seen.insert(id)) else { continue };
            match slot.op.target() {
                Some(target) => {
                    found.insert(&target.address);
                }
                None => open.extend(&slot.needs),
            }
        }
    }
}

fn words(addresses: &BTreeSet<&Address>) -> String {
    let named: Vec<String> = addresses.iter().take(NAMED).map(ToString::to_string).collect();
    let named = named.join(", ");
    let known = KNOWN_AFTER_APPLY.trim_end_matches(')');
    match addresses.len().saturating_sub(NAMED) {
        0 => format!("{known} of {named})"),
        more => format!("{known} of {named} and {more} more)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::config::{Expr, Node};
    use engine::plan::{Slot, Target};
    use engine::source::{FileId, Span};
    use engine::value::{Thunk, Type};

    fn target(name: &str) -> Target {
        Target::of(Address::managed("k", name))
    }

    fn create(name: &str, arguments: Value, needs: Vec<SlotId>) -> Slot {
        Slot { op: Op::Create { target: target(name).into(), arguments, planned: Value::null() }, needs }
    }

    fn unknown(slot: u32) -> Value {
        Value::deferred(Type::String, Thunk(slot))
    }

    #[test]
    fn an_unknown_names_what_it_waits_for_and_nothing_beyond() {
        let literal = Expr::new(Node::Literal(Value::null()), Span::new(FileId(0), 0..0));
        let eval = |needs: Vec<SlotId>| Slot { op: Op::Eval(literal.clone()), needs };
        let ids = |ids: &[u32]| ids.iter().copied().map(SlotId).collect::<Vec<_>>();
        let list = Value::tuple(vec![Value::null(), unknown(4)]);
        let arguments = Value::object([("all", unknown(5)), ("known", Value::number(1)), ("list", list), ("own", unknown(6))]);
        let plan = Plan {
            program: Program {
                slots: vec![
                    create("a", Value::null(), ids(&[])),
                    create("b", Value::null(), ids(&[0])),
                    create("c", Value::null(), ids(&[])),
                    eval(ids(&[1])),
                    eval(ids(&[3])),
                    eval(ids(&[0, 2, 3])),
                    eval(ids(&[])),
                    create("d", arguments, ids(&[4, 5, 6])),
                ],
                instances: BTreeMap::from([(Address::managed("k", "d"), SlotId(7))]),
                ..Program::default()
            },
            ..Plan::default()
        };
        let gateways = Value::object([("c1", unknown(5)), ("c2", Value::string("10.0.0.1"))]);
        let output = Slot { op: Op::Output { name: "gateways".into(), value: gateways, sensitive: false }, needs: ids(&[5]) };
        let mut with_output = plan.clone();
        with_output.program.slots.push(output);
        let of_output = Waits::of(&with_output).of_output("gateways");
        assert_eq!(of_output.words("gateways.c1"), "(known after apply of k.a, k.b and 1 more)");
        assert!(!of_output.tells("gateways.c2") && !Waits::of(&plan).of_output("gateways").tells("gateways.c1"));
        let unknowns = Waits::of(&plan).unknowns(&Address::managed("k", "d"));
        for (path, words, tells) in [
            ("all", "(known after apply of k.a, k.b and 1 more)", true),
            ("all.within[3]", "(known after apply of k.a, k.b and 1 more)", false),
            ("list[1]", "(known after apply of k.b)", true),
            ("list[0]", "(known after apply)", false),
            ("own", "(known after apply)", false),
            ("other", "(known after apply)", false),
        ] {
            assert_eq!((unknowns.words(path).as_str(), unknowns.tells(path)), (words, tells), "{path}");
        }
    }
}
