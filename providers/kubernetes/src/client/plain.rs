//! Requests by path, for what is no resource of a configuration: the objects in which state is kept.

use super::call::Cluster;
use super::error::CallError;
use super::send::{Call, Repeat};
use crate::object_kind::Json;
use http::Method;

/// Lists with the metadata of the objects alone.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// A request with its path, which may have a query.
#[derive(Debug, Clone, Copy)]
pub enum Plain<'a> {
    /// Reads an object or a list of them.
    Get(&'a str),
    /// Reads a list of objects, their metadata alone.
    Metadata(&'a str),
    /// Makes an object in a collection.
    Create(&'a str, &'a Json),
    /// Replaces an object, which has to bear the `resourceVersion` it was read with.
    Replace(&'a str, &'a Json),
    /// Deletes an object.
    Delete(&'a str),
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// It was carried out, and this is the object, the list or the status.
    Done(Json),
    /// There is no such object.
    NotThere,
    /// The object is there already, or was replaced since it was read. So it is too if a first try was carried out whose answer was lost.
    Conflict,
}

impl Cluster {
    /// The answer to a request; or why there is none, as a fragment. What passes by itself is waited out.
    pub async fn plain(&self, request: Plain<'_>) -> Result<Answered, String> {
        let (post, put, delete) = (Method::POST, Method::PUT, Method::DELETE);
        let (call, creates) = match request {
            Plain::Get(path) => (Call::get(path), false),
            Plain::Metadata(path) => (Call { accept: METADATA, ..Call::get(path) }, false),
            Plain::Create(path, object) => (Call { method: &post, body: Some(object), ..Call::get(path) }, true),
            Plain::Replace(path, object) => (Call { method: &put, body: Some(object), ..Call::get(path) }, false),
            Plain::Delete(path) => (Call { method: &delete, ..Call::get(path) }, false),
        };
        match self.call(Call { repeat: Repeat::UnlessConflict, ..call }).await {
            Ok(reply) => Ok(Answered::Done(reply.body)),
            Err(CallError { status: Some(409), .. }) => Ok(Answered::Conflict),
            // What is made and not found is the namespace.
            Err(CallError { status: Some(404), .. }) if !creates => Ok(Answered::NotThere),
            Err(error) => Err(error.to_string()),
        }
    }
}
