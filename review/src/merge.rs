//! Differences of several things in one: what is the same for all once, the rest for each.

use crate::difference::{Difference, Leaf, What};
use engine::address::{Address, AddressParts, Key, ModulePath};
use engine::value::{Data, Instance, Sequence, Value};
use std::sync::Arc;

/// Tells differences of one structure from others: the same paths go the same way, whatever the values.
pub(crate) fn structure(difference: &Difference) -> String {
    let mut text = String::new();
    for leaf in &difference.leaves {
        let what = match &leaf.what {
            What::Within(language, within) => format!("{language}{{{}}}", structure(within)),
            What::Moved(..) => "moved".to_owned(),
            What::One(_) => "one".to_owned(),
            What::Line(_) => "line".to_owned(),
            What::Two(..) | What::Secret | What::Veiled | What::Each(_) => "two".to_owned(),
        };
        text.extend([&format!("{:?}", leaf.mark), " ", &leaf.path, " ", &what, "\n"]);
    }
    text
}

/// One difference for several of one structure, each with what it is called by.
/// `any` stands for what each is called.
pub(crate) fn merged(all: &[(&str, &Difference)], any: &str) -> Difference {
    let Some((_, first)) = all.first() else { return Difference::default() };
    let leaf = |(at, leaf): (usize, &Leaf)| {
        let each: Vec<(&str, &What)> = all.iter().filter_map(|(name, other)| Some((*name, &other.leaves.get(at)?.what))).collect();
        Leaf { what: together(&each, any), ..leaf.clone() }
    };
    let unchanged = all.iter().map(|(_, difference)| difference.unchanged).min().unwrap_or(0);
    Difference { leaves: first.leaves.iter().enumerate().map(leaf).collect(), unchanged }
}

fn together(each: &[(&str, &What)], any: &str) -> What {
    let within: Vec<(&str, &Difference)> = each
        .iter()
        .filter_map(|(name, what)| match what {
            What::Within(_, within) => Some((*name, within)),
            _ => None,
        })
        .collect();
    if let Some((_, What::Within(language, _))) = each.first() {
        return What::Within(language, merged(&within, any));
    }
    if let Some(common) = common(each, any) {
        return common;
    }
    let mut kinds: Vec<(String, &What)> = Vec::new();
    for (name, what) in each {
        match kinds.iter_mut().find(|(_, other)| other == what) {
            Some((names, _)) => names.extend([", ", *name]),
            None => kinds.push(((*name).to_owned(), what)),
        }
    }
    match kinds.as_slice() {
        [(_, only)] => (*only).clone(),
        _ => What::Each(kinds.into_iter().map(|(names, what)| (names, what.clone())).collect()),
    }
}

/// What is the same for all but for each one's own name in it, which `any` stands for.
fn common(each: &[(&str, &What)], any: &str) -> Option<What> {
    let mut found: Option<What> = None;
    for (name, what) in each {
        let what = match what {
            What::Two(before, after) => What::Two(without(before, name, any), without(after, name, any)),
            What::Line(line) => What::Line(without(line, name, any)),
            What::One(value) => What::One(anonymous(value, name, any)),
            other => (*other).clone(),
        };
        match &found {
            None => found = Some(what),
            Some(other) if *other == what => {}
            Some(_) => return None,
        }
    }
    found
}

/// Stands for the name of whichever place it is.
pub(crate) const ANY_PLACE: &str = "{cluster}";
/// Stands for whichever key it is.
pub(crate) const ANY_KEY: &str = "{key}";

fn without(text: &str, name: &str, any: &str) -> String {
    if name.chars().count() < 2 { text.to_owned() } else { text.replace(name, any) }
}

/// A value with `any` for a name, also in keys and in addresses.
pub(crate) fn anonymous(value: &Value, name: &str, any: &str) -> Value {
    if value.is_marked_sensitive() {
        return value.clone();
    }
    let key = |key: &Key| match key {
        Key::Text(text) => Key::Text(without(text, name, any).into()),
        other => other.clone(),
    };
    let data = match value.data() {
        Data::String(text) => Data::String(without(text, name, any).into()),
        Data::Sequence(sequence) => {
            let items = sequence.items().iter().map(|item| anonymous(item, name, any)).collect();
            Data::Sequence(Arc::new(Sequence::new(sequence.kind().clone(), items)))
        }
        Data::Mapping(mapping) => {
            return Value::object(
                mapping.entries().iter().map(|entry| (without(&entry.key, name, any), anonymous(&entry.value, name, any))),
            );
        }
        Data::Reference(instance) | Data::Instance(instance) => {
            let address = &instance.address;
            let steps = address.module.steps().iter();
            let module = steps.fold(ModulePath::root(), |path, step| path.child(&step.name, key(&step.key)));
            let address = Address::from(AddressParts { module, key: key(&address.key), ..AddressParts::clone(address) });
            Data::Reference(Arc::new(Instance { address, attributes: Value::null(), ..Instance::clone(instance) }))
        }
        _ => return value.clone(),
    };
    Value::new(data)
}

#[cfg(test)]
mod tests {
    use super::super::difference::tests::lines;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_places_own_name_is_no_difference() {
        let of = |name: &str, log: &str| {
            let after = json!({ "network": format!("network-{name}"), "nodes": { format!("{name}-a"): [name] }, "log": log });
            Difference::between(&Value::from_json(&json!({ "network": name })), &Value::from_json(&after))
        };
        let merged = merged(&[("c1", &of("c1", "x")), ("c2", &of("c2", "c1"))], ANY_PLACE);
        assert_eq!(
            lines(&merged),
            [
                "+ log c1: \"x\"; c2: \"c1\"",
                "~ network \"{cluster}\" -> \"network-{cluster}\"",
                "+ nodes { \"{cluster}-a\" = [\"{cluster}\"] }"
            ]
        );
    }

    #[test]
    fn what_is_the_same_for_all_is_told_once() {
        let of = |n: u32, log: &str| {
            let side = |v: u32, log: &str| json!({ "a": v, "b": format!("x: {log}\ny: 1\n"), "c": [v] });
            Difference::between(&Value::from_json(&side(0, "old")), &Value::from_json(&side(n, log)))
        };
        let (one, two, three) = (of(1, "new"), of(1, "new"), of(2, "newer"));
        assert_eq!(structure(&one), structure(&three));
        assert_ne!(structure(&one), structure(&Difference::default()));
        let merged = merged(&[("c1", &one), ("c2", &two), ("c3", &three)], ANY_PLACE);
        assert_eq!(
            lines(&merged),
            [
                "~ a c1, c2: 0 -> 1; c3: 0 -> 2",
                "~ b (yaml) ~ x c1, c2: \"old\" -> \"new\"; c3: \"old\" -> \"newer\"",
                "~ c[0] c1, c2: 0 -> 1; c3: 0 -> 2"
            ]
        );
        assert_eq!(merged.changed(), 6);
    }
}
