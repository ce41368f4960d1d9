//! Test files: ordered runs of a module, and what must hold after each.

use super::expression::{Binary, Call, Expr, Node, Root};
use super::model::{Argument, Assertion, Config, Local, Module, Output, ResourceBlock, ResourceName};
use crate::address::Mode;
use crate::source::Span;
use crate::value::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One `*.meshtest.hcl` file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestFile {
    /// `variables { … }` outside the runs: values for each of them.
    pub variables: Vec<Argument>,
    /// `run` blocks, in order.
    pub runs: Vec<Run>,
}

/// What a run does with the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunCommand {
    /// It is planned.
    Plan,
    /// It is planned and applied.
    #[default]
    Apply,
}

/// A `run` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name.
    pub name: Arc<str>,
    /// `command`
    pub command: RunCommand,
    /// `variables { … }`: values for this run. They may refer to `var` and `run`.
    pub variables: Vec<Argument>,
    /// Data sources of its own, read before its conditions are decided.
    pub data: Vec<Arc<ResourceBlock>>,
    /// `retry_until { … }`
    pub retry: Option<Retry>,
    /// What must hold.
    pub assertions: Vec<Assertion>,
    /// `expect_failures`: what has to fail, and where that is said.
    pub expected: Vec<(Checkable, Span)>,
    /// Where the block's header stands.
    pub span: Span,
}

/// A `retry_until` block: the module is looked at again and again until a condition holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// What is waited for.
    pub condition: Expr,
    /// Seconds after which the run fails.
    pub timeout: u64,
    /// Seconds between two looks.
    pub interval: u64,
    /// Where the block's header stands.
    pub span: Span,
}

/// What conditions of its own may fail, in the module under test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checkable {
    /// `var.name`, by a `validation`.
    Variable(Arc<str>),
    /// `output.name`, by a `precondition`.
    Output(Arc<str>),
    /// `check.name`, by an `assert`.
    Check(Arc<str>),
    /// `kind.name` or `data.kind.name`, by a `precondition` or `postcondition`.
    Resource(ResourceName),
}

impl fmt::Display for Checkable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "var.{name}"),
            Self::Output(name) => write!(f, "output.{name}"),
            Self::Check(name) => write!(f, "check.{name}"),
            Self::Resource(ResourceName { mode: Mode::Managed, kind, name }) => write!(f, "{kind}.{name}"),
            Self::Resource(ResourceName { mode: Mode::Data, kind, name }) => write!(f, "data.{kind}.{name}"),
        }
    }
}

impl Checkable {
    /// The conditions of a module's variables, outputs and resources, each with what fails if it does. What a check says is known by its
    /// name.
    pub fn conditions(module: &Module) -> impl Iterator<Item = (Self, &Assertion)> {
        let variables =
            module.variables.iter().flat_map(|(name, block)| block.validations.iter().map(|held| (Self::Variable(name.clone()), held)));
        let outputs =
            module.outputs.iter().flat_map(|(name, block)| block.preconditions.iter().map(|held| (Self::Output(name.clone()), held)));
        let resources = module.resources.iter().flat_map(|(name, block)| {
            let lifecycle = block.lifecycle();
            let held = lifecycle.preconditions.iter().chain(&lifecycle.postconditions);
            held.map(|held| (Self::Resource(name.clone()), held))
        });
        variables.chain(outputs).chain(resources)
    }

    /// Whether a module has it.
    pub fn is_in(&self, module: &Module) -> bool {
        match self {
            Self::Variable(name) => module.variables.contains_key(name),
            Self::Output(name) => module.outputs.contains_key(name),
            Self::Check(name) => module.checks.contains_key(name),
            Self::Resource(name) => module.resources.contains_key(name),
        }
    }
}

/// What a run asks of a module, as an output of [`Run::inspected`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// The condition of `retry_until`.
    Retry,
    /// The condition of an assertion, by its index.
    Condition(usize),
    /// What an assertion says if its condition is false, and null otherwise.
    Message(usize),
    /// The left side of a condition that compares two values.
    Left(usize),
    /// The right side.
    Right(usize),
    /// An output of the module itself.
    Output(&'a str),
}

impl fmt::Display for Asked<'_> {
    /// As a name that no output can have.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry => f.write_str("retry until"),
            Self::Condition(at) => write!(f, "assert {at} condition"),
            Self::Message(at) => write!(f, "assert {at} message"),
            Self::Left(at) => write!(f, "assert {at} left"),
            Self::Right(at) => write!(f, "assert {at} right"),
            Self::Output(name) => write!(f, "output {name}"),
        }
    }
}

impl Run {
    /// The configuration with what the run asks of its root module: each of [`Asked`] as an output, the run's data sources, and what
    /// `output` and `run` mean in its conditions. `former` are the outputs of the runs before, by the run's name. Such a configuration is
    /// planned, and never applied.
    pub fn inspected(&self, config: &Config, former: &BTreeMap<Arc<str>, Value>) -> Config {
        let mut config = config.clone();
        let Some(root) = config.modules.get_mut(&config.root) else { return config };
        let module = Arc::make_mut(root);
        let outputs: Vec<Arc<str>> = module.outputs.keys().cloned().collect();
        for (name, value) in former {
            let value = Expr::new(Node::Literal(value.clone()), self.span);
            module.locals.insert(format!("run.{name}").into(), Local { value, span: self.span });
        }
        for name in outputs {
            let output = &module.outputs[&name];
            let (value, span) = (if output.sensitive { sensitive(&output.value) } else { output.value.clone() }, output.span);
            let local: Arc<str> = format!("output.{name}").into();
            let reference = Expr::new(Node::Root(Root::Local(local.clone())), span);
            module.locals.insert(local, Local { value, span });
            ask(module, Asked::Output(&name), reference);
        }
        for data in &self.data {
            module.resources.insert(data.name.clone(), data.clone());
        }
        self.ask_conditions(module);
        config
    }

    fn ask_conditions(&self, module: &mut Module) {
        if let Some(retry) = &self.retry {
            ask(module, Asked::Retry, retry.condition.clone());
        }
        for (at, assertion) in self.assertions.iter().enumerate() {
            let (condition, message) = (&assertion.condition, &assertion.error_message);
            ask(module, Asked::Condition(at), condition.clone());
            let null = Expr::new(Node::Literal(Value::null()), message.span);
            let parts = [condition, &null, message].map(|part| Box::new(part.clone()));
            let [condition, then, otherwise] = parts;
            ask(module, Asked::Message(at), Expr::new(Node::Conditional(condition, then, otherwise), message.span));
            if let Node::Binary(operator, left, right) = &assertion.condition.node
                && !matches!(operator, Binary::And | Binary::Or)
            {
                ask(module, Asked::Left(at), (**left).clone());
                ask(module, Asked::Right(at), (**right).clone());
            }
        }
    }
}

/// Lets a module give a value, as the one item of a list: the output is sensitive whatever it holds, and the item as sensitive as it is.
fn ask(module: &mut Module, asked: Asked<'_>, value: Expr) {
    let span = value.span;
    let value = Expr::new(Node::Tuple(vec![value]), span);
    let output =
        Output { value, description: None, sensitive: true, ephemeral: true, depends_on: Vec::new(), preconditions: Vec::new(), span };
    module.outputs.insert(asked.to_string().into(), output);
}

fn sensitive(value: &Expr) -> Expr {
    let call = Call { name: "sensitive".into(), name_span: value.span, arguments: vec![value.clone()], expand: false };
    Expr::new(Node::Call(Box::new(call)), value.span)
}
