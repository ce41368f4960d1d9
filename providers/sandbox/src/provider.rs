//! The effects of `sandbox_cluster`, and its answers.

use crate::cluster::{Nodes, Sandboxes, VERSION, Wanted, set_nodes};
use crate::connector::SandboxConnector;
use crate::kind::{SandboxCluster, default_nodes, derived, nodes, nodes_value, server};
use crate::object::{Json, at};
use crate::store::{Facts, StoreError};
use engine::diagnostic::Diagnostic;
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Question};
use engine::schema::Kind;
use engine::state::{Operation, Record, Status};
use engine::value::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// Makes sandbox clusters in one directory.
pub struct SandboxProvider {
    sandboxes: Sandboxes,
}

impl SandboxProvider {
    /// A provider of the clusters in this directory, such as `.meshplan/sandbox`; it need not be there yet.
    pub fn new(base_directory: PathBuf) -> Self {
        Self { sandboxes: Sandboxes::new(base_directory) }
    }

    /// The clusters themselves.
    pub fn sandboxes(&self) -> &Sandboxes {
        &self.sandboxes
    }

    /// The way for the Kubernetes provider to reach them, in process.
    pub fn connector(&self) -> SandboxConnector {
        SandboxConnector::new(self.sandboxes.clone())
    }

    fn reply(&self, question: &Question) -> Answer {
        match &question.ask {
            Ask::Place { record, .. } => match record {
                Some(record) => self.read(record),
                None => Answer::Absent,
            },
            Ask::Read { record, .. } => self.read(record),
            Ask::Exists(proposal) => match proposal.arguments.text("name").map(|name| self.sandboxes.facts(name)) {
                Some(Ok(Some(facts))) => Answer::Present(self.attributes(&facts, &proposal.arguments)),
                Some(Ok(None)) | None => Answer::Absent,
                Some(Err(error)) => Answer::Unreachable(error.to_string().into()),
            },
            Ask::Import(_)
            | Ask::Describe { .. }
            | Ask::Render { .. }
            | Ask::Data { .. }
            | Ask::Preview(_)
            | Ask::Obstacles(_)
            | Ask::Users { .. }
            | Ask::File { .. }
            | Ask::Files { .. } => {
                Answer::Refused(Diagnostic::error("unexpected question", "a sandbox cluster has no data source and no preview"))
            }
        }
    }

    fn read(&self, record: &Record) -> Answer {
        let Some(name) = record.attributes.text("name") else { return Answer::Absent };
        match self.sandboxes.facts(name) {
            Ok(Some(facts)) if is_ours(&facts, record) => Answer::Present(self.attributes(&facts, &record.attributes)),
            Ok(Some(_)) if record.status == Status::Interrupted(Operation::Create) => Answer::Refused(exists(name)),
            // Another cluster of the name: the one that is meant is gone.
            Ok(_) => Answer::Absent,
            Err(error) => Answer::Unreachable(error.to_string().into()),
        }
    }

    /// All attributes, as they are.
    fn attributes(&self, facts: &Facts, remembered: &Value) -> Value {
        let version = remembered.present("kubernetes_version").cloned().unwrap_or_else(|| Value::string(VERSION));
        let known = self.node_labels(&facts.name, remembered.get("nodes").and_then(nodes));
        let connection = [
            ("type", Value::string("sandbox")),
            ("name", Value::string(facts.name.as_str())),
            ("directory", Value::string(facts.name.as_str())),
        ];
        Value::object([
            ("name", Value::string(facts.name.as_str())),
            ("nodes", nodes_value(&known, remembered.get("nodes"))),
            ("load_balancer_pool", Value::string(facts.load_balancer_pool.as_str())),
            (
                "kubernetes_version",
                if facts.kubernetes_version == version.as_str().unwrap_or_default() {
                    version
                } else {
                    Value::string(facts.kubernetes_version.as_str())
                },
            ),
            ("uid", Value::string(facts.uid.as_str())),
            ("server", Value::string(server(&facts.name))),
            ("certificate_authority", Value::string(facts.certificate_authority.as_str())),
            ("connection", Value::object(connection).sensitive()),
        ])
    }

    /// The nodes that are there. Of their labels those count that were asked for, so that labels of others are no difference.
    fn node_labels(&self, name: &str, asked: Option<Nodes>) -> Nodes {
        let asked = asked.unwrap_or_else(|| default_nodes(name));
        let there = self.sandboxes.store(name).and_then(|store| {
            store.read(|world| {
                let nodes = world.list("nodes", None).map(|(key, node)| {
                    let label = |label: &String| {
                        at(node, &["metadata", "labels", label]).and_then(Json::as_str).map(|value| (label.clone(), value.to_owned()))
                    };
                    let labels = asked.get(&*key.name).into_iter().flat_map(|labels| labels.keys()).filter_map(label).collect();
                    (key.name.to_string(), labels)
                });
                nodes.collect()
            })
        });
        there.unwrap_or_default()
    }

    fn make(&self, request: &Request) -> Result<Done, Failure> {
        let arguments = derived(&request.arguments);
        let name = arguments.text("name").unwrap_or_default();
        let wanted_nodes = arguments.get("nodes").and_then(nodes).unwrap_or_else(|| default_nodes(name));
        if let Some(facts) = self.sandboxes.facts(name).map_err(|error| failed(name, &error))? {
            // What an interrupted create made is there whole, or not at all.
            if facts.owner != request.id.as_str() {
                let diagnostic = exists(name);
                return Err(Failure::new(diagnostic.summary, diagnostic.detail));
            }
            return Ok(self.done(&facts, &arguments));
        }
        let wanted = Wanted {
            name,
            owner: request.id.as_str(),
            nodes: &wanted_nodes,
            pool: arguments.text("load_balancer_pool").unwrap_or_default(),
            version: arguments.text("kubernetes_version").unwrap_or(VERSION),
        };
        let facts = self.sandboxes.make(&wanted).map_err(|error| failed(name, &error))?;
        Ok(self.done(&facts, &arguments))
    }

    fn change(&self, request: &Request) -> Result<Done, Failure> {
        let arguments = derived(&request.arguments);
        let name = arguments.text("name").unwrap_or_default();
        let wanted_nodes = arguments.get("nodes").and_then(nodes).unwrap_or_else(|| default_nodes(name));
        let store = self.sandboxes.store(name).map_err(|error| failed(name, &error))?;
        let changed = store.write(|transaction| {
            let mut facts = transaction.facts().clone();
            arguments.text("load_balancer_pool").unwrap_or_default().clone_into(&mut facts.load_balancer_pool);
            arguments.text("kubernetes_version").unwrap_or(VERSION).clone_into(&mut facts.kubernetes_version);
            transaction.set_facts(facts);
            set_nodes(transaction, &wanted_nodes);
            crate::controllers::run_after_new_facts(transaction);
            Ok(transaction.facts().clone())
        });
        let facts = changed.map_err(|refusal| Failure::new("sandbox cluster not changed", format!("`{name}`: {}", refusal.message)))?;
        Ok(self.done(&facts, &arguments))
    }

    fn done(&self, facts: &Facts, arguments: &Value) -> Done {
        Done { uid: Some(facts.uid.as_str().into()), ..Done::new(self.attributes(facts, arguments)) }
    }

    fn unmake(&self, request: &Request) -> Result<(), Failure> {
        let recorded = request.prior.as_ref().map_or(&request.arguments, |prior| &prior.attributes);
        let Some(name) = recorded.text("name") else { return Ok(()) };
        let Some(facts) = self.sandboxes.facts(name).map_err(|error| failed(name, &error))? else { return Ok(()) };
        let uid = request.prior.as_ref().and_then(|prior| prior.uid.as_deref()).or_else(|| recorded.text("uid"));
        if uid.is_some_and(|uid| uid != facts.uid) {
            // The one that is meant is gone; this one is another's.
            return Ok(());
        }
        self.sandboxes.remove(name).map_err(|error| failed(name, &error))
    }
}

/// Whether the cluster is the one that a record means.
fn is_ours(facts: &Facts, record: &Record) -> bool {
    match record.uid.as_deref().or_else(|| record.attributes.text("uid")) {
        Some(uid) => uid == facts.uid,
        None => facts.owner == record.id.as_str(),
    }
}

fn exists(name: &str) -> Diagnostic {
    let detail = format!("a sandbox cluster `{name}` is there already, and it was not made for this resource");
    Diagnostic::error("sandbox cluster exists", detail)
        .help(format!("choose another name, or remove the directory `{name}` of the sandbox if nobody needs it"))
}

fn failed(name: &str, error: &StoreError) -> Failure {
    Failure::new("sandbox cluster not reached", format!("`{name}`: {error}"))
}

impl Provider for SandboxProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        vec![Arc::new(SandboxCluster::new())]
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        Box::pin(async move {
            asked
                .into_iter()
                .map(|Asked { question, .. }| {
                    let answer = self.reply(&question);
                    (question, answer)
                })
                .collect()
        })
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.make(&request) })
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        // It is ready as soon as it is made.
        Box::pin(async move {
            let name = request.arguments.text("name").unwrap_or_default();
            let facts = self.sandboxes.facts(name).map_err(|error| failed(name, &error))?;
            let facts = facts.ok_or_else(|| Failure::new("sandbox cluster gone", format!("`{name}` is not there any more")))?;
            Ok(self.done(&facts, &derived(&request.arguments)))
        })
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { self.change(&request) })
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { self.unmake(&request) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::address::Address;
    use engine::port::Activity;
    use engine::question::Proposal;
    use engine::state::RecordId;

    fn arguments(name: &str, nodes: Value) -> Value {
        Value::object([
            ("name", Value::string(name)),
            ("nodes", nodes),
            ("load_balancer_pool", Value::null()),
            ("kubernetes_version", Value::string(VERSION)),
        ])
    }

    fn request(id: &str, arguments: Value, prior: Option<Record>) -> Request {
        Request {
            address: Address::managed("sandbox_cluster", "c"),
            kind: "sandbox_cluster".into(),
            id: RecordId::new(id),
            place: None,
            arguments,
            prior,
            timeout: None,
            now: 0,
            secret_key: Arc::from([]),
            activity: Activity::default(),
        }
    }

    fn record(id: &str, done: &Done) -> Record {
        Record { uid: done.uid.clone(), attributes: done.attributes.clone(), ..Record::new(RecordId::new(id), "sandbox_cluster") }
    }

    async fn read(provider: &SandboxProvider, record: &Record) -> Answer {
        let ask = Ask::Read { address: Address::managed("sandbox_cluster", "c"), deposed: None, record: Box::new(record.clone()) };
        let answers = provider.answer(vec![Asked { question: Question::new(ask), place: None }]).await;
        answers.into_iter().next().map(|(_, answer)| answer).expect("an answer")
    }

    fn provider() -> (tempfile::TempDir, SandboxProvider) {
        let base = tempfile::tempdir().expect("a directory");
        let provider = SandboxProvider::new(base.path().join("sandbox"));
        (base, provider)
    }

    #[tokio::test]
    async fn what_is_made_is_read_as_it_was_planned_and_updating_to_the_same_is_nothing() {
        let (_base, provider) = provider();
        let done = provider.create(request("r-1", arguments("c1", Value::null()), None)).await.expect("made");
        let record = record("r-1", &done);
        assert_eq!(read(&provider, &record).await, Answer::Present(done.attributes.clone()));
        let before = provider.sandboxes().store("c1").expect("open").read(crate::store::World::revision);
        let updated = provider.update(request("r-1", arguments("c1", Value::null()), Some(record.clone()))).await.expect("updated");
        assert_eq!(updated.attributes, done.attributes);
        assert_eq!(provider.sandboxes().store("c1").expect("open").read(crate::store::World::revision), before);
        let kind = SandboxCluster::new();
        let compared = engine::schema::Comparison {
            desired: &arguments("c1", Value::null()),
            prior: Some(&record),
            observed: Some(&done.attributes),
            preview: None,
            previewable: false,
            secret_key: &[],
        };
        assert!(matches!(kind.planned(compared), engine::schema::Planned::Keep(_)));
    }

    #[tokio::test]
    async fn a_create_is_resumed_by_its_record_and_refused_to_another() {
        let (_base, provider) = provider();
        let first = provider.create(request("r-1", arguments("c1", Value::null()), None)).await.expect("made");
        let again = provider.create(request("r-1", arguments("c1", Value::null()), None)).await.expect("resumed");
        assert_eq!(first.uid, again.uid);
        let other = provider.create(request("r-2", arguments("c1", Value::null()), None)).await.expect_err("refused");
        assert_eq!(other.summary, "sandbox cluster exists");
        let mut interrupted = record("r-2", &first);
        interrupted.uid = None;
        interrupted.attributes = arguments("c1", Value::null());
        interrupted.status = Status::Interrupted(Operation::Create);
        assert!(matches!(read(&provider, &interrupted).await, Answer::Refused(_)));
        interrupted.id = RecordId::new("r-1");
        assert!(matches!(read(&provider, &interrupted).await, Answer::Present(_)));
    }

    #[tokio::test]
    async fn deleting_removes_only_the_cluster_that_is_meant() {
        let (base, provider) = provider();
        let done = provider.create(request("r-1", arguments("c1", Value::null()), None)).await.expect("made");
        let mut stranger = record("r-9", &done);
        stranger.uid = Some("another".into());
        provider.delete(request("r-9", done.attributes.clone(), Some(stranger.clone()))).await.expect("nothing to do");
        assert_eq!(read(&provider, &stranger).await, Answer::Absent);
        let record = record("r-1", &done);
        assert!(matches!(read(&provider, &record).await, Answer::Present(_)));
        for _ in 0..2 {
            provider.delete(request("r-1", done.attributes.clone(), Some(record.clone()))).await.expect("deleted");
            assert_eq!(read(&provider, &record).await, Answer::Absent);
        }
        assert!(std::fs::read_dir(base.path().join("sandbox")).expect("the base").next().is_none());
    }

    #[tokio::test]
    async fn nodes_and_pool_change_in_place() {
        let (_base, provider) = provider();
        let done = provider.create(request("r-1", arguments("c1", Value::null()), None)).await.expect("made");
        let node = |zone: &str| Value::object([("n1", Value::object([("zone", Value::string(zone))]))]);
        let updated = provider.update(request("r-1", arguments("c1", node("a")), Some(record("r-1", &done)))).await.expect("updated");
        assert_eq!(updated.attributes.get("nodes").and_then(nodes), nodes(&node("a")));
        assert_eq!(updated.uid, done.uid);
    }

    #[tokio::test]
    async fn a_cluster_that_cannot_be_had_is_told() {
        let (base, provider) = provider();
        let gone = provider.settle(request("r-1", arguments("c1", Value::null()), None)).await.expect_err("it is gone");
        assert_eq!((gone.summary.as_str(), gone.detail.as_str()), ("sandbox cluster gone", "`c1` is not there any more"));
        let done = provider.create(request("r-1", arguments("c1", Value::null()), None)).await.expect("made");
        let (wanted, record) = (arguments("c1", Value::object([("n1", Value::object::<&str>([]))])), record("r-1", &done));
        let log = base.path().join("sandbox").join("c1").join("log.jsonl");
        std::fs::remove_file(&log).expect("removed");
        std::fs::create_dir(&log).expect("made");
        // One process has it open already, the other one finds it so.
        let changed = provider.update(request("r-1", wanted.clone(), Some(record.clone()))).await.expect_err("not changed");
        assert_eq!(changed.summary, "sandbox cluster not changed", "{}", changed.detail);
        let other = SandboxProvider::new(base.path().join("sandbox"));
        let reached = other.update(request("r-1", wanted, Some(record))).await.expect_err("not reached");
        assert_eq!(reached.summary, "sandbox cluster not reached", "{}", reached.detail);
    }

    #[tokio::test]
    async fn it_has_nothing_to_say_as_a_data_source() {
        let (_base, provider) = provider();
        let address = "data.sandbox_cluster.c".parse().expect("an address");
        let ask = Ask::Data { address, kind: "sandbox_cluster".into(), place: None, arguments: Value::null() };
        let answers = provider.answer(vec![Asked { question: Question::new(ask), place: None }]).await;
        let Answer::Refused(problem) = &answers[0].1 else { panic!("{answers:?}") };
        assert_eq!(problem.summary, "unexpected question");
    }

    #[tokio::test]
    async fn what_exists_is_told_by_name() {
        let (_base, provider) = provider();
        let exists = |name: &str| {
            let proposal = Proposal {
                address: Address::managed("sandbox_cluster", "c"),
                kind: "sandbox_cluster".into(),
                place: None,
                id: None,
                uid: None,
                arguments: arguments(name, Value::null()),
            };
            Asked { question: Question::new(Ask::Exists(Box::new(proposal))), place: None }
        };
        provider.create(request("r-1", arguments("c1", Value::null()), None)).await.expect("made");
        let answers = provider.answer(vec![exists("c1"), exists("c2")]).await;
        assert!(matches!(answers[0].1, Answer::Present(_)));
        assert_eq!(answers[1].1, Answer::Absent);
    }
}
