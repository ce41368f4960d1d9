//! `lifecycle` and `timeouts`.

use super::{End, hold, hold_each, hold_stories, scenario};
use meshplan_tests::fake::{Fails, Fake};
use serde_json::json;

fn data(arguments: &str, lifecycle: &str) -> String {
    format!(
        "resource \"meshplan_data\" \"a\" {{\n  {arguments}\n  lifecycle {{\n{lifecycle}\n  }}\n}}\noutput \"o\" {{\n  value = meshplan_data.a.output\n}}\n"
    )
}

#[test]
fn what_is_protected_is_neither_replaced_nor_deleted() {
    let protected = "prevent_destroy = true";
    hold_stories(&[
        (
            "protected",
            &[
                (&data("triggers_replace = 1", protected), End::State(&["meshplan_data.a"])),
                (&data("triggers_replace = 2", protected), End::Refused(&["protected resource"])),
                ("", End::Refused(&["protected resource"])),
                (&data("triggers_replace = 2", "prevent_destroy = false"), End::Says(&["-/+ meshplan_data.a"])),
                ("", End::State(&[])),
            ],
        ),
        (
            "made first",
            &[
                (&data("triggers_replace = 1", "create_before_destroy = true"), End::State(&["meshplan_data.a"])),
                (&data("triggers_replace = 2", "create_before_destroy = true"), End::Says(&["+/- meshplan_data.a"])),
            ],
        ),
    ]);
}

#[test]
fn what_is_protected_holds_its_place_also_when_its_block_is_gone() {
    let place = |name: &str| format!("resource \"fake_place\" \"p\" {{\n  name = \"{name}\"\n}}\n");
    let inner = |protected: bool| {
        format!(
            "resource \"fake_inner\" \"in\" {{\n  cluster = fake_place.p\n  name = \"in\"\n  lifecycle {{\n    prevent_destroy = {protected}\n  }}\n}}\n"
        )
    };
    let both = |name: &str, protected: bool| place(name) + &inner(protected);
    let there = End::State(&["fake_inner.in", "fake_place.p"]);
    let scenario = scenario(&Fake::default());
    hold(&scenario, "made", &both("p", true), &there);
    for (how, text) in [("its place is replaced", both("q", true)), ("its block is gone", place("p")), ("so is its place's", String::new())]
    {
        super::write(&scenario, &text);
        for args in [&["plan"][..], &["apply", "--auto-approve"], &["destroy", "--auto-approve"]] {
            let output = scenario.run(args).expect_code(1);
            assert!(super::errors(&output).contains(&"protected resource"), "{how}: {}", output.all());
            assert!(output.stderr.contains("fake_inner.in"), "{how}: {}", output.all());
        }
        assert_eq!(scenario.addresses(), ["fake_inner.in", "fake_place.p"], "{how}");
    }
    // Its block alone lets it go.
    hold(&scenario, "let go", &both("p", false), &there);
    hold(&scenario, "gone", "", &End::State(&[]));
}

#[test]
fn what_was_replaced_and_not_deleted_goes_with_the_next_apply() {
    let text = |name: &str, more: &str| {
        format!(
            "resource \"fake_thing\" \"a\" {{\n  name = \"{name}\"\n  lifecycle {{\n    create_before_destroy = true\n    {more}\n  }}\n}}\n"
        )
    };
    let fake = Fake::default();
    let scenario = scenario(&fake);
    hold(&scenario, "made", &text("one", ""), &End::State(&["fake_thing.a"]));
    fake.fail("delete fake_thing.a", Fails::Always);
    super::write(&scenario, &text("two", ""));
    scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    assert_eq!(fake.things().into_keys().collect::<Vec<_>>(), ["fake_thing/one", "fake_thing/two"]);
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(plan.contains("replaced before, not deleted yet") && plan.contains("1 to destroy"), "{plan}");
    // What has its name from the successor on may be replaced once more meanwhile.
    super::write(&scenario, &text("three", ""));
    scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    fake.fail("delete fake_thing.a", Fails::Never);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert_eq!(fake.things().into_keys().collect::<Vec<_>>(), ["fake_thing/three"]);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    // Beside itself nothing can be made.
    let output = scenario.run(&["plan", "--replace", "fake_thing.a"]).expect_code(1);
    assert_eq!(super::errors(&output), ["same name twice"], "{}", output.all());
}

#[test]
fn ignored_changes_are_not_followed() {
    let input =
        |ignored: &str, a: u64, b: u64| data(&format!("input = {{ a = {a}, l = [{a}, {b}] }}"), &format!("ignore_changes = {ignored}"));
    for (ignored, expected) in [
        ("[input]", json!({"a": 1, "l": [1, 2]})),
        ("[input.a]", json!({"a": 1, "l": [3, 4]})),
        ("[input[\"a\"]]", json!({"a": 1, "l": [3, 4]})),
        ("[input.l[0]]", json!({"a": 3, "l": [1, 4]})),
        ("[input.a, input.l]", json!({"a": 1, "l": [1, 2]})),
        ("all", json!({"a": 1, "l": [1, 2]})),
        ("[]", json!({"a": 3, "l": [3, 4]})),
    ] {
        let steps = [
            (input(ignored, 1, 2), End::Outputs(json!({"o": {"a": 1, "l": [1, 2]}}))),
            (input(ignored, 3, 4), End::Outputs(json!({"o": expected}))),
        ];
        let scenario = scenario(&Fake::default());
        for (text, end) in &steps {
            hold(&scenario, ignored, text, end);
        }
    }
    for (ignored, expected) in [
        ("[inptu]", "unknown argument"),
        ("[\"input\"]", "invalid path"),
        ("input", "invalid list"),
        ("[var.x]", "unknown argument"),
        ("[upper(\"a\")]", "invalid path"),
    ] {
        hold_each(&[(ignored, &input(ignored, 1, 2), End::Refused(&[expected]))]);
    }
}

#[test]
fn what_changes_may_replace_another_thing() {
    let text = |triggers: &str, value: u64| {
        format!(
            "resource \"meshplan_data\" \"a\" {{\n  input = {value}\n}}\nresource \"meshplan_data\" \"g\" {{\n  for_each = {{ x = {value}, y = 1 }}\n  input = each.value\n}}\n\
             resource \"meshplan_data\" \"b\" {{\n  for_each = toset([\"x\", \"y\"])\n  lifecycle {{\n    replace_triggered_by = [{triggers}]\n  }}\n}}\n"
        )
    };
    for (triggers, replaced) in [
        ("meshplan_data.a", 2),
        ("meshplan_data.a.output", 2),
        ("meshplan_data.a.id", 0),
        ("meshplan_data.g", 2),
        ("meshplan_data.g[\"y\"]", 0),
        ("meshplan_data.g[each.key]", 1),
        ("meshplan_data.g[each.key].output", 1),
        ("meshplan_data.g[\"y\"], meshplan_data.a.output", 2),
    ] {
        let scenario = scenario(&Fake::default());
        hold(&scenario, triggers, &text(triggers, 1), &End::Says(&["to add"]));
        hold(
            &scenario,
            triggers,
            &text(triggers, 2),
            &End::Says(&[&format!("0 to add, 2 to change, {replaced} to replace, 0 to destroy")]),
        );
    }
    for triggers in ["each.key", "\"meshplan_data.a\"", "path.module", "data.fake_data.d", "[meshplan_data.a]"] {
        hold_each(&[(
            triggers,
            &text(triggers, 1).replace("each.value", "1"),
            End::Refused(if triggers.starts_with("data") {
                &["invalid trigger", "undeclared reference"][..1]
            } else {
                &["invalid trigger"]
            }),
        )]);
    }
}

#[test]
fn conditions_guard_what_they_stand_at() {
    let condition = |kind: &str, condition: &str| {
        data("input = 1", &format!("{kind} {{\n  condition = {condition}\n  error_message = \"Said ${{local.t}}.\"\n}}"))
            + "locals {\n  t = true\n  n = null\n}\n"
    };
    hold_each(&[
        ("before, true", &condition("precondition", "local.t"), End::State(&["meshplan_data.a"])),
        ("before, false", &condition("precondition", "!local.t"), End::Refused(&["precondition failed"])),
        ("before, null", &condition("precondition", "local.n"), End::Refused(&["null condition"])),
        ("before, no condition", &condition("precondition", "[local.t]"), End::Refused(&["wrong condition"])),
        ("before, about itself", &condition("precondition", "self.input == 1"), End::Refused(&["unknown name"])),
        ("after, true", &condition("postcondition", "self.output == 1"), End::State(&["meshplan_data.a"])),
        ("after, false", &condition("postcondition", "self.output == 2"), End::Refused(&["postcondition failed"])),
        ("after, null", &condition("postcondition", "self.output == 1 ? null : true"), End::Refused(&["null condition"])),
        ("after, known then", &condition("postcondition", "self.id != \"\""), End::State(&["meshplan_data.a"])),
        ("after, no such attribute", &condition("postcondition", "self.outptu == 1"), End::Refused(&["no such attribute"])),
        ("neither", &condition("condition", "true"), End::Refused(&["unknown block"])),
    ]);
    let two = data(
        "",
        "precondition {\n  condition = local.n == 1\n  error_message = \"One.\"\n}\nprecondition {\n  condition = local.n == 2\n  error_message = \"Two.\"\n}",
    ) + "locals {\n  n = 3\n}\n";
    hold_each(&[("all are told", &two, End::Refused(&["precondition failed", "precondition failed"]))]);
}

#[test]
fn a_condition_that_fails_before_anything_is_made_is_all_that_is_told() {
    let scenario = scenario(&Fake::default());
    let guarded =
        "lifecycle {\n    precondition {\n      condition = timestamp() == path.root\n      error_message = \"Not yet.\"\n    }\n  }";
    super::write(&scenario, &format!("resource \"meshplan_data\" \"a\" {{\n  {guarded}\n}}\n"));
    let output = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    assert_eq!(super::errors(&output), ["condition failed"], "{}", output.all());
    assert!(output.stderr.contains("Not yet.") && !output.stderr.contains("warning: "), "{}", output.all());
    assert!(scenario.addresses().is_empty());
}

#[test]
fn what_stays_as_it_is_is_guarded_as_well() {
    let text = |more: &str, trigger: u64| {
        format!(
            "resource \"meshplan_data\" \"a\" {{\n  triggers_replace = {trigger}\n}}\nresource \"meshplan_data\" \"b\" {{\n  lifecycle {{\n    {more} {{\n      \
             condition = meshplan_data.a.id == \"no\"\n      error_message = \"Another one.\"\n    }}\n  }}\n}}\n\
             resource \"meshplan_data\" \"c\" {{\n  input = {trigger}\n  depends_on = [meshplan_data.b]\n}}\n"
        )
    };
    for word in ["precondition", "postcondition"] {
        let scenario = scenario(&Fake::default());
        hold(
            &scenario,
            word,
            &text(word, 1).replace("== \"no\"", "!= \"no\""),
            &End::State(&["meshplan_data.a", "meshplan_data.b", "meshplan_data.c"]),
        );
        // What `a` becomes is known only once it was replaced; `c` has to wait for that, and `b` does not change.
        super::write(&scenario, &text(word, 2));
        let output = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
        assert_eq!(super::errors(&output), ["condition failed"], "{}", output.all());
        assert!(output.stdout.contains("0 added, 0 changed, 1 replaced") || output.stdout.contains("incomplete"), "{}", output.all());
        let last = scenario.run(&["state", "show", "meshplan_data.c"]).stdout;
        assert!(last.contains("input  = 1"), "{last}");
    }
}

#[test]
fn what_is_no_lifecycle_is_told() {
    for (lifecycle, expected) in [
        ("prevent_destory = true", "unknown argument"),
        ("prevent_destroy = local.x", "not a constant"),
        ("create_before_destroy = 1", "wrong value"),
        ("precondition {}", "missing argument"),
    ] {
        let expected = if expected == "missing argument" { vec![expected; 2] } else { vec![expected] };
        hold_each(&[(lifecycle, &(data("", lifecycle) + "locals {\n  x = true\n}\n"), End::Refused(&expected))]);
    }
    hold_each(&[
        ("twice", "resource \"meshplan_data\" \"a\" {\n  lifecycle {}\n  lifecycle {}\n}\n", End::Refused(&["duplicate block"])),
        (
            "of data",
            "data \"fake_data\" \"a\" {\n  name = \"a\"\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n",
            End::Refused(&["unknown argument"]),
        ),
        (
            "as dynamic block",
            "resource \"meshplan_data\" \"a\" {\n  dynamic \"lifecycle\" {\n    for_each = [1]\n    content {}\n  }\n}\n",
            End::Refused(&["unknown block"]),
        ),
    ]);
}

#[test]
fn timeouts_are_texts_for_each_operation() {
    let text = |timeouts: &str| {
        format!(
            "variable \"t\" {{\n  default = \"90s\"\n}}\nresource \"fake_thing\" \"a\" {{\n  name = \"a\"\n  slow = true\n  timeouts {{\n    {timeouts}\n  }}\n}}\n"
        )
    };
    for (timeouts, end) in [
        ("create = \"10m\"", End::State(&["fake_thing.a"])),
        ("create = \"1h30m\"\n    read = var.t\n    update = \"1s\"\n    delete = \"${1 + 1}h\"", End::State(&["fake_thing.a"])),
        ("create = \"soon\"", End::Refused(&["wrong timeout"])),
        ("create = 10", End::Refused(&["wrong timeout"])),
        ("craete = \"1s\"", End::Refused(&["unknown argument"])),
        ("more {}", End::Refused(&["unknown block"])),
    ] {
        hold_each(&[(timeouts, &text(timeouts), end)]);
    }
}
