//! The provider against a small API server.

use super::ObjectProvider;
use crate::client::Clusters;
use crate::fake::{Fake, managed};
use crate::object_kind::Json;
use engine::address::Address;
use engine::port::{Activity, Asked, Done, Failure, Provider as _, Request};
use engine::question::{Answer, Ask, Proposal, Question};
use engine::schema::{Comparison, Kind, Planned, Preview};
use engine::state::{Operation, Record, RecordId, Status};
use engine::value::Value;
use serde_json::json;
use std::sync::Arc;

const KEY: &[u8] = b"key";
const MAP: &str = "/api/v1/namespaces/n/configmaps/a";

struct Bench {
    fake: Fake,
    provider: ObjectProvider,
}

fn bench() -> Bench {
    let fake = Fake::new();
    let sources = crate::data_sources(crate::Surroundings::default());
    Bench { provider: ObjectProvider::new(crate::kinds(), sources, Clusters::new(vec![Arc::new(fake.clone())])).quick(), fake }
}

fn config_map(data: &Json) -> Value {
    Value::from_json(
        &json!({ "manifest": { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "n" }, "data": data },
        "yaml": null, "force": false, "on_exists": "error", "wait": true }),
    )
}

fn with(arguments: &Value, key: &str, value: Value) -> Value {
    arguments.with_entries([(key, value)])
}

fn request(kind: &str, arguments: &Value, prior: Option<&Record>) -> Request {
    Request {
        address: Address::managed(kind, "a"),
        kind: kind.into(),
        id: RecordId::new("r1"),
        place: Some(Fake::place(Some("cluster-1"))),
        arguments: arguments.clone(),
        prior: prior.cloned(),
        timeout: Some(0),
        now: 0,
        secret_key: KEY.into(),
        activity: Activity::default(),
    }
}

impl Bench {
    fn kind(&self, name: &str) -> Arc<dyn Kind> {
        self.provider.resources().into_iter().find(|kind| kind.schema().kind == name).expect(name)
    }

    async fn create(&self, kind: &str, arguments: &Value) -> Result<Record, Failure> {
        let done = self.provider.create(request(kind, arguments, None)).await?;
        Ok(self.record(kind, &done))
    }

    async fn update(&self, record: &Record, arguments: &Value) -> Result<Record, Failure> {
        let done = self.provider.update(request(&record.kind, arguments, Some(record))).await?;
        Ok(self.record(&record.kind, &done))
    }

    /// As `drive` makes one.
    fn record(&self, kind: &str, done: &Done) -> Record {
        let mut record = Record::new(RecordId::new("r1"), kind);
        record.attributes = self.kind(kind).remembered(&done.attributes, KEY);
        (record.uid, record.applied, record.observed) = (done.uid.clone(), done.applied.clone(), done.observed.clone());
        record
    }

    async fn read(&self, record: &Record) -> Answer {
        let ask = Ask::Read { address: Address::managed(&record.kind, "a"), deposed: None, record: Box::new(record.clone()) };
        self.answer(ask).await
    }

    async fn answer(&self, ask: Ask) -> Answer {
        let asked = Asked { question: Question::new(ask), place: Some(Fake::place(None)) };
        self.provider.answer(vec![asked]).await.pop().expect("an answer").1
    }

    /// Plans as the walk does: reads, and asks for a preview if the kind wants one.
    async fn plan(&self, record: &Record, arguments: &Value) -> Planned {
        let observed = match self.read(record).await {
            Answer::Present(observed) => Some(observed),
            _ => None,
        };
        let kind = self.kind(&record.kind);
        let mut asked = Comparison {
            desired: arguments,
            prior: Some(record),
            observed: observed.as_ref(),
            preview: None,
            previewable: true,
            secret_key: KEY,
        };
        let planned = kind.planned(asked);
        if planned != Planned::Ask {
            return planned;
        }
        let preview = match self.preview(record, arguments).await {
            Answer::Present(value) => Preview::Accepted(value),
            Answer::Unreachable(why) => Preview::NotPreviewed(why),
            other => panic!("{other:?}"),
        };
        asked.preview = Some(&preview);
        kind.planned(asked)
    }

    async fn preview(&self, record: &Record, arguments: &Value) -> Answer {
        let address = Address::managed(&record.kind, "a");
        let (kind, id, uid) = (record.kind.clone(), Some(record.id.clone()), record.uid.clone());
        self.answer(Ask::Preview(Box::new(Proposal { address, kind, place: None, id, uid, arguments: arguments.clone() }))).await
    }
}

fn paths(planned: &Planned) -> (Vec<&str>, Vec<&str>) {
    let text = |paths: &'static [String]| paths.iter().map(String::as_str).collect();
    let leak = |paths: &Vec<String>| text(Box::leak(paths.clone().into_boxed_slice()));
    match planned {
        Planned::Update { changed, drifted, .. } => (leak(changed), leak(&drifted.paths)),
        Planned::Replace { because, .. } => (vec!["replace"], leak(because)),
        Planned::Keep(_) => (vec![], vec![]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_created_is_kept_and_asks_for_no_more_than_a_read() {
    let bench = bench();
    let arguments = config_map(&json!({ "k": "v" }));
    let record = bench.create("kubernetes_manifest", &arguments).await.expect("created");
    assert_eq!(record.attributes.text("id"), Some("v1/ConfigMap/n/a"));
    assert_eq!(record.uid.as_deref(), Some("uid-1"));
    bench.fake.asked();
    assert!(matches!(bench.plan(&record, &arguments).await, Planned::Keep(_)));
    assert_eq!(bench.fake.asked(), [format!("GET {MAP}")]);
}

#[tokio::test]
async fn a_change_is_previewed_and_applied() {
    let bench = bench();
    let record = bench.create("kubernetes_manifest", &config_map(&json!({ "k": "v", "old": "x" }))).await.expect("created");
    let changed = config_map(&json!({ "k": "w", "new": "y" }));
    let planned = bench.plan(&record, &changed).await;
    assert_eq!(paths(&planned), (vec!["data.k", "data.new", "data.old"], vec![]));
    let record = bench.update(&record, &changed).await.expect("updated");
    assert_eq!(bench.fake.get(MAP).expect("there")["data"], json!({ "k": "w", "new": "y" }));
    assert!(matches!(bench.plan(&record, &changed).await, Planned::Keep(_)));
}

#[tokio::test]
async fn what_is_changed_by_hand_drifts_and_gives_way() {
    let bench = bench();
    let arguments = config_map(&json!({ "k": "v" }));
    let record = bench.create("kubernetes_manifest", &arguments).await.expect("created");
    let mut edited = bench.fake.get(MAP).expect("there");
    edited["data"]["k"] = "edited".into();
    bench.fake.put(MAP, managed(edited.clone(), "kubectl-edit", &json!({ "f:data": { "f:k": {} } })));
    assert_eq!(paths(&bench.plan(&record, &arguments).await), (vec!["data.k"], vec!["data.k"]));
    let record = bench.update(&record, &arguments).await.expect("updated");
    assert_eq!(bench.fake.get(MAP).expect("there")["data"], json!({ "k": "v" }));
    assert!(matches!(bench.plan(&record, &arguments).await, Planned::Keep(_)));

    bench.fake.put(MAP, managed(edited, "argocd", &json!({ "f:data": { "f:k": {} } })));
    let refused = bench.update(&record, &arguments).await.expect_err("a conflict");
    assert_eq!(refused.summary, "fields owned by others");
    assert!(refused.detail.contains("manager `argocd` owns `data.k`, last written T"), "{}", refused.detail);
    let preview = bench.preview(&record, &arguments).await;
    assert_eq!(preview, Answer::Conflict(vec!["manager `argocd` owns `data.k`, last written T".into()]));
    let forced = with(&arguments, "force", Value::bool(true));
    bench.update(&record, &forced).await.expect("forced");
    assert_eq!(bench.fake.get(MAP).expect("there")["data"], json!({ "k": "v" }));
}

#[tokio::test]
async fn what_is_not_ours_is_left_as_it_was() {
    let bench = bench();
    let there = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "n", "uid": "theirs" }, "data": { "other": "x" } });
    let there = managed(there, "kubectl", &json!({ "f:data": { "f:other": {} } }));
    for (data, readable) in [(json!({ "k": "v" }), true), (json!({ "k": "v" }), false), (json!({ "other": "y" }), false)] {
        bench.fake.put(MAP, there.clone());
        if !readable {
            bench.fake.refuse(&format!("GET {MAP}"), 403);
        }
        let failure = bench.create("kubernetes_manifest", &config_map(&data)).await.expect_err("exists");
        assert_eq!(failure.summary, "exists, not ours");
        assert!(failure.detail.contains("on_exists = \"adopt\""), "{}", failure.detail);
        assert_eq!(bench.fake.get(MAP), Some(there.clone()));
    }
    let adopting = with(&config_map(&json!({ "k": "v" })), "on_exists", Value::string("adopt"));
    let record = bench.create("kubernetes_manifest", &adopting).await.expect("adopted");
    assert_eq!(record.uid.as_deref(), Some("theirs"));
    assert_eq!(bench.fake.get(MAP).expect("there")["data"], json!({ "k": "v", "other": "x" }));
}

/// Plans what has no record.
async fn plan_new(bench: &Bench, kind: &str, arguments: &Value) -> Result<Planned, String> {
    let asked = Comparison { desired: arguments, prior: None, observed: None, preview: None, previewable: true, secret_key: KEY };
    let planning = bench.kind(kind);
    assert_eq!(planning.planned(asked), Planned::Ask);
    let proposal = Proposal {
        address: Address::managed(kind, "a"),
        kind: kind.into(),
        place: None,
        id: None,
        uid: None,
        arguments: arguments.clone(),
    };
    let preview = match bench.answer(Ask::Preview(Box::new(proposal))).await {
        Answer::Present(value) => Preview::Accepted(value),
        Answer::Unreachable(why) => Preview::NotPreviewed(why),
        Answer::Refused(refused) => return Err(refused.summary),
        other => return Err(format!("{other:?}")),
    };
    Ok(planning.planned(Comparison { preview: Some(&preview), ..asked }))
}

#[tokio::test]
async fn what_cannot_be_made_is_said_when_planning() {
    let bench = bench();
    let arguments = config_map(&json!({ "k": "v" }));
    assert!(matches!(plan_new(&bench, "kubernetes_manifest", &arguments).await, Ok(Planned::Create(_))));
    assert!(bench.fake.get(MAP).is_none());
    bench.fake.refuse(&format!("PATCH {MAP}"), 422);
    assert_eq!(plan_new(&bench, "kubernetes_manifest", &arguments).await, Err("refused by the API server".into()));
    bench.fake.refuse(&format!("PATCH {MAP}"), 404);
    assert!(matches!(plan_new(&bench, "kubernetes_manifest", &arguments).await, Ok(Planned::Create(_))));
    bench.fake.put(MAP, json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "n", "uid": "theirs" } }));
    assert_eq!(plan_new(&bench, "kubernetes_manifest", &arguments).await, Err("exists, not ours".into()));
    let adopting = with(&arguments, "on_exists", Value::string("adopt"));
    assert!(matches!(plan_new(&bench, "kubernetes_manifest", &adopting).await, Ok(Planned::Create(_))));
    let node =
        Value::from_json(&json!({ "api_version": "v1", "kind": "Node", "name": "x", "namespace": null, "labels": {}, "force": false }));
    assert_eq!(plan_new(&bench, "kubernetes_labels", &node).await, Err("nothing to label".into()));
}

#[tokio::test]
async fn another_states_object_names_its_manager() {
    let bench = bench();
    let there = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "n", "uid": "theirs" }, "data": { "k": "x" } });
    bench.fake.put(MAP, managed(there, "meshplan/other", &json!({ "f:data": { "f:k": {} } })));
    let failure = bench.create("kubernetes_manifest", &config_map(&json!({ "k": "v" }))).await.expect_err("exists");
    assert!(failure.detail.contains("another meshplan state, whose manager is `meshplan/other`"), "{}", failure.detail);
}

#[tokio::test]
async fn deleting_takes_the_recorded_object_and_no_other() {
    let bench = bench();
    let record = bench.create("kubernetes_manifest", &config_map(&json!({ "k": "v" }))).await.expect("created");
    let mut other = record.clone();
    other.uid = Some("before".into());
    let delete = |record: &Record| bench.provider.delete(request("kubernetes_manifest", &record.attributes, Some(record)));
    delete(&other).await.expect("nothing to do");
    assert!(bench.fake.get(MAP).is_some());
    delete(&record).await.expect("deleted");
    assert!(bench.fake.get(MAP).is_none());
    delete(&record).await.expect("gone already");
}

#[tokio::test]
async fn a_finalizer_is_named_when_time_is_up() {
    let bench = bench();
    let record = bench.create("kubernetes_manifest", &config_map(&json!({ "k": "v" }))).await.expect("created");
    let mut held = bench.fake.get(MAP).expect("there");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    bench.fake.put(MAP, held);
    let failure = bench.provider.delete(request("kubernetes_manifest", &record.attributes, Some(&record))).await.expect_err("held");
    assert_eq!(failure.detail, "`ConfigMap/n/a` is still there after 0 s: it waits for its finalizers `example.com/hold`");
}

#[tokio::test]
async fn an_interrupted_create_is_deleted_only_if_it_was_ours() {
    let bench = bench();
    let mut record = bench.create("kubernetes_manifest", &config_map(&json!({ "k": "v" }))).await.expect("created");
    (record.uid, record.status) = (None, Status::Interrupted(Operation::Create));
    let Answer::Present(observed) = bench.read(&record).await else { panic!("not there") };
    assert_eq!(observed.text("uid"), Some("uid-1"));
    assert!(matches!(bench.plan(&record, &config_map(&json!({ "k": "v" }))).await, Planned::Keep(_)));
    let changed = config_map(&json!({ "k": "w" }));
    assert_eq!(paths(&bench.plan(&record, &changed).await), (vec!["data.k"], vec![]));
    assert_eq!(bench.update(&record, &changed).await.expect("updated").uid.as_deref(), Some("uid-1"));
    let mut foreign = bench.fake.get(MAP).expect("there");
    foreign = managed(foreign, "kubectl-create", &json!({ "f:data": { "f:k": {} } }));
    bench.fake.put(MAP, foreign);
    assert_eq!(bench.read(&record).await, Answer::Absent);
    assert_eq!(bench.update(&record, &config_map(&json!({}))).await.expect_err("not ours").summary, "gone");
    bench.provider.delete(request("kubernetes_manifest", &record.attributes, Some(&record))).await.expect("left alone");
    assert!(bench.fake.get(MAP).is_some());
}

#[tokio::test]
async fn an_object_of_no_more_than_a_name_is_known_again() {
    let bench = bench();
    let bare = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "a", "namespace": "n" } });
    let arguments = with(&config_map(&json!({})), "manifest", Value::from_json(&bare));
    let mut record = bench.create("kubernetes_manifest", &arguments).await.expect("created");
    assert!(matches!(bench.plan(&record, &arguments).await, Planned::Keep(_)));
    (record.uid, record.status, record.applied) = (None, Status::Interrupted(Operation::Create), None);
    assert!(matches!(bench.plan(&record, &arguments).await, Planned::Keep(_)));
    bench.provider.delete(request("kubernetes_manifest", &record.attributes, Some(&record))).await.expect("deleted");
    assert!(bench.fake.get("/api/v1/namespaces/n/serviceaccounts/a").is_none());
}

#[tokio::test]
async fn another_cluster_at_the_same_address_is_not_touched() {
    let bench = bench();
    let mut request = request("kubernetes_manifest", &config_map(&json!({})), None);
    request.place = Some(Fake::place(Some("cluster-2")));
    let failure = bench.provider.create(request).await.expect_err("refused");
    assert_eq!(failure.summary, "another cluster");
    assert_eq!(bench.fake.asked(), ["GET /api/v1/namespaces/kube-system"]);
}

#[tokio::test]
async fn an_update_needs_the_object_it_was_planned_for() {
    let bench = bench();
    let arguments = config_map(&json!({ "k": "v" }));
    let mut record = bench.create("kubernetes_manifest", &arguments).await.expect("created");
    record.uid = Some("before".into());
    assert_eq!(bench.update(&record, &arguments).await.expect_err("gone").summary, "gone");
    assert_eq!(bench.read(&record).await, Answer::Absent);
}

#[tokio::test]
async fn labels_are_set_beside_the_owners_and_given_back() {
    let bench = bench();
    let path = "/api/v1/namespaces/n";
    let namespace =
        Value::from_json(&json!({ "name": "n", "labels": { "owner": "o" }, "annotations": null, "force": false, "on_exists": "error" }));
    let owner = bench.create("kubernetes_namespace", &namespace).await.expect("created");
    let labels = |id: &str, labels: Json| {
        let arguments =
            json!({ "api_version": "v1", "kind": "Namespace", "name": "n", "namespace": null, "labels": labels, "force": false });
        Request { id: RecordId::new(id), ..request("kubernetes_labels", &Value::from_json(&arguments), None) }
    };
    let done = bench.provider.create(labels("r2", json!({ "region": "r" }))).await.expect("labelled");
    bench.provider.create(labels("r3", json!({ "zone": "z" }))).await.expect("labelled");
    assert_eq!(bench.fake.get(path).expect("there")["metadata"]["labels"], json!({ "owner": "o", "region": "r", "zone": "z" }));
    assert!(matches!(bench.plan(&owner, &namespace).await, Planned::Keep(_)));
    let clash = bench.provider.create(labels("r4", json!({ "region": "other" }))).await.expect_err("a conflict");
    assert_eq!(clash.summary, "fields owned by others");

    let mut record = bench.record("kubernetes_labels", &done);
    record.id = RecordId::new("r2");
    let delete = Request { id: RecordId::new("r2"), ..request("kubernetes_labels", &record.attributes, Some(&record)) };
    bench.provider.delete(delete).await.expect("given back");
    assert_eq!(bench.fake.get(path).expect("there")["metadata"]["labels"], json!({ "owner": "o", "zone": "z" }));
    let nowhere =
        Value::from_json(&json!({ "api_version": "v1", "kind": "Node", "name": "x", "namespace": null, "labels": {}, "force": false }));
    assert_eq!(bench.create("kubernetes_labels", &nowhere).await.expect_err("no node").summary, "nothing to label");
}

#[tokio::test]
async fn a_secrets_record_holds_no_secret_and_still_tells_a_change() {
    let bench = bench();
    let secret = |text: &str| {
        let data = Value::object([("k", Value::string(text))]).sensitive();
        let rest = json!({ "name": "a", "namespace": "n", "type": "Opaque", "labels": null, "annotations": null, "force": false, "on_exists": "error" });
        with(&Value::from_json(&rest), "data", data)
    };
    let record = bench.create("kubernetes_secret", &secret("hunter2")).await.expect("created");
    assert!(!record.attributes.to_json().expect("known").to_string().contains("hunter2"));
    let Planned::Keep(attributes) = bench.plan(&record, &secret("hunter2")).await else { panic!("not kept") };
    assert_eq!(attributes.get("data").and_then(|data| data.text("k")), Some("hunter2"));
    assert_eq!(paths(&bench.plan(&record, &secret("hunter3")).await), (vec!["data.k"], vec![]));
    let kind = bench.kind("kubernetes_secret");
    let offline = |arguments: &Value| {
        kind.planned(Comparison {
            desired: arguments,
            prior: Some(&record),
            observed: None,
            preview: None,
            previewable: false,
            secret_key: KEY,
        })
    };
    assert!(matches!(offline(&secret("hunter2")), Planned::Keep(_)));
    assert_eq!(paths(&offline(&secret("hunter3"))), (vec!["data.k"], vec![]));
    let typed = with(&secret("hunter2"), "type", Value::string("kubernetes.io/tls"));
    assert_eq!(paths(&offline(&typed)), (vec!["replace"], vec!["type"]));
    let renamed = with(&secret("hunter2"), "name", Value::string("b"));
    assert_eq!(paths(&bench.plan(&record, &renamed).await), (vec!["replace"], vec!["metadata.name"]));
}

#[tokio::test]
async fn a_wait_names_object_and_reason_and_leaves_what_is_there() {
    let bench = bench();
    let deployment =
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a", "namespace": "n" }, "spec": { "replicas": 1 } });
    let arguments = with(&config_map(&json!({})), "manifest", Value::from_json(&deployment));
    let record = bench.create("kubernetes_manifest", &arguments).await.expect("created");
    assert!(bench.kind("kubernetes_manifest").settles(&arguments));
    assert!(!bench.kind("kubernetes_manifest").settles(&with(&arguments, "wait", Value::bool(false))));
    let failure = bench.provider.settle(request("kubernetes_manifest", &arguments, Some(&record))).await.expect_err("late");
    assert_eq!(failure.detail, "`Deployment/n/a` is not ready after 0 s: 0 of 1 replicas are updated; the next run goes on waiting");
    assert_eq!(failure.partial.and_then(|partial| partial.uid).as_deref(), Some("uid-1"));
    let path = "/apis/apps/v1/namespaces/n/deployments/a";
    let mut ready = bench.fake.get(path).expect("there");
    ready["status"] = json!({ "updatedReplicas": 1, "conditions": [{ "type": "Available", "status": "True" }] });
    bench.fake.put(path, ready);
    let done = bench.provider.settle(request("kubernetes_manifest", &arguments, Some(&record))).await.expect("ready");
    assert_eq!((done.uid, done.applied), (record.uid, record.applied));
}

#[tokio::test]
async fn a_set_is_compared_by_what_its_record_keeps() {
    let bench = bench();
    let set = |content: &str| {
        Value::from_json(
            &json!({ "content": content, "objects": null, "selector": null, "namespace": null, "wait": true, "force": false, "on_exists": "error" }),
        )
    };
    let arguments = set("apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringData: { k: hunter2 }\n");
    let record = bench.create("kubernetes_manifests", &arguments).await.expect("created");
    assert!(!record.attributes.to_json().expect("known").to_string().contains("hunter2"));
    let Planned::Keep(attributes) = bench.plan(&record, &arguments).await else { panic!("not kept") };
    let content = attributes.get("content").expect("content");
    assert!(content.is_marked_sensitive() && content.as_str() == arguments.text("content"));
    assert_eq!(paths(&bench.plan(&record, &set("")).await), (vec!["content"], vec![]));
    bench.provider.settle(request("kubernetes_manifests", &arguments, Some(&record))).await.expect("settled");
    bench.provider.delete(request("kubernetes_manifests", &record.attributes, Some(&record))).await.expect("nothing to delete");
    assert!(bench.fake.asked().iter().all(|asked| asked == "GET /api/v1/namespaces/kube-system"));
}
