//! Records as they stand in the state file and in the journal.

use super::NotStorable;
use super::natural_v1::Natural;
use super::status_v1::{OperationV1, StatusV1, status, words};
use super::value_v1::Beside;
use super::words_v1::{Text, Words, is_false};
use engine::address::Address;
use engine::state::{Fingerprint, Record, RecordId};
use engine::value::Data;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One record under its address.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceV1 {
    address: Text<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<Words>,
    id: Words,
    kind: Words,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<Text<Address>>,
    status: StatusV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<OperationV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<Words>,
    schema_version: u32,
    attributes: Natural,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    types: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    sensitive_attributes: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    applied: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observed: Option<Words>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<Text<Address>>,
    #[serde(default, skip_serializing_if = "is_false")]
    create_before_destroy: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    prevent_destroy: bool,
}

impl ResourceV1 {
    /// The stored form of a record.
    pub(crate) fn of(address: &Address, deposed: Option<&Arc<str>>, record: &Record) -> Result<Self, NotStorable> {
        let beside = Beside::of(&record.attributes).map_err(|why| NotStorable { what: address.to_string(), why })?;
        let (status, operation) = words(record.status);
        if !matches!(record.attributes.data(), Data::Mapping(_)) {
            return Err(NotStorable { what: address.to_string(), why: "its attributes are no object" });
        }
        Ok(Self {
            address: Text(address.clone()),
            deposed: deposed.cloned().map(Words),
            id: Words(record.id.shared()),
            kind: Words(record.kind.clone()),
            uid: record.uid.clone().map(Words),
            place: record.place.clone().map(Text),
            status,
            operation,
            identity: record.identity.clone().map(Words),
            schema_version: record.schema_version,
            attributes: Natural(record.attributes.clone()),
            types: beside.types,
            sensitive_attributes: beside.sensitive,
            applied: record.applied.clone().map(|fingerprint| Words(fingerprint.0)),
            observed: record.observed.clone().map(|fingerprint| Words(fingerprint.0)),
            depends_on: record.depends_on.iter().cloned().map(Text).collect(),
            create_before_destroy: record.create_before_destroy,
            prevent_destroy: record.prevent_destroy,
        })
    }
}

/// A record that was read, checked.
#[derive(Deserialize)]
#[serde(try_from = "ResourceV1")]
pub(crate) struct Stored {
    /// The record's address.
    pub(crate) address: Address,
    /// The deposed object that is meant, or the current one.
    pub(crate) deposed: Option<Arc<str>>,
    /// The record.
    pub(crate) record: Record,
}

impl TryFrom<ResourceV1> for Stored {
    type Error = String;

    fn try_from(read: ResourceV1) -> Result<Self, String> {
        let address = read.address.0;
        let status = status((read.status, read.operation)).map_err(|why| format!("`{address}` {why}"))?;
        let beside = Beside { types: read.types, sensitive: read.sensitive_attributes };
        let attributes = beside.restore(read.attributes.0).map_err(|why| format!("attributes of `{address}`: {why}"))?;
        if !matches!(attributes.data(), Data::Mapping(_)) {
            return Err(format!("attributes of `{address}`: an object is expected"));
        }
        let record = Record {
            id: RecordId::from(read.id.0),
            kind: read.kind.0,
            uid: read.uid.map(|uid| uid.0),
            place: read.place.map(|place| place.0),
            status,
            identity: read.identity.map(|identity| identity.0),
            attributes,
            applied: read.applied.map(|words| Fingerprint(words.0)),
            observed: read.observed.map(|words| Fingerprint(words.0)),
            depends_on: read.depends_on.into_iter().map(|edge| edge.0).collect(),
            create_before_destroy: read.create_before_destroy,
            prevent_destroy: read.prevent_destroy,
            schema_version: read.schema_version,
        };
        Ok(Self { address, deposed: read.deposed.map(|key| key.0), record })
    }
}
