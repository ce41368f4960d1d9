//! Text made of other text.

use meshplan_tests::draws::Draws;

/// What the language is made of, to put anywhere.
const WORDS: [&str; 56] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "${",
    "%{",
    "$${",
    "~}",
    "<<E\n",
    "<<-E\n",
    "E\n",
    "\n",
    "=",
    "==",
    "=>",
    "?",
    ":",
    ",",
    ".",
    "...",
    "[*]",
    ".*",
    "!",
    "-",
    "/*",
    "*/",
    "#",
    "for ",
    " in ",
    " if ",
    "null",
    "1e9",
    "\\u00",
    "\\",
    "é",
    "\u{feff}",
    "\0",
    "\r\n",
    "%{ endif }",
    "%{ endfor }",
    "%{ else }",
    "${~",
    "var.unknown",
    "var.secret",
    "each.value",
    "self",
    "99999999999999999999",
    "1e-28",
    "&&",
    "||",
    "%",
    "\t",
    "\u{301}",
];

/// A place in a text that is no middle of a character.
fn place(draws: &mut Draws, text: &str) -> usize {
    let mut at = draws.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One of these texts, with a few parts cut, doubled, swapped or put in.
pub(super) fn mutated(corpus: &[String], draws: &mut Draws) -> String {
    let mut text = corpus[draws.below(corpus.len())].clone();
    for _ in 0..=draws.below(6) {
        let (one, other) = (place(draws, &text), place(draws, &text));
        let (start, end) = (one.min(other), one.max(other).min(one.min(other) + 40));
        let end = (start..=end).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(start);
        match draws.below(5) {
            0 => text.replace_range(start..end, ""),
            1 => text.insert_str(start, WORDS[draws.below(WORDS.len())]),
            2 => text.replace_range(start..end, WORDS[draws.below(WORDS.len())]),
            3 => {
                let again = text[start..end].to_owned();
                text.insert_str(start, &again);
            }
            _ => {
                let from = &corpus[draws.below(corpus.len())];
                let (one, other) = (place(draws, from), place(draws, from));
                let piece = from[one.min(other)..one.max(other)].chars().take(60).collect::<String>();
                text.insert_str(start, &piece);
            }
        }
    }
    text
}
