//! Which configuration of its provider each block uses: what `provider` and `providers` arguments say, through all modules.

use super::expression::{Expr, Node, Root};
use super::model::{CallBlock, Config, Module, ProviderReference, ResourceName};
use crate::address::{Address, Mode};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::schema::ProviderName;
use crate::source::{ModuleKey, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The configurations that blocks use, by the calls that lead to their modules, and by their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// Of blocks that name a configuration, which.
    pub chosen: BTreeMap<(Vec<Arc<str>>, ResourceName), ProviderName>,
    /// What the provider's own name means in modules that were given another configuration for it.
    pub usual: BTreeMap<Vec<Arc<str>>, BTreeMap<Arc<str>, ProviderName>>,
}

impl Selection {
    /// What a configuration chooses, and every choice that leads nowhere.
    pub fn new(config: &Config) -> (Self, Problems) {
        Self::beside(config, &BTreeSet::new())
    }

    /// The same of a configuration with text that could not be read, which has these words: what they may declare is not missed.
    pub(super) fn beside(config: &Config, unread: &BTreeSet<Arc<str>>) -> (Self, Problems) {
        let mut selecting = Selecting { config, unread, selection: Self::default(), problems: Problems::new() };
        let names = config.modules.get(&config.root).map(|root| root.providers.keys().cloned()).into_iter().flatten();
        let visible = names.map(|name| (name.clone(), name)).collect();
        selecting.module(&config.root, &mut Way::default(), &visible, None);
        (selecting.selection, selecting.problems)
    }

    /// The configuration that the block behind an address uses, of this provider.
    pub fn of(&self, address: &Address, provider: &str) -> ProviderName {
        let calls: Vec<Arc<str>> = address.module.steps().iter().map(|step| step.name.clone()).collect();
        let name = ResourceName { mode: address.mode, kind: address.kind.clone(), name: address.name.clone() };
        let key = (calls, name);
        if let Some(chosen) = self.chosen.get(&key).filter(|chosen| *chosen.provider == *provider) {
            return chosen.clone();
        }
        let usual = self.usual.get(&key.0).and_then(|usual| usual.get(provider));
        usual.cloned().unwrap_or_else(|| ProviderName::usual(provider))
    }
}

/// By the names that a module knows them by, the root module's names of configurations.
type Visible = BTreeMap<ProviderName, ProviderName>;

struct Selecting<'c> {
    config: &'c Config,
    unread: &'c BTreeSet<Arc<str>>,
    selection: Selection,
    problems: Problems,
}

/// The calls that lead to a module, and the modules on the way.
#[derive(Default)]
struct Way<'c> {
    calls: Vec<Arc<str>>,
    modules: Vec<&'c ModuleKey>,
}

impl<'c> Selecting<'c> {
    fn module(&mut self, key: &'c ModuleKey, way: &mut Way<'c>, visible: &Visible, from: Option<&'c CallBlock>) {
        let Some(module) = self.config.modules.get(key) else { return };
        // Whoever loads modules reports one that calls itself.
        if way.modules.contains(&key) {
            return;
        }
        let (module, calls): (&'c Module, _) = (module, &way.calls);
        let usual: BTreeMap<_, _> = visible
            .iter()
            .filter(|(name, root)| name.alias.is_none() && name != root)
            .map(|(name, root)| (name.provider.clone(), root.clone()))
            .collect();
        if !usual.is_empty() {
            self.selection.usual.insert(calls.clone(), usual);
        }
        for block in module.resources.values() {
            self.block(&block.name, block.provider.as_deref(), calls, (visible, from));
        }
        for (check, block) in &module.checks {
            for data in &block.data {
                let name = ResourceName { name: format!("{check}.{}", data.name.name).into(), ..data.name.clone() };
                self.block(&name, data.provider.as_deref(), calls, (visible, from));
            }
        }
        way.modules.push(key);
        for (name, call) in &module.calls {
            let inner = self.passed(call, visible, from);
            way.calls.push(name.clone());
            self.module(&call.module, way, &inner, Some(call));
            way.calls.pop();
        }
        way.modules.pop();
    }

    fn block(
        &mut self,
        name: &ResourceName,
        reference: Option<&ProviderReference>,
        calls: &[Arc<str>],
        scope: (&Visible, Option<&CallBlock>),
    ) {
        let Some(reference) = reference else { return };
        if let Some(chosen) = self.resolved(reference, scope) {
            self.selection.chosen.insert((calls.to_vec(), name.clone()), chosen);
        }
    }

    /// What a called module sees: what is passed to it, and the caller's configurations without alias.
    fn passed(&mut self, call: &CallBlock, visible: &Visible, from: Option<&CallBlock>) -> Visible {
        let inherited = visible.iter().filter(|(name, _)| name.alias.is_none());
        let mut inner: Visible = inherited.map(|(name, root)| (name.clone(), root.clone())).collect();
        for (known_as, reference) in &call.providers {
            if known_as.provider != reference.name.provider {
                let detail = format!(
                    "`{known_as}` stands for a configuration of `{}`, and `{}` is another provider",
                    known_as.provider, reference.name
                );
                self.report(Diagnostic::error("wrong provider", detail).at(reference.span));
            } else if let Some(root) = self.resolved(reference, (visible, from)) {
                inner.insert(known_as.clone(), root);
            }
        }
        inner
    }

    fn resolved(&mut self, reference: &ProviderReference, (visible, from): (&Visible, Option<&CallBlock>)) -> Option<ProviderName> {
        let name = &reference.name;
        if let Some(root) = visible.get(name) {
            return Some(root.clone());
        }
        match &name.alias {
            None => return Some(name.clone()),
            Some(alias) if self.unread.contains(alias) => return None,
            Some(_) => {}
        }
        let known: Vec<_> = visible.keys().filter(|known| known.provider == name.provider).map(|known| format!("`{known}`")).collect();
        let there = if known.is_empty() { "there is none".to_owned() } else { format!("there is {}", known.join(", ")) };
        let problem = match from {
            None => {
                let detail = format!("no `provider \"{}\"` block of this module has the alias of `{name}`; {there}", name.provider);
                let names: Vec<_> = visible.keys().map(ToString::to_string).collect();
                let near = did_you_mean(&name.to_string(), names.iter().map(String::as_str));
                let help = near.map_or_else(|| declared(name), |near| format!("Did you mean `{near}`?"));
                Diagnostic::error("undeclared provider", detail).at(reference.span).help(help)
            }
            Some(call) => {
                let detail = format!("no call of this module may leave out `{name}`, and one does");
                let problem = Diagnostic::error("undeclared provider", detail).at(reference.span).related(call.span, "this one does");
                problem.help(format!("Write `providers = {{ {name} = … }}` in the call."))
            }
        };
        self.report(problem);
        None
    }

    fn report(&mut self, problem: Diagnostic) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

fn declared(name: &ProviderName) -> String {
    let alias = name.alias.as_deref().unwrap_or_default();
    format!("Write `provider \"{}\" {{ alias = \"{alias}\" … }}`, or correct the name.", name.provider)
}

/// Problems of `provider` blocks themselves: where they stand, and what their settings come from.
pub(super) fn blocks(config: &Config, key: &ModuleKey, module: &Module) -> Problems {
    let mut problems = Problems::new();
    for (name, block) in &module.providers {
        if *key != config.root {
            let problem = Diagnostic::error("misplaced block", "a `provider` block stands in the root module").at(block.span);
            problems.push(problem.help(format!("Move it there, and pass it on: `providers = {{ {} = {name} }}`.", name.provider)));
            continue;
        }
        for argument in &block.arguments {
            if let Some((from, at)) = comes_from(module, &argument.value, &mut BTreeSet::new()) {
                let detail = format!(
                    "`{}` of the provider `{name}` comes from `{from}`, and providers are configured before anything is planned",
                    argument.name
                );
                let help = "Let it come from constants, variables, and locals that are made of these.";
                problems.push(Diagnostic::error("provider setting not constant", detail).at(at).help(help));
            }
        }
    }
    problems
}

/// The first thing in an expression that is neither constant nor a variable, also through locals, and where the expression names it.
fn comes_from(module: &Module, expression: &Expr, seen: &mut BTreeSet<Arc<str>>) -> Option<(String, Span)> {
    let mut found = match &expression.node {
        Node::Root(root) => match root {
            Root::Local(name) if seen.insert(name.clone()) => {
                let within = module.locals.get(name).and_then(|local| comes_from(module, &local.value, seen));
                within.map(|(from, _)| (from, expression.span))
            }
            Root::Local(_) | Root::Variable(_) | Root::PathModule | Root::PathRoot | Root::PathCwd | Root::Bound(_) | Root::Element => None,
            Root::Resource(Mode::Managed, kind, name) => Some((format!("{kind}.{name}"), expression.span)),
            Root::Resource(Mode::Data, kind, name) => Some((format!("data.{kind}.{name}"), expression.span)),
            Root::Module(name) => Some((format!("module.{name}"), expression.span)),
            Root::EachKey | Root::EachValue => Some(("each".to_owned(), expression.span)),
            Root::CountIndex => Some(("count.index".to_owned(), expression.span)),
            Root::Itself => Some(("self".to_owned(), expression.span)),
        },
        _ => None,
    };
    expression.each_child(&mut |child| {
        if found.is_none() {
            found = comes_from(module, child, seen);
        }
    });
    found
}
