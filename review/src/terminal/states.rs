//! What differs between two states, as a plan would show it.

use super::rows::{Detail, Row};
use super::waits::Unknowns;
use super::{Layout, lines, write_outputs};
use crate::Difference;
use crate::style::Paint;
use engine::address::Address;
use engine::plan::{Action, OutputChange};
use engine::state::{Place, Record, State, Status};
use engine::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

/// Where an object stands: its address, and its key if it is deposed.
type At<'a> = (&'a Address, Option<&'a Arc<str>>);

/// What differs between two states, each with what it is called: by resource and attribute, places and outputs as well. Serials are no
/// difference.
pub fn between(before: (&State, &str), after: (&State, &str), layout: Layout) -> String {
    let mut comparing = Comparing { names: (before.1, after.1), rows: Vec::new(), counts: BTreeMap::new() };
    let old: BTreeMap<At<'_>, &Record> = before.0.records().map(|(address, key, record)| ((address, key), record)).collect();
    let new: BTreeMap<At<'_>, &Record> = after.0.records().map(|(address, key, record)| ((address, key), record)).collect();
    let left: BTreeMap<&str, At<'_>> =
        old.iter().filter(|(at, _)| !new.contains_key(at)).map(|(at, record)| (record.id.as_str(), *at)).collect();
    let mut moved: BTreeSet<At<'_>> = BTreeSet::new();
    for (at, record) in &new {
        let came = if old.contains_key(at) { None } else { left.get(record.id.as_str()) };
        moved.extend(came);
        comparing.compare(*at, came.or(Some(at)).and_then(|at| old.get(at)).copied(), (Some(record), came.map(|at| at.0)));
    }
    for (at, record) in old.iter().filter(|(at, _)| !new.contains_key(at) && !moved.contains(at)) {
        comparing.compare(*at, Some(record), (None, None));
    }
    comparing.rows.sort_by_key(|(at, _)| *at);
    comparing.places(before.0, after.0);
    comparing.text(&outputs(before.0, after.0), layout)
}

struct Comparing<'a> {
    names: (&'a str, &'a str),
    rows: Vec<(Option<At<'a>>, Row<'a>)>,
    counts: BTreeMap<&'static str, usize>,
}

impl<'a> Comparing<'a> {
    /// Compares one object before and after; the last is where it was before, if that was elsewhere.
    fn compare(&mut self, at: At<'a>, before: Option<&'a Record>, (after, from): (Option<&'a Record>, Option<&'a Address>)) {
        let (action, reason, details) = match (before, after) {
            (None, Some(after)) => (Action::Create, format!("not in {}", self.names.0), attributes(after)),
            (Some(_), None) => (Action::Delete, format!("not in {}", self.names.1), Vec::new()),
            (Some(before), Some(after)) => {
                let details = differences(before, after);
                match from {
                    Some(from) => (Action::Move, format!("moved from {from}"), details),
                    None if details.is_empty() => return,
                    None => (Action::Update, String::new(), details),
                }
            }
            (None, None) => return,
        };
        let mut label = at.0.to_string();
        if let Some(key) = at.1 {
            label.extend([" (deposed ", key, ")"]);
        }
        self.push(Some(at), (action, label, reason), details);
    }

    fn push(&mut self, at: Option<At<'a>>, (action, label, reason): (Action, String, String), details: Vec<Detail<'a>>) {
        let word = match action {
            Action::Create => "more",
            Action::Delete => "less",
            Action::Move => "moved",
            _ => "changed",
        };
        *self.counts.entry(word).or_default() += 1;
        let reasons = vec![said(&reason, &details)];
        self.rows.push((at, Row { action, label, reasons, depth: 0, details, unknowns: Unknowns::default() }));
    }

    /// Places that change; those that come or go do so with what lies in them.
    fn places(&mut self, before: &State, after: &State) {
        for (address, place) in &after.places {
            let Some(former) = before.places.get(address).filter(|former| !former.is_same(place)) else { continue };
            let details = vec![Detail::Leaves(Difference::between(&described(former), &described(place)), &[])];
            self.push(None, (Action::Update, format!("place {address}"), String::new()), details);
        }
    }

    fn text(&self, outputs: &[OutputChange], layout: Layout) -> String {
        let mut text = String::new();
        let widths = self.rows.iter().map(|(_, row)| row.label.chars().count());
        let column = widths.filter(|width| *width <= layout.widest_address()).max().unwrap_or(0);
        for (_, row) in &self.rows {
            lines::write(&mut text, row, column, layout);
        }
        if !self.rows.is_empty() {
            text.push('\n');
        }
        write_outputs(&mut text, outputs, &|_| Unknowns::default(), layout);
        let (before, after) = self.names;
        let counted: Vec<String> = ["more", "changed", "moved", "less"]
            .into_iter()
            .filter_map(|word| self.counts.get(word).map(|count| format!("{count} {word}")))
            .collect();
        let summary = match (counted.is_empty(), outputs.is_empty()) {
            (true, true) => format!("No difference from {before} to {after}."),
            (true, false) => format!("From {before} to {after}: outputs alone."),
            (false, _) => format!("From {before} to {after}: {}.", counted.join(", ")),
        };
        text.push_str(&layout.style.paint(Paint::Strong, &summary));
        text.push('\n');
        text
    }
}

/// The attributes of a record that say something.
fn attributes(record: &Record) -> Vec<Detail<'_>> {
    let shown = record.attributes.entries().iter().filter(|entry| !entry.value.is_null());
    let shown: Vec<(String, Value)> = shown.map(|entry| (entry.key.to_string(), entry.value.clone())).collect();
    if shown.is_empty() { Vec::new() } else { vec![Detail::Attributes(shown)] }
}

fn differences<'a>(before: &'a Record, after: &'a Record) -> Vec<Detail<'a>> {
    let mut details = Vec::new();
    let difference = Difference::between(&before.attributes, &after.attributes);
    if !difference.leaves.is_empty() {
        details.push(Detail::Leaves(difference, &[]));
    }
    let mut note = |name: &str, before: String, after: String| {
        if before != after {
            let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
            details.push(Detail::Note(format!("{name}: {} -> {}", or_none(before), or_none(after))));
        }
    };
    note("status", status(before.status), status(after.status));
    note("place", shown(before.place.as_ref()), shown(after.place.as_ref()));
    note("uid", shown(before.uid.as_ref()), shown(after.uid.as_ref()));
    note("identity", shown(before.identity.as_ref()), shown(after.identity.as_ref()));
    note("depends on", listed(&before.depends_on), listed(&after.depends_on));
    note("create_before_destroy", before.create_before_destroy.to_string(), after.create_before_destroy.to_string());
    note("prevent_destroy", before.prevent_destroy.to_string(), after.prevent_destroy.to_string());
    if details.is_empty() && (&before.applied, &before.observed) != (&after.applied, &after.observed) {
        details.push(Detail::Note("fingerprints of what was applied differ".to_owned()));
    }
    details
}

/// Why, and how much beside what differs is the same.
fn said(reason: &str, details: &[Detail<'_>]) -> String {
    let unchanged = match details {
        [Detail::Leaves(difference, _), ..] if !difference.leaves.is_empty() && difference.unchanged > 0 => {
            Some(format!("{} unchanged", difference.unchanged))
        }
        _ => None,
    };
    let parts: Vec<&str> = [Some(reason), unchanged.as_deref()].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

fn status(status: Status) -> String {
    match status {
        Status::Ready => "ready".to_owned(),
        Status::Unready => "not ready".to_owned(),
        Status::Tainted => "tainted".to_owned(),
        Status::Interrupted(_) => "interrupted".to_owned(),
    }
}

fn shown(text: Option<&impl Display>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

fn listed(addresses: &BTreeSet<Address>) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn described(place: &Place) -> Value {
    let text = |text: Option<&Arc<str>>| text.map_or_else(Value::null, |text| Value::string(text.clone()));
    let ca = place.ca_fingerprint.as_ref().map(|fingerprint| &fingerprint.0);
    Value::object([
        ("kind", text(Some(&place.kind))),
        ("uid", text(place.uid.as_ref())),
        ("server", text(place.server.as_ref())),
        ("ca_fingerprint", text(ca)),
    ])
}

fn outputs(before: &State, after: &State) -> Vec<OutputChange> {
    let names: BTreeSet<&Arc<str>> = before.outputs.keys().chain(after.outputs.keys()).collect();
    let changed = names.into_iter().filter(|name| before.outputs.get(*name) != after.outputs.get(*name));
    let change = |name: &Arc<str>| {
        let (before, after) = (before.outputs.get(name), after.outputs.get(name));
        let sensitive = before.into_iter().chain(after).any(|output| output.sensitive);
        let value = |output: Option<&engine::state::Output>| output.map(|output| output.value.clone());
        OutputChange { name: name.clone(), before: value(before), after: value(after), sensitive }
    };
    changed.map(change).collect()
}
