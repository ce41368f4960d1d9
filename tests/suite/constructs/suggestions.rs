//! A slip in a name gets the name that was meant.

use super::{scenario, write};
use meshplan_tests::fake::Fake;

/// What is misspelt, a text in which it is, and what was meant.
type Slip = (&'static str, String, &'static str);

fn thing(body: &str) -> String {
    format!("resource \"fake_thing\" \"gateway\" {{\n  name = \"t\"\n  {body}\n}}\n")
}

fn output(value: &str) -> String {
    format!("output \"o\" {{\n  value = {value}\n}}\n")
}

fn suggest(slips: &[Slip]) {
    let mut wrong = Vec::new();
    for (what, text, meant) in slips {
        for verb in ["validate", "plan"] {
            let scenario = scenario(&Fake::default());
            write(&scenario, text);
            let output = scenario.run(&[verb]).expect_code(1);
            if !output.stderr.contains(&format!("Did you mean `{meant}`?")) {
                wrong.push(format!("{what} ({verb}) is not taken for `{meant}`:\n{}", output.stderr));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn blocks_and_their_arguments_are_suggested() {
    suggest(&[
        ("a block", "varible \"x\" {}\n".to_owned(), "variable"),
        ("a block in a block", "variable \"x\" {\n  validaton {}\n}\n".to_owned(), "validation"),
        ("an argument of a block", "variable \"x\" {\n  defualt = 1\n}\n".to_owned(), "default"),
        (
            "an argument of a module call",
            "module \"m\" {\n  source = \"./m\"\n  netwrok = 1\n}\n--- m\nvariable \"network\" {\n  default = 1\n}\n".to_owned(),
            "network",
        ),
        ("a meta-argument", thing("depnds_on = []"), "depends_on"),
        ("another meta-argument", thing("for_eech = {}"), "for_each"),
        ("a meta-block", thing("lifecylce {}"), "lifecycle"),
        ("another meta-block", thing("timeout {}"), "timeouts"),
        ("what makes blocks", thing("dynamc \"part\" {}"), "dynamic"),
        ("an argument of a lifecycle", thing("lifecycle {\n    prevent_destory = true\n  }"), "prevent_destroy"),
        ("a block of a lifecycle", thing("lifecycle {\n    postcondtion {}\n  }"), "postcondition"),
        ("an operation", thing("timeouts {\n    craete = \"1s\"\n  }"), "create"),
        ("an argument", thing("vlaue = 1"), "value"),
        ("an ignored argument", thing("lifecycle {\n    ignore_changes = [vlaue]\n  }"), "value"),
        ("a nested block", "resource \"fake_assembly\" \"a\" {\n  name = \"a\"\n  prat {\n    color = \"a\"\n  }\n}\n".to_owned(), "part"),
        (
            "an argument of a nested block",
            "resource \"fake_assembly\" \"a\" {\n  name = \"a\"\n  part {\n    colour = \"a\"\n    color = \"a\"\n  }\n}\n".to_owned(),
            "color",
        ),
    ]);
}

#[test]
fn kinds_and_references_are_suggested() {
    suggest(&[
        ("a kind", "resource \"fake_thng\" \"a\" {}\n".to_owned(), "fake_thing"),
        ("a kind of data", "data \"fake_dta\" \"a\" {}\n".to_owned(), "fake_data"),
        ("a function", output("uper(\"x\")"), "upper"),
        ("a variable", format!("variable \"network\" {{\n  default = 1\n}}\n{}", output("var.netwrok")), "var.network"),
        ("a local", format!("locals {{\n  network = 1\n}}\n{}", output("local.netwrok")), "local.network"),
        ("a module", format!("module \"mesh\" {{\n  source = \"./m\"\n}}\n{}--- m\n", output("module.mehs")), "module.mesh"),
        (
            "an output",
            format!(
                "module \"mesh\" {{\n  source = \"./m\"\n}}\n{}--- m\noutput \"gateways\" {{\n  value = 1\n}}\n",
                output("module.mesh.gatewys")
            ),
            "gateways",
        ),
        ("a resource", thing("") + &output("fake_thing.gatewya.uid"), "fake_thing.gateway"),
        ("the kind of a reference", thing("") + &output("fake_thng.gateway.uid"), "fake_thing.gateway"),
        ("an attribute", thing("") + &output("fake_thing.gateway.tokne"), "token"),
        ("an attribute of an object", output("{ network = 1 }.netwrok"), "network"),
        ("the head of a reference", output("vra.x"), "var.x"),
        ("a part of each", thing("for_each = {}\n  value = each.vlaue"), "each.value"),
        ("a path", output("path.modul"), "path.module"),
        ("a dependency", thing("depends_on = [fake_thing.gatewy]"), "fake_thing.gateway"),
        (
            "a check",
            format!(
                "{}check \"ready\" {{\n  assert {{\n    condition = path.root != \"\"\n    error_message = \"\"\n  }}\n}}\n",
                thing("depends_on = [check.redy]")
            ),
            "check.ready",
        ),
        ("a type", "variable \"x\" {\n  type = lst(string)\n}\n".to_owned(), "list(…)"),
        ("a class", "variable \"x\" {\n  type = clsuter\n}\n".to_owned(), "cluster"),
        ("a provider", "provider \"fkae\" {}\n".to_owned(), "fake"),
        ("a setting of a provider", "provider \"fake\" {\n  lable = \"x\"\n}\n".to_owned(), "label"),
        ("an alias", format!("provider \"fake\" {{\n  alias = \"west\"\n}}\n{}", thing("provider = fake.wset")), "fake.west"),
        ("a setting", "meshplan {\n  required_versoin = \">= 0\"\n}\n".to_owned(), "required_version"),
        ("a block of settings", "meshplan {\n  bakend \"local\" {}\n}\n".to_owned(), "backend"),
        (
            "an argument of a moved block",
            "moved {\n  form = fake_thing.a\n  from = fake_thing.a\n  to = fake_thing.b\n}\n".to_owned(),
            "from",
        ),
        (
            "an argument of an import",
            format!("{}import {{\n  to = fake_thing.gateway\n  id = \"t\"\n  for_eahc = {{}}\n}}\n", thing("")),
            "for_each",
        ),
        ("a block of a check", "check \"c\" {\n  asert {}\n}\n".to_owned(), "assert"),
    ]);
}

#[test]
fn what_is_far_from_every_name_gets_no_suggestion() {
    for text in [
        "output \"o\" {\n  value = var.z\n}\nvariable \"k\" {\n  default = 1\n}\n",
        "elsewhere {}\n",
        "output \"o\" {\n  value = { k = 1 }.z\n}\n",
    ] {
        let scenario = scenario(&Fake::default());
        write(&scenario, text);
        let output = scenario.run(&["plan"]).expect_code(1);
        assert!(!output.stderr.contains("Did you mean"), "{}", output.all());
    }
}
