//! Reaching API servers. The only module that names the foreign client.

mod call;
mod connect;
mod discover;

pub use call::Cluster;
pub(crate) use call::{Apply, CallError};
pub(crate) use connect::Target;
pub use connect::{Clusters, Connector, KubeconfigConnector};
pub(crate) use discover::{builtin, builtin_version};
