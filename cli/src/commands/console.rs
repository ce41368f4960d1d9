//! `meshplan console`

use crate::args::Planning;
use crate::exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::session::Session;
use crate::view::memory;
use crate::world::Typed;
use engine::config::{Config, Expr, Node, Output, is_unfinished, parse_expression};
use engine::diagnostic::Diagnostic;
use engine::eval::type_of;
use engine::question::Answers;
use engine::source::Span;
use engine::state::State;
use engine::value::Value;
use std::io;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Evaluate expressions as they are typed, or as they come on standard input
///
/// An expression sees what an output of the root module would see: variables, locals, module outputs, and resources as they are
/// planned. What the world has to answer is asked once. Sensitive and ephemeral values are masked; `type(…)` around an
/// expression shows its type. An expression goes on over as many lines as it
/// needs; an empty line ends it. `exit` ends the console.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  echo 'cidrsubnet(\"10.0.0.0/8\", 8, 3)' | meshplan console")]
pub struct Console {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
}

pub(super) fn run(session: &mut Session, args: &Console) -> Result<u8, Failure> {
    let project = Project::load(session, &args.planning)?;
    let state = session.remembered()?;
    let name = free_name(&project.config, &state);
    let mut console = Evaluation { project, runtime: Session::runtime()?, state, known: Answers::new(), name };
    match session.typed.take() {
        Some(typed) => console.converse(session, typed),
        None => console.answer_all(session),
    }
}

/// What expressions are evaluated in.
struct Evaluation {
    project: Project,
    runtime: Runtime,
    state: State,
    /// What the world has answered so far.
    known: Answers,
    /// The output whose value is the expression.
    name: Arc<str>,
}

impl Evaluation {
    /// Answers what is typed, problems too, until there is no more.
    fn converse(&mut self, session: &mut Session, mut typed: Box<dyn Typed>) -> Result<u8, Failure> {
        while let Some(text) = next(&mut |prompt| typed.line(prompt))? {
            if text.trim() == "exit" {
                break;
            }
            if let Err(failure) = self.answer(session, &text) {
                session.view.diagnostics(&session.sources, &failure.0);
            }
        }
        Ok(exit::DONE)
    }

    /// Answers every expression of standard input, as far as the first that has a problem.
    fn answer_all(&mut self, session: &mut Session) -> Result<u8, Failure> {
        let mut text = String::new();
        session.stdin.read_to_string(&mut text).map_err(|error| unreadable(&error))?;
        let mut lines = text.lines();
        let mut answered = false;
        while let Some(text) = next(&mut |_| Ok(lines.next().map(str::to_owned)))? {
            if text.trim() == "exit" {
                return Ok(exit::DONE);
            }
            self.answer(session, &text)?;
            answered = true;
        }
        if answered {
            return Ok(exit::DONE);
        }
        let failure = Failure::one("no expression", "standard input holds no expression");
        Err(failure.help("Write one to it, as in `echo 'var.region' | meshplan console`."))
    }

    /// Prints the value of an expression.
    fn answer(&mut self, session: &mut Session, text: &str) -> Result<(), Failure> {
        let file = session.sources.add("standard input", text);
        let (expression, asks_type) = type_asked(parse_expression(text, file).map_err(Failure)?);
        let span = Span::new(file, 0..text.trim_end().len());
        let (depends_on, preconditions) = (Vec::new(), Vec::new());
        // The one item of a list is shown as it is marked itself, however the output is.
        let value = Expr::new(Node::Tuple(vec![expression]), span);
        let output = Output { value, description: None, sensitive: true, ephemeral: true, depends_on, preconditions, span };
        set_output(&mut self.project.config, &self.name, output);
        let plan = session.plan_again(&self.runtime, &self.project, self.state.clone(), &mut self.known);
        if plan.is_errored() {
            return Err(Failure(plan.diagnostics));
        }
        let here = |problem: &&Diagnostic| problem.at.is_some_and(|at| at.file == file);
        let warnings: Vec<_> = plan.diagnostics.iter().filter(here).cloned().collect();
        session.view.diagnostics(&session.sources, &warnings);
        let change = plan.outputs.iter().find(|output| output.name == self.name);
        // What is out of reach is no output of the plan, and still says of itself why.
        let planned = change.and_then(|change| change.after.as_ref()).or_else(|| plan.unplanned_outputs.get(&self.name));
        let null = Value::null();
        let value = planned.and_then(|planned| planned.items().first().or_else(|| planned.blocked_why().map(|_| planned))).unwrap_or(&null);
        let shown = match asks_type {
            true if value.hides_keys() => "(sensitive value)".to_owned(),
            true => type_of(value).to_string(),
            false => memory::pretty(value, 0),
        };
        session.data(&format!("{shown}\n"));
        Ok(())
    }
}

/// What `type(…)` around an expression asks about, and whether it stands there. Only consoles know it: no value is a type.
fn type_asked(expression: Expr) -> (Expr, bool) {
    match expression.node {
        Node::Call(mut call) if &*call.name == "type" && !call.expand && call.arguments.len() == 1 => (call.arguments.remove(0), true),
        node => (Expr::new(node, expression.span), false),
    }
}

/// The next expression: lines up to where it may end. Nothing if there are no more.
fn next(line: &mut dyn FnMut(&str) -> io::Result<Option<String>>) -> Result<Option<String>, Failure> {
    let mut text = String::new();
    loop {
        let prompt = if text.is_empty() { "> " } else { ": " };
        let Some(line) = line(prompt).map_err(|error| unreadable(&error))? else {
            return Ok(Some(text).filter(|text| !text.is_empty()));
        };
        let blank = line.trim().is_empty();
        if blank && text.is_empty() {
            continue;
        }
        text = text + &line + "\n";
        if blank || !is_unfinished(&text) {
            return Ok(Some(text));
        }
    }
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::one("no expression", error.to_string())
}

/// A name that no output has: the expression is planned as one more output, and so means what it would mean there.
fn free_name(config: &Config, state: &State) -> Arc<str> {
    let taken = |name: &str| {
        let configured = config.modules.get(&config.root).is_some_and(|root| root.outputs.contains_key(name));
        configured || state.outputs.contains_key(name)
    };
    let mut name = "console".to_owned();
    while taken(&name) {
        name.push('_');
    }
    name.into()
}

fn set_output(config: &mut Config, name: &Arc<str>, output: Output) {
    if let Some(root) = config.modules.get_mut(&config.root) {
        Arc::make_mut(root).outputs.insert(name.clone(), output);
    }
}
