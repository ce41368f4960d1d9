//! Everything that decides. Text becomes desire; desire, memory and the world's answers become a plan; the plan becomes steps.
//!
//! This crate does no I/O and has no clock and no environment: text, time and inputs are arguments. Modules import only from
//! those listed before them; `docs/architecture.md` has the map.

pub mod address;
pub mod apply;
pub mod config;
pub mod diagnostic;
pub mod eval;
pub mod graph;
pub mod observe;
pub mod plan;
pub mod port;
pub mod question;
pub mod schema;
pub mod source;
pub mod state;
pub mod value;
