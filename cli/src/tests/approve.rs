//! Plans approved by their digest, from the command line.

use crate::exit;
use crate::fake::Fake;
use serde_json::{Value, json};

const MAIN: &str = r#"
variable "word" {
  default = "one"
}
resource "meshplan_data" "a" {
  input = { word = var.word, secret = sensitive("s3cret") }
}
"#;

fn fake() -> Fake {
    Fake::new(&[("main.mesh.hcl", MAIN)])
}

fn refused(fake: &Fake, args: &str) {
    let before = fake.text("meshplan.state.json");
    let ran = fake.run(args);
    assert_eq!(ran.code, exit::FAILED, "{args}: {ran:?}");
    assert!(ran.err.starts_with("error: another plan than approved\n"), "{args}: {ran:?}");
    assert!(ran.out.contains("meshplan_data.a") || ran.out.starts_with("No changes"), "{args}: {ran:?}");
    assert_eq!(fake.text("meshplan.state.json"), before, "{args} wrote");
}

#[test]
fn the_plan_of_the_digest_is_applied_without_a_question_and_once() {
    let fake = fake();
    let digest = fake.digest("plan");
    let ran = fake.run(&format!("apply --approve {digest}"));
    assert!(ran.code == exit::DONE && !ran.err.contains("Enter a value"), "{ran:?}");
    assert!(ran.out.contains("Apply complete: 1 added, 0 changed, 0 destroyed."), "{ran:?}");
    refused(&fake, &format!("apply --approve {digest}"));
    let update = fake.digest("plan --var word=two");
    assert_ne!(update, digest);
    assert_eq!(fake.run(&format!("apply --var word=two --approve {update}")).code, exit::DONE);
    assert_eq!(fake.run("plan --detailed-exitcode --var word=two").code, exit::DONE);
}

#[test]
fn another_plan_is_shown_and_not_applied() {
    let fake = fake();
    let digest = fake.digest("plan --var word=two");
    refused(&fake, &format!("apply --approve {digest}"));
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    refused(&fake, &format!("apply --var word=three --approve {}", fake.digest("plan --var word=two")));
    let ran = fake.run(&format!("apply --var word=two --json --approve {digest}"));
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["event"] == "planned_change"), "{lines:#?}");
    assert_eq!((ran.code, ran.err.as_str(), &lines.last().unwrap()["summary"]), (exit::FAILED, "", &json!("another plan than approved")));
}

#[test]
fn a_destroy_is_approved_by_the_digest_of_its_plan() {
    let fake = fake();
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    refused(&fake, &format!("destroy --approve {}", fake.digest("plan --var word=two")));
    let digest = fake.digest("plan --destroy");
    let ran = fake.run(&format!("destroy --json --approve {digest}"));
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((ran.code, &lines.last().unwrap()["complete"]), (exit::DONE, &json!(true)), "{ran:?}");
    refused(&fake, &format!("destroy --approve {digest}"));
}

#[test]
fn what_contradicts_itself_is_no_approval() {
    let fake = fake();
    let digest = fake.digest("plan");
    assert_eq!(fake.run("plan --out mesh.plan").code, exit::DONE);
    for (args, words) in [
        ("apply --approve yes".to_owned(), "expected the digest of a plan"),
        ("destroy --approve sha512:00".to_owned(), "expected the digest of a plan"),
        (format!("apply --auto-approve --approve {digest}"), "cannot be used with"),
        (format!("apply --approve {digest} mesh.plan"), "cannot be used with"),
        (format!("plan --approve {digest}"), "unexpected argument"),
    ] {
        let ran = fake.run(&args);
        assert!(ran.code == exit::FAILED && ran.err.contains(words), "{args}: {ran:?}");
    }
    assert_eq!(fake.text("meshplan.state.json"), None);
}
