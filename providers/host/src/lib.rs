//! The machine that meshplan runs on: its files, its addresses, its resolver.
//!
//! What a kind wants of the machine is an `Effect`: complete in itself, so that it can be done again, and handed to whoever has the
//! rights. Looking needs none.

mod account;
mod effect;
mod elevation;
mod file;
mod interface;
mod netlink;
mod network;
pub mod preflight;
mod procedure;
mod provider;
mod resolver;
mod settings;
mod vip;

pub use elevation::{VERB, serve};
pub use settings::HostMaker;
