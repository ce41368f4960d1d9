//! `meshplan_data`: a value that is kept in the state, as `terraform_data` keeps one. It carries values that decide when other resources
//! are replaced, and it is what the engine's speed is measured with.
//!
//! Its `output` is planned as the planned `input`: what is known of the input is known to dependents before apply, and an unknown
//! part keeps the computation it came with. Both keep the type they were written with: a tuple stays a tuple.

use engine::port::{Done, Request};
use engine::schema::{Attribute, Comparison, Drift, Kind, Planned, Schema};
use engine::value::{Data, Entry, Mapping, MappingKind, Origin, Sequence, Type, Value};
use std::sync::Arc;

/// The attribute that names an instance.
pub(crate) const ID: &str = "id";
const INPUT: &str = "input";
const OUTPUT: &str = "output";
const TRIGGERS: &str = "triggers_replace";

/// The pure half. It holds the attributes' names, so that an instance shares them instead of having its own.
pub(crate) struct DataKind {
    schema: Schema,
    id: Arc<str>,
    input: Arc<str>,
    output: Arc<str>,
    triggers: Arc<str>,
}

impl Default for DataKind {
    fn default() -> Self {
        let attributes = vec![
            Attribute::optional(INPUT, Type::Any, "Any value. It is kept, and given back as `output`."),
            Attribute::optional(TRIGGERS, Type::Any, "Any value. When it changes, the instance is replaced.").replaces(),
            Attribute::computed(OUTPUT, Type::Any, "The value of `input`, known before apply as far as `input` is."),
            Attribute::computed(ID, Type::String, "The id of the instance: another one after a replacement."),
        ];
        let schema = Schema {
            kind: "meshplan_data",
            doc: "A value kept in the state. It makes other resources wait or be replaced, and does nothing else.",
            version: 1,
            attributes,
            classes: &[],
            place: None,
            outside: false,
            settles: false,
        };
        Self { schema, id: ID.into(), input: INPUT.into(), output: OUTPUT.into(), triggers: TRIGGERS.into() }
    }
}

impl DataKind {
    fn attributes(&self, id: Value, input: Value, triggers: Value) -> Value {
        // What `output` came from is the instance; sources of the input would make edges to what is two steps away.
        let output = input.clone().with_origin(Origin::NONE);
        let entries = vec![
            Entry::new(self.id.clone(), id),
            Entry::new(self.input.clone(), input),
            Entry::new(self.output.clone(), output),
            Entry::new(self.triggers.clone(), triggers),
        ];
        Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Object, entries))))
    }
}

impl Kind for DataKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let input = taken(asked.desired, INPUT);
        let triggers = taken(asked.desired, TRIGGERS);
        let Some(prior) = asked.prior.map(|record| &record.attributes) else {
            return Planned::Create(self.attributes(Value::unknown(Type::String), input, triggers));
        };
        if !same(&triggers, &taken(prior, TRIGGERS)) {
            let attributes = self.attributes(Value::unknown(Type::String), input, triggers);
            return Planned::Replace { attributes, because: vec![TRIGGERS.to_owned()] };
        }
        let kept = same(&input, &taken(prior, INPUT));
        let attributes = self.attributes(taken(prior, ID), input, triggers);
        if kept {
            return Planned::Keep(attributes);
        }
        Planned::Update { attributes, changed: vec![INPUT.to_owned()], drifted: Drift::default() }
    }
}

impl DataKind {
    /// What an effect leaves: the arguments, with references stored as addresses.
    pub(crate) fn stored(&self, request: &Request, id: Value) -> Done {
        let taken = |name| {
            let value = taken(&request.arguments, name);
            storable(&value).unwrap_or(value)
        };
        Done::new(self.attributes(id, taken(INPUT), taken(TRIGGERS)))
    }
}

/// An attribute, null if it is not there.
pub(crate) fn taken(attributes: &Value, name: &str) -> Value {
    attributes.get(name).cloned().unwrap_or_else(Value::null)
}

/// Whether the state's value is the desired one: by data, type and mark. An instance is stored as its attributes, a reference as its
/// address. A mark counts because the state must learn what not to show.
fn same(desired: &Value, stored: &Value) -> bool {
    if !desired.is_known() {
        return false;
    }
    desired == stored || storable(desired).is_some_and(|desired| desired == *stored)
}

/// The value with its instances and references as they are stored; nothing if it holds none.
fn storable(value: &Value) -> Option<Value> {
    let stored = match value.data() {
        Data::Instance(instance) => storable(&instance.attributes).unwrap_or_else(|| instance.attributes.clone()),
        Data::Reference(instance) => Value::string(instance.address.to_string()),
        Data::Sequence(sequence) => {
            let items = changed(sequence.items(), storable)?;
            Value::new(Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items))))
        }
        Data::Mapping(mapping) => {
            let within = |entry: &Entry| Some(Entry { value: storable(&entry.value)?, ..entry.clone() });
            let entries = changed(mapping.entries(), within)?;
            Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries))))
        }
        _ => return None,
    };
    Some(stored.sensitive_if(value.is_marked_sensitive()))
}

/// All parts, those changed that can be; nothing if none can be.
fn changed<T: Clone>(parts: &[T], change: impl Fn(&T) -> Option<T>) -> Option<Vec<T>> {
    let first = parts.iter().position(|part| change(part).is_some())?;
    let rest = parts[first..].iter().map(|part| change(part).unwrap_or_else(|| part.clone()));
    Some(parts[..first].iter().cloned().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::StateAlone;
    use engine::address::Address;
    use engine::port::{Activity, Asked, BoxFuture, Provider as _};
    use engine::question::{Answer, Ask, Question};
    use engine::state::{Record, RecordId};
    use engine::value::{Instance, SequenceKind, Thunk};
    use std::task::{Context, Poll, Waker};

    fn arguments(input: Value, triggers: Value) -> Value {
        Value::object([(INPUT, input), (TRIGGERS, triggers)])
    }

    fn request(arguments: Value, prior: Option<Record>) -> Request {
        Request {
            address: Address::managed("meshplan_data", "x"),
            kind: "meshplan_data".into(),
            id: RecordId::new("r-1"),
            place: None,
            arguments,
            prior,
            timeout: None,
            now: 0,
            secret_key: Arc::from([]),
            activity: Activity::default(),
        }
    }

    fn now<T>(mut future: BoxFuture<'_, T>) -> T {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("nothing outside is waited for"),
        }
    }

    fn created(arguments: Value) -> Record {
        let done = now(StateAlone::default().create(request(arguments, None))).unwrap();
        Record { attributes: done.attributes, ..Record::new(RecordId::new("r-1"), "meshplan_data") }
    }

    fn planned(desired: &Value, prior: Option<&Record>) -> Planned {
        let asked = Comparison { desired, prior, observed: None, preview: None, previewable: false, secret_key: &[] };
        DataKind::default().planned(asked)
    }

    fn list(items: Vec<Value>) -> Value {
        Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::List(Type::Number), items))))
    }

    fn instance() -> Arc<Instance> {
        let attributes = Value::object([("name", Value::string("n")), ("key", Value::string("k").sensitive())]);
        Arc::new(Instance { address: Address::managed("k", "x"), classes: &[], attributes })
    }

    #[test]
    fn a_plan_shows_the_output_as_far_as_the_input_is_known() {
        let thunk = Thunk(7);
        let input = Value::tuple(vec![Value::number(1), Value::deferred(Type::String, thunk)]);
        let Planned::Create(attributes) = planned(&arguments(input.clone(), Value::null()), None) else { panic!("no create") };
        assert_eq!(attributes.get(OUTPUT), Some(&input));
        let Some(Data::Unknown(_, kept)) = attributes.get(OUTPUT).map(|output| output.items()[1].data()) else { panic!("no unknown") };
        assert_eq!(kept.0, thunk.0);
        assert!(attributes.get(ID).is_some_and(|id| !id.is_known()));
    }

    #[test]
    fn what_becomes_of_an_instance_follows_from_what_changed() {
        let one = || Value::number(1);
        let rows = [
            ("nothing", one(), Value::null(), "keep"),
            ("the input", Value::number(2), Value::null(), "update input"),
            ("the input's type", Value::string("1"), Value::null(), "update input"),
            ("the input's mark", one().sensitive(), Value::null(), "update input"),
            ("an unknown input", Value::unknown(Type::Number), Value::null(), "update input"),
            ("the triggers", one(), Value::string("t"), "replace triggers_replace"),
            ("unknown triggers", one(), Value::unknown(Type::String), "replace triggers_replace"),
            ("both", Value::number(2), Value::string("t"), "replace triggers_replace"),
        ];
        let record = created(arguments(one(), Value::null()));
        for (what, input, triggers, expected) in rows {
            let (seen, attributes) = match planned(&arguments(input.clone(), triggers), Some(&record)) {
                Planned::Keep(attributes) => ("keep".to_owned(), attributes),
                Planned::Update { attributes, changed, .. } => (format!("update {}", changed.join(" ")), attributes),
                Planned::Replace { attributes, because } => (format!("replace {}", because.join(" ")), attributes),
                other => panic!("{what}: {other:?}"),
            };
            assert_eq!(seen, expected, "{what}");
            assert_eq!(attributes.get(OUTPUT), Some(&input), "{what}");
            assert_eq!(attributes.get(ID).is_some_and(Value::is_known), !expected.starts_with("replace"), "{what}");
        }
    }

    #[test]
    fn types_survive_and_a_list_is_no_tuple() {
        let numbers = || vec![Value::number(1), Value::number(2)];
        let record = created(arguments(list(numbers()), Value::null()));
        assert_eq!(record.attributes.get(OUTPUT), Some(&list(numbers())));
        assert!(matches!(planned(&arguments(list(numbers()), Value::null()), Some(&record)), Planned::Keep(_)));
        assert!(matches!(planned(&arguments(Value::tuple(numbers()), Value::null()), Some(&record)), Planned::Update { .. }));
    }

    #[test]
    fn instances_and_references_are_stored_as_what_can_be_stored_and_compare_equal_to_it() {
        let whole = Value::new(Data::Instance(instance()));
        let reference = Value::new(Data::Reference(instance()));
        let rows = [
            (whole.clone(), instance().attributes.clone()),
            (reference.clone(), Value::string("k.x")),
            (
                Value::tuple(vec![Value::number(1), reference.clone(), Value::number(2)]),
                Value::tuple(vec![Value::number(1), Value::string("k.x"), Value::number(2)]),
            ),
            (
                Value::object([("a", Value::number(1)), ("b", whole.clone())]).sensitive(),
                Value::object([("a", Value::number(1)), ("b", instance().attributes.clone())]).sensitive(),
            ),
        ];
        for (input, stored) in rows {
            let record = created(arguments(input.clone(), Value::null()));
            assert_eq!(record.attributes.get(INPUT), Some(&stored));
            assert!(matches!(planned(&arguments(input, Value::null()), Some(&record)), Planned::Keep(_)));
        }
        assert_eq!(storable(&Value::object([("a", list(vec![]))])), None);
    }

    #[test]
    fn an_update_keeps_the_id_and_the_mark() {
        let record = created(arguments(Value::null(), Value::null()));
        let input = Value::string("hunter2").sensitive();
        let done = now(StateAlone::default().update(request(arguments(input.clone(), Value::null()), Some(record)))).unwrap();
        assert_eq!(done.attributes.text(ID), Some("r-1"));
        assert_eq!(done.attributes.get(OUTPUT), Some(&input));
    }

    #[test]
    fn the_output_comes_from_the_instance_alone() {
        let mut origins = engine::value::Origins::default();
        let origin = origins.instance(&Address::managed("meshplan_data", "parent"));
        let input = Value::string("v").with_origin(origin);
        let Planned::Create(attributes) = planned(&arguments(input, Value::null()), None) else { panic!("no create") };
        assert_eq!(attributes.get(OUTPUT).map(Value::origin), Some(Origin::NONE));
        assert_eq!(attributes.get(INPUT).map(Value::origin), Some(origin));
    }

    #[test]
    fn every_question_has_its_answer() {
        let record = created(arguments(Value::number(1), Value::null()));
        let address = Address::managed("meshplan_data", "x");
        let read = Question::new(Ask::Read { address, deposed: None, record: Box::new(record.clone()) });
        let file = Question::new(Ask::File { path: "f".into() });
        let asked = [read.clone(), file.clone()].map(|question| Asked { question, place: None }).to_vec();
        let answers = now(StateAlone::default().answer(asked));
        assert_eq!((answers[0].0.key(), &answers[0].1), (read.key(), &Answer::Present(record.attributes)));
        assert!(matches!(&answers[1], (question, Answer::Unreachable(_)) if question.key() == file.key()));
    }
}
