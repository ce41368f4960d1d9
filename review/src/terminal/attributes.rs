//! The attributes of a new thing: each on a line if it fits, spread over several if it does not.

use super::rows::Detail;
use super::waits::Unknowns;
use crate::arguments::Arguments;
use crate::clusters::Clusters;
use crate::entry::Entry;
use crate::notation::{brief, quoted, step};
use engine::value::{Data, Value};

/// Most lines of one attribute.
pub(super) const MOST: usize = 24;

/// The attributes of new things of one shape, as the lines below them.
pub(super) fn told<'a>(entry: &Entry<'_>, clusters: &Clusters<'_>, unknowns: &Unknowns) -> Vec<Detail<'a>> {
    let Arguments { known, unknown, varied } = match entry.keys.as_slice() {
        [] => Arguments::of(&entry.changes, clusters, unknowns),
        keys => Arguments::of_keys(&entry.changes, keys, unknowns),
    };
    let mut details = Vec::new();
    if !known.is_empty() {
        details.push(Detail::Attributes(known));
    }
    if !unknown.is_empty() {
        details.push(Detail::Note(format!("known after apply: {}", unknown.join(", "))));
    }
    if !varied.is_empty() {
        details.push(Detail::Note(format!("not the same for all: {}", varied.join(", "))));
    }
    details
}

/// Paths and texts for an attribute. What needs more than `space` columns is spread over its parts, and what is longer still is cut by
/// whoever writes it.
pub(super) fn lines(name: &str, value: &Value, unknowns: &Unknowns, (space, most): (usize, usize)) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    spread(name, value, (unknowns, space), &mut lines);
    if lines.len() > most {
        let more = lines.len() - (most - 1);
        lines.truncate(most - 1);
        lines.push((name.to_owned(), format!("and {more} more lines")));
    }
    lines
}

fn spread(path: &str, value: &Value, (unknowns, space): (&Unknowns, usize), lines: &mut Vec<(String, String)>) {
    let text = brief(path, value, &|path| unknowns.words(path));
    let fits = path.chars().count() + 2 + text.chars().count() <= space;
    match value.data() {
        Data::String(string) if string.contains('\n') && !value.is_marked_sensitive() => {
            lines.push((path.to_owned(), shortened(string)));
        }
        Data::Mapping(mapping) if !fits && !value.is_marked_sensitive() => {
            for entry in mapping.entries().iter().filter(|entry| !entry.value.is_null()) {
                spread(&step(path, &entry.key), &entry.value, (unknowns, space), lines);
            }
        }
        Data::Sequence(sequence) if !fits && !value.is_marked_sensitive() => {
            for (at, item) in sequence.items().iter().enumerate() {
                spread(&format!("{path}[{at}]"), item, (unknowns, space), lines);
            }
        }
        _ => lines.push((path.to_owned(), text)),
    }
}

/// The first line of a text, and how many there are.
fn shortened(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    match text.lines().count() {
        0 | 1 => quoted(text),
        lines => format!("{} … ({lines} lines)", quoted(first)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(value: &serde_json::Value, space: usize, expected: &[&str]) {
        let lines = lines("a", &Value::from_json(value), &Unknowns::default(), (space, MOST));
        let lines: Vec<String> = lines.iter().map(|(path, text)| format!("{path} = {text}")).collect();
        assert_eq!(lines, expected, "{value}");
    }

    #[test]
    fn what_fits_stays_on_its_line_and_the_rest_is_spread() {
        let value = json!({ "kind": "Service", "spec": { "ports": [{ "port": 1, "name": null }, { "port": 2 }], "x": {} } });
        check(&value, 100, &["a = { kind = \"Service\", spec = { ports = [{ port = 1 }, { port = 2 }], x = {} } }"]);
        check(&value, 50, &["a.kind = \"Service\"", "a.spec.ports = [{ port = 1 }, { port = 2 }]", "a.spec.x = {}"]);
        check(&value, 20, &["a.kind = \"Service\"", "a.spec.ports[0].port = 1", "a.spec.ports[1].port = 2", "a.spec.x = {}"]);
    }

    #[test]
    fn text_of_several_lines_shows_its_first() {
        check(&json!("one\ntwo\nthree\n"), 100, &["a = \"one\" … (3 lines)"]);
        check(&json!("one\n"), 100, &["a = \"one\\n\""]);
        check(&json!("x".repeat(50)), 10, &[&format!("a = \"{}\"", "x".repeat(50))]);
    }

    #[test]
    fn a_secret_is_never_spread_and_a_long_list_ends() {
        let secret = Value::object([("k", Value::string("s3cret").sensitive()), ("l", Value::string("open\n").sensitive())]);
        for space in [0, 100] {
            let lines = lines("a", &secret, &Unknowns::default(), (space, MOST));
            assert!(lines.iter().all(|(_, text)| !text.contains("s3cret") && !text.contains("open")), "{lines:?}");
        }
        let many = lines("a", &Value::from_json(&json!(vec!["x".repeat(9); 40])), &Unknowns::default(), (20, MOST));
        assert_eq!((many.len(), many[23].1.as_str()), (24, "and 17 more lines"));
    }
}
