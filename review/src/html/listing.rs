//! The changes, what weighs most first, then by the clusters that they concern; above them what filters them.

use super::colour::Colour;
use super::entries::{Item, Section, Sections};
use super::markup::Markup;
use super::mesh::Mesh;
use super::rows::Rows;
use crate::entry::Entry;
use crate::review::Review;
use engine::plan::Plan;
use std::collections::BTreeSet;

/// Writes all changes.
pub(super) fn write<'a>(markup: &mut Markup, plan: &'a Plan, (review, mesh): (&'a Review<'a>, &Mesh<'a>), sections: &Sections<'_, 'a>) {
    markup.within("section", &[("id", "changes"), ("aria-labelledby", "changes-title")], |markup| {
        markup.element("h2", &[("id", "changes-title")], "Changes");
        if sections.0.is_empty() {
            markup.element("p", &[("class", "note")], "Nothing changes.");
            return;
        }
        form(markup, mesh, sections);
        let mut rows = Rows::of(plan, review, mesh, sections.lines());
        let mut reached = BTreeSet::new();
        for section in &sections.0 {
            anchors(markup, mesh, section, &mut reached);
            write_section(markup, &mut rows, section);
        }
    });
}

/// The fields that filter; the script shows them, as they do nothing without it.
fn form(markup: &mut Markup, mesh: &Mesh<'_>, sections: &Sections<'_, '_>) {
    let mut colours = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for item in sections.each() {
        match item {
            Item::Entry(entry) => {
                for change in std::iter::once(*entry).chain(&entry.below).map(Entry::first) {
                    colours.insert(Colour::of(change.action));
                    kinds.insert(change.kind.to_string());
                }
            }
            Item::Blocked(blocked, _) => {
                colours.insert(Colour::Blocked);
                kinds.extend(blocked.iter().map(|blocked| blocked.address.kind.to_string()));
            }
        }
    }
    colours.remove(&Colour::Keep);
    let actions: Vec<_> = colours.iter().map(|colour| (colour.word().to_owned(), format!("{} {}", colour.sign(), colour.word()))).collect();
    let kinds: Vec<_> = kinds.into_iter().map(|kind| (kind.clone(), kind)).collect();
    let mut clusters: Vec<_> = (0..).zip(&mesh.clusters).map(|(at, cluster)| (format!("place-{at}"), cluster.label.clone())).collect();
    clusters.push(("outside".to_owned(), "outside all clusters".to_owned()));
    markup.within("form", &[("id", "filter"), ("role", "search"), ("hidden", "")], |markup| {
        markup.within("label", &[("class", "wide")], |markup| {
            markup.element("span", &[], "Search");
            let words = "words in addresses, paths, values  ( / )";
            markup.empty("input", &[("id", "q"), ("type", "search"), ("autocomplete", "off"), ("placeholder", words)]);
        });
        for (id, label, options) in [("action", "Action", &actions), ("kind", "Kind", &kinds), ("cluster", "Cluster", &clusters)] {
            select(markup, (id, label), options);
        }
        for (id, words) in [("unfold", "Unfold all"), ("fold", "Fold all")] {
            markup.element("button", &[("id", id), ("type", "button")], words);
        }
        markup.element("output", &[("id", "found"), ("aria-live", "polite")], "");
    });
}

fn select(markup: &mut Markup, (id, label): (&str, &str), options: &[(String, String)]) {
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

/// Where links of the picture and of the table lead without the script: before the first section with something of a cluster.
fn anchors(markup: &mut Markup, mesh: &Mesh<'_>, section: &Section<'_, '_>, reached: &mut BTreeSet<String>) {
    for item in &section.items {
        let places = match item {
            Item::Entry(entry) => &entry.places,
            Item::Blocked(_, places) => places,
        };
        let ids = if places.is_empty() { vec!["outside".to_owned()] } else { mesh.ids(places) };
        for id in ids {
            if reached.insert(id.clone()) {
                markup.element("span", &[("class", "anchor"), ("id", &id)], "");
            }
        }
    }
}

fn write_section<'a>(markup: &mut Markup, rows: &mut Rows<'_, 'a>, section: &Section<'_, 'a>) {
    markup.line();
    markup.within("details", &[("class", "cluster"), ("open", "")], |markup| {
        markup.within("summary", &[], |markup| {
            markup.element("h3", &[], &section.label);
            for (colour, count) in section.tally().changing() {
                let words = format!("{count} {}", colour.word());
                markup.within("span", &[("class", &format!("word {}", colour.word())), ("title", &words)], |markup| {
                    markup.element("span", &[("aria-hidden", "true")], &format!("{} ", colour.sign()));
                    markup.text(&words);
                });
            }
        });
        section.items.iter().for_each(|item| rows.write(markup, item, section.places.as_ref()));
    });
}
