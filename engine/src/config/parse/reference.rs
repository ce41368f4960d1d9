//! References: which thing the head of a traversal means, and the steps after it.

use super::Lowering;
use crate::address::Mode;
use crate::config::expression::{Expr, Node, Root};
use crate::config::model::{Dependency, DependencyRoot};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::source::Span;
use crate::value::Value;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::{Decorated, Span as _};
use std::sync::Arc;

type Operator = Decorated<TraversalOperator>;

/// Steps of one reference. What is nested as deep cannot be walked without end.
const STEPS: usize = 64;

impl Lowering<'_> {
    pub(super) fn traversal(&mut self, traversal: &Traversal) -> Expr {
        let operators = traversal.operators.as_slice();
        if let Some(beyond) = operators.get(STEPS) {
            let problem = Diagnostic::error("reference too long", format!("a reference goes on for at most {STEPS} steps"));
            let at = self.of(beyond);
            return self.refuse(problem.help("Name a part of it in `locals`."), at);
        }
        let Expression::Variable(name) = &traversal.expr else {
            let base = self.expression(&traversal.expr);
            return self.steps(base, operators);
        };
        let span = self.of(&traversal.expr);
        if let Some(bound) = self.bound(name.as_str()) {
            return self.steps(Expr::new(Node::Root(Root::Bound(bound)), span), operators);
        }
        match self.of_tests(name.as_str(), operators).unwrap_or_else(|| head(name.as_str(), operators)) {
            Ok((root, used)) => {
                let root = match root {
                    Root::Resource(mode, kind, name) => Root::Resource(mode, self.word(&kind), name),
                    other => other,
                };
                let span = operators[..used].last().map_or(span, |last| span.to(self.of(last)));
                self.steps(Expr::new(Node::Root(root), span), &operators[used..])
            }
            Err(problem) => {
                let span = operators.first().map_or(span, |first| span.to(self.of(first)));
                self.refuse(*problem, span)
            }
        }
    }

    /// The head of a reference that only test files know: `run.name`, a run before this one, and `output.name`. Both are read as locals of
    /// names that no text can declare; see [`Run::inspected`](crate::config::Run::inspected).
    fn of_tests(&self, name: &str, operators: &[Operator]) -> Option<Result<(Root, usize), Box<Diagnostic>>> {
        let runs = self.runs.as_ref().filter(|_| matches!(name, "run" | "output"))?;
        let Some(TraversalOperator::GetAttr(word)) = operators.first().map(Decorated::value) else {
            return Some(Err(Box::new(incomplete(name, &format!("{name}.name")))));
        };
        if name == "run" && !runs.iter().any(|run| **run == *word.as_str()) {
            let problem = Diagnostic::error("undeclared reference", format!("no run before this one is called `{word}`"));
            return Some(Err(Box::new(match did_you_mean(word.as_str(), runs.iter().map(|run| &**run)) {
                Some(near) => problem.help(format!("Did you mean `run.{near}`?")),
                None => problem,
            })));
        }
        Some(Ok((Root::Local(format!("{name}.{word}").into()), 1)))
    }

    /// The steps after a head, or after any expression.
    fn steps(&mut self, mut base: Expr, operators: &[Operator]) -> Expr {
        let mut open = operators.iter().enumerate();
        while let Some((at, operator)) = open.next() {
            let here = self.of(operator);
            let whole = base.span.to(here);
            let node = match operator.value() {
                TraversalOperator::GetAttr(name) => Node::Attribute(Box::new(base), self.word(name.as_str())),
                TraversalOperator::Index(key) => Node::Index(Box::new(base), Box::new(self.expression(key))),
                TraversalOperator::LegacyIndex(index) => {
                    self.one_legacy_index(operators.get(at + 1), here);
                    let key = Expr::new(Node::Literal(Value::number(*index.value())), here);
                    Node::Index(Box::new(base), Box::new(key))
                }
                TraversalOperator::FullSplat(_) => {
                    let each = self.steps(Expr::new(Node::Root(Root::Element), here), &operators[at + 1..]);
                    let span = whole.to(each.span);
                    return Expr::new(Node::Splat(Box::new(base), Box::new(each)), span);
                }
                TraversalOperator::AttrSplat(_) => {
                    let plain = |operator: &&Operator| {
                        matches!(operator.value(), TraversalOperator::GetAttr(_) | TraversalOperator::LegacyIndex(_))
                    };
                    let taken = operators[at + 1..].iter().take_while(plain).count();
                    let each = self.steps(Expr::new(Node::Root(Root::Element), here), &operators[at + 1..=at + taken]);
                    if let Some(next) = operators.get(at + 1 + taken)
                        && matches!(next.value(), TraversalOperator::AttrSplat(_))
                    {
                        self.nested_splat(next);
                    }
                    for _ in 0..taken {
                        open.next();
                    }
                    let span = whole.to(each.span);
                    base = Expr::new(Node::Splat(Box::new(base), Box::new(each)), span);
                    continue;
                }
            };
            base = Expr::new(node, whole);
        }
        base
    }

    fn nested_splat(&mut self, operator: &Operator) {
        let problem = Diagnostic::error("syntax error", "a `.*` cannot follow another one").help("Write `[*]`, which may be nested.");
        let span = self.of(operator);
        self.report(problem.at(span));
    }

    fn one_legacy_index(&mut self, next: Option<&Operator>, span: Span) {
        if let Some(TraversalOperator::LegacyIndex(_)) = next.map(Decorated::value) {
            let problem = Diagnostic::error("syntax error", "two indexes with dots read like one number").help("Write `[0][1]`.");
            self.report(problem.at(span));
        }
    }

    /// `depends_on = […]`: resources, data sources, modules and checks, whole or one instance.
    pub(super) fn dependencies(&mut self, expression: &Expression) -> Vec<Dependency> {
        self.each_item(expression, "depends_on").into_iter().filter_map(|item| self.dependency(item)).collect()
    }

    fn dependency(&mut self, item: &Expression) -> Option<Dependency> {
        let span = self.of(item);
        if let Expression::Traversal(traversal) = item
            && let Expression::Variable(word) = &traversal.expr
        {
            let operators = traversal.operators.as_slice();
            if word.as_str() == "check"
                && let [only] = operators
                && let TraversalOperator::GetAttr(name) = only.value()
            {
                return Some(Dependency { root: DependencyRoot::Check(name.as_str().into()), key: None, span });
            }
            if let Ok((root @ (Root::Resource(..) | Root::Module(_)), used)) = head(word.as_str(), operators) {
                let root = DependencyRoot::Object(root);
                match &operators[used..] {
                    [] => return Some(Dependency { root, key: None, span }),
                    [one] => {
                        if let TraversalOperator::Index(key) = one.value() {
                            let key = Some(self.expression(key));
                            return Some(Dependency { root, key, span });
                        }
                    }
                    _ => {}
                }
            }
        }
        let detail = format!("`{}` is no resource, data source, module or check", self.source(item.span()).trim());
        let help = "An entry names a whole block (`ca_root.mesh`, `data.kind.name`, `module.name`, `check.name`) or one instance of it (`ca_root.mesh[each.key]`).";
        self.report(Diagnostic::error("unknown dependency", detail).at(span).help(help));
        None
    }

    /// `ignore_changes = [labels, spec["a"].b]` or `all`: dotted paths.
    pub(super) fn ignored(&mut self, expression: &Expression) -> Vec<(Vec<Arc<str>>, Span)> {
        if let Expression::Variable(word) = expression
            && word.as_str() == "all"
        {
            return vec![(vec!["all".into()], self.of(expression))];
        }
        let mut paths = Vec::new();
        for item in self.each_item(expression, "ignore_changes") {
            let span = self.of(item);
            if let Some(path) = relative_path(item) {
                paths.push((path, span));
            } else {
                let detail = format!("`{}` is no path of an argument", self.source(item.span()).trim());
                let help = "An entry is the name of an argument without quotes, with steps into it: `labels`, `spec.replicas`.";
                self.report(Diagnostic::error("invalid path", detail).at(span).help(help));
            }
        }
        paths
    }

    /// The items of a list that must be written out.
    pub(super) fn each_item<'e>(&mut self, expression: &'e Expression, argument: &str) -> Vec<&'e Expression> {
        if let Expression::Array(items) = expression {
            return items.iter().collect();
        }
        let span = self.of(expression);
        let problem = Diagnostic::error("invalid list", format!("`{argument}` needs a list that is written out, in `[` and `]`"));
        self.report(problem.at(span));
        Vec::new()
    }
}

/// The head of a reference, and how many steps belong to it.
fn head(name: &str, operators: &[Operator]) -> Result<(Root, usize), Box<Diagnostic>> {
    let step = |at: usize| match operators.get(at).map(Decorated::value) {
        Some(TraversalOperator::GetAttr(name)) => Some(Arc::<str>::from(name.as_str())),
        _ => None,
    };
    let named = |shape: &str| step(0).ok_or_else(|| Box::new(incomplete(name, shape)));
    let among = |known: &[(&str, Root)]| {
        let word = step(0).unwrap_or_default();
        match known.iter().find(|(known, _)| **known == *word) {
            Some((_, root)) => Ok((root.clone(), 1)),
            None => Err(Box::new(no_member(name, &word, known))),
        }
    };
    match name {
        "var" => Ok((Root::Variable(named("var.name")?), 1)),
        "local" => Ok((Root::Local(named("local.name")?), 1)),
        "module" => Ok((Root::Module(named("module.name")?), 1)),
        "self" => Ok((Root::Itself, 0)),
        "each" => among(&[("key", Root::EachKey), ("value", Root::EachValue)]),
        "count" => among(&[("index", Root::CountIndex)]),
        "path" => among(&[("module", Root::PathModule), ("root", Root::PathRoot), ("cwd", Root::PathCwd)]),
        "data" | "resource" => {
            let mode = if name == "data" { Mode::Data } else { Mode::Managed };
            let (Some(kind), Some(block)) = (step(0), step(1)) else {
                return Err(Box::new(incomplete(name, &format!("{name}.kind.name"))));
            };
            Ok((Root::Resource(mode, kind, block), 2))
        }
        "terraform" | "meshplan" => {
            let problem = Diagnostic::error("unknown name", format!("there is no `{name}` object: meshplan has no workspaces"));
            Err(Box::new(problem.help("Use a variable, or a directory of its own for each environment.")))
        }
        "check" => {
            let problem = Diagnostic::error("unknown name", "a check is no value");
            Err(Box::new(problem.help("It may stand in `depends_on`, to gate what waits for it.")))
        }
        kind => Ok((Root::Resource(Mode::Managed, kind.into(), named(&format!("{kind}.name"))?), 1)),
    }
}

fn incomplete(name: &str, shape: &str) -> Diagnostic {
    Diagnostic::error("incomplete reference", format!("`{name}` begins a reference of the form `{shape}`"))
}

fn no_member(name: &str, word: &str, known: &[(&str, Root)]) -> Diagnostic {
    let all: Vec<_> = known.iter().map(|(known, _)| format!("`{name}.{known}`")).collect();
    let problem = Diagnostic::error("unknown name", format!("there is no `{name}.{word}`, only {}", all.join(", ")));
    match did_you_mean(word, known.iter().map(|(known, _)| *known)) {
        Some(near) => problem.help(format!("Did you mean `{name}.{near}`?")),
        None => problem,
    }
}

/// A path within a block's arguments, its steps joined by dots.
fn relative_path(item: &Expression) -> Option<Vec<Arc<str>>> {
    let (head, operators) = match item {
        Expression::Variable(head) => (head, &[][..]),
        Expression::Traversal(traversal) => match &traversal.expr {
            Expression::Variable(head) => (head, traversal.operators.as_slice()),
            _ => return None,
        },
        _ => return None,
    };
    let mut steps: Vec<Arc<str>> = vec![head.as_str().into()];
    for operator in operators {
        steps.push(match operator.value() {
            TraversalOperator::GetAttr(name) => name.as_str().into(),
            TraversalOperator::Index(Expression::String(key)) => key.value().as_str().into(),
            TraversalOperator::Index(Expression::Number(index)) => index.value().to_string().into(),
            TraversalOperator::LegacyIndex(index) => index.value().to_string().into(),
            _ => return None,
        });
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::super::parse_expression;
    use crate::config::written::written;
    use crate::source::FileId;

    #[test]
    fn heads_and_steps() {
        for (text, expected) in [
            ("var.a", "var:a"),
            ("var.a.b[\"c\"][0].d", "var:a.b[\"c\"][0].d"),
            ("local.a", "local:a"),
            ("ca_root.mesh", "resource:ca_root:mesh"),
            ("ca_root.mesh[each.key].id", "resource:ca_root:mesh[EachKey].id"),
            ("resource.ca_root.mesh.id", "resource:ca_root:mesh.id"),
            ("data.kubernetes_cluster.this[0]", "data:kubernetes_cluster:this[0]"),
            ("module.mesh.gateways", "module:mesh.gateways"),
            ("each.value.x", "EachValue.x"),
            ("count.index", "CountIndex"),
            ("self.x", "Itself.x"),
            ("path.module", "PathModule"),
            ("path.root", "PathRoot"),
            ("path.cwd", "PathCwd"),
            ("var.a.0", "var:a[0]"),
            ("var.a[*]", "(var:a each Element)"),
            ("var.a[*].b[0].c", "(var:a each Element.b[0].c)"),
            ("var.a[*].b[*].c", "(var:a each (Element.b each Element.c))"),
            ("var.a.*.b.c[0]", "(var:a each Element.b.c)[0]"),
            ("var.a.*.b[*].c", "((var:a each Element.b) each Element.c)"),
            ("f(1).x", "f(1).x"),
            ("[1][0]", "[1][0]"),
            ("(var.a).b", "P(var:a).b"),
        ] {
            let shown = parse_expression(text, FileId(0)).map(|expression| written(&expression));
            assert_eq!(shown.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn heads_that_mean_nothing() {
        for (text, summary, at, help) in [
            ("var[0]", "incomplete reference", "var[0]", None),
            ("data.kind", "incomplete reference", "data.kind", None),
            ("kind[0].x", "incomplete reference", "kind[0]", None),
            ("each.kye", "unknown name", "each.kye", Some("Did you mean `each.key`?")),
            ("count.number", "unknown name", "count.number", None),
            ("path.home", "unknown name", "path.home", None),
            (
                "terraform.workspace",
                "unknown name",
                "terraform.workspace",
                Some("Use a variable, or a directory of its own for each environment."),
            ),
            ("check.a", "unknown name", "check.a", Some("It may stand in `depends_on`, to gate what waits for it.")),
            (&format!("var.a{}", ".b".repeat(64)), "reference too long", ".b", Some("Name a part of it in `locals`.")),
            (&format!("local.a{}", "[0]".repeat(100_000)), "reference too long", "[0]", Some("Name a part of it in `locals`.")),
            ("var.a.0.1", "syntax error", ".0", Some("Write `[0][1]`.")),
            ("var.a.*.b.*.c", "syntax error", ".*", Some("Write `[*]`, which may be nested.")),
        ] {
            let problems = parse_expression(text, FileId(0)).unwrap_err();
            let [problem] = problems.as_slice() else { panic!("{text}: {problems:?}") };
            let place = problem.at.map(|span| &text[span.start as usize..span.end as usize]);
            assert_eq!((problem.summary.as_str(), place, problem.help.as_deref()), (summary, Some(at), help), "{text}");
        }
    }
}
