//! What differs within a line, word by word, and lines made shorter where nothing differs.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The part.
    pub text: String,
    /// Whether the other line has something else here.
    pub differs: bool,
}

/// Characters that stay on each side of what differs.
const AROUND: usize = 12;
/// Most words of a line that are compared one by one; longer lines are compared from both ends.
const MOST_WORDS: usize = 4000;

/// Two lines in parts that are the same and parts that differ.
pub fn pieces(before: &str, after: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (old, new) = (words(before), words(after));
    let mut pieces = (Vec::new(), Vec::new());
    for op in operations(&old, &new) {
        let (_, from, to) = op.as_tag_tuple();
        let differs = !matches!(op, DiffOp::Equal { .. });
        for (side, text) in [(&mut pieces.0, old[from].concat()), (&mut pieces.1, new[to].concat())] {
            if !text.is_empty() {
                side.push(Piece { text, differs });
            }
        }
    }
    pieces
}

fn operations(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    if old.len().max(new.len()) <= MOST_WORDS {
        return capture_diff_slices(Algorithm::Myers, old, new);
    }
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_len, new_len) = (old.len() - head - tail, new.len() - head - tail);
    vec![
        DiffOp::Equal { old_index: 0, new_index: 0, len: head },
        DiffOp::Replace { old_index: head, old_len, new_index: head, new_len },
        DiffOp::Equal { old_index: head + old_len, new_index: head + new_len, len: tail },
    ]
}

/// Runs of letters and digits, and each other character by itself.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut last_is_word = false;
    for (at, c) in line.char_indices() {
        let is_word = c.is_alphanumeric() || c == '_';
        if at > start && !(is_word && last_is_word) {
            words.push(&line[start..at]);
            start = at;
        }
        last_is_word = is_word;
    }
    if start < line.len() {
        words.push(&line[start..]);
    }
    words
}

/// A line in so many columns: what is the same on both sides shrinks to what is around the differences, the number of characters left out in
/// its place (`…(120)…`); if that is not enough, what differs is cut as well.
pub fn fold(pieces: &[Piece], columns: usize) -> Vec<Piece> {
    let width = |pieces: &[Piece]| pieces.iter().map(|piece| piece.text.chars().count()).sum::<usize>();
    let spare = columns.saturating_sub(pieces.iter().filter(|piece| piece.differs).map(|piece| piece.text.chars().count()).sum());
    let same = pieces.iter().filter(|piece| !piece.differs).count();
    if width(pieces) <= columns {
        return pieces.to_vec();
    }
    let most = (spare / same.max(1)).max(2 * AROUND);
    let last = pieces.len().saturating_sub(1);
    let mut folded: Vec<Piece> = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let text = if piece.differs { piece.text.clone() } else { shortened(&piece.text, most, (at > 0, at < last)) };
        folded.push(Piece { text, differs: piece.differs });
    }
    cut(folded, columns)
}

/// What is the same, in so many characters: its start if something before it differs, its end if something after it does.
fn shortened(text: &str, most: usize, (after, before): (bool, bool)) -> String {
    let all = text.chars().count();
    let left_out = |kept: usize| format!("…({})…", all - kept);
    let room = most.saturating_sub(left_out(0).chars().count());
    if all <= most {
        return text.to_owned();
    }
    let (head, tail) = match (after, before) {
        (true, true) => (room / 2, room - room / 2),
        (false, true) => (0, room),
        (_, false) => (room, 0),
    };
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(all - tail).collect();
    format!("{start}{}{end}", left_out(head + tail))
}

/// The pieces up to so many columns, an ellipsis at the end if there is more.
fn cut(pieces: Vec<Piece>, columns: usize) -> Vec<Piece> {
    let mut left = columns;
    let mut kept = Vec::new();
    for piece in pieces {
        let width = piece.text.chars().count();
        if width > left {
            let text = piece.text.chars().take(left.saturating_sub(1)).chain(['…']).collect();
            kept.push(Piece { text, differs: piece.differs });
            break;
        }
        left -= width;
        kept.push(piece);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(pieces: &[Piece]) -> String {
        pieces.iter().map(|piece| if piece.differs { format!("[{}]", piece.text) } else { piece.text.clone() }).collect()
    }

    #[test]
    fn words_that_differ_are_told_apart() {
        for (before, after, old, new) in [
            ("istio/pilot:1.26.3", "istio/pilot:1.27.0", "istio/pilot:1.[26].[3]", "istio/pilot:1.[27].[0]"),
            ("a b", "a b c", "a b", "a b[ c]"),
            ("", "x", "", "[x]"),
            ("äöü x", "äöü y", "äöü [x]", "äöü [y]"),
        ] {
            let (left, right) = pieces(before, after);
            assert_eq!((marked(&left).as_str(), marked(&right).as_str()), (old, new));
        }
        let long = |word: &str| format!("{}{word}{}", "a ".repeat(3000), " b".repeat(3000));
        let (left, _) = pieces(&long("one"), &long("two"));
        assert_eq!(left.iter().filter(|piece| piece.differs).map(|piece| piece.text.as_str()).collect::<Vec<_>>(), ["one"]);
    }

    #[test]
    fn a_line_shrinks_where_nothing_differs() {
        let line = |word: &str| format!("{}{word}{}", "x".repeat(100), "y".repeat(100));
        let folded = |columns| marked(&fold(&pieces(&line("-one-"), &line("-two-")).0, columns));
        for columns in [60, 80, 120, 180] {
            assert!(folded(columns).replace(['[', ']'], "").chars().count() <= columns, "{}", folded(columns));
        }
        assert!(folded(1000).ends_with('y') && !folded(1000).contains('…'));
        let short = folded(60);
        assert!(short.starts_with("…(") && short.contains("one") && short.ends_with(")…"), "{short}");
        let all = [Piece { text: "z".repeat(50), differs: true }];
        assert_eq!(marked(&fold(&all, 10)), format!("[{}…]", "z".repeat(9)));
    }
}
