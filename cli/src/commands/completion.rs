//! `meshplan completion`

use super::Args;
use crate::exit;
use crate::failure::Failure;
use crate::session::Session;
use clap::CommandFactory;
use clap_complete::{Shell, generate};

/// Print a script that completes commands and options in a shell
///
/// The shell loads it at its start: bash by `source <(meshplan completion bash)` in `~/.bashrc`, zsh from a file `_meshplan` in a
/// directory of `$fpath`, fish from `~/.config/fish/completions/meshplan.fish`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  source <(meshplan completion bash)")]
pub struct Completion {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

#[expect(clippy::unnecessary_wraps, reason = "every verb has this shape")]
pub(super) fn run(session: &mut Session, args: &Completion) -> Result<u8, Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut Args::command(), "meshplan", &mut script);
    session.data(&String::from_utf8_lossy(&script));
    Ok(exit::DONE)
}
