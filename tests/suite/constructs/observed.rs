//! `data`, `check` and `import` blocks: what exists without us.

use super::{End, errors, hold, hold_each, scenario, write};
use engine::value::Value;
use meshplan_tests::fake::Fake;
use serde_json::json;

fn says(value: u64) -> Value {
    Value::object([("value", Value::number(value))])
}

const DATA: &str = "data \"fake_data\" \"d\" {\n  name = \"d\"\n}\n";

#[test]
fn data_is_read_and_guarded() {
    let fake = Fake::default();
    fake.meddle("data/d", Some(says(1)));
    let scenario = scenario(&fake);
    let with = |more: &str, value: &str| {
        format!("{}output \"o\" {{\n  value = {value}\n}}\n", DATA.replace("name = \"d\"\n", &format!("name = \"d\"\n  {more}\n")))
    };
    hold(&scenario, "once", &with("", "data.fake_data.d.value"), &End::Outputs(json!({"o": 1})));
    hold(&scenario, "by number", &with("count = 2", "data.fake_data.d[*].value"), &End::Outputs(json!({"o": [1, 1]})));
    hold(&scenario, "by key", &with("for_each = toset([\"k\"])", "data.fake_data.d[\"k\"].value"), &End::Outputs(json!({"o": 1})));
    let condition = |word: &str, value: u64| {
        with(
            &format!(
                "lifecycle {{\n    {word} {{\n      condition = {} == {value}\n      error_message = \"No.\"\n    }}\n  }}",
                if word == "postcondition" { "self.value" } else { "local.one" }
            ),
            "1",
        ) + "locals {\n  one = 1\n}\n"
    };
    hold(&scenario, "a condition before", &condition("precondition", 1), &End::Outputs(json!({"o": 1})));
    hold(&scenario, "a condition before, false", &condition("precondition", 2), &End::Refused(&["precondition failed"]));
    hold(&scenario, "a condition after", &condition("postcondition", 1), &End::Outputs(json!({"o": 1})));
    hold(&scenario, "a condition after, false", &condition("postcondition", 2), &End::Refused(&["postcondition failed"]));
    fake.meddle("data/d", None);
    hold(&scenario, "what is not there", DATA, &End::Refused(&["nothing to read"]));
    assert!(scenario.addresses().is_empty());
}

#[test]
fn data_that_is_read_at_apply_is_guarded_then() {
    let text = |word: &str, condition: &str, waits: &str| {
        format!(
            "resource \"fake_thing\" \"t\" {{\n  name = \"t\"\n}}\ndata \"fake_data\" \"d\" {{\n  name = \"d\"\n  {waits}lifecycle {{\n    {word} {{\n      \
             condition = {condition}\n      error_message = \"No.\"\n    }}\n  }}\n}}\nresource \"fake_thing\" \"u\" {{\n  name = \"u\"\n  value = data.fake_data.d.value\n}}\n"
        )
    };
    let waits = "depends_on = [fake_thing.t]\n  ";
    for (word, condition, waits, holds) in [
        ("precondition", "fake_thing.t.uid != \"\"", waits, true),
        ("precondition", "fake_thing.t.uid == \"\"", waits, false),
        ("postcondition", "self.value == 1", waits, true),
        ("postcondition", "self.value == 2", waits, false),
        // It is read while planning, and what must hold of it is known later.
        ("precondition", "fake_thing.t.uid != \"\"", "", true),
        ("precondition", "fake_thing.t.uid == \"\"", "", false),
        ("postcondition", "self.value == 1 && fake_thing.t.uid != \"\"", "", true),
        ("postcondition", "self.value == 1 && fake_thing.t.uid == \"\"", "", false),
    ] {
        let fake = Fake::default();
        fake.meddle("data/d", Some(says(1)));
        let scenario = scenario(&fake);
        write(&scenario, &text(word, condition, waits));
        let output = scenario.run(&["apply", "--auto-approve"]);
        let expected = if holds { &["fake_thing.t", "fake_thing.u"][..] } else { &["fake_thing.t"] };
        assert_eq!(
            (output.code, scenario.addresses()),
            (u8::from(!holds), expected.iter().map(ToString::to_string).collect()),
            "{word}: {}",
            output.all()
        );
        assert_eq!(errors(&output), if holds { Vec::new() } else { vec!["condition failed"] }, "{}", output.all());
    }
}

#[test]
fn a_condition_on_what_could_not_be_observed_blocks_what_it_guards_alone() {
    let fake = Fake::default();
    fake.silence("data/d");
    let scenario = scenario(&fake);
    let condition =
        |word: &str, of: &str| format!("{word} {{\n    condition = data.fake_data.d.value == {of}\n    error_message = \"No.\"\n  }}\n");
    let guarded = |name: &str, word: &str| {
        format!("resource \"fake_thing\" \"{name}\" {{\n  name = \"{name}\"\n  lifecycle {{\n  {}  }}\n}}\n", condition(word, "1"))
    };
    let text = DATA.to_owned()
        + &guarded("before", "precondition")
        + &guarded("after", "postcondition")
        + &format!("output \"o\" {{\n  value = 1\n  {}}}\n", condition("precondition", "1"))
        + "module \"m\" {\n  source = \"./m\"\n  a = data.fake_data.d.value\n}\nresource \"fake_thing\" \"other\" {\n  name = \"other\"\n}\n--- m\n"
        + "variable \"a\" {\n  validation {\n    condition = var.a == 1\n    error_message = \"No.\"\n  }\n}\n";
    write(&scenario, &text);
    let output = scenario.run(&["apply", "--auto-approve"]);
    assert_eq!((output.code, scenario.addresses()), (1, vec!["fake_thing.other".to_owned()]), "{}", output.all());
    assert!(!output.all().contains("condition failed") && !output.all().contains("invalid value"), "{}", output.all());
    fake.answer_again("data/d");
    fake.meddle("data/d", Some(says(1)));
    hold(&scenario, "it answers", &text, &End::Outputs(json!({"o": 1})));
}

#[test]
fn a_check_has_data_of_its_own_and_never_fails_a_run() {
    let fake = Fake::default();
    let scenario = scenario(&fake);
    let text = format!(
        "resource \"fake_thing\" \"t\" {{\n  name = \"t\"\n}}\ncheck \"c\" {{\n  {DATA}  assert {{\n    condition = data.fake_data.d.value == 1\n    error_message = \"It is ${{data.fake_data.d.value}}.\"\n  }}\n  assert {{\n    condition = fake_thing.t.name == \"t\"\n    error_message = \"Another name.\"\n  }}\n}}\n"
    );
    // What the check cannot read is its failure, with the address of its data source, and no error.
    hold(&scenario, "nothing there", &text, &End::Says(&["check.c", "failed", "data.fake_data.c.d"]));
    fake.silence("data/d");
    hold(&scenario, "silent", &text, &End::Says(&["check.c", "failed", "could not be observed"]));
    fake.answer_again("data/d");
    fake.meddle("data/d", Some(says(2)));
    hold(&scenario, "another value", &text, &End::Says(&["check.c", "failed", "It is 2."]));
    fake.meddle("data/d", Some(says(1)));
    hold(&scenario, "as it should be", &text, &End::State(&["fake_thing.t"]));
    assert!(!scenario.run(&["plan"]).all().contains("failed"));
    hold(
        &scenario,
        "null",
        &text.replace("data.fake_data.d.value == 1", "data.fake_data.d.value == 1 ? null : true"),
        &End::Says(&["check.c", "failed", "null"]),
    );
    // Nobody else sees it.
    hold(
        &scenario,
        "outside",
        &format!("{text}output \"o\" {{\n  value = data.fake_data.d\n}}\n"),
        &End::Refused(&["undeclared reference"]),
    );
}

#[test]
fn what_is_no_check_is_told() {
    let check = |body: &str| format!("check \"c\" {{\n  {body}\n}}\n");
    let assertion = "assert {\n    condition = path.root != \"\"\n    error_message = \"\"\n  }";
    for (body, expected) in [
        ("", "missing block"),
        ("assert {}", "missing argument"),
        (&format!("{assertion}\n  x = 1"), "unknown argument"),
        (&format!("{assertion}\n  resource \"a\" \"b\" {{}}"), "unknown block"),
        (&format!("{assertion}\n  data \"fake_data\" \"d\" {{\n    name = \"d\"\n    count = 1\n  }}"), "unknown argument"),
        (&format!("{assertion}\n  data \"fake_data\" \"d\" {{\n    nmae = \"d\"\n    name = \"d\"\n  }}"), "unknown argument"),
        (&format!("{assertion}\n  data \"fake_dat\" \"d\" {{\n    name = \"d\"\n  }}"), "unknown data source kind"),
        (&assertion.replace("path.root != \"\"", "data.fake_data.d.value"), "undeclared reference"),
    ] {
        let expected = if body == "assert {}" { vec![expected; 2] } else { vec![expected] };
        hold_each(&[(body, &check(body), End::Refused(&expected))]);
    }
    hold_each(&[("of one name", &check(assertion).repeat(2), End::Refused(&["duplicate name"]))]);
}

#[test]
fn what_exists_is_imported_one_or_many() {
    let fake = Fake::default();
    for name in ["a", "b", "c"] {
        fake.meddle(&format!("fake_thing/{name}"), Some(Value::object([("name", Value::string(name)), ("uid", Value::string(name))])));
    }
    let scenario = scenario(&fake);
    let thing = |name: &str, more: &str| format!("resource \"fake_thing\" \"{name}\" {{\n  {more}\n}}\n");
    let import = |to: &str, more: &str| format!("import {{\n  to = {to}\n  {more}\n}}\n");
    let one = thing("a", "name = \"a\"") + &import("fake_thing.a", "id = \"a\"");
    let many = thing("g", "for_each = toset([\"b\"])\n  name = each.key")
        + &import("fake_thing.g[each.key]", "for_each = toset([\"b\"])\n  id = each.value");
    let within = "module \"m\" {\n  source = \"./m\"\n  for_each = toset([\"c\"])\n  name = each.key\n}\n".to_owned()
        + &import("module.m[\"c\"].fake_thing.t", "id = local.c")
        + "locals {\n  c = \"c\"\n}\n--- m\nvariable \"name\" {}\nresource \"fake_thing\" \"t\" {\n  name = var.name\n}\n";
    write(&scenario, &format!("{one}{many}{within}"));
    let planned = scenario.run(&["plan"]).expect_code(0);
    for address in ["fake_thing.a", "fake_thing.g[\"b\"]", "module.m[\"c\"].fake_thing.t"] {
        assert!(planned.stdout.contains(&format!("{address}  import")) || planned.stdout.contains(address), "{}", planned.all());
    }
    assert!(planned.stdout.contains("3 to import"), "{}", planned.all());
    hold(
        &scenario,
        "all",
        &format!("{one}{many}{within}"),
        &End::State(&["fake_thing.a", "fake_thing.g[\"b\"]", "module.m[\"c\"].fake_thing.t"]),
    );
    assert!(!fake.calls().iter().any(|call| call.starts_with("create")), "{:?}", fake.calls());
    for (what, text, expected) in [
        ("no block", import("fake_thing.z", "id = \"z\""), "target not in configuration"),
        ("no id", thing("z", "name = \"z\"") + &import("fake_thing.z", ""), "missing argument"),
        (
            "of a module",
            "module \"m\" {\n  source = \"./m\"\n}\n--- m\n".to_owned()
                + &thing("z", "name = \"z\"")
                + &import("fake_thing.z", "id = \"z\""),
            "misplaced block",
        ),
        ("not there", thing("z", "name = \"z\"") + &import("fake_thing.z", "id = \"z\""), "nothing to import"),
        (
            "a list of ids",
            thing("z", "name = \"z\"") + &import("fake_thing.z", "for_each = [\"z\"]\n  id = each.value"),
            "wrong `for_each`",
        ),
    ] {
        let scenario = super::scenario(&fake);
        write(&scenario, &text);
        let output = scenario.run(&["plan"]).expect_code(1);
        assert_eq!(errors(&output), [expected], "{what}: {}", output.all());
    }
}
