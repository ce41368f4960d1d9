//! The walk over an expression tree: who evaluates what, and in which order. The constructs themselves are in the files beside it.

use super::convert::{convert, primitive};
use super::fill::{Fill, fill};
use super::size::{MOST_MADE, MOST_ROUNDS};
use super::strict::{Open, from_also, literal, opened};
use super::{Arena, Mismatch, Scope};
use crate::config::{Expr, Node, Root};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::source::Span;
use crate::value::{Data, Entry, Mapping, MappingKind, Marks, Thunk, Type, Value};
use std::sync::Arc;

/// One evaluation.
pub(super) struct Evaluator<'a> {
    pub(super) scope: &'a mut dyn Scope,
    pub(super) arena: &'a mut Arena,
    /// At apply, what literals are filled from.
    pub(super) source: Option<&'a mut dyn Fill>,
    /// Names that a `for` around binds, the innermost last.
    pub(super) bound: Vec<(Arc<str>, Value)>,
    /// The elements of the splats around, the innermost last.
    pub(super) elements: Vec<Value>,
    /// How many template files deep.
    pub(super) templates: usize,
    /// Whether it is only tried if an operation can be computed now: what it leaves for later is thrown away.
    pub(super) folding: bool,
    /// Bytes that may still be made; see [`super::size`].
    pub(super) left: usize,
    /// Rounds that its loops may still take.
    pub(super) rounds: usize,
}

/// The problems of one diagnostic.
pub(super) fn problem(summary: &str, detail: impl Into<String>, span: Span) -> Problems {
    vec![Diagnostic::error(summary, detail).at(span)]
}

/// The problems of one diagnostic, with what to do.
pub(super) fn problem_with_help(summary: &str, detail: impl Into<String>, help: impl Into<String>, span: Span) -> Problems {
    vec![Diagnostic::error(summary, detail).help(help).at(span)]
}

/// Both values, or the problems of both.
pub(super) fn both<A, B>(one: Result<A, Problems>, other: Result<B, Problems>) -> Result<(A, B), Problems> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(mut problems), Err(more)) => {
            problems.extend(more);
            Err(problems)
        }
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems),
    }
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(scope: &'a mut dyn Scope, arena: &'a mut Arena) -> Self {
        Self {
            scope,
            arena,
            source: None,
            bound: Vec::new(),
            elements: Vec::new(),
            templates: 0,
            folding: false,
            left: MOST_MADE,
            rounds: MOST_ROUNDS,
        }
    }

    /// The value of an expression.
    pub(super) fn expression(&mut self, expression: &Expr) -> Result<Value, Problems> {
        let span = expression.span;
        match &expression.node {
            Node::Literal(value) => Ok(match &mut self.source {
                Some(source) => fill(value, *source),
                None => value.clone(),
            }),
            Node::Template(parts) => self.template(parts, span).and_then(|value| self.made(value, span)),
            Node::Wrap(inner) | Node::Parenthesis(inner) => self.expression(inner),
            Node::Tuple(items) => self.all(items).and_then(|items| self.made(Value::tuple(items), span)),
            Node::Object(entries) => self.object(entries, span).and_then(|value| self.made(value, span)),
            Node::Root(root) => self.root(root, span),
            Node::Attribute(base, name) => {
                let base = self.expression(base)?;
                self.attribute(&base, name, span)
            }
            Node::Index(base, key) => {
                let (base, value) = both(self.expression(base), self.expression(key))?;
                self.index(&base, &value, key.span, span)
            }
            Node::Splat(base, each) => {
                let base = self.expression(base)?;
                self.splat(&base, each, span).and_then(|value| self.made(value, span))
            }
            Node::Call(call) => self.call(call, span).and_then(|value| self.made(value, span)),
            Node::Conditional(condition, then, otherwise) => self.conditional(condition, then, otherwise, span),
            Node::Unary(operator, operand) => {
                let operand = self.expression(operand)?;
                self.unary(*operator, operand, span)
            }
            Node::Binary(operator, one, other) => self.binary(*operator, one, other, span),
            Node::For(body) => self.repeat(body, span).and_then(|value| self.made(value, span)),
            Node::Convert(inner, ty) => {
                let value = self.expression(inner)?;
                let value = convert(value, ty, self.arena).map_err(|mismatch| problem("unsuitable value", mismatch.to_string(), span))?;
                self.made(value, span)
            }
            Node::Slot(slot) => match &mut self.source {
                Some(source) => Ok(source.thunk(Thunk(slot.0))),
                None => Err(problem("not a program", "a slot has a value only while a plan is applied", span)),
            },
        }
    }

    /// The values of all, or the problems of all.
    pub(super) fn all(&mut self, expressions: &[Expr]) -> Result<Vec<Value>, Problems> {
        let mut values = Vec::with_capacity(expressions.len());
        let mut problems = Vec::new();
        for expression in expressions {
            match self.expression(expression) {
                Ok(value) => values.push(value),
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(values) } else { Err(problems) }
    }

    fn root(&mut self, root: &Root, span: Span) -> Result<Value, Problems> {
        match root {
            Root::Bound(name) => match self.bound.iter().rev().find(|(bound, _)| bound == name) {
                Some((_, value)) => Ok(value.clone()),
                None if self.templates > 0 => Err(self.no_such_variable(name, span)),
                None => self.scope.resolve(root, span, self.arena),
            },
            Root::Element => match self.elements.last() {
                Some(value) => Ok(value.clone()),
                None => self.scope.resolve(root, span, self.arena),
            },
            _ => {
                // What the scope has to compute for this name is computed once and elsewhere.
                let made = self.arena.made;
                let value = self.scope.resolve(root, span, self.arena);
                self.arena.made = made;
                value
            }
        }
    }

    fn no_such_variable(&self, name: &str, span: Span) -> Problems {
        let names = || self.bound.iter().map(|(name, _)| &**name);
        let shown: Vec<_> = names().map(|name| format!("`{name}`")).collect();
        let given = if shown.is_empty() { "none is given".to_owned() } else { format!("given are {}", shown.join(", ")) };
        let help = match did_you_mean(name, names()) {
            Some(meant) => format!("Did you mean `{meant}`?"),
            None => format!("give `{name}` in the object of variables"),
        };
        problem_with_help("unknown template variable", format!("the template has no variable `{name}`; {given}"), help, span)
    }

    fn object(&mut self, entries: &[(Expr, Expr)], span: Span) -> Result<Value, Problems> {
        let mut made = Vec::with_capacity(entries.len());
        let mut problems = Vec::new();
        for (key, value) in entries {
            let pair = both(self.key(key), self.expression(value));
            match pair {
                Ok((name, value)) => made.push((name, value)),
                Err(more) => problems.extend(more),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        if let Some(open) = super::strict::strict(made.iter().map(|(key, _)| key)) {
            return Ok(self.object_with_open_keys(open, entries, &made, span));
        }
        let mut marks = Marks::NONE;
        let entries = made.into_iter().filter_map(|(key, value)| {
            marks |= key.marks();
            let Data::String(name) = key.data() else { return None };
            Some(Entry { key: name.clone(), key_origin: key.origin(), value })
        });
        let entries = entries.collect();
        Ok(Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Object, entries)))).marked(marks))
    }

    fn object_with_open_keys(&mut self, open: Open, entries: &[(Expr, Expr)], made: &[(Value, Value)], span: Span) -> Value {
        let parts: Vec<&Value> = made.iter().flat_map(|(key, value)| [key, value]).collect();
        let open = super::strict::first(Some(open), super::strict::strict(parts.iter().copied())).unwrap_or(Open::Unknown);
        opened(open, Type::Any, parts.iter().copied(), self.arena, || {
            let pairs = made.iter().zip(entries);
            let pairs = pairs.map(|((name, value), (key, at))| (literal(name.clone(), key.span), literal(value.clone(), at.span)));
            Expr::new(Node::Object(pairs.collect()), span)
        })
    }

    /// An object's key: a string, or open.
    pub(super) fn key(&mut self, key: &Expr) -> Result<Value, Problems> {
        let value = self.expression(key)?;
        if value.is_null() {
            return Err(problem("null as key", "a key of an object is null here; keys are strings", key.span));
        }
        self.scalar(value, &Type::String, "key", key.span)
    }

    /// An operand as a primitive, or open; null stays null. `role` says what it is for.
    pub(super) fn scalar(&mut self, value: Value, ty: &Type, role: &str, span: Span) -> Result<Value, Problems> {
        let unsuitable = |mismatch: Mismatch| problem("unsuitable value", format!("the {role} does not fit: {mismatch}"), span);
        match value.data() {
            Data::Unknown(..) | Data::Pending(_) => convert(value, ty, self.arena).map_err(unsuitable),
            Data::Null | Data::Blocked(_) => Ok(value),
            _ => primitive(&value, ty).map_err(unsuitable),
        }
    }

    /// A condition: true or false, or open. Null is an error.
    pub(super) fn truth(&mut self, value: Value, role: &str, span: Span) -> Result<Value, Problems> {
        if value.is_null() {
            return Err(problem("null condition", format!("the {role} is null here; it must be `true` or `false`"), span));
        }
        self.scalar(value, &Type::Bool, role, span)
    }

    /// The value with the origin of another beside its own.
    pub(super) fn also_from(&mut self, value: Value, other: &Value) -> Value {
        let origin = other.origin();
        from_also(value, origin, self.arena)
    }
}

#[cfg(test)]
mod tests {
    use crate::eval::scene::{Scene, show};
    use crate::value::{Type, Value};

    #[test]
    fn expressions_over_known_values_are_as_in_terraform() {
        for (text, expected) in [
            ("true ? 1 : \"a\"", "\"1\""),
            ("[1, \"a\", null]", "[1, \"a\", null]"),
            ("{a = 1, \"b\" = 2, (\"c\") = 3, (1) = 4}", "{1=4, a=1, b=2, c=3}"),
            ("{a = 1, (\"a\") = 2}", "{a=2}"),
            ("-7 % 3", "-1"),
            ("7 % -3", "1"),
            ("7.5 % 2", "1.5"),
            ("\"3\" + 1", "4"),
            ("!\"true\"", "false"),
            ("-\"3\"", "-3"),
            ("\"10\" < \"9\"", "false"),
            ("1 == \"1\"", "false"),
            ("0.1 + 0.2", "0.3"),
            ("1.5 * 2", "3"),
            ("1e3", "1000"),
            ("10 / 4", "2.5"),
            ("2 >= 2 && 3 != 2", "true"),
            ("\"${1.50}x${true}\"", "\"1.5xtrue\""),
            ("\"${[1]}\"", "[1]"),
            ("(1 + 2) * 3", "9"),
        ] {
            assert_eq!(Scene::default().show(text), expected, "{text}");
        }
    }

    #[test]
    fn every_part_reports_its_problems() {
        for (text, problems) in [
            ("[1/0, 2, 3 % 0]", 2),
            ("{a = 1/0, (null) = 2, c = 3/0}", 3),
            ("1/0 + 2/0", 2),
            ("(1/0)[2/0]", 2),
            ("nothing(1/0, 2/0)", 2),
            ("\"${1/0} ${2/0}\"", 2),
            ("[for x in [1, 2] : x / 0]", 2),
            ("[for x in [1, 1] : x / 0]", 1),
        ] {
            let found = Scene::default().evaluate(text).unwrap_err();
            assert_eq!(found.len(), problems, "{text}: {found:?}");
            assert!(found.iter().all(|problem| problem.at.is_some()));
        }
    }

    #[test]
    fn keys_must_be_strings_and_known_to_make_an_object() {
        let mut scene =
            Scene::new([("u", Value::unknown(Type::String)), ("p", Value::pending(Type::Any)), ("s", Value::string("k").sensitive())]);
        for (text, expected) in [
            ("{(null) = 1}", "null as key: a key of an object is null here; keys are strings"),
            ("{([]) = 1}", "unsuitable value: the key does not fit: a string is required, found a tuple"),
            ("{(var.u) = 1}", "?any"),
            ("{(var.u) = 1, a = var.p}", "…any"),
            ("{a = var.u}", "{a=?string}"),
            ("{(var.s) = 1}", "*{k=1}"),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn keys_and_elements_keep_their_own_origins() {
        let mut scene = Scene::default();
        let (a, b) = (scene.from("a"), scene.from("b"));
        scene.names.variables.insert("a".to_owned(), Value::string("key").with_origin(a));
        scene.names.variables.insert("b".to_owned(), Value::number(1).with_origin(b));
        let value = scene.value("{(var.a) = var.b, c = 3}");
        assert_eq!(value.origin(), crate::value::Origin::NONE);
        assert_eq!((value.entries()[1].key_origin, value.entries()[1].value.origin()), (a, b));
        assert_eq!(show(&value), "{c=3, key=1}");
        let tuple = scene.value("[var.b, 2]");
        assert_eq!(scene.sources(&tuple.items()[0]), "b");
        assert_eq!(scene.sources(&tuple.items()[1]), "");
    }
}
