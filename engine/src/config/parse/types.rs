//! Type constraints: `string`, `list(number)`, `object({ … })`, and classes of references.

use super::Lowering;
use crate::config::constant::constant;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::value::{Field, ObjectType, Type};
use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall, ObjectKey};
use std::sync::Arc;

const PRIMITIVES: [(&str, Type); 4] = [("any", Type::Any), ("bool", Type::Bool), ("number", Type::Number), ("string", Type::String)];
const CONSTRUCTORS: [&str; 5] = ["list", "map", "object", "set", "tuple"];

impl Lowering<'_> {
    /// The type that a constraint names; `any` and a problem for what names none.
    pub(super) fn type_constraint(&mut self, expression: &Expression) -> Type {
        match expression {
            Expression::Variable(word) => self.type_word(word.as_str(), expression),
            Expression::FuncCall(call) => self.constructed_type(call, expression),
            Expression::Parenthesis(inner) => self.type_constraint(inner.inner()),
            Expression::String(text) => {
                let help = format!("Write `{}` without quotes.", text.as_str());
                self.no_type(expression, "a type is written without quotes", help)
            }
            _ => {
                let detail = format!("`{}` is no type", self.source(expression.span()).trim());
                self.no_type(
                    expression,
                    &detail,
                    "Types are `string`, `number`, `bool`, `any`, `list(…)`, `set(…)`, `map(…)`, `object({…})`.",
                )
            }
        }
    }

    fn no_type(&mut self, expression: &Expression, detail: &str, help: impl Into<String>) -> Type {
        let span = self.of(expression);
        self.report(Diagnostic::error("invalid type", detail).at(span).help(help));
        Type::Any
    }

    fn type_word(&mut self, word: &str, expression: &Expression) -> Type {
        if let Some((_, ty)) = PRIMITIVES.iter().find(|(name, _)| *name == word) {
            return ty.clone();
        }
        if let Some(class) = self.classes.iter().find(|class| **class == word) {
            return Type::Reference(class);
        }
        // As Terraform has it since its first versions, and for these two alone.
        match word {
            "list" => return Type::list(Type::Any),
            "map" => return Type::map(Type::Any),
            _ => {}
        }
        if CONSTRUCTORS.contains(&word) {
            let within = if word == "object" { "{ name = string }" } else { "string" };
            let detail = format!("`{word}` needs what it holds");
            return self.no_type(expression, &detail, format!("Write `{word}({within})`, or `any`."));
        }
        let known = PRIMITIVES.iter().map(|(name, _)| *name).chain(CONSTRUCTORS).chain(self.classes.iter().copied());
        let help = match did_you_mean(word, known) {
            Some(near) => format!("Did you mean `{near}`?"),
            None if self.classes.is_empty() => {
                "Types are `string`, `number`, `bool`, `any`, `list(…)`, `set(…)`, `map(…)`, `object({…})`.".into()
            }
            None => format!("Beside the usual types there are the classes of references: `{}`.", self.classes.join("`, `")),
        };
        self.no_type(expression, &format!("there is no type `{word}`"), help)
    }

    fn constructed_type(&mut self, call: &FuncCall, expression: &Expression) -> Type {
        let name = call.name.name.as_str();
        if name == "optional" {
            return self.no_type(
                expression,
                "`optional` stands only right in an object's attributes",
                "Write `object({ name = optional(string) })`.",
            );
        }
        if !CONSTRUCTORS.contains(&name) || call.name.is_namespaced() {
            let near = did_you_mean(name, CONSTRUCTORS).map_or_else(String::new, |near| format!("Did you mean `{near}(…)`?"));
            return self.no_type(expression, &format!("there is no type `{name}(…)`"), near);
        }
        let mut arguments = call.args.iter();
        let (Some(argument), None) = (arguments.next(), arguments.next()) else {
            return self.no_type(expression, &format!("`{name}(…)` takes one argument"), "Write for example `map(string)`.");
        };
        match (name, argument) {
            ("list", element) => Type::list(self.type_constraint(element)),
            ("set", element) => Type::set(self.type_constraint(element)),
            ("map", element) => Type::map(self.type_constraint(element)),
            ("tuple", Expression::Array(items)) => Type::Tuple(items.iter().map(|item| self.type_constraint(item)).collect()),
            ("object", Expression::Object(fields)) => {
                let mut object = ObjectType::default();
                for (key, value) in fields {
                    if let Some((name, field)) = self.field(key, value.expr()) {
                        object.fields.insert(name, field);
                    }
                }
                Type::Object(Arc::new(object))
            }
            ("tuple", _) => self.no_type(argument, "`tuple(…)` takes a list of types", "Write `tuple([string, number])`."),
            _ => self.no_type(argument, "`object(…)` takes attributes and their types", "Write `object({ name = string })`."),
        }
    }

    fn field(&mut self, key: &ObjectKey, ty: &Expression) -> Option<(Arc<str>, Field)> {
        let name: Arc<str> = match key {
            ObjectKey::Ident(name) => name.as_str().into(),
            ObjectKey::Expression(Expression::String(name)) => name.as_str().into(),
            ObjectKey::Expression(other) => {
                self.no_type(other, "an attribute of an object type needs a plain name", "Write `object({ name = string })`.");
                return None;
            }
        };
        let Some(call) = optional_call(ty) else {
            return Some((name, Field { ty: self.type_constraint(ty), optional: false, default: None }));
        };
        let arguments: Vec<_> = call.args.iter().collect();
        let (inner, default) = match arguments.as_slice() {
            [inner] => (*inner, None),
            [inner, default] => (*inner, Some(*default)),
            _ => {
                self.no_type(ty, "`optional` takes a type and perhaps a default", "Write `optional(string, \"text\")`.");
                return None;
            }
        };
        let default = default.and_then(|default| {
            let lowered = self.expression(default);
            self.keep(constant(&lowered))
        });
        Some((name, Field { ty: self.type_constraint(inner), optional: true, default }))
    }
}

fn optional_call(expression: &Expression) -> Option<&FuncCall> {
    match expression {
        Expression::FuncCall(call) if call.name.name.as_str() == "optional" && !call.name.is_namespaced() => Some(call),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::written::{check_problems, read, read_all};
    use crate::value::{Type, Value};

    fn constraint(text: &str) -> Type {
        let (module, problems) = read(&format!("variable \"x\" {{\n  type = {text}\n}}\n"));
        assert_eq!(problems, [], "{text}");
        module.variables["x"].ty.clone()
    }

    #[test]
    fn constraints_are_read() {
        for (text, shown) in [
            ("string", "string"),
            ("number", "number"),
            ("bool", "bool"),
            ("any", "any"),
            ("(string)", "string"),
            ("list", "list(any)"),
            ("map", "map(any)"),
            ("list(string)", "list(string)"),
            ("set(number)", "set(number)"),
            ("map(any)", "map(any)"),
            ("tuple([string, number])", "tuple([string, number])"),
            ("object({ a = string, \"b\" = optional(number) })", "object({ a = string, b = optional(number) })"),
            ("map(object({ cluster = cluster, network = string }))", "map(object({ cluster = cluster, network = string }))"),
            ("issuer", "issuer"),
            ("object({})", "object({ })"),
        ] {
            assert_eq!(constraint(text).to_string(), shown);
        }
        assert_eq!(constraint("cluster"), Type::Reference("cluster"));
    }

    #[test]
    fn optional_attributes_keep_their_default() {
        let Type::Object(object) = constraint("object({ a = optional(list(string), [\"x\"]), b = optional(number), c = bool })") else {
            panic!("no object")
        };
        let field = |name: &str| (object.fields[name].optional, object.fields[name].default.clone());
        assert_eq!(field("a"), (true, Some(Value::tuple(vec![Value::string("x")]))));
        assert_eq!(field("b"), (true, None));
        assert_eq!(field("c"), (false, None));
    }

    #[test]
    fn what_is_no_type_is_told_with_its_place() {
        let rows = [
            ("strng", "strng", "Did you mean `string`?"),
            ("clsuter", "clsuter", "Did you mean `cluster`?"),
            ("\"string\"", "\"string\"", "Write `string` without quotes."),
            ("set", "set", "Write `set(string)`, or `any`."),
            ("object", "object", "Write `object({ name = string })`, or `any`."),
            ("list(strng)", "strng", "Did you mean `string`?"),
            ("lst(string)", "lst(string)", "Did you mean `list(…)`?"),
            ("list(string, number)", "list(string, number)", "Write for example `map(string)`."),
            ("tuple(string)", "string", "Write `tuple([string, number])`."),
            ("object(string)", "string", "Write `object({ name = string })`."),
            ("object({ (var.x) = string })", "(var.x)", "Write `object({ name = string })`."),
            ("optional(string)", "optional(string)", "Write `object({ name = optional(string) })`."),
            ("object({ a = optional() })", "optional()", "Write `optional(string, \"text\")`."),
            ("1", "1", "Types are `string`, `number`, `bool`, `any`, `list(…)`, `set(…)`, `map(…)`, `object({…})`."),
            ("secret", "secret", "Beside the usual types there are the classes of references: `cluster`, `issuer`."),
        ];
        for (text, at, help) in rows {
            let (_, problems) = read_all(&[(".", &format!("variable \"x\" {{\n  type = {text}\n}}\n"))]);
            assert_eq!(problems, [("invalid type".to_owned(), at.to_owned(), help.to_owned())], "{text}");
        }
        check_problems(&[
            ("variable \"x\" {\n  type = object({ a = optional(string, var.y) })\n}\n", &[("not a constant", "var.y")]),
            ("variable \"x\" {\n  type = tuple([strng, nmber])\n}\n", &[("invalid type", "strng"), ("invalid type", "nmber")]),
        ]);
    }
}
