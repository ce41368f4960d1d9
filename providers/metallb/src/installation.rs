//! `metallb`: its controller and speakers, with all that they need.

use crate::version::{WITH_EXCLUSION, WITH_OWN_SECRET, below};
use engine::port::BoxFuture;
use engine::schema::{Attribute, Member, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::arguments::{referring, text, through};
use kubernetes::{Json, ObjectKind, ObjectName, Reader, Settled, handed_on, members, usual};

/// The flag of speakers that lets nodes announce whatever their labels say.
const IGNORE_EXCLUSION: &str = "--ignore-exclude-lb";

/// `metallb`.
pub struct Installation {
    schema: Schema,
}

impl Default for Installation {
    fn default() -> Self {
        let excluded = "Nodes with the label `node.kubernetes.io/exclude-from-external-load-balancers`, which kubeadm gives to those of control planes: from \
            0.14 on they announce nothing. `silent`: so it stays. `announce`: they announce as all others, which clusters of one node need.";
        let policies = "Whether the objects of the kind `PodSecurityPolicy` are made that releases before 0.13 have: only where Kubernetes is older than \
            1.25, which has no such kind any more, and pods need them.";
        let mut attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster it runs in."),
            Attribute::required("manifests", Type::Reference("metallb_manifests"), "What installs it: a `data.metallb_manifests`."),
            Attribute::optional("excluded_nodes", Type::String, excluded).default(Value::string("silent")),
            Attribute::optional("pod_security_policies", Type::Bool, policies).default(Value::bool(false)),
            Attribute::computed("version", Type::String, "Its version, such as `0.16.2`; pools are written as that needs."),
            Attribute::computed("namespace", Type::String, "The namespace it runs in."),
        ];
        attributes.extend(usual());
        let doc = "MetalLB, which gives addresses to Services of type `LoadBalancer` and announces them. Each object of its manifests is a member. It is \
            ready when controller and speakers are, and when its webhook can be called.";
        let (kind, classes) = ("metallb", &["metallb"]);
        Self { schema: Schema { kind, doc, version: 1, attributes, classes, place: Some("cluster"), outside: true, settles: true } }
    }
}

impl ObjectKind for Installation {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(other) = arguments.text("excluded_nodes").filter(|word| !matches!(*word, "silent" | "announce")) {
            let detail = format!("`excluded_nodes` is `{other}`; it is either `silent` or `announce`");
            problems.push(Problem::with("excluded_nodes", "invalid value", detail));
        }
        if let Some(version) = text(arguments, &["manifests", "version"]).filter(|version| below(version, WITH_OWN_SECRET)) {
            let detail =
                format!("the speakers of `{version}` need a Secret that somebody has to make; from 0.10 on MetalLB makes it itself");
            problems.push(Problem::with("manifests", "version not known", detail).help("Use a newer version."));
        }
        problems
    }

    fn object(&self, _: &Value) -> Option<Result<Value, Problem>> {
        None
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        let null = Value::null();
        let cluster = arguments.get("cluster").unwrap_or(&null);
        Some(referring(arguments, "cluster").and_then(|()| members(cluster, objects(arguments)?, &handed_on(arguments))))
    }

    fn attributes(&self, arguments: &Value, _: Option<&Json>) -> Vec<(&'static str, Value)> {
        let version = through(arguments, &["manifests", "version"]).cloned();
        let namespace = through(arguments, &["manifests", "objects"]).map(Value::items).unwrap_or_default();
        let namespace = namespace.iter().find(|object| crate::version::is_controller(object));
        let namespace = namespace.and_then(|object| object.get("metadata")?.get("namespace").cloned());
        [("version", version), ("namespace", namespace)].into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    fn settled<'a>(&'a self, arguments: &'a Value, reader: &'a dyn Reader) -> BoxFuture<'a, Result<Settled, String>> {
        Box::pin(async move {
            let objects = through(arguments, &["manifests", "objects"]).map(Value::items).unwrap_or_default();
            for object in objects.iter().filter(|object| object.text("kind") == Some("ValidatingWebhookConfiguration")) {
                if let Some(why) = why_uncallable(object, reader).await? {
                    return Ok(Settled::NotYet(why));
                }
            }
            Ok(Settled::Yes(self.attributes(arguments, None)))
        })
    }
}

/// The objects of the manifests, with what the arguments say of them.
fn objects(arguments: &Value) -> Result<Vec<Value>, Problem> {
    let Some(objects) = through(arguments, &["manifests", "objects"]).filter(|objects| !objects.items().is_empty()) else {
        let detail = "what `manifests` holds is known only after apply, but which objects there are has to be known when planning";
        return Err(Problem::with("manifests", "manifests not known", detail));
    };
    let heeds = text(arguments, &["manifests", "version"]).is_none_or(|version| !below(version, WITH_EXCLUSION));
    let announces = arguments.text("excluded_nodes") == Some("announce") && heeds;
    let is_wanted = |object: &&Value| {
        object.text("kind") != Some("PodSecurityPolicy") || arguments.get("pod_security_policies").and_then(Value::as_bool) == Some(true)
    };
    let objects = objects.items().iter().filter(is_wanted);
    Ok(objects.map(|object| if announces { announcing(object) } else { object.clone() }).collect())
}

/// A speaker that heeds no label; whatever else it is given, as it is.
fn announcing(object: &Value) -> Value {
    let is_speaker =
        object.text("kind") == Some("DaemonSet") && object.get("metadata").and_then(|metadata| metadata.text("name")) == Some("speaker");
    let Some(mut json) = object.to_json().ok().filter(|_| is_speaker) else { return object.clone() };
    let containers = json.pointer_mut("/spec/template/spec/containers").and_then(Json::as_array_mut);
    let speaker = containers.into_iter().flatten().find(|container| container.get("name").and_then(Json::as_str) == Some("speaker"));
    let Some(arguments) = speaker.and_then(|speaker| speaker.get_mut("args")).and_then(Json::as_array_mut) else { return object.clone() };
    arguments.push(Json::from(IGNORE_EXCLUSION));
    Value::from_json(&json)
}

/// Why the API server cannot call a webhook yet, if it cannot: pools are refused until it can.
async fn why_uncallable(configuration: &Value, reader: &dyn Reader) -> Result<Option<String>, String> {
    let metadata = configuration.get("metadata");
    let name = metadata.and_then(|metadata| metadata.text("name")).unwrap_or_default();
    let name = ObjectName::global("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", name);
    let Some(live) = reader.read(&name).await? else { return Ok(Some(format!("`{name}` is not there"))) };
    let mut services = std::collections::BTreeSet::new();
    for webhook in live.get("webhooks").and_then(Json::as_array).into_iter().flatten() {
        let part = |path: &str| webhook.pointer(path).and_then(Json::as_str);
        if part("/clientConfig/caBundle").is_none_or(str::is_empty) {
            return Ok(Some(format!("the controller has not written its authority into `{name}` yet")));
        }
        services.extend(part("/clientConfig/service/namespace").zip(part("/clientConfig/service/name")));
    }
    for (namespace, service) in services {
        let name = ObjectName::within("v1", "Endpoints", namespace, service);
        let live = reader.read(&name).await?;
        if live.is_none_or(|live| live.pointer("/subsets/0/addresses/0").is_none()) {
            return Ok(Some(format!("the webhook's `Service/{namespace}/{service}` leads to no pod yet")));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{cluster, reference};
    use kubernetes::parse_yaml;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn arguments(version: &str, excluded: &str) -> Value {
        let objects = parse_yaml(&crate::manifests::tests::manifests(version)).unwrap();
        let manifests = Value::object([("version", Value::string(version)), ("objects", Value::tuple(objects))]);
        let changes = [
            ("cluster", cluster("c1")),
            ("manifests", reference(&["metallb_manifests"], "m", manifests)),
            ("excluded_nodes", Value::string(excluded)),
        ];
        Installation::default().schema().defaults().with_entries(changes)
    }

    #[test]
    fn each_object_is_a_member_and_workloads_come_before_the_webhook() {
        let members = Installation::default().members(&arguments("0.16.2", "silent")).unwrap().unwrap();
        let keys: Vec<_> = members.iter().map(|member| member.key.as_str()).collect();
        let expected = [
            "Namespace/metallb-system",
            "DaemonSet/metallb-system/speaker",
            "Deployment/metallb-system/controller",
            "ValidatingWebhookConfiguration/metallb-webhook-configuration",
        ];
        assert_eq!(keys, expected);
        let known: BTreeMap<_, _> = Installation::default().attributes(&arguments("0.16.2", "silent"), None).into_iter().collect();
        assert_eq!((known["version"].as_str(), known["namespace"].as_str()), (Some("0.16.2"), Some("metallb-system")));
    }

    #[test]
    fn excluded_nodes_announce_if_asked_where_that_is_a_question() {
        for (version, excluded, expected) in [
            ("0.16.2", "silent", json!(["--port=7472"])),
            ("0.16.2", "announce", json!(["--port=7472", "--ignore-exclude-lb"])),
            ("main", "announce", json!(["--port=7472", "--ignore-exclude-lb"])),
            ("0.13.12", "announce", json!(["--port=7472"])),
        ] {
            let objects = objects(&arguments(version, excluded)).unwrap();
            let of = |kind: &str| {
                let object = objects.iter().find(|object| object.text("kind") == Some(kind)).unwrap();
                object.to_json().unwrap().pointer("/spec/template/spec/containers/0/args").unwrap().clone()
            };
            assert_eq!((of("DaemonSet"), of("Deployment")), (expected, json!(["--port=7472"])), "{version} {excluded}");
        }
    }

    #[test]
    fn what_cannot_be_installed_is_told() {
        let told =
            |arguments: &Value| Installation::default().validate(arguments).into_iter().map(|problem| problem.detail).collect::<Vec<_>>();
        assert_eq!(told(&arguments("0.16.2", "loud")), ["`excluded_nodes` is `loud`; it is either `silent` or `announce`"]);
        assert!(told(&arguments("0.9.6", "silent"))[0].starts_with("the speakers of `0.9.6` need a Secret"));
        let unknown = reference(&["metallb_manifests"], "m", Value::unknown(Type::Any));
        let unknown = arguments("0.16.2", "silent").with_entries([("manifests", unknown)]);
        assert_eq!(Installation::default().members(&unknown).unwrap().unwrap_err().summary, "manifests not known");
    }

    struct World(BTreeMap<String, Json>);

    impl Reader for World {
        fn read<'a>(&'a self, name: &'a ObjectName) -> BoxFuture<'a, Result<Option<Json>, String>> {
            Box::pin(async move { Ok(self.0.get(&name.to_string()).cloned()) })
        }
    }

    #[tokio::test]
    async fn it_is_ready_when_its_webhook_can_be_called() {
        let arguments = arguments("0.16.2", "silent");
        let settled = async |world: &World| match Installation::default().settled(&arguments, world).await.unwrap() {
            Settled::Yes(found) => found.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" "),
            Settled::NotYet(why) => why,
        };
        let webhook = |bundle: &str| json!({ "webhooks": [{ "clientConfig": { "caBundle": bundle, "service": { "name": "s", "namespace": "n" } } }] });
        let mut world = World(BTreeMap::new());
        let configuration = "ValidatingWebhookConfiguration/metallb-webhook-configuration";
        assert_eq!(settled(&world).await, format!("`{configuration}` is not there"));
        world.0.insert(configuration.into(), webhook(""));
        assert_eq!(settled(&world).await, format!("the controller has not written its authority into `{configuration}` yet"));
        world.0.insert(configuration.into(), webhook("Y2E="));
        assert_eq!(settled(&world).await, "the webhook's `Service/n/s` leads to no pod yet");
        world.0.insert("Endpoints/n/s".into(), json!({ "subsets": [{ "notReadyAddresses": [{ "ip": "10.0.0.1" }] }] }));
        assert_eq!(settled(&world).await, "the webhook's `Service/n/s` leads to no pod yet");
        world.0.insert("Endpoints/n/s".into(), json!({ "subsets": [{ "addresses": [{ "ip": "10.0.0.1" }] }] }));
        assert_eq!(settled(&world).await, "version namespace");
    }
}
