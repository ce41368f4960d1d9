//! The expression tree that the evaluator runs.

use crate::address::Mode;
use crate::source::Span;
use crate::value::{Type, Value};
use std::sync::Arc;

/// A slot of a plan's program, by its index; see [`crate::plan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub u32);

/// An expression and its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub node: Node,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A literal, or what was folded to one.
    Literal(Value),
    /// A quoted template or heredoc with at least one interpolation or directive. One that is a single interpolation (`"${x}"`) is
    /// [`Node::Wrap`].
    Template(Arc<[Part]>),
    /// `"${x}"`: the value itself, whatever its type.
    Wrap(Box<Expr>),
    /// `(x)`.
    Parenthesis(Box<Expr>),
    /// `[…]`.
    Tuple(Vec<Expr>),
    /// `{…}`: keys and values. A bare word as key is a string literal already.
    Object(Vec<(Expr, Expr)>),
    /// The head of a reference.
    Root(Root),
    /// `base.name`.
    Attribute(Box<Expr>, Arc<str>),
    /// `base[key]`; also `base.0`, whose key is a number.
    Index(Box<Expr>, Box<Expr>),
    /// `base[*].rest` or `base.*.rest`: `each` is evaluated for every element, which it sees as [`Root::Element`]. A full splat holds
    /// every operator after it; an attribute splat only the attribute accesses right after it.
    Splat(Box<Expr>, Box<Expr>),
    /// A function call.
    Call(Box<Call>),
    /// `condition ? then : otherwise`.
    Conditional(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `-x`, `!x`.
    Unary(Unary, Box<Expr>),
    /// `a + b` and the like.
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// `[for …]` or `{for …}`.
    For(Box<For>),
    /// The value as a type. No text has it: it stands where a conversion waits for what is not known yet.
    Convert(Box<Expr>, Arc<Type>),
    /// A slot of the program. Only residuals have it.
    Slot(SlotId),
}

/// A piece of a template, strip markers already applied.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text as it stands, escapes resolved.
    Text(Arc<str>),
    /// `${x}`.
    Interpolation(Expr),
    /// `%{if c}…%{else}…%{endif}`.
    If(Expr, Arc<[Self]>, Arc<[Self]>),
    /// `%{for key, value in collection}…%{endfor}`.
    For {
        /// Name of the key, if one is bound.
        key: Option<Arc<str>>,
        /// Name of the value.
        value: Arc<str>,
        /// What is walked.
        collection: Expr,
        /// What is written for each.
        body: Arc<[Self]>,
    },
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function's name, `provider::name::function` written out.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// The arguments.
    pub arguments: Vec<Expr>,
    /// Whether the last argument is expanded (`...`).
    pub expand: bool,
}

/// A `for` expression.
#[derive(Debug, Clone, PartialEq)]
pub struct For {
    /// Name of the key or index, if one is bound.
    pub key: Option<Arc<str>>,
    /// Name of the value.
    pub value: Arc<str>,
    /// What is walked.
    pub collection: Expr,
    /// What it makes.
    pub result: ForResult,
    /// `if condition`.
    pub condition: Option<Expr>,
}

/// What a `for` expression makes.
#[derive(Debug, Clone, PartialEq)]
pub enum ForResult {
    /// `[for … : x]`.
    Tuple(Expr),
    /// `{for … : key => value}`, or with `...` after the value: values grouped by key.
    Object {
        /// The key.
        key: Expr,
        /// The value.
        value: Expr,
        /// Whether equal keys are grouped.
        group: bool,
    },
}

/// The head of a reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// `var.name`.
    Variable(Arc<str>),
    /// `local.name`.
    Local(Arc<str>),
    /// `kind.name` or `data.kind.name`.
    Resource(Mode, Arc<str>, Arc<str>),
    /// `module.name`.
    Module(Arc<str>),
    /// `each.key`.
    EachKey,
    /// `each.value`.
    EachValue,
    /// `count.index`.
    CountIndex,
    /// `self`.
    Itself,
    /// `path.module`.
    PathModule,
    /// `path.root`.
    PathRoot,
    /// `path.cwd`.
    PathCwd,
    /// A name that a `for` around it binds.
    Bound(Arc<str>),
    /// The element of the innermost splat.
    Element,
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    /// `-x`
    Negate,
    /// `!x`
    Not,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`
    Divide,
    /// `a % b`
    Modulo,
    /// `a == b`
    Equal,
    /// `a != b`
    NotEqual,
    /// `a < b`
    Less,
    /// `a <= b`
    LessOrEqual,
    /// `a > b`
    Greater,
    /// `a >= b`
    GreaterOrEqual,
    /// `a && b`
    And,
    /// `a || b`
    Or,
}

impl Expr {
    /// An expression at a place.
    pub fn new(node: Node, span: Span) -> Self {
        Self { node, span }
    }

    /// The same expression with every literal replaced.
    #[must_use]
    pub fn map_literals(&self, replace: &mut dyn FnMut(&Value) -> Value) -> Self {
        self.map_leaves(&mut |leaf| match &leaf.node {
            Node::Literal(value) => Self::new(Node::Literal(replace(value)), leaf.span),
            _ => leaf.clone(),
        })
    }

    /// The same expression with every literal, reference head and slot replaced.
    #[must_use]
    pub fn map_leaves(&self, replace: &mut dyn FnMut(&Self) -> Self) -> Self {
        let mut map = |child: &Self| child.map_leaves(replace);
        let node = match &self.node {
            Node::Literal(_) | Node::Root(_) | Node::Slot(_) => return replace(self),
            Node::Template(parts) => Node::Template(parts.iter().map(|part| part.map(&mut map)).collect()),
            Node::Wrap(inner) => Node::Wrap(Box::new(map(inner))),
            Node::Parenthesis(inner) => Node::Parenthesis(Box::new(map(inner))),
            Node::Attribute(inner, name) => Node::Attribute(Box::new(map(inner)), name.clone()),
            Node::Unary(operator, inner) => Node::Unary(*operator, Box::new(map(inner))),
            Node::Convert(inner, ty) => Node::Convert(Box::new(map(inner)), ty.clone()),
            Node::Tuple(items) => Node::Tuple(items.iter().map(map).collect()),
            Node::Object(entries) => Node::Object(entries.iter().map(|(key, value)| (map(key), map(value))).collect()),
            Node::Index(a, b) => Node::Index(Box::new(map(a)), Box::new(map(b))),
            Node::Splat(a, b) => Node::Splat(Box::new(map(a)), Box::new(map(b))),
            Node::Binary(operator, a, b) => Node::Binary(*operator, Box::new(map(a)), Box::new(map(b))),
            Node::Call(call) => Node::Call(Box::new(Call { arguments: call.arguments.iter().map(map).collect(), ..(**call).clone() })),
            Node::Conditional(a, b, c) => Node::Conditional(Box::new(map(a)), Box::new(map(b)), Box::new(map(c))),
            Node::For(body) => Node::For(Box::new(For {
                key: body.key.clone(),
                value: body.value.clone(),
                collection: map(&body.collection),
                result: match &body.result {
                    ForResult::Tuple(value) => ForResult::Tuple(map(value)),
                    ForResult::Object { key, value, group } => ForResult::Object { key: map(key), value: map(value), group: *group },
                },
                condition: body.condition.as_ref().map(map),
            })),
        };
        Self { node, span: self.span }
    }

    /// Calls `visit` with every reference head in the expression and its place. Names bound within are not heads.
    pub fn each_root(&self, visit: &mut dyn FnMut(&Root, Span)) {
        if let Node::Root(root) = &self.node
            && !matches!(root, Root::Bound(_) | Root::Element)
        {
            visit(root, self.span);
        }
        self.each_child(&mut |child| child.each_root(visit));
    }

    /// Calls `visit` with each expression directly within.
    pub fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match &self.node {
            Node::Literal(_) | Node::Root(_) | Node::Slot(_) => {}
            Node::Template(parts) => parts.iter().for_each(|part| part.each_child(visit)),
            Node::Wrap(inner) | Node::Parenthesis(inner) | Node::Attribute(inner, _) | Node::Unary(_, inner) | Node::Convert(inner, _) => {
                visit(inner);
            }
            Node::Tuple(items) => items.iter().for_each(visit),
            Node::Object(entries) => {
                for (key, value) in entries {
                    visit(key);
                    visit(value);
                }
            }
            Node::Index(a, b) | Node::Splat(a, b) | Node::Binary(_, a, b) => {
                visit(a);
                visit(b);
            }
            Node::Call(call) => call.arguments.iter().for_each(visit),
            Node::Conditional(a, b, c) => {
                visit(a);
                visit(b);
                visit(c);
            }
            Node::For(body) => {
                visit(&body.collection);
                match &body.result {
                    ForResult::Tuple(value) => visit(value),
                    ForResult::Object { key, value, .. } => {
                        visit(key);
                        visit(value);
                    }
                }
                body.condition.iter().for_each(visit);
            }
        }
    }
}

impl Part {
    fn map(&self, map: &mut dyn FnMut(&Expr) -> Expr) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.clone()),
            Self::Interpolation(inner) => Self::Interpolation(map(inner)),
            Self::If(condition, then, otherwise) => {
                let condition = map(condition);
                let then = then.iter().map(|part| part.map(map)).collect();
                Self::If(condition, then, otherwise.iter().map(|part| part.map(map)).collect())
            }
            Self::For { key, value, collection, body } => Self::For {
                key: key.clone(),
                value: value.clone(),
                collection: map(collection),
                body: body.iter().map(|part| part.map(map)).collect(),
            },
        }
    }

    fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match self {
            Self::Text(_) => {}
            Self::Interpolation(inner) => visit(inner),
            Self::If(condition, then, otherwise) => {
                visit(condition);
                then.iter().chain(otherwise.iter()).for_each(|part| part.each_child(visit));
            }
            Self::For { collection, body, .. } => {
                visit(collection);
                body.iter().for_each(|part| part.each_child(visit));
            }
        }
    }
}
