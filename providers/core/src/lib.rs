//! The provider of resources that live in the state alone. It reaches nothing outside.

mod data;
mod provider;
mod ranges;
mod span;

pub use span::Span;

use engine::port::Provider;
use std::sync::Arc;

/// The provider of `meshplan_data` and `address_ranges`.
pub fn provider() -> Arc<dyn Provider> {
    Arc::new(provider::StateAlone::default())
}
