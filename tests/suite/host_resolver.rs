//! Who answers names on the machine, over the whole command line, with mounts of the test's own: never the machine's resolver.

use super::laws::{APPLY, COUNTING};
use meshplan_tests::namespace::Namespace;
use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;

const DESTROY: [&str; 2] = ["destroy", "--auto-approve"];
const SETTLED: [&str; 2] = ["plan", "--detailed-exitcode"];

const RESOLVER: &str = r#"
resource "host_resolver" "mesh" {
  nameservers = ["10.2.1.39"]
  domains     = ["istio-cls1.com", "istio-cls2.com"]
}
"#;

/// A copy of `/etc` in memory, and nothing in `/run`.
const ETC: &str = "
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc 2>/dev/null || true
mount --bind /mnt/etc /etc
umount /etc/resolv.conf 2>/dev/null || true
rm -f /etc/resolv.conf
mount -t tmpfs none /run
";

/// What a machine has whose names no service resolves.
const PLAIN: &str = "printf 'search example\\nnameserver 10.2.1.14\\n' >/etc/resolv.conf";

/// The same where the file is bound into a container: it cannot be replaced.
const BOUND: &str = "printf 'search example\\nnameserver 10.2.1.14\\n' >/mnt/bound
touch /etc/resolv.conf
mount --bind /mnt/bound /etc/resolv.conf";

/// What a machine has whose names systemd-resolved resolves; what it is told stands in `/mnt/told`.
const RESOLVED: &str = "
mkdir -p /run/systemd/resolve /etc/systemd
echo 'nameserver 127.0.0.53' >/run/systemd/resolve/stub-resolv.conf
ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
printf '#!/bin/sh\\necho \"$*\" >>/mnt/told\\n' >/mnt/systemctl
chmod 755 /mnt/systemctl
mount --bind /mnt/systemctl \"$(command -v systemctl)\"
";

fn made(configuration: &str, machine: &str) -> Option<Scenario> {
    let mut scenario = Scenario::with(configuration);
    scenario.enter(Namespace::new(&format!("{ETC}{machine}"))?);
    Some(scenario)
}

/// Runs a test on such a machine, or says what is missing.
fn on(machine: &str, configuration: &str, test: impl FnOnce(&Scenario)) {
    let mut missing = Missing::default();
    if missing.any_of(["unshare", "nsenter", "mount", "systemctl"]) {
        return missing.close();
    }
    let Some(scenario) = made(configuration, machine) else {
        missing.note(["namespaces"]);
        return missing.close();
    };
    test(&scenario);
}

fn shell(scenario: &Scenario, script: &str) -> String {
    scenario.namespace().unwrap().shell(script)
}

fn run(scenario: &Scenario, args: &[&str], code: i32) -> String {
    let output = COUNTING.run(scenario, args, None);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    said
}

const BEFORE: &str = "search example\nnameserver 10.2.1.14\n";
const WITH: &str = "# begin meshplan mesh\n# for istio-cls1.com istio-cls2.com\nnameserver 10.2.1.39\n# end meshplan mesh\n\
    search example\nnameserver 10.2.1.14\n";

#[test]
fn name_servers_stand_before_all_others_and_leave_them_as_they_were() {
    for machine in [PLAIN, BOUND] {
        on(machine, RESOLVER, |scenario| {
            let plan = run(scenario, &["plan"], 0);
            assert!(plan.contains("warning: servers get every question") && plan.contains("\"resolv.conf\""), "{plan}");
            run(scenario, &APPLY, 0);
            assert_eq!(shell(scenario, "cat /etc/resolv.conf"), WITH);
            run(scenario, &SETTLED, 0);
            // A lease that was renewed, and somebody who altered ours.
            shell(scenario, "printf 'nameserver 10.2.1.15\\n' >/etc/resolv.conf");
            run(scenario, &SETTLED, 2);
            run(scenario, &APPLY, 0);
            shell(scenario, "sed 's/10.2.1.39/10.2.1.40/' /etc/resolv.conf >/mnt/new; cat /mnt/new >/etc/resolv.conf");
            let plan = run(scenario, &SETTLED, 2);
            assert!(plan.contains("changed outside") && plan.contains("10.2.1.40"), "{plan}");
            scenario.replace("main.mesh.hcl", "[\"10.2.1.39\"]", "[\"10.2.1.39\", \"10.2.1.41\"]");
            run(scenario, &APPLY, 0);
            let both = shell(scenario, "cat /etc/resolv.conf");
            assert!(both.contains("nameserver 10.2.1.39\nnameserver 10.2.1.41\n# end meshplan mesh\nnameserver 10.2.1.15\n"), "{both}");
            run(scenario, &DESTROY, 0);
            assert_eq!(shell(scenario, "cat /etc/resolv.conf"), "nameserver 10.2.1.15\n");
        });
    }
}

#[test]
fn systemd_is_told_which_domains_go_where() {
    on(RESOLVED, RESOLVER, |scenario| {
        const DROP_INS: &str = "grep -hv '^#' /etc/systemd/resolved.conf.d/*";
        let plan = run(scenario, &APPLY, 0);
        assert!(plan.contains("\"systemd-resolved\"") && !plan.contains("warning"), "{plan}");
        let told = "[Resolve]\nDNS=10.2.1.39\nDomains=~istio-cls1.com ~istio-cls2.com\n";
        assert_eq!(shell(scenario, DROP_INS), told);
        assert_eq!(shell(scenario, "cat /mnt/told"), "reload-or-restart systemd-resolved.service\n");
        run(scenario, &SETTLED, 0);
        shell(scenario, "sed -i 's/^DNS=.*/DNS=1.1.1.1/' /etc/systemd/resolved.conf.d/*");
        let plan = run(scenario, &SETTLED, 2);
        assert!(plan.contains("changed outside") && plan.contains("1.1.1.1"), "{plan}");
        run(scenario, &APPLY, 0);
        assert_eq!(shell(scenario, DROP_INS), told);
        scenario.replace("main.mesh.hcl", "[\"istio-cls1.com\", \"istio-cls2.com\"]", "[\".\"]");
        run(scenario, &APPLY, 0);
        assert!(shell(scenario, DROP_INS).ends_with("Domains=~.\n"));
        run(scenario, &SETTLED, 0);
        run(scenario, &DESTROY, 0);
        assert_eq!(shell(scenario, "ls -d /etc/systemd/resolved.conf.d/meshplan* 2>/dev/null | wc -l; wc -l </mnt/told"), "0\n4\n");
    });
}

#[test]
fn what_another_program_writes_is_left_to_it() {
    on(
        "mkdir /run/other; echo 'nameserver 10.2.1.14' >/run/other/resolv.conf; ln -s /run/other/resolv.conf /etc/resolv.conf",
        RESOLVER,
        |scenario| {
            let plan = run(scenario, &["plan"], 1);
            assert!(plan.contains("resolver of another program") && plan.contains("`/run/other/resolv.conf`"), "{plan}");
        },
    );
    on(&format!("{PLAIN}; printf '# begin meshplan mesh\\n# end meshplan mesh\\n' >>/etc/resolv.conf"), RESOLVER, |scenario| {
        let plan = run(scenario, &["plan"], 1);
        assert!(plan.contains("exists, not ours"), "{plan}");
    });
}

#[test]
fn a_kill_at_any_point_leaves_what_the_next_run_completes() {
    on(PLAIN, RESOLVER, |counted| {
        let points = COUNTING.finish(counted, &APPLY, None);
        let ends = COUNTING.finish(counted, &DESTROY, None);
        for point in 0..points.max(ends) {
            let scenario = made(RESOLVER, PLAIN).unwrap();
            if point < points && COUNTING.is_killed(&scenario, &APPLY, point, points) {
                COUNTING.finish(&scenario, &APPLY, Some(point));
            }
            COUNTING.finish(&scenario, &APPLY, Some(point));
            assert_eq!(shell(&scenario, "cat /etc/resolv.conf"), WITH, "killed at point {point}");
            if point < ends && COUNTING.is_killed(&scenario, &DESTROY, point, ends) {
                COUNTING.finish(&scenario, &DESTROY, Some(point));
            }
            COUNTING.finish(&scenario, &DESTROY, Some(point));
            assert_eq!(shell(&scenario, "cat /etc/resolv.conf"), BEFORE, "killed at point {point} of a destroy");
        }
    });
}
