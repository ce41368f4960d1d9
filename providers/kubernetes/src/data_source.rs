//! What another crate writes for a data source that reads clusters.

use crate::client::Clusters;
use engine::address::Address;
use engine::port::{BoxFuture, Connected};
use engine::question::Answer;
use engine::schema::{Kind, Problem, Schema};
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

    fn place(&self, arguments: &Value) -> Option<Address> {
        let argument = self.schema().place?;
        Some(arguments.get(argument)?.instance()?.address.clone())
    }
}
