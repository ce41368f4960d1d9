//! Plans as reviewers read them, on changes of the real size: to the letter, and how long they are against what changes.

use meshplan_tests::golden;
use meshplan_tests::reviews::{Case, Rendered, name, yaml};
use meshplan_tests::scenario::{Scenario, project};
use serde_json::Value as Json;
use similar::TextDiff;
use std::collections::BTreeMap;
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

/// How many values change, and how many lines `kubectl diff` would take, over all clusters.
#[derive(Default)]
struct Size {
    values: usize,
    kubectl: usize,
}

impl Size {
    fn of(case: Case) -> Self {
        let mut size = Self::default();
        for cluster in ["c1", "c2", "c3", "c4"] {
            let objects = |there: bool, case| if there { Rendered::of(cluster, case).objects } else { Vec::new() };
            let before = objects(cluster != "c4", None);
            let after = objects(case.clusters().contains(&cluster), Some(case));
            size.values += match (before.is_empty(), after.is_empty()) {
                (false, false) => Rendered::of(cluster, Some(case)).changed,
                _ => before.iter().chain(&after).map(meshplan_tests::reviews::values).sum(),
            };
            size.kubectl += kubectl_lines(&before, &after);
        }
        size
    }
}

/// The lines of `diff -u -N` over the YAML of each object, as `kubectl diff` shows them.
fn kubectl_lines(before: &[Json], after: &[Json]) -> usize {
    let texts = |objects: &[Json]| objects.iter().map(|object| (name(object), yaml::document(object))).collect::<BTreeMap<_, _>>();
    let (before, after) = (texts(before), texts(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let of = |side: &BTreeMap<String, String>, name: &String| side.get(name).cloned().unwrap_or_default();
    let lines = names.into_iter().map(|name| {
        let (before, after) = (of(&before, name), of(&after, name));
        let diff = TextDiff::from_lines(&before, &after).unified_diff().header("live", "merged").to_string();
        // A line with the command stands above each.
        if diff.is_empty() { 0 } else { diff.lines().count() + 1 }
    });
    lines.sum()
}

/// The lines that tell of changes: without the table of clusters above them, the counts and the digest below, and empty ones.
fn lines_of_changes(text: &str) -> usize {
    let mut frame = false;
    let mut lines = 0;
    for line in text.lines() {
        frame = match line {
            "" => false,
            _ if line.starts_with("Clusters ") || line.starts_with("Plan") => true,
            _ => frame,
        };
        lines += usize::from(!frame && !line.is_empty());
    }
    lines
}

#[test]
fn plans_read_as_recorded_and_are_no_longer_than_twice_what_changes() {
    let mut scenario = meshes();
    let mut differences = Vec::new();
    let mut table = "| | values that change | lines of the plan | lines of `kubectl diff` |\n|---|---:|---:|---:|\n".to_owned();
    let (mut too_long, mut too_wide) = (Vec::new(), Vec::new());
    for case in Case::ALL {
        planned(&scenario, case);
        let size = Size::of(case);
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
            // Where a terminal is too narrow for an address and its reason, they stand on two lines.
            let broken = text.lines().filter(|line| line.starts_with("  ") && line.split_whitespace().count() == 2).count();
            if lines > 2 * size.values + if columns < 120 { broken } else { 0 } {
                too_long.push(format!("{case:?} at {columns}: {lines} lines for {} values\n{text}", size.values));
            }
            if columns == 120 {
                nothing_secret(&text);
                each_by_itself(&scenario, case);
                scenario.set("NO_COLOR", "1");
                assert_eq!(shown(&scenario, columns), text, "{case:?}");
                scenario.set("NO_COLOR", "");
                let words = case.name().replace('-', " ");
                writeln!(table, "| {words} | {} | {lines} | {} |", size.values, size.kubectl).unwrap();
            }
        }
    }
    golden::expect_none(differences);
    assert!(too_wide.is_empty(), "{}", too_wide.join("\n"));
    assert!(too_long.is_empty(), "{}", too_long.join("\n"));
    documented(&table);
}

/// The table stands in the documentation.
fn documented(table: &str) {
    let page = project().join("docs/reviewing.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once("| | values that change ").unwrap();
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    golden::expect_none(golden::difference(&page, &format!("{before}{table}\n{after}")));
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
