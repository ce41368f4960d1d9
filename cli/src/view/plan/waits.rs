//! What unknown values wait for: the resources that apply has to make or change first.

use crate::view::value::KNOWN_AFTER_APPLY;
use engine::address::Address;
use engine::config::SlotId;
use engine::plan::{Op, Plan, Program};
use engine::value::{Data, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Most resources that are named.
const NAMED: usize = 2;

/// What stands for the unknown parts of each argument of one resource.
pub(super) type Unknowns = BTreeMap<String, String>;

/// The arguments of every resource that a program makes or changes, as templates.
pub(super) struct Waits<'a> {
    program: &'a Program,
    arguments: BTreeMap<&'a Address, &'a Value>,
}

impl<'a> Waits<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let arguments = plan.program.slots.iter().filter_map(|slot| match &slot.op {
            Op::Create { target, arguments, .. } | Op::Update { target, arguments, .. } | Op::Read { target, arguments } => {
                Some((&target.address, arguments))
            }
            _ => None,
        });
        Self { program: &plan.program, arguments: arguments.collect() }
    }

    /// What stands for the unknown parts of a resource's arguments, by the argument's name. What only the resource itself makes known
    /// is not among them.
    pub(super) fn unknowns(&self, address: &Address) -> Unknowns {
        let arguments = self.arguments.get(address).map_or(&[][..], |arguments| arguments.entries());
        let words = |value: &Value| {
            let mut found = BTreeSet::new();
            self.collect(value, &mut found);
            found.remove(address);
            (!found.is_empty()).then(|| words(&found))
        };
        arguments.iter().filter_map(|entry| Some((entry.key.to_string(), words(&entry.value)?))).collect()
    }

    /// Adds what the unknowns within a template wait for.
    fn collect(&self, value: &Value, found: &mut BTreeSet<&'a Address>) {
        if let Data::Unknown(_, thunk) = value.data() {
            self.follow(SlotId(thunk.0), found);
        }
        if !value.is_known() {
            value.parts().for_each(|part| self.collect(part, found));
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
