//! `for` expressions.

use super::evaluator::{Evaluator, problem_with_help};
use super::size::{MOST_VALUE, too_large};
use super::strict::{Open, first, literal, strict};
use crate::config::{Expr, For, ForResult, Node};
use crate::diagnostic::Problems;
use crate::source::Span;
use crate::value::{Data, Entry, Mapping, MappingKind, Marks, SequenceKind, Type, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one round of a `for` gave.
struct Round {
    /// The condition and the key, if there are any: what decides whether and where the value goes.
    decisions: Vec<Value>,
    /// The key; of a tuple none.
    key: Option<Value>,
    /// The value, unless the condition leaves it out.
    value: Option<Value>,
}

impl Evaluator<'_> {
    /// `[for …]`, `{for …}`
    pub(super) fn repeat(&mut self, body: &For, span: Span) -> Result<Value, Problems> {
        let collection = self.expression(&body.collection)?;
        if let Some(open) = not_walked(&collection) {
            return self.repeat_later(body, collection, Some(open), span);
        }
        let pairs = self.pairs(&collection, body.collection.span)?;
        let mut rounds = Vec::with_capacity(pairs.len());
        let mut problems = Vec::new();
        let mut unfolded = 0_usize;
        for (key, value) in pairs {
            if let Err(too_much) = self.begin_round(span) {
                return Err(if problems.is_empty() { too_much } else { problems });
            }
            let depth = self.bind(body.key.as_ref(), key, &body.value, value);
            match self.round(body) {
                Ok(round) => {
                    unfolded = unfolded.saturating_add(round.value.as_ref().map_or(0, |value| value.extent().bytes()));
                    if unfolded > MOST_VALUE {
                        return Err(too_large(span));
                    }
                    rounds.push(round);
                }
                Err(more) => more.into_iter().for_each(|one| {
                    if !problems.contains(&one) {
                        problems.push(one);
                    }
                }),
            }
            self.bound.truncate(depth);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        if let Some(open) = strict(rounds.iter().flat_map(|round| &round.decisions)) {
            let open = first(Some(open), strict(rounds.iter().filter_map(|round| round.value.as_ref())));
            return self.repeat_later(body, collection, open, span);
        }
        let marks = collection.marks() | Marks::of(rounds.iter().flat_map(|round| &round.decisions));
        let made = match &body.result {
            ForResult::Tuple(_) => Value::tuple(rounds.into_iter().filter_map(|round| round.value).collect()),
            ForResult::Object { key, group: false, .. } => object(rounds, key.span)?,
            ForResult::Object { .. } => self.grouped(rounds),
        };
        let origin = match collection.data() {
            Data::Instance(instance) => super::instance_origin(&collection, instance, self.arena),
            _ => collection.origin(),
        };
        Ok(made.with_origin(origin).marked(marks))
    }

    /// Binds the names of a `for`; the depth to truncate to afterwards.
    pub(super) fn bind(&mut self, key_name: Option<&Arc<str>>, key: Value, name: &Arc<str>, value: Value) -> usize {
        let depth = self.bound.len();
        if let Some(key_name) = key_name {
            self.bound.push((key_name.clone(), key));
        }
        self.bound.push((name.clone(), value));
        depth
    }

    fn repeat_later(&mut self, body: &For, collection: Value, open: Option<Open>, span: Span) -> Result<Value, Problems> {
        let collection = literal(collection, body.collection.span);
        let body = For { collection, ..body.clone() };
        self.lazily(&Expr::new(Node::For(Box::new(body)), span), Type::Any, open)
    }

    fn round(&mut self, body: &For) -> Result<Round, Problems> {
        let mut decisions = Vec::new();
        if let Some(condition) = &body.condition {
            let value = self.expression(condition)?;
            let value = self.truth(value, "condition of `for`", condition.span)?;
            let taken = value.as_bool() == Some(true);
            decisions.push(value);
            // Where the condition is open, whether the rest has a value at all is not known either.
            if !taken {
                return Ok(Round { decisions, key: None, value: None });
            }
        }
        match &body.result {
            ForResult::Tuple(value) => Ok(Round { decisions, key: None, value: Some(self.expression(value)?) }),
            ForResult::Object { key, value, .. } => {
                let (key, value) = super::evaluator::both(self.key(key), self.expression(value))?;
                decisions.push(key.clone());
                Ok(Round { decisions, key: Some(key), value: Some(value) })
            }
        }
    }

    fn grouped(&mut self, rounds: Vec<Round>) -> Value {
        let mut groups: BTreeMap<Arc<str>, (Vec<crate::value::Origin>, Vec<Value>)> = BTreeMap::new();
        for (name, origin, value) in named(rounds) {
            let group = groups.entry(name).or_default();
            group.0.push(origin);
            group.1.push(value);
        }
        let entries = groups.into_iter().map(|(key, (origins, values))| {
            let key_origin = self.arena.origins.join(&origins);
            Entry { key, key_origin, value: Value::tuple(values) }
        });
        let entries = entries.collect();
        Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Object, entries))))
    }
}

/// Why it is not known which elements a value has, and in which order. In a set of several an unknown one may turn out to equal another one,
/// and has no place before.
pub(super) fn unordered(value: &Value) -> Option<Open> {
    match value.data() {
        Data::Sequence(sequence) if matches!(sequence.kind(), SequenceKind::Set(_)) && sequence.items().len() > 1 => strict([value]),
        _ => Open::of(value),
    }
}

/// Why a collection cannot be walked yet, if it cannot.
pub(super) fn not_walked(collection: &Value) -> Option<Open> {
    match collection.data() {
        Data::Instance(instance) => Open::of(&instance.attributes),
        _ => unordered(collection),
    }
}

fn named(rounds: Vec<Round>) -> impl Iterator<Item = (Arc<str>, crate::value::Origin, Value)> {
    rounds.into_iter().filter_map(|round| {
        let (key, value) = (round.key?, round.value?);
        let Data::String(name) = key.data() else { return None };
        Some((name.clone(), key.origin(), value))
    })
}

fn object(rounds: Vec<Round>, span: Span) -> Result<Value, Problems> {
    let sensitive = rounds.iter().any(|round| round.key.as_ref().is_some_and(Value::is_hidden));
    let mut entries: BTreeMap<Arc<str>, Entry> = BTreeMap::new();
    for (key, key_origin, value) in named(rounds) {
        if entries.contains_key(&key) {
            let shown = if sensitive { "one key".to_owned() } else { format!("the key `{key}`") };
            let detail = format!("two elements give {shown}");
            let help = "make the keys distinct, or group their values with `...` after the value";
            return Err(problem_with_help("duplicate object key", detail, help, span));
        }
        entries.insert(key.clone(), Entry { key, key_origin, value });
    }
    Ok(Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Object, entries.into_values().collect())))))
}

#[cfg(test)]
mod tests {
    use crate::eval::scene::Scene;
    use crate::value::{Type, Value};

    fn scene() -> Scene {
        Scene::new([
            ("u", Value::unknown(Type::String)),
            ("ub", Value::unknown(Type::Bool)),
            ("ul", Value::unknown(Type::list(Type::String))),
            ("p", Value::pending(Type::Any)),
            ("b", Value::blocked("why")),
            ("n", Value::null()),
            ("t", Value::tuple(vec![Value::string("a"), Value::unknown(Type::String), Value::string("a")])),
            ("secret", Value::string("k").sensitive()),
        ])
    }

    #[test]
    fn loops_over_what_is_known() {
        for (text, expected) in [
            ("[for x in [1, 2] : x * 2]", "[2, 4]"),
            ("[for i, x in [\"a\", \"b\"] : \"${i}${x}\"]", "[\"0a\", \"1b\"]"),
            ("[for k, v in {b = 1, a = 2} : k]", "[\"a\", \"b\"]"),
            ("[for v in {b = 1, a = 2} : v]", "[2, 1]"),
            ("[for x in [1, null, 2] : x if x != null]", "[1, 2]"),
            ("[for x in [1] : x if \"true\"]", "[1]"),
            ("[for x in [] : x]", "[]"),
            ("{for x in [\"a\", \"b\"] : x => 1}", "{a=1, b=1}"),
            ("{for i, x in [\"a\", \"b\", \"a\"] : x => i...}", "{a=[0, 2], b=[1]}"),
            ("{for x in [1, 2] : x => x if x > 1}", "{2=2}"),
            ("[for x in [[1, 2], [3]] : [for y in x : y + 1]]", "[[2, 3], [4]]"),
            ("[for x in [1, 2] : [for x in [x] : x]]", "[[1], [2]]"),
            ("[for x in [{a = [1]}] : x[*].a[*]]", "[[[1]]]"),
            ("[for x in [for y in [1, 2] : y + 1] : x]", "[2, 3]"),
        ] {
            assert_eq!(Scene::default().show(text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_walked_or_keyed_is_an_error() {
        let mut scene = scene();
        for (text, expected) in [
            ("[for x in var.n : x]", "iteration over null: what `for` walks is null here"),
            ("[for x in \"a\" : x]", "nothing to iterate over: `for` walks lists, sets, tuples, maps and objects; this is a string"),
            ("{for x in [\"a\", \"a\"] : x => 1}", "duplicate object key: two elements give the key `a`"),
            ("{for x in [1, 2] : var.secret => x}", "duplicate object key: two elements give one key"),
            ("{for x in [1] : var.n => x}", "null as key: a key of an object is null here; keys are strings"),
            ("[for x in [1] : x if var.n]", "null condition: the condition of `for` is null here; it must be `true` or `false`"),
            ("[for x in [1] : x if x]", "unsuitable value: the condition of `for` does not fit: a bool is required, found a number"),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn one_open_element_is_no_open_collection_but_one_open_key_is() {
        let mut scene = scene();
        for (text, expected) in [
            ("[for x in var.t : x]", "[\"a\", ?string, \"a\"]"),
            ("[for x in var.t : \"${x}!\"]", "[\"a!\", ?string, \"a!\"]"),
            ("{for i, x in var.t : i => x}", "{0=\"a\", 1=?string, 2=\"a\"}"),
            ("{for i, x in [var.u] : x => i}", "?any"),
            ("{for x in var.t : x => 1...}", "?any"),
            ("[for x in var.t : x if x == \"a\"]", "?any"),
            ("[for x in [1, 2] : var.p if var.ub]", "…any"),
            ("[for x in [var.u, var.b] : 1 if x == \"a\"]", "!why"),
            ("[for x in var.ul : x]", "?any"),
            ("[for x in var.ul : var.p]", "…any"),
            ("[for x in var.ul : var.b]", "!why"),
            ("[for x in var.p : x]", "…any"),
            ("[for x in var.b : x]", "!why"),
            ("[for x in [1, var.p] : x]", "[1, …any]"),
            ("[for x in [var.u, 1] : x if false]", "[]"),
        ] {
            assert_eq!(scene.show(text), expected, "{text}");
        }
    }

    #[test]
    fn keys_carry_their_origins_on() {
        let mut scene = Scene::default();
        let [a, b, own] = ["a", "b", "own"].map(|name| scene.from(name));
        let entry = |key: &str, origin| crate::value::Entry { key_origin: origin, ..crate::value::Entry::new(key, Value::number(1)) };
        let mapping = crate::value::Mapping::new(crate::value::MappingKind::Object, vec![entry("a", a), entry("b", b)]);
        let group = Value::new(crate::value::Data::Mapping(std::sync::Arc::new(mapping)));
        scene.names.variables.insert("g".to_owned(), group.clone());
        scene.names.variables.insert("h".to_owned(), group.with_origin(own));
        for (text, expected) in [
            ("[for k, v in var.g : k][0]", "a"),
            ("[for k, v in var.g : v][0]", ""),
            ("[for k, v in var.h : k][0]", "a own"),
            ("[for k, v in var.h : 0]", "own"),
            ("{for k, v in var.g : k => v}.a", ""),
            ("{for k, v in var.g : k => v}", "a b"),
            ("[for k, v in {for k, v in var.g : \"${k}-x\" => v} : k if k == \"b-x\"]", "b"),
            ("{for k, v in var.g : k => v...}", "a b"),
            ("var.g[\"a\"]", ""),
        ] {
            let value = scene.value(text);
            assert_eq!(scene.sources(&value), expected, "{text}");
        }
    }
}
