//! `meshplan state show`

use super::typed;
use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::memory;
use engine::address::Address;
use engine::config::Subject;
use engine::diagnostic::did_you_mean;

/// Most instances that are named where one is meant.
const MOST_NAMED: usize = 5;

/// Show one resource with its attributes
///
/// Sensitive values are masked. An address with quotes in it has to be quoted for the shell.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  meshplan state show 'sandbox_cluster.this[\"cluster1\"]'")]
pub struct Show {
    /// The address, as `state list` prints it
    #[arg(value_name = "ADDRESS")]
    pub address: String,
}

pub(super) fn run(session: &mut Session, args: &Show) -> Result<u8, Failure> {
    let state = session.remembered_in_part()?;
    let address: Address = typed(&args.address)?;
    let Some(objects) = state.resources.get(&address) else {
        let known: Vec<String> = state.resources.keys().map(ToString::to_string).collect();
        let all = Subject::Resource(address.clone());
        let instances: Vec<_> = state.resources.keys().filter(|instance| all.covers(instance)).map(|it| format!("`{it}`")).collect();
        if let [first, ..] = instances.as_slice() {
            let few = instances.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
            let more = instances
                .len()
                .checked_sub(MOST_NAMED)
                .filter(|more| *more > 0)
                .map_or_else(String::new, |more| format!(" and {more} more"));
            let failure = Failure::one("several are meant", format!("`{address}` is {few}{more}"));
            return Err(failure.help(&format!("Name one of them, such as {first}.")));
        }
        let failure = Failure::one("not in state", format!("nothing is remembered under `{address}`"));
        return Err(match did_you_mean(&address.to_string(), known.iter().map(String::as_str)) {
            Some(near) => failure.help(&format!("Did you mean `{near}`?")),
            None => failure.help("`meshplan state list` shows all addresses."),
        });
    };
    session.data(&memory::objects(&address, objects));
    Ok(exit::DONE)
}
