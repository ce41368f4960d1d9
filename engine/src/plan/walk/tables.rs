//! What the walk knows so far: values by node, groups of instances, and what became of each instance.

use super::arguments::waits;
use super::skeleton::Skeleton;
use super::standing::Dependencies;
use crate::address::{Address, Key, ModulePath};
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Reason, Unpreviewed};
use crate::schema::{Kind, Member, Placeholders};
use crate::state::Record;
use crate::value::{Data, Origin, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One key of a repeated block, with what `each` or `count` mean there.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    /// The key of the instance.
    pub(super) key: Key,
    /// `each.value`; nothing without `for_each`.
    pub(super) value: Option<Value>,
    /// Where the key came from.
    pub(super) origin: Origin,
}

/// How often a block stands for an instance, as far as that is known.
#[derive(Debug, Clone, Default)]
pub(super) enum Keys {
    /// Not known yet in this run.
    #[default]
    Open,
    /// These.
    Known(Vec<Binding>),
    /// It could not be observed.
    Blocked(Arc<str>),
    /// In error, reported elsewhere.
    Failed,
}

impl Keys {
    /// Whether the keys, or what `each.value` means under one, still wait for an answer.
    pub(super) fn is_unsettled(&self) -> bool {
        match self {
            Self::Open => true,
            Self::Known(bindings) => bindings.iter().any(Binding::is_unsettled),
            Self::Blocked(_) | Self::Failed => false,
        }
    }
}

impl Binding {
    /// Whether `each.value` still waits for an answer.
    pub(super) fn is_unsettled(&self) -> bool {
        self.value.as_ref().is_some_and(waits)
    }
}

/// The instances of one block in one module instance.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    /// Its keys. A finished group needs none: its value holds the instances.
    pub(super) keys: Keys,
    /// Its instances as one value.
    pub(super) value: Option<Value>,
    /// Whether every instance has been planned, blocked or given up.
    pub(super) finished: bool,
}

impl Group {
    /// The addresses of its instances, in order of their keys; of one that is not finished, those of which there is a value.
    pub(super) fn addresses(&self) -> Vec<Address> {
        let Some(value) = &self.value else { return Vec::new() };
        match value.data() {
            Data::Instance(instance) => vec![instance.address.clone()],
            _ => value.parts().filter_map(|part| part.instance().map(|instance| instance.address.clone())).collect(),
        }
    }
}

/// One instance of a module.
#[derive(Debug, Clone)]
pub(super) struct ModuleInstance {
    /// Its path.
    pub(super) path: ModulePath,
    /// What `each` and `count` mean in the call's arguments.
    pub(super) binding: Binding,
    /// What all in it came from: the call's key.
    pub(super) origin: Origin,
}

impl ModuleInstance {
    /// The module that is planned.
    pub(super) fn root() -> Self {
        let binding = Binding { key: Key::None, value: None, origin: Origin::NONE };
        Self { path: ModulePath::root(), binding, origin: Origin::NONE }
    }
}

/// The instances of a called module, as far as they are known.
#[derive(Debug, Clone, Default)]
pub(super) enum Instances {
    /// Not known yet in this run.
    #[default]
    Open,
    /// These.
    Known(Vec<ModuleInstance>),
    /// The call is blocked.
    Blocked(Arc<str>),
    /// The call is in error, reported elsewhere.
    Failed,
}

/// What became of an instance.
#[derive(Clone)]
pub(super) enum Fate {
    /// Planned.
    Planned(Box<Planned>),
    /// Not observed, or it depends on what was not.
    Blocked(Arc<str>),
    /// In error, reported elsewhere, or it depends on what is.
    Failed,
}

/// A planned instance.
#[derive(Clone)]
pub(super) struct Planned {
    pub(super) kind: Arc<dyn Kind>,
    pub(super) action: Action,
    pub(super) reason: Reason,
    /// Converted arguments, a template in the making.
    pub(super) arguments: Value,
    /// What dependents see.
    pub(super) attributes: Value,
    /// The record it continues.
    pub(super) prior: Option<Box<Record>>,
    /// What the world shows of it; of a data source what it said, if it is read again after what it reads is updated.
    pub(super) observed: Option<Value>,
    /// What it was made from: of its arguments, key and `depends_on`.
    pub(super) edges: Origin,
    /// The place it lies in.
    pub(super) place: Option<Address>,
    /// Whether it is waited for after its effect.
    pub(super) settles: bool,
    /// Whether the old thing dies with its place and is not deleted by a step of its own.
    pub(super) dies_with_place: bool,
    /// Why no preview was had.
    pub(super) not_previewed: Option<Arc<str>>,
    /// What would be planned without the preview that was had, if that differs and replaces no more and no less.
    pub(super) unpreviewed: Option<Box<Unpreviewed>>,
    /// `create_before_destroy`, `prevent_destroy`, conditions, timeouts.
    pub(super) terms: Terms,
    /// The members of its manifest set; nothing if it is none.
    pub(super) members: Option<Vec<MemberPlan>>,
    /// Why it, or something that it was made from, is planned from what is remembered and read only when this plan has repaired the way
    /// there; nothing if all was seen.
    pub(super) unread: Option<Arc<str>>,
}

impl Planned {
    /// Whether nothing of it is planned but to read it, once it can be reached.
    pub(super) fn is_only_read(&self) -> bool {
        self.unread.is_some() && self.action == Action::Keep
    }
}

/// A member of a planned set.
#[derive(Debug, Clone)]
pub(super) struct MemberPlan {
    pub(super) address: Address,
    pub(super) key: Arc<str>,
    /// What of them the rendering at plan knew.
    pub(super) arguments: Value,
    /// Whether its arguments can only be had by rendering again at apply.
    pub(super) rendered: bool,
    /// They with placeholders in them, if they were rendered with some.
    pub(super) template: Option<Value>,
}

/// A set's members.
#[derive(Debug)]
pub(super) struct Rendered {
    /// The question that was answered so, if one was asked.
    pub(super) question: Option<Arc<str>>,
    pub(super) members: Vec<Member>,
    /// The members' arguments as they were rendered, where placeholders stand in them; by key.
    pub(super) templates: BTreeMap<String, Value>,
    pub(super) placeholders: Placeholders,
}

/// What the configuration says about how an instance is treated.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    pub(super) create_before_destroy: bool,
    pub(super) prevent_destroy: bool,
    /// What few instances have.
    pub(super) waits: Option<Box<Waits>>,
}

/// Conditions that are not decided at plan, each with its message.
pub(super) type Conditions = Vec<(Value, Value)>;

/// What an instance waits for beside its values.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits {
    /// Longest wait per operation, in seconds.
    pub(super) timeouts: BTreeMap<Arc<str>, u64>,
    /// Conditions and messages not decided at plan.
    pub(super) preconditions: Conditions,
    pub(super) postconditions: Conditions,
    /// Gates in `depends_on`: checks by name, in their module.
    pub(super) gates: Vec<Arc<str>>,
}

impl Terms {
    /// What it waits for, to be added to.
    pub(super) fn waits(&mut self) -> &mut Waits {
        self.waits.get_or_insert_default()
    }

    /// The longest wait of an operation, in seconds, if one is given; an update that has none waits as a create does.
    pub(super) fn timeout(&self, operation: &str) -> Option<u64> {
        let timeouts = &self.waits.as_ref()?.timeouts;
        timeouts.get(operation).or_else(|| timeouts.get("create").filter(|_| operation == "update")).copied()
    }
}

/// Everything the walk has found out.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) skeleton: Skeleton,
    /// Per static module.
    pub(super) modules: Vec<Instances>,
    /// Per node and module instance, sorted by path: variables, locals, outputs.
    pub(super) values: Vec<Vec<(ModulePath, Value)>>,
    /// Per node and module instance, sorted by path: resources.
    pub(super) groups: Vec<Vec<(ModulePath, Group)>>,
    /// Per instance.
    pub(super) fates: BTreeMap<Address, Fate>,
    /// What all in an instance of a static module waits for, once it is planned.
    pub(super) called_after: BTreeMap<(usize, ModulePath), Dependencies>,
    /// What sets came to that were rendered outside.
    pub(super) renderings: BTreeMap<Address, Arc<Rendered>>,
    /// Preconditions of outputs, with their messages, that an apply will tell; by module instance and output.
    pub(super) output_conditions: BTreeMap<(ModulePath, Arc<str>), Conditions>,
    /// Rules for values of variables that apply decides, by the variable.
    pub(super) variable_conditions: BTreeMap<(ModulePath, Arc<str>), Conditions>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Tables {
    pub(super) fn new(skeleton: Skeleton, root: ModuleInstance) -> Self {
        let mut modules = vec![Instances::Open; skeleton.modules.len()];
        if let Some(first) = modules.first_mut() {
            *first = Instances::Known(vec![root]);
        }
        let values = vec![Vec::new(); skeleton.nodes.len()];
        let groups = vec![Vec::new(); skeleton.nodes.len()];
        Self {
            skeleton,
            modules,
            values,
            groups,
            fates: BTreeMap::new(),
            called_after: BTreeMap::new(),
            renderings: BTreeMap::new(),
            output_conditions: BTreeMap::new(),
            variable_conditions: BTreeMap::new(),
            diagnostics: Vec::new(),
        }
    }

    /// The value of a variable, local or output in a module instance.
    pub(super) fn value(&self, node: usize, path: &ModulePath) -> Option<&Value> {
        at(&self.values[node], path).ok().map(|at| &self.values[node][at].1)
    }

    pub(super) fn set_value(&mut self, node: usize, path: &ModulePath, value: Value) {
        let known = &mut self.values[node];
        set(known, path, value);
    }

    /// The group of a block in a module instance.
    pub(super) fn group(&self, node: usize, path: &ModulePath) -> Option<&Group> {
        at(&self.groups[node], path).ok().map(|at| &self.groups[node][at].1)
    }

    pub(super) fn set_group(&mut self, node: usize, path: &ModulePath, group: Group) {
        let known = &mut self.groups[node];
        set(known, path, group);
    }

    /// The static module that a path leads to.
    pub(super) fn static_module(&self, path: &ModulePath) -> Option<usize> {
        path.steps().iter().try_fold(0, |at: usize, step| self.skeleton.modules.get(at)?.calls.get(&step.name).copied())
    }

    /// A planned instance.
    pub(super) fn planned(&self, address: &Address) -> Option<&Planned> {
        match self.fates.get(address)? {
            Fate::Planned(planned) => Some(planned),
            Fate::Blocked(_) | Fate::Failed => None,
        }
    }
}

/// Where a path stands in a sorted list, or where it belongs.
fn at<T>(known: &[(ModulePath, T)], path: &ModulePath) -> Result<usize, usize> {
    known.binary_search_by(|(at, _)| at.cmp(path))
}

fn set<T>(known: &mut Vec<(ModulePath, T)>, path: &ModulePath, value: T) {
    match at(known, path) {
        Ok(at) => known[at].1 = value,
        Err(at) => {
            if known.is_empty() {
                // Most modules have one instance.
                known.reserve_exact(1);
            }
            known.insert(at, (path.clone(), value));
        }
    }
}
