//! The `meshplan` binary: gathers the real world and hands it over.

use mimalloc::MiMalloc;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    meshplan::end_at_panics();
    let code = meshplan::run(meshplan::real_world(), std::env::args_os());
    // The allocator goes through all that is left of the thread that ends the process; another thread has nothing.
    let ended = std::thread::Builder::new().spawn(move || std::process::exit(code.into()));
    ended.map_or(ExitCode::from(code), |thread| thread.join().unwrap_or(ExitCode::from(code)))
}
