//! The effects: keeping what was planned. Nothing is waited for and nothing is read outside.

use crate::data::{DataKind, ID, taken};
use crate::ranges::{self, RangesKind};
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Question};
use engine::schema::Kind;
use engine::value::Value;
use std::future::ready;
use std::sync::Arc;

/// The provider of what is kept in the state and nowhere else.
#[derive(Default)]
pub(crate) struct StateAlone {
    data: Arc<DataKind>,
    ranges: Arc<RangesKind>,
}

impl Provider for StateAlone {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        vec![self.data.clone(), self.ranges.clone()]
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        let answers = asked.into_iter().map(|asked| {
            let answer = match &asked.question.ask {
                Ask::Read { record, .. } => Answer::Present(record.attributes.clone()),
                Ask::Exists(_) => Answer::Absent,
                Ask::Preview(proposal) => Answer::Present(proposal.arguments.clone()),
                Ask::Import(_)
                | Ask::Obstacles(_)
                | Ask::Users { .. }
                | Ask::Describe { .. }
                | Ask::Render { .. }
                | Ask::Place { .. }
                | Ask::Data { .. }
                | Ask::File { .. }
                | Ask::Files { .. } => Answer::Unreachable("it lives in the state alone".into()),
            };
            (asked.question, answer)
        });
        Box::pin(ready(answers.collect()))
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(ready(match &*request.kind {
            ranges::NAME => ranges::carved(&request),
            _ => Ok(self.data.stored(&request, Value::string(request.id.as_str()))),
        }))
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        let attributes = request.prior.map_or(request.arguments, |prior| prior.attributes);
        Box::pin(ready(Ok(Done::new(attributes))))
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        if &*request.kind == ranges::NAME {
            return Box::pin(ready(ranges::carved(&request)));
        }
        let id = request.prior.as_ref().map_or_else(|| Value::string(request.id.as_str()), |prior| taken(&prior.attributes, ID));
        Box::pin(ready(Ok(self.data.stored(&request, id))))
    }

    fn delete(&self, _: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(ready(Ok(())))
    }
}
