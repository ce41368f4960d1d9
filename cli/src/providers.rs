//! Every provider, put together.

use engine::port::Registry;
use std::path::Path;

/// The registry of every kind there is, for the configuration in `directory`.
pub fn registry(directory: &Path) -> Registry {
    let mut registry = Registry::default();
    registry.add(&core_provider::provider());
    registry.add(&certificates::provider());
    registry
}
