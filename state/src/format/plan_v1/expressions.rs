//! Deferred expressions as a list: each names its parts by their numbers, which are lower than its own.

use super::super::words_v1::Words;
use super::values::{At, TypeV1, Values, Writing};
use engine::address::Mode;
use engine::config::{Binary, Call, Expr, For, ForResult, Node, Part, Root, SlotId, Unary};
use engine::source::{FileId, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// File, start and end.
#[derive(Serialize, Deserialize, Clone, Copy)]
pub(super) struct SpanV1(u32, u32, u32);

impl From<Span> for SpanV1 {
    fn from(span: Span) -> Self {
        Self(span.file.0, span.start, span.end)
    }
}

impl From<SpanV1> for Span {
    fn from(SpanV1(file, start, end): SpanV1) -> Self {
        Self { file: FileId(file), start, end }
    }
}

/// An expression and its place in the text.
#[derive(Serialize, Deserialize)]
pub(super) struct ExpressionV1(NodeV1, SpanV1);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NodeV1 {
    Literal(At),
    Template(Vec<PartV1>),
    Wrap(u32),
    Parenthesis(u32),
    Tuple(Vec<u32>),
    Object(Vec<(u32, u32)>),
    Root(RootV1),
    Attribute(u32, Words),
    Index(u32, u32),
    Splat(u32, u32),
    Call(CallV1),
    Conditional(u32, u32, u32),
    Unary(UnaryV1, u32),
    Binary(BinaryV1, u32, u32),
    For(ForV1),
    Convert(u32, TypeV1),
    Slot(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PartV1 {
    Text(Words),
    Interpolation(u32),
    If(u32, Vec<Self>, Vec<Self>),
    For { key: Option<Words>, value: Words, collection: u32, body: Vec<Self> },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallV1 {
    name: Words,
    name_span: SpanV1,
    arguments: Vec<u32>,
    expand: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForV1 {
    key: Option<Words>,
    value: Words,
    collection: u32,
    result: ForResultV1,
    condition: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ForResultV1 {
    Tuple(u32),
    Object { key: u32, value: u32, group: bool },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RootV1 {
    Variable(Words),
    Local(Words),
    Resource(Words, Words),
    Data(Words, Words),
    Module(Words),
    EachKey,
    EachValue,
    CountIndex,
    Itself,
    PathModule,
    PathRoot,
    PathCwd,
    Bound(Words),
    Element,
}

/// The names of operators, in both directions.
macro_rules! operators {
    ($stored:ident, $operator:ident: $($name:ident),+) => {
        #[derive(Serialize, Deserialize, Clone, Copy)]
        #[serde(rename_all = "snake_case")]
        enum $stored { $($name),+ }

        impl From<$operator> for $stored {
            fn from(operator: $operator) -> Self {
                match operator { $($operator::$name => Self::$name),+ }
            }
        }

        impl From<$stored> for $operator {
            fn from(stored: $stored) -> Self {
                match stored { $($stored::$name => Self::$name),+ }
            }
        }
    };
}

operators!(UnaryV1, Unary: Negate, Not);
operators!(
    BinaryV1, Binary: Add, Subtract, Multiply, Divide, Modulo, Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, And, Or
);

/// Writes the expressions of a plan down.
pub(super) struct Listing {
    pub(super) expressions: Vec<ExpressionV1>,
}

impl Listing {
    /// An expression with its parts; its number.
    pub(super) fn put(&mut self, expression: &Expr, values: &mut Writing<'_>) -> u32 {
        let mut at = |inner: &Expr| self.put(inner, values);
        let node = match &expression.node {
            Node::Wrap(inner) => NodeV1::Wrap(at(inner)),
            Node::Parenthesis(inner) => NodeV1::Parenthesis(at(inner)),
            Node::Tuple(items) => NodeV1::Tuple(items.iter().map(at).collect()),
            Node::Object(entries) => NodeV1::Object(entries.iter().map(|(key, value)| (at(key), at(value))).collect()),
            Node::Attribute(inner, name) => NodeV1::Attribute(at(inner), Words(name.clone())),
            Node::Index(a, b) => NodeV1::Index(at(a), at(b)),
            Node::Splat(a, b) => NodeV1::Splat(at(a), at(b)),
            Node::Conditional(a, b, c) => NodeV1::Conditional(at(a), at(b), at(c)),
            Node::Unary(operator, inner) => NodeV1::Unary((*operator).into(), at(inner)),
            Node::Binary(operator, a, b) => NodeV1::Binary((*operator).into(), at(a), at(b)),
            Node::Call(call) => {
                let arguments = call.arguments.iter().map(at).collect();
                let (name, name_span) = (Words(call.name.clone()), call.name_span.into());
                NodeV1::Call(CallV1 { name, name_span, arguments, expand: call.expand })
            }
            Node::For(body) => {
                let collection = at(&body.collection);
                let result = match &body.result {
                    ForResult::Tuple(value) => ForResultV1::Tuple(at(value)),
                    ForResult::Object { key, value, group } => ForResultV1::Object { key: at(key), value: at(value), group: *group },
                };
                let condition = body.condition.as_ref().map(at);
                let (key, value) = (body.key.clone().map(Words), Words(body.value.clone()));
                NodeV1::For(ForV1 { key, value, collection, result, condition })
            }
            Node::Literal(value) => NodeV1::Literal(values.put(value)),
            Node::Template(parts) => NodeV1::Template(self.parts(parts, values)),
            Node::Root(root) => NodeV1::Root(root_v1(root)),
            Node::Convert(inner, ty) => NodeV1::Convert(self.put(inner, values), values.ty(ty)),
            Node::Slot(slot) => NodeV1::Slot(slot.0),
        };
        self.expressions.push(ExpressionV1(node, expression.span.into()));
        u32::try_from(self.expressions.len() - 1).unwrap_or(u32::MAX)
    }

    fn parts(&mut self, parts: &[Part], values: &mut Writing<'_>) -> Vec<PartV1> {
        let part = |part: &Part| match part {
            Part::Text(text) => PartV1::Text(Words(text.clone())),
            Part::Interpolation(inner) => PartV1::Interpolation(self.put(inner, values)),
            Part::If(condition, then, otherwise) => {
                let condition = self.put(condition, values);
                PartV1::If(condition, self.parts(then, values), self.parts(otherwise, values))
            }
            Part::For { key, value, collection, body } => PartV1::For {
                key: key.clone().map(Words),
                value: Words(value.clone()),
                collection: self.put(collection, values),
                body: self.parts(body, values),
            },
        };
        parts.iter().map(part).collect()
    }
}

fn root_v1(root: &Root) -> RootV1 {
    let words = |name: &Arc<str>| Words(name.clone());
    match root {
        Root::Variable(name) => RootV1::Variable(words(name)),
        Root::Local(name) => RootV1::Local(words(name)),
        Root::Resource(Mode::Managed, kind, name) => RootV1::Resource(words(kind), words(name)),
        Root::Resource(Mode::Data, kind, name) => RootV1::Data(words(kind), words(name)),
        Root::Module(name) => RootV1::Module(words(name)),
        Root::EachKey => RootV1::EachKey,
        Root::EachValue => RootV1::EachValue,
        Root::CountIndex => RootV1::CountIndex,
        Root::Itself => RootV1::Itself,
        Root::PathModule => RootV1::PathModule,
        Root::PathRoot => RootV1::PathRoot,
        Root::PathCwd => RootV1::PathCwd,
        Root::Bound(name) => RootV1::Bound(words(name)),
        Root::Element => RootV1::Element,
    }
}

fn root(root: RootV1) -> Root {
    match root {
        RootV1::Variable(name) => Root::Variable(name.0),
        RootV1::Local(name) => Root::Local(name.0),
        RootV1::Resource(kind, name) => Root::Resource(Mode::Managed, kind.0, name.0),
        RootV1::Data(kind, name) => Root::Resource(Mode::Data, kind.0, name.0),
        RootV1::Module(name) => Root::Module(name.0),
        RootV1::EachKey => Root::EachKey,
        RootV1::EachValue => Root::EachValue,
        RootV1::CountIndex => Root::CountIndex,
        RootV1::Itself => Root::Itself,
        RootV1::PathModule => Root::PathModule,
        RootV1::PathRoot => Root::PathRoot,
        RootV1::PathCwd => Root::PathCwd,
        RootV1::Bound(name) => Root::Bound(name.0),
        RootV1::Element => Root::Element,
    }
}

/// The expressions that are no part of another one yet.
pub(super) struct Expressions<'a> {
    found: Vec<Option<Expr>>,
    values: &'a Values<'a>,
}

impl<'a> Expressions<'a> {
    /// Reads the list, or says what of it is damaged.
    pub(super) fn read(list: Vec<ExpressionV1>, values: &'a Values<'a>) -> Result<Self, String> {
        let mut read = Self { found: Vec::with_capacity(list.len()), values };
        for ExpressionV1(node, span) in list {
            let node = read.node(node)?;
            read.found.push(Some(Expr::new(node, span.into())));
        }
        Ok(read)
    }

    /// The expression of a number: each is part of one other, or stands for itself.
    pub(super) fn take(&mut self, number: u32) -> Result<Expr, String> {
        let found = self.found.get_mut(number as usize).and_then(Option::take);
        found.ok_or_else(|| format!("the expression {number} is named where none stands"))
    }

    fn boxed(&mut self, number: u32) -> Result<Box<Expr>, String> {
        self.take(number).map(Box::new)
    }

    fn all(&mut self, numbers: Vec<u32>) -> Result<Vec<Expr>, String> {
        numbers.into_iter().map(|number| self.take(number)).collect()
    }

    fn node(&mut self, node: NodeV1) -> Result<Node, String> {
        Ok(match node {
            NodeV1::Literal(at) => Node::Literal(self.values.get(&at)?),
            NodeV1::Template(parts) => Node::Template(self.parts(parts)?),
            NodeV1::Wrap(inner) => Node::Wrap(self.boxed(inner)?),
            NodeV1::Parenthesis(inner) => Node::Parenthesis(self.boxed(inner)?),
            NodeV1::Tuple(items) => Node::Tuple(self.all(items)?),
            NodeV1::Object(entries) => {
                let entries = entries.into_iter().map(|(key, value)| Ok((self.take(key)?, self.take(value)?)));
                Node::Object(entries.collect::<Result<_, String>>()?)
            }
            NodeV1::Root(name) => Node::Root(root(name)),
            NodeV1::Attribute(inner, name) => Node::Attribute(self.boxed(inner)?, name.0),
            NodeV1::Index(a, b) => Node::Index(self.boxed(a)?, self.boxed(b)?),
            NodeV1::Splat(a, b) => Node::Splat(self.boxed(a)?, self.boxed(b)?),
            NodeV1::Call(call) => {
                let arguments = self.all(call.arguments)?;
                Node::Call(Box::new(Call { name: call.name.0, name_span: call.name_span.into(), arguments, expand: call.expand }))
            }
            NodeV1::Conditional(a, b, c) => Node::Conditional(self.boxed(a)?, self.boxed(b)?, self.boxed(c)?),
            NodeV1::Unary(operator, inner) => Node::Unary(operator.into(), self.boxed(inner)?),
            NodeV1::Binary(operator, a, b) => Node::Binary(operator.into(), self.boxed(a)?, self.boxed(b)?),
            NodeV1::For(body) => {
                let collection = self.take(body.collection)?;
                let result = match body.result {
                    ForResultV1::Tuple(value) => ForResult::Tuple(self.take(value)?),
                    ForResultV1::Object { key, value, group } => {
                        ForResult::Object { key: self.take(key)?, value: self.take(value)?, group }
                    }
                };
                let condition = body.condition.map(|condition| self.take(condition)).transpose()?;
                let (key, value) = (body.key.map(|key| key.0), body.value.0);
                Node::For(Box::new(For { key, value, collection, result, condition }))
            }
            NodeV1::Convert(inner, ty) => Node::Convert(self.boxed(inner)?, Arc::new(self.values.ty(ty)?)),
            NodeV1::Slot(slot) => Node::Slot(SlotId(slot)),
        })
    }

    fn parts(&mut self, parts: Vec<PartV1>) -> Result<Arc<[Part]>, String> {
        let part = |part| {
            Ok(match part {
                PartV1::Text(text) => Part::Text(text.0),
                PartV1::Interpolation(inner) => Part::Interpolation(self.take(inner)?),
                PartV1::If(condition, then, otherwise) => Part::If(self.take(condition)?, self.parts(then)?, self.parts(otherwise)?),
                PartV1::For { key, value, collection, body } => {
                    Part::For { key: key.map(|key| key.0), value: value.0, collection: self.take(collection)?, body: self.parts(body)? }
                }
            })
        };
        parts.into_iter().map(part).collect()
    }
}
