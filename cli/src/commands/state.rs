//! `meshplan state`

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::memory;
use clap::Subcommand;
use engine::address::Address;
use engine::diagnostic::did_you_mean;

/// Look at what is remembered
#[derive(Debug, Subcommand)]
pub enum State {
    /// List the addresses of everything that is remembered
    List(List),
    /// Show one resource with its attributes
    ///
    /// Sensitive values are masked. An address with quotes in it has to be quoted for the shell.
    #[command(after_long_help = "Example:\n  meshplan state show 'sandbox_cluster.this[\"cluster1\"]'")]
    Show(Show),
}

/// Which addresses are listed.
#[derive(Debug, clap::Args)]
pub struct List {
    /// List only addresses that begin with PREFIX, as in `module.mesh` or `kubernetes_secret`
    #[arg(value_name = "PREFIX")]
    pub prefixes: Vec<String>,
}

/// Which resource is shown.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The address, as `state list` prints it
    #[arg(value_name = "ADDRESS")]
    pub address: String,
}

pub(super) fn run(session: &mut Session, verb: &State) -> Result<u8, Failure> {
    match verb {
        State::List(args) => list(session, args),
        State::Show(args) => show(session, args),
    }
}

fn list(session: &mut Session, args: &List) -> Result<u8, Failure> {
    let state = session.remembered()?;
    let wanted = |address: &str| args.prefixes.is_empty() || args.prefixes.iter().any(|prefix| address.starts_with(prefix.as_str()));
    let mut text = String::new();
    for (address, deposed, _) in state.records() {
        let address = address.to_string();
        if wanted(&address) {
            text.push_str(&address);
            if let Some(key) = deposed {
                text.extend([" (deposed ", key, ")"]);
            }
            text.push('\n');
        }
    }
    session.data(&text);
    Ok(exit::DONE)
}

fn show(session: &mut Session, args: &Show) -> Result<u8, Failure> {
    let state = session.remembered()?;
    let address: Address = args.address.parse().map_err(|error: engine::address::NotAnAddress| {
        Failure::one("not an address", error.to_string()).help("`meshplan state list` shows all addresses.")
    })?;
    let Some(objects) = state.resources.get(&address) else {
        let known: Vec<String> = state.resources.keys().map(ToString::to_string).collect();
        let failure = Failure::one("not in state", format!("nothing is remembered under `{address}`"));
        return Err(match did_you_mean(&address.to_string(), known.iter().map(String::as_str)) {
            Some(near) => failure.help(&format!("Did you mean `{near}`?")),
            None => failure.help("`meshplan state list` shows all addresses."),
        });
    };
    session.data(&memory::objects(&address, objects));
    Ok(exit::DONE)
}
