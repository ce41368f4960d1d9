//! A Kubernetes API inside the binary, for the first five minutes, for rehearsals and for tests.
//!
//! `sandbox_cluster` makes clusters that are stored in a directory and reached in process through the same client as a real one.
//! They serve discovery, objects, patches, server-side apply, dry runs, lists, watches and definitions, and imitate the controllers
//! that a mesh leans on. They run no containers: what is invented is marked `(simulated)`, and traffic is never simulated.

mod admission;
mod api;
mod cluster;
mod connector;
mod controllers;
mod kind;
mod kube_proxy;
mod object;
mod ownership;
mod provider;
mod refusal;
mod resource;
mod serve;
mod store;

pub use api::Made;
pub use cluster::Sandboxes;
pub use connector::SandboxConnector;
pub use controllers::operator_makes;
pub use provider::SandboxProvider;
pub use serve::{ServeOptions, Served, serve};
