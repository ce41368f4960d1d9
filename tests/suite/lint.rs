//! The rules of the lint: each has a configuration that breaks it, made of mistakes that guides and people make, and can be silenced.
//!
//! Below `tests/fixtures/lint` stands a directory for each rule, with what a plan says of it in `expected.txt`. `elsewhere.txt` names for each
//! other rule the test that breaks it.

use meshplan_tests::scenario::{Scenario, copy, project};
use meshplan_tests::{golden, lint};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

fn directory() -> PathBuf {
    project().join("tests").join("fixtures").join("lint")
}

/// The rules by their ids, each with whether a finding is a warning.
fn rules() -> BTreeMap<&'static str, bool> {
    let registry = meshplan::registry_maker(&project(), &BTreeMap::new())(&project());
    lint::rules(registry.catalogue()).map(|(_, rule)| (rule.id, rule.warning)).collect()
}

fn fixtures() -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap());
    entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn scenario(rule: &str) -> Scenario {
    let scenario = Scenario::empty();
    copy(&directory().join(rule), scenario.path());
    std::fs::remove_file(scenario.path().join("expected.txt")).unwrap_or_default();
    scenario
}

/// The settings that silence a rule.
fn silenced(rule: &str, at: &str) -> String {
    let at = if at.is_empty() { String::new() } else { format!("      at = [\"{at}\"]\n") };
    format!("meshplan {{\n  lint {{\n    ignore \"{rule}\" {{\n      reason = \"a test\"\n{at}    }}\n  }}\n}}\n")
}

#[test]
fn each_rule_is_broken_by_a_fixture_or_a_test() {
    let elsewhere = std::fs::read_to_string(directory().join("elsewhere.txt")).unwrap();
    let elsewhere: BTreeMap<&str, &str> = elsewhere.lines().filter_map(|line| line.split_once(": ")).collect();
    let fixtures = fixtures();
    let rules = rules();
    assert!(rules.len() > 15, "{rules:?}");
    for rule in rules.keys() {
        let test = elsewhere.get(rule).map(|path| std::fs::read_to_string(project().join(path)).unwrap());
        let names = |text: &String| text.contains(rule) || text.contains(&rule.replace('-', " "));
        assert!(fixtures.contains(*rule) != test.as_ref().is_some_and(names), "`{rule}` is broken by neither or both");
    }
    assert!(fixtures.iter().all(|fixture| rules.contains_key(&**fixture)), "{fixtures:?}");
    assert!(elsewhere.keys().all(|rule| rules.contains_key(rule)), "{elsewhere:?}");
}

#[test]
fn each_fixture_breaks_its_rule_and_no_other() {
    let mut differences = Vec::new();
    for (rule, warning) in rules().into_iter().filter(|(rule, _)| directory().join(rule).is_dir()) {
        let output = scenario(rule).run(&["plan"]);
        let titles: BTreeSet<&str> =
            output.stderr.lines().filter_map(|line| line.split_once("]: ")?.0.split_once('[')).map(|(_, id)| id).collect();
        assert_eq!(titles, BTreeSet::from([rule]), "{}", output.all());
        assert_eq!(output.code, u8::from(!warning), "{rule}: {}", output.all());
        differences.extend(golden::difference(&directory().join(rule).join("expected.txt"), &output.stderr));
    }
    golden::expect_none(differences);
}

#[test]
fn each_rule_is_silenced_by_its_id() {
    for rule in rules().into_keys().filter(|rule| directory().join(rule).is_dir()) {
        let scenario = scenario(rule);
        scenario.write("lint.mesh.hcl", &silenced(rule, ""));
        for command in ["validate", "plan"] {
            let output = scenario.run(&[command]).expect_code(0);
            assert!(!output.all().contains(rule), "{rule}, {command}: {}", output.all());
        }
    }
}

#[test]
fn exceptions_are_for_what_they_name_and_are_missed_when_they_are_of_no_use() {
    let scenario = scenario("route-weights");
    scenario.write("lint.mesh.hcl", &silenced("route-weights", "kubernetes_manifest.rule"));
    assert!(!scenario.run(&["plan"]).expect_code(0).stderr.contains("route-weights"));
    scenario.write("lint.mesh.hcl", &silenced("route-weights", "module.other"));
    let said = scenario.run(&["plan"]).expect_code(0).stderr;
    assert!(said.contains("warning[route-weights]: weights do not sum to 100"), "{said}");
    assert!(said.contains("warning: unused lint exception"), "{said}");
    scenario.replace("main.mesh.hcl", "weight: 90", "weight: 50");
    scenario.write("lint.mesh.hcl", &silenced("route-weights", ""));
    let said = scenario.run(&["plan"]).expect_code(0).stderr;
    assert!(said.contains("unused lint exception"), "{said}");
    // What is left out may need it, and so may what is not known yet.
    for args in [&["plan", "--target", "sandbox_cluster.c1"][..], &["plan", "--destroy"], &["validate"]] {
        let said = scenario.run(args).expect_code(0).stderr;
        assert!(!said.contains("unused lint exception"), "{args:?}: {said}");
    }
}

#[test]
fn an_exception_for_no_rule_is_an_error_with_the_one_that_was_meant() {
    let scenario = scenario("route-weights");
    scenario.write("lint.mesh.hcl", &silenced("route-weight", ""));
    for command in ["validate", "plan"] {
        let said = scenario.run(&[command]).expect_code(1).stderr;
        assert!(
            said.contains("unknown rule") && said.contains("Did you mean `route-weights`?") && said.contains("lint.mesh.hcl:3:"),
            "{said}"
        );
    }
}

#[test]
fn findings_tell_programs_their_rule() {
    let output = scenario("route-weights").run(&["plan", "--json"]).expect_code(0);
    let lines = output.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let rules: Vec<_> = lines.filter(|line| line["event"] == "diagnostic").map(|line| line["rule"].clone()).collect();
    assert_eq!(rules, ["route-weights"]);
}
