//! Text of several lines: by structure if it is YAML or JSON, line by line otherwise.

use super::{Difference, What};
use engine::value::Value;
use similar::{ChangeTag, TextDiff};
use std::fmt;

/// Lines around a change that are shown with it.
const AROUND: usize = 2;

/// One line of a line-by-line comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextLine {
    /// Where the next lines stand: `@@ -1,3 +1,4 @@`.
    Place(String),
    /// On both sides.
    Same(String),
    /// After only.
    Add(String),
    /// Before only.
    Remove(String),
}

impl fmt::Display for TextLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => f.write_str(place),
            Self::Same(line) => write!(f, "  {line}"),
            Self::Add(line) => write!(f, "+ {line}"),
            Self::Remove(line) => write!(f, "- {line}"),
        }
    }
}

/// The lines of a file that change, with three around them, as `diff -u` and `patch` know it. `path` as the user would name it.
pub fn unified_diff(path: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().header(&format!("old/{path}"), &format!("new/{path}")).to_string()
}

pub(super) fn compare(before: &str, after: &str) -> What {
    within(before, after).unwrap_or_else(|| What::Text(unified(before, after)))
}

/// What differs by structure, if both texts have one and it differs: a comment may be all that changed.
fn within(before: &str, after: &str) -> Option<What> {
    let (language, before, after) = match (json(before), json(after)) {
        (Some(before), Some(after)) => ("json", before, after),
        _ => ("yaml", yaml(before)?, yaml(after)?),
    };
    let difference = Difference::between(&before, &after);
    (!difference.leaves.is_empty()).then_some(What::Within(language, difference))
}

fn json(text: &str) -> Option<Value> {
    let json = serde_json::from_str::<serde_json::Value>(text).ok()?;
    (json.is_object() || json.is_array()).then(|| Value::from_json(&json))
}

fn yaml(text: &str) -> Option<Value> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let yaml = serde_saphyr::from_str_with_options::<serde_json::Value>(text, options).ok()?;
    (yaml.is_object() || yaml.is_array()).then(|| Value::from_json(&yaml))
}

fn unified(before: &str, after: &str) -> Vec<TextLine> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(AROUND).iter_hunks() {
        lines.push(TextLine::Place(hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let line = crate::view::value::printable(change.value().trim_end_matches(['\n', '\r']));
            lines.push(match change.tag() {
                ChangeTag::Equal => TextLine::Same(line),
                ChangeTag::Insert => TextLine::Add(line),
                ChangeTag::Delete => TextLine::Remove(line),
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::tests::lines;
    use super::*;

    fn check(before: &str, after: &str, expected: &str) {
        let object = |text: &str| Value::object([("t", Value::string(text))]);
        assert_eq!(lines(&Difference::between(&object(before), &object(after))), [expected]);
    }

    #[test]
    fn yaml_and_json_are_compared_by_structure() {
        check("a: 1\nb: x\n", "b: y\na: 1\n", "~ t (yaml) ~ b \"x\" -> \"y\"");
        check("{\"a\":\n1}", "{\"a\": 2}\n", "~ t (json) ~ a 1 -> 2");
    }

    #[test]
    fn other_text_is_compared_line_by_line() {
        check("one\ntwo\n", "one\n2\n", "~ t @@ -1,2 +1,2 @@|  one|- two|+ 2");
        check("# a\nk: 1\n", "# b\nk: 1\n", "~ t @@ -1,2 +1,2 @@|- # a|+ # b|  k: 1");
    }

    #[test]
    fn only_lines_near_a_change_are_told() {
        let before = (1..=20).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        let after = before.replace("line 10\n", "line ten\n");
        let What::Text(lines) = compare(&before, &after) else { panic!("no lines") };
        assert_eq!(lines.len(), 1 + 2 * AROUND + 2);
    }
}
