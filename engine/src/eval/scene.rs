//! What the tests of the evaluator share: a scope of a few names, and values written as text.

use super::{Arena, FileAnswer, Fill, Scope, Surroundings, evaluate, fill, run};
use crate::address::Address;
use crate::config::{Root, parse_expression};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, Span};
use crate::value::{Data, MappingKind, Origin, SequenceKind, Thunk, Value};
use std::collections::BTreeMap;

/// When the tests apply: 2024-06-01T12:00:00Z.
const APPLIED_AT: u64 = 1_717_243_200;

/// Variables by name (`var.x`) and resources without keys (`k.x`); files by path.
#[derive(Default)]
pub(super) struct Scene {
    pub(super) arena: Arena,
    pub(super) names: Names,
    /// Instances as an apply has made them.
    pub(super) instances: BTreeMap<Address, Value>,
}

#[derive(Default, Clone)]
pub(super) struct Names {
    pub(super) variables: BTreeMap<String, Value>,
    pub(super) resources: BTreeMap<String, Value>,
    pub(super) files: BTreeMap<String, FileAnswer>,
    pub(super) surroundings: Surroundings,
}

impl Scope for Names {
    fn resolve(&mut self, root: &Root, span: Span, _: &mut Arena) -> Result<Value, Problems> {
        let found = match root {
            Root::Variable(name) => self.variables.get(&**name),
            Root::Resource(_, _, name) => self.resources.get(&**name),
            _ => None,
        };
        found.cloned().ok_or_else(|| vec![Diagnostic::error("unknown name", format!("{root:?}")).at(span)])
    }

    fn file(&mut self, path: &str) -> FileAnswer {
        self.files.get(path).cloned().unwrap_or_else(|| FileAnswer::Refused(format!("there is no `{path}`")))
    }

    fn files(&mut self, directory: &str, _: Option<usize>) -> FileAnswer {
        self.file(directory)
    }

    fn surroundings(&self) -> Surroundings {
        self.surroundings.clone()
    }
}

impl Scene {
    /// A scene with these variables.
    pub(super) fn new<'a>(variables: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let mut scene = Self::default();
        scene.names.variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        scene
    }

    pub(super) fn evaluate(&mut self, text: &str) -> Result<Value, Problems> {
        let expression = parse_expression(text, FileId(0)).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        evaluate(&expression, &mut self.names, &mut self.arena)
    }

    pub(super) fn value(&mut self, text: &str) -> Value {
        self.evaluate(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
    }

    /// The value as text, or the problems' summaries and details.
    pub(super) fn show(&mut self, text: &str) -> String {
        match self.evaluate(text) {
            Ok(value) => show(&value),
            Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "),
        }
    }

    /// The origin of an instance `k.name`.
    pub(super) fn from(&mut self, name: &str) -> Origin {
        self.arena.origins.instance(&Address::managed("k", name))
    }

    /// The names of the instances that a value and all within came from.
    pub(super) fn sources(&mut self, value: &Value) -> String {
        let origin = value.deep_origin(&mut self.arena.origins);
        let names: Vec<_> = self.arena.origins.instances(origin).iter().map(|address| address.name.to_string()).collect();
        names.join(" ")
    }

    /// What apply makes of a value, deferred computations run as they come.
    pub(super) fn filled(&self, template: &Value) -> Result<Value, Problems> {
        let mut source = Later { arena: &self.arena, instances: &self.instances, problems: Vec::new() };
        let value = fill(template, &mut source);
        if source.problems.is_empty() { Ok(value) } else { Err(source.problems) }
    }
}

/// A source that runs the computations of an arena.
struct Later<'a> {
    arena: &'a Arena,
    instances: &'a BTreeMap<Address, Value>,
    problems: Problems,
}

impl Fill for Later<'_> {
    fn thunk(&mut self, thunk: Thunk) -> Value {
        let expression = self.arena.thunks.get(thunk).unwrap_or_else(|| panic!("{thunk:?} has no computation"));
        let surroundings = Surroundings { applied_at: Some(APPLIED_AT), ..Surroundings::default() };
        let value = run(expression, self, &mut Names { surroundings, ..Names::default() }, &mut Arena::default());
        value.unwrap_or_else(|problems| {
            self.problems.extend(problems);
            Value::null()
        })
    }

    fn instance(&mut self, address: &Address) -> Option<Value> {
        self.instances.get(address).cloned()
    }
}

/// A value as text: `?type` is unknown, `…type` pending, `!why` blocked, `*` stands before what is marked sensitive.
pub(super) fn show(value: &Value) -> String {
    let list = |items: &[Value]| items.iter().map(show).collect::<Vec<_>>().join(", ");
    let text = match value.data() {
        Data::Null => "null".to_owned(),
        Data::Bool(truth) => truth.to_string(),
        Data::Number(number) => number.to_string(),
        Data::String(text) => format!("{text:?}"),
        Data::Sequence(sequence) => match sequence.kind() {
            SequenceKind::Tuple => format!("[{}]", list(sequence.items())),
            SequenceKind::List(_) => format!("list[{}]", list(sequence.items())),
            SequenceKind::Set(_) => format!("set[{}]", list(sequence.items())),
        },
        Data::Mapping(mapping) => {
            let entries: Vec<_> = mapping.entries().iter().map(|entry| format!("{}={}", entry.key, show(&entry.value))).collect();
            let kind = if matches!(mapping.kind(), MappingKind::Object) { "" } else { "map" };
            format!("{kind}{{{}}}", entries.join(", "))
        }
        Data::Instance(instance) => format!("<{}>", instance.address),
        Data::Reference(instance) => format!("&{}", instance.address),
        Data::Unknown(ty, _) => format!("?{ty}"),
        Data::Pending(ty) => format!("…{ty}"),
        Data::Blocked(why) => format!("!{why}"),
    };
    format!("{}{text}", if value.is_marked_sensitive() { "*" } else { "" })
}
