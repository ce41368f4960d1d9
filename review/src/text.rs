//! Text: by the structure it holds if it holds one, line by line if it has several, as a value otherwise.

use crate::definitions::Definitions;
use crate::difference::{Difference, Leaf, Mark, What};
use crate::embedded;
use crate::notation::{printable, quoted};
use crate::pem;
use similar::{DiffOp, TextDiff};

/// The lines of a file that change, with three around them, as `diff -u` and `patch` know it. `path` as the user would name it.
pub fn unified_diff(path: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().header(&format!("old/{path}"), &format!("new/{path}")).to_string()
}

pub(crate) fn compare(definitions: &Definitions, before: &str, after: &str) -> What {
    if let Some(within) = embedded::compare(definitions, before, after) {
        return within;
    }
    if pem::holds_private_key(before) || pem::holds_private_key(after) {
        return What::Secret;
    }
    let lines = [before, after].iter().any(|text| text.trim_end_matches('\n').contains('\n'));
    if lines { What::Within("text", by_line(before, after)) } else { What::Two(quoted(before), quoted(after)) }
}

/// What differs line by line. A line that another takes the place of is one change; its number is that of the text after, where it is there.
fn by_line(before: &str, after: &str) -> Difference {
    let diff = TextDiff::from_lines(before, after);
    let mut found = Difference::default();
    for op in diff.ops() {
        let (_, old, new) = op.as_tag_tuple();
        if let DiffOp::Equal { len, .. } = op {
            found.unchanged += len;
            continue;
        }
        let was = |at: usize| diff.old_slice(at).map(shown).unwrap_or_default();
        let is = |at: usize| diff.new_slice(at).map(shown).unwrap_or_default();
        let (gone, came) = (old.len(), new.len());
        let mut push = |mark, number: usize, what| found.leaves.push(Leaf { mark, path: format!("line {}", number + 1), what });
        for at in 0..gone.min(came) {
            let (mut one, mut other) = (was(old.start + at), is(new.start + at));
            if one == other {
                // All that differs is the break at the end of the last line.
                let last = if before.ends_with('\n') { &mut other } else { &mut one };
                last.push_str(" (no line break)");
            }
            push(Mark::Change, new.start + at, What::Two(one, other));
        }
        for at in came..gone {
            push(Mark::Remove, old.start + at, What::Line(was(old.start + at)));
        }
        for at in gone..came {
            push(Mark::Add, new.start + at, What::Line(is(new.start + at)));
        }
    }
    found
}

/// A line without its end; blanks at its end, and nothing else about it, are made visible.
fn shown(line: &str) -> String {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let text = line.trim_end_matches([' ', '\t', '\r']);
    let blanks = line[text.len()..].replace(' ', "·").replace('\t', "→").replace('\r', "␍");
    printable(text) + &blanks
}

#[cfg(test)]
mod tests {
    use super::super::difference::tests::lines;
    use super::*;
    use engine::value::Value;

    fn check(before: &str, after: &str, expected: &[&str]) {
        let object = |text: &str| Value::object([("t", Value::string(text))]);
        assert_eq!(lines(&Difference::between(&object(before), &object(after))), expected, "{before} {after}");
    }

    #[test]
    fn other_text_is_compared_line_by_line() {
        check("one\ntwo\n", "one\n2\n", &["~ t (text) ~ line 2 two -> 2"]);
        check("# a\nk: 1\n", "# b\nk: 1\n", &["~ t (text) ~ line 1 # a -> # b"]);
        check("a\nb\nc\n", "a\nc\nd\ne\n", &["~ t (text) - line 2 b|+ line 3 d|+ line 4 e"]);
        check("a \nb\n", "a\nb\n", &["~ t (text) ~ line 1 a· -> a"]);
        check("a\nb\n", "a\nb", &["~ t (text) ~ line 2 b -> b (no line break)"]);
        check("one", "two", &["~ t \"one\" -> \"two\""]);
        check("one", "two\nthree\n", &["~ t (text) ~ line 1 one -> two|+ line 2 three"]);
    }

    #[test]
    fn a_file_differs_as_patch_reads_it() {
        assert_eq!(unified_diff("a", "1\n", "2\n"), "--- old/a\n+++ new/a\n@@ -1 +1 @@\n-1\n+2\n");
    }

    #[test]
    fn a_private_key_never_shows() {
        let key = |k: &str| format!("head\n-----BEGIN PRIVATE KEY-----\n{k}\n");
        check(&key("c2VjcmV0"), &key("b3RoZXI="), &["~ t secret"]);
        check(&key("c2VjcmV0").replace('\n', " "), &key("b3RoZXI=").replace('\n', " "), &["~ t secret"]);
    }
}
