//! Where the state is kept, and what becomes of it when that changes.

use crate::exit;
use crate::fake::{Fake, without_digits};
use state::Store;
use std::time::Duration;

const RESOURCE: &str = "resource \"meshplan_data\" \"a\" {\n  input = 1\n}\n";

fn configured(inner: &str) -> String {
    format!("meshplan {{\n  backend {inner}\n}}\n{RESOURCE}")
}

#[test]
fn a_block_or_the_command_line_says_where_the_state_is() {
    let fake = Fake::new(&[("main.mesh.hcl", &configured("\"local\" {\n    path = \"prod.json\"\n  }"))]);
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    assert!(fake.text("prod.json").is_some() && fake.text("meshplan.state.json").is_none());
    assert_eq!(fake.run("state list").out, "meshplan_data.a\n");
    let recorded = "{\n  \"arguments\": {\n    \"path\": \"prod.json\"\n  },\n  \"backend\": \"local\"\n}\n";
    assert_eq!(fake.text(".meshplan/backend.json").as_deref(), Some(recorded));
    let other = fake.run("state list --backend-config path=other.json");
    assert!(
        other.err.starts_with("error: backend not usable\n") && other.err.contains("the state was kept in `$DIR/prod.json` so far"),
        "{other:?}"
    );
}

#[test]
fn what_is_wrong_with_a_block_is_shown_where_it_stands_and_nothing_is_touched() {
    for (inner, summary, place) in [
        ("\"consul\" {}", "wrong backend", "main.mesh.hcl:2"),
        ("\"local\" {\n    bucket = \"b\"\n  }", "wrong backend", "main.mesh.hcl:3"),
        ("\"local\" {\n    path = var.path\n  }", "not a constant", "main.mesh.hcl:3"),
    ] {
        let fake = Fake::new(&[("main.mesh.hcl", &configured(inner))]);
        for args in ["plan", "apply --auto-approve", "validate"] {
            let ran = fake.run(args);
            assert!(
                ran.code == exit::FAILED && ran.err.contains(summary) && ran.err.contains(&without_digits(place)),
                "{args}: {}{}",
                ran.err,
                ran.out
            );
        }
        let ran = fake.run("state list");
        assert!(ran.code == exit::FAILED && ran.err.starts_with("error: backend not usable\n"), "{}", ran.err);
        assert_eq!(std::fs::read_dir(fake.path()).unwrap().count(), 1);
    }
    let fake = Fake::new(&[("main.mesh.hcl", "module \"m\" {\n  source = \"./m\"\n}\n"), ("m/main.mesh.hcl", &configured("\"local\" {}"))]);
    assert!(fake.run("plan").err.contains("`backend` in a module"));
}

#[test]
fn a_state_that_was_kept_elsewhere_is_not_forgotten_but_migrated() {
    let fake = Fake::new(&[("main.mesh.hcl", RESOURCE)]);
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    fake.write("main.mesh.hcl", &configured("\"local\" {\n    path = \"new.json\"\n  }"));
    // The same kind with another path: what was used before is not written down, and is the default.
    let ran = fake.run("plan");
    assert!(ran.code == exit::FAILED && ran.err.contains("the state was kept in `$DIR/meshplan.state.json` so far"), "{ran:?}");
    let first = fake.run("state migrate");
    assert_eq!((first.code, first.out.as_str()), (exit::DONE, ""), "{}", first.err);
    assert!(first.err.contains("to `$DIR/new.json`. What stands in `$DIR/meshplan.state.json` is left as it is"), "{}", first.err);
    assert_eq!(fake.text("new.json"), fake.text("meshplan.state.json"));
    assert!(fake.run("plan").out.contains("No changes"), "{:?}", fake.run("plan"));

    fake.write("main.mesh.hcl", &configured("\"local\" {\n    path = \"newer.json\"\n  }"));
    for args in ["plan", "apply --auto-approve", "state list"] {
        let ran = fake.run(args);
        assert!(ran.code == exit::FAILED && ran.err.contains("the state was kept in `$DIR/new.json` so far"), "{args}: {ran:?}");
        assert!(ran.err.contains("`meshplan state migrate` copies it"), "{}", ran.err);
    }
    assert_eq!(fake.run("state migrate").code, exit::DONE);
    assert_eq!(fake.run("state list").out, "meshplan_data.a\n");
    assert_eq!(fake.operations(), ["apply", "state migrate", "state migrate"]);
    assert_eq!(fake.run("state diff @1 @3").out, "No difference from @1 to @3.\n");
    assert!(fake.run("state migrate").err.starts_with("error: nothing to migrate\n"));

    fake.write("main.mesh.hcl", RESOURCE);
    assert!(fake.run("plan").err.contains("the state was kept in `$DIR/newer.json` so far"));
    let ran = fake.run("state migrate --reconfigure");
    assert!(ran.code == exit::DONE && ran.err.contains("Nothing was copied"), "{ran:?}");
    assert_eq!(fake.text(".meshplan/backend.json"), None, "a file beside the configuration is what is assumed");
    assert_eq!(fake.run("plan").code, exit::DONE);
}

#[test]
fn a_migration_replaces_no_other_state_unless_that_is_said() {
    let fake = Fake::new(&[("main.mesh.hcl", RESOURCE)]);
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    fake.write("main.mesh.hcl", &configured("\"local\" {\n    path = \"other.json\"\n  }"));
    assert_eq!(fake.run("state migrate --reconfigure").code, exit::DONE);
    assert_eq!(fake.run("apply --auto-approve").code, exit::DONE);
    let before = fake.text("other.json");
    let ran = fake.run("state migrate --from local");
    assert!(ran.code == exit::FAILED && ran.err.starts_with("error: state would be lost\n"), "{ran:?}");
    assert_eq!(fake.text("other.json"), before);
    assert_eq!(fake.run("state migrate --from local --force").code, exit::DONE);
    assert_eq!(fake.text("other.json"), fake.text("meshplan.state.json"));
    for (args, why) in [
        ("--from consul", "there is no backend `consul`"),
        ("--from local:path", "expected `NAME=TEXT`"),
        ("--from local:path=other.json", "is where the state is kept already"),
    ] {
        let ran = fake.run(&format!("state migrate {args}"));
        assert!(ran.code != exit::DONE && ran.err.contains(why), "{args}: {ran:?}");
    }
}

#[test]
fn a_lock_is_taken_away_by_its_id_and_only_when_that_is_agreed() {
    let mut fake = Fake::new(&[("main.mesh.hcl", RESOURCE)]);
    let ran = fake.run("state unlock abc");
    assert!(ran.code == exit::FAILED && ran.err.starts_with("error: not this lock\n"), "{ran:?}");
    let store = Store::new(fake.path().join("meshplan.state.json"));
    let held = store.lock("apply", Duration::ZERO).unwrap();
    let id = store.claimed().unwrap().unwrap().id;
    let ran = fake.run(&format!("state unlock --force {id}"));
    assert!(ran.code == exit::FAILED && ran.err.contains("error: holder is alive\n"), "{ran:?}");
    let text = fake.text("meshplan.state.lock").unwrap();
    drop(held);
    fake.write("meshplan.state.lock", &text);
    fake.input("no\n");
    let ran = fake.run(&format!("state unlock {id}"));
    assert!(ran.code == exit::FAILED && ran.err.contains("Held by `apply` of ") && ran.err.contains("left as it is"), "{ran:?}");
    assert_eq!(fake.text("meshplan.state.lock"), Some(text));
    fake.input("yes\n");
    assert_eq!(fake.run(&format!("state unlock {id}")).code, exit::DONE);
    assert_eq!(fake.text("meshplan.state.lock"), None);
}
