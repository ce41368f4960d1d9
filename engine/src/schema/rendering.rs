//! What something outside renders a manifest set from, and what stands there for what is not known yet.

use super::Problem;
use crate::value::{Data, Entry, Mapping, Sequence, Type, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a manifest set is rendered from: the content of the question for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendering {
    /// The input, in the shape that the kind's provider reads. May hold unknowns.
    pub input: Value,
    /// Dotted paths within it at which a text that is not known yet counts as an IP address: what renders may treat names otherwise.
    pub addresses: &'static [&'static str],
}

/// Texts that stand for values which are not known yet while a set is rendered, each with the value it stands for. They hold letters, digits, `-`
/// or `.`, as names or IP addresses do, and nothing of what is known holds them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Placeholders(BTreeMap<Arc<str>, Value>);

/// A piece of a text that was rendered with placeholders.
enum Piece<'a> {
    /// It stands there whatever becomes known.
    Known(&'a str),
    /// The value that comes here.
    Open(&'a Value),
}

impl Placeholders {
    /// Placeholders by what they stand for.
    pub fn new(values: BTreeMap<Arc<str>, Value>) -> Self {
        Self(values)
    }

    /// What each stands for.
    pub fn values(&self) -> &BTreeMap<Arc<str>, Value> {
        &self.0
    }

    /// The input with placeholders for all texts in it that are not known yet, wholly known.
    ///
    /// Errors: something else than a text is not known yet.
    pub fn put(rendering: &Rendering) -> Result<(Value, Self), Problem> {
        if rendering.input.is_known() {
            return Ok((rendering.input.clone(), Self::default()));
        }
        let mut texts = Vec::new();
        collect(&rendering.input, &mut texts);
        let is_free = |stem: &str| !texts.iter().any(|text| text.contains(stem));
        let mut stem = "unknown-".to_owned();
        while !is_free(&stem) {
            stem.insert(0, 'x');
        }
        // Of the range that is reserved, in which nobody has an address.
        let net = (100..200).map(|second| format!("240.{second}.")).find(|net| is_free(net)).unwrap_or_default();
        let mut putting = Putting { stem, net, addresses: rendering.addresses, path: Vec::new(), put: Self::default() };
        let input = putting.put(&rendering.input)?;
        Ok((input, putting.put))
    }

    /// The value with unknowns where placeholders stand, alone or within longer texts. Whoever renders again fills them: they have no
    /// computation of their own.
    ///
    /// Errors: a key with a placeholder in it.
    pub fn taken_out(&self, value: &Value) -> Result<Value, Arc<str>> {
        Ok(self.opened(value)?.unwrap_or_else(|| value.clone()))
    }

    /// Whether a placeholder stands in a text.
    pub fn stand_in(&self, text: &str) -> bool {
        self.0.keys().any(|placeholder| text.contains(&**placeholder))
    }

    fn opened(&self, value: &Value) -> Result<Option<Value>, Arc<str>> {
        let made = match value.data() {
            Data::String(text) => {
                let mut within = self.0.iter().filter(|(placeholder, _)| text.contains(&***placeholder)).peekable();
                if within.peek().is_none() {
                    return Ok(None);
                }
                Value::unknown(Type::String).sensitive_if(within.any(|(_, value)| value.holds_sensitive()))
            }
            Data::Sequence(sequence) => {
                let opened = sequence.items().iter().map(|item| self.opened(item)).collect::<Result<Vec<_>, _>>()?;
                if opened.iter().all(Option::is_none) {
                    return Ok(None);
                }
                let items = opened.into_iter().zip(sequence.items()).map(|(opened, item)| opened.unwrap_or_else(|| item.clone()));
                Value::new(Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items.collect()))))
            }
            Data::Mapping(mapping) => {
                if let Some(entry) = mapping.entries().iter().find(|entry| self.stand_in(&entry.key)) {
                    return Err(entry.key.clone());
                }
                let opened = mapping.entries().iter().map(|entry| self.opened(&entry.value)).collect::<Result<Vec<_>, _>>()?;
                if opened.iter().all(Option::is_none) {
                    return Ok(None);
                }
                let entries = opened.into_iter().zip(mapping.entries());
                let entries = entries.map(|(opened, entry)| Entry::new(entry.key.clone(), opened.unwrap_or_else(|| entry.value.clone())));
                Value::new(Data::Mapping(Arc::new(Mapping::new(mapping.kind().clone(), entries.collect()))))
            }
            _ => return Ok(None),
        };
        Ok(Some(made.marked(value.marks())))
    }

    /// The dotted path of what was rendered otherwise than planned, if anything was. These placeholders stand for what became known; it may
    /// stand in quotes where they did not, and everything else has to be as it was. References, and what was unknown, do not count.
    pub fn departure(&self, planned: &Value, actual: &Value) -> Option<String> {
        let mut path = Vec::new();
        self.departs(planned, actual, &mut path).then(|| path.join("."))
    }

    fn departs(&self, planned: &Value, actual: &Value, path: &mut Vec<String>) -> bool {
        match (planned.data(), actual.data()) {
            (Data::Reference(_) | Data::Instance(_) | Data::Unknown(..), _) | (_, Data::Reference(_) | Data::Instance(_)) => false,
            (Data::String(planned), Data::String(actual)) => !fits(&self.pieces(planned), actual),
            (Data::Sequence(planned), Data::Sequence(actual)) => {
                let (planned, actual) = (planned.items(), actual.items());
                planned.len() != actual.len()
                    || planned.iter().zip(actual).enumerate().any(|(at, (planned, actual))| {
                        path.push(at.to_string());
                        let departs = self.departs(planned, actual, path);
                        if !departs {
                            path.pop();
                        }
                        departs
                    })
            }
            (Data::Mapping(planned), Data::Mapping(actual)) => {
                let (planned, actual) = (planned.entries(), actual.entries());
                planned.len() != actual.len()
                    || planned.iter().zip(actual).any(|(planned, actual)| {
                        path.push(planned.key.to_string());
                        let departs = planned.key != actual.key || self.departs(&planned.value, &actual.value, path);
                        if !departs {
                            path.pop();
                        }
                        departs
                    })
            }
            _ => planned.to_json() != actual.to_json(),
        }
    }

    fn pieces<'a>(&'a self, text: &'a str) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        let mut rest = text;
        let first = |rest: &str| {
            let found = self.0.iter().filter_map(|(placeholder, value)| Some((rest.find(&**placeholder)?, placeholder.len(), value)));
            found.min_by_key(|(at, ..)| *at)
        };
        while let Some((at, length, value)) = first(rest) {
            pieces.extend(rest.get(..at).filter(|known| !known.is_empty()).map(Piece::Known));
            pieces.push(Piece::Open(value));
            rest = rest.get(at + length..).unwrap_or_default();
        }
        pieces.push(Piece::Known(rest));
        pieces
    }
}

/// Whether a text consists of these pieces.
fn fits(pieces: &[Piece<'_>], text: &str) -> bool {
    match pieces.split_first() {
        None => text.is_empty(),
        Some((Piece::Known(known), more)) => text.strip_prefix(known).is_some_and(|rest| fits(more, rest)),
        Some((Piece::Open(value), more)) => {
            let Some(value) = value.as_str() else { return false };
            let after = |quote: &str| text.strip_prefix(quote)?.strip_prefix(value)?.strip_prefix(quote);
            ["", "\"", "'"].into_iter().filter_map(after).any(|rest| fits(more, rest))
        }
    }
}

fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    texts.extend(value.as_str());
    for entry in value.entries() {
        texts.push(&entry.key);
        collect(&entry.value, texts);
    }
    value.items().iter().for_each(|item| collect(item, texts));
}

/// An input that gets its placeholders.
struct Putting {
    stem: String,
    net: String,
    addresses: &'static [&'static str],
    path: Vec<Arc<str>>,
    put: Placeholders,
}

impl Putting {
    fn put(&mut self, value: &Value) -> Result<Value, Problem> {
        if value.is_known() {
            return Ok(value.clone());
        }
        let made = match value.data() {
            Data::Unknown(ty, _) if **ty == Type::String => Value::string(self.placeholder(value)),
            Data::Sequence(sequence) => {
                let mut items = Vec::with_capacity(sequence.items().len());
                for (at, item) in sequence.items().iter().enumerate() {
                    self.path.push(at.to_string().into());
                    items.push(self.put(item)?);
                    self.path.pop();
                }
                Value::tuple(items)
            }
            Data::Mapping(mapping) => {
                let mut entries = Vec::with_capacity(mapping.entries().len());
                for entry in mapping.entries() {
                    self.path.push(entry.key.clone());
                    entries.push((entry.key.clone(), self.put(&entry.value)?));
                    self.path.pop();
                }
                Value::object(entries)
            }
            _ => {
                let detail = format!(
                    "`{}` is known only after apply, and is no text as far as that can be told; what is rendered while planning can leave texts open, \
                     and nothing else",
                    self.path.join(".")
                );
                let help = "Give it a value that is known when planning, or make it a text with `tostring`.";
                return Err(Problem::new("not known when rendering", detail).help(help));
            }
        };
        // The placeholder of a secret is none.
        Ok(if matches!(value.data(), Data::Unknown(..)) { made } else { made.marked(value.marks()) })
    }

    /// What stands for a value: numbered in the order that the input gives.
    fn placeholder(&mut self, value: &Value) -> Arc<str> {
        let number = self.put.0.len();
        let path = self.path.join(".");
        let made: Arc<str> = if self.addresses.contains(&path.as_str()) && !self.net.is_empty() {
            format!("{}{}.{}", self.net, 100 + number / 100 % 100, 100 + number % 100).into()
        } else {
            // All of one length: none is the beginning of another.
            format!("{}{number:06}", self.stem).into()
        };
        self.put.0.insert(made.clone(), value.clone());
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn unknown() -> Value {
        Value::unknown(Type::String)
    }

    fn put(input: Value) -> Result<(Json, Placeholders), String> {
        let put = Placeholders::put(&Rendering { input, addresses: &["global.pilot"] });
        put.map(|(input, put)| (input.to_json().unwrap(), put)).map_err(|problem| problem.detail)
    }

    #[test]
    fn what_is_not_known_gets_a_text_that_nothing_else_holds() {
        let input = Value::object([
            ("a", unknown()),
            ("b", Value::tuple(vec![Value::string("known"), unknown()])),
            ("global", Value::object([("pilot", unknown()), ("other", Value::bool(true))])),
        ]);
        let (made, placeholders) = put(input.clone()).unwrap();
        let expected =
            json!({ "a": "unknown-000000", "b": ["known", "unknown-000001"], "global": { "pilot": "240.100.100.102", "other": true } });
        assert_eq!(made, expected);
        assert_eq!(placeholders.values().len(), 3);
        let taken = input.with_entries([("c", Value::string("an unknown-quantity at 240.100.1.1"))]);
        let (made, _) = put(taken).unwrap();
        assert_eq!((&made["a"], &made["global"]["pilot"]), (&json!("xunknown-000000"), &json!("240.101.100.102")));
        let known = Value::from_json(&json!({ "a": 1 }));
        assert_eq!(put(known), Ok((json!({ "a": 1 }), Placeholders::default())));
    }

    #[test]
    fn only_texts_are_left_open() {
        for ty in [Type::Number, Type::Bool, Type::Any] {
            let told = put(Value::object([("a", Value::object([("b", Value::unknown(ty))]))])).unwrap_err();
            assert!(told.starts_with("`a.b` is known only after apply"), "{told}");
        }
    }

    fn placeholders(values: &[(&str, Value)]) -> Placeholders {
        Placeholders::new(values.iter().map(|(name, value)| (Arc::from(*name), value.clone())).collect())
    }

    #[test]
    fn placeholders_become_unknown_again_wherever_they_stand() {
        let known = placeholders(&[("u-1", unknown()), ("u-2", unknown().sensitive())]);
        let rendered = json!({ "whole": "u-1", "within": "network: u-1\n", "list": ["a", "b u-2"], "known": { "a": [1, "b"] } });
        let opened = known.taken_out(&Value::from_json(&rendered)).unwrap();
        let is_open = |value: Option<&Value>| value.is_some_and(|value| !value.is_known());
        assert!(is_open(opened.get("whole")) && is_open(opened.get("within")));
        let list = opened.get("list").unwrap().items();
        assert!(list[0].is_known() && is_open(list.get(1)) && list[1].is_marked_sensitive());
        assert!(!opened.get("whole").unwrap().holds_sensitive());
        assert_eq!(opened.get("known").unwrap().to_json().unwrap(), rendered["known"]);
        assert_eq!(known.taken_out(&Value::from_json(&json!({ "a": { "x-u-1": 1 } }))), Err("x-u-1".into()));
    }

    #[test]
    fn only_what_stood_open_may_differ() {
        let known = placeholders(&[("u-1", Value::string("net")), ("u-2", Value::string("10.0.0.1"))]);
        let planned = json!({ "a": "u-1", "b": "network: u-1\nat: u-2\n", "c": ["x", 1], "d": null });
        let rows = [
            (json!({ "a": "net", "b": "network: net\nat: 10.0.0.1\n", "c": ["x", 1], "d": null }), None),
            (json!({ "a": "net", "b": "network: \"net\"\nat: '10.0.0.1'\n", "c": ["x", 1], "d": null }), None),
            (json!({ "a": "other", "b": "network: net\nat: 10.0.0.1\n", "c": ["x", 1], "d": null }), Some("a")),
            (json!({ "a": 1, "b": "network: net\nat: 10.0.0.1\n", "c": ["x", 1], "d": null }), Some("a")),
            (json!({ "a": "net", "b": "network: net\nand: more\nat: 10.0.0.1\n", "c": ["x", 1], "d": null }), Some("b")),
            (json!({ "a": "net", "b": "network: net\nat: 10.0.0.1\n", "c": ["x", 2], "d": null }), Some("c.1")),
            (json!({ "a": "net", "b": "network: net\nat: 10.0.0.1\n", "c": ["x"], "d": null }), Some("c")),
            (json!({ "a": "net", "b": "network: net\nat: 10.0.0.1\n", "c": ["x", 1], "e": null }), Some("d")),
            (json!({ "a": "net", "b": "network: net\nat: 10.0.0.1\n", "c": ["x", 1] }), Some("")),
        ];
        for (actual, expected) in rows {
            let departure = known.departure(&Value::from_json(&planned), &Value::from_json(&actual));
            assert_eq!(departure.as_deref(), expected, "{actual}");
        }
    }
}
