//! Pages of plans made by hand.

use super::*;
use engine::address::{Address, Key};
use engine::plan::{Action, Blocked, Change, CheckResult, CheckStatus, Counted, OutputChange, Reason};
use engine::value::{Data, Instance, Type, Value};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

const ORIGIN: Origin<'_> = Origin { made: "2027-01-15T08:00:00Z", version: "0.1.0" };

fn keyed(kind: &str, name: &str, key: &str) -> Address {
    Address::managed(kind, name).with_key(Key::Text(key.into()))
}

fn change(address: Address, action: Action, place: Option<&Address>) -> Change {
    Change {
        kind: address.kind.clone(),
        address,
        deposed: None,
        action,
        reason: Reason::NotInState,
        place: place.cloned(),
        before: None,
        after: None,
        defaults: Vec::new(),
        not_previewed: None,
        causes: Vec::new(),
        counted: Counted::default(),
    }
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
    plan(&Plan { changes, ..Plan::default() }, ORIGIN)
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
    let plan = Plan {
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
        checks: vec![CheckResult { name: hostile.into(), status: CheckStatus::Failed, messages: vec![hostile.to_owned()] }],
        blocked: vec![Blocked { address: keyed("k", "c", hostile), why: hostile.into(), after: Some(place.clone()) }],
        diagnostics: vec![engine::diagnostic::Diagnostic::warning(hostile, hostile).help(hostile)],
        ..Plan::default()
    };
    let edges = Edges::from([(keyed("k", "a", hostile), BTreeSet::from([keyed("k", "b", hostile)]))]);
    for page in [super::plan(&plan, Origin { made: hostile, version: hostile }), graph(&plan, &edges)] {
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
    let page = plan(&Plan { changes, outputs, ..Plan::default() }, ORIGIN);
    assert!(!page.contains("spring-onion") && !page.contains("c3ByaW5nLW9ubGlvbg"), "{page}");
    assert!(page.matches("(sensitive value)").count() >= 6, "{page}");
}

#[test]
fn what_goes_stands_first_in_its_cluster() {
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
    let blocked = Blocked { address: Address::managed("z", "hidden"), why: "connection refused".into(), after: None };
    let page = plan(&Plan { changes, blocked: vec![blocked], ..Plan::default() }, ORIGIN);
    assert_balanced(&page);
    let order = [
        "id=\"place-0\"",
        "east-in-",
        "id=\"place-1\"",
        "z.z[&quot;other&quot;]",
        "z.z[&quot;gone&quot;]",
        "-in-west",
        "id=\"outside\"",
        "z.hidden",
    ];
    let listing = page.split_once("id=\"changes\"").unwrap().1;
    let listing = &listing[listing.find("<details class=\"cluster\"").unwrap()..];
    let found: Vec<_> = order.iter().map(|word| listing.find(word)).collect();
    let west_first = listing.find("west-in-east").unwrap();
    assert!(west_first < found[2].unwrap() && found[1].is_some(), "what lies in east is told there");
    assert!(found[2..].is_sorted() && found[2..].iter().all(Option::is_some), "{found:?}");
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
        ..change(keyed("kubernetes_manifest", "m", &format!("{number:05}")), Action::Update, Some(&cluster(&format!("c{}", number % 20))))
    };
    let page = page((0..2_000).map(update).collect());
    assert_eq!(page.matches("class=\"change update\"").count(), 2_000);
    assert_eq!(page.matches(" open=\"\"").count(), 20, "clusters alone");
    assert!(page.len() / 2_000 < 1_200, "{} bytes a change", page.len() / 2_000);
}
