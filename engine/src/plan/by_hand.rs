//! What people change in a state without touching the world: addresses move, things are forgotten.

use super::moves::target;
use crate::address::{Address, Key};
use crate::config::Subject;
use crate::diagnostic::{Diagnostic, Problems, did_you_mean};
use crate::state::{Entry, Record, State};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Most addresses that one message names.
const MOST_NAMED: usize = 5;

/// The entries that move what one subject covers to another, with members, deposed objects and places, in order of the old addresses.
pub fn rename(state: &State, from: &Subject, to: &Subject) -> Result<Vec<Entry>, Problems> {
    let known = addresses(state);
    if !known.iter().any(|address| from.covers(address)) {
        return Err(vec![not_in_state(from, &known)]);
    }
    if let Some(detail) = why_not(from, to) {
        return Err(vec![Diagnostic::error("invalid move", detail)]);
    }
    let moved: Vec<_> = known.iter().filter_map(|address| Some((address.clone(), target(&[], (from, to), address)?))).collect();
    if moved.is_empty() {
        return Err(vec![not_in_state(from, &known)]);
    }
    let taken: Vec<&Address> = moved.iter().map(|(_, to)| to).filter(|to| known.contains(to)).collect();
    if !taken.is_empty() {
        let detail = format!("the state has {} already", listed(&taken));
        return Err(vec![Diagnostic::error("address taken", detail).help("Move or forget what is there first.")]);
    }
    if let Some(detail) = mixed(&moved, &known) {
        return Err(vec![
            Diagnostic::error("address taken", detail).help("Give what is moved a key as well, or move what is there first."),
        ]);
    }
    Ok(moved.into_iter().map(|(from, to)| Entry::Move { from, to }).collect())
}

/// Why something cannot come to a block that has other instances: none has one without a key and others with one. Within one block they
/// move one by one.
fn mixed(moved: &[(Address, Address)], known: &BTreeSet<Address>) -> Option<String> {
    let stays = |address: &&Address| moved.iter().all(|(from, _)| from != *address);
    moved.iter().find_map(|(from, to)| {
        let all = Subject::Resource(to.parent().unwrap_or_else(|| to.clone()).with_key(Key::None));
        let beside = |other: &&Address| all.covers(other) && !all.covers(from) && (other.key == Key::None) != (to.key == Key::None);
        let others: Vec<&Address> = known.iter().filter(stays).filter(beside).filter(|other| other.member.is_none()).collect();
        (!others.is_empty()).then(|| format!("`{to}` cannot stand beside {}, which the state has", listed(&others)))
    })
}

/// Why nothing can move from one to the other, whatever the state holds.
fn why_not(from: &Subject, to: &Subject) -> Option<String> {
    match (from, to) {
        (Subject::Resource(from), Subject::Resource(to)) if (from.mode, &from.kind) != (to.mode, &to.kind) => {
            Some(format!("`{from}` cannot become `{to}`: a thing keeps its kind"))
        }
        (Subject::Resource(member), _) | (_, Subject::Resource(member)) if member.member.is_some() => {
            Some(format!("`{member}` is a member of a set, and moves with it"))
        }
        (Subject::Module(_), Subject::Resource(_)) => Some("a module cannot become a resource".to_owned()),
        (Subject::Resource(_), Subject::Module(_)) => Some("a resource cannot become a module".to_owned()),
        (from, to) => (from == to).then(|| format!("`{from}` stays where it is")),
    }
}

/// The entries that forget all that some subjects cover. What depends on it takes over its edges. A place goes only together with all
/// that lies in it; one that a data source describes goes unasked once nothing lies in it any more.
pub fn forget(state: &State, subjects: &[Subject]) -> Result<Vec<Entry>, Problems> {
    let known = addresses(state);
    let mut gone: BTreeSet<Address> = BTreeSet::new();
    let mut problems = Problems::new();
    for subject in subjects {
        let covered: Vec<Address> = known.iter().filter(|address| subject.covers(address)).cloned().collect();
        if covered.is_empty() {
            problems.push(not_in_state(subject, &known));
        }
        gone.extend(covered);
    }
    let places: Vec<&Address> = gone.iter().filter(|address| state.places.contains_key(address)).collect();
    for place in &places {
        let within = state.within(place);
        let left: Vec<&Address> = within.difference(&gone).collect();
        if !left.is_empty() {
            let detail = format!("`{place}` holds {}, which nobody could reach any more without it", listed(&left));
            problems.push(
                Diagnostic::error("place not empty", detail).about(place).help("Name all that lies in it as well, or leave the place."),
            );
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut entries = handed_on(state, &gone);
    let objects = state.records().filter(|(address, ..)| gone.contains(address));
    entries.extend(objects.map(|(address, key, _)| Entry::Remove { address: address.clone(), deposed: key.cloned() }));
    let emptied = state.places.keys().filter(|place| {
        let within = state.within(place);
        state.record(place).is_none() && !within.is_empty() && within.is_subset(&gone)
    });
    let all: BTreeSet<&Address> = places.into_iter().chain(emptied).collect();
    entries.extend(all.into_iter().map(|address| Entry::RemovePlace { address: address.clone() }));
    Ok(entries)
}

/// What is left and depends on what goes, with the edges of that in place of it.
fn handed_on(state: &State, gone: &BTreeSet<Address>) -> Vec<Entry> {
    let mut edges: BTreeMap<&Address, BTreeSet<&Address>> = BTreeMap::new();
    for (address, _, record) in state.records().filter(|(address, ..)| gone.contains(address)) {
        edges.entry(address).or_default().extend(&record.depends_on);
    }
    let mut entries = Vec::new();
    for (address, key, record) in state.records().filter(|(address, ..)| !gone.contains(address)) {
        if record.depends_on.is_disjoint(gone) {
            continue;
        }
        let (mut open, mut seen): (Vec<&Address>, BTreeSet<&Address>) = (record.depends_on.iter().collect(), BTreeSet::new());
        while let Some(edge) = open.pop() {
            if seen.insert(edge) && gone.contains(edge) {
                open.extend(edges.get(edge).into_iter().flatten());
            }
        }
        let depends_on = seen.into_iter().filter(|edge| !gone.contains(edge) && *edge != address).cloned().collect();
        let record = Record { depends_on, ..record.clone() };
        entries.push(Entry::Put { address: address.clone(), deposed: key.cloned(), record });
    }
    entries
}

/// Everything that is remembered under an address: resources, and the places that data sources describe.
fn addresses(state: &State) -> BTreeSet<Address> {
    state.resources.keys().chain(state.places.keys()).cloned().collect()
}

fn not_in_state(subject: &Subject, known: &BTreeSet<Address>) -> Diagnostic {
    let problem = Diagnostic::error("not in state", format!("nothing is remembered under `{subject}`"));
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    match did_you_mean(&subject.to_string(), known.iter().map(String::as_str)) {
        Some(near) => problem.help(format!("Did you mean `{near}`?")),
        None => problem.help("`meshplan state list` shows all addresses."),
    }
}

/// A few of them by name, and how many others.
fn listed(addresses: &[&impl Display]) -> String {
    let named: Vec<String> = addresses.iter().take(MOST_NAMED).map(|address| format!("`{address}`")).collect();
    match addresses.len().checked_sub(MOST_NAMED).filter(|others| *others > 0) {
        Some(others) => format!("{} and {others} more", named.join(", ")),
        None => named.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Connect, Place, RecordId};

    fn at(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn subject(text: &str) -> Subject {
        text.parse().unwrap()
    }

    /// Records with their place and edges, and a place at each address that something lies in.
    fn state(records: &[(&str, Option<&str>, &[&str])]) -> State {
        let mut state = State::default();
        for (address, place, edges) in records {
            let mut record = Record::new(RecordId::new(address), "k");
            record.place = place.map(at);
            record.depends_on = edges.iter().map(|edge| at(edge)).collect();
            state.apply(&Entry::Put { address: at(address), deposed: None, record });
            if let Some(place) = place {
                let known = Place { kind: "k".into(), uid: None, server: None, ca_fingerprint: None, connect: Connect::Record };
                state.apply(&Entry::PutPlace { address: at(place), place: known });
            }
        }
        state
    }

    fn mesh() -> State {
        state(&[
            ("c.one", None, &[]),
            ("k.a[\"x\"]", Some("c.one"), &["c.one"]),
            ("k.a[\"y\"]", Some("data.d.two"), &[]),
            ("k.a[\"y\"]/Kind/n", Some("data.d.two"), &["k.a[\"y\"]"]),
            ("module.m.k.b", Some("c.one"), &["k.a[\"x\"]"]),
            ("k.last", None, &["module.m.k.b"]),
        ])
    }

    fn after(state: &State, entries: &[Entry]) -> State {
        entries.iter().fold(state.clone(), |mut state, entry| {
            state.apply(entry);
            state
        })
    }

    fn names(state: &State) -> Vec<String> {
        state.resources.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn instances_blocks_modules_and_places_move() {
        for (from, to, gone, there) in [
            ("k.last", "k.first", "k.last", "k.first"),
            ("k.last", "module.n[0].k.last", "k.last", "module.n[0].k.last"),
            ("k.a", "k.z", "k.a[\"y\"]/Kind/n", "k.z[\"y\"]/Kind/n"),
            ("k.a[\"x\"]", "k.z", "k.a[\"x\"]", "k.z"),
            ("module.m", "module.n[\"x\"]", "module.m.k.b", "module.n[\"x\"].k.b"),
        ] {
            let entries = rename(&mesh(), &subject(from), &subject(to)).unwrap();
            let moved = after(&mesh(), &entries);
            assert!(
                names(&moved).contains(&there.to_owned()) && !names(&moved).contains(&gone.to_owned()),
                "{from} {to}: {:?}",
                names(&moved)
            );
            let mut edges = moved.records().flat_map(|(_, _, record)| record.depends_on.iter().chain(&record.place));
            let known = addresses(&moved);
            assert!(edges.all(|edge| known.contains(edge)), "{from} {to}: {moved:?}");
        }
        let moved = after(&mesh(), &rename(&mesh(), &subject("data.d.two"), &subject("data.d.three")).unwrap());
        assert_eq!(moved.record(&at("k.a[\"y\"]")).unwrap().place, Some(at("data.d.three")));
        assert!(moved.places.contains_key(&at("data.d.three")) && !moved.places.contains_key(&at("data.d.two")));
    }

    #[test]
    fn a_move_that_makes_no_sense_is_refused() {
        for (from, to, why) in [
            ("k.last", "other.last", "invalid move: `k.last` cannot become `other.last`: a thing keeps its kind"),
            ("k.last", "data.k.last", "invalid move: `k.last` cannot become `data.k.last`: a thing keeps its kind"),
            ("module.m", "k.last", "invalid move: a module cannot become a resource"),
            ("k.last", "module.m", "invalid move: a resource cannot become a module"),
            ("k.last", "k.last", "invalid move: `k.last` stays where it is"),
            ("k.a[\"y\"]/Kind/n", "k.last", "invalid move: `k.a[\"y\"]/Kind/n` is a member of a set, and moves with it"),
            ("k.missing", "k.b", "not in state: nothing is remembered under `k.missing`"),
            ("k.last", "k.a[\"x\"]", "address taken: the state has `k.a[\"x\"]` already"),
            ("k.last", "k.a", "address taken: `k.a` cannot stand beside `k.a[\"x\"]`, `k.a[\"y\"]`, which the state has"),
            ("module.n", "module.o", "not in state: nothing is remembered under `module.n`"),
        ] {
            assert_eq!(rename(&mesh(), &subject(from), &subject(to)).unwrap_err()[0].to_string(), why);
        }
    }

    #[test]
    fn what_is_left_keeps_its_order() {
        let forgotten = |subjects: &[&str]| {
            let subjects: Vec<_> = subjects.iter().map(|text| subject(text)).collect();
            after(&mesh(), &forget(&mesh(), &subjects).unwrap())
        };
        let left = forgotten(&["module.m", "k.a[\"x\"]"]);
        assert_eq!(names(&left), ["c.one", "k.a[\"y\"]", "k.a[\"y\"]/Kind/n", "k.last"]);
        assert_eq!(left.record(&at("k.last")).unwrap().depends_on, BTreeSet::from([at("c.one")]));
        assert_eq!(left.places.keys().map(ToString::to_string).collect::<Vec<_>>(), ["c.one", "data.d.two"]);
        let left = forgotten(&["k.a[\"y\"]"]);
        assert_eq!(left.places.keys().map(ToString::to_string).collect::<Vec<_>>(), ["c.one"], "an empty place is forgotten");
        let left = forgotten(&["c.one", "k.a", "module.m"]);
        assert_eq!((names(&left), left.places.len()), (vec!["k.last".to_owned()], 0));
        assert!(left.record(&at("k.last")).unwrap().depends_on.is_empty());
    }

    #[test]
    fn a_place_is_not_forgotten_without_what_lies_in_it() {
        for (subjects, why) in [
            (vec!["c.one"], "place not empty: `c.one` holds `k.a[\"x\"]`, `module.m.k.b`, which nobody could reach any more without it"),
            (
                vec!["data.d.two", "k.a[\"y\"]/Kind/n"],
                "place not empty: `data.d.two` holds `k.a[\"y\"]`, which nobody could reach any more without it",
            ),
            (vec!["k.last", "k.missing"], "not in state: nothing is remembered under `k.missing`"),
        ] {
            let subjects: Vec<_> = subjects.into_iter().map(subject).collect();
            let problems = forget(&mesh(), &subjects).unwrap_err();
            assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [why]);
        }
        let many: Vec<String> = (0..8).map(|number| format!("k.a[{number}]")).collect();
        let records: Vec<_> =
            many.iter().map(|address| (address.as_str(), Some("c.one"), [].as_slice())).chain([("c.one", None, [].as_slice())]).collect();
        let problems = forget(&state(&records), &[subject("c.one")]).unwrap_err();
        assert!(problems[0].detail.contains("`k.a[4]` and 3 more"), "{}", problems[0].detail);
    }
}
