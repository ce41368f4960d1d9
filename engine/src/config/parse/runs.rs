//! Test files: `variables` and `run` blocks.

use super::{Lowering, pieces};
use crate::address::Mode;
use crate::config::duration::seconds;
use crate::config::expression::{Expr, Node, Root};
use crate::config::model::{Argument, Config, Module};
use crate::config::runs::{Checkable, Retry, Run, RunCommand, TestFile};
use crate::config::validate::validate_module;
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::source::FileId;
use crate::value::Value;
use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::{Attribute, Block, Structure};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stands in a test file, here or in Terraform.
const KNOWN: [&str; 2] = ["variables", "run"];
const RETRY_SECONDS: u64 = 120;
const RETRY_INTERVAL: u64 = 2;

/// Parses a test file of a module that was parsed without an error. Every problem of it is reported, references that lead nowhere among them.
pub fn parse_runs(text: &str, file: FileId, config: &Config) -> (TestFile, Problems) {
    let mut found = TestFile::default();
    let mut problems = Problems::new();
    let mut runs = Vec::new();
    let unread = pieces::each_body(text, file, &mut |piece, base, body| {
        let mut lowering = Lowering { runs: Some(std::mem::take(&mut runs)), ..Lowering::new(piece, base, file) };
        for structure in body {
            lowering.test_structure(structure, &mut found);
        }
        problems.append(&mut lowering.problems);
        runs = lowering.runs.unwrap_or_default();
    });
    let complete = unread.is_empty();
    problems.extend(unread);
    if complete && let Some(module) = config.modules.get(&config.root) {
        validate_runs(&found, config, module, &mut problems);
    }
    (found, problems)
}

impl Lowering<'_> {
    fn test_structure(&mut self, structure: &Structure, tests: &mut TestFile) {
        match structure {
            Structure::Attribute(attribute) => {
                let at = self.of(&attribute.key);
                let detail = format!("`{} = …` cannot stand outside a block", attribute.key.as_str());
                self.report(Diagnostic::error("unknown argument", detail).at(at).help("Values stand in `variables { … }`."));
            }
            Structure::Block(block) => match block.ident.as_str() {
                "variables" => tests.variables.extend(self.test_variables(block)),
                "run" => {
                    if let Some(run) = self.run(block) {
                        self.add_run(run, tests);
                    }
                }
                "provider" | "mock_provider" | "override_resource" | "override_data" | "override_module" | "test" => {
                    let at = self.header(block);
                    let what = format!("`{}` in a test file", block.ident.as_str());
                    self.unsupported(&what, at, "Sandbox clusters stand in for real ones: give the module another cluster by a variable.");
                }
                other => {
                    let at = self.header(block);
                    let problem = Diagnostic::error("unknown block", format!("a test file cannot hold a block `{other}`"));
                    self.report(super::block::suggest(problem, other, &KNOWN).at(at));
                }
            },
        }
    }

    fn add_run(&mut self, run: Run, tests: &mut TestFile) {
        if let Some(first) = tests.runs.iter().find(|other| other.name == run.name) {
            let problem = Diagnostic::error("duplicate name", "a run of this name stands in this file already").at(run.span);
            self.report(problem.related(first.span, "the first one is here").help("Rename one of the two."));
            return;
        }
        self.runs.get_or_insert_default().push(run.name.clone());
        tests.runs.push(run);
    }

    /// `variables { name = value }`
    fn test_variables(&mut self, block: &Block) -> Vec<Argument> {
        let mut variables = Vec::new();
        if self.labels(block, []).is_none() {
            return variables;
        }
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => {
                    let argument = self.argument(attribute);
                    self.values_only(&argument.value);
                    variables.push(argument);
                }
                Structure::Block(inner) => self.unknown_block(inner, "variables", &[]),
            }
        }
        variables
    }

    /// Values of variables are there before the module is: they refer to `var` and `run` alone.
    fn values_only(&mut self, expression: &Expr) {
        if let Node::Root(root) = &expression.node {
            let allowed = match root {
                Root::Local(name) => name.starts_with("run."),
                Root::Variable(_) | Root::Bound(_) | Root::Element | Root::PathModule | Root::PathRoot | Root::PathCwd => true,
                _ => false,
            };
            if !allowed {
                let detail = "the value of a variable is there before the module is, and can refer to `var` and `run` only";
                let help = "An output of a run before this one is `run.name.output`.";
                self.report(Diagnostic::error("unknown name", detail).at(expression.span).help(help));
            }
        }
        expression.each_child(&mut |child| self.values_only(child));
    }

    fn run(&mut self, block: &Block) -> Option<Run> {
        const ARGUMENTS: [&str; 2] = ["command", "expect_failures"];
        const BLOCKS: [&str; 4] = ["variables", "data", "retry_until", "assert"];
        let [(name, _)] = self.labels(block, ["name"])?;
        let (command, span) = (RunCommand::default(), self.header(block));
        let mut run =
            Run { name, command, variables: Vec::new(), data: Vec::new(), retry: None, assertions: Vec::new(), expected: Vec::new(), span };
        for word in ["variables", "retry_until"] {
            self.once(block, word);
        }
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "command" => run.command = self.run_command(attribute),
                    "expect_failures" => run.expected = self.expected(attribute),
                    "providers" | "parallel" | "state_key" => {
                        let at = self.of(&attribute.key);
                        self.unsupported(&format!("`{}`", attribute.key.as_str()), at, "Remove it: the runs of a file share one state.");
                    }
                    _ => self.unknown_argument(attribute, "run", &ARGUMENTS),
                },
                Structure::Block(inner) => match inner.ident.as_str() {
                    "variables" => run.variables = self.test_variables(inner),
                    "data" => self.run_data(inner, &mut run),
                    "retry_until" => run.retry = self.retry(inner),
                    "assert" => run.assertions.extend(self.assertion(inner)),
                    "module" | "plan_options" | "override_resource" | "override_data" | "override_module" => {
                        let at = self.header(inner);
                        let what = format!("`{}` in a `run` block", inner.ident.as_str());
                        self.unsupported(&what, at, "A run can read what it needs by `data` blocks of its own.");
                    }
                    _ => self.unknown_block(inner, "run", &BLOCKS),
                },
            }
        }
        Some(run)
    }

    fn run_data(&mut self, block: &Block, run: &mut Run) {
        let Some(data) = self.resource(block) else { return };
        match run.data.iter().find(|other| other.name == data.name) {
            Some(first) => {
                let problem = Diagnostic::error("duplicate name", "a data source of this name is declared in this run already");
                self.report(problem.at(data.span).related(first.span, "the first one is here").help("Rename one of the two."));
            }
            None => run.data.push(Arc::new(data)),
        }
    }

    /// `command = plan` or `command = apply`.
    fn run_command(&mut self, attribute: &Attribute) -> RunCommand {
        match &attribute.value {
            Expression::Variable(word) if word.as_str() == "plan" => RunCommand::Plan,
            Expression::Variable(word) if word.as_str() == "apply" => RunCommand::Apply,
            _ => {
                let at = self.of(&attribute.value);
                self.report(Diagnostic::error("wrong value", "`command` is `plan` or `apply`, without quotes").at(at));
                RunCommand::default()
            }
        }
    }

    /// `expect_failures = [var.name, check.name, …]`
    fn expected(&mut self, attribute: &Attribute) -> Vec<(Checkable, crate::source::Span)> {
        let mut expected = Vec::new();
        for item in self.each_item(&attribute.value, "expect_failures") {
            let span = self.of(item);
            if let Some(checkable) = checkable(item) {
                expected.push((checkable, span));
            } else {
                let detail = format!("`{}` is nothing that has conditions of its own", self.source(item.span()).trim());
                let help = "An entry is `var.name`, `output.name`, `check.name`, `kind.name` or `data.kind.name`.";
                self.report(Diagnostic::error("wrong expected failure", detail).at(span).help(help));
            }
        }
        expected
    }

    fn retry(&mut self, block: &Block) -> Option<Retry> {
        const ARGUMENTS: [&str; 3] = ["condition", "timeout", "interval"];
        self.labels(block, [])?;
        let (mut condition, mut timeout, mut interval) = (None, RETRY_SECONDS, RETRY_INTERVAL);
        for structure in &block.body {
            match structure {
                Structure::Attribute(attribute) => match attribute.key.as_str() {
                    "condition" => condition = Some(self.expression(&attribute.value)),
                    "timeout" => timeout = self.constant_seconds(attribute).unwrap_or(timeout),
                    "interval" => interval = self.constant_seconds(attribute).unwrap_or(interval),
                    _ => self.unknown_argument(attribute, "retry_until", &ARGUMENTS),
                },
                Structure::Block(inner) => self.unknown_block(inner, "retry_until", &[]),
            }
        }
        if condition.is_none() {
            self.missing("condition", block);
        }
        Some(Retry { condition: condition?, timeout, interval, span: self.header(block) })
    }

    /// The seconds that an attribute says in constant text. Anything else is reported.
    pub(super) fn constant_seconds(&mut self, attribute: &Attribute) -> Option<u64> {
        let text = self.constant_text(attribute)?;
        let found = seconds(&text);
        if found.is_none() {
            let at = self.of(&attribute.value);
            let detail = format!("`{}` is a text such as `\"90s\"`, `\"10m\"` or `\"1h\"`", attribute.key.as_str());
            self.report(Diagnostic::error("wrong value", detail).at(at));
        }
        found
    }
}

/// What an entry of `expect_failures` names.
fn checkable(item: &Expression) -> Option<Checkable> {
    let Expression::Traversal(traversal) = item else { return None };
    let Expression::Variable(head) = &traversal.expr else { return None };
    let mut steps = Vec::new();
    for operator in &traversal.operators {
        let TraversalOperator::GetAttr(name) = operator.value() else { return None };
        steps.push(Arc::<str>::from(name.as_str()));
    }
    let resource = |mode, kind: &Arc<str>, name: &Arc<str>| {
        let (kind, name) = (kind.clone(), name.clone());
        Checkable::Resource(crate::config::model::ResourceName { mode, kind, name })
    };
    match (head.as_str(), steps.as_slice()) {
        ("var", [name]) => Some(Checkable::Variable(name.clone())),
        ("output", [name]) => Some(Checkable::Output(name.clone())),
        ("check", [name]) => Some(Checkable::Check(name.clone())),
        ("data", [kind, name]) => Some(resource(Mode::Data, kind, name)),
        ("resource", [kind, name]) => Some(resource(Mode::Managed, kind, name)),
        ("var" | "local" | "module" | "data" | "path" | "each" | "count" | "run" | "self", _) => None,
        (kind, [name]) => Some(resource(Mode::Managed, &kind.into(), name)),
        _ => None,
    }
}

/// Reports what a module does not have.
fn validate_runs(test: &TestFile, config: &Config, module: &Module, problems: &mut Problems) {
    for argument in test.variables.iter().chain(test.runs.iter().flat_map(|run| &run.variables)) {
        if !module.variables.contains_key(&argument.name) {
            let detail = format!("the module under test has no variable `{}`; its value is not used", argument.name);
            let problem = Diagnostic::warning("unknown variable", detail).at(argument.name_span);
            problems.push(match did_you_mean(&argument.name, module.variables.keys().map(|name| &**name)) {
                Some(near) => problem.help(format!("Did you mean `{near}`?")),
                None => problem,
            });
        }
    }
    let former: BTreeMap<Arc<str>, Value> = test.runs.iter().map(|run| (run.name.clone(), Value::null())).collect();
    for run in &test.runs {
        for (expected, span) in run.expected.iter().filter(|(expected, _)| !expected.is_in(module)) {
            let detail = format!("there is no `{expected}` in this module");
            problems.push(Diagnostic::error("undeclared reference", detail).at(*span));
        }
        for data in run.data.iter().filter(|data| module.resources.contains_key(&data.name)) {
            let problem = Diagnostic::error("duplicate name", "the module under test has a data source of this name").at(data.span);
            problems.push(problem.help("Rename it, or refer to the module's."));
        }
        let inspected = run.inspected(config, &former);
        let Some(asked) = inspected.modules.get(&inspected.root) else { continue };
        for problem in validate_module(&inspected, asked) {
            // Conditions are asked in several ways, and each of them finds what is wrong.
            if problem.at.is_some_and(|at| at.file == run.span.file) && !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Asked;
    use crate::config::written::written;
    use crate::source::SourceTree;

    const MODULE: &str = r#"
        variable "region" {
          validation {
            condition     = var.region != ""
            error_message = "no region"
          }
        }
        resource "k" "a" {
          input = var.region
          lifecycle {
            precondition {
              condition     = var.region != ""
              error_message = "no"
            }
          }
        }
        output "key" {
          value     = k.a.input
          sensitive = true
        }
        check "c" {
          assert {
            condition     = k.a.input != ""
            error_message = "no"
          }
        }
    "#;

    const RUNS: &str = r#"
            variables {
              region = "eu"
            }
            run "first" {
              command         = plan
              expect_failures = [var.region, check.c, k.a, output.key]
            }
            run "second" {
              variables {
                region = run.first.key
              }
              retry_until {
                condition = data.d.x.ready
                timeout   = "5m"
                interval  = "1s"
              }
              data "d" "x" {}
              assert {
                condition     = output.key == run.first["key"] && k.a.input != ""
                error_message = "no ${var.region}"
              }
              assert {
                condition     = output.key == "a"
                error_message = "no"
              }
            }
            "#;

    fn read(text: &str) -> (TestFile, Config, Vec<(String, String)>) {
        let mut tree = SourceTree::new(".");
        let (module, file) = (tree.add("main.mesh.hcl", MODULE), tree.add("main.meshtest.hcl", text));
        tree.modules.values_mut().for_each(|source| source.files.push(module));
        let (config, problems) = crate::config::parse(&tree, &[]);
        assert_eq!(problems, []);
        let (found, problems) = parse_runs(text, file, &config);
        let told = |problem: &Diagnostic| {
            let place = problem.at.map(|at| text[at.start as usize..at.end as usize].to_owned());
            (problem.summary.clone(), place.unwrap_or_default())
        };
        let told = problems.iter().map(told).collect();
        (found, config, told)
    }

    #[test]
    fn a_file_has_variables_and_runs_in_order() {
        let (test, config, problems) = read(RUNS);
        assert_eq!(problems, []);
        assert_eq!(test.variables.len(), 1);
        let [first, second] = test.runs.as_slice() else { panic!("{test:?}") };
        assert_eq!((first.command, second.command), (RunCommand::Plan, RunCommand::Apply));
        let expected: Vec<_> = first.expected.iter().map(|(expected, _)| expected.to_string()).collect();
        assert_eq!(expected, ["var.region", "check.c", "k.a", "output.key"]);
        let retry = second.retry.as_ref().unwrap();
        assert_eq!((retry.timeout, retry.interval, second.data.len()), (300, 1, 1));
        assert_eq!(written(&second.variables[0].value), "local:run.first.key");

        let former = BTreeMap::from([("first".into(), Value::object([("key", Value::string("eu"))]))]);
        let inspected = second.inspected(&config, &former);
        let root = &inspected.modules[&inspected.root];
        let asked: Vec<_> = root.outputs.keys().map(|name| &**name).collect();
        assert_eq!(
            asked,
            [
                "assert 0 condition",
                "assert 0 message",
                "assert 1 condition",
                "assert 1 left",
                "assert 1 message",
                "assert 1 right",
                "key",
                "output key",
                "retry until"
            ]
        );
        assert!(root.outputs.values().all(|output| output.sensitive), "what is asked may be sensitive");
        assert_eq!(written(&root.locals["output.key"].value), "sensitive(resource:k:a.input)");
        assert_eq!(written(&root.outputs[&*Asked::Message(1).to_string()].value), "[((local:output.key == \"a\") ? null : \"no\")]");
        assert_eq!(root.resources.len(), 2);
        assert!(!config.modules[&config.root].outputs.contains_key("retry until"), "the configuration itself stays as it is");
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let assert = |condition: &str| format!("run \"a\" {{\n assert {{\n condition = {condition}\n error_message = \"no\"\n }}\n}}\n");
        let argument = |argument: &str| format!("run \"a\" {{\n {argument}\n}}\n");
        let rows: Vec<(String, Vec<(&str, &str)>)> = vec![
            (assert("output.key == \"\""), vec![]),
            (assert("output.kay == \"\""), vec![("undeclared reference", "output.kay")]),
            (assert("run.a.key == \"\""), vec![("undeclared reference", "run.a")]),
            (assert("1 == 2"), vec![("nothing checked", "1 == 2")]),
            (assert("run == 1"), vec![("unknown name", "run")]),
            (assert("k.b.input == var.regoin"), vec![("undeclared reference", "k.b"), ("undeclared reference", "var.regoin")]),
            (argument("command = \"plan\""), vec![("wrong value", "\"plan\"")]),
            (argument("command = destroy"), vec![("wrong value", "destroy")]),
            (argument("comand = plan"), vec![("unknown argument", "comand")]),
            (argument("expect_failures = [local.x]"), vec![("wrong expected failure", "local.x")]),
            (
                argument("expect_failures = [var.zone, k.a[0]]"),
                vec![("wrong expected failure", "k.a[0]"), ("undeclared reference", "var.zone")],
            ),
            (argument("retry_until {\n timeout = \"5\"\n }"), vec![("wrong value", "\"5\""), ("missing argument", "retry_until")]),
            (argument("module {\n source = \"./x\"\n }"), vec![("not supported yet", "module")]),
            (argument("variables {\n zone = 1\n }"), vec![("unknown variable", "zone")]),
            (argument("variables {\n region = k.a.input\n }"), vec![("unknown name", "k.a")]),
            (argument("") + "run \"a\" {}\n", vec![("duplicate name", "run \"a\"")]),
            ("mock_provider \"k\" {}\n".to_owned(), vec![("not supported yet", "mock_provider \"k\"")]),
            ("rum \"a\" {}\n".to_owned(), vec![("unknown block", "rum \"a\"")]),
            ("region = 1\n".to_owned(), vec![("unknown argument", "region")]),
            ("run \"a\" {\n".to_owned(), vec![("syntax error", "")]),
        ];
        for (text, expected) in rows {
            let (_, _, problems) = read(&text);
            let found: Vec<_> = problems.iter().map(|(summary, at)| (summary.as_str(), at.as_str())).collect();
            if expected.first().is_some_and(|(summary, _)| *summary == "syntax error") {
                assert_eq!(found[0].0, "syntax error", "{text}");
            } else {
                assert_eq!(found, expected, "{text}");
            }
        }
    }
}
