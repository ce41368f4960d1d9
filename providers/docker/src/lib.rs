//! Networks, images and containers of a Docker Engine.
//!
//! What the Engine API calls things is kept as JSON: `client` alone knows the foreign crate behind it. Each kind is a module with its pure
//! half, which `planning` compares attribute by attribute, and its effects; `provider` hands questions and requests to them. What is made of
//! containers elsewhere reads them through the same [`Client`], and compares as kinds here do.

mod archive;
mod client;
mod container;
mod endpoint;
mod engines;
mod facts;
mod image;
mod mark;
mod naming;
mod network;
mod planning;
pub mod preflight;
mod provider;
mod settings;
mod subnet;
mod thing;

pub use archive::{Packed, first_file};
pub use client::{CallError, Called, Client, Unusable};
pub use endpoint::Endpoint;
pub use engines::{ENGINE, Engine, Engines, Identity, Search, Whereabouts};
pub use network::MadeWithoutIpv6;
pub use planning::{Comparable, Difference, engine_attribute, found_elsewhere, holds, planned, remembered, without_engine};
pub use settings::{DockerMaker, EngineSettings, Surroundings};
