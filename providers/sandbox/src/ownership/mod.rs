//! Who owns which field: field sets, how lists and maps merge, and server-side apply.
//!
//! Pure: objects in, objects out. The rules are those of `sigs.k8s.io/structured-merge-diff`, as the API server uses them.

mod apply;
mod builtin_types;
mod compare;
mod field_set;
mod merge;
mod owners;
mod shape;

pub(crate) use apply::{Applying, Conflicts, apply};
pub(crate) use compare::duplicate;
pub(crate) use owners::{Owners, Writer};

pub(crate) use shape::{Relation, Shape, by_first_key};
