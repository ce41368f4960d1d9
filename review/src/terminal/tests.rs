//! Plans made by hand and how they read, to the letter.

use super::*;
use engine::address::{Address, AddressParts, Key, Mode};
use engine::plan::{Blocked, Change, CheckResult, Reason};
use engine::value::{Data, Instance, Type, Value};
use serde_json::json;
use std::sync::Arc;

fn keyed(kind: &str, name: &str, key: &str) -> Address {
    Address::managed(kind, name).with_key(Key::Text(key.into()))
}

/// The text with a fixed word in place of each digest.
fn without_digits(text: &str) -> String {
    let mut pieces = text.split("sha256:");
    let mut redacted = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.chars().take_while(char::is_ascii_hexdigit).count();
        assert_eq!(digits, 64, "a digest has 64 digits: {piece}");
        redacted.extend(["sha256:$DIGEST", &piece[digits..]]);
    }
    redacted
}

pub(super) fn rendered(plan: &Plan, layout: Layout) -> String {
    let mut text = String::new();
    render(plan, layout, &mut |part| text.push_str(part));
    text
}

fn check(plan: &Plan, expected: &str) {
    let text = without_digits(&rendered(plan, Layout { style: Style::Plain, width: 100, detail: Detail::Folded }));
    let digest = if plan.has_changes() { "Plan digest: sha256:$DIGEST\n" } else { "" };
    assert_eq!(text, format!("{expected}{digest}"));
}

/// The plan that the design's page on output shows.
#[test]
fn a_plan_tells_what_and_why_and_below_it_what_differs() {
    let operator = keyed("istio_operator", "primary", "cluster1");
    let mesh = |log: &str| format!("accessLogFile: \"{log}\"\nenableTracing: true\n");
    let map = |log: &str| Value::from_json(&json!({ "data": { "mesh": mesh(log) }, "name": "istio" }));
    let cluster2 = keyed("kind_cluster", "c", "cluster2");
    let mut within = Change::of(Address::managed("kubernetes_secret", "s"), Action::Replace, Reason::PlaceReplaced(cluster2.clone()));
    within.before = Some(Value::object([("name", Value::string("a"))]));
    let plan = Plan {
        changes: vec![
            Change::of(Address::managed("ca_root", "mesh"), Action::Create, Reason::NotInState),
            Change::of(Address::managed("ca_root", "other"), Action::Keep, Reason::Unchanged),
            Change::of(operator.clone(), Action::Update, Reason::Configuration(vec!["spec.meshConfig".to_owned()])),
            Change {
                before: Some(map("")),
                after: Some(map("/dev/stdout")),
                ..Change::of(
                    operator.with_member("ConfigMap/istio-system/istio"),
                    Action::Update,
                    Reason::Configuration(vec!["data.mesh".to_owned()]),
                )
            },
            Change::of(cluster2, Action::Replace, Reason::CannotUpdate(vec!["node_image".to_owned()])),
            within,
        ],
        ..Plan::default()
    };
    check(
        &plan,
        r#"  -/+ kind_cluster.c["cluster2"]          `node_image` cannot change in place
        1 resource within it is created again
  +   ca_root.mesh                        not in state
  ~   istio_operator.primary["cluster1"]  `spec.meshConfig` changed in configuration
  ~     ConfigMap istio-system/istio      `data.mesh` changed in configuration, 1 unchanged
          ~ data.mesh (yaml, 1 unchanged) accessLogFile  "" -> "/dev/stdout"

Plan: 1 to add, 2 to change, 2 to replace, 0 to destroy.
"#,
    );
}

#[test]
fn a_new_thing_shows_what_is_known_of_it() {
    let cluster = Instance { address: keyed("sandbox_cluster", "this", "c1"), classes: &["cluster"], attributes: Value::null() };
    let after = Value::object([
        ("force", Value::bool(false)),
        ("cluster", Value::new(Data::Reference(Arc::new(cluster)))),
        ("labels", Value::from_json(&json!({ "topology.istio.io/network": "network1" }))),
        ("name", Value::string("istio-system")),
        ("nothing", Value::null()),
        ("token", Value::string("t0k3n").sensitive()),
        ("uid", Value::unknown(Type::String)),
        ("version", Value::unknown(Type::String)),
        ("wide", Value::string("x".repeat(200))),
    ]);
    let plan = Plan {
        changes: vec![Change {
            after: Some(after),
            defaults: vec!["force"],
            ..Change::of(Address::managed("kubernetes_namespace", "a"), Action::Create, Reason::NotInState)
        }],
        ..Plan::default()
    };
    let text = without_digits(&rendered(&plan, Layout { style: Style::Plain, width: 80, detail: Detail::Folded }));
    assert_eq!(
        text,
        format!(
            r#"  +   kubernetes_namespace.a  not in state
        cluster  sandbox_cluster.this["c1"]
        labels   {{ "topology.istio.io/network" = "network1" }}
        name     "istio-system"
        token    (sensitive value)
        wide     "{}…
        known after apply: uid, version

Plan: 1 to add, 0 to change, 0 to replace, 0 to destroy.
Plan digest: sha256:$DIGEST
"#,
            "x".repeat(61)
        )
    );
}

#[test]
fn why_nothing_was_previewed_is_said_once_for_all_it_holds_for() {
    let unseen = |name: &str, why: &str| Change {
        not_previewed: Some(why.into()),
        ..Change::of(Address::managed("kubernetes_secret", name), Action::Create, Reason::NotInState)
    };
    let changes = vec![unseen("a", "no place"), unseen("b", "no answer"), unseen("c", "no place")];
    check(
        &Plan { changes, ..Plan::default() },
        "  +   kubernetes_secret.a  not in state
  +   kubernetes_secret.b  not in state
        not previewed: no answer
  +   kubernetes_secret.c  not in state

Not previewed
      2 changes of kubernetes_secret.a, kubernetes_secret.c: no place

Plan: 3 to add, 0 to change, 0 to replace, 0 to destroy.
",
    );
}

#[test]
fn a_replacement_says_what_forces_it_and_long_values_get_their_own_lines() {
    let before = json!({ "image": "node:1.30", "note": "a".repeat(50), "ports": [{ "name": "http", "port": 80 }] });
    let after = json!({ "image": "node:1.31", "note": "b".repeat(50), "ports": [{ "name": "http", "port": 81 }] });
    let plan = Plan {
        changes: vec![Change {
            before: Some(Value::from_json(&before)),
            after: Some(Value::from_json(&after)),
            not_previewed: Some("the server is not reachable".into()),
            ..Change::of(Address::managed("kind_cluster", "c"), Action::Replace, Reason::CannotUpdate(vec!["image".to_owned()]))
        }],
        ..Plan::default()
    };
    let (a, b) = ("a".repeat(50), "b".repeat(50));
    check(
        &plan,
        &format!(
            r#"  -/+ kind_cluster.c  `image` cannot change in place, 1 unchanged
        ~ image                  "node:1.30" -> "node:1.31"  forces replacement
        ~ note                   "{a}"
                              -> "{b}"
        ~ ports[name=http].port  80 -> 81
        not previewed: the server is not reachable

Plan: 0 to add, 0 to change, 1 to replace, 0 to destroy.
"#
        ),
    );
}

#[test]
fn a_change_that_no_attribute_shows_has_its_reason_alone() {
    let same = Some(Value::object([("gateway", Value::string("a"))]));
    let reason = Reason::Configuration(vec!["spec.values.global.meshID".to_owned()]);
    let change = Change { before: same.clone(), after: same, ..Change::of(Address::managed("k", "a"), Action::Update, reason) };
    let plan = Plan { changes: vec![change], ..Plan::default() };
    check(
        &plan,
        r"  ~   k.a  `spec.values.global.meshID` changed in configuration

Plan: 0 to add, 1 to change, 0 to replace, 0 to destroy.
",
    );
}

/// Two clusters, one of which cannot be observed, and something in no cluster.
#[test]
fn what_is_blocked_is_counted_where_it_lies() {
    let place = |key: &str| keyed("sandbox_cluster", "c", key);
    let mut prior = engine::state::State::default();
    for name in ["a", "b"] {
        let mut record = engine::state::Record::new(engine::state::RecordId::new(name), "k");
        record.place = Some(place("c2"));
        prior.resources.entry(Address::managed("k", name)).or_default().current = Some(record);
    }
    let blocked = |address: Address, after: Option<Address>| Blocked { address, why: "no answer".into(), after };
    let within = Change { place: Some(place("c1")), ..Change::of(Address::managed("k", "x"), Action::Create, Reason::NotInState) };
    let plan = Plan {
        changes: vec![within],
        blocked: vec![
            blocked(Address::managed("k", "a"), None),
            blocked(Address::managed("k", "b"), Some(place("c2"))),
            blocked(Address::managed("k", "new"), Some(place("c2"))),
            blocked(Address::managed("k", "elsewhere"), None),
        ],
        prior,
        ..Plan::default()
    };
    let text = rendered(&plan, Layout { style: Style::Plain, width: 100, detail: Detail::Folded });
    let table = "Clusters       blocked      add
c1                   0        1
c2                   3        0
in no cluster        1        0

";
    assert!(text.starts_with(table), "{text}");
}

#[test]
fn outputs_blocked_entries_and_checks_have_their_own_sections() {
    let output = |name: &str, before: Option<&str>, after: Option<&str>, sensitive: bool| OutputChange {
        name: name.into(),
        before: before.map(Value::string),
        after: after.map(Value::string),
        sensitive,
    };
    let check_of = |name: &str, status, message: &str| CheckResult {
        name: name.into(),
        status,
        messages: vec![message.to_owned()],
        pairs: Vec::new(),
    };
    let data = Address::from(AddressParts { mode: Mode::Data, ..AddressParts::clone(&keyed("kubernetes_cluster", "this", "c1")) });
    let plan = Plan {
        outputs: vec![
            output("gateway", None, Some("10.0.0.1"), false),
            output("old", Some("x"), None, false),
            output("password", Some("one"), Some("two"), true),
            output("url", Some("http://a"), Some("http://b"), false),
        ],
        blocked: vec![Blocked { address: data, why: "connection refused".into(), after: None }],
        checks: vec![
            CheckResult { name: "fine".into(), status: CheckStatus::Passed, messages: Vec::new(), pairs: Vec::new() },
            check_of("one_root", CheckStatus::Failed, "the clusters do not share one root CA"),
            check_of("traffic", CheckStatus::NotRun, "no data plane"),
        ],
        ..Plan::default()
    };
    check(
        &plan,
        r#"Not planned, because it could not be observed
  ?   data.kubernetes_cluster.this["c1"]  connection refused

Outputs
  +   gateway   "10.0.0.1"
  -   old       "x"
  ~   password  (sensitive value) changes
  ~   url       "http://a" -> "http://b"

Checks
      check.one_root  failed
        the clusters do not share one root CA
      check.traffic  not run
        no data plane

Plan: 0 to add, 0 to change, 0 to replace, 0 to destroy. 1 could not be observed.
"#,
    );
}

#[test]
fn every_action_has_a_glyph_and_rare_ones_are_counted_when_they_occur() {
    let of = |name: &str, action, reason| Change::of(Address::managed("k", name), action, reason);
    let mut deposed = of("d", Action::Delete, Reason::NotInConfiguration);
    deposed.deposed = Some("a1b2".into());
    let plan = Plan {
        changes: vec![
            deposed,
            of("e", Action::Delete, Reason::Destroy),
            of("f", Action::Forget, Reason::NotInConfiguration),
            of("m", Action::Move, Reason::MovedFrom(Address::managed("k", "l"))),
            of("r", Action::Read, Reason::ReadWhenKnown),
            of("s", Action::Settle, Reason::NotReady),
            of("t", Action::ReplaceCreateFirst, Reason::Tainted),
        ],
        ..Plan::default()
    };
    check(
        &plan,
        r"  -   k.d (deposed a1b2)  not in configuration
  -   k.e                 everything is destroyed
  +/- k.t                 its create failed
  .   k.f                 not in configuration
  ->  k.m                 moved from `k.l`
  <=  k.r                 read when its arguments are known
  …   k.s                 created, not ready yet

Plan: 0 to add, 1 to change, 1 to replace, 2 to destroy, 1 to forget, 1 to move, 1 to read.
",
    );
}

#[test]
fn nothing_to_do_says_why() {
    let keep = Plan { changes: vec![Change::of(Address::managed("k", "a"), Action::Keep, Reason::Unchanged)], ..Plan::default() };
    for (plan, expected) in [
        (keep, "No changes: what exists is as configured.\n"),
        (Plan::default(), "No changes: the configuration has no resources, and nothing is remembered.\n"),
        (Plan { destroy: true, ..Plan::default() }, "No changes: there is nothing to destroy.\n"),
    ] {
        check(&plan, expected);
    }
}

#[test]
fn what_goes_with_its_place_is_counted_there() {
    let place = Address::managed("sandbox_cluster", "c");
    let mut changes: Vec<_> = ["a", "b"]
        .map(|name| Change::of(Address::managed("kubernetes_secret", name), Action::Forget, Reason::PlaceDestroyed(place.clone())))
        .into();
    changes.push(Change::of(place.clone(), Action::Delete, Reason::Destroy));
    check(
        &Plan { changes, ..Plan::default() },
        r"  -   sandbox_cluster.c  everything is destroyed
        2 resources within it go with it

Plan: 0 to add, 0 to change, 0 to replace, 1 to destroy, 2 to forget.
",
    );
}

#[test]
fn colour_adds_nothing_but_colour() {
    let plan = Plan { changes: vec![Change::of(Address::managed("k", "a"), Action::Create, Reason::NotInState)], ..Plan::default() };
    let coloured = rendered(&plan, Layout { style: Style::Coloured, width: 80, detail: Detail::Folded });
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        bare.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    bare.push_str(rest);
    assert_ne!(bare, coloured);
    assert_eq!(bare, rendered(&plan, Layout { style: Style::Plain, width: 80, detail: Detail::Folded }));
}

#[test]
fn a_long_plan_is_shown_in_parts_of_whole_rows() {
    let address = |n: usize| Address::managed("k", &format!("n{n:05}"));
    let changes = (0..5000).map(|n| Change::of(address(n), Action::Create, Reason::NotInState)).collect();
    let plan = Plan { changes, ..Plan::default() };
    let mut parts: Vec<String> = Vec::new();
    render(&plan, Layout { style: Style::Plain, width: 80, detail: Detail::Folded }, &mut |part| parts.push(part.to_owned()));
    assert!(parts.len() > 2, "{}", parts.len());
    assert!(parts.iter().all(|part| part.ends_with('\n') && part.len() < 2 * TOGETHER));
    let rows = parts.concat().lines().filter(|line| line.starts_with("  +   k.n")).count();
    assert_eq!(rows, 5000);
}

/// A set of objects in a cluster, and its members: each a name, what is done, and the object before and after.
fn set(cluster: &str, members: &[(&str, Action, serde_json::Value, serde_json::Value)]) -> Vec<Change> {
    let place = Some(keyed("sandbox_cluster", "this", cluster));
    let address = keyed("kubernetes_manifests", "istio", cluster);
    let fields = |action: Action| match action {
        Action::Create => Reason::NotInState,
        Action::Delete => Reason::NotInConfiguration,
        _ => Reason::Configuration(vec!["spec".to_owned()]),
    };
    let side = |object: &serde_json::Value| (!object.is_null()).then(|| Value::from_json(&json!({ "manifest": object })));
    let sealed = |digit: &str| Some(Value::object([("content", Value::string(format!("hmac-sha256:{}", digit.repeat(64))))]));
    let head = Change { before: sealed("0"), after: sealed("1"), ..Change::of(address.clone(), Action::Update, fields(Action::Update)) };
    let member = |(name, action, before, after): &(&str, Action, serde_json::Value, serde_json::Value)| Change {
        before: side(before),
        after: side(after),
        ..Change::of(address.with_member(name), *action, fields(*action))
    };
    let all = std::iter::once(head).chain(members.iter().map(member));
    all.map(|change| Change { place: place.clone(), ..change }).collect()
}

#[test]
fn the_same_change_in_several_clusters_stands_once_with_what_differs() {
    let deployment = |name: &str, image: &str, cluster: &str| json!({ "kind": "Deployment", "metadata": { "name": name }, "spec": { "template": { "image": image, "network": cluster } } });
    let map = |value: &str| json!({ "kind": "ConfigMap", "data": { "a": value } });
    let mut changes = Vec::new();
    for (cluster, sampling) in [("c1", "1"), ("c2", "1"), ("c3", "2")] {
        let mut members = vec![
            ("ConfigMap/n/one", Action::Update, map("0"), map(sampling)),
            ("ConfigMap/n/two", Action::Update, map("0"), map("1")),
            ("ConfigMap/n/same", Action::Update, map("0"), map("1")),
            ("Deployment/n/istiod", Action::Update, deployment("istiod", "1", "x"), deployment("istiod", "2", &format!("{cluster}-net"))),
        ];
        if cluster == "c2" {
            members.push(("Service/n/old", Action::Delete, json!({ "kind": "Service", "spec": { "type": "LoadBalancer" } }), json!(null)));
        }
        changes.extend(set(cluster, &members));
    }
    check(
        &Plan { changes, ..Plan::default() },
        r#"Clusters   change  destroy
c1              5        0
c2              5        1
c3              5        0

  ~   kubernetes_manifests.istio[*]  `spec` changed in configuration, in c1, c2, c3
  -     Service n/old                not in configuration, in c2
          listeners on its address drop
  ~     ConfigMap n/one              `spec` changed in configuration, 1 unchanged
          ~ data.a
              ~ c1, c2  "0" -> "1"
              ~ c3      "0" -> "2"
  ~     2 objects                    `spec` changed in configuration, 1 unchanged
          2 ConfigMap in n: two, same
          ~ data.a  "0" -> "1"
  ~     Deployment n/istiod          `spec` changed in configuration, 2 unchanged
          ~ spec.template.image    "1" -> "2"
          ~ spec.template.network  "x" -> "{cluster}-net"
          istiod restarts

Plan: 0 to add, 15 to change, 0 to replace, 1 to destroy.
"#,
    );
}

#[test]
fn many_new_objects_are_counted_by_kind_and_named_or_spelled_out() {
    let object = |name: &str| json!({ "kind": "ConfigMap", "metadata": { "name": name }, "data": { "key": "value" } });
    let names: Vec<String> = (0..30).map(|n| format!("ConfigMap/istio-system/settings-{n:02}")).collect();
    let members: Vec<_> = names.iter().map(|name| (name.as_str(), Action::Create, json!(null), object(name))).collect();
    let mut changes = set("c1", &members);
    changes.extend(set(
        "c2",
        &[("Role/n/a", Action::Create, json!(null), object("a")), ("Role/n/b", Action::Create, json!(null), object("b"))],
    ));
    let plan = Plan { changes, ..Plan::default() };
    let folded = rendered(&plan, Layout { style: Style::Plain, width: 100, detail: Detail::Folded });
    for line in ["30 objects", "30 ConfigMap in istio-system: settings-00, settings-01,", " more\n", "+     Role n/a", "+     Role n/b"] {
        assert!(folded.contains(line), "{line} in {folded}");
    }
    assert!(!folded.contains("value"), "{folded}");
    let full = rendered(&plan, Layout { style: Style::Plain, width: 100, detail: Detail::Full });
    assert_eq!(full.matches("\"value\"").count(), 32, "{full}");
    assert!(!full.contains("objects"), "{full}");
}

#[test]
fn addresses_are_named_where_clusters_do_not_tell_them() {
    let of = |key: &str, cluster: &str| Change {
        place: Some(keyed("sandbox_cluster", "this", cluster)),
        after: Some(Value::object([("name", Value::string(format!("of-{cluster}")))])),
        ..Change::of(keyed("k", "secret", key), Action::Create, Reason::NotInState)
    };
    check(
        &Plan { changes: vec![of("a-in-c1", "c1"), of("a-in-c2", "c2")], ..Plan::default() },
        r#"Clusters      add
c1              1
c2              1

  +   k.secret[*]  not in state, in c1, c2
        name  "of-{cluster}"
        these are: k.secret["a-in-c1"], k.secret["a-in-c2"]

Plan: 2 to add, 0 to change, 0 to replace, 0 to destroy.
"#,
    );
}
