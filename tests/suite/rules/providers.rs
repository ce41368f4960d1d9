//! `provider` blocks: who answers and acts for whom, what they give, and what they cannot come from.

use super::{summaries, thing};
use engine::plan::Inputs;
use engine::value::Value;
use meshplan_tests::planning::{Bench, configuration};

const ALIASED: &str = r#"
provider "fake" { label = "usual" }
provider "fake" {
  alias = "west"
  label = "west"
  value = "of the west"
}
"#;

#[test]
fn each_block_is_treated_as_the_provider_it_names_is_configured() {
    let text = format!(
        "{ALIASED}{}{}{}",
        thing("a", ""),
        thing("b", "provider = fake.west"),
        r#"
data "fake_data" "d" {
  provider = fake.west
  name     = "d"
}
module "inherits" {
  source = "./m"
  name   = "inherits"
}
module "given" {
  source    = "./m"
  for_each  = toset(["x"])
  name      = "given"
  providers = { fake = fake.west }
}
--- ./m
variable "name" {}
resource "fake_thing" "c" { name = var.name }
module "inner" {
  source = "./inner"
  name   = "${var.name}-inner"
}
--- ./inner
variable "name" {}
resource "fake_thing" "c" { name = var.name }
"#
    );
    let mut bench = Bench::default();
    bench.fake.meddle("data/d", Some(Value::object([("value", Value::string("read"))])));
    bench.apply(&text);
    let mut calls = bench.fake.calls();
    calls.sort();
    assert_eq!(
        calls,
        [
            "create fake_thing.a as usual",
            "create fake_thing.b as west",
            "create module.given[\"x\"].fake_thing.c as west",
            "create module.given[\"x\"].module.inner.fake_thing.c as west",
            "create module.inherits.fake_thing.c as usual",
            "create module.inherits.module.inner.fake_thing.c as usual",
        ]
    );
    let asked = bench.fake.asked().concat();
    assert!(asked.iter().any(|question| question.starts_with("data data.fake_data.d ") && question.ends_with(" as west")), "{asked:?}");
    let given = |address: &str| bench.state.record(&super::address(address)).unwrap().attributes.get("value").cloned();
    assert_eq!(given("fake_thing.b"), Some(Value::string("of the west")));
    assert_eq!(given("fake_thing.a"), Some(Value::null()));
    bench.assert_converged(&text);
    // What no block describes any more is treated as the provider is without alias.
    bench.fake.clear_calls();
    bench.apply(&text.replace(&thing("b", "provider = fake.west"), ""));
    assert_eq!(bench.fake.calls(), ["delete fake_thing.b as usual"]);
}

#[test]
fn an_alias_is_passed_under_another_name_and_through_modules() {
    let text = format!(
        "{ALIASED}{}",
        r#"
module "m" {
  source    = "./m"
  providers = { fake.far = fake.west }
}
--- ./m
resource "fake_thing" "near" { name = "near" }
module "inner" {
  source    = "./inner"
  providers = { fake.there = fake.far }
}
--- ./inner
resource "fake_thing" "far" {
  provider = fake.there
  name     = "far"
}
"#
    );
    let mut bench = Bench::default();
    bench.apply(&text);
    let mut calls = bench.fake.calls();
    calls.sort();
    assert_eq!(calls, ["create module.m.fake_thing.near as usual", "create module.m.module.inner.fake_thing.far as west"]);
    let (_, problems) = configuration(&text.replace("providers = { fake.there = fake.far }", ""));
    let told: Vec<_> = problems.iter().map(|problem| (problem.summary.as_str(), problem.related.len())).collect();
    assert_eq!(told, [("undeclared provider", 1)]);
}

#[test]
fn settings_may_be_ephemeral_where_nothing_keeps_them() {
    let text = "variable \"label\" {\n ephemeral = true\n}\nlocals {\n label = upper(var.label)\n}\n".to_owned() + &thing("a", "");
    let plan = |provider: &str| {
        let variables = [("label".into(), Value::string("n0t-kept"))].into();
        Bench::default().plan_with(&format!("{text}{provider}"), Inputs { variables, ..Inputs::default() })
    };
    let mut bench = Bench::default();
    let planned = plan("provider \"fake\" {\n label = local.label\n}\n");
    assert_eq!(summaries(&planned), [""; 0], "{:#?}", planned.diagnostics);
    bench.apply_plan(&planned);
    assert_eq!(bench.fake.calls(), ["create fake_thing.a as N0T-KEPT"]);
    assert!(!format!("{:?}", bench.state).contains("N0T-KEPT"));
    let planned = plan("provider \"fake\" {\n value = local.label\n}\n");
    assert_eq!(summaries(&planned), ["ephemeral value"]);
}

#[test]
fn what_a_provider_does_not_take_ends_the_plan() {
    let bench = Bench::default();
    for (text, summary, detail) in [
        ("provider \"fake\" {\n label = \"\"\n}\n", "no label", "the provider `fake`: `label` is empty"),
        ("provider \"fake\" {\n lable = \"x\"\n}\n", "unknown argument", "the provider `fake` has no setting `lable`; it has others"),
        ("provider \"fork\" {}\n", "unknown provider", "there is no provider `fork`; there are `fake`"),
        (
            "provider \"x\" {}\nresource \"fake_thing\" \"a\" {\n name = \"a\"\n provider = x\n}\n",
            "wrong provider",
            "`fake_thing` is of the provider `fake`, and `x` is another",
        ),
    ] {
        let plan = bench.plan(text);
        assert_eq!((plan.diagnostics[0].summary.as_str(), plan.diagnostics[0].detail.as_str()), (summary, detail));
        assert!(bench.fake.calls().is_empty());
    }
}
