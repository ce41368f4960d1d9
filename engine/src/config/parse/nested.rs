//! Nested blocks of a kind, and `dynamic` blocks, which make them.

use super::Lowering;
use crate::config::expression::{Expr, Node};
use crate::config::model::{Body, NestedBlock, Repeated};
use crate::diagnostic::Diagnostic;
use crate::value::Value;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Block, Structure};
use std::sync::Arc;

impl Lowering<'_> {
    /// A nested block that its kind will judge.
    pub(super) fn nested(&mut self, block: &Block) -> Option<NestedBlock> {
        if block.ident.as_str() == "dynamic" {
            return self.dynamic(block);
        }
        let labels = block.labels.iter().map(|label| {
            let text = Node::Literal(Value::string(label.as_str()));
            Expr::new(text, self.label(label))
        });
        let labels = labels.collect();
        Some(NestedBlock {
            name: block.ident.as_str().into(),
            name_span: self.of(&block.ident),
            labels,
            repeated: None,
            body: self.content(block),
            span: self.header(block),
        })
    }

    fn content(&mut self, block: &Block) -> Body {
        let mut body = Body::default();
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => {
                    let argument = self.argument(attribute);
                    body.arguments.push(argument);
                }
                Structure::Block(inner) => body.blocks.extend(self.nested(inner)),
            }
        }
        body
    }

    /// `dynamic "name" { for_each, iterator, labels, content { … } }`.
    fn dynamic(&mut self, block: &Block) -> Option<NestedBlock> {
        let [(name, name_span)] = self.labels(block, ["name"])?;
        self.once(block, "content");
        let (mut for_each, mut iterator, mut labels, mut content) = (None, name.clone(), None, None);
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "for_each" => for_each = Some(self.expression(&attribute.value)),
                    "iterator" => iterator = self.iterator(attribute).unwrap_or(iterator),
                    "labels" => labels = Some(&attribute.value),
                    _ => self.unknown_argument(attribute, "dynamic", &["for_each", "iterator", "labels"]),
                },
                Structure::Block(inner) if inner.ident.as_str() == "content" => content = Some(inner),
                Structure::Block(inner) => self.unknown_block(inner, "dynamic", &["content"]),
            }
        }
        if for_each.is_none() {
            self.missing("for_each", block);
        }
        let Some(content) = content else {
            let problem = Diagnostic::error("missing block", "a `dynamic` block holds one `content` block, which it repeats");
            let at = self.header(block);
            self.report(problem.at(at));
            return None;
        };
        self.labels(content, [])?;
        self.bound.push(iterator.clone());
        let items = labels.map(|labels| self.each_item(labels, "labels")).unwrap_or_default();
        let labels = items.into_iter().map(|label| self.expression(label)).collect();
        let body = self.content(content);
        self.bound.pop();
        let repeated = Some(Repeated { for_each: for_each?, iterator });
        Some(NestedBlock { name, name_span, labels, repeated, body, span: self.header(block) })
    }

    fn iterator(&mut self, attribute: &Attribute) -> Option<Arc<str>> {
        if let Expression::Variable(name) = &attribute.value {
            return Some(name.as_str().into());
        }
        let at = self.of(&attribute.value);
        self.report(Diagnostic::error("wrong value", "`iterator` takes a bare name").at(at).help("Write it without quotes."));
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::config::written::check_problems;

    #[test]
    fn what_a_dynamic_block_lacks_is_told() {
        let within = |body: &str| format!("resource \"k\" \"n\" {{\n{body}\n}}\n");
        for (body, expected) in [
            ("dynamic \"part\" {\n content {\n c = part.key\n}\n}", ("missing argument", "dynamic \"part\"")),
            ("dynamic \"part\" {\n for_each = []\n}", ("missing block", "dynamic \"part\"")),
            ("dynamic {\n for_each = []\n content {}\n}", ("wrong labels", "dynamic")),
            ("dynamic \"part\" {\n for_each = []\n content \"x\" {}\n}", ("wrong labels", "content \"x\"")),
            ("dynamic \"part\" {\n for_each = []\n iterator = \"x\"\n content {}\n}", ("wrong value", "\"x\"")),
            ("dynamic \"part\" {\n for_each = []\n until = 1\n content {}\n}", ("unknown argument", "until")),
            ("dynamic \"part\" {\n for_each = []\n content {}\n more {}\n}", ("unknown block", "more")),
            ("dynamic \"part\" {\n for_each = []\n content {}\n content {}\n}", ("duplicate block", "content")),
            ("dynamic \"part\" {\n for_each = part.value\n content {}\n}", ("undeclared reference", "part.value")),
        ] {
            check_problems(&[(&within(body), &[expected])]);
        }
    }
}
