//! Ephemeral values: where they may stand, where not, and that nothing keeps them.

use super::{summaries, thing};
use engine::plan::{Inputs, Plan};
use engine::value::Value;
use meshplan_tests::planning::{Bench, actions};

const TOKEN: &str = "t0k3n-of-the-run";

fn plan(bench: &Bench, text: &str) -> Plan {
    let variable = "variable \"token\" {\n type = string\n ephemeral = true\n}\n";
    let variables = [("token".into(), Value::string(TOKEN))].into();
    let (main, modules) = text.split_once("--- ").unwrap_or((text, ""));
    let modules = if modules.is_empty() { String::new() } else { format!("--- {modules}") };
    bench.plan_with(&format!("{variable}{main}{modules}"), Inputs { variables, ..Inputs::default() })
}

#[test]
fn ephemeral_values_stand_where_nothing_keeps_them() {
    let mut bench = Bench::default();
    let text = thing("a", "value = ephemeralasnull({ known = 1, token = local.both[1] })").replace(
        "}\n",
        " lifecycle {\n precondition {\n condition = length(module.m[\"x\"].shouted) > 3\n error_message = \"no\"\n}\n \
         postcondition {\n condition = self.uid != var.token\n error_message = \"no\"\n}\n}\n}\n",
    ) + r#"
        locals {
          both = [1, var.token]
        }
        module "m" {
          source   = "./m"
          for_each = { x = 1 }
          given    = local.both[1]
        }
        check "c" {
          assert {
            condition     = fake_thing.a.uid != var.token
            error_message = "the same: ${var.token}"
          }
        }
        output "length" {
          value = ephemeralasnull(module.m["x"].shouted) == null
        }
        --- ./m
        variable "given" {
          ephemeral = true
          validation {
            condition     = var.given != ""
            error_message = "empty"
          }
        }
        output "shouted" {
          ephemeral = true
          value     = upper(var.given)
        }
    "#
    .replace("        --- ", "--- ")
    .as_str();
    let planned = plan(&bench, &text);
    assert_eq!(summaries(&planned), [""; 0], "{:#?}", planned.diagnostics);
    let (summary, events) = bench.apply_plan(&planned);
    assert!(summary.is_complete(), "{summary:#?}");
    let value = bench.state.outputs["length"].value.clone();
    assert_eq!((value.as_bool(), value.holds_ephemeral()), (Some(true), false));
    let kept = format!("{:?}{:?}{events:?}", bench.state, planned.changes);
    assert!(kept.contains("known") && !kept.contains(TOKEN) && !kept.contains(&TOKEN.to_uppercase()));
    let again = plan(&bench, &text);
    assert_eq!(actions(&again), [""; 0]);
}

#[test]
fn what_would_keep_an_ephemeral_value_says_so() {
    let bench = Bench::default();
    for (text, detail) in [
        (
            thing("a", "value = { x = [var.token] }"),
            "`value` comes from an ephemeral value at `x[0]`, and arguments are stored in the state",
        ),
        (thing("a", "count = length(var.token)"), "`count` comes from an ephemeral value, and addresses are stored in the state"),
        (thing("a", "for_each = toset([var.token])"), "`for_each` comes from an ephemeral value, and addresses are stored in the state"),
        (thing("a", "timeouts {\n create = var.token\n}"), "the timeout of `create` comes from an ephemeral value, and a plan keeps it"),
        (
            "output \"o\" {\n value = \"x${var.token}\"\n}\n".to_owned(),
            "the output `o` comes from an ephemeral value, and outputs are stored in the state",
        ),
        (
            "module \"m\" {\n source = \"./m\"\n given = var.token\n}\n--- ./m\nvariable \"given\" {}\n".to_owned(),
            "the value of the variable `given` comes from an ephemeral value, and the variable is not ephemeral",
        ),
        (
            "module \"m\" {\n source = \"./m\"\n given = var.token\n}\n--- ./m\nvariable \"given\" {\n ephemeral = true\n}\n\
             output \"o\" {\n value = var.given\n}\n"
                .to_owned(),
            "the output `o` comes from an ephemeral value, and the output is not ephemeral",
        ),
        (
            "data \"fake_data\" \"d\" {\n name = var.token\n}\n".to_owned(),
            "`name` comes from an ephemeral value, and arguments are stored in the state",
        ),
    ] {
        let planned = plan(&bench, &text);
        let details: Vec<_> = planned.diagnostics.iter().map(|problem| problem.detail.as_str()).collect();
        assert_eq!((summaries(&planned), details), (vec!["ephemeral value"], vec![detail]), "{text}");
    }
}

#[test]
fn messages_show_no_ephemeral_value() {
    let bench = Bench::default();
    let condition = |kind: &str, condition: &str| {
        thing("a", &format!("lifecycle {{\n {kind} {{\n condition = {condition}\n error_message = \"it is ${{var.token}}\"\n}}\n}}"))
    };
    for (text, detail) in [
        (condition("precondition", "var.token == \"\""), "(the message is ephemeral)"),
        (condition("postcondition", "self.name == var.token"), "(the message is ephemeral)"),
        (
            thing("a", "value = parseint(var.token, 10)"),
            "the `text` of `parseint` must be a whole number in base 10, found an ephemeral value",
        ),
        (thing("a", "value = { a = 1 }[var.token]"), "the key, which is not shown, is none of its keys"),
    ] {
        let planned = plan(&bench, &text);
        assert_eq!(planned.diagnostics.len(), 1, "{text}");
        assert!(planned.diagnostics[0].detail.contains(detail), "{text}: {:?}", planned.diagnostics);
        assert!(!format!("{:?}", planned.diagnostics).contains(TOKEN));
    }
}

#[test]
fn what_a_check_says_at_apply_is_hidden_as_well() {
    for (mark, said) in [("sensitive(\"hunter2\")", "(the message is sensitive)"), ("var.token", "(the message is ephemeral)")] {
        let mut bench = Bench::default();
        let text = thing("a", "")
            + &format!(
                "check \"c\" {{\n assert {{\n condition = fake_thing.a.uid == \"\"\n error_message = \"it is ${{{mark}}}\"\n}}\n}}\n"
            );
        let planned = plan(&bench, &text);
        let (_, events) = bench.apply_plan(&planned);
        let told = format!("{events:?}");
        assert!(told.contains(said) && !told.contains("hunter2") && !told.contains(TOKEN), "{told}");
    }
}
