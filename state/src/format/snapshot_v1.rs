//! A configuration as it stands in a revision, version 1.

use super::natural_v1::Natural;
use super::value_v1::Beside;
use super::words_v1::Words;
use engine::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A configuration with what it was planned with.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SnapshotV1 {
    pub(crate) root: Words,
    pub(crate) modules: BTreeMap<Words, ModuleV1>,
    pub(crate) variables: BTreeMap<Words, VariableV1>,
    pub(crate) files: Vec<FileV1>,
    pub(crate) listings: Vec<ListingV1>,
}

/// The text of one module.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModuleV1 {
    pub(crate) directory: String,
    pub(crate) files: Vec<TextV1>,
    pub(crate) calls: BTreeMap<Words, Words>,
}

/// One file of a module.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextV1 {
    pub(crate) path: Words,
    pub(crate) text: Words,
}

/// The value of a variable, in the clear or sealed: then the sealed text is this form in the clear.
#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum VariableV1 {
    Sealed {
        sealed: String,
    },
    Plain {
        value: Natural,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        types: BTreeMap<String, String>,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        sensitive_paths: BTreeSet<String>,
    },
}

impl VariableV1 {
    /// A value in the clear, or why it cannot be stored.
    pub(crate) fn of(value: &Value) -> Result<Self, &'static str> {
        let beside = Beside::of(value)?;
        Ok(Self::Plain { value: Natural(value.clone()), types: beside.types, sensitive_paths: beside.sensitive })
    }

    /// The text that is sealed.
    pub(crate) fn to_text(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }

    /// What a sealed text held.
    pub(crate) fn from_text(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|_| "it is no value".to_owned())
    }

    /// The value, if it stands in the clear.
    pub(crate) fn value(self) -> Result<Value, String> {
        match self {
            Self::Plain { value, types, sensitive_paths } => Beside { types, sensitive: sensitive_paths }.restore(value.0),
            Self::Sealed { .. } => Err("it is sealed".to_owned()),
        }
    }
}

/// What a file held; nothing sealed stands for a file that was not there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileV1 {
    pub(crate) path: String,
    pub(crate) sealed: Option<String>,
}

/// What files were below a directory; no paths stand for a directory that was not there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListingV1 {
    pub(crate) directory: String,
    pub(crate) depth: Option<usize>,
    pub(crate) paths: Option<Vec<String>>,
}
