//! What a plan comes to, as people review it: pure functions from values and plans to what differs, and from that to text.
//!
//! Nothing here writes to a terminal, and nothing decides what is planned. What is secret stays behind: a [`Difference`] holds nothing of it.

mod arguments;
mod certificate;
mod clusters;
mod consequences;
mod definitions;
mod difference;
mod embedded;
mod entry;
pub mod explanation;
pub mod html;
mod keyed;
mod list;
pub mod markdown;
mod merge;
mod merge_keys;
mod moves;
pub mod notation;
mod ordered;
mod pem;
mod problem;
mod review;
pub mod steps;
pub mod style;
pub mod terminal;
mod text;
mod words;

pub use clusters::{Clusters, Places};
pub use definitions::Definitions;
pub use difference::{Difference, Leaf, Mark, What};
pub use entry::{Detail, Entry};
pub use pem::legible;
pub use review::Review;
pub use text::unified_diff;
pub use words::{Piece, fold, pieces};
