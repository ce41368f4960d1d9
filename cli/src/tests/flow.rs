//! The main road: plan, approve, apply, look, change, destroy.

use crate::exit;
use crate::fake::{Fake, Ran};
use state::Store;
use std::time::Duration;

const MAIN: &str = r#"
variable "word" {
  default = "one"
}
resource "meshplan_data" "a" {
  input = var.word
}
resource "meshplan_data" "b" {
  for_each = { x = 1 }
  input    = { name = each.key, of = meshplan_data.a.output }
}
output "words" {
  value = [for b in meshplan_data.b : b.output.of]
}
output "secret" {
  value     = "s3cret"
  sensitive = true
}
"#;

const QUESTION: &str = "
Apply the changes listed above?
  Only 'yes' will be accepted to approve.
  'd' shows every change in full, 'e ADDRESS' explains one.

  Enter a value: ";

fn applied() -> Fake {
    let fake = Fake::new(&[("main.mesh.hcl", MAIN)]);
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    fake
}

fn check(ran: &Ran, code: u8, out: &str) {
    assert_eq!((ran.code, ran.out.as_str()), (code, out), "{}", ran.err);
}

#[test]
fn whoever_is_asked_may_look_closer_before_answering() {
    let mut fake = applied();
    fake.write("main.mesh.hcl", &MAIN.replace("\"one\"", "\"two\""));
    let ran = fake.input("d\ne meshplan_data.a\ne meshplan_data.nope\ne\n").run("apply");
    assert_eq!((ran.code, ran.err.matches(QUESTION).count()), (exit::FAILED, 4), "{}", ran.err);
    assert_eq!(ran.out.matches("Plan digest:").count(), 2, "the plan, and the plan in full: {}", ran.out);
    assert!(ran.out.contains("written at main.mesh.hcl:") && ran.err.contains("address not found"), "{}{}", ran.out, ran.err);
    assert!(ran.err.ends_with("Not approved: nothing was changed.\n"), "what is neither is a no: {}", ran.err);
    let ran = fake.input("e meshplan_data.a input\nyes\n").run("apply");
    assert!(ran.code == exit::DONE && ran.out.contains("Apply complete: "), "{}{}", ran.out, ran.err);
}

#[test]
fn a_plan_is_shown_and_nothing_is_written() {
    let fake = Fake::new(&[("main.mesh.hcl", MAIN)]);
    let ran = fake.run("plan --detailed-exitcode");
    check(
        &ran,
        exit::CHANGES,
        r#"  +   meshplan_data.a       not in state
        input   "one"
        output  "one"
        known after apply: id
  +   meshplan_data.b["x"]  not in state
        input   { name = "x", of = "one" }
        output  { name = "x", of = "one" }
        known after apply: id

Outputs
  +   secret  (sensitive value)
  +   words   ["one"]

Plan: 2 to add, 0 to change, 0 to replace, 0 to destroy.
Plan digest: sha256:$DIGEST
"#,
    );
    assert_eq!(ran.err, "");
    assert_eq!(std::fs::read_dir(fake.path()).unwrap().count(), 1, "plan wrote a file");
}

#[test]
fn only_yes_is_a_yes() {
    let mut fake = Fake::new(&[("main.mesh.hcl", MAIN)]);
    for answer in ["", "\n", "y\n", "YES\n", "yes please\n"] {
        let ran = fake.input(answer).run("apply");
        assert_eq!(ran.code, exit::FAILED, "{answer}");
        assert_eq!(ran.err, format!("{QUESTION}\nNot approved: nothing was changed.\n"), "{answer}");
        assert_eq!(fake.text("meshplan.state.json"), None, "{answer}");
    }
    let ran = fake.input("yes\n").run("apply");
    assert_eq!(ran.code, exit::DONE);
    let told = "+   meshplan_data.a: creating…
+   meshplan_data.a: created after 0s
+   meshplan_data.b[\"x\"]: creating…
+   meshplan_data.b[\"x\"]: created after 0s
The state holds secrets as they are: keep it where nobody else can read it, or seal them with an `encryption` block in `meshplan`. This is said once.
";
    assert_eq!(ran.err, format!("{QUESTION}\n{told}"));
    let end = "Apply complete: 2 added, 0 changed, 0 destroyed.\n\nOutputs\nsecret = (sensitive value)\nwords  = [\"one\"]\n";
    assert!(ran.out.ends_with(end), "{}", ran.out);
}

#[test]
fn an_apply_with_nothing_to_do_asks_nothing() {
    let ran = applied().run("apply");
    check(&ran, exit::DONE, "No changes: what exists is as configured.\n");
    assert_eq!(ran.err, "");
    check(&applied().run("plan --detailed-exitcode"), exit::DONE, "No changes: what exists is as configured.\n");
}

#[test]
fn a_change_shows_what_differs_and_why() {
    let ran = applied().run("plan -var word=two -detailed-exitcode");
    check(
        &ran,
        exit::CHANGES,
        r#"  ~   meshplan_data.a       `input` changed in configuration, 1 unchanged
        ~ input   "one" -> "two"
        ~ output  "one" -> "two"
  ~   meshplan_data.b["x"]  `input` changed in configuration, 3 unchanged
        ~ input.of   "one" -> "two"
        ~ output.of  "one" -> "two"

Outputs
  ~   words  ["one"] -> ["two"]

Plan: 0 to add, 2 to change, 0 to replace, 0 to destroy.
Plan digest: sha256:$DIGEST
"#,
    );
}

#[test]
fn what_is_remembered_can_be_looked_at() {
    let fake = applied();
    check(&fake.run("state list"), exit::DONE, "meshplan_data.a\nmeshplan_data.b[\"x\"]\n");
    check(&fake.run("state list meshplan_data.b"), exit::DONE, "meshplan_data.b[\"x\"]\n");
    let ran = fake.run("state show meshplan_data.a");
    assert!(ran.out.starts_with("# meshplan_data.a\n") && ran.out.contains("input  = \"one\"\n"), "{ran:?}");
    let ran = fake.run("state show meshplan_data.x");
    assert!(ran.err.contains("nothing is remembered under `meshplan_data.x`"), "{ran:?}");
    assert!(ran.err.contains("Did you mean `meshplan_data.a`?"), "{ran:?}");
    assert!(fake.run("show").out.contains("# outputs\nsecret = (sensitive value)\nwords  = [\"one\"]\n"));
    let json: serde_json::Value = serde_json::from_str(&fake.run("show -json").out).unwrap();
    assert_eq!(json["resources"][1]["depends_on"][0], "meshplan_data.a");
}

#[test]
fn outputs_come_as_text_json_and_bare() {
    let fake = applied();
    for (args, out) in [
        ("output", "secret = (sensitive value)\nwords  = [\"one\"]\n"),
        ("output words", "[\"one\"]\n"),
        ("output -json words", "[\n  \"one\"\n]\n"),
        ("output secret", "\"s3cret\"\n"),
        ("output -raw secret", "s3cret"),
    ] {
        check(&fake.run(args), exit::DONE, out);
    }
    let json: serde_json::Value = serde_json::from_str(&fake.run("output -json").out).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "secret": { "sensitive": true, "value": null }, "words": { "sensitive": false, "value": ["one"] },
        })
    );
    assert!(fake.run("output -raw words").err.contains("`words` is no string, number or truth value"));
}

#[test]
fn the_console_evaluates_what_an_output_would() {
    let mut fake = applied();
    for (line, out) in [
        ("1 + 2\n", "3\n"),
        ("meshplan_data.b[\"x\"].output.of", "\"one\"\n"),
        ("{ a = var.word, b = null }\n", "{ a = \"one\", b = null }\n"),
        ("[sensitive(\"a\"), 1]\n", "[(sensitive value), 1]\n"),
        ("type({ a = var.word, b = [1] })\n", "object({ a = string, b = tuple([number]) })\n"),
        ("type({ a = sensitive(var.word) })\n", "object({ a = string })\n"),
        ("type([{ (sensitive(var.word)) = 1 }])\n", "(sensitive value)\n"),
        ("<<-E\n  a\n    b\n  E\n1\n", "<<-EOT\n  a\n    b\nEOT\n1\n"),
        ("upper(<<E\nab\nE\n)\n", "<<-EOT\n  AB\nEOT\n"),
    ] {
        check(&fake.input(line).run("console"), exit::DONE, out);
    }
    let ran = fake.input("var.wrd\n").run("console");
    assert_eq!(ran.code, exit::FAILED);
    assert!(ran.err.contains("standard input:1:") && ran.err.contains("no variable `wrd`"), "{ran:?}");
    let several = "(1 +\n  1)\n\n[for a in [1, 2] :\n  a * 2\n]\nvar.word\n";
    check(&fake.input(several).run("console"), exit::DONE, "2\n[2, 4]\n\"one\"\n");
    let ran = fake.input("1\nvar.wrd\n2\n").run("console");
    assert_eq!((ran.code, ran.out.as_str()), (exit::FAILED, "1\n"));
    assert!(fake.input("").run("console").err.starts_with("error: no expression\n"));
    assert!(fake.input("1 +\n").run("console").err.contains("standard input:1:"));
}

#[test]
fn a_console_says_why_a_value_is_not_known() {
    let text = "data \"kubernetes_cluster\" \"c\" {\n  context = \"far\"\n}\nlocals {\n  uid = data.kubernetes_cluster.c.uid\n}\nresource \"meshplan_data\" \"d\" {\n  input = 1\n}\n";
    let mut fake = Fake::new(&[("main.mesh.hcl", text)]);
    let why = "(not observed: there is no kubeconfig; looked for ";
    for (line, before) in [("data.kubernetes_cluster.c.uid\n", ""), ("local.uid\n", ""), ("{ a = 1, b = local.uid }\n", "a = 1")] {
        let ran = fake.input(line).run("console");
        assert_eq!((ran.code, ran.err.as_str()), (exit::DONE, ""), "{line}: {ran:?}");
        assert!(ran.out.contains(why) && ran.out.contains(before) && !ran.out.contains("null"), "{line}: {ran:?}");
    }
    // What an apply makes is out of no reach: it is known after it.
    assert_eq!(fake.input("meshplan_data.d.id\n").run("console").out.trim(), "(known after apply)");
}

#[test]
fn a_console_goes_on_after_a_problem() {
    let mut fake = applied();
    let ran = fake.typed(&["", "var.word", "var.wrd", "[1,", "2]", "(1 +", "", "exit", "3"]).run("console");
    assert_eq!(ran.code, exit::DONE);
    assert_eq!(ran.out, "> \n> var.word\n\"one\"\n> var.wrd\n> [1,\n: 2]\n[1, 2]\n> (1 +\n: \n> exit\n");
    assert!(ran.err.contains("no variable `wrd`") && ran.err.contains("where `)` is expected"), "{ran:?}");
    assert_eq!(fake.typed(&["1"]).run("console").out, "> 1\n1\n> ^D\n");
}

#[test]
fn a_graph_has_an_arrow_from_each_resource_to_what_it_needs() {
    let ran = applied().run("graph");
    assert!(ran.out.contains("  \"meshplan_data.b[\\\"x\\\"]\" -> \"meshplan_data.a\";\n"), "{ran:?}");
    let fresh = Fake::new(&[("main.mesh.hcl", MAIN)]).run("graph --format mermaid");
    assert!(fresh.out.starts_with("flowchart RL\n") && fresh.out.ends_with("  n1 --> n0\n"), "{fresh:?}");
}

#[test]
fn destroy_removes_everything_in_reverse() {
    let mut fake = applied();
    let ran = fake.input("yes\n").run("destroy");
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
    assert!(
        ran.out.ends_with(
            "Plan: 0 to add, 0 to change, 0 to replace, 2 to destroy.\nPlan digest: sha256:$DIGEST\n\nDestroy complete: 2 destroyed.\n"
        ),
        "{ran:?}"
    );
    let b = ran.err.find("meshplan_data.b[\"x\"]: deleted").unwrap();
    assert!(b < ran.err.find("meshplan_data.a: deleting").unwrap(), "{ran:?}");
    assert_eq!(fake.run("state list").out, "");
    check(&fake.run("destroy"), exit::DONE, "No changes: there is nothing to destroy.\n");
}

#[test]
fn a_held_lock_stops_an_apply_but_no_plan() {
    let fake = applied();
    let store = Store::new(fake.path().join("meshplan.state.json"));
    let held = store.lock("apply", Duration::ZERO).unwrap();
    let before = fake.text("meshplan.state.json");
    let ran = fake.run("apply --auto-approve -var word=two");
    assert_eq!(ran.code, exit::FAILED);
    assert!(ran.err.starts_with("error: state is locked\n") && ran.err.contains("--lock-timeout"), "{ran:?}");
    assert_eq!(fake.text("meshplan.state.json"), before);
    assert_eq!(fake.run("plan").code, exit::DONE);
    drop(held);
    assert_eq!(fake.run("apply --auto-approve -var word=two").code, exit::DONE);
}

#[test]
fn events_are_lines_of_json() {
    let fake = Fake::new(&[("main.mesh.hcl", MAIN)]);
    let ran = fake.run("apply -json -auto-approve");
    let events: Vec<String> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    let expected = "version planned_change planned_change planned_entry planned_entry planned_output planned_output plan started finished started finished applied message";
    assert_eq!((ran.code, ran.err.as_str(), events.join(" ").as_str()), (exit::DONE, "", expected));
}

#[test]
fn problems_of_a_plan_are_shown_and_nothing_is_applied() {
    let fake = applied();
    let before = fake.text("meshplan.state.json");
    fake.write("main.mesh.hcl", &MAIN.replace("each.key, of", "each.key, x = 1 + \"a\", of"));
    let ran = fake.run("apply --auto-approve");
    assert_eq!((ran.code, ran.out.as_str()), (exit::FAILED, ""));
    assert!(ran.err.starts_with("error: ") && ran.err.contains("main.mesh.hcl:10:"), "{ran:?}");
    assert_eq!(fake.text("meshplan.state.json"), before);
}
