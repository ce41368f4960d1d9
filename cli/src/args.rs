//! Options that several verbs have. Nothing here has an effect or looks at the world.

mod aiming;
mod assignment;
mod backend;

pub use aiming::{Aiming, Manner};
pub use assignment::{Assignment, Assignments};
pub use backend::BackendArgument;

use std::path::PathBuf;
use std::time::Duration;

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
    /// How far a plan is shown: `folded`, with what is the same of many things once, or `full`, with each thing by itself
    ///
    /// Folded, members of a new set are counted by kind and named, and long texts, lists and paths are shortened; `full` shortens nothing
    /// but single lines.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Folded, global = true, hide_short_help = true)]
    pub detail: Level,
    /// Give the `backend` block an argument, as in `bucket=mesh`; credentials stay out of the configuration so
    #[arg(long, value_name = "NAME=TEXT", global = true, hide_short_help = true)]
    pub backend_config: Vec<BackendArgument>,
}

/// How far a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    /// What is the same of many things stands once.
    Folded,
    /// Each thing stands by itself.
    Full,
}

impl Level {
    /// As plans are laid out by it.
    pub fn detail(self) -> review::Detail {
        match self {
            Self::Folded => review::Detail::Folded,
            Self::Full => review::Detail::Full,
        }
    }
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
    /// Who says what a change comes to: the server by a dry run, or meshplan alone
    ///
    /// With `--preview=offline` no server is asked for a dry run: defaults and webhooks go unseen, what a server would refuse or what exists
    /// already is found by the apply.
    #[arg(long, value_name = "WHO", value_enum, default_value_t = Previewer::Server)]
    pub preview: Previewer,
}

impl Planning {
    /// Whether nothing was said of how to plan, values of variables apart.
    pub fn is_unsaid(&self) -> bool {
        let Self { assignments: _, refresh, preview } = self;
        *refresh && *preview == Previewer::Server
    }
}

/// Who says what a change comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Previewer {
    /// The server, by a dry run.
    Server,
    /// Meshplan, from what it knows of kinds.
    Offline,
}

/// How a plan is performed.
#[derive(Debug, clap::Args)]
pub struct Performing {
    /// Apply without asking
    #[arg(long)]
    pub auto_approve: bool,
    /// Apply without asking, if the plan has this DIGEST
    ///
    /// `plan` shows it, with all that it stands for: if anything else would be done by now, nothing is.
    #[arg(long, value_name = "DIGEST", value_parser = digest, conflicts_with = "auto_approve")]
    pub approve: Option<String>,
    /// Run at most N operations at once; waiting does not count
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = positive)]
    pub parallelism: usize,
    /// Wait so long for another run to release the state, as in `30s` or `5m`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
    /// Print one JSON event per line instead of text; needs --auto-approve or --approve
    #[arg(long)]
    pub json: bool,
}

/// How what is remembered is written by hand.
#[derive(Debug, clap::Args)]
pub struct Writing {
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Wait so long for another run to release the state, as in `30s` or `5m`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
}

pub(crate) fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one operation has to run".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("expected a whole number".to_owned()),
    }
}

/// Reads the number of a revision, as in `@3`.
pub(crate) fn revision(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix('@').unwrap_or(text).parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "expected a revision, as in `@3`".to_owned())
}

/// Reads the digest of a plan: `sha256:` and 64 hexadecimal digits, in lower case.
pub(crate) fn digest(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64);
    let is_digit = |digit: char| matches!(digit, '0'..='9' | 'a'..='f');
    let whole = digits.is_some_and(|digits| digits.chars().all(is_digit));
    if whole { Ok(text.to_owned()) } else { Err("expected the digest of a plan, whole and as `plan` shows it".to_owned()) }
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_have_numbers() {
        assert_eq!((revision("@3"), revision("12")), (Ok(3), Ok(12)));
        for text in ["", "@", "@0", "@-1", "@@1", "last"] {
            assert!(revision(text).is_err(), "{text}");
        }
    }

    #[test]
    fn digests_are_whole() {
        let whole = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(digest(&whole).as_ref(), Ok(&whole));
        let rows =
            [String::new(), "0f".repeat(32), whole[..70].to_owned(), format!("{whole}0"), whole.to_uppercase(), whole.replace('f', "g")];
        for text in rows {
            assert!(digest(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, seconds) in [("0s", 0), ("90", 90), ("5m", 300), ("1h", 3600)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "5d", "-1s", "99999999999999999999s", "9999999999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
