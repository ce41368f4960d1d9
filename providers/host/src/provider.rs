//! The provider of all kinds of things on the machine.

use crate::effect::Hands;
use crate::interface::{self, InterfaceKind};
use crate::procedure::{Procedure, Seen};
use engine::diagnostic::Diagnostic;
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Proposal, Question};
use engine::schema::{Kind, Obstacle, Problem};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The provider `host`.
pub(crate) struct HostProvider {
    procedures: BTreeMap<&'static str, Box<dyn Procedure>>,
    interface: Arc<InterfaceKind>,
    hands: Hands,
}

impl HostProvider {
    /// A provider of these kinds, whose effects these hands do.
    pub(crate) fn new(procedures: Vec<Box<dyn Procedure>>, hands: Hands) -> Self {
        let procedures = procedures.into_iter().map(|procedure| (procedure.kind().schema().kind, procedure)).collect();
        Self { procedures, interface: Arc::default(), hands }
    }

    fn procedure(&self, kind: &str) -> Result<&dyn Procedure, Failure> {
        let found = self.procedures.get(kind).map(|procedure| &**procedure);
        found.ok_or_else(|| Failure::new("unknown kind", format!("this provider has no kind `{kind}`")))
    }

    async fn answer_one(&self, question: &Question, seen: &Seen) -> Answer {
        match &question.ask {
            Ask::Read { record, .. } => match self.procedures.get(&*record.kind) {
                Some(procedure) => procedure.read(record, seen).await,
                None => unanswered(),
            },
            Ask::Preview(proposal) => match self.procedures.get(&*proposal.kind) {
                Some(procedure) => procedure.preview(proposal, seen, &self.hands).await,
                None => unanswered(),
            },
            Ask::Obstacles(proposal) => match self.procedures.get(&*proposal.kind) {
                Some(procedure) => self.obstacles(&**procedure, proposal, seen).await,
                None => unanswered(),
            },
            Ask::Import(proposal) => match self.procedures.get(&*proposal.kind) {
                Some(procedure) => procedure.import(proposal, seen).await,
                None => unanswered(),
            },
            Ask::Data { arguments, .. } => match seen.network().await {
                Ok(network) => interface::answer(arguments, network),
                Err(why) => Answer::Unreachable(why.into()),
            },
            _ => unanswered(),
        }
    }

    /// What a preview tells that is not asked for where part of the arguments is not known yet: who is there already, and missing rights.
    async fn obstacles(&self, procedure: &dyn Procedure, proposal: &Proposal, seen: &Seen) -> Answer {
        let obstacles: Vec<Obstacle> = match procedure.preview(proposal, seen, &self.hands).await {
            Answer::Present(preview) => procedure.kind().remarks(&preview).into_iter().map(Obstacle::from).collect(),
            Answer::Refused(Diagnostic { summary, detail, help, .. }) => vec![Problem { help, ..Problem::new(summary, detail) }.into()],
            _ => Vec::new(),
        };
        Answer::Present(Obstacle::told(&obstacles))
    }

    async fn write(&self, request: Request) -> Result<Done, Failure> {
        self.procedure(&request.kind)?.write(&request, &self.hands).await
    }
}

fn unanswered() -> Answer {
    Answer::Unreachable("it is no question about a kind of this provider".into())
}

impl Provider for HostProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        self.procedures.values().map(|procedure| procedure.kind()).collect()
    }

    fn data_sources(&self) -> Vec<Arc<dyn Kind>> {
        vec![self.interface.clone()]
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        Box::pin(async move {
            let seen = Seen::default();
            let mut answers = Vec::with_capacity(asked.len());
            for Asked { question, .. } in asked {
                let answer = self.answer_one(&question, &seen).await;
                answers.push((question, answer));
            }
            answers
        })
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(self.write(request))
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(self.write(request))
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(self.write(request))
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.procedure(&request.kind)?.delete(&request, &self.hands).await })
    }
}
