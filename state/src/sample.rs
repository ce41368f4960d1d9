//! Samples for tests: a state and a journal with everything in them.

use engine::address::{Address, AddressParts, Key, ModulePath};
use engine::state::{Connect, Entry, Fingerprint, Operation, Output, Place, Record, RecordId, State, Status};
use engine::value::{Data, Entry as Pair, Mapping, MappingKind, Sequence, SequenceKind, Type, Value, parse_number};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A list, set or tuple.
pub(crate) fn sequence(kind: SequenceKind, items: Vec<Value>) -> Value {
    Value::new(Data::Sequence(Arc::new(Sequence::new(kind, items))))
}

/// A map.
pub(crate) fn map(element: Type, entries: Vec<(&str, Value)>) -> Value {
    let entries = entries.into_iter().map(|(key, value)| Pair::new(key, value)).collect();
    Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Map(element), entries))))
}

fn text(text: &str) -> Value {
    Value::string(text)
}

/// An address with everything an address can have.
pub(crate) fn longest_address() -> Address {
    AddressParts {
        module: ModulePath::root().child("mesh", Key::Text("e\"u\n\\".into())).child("inner", Key::Number(3)),
        key: Key::Text("cluster1".into()),
        ..AddressParts::clone(&Address::managed("istio_operator", "primary").with_member("ConfigMap/istio-system/istio"))
    }
    .into()
}

/// A record with everything a record can have.
pub(crate) fn full_record() -> Record {
    let peers = Type::object([("name", Type::String, false), ("weight", Type::Number, false)]);
    let peer = Value::object([("name", text("12")), ("weight", Value::number(parse_number("0.1234567890123456789").unwrap_or_default()))]);
    Record {
        id: RecordId::new("0b9c"),
        kind: "kubernetes_manifest".into(),
        uid: Some("u-1".into()),
        place: Some(Address::managed("sandbox_cluster", "c1")),
        status: Status::Unready,
        identity: Some("ConfigMap/istio-system/istio".into()),
        attributes: Value::object([
            ("zones", sequence(SequenceKind::Set(Type::String), vec![text("a"), text("b")])),
            ("peers", sequence(SequenceKind::List(peers), vec![peer.clone(), Value::null()])),
            ("labels", map(Type::Any, vec![("topology.istio.io/network", text("network1")), ("", Value::null())])),
            ("token", text("s3cret").sensitive()),
            ("nested", Value::tuple(vec![Value::object([("a \"b\"", peer.sensitive())]), Value::bool(false)])),
            ("big", Value::number(parse_number("79228162514264337593543950335").unwrap_or_default())),
        ]),
        applied: Some(Fingerprint("sha256:aa".into())),
        observed: Some(Fingerprint("hmac:bb".into())),
        depends_on: [Address::managed("ca_root", "mesh"), longest_address()].into(),
        create_before_destroy: true,
        prevent_destroy: true,
        schema_version: 4,
    }
}

/// Every kind of journal entry, in every shape.
pub(crate) fn every_entry() -> Vec<Entry> {
    let address = longest_address();
    let mut entries = Vec::new();
    for operation in [Operation::Create, Operation::Update, Operation::Delete, Operation::Import] {
        let record = Record { status: Status::Interrupted(operation), ..full_record() };
        entries.push(Entry::Intent { address: address.clone(), deposed: None, record });
    }
    for status in [Status::Ready, Status::Unready, Status::Tainted] {
        entries.push(Entry::Put { address: address.clone(), deposed: None, record: Record { status, ..full_record() } });
    }
    let key: Arc<str> = "d-1".into();
    let cluster = Address::managed("sandbox_cluster", "c1");
    let source = Connect::Source {
        kind: "kubernetes_cluster".into(),
        arguments: Value::object([
            ("context", text("kind-c1")),
            ("token", text("s3cret").sensitive()),
            ("tags", map(Type::String, Vec::new())),
        ]),
    };
    let place = Place { kind: "sandbox_cluster".into(), uid: None, server: None, ca_fingerprint: None, connect: Connect::Record };
    let full_place = Place {
        uid: Some("u-2".into()),
        server: Some("https://10.0.0.1:6443".into()),
        ca_fingerprint: Some(Fingerprint("sha256:cc".into())),
        connect: source,
        ..place.clone()
    };
    entries.extend([
        Entry::Depose { address: address.clone(), key: key.clone() },
        Entry::Put { address: address.clone(), deposed: Some(key.clone()), record: full_record() },
        Entry::Put { address: cluster.clone(), deposed: None, record: Record::new(RecordId::new("c"), "sandbox_cluster") },
        Entry::PutPlace { address: cluster.clone(), place },
        Entry::PutPlace { address: Address::managed("kind_cluster", "c2"), place: full_place },
        Entry::Move { from: address.clone(), to: Address::managed("kubernetes_manifest", "moved") },
        Entry::Remove { address: Address::managed("kubernetes_manifest", "moved"), deposed: Some(key) },
        Entry::Remove { address, deposed: None },
        Entry::RemovePlace { address: cluster },
        Entry::Outputs(outputs()),
    ]);
    entries
}

fn outputs() -> BTreeMap<Arc<str>, Output> {
    [
        ("none".into(), Output { value: Value::null(), sensitive: false }),
        ("secret".into(), Output { value: text("s3cret").sensitive(), sensitive: true }),
        (
            "ids".into(),
            Output {
                value: map(Type::list(Type::Number), vec![("a", sequence(SequenceKind::List(Type::Number), vec![]))]),
                sensitive: false,
            },
        ),
    ]
    .into()
}

/// A state with everything in it.
pub(crate) fn state_of_everything() -> State {
    let mut state = State { lineage: "l".to_owned(), serial: 7, secret_key: vec![0, 1, 254, 255], ..State::default() };
    for entry in every_entry() {
        if !matches!(entry, Entry::Remove { .. } | Entry::RemovePlace { .. } | Entry::Move { .. }) {
            state.apply(&entry);
        }
    }
    state.apply(&Entry::Put { address: longest_address(), deposed: None, record: full_record() });
    state
}
