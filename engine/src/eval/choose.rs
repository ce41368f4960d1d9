//! What decides what is evaluated at all: conditionals, `&&` and `||`, `try` and `can`.
//!
//! A decision that is known leaves no trace of itself in the origins of what it chose; one that is not leaves the whole construct
//! for later, with everything it could choose.

use super::convert::convert;
use super::evaluator::{Evaluator, problem, problem_with_help};
use super::strict::{Open, first, from_also, literal, strict};
use super::unify::{type_of, type_words, unify};
use crate::config::{Binary, Call, Expr, Node};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::Span;
use crate::value::{Data, Flags, Type, Value};

impl Evaluator<'_> {
    /// `condition ? then : otherwise`. Both branches are of one type in the end, so the other one is looked at for its type alone.
    pub(super) fn conditional(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr, span: Span) -> Result<Value, Problems> {
        let decision = self.expression(condition)?;
        let decision = self.truth(decision, "condition", condition.span)?;
        let Some(truth) = decision.as_bool() else {
            return self.undecided(&decision, [condition, then, otherwise], span);
        };
        let (chosen, other) = if truth { (then, otherwise) } else { (otherwise, then) };
        let value = self.expression(chosen)?;
        let value = match self.aside(other) {
            Ok(other) if !alike(&value, &other) => {
                let ty = branch_type(&value, &other, span)?;
                let unsuitable = |mismatch: super::Mismatch| problem("inconsistent branches", mismatch.to_string(), chosen.span);
                convert(value, &ty, self.arena).map_err(unsuitable)?
            }
            _ => value,
        };
        Ok(value.sensitive_if(decision.is_marked_sensitive()))
    }

    fn undecided(&mut self, decision: &Value, parts: [&Expr; 3], span: Span) -> Result<Value, Problems> {
        let [condition, then, otherwise] = parts;
        let (one, other) = (self.expression(then), self.expression(otherwise));
        let ty = match (&one, &other) {
            (Ok(one), Ok(other)) => branch_type(one, other, span)?,
            _ => Type::Any,
        };
        let open = first(strict([decision]), strict(one.iter().chain(&other)));
        let condition = Box::new(literal(decision.clone(), condition.span));
        let node = Node::Conditional(condition, Box::new(then.clone()), Box::new(otherwise.clone()));
        self.lazily(&Expr::new(node, span), ty, open)
    }

    /// An expression that is looked at and may not count: it leaves no states behind, and no warnings.
    fn aside(&mut self, expression: &Expr) -> Result<Value, Problems> {
        let (made, warnings) = (self.arena.made, self.arena.warnings.len());
        let value = self.expression(expression);
        self.arena.made = made;
        self.arena.warnings.truncate(warnings);
        value
    }

    /// `one && other`, `one || other`: the second is evaluated only if the first does not decide.
    pub(super) fn logical(&mut self, operator: Binary, one: &Expr, other: &Expr, span: Span) -> Result<Value, Problems> {
        let decides = operator == Binary::Or;
        let left = self.expression(one)?;
        let left = self.operand(left, &Type::Bool, one.span)?;
        if left.as_bool() == Some(decides) {
            return Ok(left);
        }
        let Some(open) = Open::of(&left) else {
            let right = self.expression(other)?;
            let right = self.operand(right, &Type::Bool, other.span)?;
            let sensitive = left.is_marked_sensitive();
            let origin = left.origin();
            return Ok(from_also(right, origin, self.arena).sensitive_if(sensitive));
        };
        let made = self.arena.made;
        let right = self.expression(other).and_then(|right| self.operand(right, &Type::Bool, other.span));
        if let Ok(right) = &right
            && open == Open::Unknown
            && right.as_bool() == Some(decides)
        {
            self.arena.made = made;
            return Ok(right.clone().sensitive_if(left.is_marked_sensitive()));
        }
        let open = first(Some(open), strict(&right));
        let node = Node::Binary(operator, Box::new(literal(left, one.span)), Box::new(other.clone()));
        self.lazily(&Expr::new(node, span), Type::Bool, open)
    }

    /// `try(…)`: the first argument that has a value. One that could still fail when more is known leaves the choice open.
    pub(super) fn attempt(&mut self, call: &Call, span: Span) -> Result<Value, Problems> {
        let mut failures = Vec::new();
        for (at, argument) in call.arguments.iter().enumerate() {
            match self.tried(argument) {
                Err(problems) => failures.push((argument, problems)),
                Ok((value, None)) => return Ok(value),
                Ok((value, open)) => {
                    let rest = &call.arguments[at..];
                    let ty = if rest.len() == 1 { type_of(&value) } else { Type::Any };
                    let call = Call { arguments: rest.to_vec(), ..call.clone() };
                    return self.lazily(&Expr::new(Node::Call(call), span), ty, first(open, strict([&value])));
                }
            }
        }
        if failures.is_empty() {
            return Err(problem("missing argument", "`try` needs at least one expression", span));
        }
        let mut diagnostic = Diagnostic::error("no expression succeeded", "every expression given to `try` fails here")
            .help("add a last one that cannot fail")
            .at(span);
        for (argument, problems) in failures {
            let why: Vec<_> = problems.iter().map(|problem| problem.detail.as_str()).collect();
            diagnostic = diagnostic.related(argument.span, why.join("; "));
        }
        Err(vec![diagnostic])
    }

    /// `can(…)`: whether its argument has a value.
    pub(super) fn possible(&mut self, call: &Call, span: Span) -> Result<Value, Problems> {
        let [argument] = call.arguments.as_slice() else {
            let detail = format!("`can` takes one expression, {} are given", call.arguments.len());
            return Err(problem_with_help("wrong number of arguments", detail, "join them with `&&` around several `can`", span));
        };
        match self.tried(argument) {
            Err(_) => Ok(Value::bool(false)),
            Ok((value, None)) => Ok(Value::bool(true).sensitive_if(value.is_marked_sensitive())),
            Ok((value, open)) => self.lazily(&Expr::new(Node::Call(call.clone()), span), Type::Bool, first(open, strict([&value]))),
        }
    }

    /// The value of an expression, and the state that operations in it came to: with none it cannot fail any more.
    pub(super) fn tried(&mut self, expression: &Expr) -> Result<(Value, Option<Open>), Problems> {
        let before = std::mem::take(&mut self.arena.made);
        let value = self.expression(expression);
        let made = std::mem::replace(&mut self.arena.made, before);
        let value = value?;
        let open = if made.has(Flags::PENDING) {
            Some(Open::Pending)
        } else if made.has(Flags::BLOCKED) {
            Some(Open::Blocked(value.blocked_why().unwrap_or_else(|| "something in it could not be observed".into())))
        } else if made.has(Flags::UNKNOWN) {
            Some(Open::Unknown)
        } else {
            None
        };
        Ok((value, open))
    }
}

/// Whether two values are so obviously of one type that neither needs converting.
fn alike(one: &Value, other: &Value) -> bool {
    let untyped = |value: &Value| matches!(value.data(), Data::Null | Data::Instance(_) | Data::Reference(_) | Data::Blocked(_));
    let same = matches!(
        (one.data(), other.data()),
        (Data::Bool(_), Data::Bool(_)) | (Data::Number(_), Data::Number(_)) | (Data::String(_), Data::String(_))
    );
    same || untyped(one) || untyped(other)
}

fn branch_type(one: &Value, other: &Value, span: Span) -> Result<Type, Problems> {
    if one.is_null() {
        return Ok(type_of(other));
    }
    if other.is_null() {
        return Ok(type_of(one));
    }
    let types = [type_of(one), type_of(other)];
    unify(&types).ok_or_else(|| {
        let [one, other] = types.map(|ty| type_words(&ty));
        let detail = format!("one branch of the conditional is {one}, the other {other}; no type fits both");
        problem_with_help("inconsistent branches", detail, "make both branches of one type, such as `tostring(…)`, or `null`", span)
    })
}
