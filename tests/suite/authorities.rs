//! Authorities of a mesh over the whole command line: a root is rotated step by step, an intermediate in place, and steps are not skipped.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshplan_tests::cluster::Cluster;
use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use std::process::Command;

const APPLY: [&str; 2] = ["apply", "--auto-approve"];
const CLUSTERS: [&str; 2] = ["cluster1", "cluster2"];

/// The files that a cluster's istiod signs with.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Files {
    certificate: String,
    key: String,
    chain: String,
    roots: String,
}

fn files(scenario: &Scenario, cluster: &str) -> Files {
    let secret = Cluster::of(scenario, cluster).get("/api/v1/namespaces/istio-system/secrets/cacerts").unwrap();
    let file = |name: &str| String::from_utf8(STANDARD.decode(secret["data"][name].as_str().unwrap()).unwrap()).unwrap();
    Files { certificate: file("ca-cert.pem"), key: file("ca-key.pem"), chain: file("cert-chain.pem"), roots: file("root-cert.pem") }
}

fn certificates(text: &str) -> usize {
    text.matches("-----BEGIN CERTIFICATE-----").count()
}

/// The example with these arguments of its module.
fn with(scenario: &Scenario, arguments: &str) {
    let original = std::fs::read_to_string(meshplan_tests::scenario::project().join("examples/quickstart/main.mesh.hcl")).unwrap();
    let given = original.replacen("  mesh_id = \"mesh1\"\n", &format!("  mesh_id = \"mesh1\"\n{arguments}"), 1);
    assert_ne!(given, original);
    scenario.write("main.mesh.hcl", &given);
}

/// Applies, and finds nothing left to do.
fn applied(scenario: &Scenario) -> [Files; 2] {
    scenario.run(&APPLY).expect_code(0);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    CLUSTERS.map(|cluster| files(scenario, cluster))
}

/// Whether what one cluster shows is accepted by what another one trusts, as openssl sees it. Runs of tests have a clock of their own.
fn verified(shown: &Files, trusting: &Files) -> bool {
    let directory = tempfile::TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (roots, chain, own) = (file("roots", &trusting.roots), file("chain", &shown.chain), file("own", &shown.certificate));
    let mut openssl = Command::new("openssl");
    openssl.arg("verify").args(["-no-CApath", "-no-CAstore", "-no_check_time", "-CAfile"]).arg(roots).arg("-untrusted").arg(chain).arg(own);
    openssl.output().unwrap().status.success()
}

#[test]
fn a_root_is_rotated_in_three_applies_and_each_cluster_trusts_the_others_all_the_while() {
    let mut missing = Missing::default();
    let no_openssl = missing.any_of(["openssl"]);
    let scenario = Scenario::example("quickstart");
    let mut seen: Vec<[Files; 2]> = vec![applied(&scenario)];
    let steps = [("[\"2024\", \"2026\"]", "2024", 2), ("[\"2024\", \"2026\"]", "2026", 2), ("[\"2026\"]", "2026", 1)];
    for (names, signing, roots) in steps {
        with(&scenario, &format!("  ca      = {{ generations = {names}, signing = \"{signing}\" }}\n"));
        let now = applied(&scenario);
        let before = seen.last().unwrap();
        for files in &now {
            assert_eq!(certificates(&files.roots), roots, "{names} {signing}: {}", files.roots);
        }
        // Clusters take a step one after the other, and workloads keep what they have for a while: whoever is at either end accepts the other.
        for (shown, trusting) in now.iter().flat_map(|one| before.iter().map(move |other| (one, other))) {
            if !no_openssl {
                assert!(verified(shown, trusting) && verified(trusting, shown), "{names} {signing}");
            }
        }
        seen.push(now);
    }
    // An istiod takes another key only beside a file of roots that it takes: the one that it has.
    let roots = |step: usize| seen[step].iter().map(|files| files.roots.as_str());
    assert!(roots(1).eq(roots(2)));
    assert!(roots(1).zip(roots(0)).chain(roots(2).zip(roots(3))).all(|(both, one)| both.contains(one)));
    let [first, both, moved, left] = seen.as_slice() else { panic!("{}", seen.len()) };
    for at in 0..CLUSTERS.len() {
        assert_eq!(first[at].certificate, both[at].certificate, "what signs stays while trust comes");
        assert_ne!(both[at].certificate, moved[at].certificate);
        assert_eq!(moved[at].certificate, left[at].certificate, "and while trust goes");
        if !no_openssl {
            assert!(!verified(&first[at], &left[at]), "what the former root signed is refused in the end");
        }
    }
    scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
    assert_eq!(scenario.addresses(), Vec::<String>::new());
    missing.close();
}

#[test]
fn a_skipped_step_is_an_error_with_the_line_to_write() {
    let scenario = Scenario::example("quickstart");
    with(&scenario, "  ca      = { generations = [\"2024\"], signing = \"2024\" }\n");
    applied(&scenario);
    for (names, signing, line) in [
        ("[\"2026\"]", "2026", "generations = [\"2024\", \"2026\"], signing = \"2024\""),
        ("[\"2024\", \"2026\"]", "2026", "generations = [\"2024\", \"2026\"], signing = \"2024\""),
    ] {
        with(&scenario, &format!("  ca      = {{ generations = {names}, signing = \"{signing}\" }}\n"));
        let said = scenario.run(&["plan"]).expect_code(1).stderr;
        assert!(said.contains("skipped step of a rotation") && said.contains(line), "{said}");
    }
    let before = CLUSTERS.map(|cluster| files(&scenario, cluster));
    with(&scenario, "  ca      = { generations = [\"2024\", \"2026\"], signing = \"2024\" }\n");
    applied(&scenario);
    with(&scenario, "  ca      = { generations = [\"2026\"], signing = \"2026\" }\n");
    let said = scenario.run(&["plan"]).expect_code(1).stderr;
    assert!(said.contains("generations = [\"2026\", \"2024\"], signing = \"2026\""), "{said}");
    assert_eq!(before.map(|files| files.certificate), CLUSTERS.map(|cluster| files(&scenario, cluster).certificate));
}

#[test]
fn an_intermediate_is_rotated_in_place_and_alone() {
    let scenario = Scenario::example("quickstart");
    let [one, two] = applied(&scenario);
    with(&scenario, "  intermediate_generations = { cluster1 = 2 }\n");
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    assert!(plan.contains("Plan: 0 to add, 2 to change, 0 to replace, 0 to destroy."), "{plan}");
    let [renewed, other] = applied(&scenario);
    assert_eq!((&renewed.roots, other), (&one.roots, two));
    assert!(renewed.key != one.key && renewed.certificate != one.certificate);
}
