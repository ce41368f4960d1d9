//! The model of what is remembered: records of things, the places they lie in, and the entries that change them.
//!
//! The same [`State::apply`] serves an apply under way and the replay of its journal, so that what was journaled is what happened.

use crate::address::Address;
use crate::value::{Value, hex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The id of a record, minted in its first intent and kept through moves. A Kubernetes field manager is `meshplan/<record id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(Arc<str>);

impl RecordId {
    /// The id with this text.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// The key under which the record stands once it is deposed: eight hexadecimal digits that follow from the id.
    pub fn deposed_key(&self) -> Arc<str> {
        let hash = crate::value::fingerprint(&Value::string(self.0.clone()));
        hash[..8].into()
    }
}

impl From<Arc<str>> for RecordId {
    fn from(text: Arc<str>) -> Self {
        Self(text)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A hash that says "the same as then" without saying what: `sha256:…`, or an HMAC where the content is secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub Arc<str>);

impl Fingerprint {
    /// SHA-256 of the first certificate in a PEM text, as `openssl x509 -fingerprint -sha256` has it, without colons; nothing if there is none.
    pub fn of_certificate(pem: &str) -> Option<Self> {
        let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
        let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
        let der = STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()?;
        Some(Self(format!("sha256:{}", hex(&Sha256::digest(der))).into()))
    }
}

/// What was under way when an apply ended without an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Making the thing.
    Create,
    /// Changing it in place.
    Update,
    /// Deleting it.
    Delete,
    /// Taking over a thing that was there.
    Import,
}

/// How a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It exists and was waited for.
    Ready,
    /// It exists and has not been waited for yet.
    Unready,
    /// Its create failed in a way that cannot be resumed; the next plan replaces it.
    Tainted,
    /// An intent without an outcome: the next plan looks at the world before it decides.
    Interrupted(Operation),
}

/// What is remembered of one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The record's own id.
    pub id: RecordId,
    /// The kind, such as `sandbox_cluster`; for a member of a manifest set the member's kind.
    pub kind: Arc<str>,
    /// What the world calls the thing, if it does; compared before an update or delete.
    pub uid: Option<Arc<str>>,
    /// The place it lies in.
    pub place: Option<Address>,
    /// How it stands.
    pub status: Status,
    /// The identity within the place; kept so that an interrupted create can be looked for.
    pub identity: Option<Arc<str>>,
    /// All attributes: an object, wholly known. References stand as their addresses (strings). Of an interrupted record the
    /// attributes are the planned ones for a create or import, the prior ones otherwise.
    pub attributes: Value,
    /// Fingerprint of what was last applied.
    pub applied: Option<Fingerprint>,
    /// Fingerprint of what the fields we own were right after.
    pub observed: Option<Fingerprint>,
    /// What it was made from: direct edges only. It is deleted before any of these.
    pub depends_on: BTreeSet<Address>,
    /// Whether a replacement is created before this one is deleted.
    pub create_before_destroy: bool,
    /// Whether a plan that deletes it is refused.
    pub prevent_destroy: bool,
    /// Version of the schema that the attributes follow.
    pub schema_version: u32,
}

impl Record {
    /// A record of nothing yet: ready, without attributes.
    pub fn new(id: RecordId, kind: &str) -> Self {
        Self {
            id,
            kind: kind.into(),
            uid: None,
            place: None,
            status: Status::Ready,
            identity: None,
            attributes: Value::object::<Arc<str>>([]),
            applied: None,
            observed: None,
            depends_on: BTreeSet::new(),
            create_before_destroy: false,
            prevent_destroy: false,
            schema_version: 1,
        }
    }
}

/// How to reach a place again.
#[derive(Debug, Clone, PartialEq)]
pub enum Connect {
    /// The place's own record holds the credentials, under the attribute `connection`.
    Record,
    /// A data source gave them and is read again at each use: its kind and arguments.
    Source {
        /// The data source's kind.
        kind: Arc<str>,
        /// Its arguments, wholly known.
        arguments: Value,
    },
}

/// A cluster or host that resources lie in.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The kind of the resource or data source that describes it.
    pub kind: Arc<str>,
    /// What tells it from another of the same address: of a cluster the uid of its namespace `kube-system`.
    pub uid: Option<Arc<str>>,
    /// The API server's URL, for people.
    pub server: Option<Arc<str>>,
    /// SHA-256 of its CA, for people.
    pub ca_fingerprint: Option<Fingerprint>,
    /// How to reach it again.
    pub connect: Connect,
}

impl Place {
    /// Whether nothing that is remembered of two descriptions of a place differs.
    pub fn is_same(&self, other: &Self) -> bool {
        let arguments = |place: &Self| match &place.connect {
            Connect::Record => None,
            Connect::Source { kind, arguments } => Some((kind.clone(), crate::value::fingerprint(arguments))),
        };
        let words = |place: &Self| (place.kind.clone(), place.uid.clone(), place.server.clone(), place.ca_fingerprint.clone());
        words(self) == words(other) && arguments(self) == arguments(other)
    }
}

/// The objects remembered under one address.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Objects {
    /// The current one.
    pub current: Option<Record>,
    /// Those replaced and not deleted yet, by key.
    pub deposed: BTreeMap<Arc<str>, Record>,
}

/// A remembered output of the root module.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its value, wholly known.
    pub value: Value,
    /// Whether it is shown only when asked for by name.
    pub sensitive: bool,
}

/// All that is remembered between runs.
#[derive(Clone, PartialEq, Default)]
pub struct State {
    /// Tells states of one origin from all others; empty before the first write.
    pub lineage: String,
    /// Grows by one with each write.
    pub serial: u64,
    /// Outputs of the root module.
    pub outputs: BTreeMap<Arc<str>, Output>,
    /// Everything managed, by address.
    pub resources: BTreeMap<Address, Objects>,
    /// Every place that a record lies in, by the address that describes it.
    pub places: BTreeMap<Address, Place>,
    /// Key of the HMACs of secret values in digests and fingerprints; empty before the first write.
    pub secret_key: Vec<u8>,
}

/// Shows all but the key.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lineage, serial, outputs, resources, places, secret_key: _ } = self;
        let mut shown = f.debug_struct("State");
        shown.field("lineage", lineage).field("serial", serial).field("outputs", outputs);
        shown.field("resources", resources).field("places", places).finish_non_exhaustive()
    }
}

/// One change of the state, as journaled.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// An effect is about to start: the record as it is to be found if no outcome follows, its status `Interrupted`.
    Intent {
        /// The record's address.
        address: Address,
        /// The deposed object that is meant, or the current one.
        deposed: Option<Arc<str>>,
        /// The record, with an interrupted status.
        record: Record,
    },
    /// A thing is as this record says.
    Put {
        /// The record's address.
        address: Address,
        /// The deposed object that is meant, or the current one.
        deposed: Option<Arc<str>>,
        /// The record.
        record: Record,
    },
    /// A thing is gone, or no longer ours. Records that depend on it still are put again, with its edges, by whoever removes it.
    Remove {
        /// The record's address.
        address: Address,
        /// The deposed object that is meant, or the current one.
        deposed: Option<Arc<str>>,
    },
    /// The current object becomes a deposed one.
    Depose {
        /// The record's address.
        address: Address,
        /// The key it gets.
        key: Arc<str>,
    },
    /// An object moves to another address, or the place that a data source describes.
    Move {
        /// From here.
        from: Address,
        /// To here.
        to: Address,
    },
    /// A place is known as this.
    PutPlace {
        /// The address that describes it.
        address: Address,
        /// The place.
        place: Place,
    },
    /// A place is gone, and with it all that lay within, nested places included: one line.
    RemovePlace {
        /// The address that describes it.
        address: Address,
    },
    /// The outputs are these.
    Outputs(BTreeMap<Arc<str>, Output>),
}

impl State {
    /// The current record of an address.
    pub fn record(&self, address: &Address) -> Option<&Record> {
        self.resources.get(address)?.current.as_ref()
    }

    /// Whether nothing is remembered: no resources and no places.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.places.is_empty()
    }

    /// Every record with its address and, for deposed ones, its key.
    pub fn records(&self) -> impl Iterator<Item = (&Address, Option<&Arc<str>>, &Record)> {
        self.resources.iter().flat_map(|(address, objects)| {
            let current = objects.current.iter().map(move |record| (address, None, record));
            current.chain(objects.deposed.iter().map(move |(key, record)| (address, Some(key), record)))
        })
    }

    /// Everything that lies within a place, directly or in a place within it, itself not included. Looks at each record once.
    pub fn within(&self, place: &Address) -> BTreeSet<Address> {
        let mut by_place: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        for (address, _, record) in self.records() {
            if let Some(place) = &record.place {
                by_place.entry(place).or_default().push(address);
            }
        }
        let mut found = BTreeSet::new();
        let mut open = vec![place];
        while let Some(place) = open.pop() {
            for address in by_place.get(place).into_iter().flatten() {
                if found.insert((*address).clone()) && self.places.contains_key(*address) {
                    open.push(address);
                }
            }
        }
        found
    }

    /// Forgets a place and every object within. An address keeps those of its objects that lie elsewhere: a deposed one may have been
    /// left in another place.
    fn remove_place(&mut self, place: &Address) {
        let within = self.within(place);
        let mut dying: BTreeSet<Address> = within.iter().filter(|inner| self.places.contains_key(inner)).cloned().collect();
        dying.insert(place.clone());
        let lies_within = |record: &Record| record.place.as_ref().is_some_and(|place| dying.contains(place));
        let mut gone = BTreeSet::new();
        for address in within {
            let Some(objects) = self.resources.get_mut(&address) else { continue };
            objects.current.take_if(|record| lies_within(record));
            objects.deposed.retain(|_, record| !lies_within(record));
            if objects.current.is_none() && objects.deposed.is_empty() {
                self.resources.remove(&address);
                gone.insert(address);
            }
        }
        self.places.retain(|address, _| !dying.contains(address));
        for objects in self.resources.values_mut() {
            for record in objects.current.iter_mut().chain(objects.deposed.values_mut()) {
                record.depends_on.retain(|edge| !gone.contains(edge));
            }
        }
    }

    /// Changes the state as one entry says.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Intent { address, deposed, record } | Entry::Put { address, deposed, record } => {
                let objects = self.resources.entry(address.clone()).or_default();
                match deposed {
                    Some(key) => {
                        objects.deposed.insert(key.clone(), record.clone());
                    }
                    None => objects.current = Some(record.clone()),
                }
            }
            Entry::Remove { address, deposed } => self.remove(address, deposed.as_ref()),
            Entry::Depose { address, key } => {
                if let Some(objects) = self.resources.get_mut(address)
                    && let Some(record) = objects.current.take()
                {
                    objects.deposed.insert(key.clone(), record);
                }
            }
            Entry::Move { from, to } => self.rename(from, to),
            Entry::PutPlace { address, place } => {
                self.places.insert(address.clone(), place.clone());
            }
            Entry::RemovePlace { address } => {
                self.remove_place(address);
            }
            Entry::Outputs(outputs) => self.outputs.clone_from(outputs),
        }
    }

    fn remove(&mut self, address: &Address, deposed: Option<&Arc<str>>) {
        let Some(objects) = self.resources.get_mut(address) else { return };
        match deposed {
            Some(key) => drop(objects.deposed.remove(key)),
            None => objects.current = None,
        }
        if objects.current.is_some() || !objects.deposed.is_empty() {
            return;
        }
        self.resources.remove(address);
    }

    fn rename(&mut self, from: &Address, to: &Address) {
        let (objects, place) = (self.resources.remove(from), self.places.remove(from));
        if objects.is_none() && place.is_none() {
            return;
        }
        // A place that a data source describes has no objects of its own.
        self.resources.extend(objects.map(|objects| (to.clone(), objects)));
        self.places.extend(place.map(|place| (to.clone(), place)));
        for objects in self.resources.values_mut() {
            for record in objects.current.iter_mut().chain(objects.deposed.values_mut()) {
                if record.place.as_ref() == Some(from) {
                    record.place = Some(to.clone());
                }
                if record.depends_on.remove(from) {
                    record.depends_on.insert(to.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(state: &mut State, name: &str, place: Option<&str>, depends_on: &[&str]) {
        let mut record = Record::new(RecordId::new(name), "k");
        record.place = place.map(|place| Address::managed("k", place));
        record.depends_on = depends_on.iter().map(|name| Address::managed("k", name)).collect();
        state.apply(&Entry::Put { address: Address::managed("k", name), deposed: None, record });
    }

    #[test]
    fn the_key_is_not_shown() {
        let state = State { lineage: "l".to_owned(), secret_key: vec![173; 3], ..State::default() };
        let shown = format!("{state:?}");
        assert!(shown.contains("\"l\"") && !shown.contains("173"), "{shown}");
    }

    #[test]
    fn a_place_takes_all_within_with_it_and_nothing_else() {
        let mut state = State::default();
        put(&mut state, "cluster", None, &[]);
        put(&mut state, "inner", Some("cluster"), &["cluster"]);
        put(&mut state, "object", Some("inner"), &["inner"]);
        put(&mut state, "other", None, &["object"]);
        let place = Place { kind: "k".into(), uid: None, server: None, ca_fingerprint: None, connect: Connect::Record };
        for name in ["cluster", "inner"] {
            state.apply(&Entry::PutPlace { address: Address::managed("k", name), place: place.clone() });
        }
        state.apply(&Entry::RemovePlace { address: Address::managed("k", "cluster") });
        let left: Vec<_> = state.resources.keys().map(ToString::to_string).collect();
        assert_eq!(left, ["k.cluster", "k.other"]);
        assert!(state.places.is_empty());
        assert!(state.record(&Address::managed("k", "other")).is_some_and(|other| other.depends_on.is_empty()));
    }

    #[test]
    fn a_move_keeps_the_record_and_every_reference_to_it() {
        let mut state = State::default();
        put(&mut state, "a", None, &[]);
        put(&mut state, "b", Some("a"), &["a"]);
        state.apply(&Entry::Move { from: Address::managed("k", "a"), to: Address::managed("k", "z") });
        let b = state.record(&Address::managed("k", "b")).cloned();
        assert_eq!(b.as_ref().and_then(|b| b.place.clone()), Some(Address::managed("k", "z")));
        assert_eq!(b.map(|b| b.depends_on), Some(BTreeSet::from([Address::managed("k", "z")])));
        assert_eq!(state.record(&Address::managed("k", "z")).map(|record| record.id.as_str()), Some("a"));
    }
}
