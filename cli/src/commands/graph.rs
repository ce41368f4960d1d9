//! `meshplan graph`

use crate::args::Planning;
use crate::exit;
use crate::failure::Failure;
use crate::project::{Aim, Project};
use crate::session::Session;
use crate::view::graph;
use clap::ValueEnum;

/// Print what depends on what
///
/// Makes a plan and prints its resources with an arrow from each to what it needs. The same configuration and state print the same
/// bytes.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan graph | dot -Tsvg > mesh.svg\n  meshplan graph --format mermaid\n  meshplan graph --html > mesh.html"
)]
pub struct Graph {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// The language of the drawing
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    pub format: Format,
    /// Print a page for a browser instead, which loads nothing from anywhere
    #[arg(long, conflicts_with = "format")]
    pub html: bool,
}

/// A language of drawings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Graphviz
    Dot,
    /// Mermaid flowchart
    Mermaid,
}

pub(super) fn run(session: &mut Session, args: &Graph) -> Result<u8, Failure> {
    let project = Project::load(session, &args.planning)?;
    let runtime = Session::runtime()?;
    let state = session.remembered_to_plan()?;
    let plan = session.plan(&runtime, &project, state, Aim::Configuration);
    session.view.diagnostics(&session.sources, &plan.diagnostics);
    if plan.is_errored() {
        return Ok(exit::FAILED);
    }
    let edges = graph::edges(&plan);
    let text = match args.format {
        _ if args.html => review::html::graph(&plan, &edges),
        Format::Dot => graph::dot(&edges),
        Format::Mermaid => graph::mermaid(&edges),
    };
    session.data(&text);
    Ok(exit::DONE)
}
