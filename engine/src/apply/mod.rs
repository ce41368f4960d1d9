//! Doing what a plan says: a walk over its program that never decides, and the loop that drives it.

mod drive;
mod event;
mod gate;
mod look;
mod place;
mod record;
mod request;
mod run;
mod walk;

pub use drive::{Effects, drive};
pub use event::{Driven, Event, Summary};
