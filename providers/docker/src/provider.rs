//! Questions and requests, each handed to the kind that it is about.

use crate::client::{CallError, Called, Client, Unusable};
use crate::container::{self, ContainerData, ContainerKind};
use crate::engines::{ENGINE, Engine, Engines, Whereabouts};
use crate::facts::Facts;
use crate::image::{self, ImageKind};
use crate::network::{self, NetworkData, NetworkKind};
use crate::planning::{Comparable as _, found_elsewhere};
use crate::preflight::{self, Ground};
use crate::thing::{Named, Thing as _};
use engine::diagnostic::Diagnostic;
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Proposal, Question};
use engine::schema::{Claim, Kind, Obstacle, Schema};
use engine::value::Value;
use futures::StreamExt as _;
use host::preflight::Machine;
use serde_json::Value as Json;
use std::path::PathBuf;
use std::sync::Arc;

/// How many questions are asked at once, after what is asked in bulk.
const AT_ONCE: usize = 8;

/// The provider of what an Engine has.
pub(crate) struct DockerProvider {
    engine: Arc<Engine>,
    engines: Engines,
    directory: PathBuf,
}

/// The Engine, with what was asked of it in one go for a whole batch of questions.
struct Seen {
    client: Client,
    networks: Listed,
    containers: Listed,
    machine: Option<Machine>,
}

/// A list that was asked for; empty if nothing in the batch is about it.
type Listed = Result<Vec<Json>, CallError>;

impl DockerProvider {
    /// A provider of what is at an Engine, among those that others lead to. Paths of archives are relative to the directory.
    pub(crate) fn new((engine, engines): (Arc<Engine>, Engines), directory: PathBuf) -> Self {
        Self { engine, engines, directory }
    }

    async fn reached(&self) -> Result<&Client, Failure> {
        self.engine.client().await.map_err(|why| Failure::new(why.summary(), why.to_string()))
    }

    async fn answer_all(&self, asked: Vec<Asked>) -> Vec<(Question, Answer)> {
        let own = self.engine.client().await;
        let mut search = self.engines.search(&self.engine, own.as_ref().copied());
        let (mut here, mut answers) = (Vec::new(), Vec::new());
        // Next to nothing is elsewhere, which is asked for one by one.
        for asked in asked {
            let Ask::Read { record, .. } = &asked.question.ask else {
                here.push(asked);
                continue;
            };
            match search.find(&record.attributes).await {
                Whereabouts::Here => here.push(asked),
                Whereabouts::Lost(why) => answers.push((asked.question, Answer::Unreachable(why.into()))),
                Whereabouts::Elsewhere(engine) => {
                    let unusable = own.as_ref().err().map(ToString::to_string);
                    let found = Self::answer_at(engine.client().await.as_ref().copied(), vec![asked]).await;
                    answers.extend(found.into_iter().map(|(question, answer)| (question, to_move(answer, unusable.as_deref()))));
                }
            }
        }
        if !here.is_empty() {
            answers.extend(Self::answer_at(own.as_ref().copied(), here).await);
        }
        answers
    }

    async fn answer_at(client: Result<&Client, &Unusable>, asked: Vec<Asked>) -> Vec<(Question, Answer)> {
        let seen = match client {
            Ok(client) => Seen::look(client.clone(), &asked).await,
            Err(why) => {
                let said: Arc<str> = why.to_string().into();
                let reply = |asked: Asked| {
                    let is_looking = matches!(asked.question.ask, Ask::Obstacles(_));
                    let answer = if is_looking { obstructed(&[preflight::unusable(why)]) } else { Answer::Unreachable(said.clone()) };
                    (asked.question, answer)
                };
                return asked.into_iter().map(reply).collect();
            }
        };
        let answers = asked.into_iter().map(|Asked { question, .. }| async {
            let answer = seen.reply(&question.ask).await;
            (question, answer)
        });
        futures::stream::iter(answers).buffered(AT_ONCE).collect().await
    }

    async fn make(&self, request: &Request) -> Result<Done, Failure> {
        let client = self.reached().await?;
        match &*request.kind {
            image::NAME => {
                // Of several that bring one image, the others find it.
                let _alone = self.engine.alone(request.arguments.text("name").unwrap_or_default()).await;
                image::create(client, request, &self.directory).await
            }
            container::NAME => container::create(client, request).await,
            _ => network::create(client, request).await,
        }
    }

    async fn change(&self, request: &Request) -> Result<Done, Failure> {
        let client = self.reached().await?;
        match &*request.kind {
            image::NAME => image::update(client, request).await,
            container::NAME => container::update(client, request).await,
            _ => network::update(client, request).await,
        }
    }

    async fn wait(&self, request: &Request) -> Result<Done, Failure> {
        if &*request.kind == container::NAME {
            return container::settle(self.reached().await?, request).await;
        }
        self.change(request).await
    }

    /// The same, with the Engine where it was done.
    async fn noted(&self, done: Result<Done, Failure>) -> Result<Done, Failure> {
        let done = done?;
        let engine = Value::from_json(&self.reached().await?.identity().told());
        Ok(Done { attributes: done.attributes.with_entries([(ENGINE, engine)]), ..done })
    }

    async fn remove(&self, request: &Request) -> Result<(), Failure> {
        let engine = self.engines.of_record(&self.engine, &request.arguments).await?;
        let client = engine.client().await.map_err(|why| Failure::new(why.summary(), why.to_string()))?;
        match &*request.kind {
            image::NAME => {
                let _alone = engine.alone(request.arguments.text("name").unwrap_or_default()).await;
                image::delete(client, request).await
            }
            container::NAME => container::delete(client, request).await,
            _ => network::delete(client, request).await,
        }
    }
}

/// The kind that a question is about.
fn kind(ask: &Ask) -> &str {
    match ask {
        Ask::Read { record, .. } | Ask::Users { record, .. } => &record.kind,
        Ask::Exists(proposal) | Ask::Import(proposal) | Ask::Preview(proposal) | Ask::Obstacles(proposal) => &proposal.kind,
        Ask::Describe { kind, .. } | Ask::Data { kind, .. } | Ask::Render { kind, .. } => kind,
        Ask::Place { .. } | Ask::File { .. } | Ask::Files { .. } => "",
    }
}

impl Seen {
    async fn look(client: Client, asked: &[Asked]) -> Self {
        let is_asked = |name: &str| asked.iter().any(|asked| kind(&asked.question.ask) == name);
        let is_made =
            asked.iter().any(|asked| matches!(&asked.question.ask, Ask::Obstacles(proposal) if &*proposal.kind == container::NAME));
        let networks = if is_made || is_asked(network::NAME) { client.networks().await } else { Ok(Vec::new()) };
        let containers = if is_asked(container::NAME) { client.containers().await } else { Ok(Vec::new()) };
        let machine = match &networks {
            Ok(networks) if is_made => preflight::machine(&client, networks).await,
            _ => None,
        };
        Self { client, networks, containers, machine }
    }

    async fn reply(&self, ask: &Ask) -> Answer {
        let answer = match kind(ask) {
            network::NAME => self.of_network(ask).await,
            container::NAME => self.of_container(ask).await,
            image::NAME => self.of_image(ask).await,
            _ => Ok(None),
        };
        let unexpected = || Diagnostic::error("unexpected question", "things of a Docker Engine lie in no place and are not described");
        match answer {
            Ok(Some(Answer::Present(found))) if matches!(ask, Ask::Read { .. } | Ask::Import(_)) => Answer::Present(self.placed(&found)),
            Ok(answer) => answer.unwrap_or_else(|| Answer::Refused(unexpected())),
            Err(error) => Answer::Unreachable(error.message.into()),
        }
    }

    /// An observation with the Engine that it is of.
    fn placed(&self, observed: &Value) -> Value {
        let engine = || (ENGINE, Value::from_json(&self.client.identity().told()));
        let imported = observed.get("attributes").map(|attributes| ("attributes", attributes.with_entries([engine()])));
        observed.with_entries(imported.into_iter().chain([engine()]))
    }

    async fn of_network(&self, ask: &Ask) -> Called<Option<Answer>> {
        let networks = self.networks.as_ref().map_err(Clone::clone)?;
        Ok(Some(match ask {
            Ask::Read { record, .. } => match network::of_record(networks, record) {
                Some(found) => Answer::Present(found.observed(&record.attributes)),
                None => Answer::Absent,
            },
            Ask::Import(proposal) => match network::found_by_name(networks, name(proposal)) {
                Ok(found) => imported(found, NetworkKind::default().schema(), proposal),
                Err(problem) => Answer::Refused(*problem),
            },
            Ask::Obstacles(proposal) => {
                let ground = Ground { networks, ..Ground::default() };
                let taken = network::taken(networks, name(proposal), proposal.id.as_ref());
                obstructed(&in_the_way(taken, &ground, &NetworkKind::default().claims(&proposal.arguments)))
            }
            Ask::Data { arguments, .. } => NetworkData::read(&self.client, networks, arguments).await,
            _ => return Ok(None),
        }))
    }

    async fn of_container(&self, ask: &Ask) -> Called<Option<Answer>> {
        let containers = self.containers.as_ref().map_err(Clone::clone)?;
        Ok(Some(match ask {
            Ask::Read { record, .. } => container::read(&self.client, containers, record).await,
            Ask::Import(proposal) => {
                let found = container::by_name(&self.client, name(proposal), &proposal.arguments).await?;
                imported(found, ContainerKind::default().schema(), proposal)
            }
            Ask::Obstacles(proposal) => {
                let networks = self.networks.as_ref().map_err(Clone::clone)?;
                let ground = Ground { containers, networks, machine: self.machine.as_ref() };
                let taken = container::taken(containers, name(proposal), proposal.id.as_ref());
                obstructed(&in_the_way(taken, &ground, &ContainerKind::default().claims(&proposal.arguments)))
            }
            Ask::Data { arguments, .. } => ContainerData::read(&self.client, arguments).await,
            _ => return Ok(None),
        }))
    }

    async fn of_image(&self, ask: &Ask) -> Called<Option<Answer>> {
        Ok(Some(match ask {
            Ask::Read { record, .. } => image::read(&self.client, record).await,
            Ask::Import(proposal) => {
                let found = image::found(&self.client, name(proposal)).await?;
                imported(found, ImageKind::default().schema(), proposal)
            }
            // That the Engine answers is all that it needs.
            Ask::Obstacles(_) => obstructed(&[]),
            _ => return Ok(None),
        }))
    }
}

/// The answer about a thing at another Engine than it is to be at.
fn to_move(answer: Answer, unusable: Option<&str>) -> Answer {
    match answer {
        Answer::Present(found) => Answer::Present(found_elsewhere(&found, unusable)),
        answer => answer,
    }
}

/// The answer about what is to be imported.
fn imported(found: Option<Facts>, schema: &Schema, proposal: &Proposal) -> Answer {
    found.map_or(Answer::Absent, |found| Answer::Present(found.imported(schema, &proposal.arguments)))
}

/// The answer about what stands in the way.
fn obstructed(obstacles: &[Obstacle]) -> Answer {
    Answer::Present(Obstacle::told(obstacles))
}

fn in_the_way(taken: Option<Obstacle>, ground: &Ground<'_>, claims: &[Claim]) -> Vec<Obstacle> {
    taken.into_iter().chain(ground.obstacles(claims)).collect()
}

fn name(proposal: &Proposal) -> &str {
    proposal.arguments.text("name").unwrap_or_default()
}

impl Provider for DockerProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        vec![Arc::new(Named(NetworkKind::default())), Arc::new(Named(ImageKind::default())), Arc::new(Named(ContainerKind::default()))]
    }

    fn data_sources(&self) -> Vec<Arc<dyn Kind>> {
        vec![Arc::new(NetworkData::default()), Arc::new(ContainerData::default())]
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        Box::pin(self.answer_all(asked))
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.noted(self.make(&request).await).await })
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.noted(self.wait(&request).await).await })
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.noted(self.change(&request).await).await })
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.remove(&request).await })
    }
}
