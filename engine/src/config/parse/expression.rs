//! Expressions, without the references and templates in them.

use super::{Lowering, Names, problem};
use crate::config::expression::{Binary, Call, Expr, For, ForResult, Node, Root, Unary};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::value::{NotANumber, Value, parse_number};
use hcl_edit::expr::{BinaryOperator, Expression, ForExpr, FuncCall, Object, ObjectKey, UnaryOperator};
use hcl_edit::{Ident, Span as _};
use std::sync::Arc;

impl Lowering<'_> {
    pub(super) fn expression(&mut self, expression: &Expression) -> Expr {
        let span = self.of(expression);
        let node = match expression {
            Expression::Null(_) => Node::Literal(Value::null()),
            Expression::Bool(value) => Node::Literal(Value::bool(*value.value())),
            Expression::Number(number) => {
                let text = number.as_repr().map_or_else(|| number.value().to_string(), |text| text.to_string());
                return self.number(&text, expression);
            }
            Expression::String(text) => {
                self.one_line(expression);
                Node::Literal(Value::string(text.as_str()))
            }
            Expression::StringTemplate(template) => return self.quoted(template, span),
            Expression::HeredocTemplate(heredoc) => return self.heredoc(heredoc, span),
            Expression::Array(items) => Node::Tuple(items.iter().map(|item| self.expression(item)).collect()),
            Expression::Object(object) => self.object(object),
            Expression::Parenthesis(inner) => Node::Parenthesis(Box::new(self.expression(inner.inner()))),
            Expression::Variable(name) => return self.lone_name(name.value(), span),
            Expression::Conditional(conditional) => Node::Conditional(
                Box::new(self.expression(&conditional.cond_expr)),
                Box::new(self.expression(&conditional.true_expr)),
                Box::new(self.expression(&conditional.false_expr)),
            ),
            Expression::FuncCall(call) => self.call(call),
            Expression::Traversal(traversal) => return self.traversal(traversal),
            Expression::UnaryOp(operation) => {
                let operator = match *operation.operator.value() {
                    UnaryOperator::Neg => Unary::Negate,
                    UnaryOperator::Not => Unary::Not,
                };
                Node::Unary(operator, Box::new(self.expression(&operation.expr)))
            }
            Expression::BinaryOp(operation) => Node::Binary(
                binary(*operation.operator.value()),
                Box::new(self.expression(&operation.lhs_expr)),
                Box::new(self.expression(&operation.rhs_expr)),
            ),
            Expression::ForExpr(body) => self.for_expression(body),
        };
        Expr::new(node, span)
    }

    fn number(&mut self, text: &str, expression: &Expression) -> Expr {
        let span = self.of(expression);
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        match parse_number(&compact) {
            Ok(number) => Expr::new(Node::Literal(Value::number(number)), span),
            // The parser lets nothing pass that is malformed.
            Err(NotANumber::TooPrecise | NotANumber::Malformed) => {
                let detail = format!("`{compact}` has more digits than an exact number holds, which is 28");
                self.refuse(Diagnostic::error("number too long", detail).help("Write it as text, in double quotes."), span)
            }
        }
    }

    /// A quoted text must not hold a line end of its own: the parser lets it pass.
    pub(super) fn one_line(&mut self, expression: &Expression) {
        if self.source(expression.span()).contains('\n') {
            let at = self.of(expression);
            self.report(problem::several_lines(at));
        }
    }

    fn object(&mut self, object: &Object) -> Node {
        let mut entries = Vec::with_capacity(object.len());
        for (key, value) in object {
            let key = self.object_key(key);
            entries.push((key, self.expression(value.expr())));
        }
        Node::Object(entries)
    }

    fn object_key(&mut self, key: &ObjectKey) -> Expr {
        let span = self.of(key);
        let word = |text: &str| Expr::new(Node::Literal(Value::string(text)), span);
        match key {
            ObjectKey::Ident(name) => word(name.as_str()),
            ObjectKey::Expression(Expression::Null(_)) => word("null"),
            ObjectKey::Expression(Expression::Bool(value)) => word(if *value.value() { "true" } else { "false" }),
            ObjectKey::Expression(Expression::Traversal(traversal)) => {
                let text = self.source(traversal.span()).trim();
                let problem = Diagnostic::error("ambiguous key", format!("`{text}` as a key may be meant as a reference or as text"))
                    .help(format!("Write `({text})` for what it refers to, or `\"{text}\"` for the text."));
                self.refuse(problem, span)
            }
            ObjectKey::Expression(expression) => self.expression(expression),
        }
    }

    /// A name with nothing after it: bound by a `for` around it, or an error.
    fn lone_name(&mut self, name: &Ident, span: crate::source::Span) -> Expr {
        if let Some(bound) = self.bound(name.as_str()) {
            return Expr::new(Node::Root(Root::Bound(bound)), span);
        }
        let detail = match name.as_str() {
            "var" | "local" | "data" | "module" | "each" | "count" | "path" => format!("`{name}` alone is no value"),
            "self" => return Expr::new(Node::Root(Root::Itself), span),
            _ => format!("`{name}` is neither a name bound by a `for` around it nor the beginning of a reference"),
        };
        let problem = Diagnostic::error("unknown name", detail);
        let near = did_you_mean(name.as_str(), self.bound.iter().map(|name| &**name).chain(["null", "true", "false"]));
        let whole = match name.as_str() {
            "var" => Some("`var.NAME` for a variable"),
            "local" => Some("`local.NAME` for an entry of `locals`"),
            "data" => Some("`data.KIND.NAME` for a data source"),
            "module" => Some("`module.NAME` for what a module gives"),
            "each" => Some("`each.key` or `each.value`"),
            "count" => Some("`count.index`"),
            "path" => Some("`path.module`, `path.root` or `path.cwd`"),
            _ => None,
        };
        let problem = match (near, whole) {
            (Some(near), _) => problem.help(format!("Did you mean `{near}`?")),
            (None, Some(whole)) => problem.help(format!("Write {whole}.")),
            (None, None) => problem.help(format!("Text stands in double quotes: `\"{name}\"`.")),
        };
        self.refuse(problem, span)
    }

    /// What a bare name is bound to, if to anything.
    pub(super) fn bound(&self, name: &str) -> Option<Arc<str>> {
        let around = self.bound.iter().rev().find(|bound| &***bound == name).cloned();
        around.or_else(|| (self.names == Names::TemplateVariables).then(|| name.into()))
    }

    fn call(&mut self, call: &FuncCall) -> Node {
        let mut name = String::new();
        let mut name_span = self.of(&call.name.name);
        // Terraform's own functions also go by names such as `core::max`.
        let is_own = matches!(&*call.name.namespace, [core] if core.as_str() == "core");
        for (at, part) in call.name.namespace.iter().enumerate() {
            if !is_own {
                name.push_str(part.as_str());
                name.push_str("::");
            }
            if at == 0 {
                name_span = self.of(part).to(name_span);
            }
        }
        name.push_str(call.name.name.as_str());
        let arguments = call.args.iter().map(|argument| self.expression(argument)).collect();
        Node::Call(Box::new(Call { name: name.into(), name_span, arguments, expand: call.args.expand_final() }))
    }

    fn for_expression(&mut self, body: &ForExpr) -> Node {
        let collection = self.expression(&body.intro.collection_expr);
        let key: Option<Arc<str>> = body.intro.key_var.as_ref().map(|name| name.as_str().into());
        let value: Arc<str> = body.intro.value_var.as_str().into();
        let depth = self.bound.len();
        self.bound.extend(key.clone());
        self.bound.push(value.clone());
        let result = match &body.key_expr {
            Some(key) => {
                let key = self.expression(key);
                ForResult::Object { key, value: self.expression(&body.value_expr), group: body.grouping }
            }
            None => ForResult::Tuple(self.expression(&body.value_expr)),
        };
        let condition = body.cond.as_ref().map(|condition| self.expression(&condition.expr));
        self.bound.truncate(depth);
        Node::For(Box::new(For { key, value, collection, result, condition }))
    }
}

fn binary(operator: BinaryOperator) -> Binary {
    match operator {
        BinaryOperator::Plus => Binary::Add,
        BinaryOperator::Minus => Binary::Subtract,
        BinaryOperator::Mul => Binary::Multiply,
        BinaryOperator::Div => Binary::Divide,
        BinaryOperator::Mod => Binary::Modulo,
        BinaryOperator::Eq => Binary::Equal,
        BinaryOperator::NotEq => Binary::NotEqual,
        BinaryOperator::Less => Binary::Less,
        BinaryOperator::LessEq => Binary::LessOrEqual,
        BinaryOperator::Greater => Binary::Greater,
        BinaryOperator::GreaterEq => Binary::GreaterOrEqual,
        BinaryOperator::And => Binary::And,
        BinaryOperator::Or => Binary::Or,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_expression;
    use crate::config::Expr;
    use crate::config::written::written;
    use crate::source::{FileId, Span};

    fn shown(text: &str) -> String {
        match parse_expression(text, FileId(0)) {
            Ok(expression) => written(&expression),
            Err(problems) => panic!("{text}: {problems:?}"),
        }
    }

    #[test]
    fn the_beginning_of_a_reference_is_told_how_it_goes_on() {
        for (text, help) in [
            ("local", "Write `local.NAME` for an entry of `locals`."),
            ("var", "Write `var.NAME` for a variable."),
            ("each", "Write `each.key` or `each.value`."),
            ("words", "Text stands in double quotes: `\"words\"`."),
        ] {
            let problems = parse_expression(text, FileId(0)).expect_err("it is no value");
            assert_eq!(problems[0].help.as_deref(), Some(help), "{text}");
        }
    }

    #[test]
    fn every_kind_of_expression_is_lowered() {
        for (text, expected) in [
            ("null", "null"),
            ("true", "true"),
            ("12", "12"),
            ("-5", "-5"),
            ("- 5", "-5"),
            ("0.1", "0.1"),
            ("1.5e3", "1500"),
            ("12345678901234567890.12345678", "\"12345678901234567890.12345678\""),
            ("\"a\\n\\\"b\\u00e9\"", "\"a\\n\\\"bé\""),
            ("\"$${a} %%{b}\"", "\"${a} %{b}\""),
            ("[1, \"a\", ]", "[1, \"a\"]"),
            ("{ a = 1, \"b\" : 2, (var.c) = 3, 4 = 5, true = 6 }", "{\"a\" = 1, \"b\" = 2, P(var:c) = 3, 4 = 5, \"true\" = 6}"),
            ("(1 + 2) * 3", "(P((1 + 2)) * 3)"),
            ("1 + 2 * 3 - 4 / 5 % 6", "((1 + (2 * 3)) - ((4 / 5) % 6))"),
            ("!true && 1 < 2 || 3 >= 4", "((!true && (1 < 2)) || (3 >= 4))"),
            ("1 == 2 != true", "((1 == 2) != true)"),
            ("-var.a", "-var:a"),
            ("true ? 1 : false ? 2 : 3", "(true ? 1 : (false ? 2 : 3))"),
            ("max(1, [2]...)", "max(1, [2]...)"),
            ("provider::a::b()", "provider::a::b()"),
            ("core::max(1)", "max(1)"),
            ("[for x in [1] : x]", "(for x in [1]: $x)"),
            ("[for i, x in [1] : i if x > 1]", "(for i, x in [1]: $i if ($x > 1))"),
            ("{for k, v in {} : k => v...}", "(for k, v in {}: $k => $v...)"),
            ("[for x in [[1]] : [for y in x : [x, y]]]", "(for x in [[1]]: (for y in $x: [$x, $y]))"),
            ("[for var in [1] : var.a]", "(for var in [1]: $var.a)"),
            ("\n  1\n", "1"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn every_problem_names_its_place() {
        for (text, problems) in [
            ("var", vec![("unknown name", "var")]),
            ("strng", vec![("unknown name", "strng")]),
            ("[for x in [1] : y]", vec![("unknown name", "y")]),
            ("[x, y.]", vec![("syntax error", "]")]),
            ("x + y", vec![("unknown name", "x"), ("unknown name", "y")]),
            ("{ var.a = 1 }", vec![("ambiguous key", "var.a")]),
            ("{ a = 1, a = 2 }", vec![("duplicate argument", "a")]),
            ("12345678901234567890123456789012345678", vec![("number too long", "12345678901234567890123456789012345678")]),
            ("\"a\nb\"", vec![("syntax error", "\"a\nb\"")]),
            ("\"a\n${1}\"", vec![("syntax error", "a\n")]),
            ("'a'", vec![("syntax error", "'")]),
            ("f(\"\\q\")", vec![("syntax error", "q")]),
            ("1 +", vec![("syntax error", "+")]),
            ("", vec![("syntax error", "")]),
        ] {
            let found = parse_expression(text, FileId(0)).unwrap_err();
            let place = |span: Span| &text[span.start as usize..span.end as usize];
            let found: Vec<_> = found.iter().map(|problem| (problem.summary.as_str(), problem.at.map_or("", place))).collect();
            assert_eq!(found, problems, "{text}");
        }
    }

    #[test]
    fn each_part_knows_its_place() {
        fn spans(expression: &Expr, text: &str, found: &mut Vec<String>) {
            found.push(text[expression.span.start as usize..expression.span.end as usize].to_owned());
            expression.each_child(&mut |child| spans(child, text, found));
        }
        let text = "  f(a.b.c[1], \"x-${var.y}\") + (data.k.n[*].id)";
        let mut found = Vec::new();
        spans(&parse_expression(text, FileId(0)).unwrap(), text, &mut found);
        let expected = [
            "f(a.b.c[1], \"x-${var.y}\") + (data.k.n[*].id)",
            "f(a.b.c[1], \"x-${var.y}\")",
            "a.b.c[1]",
            "a.b.c",
            "a.b",
            "1",
            "\"x-${var.y}\"",
            "var.y",
            "(data.k.n[*].id)",
            "data.k.n[*].id",
            "data.k.n",
            "[*].id",
            "[*]",
        ];
        assert_eq!(found, expected);
    }
}
