//! Records, places and outputs as they stand in the state file and in the journal.

use super::NotStorable;
use super::value_v1::{Beside, Natural};
use engine::address::Address;
use engine::state::{Connect, Fingerprint, Operation, Output, Place, Record, RecordId, Status};
use engine::value::{Data, Value};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

/// Something that stands as its text: an address.
#[derive(Clone)]
pub(crate) struct Text<T>(pub(crate) T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsing(PhantomData)).map(Self)
    }
}

struct Parsing<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parsing<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// A shared string.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Words(pub(crate) Arc<str>);

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WordsOf)
    }
}

struct WordsOf;

impl Visitor<'_> for WordsOf {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Words, E> {
        Ok(Words(text.into()))
    }
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum StatusV1 {
    Ready,
    Unready,
    Tainted,
    Interrupted,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum OperationV1 {
    Create,
    Update,
    Delete,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

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
        let (status, operation) = match record.status {
            Status::Ready => (StatusV1::Ready, None),
            Status::Unready => (StatusV1::Unready, None),
            Status::Tainted => (StatusV1::Tainted, None),
            Status::Interrupted(Operation::Create) => (StatusV1::Interrupted, Some(OperationV1::Create)),
            Status::Interrupted(Operation::Update) => (StatusV1::Interrupted, Some(OperationV1::Update)),
            Status::Interrupted(Operation::Delete) => (StatusV1::Interrupted, Some(OperationV1::Delete)),
        };
        if !matches!(record.attributes.data(), Data::Mapping(_)) {
            return Err(NotStorable { what: address.to_string(), why: "its attributes are no object" });
        }
        Ok(Self {
            address: Text(address.clone()),
            deposed: deposed.cloned().map(Words),
            id: Words(record.id.as_str().into()),
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

    fn status(&self) -> Result<Status, String> {
        match (self.status, self.operation) {
            (StatusV1::Ready, None) => Ok(Status::Ready),
            (StatusV1::Unready, None) => Ok(Status::Unready),
            (StatusV1::Tainted, None) => Ok(Status::Tainted),
            (StatusV1::Interrupted, Some(OperationV1::Create)) => Ok(Status::Interrupted(Operation::Create)),
            (StatusV1::Interrupted, Some(OperationV1::Update)) => Ok(Status::Interrupted(Operation::Update)),
            (StatusV1::Interrupted, Some(OperationV1::Delete)) => Ok(Status::Interrupted(Operation::Delete)),
            (StatusV1::Interrupted, None) => Err(format!("`{}` is interrupted and has no `operation`", self.address.0)),
            (_, Some(_)) => Err(format!("`{}` has an `operation` and is not interrupted", self.address.0)),
        }
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
        let status = read.status()?;
        let address = read.address.0;
        let beside = Beside { types: read.types, sensitive: read.sensitive_attributes };
        let attributes = beside.restore(read.attributes.0).map_err(|why| format!("attributes of `{address}`: {why}"))?;
        if !matches!(attributes.data(), Data::Mapping(_)) {
            return Err(format!("attributes of `{address}`: an object is expected"));
        }
        let record = Record {
            id: RecordId::new(&read.id.0),
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
                    arguments: Natural(Value::clone(arguments)),
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
