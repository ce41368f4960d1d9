//! The shapes of our files, one module per file and version: the only place that derives serde for them.
//!
//! A file says which version of its shape it has. A field more or less is another version: unknown fields are refused, so that
//! nothing a newer meshplan wrote is dropped by an older one.

pub(crate) mod journal_v1;
pub(crate) mod lock_v1;
pub(crate) mod record_v1;
pub(crate) mod state_v1;
mod type_text;
pub(crate) mod value_v1;

/// The version of meshplan that writes.
pub(crate) const MESHPLAN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a text is not in its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is damaged, or was edited into something else.
    Corrupt {
        /// Line, from one.
        line: usize,
        /// Column, from one; zero where the whole line is meant.
        column: usize,
        /// What is wrong, as a fragment.
        why: String,
    },
    /// A newer meshplan wrote it in a newer version of its format.
    Newer {
        /// That version of the format.
        version: u64,
        /// The meshplan that wrote it, if it says so.
        by: String,
    },
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let why = text.rsplit_once(" at line ").map_or(text.as_str(), |(why, _)| why).to_owned();
        Self::Corrupt { line: error.line(), column: error.column(), why }
    }
}

/// Why a state cannot be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotStorable {
    /// The record, place or output.
    pub(crate) what: String,
    /// Why not, as a fragment.
    pub(crate) why: &'static str,
}
