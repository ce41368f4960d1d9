//! Kinds that are another one but for a few decisions.

use super::{Claim, Comparison, Ignored, Kind, Member, Pair, Planned, Problem, Rendering, Schema};
use crate::address::Address;
use crate::value::Value;
use std::sync::Arc;

/// Where a kind decides otherwise than the one that it is based on. By default nowhere: each method says what the base says.
pub trait Adjustment: Send + Sync {
    /// In the place of [`Kind::identity`].
    fn identity(&self, base: &dyn Kind, arguments: &Value) -> Option<String> {
        base.identity(arguments)
    }

    /// In the place of [`Kind::has_users`].
    fn has_users(&self, base: &dyn Kind, attributes: &Value) -> bool {
        base.has_users(attributes)
    }

    /// In the place of [`Kind::planned`].
    fn planned(&self, base: &dyn Kind, asked: Comparison<'_>) -> Planned {
        base.planned(asked)
    }

    /// In the place of [`Kind::stands_on`].
    fn stands_on(&self, base: &dyn Kind, observed: &Value) -> Value {
        base.stands_on(observed)
    }
}

/// A kind with an adjustment. In all that the adjustment does not speak of it is its base.
pub struct Adjusted<A> {
    base: Arc<dyn Kind>,
    adjustment: A,
}

impl<A: Adjustment + 'static> Adjusted<A> {
    /// This kind, but for what the adjustment says.
    pub fn of(base: Arc<dyn Kind>, adjustment: A) -> Arc<dyn Kind> {
        Arc::new(Self { base, adjustment })
    }
}

// What is not handed on would be silently as if the base had never said it.
#[deny(clippy::missing_trait_methods)]
impl<A: Adjustment> Kind for Adjusted<A> {
    fn schema(&self) -> &Schema {
        self.base.schema()
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        self.base.validate(arguments)
    }

    fn place(&self, arguments: &Value) -> Option<Address> {
        self.base.place(arguments)
    }

    fn identity(&self, arguments: &Value) -> Option<String> {
        self.adjustment.identity(&*self.base, arguments)
    }

    fn is_shared(&self, arguments: &Value) -> bool {
        self.base.is_shared(arguments)
    }

    fn probes(&self) -> bool {
        self.base.probes()
    }

    fn acts(&self, arguments: &Value) -> bool {
        self.base.acts(arguments)
    }

    fn pairs(&self, attributes: &Value) -> Vec<Pair> {
        self.base.pairs(attributes)
    }

    fn requires(&self, arguments: &Value) -> Vec<String> {
        self.base.requires(arguments)
    }

    fn brings(&self, arguments: &Value) -> Vec<String> {
        self.base.brings(arguments)
    }

    fn import(&self, id: &str, arguments: &Value) -> Result<(), Problem> {
        self.base.import(id, arguments)
    }

    fn describes(&self) -> bool {
        self.base.describes()
    }

    fn adopts(&self, arguments: &Value) -> bool {
        self.base.adopts(arguments)
    }

    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        self.base.lint(instances)
    }

    fn writes(&self, arguments: &Value) -> Option<Value> {
        self.base.writes(arguments)
    }

    fn claims(&self, arguments: &Value) -> Option<Vec<Claim>> {
        self.base.claims(arguments)
    }

    fn has_users(&self, attributes: &Value) -> bool {
        self.adjustment.has_users(&*self.base, attributes)
    }

    fn ignoring(&self, asked: Ignored<'_>) -> Value {
        self.base.ignoring(asked)
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        self.adjustment.planned(&*self.base, asked)
    }

    fn remarks(&self, preview: &Value) -> Vec<Problem> {
        self.base.remarks(preview)
    }

    fn irreplaceable(&self) -> Option<Problem> {
        self.base.irreplaceable()
    }

    fn stands_on(&self, observed: &Value) -> Value {
        self.adjustment.stands_on(&*self.base, observed)
    }

    fn yielded(&self, observed: &Value) -> Vec<String> {
        self.base.yielded(observed)
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        self.base.members(arguments)
    }

    fn rendering(&self, arguments: &Value) -> Option<Result<Rendering, Problem>> {
        self.base.rendering(arguments)
    }

    fn rendered(&self, arguments: &Value, rendered: &Value) -> Result<Vec<Member>, Problem> {
        self.base.rendered(arguments, rendered)
    }

    fn settles(&self, arguments: &Value) -> bool {
        self.base.settles(arguments)
    }

    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        self.base.remembered(attributes, secret_key)
    }

    fn upgrade(&self, version: u32, attributes: Value) -> Result<Value, Problem> {
        self.base.upgrade(version, attributes)
    }
}
