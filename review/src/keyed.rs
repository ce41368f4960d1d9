//! Things of one block that are the same but for their keys, as one entry.

use crate::arguments::Arguments;
use crate::difference::{Difference, What};
use crate::entry::{Entry, shape};
use crate::merge::{ANY_KEY, merged, structure};
use crate::terminal::Unknowns;
use engine::address::{Address, Key};
use engine::plan::{Action, Reason};
use engine::value::Value;
use std::collections::BTreeMap;

/// Fewest things that stand together if they are the same but for their keys.
const FEWEST: usize = 4;
/// Fewest new things that stand together though they differ.
const MANY: usize = 20;

/// Entries with things of one block that go the same way as one, at the place of the first. What has members, or differs in a secret, stays
/// by itself: of two secrets nobody knows whether they are the same.
pub(crate) fn together(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Some(likeness) = likeness(entry) {
            groups.entry(likeness).or_default().push(at);
        }
    }
    let mut ones: BTreeMap<usize, Entry<'_>> = BTreeMap::new();
    let mut gone = vec![false; entries.len()];
    for group in groups.into_values().filter(|group| group.len() >= FEWEST) {
        let Some(one) = one(&group.iter().map(|at| &entries[*at]).collect::<Vec<_>>()) else { continue };
        for at in &group {
            gone[*at] = true;
        }
        ones.insert(group[0], one);
    }
    let kept = entries.into_iter().enumerate().filter_map(|(at, entry)| ones.remove(&at).or_else(|| (!gone[at]).then_some(entry)));
    kept.collect()
}

/// The same for entries that may stand together, if an entry may at all.
fn likeness(entry: &Entry<'_>) -> Option<String> {
    let [change] = entry.changes.as_slice() else { return None };
    let plain = entry.below.is_empty() && change.address.member.is_none() && change.deposed.is_none();
    let keyed = keys(&change.address).iter().any(|key| **key != Key::None);
    if !plain || !keyed || matches!(change.reason, Reason::Drift(_)) {
        return None;
    }
    let given = change.after.as_ref().filter(|_| change.before.is_none()).map(Value::entries).unwrap_or_default();
    let given: Vec<&str> = given.iter().filter(|entry| !entry.value.is_null()).map(|entry| &*entry.key).collect();
    let why = (&entry.reason, &entry.causes, &change.causes, &change.not_previewed);
    let places: Vec<String> = entry.places.iter().map(ToString::to_string).collect();
    let structure = entry.difference.as_ref().map(structure).unwrap_or_default();
    Some(format!("{} {:?} {why:?} {places:?} {given:?}\n{structure}", shape(&change.address), change.action))
}

/// Several as one, if that says of each what there is to say.
fn one<'a>(several: &[&Entry<'a>]) -> Option<Entry<'a>> {
    let first = several.first()?;
    let changes: Vec<_> = several.iter().map(|entry| entry.first()).collect();
    let addresses: Vec<&Address> = changes.iter().map(|change| &change.address).collect();
    let keys = names(&addresses);
    let differences: Vec<(&str, &Difference)> =
        keys.iter().zip(several).filter_map(|(key, entry)| Some((key.as_str(), entry.difference.as_ref()?))).collect();
    let difference = if differences.is_empty() { None } else { Some(merged(&differences, ANY_KEY)) };
    let alike = match &difference {
        Some(found) => tells(found),
        None if first.first().action == Action::Create => {
            several.len() >= MANY || Arguments::of_keys(&changes, &keys, &Unknowns::default()).varied.is_empty()
        }
        None => true,
    };
    let (places, reason, causes) = (first.places.clone(), first.reason.clone(), first.causes.clone());
    alike.then(|| Entry { changes, members: Vec::new(), keys, places, reason, difference, causes, below: Vec::new() })
}

/// Whether a difference of several says the same of all, and hides nothing.
fn tells(found: &Difference) -> bool {
    found.leaves.iter().all(|leaf| match &leaf.what {
        What::Each(_) | What::Secret | What::Veiled => false,
        What::Within(_, within) => tells(within),
        _ => true,
    })
}

fn keys(address: &Address) -> Vec<&Key> {
    address.module.steps().iter().map(|step| &step.key).chain([&address.key]).collect()
}

/// What each of these addresses of one shape is told from the others by.
fn names(addresses: &[&Address]) -> Vec<String> {
    let all: Vec<Vec<&Key>> = addresses.iter().map(|address| keys(address)).collect();
    let varies = |at: usize| all.iter().any(|keys| keys.get(at) != all[0].get(at));
    let text = |key: &Key| match key {
        Key::Text(text) => text.to_string(),
        other => other.to_string().trim_matches(['[', ']']).to_owned(),
    };
    let name =
        |keys: &Vec<&Key>| keys.iter().enumerate().filter(|(at, _)| varies(*at)).map(|(_, key)| text(key)).collect::<Vec<_>>().join(".");
    all.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Detail;
    use crate::review::Review;
    use crate::style::Style;
    use crate::terminal::{Layout, render};
    use engine::plan::{Change, Plan};

    fn address(key: &str) -> Address {
        Address::managed("k", "a").with_key(Key::Text(key.into()))
    }

    fn created(key: &str, input: Value) -> Change {
        let after = Value::object([("input", input), ("mode", Value::string("on"))]);
        Change { after: Some(after), ..Change::of(address(key), Action::Create, Reason::NotInState) }
    }

    fn updated(key: &str, before: &str, after: &str, secret: bool) -> Change {
        let side = |text: &str| Some(Value::object([("input", Value::string(text).sensitive_if(secret))]));
        let reason = Reason::Configuration(vec!["input".to_owned()]);
        Change { before: side(before), after: side(after), ..Change::of(address(key), Action::Update, reason) }
    }

    fn shown(changes: Vec<Change>, detail: Detail) -> String {
        let plan = Plan { changes, ..Plan::default() };
        let mut text = String::new();
        render(&plan, Layout { style: Style::Plain, width: 80, detail }, &mut |part| text.push_str(part));
        text.split("\n\n").next().unwrap_or_default().to_owned() + "\n"
    }

    #[test]
    fn what_differs_in_nothing_but_its_key_stands_once() {
        let keys: Vec<String> = (0..500).map(|number| format!("item-{number:03}")).collect();
        let all = |made: &dyn Fn(&str) -> Change| keys.iter().map(|key| made(key)).collect::<Vec<_>>();
        let of_keys = "        keys, of which `--detail full` shows each: item-000, item-001, item-002,\n          item-003,";
        for (changes, lines) in [
            (
                all(&|key| created(key, Value::string(format!("of {key}")))),
                "  +   k.a[*]  not in state, 500 of them\n        input  \"of {key}\"\n        mode   \"on\"\n",
            ),
            (
                all(&|key| created(key, Value::string(key.chars().rev().collect::<String>()))),
                "  +   k.a[*]  not in state, 500 of them\n        mode  \"on\"\n        not the same for all: input\n",
            ),
            (
                all(&|key| updated(key, key, &format!("{key}!"), false)),
                "  ~   k.a[*]  `input` changed in configuration, 500 of them\n        ~ input  \"{key}\" -> \"{key}!\"\n",
            ),
            (
                all(&|key| Change {
                    before: Some(Value::object([("input", Value::string(key))])),
                    ..Change::of(address(key), Action::Delete, Reason::NotInConfiguration)
                }),
                "  -   k.a[*]  not in configuration, 500 of them\n",
            ),
        ] {
            let text = shown(changes.clone(), Detail::Folded);
            assert!(text.starts_with(&format!("{lines}{of_keys}")), "{text}");
            assert!(text.lines().count() <= 7 && text.trim_end().ends_with(" more"), "{text}");
            let full = shown(changes, Detail::Full);
            assert!(keys.iter().all(|key| full.contains(&format!("k.a[\"{key}\"]"))));
        }
    }

    #[test]
    fn what_could_differ_unseen_stands_by_itself_and_secrets_read_the_same() {
        let keys = ["ka", "kb", "kc", "kd"];
        let secret = |key: &str| created(key, Value::string(format!("of {key}")).sensitive());
        let mut drifted: Vec<Change> = keys.iter().map(|key| updated(key, "a", "b", false)).collect();
        for change in &mut drifted {
            change.reason = Reason::Drift(engine::schema::Drift::default());
        }
        for (changes, lines) in [
            (keys.map(secret).to_vec(), 1),
            (keys.map(|key| updated(key, "a", "b", true)).to_vec(), 4),
            (keys.map(|key| updated(key, "a", &key.replace('k', "x"), false)).to_vec(), 4),
            (keys.map(|key| created(key, Value::string(key.replace('k', "x")))).to_vec(), 4),
            (keys[..3].iter().map(|key| created(key, Value::null())).collect(), 3),
            (keys.map(|key| created(key, Value::null())).to_vec(), 1),
            (drifted, 4),
        ] {
            let plan = Plan { changes, ..Plan::default() };
            let review = Review::of(&plan);
            assert_eq!(together(review.entries(Detail::Folded)).len(), lines, "{:?}", plan.changes[0]);
        }
    }

    #[test]
    fn numbers_and_modules_are_keys_as_well() {
        let numbered: Vec<Address> = (0..3).map(|number| Address::managed("k", "a").with_key(Key::Number(number))).collect();
        assert_eq!(names(&numbered.iter().collect::<Vec<_>>()), ["0", "1", "2"]);
    }
}
