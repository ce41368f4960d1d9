//! Certificate authorities of a mesh: a root, and an intermediate per cluster whose key istiod signs with.
//!
//! Keys are made once and certificates are issued once: what was issued stays in the state, and nothing is issued again only to compare
//! (an ECDSA signature never comes out twice the same). Nothing outside the state is touched.

mod generations;
mod intermediate;
mod issue;
mod lint;
mod parameters;
mod provider;
mod read;
mod root;

use engine::port::Provider;
use engine::schema::Lint;
use std::sync::Arc;

/// The provider of `ca_root` and `ca_intermediate`.
pub fn provider() -> Arc<dyn Provider> {
    Arc::new(provider::Certificates::default())
}

/// The lint of authorities, whoever brings them.
pub fn lint() -> Arc<dyn Lint> {
    Arc::new(lint::AuthorityLint)
}
