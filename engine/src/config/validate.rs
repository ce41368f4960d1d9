//! References that lead nowhere, found before anything is evaluated.
//!
//! Kinds, their arguments and attributes are not looked at: the planner knows the schemas.

use super::expression::{Expr, Node, Root};
use super::model::{
    Argument, Assertion, CallBlock, Config, Dependency, DependencyRoot, ImportBlock, Module, NestedBlock, Repetition, ResourceBlock,
    ResourceName,
};
use super::selection::Selection;
use crate::address::Mode;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::source::{ModuleKey, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The words of the text that could not be read, of modules with such text.
pub(super) type Unread = BTreeMap<ModuleKey, BTreeSet<Arc<str>>>;

/// The summary of what an `import` block names that is not there.
const NO_TARGET: &str = "target not in configuration";

/// Reports every reference of every module that names nothing. What may be declared in text that is `unread` is not missed.
pub(super) fn validate(config: &Config, unread: &Unread, problems: &mut Vec<Diagnostic>) {
    for (key, module) in &config.modules {
        References { config, unread, key, module, problems }.module();
        if !unread.contains_key(key) {
            problems.extend(super::selection::blocks(config, key, module));
        }
    }
    problems.extend(Selection::beside(config, &unread.values().flatten().cloned().collect()).1);
    let root = config.modules.get(&config.root);
    let kept = root.iter().flat_map(|root| &root.outputs).filter(|(_, output)| output.ephemeral);
    problems.extend(kept.map(|(name, output)| {
        let detail = format!("the output `{name}` of the root module is stored in the state, and an ephemeral value never is");
        Diagnostic::error("ephemeral output", detail).at(output.span).help("Remove `ephemeral`, or the output.")
    }));
}

/// Reports every reference of one module of a configuration that names nothing.
pub(super) fn validate_module(config: &Config, module: &Module) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    References { config, unread: &Unread::new(), key: &config.root, module, problems: &mut problems }.module();
    problems
}

/// Whether a problem is that an `import` block names a resource without a block, which can be written for it.
pub fn is_unwritten_import(problem: &Diagnostic) -> bool {
    problem.summary == NO_TARGET
}

/// Which names an expression may use beside those of its module.
#[derive(Clone, Copy, Default)]
struct Site<'c> {
    /// The repetition of the block around.
    repetition: Option<&'c Repetition>,
    /// Whether `self` means something.
    within: Within,
    /// Data sources of the check around.
    data: &'c [Arc<ResourceBlock>],
}

/// What stands around an expression, for the sake of `self`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Anything,
    Postcondition,
}

struct References<'c> {
    config: &'c Config,
    unread: &'c Unread,
    key: &'c ModuleKey,
    module: &'c Module,
    problems: &'c mut Vec<Diagnostic>,
}

impl<'c> References<'c> {
    fn module(&mut self) {
        let module = self.module;
        let plain = Site::default();
        for block in module.providers.values() {
            self.arguments(&block.arguments, plain);
        }
        for variable in module.variables.values() {
            self.assertions(&variable.validations, plain);
        }
        for local in module.locals.values() {
            self.expression(&local.value, plain);
        }
        for output in module.outputs.values() {
            self.expression(&output.value, plain);
            self.dependencies(&output.depends_on, plain);
            self.assertions(&output.preconditions, plain);
        }
        for block in module.resources.values() {
            self.resource(block, plain);
        }
        for (name, call) in &module.calls {
            self.call(name, call);
        }
        for check in module.checks.values() {
            let site = Site { data: &check.data, ..plain };
            for data in &check.data {
                self.resource(data, site);
            }
            self.assertions(&check.assertions, site);
        }
        for block in &module.imports {
            self.import(block);
        }
        if let Some(encryption) = &module.settings.encryption
            && *self.key != self.config.root
        {
            let problem = Diagnostic::error("misplaced block", "an `encryption` block stands in the root module").at(encryption.span);
            self.problems.push(problem.help("Move it there: there is one state, and it is the root module's."));
        }
        if let Some(exception) = module.settings.exceptions.first()
            && *self.key != self.config.root
        {
            let problem = Diagnostic::error("misplaced block", "a `lint` block stands in the root module").at(exception.span);
            let help = "Move it there, with `at = [\"module.…\"]`: whoever uses a module decides which rules it may break.";
            self.problems.push(problem.help(help));
        }
    }

    fn import(&mut self, block: &'c ImportBlock) {
        let site = Site { repetition: Some(&block.repetition), ..Site::default() };
        self.repetition(&block.repetition, Site::default());
        block.expressions().for_each(|expression| self.expression(expression, site));
        if *self.key != self.config.root {
            let problem = Diagnostic::error("misplaced block", "an `import` block stands in the root module").at(block.span);
            self.problems.push(problem.help(format!("Move it there, with `to = module.….{block}`.")));
            return;
        }
        let (mut key, mut module) = (self.key, self.module);
        for (name, _) in &block.module {
            let call = module.calls.get(name);
            match call.and_then(|call| Some((&call.module, self.config.modules.get(&call.module)?))) {
                Some(called) => (key, module) = called,
                None if call.is_some() || self.may_stand_unread(key, name) => return,
                None => return self.no_target(block),
            }
        }
        if !module.resources.contains_key(&block.name) && !self.may_stand_unread(key, &block.name.name) {
            self.no_target(block);
        }
    }

    fn no_target(&mut self, block: &ImportBlock) {
        let problem = Diagnostic::error(NO_TARGET, format!("`{block}` is to be imported, and there is no such block"));
        let help = if block.module.is_empty() {
            "Write its `resource` block, or let `meshplan plan --generate-config-out=FILE` do so; or correct `to`."
        } else {
            "Write its `resource` block, or correct `to`."
        };
        self.problems.push(problem.at(block.span).help(help));
    }

    fn resource(&mut self, block: &'c ResourceBlock, around: Site<'c>) {
        let site = Site { repetition: Some(&block.repetition), ..around };
        self.repetition(&block.repetition, around);
        self.arguments(&block.body.arguments, site);
        self.nested(&block.body.blocks, site);
        self.dependencies(&block.depends_on, site);
        block.timeouts.values().for_each(|timeout| self.expression(timeout, site));
        block.lifecycle().replace_triggered_by.iter().for_each(|trigger| self.expression(trigger, site));
        self.assertions(&block.lifecycle().preconditions, site);
        self.assertions(&block.lifecycle().postconditions, Site { within: Within::Postcondition, ..site });
    }

    fn nested(&mut self, blocks: &'c [NestedBlock], site: Site<'c>) {
        for block in blocks {
            if let Some(repeated) = &block.repeated {
                self.expression(&repeated.for_each, site);
            }
            block.labels.iter().for_each(|label| self.expression(label, site));
            self.arguments(&block.body.arguments, site);
            self.nested(&block.body.blocks, site);
        }
    }

    fn arguments(&mut self, arguments: &'c [Argument], site: Site<'c>) {
        for argument in arguments {
            self.expression(&argument.value, site);
        }
    }

    fn repetition(&mut self, repetition: &'c Repetition, site: Site<'c>) {
        if let Repetition::Count(expression) | Repetition::ForEach(expression) = repetition {
            self.expression(expression, site);
        }
    }

    fn assertions(&mut self, assertions: &'c [Assertion], site: Site<'c>) {
        for assertion in assertions {
            self.expression(&assertion.condition, site);
            self.expression(&assertion.error_message, site);
        }
    }

    fn call(&mut self, name: &str, call: &'c CallBlock) {
        let site = Site { repetition: Some(&call.repetition), ..Site::default() };
        self.repetition(&call.repetition, Site::default());
        self.arguments(&call.arguments, site);
        self.dependencies(&call.depends_on, site);
        let Some(target) = self.config.modules.get(&call.module) else { return };
        for argument in &call.arguments {
            if !target.variables.contains_key(&argument.name) && !self.may_stand_unread(&call.module, &argument.name) {
                let detail = format!("the module `{}` has no variable `{}`", call.module.0, argument.name);
                let near = did_you_mean(&argument.name, target.variables.keys().map(|name| &**name));
                self.report("unknown argument", detail, argument.name_span, near);
            }
        }
        for (variable, block) in &target.variables {
            if block.default.is_none() && !call.arguments.iter().any(|argument| argument.name == *variable) {
                let detail = format!("the call `{name}` gives no value to the variable `{variable}`, which has no default");
                let problem = Diagnostic::error("missing argument", detail).at(call.span);
                self.problems.push(problem.related(block.span, "the variable is declared here"));
            }
        }
    }

    /// Whether something of this name may be declared in text of a module that could not be read.
    fn may_stand_unread(&self, key: &ModuleKey, name: &str) -> bool {
        self.unread.get(key).is_some_and(|words| words.contains(name))
    }

    fn dependencies(&mut self, dependencies: &'c [Dependency], site: Site<'c>) {
        for dependency in dependencies {
            match &dependency.root {
                DependencyRoot::Object(root) => self.root(root, dependency.span, site),
                DependencyRoot::Check(name) => {
                    if !self.module.checks.contains_key(name) && !self.may_stand_unread(self.key, name) {
                        let near = did_you_mean(name, self.module.checks.keys().map(|name| &**name)).map(|near| format!("check.{near}"));
                        self.undeclared(&format!("check.{name}"), dependency.span, near.as_deref());
                    }
                }
            }
            dependency.key.iter().for_each(|key| self.expression(key, site));
        }
    }

    fn expression(&mut self, expression: &'c Expr, site: Site<'c>) {
        match &expression.node {
            Node::Root(root) => self.root(root, expression.span, site),
            Node::Attribute(base, output) => {
                if let Some(call) = called(base) {
                    self.output(call, output, expression.span);
                }
            }
            _ => {}
        }
        expression.each_child(&mut |child| self.expression(child, site));
    }

    /// `module.call.output`
    fn output(&mut self, call: &str, output: &str, span: Span) {
        let Some(key) = self.module.calls.get(call).map(|call| &call.module) else { return };
        let Some(target) = self.config.modules.get(key) else { return };
        if !target.outputs.contains_key(output) && !self.may_stand_unread(key, output) {
            let near = did_you_mean(output, target.outputs.keys().map(|name| &**name));
            self.report("undeclared output", format!("the module behind `module.{call}` has no output `{output}`"), span, near);
        }
    }

    fn root(&mut self, root: &Root, span: Span, site: Site<'c>) {
        let module = self.module;
        match root {
            Root::Variable(name) if !module.variables.contains_key(name) => {
                self.named("var", name, module.variables.keys(), span);
            }
            Root::Local(name) if !module.locals.contains_key(name) => match name.strip_prefix("output.") {
                // As test files may write it.
                Some(output) => self.named("output", output, module.outputs.keys(), span),
                None => self.named("local", name, module.locals.keys(), span),
            },
            Root::Module(name) if !module.calls.contains_key(name) => self.named("module", name, module.calls.keys(), span),
            Root::Resource(mode, kind, name) => self.block((*mode, kind, name), span, site),
            Root::EachKey | Root::EachValue if !matches!(site.repetition, Some(Repetition::ForEach(_))) => {
                let detail = "`each` means something only in a block with `for_each`";
                self.problems.push(Diagnostic::error("no repetition", detail).at(span));
            }
            Root::CountIndex if !matches!(site.repetition, Some(Repetition::Count(_))) => {
                let detail = "`count.index` means something only in a block with `count`";
                self.problems.push(Diagnostic::error("no repetition", detail).at(span));
            }
            Root::Itself if site.within != Within::Postcondition => {
                let detail = "`self` means something only in a `postcondition`";
                self.problems.push(Diagnostic::error("unknown name", detail).at(span));
            }
            _ => {}
        }
    }

    fn named<'n>(&mut self, head: &str, name: &str, known: impl Iterator<Item = &'n Arc<str>>, span: Span) {
        if self.may_stand_unread(self.key, name) {
            return;
        }
        let near = did_you_mean(name, known.map(|name| &**name)).map(|near| format!("{head}.{near}"));
        self.undeclared(&format!("{head}.{name}"), span, near.as_deref());
    }

    fn block(&mut self, (mode, kind, name): (Mode, &Arc<str>, &Arc<str>), span: Span, site: Site<'c>) {
        let exact = ResourceName { mode, kind: kind.clone(), name: name.clone() };
        let declared = self.module.resources.contains_key(&exact) || site.data.iter().any(|data| data.name == exact);
        if declared || self.may_stand_unread(self.key, name) {
            return;
        }
        let written = |mode: Mode, kind: &str, name: &str| format!("{}{kind}.{name}", if mode == Mode::Data { "data." } else { "" });
        let names = self.module.resources.keys().chain(site.data.iter().map(|data| &data.name));
        let names: Vec<_> = names.map(|other| written(other.mode, &other.kind, &other.name)).collect();
        let wanted = written(mode, kind, name);
        let near = did_you_mean(&wanted, names.iter().map(String::as_str)).map(str::to_owned);
        let heads = ["var", "local", "module", "data", "each", "count", "path", "self"];
        let near = near.or_else(|| did_you_mean(kind, heads).map(|head| format!("{head}.{name}")));
        self.undeclared(&wanted, span, near.as_deref());
    }

    fn undeclared(&mut self, reference: &str, span: Span, near: Option<&str>) {
        self.report("undeclared reference", format!("there is no `{reference}` in this module"), span, near);
    }

    fn report(&mut self, summary: &str, detail: String, span: Span, near: Option<&str>) {
        let problem = Diagnostic::error(summary, detail).at(span);
        self.problems.push(match near {
            Some(near) => problem.help(format!("Did you mean `{near}`?")),
            None => problem,
        });
    }
}

/// The call that `module.call` or `module.call[key]` names.
fn called(base: &Expr) -> Option<&str> {
    match &base.node {
        Node::Root(Root::Module(name)) => Some(name),
        Node::Index(inner, _) => called(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::written::{check_problems, read_all};

    #[test]
    fn references_that_lead_nowhere_are_all_told() {
        check_problems(&[
            (
                "locals {\n  a = [var.x, local.y, k.n, data.k.n, module.m]\n}\n",
                &[
                    ("undeclared reference", "var.x"),
                    ("undeclared reference", "local.y"),
                    ("undeclared reference", "k.n"),
                    ("undeclared reference", "data.k.n"),
                    ("undeclared reference", "module.m"),
                ],
            ),
            (
                "output \"o\" {\n  value = \"x ${var.x} %{ if var.y }${var.z}%{ endif }\"\n}\n",
                &[("undeclared reference", "var.x"), ("undeclared reference", "var.y"), ("undeclared reference", "var.z")],
            ),
            (
                "resource \"k\" \"n\" {\n  a = [for var in [1] : var]\n  b { c = var.x }\n  depends_on = [k.o, check.c]\n}\n",
                &[("undeclared reference", "var.x"), ("undeclared reference", "k.o"), ("undeclared reference", "check.c")],
            ),
            (
                "variable \"v\" {\n  validation {\n    condition = var.v == var.w\n    error_message = local.m\n  }\n}\n",
                &[("undeclared reference", "var.w"), ("undeclared reference", "local.m")],
            ),
        ]);
    }

    #[test]
    fn a_near_name_is_suggested() {
        let declared = "variable \"clusters\" {}\nlocals {\n  pairs = 1\n}\nresource \"ca_root\" \"mesh\" {}\ndata \"k\" \"this\" {}\n";
        for (reference, help) in [
            ("var.clsuters", "Did you mean `var.clusters`?"),
            ("local.pair", "Did you mean `local.pairs`?"),
            ("ca_root.msh", "Did you mean `ca_root.mesh`?"),
            ("ca_rot.mesh", "Did you mean `ca_root.mesh`?"),
            ("data.k.thsi", "Did you mean `data.k.this`?"),
            ("vra.clusters", "Did you mean `var.clusters`?"),
            ("something.else", ""),
        ] {
            let (_, problems) = read_all(&[(".", &format!("{declared}output \"o\" {{\n  value = {reference}\n}}\n"))]);
            let expected = ("undeclared reference".to_owned(), reference.to_owned(), help.to_owned());
            assert_eq!(problems, [expected]);
        }
    }

    #[test]
    fn names_that_need_something_around_them() {
        check_problems(&[
            ("locals {\n  a = each.key\n}\n", &[("no repetition", "each.key")]),
            (
                "resource \"k\" \"n\" {\n  count = count.index\n  a = each.value\n}\n",
                &[("no repetition", "count.index"), ("no repetition", "each.value")],
            ),
            ("resource \"k\" \"n\" {\n  for_each = {}\n  a = count.index\n  b = each.key\n}\n", &[("no repetition", "count.index")]),
            ("module \"m\" {\n  source = \"./m\"\n  a = each.key\n}\n", &[("no repetition", "each.key")]),
            ("resource \"k\" \"n\" {\n  a = self.b\n}\n", &[("unknown name", "self")]),
            (
                "check \"c\" {\n  data \"d\" \"x\" {}\n  assert {\n    condition = data.d.x.ok\n    error_message = data.d.y.why\n  }\n}\nlocals {\n  a = data.d.x\n}\n",
                &[("undeclared reference", "data.d.x"), ("undeclared reference", "data.d.y")],
            ),
        ]);
    }

    #[test]
    fn calls_are_held_against_the_module_they_lead_to() {
        let root = "module \"m\" {\n  source = \"./m\"\n  extra = 1\n}\nlocals {\n  a = module.m.out\n  b = module.m.outt\n  c = module.m[0].none\n  d = module.m\n}\n";
        let called = "variable \"needed\" {}\nvariable \"extras\" {\n  default = 1\n}\noutput \"out\" {\n  value = 1\n}\n";
        let told = |summary: &str, at: &str, help: &str| (summary.to_owned(), at.to_owned(), help.to_owned());
        let (_, problems) = read_all(&[(".", root), ("m", called)]);
        assert_eq!(
            problems,
            [
                told("undeclared output", "module.m.outt", "Did you mean `out`?"),
                told("undeclared output", "module.m[0].none", ""),
                told("unknown argument", "extra", "Did you mean `extras`?"),
                told("missing argument", "module \"m\"", ""),
            ]
        );
        // What may stand in text that does not parse is not missed, and the rest is.
        let (_, problems) = read_all(&[(".", root), ("m", "output \"out\" {\n  value = *\n}\n")]);
        assert_eq!(
            problems,
            [
                told("syntax error", "*", ""),
                told("undeclared output", "module.m.outt", ""),
                told("undeclared output", "module.m[0].none", ""),
                told("unknown argument", "extra", ""),
            ]
        );
    }
}
