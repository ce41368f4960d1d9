//! Every event, to the letter.

use super::*;
use crate::fake::Kept;
use crate::world::Stream;
use engine::address::Address;
use engine::apply::Summary;
use engine::plan::Blocked;
use engine::port::Activity;
use engine::source::FileId;
use engine::state::{Entry, Record, RecordId};
use engine::value::{Type, Value};
use state::PlanFile;

fn view() -> (Lines, Kept) {
    let kept = Kept::default();
    let screen = Screen { out: Stream::plain(Box::new(kept.clone())), err: Stream::plain(Box::new(Kept::default())) };
    let view = Lines::new(screen);
    kept.take();
    (view, kept)
}

fn lines(kept: &Kept) -> Vec<Json> {
    kept.take().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn plan() -> Plan {
    let change = Change {
        place: Some(Address::managed("sandbox_cluster", "c")),
        after: Some(Value::object([("key", Value::string("s3cret").sensitive()), ("uid", Value::unknown(Type::String))])),
        defaults: vec!["force"],
        ..Change::of(Address::managed("k", "a"), Action::Create, Reason::NotInState)
    };
    let kept = Change { address: Address::managed("k", "b"), action: Action::Keep, reason: Reason::Unchanged, ..change.clone() };
    Plan {
        changes: vec![change, kept],
        outputs: vec![OutputChange { name: "o".into(), before: None, after: Some(Value::string("s3cret")), sensitive: true }],
        blocked: vec![Blocked { address: Address::managed("k", "x"), why: "connection refused".into(), after: None }],
        checks: vec![CheckResult {
            name: "c".into(),
            status: CheckStatus::NotRun,
            messages: vec!["no data plane".to_owned()],
            pairs: Vec::new(),
        }],
        ..Plan::default()
    }
}

fn planned_change() -> Json {
    json!({
        "address": "k.a", "deposed": null, "kind": "k", "action": "create", "reason": { "code": "not_in_state", "text": "not in state" },
        "place": "sandbox_cluster.c", "before": null, "before_sensitive": null, "after": { "key": null, "uid": null },
        "after_sensitive": ["key"], "after_unknown": ["uid"], "defaults": ["force"], "not_previewed": null, "causes": [],
    })
}

fn entry() -> Json {
    json!({
        "address": "k.a", "addresses": ["k.a"], "deposed": null, "kind": "k", "action": "create",
        "reason": { "code": "not_in_state", "text": "not in state" }, "places": ["sandbox_cluster.c"], "members": [],
        "differences": [], "unchanged": 0, "causes": [], "not_previewed": null, "within": [], "below": [],
    })
}

#[test]
fn the_first_line_names_the_format() {
    let kept = Kept::default();
    Lines::new(Screen { out: Stream::plain(Box::new(kept.clone())), err: Stream::plain(Box::new(Kept::default())) });
    assert_eq!(lines(&kept), [json!({ "event": "version", "format": 1, "meshplan": env!("CARGO_PKG_VERSION") })]);
}

#[test]
fn a_plan_is_one_line_per_change_and_one_for_the_whole() {
    let (mut view, kept) = view();
    view.plan(&plan());
    let mut first = planned_change();
    first["event"] = json!("planned_change");
    assert_eq!(
        lines(&kept),
        [
            first,
            json!({ "event": "planned_entry", "entry": entry() }),
            json!({ "event": "planned_output", "name": "o", "sensitive": true, "before": null, "after": null, "after_unknown": [] }),
            json!({ "event": "blocked", "address": "k.x", "why": "connection refused" }),
            json!({ "event": "check", "name": "c", "status": "not_run", "messages": ["no data plane"] }),
            json!({ "event": "plan", "changes": true, "destroy": false, "partial": false, "refresh_only": false, "digest": plan().digest(), "counts": {
                "add": 1, "change": 0, "replace": 0, "destroy": 0, "import": 0, "forget": 0, "read": 0, "move": 0, "keep": 1,
            } }),
        ]
    );
}

#[test]
fn a_document_holds_every_instance_and_no_secret() {
    let variables = [("word".into(), Value::string("one")), ("token".into(), Value::string("s3cret").sensitive())];
    let file = PlanFile {
        plan: plan(),
        sources: SourceTree::new("."),
        variables: variables.into(),
        made_at: 7,
        configuration: None,
        revision: None,
        closed: None,
    };
    let document = plan_file(&file);
    assert_eq!((&document["made_at"], &document["variables"]), (&json!(7), &json!({ "token": null, "word": "one" })));
    assert_eq!(document["changes"][0], planned_change());
    assert_eq!(document["changes"][1]["action"], "keep");
    assert_eq!(document["entries"], json!([entry()]));
    assert_eq!((&document["format"], &document["blocked"][0]["address"]), (&json!(1), &json!("k.x")));
    assert!(!document.to_string().contains("s3cret"));
}

#[test]
fn every_event_of_an_apply_is_a_line() {
    let (mut view, kept) = view();
    let address = Address::managed("k", "a");
    let events = [
        Event::Started { address: address.clone(), deposed: Some("d1".into()), action: Action::Delete, activity: Activity::default() },
        Event::Finished {
            address: address.clone(),
            deposed: None,
            action: Action::Settle,
            notes: vec!["(simulated)".to_owned()],
            retried: 2,
        },
        Event::Failed { address: address.clone(), action: Action::Create, diagnostic: Diagnostic::error("rejected", "why") },
        Event::Skipped { address: address.clone(), action: Action::Update, because: Some(address) },
        Event::Waits { check: "gate".into(), messages: vec!["not yet".to_owned()], left: 300 },
        Event::Stopping,
    ];
    for event in &events {
        view.event(event, 7);
        view.tick(7);
    }
    view.say("a sentence");
    view.checks(&plan().checks);
    assert_eq!(
        lines(&kept),
        [
            json!({ "event": "started", "address": "k.a", "deposed": "d1", "action": "delete", "time": 7 }),
            json!({ "event": "finished", "address": "k.a", "deposed": null, "action": "settle", "time": 7, "notes": ["(simulated)"], "retried": 2 }),
            json!({ "event": "failed", "address": "k.a", "action": "create", "time": 7, "summary": "rejected" }),
            json!({ "event": "skipped", "address": "k.a", "action": "update", "because": "k.a" }),
            json!({ "event": "waiting", "check": "gate", "messages": ["not yet"], "left": 300, "time": 7 }),
            json!({ "event": "stopping", "time": 7 }),
            json!({ "event": "message", "text": "a sentence" }),
            json!({ "event": "check", "name": "c", "status": "not_run", "messages": ["no data plane"] }),
            json!({ "event": "check_summary", "passed": 0, "failed": 0, "not_run": 1 }),
        ]
    );
}

#[test]
fn the_end_has_the_counts_and_the_outputs() {
    let (mut view, kept) = view();
    let summary = Summary { added: 1, failed: 1, ..Summary::default() };
    let outputs = BTreeMap::from([("o".into(), Output { value: Value::string("s3cret"), sensitive: true })]);
    view.applied(Applied { plan: &Plan::default(), summary: &summary, outputs: &outputs });
    assert_eq!(
        lines(&kept),
        [json!({
            "event": "applied", "added": 1, "changed": 0, "imported": 0, "destroyed": 0, "failed": 1, "skipped": 0, "interrupted": false,
            "complete": false, "outputs": { "o": { "value": null, "sensitive": true } },
        })]
    );
}

#[test]
fn a_problem_knows_its_line_and_column() {
    let mut sources = SourceTree::new(".");
    sources.add("main.mesh.hcl", "locals {\n  a = b\n}\n");
    let problem = Diagnostic::error("unknown name", "no `b`").at(Span::new(FileId(0), 15..16)).help("Declare it.");
    assert_eq!(
        diagnostic(&sources, &problem),
        json!({
            "severity": "error", "summary": "unknown name", "detail": "no `b`", "help": "Declare it.", "rule": null, "address": null, "related": [],
            "at": { "file": "main.mesh.hcl", "line": 2, "column": 7, "start": 15, "end": 16 },
        })
    );
}

#[test]
fn the_state_shows_without_its_secrets() {
    let mut remembered = State { lineage: "l".to_owned(), serial: 3, ..State::default() };
    let attributes = Value::object([("key", Value::string("s3cret").sensitive()), ("name", Value::string("a"))]);
    let record = Record { attributes, ..Record::new(RecordId::new("r"), "k") };
    remembered.apply(&Entry::Put { address: Address::managed("k", "a"), deposed: None, record });
    let json = state(&remembered);
    assert_eq!(
        json["resources"],
        json!([{
            "address": "k.a", "deposed": null, "kind": "k", "status": "ready", "place": null, "attributes": { "key": null, "name": "a" },
            "sensitive": ["key"], "depends_on": [],
        }])
    );
    assert_eq!((&json["serial"], &json["lineage"]), (&json!(3), &json!("l")));
}
