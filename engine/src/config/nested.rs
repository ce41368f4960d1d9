//! Nested blocks as the values that they stand for: an object, or a list, set or map of objects.

use super::expression::{Call, Expr, For, ForResult, Node, Root};
use super::model::{Body, NestedBlock, Repeated};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::source::Span;
use crate::value::{ObjectType, Type, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// What a body gives to the attribute of this name and type: its argument, or the value of its blocks. `None` if it gives nothing.
/// Blocks give an attribute of an object type its one object, and a list, set or map of objects one element each; a map's key is the
/// block's label.
pub fn given<'b>(body: &'b Body, name: &str, ty: &Type) -> Result<Option<Cow<'b, Expr>>, Problems> {
    let argument = body.arguments.iter().find(|argument| &*argument.name == name);
    if body.blocks.is_empty() {
        return Ok(argument.map(|argument| Cow::Borrowed(&argument.value)));
    }
    let blocks: Vec<_> = body.blocks.iter().filter(|block| &*block.name == name).collect();
    match (argument, blocks.as_slice()) {
        (argument, []) => Ok(argument.map(|argument| Cow::Borrowed(&argument.value))),
        (Some(argument), [block, ..]) => {
            let problem = Diagnostic::error("duplicate argument", format!("`{name}` is given as an argument and as a block"));
            Err(vec![problem.at(block.span).related(argument.name_span, "the argument is here")])
        }
        (None, [first, ..]) => value(&blocks, name, ty, first.span).map(|value| Some(Cow::Owned(value))),
    }
}

fn value(blocks: &[&NestedBlock], name: &str, ty: &Type, span: Span) -> Result<Expr, Problems> {
    match ty {
        Type::Object(object) => single(blocks, name, object, span),
        Type::List(element) | Type::Set(element) => match &**element {
            Type::Object(object) => {
                unlabelled(blocks)?;
                joined("concat", blocks, span, |block| Ok(repeated(block, element_of(block, object)?)))
            }
            _ => Err(no_blocks(name, span)),
        },
        Type::Map(element) => match &**element {
            Type::Object(object) => joined("merge", blocks, span, |block| entry(block, object)),
            _ => Err(no_blocks(name, span)),
        },
        _ => Err(no_blocks(name, span)),
    }
}

fn no_blocks(name: &str, span: Span) -> Problems {
    let problem = Diagnostic::error("unknown block", format!("`{name}` is an argument, which no block gives")).at(span);
    vec![problem.help(format!("Write `{name} = {{ … }}`."))]
}

/// The one object of blocks of which there may be one.
fn single(blocks: &[&NestedBlock], name: &str, object: &ObjectType, span: Span) -> Result<Expr, Problems> {
    unlabelled(blocks)?;
    if let [first, second, ..] = blocks {
        let problem = Diagnostic::error("duplicate block", format!("there may be one block `{name}`")).at(second.span);
        return Err(vec![problem.related(first.span, "the first one is here")]);
    }
    let objects = joined("concat", blocks, span, |block| Ok(repeated(block, element_of(block, object)?)))?;
    match objects.node {
        Node::Tuple(mut only) if only.len() == 1 => Ok(only.remove(0)),
        node => Ok(call("one", vec![Expr::new(node, span)], span)),
    }
}

/// What all blocks make together, each of which makes a collection.
fn joined(
    function: &str,
    blocks: &[&NestedBlock],
    span: Span,
    make: impl Fn(&NestedBlock) -> Result<Expr, Problems>,
) -> Result<Expr, Problems> {
    let (mut parts, mut problems) = (Vec::new(), Problems::new());
    for block in blocks {
        match make(block) {
            Ok(part) => parts.push(part),
            Err(more) => problems.extend(more),
        }
    }
    match parts.len() {
        _ if !problems.is_empty() => Err(problems),
        1 => Ok(parts.remove(0)),
        _ => Ok(call(function, parts, span)),
    }
}

/// A tuple of the block's objects: one, or one for each element.
fn repeated(block: &NestedBlock, object: Expr) -> Expr {
    match &block.repeated {
        None => Expr::new(Node::Tuple(vec![object]), block.span),
        Some(repeated) => each(repeated, ForResult::Tuple(object), block.span),
    }
}

/// An object of the block's objects by their labels.
fn entry(block: &NestedBlock, object: &ObjectType) -> Result<Expr, Problems> {
    let [label] = block.labels.as_slice() else {
        let detail = format!("a `{}` block takes one label: the key of what it gives", block.name);
        return Err(vec![Diagnostic::error("wrong labels", detail).at(block.span)]);
    };
    let (key, value) = (label.clone(), element_of(block, object)?);
    Ok(match &block.repeated {
        None => Expr::new(Node::Object(vec![(key, value)]), block.span),
        Some(repeated) => each(repeated, ForResult::Object { key, value, group: false }, block.span),
    })
}

/// `[for iterator in [for key, value in for_each : { key, value }] : …]`.
fn each(repeated: &Repeated, result: ForResult, span: Span) -> Expr {
    let [key, value] = ["key", "value"].map(Arc::<str>::from);
    let part = |name: &Arc<str>| {
        let text = Expr::new(Node::Literal(Value::string(name.clone())), span);
        (text, Expr::new(Node::Root(Root::Bound(name.clone())), span))
    };
    let pairs = For {
        collection: repeated.for_each.clone(),
        result: ForResult::Tuple(Expr::new(Node::Object(vec![part(&key), part(&value)]), span)),
        key: Some(key),
        value,
        condition: None,
    };
    let collection = Expr::new(Node::For(Box::new(pairs)), repeated.for_each.span);
    let all = For { key: None, value: repeated.iterator.clone(), collection, result, condition: None };
    Expr::new(Node::For(Box::new(all)), span)
}

/// The object that a block's body writes.
fn element_of(block: &NestedBlock, object: &ObjectType) -> Result<Expr, Problems> {
    let mut problems = Problems::new();
    let known = || object.fields.keys().map(|name| &**name);
    let mut unknown = |summary: &'static str, what: &str, name: &str, at: Span| {
        let problem = Diagnostic::error(summary, format!("a `{}` block has no {what} `{name}`", block.name)).at(at);
        problems.push(match did_you_mean(name, known()) {
            Some(near) => problem.help(format!("Did you mean `{near}`?")),
            None => problem,
        });
    };
    for argument in block.body.arguments.iter().filter(|argument| !object.fields.contains_key(&argument.name)) {
        unknown("unknown argument", "argument", &argument.name, argument.name_span);
    }
    for inner in block.body.blocks.iter().filter(|inner| !object.fields.contains_key(&inner.name)) {
        unknown("unknown block", "block", &inner.name, inner.name_span);
    }
    let mut entries = Vec::new();
    for (name, field) in &object.fields {
        match given(&block.body, name, &field.ty) {
            Ok(Some(value)) => entries.push((Expr::new(Node::Literal(Value::string(name.clone())), value.span), value.into_owned())),
            Ok(None) if field.optional => {}
            Ok(None) => {
                let detail = format!("a `{}` block needs the argument `{name}`", block.name);
                problems.push(Diagnostic::error("missing argument", detail).at(block.span));
            }
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() { Ok(Expr::new(Node::Object(entries), block.span)) } else { Err(problems) }
}

fn unlabelled(blocks: &[&NestedBlock]) -> Result<(), Problems> {
    let labelled = blocks.iter().filter(|block| !block.labels.is_empty());
    let problems: Problems = labelled
        .map(|block| Diagnostic::error("wrong labels", format!("a `{}` block takes no label", block.name)).at(block.span))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn call(name: &str, arguments: Vec<Expr>, span: Span) -> Expr {
    let call = Call { name: name.into(), name_span: span, arguments, expand: false };
    Expr::new(Node::Call(Box::new(call)), span)
}
