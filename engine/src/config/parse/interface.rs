//! What a module takes, names and gives: `variable`, `locals` and `output` blocks.

use super::Lowering;
use crate::config::Root;
use crate::config::model::{Assertion, Local, Output, Variable};
use crate::diagnostic::Diagnostic;
use crate::value::Type;
use hcl_edit::structure::{Block, Structure};
use std::sync::Arc;

/// Arguments of a module call; no variable can have their names.
const RESERVED: [&str; 8] = ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"];

impl Lowering<'_> {
    pub(super) fn variable(&mut self, block: &Block) -> Option<(Arc<str>, Variable)> {
        const ARGUMENTS: [&str; 6] = ["type", "default", "description", "sensitive", "ephemeral", "nullable"];
        let [(name, at)] = self.labels(block, ["name"])?;
        if RESERVED.contains(&&*name) {
            let detail = format!("no variable can be named `{name}`, which is an argument of every module call");
            self.report(Diagnostic::error("reserved name", detail).at(at));
        }
        let span = self.header(block);
        let mut variable = Variable {
            ty: Type::Any,
            default: None,
            description: None,
            sensitive: false,
            ephemeral: false,
            nullable: true,
            validations: Vec::new(),
            span,
        };
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "type" => variable.ty = self.type_constraint(&attribute.value),
                    "default" => variable.default = self.constant(attribute),
                    "description" => variable.description = self.constant_words(attribute),
                    "sensitive" => variable.sensitive = self.constant_bool(attribute).unwrap_or_default(),
                    "nullable" => variable.nullable = self.constant_bool(attribute).unwrap_or(true),
                    "ephemeral" => variable.ephemeral = self.constant_bool(attribute).unwrap_or_default(),
                    _ => self.unknown_argument(attribute, "variable", &ARGUMENTS),
                },
                Structure::Block(inner) if inner.ident.as_str() == "validation" => {
                    variable.validations.extend(self.validation(inner, &name));
                }
                Structure::Block(inner) => self.unknown_block(inner, "variable", &["validation"]),
            }
        }
        Some((name, variable))
    }

    /// A rule for the values of a variable, which has to look at it.
    fn validation(&mut self, block: &Block, name: &str) -> Option<Assertion> {
        self.judging(
            block,
            |root| matches!(root, Root::Variable(seen) if &**seen == name),
            || {
                let detail = format!("the condition does not look at `var.{name}`, whose value it is to judge");
                Diagnostic::error("nothing validated", detail).help(format!("Refer to `var.{name}` in the condition."))
            },
        )
    }

    pub(super) fn locals(&mut self, block: &Block) -> Vec<(Arc<str>, Local)> {
        if self.labels(block, []).is_none() {
            return Vec::new();
        }
        let mut locals = Vec::new();
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => {
                    let span = self.of(&attribute.key);
                    locals.push((attribute.key.as_str().into(), Local { value: self.expression(&attribute.value), span }));
                }
                Structure::Block(inner) => {
                    let at = self.header(inner);
                    let name = inner.ident.as_str();
                    let problem = Diagnostic::error("unknown block", format!("`locals` holds values, and no block `{name}`"));
                    self.report(problem.at(at).help(format!("Write `{name} = {{ … }}`.")));
                }
            }
        }
        locals
    }

    pub(super) fn output(&mut self, block: &Block) -> Option<(Arc<str>, Output)> {
        const ARGUMENTS: [&str; 5] = ["value", "description", "sensitive", "ephemeral", "depends_on"];
        let [(name, _)] = self.labels(block, ["name"])?;
        let (mut value, mut description, mut sensitive, mut ephemeral) = (None, None, false, false);
        let (mut depends_on, mut preconditions) = (Vec::new(), Vec::new());
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "value" => value = Some(self.expression(&attribute.value)),
                    "description" => description = self.constant_words(attribute),
                    "sensitive" => sensitive = self.constant_bool(attribute).unwrap_or_default(),
                    "depends_on" => depends_on = self.dependencies(&attribute.value),
                    "ephemeral" => ephemeral = self.constant_bool(attribute).unwrap_or_default(),
                    _ => self.unknown_argument(attribute, "output", &ARGUMENTS),
                },
                Structure::Block(inner) if inner.ident.as_str() == "precondition" => preconditions.extend(self.assertion(inner)),
                Structure::Block(inner) => self.unknown_block(inner, "output", &["precondition"]),
            }
        }
        if value.is_none() {
            self.missing("value", block);
        }
        Some((name, Output { value: value?, description, sensitive, ephemeral, depends_on, preconditions, span: self.header(block) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::written::{read, written};
    use crate::value::Value;

    #[test]
    fn variables_have_all_their_arguments() {
        let text = r#"
            variable "plain" {}
            variable "full" {
              type        = list(string)
              default     = ["a"]
              description = "What it is."
              sensitive   = true
              ephemeral   = true
              nullable    = false
              validation {
                condition     = length(var.full) > 0
                error_message = "none of ${var.plain}"
              }
            }
        "#;
        let (module, problems) = read(text);
        assert_eq!(problems, []);
        let plain = &module.variables["plain"];
        assert_eq!((&plain.ty, &plain.default, plain.sensitive, plain.nullable), (&Type::Any, &None, false, true));
        let full = &module.variables["full"];
        assert_eq!(full.ty, Type::list(Type::String));
        assert_eq!(full.default, Some(Value::tuple(vec![Value::string("a")])));
        assert_eq!((full.description.as_deref(), full.sensitive, full.ephemeral, full.nullable), (Some("What it is."), true, true, false));
        for (written, expected) in [("5", "5"), ("1.50", "1.5"), ("true", "true")] {
            let (module, problems) = read(&format!("variable \"v\" {{\n  description = {written}\n}}\n"));
            assert_eq!((module.variables["v"].description.as_deref(), problems), (Some(expected), Vec::new()));
        }
        assert_eq!(full.validations.len(), 1);
        assert_eq!(written(&full.validations[0].condition), "(length(var:full) > 0)");
        assert_eq!(&text[full.span.start as usize..full.span.end as usize], "variable \"full\"");
    }

    #[test]
    fn locals_outputs_and_settings() {
        let (module, problems) = read(
            "meshplan {\n required_version = \">= 0.1\"\n}\nlocals {\n a = 1\n b = local.a\n}\noutput \"o\" {\n value = local.b\n description = \"d\"\n sensitive = true\n depends_on = [k.n]\n precondition {\n condition = local.b == 1\n error_message = \"no\"\n }\n}\nresource \"k\" \"n\" {}\n",
        );
        assert_eq!(problems, []);
        assert_eq!(&*module.settings.required_version[0].0, ">= 0.1");
        assert_eq!(module.locals.keys().map(|name| &**name).collect::<Vec<_>>(), ["a", "b"]);
        let output = &module.outputs["o"];
        assert_eq!((output.description.as_deref(), output.sensitive), (Some("d"), true));
        assert_eq!((output.depends_on.len(), output.preconditions.len()), (1, 1));
    }
}
