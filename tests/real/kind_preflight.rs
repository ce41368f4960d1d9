//! What a plan says of a machine that is not fit for clusters of kind, each with what mends it.

use super::kind_cluster::{COUNTING, has, lone, run};
use meshplan_tests::kind::{Kind, shared};
use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;

/// A directory of programs for a scenario: `kind` is this script, and `docker` is there if it is wanted.
fn programs(kind: &Kind, scenario: &mut Scenario, (script, with_docker): (&str, bool)) {
    let path = scenario.path().join("programs");
    let docker = with_docker.then_some(("docker", "exit 0"));
    for (name, script) in docker.into_iter().chain([("kind", script)]) {
        scenario.write(&format!("programs/{name}"), &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(path.join(name), Permissions::from_mode(0o755)).unwrap();
    }
    // What enters the machine.
    for name in ["nsenter", "sh"] {
        symlink(kind.shell(&format!("command -v {name}")), path.join(name)).unwrap();
    }
    scenario.set("PATH", &path.display().to_string());
}

#[test]
fn programs_that_are_missing_or_too_old_are_errors_of_the_plan() {
    let Some(kind) = shared() else { return };
    for (script, with_docker, words) in [
        ("echo 0.31.0", true, ["is version 0.31.0, and 0.32 or newer is needed", "`go install sigs.k8s.io/kind@latest`"]),
        ("exit 1", true, ["`kind version -q` prints no version", "kind"]),
        ("echo 0.33.0", false, ["`docker` is not in the `PATH`", "`sudo apt install docker-cli`"]),
    ] {
        let mut scenario = kind.scenario(&lone("unfit", ""));
        programs(kind, &mut scenario, (script, with_docker));
        let words = words.map(|word| word.replace("`kind version", &format!("`{}/programs/kind version", scenario.path().display())));
        let told = run(&scenario, &["plan"], 1);
        has(&told, &["error: kind not usable", &words[0], &words[1]]);
        // Without looking it is met by the apply, which makes nothing.
        has(&run(&scenario, &["apply", "--auto-approve", "--preview=offline"], 1), &["kind not usable", &words[0]]);
        assert_eq!((kind.clusters().contains(&"unfit".to_owned()), scenario.addresses()), (false, Vec::new()));
    }
}

/// Something at a socket that answers as an Engine with an old version of the API does.
fn aged(scenario: &Scenario) -> String {
    let path = scenario.path().join("old.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut request) = (stream.unwrap(), [0; 4096]);
            let body = "{\"Version\":\"19.03.15\",\"ApiVersion\":\"1.40\"}";
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
            if stream.read(&mut request).unwrap_or_default() > 0 {
                stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
            }
        }
    });
    format!("unix://{}", path.display())
}

#[test]
fn an_engine_that_is_too_old_is_told_by_the_plan() {
    let Some(kind) = shared() else { return };
    let network = "resource \"docker_network\" \"n\" {\n  name = \"unfit\"\n}\n";
    let mut scenario = kind.scenario(&(lone("unfit", "") + network));
    let host = aged(&scenario);
    scenario.set("DOCKER_HOST", &host);
    let words =
        ["error: Docker Engine too old", "speaks version 1.40 of the API", "Docker 20.10 or newer is needed", "https://get.docker.com"];
    // Without looking it is met by the apply, which makes nothing.
    for args in [&["plan"][..], &["apply", "--auto-approve"], &["apply", "--auto-approve", "--preview=offline"]] {
        has(&run(&scenario, args, 1), &words);
        assert_eq!(scenario.addresses(), Vec::<String>::new());
    }
}

#[test]
fn limits_of_the_machine_are_told_as_long_as_they_are_low() {
    // One of its own: what is mounted there is seen by all that runs on it.
    let Some(kind) = Kind::start() else { return };
    let scenario = kind.scenario(&lone("limits", ""));
    let set = |watches: u64, instances: u64| {
        kind.shell(&format!(
            "cd /proc/sys/fs/inotify; mountpoint -q . || mount -t tmpfs none /proc/sys/fs/inotify; cd /proc/sys/fs/inotify; \
             echo {watches} >max_user_watches; echo {instances} >max_user_instances"
        ));
        run(&scenario, &["plan"], 0)
    };
    has(
        &set(8192, 128),
        &[
            "warning: too few files can be watched",
            "`fs.inotify.max_user_instances` is 128, and 512 are needed",
            "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512",
        ],
    );
    let told = set(524_288, 256);
    assert!(told.contains("sudo sysctl fs.inotify.max_user_instances=512`") && !told.contains("max_user_watches"), "{told}");
    let told = set(524_288, 512);
    assert!(!told.contains("too few files"), "{told}");
}

#[test]
fn who_may_not_use_the_engine_is_told_how_to() {
    let Some(kind) = shared() else { return };
    let mut missing = Missing::default();
    if missing.any_of(["setpriv"]) {
        return missing.close();
    }
    let scenario = kind.scenario(&lone("forbidden", ""));
    std::fs::set_permissions(scenario.path(), Permissions::from_mode(0o777)).unwrap();
    let as_nobody = |args: &[&str]| {
        let mut command = kind.namespace().command("setpriv", scenario.path());
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", COUNTING.0]).args(args).envs(scenario.environment());
        let output = command.env_remove("HOME").output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), said)
    };
    let (code, told) = as_nobody(&["plan"]);
    if told.contains("setpriv: ") {
        missing.note(["a build that others may run"]);
        return missing.close();
    }
    let words = ["this user may not use the Docker Engine at `unix://", "(Permission denied", "`sudo usermod -aG docker $USER`"];
    assert_eq!(code, Some(0), "{told}");
    has(&told, &words);
    has(&told, &["warning: Docker Engine not reached"]);
    let (code, told) = as_nobody(&["apply", "--auto-approve"]);
    assert_eq!(code, Some(1), "{told}");
    has(&told, &words);
    has(&told, &["error: Docker Engine not reached"]);
}
