//! Probes: data sources that ask whether what was made works. They reach for servers that a plan may only be about to make, which is why
//! they stand in `check` blocks and tests alone, and why an answer that does not come is an answer.

mod arguments;
mod client;
mod http;
mod lookup;
mod provider;
mod tcp;

use engine::port::Provider;
use std::sync::Arc;

/// The provider of all probes.
pub fn provider() -> Arc<dyn Provider> {
    Arc::new(provider::ProbeProvider::default())
}
