//! Clusters that kind makes: Kubernetes in containers of a Docker Engine.
//!
//! `kind` itself makes and removes them (`program` runs it, `rendering` writes what it is told); everything else is read from the Engine
//! (`seen`, `node`), so that it can be told of clusters that are stopped or half there. `cluster` is the pure half, `effects` the other.

mod clock;
mod cluster;
mod effects;
mod group;
mod kubeconfig;
mod lint;
mod lock;
mod mark;
mod naming;
mod node;
mod pinning;
mod ports;
mod preflight;
mod program;
mod provider;
mod rendering;
mod saying;
mod schema;
mod seen;
mod settings;
mod settling;
mod validation;

pub use settings::{KindMaker, Surroundings};
