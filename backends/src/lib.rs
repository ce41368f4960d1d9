//! Where state is kept that others need too: in the objects of a cluster or of a bucket, reached over a network.
//!
//! What makes a state of such objects is `state::Remote`; here is only how they are read and written, and which arguments of a
//! `backend` block say where they are. [`open`] gives the backend of a block.

mod aws;
mod calls;
mod kinds;
mod kubernetes;
mod lease;
mod s3;
mod settings;

pub use aws::bucket_builder;
pub use kinds::{Argument, Kind, kinds};
pub use kubernetes::ClusterObjects;
pub use s3::BucketObjects;
pub use settings::{Surroundings, Wrong, is_secret, open};
