//! Finds the text of modules: the files of a directory, of the directories that its `module` blocks lead to, and of the library that
//! is part of the binary.
//!
//! What the text means is not looked at, beyond the `source` of each call.

mod digest;
mod library;
mod load;
mod source;

pub use digest::digest;
pub use library::{BuiltIn, LIBRARY, built_in};
pub use load::load;
