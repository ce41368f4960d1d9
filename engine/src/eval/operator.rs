//! Operators over values: arithmetic in exact decimals, comparison, equality.

use super::evaluator::{Evaluator, both, problem, problem_with_help};
use super::order::same;
use super::strict::{from_also, literal, opened, strict};
use crate::config::{Binary, Expr, Node, Unary};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::Span;
use crate::value::{Data, MappingKind, Number, SequenceKind, Type, Value};

impl Evaluator<'_> {
    pub(super) fn unary(&mut self, operator: Unary, operand: Value, span: Span) -> Result<Value, Problems> {
        let ty = match operator {
            Unary::Negate => Type::Number,
            Unary::Not => Type::Bool,
        };
        let operand = self.operand(operand, &ty, span)?;
        if let Some(open) = strict([&operand]) {
            let deferred = || Expr::new(Node::Unary(operator, Box::new(literal(operand.clone(), span))), span);
            return Ok(opened(open, ty, [&operand], self.arena, deferred));
        }
        let data = match operand.data() {
            Data::Number(number) => Data::Number((-number).normalize()),
            Data::Bool(truth) => Data::Bool(!truth),
            _ => return Ok(operand),
        };
        Ok(Value::new(data).with_origin(operand.origin()).marked(operand.marks()))
    }

    pub(super) fn binary(&mut self, operator: Binary, one: &Expr, other: &Expr, span: Span) -> Result<Value, Problems> {
        if matches!(operator, Binary::And | Binary::Or) {
            return self.logical(operator, one, other, span);
        }
        let spans = (one.span, other.span);
        let (one, other) = both(self.expression(one), self.expression(other))?;
        let deferred = |one: &Value, other: &Value| {
            let (one, other) = (Box::new(literal(one.clone(), spans.0)), Box::new(literal(other.clone(), spans.1)));
            Expr::new(Node::Binary(operator, one, other), span)
        };
        if matches!(operator, Binary::Equal | Binary::NotEqual) {
            let equal = match same(&one, &other) {
                Ok(equal) => equal,
                Err(open) => return Ok(opened(open, Type::Bool, [&one, &other], self.arena, || deferred(&one, &other))),
            };
            if !equal {
                self.warn_of_kinds(&one, &other, span);
            }
            return Ok(self.made_of(Value::bool(equal == (operator == Binary::Equal)), &one, &other));
        }
        let (one, other) = both(self.operand(one, &Type::Number, spans.0), self.operand(other, &Type::Number, spans.1))?;
        let ty = match operator {
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Modulo => Type::Number,
            _ => Type::Bool,
        };
        if let Some(open) = strict([&one, &other]) {
            return Ok(opened(open, ty, [&one, &other], self.arena, || deferred(&one, &other)));
        }
        let (Some(a), Some(b)) = (one.as_number(), other.as_number()) else {
            return Err(problem("unsuitable value", "both operands must be numbers", span));
        };
        let value = compute(operator, a, b).map_err(|why| {
            let hidden = one.is_hidden() || other.is_hidden();
            failed(operator, why, (!hidden).then_some((a, b)), span)
        })?;
        Ok(self.made_of(value, &one, &other))
    }

    /// A value made of two others: from where they came, and sensitive if anything in them is.
    fn made_of(&mut self, value: Value, one: &Value, other: &Value) -> Value {
        let marks = one.marks_within() | other.marks_within();
        let (a, b) = (one.deep_origin(&mut self.arena.origins), other.deep_origin(&mut self.arena.origins));
        from_also(value.with_origin(a), b, self.arena).marked(marks)
    }

    /// An operand of arithmetic or logic: of that type, or open. Null is an error.
    pub(super) fn operand(&mut self, value: Value, ty: &Type, span: Span) -> Result<Value, Problems> {
        if value.is_null() {
            return Err(problem("null operand", format!("an operand is null here; it must be a {ty}"), span));
        }
        self.scalar(value, ty, "operand", span)
    }

    /// Tuples are never equal to lists nor objects to maps, which nobody expects.
    fn warn_of_kinds(&mut self, one: &Value, other: &Value, span: Span) {
        let (detail, help) = match (one.data(), other.data()) {
            (Data::Sequence(a), Data::Sequence(b)) if std::mem::discriminant(a.kind()) != std::mem::discriminant(b.kind()) => {
                let name = |kind: &SequenceKind| match kind {
                    SequenceKind::Tuple => "tuple (what `[…]` makes)",
                    SequenceKind::List(_) => "list",
                    SequenceKind::Set(_) => "set",
                };
                let detail = format!("a {} is compared with a {}; they are never equal", name(a.kind()), name(b.kind()));
                (detail, "convert both to one type with `tolist` or `toset`")
            }
            (Data::Mapping(a), Data::Mapping(b)) if std::mem::discriminant(a.kind()) != std::mem::discriminant(b.kind()) => {
                let name = |kind: &MappingKind| match kind {
                    MappingKind::Object => "object (what `{…}` makes)",
                    MappingKind::Map(_) => "map",
                };
                let detail = format!("an {} is compared with a {}; they are never equal", name(&MappingKind::Object), "map");
                debug_assert!(name(a.kind()) != name(b.kind()), "kinds differ");
                (detail, "convert both with `tomap`")
            }
            _ => return,
        };
        let warning = Diagnostic::warning("comparison is always false", detail).help(help).at(span);
        if !self.arena.warnings.contains(&warning) {
            self.arena.warnings.push(warning);
        }
    }
}

/// Why an operation over known numbers has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arithmetic {
    ByZero,
    TooLarge,
}

fn compute(operator: Binary, a: Number, b: Number) -> Result<Value, Arithmetic> {
    let number = match operator {
        Binary::Divide | Binary::Modulo if b.is_zero() => return Err(Arithmetic::ByZero),
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        Binary::Divide => a.checked_div(b),
        Binary::Modulo => a.checked_rem(b),
        Binary::Less => return Ok(Value::bool(a < b)),
        Binary::LessOrEqual => return Ok(Value::bool(a <= b)),
        Binary::Greater => return Ok(Value::bool(a > b)),
        _ => return Ok(Value::bool(a >= b)),
    };
    number.map(|number| Value::number(number.normalize())).ok_or(Arithmetic::TooLarge)
}

fn failed(operator: Binary, why: Arithmetic, shown: Option<(Number, Number)>, span: Span) -> Problems {
    let sign = match operator {
        Binary::Add => "+",
        Binary::Subtract => "-",
        Binary::Multiply => "*",
        Binary::Divide => "/",
        _ => "%",
    };
    let shown = shown.map_or_else(|| format!("this `{sign}`"), |(a, b)| format!("`{a} {sign} {b}`"));
    match why {
        Arithmetic::ByZero => problem_with_help("division by zero", format!("{shown} divides by zero"), "guard it: `n == 0 ? … : …`", span),
        Arithmetic::TooLarge => problem("number too large", format!("{shown} has more than the 28 digits that numbers hold here"), span),
    }
}

#[cfg(test)]
mod tests {
    use crate::eval::convert;
    use crate::eval::scene::Scene;
    use crate::value::{Type, Value};

    #[test]
    fn arithmetic_is_exact_or_an_error() {
        let mut scene = Scene::new([("secret", Value::number(0).sensitive())]);
        for (text, expected) in [
            ("0.1 + 0.2", "0.3"),
            ("1.10 - 0.10", "1"),
            ("9007199254740993 + 2", "9007199254740995"),
            ("100 * 0.01", "1"),
            ("1 / 4", "0.25"),
            ("-7 % 3", "-1"),
            ("7 % -3", "1"),
            ("7.5 % 2", "1.5"),
            ("-(1 - 1)", "0"),
            ("1/0", "division by zero: `1 / 0` divides by zero"),
            ("5 % 0", "division by zero: `5 % 0` divides by zero"),
            ("1 / var.secret", "division by zero: this `/` divides by zero"),
            (
                "9999999999999999999999999999 * 9999999999999999999999999999",
                "number too large: `9999999999999999999999999999 * 9999999999999999999999999999` has more than the 28 digits that numbers hold here",
            ),
            (
                "\"a\" < \"b\"",
                "unsuitable value: the operand does not fit: a number is required, found the string `a` | unsuitable value: the operand does not fit: a number is required, found the string `b`",
            ),
            ("1 < null", "null operand: an operand is null here; it must be a number"),
            ("-null", "null operand: an operand is null here; it must be a number"),
            ("!1", "unsuitable value: the operand does not fit: a bool is required, found a number"),
            ("2 < 10", "true"),
            ("\"2\" < \"10\"", "true"),
            ("2 <= 2", "true"),
            ("2 > 2", "false"),
            ("var.secret + 1", "*1"),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn equality_of_open_values() {
        let mut scene = Scene::new([
            ("u", Value::unknown(Type::String)),
            ("p", Value::pending(Type::Any)),
            ("b", Value::blocked("why")),
            ("o", Value::object([("a", Value::unknown(Type::Any)), ("b", Value::number(1))])),
        ]);
        for (text, expected) in [
            ("var.u == \"x\"", "?bool"),
            ("var.u == null", "?bool"),
            ("var.o == null", "false"),
            ("var.o != null", "true"),
            ("var.o == {a = 1, b = 2}", "false"),
            ("var.o == {a = 1, b = 1}", "?bool"),
            ("var.u == var.p", "…bool"),
            ("var.b == var.u", "!why"),
            ("var.u + 1", "?number"),
            ("var.u > var.p", "…bool"),
            ("!var.u", "?bool"),
            ("-var.u", "?number"),
            ("null == null", "true"),
            ("\"\" == null", "false"),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn comparing_a_tuple_with_a_list_is_false_and_draws_one_warning() {
        let tuple = || Value::tuple(vec![Value::number(1)]);
        let mut arena = crate::eval::Arena::default();
        let list = convert(tuple(), &Type::list(Type::Number), &mut arena).unwrap();
        let object = || Value::object([("a", Value::number(1))]);
        let map = convert(object(), &Type::map(Type::Number), &mut arena).unwrap();
        let mut scene = Scene::new([("l", list), ("m", map)]);
        for (text, expected, warnings) in [
            ("var.l == [1]", "false", 1),
            ("var.l == [1]", "false", 1),
            ("[1] != var.l || true", "true", 2),
            ("var.m == {a = 1}", "false", 3),
            ("var.l == [for x in var.l : x]", "false", 4),
            ("var.l == var.l", "true", 4),
            ("[1] == [2]", "false", 4),
            ("[1] == {}", "false", 4),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
            assert_eq!(scene.arena.warnings.len(), warnings, "{text}: {:?}", scene.arena.warnings);
        }
        assert!(scene.arena.warnings.iter().all(|warning| !warning.is_error() && warning.help.is_some()));
    }

    #[test]
    fn a_result_comes_from_both_operands() {
        let mut scene = Scene::default();
        for name in ["a", "b"] {
            let origin = scene.from(name);
            scene.names.variables.insert(name.to_owned(), Value::number(1).with_origin(origin));
        }
        for (text, expected) in
            [("var.a + var.b", "a b"), ("-var.a", "a"), ("[var.a] == [var.b]", "a b"), ("var.a < 2", "a"), ("1 + 1", "")]
        {
            let value = scene.value(text);
            assert_eq!(scene.sources(&value), expected, "{text}");
        }
    }
}
