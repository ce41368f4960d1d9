//! Rules of variables that only an apply can decide.

use super::thing;
use meshplan_tests::planning::Bench;

#[test]
fn a_rule_that_only_an_apply_decides_holds_back_what_is_made_from_its_variable() {
    let text = |condition: &str| {
        format!(
            "variable \"v\" {{\n default = \"x\"\n validation {{\n condition = var.v == \"x\" && {condition}\n error_message = \"it is ${{var.v}}\"\n}}\n}}\n"
        ) + "locals {\n uid = fake_thing.a.uid\n}\noutput \"o\" {\n value = var.v\n}\n"
            + &thing("a", "")
            + &thing("b", "value = var.v")
            + &thing("c", "value = fake_thing.b.uid")
            + &thing("z", "")
    };
    let mut bench = Bench::default();
    let plan = bench.plan(&text("local.uid == \"none\""));
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.added, summary.failed, summary.skipped), (2, 1, 2), "{summary:#?}");
    assert_eq!((summary.diagnostics[0].summary.as_str(), summary.diagnostics[0].detail.as_str()), ("condition failed", "it is x"));
    assert_eq!(bench.fake.things().into_keys().collect::<Vec<_>>(), ["fake_thing/a", "fake_thing/z"]);
    assert!(bench.state.outputs.is_empty(), "{:#?}", bench.state.outputs);
    bench.apply(&text("local.uid != \"none\""));
    assert_eq!(bench.fake.things().len(), 4);
}

#[test]
fn a_rule_of_one_instance_of_a_module_holds_nothing_back_in_another() {
    let text = |least: u64| {
        format!(
            "module \"m\" {{\n source = \"./inner\"\n for_each = {{ one = 0, two = {least} }}\n uid = fake_thing.a.uid\n least = each.value\n}}\n"
        ) + &thing("a", "")
            + "--- ./inner\nvariable \"uid\" {}\n\
               variable \"least\" {\n validation {\n condition = length(var.uid) > var.least\n error_message = \"too short\"\n}\n}\n\
               resource \"fake_thing\" \"i\" {\n name = \"i${var.least}\"\n}\n"
    };
    let mut bench = Bench::default();
    let plan = bench.plan(&text(1000));
    let (summary, _) = bench.apply_plan(&plan);
    assert_eq!((summary.added, summary.failed, summary.skipped), (2, 1, 1), "{summary:#?}");
    assert_eq!(bench.fake.things().into_keys().collect::<Vec<_>>(), ["fake_thing/a", "fake_thing/i0"]);
}
