//! Kubernetes objects by server-side apply: what they should be, what they are, and the way from one to the other.
//!
//! Other crates describe *kinds that are objects* with [`ObjectKind`], and ways to *reach* a cluster with [`Connector`]; the machinery here
//! does the rest. It makes no clusters and knows no mesh.

mod client;
mod object_kind;

pub use client::{Cluster, Clusters, Connector, KubeconfigConnector};
pub use object_kind::{Json, ObjectKind, ObjectName, Ownership, Reader, Settled, Until, Wait};
