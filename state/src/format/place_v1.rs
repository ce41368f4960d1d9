//! Places as they stand in the state file and in the journal.

use super::NotStorable;
use super::natural_v1::Natural;
use super::value_v1::Beside;
use super::words_v1::{Text, Words};
use engine::address::Address;
use engine::state::{Connect, Fingerprint, Place};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How to reach a place: `"record"`, or the data source that says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ConnectV1 {
    Record,
    Source(SourceV1),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceV1 {
    kind: Words,
    arguments: Natural,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    types: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    sensitive_arguments: BTreeSet<String>,
}

/// One place under its address.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceV1 {
    address: Text<Address>,
    kind: Words,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_fingerprint: Option<Words>,
    connect: ConnectV1,
}

impl PlaceV1 {
    /// The stored form of a place.
    pub(crate) fn of(address: &Address, place: &Place) -> Result<Self, NotStorable> {
        let connect = match &place.connect {
            Connect::Record => ConnectV1::Record,
            Connect::Source { kind, arguments } => {
                let beside = Beside::of(arguments).map_err(|why| NotStorable { what: address.to_string(), why })?;
                ConnectV1::Source(SourceV1 {
                    kind: Words(kind.clone()),
                    arguments: Natural(arguments.clone()),
                    types: beside.types,
                    sensitive_arguments: beside.sensitive,
                })
            }
        };
        Ok(Self {
            address: Text(address.clone()),
            kind: Words(place.kind.clone()),
            uid: place.uid.clone().map(Words),
            server: place.server.clone().map(Words),
            ca_fingerprint: place.ca_fingerprint.clone().map(|fingerprint| Words(fingerprint.0)),
            connect,
        })
    }
}

/// A place that was read, checked.
#[derive(Deserialize)]
#[serde(try_from = "PlaceV1")]
pub(crate) struct StoredPlace {
    /// The address that describes it.
    pub(crate) address: Address,
    /// The place.
    pub(crate) place: Place,
}

impl TryFrom<PlaceV1> for StoredPlace {
    type Error = String;

    fn try_from(read: PlaceV1) -> Result<Self, String> {
        let address = read.address.0;
        let connect = match read.connect {
            ConnectV1::Record => Connect::Record,
            ConnectV1::Source(source) => {
                let beside = Beside { types: source.types, sensitive: source.sensitive_arguments };
                let arguments = beside.restore(source.arguments.0).map_err(|why| format!("arguments of `{address}`: {why}"))?;
                Connect::Source { kind: source.kind.0, arguments }
            }
        };
        let place = Place {
            kind: read.kind.0,
            uid: read.uid.map(|uid| uid.0),
            server: read.server.map(|server| server.0),
            ca_fingerprint: read.ca_fingerprint.map(|words| Fingerprint(words.0)),
            connect,
        };
        Ok(Self { address, place })
    }
}
