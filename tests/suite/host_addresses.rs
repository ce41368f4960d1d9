//! Addresses of interfaces, over the whole command line, in a network of the test's own.

use super::laws::{APPLY, COUNTING};
use meshplan_tests::namespace::Namespace;
use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

const DESTROY: [&str; 2] = ["destroy", "--auto-approve"];
const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];

/// An interface with an address of the machine's, one without any, and one that is down.
const NETWORK: &str = "
ip link set lo up
for name in lan0 lan1 off0; do ip link add $name type bridge; done
ip link set lan0 up && ip link set lan1 up
ip address add 10.2.1.5/24 broadcast 10.2.1.255 dev lan0
mount -t tmpfs none /etc/systemd
mkdir /etc/systemd/system
";

/// As guides write it: `ip addr add 10.2.1.39/24 broadcast 10.2.1.255 dev lan0 label lan0:1`.
const VIPS: &str = r#"
resource "host_vip" "dns" {
  device        = "lan0"
  address       = "10.2.1.39"
  prefix_length = 24
  broadcast     = "10.2.1.255"
  label         = "lan0:1"
}
resource "host_vip" "cluster" {
  for_each = { c1 = "10.2.1.40", c2 = "10.2.1.41", six = "fd00::40" }
  device   = "lan0"
  address  = each.value
}
"#;

/// Runs a test in namespaces, or says what is missing.
fn within(configuration: &str, test: impl FnOnce(&Scenario)) {
    let mut missing = Missing::default();
    if missing.any_of(["unshare", "nsenter", "mount", "ip", "systemctl", "setpriv"]) {
        return missing.close();
    }
    let Some(scenario) = made(configuration) else {
        missing.note(["namespaces"]);
        return missing.close();
    };
    test(&scenario);
}

fn made(configuration: &str) -> Option<Scenario> {
    let mut scenario = Scenario::with(configuration);
    scenario.enter(Namespace::new(NETWORK)?);
    Some(scenario)
}

fn shell(scenario: &Scenario, script: &str) -> String {
    scenario.namespace().unwrap().shell(script)
}

/// What is on an interface, without what the kernel gives it by itself: each address as `ip` writes it, up to its scope.
fn addresses(scenario: &Scenario, device: &str) -> Vec<String> {
    let listed = shell(scenario, &format!("ip -o address show dev {device}"));
    let lines = listed.lines().filter(|line| !line.contains(" fe80"));
    lines.map(|line| written(line.split_whitespace().skip(3))).collect()
}

fn written<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words = words.map(|word| word.trim_end_matches('\\')).take_while(|word| !word.is_empty() && *word != "valid_lft");
    words.collect::<Vec<_>>().join(" ")
}

fn run(scenario: &Scenario, args: &[&str], code: i32) -> String {
    let output = COUNTING.run(scenario, args, None);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    said
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn applied() -> Vec<String> {
    let mut all = before();
    all.extend(["10.2.1.40/32 scope global lan0", "10.2.1.41/32 scope global lan0"].map(str::to_owned));
    all.push("10.2.1.39/24 brd 10.2.1.255 scope global secondary lan0:1".to_owned());
    all.push("fd00::40/128 scope global nodad".to_owned());
    all.sort();
    all
}

fn before() -> Vec<String> {
    vec!["10.2.1.5/24 brd 10.2.1.255 scope global lan0".to_owned()]
}

fn sorted(scenario: &Scenario) -> Vec<String> {
    let mut all = addresses(scenario, "lan0");
    all.sort();
    all
}

#[test]
fn addresses_come_stay_drift_and_go() {
    within(VIPS, |scenario| {
        run(scenario, &APPLY, 0);
        assert_eq!(sorted(scenario), applied());
        run(scenario, &SETTLED, 0);
        // A start of the machine, and somebody who alters one.
        shell(scenario, "ip address del 10.2.1.40/32 dev lan0; ip address del 10.2.1.39/24 dev lan0; ip address del fd00::40/128 dev lan0");
        shell(scenario, "ip address add 10.2.1.39/24 dev lan0 label lan0:9");
        let plan = run(scenario, &SETTLED, 2);
        for address in ["host_vip.dns", "host_vip.cluster[\"c1\"]", "host_vip.cluster[\"six\"]", "changed outside"] {
            assert!(plan.contains(address), "no `{address}`: {plan}");
        }
        run(scenario, &APPLY, 0);
        assert_eq!(sorted(scenario), applied());
        scenario.replace("main.mesh.hcl", "lan0:1", "lan0:dns");
        let plan = run(scenario, &APPLY, 0);
        assert!(plan.contains("0 to add, 1 to change") || plan.contains("1 to change"), "{plan}");
        assert!(sorted(scenario).iter().any(|address| address.ends_with("secondary lan0:dns")));
        run(scenario, &SETTLED, 0);
        run(scenario, &DESTROY, 0);
        assert_eq!(sorted(scenario), before());
    });
}

#[test]
fn an_address_that_goes_takes_no_other_along() {
    let three = r#"
resource "host_vip" "this" {
  for_each      = toset(["10.9.0.1", "10.9.0.2", "10.9.0.3"])
  device        = "lan1"
  address       = each.key
  prefix_length = 24
}
"#;
    within(three, |scenario| {
        run(scenario, &APPLY, 0);
        let hanging = |scenario: &Scenario| addresses(scenario, "lan1").iter().filter(|address| address.contains("secondary")).count();
        assert_eq!((addresses(scenario, "lan1").len(), hanging(scenario)), (3, 2));
        let first = addresses(scenario, "lan1").iter().find(|address| !address.contains("secondary")).unwrap()[..8].to_owned();
        let shorter = ["10.9.0.1", "10.9.0.2", "10.9.0.3"].into_iter().filter(|address| *address != first);
        let shorter: Vec<_> = shorter.map(|address| format!("\"{address}\"")).collect();
        scenario.replace("main.mesh.hcl", "\"10.9.0.1\", \"10.9.0.2\", \"10.9.0.3\"", &shorter.join(", "));
        shell(scenario, "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys");
        let refused = run(scenario, &APPLY, 1);
        assert!(refused.contains("other addresses in the way") && refused.contains("promote_secondaries"), "{refused}");
        assert_eq!(addresses(scenario, "lan1").len(), 3);
        shell(scenario, "umount /proc/sys");
        run(scenario, &APPLY, 0);
        assert_eq!((addresses(scenario, "lan1").len(), hanging(scenario)), (2, 1));
        assert_eq!(shell(scenario, "cat /proc/sys/net/ipv4/conf/lan1/promote_secondaries"), "0\n");
        run(scenario, &SETTLED, 0);
        run(scenario, &DESTROY, 0);
        assert_eq!(addresses(scenario, "lan1"), Vec::<String>::new());
    });
}

#[test]
fn what_stands_against_an_address_is_told_by_the_plan() {
    let one = |device: &str, address: &str, more: &str| {
        format!("resource \"host_vip\" \"a\" {{\n  device = \"{device}\"\n  address = \"{address}\"\n  {more}\n}}\n")
    };
    within("", |scenario| {
        let rows = [
            (one("lan7", "10.2.1.40", ""), 1, "error: unknown device", "there are `lo`, `lan0`, `lan1`, `off0`"),
            (one("lan1", "10.2.1.5", ""), 1, "error: address elsewhere", "`10.2.1.5/24` is on `lan0` already"),
            (one("lan0", "10.2.1.5", ""), 1, "error: address elsewhere", "`10.2.1.5/24` is on `lan0` already"),
            (one("lan0", "10.2.1.5", "prefix_length = 24"), 1, "error: exists, not ours", "Import it by the id `lan0/10.2.1.5/24`"),
            (one("off0", "10.2.1.40", ""), 0, "warning: interface is down", "sudo ip link set off0 up"),
            ("data \"host_interface\" \"a\" {}\n".to_owned(), 1, "error: no default route", "Write `name`"),
        ];
        for (configuration, code, summary, detail) in rows {
            scenario.write("main.mesh.hcl", &configuration);
            let plan = run(scenario, &["plan"], code);
            assert!(plan.contains(summary) && plan.contains(detail), "{configuration}: {plan}");
        }
        scenario.write("main.mesh.hcl", &one("lan0", "10.2.1.40", "persistent = true"));
        shell(scenario, "rmdir /etc/systemd/system");
        let plan = run(scenario, &["plan"], 1);
        assert!(plan.contains("error: no systemd"), "{plan}");
        assert_eq!(sorted(scenario), before());
    });
}

#[test]
fn an_address_that_is_there_is_imported_by_its_id() {
    let configuration = "resource \"host_vip\" \"a\" {\n  device = \"lan0\"\n  address = \"10.2.1.5\"\n  prefix_length = 24\n  broadcast = \"10.2.1.255\"\n}\n\
        import {\n  to = host_vip.a\n  id = \"lan0/10.2.1.5/24\"\n}\n";
    within(configuration, |scenario| {
        run(scenario, &APPLY, 0);
        run(scenario, &SETTLED, 0);
        assert_eq!(sorted(scenario), before());
        scenario.replace("main.mesh.hcl", "  broadcast = \"10.2.1.255\"\n", "  label = \"lan0:5\"\n");
        run(scenario, &APPLY, 0);
        assert_eq!(sorted(scenario), ["10.2.1.5/24 scope global lan0:5"]);
        run(scenario, &DESTROY, 0);
        assert_eq!(sorted(scenario), Vec::<String>::new());
    });
}

#[test]
fn who_may_not_set_addresses_may_plan_and_is_told() {
    within(VIPS, |scenario| {
        std::fs::set_permissions(scenario.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let as_nobody = |args: &[&str]| {
            let mut command = scenario.namespace().unwrap().command("setpriv", scenario.path());
            command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", COUNTING.0]).args(args).env_remove("HOME");
            command.output().unwrap()
        };
        let plan = as_nobody(&["plan"]);
        let told = said(&plan);
        if told.contains("Permission denied") {
            let mut missing = Missing::default();
            missing.note(["a build that others may run"]);
            return missing.close();
        }
        assert_eq!(plan.status.code(), Some(0), "{told}");
        assert_eq!(told.matches("warning: missing rights").count(), 1, "{told}");
        assert!(told.contains("4 to add") && told.contains("`nobody` has not the right `CAP_NET_ADMIN`"), "{told}");
        let apply = as_nobody(&APPLY);
        assert!(apply.status.code() == Some(1) && said(&apply).contains("missing rights"), "{}", said(&apply));
        assert_eq!(sorted(scenario), before());
    });
}

#[test]
fn a_persistent_address_has_a_unit_that_is_started_with_the_machine() {
    let configuration = VIPS.replace("label         = \"lan0:1\"", "label         = \"lan0:1\"\n  persistent    = true");
    within(&configuration, |scenario| {
        let units = |scenario: &Scenario| shell(scenario, "cd /etc/systemd/system && find . -name 'meshplan*' | sort");
        let both = "./meshplan-vip-lan0-10.2.1.39-24.service\n./multi-user.target.wants/meshplan-vip-lan0-10.2.1.39-24.service\n";
        run(scenario, &APPLY, 0);
        assert_eq!(units(scenario), both);
        run(scenario, &SETTLED, 0);
        // What the machine does when it starts.
        shell(scenario, "ip address del 10.2.1.39/24 dev lan0");
        shell(scenario, "eval \"$(sed -n 's/^ExecStart=//p' /etc/systemd/system/meshplan-vip-*.service)\"");
        assert_eq!(sorted(scenario), applied());
        for change in
            ["echo >>/etc/systemd/system/meshplan-vip-lan0-10.2.1.39-24.service", "rm /etc/systemd/system/multi-user.target.wants/*"]
        {
            shell(scenario, change);
            let plan = run(scenario, &SETTLED, 2);
            assert!(plan.contains("persistent"), "{plan}");
            run(scenario, &APPLY, 0);
            assert_eq!(units(scenario), both);
        }
        scenario.replace("main.mesh.hcl", "persistent    = true", "");
        run(scenario, &APPLY, 0);
        assert_eq!((units(scenario), sorted(scenario)), (String::new(), applied()));
        scenario.replace("main.mesh.hcl", "label         = \"lan0:1\"", "label         = \"lan0:1\"\n  persistent    = true");
        run(scenario, &APPLY, 0);
        run(scenario, &DESTROY, 0);
        assert_eq!((units(scenario), sorted(scenario)), (String::new(), before()));
        // An address that somebody has removed does not leave its unit behind, however much of that is there.
        let gone = "ip address del 10.2.1.39/24 dev lan0";
        let half = [gone, "rm /etc/systemd/system/multi-user.target.wants/*"].join("; ");
        let other_half = [gone, "rm /etc/systemd/system/meshplan-vip-*.service"].join("; ");
        for damage in [gone, &half, &other_half] {
            run(scenario, &APPLY, 0);
            shell(scenario, damage);
            let plan = run(scenario, &SETTLED, 2);
            assert!(plan.contains("~   host_vip.dns") && plan.contains("1 to change"), "{plan}");
            run(scenario, &APPLY, 0);
            assert_eq!((units(scenario), sorted(scenario)), (both.to_owned(), applied()));
            run(scenario, &SETTLED, 0);
            shell(scenario, damage);
            run(scenario, &DESTROY, 0);
            assert_eq!((units(scenario), sorted(scenario)), (String::new(), before()));
        }
    });
}

#[test]
fn a_kill_at_any_point_leaves_what_the_next_run_completes() {
    let vips = VIPS.replace("label         = \"lan0:1\"", "label         = \"lan0:1\"\n  persistent    = true");
    let units = |scenario: &Scenario| shell(scenario, "find /etc/systemd/system -name 'meshplan*' | wc -l");
    within(&vips, |counted| {
        let points = COUNTING.finish(counted, &APPLY, None);
        let ends = COUNTING.finish(counted, &DESTROY, None);
        for point in 0..points {
            let scenario = made(&vips).unwrap();
            if COUNTING.is_killed(&scenario, &APPLY, point, points) {
                COUNTING.finish(&scenario, &APPLY, Some(point));
            }
            assert_eq!((sorted(&scenario), &*units(&scenario)), (applied(), "2\n"), "killed at point {point}");
            COUNTING.finish(&scenario, &SETTLED, Some(point));
            let point = point % ends;
            if COUNTING.is_killed(&scenario, &DESTROY, point, ends) {
                COUNTING.finish(&scenario, &DESTROY, Some(point));
            }
            assert_eq!((sorted(&scenario), &*units(&scenario)), (before(), "0\n"), "killed at point {point} of a destroy");
        }
    });
}

#[test]
fn sudo_gives_the_rights_that_are_missing_and_is_never_asked_for_a_password() {
    let configuration = format!("provider \"host\" {{\n  become = \"sudo\"\n}}\n{VIPS}");
    let mut missing = Missing::default();
    if missing.any_of(["sudo"]) {
        return missing.close();
    }
    within(&configuration, |scenario| {
        std::fs::set_permissions(scenario.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let as_nobody = |args: &[&str]| {
            let mut command = scenario.namespace().unwrap().command("setpriv", scenario.path());
            command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", COUNTING.0]).args(args).env_remove("HOME");
            let output = command.output().unwrap();
            (output.status.code(), said(&output))
        };
        shell(scenario, "mount -t tmpfs -o mode=755 none /etc/sudoers.d");
        let (code, told) = as_nobody(&["plan"]);
        if told.contains("setuid") || told.contains("effective uid") || told.contains("Permission denied") {
            let mut missing = Missing::default();
            missing.note(["a `sudo` that may become root", "a build that others may run"]);
            return missing.close();
        }
        assert_eq!((code, told.matches("warning: missing rights").count(), told.contains("password")), (Some(0), 1, true), "{told}");
        let (code, told) = as_nobody(&APPLY);
        assert_eq!((code, told.contains("missing rights"), sorted(scenario)), (Some(1), true, before()), "{told}");
        let rule = format!("nobody ALL=(root) NOPASSWD: {} host-effects", COUNTING.0);
        shell(scenario, &format!("echo '{rule}' >/etc/sudoers.d/mesh; chmod 440 /etc/sudoers.d/mesh"));
        let (code, told) = as_nobody(&APPLY);
        assert!(code == Some(0) && !told.contains("warning"), "{told}");
        assert_eq!(sorted(scenario), applied());
        assert_eq!(as_nobody(&SETTLED).0, Some(0));
        assert_eq!((as_nobody(&DESTROY).0, sorted(scenario)), (Some(0), before()));
    });
}
