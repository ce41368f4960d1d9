//! One verb, one file: its arguments, whose comments are the help, and one function that reads like the data flow.

pub mod apply;
pub mod completion;
pub mod console;
pub mod destroy;
pub mod explain;
pub mod fmt;
mod generated;
pub mod graph;
pub mod import;
pub mod man;
pub mod output;
pub mod plan;
pub mod sandbox;
pub mod schema;
pub mod show;
pub mod state;
pub mod test;
pub mod validate;
pub mod version;

use crate::failure::Failure;
use crate::session::Session;
use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "what stands at a variant would replace the help of its verb")]
pub enum Verb {
    Plan(plan::Plan),
    Apply(apply::Apply),
    Destroy(destroy::Destroy),
    Explain(explain::Explain),
    Import(import::Import),
    Test(test::Test),
    Validate(validate::Validate),
    Fmt(fmt::Fmt),
    Show(show::Show),
    Output(output::Output),
    Graph(graph::Graph),
    #[command(subcommand)]
    State(state::State),
    Console(console::Console),
    Schema(schema::Schema),
    Version(version::Version),
    Completion(completion::Completion),
    Man(man::Man),
    #[command(subcommand)]
    Sandbox(sandbox::Sandbox),
}

impl Verb {
    /// Whether the run is told as events, one JSON object per line. Verbs that print one document write it themselves.
    pub fn is_events(&self) -> bool {
        match self {
            Self::Plan(args) => args.json,
            Self::Apply(args) => args.performing.json,
            Self::Destroy(args) => args.performing.json,
            Self::Import(args) => args.performing.json,
            Self::Test(args) => args.json,
            _ => false,
        }
    }
}

/// Does it, and says what to exit with.
pub(crate) fn perform(session: &mut Session, verb: Verb) -> Result<u8, Failure> {
    match verb {
        Verb::Plan(args) => plan::run(session, &args),
        Verb::Apply(args) => apply::run(session, &args),
        Verb::Destroy(args) => destroy::run(session, &args),
        Verb::Explain(args) => explain::run(session, &args),
        Verb::Import(args) => import::run(session, &args),
        Verb::Test(args) => test::run(session, &args),
        Verb::Validate(args) => validate::run(session, &args),
        Verb::Fmt(args) => fmt::run(session, &args),
        Verb::Show(args) => show::run(session, &args),
        Verb::Output(args) => output::run(session, &args),
        Verb::Graph(args) => graph::run(session, &args),
        Verb::State(args) => state::run(session, &args),
        Verb::Console(args) => console::run(session, &args),
        Verb::Schema(args) => schema::run(session, &args),
        Verb::Completion(args) => completion::run(session, &args),
        Verb::Man(args) => man::run(session, &args),
        Verb::Version(args) => version::run(session, &args),
        Verb::Sandbox(args) => sandbox::run(session, &args),
    }
}
