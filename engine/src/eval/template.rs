//! Templates: text with interpolations and directives.

use super::evaluator::{Evaluator, problem, problem_with_help};
use super::repeat::not_walked;
use super::size::{MOST_TEXT, TEXT_TOO_LARGE};
use super::strict::{Open, first, literal, opened, strict};
use super::substitute::each_literal;
use crate::config::{Expr, Node, Part};
use crate::diagnostic::Problems;
use crate::source::Span;
use crate::value::{Data, Marks, Type, Value};
use std::sync::Arc;

/// What a template came to so far: text, and from the first open piece on also pieces.
#[derive(Default)]
struct Written {
    /// Text after the last open piece.
    text: String,
    /// Everything before it.
    pieces: Vec<Part>,
    /// Values in it that are open, sensitive, or came from somewhere.
    values: Vec<Value>,
    /// Marks of the decisions that were made.
    marks: Marks,
    /// A state of a directive.
    open: Option<Open>,

    problems: Problems,
}

impl Written {
    fn piece(&mut self, part: Part) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.pieces.push(Part::Text(text.into()));
        }
        self.pieces.push(part);
    }
}

impl Evaluator<'_> {
    /// The text a template makes.
    pub(super) fn template(&mut self, parts: &[Part], span: Span) -> Result<Value, Problems> {
        let mut written = Written::default();
        self.write(parts, &mut written);
        if written.text.len() > MOST_TEXT {
            return Err(problem("text too large", format!("the template {TEXT_TOO_LARGE}"), span));
        }
        if !written.problems.is_empty() {
            return Err(written.problems);
        }
        if let Some(open) = first(written.open.take(), strict(&written.values)) {
            if !written.text.is_empty() {
                let text = std::mem::take(&mut written.text);
                written.pieces.push(Part::Text(text.into()));
            }
            let Written { pieces, values, marks, .. } = written;
            let deferred = || Expr::new(Node::Template(pieces.into()), span);
            return Ok(opened(open, Type::String, &values, self.arena, deferred).marked(marks));
        }
        let origins: Vec<_> = written.values.iter().map(Value::origin).collect();
        let marks = written.marks | Marks::of(&written.values);
        let origin = self.arena.origins.join(&origins);
        Ok(Value::string(written.text).with_origin(origin).marked(marks))
    }

    fn write(&mut self, parts: &[Part], written: &mut Written) {
        for part in parts {
            if written.text.len() > MOST_TEXT {
                return;
            }
            let result = match part {
                Part::Text(text) => {
                    written.text.push_str(text);
                    Ok(())
                }
                Part::Interpolation(inner) => self.write_value(inner, written),
                Part::If(condition, then, otherwise) => self.write_if(condition, then, otherwise, written),
                Part::For { key, value, collection, body } => self.write_for((key.as_ref(), value, body), collection, written),
            };
            if let Err(problems) = result {
                for one in problems {
                    if !written.problems.contains(&one) {
                        written.problems.push(one);
                    }
                }
            }
        }
    }

    fn write_value(&mut self, inner: &Expr, written: &mut Written) -> Result<(), Problems> {
        let value = self.expression(inner)?;
        if value.is_null() {
            let help = "give it a value, or write nothing for null with `coalesce(…, \"\")` or a condition";
            return Err(problem_with_help("null in a template", "what is interpolated is null here", help, inner.span));
        }
        let value = match value.data() {
            Data::Sequence(_) | Data::Mapping(_) | Data::Instance(_) | Data::Reference(_) => {
                let detail = format!("only strings, numbers and bools stand in a template; this is {}", super::words(&value));
                return Err(problem_with_help(
                    "unsuitable value",
                    detail,
                    "name one attribute of it, or use `jsonencode` or `join`",
                    inner.span,
                ));
            }
            _ => self.scalar(value, &Type::String, "interpolated value", inner.span)?,
        };
        match value.data() {
            Data::String(text) => written.text.push_str(text),
            _ => written.piece(Part::Interpolation(literal(value.clone(), inner.span))),
        }
        written.values.push(value);
        Ok(())
    }

    fn write_if(&mut self, condition: &Expr, then: &Arc<[Part]>, otherwise: &Arc<[Part]>, written: &mut Written) -> Result<(), Problems> {
        let value = self.expression(condition)?;
        let decision = self.truth(value, "condition of `%{if}`", condition.span)?;
        if let Some(truth) = decision.as_bool() {
            written.marks |= decision.marks();
            self.write(if truth { then } else { otherwise }, written);
            return Ok(());
        }
        let part = Part::If(literal(decision, condition.span), then.clone(), otherwise.clone());
        self.write_later(part, condition.span, written)
    }

    fn write_for(
        &mut self,
        (key_name, name, body): (Option<&Arc<str>>, &Arc<str>, &Arc<[Part]>),
        collection: &Expr,
        written: &mut Written,
    ) -> Result<(), Problems> {
        let value = self.expression(collection)?;
        if not_walked(&value).is_some() {
            let (key, value_name) = (key_name.cloned(), name.clone());
            let part = Part::For { key, value: value_name, collection: literal(value, collection.span), body: body.clone() };
            return self.write_later(part, collection.span, written);
        }
        written.marks |= value.marks();
        for (key, element) in self.pairs(&value, collection.span)? {
            if let Err(too_much) = self.begin_round(collection.span) {
                return if written.problems.is_empty() { Err(too_much) } else { Ok(()) };
            }
            let depth = self.bind(key_name, key, name, element);
            self.write(body, written);
            self.bound.truncate(depth);
        }
        Ok(())
    }

    /// A directive whose course is not known stays one.
    fn write_later(&mut self, part: Part, span: Span, written: &mut Written) -> Result<(), Problems> {
        let pieces = self.substituted_parts(&[part])?;
        let mut values = Vec::new();
        each_literal(&Expr::new(Node::Template(pieces.clone()), span), &mut |value| values.push(value.clone()));
        written.open = first(written.open.take(), first(strict(&values), Some(Open::Unknown)));
        written.values.append(&mut values);
        for piece in pieces.iter() {
            written.piece(piece.clone());
        }
        Ok(())
    }

    /// The text of a template file, or open.
    pub(super) fn template_text(&mut self, path: &str, span: Span) -> Result<Option<Arc<str>>, Problems> {
        match self.scope.file(path) {
            super::FileAnswer::Text(text) => Ok(Some(text)),
            super::FileAnswer::Absent => Err(problem("unreadable file", format!("there is no file `{path}`"), span)),
            super::FileAnswer::Pending => Ok(None),
            super::FileAnswer::Paths(_) => Err(problem("unreadable file", format!("`{path}` is a directory"), span)),
            super::FileAnswer::Refused(why) => Err(problem("unreadable file", why, span)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Node, Part};
    use crate::eval::scene::Scene;
    use crate::value::{Data, Type, Value};

    fn scene() -> Scene {
        Scene::new([
            ("u", Value::unknown(Type::String)),
            ("un", Value::unknown(Type::Number)),
            ("ul", Value::unknown(Type::list(Type::String))),
            ("ub", Value::unknown(Type::Bool)),
            ("p", Value::pending(Type::String)),
            ("b", Value::blocked("why")),
            ("n", Value::null()),
            ("secret", Value::string("s").sensitive()),
            ("l", Value::tuple(vec![Value::string("a"), Value::string("b")])),
        ])
    }

    #[test]
    fn text_is_written_as_in_terraform() {
        let mut scene = scene();
        for (text, expected) in [
            ("\"a${1.50}${true}${\"b\"}\"", "\"a1.5trueb\""),
            ("\"%{ if true }a%{ else }b%{ endif }c\"", "\"ac\""),
            ("\"%{ if false }a%{ endif }c\"", "\"c\""),
            ("\"%{ for i, x in var.l }${i}${x}%{ endfor }\"", "\"0a1b\""),
            ("\"%{ for k, v in {x = 1, y = 2} }${k}=${v};%{ endfor }\"", "\"x=1;y=2;\""),
            ("\"%{ for x in var.l }%{ for y in var.l }${x}${y} %{ endfor }%{ endfor }\"", "\"aa ab ba bb \""),
            ("\"$${x} %%{y}\"", "\"${x} %{y}\""),
            ("\"${var.secret}!\"", "*\"s!\""),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        let mut scene = scene();
        for (text, expected) in [
            ("\"${var.n}x\"", "null in a template: what is interpolated is null here"),
            ("\"${[1]}x\"", "unsuitable value: only strings, numbers and bools stand in a template; this is a tuple"),
            ("\"${var.ul}x\"", "unsuitable value: the interpolated value does not fit: a string is required, found a list(string)"),
            ("\"%{ if var.n }x%{ endif }\"", "null condition: the condition of `%{if}` is null here; it must be `true` or `false`"),
            ("\"%{ for x in var.n }x%{ endfor }\"", "iteration over null: what `for` walks is null here"),
            ("\"${1/0}${var.n}\"", "division by zero: `1 / 0` divides by zero | null in a template: what is interpolated is null here"),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn an_open_piece_makes_the_text_open() {
        let mut scene = scene();
        for (text, expected) in [
            ("\"a${var.u}\"", "?string"),
            ("\"a${var.un}\"", "?string"),
            ("\"a${var.u}${var.p}\"", "…string"),
            ("\"a${var.u}${var.b}\"", "!why"),
            ("\"%{ if var.ub }a%{ endif }\"", "?string"),
            ("\"%{ if var.ub }${var.p}%{ endif }\"", "…string"),
            ("\"%{ if false }${var.p}%{ endif }\"", "\"\""),
            ("\"%{ for x in var.ul }${x}%{ endfor }\"", "?string"),
            ("\"%{ for x in var.ul }${x}${var.b}%{ endfor }\"", "!why"),
            ("\"%{ for x in var.p }${x}%{ endfor }\"", "…string"),
            ("\"${var.secret}${var.u}\"", "*?string"),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_known_of_a_template_is_written_already() {
        let mut scene = scene();
        let value = scene.value("\"a-${1}-${var.l[0]}-${var.u}-%{ if true }b${2}%{ endif }\"");
        let Data::Unknown(_, thunk) = value.data() else { panic!("{value:?}") };
        let Node::Template(parts) = &scene.arena.thunks.get(*thunk).unwrap().node else { panic!() };
        assert_eq!(parts.len(), 3);
        assert_eq!((&parts[0], &parts[2]), (&Part::Text("a-1-a-".into()), &Part::Text("-b2".into())));
        let Part::Interpolation(inner) = &parts[1] else { panic!("{parts:?}") };
        assert!(matches!(inner.node, Node::Literal(_)));
    }
}
