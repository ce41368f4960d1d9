//! `for` expressions.

use super::evaluator::{Evaluator, problem_with_help};
use super::strict::{Open, first, literal, strict};
use crate::config::{Expr, For, ForResult, Node};
use crate::diagnostic::Problems;
use crate::source::Span;
use crate::value::{Data, Entry, Mapping, MappingKind, Type, Value};
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
        for (key, value) in pairs {
            let depth = self.bind(body.key.as_ref(), key, &body.value, value);
            match self.round(body) {
                Ok(round) => rounds.push(round),
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
        let sensitive =
            collection.is_marked_sensitive() || rounds.iter().any(|round| round.decisions.iter().any(Value::is_marked_sensitive));
        let made = match &body.result {
            ForResult::Tuple(_) => Value::tuple(rounds.into_iter().filter_map(|round| round.value).collect()),
            ForResult::Object { key, group: false, .. } => object(rounds, key.span)?,
            ForResult::Object { .. } => self.grouped(rounds),
        };
        let origin = match collection.data() {
            Data::Instance(instance) => super::instance_origin(&collection, instance, self.arena),
            _ => collection.origin(),
        };
        Ok(made.with_origin(origin).sensitive_if(sensitive))
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

/// Why a collection cannot be walked yet, if it cannot.
pub(super) fn not_walked(collection: &Value) -> Option<Open> {
    match collection.data() {
        Data::Instance(instance) => Open::of(&instance.attributes),
        _ => Open::of(collection),
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
    let sensitive = rounds.iter().any(|round| round.key.as_ref().is_some_and(Value::is_marked_sensitive));
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
