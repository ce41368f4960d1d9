//! The pure, resumable walk that makes a plan.
//!
//! A walk visits the nodes of the configuration in order. What hangs on an unanswered question stays open; [`Walk::step`] returns the
//! questions and visits, when called again, only what is not finished. What is finished holds nothing pending, so that a resumed
//! walk ends as one from scratch would. It never fetches, never aborts, and never decides on what it could not see.

mod abandon;
mod aim;
mod arguments;
mod build;
mod causes;
mod conditions;
mod data;
mod decide;
mod describe;
mod ephemeral;
mod expand;
mod imports;
mod inheritance;
mod instance;
mod lifecycle;
mod members;
mod obstacles;
mod orphans;
mod owners;
mod place;
mod probes;
mod range;
mod refresh;
mod repair;
mod scope;
mod skeleton;
mod standing;
mod tables;
mod taken;
mod types;
mod upgrade;
mod users;
mod uses;
mod world;

use crate::address::{Address, ModulePath};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::{Arena, convert, evaluate};
use crate::plan::exceptions::Exceptions;
use crate::plan::moves::Moves;
use crate::plan::{Action, Blocked, Holes, Inputs, Plan, Providers, unknown_rules};
use crate::question::{Answers, Questions};
use crate::schema::Catalogue;
use crate::state::{Entry, State};
use crate::value::{Type, Value};
use arguments::waits;
pub use describe::Described;
use imports::Imports;
use lifecycle::Held;
use obstacles::{Clearing, Obstructed};
pub(crate) use owners::{is_forced, marks, other_states};
use probes::Scoped;
use range::{LEFT_OUT, Range};
use repair::Repairs;
use scope::Lookup;
use skeleton::{Item, Skeleton};
use standing::Standings;
use std::collections::BTreeMap;
use std::sync::Arc;
use tables::{Binding, Instances, ModuleInstance, Tables};
pub use types::mistyped;

/// Stands as the reason of values that are in error. Nothing blocked for this reason is shown: the error is.
const FAILED: &str = "an error elsewhere";

/// A plan in the making.
pub struct Walk<'a> {
    catalogue: &'a Catalogue,
    inputs: Inputs,
    providers: Providers,
    prior: State,
    /// How many records had an older shape.
    upgraded: usize,
    tables: Tables,
    arena: Arena,
    answers: Answers,
    questions: Questions,
    standings: Standings,
    /// What becomes of deposed objects, by address and key; nothing for those that go with their place or cannot be observed.
    deposed: BTreeMap<(Address, Arc<str>), Action>,
    /// Deposed objects that cannot be observed.
    unobserved: Vec<Blocked>,
    /// Addresses whose deposed objects stay, also those that this plan deposes, each with why.
    former_kept: BTreeMap<Address, Arc<str>>,
    repairs: Repairs,
    moves: Moves,
    /// What servers say against instances, which are in error unless this plan changes what they require.
    refusals: BTreeMap<Address, Diagnostic>,
    /// What stands in the way of instances on their machines.
    obstacles: BTreeMap<Address, Vec<Obstructed>>,
    /// What has to be done first so that nothing stands in the way of instances.
    clearings: Vec<(Address, Clearing)>,
    /// What is deleted, each with a user that the plan deletes or changes before it.
    users_first: Vec<(Address, Address)>,
    imports: Imports,
    /// What the plan leaves open.
    holes: Holes,
    range: Range,
    /// What a run that destroys everything finds written of what it destroys.
    undesired: Skeleton,
    /// Data sources of checks that cannot be read, and what their checks say of it.
    unread: BTreeMap<Address, String>,
    /// What goes with something that is replaced, with that.
    taken: BTreeMap<Address, Address>,
    /// What of the lint is silenced.
    exceptions: Exceptions,
    /// What was said before the first node was visited.
    said_first: Problems,
    open: Vec<usize>,
    stuck: bool,
}

/// Where an expression stands.
#[derive(Clone, Copy)]
struct Site<'a> {
    module: usize,
    path: &'a ModulePath,
    binding: Option<&'a Binding>,
    itself: Option<&'a Value>,
    /// Data sources of the check around the expression.
    scoped: Option<&'a Scoped>,
}

impl<'a> Walk<'a> {
    /// A walk over a configuration, from what is remembered, which first gets the addresses and the
    /// shape that things have today. With
    /// [`Inputs::destroy`] the configuration desires nothing.
    pub fn new(config: &Config, catalogue: &'a Catalogue, mut prior: State, inputs: Inputs) -> Self {
        let mut moves = Moves::new(config, &prior);
        for (from, to) in &moves.renamed {
            prior.apply(&Entry::Move { from: from.clone(), to: to.clone() });
        }
        let (upgraded, problems) = upgrade::upgrade(&mut prior, catalogue);
        let nothing = Config { root: config.root.clone(), modules: BTreeMap::default() };
        let (skeleton, circles) = Skeleton::new(if inputs.destroy { &nothing } else { config });
        let range = Range::new(&skeleton, &prior, &inputs.aims, inputs.destroy);
        let mut open = if circles.is_empty() { skeleton.order.clone() } else { Vec::new() };
        open.retain(|node| range.visits(*node));
        let mut tables = Tables::new(skeleton, ModuleInstance::root());
        tables.diagnostics = circles;
        tables.diagnostics.append(&mut moves.problems);
        tables.diagnostics.extend(problems);
        tables.diagnostics.extend(unknown_rules(config, catalogue));
        let mut providers = Providers::default();
        if !tables.diagnostics.iter().any(Diagnostic::is_error) {
            let problems;
            (providers, problems) = Providers::new(config, catalogue, &inputs);
            tables.diagnostics.extend(problems);
        }
        let holes = Holes::of(config, &inputs, &providers);
        let undesired = if inputs.destroy { Skeleton::new(config).0 } else { Skeleton::default() };
        let stuck = tables.diagnostics.iter().any(Diagnostic::is_error);
        let imports = Imports::asked_for(&inputs);
        let said_first = tables.diagnostics.clone();
        Self {
            catalogue,
            inputs,
            providers,
            prior,
            undesired,
            upgraded,
            tables,
            arena: Arena::default(),
            answers: Answers::new(),
            questions: Questions::new(),
            standings: Standings::default(),
            deposed: BTreeMap::new(),
            unobserved: Vec::new(),
            former_kept: BTreeMap::new(),
            repairs: Repairs::default(),
            moves,
            refusals: BTreeMap::new(),
            obstacles: BTreeMap::new(),
            clearings: Vec::new(),
            users_first: Vec::new(),
            imports,
            holes,
            range,
            unread: BTreeMap::new(),
            taken: BTreeMap::new(),
            exceptions: Exceptions::of(config),
            said_first,
            open,
            stuck,
        }
    }

    /// How providers are configured: known from the start.
    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    /// Ends the walk with problems that are not its own.
    pub fn refuse(&mut self, problems: Problems) {
        self.tables.diagnostics.extend(problems);
        self.stuck = true;
    }

    /// Takes answers, goes as far as they lead, and returns the questions that are left. Without any the walk is finished.
    pub fn step(&mut self, answers: &Answers) -> Questions {
        self.answers.extend(answers.iter().map(|(key, answer)| (key.clone(), answer.clone())));
        self.questions.clear();
        self.standings.clear();
        if self.stuck {
            return Questions::new();
        }
        self.ask_reads();
        let mut open = std::mem::take(&mut self.open);
        open.retain(|node| !self.visit(*node));
        if self.found_places_again() {
            // Nobody else asks for what lies there and is not desired any more.
            self.ask_reads();
        }
        if !open.is_empty() && self.questions.is_empty() {
            let names: Vec<_> = open.iter().take(5).map(|node| format!("`{}`", self.tables.skeleton.name(*node))).collect();
            let detail = format!("nothing is left to ask, and these are not planned: {}; this is a defect of meshplan", names.join(", "));
            self.tables.diagnostics.push(Diagnostic::error("planning did not finish", detail));
            self.stuck = true;
            return Questions::new();
        }
        self.open = open;
        if self.open.is_empty() && self.questions.is_empty() {
            if self.takes_more_along() {
                self.start_over();
                return self.step(&Answers::new());
            }
            self.ask_users();
            self.visit_probes();
        }
        std::mem::take(&mut self.questions)
    }

    /// The plan that a finished walk has made.
    pub fn finish(mut self) -> Plan {
        if !self.stuck {
            self.miss_import_targets();
            self.inherit_create_before_destroy();
            if self.inputs.aims.refresh_only {
                self.refresh_rest();
            } else {
                self.plan_orphans();
            }
            self.abandon_places();
            self.judge_aims();
            self.warn_of_lost_places();
            self.warn_of_other_states();
        }
        build::build(self)
    }

    /// Visits a node; true once nothing of it is open.
    fn visit(&mut self, node: usize) -> bool {
        let module = self.tables.skeleton.nodes[node].module;
        match &self.tables.modules[module] {
            Instances::Known(_) => {}
            Instances::Open => return false,
            Instances::Blocked(_) | Instances::Failed => return self.give_up(node),
        }
        let item = self.tables.skeleton.nodes[node].item.clone();
        let mut finished = true;
        let mut expanded = Some(Instances::Known(Vec::new()));
        let mut nth = 0;
        while let Some(instance) = &self.tables.modules[module].known().get(nth).cloned() {
            nth += 1;
            finished &= match &item {
                Item::Call(name) => {
                    let calls = self.expand_call(module, name, instance);
                    let settled = calls.as_ref().is_some_and(|calls| !calls.known().iter().any(|call| call.binding.is_unsettled()));
                    expanded = expanded.zip(calls).map(|(all, calls)| all.merge(calls));
                    settled
                }
                Item::Resource(_) => self.visit_resource(node, instance),
                Item::Variable(_) | Item::Local(_) | Item::Output(_) => self.visit_value(node, module, &item, instance),
                Item::Import(at) => self.visit_import(*at),
                Item::Check(_) => true,
            };
        }
        if let (Item::Call(name), Some(instances)) = (&item, expanded) {
            let called = self.tables.skeleton.modules[module].calls[name];
            self.tables.modules[called] = instances;
        }
        finished
    }

    /// What stands in a module whose call is blocked or in error is never planned.
    fn give_up(&mut self, node: usize) -> bool {
        let (module, item) = (self.tables.skeleton.nodes[node].module, self.tables.skeleton.nodes[node].item.clone());
        if let Item::Call(name) = item {
            let called = self.tables.skeleton.modules[module].calls[&name];
            self.tables.modules[called] = self.tables.modules[module].clone();
        }
        true
    }

    fn visit_value(&mut self, node: usize, module: usize, item: &Item, instance: &ModuleInstance) -> bool {
        if self.tables.value(node, &instance.path).is_some_and(|value| !waits(value)) {
            return true;
        }
        let result = match item {
            Item::Variable(name) => self.variable(module, name, instance),
            Item::Local(name) => {
                let block = self.tables.skeleton.modules[module].module.clone();
                self.evaluate(&block.locals[name].value, Site::of(module, &instance.path))
            }
            Item::Output(name) => self.output(module, name, instance),
            Item::Call(_) | Item::Resource(_) | Item::Check(_) | Item::Import(_) => return true,
        };
        let value = result.unwrap_or_else(|problems| {
            self.report(problems);
            Value::blocked(FAILED)
        });
        let finished = !waits(&value);
        self.tables.set_value(node, &instance.path, value);
        finished
    }

    fn variable(&mut self, module: usize, name: &Arc<str>, instance: &ModuleInstance) -> Result<Value, Problems> {
        let block = self.tables.skeleton.modules[module].module.clone();
        let variable = &block.variables[name];
        let (given, at) = match self.tables.skeleton.modules[module].caller.clone() {
            None => (self.inputs.variables.get(name).cloned(), None),
            Some((caller, call)) => {
                let outer = self.tables.skeleton.modules[caller].module.clone();
                let argument = outer.calls[&call].arguments.iter().find(|argument| argument.name == *name);
                let path = instance.path.parent().map(|(path, _)| path).unwrap_or_default();
                let site = Site { module: caller, path: &path, binding: Some(&instance.binding), itself: None, scoped: None };
                let value = argument.map(|argument| self.evaluate(&argument.value, site)).transpose()?;
                (value, argument.map(|argument| argument.value.span).or(Some(outer.calls[&call].span)))
            }
        };
        if let Some(problem) = types::unsuitable_default(name, variable, &mut self.arena) {
            return Err(vec![problem]);
        }
        let span = at.unwrap_or(variable.span);
        let missing = || vec![Diagnostic::error("missing value", format!("variable `{name}` has no value and no default")).at(span)];
        let given = given.filter(|value| variable.nullable || !value.is_null());
        let value = given.or_else(|| variable.default.clone()).ok_or_else(missing)?;
        let converted = convert(value, &variable.ty, &mut self.arena).map_err(|mismatch| {
            vec![Diagnostic::error("wrong type", format!("variable `{name}`: {mismatch}")).at(span).related(variable.span, "declared here")]
        })?;
        if converted.is_null() && !variable.nullable {
            return Err(missing());
        }
        if !variable.ephemeral {
            ephemeral::refuse(&converted, &format!("the value of the variable `{name}`"), "the variable is not ephemeral", span)?;
        }
        let value = converted.sensitive_if(variable.sensitive).ephemeral_if(variable.ephemeral);
        if !self.validate_variable(module, name, instance, &value)? {
            return Ok(Value::pending(variable.ty.clone()));
        }
        if instance.path.is_root() && self.holes.inputs.contains_key(name) {
            return Ok(self.left_open(name, &variable.ty).sensitive_if(variable.sensitive));
        }
        Ok(value)
    }

    fn output(&mut self, module: usize, name: &Arc<str>, instance: &ModuleInstance) -> Result<Value, Problems> {
        let block = self.tables.skeleton.modules[module].module.clone();
        let output = &block.outputs[name];
        let site = Site::of(module, &instance.path);
        let later = match self.preconditions(&output.preconditions, site)? {
            Held::Open => return Ok(Value::pending(Type::Any)),
            Held::Unobserved(why) => return Ok(Value::blocked(why)),
            Held::Until(later) => later,
        };
        if !later.is_empty() {
            self.tables.output_conditions.insert((instance.path.clone(), name.clone()), later);
        }
        let value = self.evaluate(&output.value, site)?;
        if value.holds_pending() {
            return Ok(value);
        }
        let dependencies = self.dependencies(&output.depends_on, site)?;
        if dependencies.pending {
            return Ok(Value::pending(Type::Any));
        }
        if value.holds_sensitive() && !output.sensitive && instance.path.is_root() {
            let detail = format!("output `{name}` holds a sensitive value");
            return Err(vec![Diagnostic::error("sensitive output", detail).at(output.span).help("Add `sensitive = true` to the output.")]);
        }
        if !output.ephemeral {
            let kept = if instance.path.is_root() { "outputs are stored in the state" } else { "the output is not ephemeral" };
            ephemeral::refuse(&value, &format!("the output `{name}`"), kept, output.value.span)?;
        }
        let origin = self.arena.origins.join(&[value.origin(), dependencies.origin]);
        Ok(value.sensitive_if(output.sensitive).ephemeral_if(output.ephemeral).with_origin(origin))
    }

    /// Runs an expression at a site.
    fn evaluate(&mut self, expression: &crate::config::Expr, site: Site<'_>) -> Result<Value, Problems> {
        let mut lookup = Lookup {
            tables: &self.tables,
            inputs: &self.inputs,
            answers: &self.answers,
            questions: &mut self.questions,
            module: site.module,
            path: site.path,
            binding: site.binding,
            itself: site.itself,
            scoped: site.scoped,
        };
        evaluate(expression, &mut lookup, &mut self.arena)
    }

    fn report(&mut self, problems: Problems) {
        self.tables.diagnostics.extend(problems);
    }
}

/// The full name of a check: its module's path before its own.
fn check_name(path: &ModulePath, name: &str) -> Arc<str> {
    if path.is_root() { name.into() } else { format!("{path}.{name}").into() }
}

impl<'a> Site<'a> {
    fn of(module: usize, path: &'a ModulePath) -> Self {
        Self { module, path, binding: None, itself: None, scoped: None }
    }
}
