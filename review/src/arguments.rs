//! What new things are given, told of several at once.

use crate::clusters::Clusters;
use crate::merge::{ANY_KEY, ANY_PLACE, anonymous};
use crate::notation::inline;
use crate::terminal::Unknowns;
use engine::plan::Change;
use engine::value::{Data, Value};

/// The attributes of new things that say something: no nulls, no defaults.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// Each by its name, or by its name and the places that it holds for, with its value.
    pub(crate) known: Vec<(String, Value)>,
    /// Names of those that only apply makes known, and of which nothing more is to be said.
    pub(crate) unknown: Vec<String>,
    /// Names of those that are others for each of many.
    pub(crate) varied: Vec<String>,
}

/// What is to be said of an attribute: lines by their names.
type Values<'v> = dyn FnMut(&mut Arguments, &str) -> Vec<(String, Value)> + 'v;

impl Arguments {
    /// Of several new things of one shape those that are the same once, and the others for each place; a place itself goes without saying.
    pub(crate) fn of(changes: &[&Change], clusters: &Clusters<'_>, unknowns: &Unknowns) -> Self {
        Self::each(changes, unknowns, &mut |_, key| values(changes, clusters, key))
    }

    /// Of many new things of one block, which are told apart by these keys, those that are the same but for the key.
    pub(crate) fn of_keys(changes: &[&Change], keys: &[String], unknowns: &Unknowns) -> Self {
        Self::each(changes, unknowns, &mut |arguments, key| {
            if let Some(value) = alike(changes, keys, key) {
                vec![(key.to_owned(), value)]
            } else {
                arguments.varied.push(key.to_owned());
                Vec::new()
            }
        })
    }

    fn each(changes: &[&Change], unknowns: &Unknowns, values: &mut Values<'_>) -> Self {
        let mut arguments = Self::default();
        let Some(first) = changes.first() else { return arguments };
        for attribute in first.after.as_ref().map(Value::entries).unwrap_or_default() {
            match attribute.value.data() {
                Data::Null => {}
                _ if first.defaults.contains(&&*attribute.key) => {}
                Data::Unknown(..) if !unknowns.tells(&attribute.key) => arguments.unknown.push(attribute.key.to_string()),
                _ => {
                    let known = values(&mut arguments, &attribute.key);
                    arguments.known.extend(known);
                }
            }
        }
        arguments
    }
}

/// What an attribute is: once if it is the same for all, but for the name of the place.
pub(crate) fn values(changes: &[&Change], clusters: &Clusters<'_>, key: &str) -> Vec<(String, Value)> {
    let several = changes.len() > 1;
    let mut kinds: Vec<(Vec<String>, &Value)> = Vec::new();
    let mut alike: Vec<Value> = Vec::new();
    let mut own = several;
    for change in changes {
        let Some(value) = change.after.as_ref().and_then(|after| after.get(key)) else { continue };
        own &= matches!(value.data(), Data::Reference(place) if Some(&place.address) == change.place.as_ref());
        let place = clusters.place(change).map(|place| clusters.label(place)).unwrap_or_default();
        if several {
            alike.push(anonymous(value, &place, ANY_PLACE));
        }
        match kinds.iter_mut().find(|(_, other)| *other == value) {
            Some((places, _)) => places.push(place),
            None => kinds.push((vec![place], value)),
        }
    }
    alike.dedup_by(|one, other| inline(one) == inline(other));
    match (kinds.as_slice(), alike.as_slice()) {
        _ if own => Vec::new(),
        ([(_, only)], _) => vec![(key.to_owned(), (*only).clone())],
        (_, [only]) => vec![(key.to_owned(), only.clone())],
        _ => kinds.into_iter().map(|(places, value)| (format!("{key} in {}", places.join(", ")), value.clone())).collect(),
    }
}

/// What an attribute is if it reads the same for all, but for what each is called. What is secret reads the same whatever it is.
fn alike(changes: &[&Change], keys: &[String], key: &str) -> Option<Value> {
    let values: Vec<&Value> = changes.iter().map(|change| change.after.as_ref()?.get(key)).collect::<Option<_>>()?;
    let first = *values.first()?;
    let words = inline(first);
    if values.iter().all(|value| inline(value) == words) {
        return Some(first.clone());
    }
    let mut each = values.iter().zip(keys).map(|(value, name)| anonymous(value, name, ANY_KEY));
    let first = each.next()?;
    let words = inline(&first);
    each.all(|value| inline(&value) == words).then_some(first)
}
