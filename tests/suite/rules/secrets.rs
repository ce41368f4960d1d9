//! Secrets of which a state keeps fingerprints: what changes of them is told, what stays is not.

use meshplan_tests::scenario::Scenario;

const TEXT: &str = r#"
variable "word" {
  type      = string
  sensitive = true
}
variable "other" {
  type      = string
  sensitive = true
}
resource "sandbox_cluster" "c" {
  name = "c"
}
resource "kubernetes_secret" "keys" {
  cluster = sandbox_cluster.c
  name    = "keys"
  labels  = { team = "one" }
  data    = { a = var.word, b = var.other }
}
resource "kubernetes_manifest" "keys" {
  cluster  = sandbox_cluster.c
  manifest = {
    apiVersion = "v1"
    kind       = "Secret"
    metadata   = { name = "more", labels = { team = "one" } }
    stringData = { c = var.word }
  }
}
"#;

/// What a plan says below the line of an address.
fn below<'a>(plan: &'a str, address: &str) -> Vec<&'a str> {
    let lines = plan.lines().skip_while(|line| !line.trim_start().starts_with(&format!("~   {address}"))).skip(1);
    lines.take_while(|line| line.starts_with("        ")).map(str::trim).collect()
}

#[test]
fn what_stays_of_a_secret_is_not_shown_as_changing() {
    let scenario = Scenario::with(TEXT);
    let run = |arguments: &[&str]| scenario.run(&[arguments, &["--var", "word=hunter1", "--var", "other=hunter2"]].concat());
    run(&["apply", "--auto-approve"]).expect_code(0);
    let (secret, manifest) = ("kubernetes_secret.keys", "kubernetes_manifest.keys");
    for (from, to, address, changes) in [
        ("labels  = { team = \"one\" }", "labels  = { team = \"two\" }", secret, "~ labels.team  \"one\" -> \"two\""),
        ("a = var.word", "a = var.other", secret, "~ data  (sensitive value) changes"),
        ("a = var.word", "a = var.word, more = var.other", secret, "~ data  (sensitive value) changes"),
        (", labels = { team = \"one\" }", ", labels = { team = \"two\" }", manifest, "~ manifest.metadata.labels.team  \"one\" -> \"two\""),
        ("c = var.word", "c = var.other", manifest, "~ manifest.stringData  (sensitive value) changes"),
    ] {
        scenario.write("main.mesh.hcl", &TEXT.replacen(from, to, 1));
        let plan = run(&["plan"]).expect_code(0);
        let below = below(&plan.stdout, address);
        assert!(below.first() == Some(&changes) && below.len() <= 2, "{from}: {below:#?} in {}", plan.all());
        assert!(below.iter().skip(1).all(|line| line.ends_with("unchanged")), "{from}: {below:#?}");
        assert!(!plan.all().contains("hunter"), "{}", plan.all());
        // The same for programs, and through a file.
        let lines = run(&["plan", "--json", "--out", "labels.plan"]).stdout;
        assert!(!lines.contains("hunter"), "{lines}");
        let shown = scenario.run(&["show", "labels.plan"]).expect_code(0).stdout;
        assert!(shown.contains(changes) && !shown.contains("hunter"), "{shown}");
        assert!(!scenario.read("labels.plan").contains("hunter"));
        std::fs::remove_file(scenario.path().join("labels.plan")).unwrap();
    }
}
