//! `kind_cluster` while `kind` runs: Ctrl-C once and twice, and kills at its stages and around its end.

use super::kind_cluster::{APPLY, COUNTING, DESTROY, SETTLED, has, run};
use meshplan_tests::kind::{IMAGE, Kind};
use meshplan_tests::scenario::Scenario;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A docker that waits in the directory of a scenario before calls with certain words, for as long as there is a file `shut`.
const GATE: &str = r#"#!/bin/sh
case "$*" in
*"$WORDS"*)
    : >DIRECTORY/reached
    while [ -e DIRECTORY/shut ]; do sleep 0.05; done
    ;;
esac
exec PROGRAM "$@"
"#;

const ONE: &str = "{}";
const TWO: &str = "{}, { role = \"worker\" }";

/// A scenario with one cluster, whose `kind` waits before it calls docker with these words.
fn gated(kind: &Kind, (name, nodes): (&str, &str), words: &str) -> Scenario {
    let mut scenario = kind.scenario(&format!(
        "resource \"kind_cluster\" \"this\" {{\n  name       = \"{name}\"\n  node_image = \"{IMAGE}\"\n  nodes      = [{nodes}]\n}}\n"
    ));
    let programs = kind.home().join("bin");
    let directory = scenario.path().join("gate");
    std::fs::create_dir(&directory).unwrap();
    let script = GATE.replace("$WORDS", words).replace("DIRECTORY", &directory.display().to_string());
    let docker = directory.join("docker");
    std::fs::write(&docker, script.replace("PROGRAM", &programs.join("docker").display().to_string())).unwrap();
    std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    scenario.set("PATH", &format!("{}:{}:{path}", directory.display(), programs.display()));
    scenario
}

fn shut(scenario: &Scenario) {
    scenario.write("gate/shut", "");
}

fn open(scenario: &Scenario) {
    std::fs::remove_file(scenario.path().join("gate/shut")).unwrap();
}

fn within(what: &str, mut happens: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(2);
    while !happens() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs an apply to where its `kind` waits. Its terminal is its own.
fn waiting(scenario: &Scenario) -> Child {
    shut(scenario);
    let mut command = COUNTING.command(scenario, &APPLY);
    let child = command.stderr(Stdio::piped()).process_group(0).spawn().unwrap();
    within("kind does not come to the gate", || scenario.path().join("gate/reached").exists());
    child
}

/// What a terminal sends to everything that runs in its foreground.
fn press(child: &Child, signal: &str) {
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args([signal, "--", &group]).status().unwrap().success());
}

/// Reads what a child says, up to these words or to its end.
fn says(child: &mut Child, words: &str) -> String {
    let stderr = child.stderr.as_mut().unwrap();
    let mut said = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&said).contains(words) && stderr.read(&mut byte).unwrap() > 0 {
        said.extend(byte);
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// The processes that make a cluster, by what they were called with.
fn makers(scenario: &Scenario, name: &str) -> Vec<String> {
    let (gate, kind) = (scenario.path().join("gate").display().to_string(), format!("create cluster --config - --name {name} "));
    let is_maker = |process: &Path| {
        let words = std::fs::read_to_string(process.join("cmdline")).unwrap_or_default().replace('\0', " ");
        words.contains(&gate) || words.contains(&kind)
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten().filter(|process| is_maker(&process.path()));
    all.map(|process| process.file_name().into_string().unwrap()).collect()
}

/// What a kill leaves of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// kind, with whom nobody speaks any more.
    Kind,
    /// Nothing, as when the machine is switched off.
    Nothing,
}

/// Ends a run that waits at its gate.
fn end(mut child: Child, scenario: &Scenario, (name, left): (&str, Left)) {
    press(&child, "-KILL");
    child.wait().unwrap();
    if left == Left::Nothing {
        Command::new("kill").arg("-KILL").args(makers(scenario, name)).status().unwrap();
        within("processes do not end", || makers(scenario, name).is_empty());
    }
    open(scenario);
    within("kind goes on", || makers(scenario, name).is_empty());
}

/// The ids of the containers of a cluster.
fn nodes(kind: &Kind, name: &str) -> Vec<String> {
    let filter = format!("label=io.x-k8s.kind.cluster={name}");
    let listed = kind.engine().docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter]);
    let mut ids: Vec<_> = listed.lines().map(str::to_owned).collect();
    ids.sort();
    ids
}

fn destroyed(kind: &Kind, scenario: &Scenario, name: &str) {
    run(scenario, &DESTROY, 0);
    assert_eq!((nodes(kind, name), scenario.addresses()), (Vec::new(), Vec::new()));
}

#[test]
fn one_interruption_lets_kind_end_and_another_leaves_what_is_made_anew() {
    let Some(kind) = Kind::start() else { return };
    kind.tell("docker", &["network", "create", "kind"]);
    let before = kind.traces();
    let scenario = gated(&kind, ("once", ONE), "kubeadm init");
    let mut child = waiting(&scenario);
    press(&child, "-INT");
    has(&says(&mut child, "Stopping"), &["Stopping"]);
    assert_eq!(makers(&scenario, "once").len(), 2, "kind hears of no Ctrl-C");
    open(&scenario);
    let said = says(&mut child, "the end");
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
    assert!(!scenario.path().join("meshplan.state.journal").exists(), "it ended in order");
    let made = nodes(&kind, "once");
    assert_eq!(made.len(), 1);
    run(&scenario, &APPLY, 0);
    run(&scenario, &SETTLED, 0);
    assert_eq!(nodes(&kind, "once"), made, "it was only waited for");
    destroyed(&kind, &scenario, "once");

    // Another one leaves at once, and nothing goes on behind its back.
    let scenario = gated(&kind, ("twice", TWO), "kubeadm init");
    let mut child = waiting(&scenario);
    press(&child, "-INT");
    has(&says(&mut child, "Stopping"), &["Stopping"]);
    press(&child, "-INT");
    has(&says(&mut child, "the end"), &["Left at once"]);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    within("kind goes on", || makers(&scenario, "twice").is_empty());
    let half = nodes(&kind, "twice");
    assert_eq!(half.len(), 2);
    open(&scenario);
    has(&run(&scenario, &SETTLED, 2), &["kind_cluster.this", "its last operation was interrupted"]);
    run(&scenario, &APPLY, 0);
    run(&scenario, &SETTLED, 0);
    let made = nodes(&kind, "twice");
    assert!(made.len() == 2 && made.iter().all(|node| !half.contains(node)), "{made:?} {half:?}");
    destroyed(&kind, &scenario, "twice");
    assert_eq!(kind.traces(), before);
}

#[test]
fn a_kill_at_any_stage_of_kind_is_made_good_by_the_next_apply() {
    let Some(kind) = Kind::start() else { return };
    kind.tell("docker", &["network", "create", "kind"]);
    let before = kind.traces();
    let balanced = "{}, {}";
    for (nodes, words, left, is_whole) in [
        // Before there are nodes, before there is a cluster, when half of it is there, and when all is there but its kubeconfig.
        (TWO, "run --name cut-worker", Left::Kind, false),
        (TWO, "kubeadm init", Left::Kind, false),
        (TWO, "kubeadm join", Left::Nothing, false),
        (TWO, "cat /etc/kubernetes/admin.conf", Left::Nothing, false),
        (TWO, "cat /etc/kubernetes/admin.conf", Left::Kind, true),
        // Of what stands before several control planes alone nobody can tell whose it is.
        (balanced, "run --name cut-control-plane", Left::Nothing, false),
    ] {
        let scenario = gated(&kind, ("cut", nodes), words);
        let child = waiting(&scenario);
        if nodes == balanced {
            within("nothing is made", || !self::nodes(&kind, "cut").is_empty());
        }
        let half = self::nodes(&kind, "cut");
        end(child, &scenario, ("cut", left));
        run(&scenario, &APPLY, 0);
        run(&scenario, &SETTLED, 0);
        let made = self::nodes(&kind, "cut");
        assert_eq!(made.len(), if nodes == balanced { 3 } else { 2 }, "{words}");
        assert_eq!(made.iter().all(|node| half.contains(node)), is_whole, "{words}: {made:?} {half:?}");
        assert!(is_whole || made.iter().all(|node| !half.contains(node)), "{words}: {made:?} {half:?}");
        destroyed(&kind, &scenario, "cut");
    }
    assert_eq!(kind.traces(), before);
}

#[test]
fn a_run_that_begins_while_the_kind_of_a_killed_one_goes_on_waits_for_it() {
    let Some(kind) = Kind::start() else { return };
    kind.tell("docker", &["network", "create", "kind"]);
    let before = kind.traces();
    // When one of two nodes is there, and when there is no cluster in them yet; another apply, and a destroy.
    for (words, count, args) in [("run --name late-worker", 1, APPLY), ("kubeadm init", 2, APPLY), ("kubeadm init", 2, DESTROY)] {
        let scenario = gated(&kind, ("late", TWO), words);
        let mut child = waiting(&scenario);
        press(&child, "-KILL");
        child.wait().unwrap();
        assert_eq!(makers(&scenario, "late").len(), 2, "kind goes on");
        within("its nodes do not come", || nodes(&kind, "late").len() == count);
        let half = nodes(&kind, "late");

        // Who does not want to wait is told, and nothing is done.
        if count == 1 {
            let block = "resource \"kind_cluster\" \"this\" {";
            let hasty = format!("{block}\n  timeouts {{\n    create = \"1s\"\n    delete = \"1s\"\n  }}");
            scenario.replace("main.mesh.hcl", block, &hasty);
            has(&run(&scenario, &APPLY, 1), &["kind still running", "at the cluster `late`, after 1 s", "fuser -v "]);
            scenario.replace("main.mesh.hcl", &hasty, block);
            assert_eq!((nodes(&kind, "late"), makers(&scenario, "late").len()), (half.clone(), 2));
        }

        let mut command = COUNTING.command(&scenario, &args);
        let mut next = command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
        let running = scenario.path().join(".meshplan/kind/late.running");
        assert!(running.exists());
        std::thread::sleep(Duration::from_secs(5));
        if let Some(status) = next.try_wait().unwrap() {
            panic!("{words}: it does not wait: {status}: {}", says(&mut next, "the end"));
        }
        assert_eq!(nodes(&kind, "late"), half, "it does something meanwhile");
        open(&scenario);
        let ended = next.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(0), "{words}: {said}");
        assert!(makers(&scenario, "late").is_empty() && !running.exists(), "{words}: {said}");
        if args == APPLY {
            run(&scenario, &SETTLED, 0);
            assert_eq!(nodes(&kind, "late").len(), 2, "{words}");
        }
        destroyed(&kind, &scenario, "late");
    }
    assert_eq!(kind.traces(), before);
}

#[test]
fn a_cluster_that_was_whole_when_its_apply_was_killed_is_taken_on() {
    let Some(kind) = Kind::start() else { return };
    kind.tell("docker", &["network", "create", "kind"]);
    let before = kind.traces();
    // After kind has ended and before anybody has heard of it; and with that in the journal.
    for point in [2, 4] {
        let scenario = gated(&kind, ("whole", ONE), "no such words");
        assert!(COUNTING.is_killed(&scenario, &APPLY, point, u64::MAX));
        let made = nodes(&kind, "whole");
        assert_eq!(made.len(), 1, "at point {point}");
        COUNTING.finish(&scenario, &APPLY, Some(point));
        run(&scenario, &SETTLED, 0);
        assert_eq!(nodes(&kind, "whole"), made, "after point {point}");
        let file = scenario.path().join(".meshplan/kind/whole.kubeconfig").display().to_string();
        assert!(kind.tell("kubectl", &["--kubeconfig", &file, "get", "nodes", "--output=name"]).contains("whole-control-plane"));
        // The same of its removal.
        assert!(COUNTING.is_killed(&scenario, &DESTROY, point, u64::MAX));
        assert_eq!(nodes(&kind, "whole"), Vec::<String>::new(), "at point {point}");
        destroyed(&kind, &scenario, "whole");
        assert!(!Path::new(&file).exists());
    }
    assert_eq!(kind.traces(), before);
}
