//! From a finished walk to a plan: changes for people, a program for apply.

mod basis;
mod bringers;
mod changes;
mod checks;
mod edges;
mod effects;
mod lint;
mod looks;
mod obstacles;
mod part;
mod places;
mod refresh;
mod removals;
mod rules;
mod template;

use super::skeleton::Item;
use super::tables::{Fate, Group, MemberPlan, Planned, Tables};
use super::{FAILED, LEFT_OUT, Walk};
use crate::address::{Address, ModulePath};
use crate::config::SlotId;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Change, CheckResult, Op, OutputChange, Plan, Program, Reason, Slot};
use crate::schema::{Placeholders, same};
use crate::value::{Origin, Value};
use bringers::Bringers;
use effects::Rendering;
use rules::Rules;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A program in the making.
struct Builder<'w, 'a> {
    walk: &'w mut Walk<'a>,
    slots: Vec<Slot>,
    /// Slots of deferred computations, by thunk.
    thunks: BTreeMap<u32, SlotId>,
    /// How long the longest row of computations is that a thunk waits for.
    heights: BTreeMap<u32, u32>,
    /// The slot whose value is an instance.
    instances: BTreeMap<Address, SlotId>,
    /// What those that depend on an instance wait for.
    finals: BTreeMap<Address, SlotId>,
    /// What those that come from a join wait for; nothing if nothing of it has a step.
    joins: BTreeMap<Origin, Option<SlotId>>,
    /// The step that removes what was remembered of an address.
    removals: BTreeMap<Address, SlotId>,
    /// The step that deletes what a replacement created first leaves behind.
    deposals: BTreeMap<Address, SlotId>,
    /// Orders that are kept if they make no circle: what is changed to do without a thing is changed before the thing goes.
    wishes: Vec<(SlotId, SlotId)>,
    /// The steps that remove objects deposed before, by address and key.
    leftovers: BTreeMap<(Address, Arc<str>), SlotId>,
    /// The steps that render sets again, by the set's address.
    renders: BTreeMap<Address, SlotId>,
    /// Checks evaluated at apply, by name.
    gates: BTreeMap<Arc<str>, SlotId>,
    /// What the members of the set that is being added wait for.
    held: Option<SlotId>,
    bringers: Bringers,
    /// What is only read, before something that is made from it changes.
    looked_at: BTreeSet<Address>,
    /// Rules of variables that are decided at apply.
    rules: Vec<Rules>,
    /// Root outputs that cannot be planned, and what is known of them.
    unplanned_outputs: BTreeMap<Arc<str>, Value>,
}

/// Makes the plan.
pub(super) fn build(mut walk: Walk<'_>) -> Plan {
    let mut checks = if walk.stuck { Vec::new() } else { walk.check_results() };
    walk.duplicate_identities();
    walk.lint();
    let bringers = walk.bringers();
    walk.judge_refusals(&bringers);
    let conflicting = walk.conflicting_claims();
    walk.judge_obstacles(&conflicting);
    walk.judge_users();
    let slots = walk.tables.fates.len() * 2;
    let looked_at = walk.looked_at();
    let mut builder = Builder {
        walk: &mut walk,
        slots: Vec::with_capacity(slots),
        thunks: BTreeMap::new(),
        heights: BTreeMap::new(),
        instances: BTreeMap::new(),
        finals: BTreeMap::new(),
        joins: BTreeMap::new(),
        removals: BTreeMap::new(),
        deposals: BTreeMap::new(),
        wishes: Vec::new(),
        leftovers: BTreeMap::new(),
        renders: BTreeMap::new(),
        gates: BTreeMap::new(),
        held: None,
        bringers,
        looked_at,
        rules: Vec::new(),
        unplanned_outputs: BTreeMap::new(),
    };
    if builder.walk.inputs.aims.refresh_only {
        builder.add_refreshes();
    } else {
        builder.add_all(&mut checks);
    }
    let outputs = builder.add_outputs();
    let (places, left) = (builder.places(), builder.left());
    let unplanned_outputs = std::mem::take(&mut builder.unplanned_outputs);
    let program = Program { slots: builder.slots, instances: builder.instances, places };
    let checks = checks.into_iter().map(|checked| checked.result).collect();
    Plan { unplanned_outputs, left, ..walk.plan(program, outputs, checks) }
}

/// What a check came to.
struct Checked {
    /// Its block.
    node: usize,
    result: CheckResult,
    /// Conditions and messages that only apply decides.
    open: Vec<(Value, Value)>,
    /// Its data sources.
    data: Vec<Address>,
    /// How long what depends on it waits until it passes, in seconds.
    timeout: u64,
}

impl Builder<'_, '_> {
    /// Adds every step of the plan, in its order.
    fn add_all(&mut self, checks: &mut Vec<Checked>) {
        self.reserve_checks(checks);
        self.add_instances();
        self.wait_for_bringers();
        self.wait_for_rules();
        self.add_checks(checks);
        self.add_orphans();
        self.order_removals();
        self.leave_places();
        self.abandon_places();
        self.refuse_circles();
        self.keep_part(checks);
    }

    fn push(&mut self, op: Op, mut needs: Vec<SlotId>) -> SlotId {
        needs.sort_unstable();
        needs.dedup();
        let id = SlotId(u32::try_from(self.slots.len()).unwrap_or(u32::MAX - 1));
        self.slots.push(Slot { op, needs });
        id
    }

    /// Reserves a slot for each check that apply decides, so that what waits for it can say so.
    fn reserve_checks(&mut self, checks: &[Checked]) {
        for Checked { result, .. } in checks.iter().filter(|checked| !checked.open.is_empty()) {
            let slot = self.push(Op::Join, Vec::new());
            self.gates.insert(result.name.clone(), slot);
        }
    }

    /// Fills the reserved slots, once every instance has its own.
    fn add_checks(&mut self, checks: &[Checked]) {
        for data in checks.iter().flat_map(|checked| &checked.data) {
            self.add_probe(data);
        }
        for Checked { result, open, timeout, .. } in checks.iter().filter(|checked| !checked.open.is_empty()) {
            let mut needs = Vec::new();
            let assertions =
                open.iter().map(|(condition, message)| (self.template(condition, &mut needs), self.template(message, &mut needs)));
            let assertions: Vec<_> = assertions.collect();
            if let Some(slot) = self.gates.get(&result.name) {
                self.slots[slot.0 as usize] = Slot { op: Op::Check { name: result.name.clone(), assertions, timeout: *timeout }, needs };
            }
        }
    }

    /// Slots of all instances, in the order of the walk: what an instance refers to has its slots before it.
    fn add_instances(&mut self) {
        for node in self.walk.tables.skeleton.order.clone() {
            let module = self.walk.tables.skeleton.nodes[node].module;
            if !matches!(self.walk.tables.skeleton.nodes[node].item, Item::Resource(_)) {
                continue;
            }
            for nth in 0..self.walk.tables.modules[module].known().len() {
                let path = &self.walk.tables.modules[module].known()[nth].path;
                let addresses = self.walk.tables.group(node, path).map(Group::addresses).unwrap_or_default();
                for address in addresses {
                    self.add_instance(&address);
                }
            }
        }
    }

    fn add_instance(&mut self, address: &Address) {
        let Some(planned) = self.walk.tables.planned(address).cloned() else { return };
        let render = self.add_render(address, &planned);
        self.held = self.held(address, &planned);
        for member in planned.members.iter().flatten() {
            if let Some(inner) = self.walk.tables.planned(&member.address).cloned() {
                let rendering = render.map(|slot| Rendering { slot, member: member.rendered.then(|| member.key.clone()) });
                self.add_effects(&member.address, &inner, rendering);
            }
        }
        self.add_effects(address, &planned, render.map(|slot| Rendering { slot, member: None }));
        self.held = None;
    }

    /// A set of which something is not known yet is rendered again before the first of its steps: it may turn out to hold other members.
    fn add_render(&mut self, address: &Address, planned: &Planned) -> Option<SlotId> {
        let members = planned.members.as_ref().filter(|_| !planned.is_only_read())?;
        if planned.arguments.is_known() && !members.iter().any(|member| member.rendered) {
            return None;
        }
        let arguments = |member: &MemberPlan| member.template.as_ref().unwrap_or(&member.arguments).clone();
        let members = members.iter().map(|member| (member.key.clone(), arguments(member))).collect();
        let mut needs = Vec::new();
        let arguments = self.template(&planned.arguments, &mut needs);
        let kind = planned.kind.schema().kind.into();
        let rendered = self.walk.tables.renderings.get(address).cloned();
        let stand_for = rendered.iter().flat_map(|rendered| rendered.placeholders.values());
        let stand_for = stand_for.map(|(text, value)| (text.clone(), self.template(value, &mut needs)));
        let placeholders = Placeholders::new(stand_for.collect());
        let slot = self.push(Op::Render { address: address.clone(), kind, arguments, members, placeholders }, needs);
        self.renders.insert(address.clone(), slot);
        Some(slot)
    }

    fn add_orphans(&mut self) {
        let orphans = self.walk.tables.fates.iter().filter_map(|(address, fate)| match fate {
            Fate::Planned(planned) if planned.arguments.is_null() && !self.finals.contains_key(address) => {
                Some((address.clone(), planned.clone()))
            }
            _ => None,
        });
        for (address, planned) in orphans.collect::<Vec<_>>() {
            self.add_removal(&address, &planned);
        }
        self.add_deposed();
    }

    /// Root outputs: a slot for each, and what changes of those remembered.
    fn add_outputs(&mut self) -> Vec<OutputChange> {
        let outputs = self.walk.tables.skeleton.modules.first().map(|module| module.module.outputs.clone()).unwrap_or_default();
        let mut changes = Vec::new();
        for open in std::mem::take(&mut self.walk.tables.variable_conditions).values() {
            self.asserts(open, None);
        }
        let mut conditions = std::mem::take(&mut self.walk.tables.output_conditions);
        let mut asserted = BTreeMap::new();
        for ((path, name), open) in &mut conditions {
            let slots = self.asserts(open, None);
            if path.is_root() {
                asserted.insert(name.clone(), slots);
            }
        }
        for (name, output) in &outputs {
            let Some(node) = self.walk.tables.skeleton.find(0, &Item::Output(name.clone())) else { continue };
            let Some(value) = self.walk.tables.value(node, &ModulePath::root()).cloned() else { continue };
            if self.is_out_of_reach(&value) {
                self.unplanned_outputs.insert(name.clone(), value);
                continue;
            }
            let mut needs = asserted.remove(name).unwrap_or_default();
            needs.extend(self.rules_of(node));
            let template = self.template(&value, &mut needs);
            self.push(Op::Output { name: name.clone(), value: template, sensitive: output.sensitive }, needs);
            // As it is remembered: an output outlives the instances that it tells of.
            let value = value.written_out();
            let before = self.walk.prior.outputs.get(name).map(|output| output.value.clone());
            // What is sealed, and cannot be opened here, is not compared.
            if before.as_ref().is_none_or(|before| before.blocked_why().is_none() && !same(&value, before)) {
                changes.push(OutputChange { name: name.clone(), before, after: Some(value), sensitive: output.sensitive });
            }
        }
        let whole = self.walk.inputs.aims.targets.is_empty() && !self.walk.inputs.aims.refresh_only;
        for (name, output) in self.walk.prior.outputs.iter().filter(|_| whole) {
            if !outputs.contains_key(name) {
                let before = Some(output.value.clone());
                changes.push(OutputChange { name: name.clone(), before, after: None, sensitive: output.sensitive });
            }
        }
        changes
    }

    /// A program whose slots wait for each other in a circle cannot be run.
    fn refuse_circles(&mut self) {
        let mut edges: Vec<_> =
            self.slots.iter().enumerate().flat_map(|(at, slot)| slot.needs.iter().map(move |needed| (at, needed.0 as usize))).collect();
        let kept = edges.len();
        edges.extend(self.wishes.iter().map(|(slot, needed)| (slot.0 as usize, needed.0 as usize)));
        if crate::graph::order(self.slots.len(), &edges).is_ok() {
            let wishes = std::mem::take(&mut self.wishes);
            self.add_needs(wishes);
            return;
        }
        edges.truncate(kept);
        let Err(circles) = crate::graph::order(self.slots.len(), &edges) else { return };
        for circle in circles {
            let names: Vec<_> = circle.iter().filter_map(|at| Some(format!("`{}`", self.slots[*at].op.target()?.address))).collect();
            let detail = format!("these steps wait for each other: {}; this is a defect of meshplan", names.join(" → "));
            self.walk.tables.diagnostics.push(Diagnostic::error("planning did not finish", detail));
        }
    }
}

impl Walk<'_> {
    fn plan(self, program: Program, outputs: Vec<OutputChange>, checks: Vec<CheckResult>) -> Plan {
        let places: BTreeSet<_> = program.slots.iter().filter_map(|slot| slot.op.target()?.place.clone()).collect();
        let places = places.into_iter().chain(self.prior.places.keys().cloned());
        let connections = places.filter_map(|place| Some((place.clone(), self.connection(&place)?))).collect();
        let (basis, owned) = (self.basis(), self.owned_before());
        let Self {
            tables,
            prior,
            upgraded,
            inputs,
            providers,
            arena,
            answers,
            deposed,
            unobserved,
            former_kept,
            repairs,
            moves,
            holes,
            ..
        } = self;
        let Tables { fates, diagnostics: mut said, skeleton, values, groups, .. } = tables;
        said.extend(arena.warnings);
        // What the program does not need goes before the changes are made of what is left: the peak of a large plan is here.
        drop((skeleton, values, groups, arena.origins, arena.thunks, answers));
        let blocked = fates.iter().filter_map(|(address, fate)| match fate {
            Fate::Blocked(why) if &**why != FAILED && &**why != LEFT_OUT => Some(Self::not_planned(&repairs, address.clone(), why.clone())),
            Fate::Planned(planned) if planned.is_only_read() => {
                Some(Self::not_planned(&repairs, address.clone(), planned.unread.clone().unwrap_or_default()))
            }
            _ => None,
        });
        let blocked = blocked.chain(unobserved).collect();
        let mut diagnostics = each_once(said);
        let desired = |fate: &Fate| match fate {
            Fate::Planned(planned) => !matches!(planned.action, Action::Forget | Action::Delete),
            Fate::Blocked(_) | Fate::Failed => false,
        };
        let desired: Vec<_> = fates.iter().filter(|(_, fate)| desired(fate)).map(|(address, _)| address).collect();
        diagnostics.extend(moves.still_desired(&desired));
        let mut changes = Self::changes(fates, &prior, (&deposed, owned));
        name_former(&mut changes, &moves.renamed);
        tell_kept(&mut changes, &former_kept);
        Plan {
            changes,
            outputs,
            checks,
            blocked,
            diagnostics,
            program,
            prior,
            upgraded,
            connections,
            providers,
            renamed: moves.renamed,
            destroy: inputs.destroy,
            partial: inputs.aims.is_partial(),
            refresh_only: inputs.aims.refresh_only,
            basis,
            holes,
            ..Plan::default()
        }
    }
}

/// Problems without those that were said before: a node that is visited again says them again.
fn each_once(said: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for diagnostic in said {
        if !diagnostics.contains(&diagnostic) {
            diagnostics.push(diagnostic);
        }
    }
    diagnostics
}

/// Says of each replacement that leaves the former object where it is why it does.
fn tell_kept(changes: &mut [Change], former_kept: &BTreeMap<Address, Arc<str>>) {
    for change in changes.iter_mut().filter(|change| change.action == Action::ReplaceCreateFirst) {
        change.causes.extend(former_kept.get(&change.address).map(|why| format!("what it replaces stays for now: {why}")));
    }
}

/// Says of each change of a renamed thing what its name was.
fn name_former(changes: &mut [Change], renamed: &[(Address, Address)]) {
    let former: BTreeMap<_, _> = renamed.iter().map(|(from, to)| (to, from)).collect();
    for change in changes.iter_mut().filter(|change| change.deposed.is_none()) {
        let Some(from) = former.get(&change.address) else { continue };
        if change.action == Action::Keep {
            (change.action, change.reason) = (Action::Move, Reason::MovedFrom((*from).clone()));
        } else {
            change.causes.push(Reason::MovedFrom((*from).clone()).to_string());
        }
    }
}
