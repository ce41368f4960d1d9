//! `meshplan output`

use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::json;
use crate::view::memory;
use engine::diagnostic::did_you_mean;
use engine::state::{Output as Remembered, State};
use engine::value::{Data, Value};

/// Print outputs of the last apply
///
/// Without NAME all are printed, sensitive ones masked. With NAME its value is printed, also if it is sensitive.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  meshplan output\n  meshplan output --json gateways\n  curl \"http://$(meshplan output --raw gateway_address)/\""
)]
pub struct Output {
    /// The output
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print text as it is, without quotes or a line break after it; needs NAME
    #[arg(long, requires = "name", conflicts_with = "json")]
    pub raw: bool,
}

pub(super) fn run(session: &mut Session, args: &Output) -> Result<u8, Failure> {
    let state = session.remembered_in_part()?;
    let text = match &args.name {
        None if args.json => format!("{:#}\n", json::outputs(&state.outputs)),
        None => memory::outputs(&state.outputs),
        Some(name) => {
            let output = find(&state, name)?;
            if let Some(why) = output.value.blocked_why() {
                let failure = Failure::one("output not readable", format!("`{name}` cannot be printed: {why}"));
                return Err(failure.help("Give the key in `meshplan { encryption { … } }`."));
            }
            if args.raw {
                raw(name, &output.value)?
            } else if args.json {
                format!("{:#}\n", output.value.to_json().unwrap_or_default())
            } else {
                format!("{}\n", memory::pretty(&revealed(&output.value), 0))
            }
        }
    };
    session.data(&text);
    Ok(exit::DONE)
}

fn find<'a>(state: &'a State, name: &str) -> Result<&'a Remembered, Failure> {
    state.outputs.get(name).ok_or_else(|| {
        let failure = Failure::one("unknown output", format!("the state has no output `{name}`"));
        match did_you_mean(name, state.outputs.keys().map(|name| &**name)) {
            Some(near) => failure.help(&format!("Did you mean `{near}`?")),
            None if state.outputs.is_empty() => failure.help("Outputs are there after an apply."),
            None => failure.help("`meshplan output` shows all of them."),
        }
    })
}

/// The text of a scalar.
fn raw(name: &str, value: &Value) -> Result<String, Failure> {
    match value.data() {
        Data::String(text) => Ok(text.to_string()),
        Data::Number(_) | Data::Bool(_) => Ok(memory::pretty(&value.clone().unmarked(), 0)),
        _ => Err(Failure::one("not a text", format!("`{name}` is no string, number or truth value")).help("Use `--json`.")),
    }
}

/// The value without its marks: it was asked for by name.
fn revealed(value: &Value) -> Value {
    value.to_json().map_or_else(|_| value.clone(), |json| Value::from_json(&json))
}
