//! Reaching API servers. The only module that names the foreign client.

mod activity;
mod builtin;
mod call;
mod connect;
mod discover;
mod download;
mod error;
mod exec;
mod kubeconfig;
mod list;
mod pace;
mod plain;
mod plugin;
mod proxy;
mod replace;
mod send;
mod transport;
mod watch;

pub(crate) use activity::{during, waits_for};
pub(crate) use builtin::{builtin, builtin_version};
pub(crate) use call::Apply;
pub use call::Cluster;
pub use connect::Requests;
pub use connect::{Clusters, Connector};
pub(crate) use discover::Served;
#[cfg(test)]
pub(crate) use download::tests as web;
pub(crate) use download::{Undelivered, download, without_query};
pub(crate) use error::CallError;
pub use exec::{Container, Executed, may_have_run};
pub use kubeconfig::KubeconfigConnector;
pub(crate) use kubeconfig::Target;
pub(crate) use list::Selection;
#[cfg(test)]
pub(crate) use pace::Pace;
pub use plain::{Answered, Plain};
pub use proxy::Proxies;
pub(crate) use send::Reply;
pub(crate) use watch::Waited;
