//! Objects of the kinds that configurations of a mesh use, with what they may have and a little that they may not.

use meshplan_tests::draws::Draws;
use serde_json::{Map, Value, json};

/// The version of the kind that is not built in.
pub(in super::super) const THINGS: &str = "generated.example.org/v1";

/// A kind that sequences are about.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    /// Its collection, as steps name it.
    pub(super) collection: &'static str,
    /// What stands in `apiVersion`.
    pub(super) api_version: &'static str,
    /// What stands in `kind`.
    pub(super) kind: &'static str,
    /// Whether its objects are stored.
    pub(super) kept: Kept,
    /// What its status may be, where it is written apart.
    pub(super) status: Option<fn(&mut Draws) -> Value>,
    content: fn(&mut Draws) -> Value,
}

/// Whether objects are stored: those that a sandbox's imitated programs work on are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Stored,
    Rehearsed,
}

pub(super) const SUBJECTS: &[Subject] = &[
    stored("configmaps", "v1", "ConfigMap", config_map),
    stored("secrets", "v1", "Secret", secret),
    stored("serviceaccounts", "v1", "ServiceAccount", account),
    Subject { status: Some(service_status), ..stored("services", "v1", "Service", service) },
    stored("rbac.authorization.k8s.io/v1:roles", "rbac.authorization.k8s.io/v1", "Role", role),
    stored("rbac.authorization.k8s.io/v1:rolebindings", "rbac.authorization.k8s.io/v1", "RoleBinding", binding),
    stored("/apis/rbac.authorization.k8s.io/v1/clusterroles", "rbac.authorization.k8s.io/v1", "ClusterRole", role),
    Subject { status: Some(thing_status), ..stored("generated.example.org/v1:things", THINGS, "Thing", thing) },
    Subject { status: Some(thing_status), ..stored("generated.example.org/v1:things", THINGS, "Thing", thing) },
    Subject { kept: Kept::Rehearsed, ..stored("apps/v1:deployments", "apps/v1", "Deployment", deployment) },
];

const fn stored(collection: &'static str, api_version: &'static str, kind: &'static str, content: fn(&mut Draws) -> Value) -> Subject {
    Subject { collection, api_version, kind, kept: Kept::Stored, status: None, content }
}

impl Subject {
    /// The name of one of its objects, which no other sequence has.
    pub(super) fn name(&self, name: &str) -> String {
        if self.is_namespaced() { name.to_owned() } else { format!("${{ns}}-{name}") }
    }

    /// Whether a namespace holds its objects.
    pub(super) fn is_namespaced(&self) -> bool {
        !self.collection.starts_with('/')
    }

    /// Whether every server has it.
    pub(super) fn is_built_in(&self) -> bool {
        self.api_version != THINGS
    }

    /// An object of it.
    pub(super) fn object(&self, draws: &mut Draws, name: &str) -> Value {
        let mut object = (self.content)(draws);
        object["apiVersion"] = self.api_version.into();
        object["kind"] = self.kind.into();
        object["metadata"] = metadata(draws, name);
        object
    }
}

fn metadata(draws: &mut Draws, name: &str) -> Value {
    let mut metadata = json!({ "name": name });
    if draws.one_in(2) {
        metadata["labels"] = texts(draws, &["l", "m"]);
    }
    if draws.one_in(4) {
        metadata["annotations"] = texts(draws, &["example.org/a", "b"]);
    }
    if draws.one_in(10) {
        metadata["finalizers"] = draws.some(&["example.org/hold", "example.org/more"]).into();
    }
    metadata
}

/// Some of these names, each with a text.
fn texts(draws: &mut Draws, names: &[&str]) -> Value {
    let names = draws.some(names);
    let fields: Map<_, _> = names.into_iter().map(|name| (name.to_owned(), (draws.pick(&["1", "2", ""])).into())).collect();
    fields.into()
}

/// Some of these fields.
fn fields(draws: &mut Draws, all: &[(&str, Value)]) -> Value {
    let some = draws.some(all);
    Value::Object(some.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn config_map(draws: &mut Draws) -> Value {
    let mut map = json!({});
    if !draws.one_in(6) {
        map["data"] = texts(draws, &["a", "b", "c.d"]);
    }
    if draws.one_in(6) {
        map["binaryData"] = json!({ draws.pick(&["a", "e", "not a key"]): "YQ==" });
    }
    if draws.one_in(20) {
        map["immutable"] = true.into();
    }
    map
}

fn secret(draws: &mut Draws) -> Value {
    let mut secret = fields(draws, &[("type", "Opaque".into()), ("stringData", json!({ "s": "text" }))]);
    let keys = draws.some(&["a", "b"]);
    secret["data"] =
        keys.into_iter().map(|key| (key.to_owned(), Value::from(draws.pick(&["YQ==", "Yg==", ""])))).collect::<Map<_, _>>().into();
    if draws.one_in(15) {
        secret["type"] = "example.org/other".into();
    }
    secret
}

fn account(draws: &mut Draws) -> Value {
    let pulls: Vec<_> = draws.some(&["p", "q"]).into_iter().map(|name| json!({ "name": name })).collect();
    fields(draws, &[("automountServiceAccountToken", false.into()), ("imagePullSecrets", pulls.into())])
}

fn service(draws: &mut Draws) -> Value {
    let ports = [
        json!({ "name": "http", "port": 80 }),
        json!({ "name": "https", "port": 443, "targetPort": 8443 }),
        json!({ "name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns" }),
        json!({ "name": "dns-tcp", "port": 53, "appProtocol": "x" }),
    ];
    let mut spec = fields(
        draws,
        &[("selector", json!({ "app": "a" })), ("sessionAffinity", "None".into()), ("publishNotReadyAddresses", true.into())],
    );
    spec["ports"] = draws.some(&ports).into();
    match draws.below(8) {
        0 => spec["type"] = "NodePort".into(),
        1 => spec["type"] = "ClusterIP".into(),
        2 => spec["clusterIP"] = "None".into(),
        3 => spec["ports"] = json!([{ "port": draws.pick(&[0, 80, 70_000]) }]),
        _ => {}
    }
    json!({ "spec": spec })
}

fn service_status(draws: &mut Draws) -> Value {
    let condition = json!({ "type": "X", "status": draws.pick(&["True", "False"]), "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" });
    fields(draws, &[("loadBalancer", json!({})), ("conditions", json!([condition]))])
}

fn rules(draws: &mut Draws) -> Value {
    let rules = [
        json!({ "apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"] }),
        json!({ "apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["a"], "verbs": ["*"] }),
        json!({ "apiGroups": [""], "resources": ["pods"], "verbs": [] }),
    ];
    let allowed = if draws.one_in(6) { 3 } else { 2 };
    draws.some(&rules[..allowed]).into()
}

fn role(draws: &mut Draws) -> Value {
    let rules = rules(draws);
    fields(draws, &[("rules", rules)])
}

fn binding(draws: &mut Draws) -> Value {
    let subjects = [
        json!({ "kind": "ServiceAccount", "name": "a", "namespace": "x" }),
        json!({ "kind": "User", "name": "u" }),
        json!({ "kind": "Group", "name": "g", "apiGroup": "rbac.authorization.k8s.io" }),
    ];
    let role = if draws.one_in(8) { "b" } else { "a" };
    let mut binding = json!({ "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role } });
    if !draws.one_in(4) {
        binding["subjects"] = draws.some(&subjects).into();
    }
    binding
}

fn thing(draws: &mut Draws) -> Value {
    let rows =
        [json!({ "id": "a", "text": "x" }), json!({ "id": "a", "text": "y" }), json!({ "id": "b" }), json!({ "id": "c", "text": "z" })];
    let rows = [draws.pick(&rows[..2]), rows[2].clone(), rows[3].clone()];
    let set = draws.some(&["a", "b", "c"]);
    let all = [
        ("mode", (draws.pick(&["slow", "fast", "fast"])).into()),
        ("name", (draws.pick(&["a", "bc", "TOO LONG"])).into()),
        ("list", draws.some(&["x", "y"]).into()),
        ("set", set.into()),
        ("rows", draws.some(&rows).into()),
        ("map", texts(draws, &["a", "b"])),
        ("free", draws.pick(&[json!({}), json!({ "x": 1 }), json!({ "x": { "y": [1] }, "z": "" })])),
        ("port", draws.pick(&[json!(80), json!("http")])),
    ];
    let mut spec = fields(draws, &all);
    spec["size"] = draws.pick(&[json!(1), json!(2), json!(3)]);
    match draws.below(16) {
        0 => spec["size"] = 0.into(),
        3 => spec["name"] = 5.into(),
        1 => spec["unknown"] = json!({ "x": 1 }),
        2 => drop(spec.as_object_mut().and_then(|spec| spec.remove("size"))),
        _ => {}
    }
    json!({ "spec": spec })
}

fn thing_status(draws: &mut Draws) -> Value {
    fields(draws, &[("ready", true.into()), ("replicas", 2.into())])
}

fn deployment(draws: &mut Draws) -> Value {
    let mut container = fields(
        draws,
        &[
            ("args", json!(["a"])),
            ("env", json!([{ "name": "A", "value": "1" }, { "name": "B", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }])),
            ("ports", json!([{ "containerPort": 80 }, { "containerPort": 80, "protocol": "UDP" }])),
            ("resources", json!({ "limits": { "memory": "1Gi" }, "requests": { "cpu": "100m" } })),
            ("readinessProbe", json!({ "httpGet": { "port": 80 } })),
            ("volumeMounts", json!([{ "name": "v", "mountPath": "/v" }])),
            ("securityContext", json!({ "runAsNonRoot": true })),
        ],
    );
    container["name"] = "main".into();
    container["image"] = (draws.pick(&["example.org/a:1", "example.org/a", "a:latest"])).into();
    let mut pods = fields(
        draws,
        &[("serviceAccountName", "a".into()), ("nodeSelector", json!({ "x": "y" })), ("tolerations", json!([{ "operator": "Exists" }]))],
    );
    pods["containers"] = json!([container]);
    pods["volumes"] = json!([draws.pick(&[
        json!({ "name": "v", "emptyDir": {} }),
        json!({ "name": "v", "configMap": { "name": "a" } }),
        json!({ "name": "v", "secret": { "secretName": "a" } })
    ])]);
    let mut spec = fields(
        draws,
        &[("replicas", 2.into()), ("strategy", json!({ "type": "Recreate" })), ("minReadySeconds", 5.into()), ("paused", true.into())],
    );
    spec["selector"] = json!({ "matchLabels": { "app": "a" } });
    spec["template"] = json!({ "metadata": { "labels": { "app": "a" } }, "spec": pods });
    json!({ "spec": spec })
}
