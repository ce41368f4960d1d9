//! Text that nobody would write: no configuration makes the parser, the formatter or the evaluator panic, and what `fmt` writes stays as
//! it is.
//!
//! The corpus is the project's own configuration and the recorded expressions. Each round cuts, doubles, swaps and inserts. The
//! rounds are the same in every run; `MESHPLAN_MUTATIONS` says how many (20,000 otherwise), and `MESHPLAN_MUTATIONS_FROM` with which to begin.

use engine::config::Root;
use engine::config::{self, lay_out, parse_expression};
use engine::diagnostic::Problems;
use engine::eval::{Arena, FileAnswer, Scope, Surroundings, evaluate};
use engine::source::{FileId, SourceTree, Span};
use engine::value::Value;
use meshplan_tests::draws::Draws;
use meshplan_tests::sources;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the language is made of, to put anywhere.
const WORDS: [&str; 40] = [
    "{", "}", "[", "]", "(", ")", "\"", "${", "%{", "$${", "~}", "<<E\n", "<<-E\n", "E\n", "\n", "=", "==", "=>", "?", ":", ",", ".",
    "...", "[*]", ".*", "!", "-", "/*", "*/", "#", "for ", " in ", " if ", "null", "1e9", "\\u00", "\\", "é", "\u{feff}", "\0",
];

/// A place in a text that is no middle of a character.
fn place(draws: &mut Draws, text: &str) -> usize {
    let mut at = draws.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn mutated(corpus: &[String], draws: &mut Draws) -> String {
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

/// Names nothing: every reference is an error, which an evaluation may meet anywhere.
struct Nothing;

impl Scope for Nothing {
    fn resolve(&mut self, _: &Root, span: Span, _: &mut Arena) -> Result<Value, Problems> {
        Err(vec![engine::diagnostic::Diagnostic::error("unknown name", "nothing has a name here").at(span)])
    }

    fn file(&mut self, _: &str) -> FileAnswer {
        FileAnswer::Absent
    }

    fn files(&mut self, _: &str, _: Option<usize>) -> FileAnswer {
        FileAnswer::Absent
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings::default()
    }
}

fn read(text: &str) {
    let mut tree = SourceTree::new(".");
    let file = tree.add("main.mesh.hcl", text);
    tree.modules.get_mut(&tree.root).unwrap().files.push(file);
    let (_, problems) = config::parse(&tree, &["cluster"]);
    for problem in problems {
        assert!(problem.at.is_none_or(|span| text.get(span.start as usize..span.end as usize).is_some()), "{problem:?}");
    }
    if let Ok(laid_out) = lay_out(text, file) {
        let bare = |text: &str| text.chars().filter(|of| !of.is_whitespace()).collect::<String>();
        assert_eq!(bare(&laid_out), bare(text), "words changed");
        assert_eq!(lay_out(&laid_out, file).as_ref(), Ok(&laid_out), "laid out again, it is another text");
    }
}

fn run(text: &str) {
    let Ok(expression) = parse_expression(text, FileId(0)) else { return };
    let mut arena = Arena::default();
    if let Ok(value) = evaluate(&expression, &mut Nothing, &mut arena) {
        let _json_or_not = value.to_json();
    }
}

fn each_mutation(corpus: &[String], rounds: std::ops::Range<u64>, consume: fn(&str)) {
    for round in rounds {
        let text = mutated(corpus, &mut Draws::new(round));
        let outcome = catch_unwind(AssertUnwindSafe(|| consume(&text)));
        assert!(outcome.is_ok(), "round {round}:\n{text}");
    }
}

fn rounds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let from = number("MESHPLAN_MUTATIONS_FROM").unwrap_or(0);
    from..from + number("MESHPLAN_MUTATIONS").unwrap_or(20_000)
}

#[test]
fn no_configuration_makes_the_parser_or_the_formatter_panic() {
    let corpus: Vec<_> = sources::all().into_iter().filter(|file| file.path.ends_with(".mesh.hcl")).map(|file| file.text).collect();
    assert!(corpus.len() >= 20);
    each_mutation(&corpus, rounds(), read);
}

#[test]
fn no_expression_makes_the_evaluator_panic() {
    let recorded = include_str!("../../engine/recordings/expressions.txt");
    let corpus: Vec<_> = recorded.lines().filter(|line| !line.is_empty() && !line.starts_with("//")).map(str::to_owned).collect();
    each_mutation(&corpus, rounds(), run);
}
