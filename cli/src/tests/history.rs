//! What was done is written down, shown, compared, and brought back.

use crate::exit;
use crate::fake::{Fake, Ran};
use serde_json::{Value as Json, json};

const MAIN: &str = r#"
variable "word" {
  default = "one"
}
variable "token" {
  default   = "none"
  sensitive = true
}
resource "meshplan_data" "a" {
  input = "${var.word} ${file("motd")}"
}
resource "meshplan_data" "b" {
  count = length(fileset(".", "*.part"))
  input = count.index
}
output "long" {
  value     = length(var.token) > 5
  sensitive = true
}
"#;

fn project() -> Fake {
    Fake::new(&[("main.mesh.hcl", MAIN), ("motd", "hello"), ("a.part", "")])
}

fn applied() -> Fake {
    let fake = project();
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    fake
}

fn heads(fake: &Fake) -> Vec<Json> {
    let ran = fake.run("state history --json");
    assert_eq!((ran.code, ran.err.as_str()), (exit::DONE, ""));
    // A digest is redacted by what keeps what was printed.
    serde_json::from_str(&ran.out).unwrap()
}

fn of(heads: &[Json], member: &str) -> Vec<Json> {
    heads.iter().map(|head| head[member].clone()).collect()
}

fn check(ran: &Ran, code: u8, out: &str) {
    assert_eq!((ran.code, ran.out.as_str()), (code, out), "{}", ran.err);
}

/// Everything of all revisions, unpacked.
fn all_text(fake: &Fake) -> String {
    use std::io::Read;
    let mut text = String::new();
    for entry in std::fs::read_dir(fake.path().join(".meshplan/history")).unwrap() {
        let packed = std::fs::File::open(entry.unwrap().path()).unwrap();
        flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap();
    }
    text
}

#[test]
fn every_operation_leaves_a_revision() {
    let fake = applied();
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE, "nothing to do leaves nothing");
    assert_eq!(fake.run("apply --auto-approve --var word=two").code, exit::DONE);
    assert_eq!(fake.run("state mv meshplan_data.b[0] meshplan_data.b[7]").code, exit::DONE);
    assert_eq!(fake.run("state rm meshplan_data.b").code, exit::DONE);
    assert_eq!(fake.run("destroy --auto-approve").code, exit::DONE);
    let heads = heads(&fake);
    assert_eq!(of(&heads, "operation"), ["apply", "apply", "state mv", "state rm", "destroy"].map(Json::from));
    assert_eq!(of(&heads, "revision"), [1, 2, 3, 4, 5].map(Json::from));
    assert_eq!(of(&heads, "serial"), [1, 2, 3, 4, 5].map(Json::from));
    let counts =
        [json!({ "added": 2 }), json!({ "changed": 1 }), json!({ "moved": 1 }), json!({ "forgotten": 1 }), json!({ "destroyed": 1 })];
    assert_eq!(of(&heads, "counts"), counts);
    assert!(heads.iter().all(|head| head["result"] == "complete" && head["time"] == "2023-11-14T22:13:20Z"), "{heads:?}");
    assert!(heads[0]["digest"].as_str().unwrap().starts_with("sha256:") && heads[2]["digest"].is_null());
    let table = fake.run("state history").out;
    assert_eq!(table.lines().count(), 6);
    assert!(table.lines().nth(1).unwrap().starts_with("@1") && table.contains("  state mv   3       1 moved\n"), "{table}");
}

#[test]
fn a_dry_run_and_a_refusal_leave_nothing() {
    let mut fake = applied();
    for args in ["plan", "state rm --dry-run meshplan_data.a", "state rm meshplan_data.x", "state restore --dry-run @1", "state pull"] {
        fake.run(args);
    }
    assert_eq!(fake.input("no\n").run("apply --var word=two").code, exit::FAILED);
    assert_eq!(heads(&fake).len(), 1);
}

#[test]
fn the_configuration_says_how_many_are_kept() {
    let fake = applied();
    let keeping = |most: &str| fake.write("main.mesh.hcl", &format!("meshplan {{\n  history = {most}\n}}\n{MAIN}"));
    keeping("2");
    for word in ["two", "three", "four"] {
        assert_eq!(fake.run(&format!("apply --auto-approve --var word={word}")).code, exit::DONE);
    }
    assert_eq!(of(&heads(&fake), "revision"), [3, 4].map(Json::from));
    assert_eq!(fake.run("state rm meshplan_data.b").code, exit::DONE);
    assert_eq!(of(&heads(&fake), "revision"), [4, 5].map(Json::from));
    fake.write("main.mesh.hcl", "a = [");
    assert_eq!(fake.run("state mv meshplan_data.a meshplan_data.c").code, exit::DONE);
    assert_eq!(of(&heads(&fake), "revision"), [4, 5, 6].map(Json::from), "what cannot be read bounds nothing");
    keeping("0");
    assert_eq!(fake.run("state mv meshplan_data.c meshplan_data.d").code, exit::DONE);
    check(&fake.run("state history"), exit::DONE, "No revision is kept.\n");
    for wrong in ["-1", "1.5", "\"many\""] {
        keeping(wrong);
        let ran = fake.run("plan");
        assert!(ran.err.starts_with("error: wrong value\n") && ran.err.contains("`history` must be a whole number"), "{wrong}: {ran:?}");
    }
}

#[test]
fn a_state_that_nobody_wrote_down_is_written_down_first() {
    let fake = applied();
    std::fs::remove_dir_all(fake.path().join(".meshplan")).unwrap();
    assert_eq!(fake.run("apply --auto-approve --var word=two").code, exit::DONE);
    let all = heads(&fake);
    assert_eq!(of(&all, "operation"), ["found", "apply"].map(Json::from));
    assert_eq!((of(&all, "serial"), &all[0]["result"]), ([1, 2].map(Json::from).to_vec(), &json!("unknown")));
    assert!(fake.run("plan --to @1").err.starts_with("error: revision without configuration\n"));
}

#[test]
fn a_history_that_cannot_be_written_fails_no_apply() {
    let fake = Fake::new(&[("main.mesh.hcl", MAIN), ("motd", "hello"), (".meshplan/history", "no directory")]);
    let ran = fake.run("apply --auto-approve");
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
    assert!(ran.err.contains("warning: history not written\n"), "{ran:?}");
    assert_eq!(fake.run("state list").out, "meshplan_data.a\n");
    assert_eq!(fake.run("state rm meshplan_data.a").code, exit::DONE);
}

#[test]
fn two_revisions_are_compared_by_resource_and_attribute() {
    let fake = applied();
    assert_eq!(fake.run("apply --auto-approve --var word=two --var token=s3cret-and-long").code, exit::DONE);
    let expected = "  ~   meshplan_data.a  1 unchanged
        ~ input   \"one hello\" -> \"two hello\"
        ~ output  \"one hello\" -> \"two hello\"

Outputs
  ~   long  (sensitive value) changes

From @1 to @2: 1 changed.
";
    check(&fake.run("state diff @1 @2"), exit::DONE, expected);
    check(&fake.run("state diff @1"), exit::DONE, &expected.replace("@2", "the state"));
    check(&fake.run("state diff"), exit::DONE, &expected.replace("@2", "the state"));
    check(&fake.run("state diff @2"), exit::DONE, "No difference from @2 to the state.\n");
    fake.run("state mv meshplan_data.a meshplan_data.z");
    fake.run("state rm meshplan_data.b");
    let ran = fake.run("state diff @2");
    assert!(ran.out.contains("  -   meshplan_data.b[0]  not in the state\n"), "{ran:?}");
    assert!(ran.out.contains("  ->  meshplan_data.z     moved from meshplan_data.a\n"), "{ran:?}");
    assert!(ran.out.ends_with("From @2 to the state: 1 moved, 1 less.\n"), "{ran:?}");
    let plan: Json = serde_json::from_str(&fake.run("state history --plan @2").out).unwrap();
    assert_eq!((&plan["changes"][0]["address"], &plan["counts"]["change"]), (&json!("meshplan_data.a"), &json!(1)));
    assert!(fake.run("state history --plan @3").err.starts_with("error: revision without plan\n"));
    let back = fake.run("state diff @4 @2").out;
    assert!(back.contains("  +   meshplan_data.b[0]  not in @4\n        id      \"record-0\"\n        input   0\n"), "{back}");
    for (args, why) in
        [("state diff @9", "`meshplan state history` lists those from @1 to @4"), ("state diff x", "expected a revision, as in `@3`")]
    {
        let ran = fake.run(args);
        assert!(ran.code == exit::FAILED && ran.err.contains(why), "{ran:?}");
    }
}

#[test]
fn a_state_is_restored_after_a_review() {
    let mut fake = applied();
    fake.run("state rm meshplan_data.b");
    let before = fake.text("meshplan.state.json");
    let shown = "  +   meshplan_data.b[0]  not in the state";
    for args in ["state restore --dry-run @1", "state restore @1"] {
        let ran = fake.input("no\n").run(args);
        assert!(ran.out.starts_with(shown) && ran.out.ends_with("From the state to @1: 1 more.\n"), "{ran:?}");
        assert_eq!((ran.code == exit::DONE, fake.text("meshplan.state.json")), (args.contains("dry"), before.clone()));
    }
    let ran = fake.input("yes\n").run("state restore @1");
    assert!(ran.err.contains("Replace the state by that of @1?\n") && ran.code == exit::DONE, "{ran:?}");
    assert!(ran.out.ends_with("\nThe state has serial 3 now. Nothing else was touched: what exists is as it was.\n"), "{ran:?}");
    assert_eq!(fake.run("plan --detailed-exitcode").code, exit::DONE);
    assert_eq!(heads(&fake).last().unwrap()["operation"], "state restore @1");
    check(&fake.run("state restore @1"), exit::DONE, "No difference from the state to @1.\n");
    std::fs::remove_file(fake.path().join("meshplan.state.json")).unwrap();
    let ran = fake.run("state restore --auto-approve @1");
    assert_eq!(ran.code, exit::DONE, "a state that is lost is brought back: {ran:?}");
    assert_eq!(fake.run("plan --detailed-exitcode").code, exit::DONE);
    std::fs::remove_file(fake.path().join("meshplan.state.json")).unwrap();
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    assert!(fake.run("state restore @1").err.starts_with("error: revision of another state\n"));
}

#[test]
fn an_earlier_configuration_is_planned_and_applied_with_its_variables_and_files() {
    let fake = project();
    assert_eq!(fake.run("apply --auto-approve --var word=first --var token=s3cret-and-long").code, exit::DONE);
    fake.write("main.mesh.hcl", "resource \"meshplan_data\" \"other\" {\n  input = 1\n}\n");
    fake.write("motd", "changed since");
    fake.write("b.part", "");
    fake.write("mesh.auto.vars.hcl", "word = \"of the directory\"\n");
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    assert_eq!(fake.run("state list").out, "meshplan_data.other\n");
    let ran = fake.run("plan --to @1 --detailed-exitcode");
    assert_eq!(ran.code, exit::CHANGES, "{ran:?}");
    assert!(ran.out.contains("\"first hello\"") && ran.out.contains("-   meshplan_data.other"), "{ran:?}");
    assert!(ran.out.contains("meshplan_data.b[0]") && !ran.out.contains("meshplan_data.b[1]"), "{ran:?}");
    assert!(fake.run("plan --to @1 --var word=typed").out.contains("\"typed hello\""));
    assert_eq!(fake.run("apply --to @1 --auto-approve").code, exit::DONE);
    assert_eq!(fake.run("state list").out, "meshplan_data.a\nmeshplan_data.b[0]\n");
    assert_eq!(fake.run("plan --to @1 --detailed-exitcode").code, exit::DONE, "nothing is left to change");
    assert_eq!(fake.run("plan --to @3 --detailed-exitcode").code, exit::DONE, "what was brought back can be brought back again");
    assert_eq!(heads(&fake)[2]["operation"], "apply --to @1");
    for (args, why) in [
        ("plan --to @9", "has no revision @9"),
        ("plan --to first", "expected a revision"),
        ("plan --to @1 --destroy", "cannot be used with"),
    ] {
        let ran = fake.run(args);
        assert!(ran.code == exit::FAILED && ran.err.contains(why), "{args}: {ran:?}");
    }
}

#[test]
fn no_secret_is_written_down_in_the_clear() {
    let fake = project();
    fake.write("motd", "s3cret of a file");
    fake.write("main.mesh.hcl", &MAIN.replace("${file(\"motd\")}", "${length(file(\"motd\"))}"));
    fake.write("mesh.vars.hcl", "token = \"s3cret-and-long\"\nword = \"in the open\"\n");
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    assert_eq!(fake.run("destroy --auto-approve").code, exit::DONE);
    let text = all_text(&fake);
    assert!(text.contains("in the open") && text.contains("sealed:v1:"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    let key: Json = serde_json::from_str(&fake.text("meshplan.state.json").unwrap()).unwrap();
    assert!(!text.contains(key["secret_key"].as_str().unwrap()), "the key is not kept beside what it seals");
}

#[test]
fn what_is_ephemeral_has_to_be_given_again() {
    let main = "variable \"login\" {\n  ephemeral = true\n}\nresource \"meshplan_data\" \"a\" {\n  input = 1\n}\n";
    let fake = Fake::new(&[("main.mesh.hcl", main)]);
    let ran = fake.run("apply --auto-approve --var login=pl4nted");
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
    assert!(!all_text(&fake).contains("pl4nted"));
    assert!(fake.run("plan --to @1").err.contains("`login`"));
    assert_eq!(fake.run("plan --to @1 --var login=again").code, exit::DONE);
    assert_eq!(fake.variable("MESHPLAN_VAR_login", "again").run("plan --to @1").code, exit::DONE);
}

#[test]
fn a_saved_plan_leaves_a_revision_with_the_configuration_it_was_made_from() {
    let fake = applied();
    let ran = fake.run("plan --out p.json --var word=two --var token=s3cret-and-long");
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
    let text = fake.text("p.json").unwrap();
    assert!(text.contains("\"configuration\":\"sealed:v1:"), "{text}");
    assert!(!["s3cret", "fileset", "${"].iter().any(|word| text.contains(word)), "{text}");
    fake.write("main.mesh.hcl", "resource \"meshplan_data\" \"other\" {\n  input = 1\n}\n");
    fake.write("motd", "changed since");
    let ran = fake.run("apply p.json");
    assert!(ran.code == exit::DONE && !ran.err.contains("note:") && !ran.err.contains("warning"), "{ran:?}");
    let plan: Json = serde_json::from_str(&fake.run("state history --plan @2").out).unwrap();
    assert_eq!(plan["changes"][0]["address"], "meshplan_data.a");
    assert!(fake.run("state diff @1 @2").out.contains("\"one hello\" -> \"two hello\""));
    let ran = fake.run("plan --to @2 --detailed-exitcode");
    assert_eq!(ran.code, exit::DONE, "its text, files and variables, also sensitive ones, are those of then: {ran:?}");
    assert!(!all_text(&fake).contains("s3cret"));
    // On, and back to it, also by a plan in a file.
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    assert_eq!(fake.run("plan --to @2 --out back.json").code, exit::DONE);
    assert_eq!(fake.run("apply back.json").code, exit::DONE);
    assert_eq!(fake.run("state diff @2").out, "No difference from @2 to the state.\n");
    assert_eq!(heads(&fake)[3]["operation"], "apply --to @2");
    assert_eq!(fake.run("plan --to @4 --detailed-exitcode").code, exit::DONE);
    assert_eq!(fake.run("state restore --auto-approve @1").code, exit::DONE);
    assert_eq!(fake.run("plan --to @2 --detailed-exitcode").code, exit::CHANGES);
}

#[test]
fn a_plan_without_secrets_is_applied_without_the_key_of_its_configuration() {
    let fake = Fake::new(&[("main.mesh.hcl", "resource \"meshplan_data\" \"a\" {\n  input = 1\n}\n")]);
    assert_eq!(fake.run("plan --out p.json").code, exit::DONE);
    std::fs::remove_file(fake.path().join(".meshplan/plan-key")).unwrap();
    let ran = fake.run("apply p.json");
    let said = "note: the configuration of this plan is sealed with a key that is not here";
    assert!(ran.code == exit::DONE && ran.err.starts_with(said), "{ran:?}");
    assert_eq!(of(&heads(&fake), "operation"), [Json::from("apply")]);
    let ran = fake.run("plan --to @1");
    assert!(
        ran.err.starts_with("error: revision without configuration\n") && ran.err.contains("without the key of its configuration"),
        "{ran:?}"
    );
    // Where no key can be had, the plan is written without the configuration: there is no secret in it.
    let fake = Fake::new(&[("main.mesh.hcl", "resource \"meshplan_data\" \"a\" {\n  input = 1\n}\n"), (".meshplan/plan-key", "no key")]);
    assert_eq!(fake.run("plan --out p.json").code, exit::DONE);
    assert!(!fake.text("p.json").unwrap().contains("sealed:"));
    assert_eq!(fake.run("apply p.json").code, exit::DONE);
}

#[test]
fn a_module_is_kept_with_its_caller() {
    let fake = Fake::new(&[
        ("main.mesh.hcl", "module \"m\" {\n  source = \"./inner\"\n  word   = \"x\"\n}\n"),
        (
            "inner/main.mesh.hcl",
            "variable \"word\" {}\nresource \"meshplan_data\" \"a\" {\n  input = \"${var.word} ${path.module} ${file(\"${path.module}/f\")}\"\n}\n",
        ),
        ("inner/f", "text"),
    ]);
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    std::fs::remove_dir_all(fake.path().join("inner")).unwrap();
    fake.write("main.mesh.hcl", "");
    assert_eq!(fake.run("plan --to @1 --detailed-exitcode").code, exit::DONE);
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    assert_eq!(fake.run("apply --to @1 --auto-approve").code, exit::DONE);
    assert!(fake.run("state show module.m.meshplan_data.a").out.contains("input  = \"x inner text\"\n"));
}
