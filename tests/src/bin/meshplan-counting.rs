//! The command line with its points counted; see `meshplan_tests::killing`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(meshplan_tests::killing::run_counting())
}
