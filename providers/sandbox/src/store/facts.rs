//! What a cluster is apart from its objects.

use serde::{Deserialize, Serialize};

/// What a cluster is apart from its objects. Holds a private key: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Its name, and that of its directory.
    pub(crate) name: String,
    /// Who made it: a record's id.
    pub(crate) owner: String,
    /// The uid of its namespace `kube-system`.
    pub(crate) uid: String,
    /// Such as `v1.36.0`.
    pub(crate) kubernetes_version: String,
    /// The certificate of its authority, PEM.
    pub(crate) certificate_authority: String,
    /// Addresses of load balancers: `first-last` or a CIDR.
    pub(crate) load_balancer_pool: String,
    /// Signs service account tokens; 32 random bytes in hexadecimal digits.
    pub(crate) token_key: String,
}

#[cfg(test)]
impl Facts {
    /// Facts for tests.
    pub(crate) fn example(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            owner: "r-1".to_owned(),
            uid: "00000000-0000-4000-8000-000000000001".to_owned(),
            kubernetes_version: "v1.36.0".to_owned(),
            certificate_authority: "-----BEGIN CERTIFICATE-----\n".to_owned(),
            load_balancer_pool: "198.18.0.0/30".to_owned(),
            token_key: "ab".repeat(32),
        }
    }
}
