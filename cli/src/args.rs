//! What was typed. Nothing here has an effect or looks at the world.

mod assignment;
mod spelling;

pub use assignment::{Assignment, Assignments};

use crate::commands::Verb;
use clap::{CommandFactory, Parser};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Plan, apply and destroy multi-cluster Istio meshes from one configuration
///
/// A directory of `*.mesh.hcl` files says what is wanted: clusters, certificates, control planes, gateways, remote secrets. `plan`
/// shows what has to change and why, `apply` does exactly that, `destroy` undoes it in reverse. What was made is remembered in
/// `meshplan.state.json` beside the configuration.
#[derive(Debug, Parser)]
#[command(
    name = "meshplan",
    disable_help_subcommand = true,
    disable_version_flag = true,
    after_help = "Long options may be written with one dash, as in `-auto-approve` and `-var region=eu`."
)]
pub struct Args {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// Use the configuration in DIR
    #[arg(short = 'C', long = "chdir", value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Print without colour
    ///
    /// The environment variables `NO_COLOR` and `CLICOLOR=0` do the same; `CLICOLOR_FORCE=1` colours what goes to a file as well.
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// How a plan is made.
#[derive(Debug, clap::Args)]
pub struct Planning {
    /// Values of variables.
    #[command(flatten)]
    pub assignments: Assignments,
    /// Look at what exists before planning
    ///
    /// With `--refresh=false` the plan is made from the state alone, and what was changed outside goes unseen.
    #[arg(long, value_name = "BOOL", default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub refresh: bool,
}

/// How a plan is performed.
#[derive(Debug, clap::Args)]
pub struct Performing {
    /// Apply without asking
    #[arg(long)]
    pub auto_approve: bool,
    /// Run at most N operations at once; waiting does not count
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = positive)]
    pub parallelism: usize,
    /// Wait so long for another run to release the state, as in `30s` or `5m`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
    /// Print one JSON event per line instead of text; needs --auto-approve
    #[arg(long)]
    pub json: bool,
}

/// Reads a command line. The error holds the help or the complaint, and knows which of the two it is.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Args, clap::Error> {
    let command = Args::command();
    Args::try_parse_from(spelling::two_dashes(&command, args))
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one operation has to run".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("expected a whole number".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "expected a number and a unit, as in `30s`, `5m` or `1h`".to_owned())?;
    let seconds = match &text[digits.len()..] {
        "" | "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        unit => return Err(format!("`{unit}` is no unit: expected `s`, `m` or `h`")),
    };
    seconds.map(Duration::from_secs).ok_or_else(|| "that is too long".to_owned())
}
