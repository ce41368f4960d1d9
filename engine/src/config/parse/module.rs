//! Whole modules: every file's blocks, put together by name.

use super::block::suggest;
use super::{Lowering, pieces};
use crate::config::model::{Config, Local, Module, Output, Settings, Variable};
use crate::config::validate::validate;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, ModuleKey, ModuleSource, SourceTree, Span};
use crate::value::{Class, Type};
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body, Structure};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Words that begin a top-level block, here or in Terraform.
pub(super) const BLOCKS: [&str; 14] = [
    "meshplan",
    "variable",
    "locals",
    "output",
    "resource",
    "data",
    "module",
    "check",
    "moved",
    "removed",
    "import",
    "provider",
    "terraform",
    "ephemeral",
];
const KNOWN: [&str; 8] = ["meshplan", "variable", "locals", "output", "resource", "data", "module", "check"];
/// Arguments of a module call; no variable can have their names.
const RESERVED: [&str; 8] = ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"];

/// Parses every module of a tree. `classes` are the words that type constraints may use beside the usual ones.
///
/// Every problem of every file is reported, and the configuration holds what is left. References that lead nowhere are among the
/// problems, except in a module of which some text could not be read.
pub fn parse(tree: &SourceTree, classes: &[Class]) -> (Config, Vec<Diagnostic>) {
    let mut config = Config { root: tree.root.clone(), modules: BTreeMap::new() };
    let mut problems = Vec::new();
    let mut unread = BTreeSet::new();
    for (key, source) in &tree.modules {
        let mut builder = Builder::new(source, classes);
        for id in &source.files {
            let Some(file) = tree.file(*id) else { continue };
            builder.file(&file.text, *id);
        }
        if builder.unread {
            unread.insert(key.clone());
        }
        problems.extend(builder.problems);
        config.modules.insert(key.clone(), Arc::new(builder.module));
    }
    validate(&config, &unread, &mut problems);
    (config, problems)
}

/// A `module` block as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleCall {
    /// Its name.
    pub name: Arc<str>,
    /// Its `source`.
    pub source: Arc<str>,
    /// Where the source stands.
    pub span: Span,
}

/// The module calls of one file that have a name and a source. What is wrong with the others, [`parse`] reports.
pub fn calls(text: &str, file: FileId) -> Vec<ModuleCall> {
    let mut found = Vec::new();
    // Most files have none, and their text need not be parsed twice.
    if !text.lines().any(|line| line.trim_start().starts_with("module")) {
        return found;
    }
    let _reported_by_parse = pieces::each_body(text, file, &mut |piece, base, body| {
        let lowering = Lowering::new(piece, base, file);
        for block in body.blocks().filter(|block| block.ident.as_str() == "module") {
            if let [name] = block.labels.as_slice()
                && let Some(source) = block.body.get_attribute("source")
                && let Expression::String(text) = &source.value
            {
                let (name, source) = (name.as_str().into(), lowering.of(&source.value));
                found.push(ModuleCall { name, source: text.as_str().into(), span: source });
            }
        }
    });
    found
}

/// One module in the making.
struct Builder<'t> {
    source: &'t ModuleSource,
    classes: &'t [Class],
    module: Module,
    settings: Option<Span>,
    problems: Vec<Diagnostic>,
    /// Whether some text could not be read.
    unread: bool,
}

impl<'t> Builder<'t> {
    fn new(source: &'t ModuleSource, classes: &'t [Class]) -> Self {
        let module = Module { directory: source.directory.clone(), ..Module::default() };
        Self { source, classes, module, settings: None, problems: Vec::new(), unread: false }
    }

    fn file(&mut self, text: &str, file: FileId) {
        let unread = pieces::each_body(text, file, &mut |piece, base, body| {
            let mut lowering = Lowering { classes: self.classes, ..Lowering::new(piece, base, file) };
            self.body(&mut lowering, body);
            self.problems.append(&mut lowering.problems);
        });
        self.unread |= !unread.is_empty();
        self.problems.extend(unread);
    }

    fn body(&mut self, lowering: &mut Lowering<'_>, body: &Body) {
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    let name = attribute.key.as_str();
                    let at = lowering.of(&attribute.key);
                    let problem = Diagnostic::error("unknown argument", format!("`{name} = …` cannot stand outside a block"));
                    lowering.report(problem.at(at).help("Values that are used more than once stand in `locals { … }`."));
                }
                Structure::Block(block) => self.block(lowering, block),
            }
        }
    }

    fn block(&mut self, lowering: &mut Lowering<'_>, block: &Block) {
        let module = &mut self.module;
        match block.ident.as_str() {
            "meshplan" => self.settings(lowering, block),
            "variable" => {
                if let Some((name, variable)) = lowering.variable(block) {
                    declare(&mut module.variables, name, variable, |variable| variable.span, ("variable", lowering));
                }
            }
            "locals" => {
                for (name, local) in lowering.locals(block) {
                    declare(&mut module.locals, name, local, |local| local.span, ("local", lowering));
                }
            }
            "output" => {
                if let Some((name, output)) = lowering.output(block) {
                    declare(&mut module.outputs, name, output, |output| output.span, ("output", lowering));
                }
            }
            "resource" | "data" => {
                if let Some(resource) = lowering.resource(block) {
                    let name = resource.name.clone();
                    declare(&mut module.resources, name, Arc::new(resource), |block| block.span, ("resource", lowering));
                }
            }
            "module" => {
                let calls = &self.source.calls;
                let module_of = |name: &str, source: &str| calls.get(name).cloned().unwrap_or_else(|| ModuleKey(source.into()));
                if let Some((name, call)) = lowering.module_call(block, &module_of) {
                    declare(&mut module.calls, name, call, |call| call.span, ("module call", lowering));
                }
            }
            "check" => {
                if let Some((name, check)) = lowering.check(block) {
                    declare(&mut module.checks, name, check, |check| check.span, ("check", lowering));
                }
            }
            other => foreign(lowering, block, other),
        }
    }

    fn settings(&mut self, lowering: &mut Lowering<'_>, block: &Block) {
        let here = lowering.header(block);
        if lowering.labels(block, []).is_none() {
            return;
        }
        if let Some(first) = self.settings {
            let problem = Diagnostic::error("duplicate block", "a module has one `meshplan` block");
            lowering.report(problem.at(here).related(first, "the first one is here"));
        }
        self.settings = self.settings.or(Some(here));
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) if attribute.key.as_str() == "required_version" => {
                    let at = lowering.of(&attribute.value);
                    let version = lowering.constant_text(attribute).map(|version| (version, at));
                    self.module.settings = Settings { required_version: version };
                }
                Structure::Attribute(attribute) => lowering.unknown_argument(attribute, "meshplan", &["required_version"]),
                Structure::Block(inner) => {
                    let at = lowering.header(inner);
                    match inner.ident.as_str() {
                        "backend" => lowering.unsupported(
                            "a `backend` block",
                            at,
                            "The state stands in `meshplan.state.json` beside the configuration.",
                        ),
                        "encryption" => lowering.unsupported(
                            "an `encryption` block",
                            at,
                            "Keep the state where others cannot read it: it is written with mode 0600.",
                        ),
                        "required_providers" => {
                            lowering.unsupported("`required_providers`", at, "Remove it: every kind is part of meshplan.");
                        }
                        _ => lowering.unknown_block(inner, "meshplan", &["backend", "encryption"]),
                    }
                }
            }
        }
    }
}

/// Reports a top-level block that is none of ours.
fn foreign(lowering: &mut Lowering<'_>, block: &Block, word: &str) {
    let at = lowering.header(block);
    match word {
        "moved" => lowering.unsupported("a `moved` block", at, "Keep the old name for now."),
        "removed" => lowering.unsupported("a `removed` block", at, "Remove the resource's block: it is deleted by the next apply."),
        "import" => lowering.unsupported("an `import` block", at, "Things that exist can be read with a `data` block."),
        "ephemeral" => lowering.unsupported("an `ephemeral` block", at, "Use a sensitive variable."),
        "provider" => lowering.unsupported(
            "a `provider` block",
            at,
            "Remove it: a resource names its cluster by reference, as in `cluster = sandbox_cluster.this`.",
        ),
        "terraform" => {
            let problem = Diagnostic::error("unknown block", "settings stand in a `meshplan` block, not in `terraform`");
            lowering.report(problem.at(at).help("Write `meshplan { required_version = \"…\" }`."));
        }
        _ => {
            let problem = Diagnostic::error("unknown block", format!("there is no block `{word}`"));
            lowering.report(suggest(problem, word, &KNOWN).at(at));
        }
    }
}

/// Adds a thing by name; of two with one name the first counts, and the second is a problem that shows both.
fn declare<K: Ord, T>(things: &mut BTreeMap<K, T>, name: K, thing: T, span: fn(&T) -> Span, (what, lowering): (&str, &mut Lowering<'_>)) {
    if let Some(first) = things.get(&name) {
        let problem = Diagnostic::error("duplicate name", format!("a {what} of this name is declared already"));
        lowering.report(problem.at(span(&thing)).related(span(first), "the first one is here").help("Rename one of the two."));
    } else {
        things.insert(name, thing);
    }
}

impl Lowering<'_> {
    fn variable(&mut self, block: &Block) -> Option<(Arc<str>, Variable)> {
        const ARGUMENTS: [&str; 5] = ["type", "default", "description", "sensitive", "nullable"];
        let [(name, at)] = self.labels(block, ["name"])?;
        if RESERVED.contains(&&*name) {
            let detail = format!("no variable can be named `{name}`, which is an argument of every module call");
            self.report(Diagnostic::error("reserved name", detail).at(at));
        }
        let span = self.header(block);
        let mut variable =
            Variable { ty: Type::Any, default: None, description: None, sensitive: false, nullable: true, validations: Vec::new(), span };
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "type" => variable.ty = self.type_constraint(&attribute.value),
                    "default" => variable.default = self.constant(attribute),
                    "description" => variable.description = self.constant_text(attribute),
                    "sensitive" => variable.sensitive = self.constant_bool(attribute).unwrap_or_default(),
                    "nullable" => variable.nullable = self.constant_bool(attribute).unwrap_or(true),
                    "ephemeral" => {
                        let at = self.of(&attribute.key);
                        self.unsupported("`ephemeral`", at, "Write `sensitive = true`: its value is never shown.");
                    }
                    _ => self.unknown_argument(attribute, "variable", &ARGUMENTS),
                },
                Structure::Block(inner) if inner.ident.as_str() == "validation" => {
                    variable.validations.extend(self.assertion(inner));
                }
                Structure::Block(inner) => self.unknown_block(inner, "variable", &["validation"]),
            }
        }
        Some((name, variable))
    }

    fn locals(&mut self, block: &Block) -> Vec<(Arc<str>, Local)> {
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

    fn output(&mut self, block: &Block) -> Option<(Arc<str>, Output)> {
        const ARGUMENTS: [&str; 4] = ["value", "description", "sensitive", "depends_on"];
        let [(name, _)] = self.labels(block, ["name"])?;
        let (mut value, mut description, mut sensitive) = (None, None, false);
        let (mut depends_on, mut preconditions) = (Vec::new(), Vec::new());
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "value" => value = Some(self.expression(&attribute.value)),
                    "description" => description = self.constant_text(attribute),
                    "sensitive" => sensitive = self.constant_bool(attribute).unwrap_or_default(),
                    "depends_on" => depends_on = self.dependencies(&attribute.value),
                    "ephemeral" => {
                        let at = self.of(&attribute.key);
                        self.unsupported("`ephemeral`", at, "Write `sensitive = true`: its value is shown only when asked for.");
                    }
                    _ => self.unknown_argument(attribute, "output", &ARGUMENTS),
                },
                Structure::Block(inner) if inner.ident.as_str() == "precondition" => preconditions.extend(self.assertion(inner)),
                Structure::Block(inner) => self.unknown_block(inner, "output", &["precondition"]),
            }
        }
        if value.is_none() {
            self.missing("value", block);
        }
        Some((name, Output { value: value?, description, sensitive, depends_on, preconditions, span: self.header(block) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Module, Vec<(String, String)>) {
        let mut tree = SourceTree::new(".");
        let id = tree.add("main.mesh.hcl", text);
        let root = tree.root.clone();
        tree.modules.entry(root.clone()).or_default().files.push(id);
        let (config, problems) = parse(&tree, &["cluster", "issuer"]);
        let at = |span: Span| text[span.start as usize..span.end as usize].to_owned();
        let problems = problems.into_iter().map(|problem| (problem.summary.clone(), problem.at.map(at).unwrap_or_default()));
        (config.modules[&root].as_ref().clone(), problems.collect())
    }

    #[test]
    fn every_problem_is_found_in_one_run() {
        let text = "variable \"a\" {\n  typo = 1\n}\nlocals {\n  b = var.c\n  d = [for x in var.a : y]\n}\noutput \"o\" {}\n";
        let (module, problems) = parsed(text);
        let expected =
            [("unknown argument", "typo"), ("unknown name", "y"), ("missing argument", "output \"o\""), ("undeclared reference", "var.c")];
        assert_eq!(problems, expected.map(|(summary, at)| (summary.to_owned(), at.to_owned())));
        assert_eq!((module.variables.len(), module.locals.len()), (1, 2));
    }
}
