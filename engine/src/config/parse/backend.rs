//! `backend` blocks: constants alone, since the state is read before anything can be evaluated.

use super::{Lowering, early};
use crate::config::model::{Backend, BackendArgument};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::SourceTree;
use hcl_edit::structure::{Block, Structure};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The `backend` block of the root module, without the rest of the configuration, and what is wrong with it and the text around it.
pub fn backend(tree: &SourceTree) -> (Option<Backend>, Problems) {
    let mut found = None;
    let problems = early::each(tree, "backend", |lowering, block| found = found.take().or(lowering.backend(block)));
    (found, problems)
}

impl Lowering<'_> {
    /// `backend "kind" { … }`.
    pub(super) fn backend(&mut self, block: &Block) -> Option<Backend> {
        let span = self.header(block);
        let [(kind, _)] = self.labels(block, ["kind"])?;
        let mut arguments = BTreeMap::new();
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => {
                    let at = self.of(&attribute.key);
                    let Some(value) = self.constant(attribute) else { continue };
                    let text = value.as_str().map(str::to_owned);
                    let text = text.or_else(|| value.as_bool().map(|truth| truth.to_string()));
                    let Some(text) = text.or_else(|| value.as_number().map(|number| number.to_string())) else {
                        self.wrong_constant(attribute, "text, a number, `true` or `false`");
                        continue;
                    };
                    arguments.insert(Arc::from(attribute.key.as_str()), BackendArgument { text: text.into(), span: at });
                }
                Structure::Block(inner) => {
                    let at = self.header(inner);
                    let detail = "a `backend` block has arguments alone";
                    self.report(Diagnostic::error("unknown block", detail).at(at).help("Write it as `name = value`."));
                }
            }
        }
        Some(Backend { kind, arguments, span })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::written::read;

    fn tree(text: &str) -> SourceTree {
        let mut tree = SourceTree::new(".");
        let id = tree.add("main.mesh.hcl", text);
        let root = tree.root.clone();
        if let Some(root) = tree.modules.get_mut(&root) {
            root.files.push(id);
        }
        tree
    }

    #[test]
    fn a_backend_is_read_with_and_without_the_rest() {
        let text = "meshplan {\n  required_version = \">= 0.1\"\n  backend \"s3\" {\n    bucket = \"b\"\n    use_path_style = true\n    port = 9\n  }\n}\n";
        let (module, problems) = read(text);
        assert_eq!(problems, []);
        let whole = module.settings.backend.unwrap();
        let arguments: Vec<_> = whole.arguments.iter().map(|(name, argument)| format!("{name}={}", argument.text)).collect();
        assert_eq!((&*whole.kind, arguments.join(" ").as_str()), ("s3", "bucket=b port=9 use_path_style=true"));
        assert!(!module.settings.required_version.is_empty());
        let (alone, problems) = backend(&tree(&format!("{text}resource \"k\" \"n\" {{ a = nothing }}\n")));
        assert_eq!((alone.as_ref(), problems.len()), (Some(&whole), 0));
        assert_eq!(backend(&tree("output \"backend\" {\n  value = 1\n}\n")), (None, Vec::new()));
    }

    #[test]
    fn what_is_not_written_out_is_refused() {
        for (inner, summary) in [
            ("backend \"s3\" {\n bucket = var.b\n}", "not a constant"),
            ("backend \"s3\" {\n bucket = [\"b\"]\n}", "wrong value"),
            ("backend {}", "wrong labels"),
            ("backend \"s3\" {\n more {}\n}", "unknown block"),
        ] {
            let (_, problems) = backend(&tree(&format!("meshplan {{\n{inner}\n}}\n")));
            let summaries: Vec<_> = problems.iter().map(|problem| &*problem.summary).collect();
            assert_eq!(summaries, [summary], "{inner}");
        }
    }
}
