//! The kit of the suites: worlds that tests make, processes that end where a test says, and texts made comparable.
#![expect(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc, reason = "a kit that cannot do its work fails the test")]

pub mod apiserver;
pub mod backends;
pub mod browser;
pub mod bucket;
pub mod cluster;
pub mod docker;
pub mod draws;
pub mod fake;
pub mod faults;
pub mod functions;
pub mod golden;
pub mod held;
pub mod istioctl;
pub mod istiod;
mod keeper;
pub mod killed;
pub mod kind;
pub mod lint;
pub mod namespace;
pub mod planning;
pub mod redact;
pub mod reference;
pub mod required;
pub mod reviews;
pub mod saved;
pub mod scenario;
pub mod sources;
pub mod transcript;
