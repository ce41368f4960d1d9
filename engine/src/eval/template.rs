//! Templates: text with interpolations and directives.

use super::evaluator::{Evaluator, problem, problem_with_help};
use super::repeat::not_walked;
use super::strict::{Open, first, literal, opened, strict};
use super::substitute::each_literal;
use crate::config::{Expr, Node, Part};
use crate::diagnostic::Problems;
use crate::source::Span;
use crate::value::{Data, Type, Value};
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
    /// Whether a sensitive decision was made.
    sensitive: bool,
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
        if !written.problems.is_empty() {
            return Err(written.problems);
        }
        if let Some(open) = first(written.open.take(), strict(&written.values)) {
            if !written.text.is_empty() {
                let text = std::mem::take(&mut written.text);
                written.pieces.push(Part::Text(text.into()));
            }
            let Written { pieces, values, sensitive, .. } = written;
            let deferred = || Expr::new(Node::Template(pieces.into()), span);
            return Ok(opened(open, Type::String, &values, self.arena, deferred).sensitive_if(sensitive));
        }
        let origins: Vec<_> = written.values.iter().map(Value::origin).collect();
        let sensitive = written.sensitive || written.values.iter().any(Value::is_marked_sensitive);
        let origin = self.arena.origins.join(&origins);
        Ok(Value::string(written.text).with_origin(origin).sensitive_if(sensitive))
    }

    fn write(&mut self, parts: &[Part], written: &mut Written) {
        for part in parts {
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
            written.sensitive |= decision.is_marked_sensitive();
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
        written.sensitive |= value.is_marked_sensitive();
        for (key, element) in self.pairs(&value, collection.span)? {
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
            super::FileText::Text(text) => Ok(Some(text)),
            super::FileText::Pending => Ok(None),
            super::FileText::Refused(why) => Err(problem("unreadable file", why, span)),
        }
    }
}
