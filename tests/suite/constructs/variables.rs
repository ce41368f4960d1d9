//! `variable`, `locals` and `output` blocks.

use super::{End, errors, hold_each, scenario, write};
use engine::value::Value;
use meshplan_tests::fake::Fake;
use serde_json::json;

/// A variable with this body, and its value as the output `o`.
fn variable(body: &str) -> String {
    format!("variable \"a\" {{\n{body}\n}}\noutput \"o\" {{\n  value = var.a\n}}\n")
}

#[test]
fn a_variable_has_the_type_that_it_says() {
    let nested = "type = object({\n  n = optional(object({ x = optional(number, 5), y = optional(string) }), {})\n  \
                  l = optional(list(object({ z = optional(bool, true) })), [{}])\n  m = optional(map(object({ q = optional(string, \"q\") })), { k = {} })\n})\n";
    for (body, expected) in [
        ("default = [1, \"x\"]", json!([1, "x"])),
        ("type = string\ndefault = 1.50", json!("1.5")),
        ("type = list(string)\ndefault = [1, true]", json!(["1", "true"])),
        ("type = set(number)\ndefault = [2, 1, \"2\"]", json!([1, 2])),
        ("type = map(string)\ndefault = { a = 1 }", json!({"a": "1"})),
        ("type = tuple([string, number])\ndefault = [1, \"2\"]", json!(["1", 2])),
        ("type = object({ a = string })\ndefault = { a = 1, b = 2 }", json!({"a": "1"})),
        ("type = object({ a = optional(number, 5) })\ndefault = { a = null }", json!({"a": 5})),
        ("type = any\ndefault = null", json!(null)),
        (&format!("{nested}default = {{}}"), json!({"n": {"x": 5, "y": null}, "l": [{"z": true}], "m": {"k": {"q": "q"}}})),
        (
            &format!("{nested}default = {{ n = {{ y = 1 }}, l = [{{ z = false }}, {{}}], m = {{}} }}"),
            json!({"n": {"x": 5, "y": "1"}, "l": [{"z": false}, {"z": true}], "m": {}}),
        ),
    ] {
        hold_each(&[(body, &variable(body), End::Outputs(json!({"o": expected})))]);
    }
}

#[test]
fn a_variable_is_refused_what_does_not_fit() {
    let two = "default = 5\nvalidation {\n  condition = var.a > 10\n  error_message = \"Small.\"\n}\nvalidation {\n  condition = var.a % 2 == 0\n  \
               error_message = \"Odd: ${var.a}.\"\n}";
    let condition = |condition: &str| format!("default = 5\nvalidation {{\n  condition = {condition}\n  error_message = \"No.\"\n}}");
    for (body, expected) in [
        ("type = list(number)\ndefault = [\"x\"]", &["wrong type"][..]),
        ("default = null\nnullable = false", &["wrong type"]),
        ("nullable = false", &["missing value"]),
        ("type = object({ a = string })\ndefault = {}", &["wrong type"]),
        (two, &["invalid value", "invalid value"]),
        (&condition("var.a == 5 ? \"x\" : \"y\""), &["wrong condition"]),
        (&condition("1 == 1"), &["nothing validated"]),
        (&condition("var.a == 5 ? null : true"), &["null condition"]),
        (&condition("var.a").replace("\"No.\"", "1"), &["wrong condition"]),
        (&condition("var.a == 6").replace("\"No.\"", "[1]"), &["wrong message"]),
        (&condition("var.a == 6").replace("\"No.\"", "null"), &["wrong message"]),
        ("default = local.x", &["not a constant"]),
        ("sensitive = 1", &["wrong value"]),
        ("type = \"string\"", &["invalid type"]),
        ("tpye = string", &["unknown argument"]),
    ] {
        let fits = variable(body).replace("var.a\n}\n", "\"\"\n}\n");
        hold_each(&[(body, &fits, End::Refused(expected))]);
    }
    // A default that fits nobody is one whether or not a value is given.
    let scenario = scenario(&Fake::default());
    write(&scenario, &variable("type = number\ndefault = \"x\""));
    for verb in [&["plan", "--var", "a=1"][..], &["validate"]] {
        let output = scenario.run(verb).expect_code(1);
        assert!(output.stderr.contains("error: wrong type") && output.stderr.contains("main.mesh.hcl:1:1"), "{}", output.all());
    }
}

#[test]
fn messages_of_validations_are_said_unless_they_are_secret() {
    let body = |more: &str| {
        variable(&format!(
            "default = \"sesame\"\n{more}\nvalidation {{\n  condition = length(var.a) < local.most\n  error_message = \"It is ${{var.a}}.\"\n}}"
        )) + "locals {\n  most = 3\n}\n"
    };
    let scenario = scenario(&Fake::default());
    write(&scenario, &body(""));
    let output = scenario.run(&["plan"]).expect_code(1);
    assert!(output.stderr.contains("variable `a`: It is sesame."), "{}", output.all());
    write(&scenario, &body("sensitive = \"true\"").replace("value = var.a", "value = var.a\n  sensitive = true"));
    let output = scenario.run(&["plan"]).expect_code(1);
    assert!(output.stderr.contains("(the message is sensitive)") && !output.all().contains("sesame"), "{}", output.all());
    scenario.run(&["apply", "--auto-approve", "--var", "a=no"]).expect_code(0);
    assert!(!scenario.run(&["output"]).expect_code(0).all().contains("\"no\""));
    assert_eq!(scenario.run(&["output", "--raw", "o"]).expect_code(0).stdout.trim(), "no");
}

#[test]
fn null_is_a_value_where_it_may_be_one() {
    let call = |variable: &str| {
        format!(
            "module \"m\" {{\n  source = \"./m\"\n  a = null\n}}\noutput \"o\" {{\n  value = module.m.o\n}}\n--- m\nvariable \"a\" {{\n{variable}\n}}\noutput \"o\" {{\n  value = [var.a]\n}}\n"
        )
    };
    hold_each(&[
        ("null over a default", &call("  default = 1"), End::Outputs(json!({"o": [null]}))),
        ("a default in the place of null", &call("  default = 1\n  nullable = false"), End::Outputs(json!({"o": [1]}))),
        ("neither", &call("  nullable = false"), End::Refused(&["missing value"])),
        ("null of a type", &call("  type = list(string)"), End::Outputs(json!({"o": [null]}))),
    ]);
}

#[test]
fn a_variable_takes_references_of_a_class() {
    let text = |type_of: &str, value: &str| {
        format!(
            "resource \"fake_place\" \"p\" {{\n  for_each = toset([\"x\", \"y\"])\n  name = each.key\n}}\nresource \"fake_thing\" \"t\" {{\n  name = \"t\"\n}}\n\
             module \"m\" {{\n  source = \"./m\"\n  on = {value}\n}}\n--- m\nvariable \"on\" {{\n  type = {type_of}\n}}\nlocals {{\n  on = try(var.on.cluster, var.on)\n}}\n\
             resource \"fake_inner\" \"i\" {{\n  cluster = local.on\n  name = \"i\"\n}}\n"
        )
    };
    let state = ["fake_place.p[\"x\"]", "fake_place.p[\"y\"]", "fake_thing.t", "module.m.fake_inner.i"];
    hold_each(&[
        ("a class", &text("cluster", "fake_place.p[\"y\"]"), End::State(&state)),
        ("within an object", &text("object({ cluster = cluster })", "{ cluster = fake_place.p[\"y\"] }"), End::State(&state)),
        ("any", &text("any", "fake_place.p[\"y\"]"), End::State(&state)),
        ("of no class", &text("cluster", "fake_thing.t"), End::Refused(&["wrong type"])),
        ("a text", &text("cluster", "\"fake_place.p\""), End::Refused(&["wrong type"])),
        ("a group", &text("cluster", "fake_place.p"), End::Refused(&["wrong type"])),
        ("no class", &text("clsuter", "fake_place.p[\"y\"]"), End::Refused(&["invalid type"])),
    ]);
}

#[test]
fn what_is_ephemeral_is_kept_nowhere() {
    let ephemeral = "variable \"a\" {\n  ephemeral = true\n  default = \"x\"\n}\n";
    let with = |more: &str| format!("{ephemeral}{more}");
    hold_each(&[
        (
            "in a local and a condition",
            &with(
                "locals {\n  b = \"${var.a}y\"\n}\noutput \"o\" {\n  value = 1\n  precondition {\n    condition = local.b == \"xy\"\n    error_message = local.b\n  }\n}\n",
            ),
            End::Outputs(json!({"o": 1})),
        ),
        ("in an argument", &with("resource \"meshplan_data\" \"d\" {\n  input = var.a\n}\n"), End::Refused(&["ephemeral value"])),
        ("in an output", &with("output \"o\" {\n  value = var.a\n}\n"), End::Refused(&["ephemeral value"])),
        ("in keys", &with("resource \"meshplan_data\" \"d\" {\n  for_each = toset([var.a])\n}\n"), End::Refused(&["ephemeral value"])),
        (
            "in a variable that is not",
            &with("module \"m\" {\n  source = \"./m\"\n  a = var.a\n}\n--- m\nvariable \"a\" {}\n"),
            End::Refused(&["ephemeral value"]),
        ),
        (
            "through a module",
            &with(
                "module \"m\" {\n  source = \"./m\"\n  a = var.a\n}\noutput \"o\" {\n  value = module.m.b == \"x\" ? 1 : 2\n  precondition {\n    condition = module.m.b == \"x\"\n    error_message = \"\"\n  }\n}\n--- m\nvariable \"a\" {\n  ephemeral = true\n}\noutput \"b\" {\n  value = var.a\n  ephemeral = true\n}\n",
            ),
            End::Refused(&["ephemeral value"]),
        ),
        ("an output of the root module", "output \"o\" {\n  value = 1\n  ephemeral = true\n}\n", End::Refused(&["ephemeral output"])),
    ]);
}

#[test]
fn locals_are_of_one_module_and_in_any_order() {
    hold_each(&[
        (
            "in any order",
            "output \"o\" {\n  value = local.c\n}\nlocals {\n  c = local.b + 1\n}\nlocals {\n  b = local.a + 1\n  a = 1\n}\n",
            End::Outputs(json!({"o": 3})),
        ),
        ("twice", "locals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n", End::Refused(&["duplicate name"])),
        ("in a circle", "locals {\n  a = local.b\n  b = local.a\n}\n", End::Refused(&["circular reference"])),
        ("of itself", "locals {\n  a = local.a\n}\n", End::Refused(&["circular reference"])),
        ("with a label", "locals \"x\" {}\n", End::Refused(&["wrong labels"])),
        ("with a block", "locals {\n  a {}\n}\n", End::Refused(&["unknown block"])),
        (
            "of another module",
            "locals {\n  a = 1\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n--- m\noutput \"o\" {\n  value = local.a\n}\n",
            End::Refused(&["undeclared reference"]),
        ),
    ]);
}

#[test]
fn a_rule_may_look_at_more_than_its_variable_and_is_held_once_it_can_be() {
    let judged = |condition: &str| {
        format!(
            "variable \"a\" {{\n  default = 4\n  validation {{\n    condition = {condition}\n    error_message = \"${{var.a}}, ${{var.z}}.\"\n  }}\n}}\n\
             variable \"z\" {{\n  default = 5\n}}\ndata \"fake_data\" \"d\" {{\n  name = \"d\"\n}}\n\
             resource \"fake_thing\" \"t\" {{\n  name = \"t\"\n}}\nlocals {{\n  l = var.z + 1\n  uid = fake_thing.t.uid\n}}\n\
             output \"o\" {{\n  value = var.a\n}}\n"
        )
    };
    for (condition, refused) in [
        ("var.a < var.z", None),
        ("var.a > var.z", Some("invalid value")),
        ("var.a < local.l", None),
        ("var.a > local.l", Some("invalid value")),
        ("var.a < data.fake_data.d.value", None),
        ("var.a > data.fake_data.d.value", Some("invalid value")),
        ("var.a == 4 && local.uid != \"\"", None),
        ("var.a == 4 && local.uid == \"\"", Some("condition failed")),
    ] {
        let fake = Fake::default();
        fake.meddle("data/d", Some(Value::object([("value", Value::number(5))])));
        let scenario = scenario(&fake);
        write(&scenario, &judged(condition));
        let output = scenario.run(&["apply", "--auto-approve"]);
        assert_eq!(
            (output.code, errors(&output)),
            (u8::from(refused.is_some()), refused.into_iter().collect()),
            "{condition}: {}",
            output.all()
        );
        assert!(refused.is_none() || output.stderr.contains("4, 5."), "{condition}: {}", output.all());
    }
    hold_each(&[(
        "each other",
        "variable \"a\" {\n  default = 1\n  validation {\n    condition = var.a != var.b\n    error_message = \"\"\n  }\n}\n\
         variable \"b\" {\n  default = 1\n  validation {\n    condition = var.b != var.a\n    error_message = \"\"\n  }\n}\n",
        End::Refused(&["circular reference"]),
    )]);
    let own =
        variable("default = 1\nvalidation {\n  condition = var.a < local.l\n  error_message = \"\"\n}") + "locals {\n  l = var.a + 1\n}\n";
    hold_each(&[("what is made of it", &own, End::Refused(&["circular reference"]))]);
}

#[test]
fn outputs_are_shown_kept_and_guarded() {
    let secret = "variable \"s\" {\n  default = \"sesame\"\n  sensitive = true\n}\n";
    let guarded = |condition: &str| {
        format!(
            "resource \"meshplan_data\" \"d\" {{\n  input = 1\n}}\noutput \"o\" {{\n  value = 1\n  precondition {{\n    condition = {condition}\n    error_message = \"Not so.\"\n  }}\n}}\n"
        )
    };
    hold_each(&[
        (
            "of every kind",
            "output \"o\" {\n  value = { a = [1, null], b = toset([\"x\"]) }\n  description = \"d\"\n}\n",
            End::Outputs(json!({"o": {"a": [1, null], "b": ["x"]}})),
        ),
        ("a secret", &format!("{secret}output \"o\" {{\n  value = var.s\n}}\n"), End::Refused(&["sensitive output"])),
        (
            "a secret said to be one",
            &format!("{secret}output \"o\" {{\n  value = var.s\n  sensitive = true\n}}\n"),
            End::Says(&["o", "(sensitive value)"]),
        ),
        (
            "a secret of a module",
            "module \"m\" {\n  source = \"./m\"\n}\noutput \"o\" {\n  value = module.m.o\n}\n--- m\noutput \"o\" {\n  value = 1\n  sensitive = true\n}\n",
            End::Refused(&["sensitive output"]),
        ),
        ("a condition that holds", &guarded("meshplan_data.d.output == 1"), End::Outputs(json!({"o": 1}))),
        ("a condition that does not", &guarded("meshplan_data.d.output == 2"), End::Refused(&["precondition failed"])),
        ("a condition of null", &guarded("meshplan_data.d.output == 1 ? null : true"), End::Refused(&["null condition"])),
        ("without value", "output \"o\" {}\n", End::Refused(&["missing argument"])),
        (
            "that waits",
            "output \"o\" {\n  value = 1\n  depends_on = [meshplan_data.d]\n}\nresource \"meshplan_data\" \"d\" {}\n",
            End::State(&["meshplan_data.d"]),
        ),
        (
            "that waits for nothing",
            "output \"o\" {\n  value = 1\n  depends_on = [meshplan_data.d]\n}\n",
            End::Refused(&["undeclared reference"]),
        ),
    ]);
    // Known only after the apply: it fails then, and what is made is kept.
    let scenario = scenario(&Fake::default());
    write(&scenario, &guarded("meshplan_data.d.id == \"no\""));
    let output = scenario.run(&["apply", "--auto-approve"]).expect_code(1);
    assert!(output.stderr.contains("error: condition failed") && output.stderr.contains("Not so."), "{}", output.all());
    assert_eq!(scenario.addresses(), ["meshplan_data.d"]);
}
