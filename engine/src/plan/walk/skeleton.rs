//! The static graph of a configuration: one node per block or local, in the order of their references. It only orders the walk; the
//! edges of resources come from values.

use crate::address::{Address, Mode, ModulePath, ModuleStep};
use crate::config::{
    Assertion, Body, Config, Dependency, DependencyRoot, Expr, ImportBlock, Module, Node as ExprNode, Repetition, ResourceBlock,
    ResourceName, Root, Subject,
};
use crate::diagnostic::Diagnostic;
use crate::graph;
use crate::source::{ModuleKey, Span};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A module as it is called: its text may be called more than once.
#[derive(Debug)]
pub(super) struct StaticModule {
    /// The calling module and the call's name; nothing for the root.
    pub(super) caller: Option<(usize, Arc<str>)>,
    /// Its blocks.
    pub(super) module: Arc<Module>,
    /// The modules it calls.
    pub(super) calls: BTreeMap<Arc<str>, usize>,
    /// Its nodes, in order of their items.
    nodes: Range<usize>,
}

/// What a node stands for. In the order in which a module's nodes stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// A variable.
    Variable(Arc<str>),
    /// A local.
    Local(Arc<str>),
    /// An output.
    Output(Arc<str>),
    /// A resource or data source with all its instances.
    Resource(ResourceName),
    /// The expansion of a `module` block.
    Call(Arc<str>),
    /// A check.
    Check(Arc<str>),
    /// An `import` block, by its index. Only the root module's count.
    Import(usize),
}

/// One node: an item in a module.
#[derive(Debug)]
pub(super) struct StaticNode {
    /// The module, by index.
    pub(super) module: usize,
    /// What it stands for.
    pub(super) item: Item,
    /// The block of a resource or data source.
    pub(super) block: Option<Arc<ResourceBlock>>,
}

/// All nodes, in an order that puts each after those it refers to.
#[derive(Debug, Default)]
pub(super) struct Skeleton {
    pub(super) modules: Vec<StaticModule>,
    pub(super) nodes: Vec<StaticNode>,
    pub(super) order: Vec<usize>,
}

impl Skeleton {
    /// The nodes of a configuration in order, or an error per circle.
    pub(super) fn new(config: &Config) -> (Self, Vec<Diagnostic>) {
        let mut skeleton = Self::default();
        skeleton.add_module(config, &config.root, None);
        match graph::order(skeleton.nodes.len(), &skeleton.edges()) {
            Ok(order) => {
                skeleton.order = order;
                (skeleton, Vec::new())
            }
            Err(circles) => {
                let problems = circles.iter().map(|circle| skeleton.describe(circle)).collect();
                (skeleton, problems)
            }
        }
    }

    /// The node of an item, if the module has it.
    pub(super) fn find(&self, module: usize, item: &Item) -> Option<usize> {
        let nodes = &self.modules.get(module)?.nodes;
        let found = self.nodes[nodes.clone()].binary_search_by(|node| node.item.cmp(item));
        found.ok().map(|at| nodes.start + at)
    }

    /// The module that a path leads to an instance of, if the configuration still has it.
    pub(super) fn module_of(&self, path: &ModulePath) -> Option<usize> {
        path.steps().iter().try_fold(0, |module, step| self.modules.get(module)?.calls.get(&step.name).copied())
    }

    /// The node of the block that an address is an instance of, if the configuration still has it.
    pub(super) fn node_of(&self, address: &Address) -> Option<usize> {
        let module = self.module_of(&address.module)?;
        let name = ResourceName { mode: address.mode, kind: address.kind.clone(), name: address.name.clone() };
        self.find(module, &Item::Resource(name))
    }

    /// That block.
    pub(super) fn block_of(&self, address: &Address) -> Option<&Arc<ResourceBlock>> {
        self.nodes[self.node_of(address)?].block.as_ref()
    }

    /// Whether a node is, or lies in, what is meant, whichever of its instances.
    pub(super) fn is_meant(&self, node: usize, subject: &Subject) -> bool {
        let mut calls = Vec::new();
        let mut at = self.nodes[node].module;
        while let Some((caller, call)) = &self.modules[at].caller {
            calls.push(call);
            at = *caller;
        }
        let begins = |steps: &[ModuleStep]| {
            steps.len() <= calls.len() && steps.iter().zip(calls.iter().rev()).all(|(step, call)| step.name == **call)
        };
        match (subject, &self.nodes[node].item) {
            (Subject::Module(module), Item::Resource(_)) => begins(module.steps()),
            (Subject::Resource(of), Item::Resource(name)) => {
                of.module.steps().len() == calls.len()
                    && begins(of.module.steps())
                    && (of.mode, &of.kind, &of.name) == (name.mode, &name.kind, &name.name)
            }
            _ => false,
        }
    }

    /// What each node refers to.
    pub(super) fn needs(&self) -> Vec<Vec<usize>> {
        let mut needs = vec![Vec::new(); self.nodes.len()];
        for (node, needed) in self.edges() {
            needs[node].push(needed);
        }
        needs
    }

    /// Nodes, each with one that it refers to.
    pub(super) fn edges(&self) -> Vec<(usize, usize)> {
        let mut edges = Vec::new();
        for node in 0..self.nodes.len() {
            self.edges_of(node, &mut edges);
        }
        edges.extend(self.imports());
        edges
    }

    /// The items of one module with their nodes.
    pub(super) fn of_module(&self, module: usize) -> impl Iterator<Item = (usize, &Item)> {
        let nodes = self.modules.get(module).map(|module| module.nodes.clone()).unwrap_or_default();
        self.nodes[nodes.clone()].iter().zip(nodes).map(|(node, at)| (at, &node.item))
    }

    fn add_module(&mut self, config: &Config, key: &ModuleKey, caller: Option<(usize, Arc<str>)>) -> usize {
        let module = config.modules.get(key).cloned().unwrap_or_default();
        let at = self.modules.len();
        let node = |item: Item| StaticNode { module: at, item, block: None };
        let resource = |(name, block): (&ResourceName, &Arc<ResourceBlock>)| StaticNode {
            block: Some(block.clone()),
            ..node(Item::Resource(name.clone()))
        };
        let first = self.nodes.len();
        self.nodes.reserve(module.count());
        self.nodes.extend(module.variables.keys().cloned().map(Item::Variable).map(node));
        self.nodes.extend(module.locals.keys().cloned().map(Item::Local).map(node));
        self.nodes.extend(module.outputs.keys().cloned().map(Item::Output).map(node));
        self.nodes.extend(module.resources.iter().map(resource));
        self.nodes.extend(module.calls.keys().cloned().map(Item::Call).map(node));
        self.nodes.extend(module.checks.keys().cloned().map(Item::Check).map(node));
        let imports = if caller.is_none() { module.imports.len() } else { 0 };
        self.nodes.extend((0..imports).map(Item::Import).map(node));
        let nodes = first..self.nodes.len();
        self.modules.push(StaticModule { caller, module: module.clone(), calls: BTreeMap::new(), nodes });
        for (name, call) in &module.calls {
            let added = self.add_module(config, &call.module, Some((at, name.clone())));
            self.modules[at].calls.insert(name.clone(), added);
        }
        at
    }

    /// Appends the edges of one node: what it needs.
    fn edges_of(&self, node: usize, edges: &mut Vec<(usize, usize)>) {
        let StaticNode { module: at, item, block } = &self.nodes[node];
        let (at, module) = (*at, &self.modules[*at].module);
        let mut refer = |module: usize, expression: &Expr| self.references(module, expression, &mut |needed| edges.push((node, needed)));
        match item {
            Item::Variable(name) => {
                if let Some((caller, call)) = &self.modules[at].caller {
                    let block = &self.modules[*caller].module.calls[call];
                    block.arguments.iter().filter(|argument| argument.name == *name).for_each(|argument| refer(*caller, &argument.value));
                }
                self.rules(node, name, edges);
            }
            Item::Local(name) => refer(at, &module.locals[name].value),
            Item::Output(name) => {
                let output = &module.outputs[name];
                refer(at, &output.value);
                output.preconditions.iter().flat_map(Assertion::expressions).for_each(|expression| refer(at, expression));
            }
            Item::Resource(_) => block.iter().for_each(|block| each_expression(block, &mut |expression| refer(at, expression))),
            Item::Call(name) => {
                if let Repetition::Count(expression) | Repetition::ForEach(expression) = &module.calls[name].repetition {
                    refer(at, expression);
                }
            }
            Item::Check(name) => {
                let check = &module.checks[name];
                check.assertions.iter().flat_map(Assertion::expressions).for_each(|expression| refer(at, expression));
                check.data.iter().for_each(|data| each_expression(data, &mut |expression| refer(at, expression)));
            }
            Item::Import(index) => {
                let block = &module.imports[*index];
                if let Repetition::Count(expression) | Repetition::ForEach(expression) = &block.repetition {
                    refer(at, expression);
                }
                block.expressions().for_each(|expression| refer(at, expression));
            }
        }
        let dependencies = match (item, block) {
            (Item::Output(name), _) => module.outputs[name].depends_on.as_slice(),
            (_, Some(block)) => &block.depends_on,
            _ => &[],
        };
        for dependency in dependencies {
            self.dependency(at, dependency, &mut |needed| edges.push((node, needed)));
        }
        // Whatever stands in a called module exists once per instance of the call, and waits for what the call waits for.
        let mut inner = at;
        while let Some((caller, call)) = &self.modules[inner].caller {
            if let Some(needed) = self.find(*caller, &Item::Call(call.clone())) {
                edges.push((node, needed));
            }
            if matches!(item, Item::Resource(_)) {
                for dependency in &self.modules[*caller].module.calls[call].depends_on {
                    self.dependency(*caller, dependency, &mut |needed| edges.push((node, needed)));
                }
            }
            inner = *caller;
        }
    }

    /// The rules of a variable look at the variable, and may look at others.
    fn rules(&self, node: usize, name: &Arc<str>, edges: &mut Vec<(usize, usize)>) {
        let module = self.nodes[node].module;
        let rules = self.modules[module].module.variables.get(name).map(|variable| variable.validations.as_slice()).unwrap_or_default();
        for expression in rules.iter().flat_map(Assertion::expressions) {
            self.references(module, expression, &mut |needed| edges.extend((needed != node).then_some((node, needed))));
        }
    }

    /// What is imported waits for what its `import` block says.
    fn imports(&self) -> Vec<(usize, usize)> {
        let blocks = self.modules.first().map(|root| root.module.imports.as_slice()).unwrap_or_default();
        let edge = |(at, block): (usize, &ImportBlock)| {
            let module = block.module.iter().try_fold(0, |module: usize, (call, _)| self.modules[module].calls.get(call).copied())?;
            Some((self.find(module, &Item::Resource(block.name.clone()))?, self.find(0, &Item::Import(at))?))
        };
        blocks.iter().enumerate().filter_map(edge).collect()
    }

    fn dependency(&self, module: usize, dependency: &Dependency, need: &mut dyn FnMut(usize)) {
        match &dependency.root {
            DependencyRoot::Object(root) => self.root(module, root, None, need),
            DependencyRoot::Check(name) => self.find(module, &Item::Check(name.clone())).into_iter().for_each(&mut *need),
        }
        if let Some(key) = &dependency.key {
            self.references(module, key, need);
        }
    }

    fn references(&self, module: usize, expression: &Expr, need: &mut dyn FnMut(usize)) {
        if let Some((call, output)) = output_of(expression) {
            self.root(module, &Root::Module(call.clone()), Some(output), need);
            if let ExprNode::Attribute(base, _) = &expression.node
                && let ExprNode::Index(_, key) = &base.node
            {
                self.references(module, key, need);
            }
            return;
        }
        if let ExprNode::Root(root) = &expression.node {
            self.root(module, root, None, need);
        }
        expression.each_child(&mut |child| self.references(module, child, need));
    }

    fn root(&self, module: usize, root: &Root, output: Option<&Arc<str>>, need: &mut dyn FnMut(usize)) {
        let item = match root {
            Root::Variable(name) => Item::Variable(name.clone()),
            Root::Local(name) => Item::Local(name.clone()),
            Root::Resource(mode, kind, name) => Item::Resource(ResourceName { mode: *mode, kind: kind.clone(), name: name.clone() }),
            Root::Module(name) => {
                self.find(module, &Item::Call(name.clone())).into_iter().for_each(&mut *need);
                if let Some(called) = self.modules[module].calls.get(name) {
                    let all = self.of_module(*called).filter(|(_, item)| match (item, output) {
                        (Item::Output(name), Some(output)) => name == output,
                        (Item::Output(_) | Item::Resource(_), None) => true,
                        _ => false,
                    });
                    all.map(|(node, _)| node).for_each(&mut *need);
                }
                return;
            }
            _ => return,
        };
        self.find(module, &item).into_iter().for_each(need);
    }

    fn describe(&self, circle: &[usize]) -> Diagnostic {
        let mut names: Vec<String> = circle.iter().map(|node| self.name(*node)).collect();
        names.extend(names.first().cloned());
        let detail = format!("these refer to each other in a circle: {}", names.join(" → "));
        let mut problem =
            Diagnostic::error("circular reference", detail).help("Break the circle: one of these must not refer to the next.");
        for (nth, node) in circle.iter().enumerate() {
            match self.span(*node) {
                Some(span) if nth == 0 => problem = problem.at(span),
                Some(span) => problem = problem.related(span, format!("`{}` is part of it", self.name(*node))),
                None => {}
            }
        }
        problem
    }

    /// A node as its block is written, with the module's path before it.
    pub(super) fn name(&self, node: usize) -> String {
        let mut path = String::new();
        let mut at = self.nodes[node].module;
        while let Some((caller, call)) = &self.modules[at].caller {
            path = format!("module.{call}.{path}");
            at = *caller;
        }
        match &self.nodes[node].item {
            Item::Call(name) => format!("{path}module.{name}"),
            Item::Variable(name) => format!("{path}var.{name}"),
            Item::Local(name) => format!("{path}local.{name}"),
            Item::Output(name) => format!("{path}output.{name}"),
            Item::Check(name) => format!("{path}check.{name}"),
            Item::Import(at) => {
                let target = self.modules[self.nodes[node].module].module.imports.get(*at).map(ToString::to_string);
                format!("import of {}", target.unwrap_or_default())
            }
            Item::Resource(ResourceName { mode: Mode::Managed, kind, name }) => format!("{path}{kind}.{name}"),
            Item::Resource(ResourceName { mode: Mode::Data, kind, name }) => format!("{path}data.{kind}.{name}"),
        }
    }

    /// Where a node's block stands.
    pub(super) fn span(&self, node: usize) -> Option<Span> {
        let StaticNode { module, item, block } = &self.nodes[node];
        let module = &self.modules[*module].module;
        match item {
            Item::Call(name) => module.calls.get(name).map(|call| call.span),
            Item::Variable(name) => module.variables.get(name).map(|variable| variable.span),
            Item::Local(name) => module.locals.get(name).map(|local| local.span),
            Item::Output(name) => module.outputs.get(name).map(|output| output.span),
            Item::Check(name) => module.checks.get(name).map(|check| check.span),
            Item::Import(at) => module.imports.get(*at).map(|block| block.span),
            Item::Resource(_) => block.as_ref().map(|block| block.span),
        }
    }
}

/// `module.call.output` or `module.call[key].output`.
fn output_of(expression: &Expr) -> Option<(&Arc<str>, &Arc<str>)> {
    let ExprNode::Attribute(base, output) = &expression.node else { return None };
    let base = match &base.node {
        ExprNode::Index(base, _) => base,
        _ => base,
    };
    match &base.node {
        ExprNode::Root(Root::Module(call)) => Some((call, output)),
        _ => None,
    }
}

/// Every expression of a resource block.
fn each_expression(block: &ResourceBlock, visit: &mut dyn FnMut(&Expr)) {
    if let Repetition::Count(expression) | Repetition::ForEach(expression) = &block.repetition {
        visit(expression);
    }
    each_of_body(&block.body, visit);
    block.timeouts.values().for_each(&mut *visit);
    block.lifecycle().replace_triggered_by.iter().for_each(&mut *visit);
    for assertion in block.lifecycle().preconditions.iter().chain(&block.lifecycle().postconditions) {
        visit(&assertion.condition);
        visit(&assertion.error_message);
    }
}

fn each_of_body(body: &Body, visit: &mut dyn FnMut(&Expr)) {
    body.arguments.iter().for_each(|argument| visit(&argument.value));
    for block in &body.blocks {
        block.repeated.iter().for_each(|repeated| visit(&repeated.for_each));
        block.labels.iter().for_each(&mut *visit);
        each_of_body(&block.body, visit);
    }
}
