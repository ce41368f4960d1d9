//! Which lines a plan has, and what stands on each.

use super::attributes;
use super::previews::Unseen;
use super::waits::{Unknowns, Waits};
use crate::clusters::Places;
use crate::difference::Difference;
use crate::entry::{Detail as Depth, Entry, fields};
use crate::review::Review;
use engine::address::Key;
use engine::plan::{Action, Change, Plan, Reason};
use engine::value::Value;

/// One change on its line.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) action: Action,
    /// The address, or a member's name below its parent.
    pub(super) label: String,
    /// What stands behind it, the longest first: whichever fits is written.
    pub(super) reasons: Vec<String>,
    /// How deep it stands: members stand below their set.
    pub(super) depth: usize,
    pub(super) details: Vec<Detail<'a>>,
    /// What stands for the unknown parts of its arguments.
    pub(super) unknowns: Unknowns,
}

/// What stands below a row.
#[derive(Debug)]
pub(super) enum Detail<'a> {
    /// A phrase.
    Note(String),
    /// Names, each list after what its names have in common.
    Names(String, Vec<String>),
    /// What differs, and the paths that force a replacement.
    Leaves(Difference, &'a [String]),
    /// Attributes of a new thing.
    Attributes(Vec<(String, Value)>),
}

/// What rows are made with.
pub(super) struct Rows<'a> {
    review: &'a Review<'a>,
    waits: Waits<'a>,
    unseen: Unseen<'a>,
    detail: Depth,
}

impl<'a> Rows<'a> {
    pub(super) fn of(plan: &'a Plan, review: &'a Review<'a>, detail: Depth) -> Self {
        Self { review, waits: Waits::of(plan), unseen: Unseen::of(plan), detail }
    }

    /// The rows of an entry: its own, and those of what is below it.
    pub(super) fn each(&self, entry: &Entry<'a>) -> Vec<Row<'a>> {
        if let Some(few) = entry.few() {
            let row = |member| Row { label: label_alone(entry, member), depth: 0, ..self.row(member, None) };
            return few.iter().map(row).collect();
        }
        let head = self.row(entry, None);
        std::iter::once(head).chain(entry.below.iter().map(|below| self.row(below, Some(&entry.places)))).collect()
    }

    /// The row of an entry; `above` are the places of the set that it is below, if it is.
    fn row(&self, entry: &Entry<'a>, above: Option<&Places<'_>>) -> Row<'a> {
        let change = entry.first();
        let single = entry.changes.len() == 1;
        let depth = usize::from(above.is_some());
        let unknowns = if single { self.waits.unknowns(&change.address) } else { Unknowns::default() };
        let mut details: Vec<Detail<'a>> = entry.kinds().into_iter().map(|(title, names)| Detail::Names(title, names)).collect();
        details.extend(self.details(entry, depth, &unknowns));
        details.extend(self.elsewhere(entry));
        let goes = self.review.goes_with(change);
        details.extend(change.causes.iter().chain(&goes).chain(&entry.causes).cloned().map(Detail::Note));
        details.extend(self.unseen.note(change).map(Detail::Note));
        // A set's own places are said at the set.
        let concerned = above.map_or(entry.places.len() > 1, |above| entry.places != *above);
        let places = concerned.then(|| format!("in {}", self.review.clusters().named(&entry.places)));
        let places = if entry.keys.is_empty() { places } else { Some(format!("{} of them", entry.keys.len())) };
        let reasons = reasons(change, &entry.reason, &details, places);
        Row { action: change.action, label: label(entry, depth), reasons, depth, details, unknowns }
    }

    fn details(&self, entry: &Entry<'a>, depth: usize, unknowns: &Unknowns) -> Vec<Detail<'a>> {
        let change = entry.first();
        if let Some(difference) = entry.told() {
            let replacing: &[String] = match &change.reason {
                Reason::CannotUpdate(paths) => paths,
                _ => &[],
            };
            return vec![Detail::Leaves(difference, replacing)];
        }
        match (&change.before, &change.after, depth > 0) {
            (None, Some(_), false) if change.action == Action::Create => attributes::told(entry, self.review.clusters(), unknowns),
            // What a set renders follows from the set's own attributes: its members are named, not spelled out.
            (None, Some(after), true) if self.detail == Depth::Full => {
                after.present("manifest").map(|object| Detail::Attributes(vec![(String::new(), object.clone())])).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The addresses of an entry, if the places do not tell them.
    fn elsewhere(&self, entry: &Entry<'a>) -> Option<Detail<'a>> {
        if !entry.keys.is_empty() {
            return Some(Detail::Names("keys, of which `--detail full` shows each".to_owned(), entry.keys.clone()));
        }
        let clusters = self.review.clusters();
        let first = entry.first();
        let told = |change: &&Change| {
            let label = clusters.place(change).map(|place| clusters.label(place)).unwrap_or_default();
            let keys = change.address.module.steps().iter().map(|step| &step.key).chain([&change.address.key]);
            let own = first.address.module.steps().iter().map(|step| &step.key).chain([&first.address.key]);
            let varying = keys.zip(own).filter(|(key, own)| key != own || matches!(key, Key::Text(text) if **text == *label));
            varying.map(|(key, _)| key).all(|key| matches!(key, Key::Text(text) if **text == *label))
        };
        if entry.changes.len() == 1 || first.address.member.is_some() || entry.changes.iter().all(told) {
            return None;
        }
        Some(Detail::Names("these are".to_owned(), entry.changes.iter().map(|change| change.address.to_string()).collect()))
    }
}

/// How many columns each row of an entry takes up to its reason.
pub(super) fn widths(entry: &Entry<'_>) -> Vec<usize> {
    if let Some(few) = entry.few() {
        return few.iter().map(|member| label_alone(entry, member).chars().count()).collect();
    }
    let below = entry.below.iter().map(|below| 2 + label(below, 1).chars().count());
    std::iter::once(label(entry, 0).chars().count()).chain(below).collect()
}

/// The address of a member that stands without its set.
fn label_alone(set: &Entry<'_>, member: &Entry<'_>) -> String {
    format!("{}/{}", set.address(), member.members.concat())
}

fn label(entry: &Entry<'_>, depth: usize) -> String {
    let mut label = match entry.members.as_slice() {
        [] => entry.address(),
        [_] if depth == 0 => entry.address(),
        [member] => member.replacen('/', " ", 1),
        many => format!("{} objects", many.len()),
    };
    if let Some(key) = &entry.first().deposed {
        label.extend([" (deposed ", key, ")"]);
    }
    label
}

/// What may stand behind an address, from the longest to the shortest: where fields are shown below, the reason need not name all of them.
fn reasons(change: &Change, reason: &str, details: &[Detail<'_>], places: Option<String>) -> Vec<String> {
    if change.action == Action::Keep {
        return places.into_iter().collect();
    }
    let unchanged: usize = details.iter().map(unchanged).sum();
    let unchanged = (unchanged > 0).then(|| format!("{unchanged} unchanged"));
    let behind = |reason: &str, unchanged: Option<&String>| {
        let parts: Vec<&str> = [Some(reason), places.as_deref(), unchanged.map(String::as_str)].into_iter().flatten().collect();
        parts.join(", ")
    };
    let mut all = vec![behind(reason, unchanged.as_ref())];
    let fields = fields(&change.reason);
    let shown = shown(fields);
    for kept in (0..fields.len().min(3)).rev() {
        let named: Vec<String> = fields.iter().take(kept).map(|field| format!("`{field}`")).collect();
        let short = match (kept, fields.len()) {
            (0, 1) => "1 field".to_owned(),
            (0, count) => format!("{count} fields"),
            (_, count) => format!("{} and {} more", named.join(", "), count - kept),
        };
        all.push(behind(&reason.replacen(&shown, &short, 1), unchanged.as_ref()));
    }
    if let Reason::Configuration(_) = &change.reason
        && let Some(shortest) = all.last()
    {
        let short = shortest.replacen(" in configuration", "", 1);
        all.push(short);
    }
    all.extend(all.last().cloned().and_then(|last| Some(last.strip_suffix(&format!(", {}", unchanged.as_ref()?))?.to_owned())));
    if let Reason::Configuration(_) = &change.reason
        && !fields.is_empty()
        && matches!(details.first(), Some(Detail::Leaves(..)))
    {
        all.push(behind("changed", None));
    }
    all
}

/// Fields as a reason names them.
fn shown(fields: &[String]) -> String {
    let named: Vec<String> = fields.iter().take(3).map(|field| format!("`{field}`")).collect();
    match fields.len().saturating_sub(3) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn unchanged(detail: &Detail<'_>) -> usize {
    match detail {
        Detail::Leaves(difference, _) if !difference.leaves.is_empty() => difference.unchanged,
        _ => 0,
    }
}
