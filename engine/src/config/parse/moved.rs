//! What names that are no more have become: `moved` and `removed` blocks.

use super::Lowering;
use crate::address::{Address, Mode};
use crate::config::model::{Moved, Removed};
use crate::config::subject::Subject;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use hcl_edit::Span as _;
use hcl_edit::structure::{Attribute, Block, Structure};

impl Lowering<'_> {
    /// `moved { from = … to = … }`
    pub(super) fn moved(&mut self, block: &Block) -> Option<Moved> {
        self.labels(block, [])?;
        let (mut from, mut to) = (None, None);
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) if attribute.key.as_str() == "from" => from = Some(self.subject(attribute)),
                Structure::Attribute(attribute) if attribute.key.as_str() == "to" => to = Some(self.subject(attribute)),
                Structure::Attribute(attribute) => self.unknown_argument(attribute, "moved", &["from", "to"]),
                Structure::Block(inner) => self.unknown_block(inner, "moved", &[]),
            }
        }
        let span = self.header(block);
        for name in [from.is_none().then_some("from"), to.is_none().then_some("to")].into_iter().flatten() {
            self.lacks(name, "moved", span);
        }
        let moved = Moved { from: from??, to: to??, span };
        let problem = match (&moved.from, &moved.to) {
            (Subject::Resource(from), Subject::Resource(to)) if from.kind != to.kind => {
                format!("`{from}` cannot become `{to}`: a thing keeps its kind")
            }
            (Subject::Module(_), Subject::Resource(_)) => "a module cannot become a resource".to_owned(),
            (Subject::Resource(_), Subject::Module(_)) => "a resource cannot become a module".to_owned(),
            (from, to) if from == to => format!("`{from}` stays where it is"),
            _ => return Some(moved),
        };
        self.report(Diagnostic::error("invalid move", problem).at(span));
        None
    }

    /// `removed { from = … lifecycle { destroy = false } }`
    pub(super) fn removed(&mut self, block: &Block) -> Option<Removed> {
        self.labels(block, [])?;
        let (mut from, mut destroy) = (None, true);
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) if attribute.key.as_str() == "from" => from = Some(self.subject(attribute)),
                Structure::Attribute(attribute) => self.unknown_argument(attribute, "removed", &["from"]),
                Structure::Block(inner) if inner.ident.as_str() == "lifecycle" => {
                    for structure in &inner.body {
                        match structure {
                            Structure::Attribute(attribute) if attribute.key.as_str() == "destroy" => {
                                destroy = self.constant_bool(attribute).unwrap_or(true);
                            }
                            Structure::Attribute(attribute) => self.unknown_argument(attribute, "lifecycle", &["destroy"]),
                            Structure::Block(below) => self.unknown_block(below, "lifecycle", &[]),
                        }
                    }
                }
                Structure::Block(inner) => self.unknown_block(inner, "removed", &["lifecycle"]),
            }
        }
        let span = self.header(block);
        if from.is_none() {
            self.lacks("from", "removed", span);
        }
        let from = from??;
        if from.has_key() {
            let problem = Diagnostic::error("invalid address", format!("`{from}` is one instance, and a `removed` block is about all"));
            self.report(problem.at(span).help("Leave out the key, or take it out of `for_each` to delete the one."));
            return None;
        }
        Some(Removed { from, destroy, span })
    }

    fn lacks(&mut self, argument: &str, block: &str, at: Span) {
        let detail = format!("a `{block}` block needs `{argument}`");
        self.report(Diagnostic::error("missing argument", detail).at(at));
    }

    /// An address below this module: of a resource, of one instance, or of a module.
    fn subject(&mut self, attribute: &Attribute) -> Option<Subject> {
        let at = self.of(&attribute.value);
        let subject = subject(self.source(attribute.value.span()));
        if subject.is_none() {
            let detail = format!("`{}` names no resource and no module", attribute.key.as_str());
            let help = "Write it as in `istio_operator.east`, `module.mesh`, or `module.mesh[\"eu\"].istio_operator.east[0]`.";
            self.report(Diagnostic::error("invalid address", detail).at(at).help(help));
        }
        subject
    }
}

/// What a block may be about: data sources are read anew, and members follow from what is rendered.
fn subject(text: &str) -> Option<Subject> {
    let read = |address: &Address| address.mode == Mode::Data || address.member.is_some();
    text.trim().parse().ok().filter(|subject| !matches!(subject, Subject::Resource(address) if read(address)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::written::{check_problems, read};

    #[test]
    fn subjects_are_resources_instances_and_modules() {
        for (text, expected) in [
            ("a.b", Some("a.b")),
            (" a.b[0] ", Some("a.b[0]")),
            ("module.m[\"x\"].a.b[\"y z\"]", Some("module.m[\"x\"].a.b[\"y z\"]")),
            ("module.m", Some("module.m")),
            ("module.m[1].module.n", Some("module.m[1].module.n")),
            ("data.a.b", None),
            ("a", None),
            ("a.b.c", None),
            ("var.x[", None),
            ("\"a.b\"", None),
        ] {
            assert_eq!(subject(text).map(|subject| subject.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn blocks_about_old_names_are_read_and_checked() {
        let (module, _) =
            read("moved {\n  from = k.a\n  to   = module.m.k.b\n}\nremoved {\n  from = k.c\n  lifecycle {\n    destroy = false\n  }\n}\n");
        assert_eq!((module.moved.len(), module.removed.len(), module.removed[0].destroy), (1, 1, false));
        check_problems(&[
            ("moved {\n  to = k.a\n}\n", &[("missing argument", "moved")]),
            ("moved {\n  from = k.a\n  to = l.a\n}\n", &[("invalid move", "moved")]),
            ("moved {\n  from = k.a\n  to = k.a\n}\n", &[("invalid move", "moved")]),
            ("moved {\n  from = module.a\n  to = k.a\n}\n", &[("invalid move", "moved")]),
            ("moved {\n  from = data.k.a\n  to = k.a\n}\n", &[("invalid address", "data.k.a")]),
            ("moved {\n  from = k.a\n  to = k.b\n  x = 1\n}\n", &[("unknown argument", "x")]),
            ("removed {\n}\n", &[("missing argument", "removed")]),
            ("removed {\n  from = k.a[0]\n}\n", &[("invalid address", "removed")]),
            ("removed {\n  from = k.a\n  lifecycle {\n    destroy = 1\n  }\n}\n", &[("wrong value", "1")]),
        ]);
    }
}
