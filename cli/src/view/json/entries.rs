//! Changes as they are reviewed: what is the same of several things once, with what differs between them.

use super::{Masked, name};
use engine::address::Address;
use engine::plan::{Change, Plan};
use engine::value::Value;
use review::{Detail, Difference, Entry, Leaf, Mark, Review, What};
use serde_json::{Map, Value as Json, json};

/// Every entry of a plan, in the order of its review: replacements and deletions first.
pub fn entries(plan: &Plan) -> Vec<Json> {
    let review = Review::of(plan);
    review.entries(Detail::Folded).iter().map(|one| entry(&review, one)).collect()
}

fn entry<'a>(review: &Review<'a>, entry: &Entry<'a>) -> Json {
    let first = entry.first();
    let difference = entry.told();
    let causes = first.causes.iter().cloned().chain(review.goes_with(first)).chain(entry.causes.iter().cloned());
    let addresses = |changes: &[&Change]| changes.iter().map(|change| change.address.to_string()).collect::<Vec<_>>();
    let places = entry.places.iter().map(|place: &&Address| place.to_string());
    json!({
        "address": entry.address(),
        "addresses": addresses(&entry.changes),
        "deposed": first.deposed.as_deref(),
        "kind": &*first.kind,
        "action": name(first.action),
        "reason": { "code": first.reason.code(), "text": entry.reason },
        "places": places.collect::<Vec<_>>(),
        "members": entry.members,
        "differences": difference.as_ref().map(differences).unwrap_or_default(),
        "unchanged": difference.map_or(0, |difference| difference.unchanged),
        "causes": causes.collect::<Vec<_>>(),
        "not_previewed": first.not_previewed.as_deref(),
        "within": addresses(review.within(first)),
        "below": entry.below.iter().map(|below| self::entry(review, below)).collect::<Vec<_>>(),
    })
}

fn differences(difference: &Difference) -> Vec<Json> {
    let of = |leaf: &Leaf| {
        let mark = match leaf.mark {
            Mark::Add => "add",
            Mark::Change => "change",
            Mark::Remove => "remove",
            Mark::Move => "move",
        };
        let mut members = what(&leaf.what);
        members.extend([("mark".to_owned(), json!(mark)), ("path".to_owned(), json!(leaf.path))]);
        Json::Object(members)
    };
    difference.leaves.iter().map(of).collect()
}

/// What differs at a leaf; which members there are says what it is.
fn what(what: &What) -> Map<String, Json> {
    let members = match what {
        What::One(one) => return value(one),
        What::Two(before, after) => json!({ "before": before, "after": after }),
        What::Line(line) => json!({ "line": line }),
        What::Moved(from, to) => json!({ "from": from, "to": to }),
        What::Each(each) => {
            let of = |(names, what): &(String, What)| {
                let mut members = self::what(what);
                members.insert("in".to_owned(), json!(names));
                Json::Object(members)
            };
            json!({ "each": each.iter().map(of).collect::<Vec<_>>() })
        }
        What::Secret => json!({ "hidden": "sensitive" }),
        What::Veiled => json!({ "hidden": "fingerprint" }),
        What::Within(language, within) => {
            json!({ "language": language, "differences": differences(within), "unchanged": within.unchanged })
        }
    };
    match members {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

/// What comes or goes as a whole, without what may not be shown or is not known.
fn value(value: &Value) -> Map<String, Json> {
    let Masked { json, sensitive, unknown } = Masked::of(value);
    let mut members = Map::from_iter([("value".to_owned(), json)]);
    for (name, paths) in [("sensitive", sensitive), ("unknown", unknown)] {
        if !paths.is_empty() {
            members.insert(name.to_owned(), json!(paths));
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sort_of_difference_has_members_of_its_own() {
        let secret = Value::object([("a", Value::string("s3cret").sensitive()), ("b", Value::number(1))]);
        let two = What::Two("1".to_owned(), "2".to_owned());
        let within = Difference { leaves: vec![Leaf { mark: Mark::Add, path: "a".to_owned(), what: two.clone() }], unchanged: 3 };
        for (given, expected) in [
            (What::One(secret), json!({ "value": { "a": null, "b": 1 }, "sensitive": ["a"] })),
            (What::Line("x".to_owned()), json!({ "line": "x" })),
            (What::Moved(2, 0), json!({ "from": 2, "to": 0 })),
            (What::Secret, json!({ "hidden": "sensitive" })),
            (What::Veiled, json!({ "hidden": "fingerprint" })),
            (What::Each(vec![("c1, c2".to_owned(), two.clone())]), json!({ "each": [{ "in": "c1, c2", "before": "1", "after": "2" }] })),
            (
                What::Within("yaml", within),
                json!({ "language": "yaml", "unchanged": 3, "differences": [{ "mark": "add", "path": "a", "before": "1", "after": "2" }] }),
            ),
            (two, json!({ "before": "1", "after": "2" })),
        ] {
            assert_eq!(Json::Object(what(&given)), expected);
        }
    }
}
