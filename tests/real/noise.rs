//! What servers and controllers write is no change; what somebody does to our fields is.

use crate::assortment::{about, definition, global, merge, object, one, plain, workloads};
use crate::within::Within;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// More than two hundred objects, all with this label.
fn all(start: &str, label: &str) -> Vec<Value> {
    let of_a_name = |number| {
        let name = format!("{start}-{number}");
        [workloads(&name), plain(&name), about(&name), global(&name)].into_iter().flatten()
    };
    let few = (0..4).map(|number| object("v1", "ConfigMap", &format!("more-{number}"), json!({})));
    let mut objects: Vec<Value> = (0..6).flat_map(of_a_name).chain(few).collect();
    for object in &mut objects {
        merge(object, json!({ "metadata": { "labels": { "owned": label } } }));
    }
    let kinds: BTreeSet<_> = objects.iter().map(|object| object["kind"].to_string()).collect();
    assert!(objects.len() >= 200 && kinds.len() >= 15, "{} {}", objects.len(), kinds.len());
    objects
}

/// Writes the objects where the configuration reads them.
fn write(within: &Within, objects: &[Value]) {
    within.scenario.write("objects.yaml", &objects.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n"));
}

/// Runs `kubectl` on all objects of the configuration.
fn on_all(within: &Within, command: &[&str], what: &str) {
    let file = within.scenario.path().join("objects.yaml").display().to_string();
    let arguments = [command, &["-n", &within.namespace, "-f", &file, what]].concat();
    let output = within.cluster.kubectl(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn two_hundred_objects_of_many_kinds_show_what_changed_and_no_more() {
    let Some(within) = Within::shared() else { return };
    let start = within.cluster.name("noise");
    let objects = all(&start, "1");
    write(&within, &objects);
    within.configure("resource \"kubernetes_manifests\" \"all\" {\n  cluster = data.kubernetes_cluster.c\n  namespace = \"NAMESPACE\"\n  wait = false\n  content = file(\"objects.yaml\")\n}\n");
    within.apply();
    within.assert_converged();

    // What is not ours may be anything.
    on_all(&within, &["label"], "foreign=x");
    on_all(&within, &["annotate"], "foreign.test/note=x");
    within.assert_converged();

    on_all(&within, &["label", "--overwrite"], "owned=2");
    let drifted = within.plan().reasons();
    for (address, reason) in &drifted {
        assert!(reason.starts_with("`metadata.labels.owned` changed outside by `kubectl-label` at 20"), "{address}: {reason}");
    }
    assert_eq!(drifted.len(), objects.len());
    within.apply();
    within.assert_converged();

    write(&within, &all(&start, "3"));
    let mut changed = within.plan().reasons();
    changed.retain(|(address, _)| address != "kubernetes_manifests.all");
    for (address, reason) in &changed {
        assert_eq!(reason, "`metadata.labels.owned` changed in configuration", "{address}");
    }
    assert_eq!(changed.len(), objects.len());
    within.apply();
    within.assert_converged();
    within.destroy();
}

/// An edit as a manager makes it.
fn edit(within: &Within, path: &str, manager: &str, change: &Value) {
    // Definitions and scales know no lists that are merged by key, and nothing else differs.
    let plain = path.contains("customresource") || path.ends_with("/scale");
    let content = if plain { "application/merge-patch+json" } else { "application/strategic-merge-patch+json" };
    within.cluster.api().send("PATCH", &format!("{path}?fieldManager={manager}"), content, change.to_string()).done();
}

#[test]
fn edits_of_our_fields_are_shown_and_undone() {
    let Some(within) = Within::shared() else { return };
    let (deployment, service) = (workloads("d").remove(0), one(plain("s"), "Service"));
    let map = object("v1", "ConfigMap", "m", json!({ "data": { "a": "1", "b": "2" } }));
    let place = json!({ "metadata": { "namespace": within.namespace } });
    let named = |mut object: Value| {
        merge(&mut object, place.clone());
        object
    };
    within.objects(&[("d", named(deployment), ""), ("s", named(service), ""), ("m", named(map), "")]);
    within.apply();
    within.assert_converged();
    let (map, service) = (within.path("/api/v1 configmaps/m"), within.path("/api/v1 services/s"));
    let deployment = within.path("/apis/apps/v1 deployments/d");
    let image = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "app", "image": "docker.io/library/none:2" }] } } } });
    let rows = [
        (
            &map,
            "kubectl-edit",
            json!({ "data": { "a": "other" } }),
            "kubernetes_manifest.m",
            "`data.a` changed outside by `kubectl-edit` at 20",
        ),
        // Of what somebody took away, nothing tells who it was.
        (&map, "kubectl-edit", json!({ "data": { "b": null } }), "kubernetes_manifest.m", "`data.b` changed outside"),
        (
            &service,
            "kubectl-patch",
            json!({ "spec": { "selector": { "app": "other" } } }),
            "kubernetes_manifest.s",
            "`spec.selector.app` changed outside by `kubectl-patch` at 20",
        ),
        (
            &deployment,
            "kubectl",
            image,
            "kubernetes_manifest.d",
            "`spec.template.spec.containers.app.image` changed outside by `kubectl` at 20",
        ),
        (
            &deployment,
            "kubectl-scale",
            json!({ "spec": { "replicas": 5 } }),
            "kubernetes_manifest.d",
            "`spec.replicas` changed outside by `kubectl-scale` at 20",
        ),
    ];
    for (path, manager, change, address, reason) in rows {
        edit(&within, path, manager, &change);
        let shown = within.plan().reasons();
        assert!(matches!(&shown[..], [(at, why)] if at == address && why.starts_with(reason)), "{reason}: {shown:?}");
        within.apply();
        within.assert_converged();
    }
    within.destroy();
}

/// What controllers write into, and where it is.
struct Theirs {
    objects: Vec<(&'static str, Value)>,
    mutating: String,
    validating: String,
    definition: String,
    deployment: String,
}

impl Theirs {
    fn new(within: &Within, name: &str) -> Self {
        let mut deployment = workloads(name).remove(0);
        merge(&mut deployment, json!({ "metadata": { "namespace": within.namespace } }));
        let hook = |kind| {
            let mut hook = one(global(name), kind);
            let selector = json!({ "matchExpressions": [{ "key": "none", "operator": "Exists" }] });
            merge(&mut hook["webhooks"][0], json!({ "namespaceSelector": selector }));
            hook
        };
        let mut definition = definition(name);
        let client = json!({ "caBundle": "", "service": { "name": "none", "namespace": "none" } });
        definition["spec"]["conversion"] =
            json!({ "strategy": "Webhook", "webhook": { "conversionReviewVersions": ["v1"], "clientConfig": client } });
        let hooks = "/apis/admissionregistration.k8s.io/v1";
        Self {
            mutating: format!("{hooks}/mutatingwebhookconfigurations/{name}"),
            validating: format!("{hooks}/validatingwebhookconfigurations/{name}"),
            definition: format!(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{}",
                definition["metadata"]["name"].as_str().unwrap()
            ),
            deployment: within.path(&format!("/apis/apps/v1 deployments/{name}")),
            objects: vec![
                ("mutating", hook("MutatingWebhookConfiguration")),
                ("validating", hook("ValidatingWebhookConfiguration")),
                ("definition", definition),
                ("deployment", deployment),
            ],
        }
    }

    fn configure(&self, within: &Within, label: &str) {
        let labelled = |(at, object): &(&'static str, Value)| {
            let mut object = object.clone();
            merge(&mut object, json!({ "metadata": { "labels": { "owned": label } } }));
            (*at, object, "")
        };
        within.objects(&self.objects.iter().map(labelled).collect::<Vec<_>>());
    }

    /// Writes as istiod, injectors of authorities, the enforcer of a cloud, the autoscaler and `kubectl` do.
    fn write(&self, within: &Within, bundle: &str) {
        let hook = |change: Value| {
            let mut hook = json!({ "name": "a.none.test" });
            merge(&mut hook, change);
            json!({ "webhooks": [hook] })
        };
        for path in [&self.mutating, &self.validating] {
            edit(within, path, "pilot-discovery", &hook(json!({ "clientConfig": { "caBundle": bundle } })));
            let more = json!([{ "key": "none", "operator": "Exists" }, { "key": "control-plane", "operator": "DoesNotExist" }]);
            edit(within, path, "admissionsenforcer", &hook(json!({ "namespaceSelector": { "matchExpressions": more } })));
        }
        edit(within, &self.validating, "pilot-discovery", &hook(json!({ "failurePolicy": "Fail" })));
        let conversion = json!({ "spec": { "conversion": { "webhook": { "clientConfig": { "caBundle": bundle } } } } });
        edit(within, &self.definition, "cert-manager-cainjector", &conversion);
        edit(within, &format!("{}/scale", self.deployment), "kube-controller-manager", &json!({ "spec": { "replicas": 3 } }));
        let noted = |note: &str| json!({ "metadata": { "annotations": { note: "{}" } } });
        let restarted = json!({ "spec": { "template": noted("kubectl.kubernetes.io/restartedAt") } });
        edit(within, &self.deployment, "kubectl-rollout", &restarted);
        edit(within, &self.deployment, "kubectl-client-side-apply", &noted("kubectl.kubernetes.io/last-applied-configuration"));
    }
}

#[test]
fn what_controllers_write_is_theirs() {
    let Some(within) = Within::shared() else { return };
    let theirs = Theirs::new(&within, &within.cluster.name("theirs"));
    theirs.configure(&within, "1");
    within.apply();
    within.assert_converged();
    let bundle = BASE64_STANDARD.encode(within.cluster.admin().authority.clone().unwrap());
    theirs.write(&within, &bundle);
    within.assert_converged();

    // A change of something else leaves them as they are.
    theirs.configure(&within, "2");
    let changed = within.plan().reasons();
    assert!(changed.len() == 4 && changed.iter().all(|(_, why)| why == "`metadata.labels.owned` changed in configuration"), "{changed:?}");
    within.apply();
    within.assert_converged();
    let api = within.cluster.api();
    for path in [&theirs.mutating, &theirs.validating] {
        let hook = api.get(path).unwrap();
        assert_eq!((&hook["metadata"]["labels"]["owned"], &hook["webhooks"][0]["clientConfig"]["caBundle"]), (&json!("2"), &json!(bundle)));
        assert_eq!(hook["webhooks"][0]["namespaceSelector"]["matchExpressions"].as_array().map(Vec::len), Some(2), "{hook:#}");
    }
    assert_eq!(api.get(&theirs.validating).unwrap()["webhooks"][0]["failurePolicy"], "Fail");
    let deployment = api.get(&theirs.deployment).unwrap();
    assert_eq!(deployment["spec"]["replicas"], 3);
    assert_eq!(deployment["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"], "{}");
    within.destroy();
}

#[test]
fn an_autoscaler_scales_what_the_configuration_made() {
    let Some(within) = Within::shared() else { return };
    let place = json!({ "metadata": { "namespace": within.namespace } });
    let mut deployment = workloads("d").remove(0);
    merge(&mut deployment, place.clone());
    let mut scaler = one(about("d"), "HorizontalPodAutoscaler");
    merge(&mut scaler, place);
    merge(&mut scaler, json!({ "spec": { "minReplicas": 3, "scaleTargetRef": { "name": "d" } } }));
    within.objects(&[("d", deployment.clone(), ""), ("h", scaler.clone(), "depends_on = [kubernetes_manifest.d]")]);
    within.apply();
    let path = within.path("/apis/apps/v1 deployments/d");
    within.cluster.api().wait(&path, |deployment| deployment["spec"]["replicas"] == 3);
    within.assert_converged();
    within.destroy();
}
