//! `count`, `for_each` and `depends_on`.

use super::{End, hold_each, hold_stories, scenario};
use meshplan_tests::fake::Fake;
use serde_json::json;

#[test]
fn blocks_are_repeated_by_number_or_key() {
    let block = |repetition: &str, input: &str| format!("resource \"meshplan_data\" \"d\" {{\n  {repetition}\n  input = {input}\n}}\n");
    let secret = "variable \"n\" {\n  default = 1\n  sensitive = true\n}\n";
    hold_each(&[
        ("a number", &block("count = 2", "count.index"), End::State(&["meshplan_data.d[0]", "meshplan_data.d[1]"])),
        ("none", &block("count = 0", "1"), End::State(&[])),
        ("a number as text", &block("count = \"1\"", "1"), End::State(&["meshplan_data.d[0]"])),
        ("a secret number", &format!("{secret}{}", block("count = var.n", "1")), End::State(&["meshplan_data.d[0]"])),
        ("a condition", &block("count = 1 > 2 ? 1 : 0", "1"), End::State(&[])),
        (
            "a map",
            &block("for_each = { a = 1, \"b c\" = 2 }", "each.value"),
            End::State(&["meshplan_data.d[\"a\"]", "meshplan_data.d[\"b c\"]"]),
        ),
        (
            "a set",
            &block("for_each = toset([\"b\", \"a\", \"a\"])", "each.value"),
            End::State(&["meshplan_data.d[\"a\"]", "meshplan_data.d[\"b\"]"]),
        ),
        (
            "another block",
            &format!(
                "{}resource \"meshplan_data\" \"e\" {{\n  for_each = meshplan_data.d\n  input = each.value.input\n}}\n",
                block("for_each = { a = 1 }", "2")
            ),
            End::State(&["meshplan_data.d[\"a\"]", "meshplan_data.e[\"a\"]"]),
        ),
    ]);
}

#[test]
fn what_is_no_number_and_no_keys_is_refused() {
    let block = |repetition: &str, input: &str| format!("resource \"meshplan_data\" \"d\" {{\n  {repetition}\n  input = {input}\n}}\n");
    let secret = "variable \"n\" {\n  default = 1\n  sensitive = true\n}\n";
    hold_each(&[
        ("a list", &block("for_each = [\"a\"]", "1"), End::Refused(&["wrong `for_each`"])),
        ("null", &block("for_each = null", "1"), End::Refused(&["wrong `for_each`"])),
        ("a text", &block("for_each = \"a\"", "1"), End::Refused(&["wrong `for_each`"])),
        ("a set of numbers", &block("for_each = toset([1])", "1"), End::Refused(&["wrong `for_each`"])),
        ("a set with null", &block("for_each = toset([\"a\", null])", "1"), End::Refused(&["wrong `for_each`"])),
        ("a secret set", &format!("{secret}{}", block("for_each = toset([var.n])", "1")), End::Refused(&["wrong `for_each`"])),
        ("below zero", &block("count = -1", "1"), End::Refused(&["wrong `count`"])),
        ("half", &block("count = 1.5", "1"), End::Refused(&["wrong `count`"])),
        ("null as number", &block("count = null", "1"), End::Refused(&["wrong `count`"])),
        ("a word", &block("count = \"two\"", "1"), End::Refused(&["wrong `count`"])),
        ("both", &block("count = 1\n  for_each = {}", "1"), End::Refused(&["duplicate repetition"])),
        ("each where there is a number", &block("count = 1", "each.key"), End::Refused(&["no repetition"])),
        ("a number where there is each", &block("for_each = { a = 1 }", "count.index"), End::Refused(&["no repetition"])),
        ("each alone", &block("", "each.value"), End::Refused(&["no repetition"])),
        (
            "unknown keys",
            &format!("{}resource \"meshplan_data\" \"e\" {{\n  for_each = toset([meshplan_data.d.id])\n}}\n", block("", "1")),
            End::Refused(&["`for_each` is not known yet"]),
        ),
        (
            "unknown values",
            &format!(
                "{}resource \"meshplan_data\" \"e\" {{\n  for_each = {{ a = meshplan_data.d.id }}\n  input = each.value\n}}\n",
                block("", "1")
            ),
            End::State(&["meshplan_data.d", "meshplan_data.e[\"a\"]"]),
        ),
        (
            "one of many",
            &format!("{}output \"o\" {{\n  value = meshplan_data.d.id\n}}\n", block("count = 1", "1")),
            End::Refused(&["attribute of a list"]),
        ),
        (
            "one with an index",
            &format!("{}output \"o\" {{\n  value = meshplan_data.d[0].id\n}}\n", block("", "1")),
            End::Refused(&["no such attribute"]),
        ),
    ]);
}

#[test]
fn instances_come_and_go_by_their_keys() {
    let text = |keys: &str| {
        format!(
            "resource \"fake_thing\" \"t\" {{\n  for_each = toset([{keys}])\n  name = each.key\n}}\noutput \"o\" {{\n  value = keys(fake_thing.t)\n}}\n"
        )
    };
    hold_stories(&[(
        "keys",
        &[
            (&text("\"a\", \"b\""), End::Outputs(json!({"o": ["a", "b"]}))),
            (
                &text("\"b\", \"c\""),
                End::Says(&["-   fake_thing.t[\"a\"]", "+   fake_thing.t[\"c\"]", "1 to add, 0 to change, 0 to replace, 1 to destroy"]),
            ),
            (&text("\"b\", \"c\""), End::State(&["fake_thing.t[\"b\"]", "fake_thing.t[\"c\"]"])),
        ],
    )]);
}

#[test]
fn what_depends_on_something_is_made_after_it_and_goes_before_it() {
    let text = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n  depends_on = [fake_thing.b, fake_thing.c[\"x\"], data.fake_data.d, module.m, check.ready]\n}\n\
        resource \"fake_thing\" \"b\" {\n  name = \"b\"\n}\nresource \"fake_thing\" \"c\" {\n  for_each = toset([\"x\", \"y\"])\n  name = each.key\n}\n\
        data \"fake_data\" \"d\" {\n  name = \"d\"\n  depends_on = [fake_thing.b]\n}\nmodule \"m\" {\n  source = \"./m\"\n  depends_on = [fake_thing.b]\n}\n\
        check \"ready\" {\n  assert {\n    condition = fake_thing.b.name == \"b\"\n    error_message = \"\"\n  }\n}\n--- m\nresource \"fake_thing\" \"z\" {\n  name = \"z\"\n}\n";
    let fake = Fake::default();
    fake.meddle("data/d", Some(engine::value::Value::object([("value", engine::value::Value::number(1))])));
    let scenario = scenario(&fake);
    super::hold(
        &scenario,
        "made",
        text,
        &End::State(&["fake_thing.a", "fake_thing.b", "fake_thing.c[\"x\"]", "fake_thing.c[\"y\"]", "module.m.fake_thing.z"]),
    );
    let place =
        |calls: &[String], call: &str| calls.iter().position(|one| one == call).unwrap_or_else(|| panic!("no `{call}` in {calls:?}"));
    let calls = fake.calls();
    let made = |name: &str| place(&calls, &format!("create {name}"));
    for first in ["fake_thing.b", "fake_thing.c[\"x\"]", "module.m.fake_thing.z"] {
        assert!(made(first) < made("fake_thing.a"), "{calls:?}");
    }
    assert!(made("fake_thing.b") < made("module.m.fake_thing.z"), "{calls:?}");
    fake.clear_calls();
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    let calls = fake.calls();
    let gone = |name: &str| place(&calls, &format!("delete {name}"));
    assert!(gone("fake_thing.a") < gone("fake_thing.b") && gone("module.m.fake_thing.z") < gone("fake_thing.b"), "{calls:?}");
    for (entry, expected) in [
        ("fake_thing.z", "undeclared reference"),
        ("data.fake_data.z", "undeclared reference"),
        ("module.z", "undeclared reference"),
        ("check.z", "undeclared reference"),
        ("\"fake_thing.b\"", "unknown dependency"),
        ("var.x", "unknown dependency"),
        ("fake_thing.b.name", "unknown dependency"),
        ("fake_thing.a", "circular reference"),
    ] {
        let text = format!(
            "resource \"fake_thing\" \"a\" {{\n  name = \"a\"\n  depends_on = [{entry}]\n}}\nresource \"fake_thing\" \"b\" {{\n  name = \"b\"\n}}\n"
        );
        hold_each(&[(entry, &text, End::Refused(&[expected]))]);
    }
}
