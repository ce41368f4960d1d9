//! What a kind of thing on the machine can do.

use crate::effect::Hands;
use crate::netlink::Netlink;
use crate::network::Network;
use engine::port::{BoxFuture, Done, Failure, Request};
use engine::question::{Answer, Proposal};
use engine::schema::Kind;
use engine::state::Record;
use std::future::ready;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// What a batch of questions is answered from: looked at once, when the first needs it.
#[derive(Default)]
pub(crate) struct Seen {
    network: OnceCell<Result<Network, String>>,
}

impl Seen {
    /// The network of the machine.
    ///
    /// Errors: why it cannot be told, as a fragment.
    pub(crate) async fn network(&self) -> Result<&Network, &str> {
        let look = || async { Netlink::open()?.look().await };
        self.network.get_or_init(look).await.as_ref().map_err(String::as_str)
    }
}

/// A kind with its effects.
pub(crate) trait Procedure: Send + Sync {
    /// The pure half.
    fn kind(&self) -> Arc<dyn Kind>;

    /// How what a record stands for is now.
    fn read<'a>(&'a self, record: &'a Record, seen: &'a Seen) -> BoxFuture<'a, Answer>;

    /// What a thing would meet that is to be made or changed.
    fn preview<'a>(&'a self, proposal: &'a Proposal, seen: &'a Seen, hands: &'a Hands) -> BoxFuture<'a, Answer>;

    /// How a thing is that is to be imported. Kinds that import nothing are not asked.
    fn import<'a>(&'a self, proposal: &'a Proposal, seen: &'a Seen) -> BoxFuture<'a, Answer> {
        let _ = (proposal, seen);
        Box::pin(ready(Answer::Unreachable("it is of a kind whose things are not imported".into())))
    }

    /// Makes the thing as it is to be, whatever of it is there.
    fn write<'a>(&'a self, request: &'a Request, hands: &'a Hands) -> BoxFuture<'a, Result<Done, Failure>>;

    /// Takes the thing away. One that is gone already is no failure.
    fn delete<'a>(&'a self, request: &'a Request, hands: &'a Hands) -> BoxFuture<'a, Result<(), Failure>>;
}
