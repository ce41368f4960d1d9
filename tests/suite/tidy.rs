//! The order of the house, held by tests: who may know whom, how long files are, and what words and paths do not occur.

mod layers;
mod layout;
mod words;
