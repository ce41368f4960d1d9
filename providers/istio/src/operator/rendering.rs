//! What `istioctl` renders: what it is given, and what its objects wait for among each other.

use super::{namespace, operator_object, spec};
use crate::arguments::{ISTIO_SYSTEM, leaf, merged, object, referring, within};
use crate::prerequisite::prerequisites;
use crate::revision::{IN_MESH, REVISION, revision_of};
use engine::schema::{Member, Problem, Rendering};
use engine::value::Value;
use kubernetes::{handed_on, members, parse_yaml};

/// What names of objects and the objects themselves follow from.
const NAMED_BY: [&str; 5] = ["name", "namespace", "revision", "profile", "tag"];

/// The `IstioOperator` that is rendered.
pub(super) fn rendering(arguments: &Value) -> Result<Rendering, Problem> {
    referring(arguments, "cluster")?;
    if let Some(name) = NAMED_BY.iter().find(|name| arguments.get(name).is_some_and(|value| !value.is_known())) {
        let detail = format!("`{name}` is known only after apply, and which objects `istioctl` renders follows from it");
        return Err(Problem::with(name, "not known when rendering", detail));
    }
    let metadata = object([("name", leaf(arguments, &["name"])), ("namespace", leaf(arguments, &["namespace"]))]);
    // The namespace of the resource says nothing of where its objects lie.
    let at = namespace(arguments);
    let lies = if at == ISTIO_SYSTEM { Value::null() } else { Value::string(at) };
    let spec = merged(&spec(arguments), &within("values", within("global", within("istioNamespace", lies))));
    // An address there makes an `EndpointSlice` of its own, a name does not.
    Ok(Rendering { input: operator_object(metadata, spec), addresses: &["spec.values.global.remotePilotAddress"] })
}

/// The members of what was rendered.
pub(super) fn rendered(arguments: &Value, rendered: &Value) -> Result<Vec<Member>, Problem> {
    let text = rendered.text("content").unwrap_or_default();
    let objects = parse_yaml(text).map_err(|problem| {
        let detail = format!("what `istioctl manifest generate` prints: {}", problem.detail);
        Problem { attribute: None, detail, ..problem }
    })?;
    let is_secret = rendered.holds_sensitive();
    let objects = objects.into_iter().map(|object| object.sensitive_if(is_secret)).collect();
    let members = ordered(arguments, objects)?;
    if arguments.text("definitions") == Some("manage") {
        return Ok(members);
    }
    Ok(prerequisites(members, |key| key.starts_with("CustomResourceDefinition/")))
}

/// The members of a control plane's objects: its webhooks are ready when it has written its authority into them, and pods that they inject or
/// that it serves come after them.
pub(super) fn ordered(arguments: &Value, objects: Vec<Value>) -> Result<Vec<Member>, Problem> {
    let null = Value::null();
    let mut members = members(arguments.get("cluster").unwrap_or(&null), objects, &handed_on(arguments))?;
    let is_there = |members: &[Member], is: fn(&Value) -> bool| -> Vec<String> {
        members.iter().filter(|member| member.arguments.get("manifest").is_some_and(is)).map(|member| member.key.clone()).collect()
    };
    let webhooks: Vec<_> = is_there(&members, is_webhook);
    let served = is_there(&members, |manifest| is_injected(manifest) || is_served(manifest));
    // One that runs elsewhere writes into them when it reaches this cluster.
    if !is_there(&members, is_istiod).is_empty() && !webhooks.is_empty() {
        for member in &mut members {
            if served.contains(&member.key) {
                member.after.clone_from(&webhooks);
            } else {
                member.after.retain(|key| !served.contains(key));
            }
        }
        members = members.into_iter().map(trusted).collect();
    }
    Ok(revisions(members, &served))
}

/// A webhook is ready when an istiod has written its authority into it.
pub(crate) fn trusted(member: Member) -> Member {
    if !member.arguments.get("manifest").is_some_and(is_webhook) {
        return member;
    }
    let field = Value::string("webhooks.0.clientConfig.caBundle");
    let wait_for = Value::object([("condition", Value::null()), ("field", field), ("equals", Value::null())]);
    Member { arguments: member.arguments.with_entries([("wait_for", wait_for)]), ..member }
}

/// What makes it a control plane for the pods of its revision comes after everything but pods that are of it, and so goes before everything
/// but these: as long as others use the revision, all of it stays.
pub(super) fn revisions(members: Vec<Member>, served: &[String]) -> Vec<Member> {
    let is_one = |member: &Member| member.arguments.get("manifest").and_then(revision_of).is_some();
    let (ones, others): (Vec<_>, Vec<_>) = members.iter().partition(|member| is_one(member));
    let ones: Vec<_> = ones.into_iter().map(|member| member.key.clone()).collect();
    if ones.is_empty() {
        return members;
    }
    let before: Vec<_> = others.into_iter().map(|member| member.key.clone()).filter(|key| !served.contains(key)).collect();
    let turned = |member: Member| {
        if ones.contains(&member.key) {
            return Member { kind: REVISION, after: before.clone(), ..member };
        }
        let mut after = member.after;
        if served.contains(&member.key) {
            after.retain(|key| !ones.contains(key));
            after.extend(ones.iter().cloned());
        } else {
            after.retain(|key| !ones.contains(key) && !served.contains(key));
        }
        Member { after, ..member }
    };
    members.into_iter().map(turned).collect()
}

fn kind(manifest: &Value) -> &str {
    manifest.text("kind").unwrap_or_default()
}

fn is_istiod(manifest: &Value) -> bool {
    let labels = manifest.get("metadata").and_then(|metadata| metadata.get("labels"));
    kind(manifest) == "Deployment" && labels.and_then(|labels| labels.text("app")) == Some("istiod")
}

fn is_webhook(manifest: &Value) -> bool {
    matches!(kind(manifest), "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration")
}

/// Whether its pods have an image only once they are injected.
fn is_injected(manifest: &Value) -> bool {
    let path = ["spec", "template", "spec", "containers"];
    let containers = path.iter().try_fold(manifest, |at, step| at.get(step)).map(Value::items).unwrap_or_default();
    containers.iter().any(|container| container.text("image") == Some("auto"))
}

/// Whether its pods are of the mesh, as gateways are that come with a control plane. istiod itself serves nobody through itself.
fn is_served(manifest: &Value) -> bool {
    let labels = ["spec", "template", "metadata", "labels"].iter().try_fold(manifest, |at, step| at.get(step));
    !is_istiod(manifest) && labels.is_some_and(|labels| labels.get(IN_MESH).is_some())
}

#[cfg(test)]
mod tests {
    use super::super::Operator;
    use super::*;
    use crate::arguments::tests::cluster;
    use engine::value::Type;
    use kubernetes::ObjectKind as _;
    use serde_json::json;

    fn arguments(changes: &[(&str, Value)]) -> Value {
        let given = [("cluster", cluster("c1")), ("tag", Value::string("1.30.0")), ("network", Value::string("n1"))];
        Operator::default().schema().defaults().with_entries(given).with_entries(changes.iter().cloned())
    }

    #[test]
    fn the_resource_is_what_the_operator_would_read() {
        let rendering = |changes: &[(&str, Value)]| {
            Operator::default().rendering(&arguments(changes)).unwrap().map(|rendering| rendering.input.to_json().unwrap())
        };
        let expected = json!({ "apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator",
            "metadata": { "name": "control-plane", "namespace": "istio-system" },
            "spec": { "profile": "default", "hub": "docker.io/istio", "tag": "1.30.0", "values": { "global": { "network": "n1" } } } });
        assert_eq!(rendering(&[]).unwrap(), expected);
        let elsewhere = rendering(&[("namespace", Value::string("mesh"))]).unwrap();
        assert_eq!(elsewhere["spec"]["values"]["global"], json!({ "network": "n1", "istioNamespace": "mesh" }));
        assert!(Operator::default().rendering(&arguments(&[("installer", Value::string("operator"))])).is_none());
    }

    #[test]
    fn what_names_follow_from_has_to_be_known() {
        for name in NAMED_BY {
            let unknown = arguments(&[(name, Value::unknown(Type::String))]);
            let problem = rendering(&unknown).unwrap_err();
            assert_eq!((problem.attribute.as_deref(), problem.summary.as_str()), (Some(name), "not known when rendering"));
        }
        let open = rendering(&arguments(&[("network", Value::unknown(Type::String))])).unwrap();
        assert!(!open.input.is_known());
    }

    fn rendered_to(objects: &[serde_json::Value]) -> Vec<Member> {
        let content: Vec<_> = objects.iter().map(ToString::to_string).collect();
        let answer = Value::object([("content", Value::string(content.join("\n---\n")))]);
        rendered(&arguments(&[]), &answer).unwrap()
    }

    fn deployment(name: &str, image: &str) -> serde_json::Value {
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "n", "labels": { "app": name } },
            "spec": { "template": { "spec": { "containers": [{ "name": "a", "image": image }] } } } })
    }

    fn webhook(name: &str) -> serde_json::Value {
        json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": { "name": name } })
    }

    #[test]
    fn injected_pods_come_after_the_webhooks_and_those_after_istiod() {
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "a", "namespace": "n" } });
        let definition =
            json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "a.b" } });
        let members =
            rendered_to(&[deployment("gateway", "auto"), webhook("w"), account, deployment("istiod", "docker.io/istio/pilot"), definition]);
        let by_key = |key: &str| members.iter().find(|member| member.key == key).unwrap();
        assert_eq!(by_key("Deployment/n/istiod").after, ["ServiceAccount/n/a"]);
        let webhook = by_key("MutatingWebhookConfiguration/w");
        assert_eq!(webhook.after, ["Deployment/n/istiod"]);
        assert_eq!(webhook.arguments.get("wait_for").unwrap().text("field"), Some("webhooks.0.clientConfig.caBundle"));
        assert_eq!(by_key("Deployment/n/gateway").after, ["MutatingWebhookConfiguration/w"]);
        assert_eq!(by_key("CustomResourceDefinition/a.b").kind, "istio_prerequisite");
    }

    #[test]
    fn webhooks_of_an_istiod_elsewhere_are_not_waited_for() {
        let members = rendered_to(&[webhook("w"), deployment("gateway", "auto")]);
        assert!(members.iter().all(|member| member.arguments.get("wait_for").is_none()));
        let webhook = members.iter().find(|member| member.key == "MutatingWebhookConfiguration/w").unwrap();
        assert_eq!(webhook.after, ["Deployment/n/gateway"]);
    }

    #[test]
    fn the_injector_is_the_last_but_for_what_it_injects() {
        let injector = webhook("istio-sidecar-injector-a");
        let mut ingress = deployment("ingress-gateway", "a-proxy");
        ingress["spec"]["template"]["metadata"] = json!({ "labels": { "service.istio.io/canonical-revision": "latest" } });
        let scaler =
            json!({ "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": { "name": "s", "namespace": "n" } });
        for istiod in [true, false] {
            let mut objects = vec![deployment("gateway", "auto"), injector.clone(), webhook("w"), deployment("other", "an-image")];
            objects.extend([ingress.clone(), scaler.clone()]);
            objects.extend(istiod.then(|| deployment("istiod", "docker.io/istio/pilot")));
            let members = rendered_to(&objects);
            let by_key = |key: &str| members.iter().find(|member| member.key == key).unwrap();
            let revision = by_key("MutatingWebhookConfiguration/istio-sidecar-injector-a");
            assert_eq!((revision.kind, revision.after.len()), (REVISION, if istiod { 4 } else { 3 }), "{:?}", revision.after);
            for gateway in ["Deployment/n/gateway", "Deployment/n/ingress-gateway"] {
                assert!(by_key(gateway).after.contains(&revision.key));
                assert!(members.iter().all(|member| !member.after.iter().any(|key| key == gateway)), "{members:?}");
            }
            assert!(members.iter().all(|member| member.key.ends_with("gateway") || !member.after.contains(&revision.key)));
            assert_eq!(revision.arguments.get("wait_for").is_some(), istiod);
        }
    }

    #[test]
    fn definitions_are_the_sets_own_where_it_says_so() {
        let definition =
            json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "a.b" } });
        let answer = Value::object([("content", Value::string(definition.to_string()))]);
        for (word, kind) in [("ensure", "istio_prerequisite"), ("manage", "kubernetes_manifest")] {
            let given = arguments(&[("definitions", Value::string(word)), ("on_exists", Value::string("adopt"))]);
            let members = rendered(&given, &answer).unwrap();
            assert_eq!(members[0].kind, kind);
            assert_eq!(members[0].arguments.text("on_exists"), (word == "manage").then_some("adopt"));
        }
    }

    #[test]
    fn what_is_rendered_from_secrets_is_one() {
        let answer = Value::object([("content", Value::string(webhook("w").to_string()))]).sensitive();
        let members = rendered(&arguments(&[]), &answer).unwrap();
        assert!(members[0].arguments.get("manifest").unwrap().holds_sensitive());
        let broken = Value::object([("content", Value::string("a: ["))]);
        assert!(rendered(&arguments(&[]), &broken).unwrap_err().detail.starts_with("what `istioctl manifest generate` prints: "));
    }
}
