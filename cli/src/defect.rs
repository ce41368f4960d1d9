//! What is said when the program itself is at fault.

use crate::exit;
use std::io::Write;

/// From now on a panic ends the process at once, with [`exit::DEFECT`], and says where it was. What the panic says is not shown: it may
/// hold values of the configuration, and so secrets. Nothing is flushed or given back: it is as if the process had been killed.
#[expect(clippy::exit, reason = "what panicked must not go on, and which thread that is cannot be told")]
pub fn end_at_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |at| format!(" at `{}:{}`", at.file(), at.line()));
        let text = format!(
            "error: defect of meshplan\n\n  meshplan {} ended{place}, which should never happen. What it stumbled over is not shown: it may \
             hold secrets.\n\n  Please report the place. What an apply did, and what it had under way, is in the journal: the next apply \
             looks at it and goes on.\n",
            env!("CARGO_PKG_VERSION")
        );
        drop(std::io::stderr().write_all(text.as_bytes()));
        std::process::exit(exit::DEFECT.into());
    }));
}
