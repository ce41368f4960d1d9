//! Expressions that are left for later: every name that means something now is replaced by its value, and what can be computed without
//! fail is computed.

use super::evaluator::Evaluator;
use super::strict::{Open, first, literal, opened, strict};
use crate::config::{Call, Expr, For, ForResult, Node, Part, Root};
use crate::diagnostic::Problems;
use crate::value::{Flags, Type, Value};
use std::sync::Arc;

/// What is bound within the expression that is left, and so has no value yet.
#[derive(Default)]
struct Within {
    names: Vec<Arc<str>>,
    splats: usize,
}

impl Evaluator<'_> {
    /// The value of a construct whose course is not known: pending or blocked if anything in it is, else unknown with the construct
    /// itself, over values, as its computation. `found` is a state that is known to apply.
    pub(super) fn lazily(&mut self, expression: &Expr, ty: Type, found: Option<Open>) -> Result<Value, Problems> {
        if self.folding {
            self.arena.made = self.arena.made.with(Flags::UNKNOWN);
            return Ok(Value::unknown(ty));
        }
        let rest = self.substituted(expression)?;
        let mut parts = Vec::new();
        each_literal(&rest, &mut |value| parts.push(value.clone()));
        let open = first(found, strict(&parts)).unwrap_or(Open::Unknown);
        Ok(opened(open, ty, &parts, self.arena, || rest))
    }

    /// The expression with all outer names replaced by their values. What would fail, or depends on what is not known, stays an
    /// operation: it may never be reached.
    pub(super) fn substituted(&mut self, expression: &Expr) -> Result<Expr, Problems> {
        self.inside(expression, &mut Within::default())
    }

    /// The pieces of a template, likewise.
    pub(super) fn substituted_parts(&mut self, parts: &[Part]) -> Result<Arc<[Part]>, Problems> {
        self.parts_inside(parts, &mut Within::default())
    }

    fn inside(&mut self, expression: &Expr, within: &mut Within) -> Result<Expr, Problems> {
        let span = expression.span;
        let node = match &expression.node {
            Node::Literal(_) => return Ok(literal(self.expression(expression)?, span)),
            Node::Root(root) => {
                let later = match root {
                    Root::Bound(name) => within.names.contains(name),
                    Root::Element => within.splats > 0,
                    _ => false,
                };
                return if later { Ok(expression.clone()) } else { Ok(literal(self.expression(expression)?, span)) };
            }
            Node::Slot(_) => return Ok(expression.clone()),
            Node::Wrap(inner) | Node::Parenthesis(inner) => return self.inside(inner, within),
            Node::Template(parts) => Node::Template(self.parts_inside(parts, within)?),
            Node::Tuple(items) => Node::Tuple(self.each_inside(items, within)?),
            Node::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| Ok((self.inside(key, within)?, self.inside(value, within)?)));
                Node::Object(entries.collect::<Result<_, Problems>>()?)
            }
            Node::Attribute(base, name) => Node::Attribute(self.boxed(base, within)?, name.clone()),
            Node::Index(base, key) => Node::Index(self.boxed(base, within)?, self.boxed(key, within)?),
            Node::Splat(base, each) => {
                let base = self.boxed(base, within)?;
                within.splats += 1;
                let each = self.boxed(each, within);
                within.splats -= 1;
                Node::Splat(base, each?)
            }
            Node::Call(call) => Node::Call(Box::new(Call { arguments: self.each_inside(&call.arguments, within)?, ..(**call).clone() })),
            Node::Conditional(condition, then, otherwise) => {
                Node::Conditional(self.boxed(condition, within)?, self.boxed(then, within)?, self.boxed(otherwise, within)?)
            }
            Node::Unary(operator, operand) => Node::Unary(*operator, self.boxed(operand, within)?),
            Node::Binary(operator, one, other) => Node::Binary(*operator, self.boxed(one, within)?, self.boxed(other, within)?),
            Node::For(body) => Node::For(Box::new(self.for_inside(body, within)?)),
            Node::Convert(inner, ty) => Node::Convert(self.boxed(inner, within)?, ty.clone()),
        };
        Ok(self.folded(Expr::new(node, span)))
    }

    fn boxed(&mut self, expression: &Expr, within: &mut Within) -> Result<Box<Expr>, Problems> {
        Ok(Box::new(self.inside(expression, within)?))
    }

    fn each_inside(&mut self, expressions: &[Expr], within: &mut Within) -> Result<Vec<Expr>, Problems> {
        expressions.iter().map(|expression| self.inside(expression, within)).collect()
    }

    fn for_inside(&mut self, body: &For, within: &mut Within) -> Result<For, Problems> {
        let collection = self.inside(&body.collection, within)?;
        let depth = within.names.len();
        within.names.extend(body.key.iter().chain([&body.value]).cloned());
        let result = match &body.result {
            ForResult::Tuple(value) => self.inside(value, within).map(ForResult::Tuple),
            ForResult::Object { key, value, group } => {
                self.inside(key, within).and_then(|key| Ok(ForResult::Object { key, value: self.inside(value, within)?, group: *group }))
            }
        };
        let condition = body.condition.as_ref().map(|condition| self.inside(condition, within)).transpose();
        within.names.truncate(depth);
        Ok(For { key: body.key.clone(), value: body.value.clone(), collection, result: result?, condition: condition? })
    }

    fn parts_inside(&mut self, parts: &[Part], within: &mut Within) -> Result<Arc<[Part]>, Problems> {
        parts.iter().map(|part| self.part_inside(part, within)).collect()
    }

    fn part_inside(&mut self, part: &Part, within: &mut Within) -> Result<Part, Problems> {
        Ok(match part {
            Part::Text(text) => Part::Text(text.clone()),
            Part::Interpolation(inner) => Part::Interpolation(self.inside(inner, within)?),
            Part::If(condition, then, otherwise) => {
                Part::If(self.inside(condition, within)?, self.parts_inside(then, within)?, self.parts_inside(otherwise, within)?)
            }
            Part::For { key, value, collection, body } => {
                let collection = self.inside(collection, within)?;
                let depth = within.names.len();
                within.names.extend(key.iter().chain([value]).cloned());
                let body = self.parts_inside(body, within);
                within.names.truncate(depth);
                Part::For { key: key.clone(), value: value.clone(), collection, body: body? }
            }
        })
    }

    /// The operation as a literal, if all it works on are literals and it neither fails nor leaves anything open.
    fn folded(&mut self, expression: Expr) -> Expr {
        let mut ready = true;
        expression.each_child(&mut |child| ready &= matches!(child.node, Node::Literal(_)));
        if !ready {
            return expression;
        }
        let before = std::mem::take(&mut self.arena.made);
        let folding = std::mem::replace(&mut self.folding, true);
        let value = self.expression(&expression);
        self.folding = folding;
        let made = std::mem::replace(&mut self.arena.made, before);
        match value {
            Ok(value) if made == Flags::default() => literal(value, expression.span),
            _ => expression,
        }
    }
}

/// Calls `visit` with every literal in an expression. Of a deferred computation these are its operands: templates whose unknowns,
/// instances and references are what it waits for.
pub fn each_literal(expression: &Expr, visit: &mut dyn FnMut(&Value)) {
    if let Node::Literal(value) = &expression.node {
        visit(value);
    }
    expression.each_child(&mut |child| each_literal(child, visit));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_expression;
    use crate::eval::scene::Scene;
    use crate::source::FileId;
    use crate::value::Data;

    /// Literals as `#`, the rest by its shape.
    fn shape(expression: &Expr) -> String {
        let mut parts = Vec::new();
        expression.each_child(&mut |child| parts.push(shape(child)));
        let name = match &expression.node {
            Node::Literal(_) => return "#".to_owned(),
            Node::Root(Root::Bound(name)) => return name.to_string(),
            Node::Root(root) => return format!("{root:?}"),
            Node::Attribute(_, name) => format!(".{name}"),
            Node::Call(call) => call.name.to_string(),
            Node::Conditional(..) => "if".to_owned(),
            Node::Binary(..) => "op".to_owned(),
            Node::For(_) => "for".to_owned(),
            Node::Splat(..) => "splat".to_owned(),
            Node::Index(..) => "index".to_owned(),
            Node::Template(_) => "text".to_owned(),
            _ => "other".to_owned(),
        };
        format!("{name}({})", parts.join(" "))
    }

    #[test]
    fn names_become_values_and_what_is_known_is_computed() {
        let mut scene = Scene::new([
            ("u", Value::unknown(Type::Any)),
            ("k", Value::object([("a", Value::number(1)), ("l", Value::tuple(vec![Value::string("x")]))])),
        ]);
        for (text, expected) in [
            ("1 + 2 * var.k.a", "#"),
            ("var.u", "#"),
            ("[var.u, 1 + 1]", "#"),
            ("\"a-${var.k.a}\"", "#"),
            ("var.u.x", ".x(#)"),
            ("var.u + (1 + 2)", "op(# #)"),
            ("var.k.missing", ".missing(#)"),
            ("var.u ? 1 + 1 : 1 / 0", "if(# # op(# #))"),
            ("true ? var.k.a : 1 / 0", "if(# # op(# #))"),
            ("var.u && var.k.a == 1", "op(# #)"),
            ("[for x in var.u : x + var.k.a]", "for(# op(x #))"),
            ("[for x in var.k.l : \"${x}${upper(x)}\" if var.u]", "for(# text(x upper(x)) #)"),
            ("[for x in var.k.l : [for y in var.u : [x, y, var.k.a]]]", "for(# for(# other(x y #)))"),
            ("[for x in var.u : [for x in var.k.l : x]]", "for(# for(# x))"),
            ("var.u[*].x[var.k.a]", "splat(# index(.x(Element) #))"),
            ("try(var.u.x, var.k.a)", "try(.x(#) #)"),
            ("\"%{ for x in var.u }${x}${var.k.a}%{ endfor }\"", "text(# x #)"),
        ] {
            let expression = parse_expression(text, FileId(0)).unwrap();
            let mut evaluator = Evaluator::new(&mut scene.names, &mut scene.arena);
            assert_eq!(evaluator.substituted(&expression).map(|rest| shape(&rest)), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_name_that_means_nothing_is_an_error_even_where_it_may_never_be_reached() {
        let mut scene = Scene::new([("u", Value::unknown(Type::Any))]);
        for text in ["var.u ? var.missing : 1", "[for x in var.u : var.missing]", "var.u && var.missing", "var.u[*].x[var.missing]"] {
            assert_eq!(scene.evaluate(text).unwrap_err()[0].summary, "unknown name", "{text}");
        }
    }

    #[test]
    fn every_operand_of_what_is_left_can_be_found() {
        let mut scene = Scene::new([("u", Value::unknown(Type::Any)), ("v", Value::unknown(Type::Bool))]);
        let value = scene.value("[for x in var.u : \"${x}${var.v}\" if x != \"a\"]");
        let Data::Unknown(_, thunk) = value.data() else { panic!("{value:?}") };
        let mut open = 0;
        each_literal(scene.arena.thunks.get(*thunk).unwrap(), &mut |value| open += usize::from(!value.is_known()));
        assert_eq!(open, 2);
    }
}
