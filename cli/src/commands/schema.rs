//! `meshplan schema`

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::json::schema;
use engine::address::Mode;
use engine::diagnostic::did_you_mean;

/// Print the JSON schema of every kind
///
/// One JSON object: `resources` and `data`, each with a JSON schema (2020-12) by kind, and `providers`, with what their blocks set. What a resource computes is `readOnly`; what else
/// there is to know of an attribute stands in `x-meshplan`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  meshplan schema istio_operator")]
pub struct Schema {
    /// Only these kinds and providers
    #[arg(value_name = "KIND")]
    pub kinds: Vec<String>,
}

pub(super) fn run(session: &mut Session, args: &Schema) -> Result<u8, Failure> {
    let registry = session.registry();
    let catalogue = registry.catalogue();
    for wanted in &args.kinds {
        let names = || catalogue.names(Mode::Managed).chain(catalogue.names(Mode::Data)).chain(catalogue.providers().map(|of| of.name));
        if !names().any(|name| name == wanted) {
            let failure = Failure::one("unknown kind", format!("there is no kind `{wanted}`"));
            return Err(match did_you_mean(wanted, names()) {
                Some(meant) => failure.help(&format!("Did you mean `{meant}`?")),
                None => failure.help("`meshplan schema` without a kind prints them all."),
            });
        }
    }
    let document = schema(catalogue, |kind| args.kinds.is_empty() || args.kinds.iter().any(|wanted| wanted == kind));
    session.data(&document);
    Ok(exit::DONE)
}
