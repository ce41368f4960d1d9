//! Questions and requests, each handed to the kind that it is about.

use crate::client::{CallError, Client};
use crate::endpoint::Endpoint;
use crate::network::{self, NetworkData, NetworkKind};
use engine::diagnostic::Diagnostic;
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Proposal, Question};
use engine::schema::Kind;
use engine::value::Value;
use futures::StreamExt as _;
use serde_json::Value as Json;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// How many questions are asked at once, after what is asked in bulk.
const AT_ONCE: usize = 8;

/// The provider of what an Engine has.
pub(crate) struct DockerProvider {
    endpoint: Result<Endpoint, String>,
    client: OnceCell<Client>,
}

/// What was asked of the Engine in one go for a whole batch of questions.
struct Seen {
    client: Client,
    networks: Result<Vec<Json>, CallError>,
}

impl DockerProvider {
    /// A provider for an endpoint, or one that says why there is none. It is reached when it is asked for the first time.
    pub(crate) fn new(endpoint: Result<Endpoint, String>) -> Self {
        Self { endpoint, client: OnceCell::new() }
    }

    /// The Engine; the error is a sentence with what mends it. What did not answer is tried again.
    async fn client(&self) -> Result<&Client, String> {
        let endpoint = self.endpoint.as_ref().map_err(Clone::clone)?;
        self.client.get_or_try_init(|| Client::connect(endpoint)).await
    }

    async fn reached(&self) -> Result<&Client, Failure> {
        self.client().await.map_err(|why| Failure::new("Docker Engine not reached", why))
    }

    async fn answer_all(&self, asked: Vec<Asked>) -> Vec<(Question, Answer)> {
        let seen = match self.client().await {
            Ok(client) => Seen { client: client.clone(), networks: client.networks().await },
            Err(why) => {
                let why: Arc<str> = why.into();
                return asked.into_iter().map(|asked| (asked.question, Answer::Unreachable(why.clone()))).collect();
            }
        };
        let answers = asked.into_iter().map(|Asked { question, .. }| async {
            let answer = seen.reply(&question.ask).await;
            (question, answer)
        });
        futures::stream::iter(answers).buffered(AT_ONCE).collect().await
    }
}

impl Seen {
    async fn reply(&self, ask: &Ask) -> Answer {
        let networks = match &self.networks {
            Ok(networks) => networks,
            Err(error) => return Answer::Unreachable(error.message.as_str().into()),
        };
        match ask {
            Ask::Read { record, .. } => match network::of_record(networks, record) {
                Some(found) => Answer::Present(found.observed(&record.attributes)),
                None => Answer::Absent,
            },
            Ask::Import(proposal) => match network::found_by_name(networks, name(proposal)) {
                Ok(Some(found)) => Answer::Present(found.imported(NetworkKind::default().schema(), &proposal.arguments)),
                Ok(None) => Answer::Absent,
                Err(problem) => Answer::Refused(*problem),
            },
            // Of what is new: whether its name is free.
            Ask::Preview(proposal) => match network::taken(networks, name(proposal)) {
                Some(problem) => Answer::Refused(problem),
                None => Answer::Present(Value::null()),
            },
            Ask::Data { arguments, .. } => NetworkData::read(&self.client, networks, arguments).await,
            Ask::Place { .. } | Ask::Exists(_) | Ask::Describe { .. } | Ask::File { .. } | Ask::Files { .. } => {
                Answer::Refused(Diagnostic::error("unexpected question", "things of a Docker Engine lie in no place and are not described"))
            }
        }
    }
}

fn name(proposal: &Proposal) -> &str {
    proposal.arguments.text("name").unwrap_or_default()
}

impl Provider for DockerProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        vec![Arc::new(NetworkKind::default())]
    }

    fn data_sources(&self) -> Vec<Arc<dyn Kind>> {
        vec![Arc::new(NetworkData::default())]
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        Box::pin(self.answer_all(asked))
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { network::create(self.reached().await?, &request).await })
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { network::update(self.reached().await?, &request).await })
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { network::update(self.reached().await?, &request).await })
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { network::delete(self.reached().await?, &request).await })
    }
}
