//! Who reached whom, as a table: a row for each who asked and what it asked for, a column for each that was to be reached.

use engine::schema::Pair;
use review::notation::printable;
use std::fmt::Write;

/// What stands where nothing was asked.
const NOTHING: &str = "-";

/// The table with its legend, each line after so many blanks, and as many columns side by side as fit into the width. Nothing without pairs.
pub fn text(pairs: &[Pair], indent: usize, width: usize) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let table = Table::new(pairs);
    let blanks = " ".repeat(indent);
    let mut text = String::new();
    for line in table.lines(width.saturating_sub(indent)).iter().chain(&table.notes(pairs)) {
        let _ = writeln!(text, "{blanks}{line}");
    }
    text
}

struct Table<'a> {
    from: Vec<&'a str>,
    to: Vec<&'a str>,
    targets: Vec<&'a str>,
    pairs: &'a [Pair],
}

impl<'a> Table<'a> {
    fn new(pairs: &'a [Pair]) -> Self {
        let mut table = Self { from: Vec::new(), to: Vec::new(), targets: Vec::new(), pairs };
        for Pair { from, to, target, .. } in pairs {
            for (names, name) in [(&mut table.from, from), (&mut table.to, to), (&mut table.targets, target)] {
                if !names.contains(&name.as_str()) {
                    names.push(name);
                }
            }
        }
        // Who asks first has not asked itself: its column is another's to begin.
        table.to.sort_unstable();
        table
    }

    fn cell(&self, from: &str, target: &str, to: &str) -> &'a str {
        let found = self.pairs.iter().find(|pair| pair.from == from && pair.target == target && pair.to == to);
        found.map_or(NOTHING, |pair| &pair.outcome)
    }

    fn lines(&self, width: usize) -> Vec<String> {
        let head = longest(self.from.iter().copied().chain(["from \\ to"]));
        let what = longest(self.targets.iter().copied());
        let rows = || self.from.iter().flat_map(|from| self.targets.iter().map(move |target| (*from, *target)));
        let column = |to: &str| longest(rows().map(|(from, target)| self.cell(from, target, to)).chain([to]));
        let mut lines = Vec::new();
        let mut left = self.to.as_slice();
        while !left.is_empty() {
            let mut used = head + 2 + what;
            let fits = |to: &&&str| {
                used += 2 + column(to);
                used <= width
            };
            // One at least: of a terminal too narrow for that the rest is wrapped.
            let (now, later) = left.split_at(left.iter().take_while(fits).count().max(1));
            let cells = |first: &str, target: &str, of: &dyn Fn(&str) -> String| {
                let cells: Vec<_> = now.iter().map(|to| format!("  {}", padded(&of(to), column(to)))).collect();
                format!("{}  {}{}", padded(first, head), padded(target, what), cells.concat()).trim_end().to_owned()
            };
            lines.push(cells("from \\ to", "", &|to| printable(to)));
            let mut before = "";
            for (from, target) in rows() {
                let first = if from == before { "" } else { from };
                lines.push(cells(&printable(first), target, &|to| printable(self.cell(from, target, to))));
                before = from;
            }
            left = later;
        }
        lines
    }

    /// What the words in it do not say by themselves.
    fn notes(&self, pairs: &[Pair]) -> Vec<String> {
        let mut notes = Vec::new();
        let all = || {
            self.from.iter().flat_map(|from| self.targets.iter().flat_map(move |target| self.to.iter().map(move |to| (from, target, to))))
        };
        if all().any(|(from, target, to)| self.cell(from, target, to) == NOTHING) {
            notes.push(format!("{NOTHING}: nothing to ask for"));
        }
        for pair in pairs.iter().filter(|pair| !pair.reached && !pair.detail.is_empty()) {
            // Who could not ask at all says so once.
            let alone = pairs.iter().filter(|other| other.from == pair.from && other.detail == pair.detail).count() == 1;
            let whom = if alone { format!("{} to {} of {}", pair.from, pair.target, pair.to) } else { pair.from.clone() };
            let note = printable(&format!("{whom}, {}: {}", pair.outcome, pair.detail));
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }
}

fn longest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or_default()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(way: (&str, &str, &str), outcome: &str, detail: &str) -> Pair {
        let (from, to, target) = (way.0.to_owned(), way.1.to_owned(), way.2.to_owned());
        let (address, outcome, detail) = ("10.0.0.1:6443".to_owned(), outcome.to_owned(), detail.to_owned());
        let reached = outcome == "reached";
        Pair { from, to, target, address, outcome, detail, milliseconds: None, reached }
    }

    #[test]
    fn pairs_stand_in_a_table_with_what_else_there_is_to_say() {
        let pairs = [
            pair(("c1", "c2", "API server"), "reached", ""),
            pair(("c1", "c2", "gateway"), "timed out", ""),
            pair(("c2", "c1", "API server"), "not ready", "it answers 503"),
            pair(("c2", "c1", "gateway"), "reached", ""),
            pair(("c3", "c1", "API server"), "not run", "no pod"),
            pair(("c3", "c2", "API server"), "not run", "no pod"),
        ];
        assert_eq!(
            text(&pairs, 2, 80),
            "  from \\ to              c1         c2\n\
             \u{20} c1         API server  -          reached\n\
             \u{20}            gateway     -          timed out\n\
             \u{20} c2         API server  not ready  -\n\
             \u{20}            gateway     reached    -\n\
             \u{20} c3         API server  not run    not run\n\
             \u{20}            gateway     -          -\n\
             \u{20} -: nothing to ask for\n\
             \u{20} c2 to API server of c1, not ready: it answers 503\n\
             \u{20} c3, not run: no pod\n"
        );
        let narrow = text(&pairs, 0, 36);
        let heads: Vec<_> = narrow.lines().filter(|line| line.starts_with("from")).collect();
        assert_eq!(heads, ["from \\ to              c1", "from \\ to              c2"], "{narrow}");
        assert_eq!(text(&[], 2, 80), "");
    }
}
