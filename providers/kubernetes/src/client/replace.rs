//! Writing whole objects back as they were read, with a change: for what server-side apply cannot own a part of.

use super::call::{Cluster, encode, unknown_kind};
use super::error::CallError;
use super::send::{Call, Repeat};
use crate::object_kind::{Json, ObjectName};
use http::Method;

impl Cluster {
    /// Writes an object back. It has to bear the `resourceVersion` it was read with: if somebody wrote it since, the error's status is 409,
    /// and so it is if a first try was written whose answer was lost.
    pub(crate) async fn replace(&self, name: &ObjectName, object: &Json, manager: &str) -> Result<Json, CallError> {
        let Some(path) = self.path(name).await? else { return Err(unknown_kind(name)) };
        let path = format!("{path}?fieldManager={}", encode(manager));
        let call = Call { method: &Method::PUT, body: Some(object), repeat: Repeat::UnlessConflict, ..Call::get(&path) };
        self.call(call).await.map(|reply| reply.body)
    }
}
