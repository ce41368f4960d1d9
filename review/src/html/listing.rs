//! The changes, cluster by cluster, each with its reason and what differs; above them what filters them.

use super::colour::Colour;
use super::entries::{Entry, Section, Sections, replacing};
use super::leaves::Leaves;
use super::markup::Markup;
use super::values;
use crate::Difference;
use crate::terminal::{Unknowns, Waits};
use engine::plan::{Action, Blocked, Change, Plan};
use engine::value::{Data, Value};
use std::collections::BTreeSet;

/// Most changes of a plan that are all unfolded; of more only what is replaced, deleted or blocked is.
const MOST_OPEN: usize = 30;

/// Writes all changes.
pub(super) fn write(markup: &mut Markup, plan: &Plan, sections: &Sections<'_>) {
    markup.within("section", &[("id", "changes"), ("aria-labelledby", "changes-title")], |markup| {
        markup.element("h2", &[("id", "changes-title")], "Changes");
        if sections.len() == 0 {
            markup.element("p", &[("class", "note")], "Nothing changes.");
            return;
        }
        form(markup, sections);
        let mut rows = Rows { waits: Waits::of(plan), number: 0, all: sections.len() };
        for section in &sections.0 {
            rows.section(markup, section);
        }
    });
}

/// The fields that filter; the script shows them, as they do nothing without it.
fn form(markup: &mut Markup, sections: &Sections<'_>) {
    let colours: BTreeSet<Colour> = sections.each().map(Entry::colour).collect();
    let kinds: BTreeSet<String> = sections.each().map(|entry| entry.kind().to_owned()).collect();
    let actions: Vec<_> = colours.iter().map(|colour| (colour.word().to_owned(), format!("{} {}", colour.sign(), colour.word()))).collect();
    let kinds: Vec<_> = kinds.into_iter().map(|kind| (kind.clone(), kind)).collect();
    let clusters: Vec<_> = sections.0.iter().map(|section| (section.id.clone(), section.label.clone())).collect();
    markup.within("form", &[("id", "filter"), ("role", "search"), ("hidden", "")], |markup| {
        markup.within("label", &[("class", "wide")], |markup| {
            markup.element("span", &[], "Search");
            markup.empty(
                "input",
                &[("id", "q"), ("type", "search"), ("autocomplete", "off"), ("placeholder", "words in addresses, paths, values  ( / )")],
            );
        });
        for (id, label, options) in [("action", "Action", &actions), ("kind", "Kind", &kinds), ("cluster", "Cluster", &clusters)] {
            markup.within("label", &[], |markup| {
                markup.element("span", &[], label);
                markup.within("select", &[("id", id)], |markup| {
                    markup.element("option", &[("value", "")], "all");
                    for (value, words) in options {
                        markup.element("option", &[("value", value)], words);
                    }
                });
            });
        }
        for (id, words) in [("unfold", "Unfold all"), ("fold", "Fold all")] {
            markup.element("button", &[("id", id), ("type", "button")], words);
        }
        markup.element("output", &[("id", "found"), ("aria-live", "polite")], "");
    });
}

/// Lines under way.
struct Rows<'a> {
    waits: Waits<'a>,
    /// How many there are so far.
    number: usize,
    /// How many there will be.
    all: usize,
}

impl Rows<'_> {
    fn section(&mut self, markup: &mut Markup, section: &Section<'_>) {
        markup.line();
        markup.within("details", &[("class", "cluster"), ("id", &section.id), ("open", "")], |markup| {
            markup.within("summary", &[], |markup| {
                markup.element("h3", &[], &section.label);
                for (colour, count) in section.tally.changing() {
                    let words = format!("{count} {}", colour.word());
                    let attributes = [("class", &*format!("word {}", colour.word())), ("title", &words)];
                    markup.element("span", &attributes, &format!("{} {count}", colour.sign()));
                }
                let kept = section.tally.of(Colour::Keep);
                if kept > 0 {
                    markup.element("span", &[("class", "note")], &format!("{kept} unchanged"));
                }
            });
            let (own, with_place): (Vec<_>, Vec<_>) = section.entries.iter().partition(|entry| !entry.goes_with_place());
            self.lines(markup, &own, section);
            if !with_place.is_empty() {
                markup.line();
                markup.within("details", &[("class", "within")], |markup| {
                    markup.element("summary", &[], &format!("{} that lie within it and go, or are made again, with it", with_place.len()));
                    self.lines(markup, &with_place, section);
                });
            }
        });
    }

    fn lines(&mut self, markup: &mut Markup, entries: &[&Entry<'_>], section: &Section<'_>) {
        for entry in entries {
            self.number += 1;
            markup.line();
            match entry {
                Entry::Change(change) => self.change(markup, change, section),
                Entry::Blocked(blocked) => self.blocked(markup, blocked, section),
            }
        }
    }

    fn blocked(&self, markup: &mut Markup, blocked: &Blocked, section: &Section<'_>) {
        let mut body = Markup::default();
        if let Some(after) = &blocked.after {
            body.element("p", &[], &format!("It is read and planned after {after}."));
        }
        let label = blocked.address.to_string();
        let line = Line { colour: Colour::Blocked, kind: &blocked.address.kind, label: &label, why: &blocked.why, section };
        self.row(markup, &line, &body);
    }

    fn change(&self, markup: &mut Markup, change: &Change, section: &Section<'_>) {
        let mut body = Markup::default();
        let mut why = change.reason.to_string();
        let unknowns = self.waits.unknowns(&change.address);
        let notes = change.causes.iter().cloned().chain(change.not_previewed.iter().map(|why| format!("not previewed: {why}")));
        for note in notes {
            body.within("p", &[("class", "cause")], |body| body.prose(&note));
        }
        if let Some(unchanged) = details(&mut body, change, &unknowns) {
            why = format!("{why}, {unchanged} unchanged");
        }
        let deposed = change.deposed.as_ref().map(|key| format!(" (deposed {key})")).unwrap_or_default();
        let label = format!("{}{deposed}", change.address);
        let colour = Colour::of(change.action);
        let line = Line { colour, kind: &change.kind, label: &label, why: &why, section };
        self.row(markup, &line, &body);
    }

    fn row(&self, markup: &mut Markup, line: &Line<'_>, body: &Markup) {
        let id = format!("r{}", self.number);
        let class = format!("change {}", line.colour.word());
        let data = [
            ("data-action", line.colour.word()),
            ("data-kind", line.kind),
            ("data-cluster", &*line.section.id),
            ("data-place", &*line.section.label),
        ];
        let mut attributes = vec![("class", &*class), ("id", &id)];
        attributes.extend(data);
        if body.is_empty() {
            markup.within("div", &attributes, |markup| line.write(markup));
            return;
        }
        if line.colour < Colour::Forget || self.all <= MOST_OPEN {
            attributes.push(("open", ""));
        }
        markup.within("details", &attributes, |markup| {
            markup.within("summary", &[], |markup| line.write(markup));
            markup.within("div", &[("class", "body")], |markup| markup.append(body));
        });
    }
}

/// What stands on the line of a change.
struct Line<'a> {
    colour: Colour,
    kind: &'a str,
    label: &'a str,
    why: &'a str,
    section: &'a Section<'a>,
}

impl Line<'_> {
    fn write(&self, markup: &mut Markup) {
        markup.within("span", &[("class", &format!("word {}", self.colour.word()))], |markup| {
            markup.element("span", &[("aria-hidden", "true")], self.colour.sign());
            markup.text(&format!(" {}", self.colour.word()));
        });
        markup.text(" ");
        markup.element("code", &[("class", "address")], self.label);
        markup.text(" ");
        markup.within("span", &[("class", "why")], |markup| markup.prose(self.why));
    }
}

/// Writes what differs, or what a new thing has; how much is the same comes back.
fn details(markup: &mut Markup, change: &Change, unknowns: &Unknowns) -> Option<usize> {
    match (&change.before, &change.after) {
        (None, Some(after)) if change.action == Action::Create => created(markup, (change, after), unknowns),
        (Some(_), Some(_)) if change.action == Action::Import && !change.reason.changes_what_is_imported() => {}
        (Some(before), Some(after)) => {
            let difference = Difference::between(before, after);
            if !difference.leaves.is_empty() {
                Leaves { replacing: replacing(change), unknowns: Some(unknowns) }.write(markup, &difference);
                return Some(difference.unchanged).filter(|unchanged| *unchanged > 0);
            }
        }
        _ => {}
    }
    None
}

/// The attributes of a new thing that say something: no nulls, no defaults, and those that only apply makes known together at the end.
fn created(markup: &mut Markup, (change, after): (&Change, &Value), unknowns: &Unknowns) {
    let mut unknown = Vec::new();
    markup.within("ul", &[("class", "leaves")], |markup| {
        for entry in after.entries() {
            match entry.value.data() {
                Data::Null => {}
                _ if change.defaults.contains(&&*entry.key) => {}
                Data::Unknown(..) if !unknowns.tells(&entry.key) => unknown.push(entry.key.to_string()),
                _ => markup.within("li", &[], |markup| {
                    markup.element("code", &[("class", "path")], &crate::notation::key(&entry.key));
                    markup.text(" ");
                    values::write(markup, "ins", (&entry.key, &entry.value), Some(unknowns));
                }),
            }
        }
    });
    if !unknown.is_empty() {
        markup.element("p", &[("class", "note")], &format!("known after apply: {}", unknown.join(", ")));
    }
}
