//! Plans as reviewers read them, on changes of the real size: to the letter, and how long they are against what changes.

use meshplan_tests::golden;
use meshplan_tests::reviews::{Case, Rendered, lines_of_changes};
use meshplan_tests::scenario::{Scenario, project};
use std::fmt::Write;

const CONFIGURATION: &str = r#"
variable "clusters" {
  type    = set(string)
  default = ["c1", "c2", "c3"]
}

resource "sandbox_cluster" "this" {
  for_each = var.clusters
  name     = each.key
}

resource "kubernetes_manifests" "istio" {
  for_each = var.clusters
  cluster  = sandbox_cluster.this[each.key]
  content  = file("istio-${each.key}.yaml")
  wait     = false
}
"#;

/// Three clusters with the control plane of a mesh.
pub(crate) fn meshes() -> Scenario {
    let scenario = Scenario::with(CONFIGURATION);
    for cluster in ["c1", "c2", "c3"] {
        scenario.write(&format!("istio-{cluster}.yaml"), &Rendered::of(cluster, None).text());
    }
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario
}

/// Writes what a case changes.
fn change(scenario: &Scenario, case: Case) {
    for cluster in case.clusters() {
        scenario.write(&format!("istio-{cluster}.yaml"), &Rendered::of(cluster, Some(case)).text());
    }
    let set: Vec<String> = case.clusters().iter().map(|cluster| format!("\"{cluster}\"")).collect();
    let all = format!("[{}]", set.join(", "));
    scenario.write("main.mesh.hcl", &CONFIGURATION.replace("[\"c1\", \"c2\", \"c3\"]", &all));
}

/// What a plan says, without what is another one each time. It is made once, and shown for terminals of any kind.
fn shown(scenario: &Scenario, columns: usize) -> String {
    let said = scenario.run_on_terminal(&["show", "reviewed.plan"], columns).expect_code(0).stdout;
    let mut lines: Vec<String> = Vec::new();
    for line in said.lines() {
        lines.push(if line.starts_with("Plan digest: ") { "Plan digest: sha256:…".to_owned() } else { line.to_owned() });
    }
    lines.join("\n") + "\n"
}

pub(crate) fn planned(scenario: &Scenario, case: Case) {
    change(scenario, case);
    scenario.run(&["plan", "--out", "reviewed.plan"]).expect_code(0);
}

/// How many values change, over all clusters.
fn values_changed(case: Case) -> usize {
    let of = |cluster: &&str| {
        let objects = |there: bool, case| if there { Rendered::of(cluster, case).objects } else { Vec::new() };
        let (before, after) = (objects(*cluster != "c4", None), objects(case.clusters().contains(cluster), Some(case)));
        match (before.is_empty(), after.is_empty()) {
            (false, false) => Rendered::of(cluster, Some(case)).changed,
            _ => before.iter().chain(&after).map(meshplan_tests::reviews::values).sum(),
        }
    };
    ["c1", "c2", "c3", "c4"].iter().map(of).sum()
}

#[test]
fn plans_read_as_recorded_and_are_no_longer_than_twice_what_changes() {
    let mut scenario = meshes();
    let mut differences = Vec::new();
    let mut table = "| in three clusters | values that change | lines at 80 columns | lines at 120 |\n|---|---:|---:|---:|\n".to_owned();
    let (mut too_long, mut too_wide) = (Vec::new(), Vec::new());
    for case in Case::ALL {
        planned(&scenario, case);
        let values = values_changed(case);
        let mut told = Vec::new();
        for columns in [80, 120] {
            let coloured = shown(&scenario, columns);
            let text = without_colours(&coloured);
            for (ending, text) in [("ansi", &coloured), ("txt", &text)] {
                let file = project().join(format!("tests/golden/reviews/{}.{columns}.{ending}", case.name()));
                differences.extend(golden::difference(&file, text));
            }
            // An address is never broken.
            let wide = text.lines().filter(|line| line.chars().count() > columns && line.split_whitespace().count() > 2);
            too_wide.extend(wide.map(|line| format!("{case:?} at {columns}: {line}")));
            let lines = lines_of_changes(&text);
            if lines > 2 * values {
                too_long.push(format!("{case:?} at {columns}: {lines} lines for {values} values\n{text}"));
            }
            if columns == 120 {
                nothing_secret(&text);
                each_by_itself(&scenario, case);
                scenario.set("NO_COLOR", "1");
                assert_eq!(shown(&scenario, columns), text, "{case:?}");
                scenario.set("NO_COLOR", "");
            }
            told.push(lines);
        }
        writeln!(table, "| {} | {values} | {} | {} |", case.name().replace('-', " "), told[0], told[1]).unwrap();
    }
    golden::expect_none(differences);
    assert!(too_wide.is_empty(), "{}", too_wide.join("\n"));
    assert!(too_long.is_empty(), "{}", too_long.join("\n"));
    golden::expect_none(golden::table("docs/reviewing.md", &table));
}

fn without_colours(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    plain.extend(pieces.map(|piece| piece.split_once('m').map_or("", |(_, rest)| rest)));
    plain
}

/// What is a key, or might hold one, is not shown; certificates are told by what they say.
pub(crate) fn nothing_secret(text: &str) {
    for secret in ["BEGIN", "LS0tLS1CRUdJTi", "b25lb25l", "dHdvdHdv", "hmac-sha256"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// In full, new objects are spelled out, and each change has the paths that it has.
fn each_by_itself(scenario: &Scenario, case: Case) {
    let full = scenario.run_on_terminal(&["show", "--detail", "full", "reviewed.plan"], 200).expect_code(0).stdout;
    let expected = match case {
        Case::Upgrade => "metadata.labels[\"app.kubernetes.io/version\"]",
        Case::Added => "spec.template.spec.containers",
        _ => return,
    };
    assert!(full.matches(expected).count() > 3 && !full.contains(" objects "), "{full}");
}

const AUTHORITIES: &str = r#"
resource "sandbox_cluster" "c" {
  name = "c1"
}
resource "kubernetes_namespace" "istio" {
  cluster = sandbox_cluster.c
  name    = "istio-system"
}
resource "ca_root" "old" {
  subject = { common_name = "Old Root" }
}
resource "ca_root" "new" {
  subject = { common_name = "New Root" }
}
resource "ca_intermediate" "c1" {
  issuer = ca_root.old
}
resource "istio_cacerts" "c1" {
  cluster      = sandbox_cluster.c
  namespace    = kubernetes_namespace.istio.name
  intermediate = ca_intermediate.c1
}
"#;

/// Both steps of a rotation, of which the Secret shows nothing and the resources that it is made of show all but the keys.
#[test]
fn a_rotation_is_told_by_what_its_certificates_say() {
    let scenario = Scenario::with(AUTHORITIES);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let state = scenario.state().to_string();
    let keys: Vec<&str> = state.split("PRIVATE KEY-----").skip(1).step_by(2).map(|rest| &rest[4..60]).collect();
    assert!(keys.len() >= 3, "{}", keys.len());
    let line = "intermediate = ca_intermediate.c1\n";
    let both = AUTHORITIES.replace(line, &format!("{line}  additional_root_certificates = [ca_root.new.certificate]\n"));
    let mut shown = Vec::new();
    let moved =
        both.replace("issuer = ca_root.old", "issuer = ca_root.new").replace("[ca_root.new.certificate]", "[ca_root.old.certificate]");
    for text in [both, moved] {
        scenario.write("main.mesh.hcl", &text);
        let plain = scenario.run_on_terminal(&["plan", "--no-color"], 120).expect_code(0).stdout;
        let more = ["--json", "--detail=full"].map(|option| scenario.run(&["plan", option]).expect_code(0).stdout);
        for said in more.iter().chain([&plain]) {
            assert!(keys.iter().all(|key| !said.contains(key)) && !said.contains("PRIVATE KEY"), "{said}");
        }
        shown.push(plain);
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    }
    for part in ["issuer ", "serial ", "sha256 ", "subject ", "valid_from ", "valid_to "] {
        assert!(shown[0].contains(&format!("+ additional_root_certificates[0].{part}")), "{}", shown[0]);
    }
    assert!(shown[0].contains("\"CN=New Root\"") && !shown[0].contains("BEGIN"), "{}", shown[0]);
    for part in
        ["~ root_certificate (pem)", "- certificate[CN=Old Root]  {", "+ certificate[CN=New Root].valid_to ", "-> (known after apply)"]
    {
        assert!(shown[1].contains(part), "{part}: {}", shown[1]);
    }
    assert!(!shown[1].contains("BEGIN"), "{}", shown[1]);
}
