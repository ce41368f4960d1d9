//! Questions and requests about clusters.

use crate::cluster::{ClusterKind, previewed};
use crate::pinning;
use crate::preflight::exists;
use crate::program::Program;
use crate::seen::{self, Cluster, Depth, Files};
use crate::settling;
use docker::preflight::{self, Ground};
use docker::{CallError, Client, Endpoint, Engine, Engines, Unusable, Whereabouts, found_elsewhere};
use engine::diagnostic::Diagnostic;
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Proposal, Question};
use engine::schema::{Kind, Obstacle, Problem};
use engine::state::{Operation, Record, Status};
use engine::value::Value;
use futures::StreamExt as _;
use kubernetes::Clusters;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// How many questions are asked at once, after what is asked in bulk.
const AT_ONCE: usize = 8;

/// The provider of the clusters at one Engine.
pub(crate) struct KindProvider {
    engine: Arc<Engine>,
    /// The Engines that clusters may have been made at before.
    pub(crate) engines: Engines,
    /// What makes clusters.
    pub(crate) program: Program,
    directory: PathBuf,
    /// How they are reached once they are made.
    pub(crate) clusters: Clusters,
}

impl KindProvider {
    /// A provider of the clusters at an Engine, among those that others lead to. The program is run in the directory that paths are relative to;
    /// the other one is that of the configuration.
    pub(crate) fn new((engine, engines): (Arc<Engine>, Engines), (program, directory): (Program, PathBuf), clusters: Clusters) -> Self {
        Self { engine, engines, program, directory, clusters }
    }

    /// Where the Engine is, if that is known.
    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        self.engine.endpoint().ok()
    }

    /// The Engine for an effect, with where it is.
    pub(crate) async fn reached(&self) -> Result<(&Client, &Endpoint), Failure> {
        usable(&self.engine).await
    }

    /// The Engine that the cluster of a request was made at.
    pub(crate) async fn engine_of(&self, request: &Request) -> Result<Arc<Engine>, Failure> {
        self.engines.of_record(&self.engine, &request.arguments).await
    }

    /// Where files are.
    pub(crate) fn files(&self) -> Files<'_> {
        Files { working_directory: &self.program.directory, directory: &self.directory }
    }

    async fn answer_all(&self, asked: Vec<Asked>) -> Vec<(Question, Answer)> {
        let own = self.engine.client().await;
        let mut search = self.engines.search(&self.engine, own.as_ref().copied());
        let (mut here, mut answers) = (Vec::new(), Vec::new());
        for asked in asked {
            let (Ask::Read { record, .. } | Ask::Place { record: Some(record), .. }) = &asked.question.ask else {
                here.push(asked);
                continue;
            };
            match search.find(&record.attributes).await {
                Whereabouts::Here => here.push(asked),
                Whereabouts::Lost(why) => answers.push((asked.question, Answer::Unreachable(why.into()))),
                Whereabouts::Elsewhere(engine) => {
                    let unusable = own.as_ref().err().map(ToString::to_string);
                    let found = self.answer_at(engine.client().await.as_ref().copied(), vec![asked]).await;
                    answers.extend(found.into_iter().map(|(question, answer)| {
                        let answer = to_move(&question.ask, answer, unusable.as_deref());
                        (question, answer)
                    }));
                }
            }
        }
        if !here.is_empty() {
            answers.extend(self.answer_at(own.as_ref().copied(), here).await);
        }
        answers
    }

    async fn answer_at(&self, client: Result<&Client, &Unusable>, asked: Vec<Asked>) -> Vec<(Question, Answer)> {
        let unreachable = |asked: Vec<Asked>, why: &Unusable| {
            let said: Arc<str> = why.to_string().into();
            let reply = |asked: Asked| {
                let is_looking = matches!(asked.question.ask, Ask::Obstacles(_));
                let obstacle = || Answer::Present(Obstacle::told(&[preflight::unusable(why)]));
                let answer = if is_looking { obstacle() } else { Answer::Unreachable(said.clone()) };
                (asked.question, answer)
            };
            asked.into_iter().map(reply).collect()
        };
        let client = match client {
            Ok(client) => client,
            Err(why) => return unreachable(asked, why),
        };
        let listed = match client.containers().await {
            Ok(listed) => listed,
            Err(error) => return unreachable(asked, &Unusable::Unreached(error.message)),
        };
        let is_looking = asked.iter().any(|asked| matches!(asked.question.ask, Ask::Obstacles(_)));
        let networks = if is_looking { client.networks().await.unwrap_or_default() } else { Vec::new() };
        let machine = if is_looking { preflight::machine(client, &networks).await } else { None };
        let ground = &Ground { containers: &listed, networks: &networks, machine: machine.as_ref() };
        let answers = asked.into_iter().map(|Asked { question, .. }| async move {
            let answer = self.reply((client, ground), &question.ask).await;
            (question, answer.unwrap_or_else(|error| Answer::Unreachable(error.message.into())))
        });
        futures::stream::iter(answers).buffered(AT_ONCE).collect().await
    }

    async fn reply(&self, (client, ground): (&Client, &Ground<'_>), ask: &Ask) -> Result<Answer, CallError> {
        let look = async |name: &str, depth| seen::cluster(client, (ground.containers, name), depth).await;
        Ok(match ask {
            Ask::Place { record: Some(record), .. } => match look(name(&record.attributes), Depth::Usual).await? {
                Some(cluster) if cluster.is_of(record) => self.place(&cluster, record),
                _ => Answer::Absent,
            },
            Ask::Place { record: None, .. } => Answer::Absent,
            Ask::Read { record, .. } => self.read(look(name(&record.attributes), Depth::Usual).await?, record),
            Ask::Import(proposal) => match look(name(&proposal.arguments), Depth::Whole).await? {
                Some(cluster) => self.imported(&cluster, proposal).await,
                None => Answer::Absent,
            },
            Ask::Preview(proposal) => self.preview(proposal).await,
            Ask::Obstacles(proposal) => {
                let found = look(name(&proposal.arguments), Depth::Usual).await?;
                Answer::Present(Obstacle::told(&self.in_the_way(found.as_ref(), ground, proposal).await))
            }
            Ask::Exists(_)
            | Ask::Describe { .. }
            | Ask::Users { .. }
            | Ask::Render { .. }
            | Ask::Data { .. }
            | Ask::File { .. }
            | Ask::Files { .. } => {
                Answer::Refused(Diagnostic::error("unexpected question", "clusters of kind have no data source and are not described"))
            }
        })
    }

    /// Whether what lies in a cluster can be reached. Its API server is asked by whoever looks within.
    fn place(&self, cluster: &Cluster, record: &Record) -> Answer {
        if let Some(node) = cluster.stopped().first() {
            return Answer::Unreachable(format!("the node `{}` {}", node.name(), node.stands()).into());
        }
        let parts = cluster.parts(&record.attributes, self.files(), record.attributes.text("uid"));
        let of = |name: &str| (name.to_owned(), parts.get(name).cloned().unwrap_or_default());
        let told: serde_json::Map<_, _> = ["uid", "server", "certificate_authority", "connection"].map(of).into_iter().collect();
        Answer::Present(seen::observed(ClusterKind::default().schema(), &told, &Value::null()))
    }

    fn read(&self, found: Option<Cluster>, record: &Record) -> Answer {
        let begun = record.status == Status::Interrupted(Operation::Create);
        match found {
            Some(cluster) if cluster.is_of(record) || (begun && cluster.is_remains()) => {
                let told = &record.attributes;
                let mut parts = cluster.parts(told, self.files(), told.text("uid"));
                if begun {
                    let file = self.files().kubeconfig(&cluster.name, told);
                    parts.insert("whole".to_owned(), json!(cluster.is_whole(&file)));
                }
                let kind = ClusterKind::default();
                Answer::Present(seen::remembering(kind.schema(), &seen::observed(kind.schema(), &parts, told), told))
            }
            Some(cluster) if begun => Answer::Refused(refused(exists(&cluster))),
            // Another cluster of the name: the one that is meant is gone.
            _ => Answer::Absent,
        }
    }

    async fn imported(&self, cluster: &Cluster, proposal: &Proposal) -> Answer {
        let arguments = &proposal.arguments;
        let uid = match cluster.kubeconfig().filter(|_| cluster.stopped().is_empty()) {
            // Without it the first wait tells.
            Some(text) => settling::uid(&self.clusters, &cluster.name, &text).await.ok(),
            None => None,
        };
        let parts = cluster.parts(arguments, self.files(), uid.as_deref());
        let kind = ClusterKind::default();
        let observed = seen::observed(kind.schema(), &parts, arguments);
        let attributes = Value::object(kind.schema().attributes.iter().map(|attribute| {
            let is_told = attribute.presence == engine::schema::Presence::Computed || arguments.present(attribute.name).is_some();
            let given = || arguments.get(attribute.name).cloned().unwrap_or_else(Value::null);
            (attribute.name, observed.get(attribute.name).filter(|_| is_told).cloned().unwrap_or_else(given))
        }));
        let unseen = [
            "feature_gates",
            "runtime_config",
            "kubeadm_config_patches",
            "kubeadm_config_patches_json6902",
            "containerd_config_patches",
            "containerd_config_patches_json6902",
        ];
        let unseen = unseen
            .iter()
            .filter(|name| arguments.present(name).is_some())
            .map(|name| Value::string(format!("whether `{name}` is as it is there cannot be seen; it is taken as written")));
        let notes = Value::tuple(unseen.collect());
        Answer::Present(observed.with_entries([("attributes", attributes), ("notes", notes)]))
    }

    /// What a cluster gets that its description leaves to kind. What stands in its way is asked for by itself.
    async fn preview(&self, proposal: &Proposal) -> Answer {
        let arguments = &proposal.arguments;
        let usual = match self.program.usable().await {
            Ok(kind) if arguments.text("node_image").is_none() => pinning::of_program(&kind).await,
            _ => None,
        };
        Answer::Present(previewed(arguments, usual.as_deref()))
    }
}

/// An Engine with where it is.
pub(crate) async fn usable(engine: &Engine) -> Result<(&Client, &Endpoint), Failure> {
    let failed = |why: Unusable| Failure::new(why.summary(), why.to_string());
    Ok((engine.client().await.map_err(failed)?, engine.endpoint().map_err(failed)?))
}

/// The answer about a cluster at another Engine than it is to be at.
fn to_move(ask: &Ask, answer: Answer, unusable: Option<&str>) -> Answer {
    match answer {
        Answer::Present(found) if matches!(ask, Ask::Read { .. }) => Answer::Present(found_elsewhere(&found, unusable)),
        answer => answer,
    }
}

/// A problem as an error that is about nothing in the configuration.
fn refused(problem: Problem) -> Diagnostic {
    let error = Diagnostic::error(problem.summary, problem.detail);
    match problem.help {
        Some(help) => error.help(help),
        None => error,
    }
}

fn name(arguments: &Value) -> &str {
    arguments.text("name").unwrap_or_default()
}

impl Provider for KindProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        vec![Arc::new(ClusterKind::default())]
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        Box::pin(self.answer_all(asked))
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.make(&request).await })
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.wait(&request).await })
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.mend(&request).await })
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.remove(&request).await })
    }
}
