//! The command line: arguments, views, and the place where everything is put together. The only crate that speaks to a terminal.
//!
//! [`run`] is the whole program as a function of the [`World`] it lives in; the binary hands it the real one.

mod aims;
mod approval;
pub mod args;
mod backend;
mod beside;
pub mod commands;
mod defect;
mod disk;
mod encryption;
pub mod exit;
mod explain;
mod failure;
mod files;
mod history;
mod keyboard;
mod memory;
mod perform;
mod planning;
mod project;
mod providers;
mod real;
mod required;
mod saved;
mod session;
mod testing;
mod validate;
mod variables;
pub mod view;
mod workplace;
pub mod world;

pub use defect::end_at_panics;
pub use providers::registry_maker;
pub use real::real_world;
pub use world::World;

use commands::{Args, Instead};
use review::style::Style;
use session::Session;
use std::ffi::OsString;

/// Runs one command line (the program's name first) and says what to exit with: one of [`exit`]'s.
pub fn run(world: World, args: impl IntoIterator<Item = OsString>) -> u8 {
    match commands::parse(args) {
        Ok(args) => carry_out(world, args),
        Err(message) => match commands::instead(&message) {
            Some((_, Instead::Needless(words))) => said(world, words),
            Some((verb, Instead::Other(words))) => tell(world, &commands::complaint(verb, words)),
            None => tell(world, &message),
        },
    }
}

/// That there is nothing to do, for a verb that is Terraform's.
fn said(mut world: World, words: &str) -> u8 {
    world.stdout.write(&format!("{words}\n"));
    exit::DONE
}

fn carry_out(world: World, args: Args) -> u8 {
    let mut session = Session::new(world, &args.global, args.verb.telling());
    let code = match commands::perform(&mut session, args.verb) {
        Ok(code) => code,
        Err(failure) => {
            session.view.diagnostics(&session.sources, &failure.0);
            exit::FAILED
        }
    };
    let Some(error) = session.view.screen().out.error().map(ToString::to_string) else { return code };
    session.view.say(&format!("error: not everything could be written to standard output: {error}"));
    exit::FAILED
}

/// Help that was asked for, or a complaint about the command line.
fn tell(mut world: World, message: &clap::Error) -> u8 {
    let asked_for = !message.use_stderr();
    let stream = if asked_for { &mut world.stdout } else { &mut world.stderr };
    let text = message.render();
    match Style::from_environment(&world.environment, stream.is_terminal()) {
        Style::Plain => stream.write(&text.to_string()),
        Style::Coloured => stream.write(&text.ansi().to_string()),
    }
    if asked_for { exit::DONE } else { exit::FAILED }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
