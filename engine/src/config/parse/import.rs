//! `import` blocks.

use super::Lowering;
use crate::address::Mode;
use crate::config::expression::{Expr, Node, Root};
use crate::config::model::{ImportBlock, Repetition, ResourceName};
use crate::diagnostic::Diagnostic;
use hcl_edit::structure::{Block, Structure};
use std::sync::Arc;

/// What a target leads through: module calls, each with the key of the instance that is meant.
type Calls = Vec<(Arc<str>, Option<Expr>)>;

impl Lowering<'_> {
    /// `import { to = … id = … cluster = … for_each = … }`
    pub(super) fn import(&mut self, block: &Block) -> Option<ImportBlock> {
        self.labels(block, [])?;
        let (mut to, mut id, mut place, mut repetition) = (None, None, None, Repetition::Once);
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "to" => to = Some(self.expression(&attribute.value)),
                    "id" => id = Some(self.expression(&attribute.value)),
                    "cluster" => place = Some(self.expression(&attribute.value)),
                    "for_each" => repetition = Repetition::ForEach(Box::new(self.expression(&attribute.value))),
                    "provider" | "identity" => {
                        let at = self.of(&attribute.key);
                        let what = format!("`{}` in an `import` block", attribute.key.as_str());
                        self.unsupported(&what, at, "Name the thing by its `id`; the cluster comes from the resource, or from `cluster`.");
                    }
                    _ => self.unknown_argument(attribute, "import", &["to", "id", "cluster", "for_each"]),
                },
                Structure::Block(inner) => self.unknown_block(inner, "import", &[]),
            }
        }
        for name in [to.is_none().then_some("to"), id.is_none().then_some("id")].into_iter().flatten() {
            self.missing(name, block);
        }
        let (to, id) = (to?, id?);
        let Some((module, name, key)) = target(&to) else {
            let problem = Diagnostic::error("invalid address", "`to` names no resource and no instance of one").at(to.span);
            self.report(
                problem.help("Write it as in `kubernetes_namespace.east`, or `module.mesh[\"eu\"].kubernetes_secret.ca[each.key]`."),
            );
            return None;
        };
        Some(ImportBlock { module, name, key, id, place, repetition, span: self.header(block) })
    }
}

/// The managed resource that an expression names.
fn target(expression: &Expr) -> Option<(Calls, ResourceName, Option<Expr>)> {
    let named = |kind: &Arc<str>, name: &Arc<str>| ResourceName { mode: Mode::Managed, kind: kind.clone(), name: name.clone() };
    match &expression.node {
        Node::Root(Root::Resource(Mode::Managed, kind, name)) => Some((Calls::new(), named(kind, name), None)),
        Node::Attribute(inner, name) => match &inner.node {
            Node::Attribute(base, kind) => Some((calls(base)?, named(kind, name), None)),
            _ => None,
        },
        Node::Index(base, key) => match target(base)? {
            (module, name, None) => Some((module, name, Some(Expr::clone(key)))),
            _ => None,
        },
        _ => None,
    }
}

/// The module calls that an expression leads through.
fn calls(expression: &Expr) -> Option<Calls> {
    match &expression.node {
        Node::Root(Root::Module(name)) => Some(vec![(name.clone(), None)]),
        Node::Attribute(inner, name) => match &inner.node {
            Node::Attribute(base, word) if &**word == "module" => {
                let mut outer = calls(base)?;
                outer.push((name.clone(), None));
                Some(outer)
            }
            _ => None,
        },
        Node::Index(base, key) => {
            let mut all = calls(base)?;
            let last = all.last_mut().filter(|(_, known)| known.is_none())?;
            last.1 = Some(Expr::clone(key));
            Some(all)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::written::{check_problems, read};

    #[test]
    fn targets_are_resources_and_instances_of_them_also_in_modules() {
        for (to, expected, keys) in [
            ("k.a", Some("k.a"), 0),
            ("k.a[\"x\"]", Some("k.a"), 1),
            ("k.a[each.key]", Some("k.a"), 1),
            ("module.m.k.a", Some("module.m.k.a"), 0),
            ("module.m[0].k.a[each.value]", Some("module.m.k.a"), 2),
            ("module.m.module.n[each.key].k.a", Some("module.m.module.n.k.a"), 1),
            ("data.k.a", None, 0),
            ("module.m.data.k.a", None, 0),
            ("module.m", None, 0),
            ("k.a[0][1]", None, 0),
            ("k.a.b", None, 0),
            ("var.a", None, 0),
            ("\"k.a\"", None, 0),
        ] {
            let (module, problems) = read(&format!("import {{\n  to = {to}\n  id = \"x\"\n  for_each = {{}}\n}}\n"));
            let found = module.imports.first();
            assert_eq!(found.map(ToString::to_string).as_deref(), expected, "{to}");
            assert_eq!(found.map_or(0, |block| block.expressions().count() - 1), keys, "{to}");
            assert_eq!(problems.iter().any(|problem| problem.0 == "invalid address"), expected.is_none(), "{to}: {problems:?}");
        }
    }

    #[test]
    fn what_an_import_needs_is_told() {
        let declared = "resource \"k\" \"a\" {}\n";
        check_problems(&[
            (&format!("{declared}import {{\n  id = \"x\"\n}}\n"), &[("missing argument", "import")]),
            (&format!("{declared}import {{\n  to = k.a\n}}\n"), &[("missing argument", "import")]),
            (&format!("{declared}import {{\n  to = k.a\n  id = \"x\"\n  provider = k.east\n}}\n"), &[("not supported yet", "provider")]),
            (&format!("{declared}import {{\n  to = k.a\n  id = \"x\"\n  count = 1\n}}\n"), &[("unknown argument", "count")]),
            (&format!("{declared}import {{\n  to = k.a\n  id = var.x\n}}\n"), &[("undeclared reference", "var.x")]),
            (&format!("{declared}import {{\n  to = k.a[each.key]\n  id = \"x\"\n}}\n"), &[("no repetition", "each.key")]),
            ("import {\n  to = k.a\n  id = \"x\"\n}\n", &[("target not in configuration", "import")]),
            (&format!("{declared}import {{\n  to = k.a\n  id = \"x\"\n  cluster = k.east\n}}\n"), &[("undeclared reference", "k.east")]),
        ]);
    }
}
