//! Whole modules: every file's blocks, put together by name.

use super::block::suggest;
use super::{Lowering, pieces};
use crate::config::model::{
    CallBlock, CheckBlock, Config, ImportBlock, Local, Module, Moved, Output, ProviderBlock, Removed, ResourceBlock, Settings, Variable,
};
use crate::config::validate::{Unread, validate};
use crate::diagnostic::{Diagnostic, Problems};
use crate::schema::ProviderName;
use crate::source::{FileId, ModuleKey, ModuleSource, SourceTree, Span};
use crate::value::Class;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Structure};
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
const KNOWN: [&str; 12] =
    ["meshplan", "provider", "variable", "locals", "output", "resource", "data", "module", "check", "moved", "removed", "import"];
/// Parses every module of a tree. `classes` are the words that type constraints may use beside the usual ones.
///
/// Every problem of every file is reported, and the configuration holds what is left. References that lead nowhere are among the
/// problems, except where what they name may stand in text that could not be read.
pub fn parse(tree: &SourceTree, classes: &[Class]) -> (Config, Vec<Diagnostic>) {
    let mut config = Config { root: tree.root.clone(), modules: BTreeMap::new() };
    let mut problems = Vec::new();
    let mut unread = Unread::new();
    for (key, source) in &tree.modules {
        let mut builder = Builder::new(source, classes);
        let files: Vec<_> = source.files.iter().filter_map(|id| Some((*id, &*tree.file(*id)?.text))).collect();
        builder.files(&files);
        if let Some(words) = builder.unread {
            unread.insert(key.clone(), words);
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
    kinds: BTreeSet<Arc<str>>,
    problems: Problems,
    /// The words of the text that could not be read, if there is such.
    unread: Option<BTreeSet<Arc<str>>>,
}

impl<'t> Builder<'t> {
    fn new(source: &'t ModuleSource, classes: &'t [Class]) -> Self {
        let module = Module { directory: source.directory.clone(), ..Module::default() };
        Self { source, classes, module, kinds: BTreeSet::new(), problems: Vec::new(), unread: None }
    }

    fn files(&mut self, files: &[(FileId, &str)]) {
        let (classes, calls) = (self.classes, &self.source.calls);
        let read = pieces::map_bodies(files, &|(piece, base, file), body| {
            let mut lowering = Lowering { classes, ..Lowering::new(piece, base, file) };
            body.iter().map(|structure| lowering.structure(structure, calls)).collect::<Vec<_>>()
        });
        for (file, (_, text)) in read.into_iter().zip(files) {
            for lowered in file.made.into_iter().flatten() {
                self.problems.extend(lowered.problems);
                self.declare(lowered.declared);
            }
            for unread in file.unread {
                self.unread.get_or_insert_default().extend(words(&text[unread.stretch]));
                self.problems.push(unread.problem);
            }
        }
    }

    fn declare(&mut self, declared: Declared) {
        let (module, problems) = (&mut self.module, &mut self.problems);
        match declared {
            Declared::Nothing => {}
            Declared::Settings(settings) => merge(&mut module.settings, *settings, problems),
            Declared::Variable(name, variable) => {
                declare(&mut module.variables, name, *variable, |variable| variable.span, ("variable", problems));
            }
            Declared::Provider(name, provider) => {
                declare(&mut module.providers, name, *provider, |provider| provider.span, ("provider", problems));
            }
            Declared::Locals(locals) => {
                for (name, local) in locals {
                    declare(&mut module.locals, name, local, |local| local.span, ("local", problems));
                }
            }
            Declared::Output(name, output) => declare(&mut module.outputs, name, *output, |output| output.span, ("output", problems)),
            Declared::Resource(mut resource) => {
                // Blocks of one kind share its name, wherever they stand.
                if let Some(resource) = Arc::get_mut(&mut resource) {
                    match self.kinds.get(&resource.name.kind) {
                        Some(kind) => resource.name.kind = kind.clone(),
                        None => {
                            self.kinds.insert(resource.name.kind.clone());
                        }
                    }
                }
                declare(&mut module.resources, resource.name.clone(), resource, |block| block.span, ("resource", problems));
            }
            Declared::Call(name, call) => declare(&mut module.calls, name, *call, |call| call.span, ("module call", problems)),
            Declared::Check(name, check) => declare(&mut module.checks, name, *check, |check| check.span, ("check", problems)),
            Declared::Moved(moved) => module.moved.push(*moved),
            Declared::Removed(removed) => module.removed.push(*removed),
            Declared::Import(import) => module.imports.push(*import),
        }
    }
}

/// What a statement outside of blocks declares.
enum Declared {
    Nothing,
    Settings(Box<Settings>),
    Provider(ProviderName, Box<ProviderBlock>),
    Variable(Arc<str>, Box<Variable>),
    Locals(Vec<(Arc<str>, Local)>),
    Output(Arc<str>, Box<Output>),
    Resource(Arc<ResourceBlock>),
    Call(Arc<str>, Box<CallBlock>),
    Check(Arc<str>, Box<CheckBlock>),
    Moved(Box<Moved>),
    Removed(Box<Removed>),
    Import(Box<ImportBlock>),
}

/// A statement that was read.
struct Lowered {
    declared: Declared,
    problems: Problems,
}

impl Lowering<'_> {
    /// One statement outside of blocks. `calls` says where module calls lead.
    fn structure(&mut self, structure: &Structure, calls: &BTreeMap<Arc<str>, ModuleKey>) -> Lowered {
        let declared = match structure {
            Structure::Attribute(attribute) => {
                let name = attribute.key.as_str();
                let at = self.of(&attribute.key);
                let problem = Diagnostic::error("unknown argument", format!("`{name} = …` cannot stand outside a block"));
                self.report(problem.at(at).help("Values that are used more than once stand in `locals { … }`."));
                None
            }
            Structure::Block(block) => self.declared(block, calls),
        };
        Lowered { declared: declared.unwrap_or(Declared::Nothing), problems: std::mem::take(&mut self.problems) }
    }

    fn declared(&mut self, block: &Block, calls: &BTreeMap<Arc<str>, ModuleKey>) -> Option<Declared> {
        match block.ident.as_str() {
            "meshplan" => self.settings(block),
            "provider" => self.provider(block).map(|(name, provider)| Declared::Provider(name, Box::new(provider))),
            "variable" => self.variable(block).map(|(name, variable)| Declared::Variable(name, Box::new(variable))),
            "locals" => Some(Declared::Locals(self.locals(block))),
            "output" => self.output(block).map(|(name, output)| Declared::Output(name, Box::new(output))),
            "resource" | "data" => self.resource(block).map(|resource| Declared::Resource(Arc::new(resource))),
            "module" => {
                let module_of = |name: &str, source: &str| calls.get(name).cloned().unwrap_or_else(|| ModuleKey(source.into()));
                self.module_call(block, &module_of).map(|(name, call)| Declared::Call(name, Box::new(call)))
            }
            "check" => self.check(block).map(|(name, check)| Declared::Check(name, Box::new(check))),
            "moved" => self.moved(block).map(|moved| Declared::Moved(Box::new(moved))),
            "removed" => self.removed(block).map(|removed| Declared::Removed(Box::new(removed))),
            "import" => self.import(block).map(|import| Declared::Import(Box::new(import))),
            other => {
                foreign(self, block, other);
                None
            }
        }
    }

    fn settings(&mut self, block: &Block) -> Option<Declared> {
        self.labels(block, [])?;
        self.once(block, "backend");
        self.once(block, "encryption");
        let mut settings = Settings::default();
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) if attribute.key.as_str() == "required_version" => {
                    let at = self.of(&attribute.value);
                    settings.required_version.extend(self.constant_text(attribute).map(|version| (version, at)));
                }
                Structure::Attribute(attribute) if attribute.key.as_str() == "history" => {
                    let at = self.of(&attribute.key);
                    settings.history = self.constant_count(attribute).map(|count| (count, at));
                }
                Structure::Attribute(attribute) => self.unknown_argument(attribute, "meshplan", &["required_version", "history"]),
                Structure::Block(inner) => {
                    let at = self.header(inner);
                    match inner.ident.as_str() {
                        "backend" => settings.backend = settings.backend.take().or(self.backend(inner)),
                        "encryption" => {
                            let read = self.encryption(inner);
                            settings.encryption = settings.encryption.or(read);
                        }
                        "lint" => settings.exceptions.extend(self.lint(inner)),
                        "required_providers" => {
                            self.unsupported("`required_providers`", at, "Remove it: every kind is part of meshplan.");
                        }
                        _ => self.unknown_block(inner, "meshplan", &["backend", "encryption", "lint"]),
                    }
                }
            }
        }
        Some(Declared::Settings(Box::new(settings)))
    }
}

/// Reports a top-level block that is none of ours.
fn foreign(lowering: &mut Lowering<'_>, block: &Block, word: &str) {
    let at = lowering.header(block);
    match word {
        "ephemeral" => lowering.unsupported("an `ephemeral` block", at, "Use an ephemeral variable."),
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

/// Adds what another `meshplan` block of a module says.
fn merge(settings: &mut Settings, more: Settings, problems: &mut Problems) {
    let mut twice = |summary: &str, name: &str, first: Option<Span>, second: Option<Span>| {
        if let (Some(first), Some(second)) = (first, second) {
            let problem = Diagnostic::error(summary, format!("the `meshplan` blocks of a module have one `{name}` together")).at(second);
            problems.push(problem.related(first, "the first one is here").help("Keep one of the two."));
        }
    };
    let history = |settings: &Settings| settings.history.map(|(_, at)| at);
    let backend = |settings: &Settings| settings.backend.as_ref().map(|backend| backend.span);
    let encryption = |settings: &Settings| settings.encryption.as_ref().map(|encryption| encryption.span);
    twice("duplicate argument", "history", history(settings), history(&more));
    twice("duplicate block", "backend", backend(settings), backend(&more));
    twice("duplicate block", "encryption", encryption(settings), encryption(&more));
    settings.required_version.extend(more.required_version);
    settings.history = settings.history.or(more.history);
    settings.backend = settings.backend.take().or(more.backend);
    settings.encryption = settings.encryption.take().or(more.encryption);
    settings.exceptions.extend(more.exceptions);
}

/// The words of a text that may be names.
fn words(text: &str) -> impl Iterator<Item = Arc<str>> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).filter(|word| !word.is_empty()).map(Arc::from)
}

/// Adds a thing by name; of two with one name the first counts, and the second is a problem that shows both.
fn declare<K: Ord, T>(things: &mut BTreeMap<K, T>, name: K, thing: T, span: fn(&T) -> Span, (what, problems): (&str, &mut Problems)) {
    if let Some(first) = things.get(&name) {
        let problem = Diagnostic::error("duplicate name", format!("a {what} of this name is declared already"));
        problems.push(problem.at(span(&thing)).related(span(first), "the first one is here").help("Rename one of the two."));
    } else {
        things.insert(name, thing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::written::{check_problems, read, read_all};

    #[test]
    fn every_problem_is_found_in_one_run() {
        check_problems(&[(
            "variable \"a\" {\n  typo = 1\n}\nlocals {\n  b = var.c\n  d = [for x in var.a : y]\n}\noutput \"o\" {}\n",
            &[("unknown argument", "typo"), ("unknown name", "y"), ("missing argument", "output \"o\""), ("undeclared reference", "var.c")],
        )]);
    }

    #[test]
    fn what_is_wrong_with_a_block_is_told() {
        check_problems(&[
            ("x = 1\n", &[("unknown argument", "x")]),
            ("varible \"x\" {}\n", &[("unknown block", "varible \"x\"")]),
            ("terraform {}\n", &[("unknown block", "terraform")]),
            ("variable {}\n", &[("wrong labels", "variable")]),
            ("variable \"a\" \"b\" {}\n", &[("wrong labels", "variable \"a\" \"b\"")]),
            ("variable \"a b\" {}\n", &[("invalid name", "\"a b\"")]),
            ("variable \"count\" {}\n", &[("reserved name", "\"count\"")]),
            ("variable \"a\" {\n  sensitive = \"yes\"\n}\n", &[("wrong value", "\"yes\"")]),
            ("variable \"a\" {\n  description = [1]\n}\n", &[("wrong value", "[1]")]),
            ("variable \"a\" {\n  default = var.b\n}\n", &[("not a constant", "var.b")]),
            ("variable \"a\" {\n  default = upper(\"x\")\n}\n", &[("not a constant", "upper(\"x\")")]),
            ("variable \"a\" {\n  validation {}\n}\n", &[("missing argument", "validation"), ("missing argument", "validation")]),
            ("variable \"a\" {\n  other {}\n}\n", &[("unknown block", "other")]),
            ("locals {\n  a {}\n}\n", &[("unknown block", "a")]),
            ("locals \"x\" {}\n", &[("wrong labels", "locals \"x\"")]),
            ("output \"a\" {\n  valu = 1\n}\n", &[("unknown argument", "valu"), ("missing argument", "output \"a\"")]),
            ("output \"a\" {\n  value = 1\n  ephemeral = true\n}\n", &[("ephemeral output", "output \"a\"")]),
            ("variable \"a\" {\n  ephemeral = var.b\n}\n", &[("not a constant", "var.b")]),
            ("meshplan {\n  version = 1\n}\n", &[("unknown argument", "version")]),
            ("meshplan {}\nmeshplan {\n  history = 1\n}\nmeshplan {\n  history = 2\n}\n", &[("duplicate argument", "history")]),
            ("meshplan {\n  backend \"s3\" {}\n}\nmeshplan {\n  backend \"s3\" {}\n}\n", &[("duplicate block", "backend \"s3\"")]),
            ("meshplan {\n  backend \"s3\" {}\n  backend \"gcs\" {}\n}\n", &[("duplicate block", "backend \"gcs\"")]),
        ]);
    }

    #[test]
    fn what_terraform_has_and_we_have_not_is_said_to_be_so() {
        for block in [
            "ephemeral \"a\" \"b\" {}",
            "meshplan {\n  required_providers {}\n}",
            "resource \"k\" \"n\" {\n  provisioner \"local-exec\" {}\n}",
            "module \"m\" {\n  source = \"./m\"\n  version = \"1\"\n}",
        ] {
            let (_, problems) = read_all(&[(".", &format!("{block}\n"))]);
            assert_eq!(problems.len(), 1, "{block}: {problems:?}");
            assert_eq!(problems[0].0, "not supported yet", "{block}");
            assert!(!problems[0].2.is_empty(), "{block}");
        }
    }

    #[test]
    fn of_two_things_with_one_name_the_first_counts_and_both_are_shown() {
        for (text, first) in [
            ("variable \"a\" {}\nvariable \"a\" {}\n", "variable \"a\""),
            ("locals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n", "a"),
            ("output \"a\" {\n  value = 1\n}\noutput \"a\" {\n  value = 1\n}\n", "output \"a\""),
            ("resource \"k\" \"a\" {}\nresource \"k\" \"a\" {}\n", "resource \"k\" \"a\""),
            ("data \"k\" \"a\" {}\ndata \"k\" \"a\" {}\n", "data \"k\" \"a\""),
            ("check \"a\" {\n  assert {\n    condition = path.root != \"\"\n    error_message = \"\"\n  }\n}\n", "check \"a\""),
        ] {
            let text = if text.starts_with("check") { text.repeat(2) } else { text.to_owned() };
            let mut tree = SourceTree::new(".");
            let file = tree.add("main.mesh.hcl", &text);
            let root = tree.root.clone();
            tree.modules.entry(root).or_default().files.push(file);
            let (_, problems) = parse(&tree, &[]);
            let [problem] = problems.as_slice() else { panic!("{text}: {problems:?}") };
            assert_eq!(problem.summary, "duplicate name");
            let [(related, _)] = problem.related.as_slice() else { panic!("{problem:?}") };
            let place = |span: Span| &text[span.start as usize..span.end as usize];
            assert_eq!((place(*related), problem.at.map(place)), (first, Some(first)));
            assert!(related.start < problem.at.unwrap().start);
        }
        let (_, problems) = read("resource \"k\" \"a\" {}\ndata \"k\" \"a\" {}\n");
        assert_eq!(problems, []);
    }

    #[test]
    fn calls_are_listed_without_reading_the_rest() {
        let text = "module \"a\" {\n  source = \"./a\"\n}\nmodule \"b\" {\n  source = var.x\n}\nmodule {\n  source = \"x\"\n}\nx = ]\nmodule \"c\" {\n  source = \"builtin:c\"\n}\n";
        let found: Vec<_> = calls(text, FileId(3)).into_iter().map(|call| (call.name.to_string(), call.source.to_string())).collect();
        let expected = [("a", "./a"), ("c", "builtin:c")].map(|(name, source)| (name.to_owned(), source.to_owned()));
        assert_eq!(found, expected);
        assert_eq!(calls("locals {}\n", FileId(0)), []);
    }

    #[test]
    fn a_statement_that_does_not_parse_hides_no_other() {
        let text = "variable \"a\" {\n  type = [\n}\nvariable \"b\" {\n  typ = string\n}\nlocals {\n  c = var.a\n}\n";
        let (module, problems) = read(text);
        assert_eq!(module.variables.keys().map(|name| &**name).collect::<Vec<_>>(), ["b"]);
        let summaries: Vec<_> = problems.iter().map(|(summary, _)| summary.as_str()).collect();
        assert_eq!(summaries, ["unknown argument", "syntax error"]);
    }

    #[test]
    fn what_may_stand_in_text_that_does_not_parse_is_not_missed() {
        let text =
            "variable \"a\" {\n  type = [\n}\nlocals {\n  x = [var.a, var.b, k.n, k.m, module.m]\n}\nresource \"k\" \"n\" {\n  y = *\n}\n";
        let (_, problems) = read(text);
        let found: Vec<_> = problems.iter().map(|(summary, at)| (summary.as_str(), at.as_str())).collect();
        let missed = |at| ("undeclared reference", at);
        assert_eq!(found, [("syntax error", "}"), ("syntax error", "*"), missed("var.b"), missed("k.m"), missed("module.m")]);
    }
}
