//! The provider of data sources that look, and of nothing that could be made.

use crate::http::HttpKind;
use crate::lookup::LookupKind;
use crate::tcp::TcpKind;
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Question};
use engine::schema::Kind;
use std::future::ready;
use std::sync::Arc;

/// The provider of probes.
#[derive(Default)]
pub(crate) struct ProbeProvider {
    http: Arc<HttpKind>,
    lookup: Arc<LookupKind>,
    tcp: Arc<TcpKind>,
}

impl ProbeProvider {
    async fn answer_one(&self, question: &Question) -> Answer {
        match &question.ask {
            Ask::Data { kind, arguments, .. } => match &**kind {
                "dns_lookup" => self.lookup.answer(arguments).await,
                "http_probe" => self.http.answer(arguments).await,
                "tcp_probe" => self.tcp.answer(arguments).await,
                kind => Answer::Unreachable(format!("there is no probe `{kind}`").into()),
            },
            _ => Answer::Unreachable("it is no question about a probe".into()),
        }
    }
}

fn nothing_to_make(request: &Request) -> Failure {
    Failure::new("unknown kind", format!("this provider has no kind `{}`", request.kind))
}

impl Provider for ProbeProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        Vec::new()
    }

    fn data_sources(&self) -> Vec<Arc<dyn Kind>> {
        vec![self.http.clone(), self.lookup.clone(), self.tcp.clone()]
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        // Each waits for a server of its own: one that says nothing holds nobody up.
        let answers = asked.into_iter().map(|Asked { question, .. }| async move {
            let answer = self.answer_one(&question).await;
            (question, answer)
        });
        Box::pin(futures::future::join_all(answers))
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(ready(Err(nothing_to_make(&request))))
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(ready(Err(nothing_to_make(&request))))
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(ready(Err(nothing_to_make(&request))))
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(ready(Err(nothing_to_make(&request))))
    }
}
