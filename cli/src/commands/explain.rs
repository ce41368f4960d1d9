//! `meshplan explain`

use crate::args::Planning;
use crate::exit;
use crate::explain;
use crate::failure::Failure;
use crate::project::Project;
use crate::session::Session;
use crate::view::json;
use engine::config::Subject;
use review::explanation;

/// Say why something is planned, and what in the configuration it comes from
///
/// Walks back from what changes to the arguments, locals, variables and outputs that it comes from, each with the file and line where it
/// is written or given, and with its value. Where a history of the state is at hand only what differs from the configuration that was
/// applied last is shown. Nothing is changed.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan explain 'istio_operator.primary[\"east\"]'\n  meshplan explain kubernetes_manifest.mesh 'manifest.data[\"mesh.yaml\"]'"
)]
pub struct Explain {
    /// How it is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// What is explained: an address, as `plan` shows it
    #[arg(value_name = "ADDRESS", value_parser = subject)]
    pub address: Subject,
    /// A part of it, as `plan` shows it; without one whatever changes
    #[arg(value_name = "PATH")]
    pub path: Option<String>,
    /// Print a JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(session: &mut Session, args: &Explain) -> Result<u8, Failure> {
    let project = Project::load(session, &args.planning)?;
    let explanations = explain::explain(session, &project, &args.address, args.path.as_deref())?;
    let text =
        if args.json { format!("{:#}\n", json::explanations(&explanations)) } else { explanation::text(&explanations, session.layout) };
    session.data(&text);
    Ok(exit::DONE)
}

fn subject(text: &str) -> Result<Subject, String> {
    text.parse().map_err(|_| "expected an address, as in `kind.name[\"key\"]`".to_owned())
}
