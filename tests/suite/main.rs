//! Suites over the engine and the whole command line; one binary, one link.

mod bad_input;
mod laws;
mod messages;
mod planning;
mod reference;
mod transcript;
