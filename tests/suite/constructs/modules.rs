//! `module` blocks: what goes in, what comes out, and how often they are called.

use super::{End, hold, hold_each, hold_stories, outputs, scenario};
use meshplan_tests::fake::Fake;
use serde_json::json;

const OUT: &str = "variable \"i\" {\n  default = \"x\"\n}\noutput \"o\" {\n  value = \"o${var.i}\"\n}\noutput \"p\" {\n  value = 1\n}\n";

fn called(call: &str, outputs: &str) -> String {
    format!("module \"m\" {{\n  source = \"./m\"\n{call}\n}}\n{outputs}--- m\n{OUT}")
}

fn output(value: &str) -> String {
    format!("output \"o\" {{\n  value = {value}\n}}\n")
}

#[test]
fn what_a_module_gives_is_seen_whole_and_in_parts() {
    let counted = "count = 2\n  i = count.index";
    let keyed = "for_each = { k = \"v\", l = \"w\" }\n  i = \"${each.key}${each.value}\"";
    for (call, value, expected) in [
        ("", "module.m", json!({"o": "ox", "p": 1})),
        ("i = 1", "module.m.o", json!("o1")),
        ("", "module.m[\"o\"]", json!("ox")),
        ("", "{ for name, value in module.m : name => value }", json!({"o": "ox", "p": 1})),
        ("", "merge(module.m, { q = 2 })", json!({"o": "ox", "p": 1, "q": 2})),
        (counted, "module.m", json!([{"o": "o0", "p": 1}, {"o": "o1", "p": 1}])),
        (counted, "module.m[1]", json!({"o": "o1", "p": 1})),
        (counted, "module.m[*].o", json!(["o0", "o1"])),
        (counted, "module.m.*.o", json!(["o0", "o1"])),
        (counted, "length(module.m)", json!(2)),
        ("count = 0", "module.m[*].o", json!([])),
        ("count = 0", "one(module.m[*].o)", json!(null)),
        (keyed, "module.m[\"k\"]", json!({"o": "okv", "p": 1})),
        (keyed, "{ for key, m in module.m : key => m.o }", json!({"k": "okv", "l": "olw"})),
        (keyed, "values(module.m)[*].o", json!(["okv", "olw"])),
        (keyed, "keys(module.m)", json!(["k", "l"])),
        ("for_each = toset([])", "module.m", json!({})),
    ] {
        hold_each(&[(value, &called(call, &output(value)), End::Outputs(json!({"o": expected})))]);
    }
}

#[test]
fn what_a_module_does_not_give_is_an_error() {
    for (call, value, expected) in [
        ("", "module.m.q", "undeclared output"),
        ("", "module.m[*].q", "no such attribute"),
        ("", "module.m[0]", "no such attribute"),
        ("count = 1", "module.m.o", "attribute of a list"),
        ("count = 1", "module.m[1].o", "no such element"),
        ("for_each = toset([\"k\"])", "module.m[\"z\"].o", "no such attribute"),
        ("for_each = toset([\"k\"])", "module.m[*].o", "no such attribute"),
        ("for_each = [\"k\"]", "module.m", "wrong `for_each`"),
        ("count = -1", "module.m", "wrong `count`"),
        ("count = 1\n  for_each = {}", "1", "duplicate repetition"),
        ("i = each.key", "1", "no repetition"),
        ("j = 1", "1", "unknown argument"),
        ("i {}", "1", "unknown block"),
        ("version = \"1\"", "1", "not supported yet"),
        ("depends_on = [meshplan_data.d]", "1", "undeclared reference"),
    ] {
        hold_each(&[(call, &called(call, &output(value)), End::Refused(&[expected]))]);
    }
    hold_each(&[
        (
            "a value that is missing",
            "module \"m\" {\n  source = \"./m\"\n}\n--- m\nvariable \"a\" {}\n",
            End::Refused(&["missing argument"]),
        ),
        (
            "a value of another type",
            "module \"m\" {\n  source = \"./m\"\n  a = [1]\n}\n--- m\nvariable \"a\" {\n  type = number\n}\n",
            End::Refused(&["wrong type"]),
        ),
        ("a name of an argument", "variable \"count\" {}\n", End::Refused(&["reserved name"])),
        ("no source", "module \"m\" {}\n", End::Refused(&["missing argument"])),
        ("a computed source", "locals {\n  s = \"./m\"\n}\nmodule \"m\" {\n  source = local.s\n}\n", End::Refused(&["not a constant"])),
        ("no such directory", "module \"m\" {\n  source = \"./nowhere\"\n}\n", End::Refused(&["module not readable"])),
        (
            "itself",
            "module \"m\" {\n  source = \"./m\"\n}\n--- m\nmodule \"m\" {\n  source = \"../m\"\n}\n",
            End::Refused(&["circular module call"]),
        ),
    ]);
}

#[test]
fn whole_objects_go_in_and_come_out() {
    let text = "module \"m\" {\n  source = \"./m\"\n}\nmodule \"n\" {\n  source = \"./n\"\n  m = module.m\n  r = meshplan_data.a\n  g = meshplan_data.g\n}\n\
        resource \"meshplan_data\" \"a\" {\n  input = \"in\"\n}\nresource \"meshplan_data\" \"g\" {\n  for_each = { x = 1, y = 2 }\n  input = each.value\n}\n\
        output \"o\" {\n  value = module.n.o\n}\noutput \"whole\" {\n  value = module.n.m.r.input\n}\n\
        --- m\nresource \"meshplan_data\" \"z\" {\n  input = \"inner\"\n}\noutput \"r\" {\n  value = meshplan_data.z\n}\n\
        --- n\nvariable \"m\" {}\nvariable \"r\" {\n  type = object({ input = string, id = string })\n}\nvariable \"g\" {\n  type = map(object({ output = number }))\n}\n\
        output \"o\" {\n  value = [var.m.r.output, var.m.r.id == null, var.r.input, var.r.id == null, sum([for one in var.g : one.output])]\n}\noutput \"m\" {\n  value = var.m\n}\n";
    hold_each(&[("whole", text, End::Outputs(json!({"o": ["inner", false, "in", false, 3], "whole": "inner"})))]);
}

#[test]
fn a_called_module_waits_and_is_known_by_its_keys() {
    let text = |call: &str| {
        format!(
            "module \"m\" {{\n  source = \"./m\"\n  {call}\n  depends_on = [meshplan_data.first]\n}}\nresource \"meshplan_data\" \"first\" {{\n  input = 1\n}}\n\
             resource \"meshplan_data\" \"last\" {{\n  depends_on = [module.m]\n}}\n--- m\nmodule \"n\" {{\n  source = \"../n\"\n  count = 2\n}}\n--- n\nresource \"meshplan_data\" \"z\" {{}}\n"
        )
    };
    let once =
        ["meshplan_data.first", "meshplan_data.last", "module.m.module.n[0].meshplan_data.z", "module.m.module.n[1].meshplan_data.z"];
    let keyed = [
        "meshplan_data.first",
        "meshplan_data.last",
        "module.m[\"a b\"].module.n[0].meshplan_data.z",
        "module.m[\"a b\"].module.n[1].meshplan_data.z",
    ];
    hold_stories(&[
        ("once", &[(&text(""), End::State(&once))]),
        ("for each", &[(&text("for_each = toset([\"a b\"])"), End::State(&keyed)), (&text("for_each = {}"), End::State(&once[..2]))]),
    ]);
    let unknown =
        "resource \"meshplan_data\" \"a\" {}\nmodule \"m\" {\n  source = \"./m\"\n  count = length(meshplan_data.a.id)\n}\n--- m\n";
    hold_each(&[("an unknown number", unknown, End::Refused(&["`count` is not known yet"]))]);
}

#[test]
fn outputs_outlive_the_resources_they_tell_of() {
    let cluster = "resource \"fake_place\" \"c\" {\n  name = \"c\"\n}\nresource \"fake_inner\" \"i\" {\n  name = \"i\"\n  cluster = fake_place.c\n}\n";
    let secret = |value: &str| format!("{cluster}output \"o\" {{\n  value = {value}\n  sensitive = true\n}}\n");
    let counted =
        "resource \"meshplan_data\" \"a\" {\n  count = 2\n  input = count.index\n}\noutput \"o\" {\n  value = meshplan_data.a\n}\n";
    let keeps = ["fake_inner.i", "fake_place.c"];
    hold_each(&[
        ("a reference", &format!("{cluster}{}", output("[fake_inner.i.cluster]")), End::Outputs(json!({"o": ["fake_place.c"]}))),
        ("a whole place", &secret("fake_place.c"), End::State(&keeps)),
        ("a whole resource that refers to its place", &secret("{ i = fake_inner.i }"), End::State(&keeps)),
        ("each of several", counted, End::State(&["meshplan_data.a[0]", "meshplan_data.a[1]"])),
    ]);
    let scenario = scenario(&Fake::default());
    hold(&scenario, "as an object", counted, &End::Says(&["o"]));
    assert_eq!(outputs(&scenario)["o"][1]["input"], 1);
}
