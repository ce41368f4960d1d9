//! The effects: those of Kubernetes objects, but for prerequisites, which give way to what is there.

use crate::cacerts::{CACERTS, Rotating};
use crate::istioctl::Istioctl;
use crate::operator::{OPERATOR, Upgrading};
use crate::prerequisite::{MADE, PREREQUISITE};
use crate::revision::{self, REVISION, Used};
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Question};
use engine::schema::{Adjusted, Adjustment, Comparison, Kind, Planned};
use engine::state::Record;
use engine::value::Value;
use kubernetes::{Clusters, DataSource, ObjectKind, ObjectProvider};
use std::sync::Arc;

/// The kinds and the data sources of a provider.
type Offered = (Vec<Arc<dyn ObjectKind>>, Vec<Arc<dyn DataSource>>);

/// The provider of Istio's kinds.
pub(crate) struct IstioProvider {
    objects: Arc<dyn Provider>,
    istioctl: Istioctl,
    clusters: Clusters,
}

impl IstioProvider {
    /// A provider of these kinds and data sources.
    pub(crate) fn new((kinds, data_sources): Offered, clusters: Clusters, istioctl: Istioctl) -> Self {
        Self { objects: Arc::new(ObjectProvider::new(kinds, data_sources, clusters.clone())), istioctl, clusters }
    }

    /// What is no question about one object.
    async fn answer_one(&self, Asked { question, place }: Asked) -> (Question, Answer) {
        let answer = match &question.ask {
            Ask::Render { input, .. } => self.istioctl.answer(input).await,
            Ask::Users { record, .. } => revision::answer(&self.clusters, place.as_ref(), &record.attributes).await,
            _ => Answer::Unreachable("it is no question of what to render, or of who uses it".into()),
        };
        (question, answer)
    }
}

impl Provider for IstioProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        let adjusted = |kind: Arc<dyn Kind>| match kind.schema().kind {
            PREREQUISITE => Adjusted::of(kind, Yielding),
            CACERTS => Adjusted::of(kind, Rotating),
            REVISION => Adjusted::of(kind, Used),
            OPERATOR => Adjusted::of(kind, Upgrading),
            _ => kind,
        };
        self.objects.resources().into_iter().map(adjusted).collect()
    }

    fn data_sources(&self) -> Vec<Arc<dyn Kind>> {
        self.objects.data_sources()
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        let is_own = |asked: &Asked| matches!(asked.question.ask, Ask::Render { .. } | Ask::Users { .. });
        let (own, objects): (Vec<_>, Vec<_>) = asked.into_iter().partition(is_own);
        if own.is_empty() {
            return self.objects.answer(objects);
        }
        Box::pin(async move {
            let own = futures::future::join_all(own.into_iter().map(|asked| self.answer_one(asked)));
            let (mut answers, more) = futures::future::join(self.objects.answer(objects), own).await;
            answers.extend(more);
            answers
        })
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        if &*request.kind != PREREQUISITE {
            return self.objects.create(request);
        }
        Box::pin(async move {
            let arguments = request.arguments.clone();
            match self.objects.create(request).await {
                Err(failure) if failure.summary == EXISTS => Ok(left_alone(&arguments)),
                made => made,
            }
        })
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        if !is_anothers(&request) {
            return self.objects.settle(request);
        }
        Box::pin(async move {
            let arguments = request.arguments.clone();
            self.objects.settle(request).await.map(|_| left_alone(&arguments))
        })
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        if is_anothers(&request) {
            return Box::pin(std::future::ready(Ok(left_alone(&request.arguments))));
        }
        if &*request.kind != PREREQUISITE {
            return self.objects.update(request);
        }
        Box::pin(async move {
            let arguments = request.arguments.clone();
            match self.objects.update(request).await {
                Err(failure) if failure.summary == OWNED => Ok(left_alone(&arguments)),
                changed => changed,
            }
        })
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        if is_anothers(&request) {
            return Box::pin(std::future::ready(Ok(())));
        }
        if &*request.kind != REVISION {
            return self.objects.delete(request);
        }
        Box::pin(async move {
            revision::left(&self.clusters, &request).await?;
            self.objects.delete(request).await
        })
    }
}

/// What the Kubernetes crate calls a create of what is there already.
const EXISTS: &str = "exists, not ours";
/// What it calls an update of fields that others manage.
const OWNED: &str = "fields owned by others";

/// Whether a request is about a prerequisite that was there already.
fn is_anothers(request: &Request) -> bool {
    &*request.kind == PREREQUISITE && request.prior.as_ref().is_some_and(was_there)
}

fn was_there(record: &Record) -> bool {
    record.attributes.get(MADE).and_then(Value::as_bool) == Some(false)
}

/// The outcome for an object that is somebody else's.
fn left_alone(arguments: &Value) -> Done {
    let id = id_of(arguments).map_or_else(Value::null, Value::string);
    let note = arguments
        .get("manifest")
        .and_then(|manifest| manifest.text("kind"))
        .map(|kind| format!("{kind} is there already and is left as it is"));
    let attributes = arguments.with_entries([("id", id), (MADE, Value::bool(false))]);
    Done { notes: note.into_iter().collect(), ..Done::new(attributes) }
}

/// `apiVersion/Kind/namespace/name` of a manifest.
fn id_of(arguments: &Value) -> Option<String> {
    let manifest = arguments.get("manifest")?;
    let metadata = manifest.get("metadata")?;
    let steps = [manifest.text("apiVersion"), manifest.text("kind"), metadata.text("namespace"), metadata.text("name")];
    Some(steps.into_iter().flatten().collect::<Vec<_>>().join("/"))
}

/// What others made of a prerequisite is no drift, and it has no identity that two records could dispute.
struct Yielding;

impl Adjustment for Yielding {
    fn identity(&self, _: &dyn Kind, _: &Value) -> Option<String> {
        None
    }

    fn planned(&self, base: &dyn Kind, asked: Comparison<'_>) -> Planned {
        // Held against the record alone: what is there may be another's by now.
        match base.planned(Comparison { observed: None, preview: None, previewable: false, ..asked }) {
            Planned::Update { attributes, .. } if asked.prior.is_some_and(was_there) => Planned::Keep(attributes),
            planned => planned,
        }
    }

    fn stands_on(&self, _: &dyn Kind, _: &Value) -> Value {
        // What others made of it is theirs.
        Value::null()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::tests::cluster;
    use crate::istioctl::{Programs, Surroundings};
    use engine::address::Address;
    use engine::port::Activity;
    use engine::state::RecordId;
    use serde_json::json;
    use std::sync::Mutex;
    use std::task::{Context, Poll, Waker};

    /// Objects whose effects end as told, and which remember what was asked of them.
    struct Scripted {
        outcome: Result<Done, Failure>,
        seen: Mutex<Vec<&'static str>>,
    }

    impl Scripted {
        fn take(&self, effect: &'static str) -> BoxFuture<'_, Result<Done, Failure>> {
            self.seen.lock().unwrap().push(effect);
            Box::pin(std::future::ready(self.outcome.clone()))
        }
    }

    impl Provider for Scripted {
        fn resources(&self) -> Vec<Arc<dyn Kind>> {
            ObjectProvider::new(crate::kinds(), Vec::new(), Clusters::new(Vec::new())).resources()
        }

        fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
            Box::pin(std::future::ready(asked.into_iter().map(|asked| (asked.question, Answer::Absent)).collect()))
        }

        fn create(&self, _: Request) -> BoxFuture<'_, Result<Done, Failure>> {
            self.take("create")
        }

        fn settle(&self, _: Request) -> BoxFuture<'_, Result<Done, Failure>> {
            self.take("settle")
        }

        fn update(&self, _: Request) -> BoxFuture<'_, Result<Done, Failure>> {
            self.take("update")
        }

        fn delete(&self, _: Request) -> BoxFuture<'_, Result<(), Failure>> {
            let taken = self.take("delete");
            Box::pin(async move { taken.await.map(|_| ()) })
        }
    }

    fn now<T>(mut future: BoxFuture<'_, T>) -> T {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("nothing is waited for"),
        }
    }

    fn arguments() -> Value {
        let manifest = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "a", "namespace": "n" } });
        Value::object([("cluster", cluster("c1")), ("manifest", Value::from_json(&manifest))])
    }

    fn record(made: bool) -> Record {
        let attributes = json!({ "cluster": "k_cluster.c1", "manifest": arguments().get("manifest").unwrap().to_json().unwrap(),
            "id": "v1/ServiceAccount/n/a", "made": made });
        Record { attributes: Value::from_json(&attributes), ..Record::new(RecordId::new("r-1"), PREREQUISITE) }
    }

    fn request(kind: &str, prior: Option<Record>) -> Request {
        Request {
            address: Address::managed(kind, "x"),
            kind: kind.into(),
            id: RecordId::new("r-1"),
            place: None,
            arguments: arguments(),
            prior,
            timeout: None,
            now: 0,
            secret_key: Arc::from([]),
            activity: Activity::default(),
        }
    }

    fn scripted(outcome: Result<Done, Failure>) -> (Arc<Scripted>, IstioProvider) {
        let objects = Arc::new(Scripted { outcome, seen: Mutex::default() });
        (
            objects.clone(),
            IstioProvider {
                objects,
                istioctl: Istioctl::new(Surroundings::default(), &Programs::default()),
                clusters: Clusters::new(Vec::new()),
            },
        )
    }

    #[test]
    fn what_is_there_is_left_alone_and_what_is_not_is_made() {
        let (_, provider) = scripted(Err(Failure::new(EXISTS, "")));
        let done = now(provider.create(request(PREREQUISITE, None))).unwrap();
        assert_eq!(done.attributes.get(MADE), Some(&Value::bool(false)));
        assert_eq!(done.attributes.text("id"), Some("v1/ServiceAccount/n/a"));
        assert_eq!(done.notes, ["ServiceAccount is there already and is left as it is"]);
        let made = Done::new(Value::object([(MADE, Value::bool(true))]));
        let (_, provider) = scripted(Ok(made.clone()));
        assert_eq!(now(provider.create(request(PREREQUISITE, None))), Ok(made));
    }

    #[test]
    fn only_prerequisites_yield() {
        let (_, provider) = scripted(Err(Failure::new(EXISTS, "")));
        assert!(now(provider.create(request("istio_cacerts", None))).is_err());
        let (_, provider) = scripted(Err(Failure::new("refused by the API server", "")));
        assert!(now(provider.create(request(PREREQUISITE, None))).is_err());
        let (_, provider) = scripted(Err(Failure::new(OWNED, "")));
        assert!(now(provider.update(request(PREREQUISITE, Some(record(true))))).is_ok());
        assert!(now(provider.update(request("istio_cacerts", Some(record(true))))).is_err());
    }

    #[test]
    fn what_is_anothers_is_neither_changed_nor_deleted() {
        let (objects, provider) = scripted(Ok(Done::new(Value::null())));
        now(provider.update(request(PREREQUISITE, Some(record(false))))).unwrap();
        now(provider.delete(request(PREREQUISITE, Some(record(false))))).unwrap();
        assert!(objects.seen.lock().unwrap().is_empty());
        let settled = now(provider.settle(request(PREREQUISITE, Some(record(false))))).unwrap();
        assert_eq!(settled.attributes.get(MADE), Some(&Value::bool(false)));
        now(provider.delete(request(PREREQUISITE, Some(record(true))))).unwrap();
        assert_eq!(*objects.seen.lock().unwrap(), ["settle", "delete"]);
    }

    #[test]
    fn drift_of_a_prerequisite_is_none_and_it_has_no_identity() {
        let (_, provider) = scripted(Ok(Done::new(Value::null())));
        let kinds = provider.resources();
        let kind = kinds.iter().find(|kind| kind.schema().kind == PREREQUISITE).unwrap();
        assert_eq!(kind.identity(&arguments()), None);
        assert_eq!(kind.requires(&arguments()), ["Namespace/n"], "it is made after its namespace all the same");
        let observed = Value::from_json(&json!({ "object": { "metadata": {} }, "uid": "u", "computed": {} }));
        let changed = {
            let manifest = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "a", "namespace": "n", "labels": { "x": "y" } } });
            Value::object([("cluster", cluster("c1")), ("manifest", Value::from_json(&manifest))])
        };
        let planned = |desired: &Value, prior: &Record| {
            let asked =
                Comparison { desired, prior: Some(prior), observed: Some(&observed), preview: None, previewable: true, secret_key: &[] };
            kind.planned(asked)
        };
        assert!(matches!(planned(&arguments(), &record(true)), Planned::Keep(_)));
        assert!(matches!(planned(&changed, &record(true)), Planned::Update { .. }));
        assert!(matches!(planned(&changed, &record(false)), Planned::Keep(_)));
    }

    #[test]
    fn every_kind_is_provided() {
        let (_, provider) = scripted(Ok(Done::new(Value::null())));
        let names: Vec<_> = provider.resources().iter().map(|kind| kind.schema().kind).collect();
        let expected = [
            "istio_cacerts",
            "istio_eastwest_gateway",
            "istio_expose_istiod",
            "istio_expose_services",
            "istio_operator",
            "istio_prerequisite",
            "istio_remote_reader",
            "istio_remote_secret",
            "istio_revision",
            "istio_revision_tag",
        ];
        assert_eq!(names, expected);
    }
}
