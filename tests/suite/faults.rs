//! Faults by exhaustion: whatever fails, hangs, is torn or is full during an apply, what is said names it, and the next apply ends
//! where a straight one ends.

mod folding;
mod gates;

use crate::laws::{APPLY, CLUSTERS, COUNTING, made_twice};
use meshplan::World;
use meshplan_tests::faults::{FAIL_AT, FAILED, JOURNAL, PANIC_AT, whole_before_the_last_append};
use meshplan_tests::held::Held;
use meshplan_tests::killed::Counting;
use meshplan_tests::redact;
use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use serde_json::Value;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const STATE: &str = "meshplan.state.json";
/// A straight run: the points it passes and the state it leaves.
struct Straight {
    points: u64,
    state: Value,
}

/// Things one after the other, so that of two points with an append between them the second is its end.
const CHAIN: &str = r#"
resource "sandbox_cluster" "this" {
  name = "c"
}
resource "kubernetes_namespace" "shop" {
  cluster = sandbox_cluster.this
  name    = "shop"
}
resource "kubernetes_secret" "keys" {
  cluster   = sandbox_cluster.this
  namespace = kubernetes_namespace.shop.name
  name      = "keys"
  data      = { uid = sandbox_cluster.this.uid }
}
"#;

fn straight() -> Straight {
    straight_of(CLUSTERS)
}

fn straight_of(configuration: &str) -> Straight {
    let scenario = Scenario::with(configuration);
    let points = COUNTING.finish(&scenario, &APPLY, None);
    Straight { points, state: redact::state(&scenario.state()) }
}

/// A plain apply now ends where the straight one ended, with nothing made twice, and nothing is left to do.
fn completes(scenario: &Scenario, expected: &Straight, after: &str) {
    let output = COUNTING.run(scenario, &APPLY, None);
    assert_eq!(output.status.code(), Some(0), "{after}: {}", said(&output));
    let left = redact::state(&scenario.state());
    assert!(left == expected.state, "{after}:\n{}", redact::difference(&expected.state, &left));
    assert_eq!(made_twice(scenario), Vec::<String>::new(), "{after}");
    let again = COUNTING.run(scenario, &["plan", "--detailed-exitcode"], None);
    assert_eq!(again.status.code(), Some(0), "{after}: {}", String::from_utf8_lossy(&again.stdout));
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_failure_of_any_effect_or_write_is_told_and_completed_by_the_next_apply() {
    let expected = straight();
    for point in 0..expected.points {
        let scenario = Scenario::with(CLUSTERS);
        let output = COUNTING.command(&scenario, &APPLY).env(FAIL_AT, point.to_string()).output().unwrap();
        let after = format!("failed at point {point}");
        match output.status.code() {
            // It passed fewer points, since effects that end together share an append; or it was the last append, which the state mends that
            // is written after it: two points each.
            Some(0) => assert!(Counting::passed(&scenario) <= point + 4, "{after}: it went on"),
            code => {
                assert_eq!(code, Some(1), "{after}: {}", said(&output));
                assert!(said(&output).contains(FAILED), "{after}: {}", said(&output));
            }
        }
        completes(&scenario, &expected, &after);
    }
}

const PLANTED: &str = "hunter2-hunter2";

/// A secret in the arguments of effects, and things before and after them.
const SECRETS: &str = r#"
variable "password" {
  type      = string
  sensitive = true
}
resource "meshplan_data" "kept" {
  input = { password = var.password }
}
resource "kubernetes_secret" "held" {
  cluster   = sandbox_cluster.this
  namespace = kubernetes_namespace.shop.name
  name      = "held"
  data      = { password = var.password }
}
"#;

#[test]
fn a_defect_at_any_point_tells_its_place_and_no_secret_and_the_next_apply_goes_on() {
    let scenario = || {
        let mut scenario = Scenario::with(&(CHAIN.to_owned() + SECRETS));
        scenario.set("MESHPLAN_VAR_password", PLANTED);
        scenario
    };
    let first = scenario();
    let points = COUNTING.finish(&first, &APPLY, None);
    let expected = Straight { points, state: redact::state(&first.state()) };
    let mut in_reach = 0;
    for point in 0..points {
        let scenario = scenario();
        let args: &[&str] = if point % 2 == 0 { &APPLY } else { &["apply", "--auto-approve", "--json"] };
        let output =
            COUNTING.command(&scenario, args).stdout(std::process::Stdio::piped()).env(PANIC_AT, point.to_string()).output().unwrap();
        let after = format!("panicked at point {point}");
        if output.status.code() == Some(0) {
            assert!(Counting::passed(&scenario) <= point, "{after}: it went on");
            continue;
        }
        let all = format!("{}{}", String::from_utf8_lossy(&output.stdout), said(&output));
        assert_eq!(output.status.code(), Some(101), "{after}: {all}");
        assert!(all.contains("error: defect of meshplan") && all.contains("faults.rs:"), "{after}: {all}");
        assert!(!all.contains(PLANTED) && !all.contains("aHVudGVyMi1odW50ZXIy"), "{after}: {all}");
        in_reach += usize::from(scenario.read("panicked").contains(PLANTED));
        completes(&scenario, &expected, &after);
    }
    assert!(in_reach >= 1, "the messages that are not shown hold the secret: {in_reach}");
}

#[test]
fn a_verb_whose_change_cannot_be_written_says_so_and_has_changed_nothing() {
    let scenario = Scenario::with(CHAIN);
    COUNTING.finish(&scenario, &APPLY, None);
    let before = scenario.state();
    let output = COUNTING.command(&scenario, &["state", "rm", "kubernetes_secret.keys"]).env(FAIL_AT, "0").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("error: state not available") && said(&output).contains(FAILED), "{}", said(&output));
    assert_eq!(scenario.state(), before);
}

#[test]
fn without_what_threads_need_nothing_begins() {
    let scenario = Scenario::with(CHAIN);
    // Streams and what the program opens first leave no number for what its threads wait with.
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", "ulimit -n 5; exec \"$0\" plan", COUNTING.0]).current_dir(scenario.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("error: no threads"), "{}", said(&output));
}

#[test]
fn what_hangs_anywhere_is_left_by_a_second_interruption_and_completed_by_the_next_apply() {
    let expected = straight();
    for point in 0..expected.points {
        let scenario = Scenario::with(CLUSTERS);
        let after = format!("hung at point {point}");
        let Some(mut held) = Held::at(COUNTING, &scenario, &APPLY, point) else {
            assert!(Counting::passed(&scenario) <= point, "{after}: it went on");
            continue;
        };
        held.interrupt();
        held.says("Stopping: nothing new starts");
        held.interrupt();
        let (status, said) = held.end();
        assert_eq!(status.code(), Some(130), "{after}: {said}");
        assert!(said.contains("Left at once"), "{after}: {said}");
        completes(&scenario, &expected, &after);
    }
}

#[test]
fn one_interruption_anywhere_lets_what_runs_finish() {
    let expected = straight();
    for point in (0..expected.points).step_by(3) {
        let scenario = Scenario::with(CLUSTERS);
        let after = format!("interrupted at point {point}");
        let Some(mut held) = Held::at(COUNTING, &scenario, &APPLY, point) else { continue };
        held.interrupt();
        held.says("Stopping: nothing new starts");
        held.release();
        let (status, said) = held.end();
        assert!(status.signal().is_none() && [Some(0), Some(1)].contains(&status.code()), "{after}: {status}: {said}");
        assert!(!scenario.path().join(JOURNAL).exists(), "{after}: it ended in order");
        assert!(!scenario.read(STATE).contains("interrupted"), "{after}: {}", scenario.read(STATE));
        completes(&scenario, &expected, &after);
    }
}

/// A cluster that something else stands before, and a namespace in it.
fn behind(value: u64) -> String {
    format!(
        "resource \"meshplan_data\" \"way\" {{\n input = {value}\n}}\n\
         resource \"sandbox_cluster\" \"c\" {{\n name = \"c\"\n depends_on = [meshplan_data.way]\n}}\n\
         resource \"kubernetes_namespace\" \"n\" {{\n cluster = sandbox_cluster.c\n name = \"n\"\n labels = {{ l = \"{value}\" }}\n}}\n"
    )
}

#[test]
fn an_interruption_while_somebody_is_asked_ends_the_run_in_order() {
    let scenario = Scenario::with(&behind(1));
    COUNTING.finish(&scenario, &APPLY, None);
    let (there, aside) = (scenario.path().join(".meshplan/sandbox/c"), scenario.path().join("aside"));
    let label =
        || meshplan_tests::cluster::Cluster::of(&scenario, "c").get("/api/v1/namespaces/n").unwrap()["metadata"]["labels"]["l"].clone();
    scenario.write("main.mesh.hcl", &behind(2));
    // The first question, before anything is done.
    let state = scenario.read(STATE);
    let mut held = Held::asking(COUNTING, &scenario, &["apply"]);
    held.says("Only 'yes' will be accepted");
    held.interrupt();
    let (status, said) = held.end();
    assert!(status.code() == Some(1) && said.ends_with("Interrupted: nothing was changed.\n"), "{status}: {said}");
    assert_eq!(scenario.read(STATE), state);
    // The second, of what the first apply brought into reach: while it was under way the cluster came back.
    std::fs::rename(&there, &aside).unwrap();
    std::fs::write(&there, "").unwrap();
    let mut held = Held::typing(COUNTING, &scenario, &["apply"], (0, "yes\n")).unwrap();
    held.says("Only 'yes' will be accepted");
    std::fs::remove_file(&there).unwrap();
    std::fs::rename(&aside, &there).unwrap();
    held.release();
    held.says("What was out of reach is read now.");
    held.says("Only 'yes' will be accepted");
    held.interrupt();
    let (status, said) = held.end();
    assert!(status.code() == Some(1) && said.ends_with("Interrupted: nothing more was changed.\n"), "{status}: {said}");
    // What was approved is done and remembered, the lock is free, and what is left is left.
    assert!(!scenario.path().join(JOURNAL).exists() && label() == "1");
    let plan = COUNTING.run(&scenario, &["plan"], None);
    assert!(String::from_utf8_lossy(&plan.stdout).contains("Plan: 0 to add, 1 to change, 0 to replace, 0 to destroy."), "{plan:?}");
    COUNTING.finish(&scenario, &APPLY, None);
    assert_eq!(label(), "2");
}

#[test]
fn a_run_killed_between_its_state_and_its_history_is_found_in_the_history() {
    let expected = straight_of(CHAIN);
    let revisions = |scenario: &Scenario| -> Vec<(String, u64)> {
        let shown = COUNTING.run(scenario, &["state", "history", "--json"], None);
        let heads: Vec<Value> = serde_json::from_slice(&shown.stdout).unwrap();
        heads.iter().map(|head| (head["operation"].as_str().unwrap().to_owned(), head["serial"].as_u64().unwrap())).collect()
    };
    // Before the state is written whole, and after that, when the journal is gone.
    for (point, folded) in [(expected.points - 2, false), (expected.points - 1, true)] {
        let scenario = Scenario::with(CHAIN);
        let output = COUNTING.run(&scenario, &APPLY, Some(point));
        assert_eq!(output.status.signal(), Some(9), "{}", said(&output));
        assert_eq!((scenario.state().is_object(), scenario.path().join(JOURNAL).exists()), (folded, !folded), "{point}");
        assert_eq!(revisions(&scenario), [], "{point}");
        completes(&scenario, &expected, &format!("killed at point {point}"));
        let serial = scenario.state()["serial"].as_u64().unwrap();
        // The run that completes it may have nothing to do but to write that down.
        let kept = revisions(&scenario);
        assert!(kept[0] == ("found".to_owned(), serial) && kept.iter().all(|(_, of)| *of == serial), "{point}: {kept:?}");
        // What was found is a revision like any other: one can go back to it.
        scenario.replace("main.mesh.hcl", "\"keys\"", "\"others\"");
        COUNTING.finish(&scenario, &APPLY, None);
        let difference = COUNTING.run(&scenario, &["state", "diff", "@1", &format!("@{}", revisions(&scenario).len())], None);
        assert!(String::from_utf8_lossy(&difference.stdout).contains("others"), "{difference:?}");
    }
}

#[test]
fn a_journal_torn_in_its_last_batch_is_read_as_far_as_it_is_whole() {
    let expected = straight_of(CHAIN);
    let mut torn = 0;
    for point in 1..expected.points {
        for nth in 0.. {
            // Runs do not end their steps in the same order: each is torn where its own last batch stands.
            let scenario = Scenario::with(CHAIN);
            COUNTING.run(&scenario, &APPLY, Some(point));
            if !scenario.path().join(JOURNAL).exists() {
                break;
            }
            let journal = scenario.read(JOURNAL);
            let Some(cut) = cuts(&journal, whole_before_the_last_append(&scenario)).get(nth).copied() else { break };
            scenario.write(JOURNAL, &journal[..cut]);
            completes(&scenario, &expected, &format!("torn at byte {cut} of what stood at point {point}"));
            torn += 1;
        }
    }
    assert!(torn > 20, "{torn} cuts");
}

/// Where to tear what stands after the whole part of a journal: at its first and its last byte, and in the midst of each of its lines.
fn cuts(journal: &str, whole: Option<usize>) -> Vec<usize> {
    let Some(whole) = whole.filter(|whole| *whole < journal.len()) else { return Vec::new() };
    let middles = journal.match_indices('\n').map(|(end, _)| end - 3).filter(|cut| *cut > whole);
    [whole, whole + 1].into_iter().chain(middles).chain([journal.len() - 1]).collect()
}

#[test]
fn a_disk_that_is_full_at_any_size_is_told_and_nothing_is_lost() {
    let expected = straight();
    let mut failed = 0;
    // Each of the small ones, and some of the larger.
    for blocks in std::iter::successors(Some(0), |blocks| Some(blocks + 1 + blocks / 6)) {
        let scenario = Scenario::with(CLUSTERS);
        let output = limited(&scenario, blocks);
        let after = format!("with files of at most {blocks} blocks");
        if output.status.code() == Some(0) {
            break;
        }
        assert_eq!(output.status.code(), Some(1), "{after}: {:?} {}", output.status, said(&output));
        assert!(said(&output).contains("File too large"), "{after}: {}", said(&output));
        completes(&scenario, &expected, &after);
        failed += 1;
        assert!(failed < 200, "no size is enough");
    }
    assert!(failed > 3, "only {failed} sizes were too small");
}

/// An apply that may write files of so many blocks of 512 bytes, as the shell limits them.
fn limited(scenario: &Scenario, blocks: u64) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, COUNTING.0]).args(APPLY).current_dir(scenario.path()).envs(scenario.environment());
    command.output().unwrap()
}

/// A command in a mount namespace of its own.
fn unshared(args: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user"]).args(args);
    command
}

#[test]
fn a_directory_that_cannot_be_written_is_told_before_anything_happens() {
    let mut missing = Missing::default();
    if missing.any_of(["unshare", "mount"]) {
        return missing.close();
    }
    if !unshared(&["true"]).output().unwrap().status.success() {
        missing.note(["namespaces"]);
        return missing.close();
    }
    let scenario = Scenario::with(CLUSTERS);
    let script = "mount --bind . . && mount -o remount,bind,ro . && cd \"$PWD\" && exec \"$0\" \"$@\"";
    let output = unshared(&["sh", "-c", script, COUNTING.0]).args(APPLY).current_dir(scenario.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("Read-only file system") && said(&output).contains("meshplan.state.lock"), "{}", said(&output));
    assert!(!scenario.path().join(".meshplan").exists());
    completes(&scenario, &straight(), "in a directory that could not be written");
}

#[test]
fn a_backup_beside_a_newer_journal_is_not_mixed_with_it() {
    let expected = straight();
    let scenario = Scenario::with(CLUSTERS);
    COUNTING.finish(&scenario, &APPLY, None);
    let before = scenario.read(STATE);
    let more = CLUSTERS.replace("\"istio-system\"", "\"istio-system-2\"");
    scenario.write("main.mesh.hcl", &more);
    COUNTING.finish(&scenario, &APPLY, None);
    scenario.write("main.mesh.hcl", CLUSTERS);
    let output = COUNTING.run(&scenario, &APPLY, Some(4));
    assert_eq!(output.status.signal(), Some(9), "{}", said(&output));
    let (state, journal) = (scenario.read(STATE), scenario.read(JOURNAL));

    scenario.write(STATE, &before);
    for verb in [&["plan"][..], &APPLY] {
        let output = scenario.run(verb).expect_code(1);
        assert!(output.stderr.contains(JOURNAL) && output.stderr.contains("serial"), "{}", output.all());
        assert_eq!((scenario.read(STATE), scenario.read(JOURNAL)), (before.clone(), journal.clone()));
    }
    scenario.write(STATE, &state);
    let output = COUNTING.run(&scenario, &APPLY, None);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let left = redact::state(&scenario.state());
    assert!(left == expected.state, "{}", redact::difference(&expected.state, &left));
}

#[test]
fn of_two_at_once_one_waits_or_is_told_of_the_other() {
    let expected = straight();
    let scenario = Scenario::with(CLUSTERS);
    let held = Held::at(COUNTING, &scenario, &APPLY, expected.points / 2).unwrap();

    let output = COUNTING.run(&scenario, &APPLY, None);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = said(&output);
    assert!(told.contains(&format!("process {}", held.id())) && told.contains("`apply`"), "{told}");
    // Who waits, and not long enough, is told the same; a plan needs no lock, and says what it stands beside.
    let started = std::time::Instant::now();
    let output = COUNTING.run(&scenario, &["destroy", "--auto-approve", "--lock-timeout=1s"], None);
    assert!(output.status.code() == Some(1) && started.elapsed() >= std::time::Duration::from_secs(1), "{}", said(&output));
    assert!(said(&output).contains(&format!("process {}", held.id())) && said(&output).contains("--lock-timeout"), "{}", said(&output));
    let output = COUNTING.run(&scenario, &["plan"], None);
    assert!(output.status.code() == Some(0) && said(&output).contains("an apply is running or did not end"), "{}", said(&output));

    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| COUNTING.run(&scenario, &[&APPLY[..], &["--lock-timeout=60s"]].concat(), None));
        std::thread::sleep(std::time::Duration::from_millis(300));
        held.release();
        assert_eq!(held.end().0.code(), Some(0));
        let output = waiting.join().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("No changes"), "{output:?}");
    });
    completes(&scenario, &expected, "after two at once");
}

#[test]
fn a_lock_that_is_lost_ends_the_apply_that_lost_it() {
    let expected = straight();
    // Of the last points some pass when all is written down.
    for point in (1..expected.points * 3 / 4).step_by(2) {
        let scenario = Scenario::with(CLUSTERS);
        let after = format!("lock lost at point {point}");
        let Some(held) = Held::at(COUNTING, &scenario, &APPLY, point) else { continue };
        std::fs::remove_file(scenario.path().join("meshplan.state.lock")).unwrap();
        // Somebody else takes it, and works.
        let other = COUNTING.run(&scenario, &["apply", "--auto-approve"], None);
        held.release();
        let (status, said_by_loser) = held.end();
        assert_eq!(status.code(), Some(1), "{after}: {said_by_loser}");
        assert!(said_by_loser.contains("meshplan.state.lock` is held no more"), "{after}: {said_by_loser}");
        // The other found the thing that was just being made, or it did not.
        let stranger = said(&other).contains("exists, not ours") || said(&other).contains("sandbox cluster exists");
        assert!(other.status.code() == Some(0) || stranger, "{after}: {}", said(&other));
        assert_eq!(made_twice(&scenario), Vec::<String>::new(), "{after}");
        assert!(!scenario.path().join(JOURNAL).exists(), "{after}: the other ended in order");
    }
}

/// A clock that goes an hour back each time somebody looks.
#[derive(Debug)]
struct Backwards(AtomicU64);

impl engine::port::Machine for Backwards {
    fn sleep(&self, time: std::time::Duration) -> engine::port::BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time / 100))
    }

    fn now(&self) -> u64 {
        self.0.fetch_sub(3600, Ordering::SeqCst)
    }

    fn record_id(&self) -> engine::state::RecordId {
        engine::state::RecordId::new(&format!("r{}", self.0.load(Ordering::SeqCst)))
    }
}

#[test]
fn a_clock_that_goes_backwards_changes_no_outcome() {
    let scenario = Scenario::with(CLUSTERS);
    let machine = Arc::new(Backwards(AtomicU64::new(1_800_000_000)));
    let world = || World { machine: machine.clone(), ..scenario.world("") };
    let output = Scenario::run_in(world(), &APPLY).expect_code(0);
    assert!(output.stdout.contains("Apply complete"), "{}", output.all());
    Scenario::run_in(world(), &["plan", "--detailed-exitcode"]).expect_code(0);
    Scenario::run_in(world(), &["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(scenario.addresses(), Vec::<String>::new());
}
