//! `resource`, `data`, `module` and `check` blocks.

use super::Lowering;
use crate::address::Mode;
use crate::config::expression::Expr;
use crate::config::model::{Body, CallBlock, CheckBlock, Lifecycle, Repetition, ResourceBlock, ResourceName};
use crate::diagnostic::Diagnostic;
use crate::source::{ModuleKey, Span};
use hcl_edit::structure::{Attribute, Block, Structure};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which module a call leads to, by its name and source.
type ModuleOf<'a> = dyn Fn(&str, &str) -> ModuleKey + 'a;

impl Lowering<'_> {
    pub(super) fn resource(&mut self, block: &Block) -> Option<ResourceBlock> {
        let mode = if block.ident.as_str() == "data" { Mode::Data } else { Mode::Managed };
        let [(kind, kind_span), (name, _)] = self.labels(block, ["kind", "name"])?;
        let mut resource = ResourceBlock {
            name: ResourceName { mode, kind, name },
            repetition: Repetition::Once,
            depends_on: Vec::new(),
            lifecycle: Lifecycle::default(),
            timeouts: BTreeMap::new(),
            body: Body::default(),
            span: self.header(block),
            kind_span,
        };
        let mut repeated = None;
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "count" | "for_each" => self.repetition(attribute, &mut resource.repetition, &mut repeated),
                    "depends_on" => resource.depends_on = self.dependencies(&attribute.value),
                    "provider" => {
                        let at = self.of(&attribute.key);
                        self.unsupported(
                            "`provider`",
                            at,
                            "Remove it: a resource names its cluster by reference, as in `cluster = sandbox_cluster.this`.",
                        );
                    }
                    _ => {
                        let argument = self.argument(attribute);
                        resource.body.arguments.push(argument);
                    }
                },
                Structure::Block(inner) => self.resource_block(inner, &mut resource),
            }
        }
        Some(resource)
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
            "dynamic" => {
                let name = inner.labels.first().map_or("name", |label| label.as_str());
                self.unsupported("a `dynamic` block", at, &format!("Write a list: `{name} = [for item in … : {{ … }}]`."));
            }
            "provisioner" | "connection" => {
                let what = format!("a `{}` block", inner.ident.as_str());
                self.unsupported(&what, at, "Every effect is a resource of its own.");
            }
            _ => {
                let nested = self.nested(inner);
                resource.body.blocks.push(nested);
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
        let value = self.expression(&attribute.value);
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
        let lifecycle = &mut resource.lifecycle;
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
                        lifecycle.replace_triggered_by = items.into_iter().map(|item| self.expression(item)).collect();
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

    pub(super) fn module_call(&mut self, block: &Block, module_of: &ModuleOf<'_>) -> Option<(Arc<str>, CallBlock)> {
        let [(name, _)] = self.labels(block, ["name"])?;
        let mut source = None;
        let mut repeated = None;
        let (mut repetition, mut depends_on, mut arguments) = (Repetition::Once, Vec::new(), Vec::new());
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
                    "providers" => {
                        let at = self.of(&attribute.key);
                        self.unsupported("`providers`", at, "Remove it: clusters are passed as values of variables.");
                    }
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
        Some((name, CallBlock { module, repetition, depends_on, arguments, span: self.header(block) }))
    }

    pub(super) fn check(&mut self, block: &Block) -> Option<(Arc<str>, CheckBlock)> {
        let [(name, _)] = self.labels(block, ["name"])?;
        let mut check = CheckBlock { data: Vec::new(), assertions: Vec::new(), span: self.header(block) };
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => self.unknown_argument(attribute, "check", &[]),
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
        check.data.push(Arc::new(data));
    }
}
