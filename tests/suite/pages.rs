//! Plans and graphs as pages, over the whole command line. `tests/real/browser.rs` looks at such pages in a browser.

use meshplan_tests::fake::Fake;
use meshplan_tests::golden;
use meshplan_tests::scenario::Scenario;

const MAIN: &str = r#"
variable "password" {
  default   = "hunter2"
  sensitive = true
}
variable "places" {
  default = { east = "network1", west = "network2" }
}
resource "fake_place" "p" {
  for_each = var.places
  name     = each.key
}
resource "fake_inner" "a" {
  for_each = var.places
  cluster  = fake_place.p[each.key]
  name     = "a"
  value    = { network = each.value, image = "pilot:1.26.3", password = var.password }
}
resource "fake_inner" "b" {
  cluster = fake_place.p["west"]
  name    = "</script><img src=x onerror=alert(1)>"
  value   = "</script><img src=x onerror=alert(1)> pilot:1.26.3"
}
resource "fake_thing" "t" {
  name = "t"
}
output "password" {
  value     = var.password
  sensitive = true
}
"#;

/// What was applied, then changed: something in both places changes, something goes, something comes.
fn changed() -> Scenario {
    let mut scenario = Scenario::with(MAIN);
    scenario.beside(&Fake::default());
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    scenario.replace("main.mesh.hcl", "pilot:1.26.3", "pilot:1.27.0");
    scenario.replace("main.mesh.hcl", "resource \"fake_thing\" \"t\" {\n  name = \"t\"", "resource \"fake_thing\" \"u\" {\n  name = \"u\"");
    scenario
}

#[test]
fn a_saved_plan_is_a_comment() {
    let scenario = changed();
    scenario.run(&["plan", "--out", "mesh.plan"]).expect_code(0);
    let comment = scenario.run(&["show", "--markdown", "mesh.plan"]).expect_code(0).stdout;
    assert!(!comment.contains("hunter2"), "{comment}");
    let (rest, digest) = comment.rsplit_once("Plan digest: `").unwrap();
    assert!(digest.starts_with("sha256:") && digest.ends_with("`\n"), "{comment}");
    golden::check("pages/comment.md", &format!("{rest}Plan digest: `…`\n"));
    for args in [&["show", "--markdown"] as &[&str], &["show", "--markdown", "--html", "mesh.plan"]] {
        scenario.run(args).expect_code(1);
    }
    let state = scenario.run(&["show", "--markdown", "meshplan.state.json"]).expect_code(1);
    assert!(state.stderr.contains("not a plan"), "{}", state.stderr);
}

#[test]
fn a_comment_never_outgrows_its_room() {
    let mut scenario = Scenario::with(
        "resource \"fake_thing\" \"t\" {\n  for_each = toset([for pair in setproduct(range(60), range(50)) : \"number-${pair[0]}-${pair[1]}\"])\n  name = \"thing ${each.key} of many\"\n}\n",
    );
    scenario.beside(&Fake::default());
    scenario.run(&["plan", "--out", "mesh.plan"]).expect_code(0);
    let comment = scenario.run(&["show", "--markdown", "mesh.plan"]).expect_code(0).stdout;
    assert!((30_000..60_000).contains(&comment.chars().count()), "{}", comment.chars().count());
    assert!(comment.contains(" lines more are left out") && comment.contains("\nPlan digest: `sha256:"), "{comment}");
    assert_eq!(comment.matches("<details>").count(), comment.matches("</details>").count());
}

/// A page without style and script, a line for each element; what is minted for each state has a word in its place.
fn body(page: &str) -> String {
    let (_, body) = page.split_once("<body>").unwrap();
    let (body, _) = body.split_once("<script>").unwrap();
    let mut minted = false;
    let mut text = String::new();
    for line in body.replace("><", ">\n<").lines() {
        text.push_str(if minted { "<dd>minted</dd>" } else { line });
        text.push('\n');
        minted = ["<dt>state</dt>", "<dt>digest</dt>"].contains(&line);
    }
    text
}

#[test]
fn a_saved_plan_is_a_page() {
    let scenario = changed();
    scenario.run(&["plan", "--out", "mesh.plan"]).expect_code(0);
    let shown = scenario.run(&["show", "--html", "mesh.plan"]).expect_code(0);
    assert_eq!(shown.stderr, "");
    assert!(!shown.stdout.contains("hunter2") && !shown.stdout.contains("<img"));
    assert!(shown.stdout.contains("&lt;img src=x onerror=alert(1)&gt;"));
    golden::check("pages/plan.html", &body(&shown.stdout));
    assert_eq!(scenario.run(&["show", "--html", "mesh.plan"]).stdout, shown.stdout, "the same plan is the same page");
    for policy in ["default-src &#39;none&#39;", "style-src &#39;sha256-", "script-src &#39;sha256-", "form-action &#39;none&#39;"] {
        assert!(shown.stdout.contains(policy), "{policy}");
    }
}

#[test]
fn a_graph_is_a_page() {
    let page = changed().run(&["graph", "--html"]).expect_code(0).stdout;
    assert!(!page.contains("hunter2"));
    golden::check("pages/graph.html", &body(&page));
}

#[test]
fn only_a_plan_is_a_page() {
    let scenario = changed();
    let state = scenario.run(&["show", "--html", "meshplan.state.json"]).expect_code(1);
    assert!(state.stderr.contains("not a plan"), "{}", state.all());
    for (args, why) in [
        (&["show", "--html"][..], "[FILE]|<FILE>"),
        (&["show", "--html", "--json", "x"], "cannot be used with"),
        (&["graph", "--html", "--format", "dot"], "cannot be used with"),
    ] {
        let refused = scenario.run(args);
        assert!(refused.code != 0 && why.split('|').any(|why| refused.stderr.contains(why)), "{}", refused.all());
    }
}
