//! `meshplan` and `provider` blocks.

use super::{End, hold, hold_each, scenario};
use meshplan_tests::fake::Fake;

#[test]
fn a_configuration_says_which_meshplan_may_read_it() {
    let version = env!("CARGO_PKG_VERSION");
    for (constraint, fits) in [
        (version.to_owned(), true),
        (format!("= {version}"), true),
        (format!("!= {version}"), false),
        (format!("> {version}"), false),
        (format!(">= {version}"), true),
        (format!("< {version}"), false),
        (format!("<={version}"), true),
        (format!("~> {version}"), true),
        ("~> 99.0".to_owned(), false),
        (format!(">= 0.0.1, <= {version}"), true),
        (">= 0.0.1, < 0.0.2".to_owned(), false),
    ] {
        let end = if fits { End::State(&[]) } else { End::Refused(&["another meshplan is required"]) };
        hold_each(&[(&constraint, &format!("meshplan {{\n  required_version = \"{constraint}\"\n}}\n"), end)]);
    }
    hold_each(&[
        (
            "of a module",
            "module \"m\" {\n  source = \"./m\"\n}\n--- m\nmeshplan {\n  required_version = \"> 99\"\n}\n",
            End::Refused(&["another meshplan is required"]),
        ),
        ("no constraint", "meshplan {\n  required_version = \"new\"\n}\n", End::Refused(&["not a version constraint"])),
        ("a reference", "locals {\n  v = \"1\"\n}\nmeshplan {\n  required_version = local.v\n}\n", End::Refused(&["not a constant"])),
    ]);
}

#[test]
fn settings_may_stand_in_several_blocks() {
    let block = |body: &str| format!("meshplan {{\n  {body}\n}}\n");
    hold_each(&[
        (
            "two versions",
            &(block("required_version = \">= 0.0.1\"") + &block("required_version = \">= 0.0.2\"") + &block("history = 3")),
            End::State(&[]),
        ),
        (
            "of which one does not fit",
            &(block("required_version = \">= 0.0.1\"") + &block("required_version = \">= 99\"")),
            End::Refused(&["another meshplan is required"]),
        ),
        ("twice one setting", &(block("history = 3") + &block("history = 4")), End::Refused(&["duplicate argument"])),
        ("two backends", &block("backend \"local\" {}").repeat(2), End::Refused(&["duplicate block"])),
        ("two backends in one", &block("backend \"local\" {}\n  backend \"local\" {}"), End::Refused(&["duplicate block"])),
        ("no setting", &block("experiments = []"), End::Refused(&["unknown argument"])),
        ("no block", &block("cloud {}"), End::Refused(&["unknown block"])),
        ("providers", &block("required_providers {}"), End::Refused(&["not supported yet"])),
        ("the word of Terraform", "terraform {}\n", End::Refused(&["unknown block"])),
    ]);
}

const LABELLED: &str = "provider \"fake\" {\n  label = \"usual\"\n}\nprovider \"fake\" {\n  alias = \"west\"\n  label = local.label\n}\nvariable \"label\" {\n  default = \"west\"\n}\nlocals {\n  label = upper(var.label)\n}\n";

fn thing(name: &str, more: &str) -> String {
    format!("resource \"fake_thing\" \"{name}\" {{\n  name = \"{name}\"\n  {more}\n}}\n")
}

#[test]
fn providers_are_chosen_and_passed_to_modules() {
    let call = |name: &str, more: &str| format!("module \"{name}\" {{\n  source = \"./m\"\n  {more}\n}}\n");
    let text = LABELLED.to_owned()
        + &thing("a", "")
        + &thing("b", "provider = fake.west")
        + &thing("c", "provider = fake")
        + &call("inherited", "")
        + &call("passed", "providers = { fake = fake.west }")
        + "module \"aliased\" {\n  source = \"./n\"\n  providers = { fake.far = fake.west }\n}\n--- m\n"
        + &thing("z", "").replace("\"z\"\n  \n", "\"z${random}\"\n").replace("\"z${random}\"", "\"${path.module}z\"")
        + "--- n\n"
        + &thing("y", "provider = fake.far");
    let fake = Fake::default();
    let scenario = scenario(&fake);
    let text = text.replace("module \"inherited\" {\n  source = \"./m\"", "module \"inherited\" {\n  source = \"./o\"")
        + "--- o\n"
        + &thing("x", "");
    hold(
        &scenario,
        "all",
        &text,
        &End::State(&[
            "fake_thing.a",
            "fake_thing.b",
            "fake_thing.c",
            "module.aliased.fake_thing.y",
            "module.inherited.fake_thing.x",
            "module.passed.fake_thing.z",
        ]),
    );
    let mut calls = fake.calls();
    calls.sort();
    assert_eq!(
        calls,
        [
            "create fake_thing.a as usual",
            "create fake_thing.b as WEST",
            "create fake_thing.c as usual",
            "create module.aliased.fake_thing.y as WEST",
            "create module.inherited.fake_thing.x as usual",
            "create module.passed.fake_thing.z as WEST",
        ]
    );
}

#[test]
fn providers_are_configured_before_anything_is_planned() {
    let with = |setting: &str| {
        format!("{}provider \"fake\" {{\n  label = {setting}\n}}\nlocals {{\n  from = fake_thing.a.uid\n}}\n", thing("a", ""))
    };
    hold_each(&[
        ("a constant", &with("\"x\""), End::State(&["fake_thing.a"])),
        ("a resource", &with("fake_thing.a.uid"), End::Refused(&["provider setting not constant"])),
        ("a local of a resource", &with("local.from"), End::Refused(&["provider setting not constant"])),
        ("another type", &with("[]"), End::Refused(&["wrong type"])),
        ("what it refuses", &with("\"\""), End::Refused(&["no label"])),
        ("an unknown setting", &with("\"x\"").replace("  label", "  lable"), End::Refused(&["unknown argument"])),
        (
            "an alias that is no constant",
            "variable \"a\" {\n  default = \"a\"\n}\nprovider \"fake\" {\n  alias = var.a\n}\n",
            End::Refused(&["not a constant"]),
        ),
        (
            "one alias twice",
            "provider \"fake\" {\n  alias = \"a\"\n}\nprovider \"fake\" {\n  alias = \"a\"\n}\n",
            End::Refused(&["duplicate name"]),
        ),
        ("in a module", "module \"m\" {\n  source = \"./m\"\n}\n--- m\nprovider \"fake\" {}\n", End::Refused(&["misplaced block"])),
        ("no such provider", "provider \"fkae\" {}\n", End::Refused(&["unknown provider"])),
        ("no such alias", &thing("a", "provider = fake.east"), End::Refused(&["undeclared provider"])),
        (
            "of another kind",
            &(thing("a", "provider = istio.x") + "provider \"istio\" {\n  alias = \"x\"\n}\n"),
            End::Refused(&["wrong provider"]),
        ),
        ("in quotes", &thing("a", "provider = \"fake\""), End::Refused(&["invalid provider reference"])),
        (
            "a call that leaves one out",
            &("module \"m\" {\n  source = \"./m\"\n}\n--- m\n".to_owned() + &thing("a", "provider = fake.far")),
            End::Refused(&["undeclared provider"]),
        ),
    ]);
}
