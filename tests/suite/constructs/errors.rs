//! One run tells every error it can find, each with its place.

use super::scenario;
use meshplan_tests::fake::Fake;

const FILES: &[(&str, &str)] = &[
    (
        "a.mesh.hcl",
        "variable \"n\" {\n  type    = number\n  default = \"x\"\n}\nvariable \"s\" {\n  type = strin\n}\nresource \"meshplan_data\" \"lost\" {\n  input = *\n}\n\
         resource \"meshplan_data\" \"b\" {\n  inptu = var.m\n  input = uper(\"x\")\n}\n",
    ),
    (
        "b.mesh.hcl",
        "resource \"meshplan_dta\" \"c\" {\n  input = [meshplan_data.lost.output, meshplan_data.b.outptu]\n}\nresource \"meshplan_data\" \"d\" {\n  for_each = [\"x\"]\n  input    = meshplan_data.bb.output\n  \
         lifecycle {\n    prevent_destory = true\n  }\n}\nlocals {\n  x = 1 + \"a\"\n  y = local.xx\n}\noutput \"o\" {\n  value = max(\"a\")\n}\nchck \"x\" {}\n",
    ),
    (
        "c.mesh.hcl",
        "module \"m\" {\n  source = \"./m\"\n  count_ = 1\n  size   = \"many\"\n}\noutput \"p\" {\n  value = module.m.nothing\n}\nresource \"fake_thing\" \"t\" {\n  value    = timestmp()\n  provider = fake.west\n}\n",
    ),
    (
        "m/a.mesh.hcl",
        "variable \"size\" {\n  type = number\n}\noutput \"o\" {\n  value = var.szie\n}\nresource \"fake_thing\" \"t\" {\n  name = [1]\n}\n",
    ),
    ("m/b.mesh.hcl", "locals {\n  z = \"${1\n}\n"),
];

const TOLD: &[(&str, &str)] = &[
    ("a.mesh.hcl:1:1", "wrong type"),
    ("a.mesh.hcl:6:10", "invalid type"),
    ("a.mesh.hcl:9:11", "syntax error"),
    ("a.mesh.hcl:12:3", "unknown argument"),
    ("a.mesh.hcl:12:11", "undeclared reference"),
    ("a.mesh.hcl:13:11", "unknown function"),
    ("b.mesh.hcl:1:10", "unknown resource kind"),
    ("b.mesh.hcl:2:39", "no such attribute"),
    ("b.mesh.hcl:5:14", "wrong `for_each`"),
    ("b.mesh.hcl:6:14", "undeclared reference"),
    ("b.mesh.hcl:8:5", "unknown argument"),
    ("b.mesh.hcl:12:11", "unsuitable value"),
    ("b.mesh.hcl:13:7", "undeclared reference"),
    ("b.mesh.hcl:16:15", "unsuitable argument"),
    ("b.mesh.hcl:18:1", "unknown block"),
    ("c.mesh.hcl:3:3", "unknown argument"),
    ("c.mesh.hcl:4:12", "wrong type"),
    ("c.mesh.hcl:7:11", "undeclared output"),
    ("c.mesh.hcl:9:1", "missing argument"),
    ("c.mesh.hcl:10:14", "unknown function"),
    ("c.mesh.hcl:11:14", "undeclared provider"),
    ("m/a.mesh.hcl:5:11", "undeclared reference"),
    ("m/a.mesh.hcl:8:10", "wrong type"),
    ("m/b.mesh.hcl:2:7", "syntax error"),
];

/// Places and summaries, as the view for people says them.
fn told(stderr: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut summary = None;
    for line in stderr.lines() {
        if let Some(said) = line.strip_prefix("error: ") {
            summary = Some(said.to_owned());
        } else if let (Some((_, place)), Some(said)) = (line.split_once("--> "), summary.take()) {
            found.push((place.to_owned(), said));
        }
    }
    found
}

#[test]
fn every_error_of_a_directory_is_told_in_one_run() {
    let scenario = scenario(&Fake::default());
    for (name, text) in FILES {
        scenario.write(name, text);
    }
    let expected: Vec<_> = TOLD.iter().map(|(place, summary)| ((*place).to_owned(), (*summary).to_owned())).collect();
    for verb in [&["validate"][..], &["plan"], &["apply", "--auto-approve"]] {
        let output = scenario.run(verb).expect_code(1);
        assert_eq!(told(&output.stderr), expected, "{verb:?}: {}", output.all());
        assert!(output.stderr.contains(&format!("{} errors", TOLD.len())), "{}", output.all());
    }
    let json: serde_json::Value = serde_json::from_str(&scenario.run(&["validate", "--json"]).expect_code(1).stdout).unwrap();
    assert_eq!(json["error_count"], TOLD.len());
}

#[test]
fn what_hangs_on_an_error_is_no_second_one() {
    let guard = |word: &str, condition: &str| format!("  {word} {{\n    condition = {condition}\n    error_message = \"No.\"\n  }}\n");
    let lives = |guard: &str| format!("  lifecycle {{\n  {guard}  }}\n");
    let thing = |name: &str, body: &str| format!("resource \"fake_thing\" \"{name}\" {{\n  name = \"{name}\"\n{body}}}\n");
    let text = thing("a", &lives(&guard("precondition", "path.root == \"\"")))
        + &thing("b", &lives(&guard("precondition", "fake_thing.a.uid != \"\"")))
        + &thing("c", &lives(&guard("postcondition", "fake_thing.a.uid != \"\"")))
        + &thing("d", "  value = fake_thing.a.uid\n")
        + &thing("e", "  for_each = toset([fake_thing.a.name])\n")
        + &thing("f", "  depends_on = [fake_thing.a]\n")
        + &format!("output \"o\" {{\n  value = fake_thing.a.uid\n{}}}\n", guard("precondition", "fake_thing.a.uid != \"\""))
        + &format!("check \"c\" {{\n{}}}\n", guard("assert", "fake_thing.a.uid != \"\""))
        + "locals {\n  x = upper(fake_thing.a.uid)\n}\nmodule \"m\" {\n  source = \"./m\"\n  a = local.x\n}\n--- m\n"
        + &format!(
            "variable \"a\" {{\n  type = string\n{}}}\noutput \"o\" {{\n  value = var.a\n}}\n",
            guard("validation", "var.a != \"\"")
        );
    let scenario = scenario(&Fake::default());
    super::write(&scenario, &text);
    let output = scenario.run(&["plan"]).expect_code(1);
    assert_eq!(super::errors(&output), ["precondition failed"], "{}", output.all());
    assert!(!output.all().contains("elsewhere"), "{}", output.all());
}

#[test]
fn errors_that_only_a_plan_shows_are_told_together() {
    let scenario = scenario(&Fake::default());
    super::write(
        &scenario,
        "variable \"a\" {\n  default = 1\n  validation {\n    condition = var.a > 1\n    error_message = \"Small.\"\n  }\n}\nvariable \"b\" {}\n\
         resource \"fake_thing\" \"a\" {\n  name = [var.b][var.a]\n}\nresource \"fake_thing\" \"b\" {\n  count = length(fake_thing.c.uid)\n  name = \"b\"\n}\n\
         resource \"fake_thing\" \"c\" {\n  name = \"c\"\n  value = tolist([1])[5]\n}\nresource \"fake_thing\" \"d\" {\n  name = \"d\"\n  lifecycle {\n    precondition {\n      condition = length(local.e) == 1\n      error_message = \"No.\"\n    }\n  }\n}\n\
         locals {\n  e = []\n}\noutput \"o\" {\n  value = local.e[0]\n}\n",
    );
    let output = scenario.run(&["plan"]).expect_code(1);
    let mut summaries: Vec<_> = super::errors(&output);
    summaries.sort_unstable();
    assert_eq!(
        summaries,
        ["invalid value", "missing value", "no such element", "no such element", "precondition failed"],
        "{}",
        output.all()
    );
}
