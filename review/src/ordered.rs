//! Lists whose elements nothing names: what stayed is found first, then what moved, then what is most alike.

use crate::difference::{At, Mark, Walk, What};
use crate::moves::moved;
use crate::notation::{inline, step};
use crate::pem::legible;
use engine::value::{Data, Value, fingerprint};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Most pairs of elements that are looked at for likeness; beyond, elements are paired in their order.
const MOST_PAIRS: usize = 1024;

pub(crate) fn compare(walk: &mut Walk<'_>, at: At<'_>, before: &[Value], after: &[Value]) {
    let prints = |items: &[Value]| items.iter().map(fingerprint).collect::<Vec<_>>();
    let (old, new) = (prints(before), prints(after));
    let stands_elsewhere = elsewhere(&old, &new);
    let mut matched = Matched { before: stands_elsewhere.iter().map(|(from, _)| *from).collect(), after: BTreeSet::new() };
    matched.after.extend(stands_elsewhere.iter().map(|(_, to)| *to));
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let (_, from, to) = op.as_tag_tuple();
        if let DiffOp::Equal { old_index, new_index, len } = op {
            let stayed = (0..len).filter(|at| !matched.before.contains(&(old_index + at)) && !matched.after.contains(&(new_index + at)));
            walk.found.unchanged += stayed.count();
            continue;
        }
        let left = |range: std::ops::Range<usize>, taken: &BTreeSet<usize>| range.filter(|at| !taken.contains(at)).collect::<Vec<_>>();
        compare_region(walk, at, (before, &left(from, &matched.before)), (after, &left(to, &matched.after)));
    }
    for (from, to) in stands_elsewhere {
        walk.push(Mark::Move, &format!("{}[{to}]", at.path), What::Moved(from, to));
    }
}

/// Positions that need no further look.
struct Matched {
    before: BTreeSet<usize>,
    after: BTreeSet<usize>,
}

/// Where elements that are the same went if they are out of order: positions before and after.
fn elsewhere(old: &[String], new: &[String]) -> Vec<(usize, usize)> {
    let mut places: BTreeMap<&String, VecDeque<usize>> = BTreeMap::new();
    for (at, print) in old.iter().enumerate() {
        places.entry(print).or_default().push_back(at);
    }
    let pairs: Vec<(usize, usize)> =
        new.iter().enumerate().filter_map(|(to, print)| Some((places.get_mut(print)?.pop_front()?, to))).collect();
    let from: Vec<usize> = pairs.iter().map(|(from, _)| *from).collect();
    pairs.into_iter().zip(moved(&from)).filter_map(|(pair, moved)| moved.then_some(pair)).collect()
}

/// Elements of one side, and the positions that are meant.
type Part<'a> = (&'a [Value], &'a [usize]);

/// Compares what stands between two elements that stayed.
fn compare_region(walk: &mut Walk<'_>, at: At<'_>, (before, old): Part<'_>, (after, new): Part<'_>) {
    let pairs = pairs((before, old), (after, new));
    for from in old {
        match pairs.get(from) {
            Some(to) => walk.compare(At { path: &format!("{}[{to}]", at.path), ..at }, &before[*from], &after[*to]),
            None => walk.push(Mark::Remove, &format!("{}[{from}]", at.path), What::One(legible(&before[*from]))),
        }
    }
    for to in new.iter().filter(|to| !pairs.values().any(|paired| paired == *to)) {
        walk.push(Mark::Add, &format!("{}[{to}]", at.path), What::One(legible(&after[*to])));
    }
}

/// Which element becomes which: those most alike first; single values also if they are not alike at all.
fn pairs((before, old): Part<'_>, (after, new): Part<'_>) -> BTreeMap<usize, usize> {
    let mut pairs = BTreeMap::new();
    if old.len() * new.len() > MOST_PAIRS {
        pairs.extend(old.iter().copied().zip(new.iter().copied()));
        return pairs;
    }
    let traits = |items: &[Value], at: &[usize]| at.iter().map(|at| (*at, traits(&items[*at]))).collect::<Vec<_>>();
    let (old, new) = (traits(before, old), traits(after, new));
    let mut alike = Vec::new();
    for (from, left) in &old {
        for (to, right) in &new {
            let shared = left.intersection(right).count();
            let share = shared * 100 / left.len().max(right.len()).max(1);
            alike.push((std::cmp::Reverse(share), from.abs_diff(*to), *from, *to));
        }
    }
    alike.sort_unstable();
    let single = |value: &Value| !matches!(value.data(), Data::Mapping(_) | Data::Sequence(_));
    let mut taken = BTreeSet::new();
    for (std::cmp::Reverse(share), _, from, to) in alike {
        let fits = share > 0 || (single(&before[from]) && single(&after[to]));
        if fits && !pairs.contains_key(&from) && taken.insert(to) {
            pairs.insert(from, to);
        }
    }
    pairs
}

/// What there is to recognise an element by: its leaves with their paths, or the words of a text.
fn traits(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match value.data() {
        Data::String(text) => found.extend(text.split_inclusive(|c: char| !c.is_alphanumeric()).map(str::to_owned)),
        _ => collect("", value, &mut found),
    }
    found
}

fn collect(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value.data() {
        _ if value.is_marked_sensitive() => {}
        Data::Mapping(mapping) => mapping.entries().iter().for_each(|entry| collect(&step(path, &entry.key), &entry.value, found)),
        Data::Sequence(sequence) => sequence.items().iter().for_each(|item| collect(&format!("{path}[]"), item, found)),
        _ => {
            found.insert(format!("{path} {}", inline(value)));
            found.insert(path.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::difference::tests::lines;
    use crate::Difference;
    use engine::value::Value;
    use serde_json::json;

    #[test]
    fn elements_without_a_name_become_what_they_are_most_like() {
        let rule = |groups: &str, verbs: &[&str]| json!({ "apiGroups": [groups], "resources": ["x"], "verbs": verbs });
        for (before, after, expected) in [
            (
                json!([rule("a", &["get"]), rule("b", &["get", "list"])]),
                json!([rule("b", &["get", "list", "watch"])]),
                vec!["- l[0] { apiGroups = [\"a\"], resources = [\"x\"], verbs = [\"get\"] }", "+ l[0].verbs[2] \"watch\""],
            ),
            (json!([rule("a", &["get"]), rule("b", &[])]), json!([rule("b", &[]), rule("a", &["get"])]), vec!["> l[0] 1 -> 0"]),
            (json!(["--a=1", "--b=2"]), json!(["--b=3"]), vec!["- l[0] \"--a=1\"", "~ l[0] \"--b=2\" -> \"--b=3\""]),
            (json!(["a", "b", "c", "d"]), json!(["d", "a", "b", "c"]), vec!["> l[0] 3 -> 0"]),
            (json!(["a", "a"]), json!(["a"]), vec!["- l[1] \"a\""]),
            (json!([[1], [2]]), json!([[2], [3]]), vec!["- l[0] [1]", "+ l[1] [3]"]),
        ] {
            let object = |list: &serde_json::Value| Value::object([("l", Value::from_json(list))]);
            assert_eq!(lines(&Difference::between(&object(&before), &object(&after))), expected, "{before} {after}");
        }
    }

    #[test]
    fn long_lists_are_paired_in_their_order() {
        let list = |word: &str| Value::from_json(&json!((0..100).map(|n| json!({ "n": n, "w": word })).collect::<Vec<_>>()));
        let difference = Difference::between(&list("a"), &list("b"));
        assert_eq!(difference.changed(), 100);
    }
}
