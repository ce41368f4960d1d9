//! Text that nobody would write, for a bounded time: nothing makes the parser, the formatter or the evaluator panic or hang, what `fmt`
//! writes stays as it is, and nothing that is sensitive is told.
//!
//! First comes the kept corpus: a directory for each target below `tests/fixtures/fuzz`, with a file for each construct and for each
//! finding; beside it the project's own configuration and the recorded expressions. Then rounds follow that cut, double, swap and insert
//! in these, or draw expressions. The rounds are the same in every run. `MESHPLAN_FUZZ_SECONDS` says for how long they go on (20 seconds
//! otherwise), `MESHPLAN_FUZZ_FROM` with which to begin. What a round finds is made small and written into the corpus, to be committed
//! with what mends it.

mod consumed;
mod drawn;
mod finding;
mod mutated;

use consumed::{evaluate_expression, read_configuration, render_template};
use finding::Target;
use meshplan_tests::scenario::project;
use meshplan_tests::sources;
use mutated::mutated;

/// Every expression of the recordings, one line or several.
fn recorded() -> Vec<String> {
    let lines = include_str!("../../engine/recordings/console.jsonl").lines();
    let expression = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["expression"].as_str().map(str::to_owned);
    lines.filter_map(expression).collect()
}

/// The configuration and the tests of the project.
fn configured() -> Vec<String> {
    let files = sources::all().into_iter().filter(|file| file.path.ends_with(".mesh.hcl") || file.path.ends_with(".meshtest.hcl"));
    files.map(|file| file.text).collect()
}

#[test]
fn no_configuration_makes_the_parser_or_the_formatter_panic() {
    let target = Target { name: "configuration", more: configured(), consume: read_configuration };
    target.run(mutated);
}

#[test]
fn no_expression_makes_the_evaluator_panic_or_tell_a_secret() {
    let target = Target { name: "expression", more: recorded(), consume: evaluate_expression };
    target.run(|corpus, draws| match draws.below(4) {
        0 => drawn::expression(draws, 4),
        1 => mutated(&[drawn::expression(draws, 4)], draws),
        _ => mutated(corpus, draws),
    });
}

#[test]
fn no_template_makes_the_evaluator_panic() {
    let files = ["engine/recordings/files/list.tmpl", "engine/recordings/files/hello.txt"];
    let more = files.iter().map(|path| std::fs::read_to_string(project().join(path)).unwrap()).collect();
    Target { name: "template", more, consume: render_template }.run(mutated);
}
