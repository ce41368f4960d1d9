//! Ephemeral variables and plans in files: a plan names them, and its apply is given them again.

use crate::exit;
use crate::fake::{Fake, Ran};
use serde_json::{Value, json};

const MAIN: &str = r#"
variable "word" {
  default = "one"
}
variable "token" {
  ephemeral = true
  type      = string
  validation {
    condition     = length(var.token) > 3 && length(var.word) > 2
    error_message = "too short for ${var.word}"
  }
}
variable "spare" {
  ephemeral = true
  type      = number
  default   = 7
}
variable "open" {
  ephemeral = true
  nullable  = false
  default   = "default"
}
locals {
  token = upper(var.token)
}
provider "kubernetes" {
  alias = "west"
  token = "${local.token}-${var.word}"
}
resource "meshplan_data" "a" {
  input = { word = var.word, left = ephemeralasnull({ token = var.token, word = var.word }), none = ephemeralasnull(var.token) }
  lifecycle {
    precondition {
      condition     = startswith(local.token, "PLANTED")
      error_message = "not planted: ${local.token}"
    }
  }
}
check "spare" {
  assert {
    condition     = var.spare == 7 && var.open == "default"
    error_message = "another spare: ${var.spare}"
  }
}
output "word" {
  value = meshplan_data.a.output.word
  precondition {
    condition     = var.token != meshplan_data.a.id
    error_message = "the id is the token"
  }
}
"#;

fn planned() -> Fake {
    let fake = Fake::new(&[("main.mesh.hcl", MAIN)]);
    let ran = fake.run("plan --out mesh.plan --var token=planted-token --var word=two");
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
    assert!(ran.err.ends_with("It holds no ephemeral value: give its apply `token` again.\n"), "{ran:?}");
    fake
}

fn nothing_planted(fake: &Fake, ran: &Ran) {
    for text in [&ran.out, &ran.err, &fake.text("mesh.plan").unwrap(), &fake.text("meshplan.state.json").unwrap_or_default()] {
        assert!(!text.to_lowercase().contains("planted-"), "{text}");
    }
}

#[test]
fn a_plan_names_its_ephemeral_inputs_and_holds_none_of_their_values() {
    let fake = planned();
    for args in ["show mesh.plan", "show --json mesh.plan"] {
        let ran = fake.run(args);
        assert_eq!(ran.code, exit::DONE, "{ran:?}");
        nothing_planted(&fake, &ran);
    }
    let json: Value = serde_json::from_str(&fake.run("show --json mesh.plan").out).unwrap();
    let expected = json!([{ "name": "open", "needed": false }, { "name": "spare", "needed": false }, { "name": "token", "needed": true }]);
    assert_eq!((&json["ephemeral_variables"], &json["variables"]), (&expected, &json!({ "word": "two" })));
    assert_eq!(json["changes"][0]["after"]["input"], json!({ "word": "two", "left": { "token": null, "word": "two" }, "none": null }));
    assert_eq!(fake.digest("show --json mesh.plan"), fake.digest("plan --var token=planted-otherwise --var word=two"));
}

/// Options, the environment's value of `token`, and files with their texts.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

#[test]
fn an_apply_takes_them_from_wherever_variables_come() {
    fn given(fake: &Fake, how: &str) -> Ran {
        fake.run(&format!("apply{how} mesh.plan"))
    }
    let rows: [Row; 4] = [
        (" --var token=planted-again", "", &[]),
        (" --var-file t.hcl", "", &[("t.hcl", "token = \"planted-again\"\n")]),
        ("", "", &[("mesh.vars.hcl", "token = \"planted-again\"\nword = \"three\"\nnobodys = 1\n")]),
        ("", "planted-again", &[]),
    ];
    for (how, variable, files) in rows {
        let mut fake = planned();
        if !variable.is_empty() {
            fake = fake.variable("MESHPLAN_VAR_token", variable);
        }
        for (name, text) in files {
            fake.write(name, text);
        }
        std::fs::remove_file(fake.path().join("main.mesh.hcl")).unwrap();
        let ran = given(&fake, how);
        assert!(ran.code == exit::DONE && ran.out.contains("1 added"), "{how}: {ran:?}");
        nothing_planted(&fake, &ran);
        assert_eq!(fake.run("output word").out, "\"two\"\n");
    }
}

#[test]
fn what_is_missing_or_does_not_belong_there_is_named_and_nothing_is_done() {
    let fake = planned();
    fake.write("more.hcl", "token = \"planted-again\"\nword = \"three\"\n");
    for (args, summary, words) in [
        ("", "missing value", "the plan needs the variable `token`"),
        (
            " --var word=three --var token=planted-again",
            "options of a saved plan",
            "`--var word` sets a variable that is part of `mesh.plan`",
        ),
        (" --var-file more.hcl", "options of a saved plan", "`open`, `spare`, `token`"),
        (" --var token=abc", "invalid value", "variable `token`: too short for two"),
        (" --var token=planted-again --var spare=x", "", "spare"),
        (" --var token=planted-again --refresh=false", "options of a saved plan", "`mesh.plan`"),
    ] {
        let ran = fake.run(&format!("apply{args} mesh.plan"));
        assert_eq!(ran.code, exit::FAILED, "{args}: {ran:?}");
        assert!(ran.err.starts_with(&format!("error: {summary}")) && ran.err.contains(words), "{args}: {ran:?}");
        assert_eq!(fake.text("meshplan.state.json"), None, "{args} wrote");
        nothing_planted(&fake, &ran);
    }
    // A condition that looks at one is decided by the apply.
    let ran = fake.run("apply --var token=another-one mesh.plan");
    assert!(ran.code == exit::FAILED && ran.err.contains("condition failed") && ran.err.contains("(the message is ephemeral)"), "{ran:?}");
    assert!(!ran.err.to_lowercase().contains("another-one"), "{ran:?}");
    let ran = fake.run("plan --var token=another-one --out other.plan");
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
    assert_eq!(fake.run("plan --var token=another-one").code, exit::FAILED);
}

#[test]
fn what_has_a_default_need_not_be_given_and_may_be() {
    for (how, said) in [("", ""), (" --var spare=8", "another spare"), (" --var open=x", "another spare")] {
        let fake = planned();
        let ran = fake.run(&format!("apply --var token=planted-again{how} mesh.plan"));
        assert_eq!(ran.code, exit::DONE, "{how}: {ran:?}");
        let failed = ran.out.contains("(the message is ephemeral)") || ran.err.contains("(the message is ephemeral)");
        assert_eq!(failed, !said.is_empty(), "{how}: {ran:?}");
    }
}
