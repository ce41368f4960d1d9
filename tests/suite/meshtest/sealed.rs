//! What a test leaves on a disk while it runs, and after it was stopped: nothing that its module seals.

use super::{Bench, THINGS};
use meshplan_tests::fake::Fails;
use meshplan_tests::scenario::Scenario;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A key that seals, and a secret to be sealed.
const SEALED: &str = r#"
meshplan {
  encryption {
    key_file = "keys/seal.key"
  }
}
variable "password" {
  default   = "hunter2-hunter2"
  sensitive = true
}
resource "meshplan_data" "kept" {
  input = { password = var.password }
}
"#;

/// All text below a directory.
fn all_text(directory: &Path) -> String {
    let entries = std::fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries
        .map(
            |path| {
                if path.is_dir() {
                    all_text(&path)
                } else {
                    String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned()
                }
            },
        )
        .collect()
}

#[test]
fn the_state_of_a_test_is_sealed_like_that_of_its_module() {
    let slow = "run \"only\" {\n  retry_until {\n    condition = fake_thing.a.uid == \"\"\n    timeout   = \"10m\"\n  }\n}\n";
    let bench = Bench::new(&(SEALED.to_owned() + THINGS), slow);
    let secrets = ["hunter2", "token-uid"];
    // Without the key nothing begins, as with any apply.
    let output = bench.run(&[]).expect_code(1);
    assert!(output.stderr.contains("error: encryption key not available"), "{}", output.all());
    assert_eq!((bench.fake.calls(), bench.kept()), (Vec::new(), Vec::<PathBuf>::new()));
    bench.scenario.write("keys/seal.key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n");
    // While it waits, and what a second interruption leaves.
    for times in [1, 2] {
        let mut world = bench.scenario.world("");
        let directory = bench.scenario.path().join("tmp");
        world.environment.insert("TMPDIR".to_owned(), directory.display().to_string());
        let (fake, before) = (bench.fake.clone(), bench.fake.asked().len());
        let seen = Arc::new(Mutex::new(String::new()));
        let (see, mut heard) = (seen.clone(), 0);
        world.interrupt = Box::new(move || {
            let (fake, see, directory) = (fake.clone(), see.clone(), directory.clone());
            heard += 1;
            let count = heard;
            Box::pin(async move {
                while count > times || fake.asked().len() < before + 8 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                see.lock().unwrap().push_str(&all_text(&directory));
            })
        });
        if times == 2 {
            bench.fake.fail("delete fake_thing.b", Fails::Always);
        }
        let output = Scenario::run_in(world, &["test"]);
        let seen = seen.lock().unwrap().clone();
        assert!(seen.contains("fake_thing.a") && seen.contains("sealed:v1:"), "the state was there: {seen}");
        assert!(!secrets.iter().any(|secret| seen.contains(secret)), "{seen}");
        assert!(!secrets.iter().any(|secret| output.all().contains(secret)), "{}", output.all());
        if times == 1 {
            assert_eq!(bench.kept(), Vec::<PathBuf>::new(), "{}", output.all());
        }
    }
    // What is left can be destroyed from where it is, with the key of the module.
    let [kept] = bench.kept().try_into().unwrap();
    assert!(!secrets.iter().any(|secret| all_text(&kept).contains(secret)), "{}", all_text(&kept));
    bench.fake.fail("delete fake_thing.b", Fails::Never);
    let kept = kept.display().to_string();
    let destroyed = Scenario::run_in(bench.scenario.world(""), &["-C", &kept, "destroy", "--auto-approve"]).expect_code(0);
    assert!(!secrets.iter().any(|secret| destroyed.all().contains(secret)), "{}", destroyed.all());
    assert_eq!(bench.fake.things().len(), 0);
}
