//! The effects behind every kind that is Kubernetes objects: one provider for all of them.

mod answer;
mod apply;
mod bulk;
mod conflict;
mod describe;
#[cfg(test)]
mod end_to_end;
mod foreign;
mod import;
mod lookup;
mod masking;
mod outcome;
mod preview;
mod settle;
mod target;
#[cfg(test)]
mod tests;

use crate::client::{Clusters, during};
use crate::data_source::{DataAdapter, DataSource};
use crate::kind::Adapter;
use crate::object_kind::ObjectKind;
use engine::port::{Asked, BoxFuture, Done, Failure, Provider, Request};
use engine::question::{Answer, Question};
use engine::schema::Kind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The provider of kinds that are Kubernetes objects or sets of them.
pub struct ObjectProvider {
    kinds: BTreeMap<&'static str, Arc<Adapter>>,
    data_sources: BTreeMap<&'static str, Arc<dyn DataSource>>,
    clusters: Clusters,
}

impl ObjectProvider {
    /// A provider of these kinds and data sources. Providers of one run share their clusters, and with them what is known of these.
    pub fn new(kinds: Vec<Arc<dyn ObjectKind>>, data_sources: Vec<Arc<dyn DataSource>>, clusters: Clusters) -> Self {
        let kinds = kinds.into_iter().map(|kind| (kind.schema().kind, Arc::new(Adapter::new(kind)))).collect();
        let data_sources = data_sources.into_iter().map(|source| (source.schema().kind, source)).collect();
        Self { kinds, data_sources, clusters }
    }

    /// The same without pauses.
    #[cfg(test)]
    pub(crate) fn quick(self) -> Self {
        Self { clusters: self.clusters.paced(crate::fake::QUICK), ..self }
    }

    fn adapter(&self, kind: &str) -> Result<&Adapter, String> {
        self.kinds.get(kind).map(|adapter| &**adapter).ok_or_else(|| format!("no provider of Kubernetes objects has a kind `{kind}`"))
    }
}

impl Provider for ObjectProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        self.kinds.values().map(|kind| kind.clone() as Arc<dyn Kind>).collect()
    }

    fn data_sources(&self) -> Vec<Arc<dyn Kind>> {
        self.data_sources.values().map(|source| Arc::new(DataAdapter(source.clone())) as Arc<dyn Kind>).collect()
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        Box::pin(self.answer_all(asked))
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { during(request.activity.clone(), self.create_object(&request)).await })
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { during(request.activity.clone(), self.settle_object(&request)).await })
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        Box::pin(async move { during(request.activity.clone(), self.update_object(&request)).await })
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move { during(request.activity.clone(), self.delete_object(&request)).await })
    }
}
