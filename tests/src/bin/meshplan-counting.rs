//! The command line with its points counted; see `meshplan_tests::faults`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(meshplan_tests::faults::run_counting())
}
