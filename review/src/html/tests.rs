//! Pages of plans made by hand.

use super::*;
use engine::address::{Address, Key};
use engine::diagnostic::Diagnostic;
use engine::plan::{Action, Blocked, Change, CheckResult, CheckStatus, OutputChange, Reason};
use engine::source::{SourceTree, Span};
use engine::value::{Data, Instance, Type, Value};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The page of a plan that was made of nothing.
fn page_of(plan: &Plan) -> String {
    super::plan(plan, Origin { made: "2027-01-15T08:00:00Z", version: "0.1.0", sources: &SourceTree::new("") })
}

fn keyed(kind: &str, name: &str, key: &str) -> Address {
    Address::managed(kind, name).with_key(Key::Text(key.into()))
}

fn change(address: Address, action: Action, place: Option<&Address>) -> Change {
    Change { place: place.cloned(), ..Change::of(address, action, Reason::NotInState) }
}

fn cluster(name: &str) -> Address {
    keyed("sandbox_cluster", "c", name)
}

/// So many clusters, each in a network of its own, and in each a secret by which it reads every other.
fn mesh(names: &[&str]) -> Vec<Change> {
    let mut changes = Vec::new();
    for name in names {
        let reader = Instance { address: keyed("istio_remote_reader", "r", name), classes: &["reader"], attributes: Value::null() };
        changes.push(change(cluster(name), Action::Keep, None));
        let after = Value::from_json(&json!({ "network": format!("net-{name}"), "address": "198.18.0.1" }));
        changes
            .push(Change { after: Some(after), ..change(keyed("istio_eastwest_gateway", "g", name), Action::Keep, Some(&cluster(name))) });
        changes.push(change(reader.address.clone(), Action::Keep, Some(&cluster(name))));
        for peer in names.iter().filter(|peer| *peer != name) {
            let after = Value::object([("reader", Value::new(Data::Reference(Arc::new(reader.clone()))))]);
            let address = keyed("istio_remote_secret", "s", &format!("{name}-in-{peer}"));
            changes.push(Change { after: Some(after), ..change(address, Action::Create, Some(&cluster(peer))) });
        }
    }
    changes.sort_by(|a, b| a.address.cmp(&b.address));
    changes
}

fn page(changes: Vec<Change>) -> String {
    page_of(&Plan { changes, ..Plan::default() })
}

/// Fails unless every element is closed where it should be.
fn assert_balanced(page: &str) {
    let body = page.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
    let mut open = Vec::new();
    for tag in body.split('<').skip(1).map(|piece| piece.split('>').next().unwrap()) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name), "`</{name}>`"),
            (_, true) => {}
            _ => open.push(name),
        }
    }
    assert_eq!(open, ["main"; 0]);
}

#[test]
fn nothing_foreign_becomes_markup() {
    let hostile = "</script></style><img src=http://x/ onerror=alert(1)>\"'<!--";
    let value = |more: &str| {
        Value::object([(hostile, Value::string(format!("{hostile}{more}"))), ("t", Value::string(format!("a\n{hostile}{more}\n")))])
    };
    let place = cluster(hostile);
    let mut plan = Plan {
        changes: vec![
            Change { after: Some(value("")), ..change(keyed("k", "a", hostile), Action::Create, Some(&place)) },
            Change {
                before: Some(value("1")),
                after: Some(value("2")),
                reason: Reason::Configuration(vec![hostile.to_owned()]),
                causes: vec![hostile.to_owned()],
                not_previewed: Some(hostile.into()),
                ..change(keyed("k", "b", hostile), Action::Update, Some(&place))
            },
        ],
        outputs: vec![OutputChange { name: hostile.into(), before: None, after: Some(value("")), sensitive: false }],
        checks: vec![CheckResult {
            name: hostile.into(),
            status: CheckStatus::Failed,
            messages: vec![hostile.to_owned()],
            pairs: Vec::new(),
        }],
        blocked: vec![Blocked { address: keyed("k", "c", hostile), why: hostile.into(), after: Some(place.clone()) }],
        diagnostics: vec![Diagnostic::warning(hostile, hostile).help(hostile)],
        ..Plan::default()
    };
    let edges = Edges::from([(keyed("k", "a", hostile), BTreeSet::from([keyed("k", "b", hostile)]))]);
    let mut sources = SourceTree::new(hostile);
    let file = sources.add(hostile, hostile);
    plan.diagnostics.push(Diagnostic::error(hostile, hostile).at(Span::new(file, 0..4)));
    for page in [super::plan(&plan, Origin { made: hostile, version: hostile, sources: &sources }), graph(&plan, &edges)] {
        assert!(!page.contains("<img") && !page.contains("<!--"), "{page}");
        for once in ["<script>", "</script>", "<style>", "</style>"] {
            assert_eq!(page.matches(once).count(), 1, "{once}");
        }
        assert!(page.contains("&lt;/script&gt;&lt;/style&gt;&lt;img src=http://x/ onerror=alert(1)&gt;"));
        assert_balanced(&page);
    }
}

#[test]
fn what_is_secret_is_not_on_the_page() {
    let key = "-----BEGIN PRIVATE KEY-----\nc3ByaW5nLW9ubGlvbg==\n-----END PRIVATE KEY-----\n";
    let of = |text: &str| {
        Value::object([
            ("password", Value::string(format!("spring-onion-{text}")).sensitive()),
            ("nested", Value::object([("list", Value::tuple(vec![Value::string(format!("spring-onion-{text}\nline\n")).sensitive()]))])),
            ("open", Value::string(format!("{key}{text}\n"))),
            ("map", Value::object([("a", Value::string(format!("spring-onion-{text}").repeat(20)))]).sensitive()),
        ])
    };
    let changes = vec![
        Change { after: Some(of("1")), ..change(Address::managed("k", "a"), Action::Create, None) },
        Change { before: Some(of("1")), after: Some(of("2")), ..change(Address::managed("k", "b"), Action::Update, None) },
        Change { before: Some(of("1")), ..change(Address::managed("k", "c"), Action::Delete, None) },
    ];
    let outputs =
        vec![OutputChange { name: "o".into(), before: Some(of("1")), after: Some(Value::string("spring-onion")), sensitive: true }];
    let page = page_of(&Plan { changes, outputs, ..Plan::default() });
    assert!(!page.contains("spring-onion") && !page.contains("c3ByaW5nLW9ubGlvbg"), "{page}");
    assert!(page.matches("(sensitive value)").count() >= 6, "{page}");
}

#[test]
fn what_is_blocked_replaced_or_deleted_stands_first() {
    let mut changes = mesh(&["east", "west"]);
    let before = Value::from_json(&json!({ "image": "a", "spec": { "replicas": 1, "x": 2 } }));
    let after = Value::from_json(&json!({ "image": "b", "spec": { "replicas": 1, "x": 3 } }));
    let west = cluster("west");
    changes.push(change(keyed("z", "z", "gone"), Action::Delete, Some(&west)));
    changes.push(Change {
        before: Some(before),
        after: Some(after),
        reason: Reason::CannotUpdate(vec!["image".to_owned()]),
        causes: vec!["3 resources within it are created again".to_owned()],
        ..change(keyed("z", "z", "other"), Action::Replace, Some(&west))
    });
    changes.push(change(Address::managed("z", "nowhere"), Action::Create, None));
    let blocked = |name: &str, why: &str| Blocked { address: Address::managed("z", name), why: why.into(), after: None };
    let blocked = vec![blocked("hidden", "connection refused"), blocked("too", "connection refused"), blocked("late", "no answer")];
    let page = page_of(&Plan { changes, blocked, ..Plan::default() });
    assert_balanced(&page);
    let listing = page.split_once("id=\"changes\"").unwrap().1;
    let order = [
        "<h3>Not planned, because it could not be observed</h3>",
        ">2 resources</code>",
        "z.hidden",
        "z.too",
        "<h3>Replaced or deleted</h3>",
        "z.z[&quot;gone&quot;]",
        "z.z[&quot;other&quot;]",
        "<h3>In east, west</h3>",
        "istio_remote_secret.s[*]",
        "<h3>Outside all clusters</h3>",
        "z.nowhere",
    ];
    let found: Vec<_> = order.iter().map(|word| listing.find(word)).collect();
    assert!(found.is_sorted() && found.iter().all(Option::is_some), "{found:?}");
    for text in [
        "forces replacement",
        "3 resources within it are created again",
        "cannot change in place, 1 unchanged",
        "connection refused",
        "<del>&quot;<mark>a</mark>&quot;</del>",
    ] {
        assert!(listing.contains(text), "{text}");
    }
}

#[test]
fn the_same_change_of_several_clusters_stands_once() {
    let update = |name: &str, size: u32| Change {
        before: Some(Value::from_json(&json!({ "tag": "1.26.3", "size": 1, "of": name, "same": true }))),
        after: Some(Value::from_json(&json!({ "tag": "1.27.0", "size": size, "of": format!("{name}-new"), "same": true }))),
        reason: Reason::Configuration(vec!["tag".to_owned()]),
        causes: vec!["istiod restarts".to_owned()],
        ..change(keyed("k", "a", name), Action::Update, Some(&cluster(name)))
    };
    let page = page(vec![update("east", 2), update("west", 2), update("north", 3)]);
    assert_balanced(&page);
    let listing = page.split_once("id=\"changes\"").unwrap().1;
    let rows: Vec<&str> = listing.split("class=\"change ").skip(1).collect();
    assert_eq!(rows.len(), 1, "{listing}");
    for (text, times) in [
        ("<code class=\"address\">k.a[*]</code>", 1),
        ("istiod restarts", 1),
        ("<code>k.a[&quot;east&quot;]</code>", 1),
        ("<code>k.a[&quot;north&quot;]</code>", 1),
        ("<code>k.a[&quot;west&quot;]</code>", 1),
        ("<code class=\"path\">tag</code>", 1),
        ("<code class=\"path\">east, west</code>", 1),
        ("<code class=\"path\">north</code>", 1),
        ("{cluster}", 2),
        ("1 unchanged", 1),
    ] {
        assert_eq!(rows[0].matches(text).count(), times, "{text} in {}", rows[0]);
    }
    assert!(["place-0", "place-1", "place-2"].iter().all(|id| rows[0].split('>').next().unwrap().contains(id)), "{}", rows[0]);
    let anchors = ["place-0", "place-1", "place-2"].map(|id| page.matches(&format!("id=\"{id}\"")).count());
    assert_eq!(anchors, [1, 1, 1], "links lead somewhere");
}

#[test]
fn what_goes_with_a_cluster_is_named_there() {
    let east = cluster("east");
    let mut changes = vec![Change { reason: Reason::NotInConfiguration, ..change(east.clone(), Action::Delete, None) }];
    for name in ["a", "b"] {
        changes.push(Change { reason: Reason::PlaceDestroyed(east.clone()), ..change(keyed("k", "a", name), Action::Delete, Some(&east)) });
    }
    let page = page(changes);
    let rows: Vec<&str> = page.split("class=\"change ").skip(1).collect();
    assert_eq!(rows.len(), 1);
    for text in ["2 resources within it go with it", "<summary>What lies within it</summary>", "k.a[&quot;a&quot;]", "k.a[&quot;b&quot;]"] {
        assert!(rows[0].contains(text), "{text}: {}", rows[0]);
    }
}

#[test]
fn problems_have_their_place() {
    let mut sources = SourceTree::new("");
    let file = sources.add("main.mesh.hcl", "locals {\n  a = b\n}\n");
    let problem = Diagnostic::error("no such name", "`b` is nothing").at(Span::new(file, 15..16)).about(&Address::managed("k", "a"));
    let plan = Plan { diagnostics: vec![problem.related(Span::new(file, 0..6), "within this")], ..Plan::default() };
    let page = super::plan(&plan, Origin { made: "", version: "", sources: &sources });
    for text in [
        "<code class=\"at\">main.mesh.hcl:2:7</code>",
        "<code class=\"at\">k.a</code>",
        "within this <code class=\"at\">main.mesh.hcl:1:1</code>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let comment = crate::markdown::plan(&plan, &sources);
    assert!(comment.contains("- **error: no such name** (`main.mesh.hcl:2:7`) (`k.a`): \\`b\\` is nothing"), "{comment}");
}

#[test]
fn few_clusters_have_arrows_and_many_a_table() {
    let few = page(mesh(&["a", "b", "c"]));
    assert_eq!((few.matches("class=\"arrow").count(), few.matches("class=\"matrix\"").count()), (6, 0));
    for text in ["sandbox_cluster · net-b", "⇄ 198.18.0.1", "a to b: istio_remote_secret.s[&quot;b-in-a&quot;]"] {
        assert!(few.contains(text), "{text}");
    }
    let many = page(mesh(&["a", "b", "c", "d", "e"]));
    assert_eq!((many.matches("class=\"arrow").count(), many.matches("class=\"cell create\"").count()), (0, 20));
    assert_eq!((page(mesh(&["a", "b"])), page(Vec::new()).contains("<svg")), (page(mesh(&["a", "b"])), false));
    assert_balanced(&many);
}

#[test]
fn unknown_values_and_long_texts_say_so() {
    let text = (0..500).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
    let after = Value::object([
        ("deep", Value::from_json(&json!({ "list": [{ "name": "x".repeat(90) }, { "name": "y".repeat(90) }] }))),
        ("force", Value::bool(false)),
        ("none", Value::null()),
        ("text", Value::string(text)),
        ("uid", Value::unknown(Type::String)),
    ]);
    let created = Change { after: Some(after), defaults: vec!["force"], ..change(Address::managed("k", "a"), Action::Create, None) };
    let page = page(vec![created]);
    for text in ["known after apply: uid", "deep.list[1]<", " … 500 lines", "line 399\n… 100 more lines"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("force<") && !page.contains("none<"));
}

#[test]
fn a_large_plan_is_folded_and_small() {
    let value = |replicas: u64| Value::from_json(&json!({ "manifest": { "kind": "Deployment", "spec": { "replicas": replicas } } }));
    let update = |number: usize| Change {
        before: Some(value(1)),
        after: Some(value(2)),
        reason: Reason::Configuration(vec!["manifest.spec.replicas".to_owned()]),
        ..change(
            Address::managed("kubernetes_manifest", &format!("m{number:05}")),
            Action::Update,
            Some(&cluster(&format!("c{}", number % 20))),
        )
    };
    let page = page((0..2_000).map(update).collect());
    assert_eq!(page.matches("class=\"change update\"").count(), 2_000);
    assert_eq!(page.matches(" open=\"\"").count(), 20, "clusters alone");
    assert!(page.len() / 2_000 < 1_200, "{} bytes a change", page.len() / 2_000);
}
