//! What generated sequences found once, as small as it was found.

use super::super::generated;
use super::super::sequence::{Sequence, apply, create, delete_with, force, get, merge, operations, replace, sequence, strategic};
use super::definitions::{DEFINITIONS, definition};
use super::{config_map, deployment, labelled, service};
use serde_json::{Value, json};

pub(super) fn sequences() -> Vec<Sequence> {
    vec![
        replaced_into_being(),
        deleted_with_options(),
        nameless(),
        emptied(),
        unsaid_rules(),
        bindings(),
        owners_of_nothing(),
        many_conflicts(),
        checked_before_missed(),
        immutable(),
        ports(),
        families(),
        written_through_status(),
        selected_pages(),
        patched_by_port(),
        strictly(),
        of_another_type(),
        held_namespaces(),
        aggregated(),
        paced(),
        mounted(),
        defined_little(),
        patched_in_another_version(),
        emptied_metadata(),
    ]
}

/// What holds a namespace only a call for that changes.
fn held_namespaces() -> Sequence {
    let namespace = |spec: Value| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "${ns}-a" }, "spec": spec });
    let path = "/api/v1/namespaces/${ns}-a";
    sequence(
        "found-held-namespaces",
        vec![
            apply(path, "one", &namespace(json!({ "finalizers": ["no-slash"] }))),
            create("/api/v1/namespaces", &namespace(json!({ "finalizers": ["example.org/hold"] }))),
            apply(path, "one", &namespace(json!({ "finalizers": [] }))),
            merge(path, &json!({ "spec": null })),
            replace(path, &namespace(json!({}))),
            replace(&format!("{path}/finalize"), &namespace(json!({ "finalizers": ["kubernetes"] }))),
        ],
    )
}

/// A role that is made of others names some.
fn aggregated() -> Sequence {
    let role = |selectors: Value| {
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": "${ns}-a" },
            "aggregationRule": { "clusterRoleSelectors": selectors } })
    };
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    sequence("found-aggregated", vec![create(path, &role(json!([]))), create(path, &role(json!([{ "matchLabels": { "l": "1" } }])))])
}

/// What is defaulted for one strategy forbids the other.
fn paced() -> Sequence {
    let mut recreated = deployment("a");
    recreated["spec"]["strategy"] = json!({ "type": "Recreate" });
    sequence(
        "found-paced",
        vec![
            create("apps/v1:deployments?dryRun=All", &recreated),
            create(
                "apps/v1:deployments?dryRun=All",
                &json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a" } }),
            ),
            create("apps/v1:deployments", &deployment("a")).passed(),
            force("apps/v1:deployments/a?dryRun=All", "one", &recreated),
        ],
    )
}

/// A container mounts what is a volume, and one thing at that.
fn mounted() -> Sequence {
    let with = |volumes: Value| {
        let mut deployment = deployment("a");
        deployment["spec"]["template"]["spec"]["volumes"] = volumes;
        deployment["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = json!([{ "name": "v", "mountPath": "/v" }]);
        create("apps/v1:deployments?dryRun=All", &deployment)
    };
    let mut selectless = deployment("a");
    selectless["spec"]["selector"] = json!({});
    sequence(
        "found-mounted",
        vec![
            with(json!([])),
            with(json!([{ "name": "v", "configMap": {} }])),
            with(json!([{ "name": "v", "secret": { "secretName": "s" }, "configMap": { "name": "c" } }])),
            create("apps/v1:deployments?dryRun=All", &selectless),
        ],
    )
}

/// What a definition does not say is no, and what is stored stays.
fn defined_little() -> Sequence {
    let mut little = definition();
    let version = little["spec"]["versions"][0].as_object_mut().unwrap();
    version.remove("served");
    version.insert("deprecated".to_owned(), false.into());
    little["spec"]["preserveUnknownFields"] = false.into();
    let path = format!("{DEFINITIONS}/things.${{ns}}.example.org");
    sequence(
        "found-defined-little",
        vec![
            create(
                DEFINITIONS,
                &json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "a" } }),
            ),
            create(DEFINITIONS, &little),
            get(&path).until_settled().passed(),
            merge(&path, &json!({ "spec": { "names": { "plural": null } } })),
            merge(&path, &json!({ "spec": { "versions": [] } })),
        ],
    )
}

/// Objects of a defined kind are written in any of its versions.
fn patched_in_another_version() -> Sequence {
    let mut both = definition();
    let mut second = both["spec"]["versions"][0].clone();
    second["name"] = "v2".into();
    second["storage"] = false.into();
    both["spec"]["versions"].as_array_mut().unwrap().push(second);
    let thing = |version: &str| json!({ "apiVersion": format!("${{ns}}.example.org/{version}"), "kind": "Thing", "metadata": { "name": "a" }, "spec": { "size": 1 } });
    let things = |version: &str| format!("${{ns}}.example.org/{version}:things");
    sequence(
        "found-other-version",
        vec![
            create(DEFINITIONS, &both),
            get(&things("v1")).until(200),
            get(&things("v2")).until(200),
            create(&things("v2"), &thing("v2")),
            merge(&format!("{}/a", things("v1")), &json!({ "spec": { "size": 2 } })),
            apply(&format!("{}/a", things("v2")), "one", &thing("v2")),
            apply(&format!("{}/a", things("v1")), "one", &thing("v1")),
            operations(&format!("{}/a", things("v2")), &json!([{ "op": "replace", "path": "/spec/size", "value": 3 }])),
        ],
    )
}

const ROLES: &str = "rbac.authorization.k8s.io/v1:roles";

fn role(rules: &Value) -> Value {
    let mut role = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "a" }, "rules": rules });
    if rules.is_null() {
        role.as_object_mut().unwrap().remove("rules");
    }
    role
}

/// A replacement makes what is not there, of some kinds.
fn replaced_into_being() -> Sequence {
    let mut versioned = service("b");
    versioned["metadata"]["resourceVersion"] = "1".into();
    sequence(
        "found-put",
        vec![
            replace("services/a", &service("a")),
            replace("services/b", &versioned),
            replace(&format!("{ROLES}/a"), &role(&json!(null))),
            replace("secrets/a", &labelled("Secret", "a", &json!({}))),
        ],
    )
}

/// Where a deletion has a body, nothing else says how it is meant.
fn deleted_with_options() -> Sequence {
    sequence(
        "found-delete-options",
        vec![
            create("configmaps", &config_map("a", &json!({}))),
            create("configmaps", &config_map("b", &json!({}))),
            delete_with("configmaps/a?dryRun=All", &json!({ "preconditions": { "uid": "${1/metadata/uid}" } })),
            delete_with("configmaps/b", &json!({ "dryRun": ["All"] })),
            get("configmaps/a"),
            get("configmaps/b"),
        ],
    )
}

fn nameless() -> Sequence {
    sequence(
        "found-nameless",
        vec![
            create("configmaps", &config_map("a", &json!({}))),
            merge("configmaps/a", &json!({ "metadata": null })),
            replace("configmaps/a", &json!({ "apiVersion": "v1", "kind": "ConfigMap" })),
        ],
    )
}

/// What is empty in an apply, and what an apply empties.
fn emptied() -> Sequence {
    let path = format!("{}:things/a", generated::GROUP_VERSION);
    let thing = |spec: Value, metadata: Value| json!({ "apiVersion": generated::GROUP_VERSION, "kind": "Thing", "metadata": metadata, "spec": spec });
    let bare = || json!({ "name": "a" });
    let mut labels = config_map("a", &json!({ "x": "1" }));
    labels["metadata"]["labels"] = json!({});
    sequence(
        "found-empty",
        vec![
            apply(&path, "one", &thing(json!({ "size": 1, "rows": [], "list": [], "map": {} }), bare())),
            merge(&path, &json!({ "metadata": { "finalizers": [], "annotations": {} } })),
            force(&path, "one", &thing(json!({ "size": 1, "free": { "z": "" }, "rows": [{ "id": "a" }] }), bare())),
            apply(&path, "one", &thing(json!({ "size": 1, "free": {}, "rows": [{ "id": "a" }] }), bare())),
            apply(&path, "one", &thing(json!({ "size": 1, "free": { "z": "" }, "rows": [] }), bare())),
            apply("configmaps/a", "one", &labels),
            merge("configmaps/a", &json!({ "metadata": { "annotations": { "b": "1" }, "labels": { "m": "1" } } })),
        ],
    )
}

fn unsaid_rules() -> Sequence {
    let path = format!("{ROLES}/a");
    sequence(
        "found-rules",
        vec![
            create(&format!("{ROLES}?dryRun=All"), &role(&json!([]))),
            create(ROLES, &role(&json!(null))),
            strategic(&path, &json!({ "rules": [] })),
            apply(&path, "one", &role(&json!([]))),
            apply(&path, "two", &role(&json!([{}]))),
            force(&path, "two", &role(&json!([{}]))),
            force(&path, "two", &role(&json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }]))),
            force(&path, "one", &role(&json!([]))),
        ],
    )
}

fn bindings() -> Sequence {
    let binding = |subjects: Value| {
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": "a" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a" }, "subjects": subjects })
    };
    let bindings = "rbac.authorization.k8s.io/v1:rolebindings";
    sequence(
        "found-bindings",
        vec![
            create(bindings, &json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": "a" } })),
            create(bindings, &binding(json!([{ "kind": "Nobody", "name": "a" }, { "kind": "User" }]))),
            create(bindings, &binding(json!([{ "kind": "ServiceAccount", "name": "a" }]))),
            strategic(&format!("{bindings}/a"), &json!({ "roleRef": { "apiGroup": null, "kind": null } })),
            merge(&format!("{bindings}/a"), &json!({ "roleRef": { "name": "b" } })),
        ],
    )
}

/// A first apply to an object that nobody owned anything of.
fn owners_of_nothing() -> Sequence {
    let path = format!("{ROLES}/a");
    sequence(
        "found-unowned",
        vec![
            create(ROLES, &role(&json!(null))),
            apply(&path, "one", &role(&json!(null))),
            merge(&path, &json!({ "metadata": { "labels": { "l": "1" } } })),
            apply(&path, "one", &role(&json!(null))),
        ],
    )
}

fn many_conflicts() -> Sequence {
    let map = |data: Value| config_map("a", &data);
    sequence(
        "found-conflicts",
        vec![
            create("configmaps?fieldManager=three", &map(json!({ "b": "1" }))),
            merge("configmaps/a?fieldManager=one", &json!({ "data": { "a": "1" } })),
            apply("configmaps/a", "two", &map(json!({ "c": "1" }))),
            apply("configmaps/a", "one", &map(json!({ "a": "2", "b": "2", "c": "2" }))),
        ],
    )
}

/// What is there already is looked at last.
fn checked_before_missed() -> Sequence {
    let mut wrong = config_map("a", &json!({}));
    wrong["binaryData"] = json!({ "not a key": "YQ==" });
    let mut twice = config_map("a", &json!({ "x": "1" }));
    twice["binaryData"] = json!({ "x": "YQ==" });
    let steps = [config_map("a", &json!({})), wrong, twice].iter().map(|map| create("configmaps", map)).collect();
    sequence("found-create", steps)
}

fn immutable() -> Sequence {
    let mut map = config_map("a", &json!({ "x": "1" }));
    map["immutable"] = true.into();
    sequence(
        "found-immutable",
        vec![
            apply("configmaps/a", "one", &map),
            replace("configmaps/a", &config_map("a", &json!({ "x": "1" }))),
            merge("configmaps/a", &json!({ "data": { "x": "2" }, "binaryData": { "y": "YQ==" } })),
            merge("configmaps/a", &json!({ "metadata": { "labels": { "l": "1" } } })),
        ],
    )
}

fn ports() -> Sequence {
    let ports = |ports: Value| {
        let mut service = service("a");
        service["spec"]["ports"] = ports;
        create("services", &service)
    };
    sequence(
        "found-ports",
        vec![
            ports(json!([{}])),
            ports(json!([{ "port": 0 }])),
            ports(json!([{ "port": 70_000, "targetPort": "x" }])),
            ports(json!([{ "port": 80 }])),
            operations("services/a", &json!([{ "op": "remove", "path": "/spec/ports/0/port" }])),
            merge("services/a", &json!({ "spec": { "type": "NodePort", "clusterIP": "None" } })),
        ],
    )
}

/// A Service that may point anywhere is of both families, also where there is one.
fn families() -> Sequence {
    let mut anywhere = service("a");
    anywhere["spec"]["clusterIP"] = "None".into();
    anywhere["spec"].as_object_mut().unwrap().remove("selector");
    sequence(
        "found-families",
        vec![apply("services/a", "one", &anywhere), merge("services/a", &json!({ "spec": { "selector": { "a": "b" } } }))],
    )
}

fn written_through_status() -> Sequence {
    let balanced = json!({ "metadata": { "labels": { "l": "2" } }, "status": { "loadBalancer": {} }, "spec": { "selector": null } });
    sequence(
        "found-status",
        vec![
            apply("services/a/status", "one", &json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "a" } })),
            create("services", &service("a")),
            merge("services/a/status", &balanced),
            apply("services/a/status", "one", &labelled("Service", "a", &json!({ "l": "3", "m": "1" }))),
            force("services/a/status", "one", &labelled("Service", "a", &json!({ "l": "3", "m": "1" }))),
            merge("configmaps/a/status", &balanced),
            create("apps/v1:deployments", &deployment("d")).passed(),
            merge(
                "apps/v1:deployments/d/status?dryRun=All",
                &json!({ "metadata": { "labels": { "l": "2" }, "annotations": { "a": "1" } } }),
            ),
        ],
    )
}

/// A page says that there are more before anybody knows whether they are meant.
fn selected_pages() -> Sequence {
    let secret = |name: &str, label: &str| create("secrets", &labelled("Secret", name, &json!({ "l": label })));
    let page = |rest: &str| get(&format!("secrets?labelSelector=l%3D1&limit=1{rest}"));
    sequence(
        "found-pages",
        vec![
            secret("a", "1"),
            secret("b", "2"),
            secret("c", "1"),
            secret("d", "2"),
            page(""),
            page("&continue=${5/metadata/continue}"),
            page("&continue=${6/metadata/continue}"),
        ],
    )
}

/// A strategic merge patch knows a port by its number alone.
fn patched_by_port() -> Sequence {
    let ports = json!([{ "name": "http", "port": 80 }, { "name": "https", "port": 443 }, { "name": "dns-tcp", "port": 53 }]);
    let mut many = service("a");
    many["spec"]["ports"] = ports;
    let changed = json!([{ "name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns" }, { "name": "dns-tcp", "port": 53 }]);
    sequence("found-port", vec![create("services", &many), strategic("services/a", &json!({ "spec": { "ports": changed } }))])
}

/// What is unknown is found before what is not there.
fn strictly() -> Sequence {
    let mut unknown = config_map("a", &json!({}));
    unknown["dta"] = json!({});
    sequence("found-strict", vec![replace("configmaps/a?fieldValidation=Strict", &unknown)])
}

/// Where there is no schema, a value may become one of another type.
fn of_another_type() -> Sequence {
    let path = format!("{}:things/a", generated::GROUP_VERSION);
    let thing = |spec: Value| json!({ "apiVersion": generated::GROUP_VERSION, "kind": "Thing", "metadata": { "name": "a" }, "spec": spec });
    sequence(
        "found-types",
        vec![
            apply(&path, "one", &thing(json!({ "size": 1, "name": 5 }))),
            apply(&path, "one", &thing(json!({ "size": 1, "free": { "x": 1 } }))),
            merge(&path, &json!({ "spec": { "free": { "x": { "y": [1] } } } })),
            merge(&path, &json!({ "spec": { "free": { "x": 2 } } })),
        ],
    )
}

/// Metadata with nothing in it is not told from none, and is stored once more where it was told.
fn emptied_metadata() -> Sequence {
    let at = format!("{}:things", generated::GROUP_VERSION);
    let named = |name: &str, metadata: Value| {
        let mut thing = json!({ "apiVersion": generated::GROUP_VERSION, "kind": "Thing", "metadata": metadata, "spec": { "size": 1 } });
        thing["metadata"]["name"] = name.into();
        thing
    };
    let one = |name: &str| format!("{at}/{name}");
    let mut replaced = named("b", json!({ "annotations": {} }));
    replaced["metadata"]["resourceVersion"] = "${6/metadata/resourceVersion}".into();
    let emptied = named("c", json!({ "annotations": {} }));
    let listless = named("d", json!({ "labels": {}, "finalizers": [], "ownerReferences": [] }));
    let mut config = config_map("a", &json!({ "x": "1" }));
    config["metadata"]["annotations"] = json!({});
    sequence(
        "found-emptied",
        vec![
            create(&at, &named("a", json!({ "annotations": {} }))),
            merge(&one("a"), &json!({ "metadata": { "annotations": {} } })),
            merge(&one("a"), &json!({})),
            create(&at, &named("b", json!({ "annotations": { "x": "1" } }))),
            merge(&one("b"), &json!({ "metadata": { "annotations": { "x": null } } })),
            merge(&one("b"), &json!({})),
            replace(&one("b"), &replaced),
            merge(&one("b"), &json!({})),
            apply(&one("c"), "one", &emptied),
            apply(&one("c"), "one", &emptied),
            apply(&one("c"), "one", &emptied),
            get(&one("c")),
            merge(&one("c"), &json!({})),
            merge(&one("c"), &json!({})),
            apply(&one("c"), "one", &emptied),
            apply(&one("c"), "two", &emptied),
            operations(&one("c"), &json!([])),
            apply(&one("d"), "one", &listless),
            apply(&one("d"), "one", &listless),
            merge(&one("d"), &json!({})),
            apply(&one("e"), "one", &named("e", json!({ "labels": { "x": "1" } }))),
            apply(&one("e"), "one", &named("e", json!({ "labels": {} }))),
            merge(&one("e"), &json!({})),
            apply(&one("f"), "one", &named("f", json!({ "labels": { "x": "1" } }))),
            apply(&one("f"), "one", &named("f", json!({}))),
            merge(&one("f"), &json!({})),
            apply(&one("g"), "one", &named("g", json!({ "annotations": {} }))),
            merge(&one("g"), &json!({})),
            apply("configmaps/a", "one", &config),
            apply("configmaps/a", "one", &config),
            merge("configmaps/a", &json!({})),
        ],
    )
}
