//! `istio_revision_tag`: a name by which namespaces choose a revision, and which is moved from one revision to another: what `istioctl tag set`
//! makes.

use crate::arguments::{ISTIO_SYSTEM, address, handed_on, label, leaf, object, referring, text, through, usual, within};
use crate::operator::{rendering, runs_below};
use crate::revision::{DEFAULT, REV, TAG};
use crate::version::WITH_TAG_SERVICES;
use engine::address::Address;
use engine::schema::{Attribute, Member, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::arguments::entry;
use kubernetes::{Json, ObjectKind, members};
use serde_json::json;

/// The kind's name.
pub(crate) const REVISION_TAG: &str = "istio_revision_tag";

/// `istio_revision_tag`.
pub struct RevisionTag {
    schema: Schema,
}

impl Default for RevisionTag {
    fn default() -> Self {
        let name = "The name that namespaces and pods choose by their label `istio.io/rev`. `default` is what `istio-injection=enabled` chooses too, and \
                    whose istiod judges configuration that names no revision.";
        let mut attributes = vec![
            Attribute::required(
                "control_plane",
                Type::Reference("control_plane"),
                "The control plane that injects pods of the tag. Another one moves the tag in place; pods follow when they start anew.",
            ),
            Attribute::required("name", Type::String, name).replaces(),
            Attribute::computed("revision", Type::String, "The revision that it names; `default` for control planes without one."),
        ];
        attributes.extend(usual());
        let schema = Schema {
            kind: REVISION_TAG,
            doc: "A name for a revision of the control plane, as `istioctl tag set` makes it: namespaces choose the name, and the name moves.",
            version: 1,
            attributes,
            classes: &[],
            place: Some("control_plane"),
            outside: true,
            settles: true,
        };
        Self { schema }
    }
}

impl ObjectKind for RevisionTag {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn place(&self, arguments: &Value) -> Option<Address> {
        address(arguments, &["control_plane", "cluster"])
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems: Vec<_> = label(arguments, "name").into_iter().collect();
        if let (Some(name), Some(revision)) = (arguments.text("name"), text(arguments, &["control_plane", "revision"]))
            && name == revision
        {
            let detail = format!("the tag `{name}` has the name of the revision that it would name, which namespaces choose without it");
            problems.push(Problem::with("name", "tag named as a revision", detail).help("Give the tag another name, such as `stable`."));
        }
        problems
    }

    fn object(&self, _: &Value) -> Option<Result<Value, Problem>> {
        None
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        Some(referring(arguments, "control_plane").and_then(|()| tag(arguments)))
    }

    fn attributes(&self, arguments: &Value, _: Option<&Json>) -> Vec<(&'static str, Value)> {
        vec![("revision", revision(arguments))]
    }
}

/// The revision as labels tell it.
fn revision(arguments: &Value) -> Value {
    let given = leaf(arguments, &["control_plane", "revision"]);
    if given.is_null() { Value::string(DEFAULT) } else { given }
}

fn tag(arguments: &Value) -> Result<Vec<Member>, Problem> {
    let Some(name) = arguments.text("name") else {
        return Err(Problem::with("name", "name not known", "`name` is known only after apply, and objects are named after it"));
    };
    let namespace = text(arguments, &["control_plane", "namespace"]).unwrap_or(ISTIO_SYSTEM);
    let mut objects = vec![injector(arguments, name, namespace)];
    if name == DEFAULT {
        objects.push(validator(arguments, namespace));
    }
    let plane = arguments.get("control_plane");
    // What serves other clusters' pods has no istiod of its own to select.
    let serves = text(arguments, &["control_plane", "profile"]) != Some(crate::operator::REMOTE);
    if serves && plane.is_some_and(|plane| !runs_below(plane, WITH_TAG_SERVICES)) {
        objects.push(service(arguments, name, namespace));
    }
    let members = members(&leaf(arguments, &["control_plane", "cluster"]), objects, &handed_on(arguments))?;
    // A remote's webhooks are written to by the control plane that reads it.
    Ok(if serves { members.into_iter().map(rendering::trusted).collect() } else { members })
}

fn labels(arguments: &Value, name: &str, more: &[(&'static str, &'static str)]) -> Value {
    let own = [(TAG, Value::string(name)), (REV, revision(arguments)), ("release", Value::string("istio"))];
    let common = [("app.kubernetes.io/name", Value::string("istiod")), ("app.kubernetes.io/part-of", Value::string("istio"))];
    let more = more.iter().map(|(name, value)| (*name, Value::string(*value)));
    object(own.into_iter().chain(common).chain(more))
}

/// How the API server calls the istiod of the revision.
fn client(arguments: &Value, namespace: &str, path: Value) -> Value {
    let url = setting(arguments, &["istiodRemote", "injectionURL"]);
    if !url.is_null() && path.is_null() {
        return within("url", url);
    }
    let path = if path.is_null() { Value::string("/inject") } else { path };
    let service =
        [("name", istiod(arguments)), ("namespace", Value::string(namespace)), ("path", path), ("port", Value::from_json(&json!(443)))];
    Value::object([("service", Value::object(service))])
}

/// A setting among the control plane's `values`; null if there is none.
fn setting(arguments: &Value, path: &[&str]) -> Value {
    let values = through(arguments, &["control_plane", "values"]);
    values.and_then(|values| entry(values, path)).cloned().unwrap_or_else(Value::null)
}

/// The Service of the revision's istiod.
fn istiod(arguments: &Value) -> Value {
    let revision = leaf(arguments, &["control_plane", "revision"]);
    match revision.as_str() {
        Some(revision) => Value::string(format!("istiod-{revision}")),
        None if revision.is_null() => Value::string("istiod"),
        None => Value::unknown(Type::String),
    }
}

fn name_in(prefix: &str, name: &str, namespace: &str) -> Value {
    Value::string(if namespace == ISTIO_SYSTEM { format!("{prefix}{name}") } else { format!("{prefix}{name}-{namespace}") })
}

/// The webhook that lets pods be injected which choose the tag.
fn injector(arguments: &Value, name: &str, namespace: &str) -> Value {
    let path = setting(arguments, &["istiodRemote", "injectionPath"]);
    let client = client(arguments, namespace, path);
    let webhook = |prefix: &str, in_namespaces: Json, of_pods: Json| {
        let rule = json!([{ "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"] }]);
        Value::object([
            ("name", Value::string(format!("{prefix}.sidecar-injector.istio.io"))),
            ("clientConfig", client.clone()),
            ("sideEffects", Value::string("None")),
            ("rules", Value::from_json(&rule)),
            ("failurePolicy", Value::string("Fail")),
            ("reinvocationPolicy", Value::string("Never")),
            ("admissionReviewVersions", Value::from_json(&json!(["v1"]))),
            ("namespaceSelector", Value::from_json(&json!({ "matchExpressions": in_namespaces }))),
            ("objectSelector", Value::from_json(&json!({ "matchExpressions": of_pods }))),
        ])
    };
    let is_in = |key: &str, value: &str| json!({ "key": key, "operator": "In", "values": [value] });
    let lacks = |key: &str| json!({ "key": key, "operator": "DoesNotExist" });
    let wants = json!({ "key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"] });
    let mut webhooks = vec![
        webhook("rev.namespace", json!([is_in(REV, name), lacks("istio-injection")]), json!([wants])),
        webhook("rev.object", json!([lacks(REV), lacks("istio-injection")]), json!([wants, is_in(REV, name)])),
    ];
    if name == DEFAULT {
        webhooks.push(webhook("namespace", json!([is_in("istio-injection", "enabled")]), json!([wants])));
        let asked = json!([is_in("sidecar.istio.io/inject", "true"), lacks(REV)]);
        webhooks.push(webhook("object", json!([lacks("istio-injection"), lacks(REV)]), asked));
    }
    Value::object([
        ("apiVersion", Value::string("admissionregistration.k8s.io/v1")),
        ("kind", Value::string("MutatingWebhookConfiguration")),
        (
            "metadata",
            Value::object([
                ("name", name_in("istio-revision-tag-", name, namespace)),
                ("labels", labels(arguments, name, &[("app", "sidecar-injector")])),
            ]),
        ),
        ("webhooks", Value::tuple(webhooks)),
    ])
}

/// The webhook by which the istiod of the revision judges configuration that names no revision.
fn validator(arguments: &Value, namespace: &str) -> Value {
    let groups = ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"];
    let rules = json!([{ "operations": ["CREATE", "UPDATE"], "apiGroups": groups, "apiVersions": ["*"], "resources": ["*"] }]);
    let service = [("name", istiod(arguments)), ("namespace", Value::string(namespace)), ("path", Value::string("/validate"))];
    let webhook = Value::object([
        ("name", Value::string("validation.istio.io")),
        ("clientConfig", Value::object([("service", Value::object(service))])),
        ("rules", Value::from_json(&rules)),
        // istiod lets it count once it can judge.
        ("failurePolicy", Value::string("Ignore")),
        ("sideEffects", Value::string("None")),
        ("admissionReviewVersions", Value::from_json(&json!(["v1"]))),
        ("objectSelector", Value::from_json(&json!({ "matchExpressions": [{ "key": REV, "operator": "DoesNotExist" }] }))),
    ]);
    let labels = labels(arguments, DEFAULT, &[("app", "istiod"), ("istio", "istiod")]);
    Value::object([
        ("apiVersion", Value::string("admissionregistration.k8s.io/v1")),
        ("kind", Value::string("ValidatingWebhookConfiguration")),
        ("metadata", Value::object([("name", Value::string("istiod-default-validator")), ("labels", labels)])),
        ("webhooks", Value::tuple(vec![webhook])),
    ])
}

/// The tag as a Service, which gateways of the Gateway API look for.
fn service(arguments: &Value, name: &str, namespace: &str) -> Value {
    let revision = leaf(arguments, &["control_plane", "revision"]);
    let select = if revision.is_null() { ("istio", Value::string("pilot")) } else { (REV, revision) };
    let ports = json!([
        { "port": 15010, "name": "grpc-xds", "protocol": "TCP" },
        { "port": 15012, "name": "https-dns", "protocol": "TCP" },
        { "port": 443, "name": "https-webhook", "targetPort": 15017, "protocol": "TCP" },
        { "port": 15014, "name": "http-monitoring", "protocol": "TCP" },
    ]);
    let metadata = Value::object([
        ("name", Value::string(format!("istiod-revision-tag-{name}"))),
        ("namespace", Value::string(namespace)),
        ("labels", labels(arguments, name, &[("app", "istiod"), ("istio", "pilot")])),
    ]);
    let spec =
        Value::object([("ports", Value::from_json(&ports)), ("selector", Value::object([("app", Value::string("istiod")), select]))]);
    Value::object([("apiVersion", Value::string("v1")), ("kind", Value::string("Service")), ("metadata", metadata), ("spec", spec)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::{cluster, reference};

    fn arguments(name: &str, plane: &Json) -> Value {
        let plane = Value::from_json(plane).with_entries([("cluster", cluster("c1"))]);
        let given = [("control_plane", reference(&["control_plane"], "p", plane)), ("name", Value::string(name))];
        RevisionTag::default().schema().defaults().with_entries(given)
    }

    fn plane(revision: &Json, tag: &str) -> Json {
        json!({ "revision": revision, "tag": tag, "namespace": "istio-system", "profile": "default", "values": null })
    }

    fn made(name: &str, plane: &Json) -> Vec<(String, Json)> {
        let members = RevisionTag::default().members(&arguments(name, plane)).unwrap().unwrap();
        members.into_iter().map(|member| (member.key, member.arguments.get("manifest").unwrap().to_json().unwrap())).collect()
    }

    #[test]
    fn a_tag_is_a_webhook_and_in_new_versions_a_service() {
        let keys = |name: &str, plane: &Json| made(name, plane).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        let injector = "MutatingWebhookConfiguration/istio-revision-tag-stable";
        assert_eq!(keys("stable", &plane(&json!("1-26"), "1.26.0")), [injector]);
        let both = keys("stable", &plane(&json!("1-31"), "1.31.0"));
        assert_eq!(both, ["Service/istio-system/istiod-revision-tag-stable", injector]);
        let of_default = keys("default", &plane(&json!("1-26"), "1.26.0"));
        assert!(of_default.contains(&"ValidatingWebhookConfiguration/istiod-default-validator".to_owned()), "{of_default:?}");
        let elsewhere = json!({ "revision": "a", "tag": "1.26.0", "namespace": "mesh", "profile": "default", "values": null });
        assert_eq!(keys("stable", &elsewhere), ["MutatingWebhookConfiguration/istio-revision-tag-stable-mesh"]);
    }

    #[test]
    fn it_calls_the_istiod_of_its_revision() {
        let client = |name: &str, plane: &Json| made(name, plane).last().unwrap().1["webhooks"][0]["clientConfig"].clone();
        let service =
            |name: &str, path: &str| json!({ "service": { "name": name, "namespace": "istio-system", "path": path, "port": 443 } });
        assert_eq!(client("stable", &plane(&json!("1-26"), "1.26.0")), service("istiod-1-26", "/inject"));
        assert_eq!(client("stable", &plane(&json!(null), "1.26.0")), service("istiod", "/inject"));
        let path = "/inject/cluster/r/net/n";
        let remote = json!({ "revision": "a", "tag": "1.31.0", "namespace": "istio-system", "profile": "remote",
            "values": { "istiodRemote": { "injectionPath": path } } });
        assert_eq!(client("stable", &remote), service("istiod-a", path));
        assert_eq!(made("stable", &remote).len(), 1);
    }

    #[test]
    fn default_is_what_enabled_namespaces_choose() {
        let names = |name: &str| {
            let webhooks = made(name, &plane(&json!("1-26"), "1.26.0")).into_iter().find(|(key, _)| key.starts_with("Mutating")).unwrap().1;
            webhooks["webhooks"].as_array().unwrap().iter().map(|webhook| webhook["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("stable"), ["rev.namespace.sidecar-injector.istio.io", "rev.object.sidecar-injector.istio.io"]);
        assert_eq!(names("default").len(), 4);
    }

    #[test]
    fn names_are_labels_and_no_revisions() {
        let problems = |name: &str| RevisionTag::default().validate(&arguments(name, &plane(&json!("1-31"), "1.31.0")));
        assert!(problems("stable").is_empty() && problems("default").is_empty());
        assert_eq!(problems("1-31")[0].summary, "tag named as a revision");
        assert_eq!(problems("Stable")[0].summary, "invalid name");
    }

    #[test]
    fn objects_are_named_after_a_name_that_is_known() {
        let unknown = arguments("stable", &plane(&json!("a"), "1.31.0")).with_entries([("name", Value::unknown(Type::String))]);
        let problem = RevisionTag::default().members(&unknown).unwrap().unwrap_err();
        assert_eq!((problem.attribute.as_deref(), problem.summary.as_str()), (Some("name"), "name not known"));
    }

    #[test]
    fn the_revision_is_told() {
        for (revision, expected) in [(json!("1-31"), "1-31"), (json!(null), "default")] {
            let told = RevisionTag::default().attributes(&arguments("stable", &plane(&revision, "1.31.0")), None);
            assert_eq!(told, [("revision", Value::string(expected))]);
        }
    }
}
