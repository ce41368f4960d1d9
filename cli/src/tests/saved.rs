//! Plans in files, from the command line.

use crate::exit;
use crate::fake::Fake;
use serde_json::{Value, json};

const MAIN: &str = r#"
variable "word" {
  default = "one"
}
variable "secret" {
  sensitive = true
  default   = "s3cret"
}
resource "meshplan_data" "a" {
  input = var.word
}
resource "meshplan_data" "b" {
  input = { of = "${meshplan_data.a.id}-${var.secret}", seen = [for word in ["x", "y"] : "${word} ${meshplan_data.a.output}"] }
}
output "words" {
  value = meshplan_data.b.output.seen
}
"#;

fn planned(options: &str) -> Fake {
    let fake = Fake::new(&[("main.mesh.hcl", MAIN)]);
    let ran = fake.run(&format!("plan --out mesh.plan {options}"));
    assert_eq!(ran.err, "The plan was written to mesh.plan, to be applied with `meshplan apply mesh.plan`.\n");
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
    fake
}

fn refused(fake: &Fake, args: &str, summary: &str, words: &str) {
    let before = fake.text("meshplan.state.json");
    let ran = fake.run(args);
    assert_eq!(ran.code, exit::FAILED, "{args}: {ran:?}");
    assert!(ran.err.starts_with(&format!("error: {summary}\n")) && ran.err.contains(words), "{args}: {ran:?}");
    assert_eq!(fake.text("meshplan.state.json"), before, "{args} wrote");
}

fn edited(fake: &Fake, from: &str, to: &str) {
    let text = fake.text("mesh.plan").unwrap();
    assert!(text.contains(from), "{text}");
    fake.write("mesh.plan", &text.replacen(from, to, 1));
}

#[test]
fn a_saved_plan_is_applied_without_a_question_and_once() {
    let fake = planned("--var word=two");
    fake.write("main.mesh.hcl", "what stands here does not count");
    let ran = fake.run("apply mesh.plan");
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
    assert!(ran.out.contains("Apply complete: 2 added, 0 changed, 0 destroyed.") && !ran.err.contains("Enter a value"), "{ran:?}");
    assert_eq!(fake.run("output --json words").out, "[\n  \"x two\",\n  \"y two\"\n]\n");
    fake.write("main.mesh.hcl", MAIN);
    assert_eq!(fake.run("plan --detailed-exitcode --var word=two").code, exit::DONE);
    refused(&fake, "apply mesh.plan", "stale plan", "from serial 0 of the state, which has serial 1 by now");
}

#[test]
fn a_saved_plan_is_shown_without_a_configuration_and_without_its_secrets() {
    let fake = planned("--var word=two --var secret=planted");
    let shown = fake.run("plan --var word=two --var secret=planted").out;
    std::fs::remove_file(fake.path().join("main.mesh.hcl")).unwrap();
    for elsewhere in [false, true] {
        if elsewhere {
            std::fs::remove_file(fake.path().join(".meshplan/plan-key")).unwrap();
        }
        let ran = fake.run("show mesh.plan");
        assert_eq!((ran.code, ran.err.as_str(), ran.out.as_str()), (exit::DONE, "", shown.as_str()));
        let ran = fake.run("show --json mesh.plan");
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((&json["errored"], &json["serial"], &json["lineage"]), (&json!(false), &json!(0), &json!("")));
        assert_eq!(json["variables"], json!({ "secret": null, "word": "two" }));
        assert_eq!(json["changes"][0]["address"], "meshplan_data.a");
        assert!(!fake.text("mesh.plan").unwrap().contains("planted") && !ran.out.contains("planted"));
    }
    refused(&fake, "apply mesh.plan", "plan not opened", "`.meshplan/plan-key`");
}

#[test]
fn a_state_file_is_shown_by_its_path() {
    let fake = planned("");
    assert_eq!(fake.run("apply mesh.plan").code, exit::DONE);
    let shown = fake.run("show").out;
    std::fs::rename(fake.path().join("meshplan.state.json"), fake.path().join("old.json")).unwrap();
    assert_eq!(fake.run("show old.json").out, shown);
    let json: Value = serde_json::from_str(&fake.run("show --json old.json").out).unwrap();
    assert_eq!(json["resources"][0]["address"], "meshplan_data.a");
    for (file, summary) in [("missing", "plan not readable"), ("main.mesh.hcl", "corrupt state")] {
        refused(&fake, &format!("show {file}"), summary, file);
    }
}

#[test]
fn a_plan_with_errors_is_written_and_shown_and_not_applied() {
    let fake = Fake::new(&[("main.mesh.hcl", &format!("{MAIN}resource \"meshplan_dat\" \"c\" {{}}\n"))]);
    let ran = fake.run("plan --out mesh.plan");
    assert!(ran.code == exit::FAILED && ran.err.ends_with("to be looked at with `meshplan show mesh.plan`.\n"), "{ran:?}");
    let ran = fake.run("show mesh.plan");
    assert!(ran.err.contains("main.mesh.hcl:18:10") && ran.err.contains("resource \"meshplan_dat\" \"c\" {}"), "{ran:?}");
    assert!(ran.err.ends_with("it cannot be applied.\n"), "{ran:?}");
    refused(&fake, "apply mesh.plan", "incomplete plan", "`mesh.plan` was made with errors");
}

#[test]
fn a_plan_is_of_one_state() {
    let fake = planned("");
    let other = planned("");
    assert_eq!(other.run("apply --auto-approve").code, exit::DONE);
    assert_eq!(other.run("plan --var word=two --out mesh.plan").code, exit::DONE);
    fake.write("mesh.plan", &other.text("mesh.plan").unwrap());
    refused(&fake, "apply mesh.plan", "plan of another state", "and here there is none yet");
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    refused(&fake, "apply mesh.plan", "plan of another state", "and here that is `");
    assert_eq!(other.run("apply mesh.plan").code, exit::DONE);
}

#[test]
fn a_plan_is_of_one_version_of_meshplan() {
    let fake = planned("");
    let version = format!("\"meshplan_version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    edited(&fake, &version, "\"meshplan_version\":\"9.9.9\"");
    for verb in ["apply", "show"] {
        refused(&fake, &format!("{verb} mesh.plan"), "plan of another version", "`mesh.plan` was made by meshplan 9.9.9");
    }
}

#[test]
fn a_damaged_plan_is_refused() {
    for (from, to) in [
        ("\"serial\":0", "\"serial\":-1"),
        ("\"variables\"", "\"no_such_field\":1,\"variables\""),
        ("\"digest\":\"sha256:", "\"digest\":\"sha256:0"),
        ("\"one\"", "\"two\""),
        ("sealed:v1:", "sealed:v1:0"),
        ("\"slots\":[{", "\"slots\":[{\"needs\":[4294967295],"),
    ] {
        let fake = planned("");
        edited(&fake, from, to);
        refused(&fake, "apply mesh.plan", "corrupt plan", "`mesh.plan` is damaged");
    }
    let fake = Fake::new(&[("mesh.plan", "{}")]);
    refused(&fake, "apply mesh.plan", "not a plan", "`mesh.plan` is not a file that `meshplan plan --out` has written");
}

#[test]
fn what_was_planned_with_cannot_be_said_again() {
    let fake = planned("");
    for (args, summary) in [
        ("apply --var word=three mesh.plan", "options of a saved plan"),
        ("apply --refresh=false mesh.plan", "options of a saved plan"),
        ("apply --preview=offline mesh.plan", "options of a saved plan"),
        ("apply --target meshplan_data.a mesh.plan", "options of a saved plan"),
        ("apply --replace meshplan_data.a mesh.plan", "options of a saved plan"),
        ("destroy mesh.plan", "destroy takes no plan"),
        ("plan mesh.plan", "plan takes no file"),
        ("plan -out=missing/mesh.plan", "plan not written"),
    ] {
        refused(&fake, args, summary, "/mesh.plan".trim_start_matches('/'));
    }
}

#[test]
fn a_saved_plan_needs_no_approval_in_json_either() {
    let fake = planned("");
    let ran = fake.run("apply --json mesh.plan");
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(ran.code == exit::DONE && lines.iter().any(|line| line["complete"] == true), "{ran:?}");
}

#[test]
fn a_key_that_is_none_is_not_drawn_over() {
    let fake = Fake::new(&[("main.mesh.hcl", MAIN), (".meshplan/plan-key", "no key")]);
    refused(&fake, "plan --out mesh.plan", "no key for the plan", "plan-key");
    assert_eq!((fake.text("mesh.plan"), fake.text(".meshplan/plan-key").as_deref()), (None, Some("no key")));
}

const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";

fn encrypted(block: &str) -> Fake {
    let text = format!("meshplan {{\n  encryption {{\n    {block}\n  }}\n}}\n");
    Fake::new(&[("main.mesh.hcl", MAIN), ("encryption.mesh.hcl", &text), ("k", KEY)]).variable("PASS", "correct horse battery")
}

#[test]
fn with_an_encryption_key_plans_are_sealed_with_it_before_and_after_there_is_a_state() {
    for (block, id) in [("key_file = \"k\"", "4ac2644515858268"), ("passphrase_env = \"PASS\"", "")] {
        let fake = encrypted(block);
        for word in ["planted-one", "planted-two"] {
            let ran = fake.run(&format!("plan --out mesh.plan --var secret={word}"));
            assert_eq!(ran.code, exit::DONE, "{ran:?}");
            let text = fake.text("mesh.plan").unwrap();
            assert!(text.contains(&format!("\"sealing\":{{\"key\":\"{id}")) && !text.contains("planted"), "{text}");
            assert_eq!(fake.text(".meshplan/plan-key"), None);
            let ran = fake.run("apply mesh.plan");
            assert_eq!(ran.code, exit::DONE, "{ran:?}");
            assert!(!fake.text("meshplan.state.json").unwrap().contains("planted"));
        }
    }
}

#[test]
fn without_its_key_a_sealed_plan_shows_all_but_its_secrets_and_is_not_applied() {
    let fake = encrypted("key_file = \"k\"");
    assert_eq!(fake.run("plan --out mesh.plan --var word=two --var secret=planted").code, exit::DONE);
    let shown = fake.run("show mesh.plan").out;
    std::fs::remove_file(fake.path().join("k")).unwrap();
    for block in [true, false] {
        if !block {
            std::fs::remove_file(fake.path().join("encryption.mesh.hcl")).unwrap();
        }
        assert_eq!(fake.run("show mesh.plan").out, shown);
        let json: Value = serde_json::from_str(&fake.run("show --json mesh.plan").out).unwrap();
        assert_eq!(json["variables"], json!({ "secret": null, "word": "two" }));
        let (summary, words) = if block {
            ("encryption key not available", "`k` cannot be read")
        } else {
            ("plan not opened", "the key `4ac2644515858268`, which is not here")
        };
        refused(&fake, "apply mesh.plan", summary, words);
    }
    let fake = encrypted("key_file = \"missing\"");
    refused(&fake, "plan --out mesh.plan", "encryption key not available", "`missing` cannot be read");
    assert_eq!((fake.text("mesh.plan"), fake.text(".meshplan/plan-key")), (None, None));
}
