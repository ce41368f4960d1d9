//! The laws for every function of the table, over arguments that its example gives and that are drawn.

use super::{deferred, holes, known, settled, sources};
use crate::config::{Node, parse_expression};
use crate::diagnostic::Problems;
use crate::eval::functions::{Function, Group, Need, Takes, table};
use crate::eval::scene::{Scene, show};
use crate::eval::{convert, type_of};
use crate::source::FileId;
use crate::value::{Data, Flags, MappingKind, Marks, SequenceKind, Type, Value};
use std::collections::BTreeMap;

/// Numbers that look drawn, the same in every run (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((mixed ^ (mixed >> 29)) % limit as u64).unwrap()
    }

    fn text(&mut self) -> Value {
        const TEXTS: [&str; 14] =
            ["text", "", "a,b", "10.0.0.0/8", "true", "7", "2024-01-02T03:04:05Z", "%s-%d", "YWJj", "{\"a\": [1]}", "é x", "a", "b", "10m"];
        Value::string(TEXTS[self.below(TEXTS.len())])
    }

    fn number(&mut self) -> Value {
        const NUMBERS: [&str; 7] = ["0", "1", "2", "3", "-1", "1.5", "10"];
        Value::number(crate::value::parse_number(NUMBERS[self.below(NUMBERS.len())]).unwrap())
    }

    fn several(&mut self, one: fn(&mut Self) -> Value) -> Vec<Value> {
        (0..self.below(4)).map(|_| one(self)).collect()
    }

    fn any(&mut self) -> Value {
        match self.below(9) {
            0 => Value::null(),
            1 => Value::bool(self.below(2) == 0),
            2 => self.number(),
            3 | 4 => self.text(),
            5 => Value::tuple(self.several(Self::any)),
            6 => self.mapping(),
            _ => self.sequence(),
        }
    }

    fn mapping(&mut self) -> Value {
        let one = [Self::text, Self::any][self.below(2)];
        let values = self.several(one);
        let made = Value::object(["a", "b", "name"].into_iter().zip(values));
        let map = convert(made.clone(), &Type::map(Type::Any), &mut crate::eval::Arena::default());
        if self.below(2) == 0 { map.unwrap_or(made) } else { made }
    }

    fn sequence(&mut self) -> Value {
        let one = [Self::text, Self::number, Self::any][self.below(3)];
        let made = Value::tuple(self.several(one));
        let ty = [Type::list(Type::Any), Type::set(Type::Any), Type::Any][self.below(3)].clone();
        convert(made.clone(), &ty, &mut crate::eval::Arena::default()).unwrap_or(made)
    }

    fn argument(&mut self, takes: Takes) -> Value {
        match takes {
            Takes::Text => self.text(),
            Takes::Number => self.number(),
            Takes::Texts => Value::tuple(self.several(Self::text)),
            Takes::Numbers => Value::tuple(self.several(Self::number)),
            Takes::Elements | Takes::List | Takes::Sequence => self.sequence(),
            Takes::Mapping => self.mapping(),
            Takes::Collection => [Self::text, Self::sequence, Self::mapping][self.below(3)](self),
            Takes::Value | Takes::Anything => self.any(),
        }
    }

    fn arguments(&mut self, function: &Function) -> Vec<Value> {
        let mut made = Vec::new();
        for parameter in function.parameters {
            let times = match parameter.need {
                Need::Required => 1,
                Need::Optional => self.below(2),
                Need::Repeated => self.below(4),
            };
            (0..times).for_each(|_| made.push(self.argument(parameter.takes)));
        }
        made
    }
}

/// The arguments of the function's example, and drawn ones.
fn each_arguments(function: &Function) -> Vec<Vec<Value>> {
    let example = parse_expression(function.example.call, FileId(0)).unwrap();
    let Node::Call(call) = example.node else { panic!("{} is no call", function.example.call) };
    let mut scene = known();
    let values: Result<Vec<_>, _> =
        call.arguments.iter().map(|argument| crate::eval::evaluate(argument, &mut scene.names, &mut scene.arena)).collect();
    let mut made: Vec<_> = values.ok().filter(|_| !call.expand).into_iter().collect();
    if !matches!(function.group, Group::Control | Group::Files) {
        let mut draws = Draws(function.name.bytes().fold(11, |seed, byte| seed.wrapping_mul(31) + u64::from(byte)));
        made.extend((0..12).map(|_| draws.arguments(function)));
    }
    made
}

fn called(function: &Function, arguments: &[Value]) -> String {
    let names: Vec<_> = (0..arguments.len()).map(|at| format!("var.a{at}")).collect();
    format!("{}({})", function.name, names.join(", "))
}

/// A scene with the arguments as variables, each from an instance of its own name.
fn scene(arguments: &[Value]) -> Scene {
    let mut scene = known();
    for (at, value) in arguments.iter().enumerate() {
        let origin = scene.from(&format!("a{at}"));
        scene.names.variables.insert(format!("a{at}"), value.clone().with_origin(origin));
    }
    scene
}

/// Every function with every set of arguments, and the same with one hole: the scene without the hole, that with it, and what it is.
fn each_hole(hole: fn(&Value, &mut Scene) -> Value, mark: Marks, visit: &mut dyn FnMut(&Function, &str, Scene, Scene)) {
    for function in table() {
        for arguments in each_arguments(function) {
            for (at, value) in arguments.iter().enumerate() {
                for nth in 0..holes(value, &mut Value::clone).len() {
                    let (mut whole, mut with) = (scene(&arguments), scene(&arguments));
                    let origin = with.from(&format!("a{at}"));
                    let marked = holes(value, &mut |part| part.clone().marked(mark)).swap_remove(nth);
                    let open =
                        holes(value, &mut |part| hole(part, &mut with).marked(mark | part.marks()).with_origin(origin)).swap_remove(nth);
                    whole.names.variables.insert(format!("a{at}"), settled(&marked).with_origin(origin));
                    with.names.variables.insert(format!("a{at}"), settled(&open).with_origin(origin));
                    let shown: Vec<_> = arguments.iter().map(show).collect();
                    let place = format!("{}({}), hole {nth} of argument {at}", function.name, shown.join(", "));
                    let text = called(function, &arguments);
                    visit(function, &format!("{text}\n{place}"), whole, with);
                }
            }
        }
    }
}

/// The expression of a place that [`each_hole`] tells.
fn text(place: &str) -> &str {
    place.split('\n').next().unwrap()
}

/// Why a value that was shown in advance is contradicted by what came, if it is.
fn contradiction(before: &Value, after: &Value) -> Option<String> {
    let differ = || Some(format!("{} became {}", show(before), show(after)));
    match (before.data(), after.data()) {
        (Data::Unknown(ty, _), _) => {
            let plain = after.clone().without(Marks::SENSITIVE | Marks::EPHEMERAL);
            let fits = convert(plain.clone(), ty, &mut crate::eval::Arena::default()).is_ok_and(|made| show(&made) == show(&plain));
            if fits { None } else { Some(format!("{} is no {ty}", show(after))) }
        }
        (Data::Sequence(one), Data::Sequence(other)) => {
            let kind = |kind: &SequenceKind| std::mem::discriminant(kind);
            if let (SequenceKind::Set(_), SequenceKind::Set(_)) = (one.kind(), other.kind()) {
                // What is unknown may come to be what another element is.
                let lost = one.items().iter().find(|item| item.is_known() && !other.items().contains(item));
                return lost.and_then(|_| differ());
            }
            if kind(one.kind()) != kind(other.kind()) || one.items().len() != other.items().len() {
                return differ();
            }
            one.items().iter().zip(other.items()).find_map(|(one, other)| contradiction(one, other))
        }
        (Data::Mapping(one), Data::Mapping(other)) => {
            let kind = |kind: &MappingKind| std::mem::discriminant(kind);
            if kind(one.kind()) != kind(other.kind()) || one.entries().len() != other.entries().len() {
                return differ();
            }
            let mut pairs = one.entries().iter().zip(other.entries());
            pairs.find_map(|(one, other)| if one.key == other.key { contradiction(&one.value, &other.value) } else { differ() })
        }
        (one, other) => {
            if one == other {
                None
            } else {
                differ()
            }
        }
    }
}

/// Functions whose argument must be known while planning: they say so.
fn is_refused(problems: &Problems) -> bool {
    problems.iter().any(|problem| problem.summary == "path not known")
}

/// What a law found broken, once for each function.
#[derive(Default)]
struct Broken(BTreeMap<&'static str, String>);

impl Broken {
    fn note(&mut self, function: &Function, what: String) {
        self.0.entry(function.name).or_insert(what);
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        let all: Vec<_> = self.0.values().map(String::as_str).collect();
        assert!(all.is_empty() || std::thread::panicking(), "{}", all.join("\n\n"));
    }
}

#[test]
fn no_function_contradicts_later_what_it_gave_for_an_unknown() {
    let (mut later, mut parts, mut broken) = (0, 0, Broken::default());
    each_hole(deferred, Marks::NONE, &mut |function, place, mut whole, mut with| {
        let (now, partly) = (whole.evaluate(text(place)), with.evaluate(text(place)));
        let filled = partly.clone().and_then(|value| with.filled(&value));
        let (now, filled, partly) = match (now, filled, partly) {
            (Ok(now), Ok(filled), Ok(partly)) => (now, filled, partly),
            (Err(_), Err(_), _) => return,
            (_, Err(problems), _) if is_refused(&problems) => return,
            (now, filled, partly) => {
                let shown = |value: Result<Value, Problems>| value.map_or_else(|problems| problems[0].to_string(), |value| show(&value));
                broken.note(function, format!("{place}: {} at once, {} later, {} between", shown(now), shown(filled), shown(partly)));
                return;
            }
        };
        if show(&now) != show(&filled) {
            broken.note(function, format!("{place}: {} at once, {} later, {} between", show(&now), show(&filled), show(&partly)));
        }
        if let Some(why) = contradiction(&partly, &now) {
            broken.note(function, format!("{place}: {why}"));
        }
        if !partly.is_known() {
            let from = sources(&mut with, &partly);
            if let Some(source) = sources(&mut whole, &now).into_iter().find(|source| !from.contains(source)) {
                broken.note(function, format!("{place} comes from {from:?}, not from {source}"));
            }
            later += 1;
            parts += usize::from(!matches!(partly.data(), Data::Unknown(..)));
        }
    });
    assert!(later > 1_500 && parts > 150, "{later} values were left for later, {parts} in part");
}

#[test]
fn no_function_takes_what_is_pending_or_blocked_for_known() {
    let pending: fn(&Value, &mut Scene) -> Value = |part, _| Value::pending(type_of(part));
    let blocked: fn(&Value, &mut Scene) -> Value = |_, _| Value::blocked("why");
    // What is blocked has no type, so what does not look at it cannot say what it would become with it.
    let loosely = |value: &Value| show(value).replace(['"'], "").replace("list[", "[").replace("map{", "{");
    let mut broken = Broken::default();
    for (hole, said, typed) in [(pending, show as fn(&Value) -> String, true), (blocked, loosely, false)] {
        each_hole(hole, Marks::NONE, &mut |function, place, mut whole, mut with| match (
            whole.evaluate(text(place)),
            with.evaluate(text(place)),
        ) {
            (Ok(now), Ok(value)) if value.is_known() && said(&now) != said(&value) => {
                broken.note(function, format!("{place}: {}, then {}", show(&value), show(&now)));
            }
            (Err(problems), Ok(value)) if typed && value.is_known() => {
                broken.note(function, format!("{place}: {}, then {}", show(&value), problems[0]));
            }
            (Ok(now), Err(problems)) => broken.note(function, format!("{place}: {}, then {}", problems[0], show(&now))),
            (_, Ok(value)) if value.flags().has(Flags::UNKNOWN) => broken.note(function, format!("{place}: {}", show(&value))),
            _ => {}
        });
    }
}

#[test]
fn marks_travel_through_every_function_now_and_later() {
    let mut broken = Broken::default();
    for mark in [Marks::SENSITIVE, Marks::EPHEMERAL] {
        let mut marked = 0;
        each_hole(deferred, mark, &mut |function, place, mut whole, mut with| {
            let (Ok(now), Ok(partly)) = (whole.evaluate(text(place)), with.evaluate(text(place))) else { return };
            let Ok(filled) = with.filled(&partly) else { return };
            if matches!(function.name, "nonsensitive" | "ephemeralasnull") {
                return;
            }
            for later in [&partly, &filled] {
                if !later.marks().has(now.marks()) || !later.marks_within().has(now.marks_within()) {
                    broken.note(function, format!("{place}: {}, then {}", show(later), show(&now)));
                }
            }
            marked += usize::from(now.marks_within().has(mark));
        });
        assert!(marked > 1_000, "{marked} results were marked");
    }
}

/// A value as views show it.
pub(super) fn visible(value: &Value) -> String {
    if value.marks() != Marks::NONE {
        return "(hidden)".to_owned();
    }
    match value.data() {
        Data::Sequence(sequence) => format!("[{}]", sequence.items().iter().map(visible).collect::<Vec<_>>().join(", ")),
        Data::Mapping(mapping) => {
            let entries = mapping.entries().iter().map(|entry| format!("{} = {}", entry.key, visible(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        _ => show(value),
    }
}

/// Another value of the same type, as a secret might have been.
pub(super) fn another(value: &Value) -> Option<Value> {
    match value.data() {
        Data::String(text) => Some(Value::string(match &**text {
            "" => "b",
            "true" => "false",
            "10.0.0.0/8" => "10.1.0.0/16",
            "YWJj" => "YWJk",
            text if text.starts_with('2') => "2025-01-02T03:04:05Z",
            "7" => "8",
            "a" => "b",
            _ => "a",
        })),
        Data::Bool(value) => Some(Value::bool(!value)),
        Data::Number(number) if *number == 1.into() => Some(Value::number(2)),
        Data::Number(_) => Some(Value::number(1)),
        _ => None,
    }
}

#[test]
fn what_is_shown_of_a_result_is_the_same_whatever_the_secret_is() {
    let (mut compared, mut broken) = (0, Broken::default());
    for mark in [Marks::SENSITIVE, Marks::EPHEMERAL] {
        let alternative: fn(&Value, &mut Scene) -> Value = |part, _| another(part).unwrap_or_else(|| part.clone());
        each_hole(alternative, mark, &mut |function, place, mut whole, mut with| {
            if let (Ok(one), Ok(other)) = (whole.evaluate(text(place)), with.evaluate(text(place)))
                && function.name != "nonsensitive"
            {
                if visible(&one) != visible(&other) {
                    broken.note(function, format!("{place}: {} and {}", visible(&one), visible(&other)));
                }
                compared += 1;
            }
        });
    }
    assert!(compared > 2_000, "{compared} results were compared");
}
