//! What a plan was made from: the state, and what it stands on of the things that are there. The state's key stays where it is, and its secrets are sealed with the plan's.

use super::super::status_v1::{OperationV1, StatusV1, status, words};
use super::super::words_v1::{Words, is_false};
use super::addresses::Named;
use super::values::{At, Values, Writing};
use engine::address::Address;
use engine::plan::Basis;
use engine::state::{Connect, Fingerprint, Output, Place, Record, RecordId, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PriorV1 {
    lineage: String,
    serial: u64,
    outputs: BTreeMap<Words, OutputV1>,
    resources: Vec<RecordV1>,
    places: Vec<(Named, PlaceV1)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputV1 {
    value: At,
    #[serde(default, skip_serializing_if = "is_false")]
    sensitive: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordV1 {
    address: Named,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<Words>,
    id: Words,
    kind: Words,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<Named>,
    status: StatusV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<OperationV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<Words>,
    attributes: At,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    applied: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    observed: Option<Words>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<Named>,
    #[serde(default, skip_serializing_if = "is_false")]
    create_before_destroy: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    prevent_destroy: bool,
    schema_version: u32,
}

/// A place; `source` is the data source that says how it is reached, with its arguments, unless its record does.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceV1 {
    kind: Words,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_fingerprint: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<(Words, At)>,
}

impl PlaceV1 {
    pub(super) fn of(place: &Place, values: &mut Writing<'_>) -> Self {
        let source = match &place.connect {
            Connect::Record => None,
            Connect::Source { kind, arguments } => Some((Words(kind.clone()), values.put(arguments))),
        };
        Self {
            kind: Words(place.kind.clone()),
            uid: place.uid.clone().map(Words),
            server: place.server.clone().map(Words),
            ca_fingerprint: place.ca_fingerprint.clone().map(|fingerprint| Words(fingerprint.0)),
            source,
        }
    }

    pub(super) fn read(self, values: &Values<'_>) -> Result<Place, String> {
        let connect = match self.source {
            None => Connect::Record,
            Some((kind, arguments)) => Connect::Source { kind: kind.0, arguments: values.get(&arguments)? },
        };
        Ok(Place {
            kind: self.kind.0,
            uid: self.uid.map(|uid| uid.0),
            server: self.server.map(|server| server.0),
            ca_fingerprint: self.ca_fingerprint.map(|words| Fingerprint(words.0)),
            connect,
        })
    }
}

impl PriorV1 {
    pub(super) fn lineage(&self) -> &str {
        &self.lineage
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    pub(super) fn of(state: &State, values: &mut Writing<'_>) -> Self {
        let outputs = state.outputs.iter().map(|(name, output)| {
            let value = values.put(&output.value.clone().sensitive_if(output.sensitive && !output.value.holds_sensitive()));
            (Words(name.clone()), OutputV1 { value, sensitive: output.sensitive })
        });
        Self {
            lineage: state.lineage.clone(),
            serial: state.serial,
            outputs: outputs.collect(),
            resources: state
                .records()
                .map(|(address, deposed, record)| record_v1((address, deposed.cloned().map(Words)), record, values))
                .collect(),
            places: state.places.iter().map(|(address, place)| (Named(address.clone()), PlaceV1::of(place, values))).collect(),
        }
    }

    pub(super) fn read(self, values: &Values<'_>) -> Result<State, String> {
        let mut state = State { lineage: self.lineage, serial: self.serial, ..State::default() };
        for (name, output) in self.outputs {
            state.outputs.insert(name.0, Output { value: values.get(&output.value)?, sensitive: output.sensitive });
        }
        for stored in self.resources {
            let objects = state.resources.entry(stored.address.0.clone()).or_default();
            match stored.deposed.clone() {
                None => objects.current = Some(record(stored, values)?),
                Some(key) => {
                    objects.deposed.insert(key.0, record(stored, values)?);
                }
            }
        }
        for (address, place) in self.places {
            state.places.insert(address.0, place.read(values)?);
        }
        Ok(state)
    }
}

/// What the plan stands on of one thing; nothing if that was not there.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BasisV1 {
    address: Named,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<Words>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<SeenV1>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenV1 {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<Words>,
    fields: BTreeMap<Words, Words>,
}

/// The basis of a plan, by address and deposed key.
type Stands = BTreeMap<(Address, Option<Arc<str>>), Option<Basis>>;

pub(super) fn basis_v1(basis: &Stands) -> Vec<BasisV1> {
    let seen = |basis: &Basis| SeenV1 {
        uid: basis.uid.clone().map(Words),
        fields: basis.fields.iter().map(|(path, hash)| (Words(path.clone()), Words(hash.clone()))).collect(),
    };
    let stored = basis.iter().map(|((address, deposed), basis)| BasisV1 {
        address: Named(address.clone()),
        deposed: deposed.clone().map(Words),
        seen: basis.as_ref().map(seen),
    });
    stored.collect()
}

pub(super) fn basis(stored: Vec<BasisV1>) -> Stands {
    let seen = |seen: SeenV1| Basis {
        uid: seen.uid.map(|uid| uid.0),
        fields: seen.fields.into_iter().map(|(path, hash)| (path.0, hash.0)).collect(),
    };
    stored.into_iter().map(|of| ((of.address.0, of.deposed.map(|key| key.0)), of.seen.map(seen))).collect()
}

fn record_v1((address, deposed): (&Address, Option<Words>), record: &Record, values: &mut Writing<'_>) -> RecordV1 {
    let (status, operation) = words(record.status);
    RecordV1 {
        address: Named(address.clone()),
        deposed,
        id: Words(record.id.as_str().into()),
        kind: Words(record.kind.clone()),
        uid: record.uid.clone().map(Words),
        place: record.place.clone().map(Named),
        status,
        operation,
        identity: record.identity.clone().map(Words),
        attributes: values.put(&record.attributes),
        applied: record.applied.clone().map(|fingerprint| Words(fingerprint.0)),
        observed: record.observed.clone().map(|fingerprint| Words(fingerprint.0)),
        depends_on: record.depends_on.iter().cloned().map(Named).collect(),
        create_before_destroy: record.create_before_destroy,
        prevent_destroy: record.prevent_destroy,
        schema_version: record.schema_version,
    }
}

fn record(stored: RecordV1, values: &Values<'_>) -> Result<Record, String> {
    Ok(Record {
        id: RecordId::new(&stored.id.0),
        kind: stored.kind.0,
        uid: stored.uid.map(|uid| uid.0),
        place: stored.place.map(|place| place.0),
        status: status((stored.status, stored.operation)).map_err(str::to_owned)?,
        identity: stored.identity.map(|identity| identity.0),
        attributes: values.get(&stored.attributes)?,
        applied: stored.applied.map(|words| Fingerprint(words.0)),
        observed: stored.observed.map(|words| Fingerprint(words.0)),
        depends_on: stored.depends_on.into_iter().map(|address| address.0).collect(),
        create_before_destroy: stored.create_before_destroy,
        prevent_destroy: stored.prevent_destroy,
        schema_version: stored.schema_version,
    })
}
