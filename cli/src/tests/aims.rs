//! Runs that are aimed at a part, over the whole command line.

use crate::exit;
use crate::fake::{Fake, Ran};

const MAIN: &str = r#"
resource "meshplan_data" "a" {
  input = "a"
}
resource "meshplan_data" "b" {
  for_each = toset(["x", "y"])
  input    = "${each.key}${meshplan_data.a.id}"
}
output "b" {
  value = [for b in meshplan_data.b : b.input]
}
"#;

fn project() -> Fake {
    Fake::new(&[("main.mesh.hcl", MAIN), ("list", "# what is wanted\nmeshplan_data.b[\"x\"]\n")])
}

/// The lines of changes: glyph, address, reason.
fn lines(ran: &Ran) -> Vec<String> {
    let changes = ran.out.lines().filter(|line| line.contains("meshplan_data.") && !line.starts_with("      "));
    changes.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_part_is_planned_applied_and_warned_of() {
    let fake = project();
    let ran = fake.run("plan --target-file list");
    assert_eq!(lines(&ran), ["+ meshplan_data.a not in state", "+ meshplan_data.b[\"x\"] not in state"], "{}", ran.err);
    assert!(ran.err.contains("only a part is planned"), "{}", ran.err);
    let ran = fake.run("apply --auto-approve --target-file list");
    assert_eq!(ran.code, exit::DONE, "{}", ran.err);
    assert!(ran.out.contains("Apply complete: 2 added, 0 changed, 0 destroyed."), "{}", ran.out);
    assert!(ran.err.contains("`meshplan plan` shows what is left") && !ran.out.contains("Outputs"), "{}{}", ran.out, ran.err);
    let ran = fake.run("plan --target meshplan_data.a --detailed-exitcode");
    assert_eq!((ran.code, ran.out.as_str()), (exit::DONE, "No changes: the part that is aimed at is as configured.\n"));
    assert_eq!(lines(&fake.run("plan --exclude meshplan_data.a")), [""; 0]);
    assert_eq!(lines(&fake.run("plan")), ["+ meshplan_data.b[\"y\"] not in state"]);
    assert_eq!(lines(&fake.run("destroy --auto-approve --exclude meshplan_data.a")), ["- meshplan_data.b[\"x\"] everything is destroyed"]);
    let ran = fake.run("apply --auto-approve --replace meshplan_data.a");
    assert_eq!(lines(&ran)[0], "-/+ meshplan_data.a as requested, 1 unchanged", "{}", ran.err);
    let json = fake.run("plan --json --target meshplan_data.a --replace meshplan_data.a").out;
    assert!(json.contains("\"code\":\"requested\"") && json.contains("\"partial\":true"), "{json}");
}

#[test]
fn what_cannot_be_aimed_at_is_refused() {
    let fake = project();
    for (typed, said) in [
        ("plan --target meshplan_data.c", "address not found"),
        ("plan --target meshplan", "not an address"),
        ("plan --target-file none", "file of addresses not readable"),
        ("plan --target meshplan_data.a --exclude meshplan_data.b", "cannot be used with"),
        ("plan --destroy --replace meshplan_data.a", "cannot be used with"),
        ("apply --auto-approve --replace meshplan_data.b", "no instance to replace"),
        ("destroy --auto-approve --replace meshplan_data.b", "unexpected argument"),
    ] {
        let ran = fake.run(typed);
        assert_eq!(ran.code, exit::FAILED, "{typed}: {}", ran.out);
        assert!(ran.err.contains(said), "{typed}: {}", ran.err);
    }
}
