//! Objects of the kinds that configurations of a mesh use, with what they may have and a little that they may not.

mod cluster;
mod defined;

use super::super::sequence::{Server, Step};
use super::super::table::definitions::DEFINITIONS;
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
    /// Who else writes into its objects.
    pub(super) others: Others,
    /// What its status may be, where it is written apart.
    pub(super) status: Option<fn(&mut Draws) -> Value>,
    /// What has to be asked before its objects are, and after.
    pub(super) around: Option<Around>,
    content: fn(&mut Draws) -> Value,
}

/// Requests before those about objects of a kind, and after.
pub(super) type Around = fn(&mut Draws) -> [Vec<Step>; 2];

/// Who writes into objects, beside those who ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Nobody.
    Nobody,
    /// The server itself or a controller, in both clusters, after some time. What they leave is compared.
    Later,
    /// In a sandbox the imitated controllers, at once, and nobody in the other. What they write is left out.
    Imitated,
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
    Subject { others: Others::Imitated, ..stored("apps/v1:deployments", "apps/v1", "Deployment", deployment) },
    Subject { others: Others::Imitated, ..stored("apps/v1:deployments", "apps/v1", "Deployment", deployment) },
    Subject {
        others: Others::Later,
        status: Some(cluster::namespace_status),
        ..stored("/api/v1/namespaces", "v1", "Namespace", cluster::namespace)
    },
    stored(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        cluster::binding,
    ),
    stored("/apis/rbac.authorization.k8s.io/v1/clusterroles", "rbac.authorization.k8s.io/v1", "ClusterRole", cluster::role),
    Subject { others: Others::Later, ..stored(DEFINITIONS, "apiextensions.k8s.io/v1", "CustomResourceDefinition", defined::definition) },
    Subject { others: Others::Later, ..stored(DEFINITIONS, "apiextensions.k8s.io/v1", "CustomResourceDefinition", defined::definition) },
    Subject {
        around: Some(defined::namespaced),
        ..stored("${ns}.example.org/v1:things", "${ns}.example.org/v1", "Thing", defined::whole_thing)
    },
    Subject {
        around: Some(defined::namespaced),
        ..stored("${ns}.example.org/v2:things", "${ns}.example.org/v2", "Thing", defined::whole_thing)
    },
    Subject {
        around: Some(defined::global),
        ..stored("/apis/${ns}.example.org/v1/things", "${ns}.example.org/v1", "Thing", defined::whole_thing)
    },
];

const fn stored(collection: &'static str, api_version: &'static str, kind: &'static str, content: fn(&mut Draws) -> Value) -> Subject {
    Subject { collection, api_version, kind, others: Others::Nobody, status: None, around: None, content }
}

impl Subject {
    /// The name of one of its objects, which no other sequence has.
    pub(super) fn name(&self, name: &str) -> String {
        match self.collection {
            DEFINITIONS => format!("{name}s.${{ns}}.example.org"),
            _ if self.is_namespaced() => name.to_owned(),
            _ => format!("${{ns}}-{name}"),
        }
    }

    /// Whether a namespace holds its objects.
    pub(super) fn is_namespaced(&self) -> bool {
        !self.collection.starts_with('/')
    }

    /// Whether every server has it.
    pub(super) fn is_built_in(&self) -> bool {
        !self.api_version.contains("example.org")
    }

    /// The real server that has what works on its objects.
    pub(super) fn server(&self) -> Server {
        if self.kind == "Namespace" { Server::Controlled } else { Server::Alone }
    }

    /// An object of it.
    pub(super) fn object(&self, draws: &mut Draws, name: &str) -> Value {
        let mut object = (self.content)(draws);
        if self.collection == DEFINITIONS {
            object["spec"]["names"] = defined::names(name.split('.').next().unwrap_or_default());
        }
        object["apiVersion"] = self.api_version.into();
        object["kind"] = self.kind.into();
        object["metadata"] = metadata(draws, name);
        // What it would wait for others write at times of their own.
        if self.kind == "Namespace" {
            object["metadata"].as_object_mut().unwrap().remove("finalizers");
        }
        // The imitated controllers write one of them, beside which others are put in otherwise than where there is none.
        if self.others == Others::Imitated {
            object["metadata"].as_object_mut().unwrap().remove("annotations");
        }
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
