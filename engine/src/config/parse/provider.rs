//! `provider` blocks, and the `provider` and `providers` arguments that refer to them.

use super::Lowering;
use crate::config::model::{ProviderBlock, ProviderReference};
use crate::diagnostic::Diagnostic;
use crate::schema::ProviderName;
use crate::source::Span;
use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::{Block, Structure};
use std::sync::Arc;

impl Lowering<'_> {
    /// `provider "name" { … }`
    pub(super) fn provider(&mut self, block: &Block) -> Option<(ProviderName, ProviderBlock)> {
        let [(provider, provider_span)] = self.labels(block, ["name"])?;
        let mut name = ProviderName::usual(self.word(&provider));
        let mut arguments = Vec::new();
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) if attribute.key.as_str() == "alias" => name.alias = self.constant_text(attribute),
                Structure::Attribute(attribute) => {
                    let argument = self.argument(attribute);
                    arguments.push(argument);
                }
                Structure::Block(inner) => self.unknown_block(inner, "provider", &[]),
            }
        }
        Some((name, ProviderBlock { arguments, provider_span, span: self.header(block) }))
    }

    /// `provider = name.alias`
    pub(super) fn provider_reference(&mut self, expression: &Expression) -> Option<Box<ProviderReference>> {
        let span = self.of(expression);
        let Some(name) = provider_name(expression) else {
            self.no_provider(span);
            return None;
        };
        Some(Box::new(ProviderReference { name, span }))
    }

    /// `providers = { name = name.alias, name.alias = … }`
    pub(super) fn passed_providers(&mut self, expression: &Expression) -> Vec<(ProviderName, ProviderReference)> {
        let Expression::Object(object) = expression else {
            let span = self.of(expression);
            self.no_provider(span);
            return Vec::new();
        };
        let mut passed = Vec::new();
        for (key, value) in object {
            let known_as = match key {
                ObjectKey::Ident(name) => Some(ProviderName::usual(name.as_str())),
                ObjectKey::Expression(expression) => provider_name(expression),
            };
            let reference = self.provider_reference(value.expr());
            match (known_as, reference) {
                (Some(known_as), Some(reference)) => passed.push((known_as, *reference)),
                (None, Some(reference)) => self.no_provider(reference.span),
                (_, None) => {}
            }
        }
        passed
    }

    fn no_provider(&mut self, at: Span) {
        let problem = Diagnostic::error("invalid provider reference", "a provider is referred to by its name, and its alias if it has one");
        self.report(problem.at(at).help("Write `provider = kubernetes.west`, or `providers = { kubernetes = kubernetes.west }`."));
    }
}

/// `name`, or `name.alias`.
fn provider_name(expression: &Expression) -> Option<ProviderName> {
    match expression {
        Expression::Variable(name) => Some(ProviderName::usual(name.as_str())),
        Expression::Traversal(traversal) => {
            let (Expression::Variable(name), [step]) = (&traversal.expr, traversal.operators.as_slice()) else { return None };
            let TraversalOperator::GetAttr(alias) = step.value() else { return None };
            Some(ProviderName { alias: Some(Arc::from(alias.as_str())), ..ProviderName::usual(name.as_str()) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::written::{check_problems, read, read_all, written};

    #[test]
    fn providers_are_declared_referred_to_and_passed() {
        let text = r#"
            provider "p" { size = 1 }
            provider "p" {
              alias = "west"
              size  = var.size + local.more
            }
            variable "size" {}
            locals { more = length("a") }
            resource "k" "n" { provider = p.west }
            data "k" "n" { provider = p }
            module "m" {
              source    = "./m"
              providers = { p = p.west, p.other = p }
            }
        "#;
        let (modules, problems) = read_all(&[(".", text), ("./m", "resource \"k\" \"n\" {\n provider = p.other\n}\n")]);
        assert_eq!(problems, []);
        let root = &modules[0];
        let names: Vec<_> = root.providers.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["p", "p.west"]);
        let west = root.providers.values().last().unwrap();
        assert_eq!((&*west.arguments[0].name, written(&west.arguments[0].value)), ("size", "(var:size + local:more)".to_owned()));
        let chosen: Vec<_> = root.resources.values().map(|block| block.provider.as_ref().unwrap().name.to_string()).collect();
        assert_eq!(chosen, ["p.west", "p"]);
        let passed: Vec<_> = root.calls["m"].providers.iter().map(|(inner, outer)| format!("{inner} = {}", outer.name)).collect();
        assert_eq!(passed, ["p = p.west", "p.other = p"]);
    }

    #[test]
    fn what_is_wrong_with_providers_is_told() {
        check_problems(&[
            ("provider {}\n", &[("wrong labels", "provider")]),
            ("provider \"p\" {\n  x {}\n}\n", &[("unknown block", "x")]),
            ("provider \"p\" {\n  alias = var.x\n}\n", &[("not a constant", "var.x")]),
            ("provider \"p\" {}\nprovider \"p\" {}\n", &[("duplicate name", "provider \"p\"")]),
            ("resource \"k\" \"n\" {\n  provider = \"p\"\n}\n", &[("invalid provider reference", "\"p\"")]),
            ("resource \"k\" \"n\" {\n  provider = p.a.b\n}\n", &[("invalid provider reference", "p.a.b")]),
            ("resource \"k\" \"n\" {\n  provider = p.a\n}\n", &[("undeclared provider", "p.a")]),
            ("module \"m\" {\n  source = \"./m\"\n  providers = [p]\n}\n", &[("invalid provider reference", "[p]")]),
            ("module \"m\" {\n  source = \"./m\"\n  providers = { p = q }\n}\n", &[("wrong provider", "q")]),
            ("provider \"p\" {\n  x = k.n.id\n}\nresource \"k\" \"n\" {}\n", &[("provider setting not constant", "k.n")]),
            (
                "provider \"p\" {\n  x = [local.a]\n}\nlocals {\n  a = local.b\n  b = module.m\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n",
                &[("provider setting not constant", "local.a")],
            ),
        ]);
        let (_, problems) = read("provider \"p\" {\n x = [for a in [1] : a]\n}\n");
        assert_eq!(problems, []);
    }

    #[test]
    fn modules_declare_none_and_see_what_is_passed() {
        let call = "module \"m\" {\n  source = \"./m\"\n}\n";
        for (inner, expected) in [
            ("provider \"p\" {}\n", ("misplaced block", "provider \"p\"")),
            ("resource \"k\" \"n\" {\n  provider = p.west\n}\n", ("undeclared provider", "p.west")),
        ] {
            let root = format!("provider \"p\" {{\n  alias = \"west\"\n}}\n{call}");
            let (_, problems) = read_all(&[(".", &root), ("./m", inner)]);
            let found: Vec<_> = problems.iter().map(|(summary, at, _)| (&**summary, &**at)).collect();
            assert_eq!(found, [expected], "{inner}");
        }
    }
}
