//! The `meshplan` binary: gathers the real world and hands it over.

use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(meshplan::run(meshplan::real_world(), std::env::args_os()))
}
