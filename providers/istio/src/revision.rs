//! `istio_revision`: what makes a control plane one for the pods of its revision: the webhook that injects them, or the resource from which the
//! in-cluster operator installs it.
//!
//! It is an object like any other, but for its end: as long as pods use the revision it stays, and with it all that it was made after.

mod users;

pub(crate) use users::IN_MESH;

use crate::operator::{INSTALL, ISTIO_OPERATOR};
use engine::port::{Connected, Failure, Request};
use engine::question::Answer;
use engine::schema::{Adjustment, Comparison, Kind, Planned, Problem, Schema};
use engine::value::Value;
use kubernetes::arguments::entry;
use kubernetes::{Clusters, Manifest, ObjectKind, Wait};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The kind's name.
pub(crate) const REVISION: &str = "istio_revision";
/// The label by which objects, namespaces and pods name a revision, and the annotation of pods.
pub(crate) const REV: &str = "istio.io/rev";
/// The label of what names a revision by a tag.
pub(crate) const TAG: &str = "istio.io/tag";
/// What Istio calls the revision of control planes that have none.
pub(crate) const DEFAULT: &str = "default";

/// Names of the webhooks that inject begin so.
const INJECTOR: &str = "istio-sidecar-injector";
/// Longest wait for pods that were deleted just before, in seconds.
const LONGEST: u64 = 60;
/// How long it takes until users are looked for again.
const PAUSE: Duration = Duration::from_secs(2);

/// `istio_revision`, as an object.
pub struct Revision {
    base: Manifest,
    schema: Schema,
}

impl Default for Revision {
    fn default() -> Self {
        let base = Manifest::default();
        let doc = "The webhook, or the `IstioOperator`, that makes a control plane one for the pods of its revision: deleted only once none of them is left.";
        let schema = Schema { kind: REVISION, doc, ..base.schema().clone() };
        Self { base, schema }
    }
}

impl ObjectKind for Revision {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        self.base.validate(arguments)
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        self.base.object(arguments)
    }

    fn imported(&self) -> Option<&'static [(&'static str, &'static [&'static str])]> {
        self.base.imported()
    }

    fn described(&self, object: &Value) -> Vec<(&'static str, Value)> {
        self.base.described(object)
    }

    fn wait(&self, arguments: &Value) -> Wait {
        self.base.wait(arguments)
    }

    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        self.base.remembered(attributes, secret_key)
    }
}

/// The revision whose pods an object makes or installs a control plane for; nothing if it does neither.
pub(crate) fn revision_of(manifest: &Value) -> Option<&str> {
    let metadata = manifest.get("metadata")?;
    let labels = metadata.get("labels");
    match manifest.text("kind")? {
        "MutatingWebhookConfiguration" if metadata.text("name")?.starts_with(INJECTOR) => {
            Some(labels.and_then(|labels| labels.text(REV)).unwrap_or(DEFAULT))
        }
        ISTIO_OPERATOR if manifest.text("apiVersion") == Some(INSTALL) => {
            let spec = manifest.get("spec")?;
            let pilot = entry(spec, &["components", "pilot", "enabled"]).and_then(Value::as_bool);
            let installs = pilot.unwrap_or(spec.text("profile") != Some("empty"));
            installs.then(|| spec.text("revision").filter(|revision| !revision.is_empty()).unwrap_or(DEFAULT))
        }
        _ => None,
    }
}

/// What a revision is asked beside any other object.
pub(crate) struct Used;

impl Adjustment for Used {
    fn has_users(&self, _: &dyn Kind, attributes: &Value) -> bool {
        attributes.get("manifest").and_then(revision_of).is_some()
    }

    fn planned(&self, base: &dyn Kind, asked: Comparison<'_>) -> Planned {
        match asked.prior.and_then(|prior| renamed(asked.desired, &prior.attributes)) {
            Some(problem) => Planned::Refused(problem),
            None => base.planned(asked),
        }
    }
}

/// Why the in-cluster operator is not told another revision: it would take the former one away at once.
fn renamed(arguments: &Value, prior: &Value) -> Option<Problem> {
    let of = |arguments: &Value| Some(revision_of(arguments.get("manifest")?)?.to_owned());
    let (former, next) = (of(prior)?, of(arguments)?);
    if former == next {
        return None;
    }
    let detail = format!(
        "the control plane is of the revision `{former}` and would become `{next}`: the operator would remove `{former}` at once, whoever uses it"
    );
    let help = "Write a second `istio_operator` for the new revision, move namespaces to it, and remove the first one then.";
    Some(Problem::new("revision changed in place", detail).help(help))
}

/// Who uses the revision of a record that is to be deleted.
pub(crate) async fn answer(clusters: &Clusters, place: Option<&Connected>, attributes: &Value) -> Answer {
    let Some(place) = place else { return Answer::Unreachable("its cluster is not known".into()) };
    let Some(manifest) = attributes.get("manifest") else { return Answer::Absent };
    match clusters.cluster(&place.connection).await {
        Ok(cluster) => match users::usage(&cluster, manifest).await {
            Ok(usage) => Answer::Present(usage.told()),
            Err(why) => Answer::Unreachable(why.into()),
        },
        Err(why) => Answer::Unreachable(why.into()),
    }
}

/// Waits until nobody uses the revision of a record that is about to be deleted: its last pods may have been deleted just before.
pub(crate) async fn left(clusters: &Clusters, request: &Request) -> Result<(), Failure> {
    let Some(manifest) = request.prior.as_ref().and_then(|prior| prior.attributes.get("manifest")) else { return Ok(()) };
    if revision_of(manifest).is_none() {
        return Ok(());
    }
    let cluster = kubernetes::reached(clusters, request.place.as_ref()).await?;
    let since = Instant::now();
    let longest = Duration::from_secs(request.timeout.unwrap_or(LONGEST));
    loop {
        let not_seen = |why| Failure::new("use not known", format!("who uses `{}` could not be seen: {why}", request.address));
        let usage = users::usage(&cluster, manifest).await.map_err(not_seen)?;
        let stay: Vec<_> = usage.users.iter().filter(|user| !user.warns).map(|user| user.name.as_str()).collect();
        if stay.is_empty() {
            return Ok(());
        }
        if since.elapsed() + PAUSE > longest {
            let detail = format!("{} is still used, and nothing of it was deleted: by {}", usage.subject, engine::schema::named(&stay));
            return Err(Failure::new("still in use", detail));
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::cluster;
    use engine::port::Provider as _;
    use engine::state::{Record, RecordId};
    use serde_json::{Value as Json, json};
    use std::sync::Arc;

    fn webhook(name: &str, labels: &Json) -> Json {
        let metadata = json!({ "name": name, "labels": labels });
        json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": metadata })
    }

    fn resource(spec: &Json) -> Json {
        json!({ "apiVersion": INSTALL, "kind": ISTIO_OPERATOR, "metadata": { "name": "a", "namespace": "istio-system" }, "spec": spec })
    }

    #[test]
    fn what_injects_and_what_is_installed_has_a_revision() {
        for (manifest, expected) in [
            (webhook("istio-sidecar-injector-1-30", &json!({ REV: "1-30" })), Some("1-30")),
            (webhook("istio-sidecar-injector", &json!({})), Some("default")),
            (webhook("istio-revision-tag-stable", &json!({ REV: "1-30", TAG: "stable" })), None),
            (resource(&json!({ "profile": "default", "revision": "1-9" })), Some("1-9")),
            (resource(&json!({})), Some("default")),
            (resource(&json!({ "profile": "empty", "revision": "1-9" })), None),
            (json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "istiod" } }), None),
        ] {
            assert_eq!(revision_of(&Value::from_json(&manifest)), expected, "{manifest}");
        }
    }

    #[test]
    fn a_revision_does_not_become_another_one() {
        let kind = engine::schema::Adjusted::of(
            kubernetes::ObjectProvider::new(vec![Arc::new(Revision::default())], Vec::new(), Clusters::new(Vec::new()))
                .resources()
                .remove(0),
            Used,
        );
        let arguments = |revision: &Json| {
            let manifest = Value::from_json(&resource(&json!({ "revision": revision })));
            kind.schema().defaults().with_entries([("cluster", cluster("c1")), ("manifest", manifest)])
        };
        let prior = Record { attributes: arguments(&json!("a")), ..Record::new(RecordId::new("r-1"), REVISION) };
        let planned = |revision: &Json| {
            let desired = arguments(revision);
            let asked =
                Comparison { desired: &desired, prior: Some(&prior), observed: None, preview: None, previewable: false, secret_key: &[] };
            match kind.planned(asked) {
                Planned::Refused(problem) => Some(format!("{}: {}", problem.summary, problem.detail)),
                _ => None,
            }
        };
        assert_eq!(planned(&json!("a")), None);
        for next in [json!("b"), json!(null)] {
            assert!(
                planned(&next)
                    .is_some_and(|detail| detail.starts_with("revision changed in place: the control plane is of the revision `a`")),
                "{next}"
            );
        }
        assert!(kind.has_users(&prior.attributes));
    }
}
