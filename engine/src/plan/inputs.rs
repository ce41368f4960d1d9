//! What a plan is asked for with.

use super::Aims;
use crate::address::Address;
use crate::eval::Surroundings;
use crate::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a run was asked for.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Values of the root module's variables, as parsed; the walk converts and validates them. Names that no variable has are the caller's
    /// to report.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// What is to be imported beside what `import` blocks name: by address the id.
    pub imports: BTreeMap<Address, Arc<str>>,
    /// What becomes of things that `import` blocks name and no block of a resource describes.
    pub undescribed: Undescribed,
    /// What the run is aimed at, if not at everything.
    pub aims: Aims,
    /// Plan to destroy everything.
    pub destroy: bool,
    /// Plan from the state alone, without looking at the world.
    pub skip_refresh: bool,
    /// Ask no server what it would make of a change.
    pub skip_preview: bool,
    /// When the plan is to be applied.
    pub when: When,
    /// Whether checks may make something to look with.
    pub looking: Looking,
    /// The directory of the root module, for `path.root`; relative to the working directory.
    pub root_directory: String,
    /// Where and when the plan is made.
    pub surroundings: Surroundings,
}

/// What becomes of things that `import` blocks name and no block of a resource describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Undescribed {
    /// They are errors.
    #[default]
    Refused,
    /// It is asked how they are.
    Asked,
}

/// Whether checks may make something to look with: whether data sources that [act](crate::schema::Kind::acts) are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Looking {
    /// They may not: a plan is all that is wanted.
    #[default]
    Untouching,
    /// They may: what they say is what the run is for.
    Acting,
}

/// When a plan is to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// In the same run.
    #[default]
    AtOnce,
    /// From a file: the plan then says what it stands on.
    Later,
}
