//! `resource`, `data`, `module` and `check` blocks.

use super::Lowering;
use crate::address::Mode;
use crate::config::expression::{Expr, Node, Root};
use crate::config::model::{Body, CallBlock, CheckBlock, Lifecycle, Repetition, ResourceBlock, ResourceName};
use crate::diagnostic::Diagnostic;
use crate::source::{ModuleKey, Span};
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Block, Structure};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long what depends on a check waits until it passes, in seconds, if the check does not say it: as long as for a Deployment.
const GATE_SECONDS: u64 = 300;

/// Which module a call leads to, by its name and source.
type ModuleOf<'a> = dyn Fn(&str, &str) -> ModuleKey + 'a;

impl Lowering<'_> {
    pub(super) fn resource(&mut self, block: &Block) -> Option<ResourceBlock> {
        let mode = if block.ident.as_str() == "data" { Mode::Data } else { Mode::Managed };
        let [(kind, kind_span), (name, _)] = self.labels(block, ["kind", "name"])?;
        let kind = self.word(&kind);
        let mut resource = ResourceBlock {
            name: ResourceName { mode, kind, name },
            repetition: Repetition::Once,
            provider: None,
            depends_on: Vec::new(),
            lifecycle: None,
            timeouts: BTreeMap::new(),
            body: Body::default(),
            span: self.header(block),
            kind_span,
        };
        self.once(block, "lifecycle");
        self.once(block, "timeouts");
        let mut repeated = None;
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "count" | "for_each" => self.repetition(attribute, &mut resource.repetition, &mut repeated),
                    "depends_on" => resource.depends_on = self.dependencies(&attribute.value),
                    "provider" => resource.provider = self.provider_reference(&attribute.value),
                    _ => {
                        let argument = self.argument(attribute);
                        resource.body.arguments.push(argument);
                    }
                },
                Structure::Block(inner) => self.resource_block(inner, &mut resource),
            }
        }
        // A plan keeps every block for as long as it lasts.
        resource.body.arguments.shrink_to_fit();
        Some(resource)
    }

    /// Reports a second block of a name that a block holds once.
    pub(super) fn once(&mut self, block: &Block, name: &str) {
        let mut found = block.body.get_blocks(name);
        if let (Some(first), Some(second)) = (found.next(), found.next()) {
            let problem = Diagnostic::error("duplicate block", format!("a block holds one `{name}` block"));
            let (first, second) = (self.header(first), self.header(second));
            self.report(problem.at(second).related(first, "the first one is here").help("Put what both hold into one."));
        }
    }

    fn resource_block(&mut self, inner: &Block, resource: &mut ResourceBlock) {
        let at = self.header(inner);
        match inner.ident.as_str() {
            "lifecycle" => self.lifecycle(inner, resource),
            "timeouts" => {
                if self.labels(inner, []).is_some() {
                    self.timeouts(inner, &mut resource.timeouts);
                }
            }
            "provisioner" | "connection" => {
                let what = format!("a `{}` block", inner.ident.as_str());
                self.unsupported(&what, at, "Every effect is a resource of its own.");
            }
            _ => {
                let nested = self.nested(inner);
                resource.body.blocks.extend(nested);
            }
        }
    }

    /// `count` or `for_each`, of which a block takes one.
    fn repetition(&mut self, attribute: &Attribute, repetition: &mut Repetition, first: &mut Option<Span>) {
        let here = self.of(&attribute.key);
        if let Some(first) = *first {
            let problem = Diagnostic::error("duplicate repetition", "a block takes `count` or `for_each`, not both");
            self.report(problem.at(here).related(first, "the other one is here"));
            return;
        }
        *first = Some(here);
        let value = Box::new(self.expression(&attribute.value));
        *repetition = if attribute.key.as_str() == "count" { Repetition::Count(value) } else { Repetition::ForEach(value) };
    }

    fn timeouts(&mut self, block: &Block, timeouts: &mut BTreeMap<Arc<str>, Expr>) {
        const OPERATIONS: [&str; 4] = ["create", "read", "update", "delete"];
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) if OPERATIONS.contains(&attribute.key.as_str()) => {
                    let value = self.expression(&attribute.value);
                    timeouts.insert(attribute.key.as_str().into(), value);
                }
                Structure::Attribute(attribute) => self.unknown_argument(attribute, "timeouts", &OPERATIONS),
                Structure::Block(inner) => self.unknown_block(inner, "timeouts", &[]),
            }
        }
    }

    fn lifecycle(&mut self, block: &Block, resource: &mut ResourceBlock) {
        const ARGUMENTS: [&str; 4] = ["create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by"];
        if self.labels(block, []).is_none() {
            return;
        }
        let data = resource.name.mode == Mode::Data;
        let lifecycle = resource.lifecycle.get_or_insert_default();
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) if data && ARGUMENTS.contains(&attribute.key.as_str()) => {
                    let detail = format!("a data source is only read: `{}` means nothing for it", attribute.key.as_str());
                    let at = self.of(&attribute.key);
                    self.report(Diagnostic::error("unknown argument", detail).at(at));
                }
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "create_before_destroy" => lifecycle.create_before_destroy = self.constant_bool(attribute).unwrap_or_default(),
                    "prevent_destroy" => lifecycle.prevent_destroy = self.constant_bool(attribute).unwrap_or_default(),
                    "ignore_changes" => lifecycle.ignore_changes = self.ignored(&attribute.value),
                    "replace_triggered_by" => {
                        let items = self.each_item(&attribute.value, "replace_triggered_by");
                        lifecycle.replace_triggered_by = items.into_iter().filter_map(|item| self.trigger(item)).collect();
                    }
                    _ => self.unknown_argument(attribute, "lifecycle", &ARGUMENTS),
                },
                Structure::Block(inner) => match inner.ident.as_str() {
                    "precondition" => lifecycle.preconditions.extend(self.assertion(inner)),
                    "postcondition" => lifecycle.postconditions.extend(self.assertion(inner)),
                    _ => self.unknown_block(inner, "lifecycle", &["precondition", "postcondition"]),
                },
            }
        }
    }

    /// An entry of `replace_triggered_by`: a resource, an instance of it, or an attribute.
    fn trigger(&mut self, item: &Expression) -> Option<Expr> {
        let before = self.problems.len();
        let expression = self.expression(item);
        let mut head = &expression;
        while let Node::Attribute(base, _) | Node::Index(base, _) = &head.node {
            head = base;
        }
        if self.problems.len() == before && !matches!(head.node, Node::Root(Root::Resource(Mode::Managed, ..))) {
            let problem = Diagnostic::error("invalid trigger", "what changes with a plan, and can replace another thing, is a resource");
            let help = "An entry is a resource, an instance or an attribute of it: `ca_root.mesh`, `ca_root.mesh[each.key].id`.";
            self.report(problem.at(expression.span).help(help));
            return None;
        }
        Some(expression)
    }

    pub(super) fn module_call(&mut self, block: &Block, module_of: &ModuleOf<'_>) -> Option<(Arc<str>, CallBlock)> {
        let [(name, _)] = self.labels(block, ["name"])?;
        let mut source = None;
        let mut repeated = None;
        let (mut repetition, mut depends_on) = (Repetition::Once, Vec::new());
        let (mut providers, mut arguments) = (Vec::new(), Vec::new());
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "source" => source = Some(self.constant_text(attribute)),
                    "count" | "for_each" => self.repetition(attribute, &mut repetition, &mut repeated),
                    "depends_on" => depends_on = self.dependencies(&attribute.value),
                    "version" => {
                        let at = self.of(&attribute.key);
                        self.unsupported("`version`", at, "Remove it: modules are directories (`./path`) or built in (`builtin:name`).");
                    }
                    "providers" => providers = self.passed_providers(&attribute.value),
                    _ => {
                        let argument = self.argument(attribute);
                        arguments.push(argument);
                    }
                },
                Structure::Block(inner) => {
                    let at = self.header(inner);
                    let word = inner.ident.as_str();
                    let problem = Diagnostic::error("unknown block", format!("a `module` block cannot hold a block `{word}`"));
                    self.report(problem.at(at).help(format!("If `{word}` is a variable of the module, write `{word} = {{ … }}`.")));
                }
            }
        }
        let Some(source) = source else {
            self.missing("source", block);
            return None;
        };
        let module = module_of(&name, &source?);
        Some((name, CallBlock { module, repetition, depends_on, providers, arguments, span: self.header(block) }))
    }

    pub(super) fn check(&mut self, block: &Block) -> Option<(Arc<str>, CheckBlock)> {
        let [(name, _)] = self.labels(block, ["name"])?;
        let mut check = CheckBlock { data: Vec::new(), assertions: Vec::new(), timeout: GATE_SECONDS, span: self.header(block) };
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) if attribute.key.as_str() == "timeout" => {
                    check.timeout = self.constant_seconds(attribute).unwrap_or(check.timeout);
                }
                Structure::Attribute(attribute) => self.unknown_argument(attribute, "check", &["timeout"]),
                Structure::Block(inner) => match inner.ident.as_str() {
                    "assert" => check.assertions.extend(self.assertion(inner)),
                    "data" => {
                        if let Some(data) = self.resource(inner) {
                            self.check_data(&mut check, data);
                        }
                    }
                    _ => self.unknown_block(inner, "check", &["data", "assert"]),
                },
            }
        }
        if check.assertions.is_empty() && !block.body.has_blocks("assert") {
            let detail = format!("the check `{name}` asserts nothing");
            self.report(
                Diagnostic::error("missing block", detail).at(check.span).help("Write `assert { condition = … error_message = \"…\" }`."),
            );
        }
        Some((name, check))
    }

    fn check_data(&mut self, check: &mut CheckBlock, data: ResourceBlock) {
        if let Some(first) = check.data.iter().find(|other| other.name == data.name) {
            let problem = Diagnostic::error("duplicate name", "a data source of this name is declared in this check already");
            self.report(problem.at(data.span).related(first.span, "the first one is here").help("Rename one of the two."));
            return;
        }
        if data.repetition != Repetition::Once {
            let problem = Diagnostic::error("unknown argument", "a data source within a check is read once: no `count`, no `for_each`");
            self.report(problem.at(data.span).help("Declare it outside the check, and refer to it."));
        }
        if *data.lifecycle() != Lifecycle::default() {
            let problem = Diagnostic::error("unknown block", "a data source within a check has no `lifecycle`");
            self.report(problem.at(data.span).help("Write what must hold as an `assert` of the check."));
        }
        check.data.push(Arc::new(data));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DependencyRoot;
    use crate::config::written::{check_problems, read, written};

    fn resource(text: &str) -> ResourceBlock {
        let (module, problems) = read(text);
        assert_eq!(problems, [], "{text}");
        let first = module.resources.values().find(|block| &*block.name.name == "it");
        (**first.unwrap()).clone()
    }

    #[test]
    fn arguments_and_meta_arguments_are_told_apart() {
        let text = r#"
            resource "k" "other" { for_each = {} }
            check "c" {
              assert {
                condition     = k.other != {}
                error_message = ""
              }
            }
            resource "k" "it" {
              name       = "a"
              for_each   = { x = 1 }
              depends_on = [k.other, k.other[each.key], check.c]
              labels     = { a = each.value }
              timeouts {
                create = "10m"
              }
            }
        "#;
        let block = resource(text);
        assert_eq!(block.name.mode, Mode::Managed);
        let names: Vec<_> = block.body.arguments.iter().map(|argument| &*argument.name).collect();
        assert_eq!(names, ["name", "labels"]);
        let Repetition::ForEach(groups) = &block.repetition else { panic!("{:?}", block.repetition) };
        assert_eq!(written(groups), "{\"x\" = 1}");
        let depends: Vec<_> = block.depends_on.iter().map(|one| (one.root.clone(), one.key.as_ref().map(written))).collect();
        let other = || DependencyRoot::Object(Root::Resource(Mode::Managed, "k".into(), "other".into()));
        assert_eq!(depends, [(other(), None), (other(), Some("EachKey".to_owned())), (DependencyRoot::Check("c".into()), None)]);
        assert_eq!(
            block.timeouts.iter().map(|(name, text)| (&**name, written(text))).collect::<Vec<_>>(),
            [("create", "\"10m\"".to_owned())]
        );
        assert_eq!(&text[block.kind_span.start as usize..block.kind_span.end as usize], "\"k\"");
        assert_eq!(&text[block.span.start as usize..block.span.end as usize], "resource \"k\" \"it\"");
    }

    #[test]
    fn a_lifecycle_has_all_its_parts() {
        let block = resource(
            r#"
            resource "k" "it" {
              lifecycle {
                create_before_destroy = true
                prevent_destroy       = true
                ignore_changes        = [labels, spec.replicas, labels["a"], items[0].x]
                replace_triggered_by  = [k.it.id]
                precondition {
                  condition     = path.root != ""
                  error_message = "before"
                }
                postcondition {
                  condition     = self.id != ""
                  error_message = "after"
                }
              }
            }
        "#,
        );
        let lifecycle = block.lifecycle();
        assert!(lifecycle.create_before_destroy && lifecycle.prevent_destroy);
        let ignored: Vec<_> = lifecycle.ignore_changes.iter().map(|(path, _)| path.join("/")).collect();
        assert_eq!(ignored, ["labels", "spec/replicas", "labels/a", "items/0/x"]);
        assert_eq!(lifecycle.replace_triggered_by.iter().map(written).collect::<Vec<_>>(), ["resource:k:it.id"]);
        assert_eq!(written(&lifecycle.preconditions[0].error_message), "\"before\"");
        assert_eq!(written(&lifecycle.postconditions[0].condition), "(Itself.id != \"\")");
        let all = resource("resource \"k\" \"it\" {\n  lifecycle {\n    ignore_changes = all\n  }\n}\n");
        assert_eq!(all.lifecycle().ignore_changes.iter().map(|(path, _)| path.join("/")).collect::<Vec<_>>(), ["all"]);
    }

    #[test]
    fn nested_blocks_are_kept_for_their_kind_to_judge() {
        let block = resource("resource \"k\" \"it\" {\n  a \"b\" {\n    c = 1\n    d {}\n  }\n}\n");
        let [nested] = block.body.blocks.as_slice() else { panic!("{:?}", block.body) };
        assert_eq!((&*nested.name, written(&nested.labels[0])), ("a", "\"b\"".to_owned()));
        assert_eq!((&*nested.body.arguments[0].name, &*nested.body.blocks[0].name), ("c", "d"));
    }

    #[test]
    fn calls_and_checks() {
        let (module, problems) = read(
            r#"
            module "m" {
              source   = "./m"
              for_each = { a = 1 }
              name     = each.key
            }
            check "c" {
              data "d" "x" { name = "n" }
              assert {
                condition     = data.d.x.ok
                error_message = "not ${data.d.x.why}"
              }
            }
        "#,
        );
        assert_eq!(problems, []);
        let call = &module.calls["m"];
        assert_eq!((&*call.module.0, call.arguments.len()), ("./m", 1));
        let check = &module.checks["c"];
        assert_eq!((check.data.len(), check.assertions.len()), (1, 1));
        assert_eq!(check.data[0].name.mode, Mode::Data);
    }

    #[test]
    fn what_is_wrong_within_is_told() {
        check_problems(&[
            ("resource \"k\" {}\n", &[("wrong labels", "resource \"k\"")]),
            ("resource \"k\" \"1x\" {}\n", &[("invalid name", "\"1x\"")]),
            ("resource \"k\" \"n\" {\n  count = 1\n  for_each = {}\n}\n", &[("duplicate repetition", "for_each")]),
            ("resource \"k\" \"n\" {\n  lifecycle {}\n  lifecycle {}\n}\n", &[("duplicate block", "lifecycle")]),
            ("resource \"k\" \"n\" {\n  depends_on = k.n\n}\n", &[("invalid list", "k.n")]),
            (
                "resource \"k\" \"n\" {\n  depends_on = [\"k.n\", k.n.id, var.x, k[0]]\n}\n",
                &[
                    ("unknown dependency", "\"k.n\""),
                    ("unknown dependency", "k.n.id"),
                    ("unknown dependency", "var.x"),
                    ("unknown dependency", "k[0]"),
                ],
            ),
            ("resource \"k\" \"n\" {\n  timeouts {\n    crate = \"1m\"\n  }\n}\n", &[("unknown argument", "crate")]),
            ("resource \"k\" \"n\" {\n  lifecycle {\n    prevent_destroy = var.x\n  }\n}\n", &[("not a constant", "var.x")]),
            ("resource \"k\" \"n\" {\n  lifecycle {\n    ignore_change = []\n  }\n}\n", &[("unknown argument", "ignore_change")]),
            ("resource \"k\" \"n\" {\n  lifecycle {\n    ignore_changes = [\"labels\"]\n  }\n}\n", &[("invalid path", "\"labels\"")]),
            ("resource \"k\" \"n\" {\n  lifecycle {\n    validation {}\n  }\n}\n", &[("unknown block", "validation")]),
            ("data \"k\" \"n\" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n", &[("unknown argument", "prevent_destroy")]),
            ("module \"m\" {}\n", &[("missing argument", "module \"m\"")]),
            ("module \"m\" {\n  source = var.x\n}\n", &[("not a constant", "var.x")]),
            ("module \"m\" {\n  source = \"./m\"\n  x {}\n}\n", &[("unknown block", "x")]),
            ("check \"c\" {}\n", &[("missing block", "check \"c\"")]),
            ("check \"c\" {\n  x = 1\n  y {}\n}\n", &[("unknown argument", "x"), ("unknown block", "y"), ("missing block", "check \"c\"")]),
        ]);
        let data = "data \"d\" \"x\" {}\n";
        let assertion = "assert {\n condition = path.root != \"\"\n error_message = \"\"\n}\n";
        check_problems(&[
            (&format!("check \"c\" {{\n{data}{data}{assertion}}}\n"), &[("duplicate name", "data \"d\" \"x\"")]),
            (&format!("check \"c\" {{\ndata \"d\" \"x\" {{\n count = 1\n}}\n{assertion}}}\n"), &[("unknown argument", "data \"d\" \"x\"")]),
        ]);
    }

    #[test]
    fn conditions_look_at_something_else() {
        let around = [
            "resource \"k\" \"m\" {\n lifecycle {\n precondition {\n…}\n}\n}\n",
            "resource \"k\" \"m\" {\n lifecycle {\n postcondition {\n…}\n}\n}\n",
            "data \"k\" \"m\" {\n lifecycle {\n postcondition {\n…}\n}\n}\n",
            "output \"o\" {\n value = 1\n precondition {\n…}\n}\n",
            "check \"c\" {\n assert {\n…}\n}\n",
        ];
        let declared = "locals {\n a = 1\n}\nvariable \"l\" {}\nresource \"k\" \"n\" {}\n";
        let blind = |condition: &'static str| [("nothing checked", condition)];
        for around in around {
            let body = |condition: &str| format!("condition = {condition}\nerror_message = \"${{k.n.id}}\"\n");
            let text = |condition: &str| around.replace('…', &body(condition)) + declared;
            for condition in ["true", "1 == 2", "alltrue([for x in [1] : x > 0])", "[{ a = 1 }][*].a == [1]", "timestamp() == \"\""] {
                check_problems(&[(&text(condition), &blind(condition))]);
            }
            for condition in ["\"${local.a}\" == \"\"", "path.module != \"\"", "k.n[*].id == []", "alltrue([for x in var.l : x > 0])"] {
                check_problems(&[(&text(condition), &[])]);
            }
            check_problems(&[(&text("each.kye"), &[("unknown name", "each.kye")])]);
        }
    }
}
