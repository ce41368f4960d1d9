//! From an attribute back to what is written: the references that its expression leads to, each with its value and where it stands.

use super::skeleton::Item;
use super::tables::{Binding, Keys};
use super::{Site, Walk};
use crate::address::{Address, AddressParts, Key, ModulePath};
use crate::config::{Expr, Node, Repetition, ResourceBlock, ResourceName, Root, given};
use crate::diagnostic::Problems;
use crate::plan::cause::{element, part};
use crate::plan::{Cause, Written};
use crate::source::Span;
use crate::value::{Data, Sequence, SequenceKind, Type, Value};
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;
use std::sync::Arc;

/// Functions that hand on what an argument of theirs holds under the same path.
const TRANSPARENT: &[&str] = &["try", "coalesce", "tomap", "sensitive", "nonsensitive"];

/// Causes within each other, as many as can be read, and fewer than readers of JSON take. A longer row goes on beside.
const DEEPEST: usize = 32;

/// Where an expression stands, kept while its references are followed.
#[derive(Clone)]
struct Standpoint {
    module: usize,
    path: ModulePath,
    binding: Option<Binding>,
    /// What `each` and `count` come from, and where that stands.
    repetition: Option<(Arc<Expr>, Box<Self>)>,
}

impl Standpoint {
    fn site(&self) -> Site<'_> {
        Site { binding: self.binding.as_ref(), ..Site::of(self.module, &self.path) }
    }
}

/// A cause that stands too deep to be followed where it is.
struct Later {
    cause: Cause,
    expression: Expr,
    steps: Vec<Arc<str>>,
    at: Standpoint,
}

/// Follows references. What was followed already is not followed again.
struct Tracer<'w, 'a> {
    walk: &'w mut Walk<'a>,
    followed: BTreeSet<String>,
    /// How many causes are being followed, each within the one before.
    depth: usize,
    later: VecDeque<Later>,
}

impl<'w, 'a> Tracer<'w, 'a> {
    fn new(walk: &'w mut Walk<'a>) -> Self {
        Self { walk, followed: BTreeSet::new(), depth: 0, later: VecDeque::new() }
    }

    /// What was found, and behind it what was too deep to be followed there.
    fn with_later(&mut self, mut causes: Vec<Cause>) -> Vec<Cause> {
        while let Some(Later { mut cause, expression, steps, at }) = self.later.pop_front() {
            cause.from = self.trace(&expression, &steps, &at);
            causes.push(cause);
        }
        causes
    }

    /// What a cause comes from, unless `name` was followed already or this is too deep.
    fn from(&mut self, name: &str, cause: &Cause, (expression, steps): (&Expr, &[Arc<str>]), at: &Standpoint) -> Vec<Cause> {
        if !self.followed.insert(name.to_owned()) {
            return Vec::new();
        }
        if self.depth == DEEPEST {
            self.later.push_back(Later { cause: cause.clone(), expression: expression.clone(), steps: steps.to_vec(), at: at.clone() });
            return Vec::new();
        }
        self.depth += 1;
        let from = self.trace(expression, steps, at);
        self.depth -= 1;
        from
    }
}

impl Walk<'_> {
    /// What is written for an attribute of an instance, or for a part of it. Without a path that is every argument. A member of a set is
    /// made from all arguments of the set.
    pub fn causes(&mut self, address: &Address, path: &[Arc<str>]) -> Vec<Cause> {
        let mut tracer = Tracer::new(self);
        let causes = tracer.causes(address, path);
        tracer.with_later(causes)
    }

    /// What an instance being there comes from: `count` and `for_each` of its block and of the calls of the modules that it is in.
    pub fn occasions(&mut self, address: &Address) -> Vec<Cause> {
        let mut tracer = Tracer::new(self);
        let occasions = tracer.occasions(address);
        tracer.with_later(occasions)
    }

    /// Where the block of an instance, or of the set that it is a member of, stands.
    pub fn block_at(&self, address: &Address) -> Option<Span> {
        self.tables.skeleton.block_of(address).map(|block| block.span)
    }
}

impl Tracer<'_, '_> {
    fn causes(&mut self, address: &Address, path: &[Arc<str>]) -> Vec<Cause> {
        let (address, path) = match address.parent() {
            Some(parent) => (parent, &[] as &[_]),
            None => (address.clone(), path),
        };
        let Some((block, at)) = self.standpoint(&address) else { return Vec::new() };
        if let Some((name, rest)) = path.split_first() {
            return self.argument_causes(&block, (&address, name), rest, &at);
        }
        let arguments = block.body.arguments.iter().map(|argument| &argument.name);
        let mut names: Vec<_> = arguments.chain(block.body.blocks.iter().map(|block| &block.name)).cloned().collect();
        names.dedup();
        names.iter().flat_map(|name| self.argument_causes(&block, (&address, name), &[], &at)).collect()
    }

    fn occasions(&mut self, address: &Address) -> Vec<Cause> {
        let mut occasions = Vec::new();
        let mut at = Standpoint { module: 0, path: ModulePath::root(), binding: None, repetition: None };
        for step in address.module.steps() {
            let Some(called) = self.walk.tables.skeleton.modules.get(at.module).and_then(|module| module.calls.get(&step.name)).copied()
            else {
                return occasions;
            };
            let block = self.walk.tables.skeleton.modules[at.module].module.clone();
            let subject = format!("{}module.{}", prefix(&at.path), step.name);
            occasions.extend(self.repetition_cause(&block.calls[&step.name].repetition, &subject, &step.key, &at));
            at = Standpoint { module: called, path: at.path.child(&step.name, step.key.clone()), binding: None, repetition: None };
        }
        let name = ResourceName { mode: address.mode, kind: address.kind.clone(), name: address.name.clone() };
        let block = self.walk.tables.skeleton.find(at.module, &Item::Resource(name));
        if let Some(block) = block.and_then(|node| self.walk.tables.skeleton.nodes[node].block.clone()) {
            let subject = named(&at.path, &block.name, Key::None).to_string();
            occasions.extend(self.repetition_cause(&block.repetition, &subject, &address.key, &at));
        }
        occasions
    }

    fn repetition_cause(&mut self, repetition: &Repetition, subject: &str, key: &Key, at: &Standpoint) -> Option<Cause> {
        let (word, expression, path) = match (repetition, key) {
            (Repetition::Once, _) => return None,
            (Repetition::Count(expression), _) => ("count", expression, Vec::new()),
            (Repetition::ForEach(expression), Key::Text(key)) => ("for_each", expression, vec![key.clone()]),
            (Repetition::ForEach(expression), _) => ("for_each", expression, Vec::new()),
        };
        let value = keys(self.valued(expression, at));
        let name = format!("{subject}: {word}");
        let followed = format!("{name}{}", written(&path));
        let mut cause = Cause { name, written: Written::Repetition, at: expression.span, value, from: Vec::new() };
        cause.from = self.from(&followed, &cause, (expression, &path), at);
        Some(cause)
    }

    fn argument_causes(
        &mut self,
        block: &ResourceBlock,
        (address, name): (&Address, &Arc<str>),
        path: &[Arc<str>],
        at: &Standpoint,
    ) -> Vec<Cause> {
        let Some(expression) = self.given(block, name) else { return Vec::new() };
        let (expression, taken) = narrowed(&expression, path, &mut |expression| self.valued(expression, at));
        let value = part(&self.valued(expression, at), &path[taken..]);
        let from = self.trace(expression, &path[taken..], at);
        let name = format!("{address}.{name}{}", written(path));
        vec![Cause { name, written: Written::Argument, at: expression.span, value, from }]
    }

    /// What a block gives to an argument, as one expression.
    fn given(&self, block: &ResourceBlock, name: &str) -> Option<Expr> {
        let kind = self.walk.catalogue.get(block.name.mode, &block.name.kind)?;
        let attribute = kind.schema().attributes.iter().find(|attribute| attribute.name == name)?;
        Some(given(&block.body, name, &attribute.ty).ok()??.into_owned())
    }

    /// What an expression comes to. What it depends on was evaluated, so that nothing new is said of it.
    fn valued(&mut self, expression: &Expr, at: &Standpoint) -> Value {
        let result: Result<Value, Problems> = self.walk.evaluate(expression, at.site());
        result.unwrap_or_else(|_| Value::blocked(super::FAILED))
    }

    /// The block of an address, and where its arguments stand.
    fn standpoint(&mut self, address: &Address) -> Option<(Arc<ResourceBlock>, Standpoint)> {
        let block = self.walk.tables.skeleton.block_of(address)?.clone();
        let module = self.walk.tables.static_module(&address.module)?;
        let outside = Standpoint { module, path: address.module.clone(), binding: None, repetition: None };
        let at = self.within(&block.repetition, &address.key, &outside);
        Some((block, at))
    }

    /// Where what is repeated stands under one of its keys.
    fn within(&mut self, repetition: &Repetition, key: &Key, outside: &Standpoint) -> Standpoint {
        let (Repetition::Count(expression) | Repetition::ForEach(expression)) = repetition else { return outside.clone() };
        let binding = match self.walk.keys(repetition, outside.site()) {
            Keys::Known(bindings) => bindings.into_iter().find(|binding| binding.key == *key),
            Keys::Open | Keys::Blocked(_) | Keys::Failed => None,
        };
        let repetition = Some((Arc::new((**expression).clone()), Box::new(outside.clone())));
        Standpoint { binding, repetition, ..outside.clone() }
    }

    /// The references of an expression, as far as they lead to what it holds under a path.
    fn trace(&mut self, expression: &Expr, path: &[Arc<str>], at: &Standpoint) -> Vec<Cause> {
        match &expression.node {
            Node::Literal(_) | Node::Slot(_) => Vec::new(),
            Node::Wrap(inner) | Node::Parenthesis(inner) | Node::Convert(inner, _) => self.trace(inner, path, at),
            Node::Object(_) | Node::Tuple(_) if !path.is_empty() => {
                let (inner, taken) = narrowed(expression, path, &mut |expression| self.valued(expression, at));
                if taken > 0 {
                    return self.trace(inner, &path[taken..], at);
                }
                // An object that lists its keys and has not this one gives nothing to it.
                if lists_keys(expression) { Vec::new() } else { self.trace_children(expression, at) }
            }
            Node::Conditional(condition, then, otherwise) => {
                let mut causes = self.trace(condition, &[], at);
                let taken = self.valued(condition, at).as_bool();
                let branches = [(Some(true), then), (Some(false), otherwise)];
                for (_, branch) in branches.iter().filter(|(when, _)| taken.is_none() || taken == *when) {
                    causes.extend(self.trace(branch, path, at));
                }
                causes
            }
            Node::Call(call) if &*call.name == "merge" && !call.expand && !path.is_empty() => {
                // The last argument that has the key gives it.
                let has = |value: &Value| !value.is_known() || !part(value, &path[..1]).is_null();
                let arguments = call.arguments.iter().rev();
                let given = arguments.clone().find(|argument| has(&self.valued(argument, at)));
                given.map_or_else(Vec::new, |given| self.trace(given, path, at))
            }
            Node::Call(call) if TRANSPARENT.contains(&&*call.name) => {
                call.arguments.iter().flat_map(|argument| self.trace(argument, path, at)).collect()
            }
            Node::Root(_) | Node::Attribute(..) | Node::Index(..) => self.trace_reference(expression, path, at),
            _ => self.trace_children(expression, at),
        }
    }

    fn trace_children(&mut self, expression: &Expr, at: &Standpoint) -> Vec<Cause> {
        let mut children = Vec::new();
        expression.each_child(&mut |child| children.push(child.clone()));
        children.iter().flat_map(|child| self.trace(child, &[], at)).collect()
    }

    fn trace_reference(&mut self, expression: &Expr, path: &[Arc<str>], at: &Standpoint) -> Vec<Cause> {
        let mut chain = Vec::new();
        let mut keys = Vec::new();
        let mut base = expression;
        loop {
            match &base.node {
                Node::Attribute(inner, name) => {
                    chain.push(name.clone());
                    base = inner;
                }
                Node::Index(inner, key) => {
                    chain.push(text(&self.valued(key, at)));
                    keys.push((**key).clone());
                    base = inner;
                }
                Node::Wrap(inner) | Node::Parenthesis(inner) => base = inner,
                _ => break,
            }
        }
        chain.reverse();
        chain.extend(path.iter().cloned());
        let mut causes: Vec<_> = keys.iter().flat_map(|key| self.trace(key, &[], at)).collect();
        match &base.node {
            Node::Root(root) => causes.extend(self.trace_root(root, &chain, base.span, at)),
            _ => causes.extend(self.trace(base, &chain, at)),
        }
        causes
    }

    fn trace_root(&mut self, root: &Root, steps: &[Arc<str>], span: Span, at: &Standpoint) -> Vec<Cause> {
        match root {
            Root::Variable(name) => self.trace_variable(name, steps, at),
            Root::Local(name) => {
                let module = self.walk.tables.skeleton.modules[at.module].module.clone();
                let Some(local) = module.locals.get(name) else { return Vec::new() };
                let value = self.valued(&Expr::new(Node::Root(root.clone()), span), at);
                let from = (&local.value, Standpoint { binding: None, repetition: None, ..at.clone() });
                self.cause(format!("{}local.{name}", prefix(&at.path)), (Written::Local, local.span), (value, steps), from)
            }
            Root::Module(name) => self.trace_output(name, steps, at),
            Root::Resource(mode, kind, name) => {
                let name = ResourceName { mode: *mode, kind: kind.clone(), name: name.clone() };
                self.trace_attribute(&name, steps, at)
            }
            Root::EachKey | Root::EachValue | Root::CountIndex => {
                let Some((expression, outside)) = at.repetition.clone() else { return Vec::new() };
                let key = match at.binding.as_ref().map(|binding| &binding.key) {
                    Some(Key::Text(key)) => Some(key.clone()),
                    _ => None,
                };
                let steps: Vec<_> = key.into_iter().chain(steps.iter().filter(|_| *root == Root::EachValue).cloned()).collect();
                self.trace(&expression, &steps, &outside)
            }
            Root::Itself | Root::PathModule | Root::PathRoot | Root::PathCwd | Root::Bound(_) | Root::Element => Vec::new(),
        }
    }

    /// One cause, followed unless it was before.
    fn cause(
        &mut self,
        name: String,
        (written_as, span): (Written, Span),
        (value, steps): (Value, &[Arc<str>]),
        (expression, inner): (&Expr, Standpoint),
    ) -> Vec<Cause> {
        let name = name + &written(steps);
        let mut cause = Cause { name, written: written_as, at: span, value: part(&value, steps), from: Vec::new() };
        cause.from = self.from(&cause.name, &cause, (expression, steps), &inner);
        vec![cause]
    }

    fn trace_variable(&mut self, name: &Arc<str>, steps: &[Arc<str>], at: &Standpoint) -> Vec<Cause> {
        let module = self.walk.tables.skeleton.modules[at.module].module.clone();
        let Some(variable) = module.variables.get(name) else { return Vec::new() };
        let value = self.valued(&Expr::new(Node::Root(Root::Variable(name.clone())), variable.span), at);
        let called = format!("{}var.{name}", prefix(&at.path));
        let Some((outside, call)) = self.walk.tables.skeleton.modules[at.module].caller.clone() else {
            let name = called + &written(steps);
            return vec![Cause { name, written: Written::Variable, at: variable.span, value: part(&value, steps), from: Vec::new() }];
        };
        let outer = self.walk.tables.skeleton.modules[outside].module.clone();
        let block = &outer.calls[&call];
        let Some(argument) = block.arguments.iter().find(|argument| argument.name == *name) else {
            let name = called + &written(steps);
            return vec![Cause { name, written: Written::Input, at: variable.span, value: part(&value, steps), from: Vec::new() }];
        };
        let Some((path, step)) = at.path.parent().map(|(path, step)| (path, step.key.clone())) else { return Vec::new() };
        let outside = Standpoint { module: outside, path, binding: None, repetition: None };
        let inner = self.within(&block.repetition, &step, &outside);
        self.cause(called, (Written::Input, argument.name_span.to(argument.value.span)), (value, steps), (&argument.value, inner))
    }

    fn trace_output(&mut self, call: &Arc<str>, steps: &[Arc<str>], at: &Standpoint) -> Vec<Cause> {
        let Some(called) = self.walk.tables.skeleton.modules[at.module].calls.get(call).copied() else { return Vec::new() };
        let block = self.walk.tables.skeleton.modules[at.module].module.clone();
        let (key, steps) = keyed(&block.calls[call].repetition, steps);
        let inner = Standpoint { module: called, path: at.path.child(call, key.clone()), binding: None, repetition: None };
        let module = self.walk.tables.skeleton.modules[called].module.clone();
        let output = steps.split_first().and_then(|(name, rest)| Some((name, module.outputs.get(name)?, rest)));
        let Some((name, output, rest)) = output else {
            let subject = format!("{}module.{call}", prefix(&at.path));
            return self.repetition_cause(&block.calls[call].repetition, &subject, &key, at).into_iter().collect();
        };
        let value = self.valued(&output.value, &inner);
        let name = format!("{}.{name}", prefix(&inner.path).trim_end_matches('.'));
        self.cause(name, (Written::Output, output.span), (value, rest), (&output.value, inner))
    }

    fn trace_attribute(&mut self, name: &ResourceName, steps: &[Arc<str>], at: &Standpoint) -> Vec<Cause> {
        let node = self.walk.tables.skeleton.find(at.module, &Item::Resource(name.clone()));
        let Some(block) = node.and_then(|node| self.walk.tables.skeleton.nodes[node].block.clone()) else { return Vec::new() };
        let (key, steps) = keyed(&block.repetition, steps);
        let address = named(&at.path, name, key.clone());
        let whole = steps.is_empty() || (key == Key::None && block.repetition != Repetition::Once);
        if whole {
            let subject = address.with_key(Key::None).to_string();
            return self.repetition_cause(&block.repetition, &subject, &key, at).into_iter().collect();
        }
        let root = Expr::new(Node::Root(Root::Resource(name.mode, name.kind.clone(), name.name.clone())), block.span);
        let mut value = self.valued(&root, at);
        if let Key::Text(key) = &key {
            value = part(&value, std::slice::from_ref(key));
        } else if let Key::Number(index) = &key {
            value = part(&value, &[index.to_string().into()]);
        }
        let outside = Standpoint { module: at.module, path: at.path.clone(), binding: None, repetition: None };
        let argument = steps.first().and_then(|name| self.given(&block, name));
        let Some(argument) = argument else {
            let name = format!("{address}{}", written(steps));
            return vec![Cause { name, written: Written::Attribute, at: block.span, value: part(&value, steps), from: Vec::new() }];
        };
        let inner = self.within(&block.repetition, &key, &outside);
        let name = format!("{address}.{}", steps[0]);
        let value = part(&value, &steps[..1]);
        self.cause(name, (Written::Attribute, argument.span), (value, &steps[1..]), (&argument, inner))
    }
}

/// Of a collection to repeat a block for, its keys: they say what is there.
fn keys(value: Value) -> Value {
    match value.data() {
        Data::Mapping(mapping) => {
            let keys = mapping.entries().iter().map(|entry| Value::string(entry.key.clone())).collect();
            Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::Set(Type::String), keys))))
        }
        _ => value,
    }
}

/// What stands before the name of something in a module.
fn prefix(path: &ModulePath) -> String {
    if path.is_root() { String::new() } else { format!("{path}.") }
}

/// The address of an instance of a block.
fn named(path: &ModulePath, name: &ResourceName, key: Key) -> Address {
    let ResourceName { mode, kind, name } = name.clone();
    AddressParts { module: path.clone(), mode, kind, name, key, member: None }.into()
}

/// Steps as text that goes on after a name.
fn written(steps: &[Arc<str>]) -> String {
    let is_name = |step: &str| {
        step.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && step.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
    };
    let mut text = String::new();
    for step in steps {
        if is_name(step) {
            text.extend([".", step]);
        } else if step.parse::<u64>().is_ok() || step.contains('=') {
            text.extend(["[", step, "]"]);
        } else {
            let _ = write!(text, "[{step:?}]");
        }
    }
    text
}

/// A key as a step.
fn text(key: &Value) -> Arc<str> {
    match (key.as_str(), key.as_number()) {
        (Some(text), _) => text.into(),
        (None, Some(number)) => number.normalize().to_string().into(),
        (None, None) => "?".into(),
    }
}

/// The instance that the first step names, if a block is repeated, and the steps after it.
fn keyed<'s>(repetition: &Repetition, steps: &'s [Arc<str>]) -> (Key, &'s [Arc<str>]) {
    match (repetition, steps.split_first()) {
        (Repetition::ForEach(_), Some((key, rest))) => (Key::Text(key.clone()), rest),
        (Repetition::Count(_), Some((key, rest))) => key.parse().map_or((Key::None, steps), |index| (Key::Number(index), rest)),
        _ => (Key::None, steps),
    }
}

/// The innermost expression that writes what stands under a path, and how many steps lead to it.
fn narrowed<'e>(expression: &'e Expr, path: &[Arc<str>], valued: &mut dyn FnMut(&Expr) -> Value) -> (&'e Expr, usize) {
    let Some((first, rest)) = path.split_first() else { return (expression, 0) };
    let inner = match &expression.node {
        Node::Wrap(inner) | Node::Parenthesis(inner) => return narrowed(inner, path, valued),
        Node::Object(entries) => entries.iter().find(|(key, _)| literal(key).as_deref() == Some(&**first)).map(|(_, value)| value),
        Node::Tuple(items) => {
            let elements: Vec<_> = items.iter().map(&mut *valued).collect();
            element(&elements, first).map(|at| &items[at])
        }
        _ => None,
    };
    inner.map_or((expression, 0), |inner| {
        let (found, taken) = narrowed(inner, rest, valued);
        (found, taken + 1)
    })
}

fn literal(key: &Expr) -> Option<Arc<str>> {
    match &key.node {
        Node::Literal(value) => value.as_str().map(Into::into),
        Node::Parenthesis(inner) => literal(inner),
        _ => None,
    }
}

/// Whether an object names each of its keys.
fn lists_keys(expression: &Expr) -> bool {
    matches!(&expression.node, Node::Object(entries) if entries.iter().all(|(key, _)| literal(key).is_some()))
}
