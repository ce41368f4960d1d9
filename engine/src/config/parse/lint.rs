//! `lint` in `meshplan`: which rules are not held against what.

use super::Lowering;
use crate::config::Subject;
use crate::config::model::LintException;
use crate::diagnostic::Diagnostic;
use crate::value::Value;
use hcl_edit::structure::{Attribute, Block, Structure};

const IGNORE: &str = "ignore";
const REASON: &str = "reason";
const AT: &str = "at";

impl Lowering<'_> {
    /// The exceptions of a block, without those that say too little.
    pub(super) fn lint(&mut self, block: &Block) -> Vec<LintException> {
        let mut exceptions = Vec::new();
        if self.labels(block, []).is_none() {
            return exceptions;
        }
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => self.unknown_argument(attribute, "lint", &[]),
                Structure::Block(inner) if inner.ident.as_str() == IGNORE => exceptions.extend(self.exception(inner)),
                Structure::Block(inner) => self.unknown_block(inner, "lint", &[IGNORE]),
            }
        }
        exceptions
    }

    /// `ignore "rule" { reason = "…" }`.
    fn exception(&mut self, block: &Block) -> Option<LintException> {
        let [(rule, span)] = self.labels(block, ["rule"])?;
        let (mut reason, mut at, mut is_wrong) = (None, Vec::new(), false);
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) if attribute.key.as_str() == REASON => {
                    reason = self.constant_text(attribute);
                    is_wrong |= reason.is_none();
                    if reason.as_ref().is_some_and(|text| text.trim().is_empty()) {
                        let detail = format!("`{REASON}` is empty: who reads it later has to see why `{rule}` may be broken");
                        let value = self.of(&attribute.value);
                        self.report(Diagnostic::error("wrong value", detail).at(value));
                        is_wrong = true;
                    }
                }
                Structure::Attribute(attribute) if attribute.key.as_str() == AT => match self.subjects(attribute) {
                    Some(subjects) => at = subjects,
                    None => is_wrong = true,
                },
                Structure::Attribute(attribute) => self.unknown_argument(attribute, IGNORE, &[REASON, AT]),
                Structure::Block(inner) => self.unknown_block(inner, IGNORE, &[]),
            }
        }
        if is_wrong {
            return None;
        }
        if reason.is_none() {
            self.missing(REASON, block);
        }
        Some(LintException { rule, reason: reason?, at, span })
    }

    /// Addresses of modules and resources, as a list of texts with something in it.
    fn subjects(&mut self, attribute: &Attribute) -> Option<Vec<Subject>> {
        let value = self.constant(attribute)?;
        let texts: Option<Vec<_>> = value.items().iter().map(Value::as_str).collect();
        let Some(texts) = texts.filter(|texts| !texts.is_empty()) else {
            self.wrong_constant(attribute, "a list of addresses such as `[\"module.mesh\"]`");
            return None;
        };
        let mut subjects = Vec::with_capacity(texts.len());
        for text in texts {
            let Ok(subject) = text.parse() else {
                let at = self.of(&attribute.value);
                let problem = Diagnostic::error("invalid address", format!("`{text}` is no address of a module or a resource")).at(at);
                self.report(problem.help("Write it like `module.mesh`, `istio_operator.east` or `module.mesh.metallb_pool.this[\"c1\"]`."));
                return None;
            };
            subjects.push(subject);
        }
        Some(subjects)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::written::{check_problems, read, read_all};

    fn within(body: &str) -> String {
        format!("meshplan {{\n  lint {{\n{body}  }}\n}}\n")
    }

    #[test]
    fn exceptions_are_read() {
        let text = within(
            "    ignore \"a-b\" {\n      reason = \"lab\"\n    }\n    ignore \"c\" {\n      reason = \"x\"\n      at     = [\"module.m\", \"k.n[\\\"i\\\"]\"]\n    }\n",
        );
        let (module, problems) = read(&text);
        assert_eq!(problems, []);
        let read = module.settings.exceptions.iter().map(|exception| {
            let at: Vec<_> = exception.at.iter().map(ToString::to_string).collect();
            format!("{} {} {}", exception.rule, exception.reason, at.join(" "))
        });
        assert_eq!(read.collect::<Vec<_>>(), ["a-b lab ", "c x module.m k.n[\"i\"]"]);
    }

    #[test]
    fn an_exception_says_why_and_where() {
        let ignore = |body: &str| within(&format!("ignore \"r\" {{\n{body}}}\n"));
        for (text, problems) in [
            (ignore(""), [("missing argument", "ignore \"r\"")]),
            (ignore("reason = \" \"\n"), [("wrong value", "\" \"")]),
            (ignore("reason = var.a\n"), [("not a constant", "var.a")]),
            (ignore("reason = \"a\"\nat = []\n"), [("wrong value", "[]")]),
            (ignore("reason = \"a\"\nat = \"k.a\"\n"), [("wrong value", "\"k.a\"")]),
            (ignore("reason = \"a\"\nat = [\"a b\"]\n"), [("invalid address", "[\"a b\"]")]),
            (ignore("reason = \"a\"\nfor = 1\n"), [("unknown argument", "for")]),
            (ignore("reason = \"a\"\nmore {}\n"), [("unknown block", "more")]),
            (within("ignore {\n  reason = \"a\"\n}\n"), [("wrong labels", "ignore")]),
            (within("ignor \"r\" {}\n"), [("unknown block", "ignor \"r\"")]),
            (within("a = 1\n"), [("unknown argument", "a")]),
        ] {
            check_problems(&[(&text, &problems)]);
        }
    }

    #[test]
    fn who_uses_a_module_decides() {
        let text = within("    ignore \"r\" {\n      reason = \"a\"\n    }\n");
        let (_, problems) = read_all(&[(".", "module \"m\" {\n  source = \"./m\"\n}\n"), ("m", &text)]);
        assert_eq!(problems.iter().map(|problem| &*problem.0).collect::<Vec<_>>(), ["misplaced block"]);
    }
}
