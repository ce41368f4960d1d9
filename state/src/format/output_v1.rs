//! Outputs as they stand in the state file and in the journal.

use super::NotStorable;
use super::natural_v1::Natural;
use super::value_v1::Beside;
use super::words_v1::{Words, is_false};
use engine::state::Output;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A value with what JSON does not show of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutputV1 {
    value: Natural,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    types: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    sensitive_paths: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    sensitive: bool,
}

impl OutputV1 {
    /// The stored form of an output.
    pub(crate) fn of(name: &str, output: &Output) -> Result<Self, NotStorable> {
        let beside = Beside::of(&output.value).map_err(|why| NotStorable { what: format!("output.{name}"), why })?;
        let value = Natural(output.value.clone());
        Ok(Self { value, types: beside.types, sensitive_paths: beside.sensitive, sensitive: output.sensitive })
    }
}

impl TryFrom<OutputV1> for Output {
    type Error = String;

    fn try_from(read: OutputV1) -> Result<Self, String> {
        let beside = Beside { types: read.types, sensitive: read.sensitive_paths };
        Ok(Self { value: beside.restore(read.value.0)?, sensitive: read.sensitive })
    }
}

/// An output that was read, checked.
#[derive(Deserialize)]
#[serde(try_from = "OutputV1")]
pub(crate) struct StoredOutput(Output);

impl TryFrom<OutputV1> for StoredOutput {
    type Error = String;

    fn try_from(read: OutputV1) -> Result<Self, String> {
        Output::try_from(read).map(Self)
    }
}

/// The stored form of all outputs.
pub(crate) fn write_outputs(outputs: &BTreeMap<Arc<str>, Output>) -> Result<BTreeMap<Words, OutputV1>, NotStorable> {
    outputs.iter().map(|(name, output)| Ok((Words(name.clone()), OutputV1::of(name, output)?))).collect()
}

/// All outputs that were read.
pub(crate) fn read_outputs(outputs: BTreeMap<Words, StoredOutput>) -> BTreeMap<Arc<str>, Output> {
    outputs.into_iter().map(|(name, output)| (name.0, output.0)).collect()
}
