//! The order of an apply before it starts, wave by wave, with how much is asked of each place.

use crate::style::{Paint, paint_of};
use crate::terminal::Layout;
use engine::address::{Address, AddressParts, Key};
use engine::plan::{Action, Plan, Step};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The steps of a plan as text. Steps alike (instances of one block, members of one kind) share a line.
pub fn text(plan: &Plan, layout: Layout) -> String {
    let waves = plan.waves();
    let mut text = String::new();
    for (at, wave) in waves.iter().enumerate() {
        let heading = format!("Wave {} of {}: {}", at + 1, waves.len(), counted(wave.len(), "step"));
        let heading = layout.style.paint(Paint::Strong, &heading);
        let _ = writeln!(text, "{heading}{}", layout.style.paint(Paint::Dim, &spread(&requests(wave))));
        for ((action, _, _), alike) in alike(wave) {
            let glyph = layout.style.paint(paint_of(action), &format!("{:<3}", action.glyph()));
            let _ = writeln!(text, "  {glyph} {}", alike.label());
        }
        text.push('\n');
    }
    text.push_str(&total(&waves, layout));
    text
}

/// How much there is to do in all.
fn total(waves: &[Vec<Step<'_>>], layout: Layout) -> String {
    let all: Vec<Step<'_>> = waves.iter().flatten().copied().collect();
    if all.is_empty() {
        return String::new();
    }
    let line = format!("Steps: {} in {}.", all.len(), counted(waves.len(), "wave"));
    let mut text = format!("{}\n", layout.style.paint(Paint::Strong, &line));
    for (place, (steps, calls)) in requests(&all) {
        let place = place.map_or_else(|| "outside of all places".to_owned(), |place| format!("in {place}"));
        let _ = writeln!(text, "      {place}: {}, about {}", counted(steps, "step"), counted(calls, "request"));
    }
    text
}

/// How many steps and requests there are in each place.
fn requests<'a>(steps: &[Step<'a>]) -> BTreeMap<Option<&'a Address>, (usize, usize)> {
    let mut places = BTreeMap::new();
    for step in steps {
        let (count, calls): &mut (usize, usize) = places.entry(step.target.place.as_ref()).or_default();
        *count += 1;
        *calls += step.calls();
    }
    places
}

/// The requests of a wave, as they are spread over places.
fn spread(places: &BTreeMap<Option<&Address>, (usize, usize)>) -> String {
    let calls: Vec<usize> = places.iter().filter(|(place, _)| place.is_some()).map(|(_, (_, calls))| *calls).collect();
    match (calls.iter().min(), calls.iter().max(), calls.len()) {
        (Some(_), Some(most), 1) if *most > 0 => format!(", about {} in one place", counted(*most, "request")),
        (Some(least), Some(most), count) if least == most && *most > 0 => {
            format!(", about {} in each of {count} places", counted(*most, "request"))
        }
        (Some(least), Some(most), count) if *most > 0 => format!(", about {least} to {most} requests in each of {count} places"),
        _ => String::new(),
    }
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// Steps that share a line.
#[derive(Debug, Default)]
struct Alike<'a> {
    count: usize,
    addresses: BTreeSet<&'a Address>,
    deposed: usize,
}

impl Alike<'_> {
    /// What they are called: the address of one alone, or what all have in common.
    fn label(&self) -> String {
        let deposed = if self.deposed > 0 { " (deposed)" } else { "" };
        let mut addresses = self.addresses.iter();
        let Some(first) = addresses.next() else { return String::new() };
        if self.addresses.len() == 1 {
            return format!("{first}{deposed}");
        }
        let mut common = AddressParts::clone(first);
        for address in addresses {
            if address.key != common.key {
                common.key = Key::None;
            }
            if address.member != common.member {
                common.member = None;
            }
        }
        let kind = first.member.as_ref().filter(|_| common.member.is_none()).and_then(|member| member.split('/').next());
        let keys = if common.key == first.key { "" } else { "[…]" };
        let member = common.member.take().map_or_else(String::new, |member| format!("/{member}"));
        let block = Address::from(common);
        let of = kind.map_or_else(String::new, |kind| format!("{kind} of "));
        format!("{of}{block}{keys}{member} × {}{deposed}", self.count)
    }
}

/// Steps of one action on instances of one block, or on members of one kind in its sets.
fn alike<'a>(wave: &[Step<'a>]) -> BTreeMap<(Action, Address, Option<&'a str>), Alike<'a>> {
    let mut lines: BTreeMap<_, Alike<'a>> = BTreeMap::new();
    for step in wave {
        let address = &step.target.address;
        let block = AddressParts { key: Key::None, member: None, ..AddressParts::clone(address) }.into();
        let kind = address.member.as_deref().map(|member| member.split('/').next().unwrap_or(member));
        let line = lines.entry((step.action, block, kind)).or_default();
        line.count += 1;
        line.addresses.insert(address);
        line.deposed += usize::from(step.target.deposed.is_some());
    }
    lines
}
