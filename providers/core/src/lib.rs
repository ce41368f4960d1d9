//! The provider of resources that live in the state alone. It reaches nothing outside.

mod data;

use engine::port::Provider;
use std::sync::Arc;

/// The provider of `meshplan_data`.
pub fn provider() -> Arc<dyn Provider> {
    Arc::new(data::StateAlone::default())
}
