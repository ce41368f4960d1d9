//! `meshplan explain`: from what changes back to what is written.

use meshplan_tests::fake::Fake;
use meshplan_tests::scenario::{Output, Scenario};

const MAIN: &str = r#"
variable "places" {
  type    = map(object({ region = string, size = optional(number, 1) }))
  default = { east = { region = "eu" }, west = { region = "us", size = 3 } }
}
variable "team" {
  default = "blue"
}
variable "password" {
  default   = "hunter2"
  sensitive = true
}
locals {
  labels = { team = var.team, static = "yes" }
}
resource "fake_place" "p" {
  for_each = var.places
  name     = each.key
}
module "app" {
  source   = "./app"
  for_each = var.places
  cluster  = fake_place.p[each.key]
  settings = merge(each.value, { labels = local.labels })
}
resource "meshplan_data" "sum" {
  input = {
    line  = module.app["east"].line
    count = length(var.places)
    fixed = "one"
  }
}
resource "meshplan_data" "secret" {
  input = "the ${var.password}"
}
resource "meshplan_data" "chosen" {
  input = var.team == "red" ? module.app["west"].line : "none"
}
"#;

const APP: &str = r#"
variable "cluster" {}
variable "settings" {}
locals {
  text = join("-", [for key, value in var.settings.labels : "${key}=${value}"])
}
resource "fake_inner" "a" {
  cluster = var.cluster
  name    = "a"
  value   = "${var.settings.region}-${var.settings.size}"
}
output "line" {
  value = "${var.settings.region}: ${local.text}"
}
"#;

/// The mesh, applied.
fn applied() -> Scenario {
    let mut scenario = Scenario::with(MAIN);
    scenario.beside(&Fake::default());
    scenario.write("app/main.mesh.hcl", APP);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario
}

/// Lines of what is explained, spaces between columns made one.
fn lines(output: &Output) -> Vec<String> {
    output.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|line| !line.is_empty()).collect()
}

fn explained(scenario: &Scenario, args: &[&str]) -> Vec<String> {
    let output = scenario.run(&[&["explain"], args].concat()).expect_code(0);
    assert_eq!(output.stderr, "");
    let mut lines = lines(&output);
    let last = lines.pop().unwrap();
    assert_eq!(last, "Values before `->` are those of the configuration of @1, which was applied last.");
    lines
}

#[test]
fn a_change_leads_to_the_variable_that_changed_through_modules_and_locals() {
    let scenario = applied();
    assert_eq!(
        explained(&scenario, &["meshplan_data.sum", "--var", "team=red"]),
        [
            "~ meshplan_data.sum `input` changed in configuration",
            "written at main.mesh.hcl:26",
            "~ input.line \"eu: static=yes-team=blue\" -> \"eu: static=yes-team=red\"",
            "main.mesh.hcl:28 input.line line = module.app[\"east\"].line",
            "app/main.mesh.hcl:12 module.app[\"east\"].line \"eu: static=yes-team=blue\" -> \"eu: static=yes…",
            "app/main.mesh.hcl:5 module.app[\"east\"].local.text \"static=yes-team=blue\" -> \"static=yes-team=re…",
            "main.mesh.hcl:24 module.app[\"east\"].var.settings.labels ~ team \"blue\" -> \"red\"",
            "main.mesh.hcl:14 local.labels ~ team \"blue\" -> \"red\"",
            "--var team var.team \"blue\" -> \"red\"",
            "~ output.line \"eu: static=yes-team=blue\" -> \"eu: static=yes-team=red\"",
            "not written: the kind says what it is",
        ],
    );
}

#[test]
fn a_value_of_a_file_is_told_with_its_line_and_what_did_not_change_is_left_out() {
    let scenario = applied();
    scenario.write("mesh.vars.hcl", "# sizes\nplaces = { east = { region = \"ap\" }, west = { region = \"us\", size = 3 } }\n");
    assert_eq!(
        explained(&scenario, &["module.app[\"east\"].fake_inner.a", "value"]),
        [
            "~ module.app[\"east\"].fake_inner.a `value` changed in configuration",
            "written at app/main.mesh.hcl:7",
            "~ value \"eu-1\" -> \"ap-1\"",
            "app/main.mesh.hcl:10 value value = \"${var.settings.region}-${var.settings.…",
            "main.mesh.hcl:24 module.app[\"east\"].var.settings.region \"eu\" -> \"ap\"",
            "mesh.vars.hcl:2 var.places.east.region \"eu\" -> \"ap\"",
        ],
    );
}

#[test]
fn what_comes_and_goes_leads_to_the_keys_it_is_repeated_for() {
    let scenario = applied();
    scenario.write("mesh.vars.hcl", "places = { east = { region = \"eu\" }, north = { region = \"no\" } }\n");
    assert_eq!(
        explained(&scenario, &["module.app[\"north\"].fake_inner.a"]),
        [
            "+ module.app[\"north\"].fake_inner.a not in state",
            "written at app/main.mesh.hcl:7",
            "main.mesh.hcl:22 module.app: for_each [\"east\", \"west\"] -> [\"east\", \"north\"]",
            "mesh.vars.hcl:1 var.places.north { region = \"no\", size = 1 } (new)",
        ],
    );
    assert_eq!(
        explained(&scenario, &["module.app[\"west\"].fake_inner.a"]),
        [
            "- module.app[\"west\"].fake_inner.a `fake_place.p[\"west\"]` is destroyed",
            "written at app/main.mesh.hcl:7",
            "main.mesh.hcl:22 module.app: for_each [\"east\", \"west\"] -> [\"east\", \"north\"]",
            "mesh.vars.hcl:1 var.places.west { region = \"us\", size = 3 } (gone)",
            "- fake_place.p[\"west\"] its key is not in `for_each` or `count` any more",
            "written at main.mesh.hcl:16",
            "1 resource within it is destroyed with it",
            "main.mesh.hcl:17 fake_place.p: for_each [\"east\", \"west\"] -> [\"east\", \"north\"]",
            "mesh.vars.hcl:1 var.places.west { region = \"us\", size = 3 } (gone)",
        ],
        "the place that it goes with is explained as well"
    );
}

#[test]
fn what_is_not_written_any_more_is_told_with_where_it_stood() {
    let scenario = applied();
    scenario.replace("main.mesh.hcl", "resource \"meshplan_data\" \"chosen\"", "output \"chosen\"");
    scenario.replace("main.mesh.hcl", "  input = var.team ==", "  value = var.team ==");
    assert_eq!(
        explained(&scenario, &["meshplan_data.chosen"]),
        ["- meshplan_data.chosen not in configuration", "was written at main.mesh.hcl:36"],
    );
}

#[test]
fn only_the_branch_that_is_taken_counts_and_nothing_secret_is_told() {
    let scenario = applied();
    let chosen = explained(&scenario, &["meshplan_data.chosen", "--var", "team=red"]);
    assert!(chosen.contains(&"--var team var.team \"blue\" -> \"red\"".to_owned()), "{chosen:#?}");
    let secret = scenario.run(&["explain", "meshplan_data.secret", "--var", "password=swordfish"]).expect_code(0);
    assert!(secret.stdout.contains("var.password") && secret.stdout.contains("(sensitive value) changes"), "{}", secret.stdout);
    let json = scenario.run(&["explain", "--json", "meshplan_data.secret", "--var", "password=swordfish"]).expect_code(0);
    for output in [secret, json] {
        assert!(!output.all().contains("swordfish") && !output.all().contains("hunter2"), "{}", output.all());
    }
}

#[test]
fn without_a_history_everything_that_it_comes_from_is_told() {
    let scenario = applied();
    std::fs::remove_dir_all(scenario.path().join(".meshplan/history")).unwrap();
    let output = scenario.run(&["explain", "meshplan_data.sum", "input.line"]).expect_code(0);
    let told = lines(&output);
    for expected in [
        "  meshplan_data.sum unchanged".trim(),
        "input.line",
        "app/main.mesh.hcl:12 module.app[\"east\"].line \"eu: static=yes-team=blue\"",
        "main.mesh.hcl:6 (default) var.team \"blue\"",
        "main.mesh.hcl:2 (default) var.places.east.region \"eu\"",
    ] {
        assert!(told.iter().any(|line| line == expected), "{expected}\n{told:#?}");
    }
}

#[test]
fn what_cannot_be_explained_is_said() {
    let scenario = applied();
    for (args, expected) in [
        (&["fake_place.p"] as &[&str], "several are meant"),
        (&["fake_place.p[\"eats\"]"], "Did you mean `fake_place.p[\"east\"]`?"),
        (&["meshplan_data.sum", "inptu"], "Did you mean `input`?"),
        (&["meshplan_data.sum", "input["], "no such path"),
        (&["nonsense"], "expected an address"),
        (&["meshplan_data.sum", "--var", "places=7"], "wrong type"),
    ] {
        let output = scenario.run(&[&["explain"], args].concat()).expect_code(1);
        assert!(output.stderr.contains(expected), "{args:?}\n{}", output.stderr);
        assert_eq!(output.stdout, "");
    }
}
