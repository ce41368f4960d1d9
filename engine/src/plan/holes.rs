//! Ephemeral inputs of a plan that goes into a file: the plan names them, and who applies it gives them again.

use super::providers::Constants;
use super::{Inputs, Plan, Providers, When};
use crate::config::{Config, Expr, Module, Node, Root};
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::{Arena, FileAnswer, Scope, Surroundings, convert, evaluate};
use crate::schema::{Catalogue, ProviderName};
use crate::source::Span;
use crate::value::{Type, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An ephemeral variable of the root module.
#[derive(Debug, Clone, PartialEq)]
pub struct Hole {
    /// Its type constraint.
    pub ty: Type,
    /// What it is if it is not given; nothing if it has to be, as it was for the plan.
    pub default: Option<Value>,
    /// Whether null is a value of it.
    pub nullable: bool,
    /// Whether it is declared sensitive.
    pub sensitive: bool,
    /// Conditions on it with their messages, over ephemeral variables alone.
    pub validations: Vec<(Expr, Expr)>,
}

/// What a plan in a file leaves open.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Holes {
    /// The inputs, by name.
    pub inputs: BTreeMap<Arc<str>, Hole>,
    /// Settings of providers that come from them, by the provider and their names: over ephemeral variables alone.
    pub settings: BTreeMap<ProviderName, BTreeMap<Arc<str>, Expr>>,
}

impl Holes {
    /// What a plan has to leave open; nothing if it is applied at once.
    pub(super) fn of(config: &Config, inputs: &Inputs, providers: &Providers) -> Self {
        let Some(root) = config.modules.get(&config.root).filter(|_| inputs.when == When::Later) else { return Self::default() };
        let constants = &mut Constants { root, inputs };
        let open = root.variables.iter().filter(|(_, variable)| variable.ephemeral).map(|(name, variable)| {
            let given = inputs.variables.get(name).is_some_and(|value| variable.nullable || !value.is_null());
            let validations = variable.validations.iter().filter_map(|validation| {
                let [condition, message] = [&validation.condition, &validation.error_message].map(|it| alone(it, constants));
                Some((condition?, message?))
            });
            let hole = Hole {
                ty: variable.ty.clone(),
                default: variable.default.clone().filter(|_| !given),
                nullable: variable.nullable,
                sensitive: variable.sensitive,
                validations: validations.collect(),
            };
            (name.clone(), hole)
        });
        Self { inputs: open.collect(), settings: open_settings(root, inputs, providers) }
    }

    /// The names of those that have to be given.
    pub fn needed(&self) -> impl Iterator<Item = &Arc<str>> {
        self.inputs.iter().filter(|(_, hole)| hole.default.is_none()).map(|(name, _)| name)
    }

    /// The configurations of providers with null for what is left open.
    #[must_use]
    pub fn without(&self, providers: &Providers) -> Providers {
        let mut providers = providers.clone();
        for (name, open) in &self.settings {
            let Some(settings) = providers.settings.get_mut(name) else { continue };
            let kept = |key: &Arc<str>, value: &Value| if open.contains_key(key) { Value::null() } else { value.clone() };
            *settings = Value::object(settings.entries().iter().map(|entry| (entry.key.clone(), kept(&entry.key, &entry.value))));
        }
        providers
    }
}

fn open_settings(root: &Module, inputs: &Inputs, providers: &Providers) -> BTreeMap<ProviderName, BTreeMap<Arc<str>, Expr>> {
    let mut settings = BTreeMap::new();
    for (name, block) in &root.providers {
        let known = providers.settings.get(name);
        let is_open = |setting: &str| known.and_then(|known| known.get(setting)).is_some_and(Value::holds_ephemeral);
        let open = block.arguments.iter().filter(|argument| is_open(&argument.name));
        let constants = &mut Constants { root, inputs };
        let open: BTreeMap<_, _> = open.filter_map(|it| Some((it.name.clone(), alone(&it.value, constants)?))).collect();
        if !open.is_empty() {
            settings.insert(name.clone(), open);
        }
    }
    settings
}

/// An expression over ephemeral variables alone: all else in it replaced by what it is. Nothing if it looks at what is known only while
/// planning.
fn alone(expression: &Expr, constants: &mut Constants<'_>) -> Option<Expr> {
    let made = expression.map_leaves(&mut |leaf| {
        let Node::Root(root) = &leaf.node else { return leaf.clone() };
        let node = match root {
            Root::Variable(name) if constants.root.variables.get(name).is_some_and(|variable| variable.ephemeral) => leaf.node.clone(),
            Root::Local(name) => {
                let local = constants.root.locals.get(name).and_then(|local| alone(&local.value, constants));
                local.map_or_else(|| leaf.node.clone(), |local| Node::Parenthesis(Box::new(local)))
            }
            Root::Variable(_) | Root::PathModule | Root::PathRoot | Root::PathCwd => {
                let value = constants.resolve(root, leaf.span, &mut Arena::default());
                value.map_or_else(|_| leaf.node.clone(), Node::Literal)
            }
            _ => leaf.node.clone(),
        };
        Expr::new(node, leaf.span)
    });
    let mut is_alone = true;
    made.each_root(&mut |root, _| is_alone &= matches!(root, Root::Variable(_)));
    is_alone.then_some(made)
}

impl Plan {
    /// Fills what the plan leaves open with the values that are given now. Says which are missing or do not fit.
    pub fn supply(&mut self, given: &BTreeMap<Arc<str>, Value>, catalogue: &Catalogue) -> Problems {
        let mut problems = Problems::new();
        for (name, hole) in &self.holes.inputs {
            match filled(name, hole, given.get(name)) {
                Ok(value) => drop(self.supplied.insert(name.clone(), value)),
                Err(more) => problems.extend(more),
            }
        }
        if !problems.is_empty() {
            return problems;
        }
        for (name, hole) in &self.holes.inputs {
            for (condition, message) in &hole.validations {
                problems.extend(invalid(name, (condition, message), &self.supplied));
            }
        }
        for (name, open) in &self.holes.settings {
            let Some(schema) = catalogue.provider(&name.provider) else { continue };
            let Some(settings) = self.providers.settings.get_mut(name) else { continue };
            let mut entries: BTreeMap<Arc<str>, Value> =
                settings.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
            for setting in &schema.settings {
                let Some(expression) = open.get(setting.attribute.name) else { continue };
                let value = said(expression, &self.supplied).and_then(|value| {
                    let value = if value.is_null() { setting.attribute.default.clone().unwrap_or(value) } else { value };
                    convert(value, &setting.attribute.ty, &mut Arena::default()).map_err(|mismatch| mismatch.to_string())
                });
                match value {
                    Ok(value) => drop(entries.insert(setting.attribute.key.clone(), value)),
                    Err(why) => problems.push(Diagnostic::error("wrong type", format!("`{}` of {name}: {why}", setting.attribute.name))),
                }
            }
            *settings = Value::object(entries);
        }
        problems
    }
}

/// The value of an input, of its type.
fn filled(name: &str, hole: &Hole, given: Option<&Value>) -> Result<Value, Problems> {
    let given = given.filter(|value| hole.nullable || !value.is_null()).cloned();
    let Some(value) = given.or_else(|| hole.default.clone()) else {
        let detail = format!("the plan needs the variable `{name}`, and as that is ephemeral it holds no value of it");
        let help = format!("Give it again, with `--var {name}=…`, a file of values or `MESHPLAN_VAR_{name}` in the environment.");
        return Err(vec![Diagnostic::error("missing value", detail).help(help)]);
    };
    let value = convert(value, &hole.ty, &mut Arena::default())
        .map_err(|mismatch| vec![Diagnostic::error("wrong type", format!("variable `{name}`: {mismatch}"))])?;
    Ok(value.sensitive_if(hole.sensitive).ephemeral_if(true))
}

/// What a validation has against what is given, if anything.
fn invalid(name: &str, (condition, message): (&Expr, &Expr), given: &BTreeMap<Arc<str>, Value>) -> Option<Diagnostic> {
    let wrong = |why: String| Some(Diagnostic::error("invalid value", format!("variable `{name}`: {why}")));
    match said(condition, given) {
        Ok(condition) if condition.as_bool() == Some(true) => None,
        Ok(_) => match said(message, given) {
            Ok(message) if message.holds_sensitive() => wrong("(the message is sensitive)".to_owned()),
            Ok(message) if message.holds_ephemeral() => wrong("(the message is ephemeral)".to_owned()),
            Ok(message) => wrong(message.as_str().unwrap_or("its condition does not hold").to_owned()),
            Err(why) => wrong(why),
        },
        Err(why) => wrong(why),
    }
}

/// What an expression over ephemeral variables comes to.
fn said(expression: &Expr, given: &BTreeMap<Arc<str>, Value>) -> Result<Value, String> {
    let mut scope = Given(given);
    evaluate(expression, &mut scope, &mut Arena::default()).map_err(|problems| problems.into_iter().map(|problem| problem.detail).collect())
}

struct Given<'a>(&'a BTreeMap<Arc<str>, Value>);

impl Scope for Given<'_> {
    fn resolve(&mut self, root: &Root, span: Span, _: &mut Arena) -> Result<Value, Problems> {
        match root {
            Root::Variable(name) => Ok(self.0.get(name).cloned().unwrap_or_else(Value::null)),
            _ => Err(vec![Diagnostic::error("unknown name", "only ephemeral variables are known here").at(span)]),
        }
    }

    fn file(&mut self, path: &str) -> FileAnswer {
        FileAnswer::Refused(format!("`{path}` was read when the plan was made, and is not read again"))
    }

    fn files(&mut self, directory: &str, _: Option<usize>) -> FileAnswer {
        self.file(directory)
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings::default()
    }
}
