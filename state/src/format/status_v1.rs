//! How far a record has come, in a word or two: in the state, in the journal and in plans.

use engine::state::{Operation, Status};
use serde::{Deserialize, Serialize};

/// How far it has come.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusV1 {
    Ready,
    Unready,
    Tainted,
    Interrupted,
}

/// What was interrupted.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum OperationV1 {
    Create,
    Update,
    Delete,
    Import,
}

/// The words for a status.
pub(super) fn words(status: Status) -> (StatusV1, Option<OperationV1>) {
    match status {
        Status::Ready => (StatusV1::Ready, None),
        Status::Unready => (StatusV1::Unready, None),
        Status::Tainted => (StatusV1::Tainted, None),
        Status::Interrupted(Operation::Create) => (StatusV1::Interrupted, Some(OperationV1::Create)),
        Status::Interrupted(Operation::Update) => (StatusV1::Interrupted, Some(OperationV1::Update)),
        Status::Interrupted(Operation::Delete) => (StatusV1::Interrupted, Some(OperationV1::Delete)),
        Status::Interrupted(Operation::Import) => (StatusV1::Interrupted, Some(OperationV1::Import)),
    }
}

/// What the words say, or why they do not fit each other, as a fragment that fits after what they are of.
pub(super) fn status(words: (StatusV1, Option<OperationV1>)) -> Result<Status, &'static str> {
    match words {
        (StatusV1::Ready, None) => Ok(Status::Ready),
        (StatusV1::Unready, None) => Ok(Status::Unready),
        (StatusV1::Tainted, None) => Ok(Status::Tainted),
        (StatusV1::Interrupted, Some(OperationV1::Create)) => Ok(Status::Interrupted(Operation::Create)),
        (StatusV1::Interrupted, Some(OperationV1::Update)) => Ok(Status::Interrupted(Operation::Update)),
        (StatusV1::Interrupted, Some(OperationV1::Delete)) => Ok(Status::Interrupted(Operation::Delete)),
        (StatusV1::Interrupted, Some(OperationV1::Import)) => Ok(Status::Interrupted(Operation::Import)),
        (StatusV1::Interrupted, None) => Err("is interrupted and has no `operation`"),
        (_, Some(_)) => Err("has an `operation` and is not interrupted"),
    }
}
