//! What types alone show to be wrong, wherever it stands: every expression of a configuration is run with nothing known of what it
//! refers to but its type.

use super::conditions::{as_condition, as_message};
use super::expand::{as_count, no_for_each};
use crate::address::{Address, AddressParts, Key, ModulePath};
use crate::config::{Argument, Assertion, CallBlock, Config, Expr, Module, Repetition, ResourceBlock, ResourceName, Root, Variable, given};
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::{Arena, FileAnswer, Scope, Surroundings, convert, evaluate};
use crate::schema::{Catalogue, Presence};
use crate::source::Span;
use crate::value::{Data, Field, ObjectType, SequenceKind, Type, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many locals deep one is followed into others. Each is looked at on its own as well.
const DEEPEST: usize = 32;

/// Every problem of every module that no value of its variables and no answer of the world can cure: functions that are not there, values of
/// another type than what takes them, attributes that a kind has not. Kinds and arguments that are not known are passed over.
pub fn mistyped(config: &Config, catalogue: &Catalogue) -> Problems {
    let mut problems = Problems::new();
    for module in config.modules.values() {
        let mut names = Names { module, catalogue, locals: BTreeMap::new(), depth: 0, block: None, data: &[], problems: Problems::new() };
        names.values(config);
        names.blocks();
        for problem in names.problems {
            // One module may be called by several names.
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}

/// Why the default of a variable is no value of it, whether or not somebody gives it one.
pub(super) fn unsuitable_default(name: &str, variable: &Variable, arena: &mut Arena) -> Option<Diagnostic> {
    let default = variable.default.clone()?;
    if default.is_null() && !variable.nullable {
        let problem = Diagnostic::error("wrong type", format!("variable `{name}` is not `nullable`, and its default is null"));
        return Some(problem.at(variable.span).help("Give it another default, or none."));
    }
    let mismatch = convert(default, &variable.ty, arena).err()?;
    Some(Diagnostic::error("wrong type", format!("the default of the variable `{name}`: {mismatch}")).at(variable.span))
}

/// The names of one module, as far as their types are known.
struct Names<'c> {
    module: &'c Module,
    catalogue: &'c Catalogue,
    locals: BTreeMap<Arc<str>, Value>,
    /// How many locals are being followed.
    depth: usize,
    /// What `self` is an instance of.
    block: Option<&'c ResourceBlock>,
    /// Data sources of the check around.
    data: &'c [Arc<ResourceBlock>],
    problems: Problems,
}

impl Scope for Names<'_> {
    fn resolve(&mut self, root: &Root, _: Span, arena: &mut Arena) -> Result<Value, Problems> {
        Ok(match root {
            Root::Variable(name) => self.module.variables.get(name).map_or_else(open, |variable| {
                Value::pending(without_references(&variable.ty)).sensitive_if(variable.sensitive).ephemeral_if(variable.ephemeral)
            }),
            Root::Local(name) => self.local(name, arena),
            Root::Resource(mode, kind, name) => {
                let name = ResourceName { mode: *mode, kind: kind.clone(), name: name.clone() };
                let within = self.data.iter().find(|data| data.name == name);
                within.or_else(|| self.module.resources.get(&name)).map_or_else(open, |block| self.instance(block, arena))
            }
            Root::Itself => self.block.map_or_else(open, |block| self.instance(block, arena)),
            Root::EachKey | Root::PathModule | Root::PathRoot | Root::PathCwd => Value::pending(Type::String),
            Root::CountIndex => Value::pending(Type::Number),
            Root::EachValue | Root::Module(_) | Root::Bound(_) | Root::Element => open(),
        })
    }

    fn file(&mut self, _: &str) -> FileAnswer {
        FileAnswer::Pending
    }

    fn files(&mut self, _: &str, _: Option<usize>) -> FileAnswer {
        FileAnswer::Pending
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings::default()
    }
}

impl<'c> Names<'c> {
    fn local(&mut self, name: &Arc<str>, arena: &mut Arena) -> Value {
        if let Some(known) = self.locals.get(name) {
            return known.clone();
        }
        let Some(local) = self.module.locals.get(name).filter(|_| self.depth < DEEPEST) else { return open() };
        // Whoever draws the graph reports a circle.
        self.locals.insert(name.clone(), open());
        self.depth += 1;
        let value = evaluate(&local.value, self, arena).unwrap_or_else(|problems| {
            self.problems.extend(problems);
            open()
        });
        self.depth -= 1;
        self.locals.insert(name.clone(), value.clone());
        value
    }

    /// An instance of a block that is not repeated, with nothing known of its attributes but their types.
    fn instance(&self, block: &ResourceBlock, arena: &mut Arena) -> Value {
        let kind = self.catalogue.get(block.name.mode, &block.name.kind);
        let Some(kind) = kind.filter(|_| matches!(block.repetition, Repetition::Once)) else { return open() };
        let schema = kind.schema();
        let attribute = |ty: &Type, sensitive: bool| Value::pending(without_references(ty)).sensitive_if(sensitive);
        let attributes = schema.attributes.iter().map(|one| (one.key.clone(), attribute(&one.ty, one.sensitive)));
        let ResourceName { mode, kind, name } = block.name.clone();
        let address: Address = AddressParts { module: ModulePath::root(), mode, kind, name, key: Key::None, member: None }.into();
        crate::eval::instance(&address, schema.classes, Value::object(attributes), arena)
    }

    fn evaluated(&mut self, expression: &Expr) -> Option<Value> {
        self.looked_at(expression, &mut Arena::default())
    }

    fn looked_at(&mut self, expression: &Expr, arena: &mut Arena) -> Option<Value> {
        self.keep(|names| evaluate(expression, names, arena))
    }

    fn keep<T>(&mut self, make: impl FnOnce(&mut Self) -> Result<T, Problems>) -> Option<T> {
        make(self).map_err(|problems| self.problems.extend(problems)).ok()
    }

    /// An expression as what takes it: `what` says that in words.
    fn converted(&mut self, expression: &Expr, ty: &Type, what: &str) {
        let mut arena = Arena::default();
        let Some(value) = self.looked_at(expression, &mut arena) else { return };
        if let Err(mismatch) = convert(value, ty, &mut arena) {
            self.problems.push(Diagnostic::error("wrong type", format!("{what}: {mismatch}")).at(expression.span));
        }
    }

    fn values(&mut self, config: &'c Config) {
        let module = self.module;
        for name in module.locals.keys() {
            self.local(name, &mut Arena::default());
        }
        for (name, variable) in &module.variables {
            self.problems.extend(unsuitable_default(name, variable, &mut Arena::default()));
            self.assertions(&variable.validations);
        }
        for output in module.outputs.values() {
            self.evaluated(&output.value);
            self.assertions(&output.preconditions);
        }
        for call in module.calls.values() {
            self.call(call, config.modules.get(&call.module).map(|called| &**called));
        }
        for (name, block) in &module.providers {
            let schema = self.catalogue.provider(&name.provider);
            for argument in &block.arguments {
                let setting = schema.and_then(|schema| schema.settings.iter().find(|setting| setting.attribute.name == &*argument.name));
                self.argument(argument, setting.map_or(&Type::Any, |setting| &setting.attribute.ty));
            }
        }
    }

    fn blocks(&mut self) {
        let module = self.module;
        for block in module.resources.values() {
            self.resource(block);
        }
        for check in module.checks.values() {
            self.data = &check.data;
            check.data.iter().for_each(|data| self.resource(data));
            self.assertions(&check.assertions);
            self.data = &[];
        }
        for import in &module.imports {
            self.repetition(&import.repetition);
            import.expressions().for_each(|expression| drop(self.evaluated(expression)));
        }
    }

    fn call(&mut self, call: &CallBlock, called: Option<&Module>) {
        self.repetition(&call.repetition);
        for argument in &call.arguments {
            let variable = called.and_then(|called| called.variables.get(&argument.name));
            match variable {
                Some(variable) => self.converted(&argument.value, &variable.ty, &format!("variable `{}`", argument.name)),
                None => drop(self.evaluated(&argument.value)),
            }
        }
    }

    fn argument(&mut self, argument: &Argument, ty: &Type) {
        self.converted(&argument.value, ty, &format!("`{}`", argument.name));
    }

    fn resource(&mut self, block: &'c ResourceBlock) {
        self.repetition(&block.repetition);
        let kind = self.catalogue.get(block.name.mode, &block.name.kind);
        let schema = kind.map(|kind| kind.schema());
        let takes = |name: &str| schema.and_then(|schema| schema.attribute(name)).filter(|one| one.presence != Presence::Computed);
        for argument in block.body.arguments.iter().filter(|argument| takes(&argument.name).is_none()) {
            self.evaluated(&argument.value);
        }
        for attribute in schema.into_iter().flat_map(|schema| &schema.attributes).filter(|one| takes(one.name).is_some()) {
            // What is wrong with nested blocks themselves is wrong whatever their values are.
            if let Ok(Some(expression)) = given(&block.body, attribute.name, &attribute.ty) {
                self.converted(&expression, &attribute.ty, &format!("`{}`", attribute.name));
            }
        }
        block.timeouts.values().for_each(|timeout| drop(self.evaluated(timeout)));
        block.lifecycle().replace_triggered_by.iter().for_each(|trigger| drop(self.evaluated(trigger)));
        self.assertions(&block.lifecycle().preconditions);
        self.block = Some(block);
        self.assertions(&block.lifecycle().postconditions);
        self.block = None;
    }

    fn repetition(&mut self, repetition: &Repetition) {
        let (Repetition::Count(expression) | Repetition::ForEach(expression)) = repetition else { return };
        let mut arena = Arena::default();
        let Some(value) = self.looked_at(expression, &mut arena) else { return };
        let is_list = matches!(value.data(), Data::Sequence(sequence) if !matches!(sequence.kind(), SequenceKind::Set(_)));
        let decided = value.is_known() || is_list && matches!(repetition, Repetition::ForEach(_));
        if !decided {
            return;
        }
        self.problems.extend(match repetition {
            Repetition::Count(_) => as_count(value, expression.span, &mut arena).err().into_iter().flatten().next(),
            _ => no_for_each(&value).map(|detail| Diagnostic::error("wrong `for_each`", detail).at(expression.span)),
        });
    }

    fn assertions(&mut self, assertions: &[Assertion]) {
        for assertion in assertions {
            let mut arena = Arena::default();
            if let Some(condition) = self.looked_at(&assertion.condition, &mut arena) {
                self.keep(|_| as_condition(condition, assertion.condition.span, &mut arena));
            }
            if let Some(message) = self.looked_at(&assertion.error_message, &mut arena) {
                self.keep(|_| as_message(message, assertion.error_message.span, &mut arena));
            }
        }
    }
}

/// A value of which nothing is known.
fn open() -> Value {
    Value::pending(Type::Any)
}

/// A type with anything in the place of references: what they lead to has attributes of its own.
fn without_references(ty: &Type) -> Type {
    let within = |ty: &Arc<Type>| without_references(ty);
    match ty {
        Type::Reference(_) => Type::Any,
        Type::List(element) => Type::list(within(element)),
        Type::Set(element) => Type::set(within(element)),
        Type::Map(element) => Type::map(within(element)),
        Type::Tuple(elements) => Type::Tuple(elements.iter().map(without_references).collect()),
        Type::Object(object) => {
            let fields = object.fields.iter().map(|(name, field)| {
                let field = Field { ty: without_references(&field.ty), ..field.clone() };
                (name.clone(), field)
            });
            Type::Object(Arc::new(ObjectType { fields: fields.collect() }))
        }
        Type::Any | Type::Bool | Type::Number | Type::String => ty.clone(),
    }
}
