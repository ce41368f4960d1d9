//! `meshplan console`

use crate::args::Planning;
use crate::exit;
use crate::failure::Failure;
use crate::project::{Aim, Project};
use crate::session::Session;
use crate::view::memory;
use engine::config::{Config, Output, parse_expression};
use engine::source::Span;
use engine::state::State;
use engine::value::Value;
use std::io;
use std::sync::Arc;

/// Evaluate one expression from standard input
///
/// The expression sees what an output of the root module would see: variables, locals, module outputs, and resources as they are
/// planned. Sensitive values are masked.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  echo 'cidrsubnet(\"10.0.0.0/8\", 8, 3)' | meshplan console")]
pub struct Console {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
}

pub(super) fn run(session: &mut Session, args: &Console) -> Result<u8, Failure> {
    let mut project = Project::load(session, &args.planning)?;
    let runtime = Session::runtime()?;
    let state = session.remembered()?;
    let line = read_line(session)?;
    let file = session.sources.add("standard input", &line);
    let expression = parse_expression(&line, file).map_err(Failure)?;
    let name = free_name(&project.config, &state);
    let span = Span::new(file, 0..line.trim_end().len());
    let output = Output { value: expression, description: None, sensitive: false, depends_on: Vec::new(), preconditions: Vec::new(), span };
    add_output(&mut project.config, &name, output);
    let plan = session.plan(&runtime, &project, state, Aim::Configuration);
    session.view.diagnostics(&session.sources, &plan.diagnostics);
    if plan.is_errored() {
        return Ok(exit::FAILED);
    }
    let null = Value::null();
    let change = plan.outputs.iter().find(|output| output.name == name);
    let value = change.and_then(|change| change.after.as_ref()).unwrap_or(&null);
    session.data(&format!("{}\n", memory::pretty(value, 0)));
    Ok(exit::DONE)
}

fn read_line(session: &mut Session) -> Result<String, Failure> {
    let mut line = String::new();
    let read = session.stdin.read_line(&mut line);
    if read.map_err(|error: io::Error| Failure::one("no expression", error.to_string()))? == 0 || line.trim().is_empty() {
        let failure = Failure::one("no expression", "standard input holds no line with an expression");
        return Err(failure.help("Write one to it, as in `echo 'var.region' | meshplan console`."));
    }
    Ok(line)
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

fn add_output(config: &mut Config, name: &Arc<str>, output: Output) {
    if let Some(root) = config.modules.get_mut(&config.root) {
        Arc::make_mut(root).outputs.insert(name.clone(), output);
    }
}
