//! Networks, images and containers of a Docker Engine.
//!
//! What the Engine API calls things is kept as JSON: `client` alone knows the foreign crate behind it. Each kind is a module with its pure
//! half, which `planning` compares attribute by attribute, and its effects; `provider` hands questions and requests to them.

mod archive;
mod client;
mod container;
mod endpoint;
mod facts;
mod image;
mod mark;
mod naming;
mod network;
mod planning;
mod provider;
mod settings;
mod subnet;

pub use settings::{DockerMaker, Surroundings};
