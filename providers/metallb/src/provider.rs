//! The effects: those of Kubernetes objects. Before a pool loses addresses its cluster is asked which of them Services have.

use crate::pool::{NAME, Pool, given, lost};
use crate::{Existing, Installation, Manifests};
use engine::port::{Asked, BoxFuture, Connected, Done, Failure, Provider, Request};
use engine::question::{Answer, Ask, Question};
use engine::schema::{Adjusted, Adjustment, Comparison, Drift, Kind, Planned, Preview, Problem};
use engine::value::Value;
use kubernetes::{Answered, Clusters, Json, ObjectKind, ObjectProvider, Plain, Surroundings};
use std::sync::Arc;

/// What a preview of a pool answers: the addresses that load balancers of its cluster have.
const ASSIGNED: &str = "assigned";

/// The provider of MetalLB's kinds.
pub(crate) struct MetallbProvider {
    objects: ObjectProvider,
    clusters: Clusters,
}

impl MetallbProvider {
    /// With a way to clusters.
    pub(crate) fn new(surroundings: &Surroundings, clusters: Clusters) -> Self {
        let kinds: Vec<Arc<dyn ObjectKind>> = vec![Arc::new(Installation::default()), Arc::new(Pool::default())];
        let objects =
            ObjectProvider::new(kinds, vec![Arc::new(Existing::default()), Arc::new(Manifests::new(surroundings))], clusters.clone());
        Self { objects, clusters }
    }

    async fn assigned(&self, place: Option<&Connected>) -> Answer {
        let Some(place) = place else { return Answer::Unreachable("its cluster is not known".into()) };
        let listed = match self.clusters.cluster(&place.connection).await {
            Ok(cluster) => cluster.plain(Plain::Get("/api/v1/services")).await,
            Err(why) => Err(why),
        };
        match listed {
            Ok(Answered::Done(services)) => Answer::Present(Value::object([(ASSIGNED, Value::tuple(addresses(&services)))])),
            Ok(Answered::NotThere | Answered::Conflict) => Answer::Unreachable("its cluster lists no Services".into()),
            Err(why) => Answer::Unreachable(why.into()),
        }
    }
}

/// The addresses that the Services of a list have.
fn addresses(services: &Json) -> Vec<Value> {
    let services = services.get("items").and_then(Json::as_array).into_iter().flatten();
    let ingress = services.filter_map(|service| service.pointer("/status/loadBalancer/ingress")?.as_array()).flatten();
    ingress.filter_map(|ingress| ingress.get("ip").and_then(Json::as_str)).map(Value::string).collect()
}

impl Provider for MetallbProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        self.objects.resources().into_iter().map(|kind| Adjusted::of(kind, Watchful)).collect()
    }

    fn data_sources(&self) -> Vec<Arc<dyn Kind>> {
        self.objects.data_sources()
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        Box::pin(async move {
            let is_ours = |asked: &Asked| matches!(&asked.question.ask, Ask::Preview(proposal) if &*proposal.kind == NAME);
            let (ours, others): (Vec<_>, Vec<_>) = asked.into_iter().partition(is_ours);
            let mut answers = self.objects.answer(others).await;
            for Asked { question, place } in ours {
                let answer = self.assigned(place.as_ref()).await;
                answers.push((question, answer));
            }
            answers
        })
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.objects.create(request)
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.objects.settle(request)
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.objects.update(request)
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        self.objects.delete(request)
    }
}

/// Sees of a set what its members do not: that the version is another, and what a smaller pool would cost.
struct Watchful;

impl Adjustment for Watchful {
    fn planned(&self, base: &dyn Kind, asked: Comparison<'_>) -> Planned {
        let planned = base.planned(asked);
        let Some(before) = asked.prior.map(|record| &record.attributes) else { return planned };
        match planned {
            Planned::Update { .. } if base.schema().kind == NAME && loses(before, asked.desired) => match asked.preview {
                None if asked.previewable => Planned::Ask,
                Some(Preview::Accepted(seen)) => still_in_use(before, asked.desired, seen).map_or(planned, Planned::Refused),
                _ => planned,
            },
            Planned::Keep(attributes) if differs(before, &attributes) => {
                Planned::Update { attributes, changed: vec!["version".to_owned()], drifted: Drift::default() }
            }
            planned => planned,
        }
    }
}

/// Whether another version is to be there than is remembered.
fn differs(before: &Value, after: &Value) -> bool {
    let version = |attributes: &Value| attributes.get("version").and_then(|version| version.to_json().ok());
    version(before) != version(after)
}

/// Whether addresses of a pool are not all in it any more.
fn loses(before: &Value, after: &Value) -> bool {
    let has = given(after);
    given(before).iter().any(|had| !has.iter().any(|span| span.holds(*had)))
}

fn still_in_use(before: &Value, after: &Value, seen: &Value) -> Option<Problem> {
    let assigned = seen.get(ASSIGNED).map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str);
    let lost = lost(before, after, assigned);
    let first = lost.first()?;
    let more = if lost.len() > 1 { format!(" and {} more", lost.len() - 1) } else { String::new() };
    let detail = format!(
        "`{first}`{more} would not be in the pool any more, and a load balancer has it: MetalLB moves no address, and goes by the former pool until it is free"
    );
    let help = "Keep the address in the pool until its Service is gone, or give the Service another one first.";
    Some(Problem::with("addresses", "pool address in use", detail).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::tests::pool;
    use engine::state::{Record, RecordId};
    use serde_json::json;

    fn kind(name: &str) -> Arc<dyn Kind> {
        let provider = MetallbProvider::new(&Surroundings::default(), Clusters::new(Vec::new()));
        provider.resources().into_iter().find(|kind| kind.schema().kind == name).unwrap()
    }

    fn record(arguments: &Value) -> Record {
        let attributes = arguments.with_entries([("metallb", Value::string("k_metallb.c1")), ("id", Value::null())]);
        Record { attributes, ..Record::new(RecordId::new("r-1"), NAME) }
    }

    #[test]
    fn a_pool_keeps_addresses_that_services_have() {
        let before = pool("c1", "0.16.2", &json!({}));
        let prior = record(&before);
        let seen = |assigned: &[&str]| {
            let assigned = assigned.iter().map(|address| Value::string(*address)).collect();
            Preview::Accepted(Value::object([(ASSIGNED, Value::tuple(assigned))]))
        };
        let planned = |addresses: &str, preview: Option<Preview>| {
            let desired = before.with_entries([("addresses", Value::tuple(vec![Value::string(addresses)]))]);
            let previewable = preview.is_none();
            let asked = Comparison {
                desired: &desired,
                prior: Some(&prior),
                observed: None,
                preview: preview.as_ref(),
                previewable,
                secret_key: &[],
            };
            match kind(NAME).planned(asked) {
                Planned::Keep(_) => "keep".to_owned(),
                Planned::Update { changed, .. } => format!("update {}", changed.join(" ")),
                Planned::Ask => "ask".to_owned(),
                Planned::Refused(problem) => problem.detail,
                other => panic!("{other:?}"),
            }
        };
        let (same, larger, smaller) = ("172.30.128.1-172.30.128.254", "172.30.128.0/23", "172.30.128.1-172.30.128.99");
        assert_eq!(planned(same, None), "keep");
        assert_eq!(planned(larger, None), "update addresses");
        assert_eq!(planned(smaller, None), "ask");
        assert_eq!(planned(smaller, Some(seen(&["172.30.128.7", "10.0.0.1"]))), "update addresses");
        assert_eq!(planned(smaller, Some(Preview::NotPreviewed("not there".into()))), "update addresses");
        let refused = planned(smaller, Some(seen(&["172.30.128.200", "172.30.128.201"])));
        assert!(refused.starts_with("`172.30.128.200` and 1 more would not be in the pool any more"), "{refused}");
    }

    #[test]
    fn addresses_of_services_are_found() {
        let services = json!({ "items": [
            { "status": { "loadBalancer": { "ingress": [{ "ip": "10.0.0.1" }, { "hostname": "a.example" }] } } },
            { "status": { "loadBalancer": {} } },
        ] });
        assert_eq!(addresses(&services), [Value::string("10.0.0.1")]);
    }
}
