//! `encryption` in `meshplan`: with which key what is secret is sealed.

use super::{Lowering, early};
use crate::config::model::{Encryption, KeyFrom, KeyPlace};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::SourceTree;
use hcl_edit::structure::{Attribute, Block, Structure};

const FILE: &str = "key_file";
const PASSPHRASE: &str = "passphrase_env";
const FALLBACK: &str = "fallback";
const HELP: &str = "Write `key_file = \"…\"`, or `passphrase_env = \"…\"` with the name of an environment variable.";

/// The `encryption` block of the root module, without the rest of the configuration, and what is wrong with it and the text around it.
pub fn encryption(tree: &SourceTree) -> (Option<Encryption>, Problems) {
    let mut found = None;
    let problems = early::each(tree, "encryption", |lowering, block| found = found.take().or(lowering.encryption(block)));
    (found, problems)
}

impl Lowering<'_> {
    /// The block, unless it names no key or more than one.
    pub(super) fn encryption(&mut self, block: &Block) -> Option<Encryption> {
        let mut fallbacks = Vec::new();
        let key = self.keys_of(block, &mut |lowering, inner| {
            if inner.ident.as_str() == FALLBACK {
                let none = &mut |lowering: &mut Self, inner: &Block| lowering.unknown_block(inner, FALLBACK, &[]);
                fallbacks.extend(lowering.keys_of(inner, none));
            } else {
                lowering.unknown_block(inner, "encryption", &[FALLBACK]);
            }
        })?;
        Some(Encryption { key, fallbacks, span: self.header(block) })
    }

    /// The one key that a block names.
    fn keys_of(&mut self, block: &Block, inner: &mut dyn FnMut(&mut Self, &Block)) -> Option<KeyFrom> {
        self.labels(block, [])?;
        let (name, before) = (block.ident.as_str(), self.problems.len());
        let mut keys = Vec::new();
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => keys.extend(self.key_from(attribute, name)),
                Structure::Block(block) => inner(self, block),
            }
        }
        let detail = match keys.len() {
            1 => return keys.pop(),
            // What is wrong with its arguments was said.
            0 if self.problems.len() > before => return None,
            0 => format!("`{name}` names no key"),
            _ => format!("`{name}` names more than one key"),
        };
        let at = self.header(block);
        self.report(Diagnostic::error("not one key", detail).at(at).help(HELP));
        None
    }

    /// What an argument says; nothing, and why is reported, if it is none that names a key.
    fn key_from(&mut self, attribute: &Attribute, block: &str) -> Option<KeyFrom> {
        let place = match attribute.key.as_str() {
            FILE => KeyPlace::File,
            PASSPHRASE => KeyPlace::Passphrase,
            _ => {
                self.unknown_argument(attribute, block, &[FILE, PASSPHRASE]);
                return None;
            }
        };
        let span = self.of(&attribute.value);
        let name = self.constant_text(attribute)?;
        if name.is_empty() {
            let detail = format!("`{}` is empty", attribute.key.as_str());
            self.report(Diagnostic::error("wrong value", detail).at(span).help(HELP));
            return None;
        }
        Some(KeyFrom { place: place(name), span })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::written::{check_problems, read};

    #[test]
    fn a_key_and_its_fallbacks_are_read() {
        let (module, _) = read(
            "meshplan {\n  encryption {\n    passphrase_env = \"NEW\"\n    fallback {\n      key_file = \"old.key\"\n    }\n    fallback {\n      \
             passphrase_env = \"OLDER\"\n    }\n  }\n}\n",
        );
        let encryption = module.settings.encryption.unwrap();
        assert_eq!(encryption.key.place, KeyPlace::Passphrase("NEW".into()));
        let fallbacks: Vec<_> = encryption.fallbacks.into_iter().map(|key| key.place).collect();
        assert_eq!(fallbacks, [KeyPlace::File("old.key".into()), KeyPlace::Passphrase("OLDER".into())]);
    }

    #[test]
    fn it_is_read_also_without_the_rest_and_what_hides_it_is_told() {
        let alone = |text: &str| {
            let mut tree = SourceTree::new(".");
            let (id, root) = (tree.add("main.mesh.hcl", text), tree.root.clone());
            tree.modules.entry(root).or_default().files.push(id);
            encryption(&tree)
        };
        let block = "meshplan {\n  encryption {\n    key_file = \"k\"\n  }\n}\n";
        let (found, problems) = alone(&format!("resource \"k\" \"n\" {{\n  a = nothing\n}}\n{block}"));
        assert_eq!((found.map(|found| found.key.place), problems.len()), (Some(KeyPlace::File("k".into())), 0));
        assert_eq!(alone("output \"encryption\" {\n  value = 1\n}\n"), (None, Vec::new()));
        for text in [block.replacen('}', "", 1), block.replace("key_file", "key"), block.replace("= \"k\"", "=")] {
            assert!(alone(&text).1.iter().any(Diagnostic::is_error), "{text}");
        }
    }

    #[test]
    fn what_names_no_key_is_told() {
        let within = |body: &str| format!("meshplan {{\n  encryption {{\n{body}  }}\n}}\n");
        let cases = [
            (within(""), vec![("not one key", "encryption")]),
            (within("key_file = \"a\"\npassphrase_env = \"B\"\n"), vec![("not one key", "encryption")]),
            (within("key_file = \"\"\n"), vec![("wrong value", "\"\"")]),
            (within("key_file = var.key\n"), vec![("not a constant", "var.key")]),
            (within("key_file = 1\n"), vec![("wrong value", "1")]),
            (within("passphrase = \"hunter2hunter2hunter2\"\n"), vec![("unknown argument", "passphrase")]),
            (within("key_file = \"a\"\nfallback {}\n"), vec![("not one key", "fallback")]),
            (within("key_file = \"a\"\nfallbak {}\n"), vec![("unknown block", "fallbak")]),
            (within("key_file = \"a\"\nfallback {\n fallback {}\n key_file = \"b\"\n}\n"), vec![("unknown block", "fallback")]),
            (
                "meshplan {\n  encryption {\n    key_file = \"a\"\n  }\n  encryption {\n    key_file = \"b\"\n  }\n}\n".to_owned(),
                vec![("duplicate block", "encryption")],
            ),
        ];
        for (text, problems) in &cases {
            check_problems(&[(text, problems)]);
        }
    }
}
