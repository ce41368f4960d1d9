//! The line of each entry, and what unfolds below it: what it brings about, what differs, what it stands for, what changes within it.

use super::colour::Colour;
use super::entries::Item;
use super::leaves::Leaves;
use super::markup::Markup;
use super::mesh::Mesh;
use super::values;
use crate::arguments::{self, Arguments};
use crate::clusters::Places;
use crate::entry::Entry;
use crate::review::Review;
use crate::terminal::{Unknowns, Unseen, Waits};
use engine::plan::{Action, Blocked, Change, Plan, Reason};

/// Most lines of a plan that are all unfolded; of more only what is replaced, deleted or blocked is.
const MOST_OPEN: usize = 30;
/// The attribute of an object that holds it.
const OBJECT: &str = "manifest";

/// Lines under way.
pub(super) struct Rows<'r, 'a> {
    review: &'r Review<'a>,
    mesh: &'r Mesh<'a>,
    waits: Waits<'a>,
    unseen: Unseen<'a>,
    /// How many there are so far.
    number: usize,
    /// How many there will be.
    all: usize,
}

/// What stands on a line.
struct Line<'l, 'a> {
    colour: Colour,
    kind: &'l str,
    label: String,
    why: String,
    /// The places that it concerns, and what they are called if nothing above the line says so.
    places: (&'l Places<'a>, Option<String>),
    /// The address, if the line and what is below it do not say it.
    address: Option<String>,
    /// Whether it, or something below it, is replaced, deleted or blocked.
    heavy: bool,
}

impl<'r, 'a> Rows<'r, 'a> {
    /// For all lines of a page.
    pub(super) fn of(plan: &'a Plan, review: &'r Review<'a>, mesh: &'r Mesh<'a>, all: usize) -> Self {
        Self { review, mesh, waits: Waits::of(plan), unseen: Unseen::of(plan), number: 0, all }
    }

    /// Writes a line and what is below it. `above` are the places that the section says.
    pub(super) fn write(&mut self, markup: &mut Markup, item: &Item<'_, 'a>, above: Option<&Places<'_>>) {
        match item {
            Item::Blocked(blocked, places) => self.blocked(markup, (blocked, places), above),
            Item::Entry(entry) => match entry.alone() {
                Some(only) => {
                    let label = format!("{}/{}", entry.address(), only.members.concat());
                    self.entry(markup, (only, label), above);
                }
                None => self.entry(markup, (entry, entry.address()), above),
            },
        }
    }

    fn blocked(&mut self, markup: &mut Markup, (blocked, places): (&[&Blocked], &Places<'a>), above: Option<&Places<'_>>) {
        let Some(first) = blocked.first() else { return };
        let mut body = Markup::default();
        if let Some(after) = &first.after {
            body.within("p", &[], |body| {
                body.text("Read and planned after ");
                body.element("code", &[], &after.to_string());
                body.text(".");
            });
        }
        let label = if blocked.len() > 1 { format!("{} resources", blocked.len()) } else { first.address.to_string() };
        if blocked.len() > 1 {
            addresses(&mut body, "Which", blocked.iter().map(|blocked| (Colour::Blocked, blocked.address.to_string())));
        }
        let places = (places, self.told(places, above));
        let (kind, why) = (&*first.address.kind, first.why.to_string());
        let line = Line { colour: Colour::Blocked, kind, label, why, places, address: None, heavy: true };
        self.number += 1;
        self.row(markup, self.number, &line, &body);
    }

    fn entry(&mut self, markup: &mut Markup, (entry, label): (&Entry<'a>, String), above: Option<&Places<'_>>) {
        let change = entry.first();
        let mut body = Markup::default();
        let unchanged = self.details(&mut body, entry);
        if entry.changes.len() > 1 {
            let all = entry.changes.iter().map(|change| (Colour::of(change.action), change.address.to_string()));
            addresses(&mut body, &format!("Stands for {} resources", entry.changes.len()), all);
        }
        let within = self.review.within(change).iter();
        addresses(&mut body, "What lies within it", within.map(|change| (Colour::of(change.action), change.address.to_string())));
        let mut why = if change.action == Action::Keep { String::new() } else { entry.reason.clone() };
        if let Some(unchanged) = unchanged {
            why = format!("{why}, {unchanged} unchanged");
        }
        let deposed = change.deposed.as_ref().map(|key| format!(" (deposed {key})")).unwrap_or_default();
        let address = Some(change.address.to_string()).filter(|address| *address != label && entry.changes.len() == 1);
        let places = (&entry.places, self.told(&entry.places, above));
        let colour = Colour::of(change.action);
        let line = Line { colour, kind: &change.kind, label: format!("{label}{deposed}"), why, places, address, heavy: entry.rank() == 0 };
        let mut below = Markup::default();
        self.number += 1;
        let number = self.number;
        for inner in &entry.below {
            self.entry(&mut below, (inner, member(inner)), Some(&entry.places));
        }
        if !below.is_empty() {
            body.within("div", &[("class", "below")], |body| body.append(&below));
        }
        self.row(markup, number, &line, &body);
    }

    /// What its places are called, unless that is said above.
    fn told(&self, places: &Places<'_>, above: Option<&Places<'_>>) -> Option<String> {
        (!places.is_empty() && above != Some(places)).then(|| self.review.clusters().named(places))
    }

    /// Writes what is to be said of an entry itself; how much is the same comes back.
    fn details(&self, body: &mut Markup, entry: &Entry<'a>) -> Option<usize> {
        let change = entry.first();
        let causes = change.causes.iter().cloned().chain(self.review.goes_with(change)).chain(entry.causes.iter().cloned());
        causes.for_each(|cause| body.within("p", &[("class", "cause")], |body| body.prose(&cause)));
        if let Some(note) = self.unseen.note(change) {
            body.within("p", &[("class", "note")], |body| body.prose(&note));
        }
        let kinds = entry.kinds();
        if !kinds.is_empty() {
            body.within("dl", &[("class", "names")], |body| kinds.iter().for_each(|kind| names(body, kind)));
        }
        let unknowns = if entry.changes.len() == 1 { self.waits.unknowns(&change.address) } else { Unknowns::default() };
        if let Some(difference) = entry.told() {
            if difference.leaves.is_empty() {
                return None;
            }
            Leaves { replacing: replacing(change), unknowns: Some(&unknowns) }.write(body, &difference);
            return Some(difference.unchanged).filter(|unchanged| *unchanged > 0);
        }
        if change.action == Action::Create {
            if change.address.member.is_some() { self.objects(body, entry) } else { self.arguments(body, entry, &unknowns) }
        }
        None
    }

    /// What a new thing is given.
    fn arguments(&self, body: &mut Markup, entry: &Entry<'a>, unknowns: &Unknowns) {
        let Arguments { known, unknown, varied: _ } = Arguments::of(&entry.changes, self.review.clusters(), unknowns);
        if !known.is_empty() {
            body.within("ul", &[("class", "leaves")], |body| {
                for (name, value) in &known {
                    body.within("li", &[], |body| {
                        body.element("code", &[("class", "path")], name);
                        body.text(" ");
                        values::write(body, "ins", (name, value), Some(unknowns));
                    });
                }
            });
        }
        if !unknown.is_empty() {
            body.element("p", &[("class", "note")], &format!("known after apply: {}", unknown.join(", ")));
        }
    }

    /// The new objects of a set, each folded: they follow from the set's own attributes.
    fn objects(&self, body: &mut Markup, entry: &Entry<'a>) {
        for member in &entry.members {
            let of = |change: &&&Change| change.address.member.as_deref() == Some(member);
            let changes: Vec<&Change> = entry.changes.iter().filter(of).copied().collect();
            let objects = arguments::values(&changes, self.review.clusters(), OBJECT);
            if objects.is_empty() {
                continue;
            }
            body.within("details", &[("class", "object")], |body| {
                body.within("summary", &[], |body| body.element("code", &[], &member.replacen('/', " ", 1)));
                for (name, object) in &objects {
                    if let Some((_, places)) = name.split_once(" in ") {
                        body.element("p", &[("class", "note")], &format!("in {places}"));
                    }
                    values::write(body, "ins", ("", object), None);
                }
            });
        }
    }

    fn row(&self, markup: &mut Markup, number: usize, line: &Line<'_, '_>, body: &Markup) {
        let id = format!("r{number}");
        let class = format!("change {}", line.colour.word());
        let ids = self.mesh.ids(line.places.0);
        let clusters = if ids.is_empty() { "outside".to_owned() } else { ids.join(" ") };
        let labels = line.places.0.iter().map(|place| self.review.clusters().label(place)).chain(line.address.clone());
        let find = labels.collect::<Vec<_>>().join(" ");
        let mut attributes = vec![("class", &*class), ("id", &id), ("data-action", line.colour.word()), ("data-kind", line.kind)];
        attributes.extend([("data-clusters", &*clusters), ("data-find", &find)]);
        markup.line();
        if body.is_empty() {
            markup.within("div", &attributes, |markup| line.write(markup));
            return;
        }
        if line.heavy || self.all <= MOST_OPEN {
            attributes.push(("open", ""));
        }
        markup.within("details", &attributes, |markup| {
            markup.within("summary", &[], |markup| line.write(markup));
            markup.within("div", &[("class", "body")], |markup| markup.append(body));
        });
    }
}

impl Line<'_, '_> {
    fn write(&self, markup: &mut Markup) {
        markup.within("span", &[("class", &format!("word {}", self.colour.word()))], |markup| {
            markup.element("span", &[("aria-hidden", "true")], self.colour.sign());
            markup.text(&format!(" {}", self.colour.word()));
        });
        markup.text(" ");
        markup.element("code", &[("class", "address")], &self.label);
        markup.text(" ");
        if let Some(places) = &self.places.1 {
            markup.element("span", &[("class", "places")], &format!("in {places}"));
            markup.text(" ");
        }
        if !self.why.is_empty() {
            markup.within("span", &[("class", "why")], |markup| markup.prose(&self.why));
        }
    }
}

/// What stands for members of a set on their line.
fn member(entry: &Entry<'_>) -> String {
    match entry.members.as_slice() {
        [] => entry.address(),
        [only] => only.replacen('/', " ", 1),
        many => format!("{} objects", many.len()),
    }
}

/// Names of one kind.
fn names(body: &mut Markup, (title, names): &(String, Vec<String>)) {
    body.within("div", &[], |body| {
        body.element("dt", &[], title);
        body.within("dd", &[], |body| {
            for (at, name) in names.iter().enumerate() {
                body.text(if at > 0 { ", " } else { "" });
                body.element("code", &[], name);
            }
        });
    });
}

/// Addresses, folded.
fn addresses(body: &mut Markup, title: &str, all: impl Iterator<Item = (Colour, String)>) {
    let all: Vec<_> = all.collect();
    if all.is_empty() {
        return;
    }
    body.within("details", &[("class", "addresses")], |body| {
        body.element("summary", &[], title);
        body.within("ul", &[], |body| {
            for (colour, address) in &all {
                body.within("li", &[], |body| {
                    let attributes = [("class", &*format!("sign {}", colour.word())), ("role", "img"), ("aria-label", colour.word())];
                    body.element("span", &attributes, colour.sign());
                    body.text(" ");
                    body.element("code", &[], address);
                });
            }
        });
    });
}

/// The paths that force a replacement.
fn replacing(change: &Change) -> &[String] {
    match &change.reason {
        Reason::CannotUpdate(paths) => paths,
        _ => &[],
    }
}
