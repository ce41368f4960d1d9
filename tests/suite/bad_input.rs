//! Bad input: a clear diagnostic with its place, exit code 1, and nothing written.

use meshplan_tests::scenario::Scenario;

/// Configurations that are wrong, each with what must be said and where.
const WRONG: &[(&str, &str, &[&str])] = &[
    (
        "a reference to nothing",
        "resource \"meshplan_data\" \"a\" {\n  input = meshplan_data.missing.output\n}\n",
        &["main.mesh.hcl:2", "missing"],
    ),
    (
        "a misspelt reference",
        "locals {\n  network = 1\n}\nresource \"meshplan_data\" \"a\" {\n  input = local.netwrok\n}\n",
        &["main.mesh.hcl:5", "netwrok", "network"],
    ),
    ("a circle", "locals {\n  a = local.b\n  b = local.a\n}\n", &["main.mesh.hcl:2", "circular reference", "local.a"]),
    (
        "a circle of resources",
        "resource \"meshplan_data\" \"a\" {\n  input = meshplan_data.b.id\n}\nresource \"meshplan_data\" \"b\" {\n  input = meshplan_data.a.id\n}\n",
        &["main.mesh.hcl:1", "circular reference", "meshplan_data.b"],
    ),
    (
        "a wrong type",
        "variable \"n\" {\n  type    = number\n  default = 1\n}\nmodule \"m\" {\n  source = \"./inner\"\n  count_of = \"many\"\n}\n",
        &["main.mesh.hcl:7", "number"],
    ),
    (
        "a name that stands twice",
        "resource \"meshplan_data\" \"a\" {\n}\nresource \"meshplan_data\" \"a\" {\n}\n",
        &["main.mesh.hcl:3", "meshplan_data"],
    ),
    ("an unknown attribute", "resource \"meshplan_data\" \"a\" {\n  inptu = 1\n}\n", &["main.mesh.hcl:2", "inptu", "input"]),
    ("an unknown kind", "resource \"meshplan_date\" \"a\" {\n}\n", &["main.mesh.hcl:1", "meshplan_date", "meshplan_data"]),
    ("a syntax error", "resource \"meshplan_data\" \"a\" {\n  input = = 1\n}\n", &["main.mesh.hcl:2"]),
    (
        "two errors, both told",
        "resource \"meshplan_data\" \"a\" {\n  input = local.one\n}\nresource \"meshplan_data\" \"b\" {\n  input = local.two\n}\n",
        &["main.mesh.hcl:2", "main.mesh.hcl:5"],
    ),
    ("a missing file", "resource \"meshplan_data\" \"a\" {\n  input = file(\"nowhere.txt\")\n}\n", &["main.mesh.hcl:2", "nowhere.txt"]),
    ("a required variable without value", "variable \"x\" {\n  type = string\n}\n", &["main.mesh.hcl:1", "x"]),
];

#[test]
fn wrong_configuration_says_what_and_where_and_writes_nothing() {
    for (what, text, said) in WRONG {
        for verb in [&["plan"][..], &["apply", "--auto-approve"]] {
            let scenario = Scenario::with(text);
            scenario.write("inner/main.mesh.hcl", "variable \"count_of\" {\n  type = number\n}\n");
            let output = scenario.run(verb).expect_code(1);
            for word in *said {
                assert!(output.stderr.contains(word), "{what}: no `{word}` in\n{}", output.all());
            }
            assert_eq!(scenario.read("meshplan.state.json"), "", "{what}");
            assert_eq!(scenario.read("meshplan.state.journal"), "", "{what}");
        }
    }
}

const FINE: &str = "resource \"meshplan_data\" \"a\" {\n  input = 1\n}\n";

#[test]
fn an_empty_or_missing_directory_is_an_error_and_never_a_wish_for_nothing() {
    let scenario = Scenario::with(FINE);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let before = scenario.read("meshplan.state.json");
    std::fs::remove_file(scenario.path().join("main.mesh.hcl")).unwrap();
    let output = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    assert!(output.stderr.contains("mesh.hcl"), "{}", output.all());
    assert_eq!(scenario.read("meshplan.state.json"), before);
    let output = scenario.run(&["-C", "nowhere", "plan"]).expect_code(1);
    assert!(output.stderr.contains("nowhere"), "{}", output.all());
}

#[test]
fn a_file_that_is_no_text_is_named() {
    let scenario = Scenario::with(FINE);
    std::fs::write(scenario.path().join("other.mesh.hcl"), [b'a', 0xff, 0xfe]).unwrap();
    let output = scenario.run(&["plan"]).expect_code(1);
    assert!(output.stderr.contains("other.mesh.hcl"), "{}", output.all());
}

#[test]
fn a_damaged_or_newer_state_is_refused_and_left_as_it_is() {
    let scenario = Scenario::with(FINE);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let good = scenario.read("meshplan.state.json");
    for (damaged, said) in [
        (good.replace("\"version\": 1", "\"version\": 9"), "9"),
        (good[..good.len() / 2].to_owned(), "meshplan.state.json"),
        ("{}".to_owned(), "meshplan.state.json"),
    ] {
        scenario.write("meshplan.state.json", &damaged);
        for verb in [&["plan"][..], &["apply", "--auto-approve"], &["destroy", "--auto-approve"]] {
            let output = scenario.run(verb).expect_code(1);
            assert!(output.stderr.contains(said), "{}", output.all());
            assert_eq!(scenario.read("meshplan.state.json"), damaged);
        }
    }
}

#[test]
fn a_damaged_journal_is_refused_and_left_as_it_is() {
    let scenario = Scenario::with(FINE);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let state = scenario.read("meshplan.state.json");
    let journal = "{\"nonsense\": true}\n{\"more\": 1}\n";
    scenario.write("meshplan.state.journal", journal);
    for verb in [&["plan"][..], &["apply", "--auto-approve"]] {
        let output = scenario.run(verb).expect_code(1);
        assert!(output.stderr.contains("meshplan.state.journal"), "{}", output.all());
        assert_eq!(scenario.read("meshplan.state.json"), state);
        assert_eq!(scenario.read("meshplan.state.journal"), journal);
    }
}

#[test]
fn a_held_lock_names_its_holder() {
    let scenario = Scenario::with(FINE);
    let store = state::Store::new(scenario.path().join("meshplan.state.json"));
    let held = store.lock("a test", std::time::Duration::ZERO).unwrap();
    let output = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    assert!(output.stderr.contains(&std::process::id().to_string()), "{}", output.all());
    assert_eq!(scenario.read("meshplan.state.json"), "");
    drop(held);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
}

#[test]
fn a_root_is_not_replaced_because_somebody_asks_for_it() {
    let root = |lifecycle: &str| {
        let subject = "subject = { organization = \"Istio\", common_name = \"Root CA\" }";
        format!(
            "resource \"meshplan_data\" \"t\" {{\n  input = var.t\n}}\nvariable \"t\" {{\n  default = 1\n}}\nresource \"ca_root\" \"mesh\" {{\n  {subject}\n{lifecycle}}}\n"
        )
    };
    let scenario = Scenario::with(&root(""));
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let state = scenario.read("meshplan.state.json");
    let asked = scenario.run(&["apply", "--auto-approve", "--replace=ca_root.mesh"]).expect_code(1);
    scenario.write("main.mesh.hcl", &root("  lifecycle {\n    replace_triggered_by = [meshplan_data.t.output]\n  }\n"));
    let triggered = scenario.run(&["apply", "--auto-approve", "--var=t=2"]).expect_code(1);
    for output in [asked, triggered] {
        assert!(output.stderr.contains("a root cannot be replaced") && output.stderr.contains("in steps"), "{}", output.all());
    }
    assert_eq!(scenario.read("meshplan.state.json"), state);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
}
