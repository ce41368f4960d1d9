//! Kinds whose effects are not the apply of an object, and the provider of all of them.

use engine::port::{Asked, BoxFuture, Connected, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Proposal, Question};
use engine::schema::Kind;
use engine::state::Record;
use futures::stream::{self, StreamExt as _};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Questions that are answered at a time.
const AT_ONCE: usize = 16;

/// A kind with effects of its own. They keep to what [`Provider`] says of each.
pub trait Procedure: Send + Sync {
    /// The pure half.
    fn kind(&self) -> Arc<dyn Kind>;

    /// How what a record stands for is now.
    fn read<'a>(&'a self, record: &'a Record, place: Option<&'a Connected>) -> BoxFuture<'a, Answer>;

    /// What would become of a thing that is to be made.
    fn preview<'a>(&'a self, proposal: &'a Proposal, place: Option<&'a Connected>) -> BoxFuture<'a, Answer>;

    /// See [`Provider::create`].
    fn create<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>>;

    /// See [`Provider::settle`].
    fn settle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>>;

    /// See [`Provider::update`].
    fn update<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>>;

    /// See [`Provider::delete`].
    fn delete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<(), Failure>>;
}

/// The provider of kinds with effects of their own.
pub struct ProcedureProvider {
    procedures: BTreeMap<&'static str, Arc<dyn Procedure>>,
}

impl ProcedureProvider {
    /// A provider of these.
    pub fn new(procedures: Vec<Arc<dyn Procedure>>) -> Self {
        Self { procedures: procedures.into_iter().map(|procedure| (procedure.kind().schema().kind, procedure)).collect() }
    }

    fn procedure(&self, kind: &str) -> Result<&dyn Procedure, Failure> {
        let found = self.procedures.get(kind).map(|procedure| &**procedure);
        found.ok_or_else(|| Failure::new("unknown kind", format!("this provider has no kind `{kind}`")))
    }

    async fn answer_one(&self, Asked { question, place }: Asked) -> (Question, Answer) {
        let place = place.as_ref();
        let answer = match &question.ask {
            Ask::Read { record, .. } => match self.procedures.get(&*record.kind) {
                Some(procedure) => procedure.read(record, place).await,
                None => unanswered(),
            },
            Ask::Preview(proposal) | Ask::Exists(proposal) => match self.procedures.get(&*proposal.kind) {
                Some(procedure) => procedure.preview(proposal, place).await,
                None => unanswered(),
            },
            _ => unanswered(),
        };
        (question, answer)
    }
}

fn unanswered() -> Answer {
    Answer::Unreachable("it is no question about a kind of this provider".into())
}

impl Provider for ProcedureProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        self.procedures.values().map(|procedure| procedure.kind()).collect()
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        // Boxed one by one: the compiler cannot prove futures in closures `Send` for all lifetimes.
        let single: Vec<BoxFuture<'_, _>> = asked.into_iter().map(|asked| Box::pin(self.answer_one(asked)) as BoxFuture<'_, _>).collect();
        Box::pin(stream::iter(single).buffer_unordered(AT_ONCE).collect())
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.procedure(&request.kind)?.create(&request).await })
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.procedure(&request.kind)?.settle(&request).await })
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.procedure(&request.kind)?.update(&request).await })
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.procedure(&request.kind)?.delete(&request).await })
    }
}
