//! Every block and meta-argument of the language over the whole command line: what a configuration leaves, or why it is refused.

mod conversions;
mod errors;
mod lifecycle;
mod modules;
mod moves;
mod nested;
mod observed;
mod repetition;
mod settings;
mod suggestions;
mod variables;

use meshplan_tests::fake::Fake;
use meshplan_tests::scenario::{Output, Scenario};
use serde_json::{Map, Value, json};

/// What a configuration comes to.
enum End<'a> {
    /// It applies, and nothing is left to do: the addresses in the state.
    State(&'a [&'a str]),
    /// The same, with the values of its outputs.
    Outputs(Value),
    /// It applies, and the plan says these words, in this order.
    Says(&'a [&'a str]),
    /// It is refused with these summaries, in any order, and the state is as it was.
    Refused(&'a [&'a str]),
}

/// A scenario with the fake world beside the real providers. After a line such as `--- inner` stands the module in that directory.
fn scenario(fake: &Fake) -> Scenario {
    let mut scenario = Scenario::empty();
    scenario.beside(fake);
    scenario
}

fn write(scenario: &Scenario, text: &str) {
    for (at, module) in format!("--- .\n{text}").split("--- ").skip(1).enumerate() {
        let (directory, text) = module.split_once('\n').unwrap();
        scenario.write(&format!("{directory}/main.mesh.hcl"), text);
        assert!(at == 0 || directory != ".", "{text}");
    }
}

/// The summaries of the errors that a run told.
fn errors(output: &Output) -> Vec<&str> {
    output.stderr.lines().filter_map(|line| line.strip_prefix("error: ")).collect()
}

fn outputs(scenario: &Scenario) -> Value {
    let all: Map<String, Value> = serde_json::from_str(&scenario.run(&["output", "--json"]).expect_code(0).stdout).unwrap();
    Value::Object(all.into_iter().map(|(name, mut output)| (name, output["value"].take())).collect())
}

/// Applies a configuration and holds what is left against the end.
fn hold(scenario: &Scenario, what: &str, text: &str, end: &End<'_>) {
    write(scenario, text);
    let before = scenario.addresses();
    let output = scenario.run(&["apply", "--auto-approve"]);
    if let End::Refused(expected) = end {
        let (mut found, mut expected) = (errors(&output), expected.to_vec());
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!((output.code, found), (1, expected), "{what}: {}", output.all());
        assert_eq!(scenario.addresses(), before, "{what}");
        return;
    }
    assert_eq!((output.code, errors(&output)), (0, Vec::new()), "{what}: {}", output.all());
    match end {
        End::State(addresses) => assert_eq!(scenario.addresses(), *addresses, "{what}: {}", output.all()),
        End::Outputs(expected) => assert_eq!(outputs(scenario), *expected, "{what}"),
        End::Says(words) => {
            let mut rest = output.stdout.as_str();
            for word in *words {
                assert!(rest.contains(word), "{what}: no `{word}` in\n{}", output.all());
                rest = rest.split_once(word).unwrap().1;
            }
        }
        End::Refused(_) => {}
    }
    let again = scenario.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{what}, again: {}", again.all());
}

/// Each row is a configuration of its own.
fn hold_each(rows: &[(&str, &str, End<'_>)]) {
    for (what, text, end) in rows {
        hold(&scenario(&Fake::default()), what, text, end);
    }
}

/// Configurations that follow each other on one state.
type Story<'a> = (&'a str, &'a [(&'a str, End<'a>)]);

fn hold_stories(stories: &[Story<'_>]) {
    for (what, steps) in stories {
        let scenario = scenario(&Fake::default());
        for (at, (text, end)) in steps.iter().enumerate() {
            hold(&scenario, &format!("{what}, step {at}"), text, end);
        }
    }
}

#[test]
fn what_is_held_is_told_apart() {
    let scenario = scenario(&Fake::default());
    hold(&scenario, "a", "resource \"meshplan_data\" \"a\" {}\n", &End::State(&["meshplan_data.a"]));
    hold(
        &scenario,
        "b",
        "output \"a\" {\n  value = module.m.a\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n--- m\noutput \"a\" {\n  value = [1]\n}\n",
        &End::Outputs(json!({"a": [1]})),
    );
    hold(&scenario, "c", "output \"a\" {\n  value = upr(1)\n}\n", &End::Refused(&["unknown function"]));
    hold(&scenario, "d", "output \"b\" {\n  value = 2\n}\n", &End::Says(&["b", "2"]));
}
