//! What decides what is evaluated at all: conditionals, `&&` and `||`, `try` and `can`.
//!
//! A decision that is known leaves no trace of itself in the origins of what it chose; one that is not leaves the whole construct
//! for later, with everything it could choose.

use super::convert::convert;
use super::evaluator::{Evaluator, problem, problem_with_help};
use super::strict::{Open, first, from_also, literal, opened, strict};
use super::unify::{element_type, type_of, type_words, unify};
use crate::config::{Binary, Call, Expr, Node};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::Span;
use crate::value::{Data, Flags, ObjectType, Type, Value};

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
            // What the other branch will be could still change what this one becomes, or show that they do not agree.
            Ok(other) if !alike(&value, &other) && other.holds_pending() && may_be_anything(&type_of(&other)) => {
                opened(Open::Pending, Type::Any, [&value], self.arena, || literal(value.clone(), span))
            }
            Ok(other) if !alike(&value, &other) => {
                let ty = branch_type(&value, &other, span)?;
                let unsuitable = |mismatch: super::Mismatch| problem("inconsistent branches", mismatch.to_string(), chosen.span);
                convert(value, &ty, self.arena).map_err(unsuitable)?
            }
            _ => value,
        };
        Ok(value.marked(decision.marks()))
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
            let marks = left.marks();
            let origin = left.origin();
            return Ok(from_also(right, origin, self.arena).marked(marks));
        };
        let made = self.arena.made;
        let right = self.expression(other).and_then(|right| self.operand(right, &Type::Bool, other.span));
        if let Ok(right) = &right
            && open == Open::Unknown
            && right.as_bool() == Some(decides)
        {
            self.arena.made = made;
            return Ok(right.clone().marked(left.marks()));
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
                    return self.lazily(&Expr::new(Node::Call(Box::new(call)), span), ty, first(open, strict([&value])));
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
            Ok((value, None)) => Ok(Value::bool(true).marked(value.marks())),
            Ok((value, open)) => {
                self.lazily(&Expr::new(Node::Call(Box::new(call.clone())), span), Type::Bool, first(open, strict([&value])))
            }
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

fn objects_differ(one: &ObjectType, other: &ObjectType) -> String {
    let only = |one: &ObjectType, other: &ObjectType| {
        let names = one.fields.keys().filter(|name| !other.fields.contains_key(*name));
        names.map(|name| format!("`{name}`")).collect::<Vec<_>>()
    };
    let names = [only(one, other), only(other, one)].concat();
    if names.is_empty() {
        let differing = one
            .fields
            .iter()
            .find(|(name, field)| other.fields.get(*name).is_some_and(|other| unify(&[field.ty.clone(), other.ty.clone()]).is_none()));
        let name = differing.map_or("", |(name, _)| name);
        return format!("the branches of the conditional are objects whose `{name}` are of types that do not agree");
    }
    format!("only one branch of the conditional has {}, and as a map its values would have to be of one type", names.join(", "))
}

/// Whether a type says nothing in some part.
fn may_be_anything(ty: &Type) -> bool {
    match ty {
        Type::Any => true,
        Type::Bool | Type::Number | Type::String | Type::Reference(_) => false,
        Type::List(element) | Type::Set(element) | Type::Map(element) => may_be_anything(element),
        Type::Tuple(elements) => elements.iter().any(may_be_anything),
        Type::Object(object) => object.fields.values().any(|field| may_be_anything(&field.ty)),
    }
}

fn branch_type(one: &Value, other: &Value, span: Span) -> Result<Type, Problems> {
    element_type([one, other]).ok_or_else(|| {
        let detail = match [type_of(one), type_of(other)] {
            [Type::Object(first), Type::Object(second)] if !one.hides_keys() && !other.hides_keys() => objects_differ(&first, &second),
            types => {
                let [one, other] = types.map(|ty| type_words(&ty));
                format!("one branch of the conditional is {one}, the other {other}; no type fits both")
            }
        };
        problem_with_help("inconsistent branches", detail, "make both branches of one type, such as `tostring(…)`, or `null`", span)
    })
}

#[cfg(test)]
mod tests {
    use crate::eval::scene::{Scene, show};
    use crate::value::{Type, Value};

    fn scene() -> Scene {
        Scene::new([
            ("u", Value::unknown(Type::Bool)),
            ("us", Value::unknown(Type::String)),
            ("ua", Value::unknown(Type::Any)),
            ("p", Value::pending(Type::Bool)),
            ("pa", Value::pending(Type::Any)),
            ("b", Value::blocked("why")),
            ("n", Value::null()),
            (
                "o",
                Value::object([("known", Value::number(1)), ("later", Value::unknown(Type::String)), ("asked", Value::pending(Type::Any))]),
            ),
            ("secret", Value::bool(true).sensitive()),
        ])
    }

    #[test]
    fn both_branches_of_a_conditional_are_of_one_type() {
        for (text, expected) in [
            ("true ? 1 : \"a\"", "\"1\""),
            ("true ? [1, 2] : []", "list[1, 2]"),
            ("true ? {a = 1} : {b = 2}", "map{a=1}"),
            ("true ? {a = 1} : {b = \"x\"}", "map{a=\"1\"}"),
            ("true ? {a = 1} : {a = \"x\"}", "{a=\"1\"}"),
            ("true ? [] : [1]", "list[]"),
            ("true ? [] : [\"a\", 1]", "list[]"),
            ("true ? {} : {a = 1}", "map{}"),
            ("true ? {a = {b = 1}} : {a = {c = 1}}", "{a=map{b=1}}"),
            ("true ? [{a = 1}] : [{b = 1}]", "[map{a=1}]"),
            ("true ? null : \"x\"", "null"),
            ("true ? 1 : null", "1"),
            ("\"0\" ? 1 : 2", "2"),
            ("\"true\" ? 1 : 2", "1"),
            ("false ? 1/0 : 2", "2"),
            ("true ? 2 : nothing()", "2"),
        ] {
            assert_eq!(Scene::default().show(text), expected, "{text}");
        }
    }

    #[test]
    fn branches_that_do_not_agree_and_conditions_that_are_none_are_errors() {
        let mut scene = scene();
        for (text, expected) in [
            (
                "true ? [1] : \"a\"",
                "inconsistent branches: one branch of the conditional is a tuple, the other a string; no type fits both",
            ),
            ("true ? 1 : true", "inconsistent branches: one branch of the conditional is a number, the other a bool; no type fits both"),
            (
                "var.u ? [1] : \"a\"",
                "inconsistent branches: one branch of the conditional is a tuple, the other a string; no type fits both",
            ),
            (
                "true ? {a = 1, b = []} : {b = []}",
                "inconsistent branches: only one branch of the conditional has `a`, and as a map its values would have to be of one type",
            ),
            (
                "true ? {a = 1, b = []} : {a = 2, b = 1}",
                "inconsistent branches: the branches of the conditional are objects whose `b` are of types that do not agree",
            ),
            ("1 ? 1 : 2", "unsuitable value: the condition does not fit: a bool is required, found a number"),
            ("null ? 1 : 2", "null condition: the condition is null here; it must be `true` or `false`"),
            ("\"maybe\" ? 1 : 2", "unsuitable value: the condition does not fit: `true` or `false` is required, found the string `maybe`"),
            ("null && true", "null operand: an operand is null here; it must be a bool"),
            ("true || 1/0", "true"),
            ("false || 1/0", "division by zero: `1 / 0` divides by zero"),
            ("1 && true", "unsuitable value: the operand does not fit: a bool is required, found a number"),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn an_open_decision_leaves_the_choice_open() {
        let mut scene = scene();
        for (text, expected) in [
            ("var.u ? 1 : \"a\"", "?string"),
            ("var.u ? 1 : null", "?number"),
            ("var.u ? var.ua : 1", "?any"),
            ("var.u ? 1/0 : 1", "?any"),
            ("var.p ? 1 : 2", "…number"),
            ("var.b ? 1 : 2", "!why"),
            ("var.u ? var.p : true", "…bool"),
            ("var.u ? var.b : true", "!why"),
            ("var.b ? var.p : true", "…bool"),
            ("true ? true : var.p", "true"),
            ("true ? [1] : var.pa", "…any"),
            ("true ? [1] : [var.pa]", "…any"),
            ("true ? null : var.pa", "null"),
            ("true ? [1] : var.ua", "[1]"),
            ("true ? [1] : var.b", "[1]"),
            ("false ? var.b : 2", "2"),
            ("true ? var.us : var.p", "?string"),
            ("var.u && true", "?bool"),
            ("var.u && false", "false"),
            ("var.u || true", "true"),
            ("true && var.u", "?bool"),
            ("false && var.u", "false"),
            ("true || var.p", "true"),
            ("var.p && false", "…bool"),
            ("var.u && var.p", "…bool"),
            ("var.u || var.b", "!why"),
            ("var.u && 1/0 == 1", "?bool"),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn try_takes_what_cannot_fail_any_more() {
        let mut scene = scene();
        for (text, expected) in [
            ("try(1/0, 5)", "5"),
            ("try({}.a, [][0], \"x\")", "\"x\""),
            ("try(var.o.known, 2)", "1"),
            // What is merely passed on is computed elsewhere, so it cannot fail here.
            ("try(var.o.later, 2)", "?string"),
            ("try(var.o, 2)", "{asked=…any, known=1, later=?string}"),
            ("try(var.us.x, 2)", "unsupported attribute"),
            ("try(var.ua.x, 2)", "?any"),
            ("try(var.ua.x.y, var.ua.z)", "?any"),
            ("try([var.ua.x], [])", "?any"),
            ("try([for x in [1] : var.ua.x][0] == 1, 2)", "?any"),
            ("try(var.o.asked.x, 2)", "…any"),
            ("try([var.ua.x, var.o.asked.y], 2)", "…any"),
            ("try(var.b.x, 2)", "!why"),
            ("try(var.o.nothing, var.ua.x)", "?any"),
            ("can(1/0)", "false"),
            ("can(var.o.known)", "true"),
            ("can(var.o.later)", "true"),
            ("can(var.o.asked)", "true"),
            ("can(var.ua.x)", "?bool"),
            ("can(var.o.asked.x)", "…bool"),
            ("can(var.b.x)", "!why"),
        ] {
            let shown = scene.show(text);
            if expected == "unsupported attribute" {
                assert_eq!(shown, "2", "{text}: a string never has attributes");
            } else {
                assert_eq!(shown, expected, "{text}");
            }
        }
    }

    #[test]
    fn try_without_success_says_why_each_failed() {
        let mut scene = scene();
        let problems = scene.evaluate("try(1/0, var.o.nothing)").unwrap_err();
        assert_eq!(problems.len(), 1);
        let said: Vec<_> = problems[0].related.iter().map(|(_, why)| why.as_str()).collect();
        assert_eq!(said, ["`1 / 0` divides by zero", "this object has no `nothing`; it has `asked`, `known`, `later`"]);
        for text in ["try()", "can()", "can(1, 2)", "try([1]...)"] {
            assert!(scene.evaluate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_known_decision_leaves_no_origin_and_an_open_one_all() {
        let mut scene = Scene::default();
        for (name, value) in [
            ("yes", Value::bool(true)),
            ("no", Value::bool(false)),
            ("open", Value::unknown(Type::Bool)),
            ("a", Value::string("a")),
            ("b", Value::string("b")),
        ] {
            let origin = scene.from(name);
            scene.names.variables.insert(name.to_owned(), value.with_origin(origin));
        }
        for (text, expected) in [
            ("var.yes ? var.a : var.b", "a"),
            ("var.no ? var.a : var.b", "b"),
            ("var.open ? var.a : var.b", "a b open"),
            ("var.open ? var.a : (var.yes ? var.b : var.no)", "a b open"),
            ("var.open ? var.a : [var.b][0]", "a b open"),
            ("var.no && var.yes", "no"),
            ("var.yes && var.no", "no yes"),
            ("var.yes || var.no", "yes"),
            ("var.open && var.yes", "open yes"),
            ("var.open && var.no", "no"),
            ("[for x in [var.a, var.b] : x if x == \"a\"]", "a"),
            ("[for x in [var.a, var.b] : x if var.open]", "a b open"),
            ("try(var.a.x, var.b)", "b"),
            ("try(var.a, var.b)", "a"),
            ("can(var.a)", ""),
            ("\"%{ if var.yes }${var.a}%{ else }${var.b}%{ endif }\"", "a"),
            ("\"%{ if var.open }${var.a}%{ else }${var.b}%{ endif }\"", "a b open"),
        ] {
            let value = scene.value(text);
            assert_eq!(scene.sources(&value), expected, "{text}");
        }
    }

    #[test]
    fn a_secret_decision_makes_a_secret() {
        let mut scene = scene();
        for text in [
            "var.secret ? 1 : 2",
            "var.secret && true",
            "true && var.secret",
            "var.secret || false",
            "var.secret ? var.us : \"\"",
            "var.u && var.secret",
            "[for x in [1] : x if var.secret]",
            "\"%{ if var.secret }x%{ endif }\"",
        ] {
            let value = scene.value(text);
            assert!(value.is_marked_sensitive(), "{text}: {}", show(&value));
        }
    }

    #[test]
    fn what_is_left_for_later_holds_only_values_and_what_may_fail() {
        let mut scene = scene();
        let value = scene.value("var.u ? \"${1 + 1}-${var.us}\" : upper({}.nothing)");
        let crate::value::Data::Unknown(_, thunk) = value.data() else { panic!("{value:?}") };
        let mut roots = 0;
        scene.arena.thunks.get(*thunk).unwrap().each_root(&mut |_, _| roots += 1);
        assert_eq!(roots, 0);
        let later = format!("{:?}", scene.arena.thunks.get(*thunk).unwrap());
        assert!(!later.contains("Binary"), "what is known is folded: {later}");
    }
}
