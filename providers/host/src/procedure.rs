//! What a kind of thing on the machine can do.

use crate::effect::Hands;
use engine::port::{BoxFuture, Done, Failure, Request};
use engine::question::{Answer, Proposal};
use engine::schema::Kind;
use engine::state::Record;
use std::sync::Arc;

/// A kind with its effects.
pub(crate) trait Procedure: Send + Sync {
    /// The pure half.
    fn kind(&self) -> Arc<dyn Kind>;

    /// How what a record stands for is now.
    fn read<'a>(&'a self, record: &'a Record) -> BoxFuture<'a, Answer>;

    /// What a thing would meet that is to be made or changed.
    fn preview<'a>(&'a self, proposal: &'a Proposal, hands: &'a Hands) -> BoxFuture<'a, Answer>;

    /// Makes the thing as it is to be, whatever of it is there.
    fn write<'a>(&'a self, request: &'a Request, hands: &'a Hands) -> BoxFuture<'a, Result<Done, Failure>>;

    /// Takes the thing away. One that is gone already is no failure.
    fn delete<'a>(&'a self, request: &'a Request, hands: &'a Hands) -> BoxFuture<'a, Result<(), Failure>>;
}
