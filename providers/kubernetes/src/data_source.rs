//! What another crate writes for a data source that reads clusters.

use crate::client::{Cluster, Clusters};
use engine::address::Address;
use engine::port::{BoxFuture, Connected};
use engine::question::Answer;
use engine::schema::{Kind, Pair, Problem, Schema};
use engine::value::Value;
use std::sync::Arc;

/// Where a data source reads from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The place, if the kind lies in one.
    pub place: Option<&'a Connected>,
    /// Every cluster that can be reached.
    pub clusters: &'a Clusters,
}

impl Source<'_> {
    /// The cluster that a reference among the arguments leads to, or why it cannot be reached, as a fragment.
    pub async fn cluster(&self, reference: &Value) -> Result<Arc<Cluster>, String> {
        match reference.referent("connection") {
            Some(connection) => self.clusters.cluster(connection).await,
            None => Err("how to reach it is not known".to_owned()),
        }
    }
}

/// A data source. It has no effects.
pub trait DataSource: Send + Sync {
    /// The kind's data.
    fn schema(&self) -> &Schema;

    /// Every problem that the arguments alone show.
    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let _ = arguments;
        Vec::new()
    }

    /// Problems that show only when all instances that were read are seen together, by their attributes, each with the instance it is
    /// reported at.
    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        let _ = instances;
        Vec::new()
    }

    /// Whether it asks if something works, and so stands in `check` blocks and tests alone.
    fn probes(&self) -> bool {
        false
    }

    /// Whether it makes something for as long as it takes to answer, as [`Kind::acts`] says.
    fn acts(&self, arguments: &Value) -> bool {
        let _ = arguments;
        false
    }

    /// What its attributes say of pairs, as [`Kind::pairs`] says.
    fn pairs(&self, attributes: &Value) -> Vec<Pair> {
        let _ = attributes;
        Vec::new()
    }

    /// The attributes, or why there are none. Arguments come converted and wholly known.
    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer>;
}

/// The engine's view of a data source.
pub(crate) struct DataAdapter(pub(crate) Arc<dyn DataSource>);

impl Kind for DataAdapter {
    fn schema(&self) -> &Schema {
        self.0.schema()
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        self.0.validate(arguments)
    }

    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        self.0.lint(instances)
    }

    fn probes(&self) -> bool {
        self.0.probes()
    }

    fn acts(&self, arguments: &Value) -> bool {
        self.0.acts(arguments)
    }

    fn pairs(&self, attributes: &Value) -> Vec<Pair> {
        self.0.pairs(attributes)
    }

    fn place(&self, arguments: &Value) -> Option<Address> {
        let argument = self.schema().place?;
        Some(arguments.get(argument)?.instance()?.address.clone())
    }
}
