//! No secret stands in what commands print, or, with a key, in what they write.

use crate::exit;
use crate::fake::Fake;
use std::path::Path;

/// What is planted as it is, and what a generated private key holds.
const PLANTED: [&str; 4] = ["hunter2-hunter2", "aHVudGVyMi1odW50ZXIy", "PRIVATE KEY", "68756e74657232"];
const WITH: &str = "--var password=hunter2-hunter2";
const MAIN: &str = r#"variable "password" {
  type      = string
  sensitive = true
}
resource "sandbox_cluster" "c" {
  name = "c"
}
resource "kubernetes_namespace" "n" {
  cluster = sandbox_cluster.c
  name    = "n"
}
resource "kubernetes_secret" "s" {
  cluster   = sandbox_cluster.c
  namespace = kubernetes_namespace.n.name
  name      = "s"
  data      = { password = var.password }
}
resource "ca_root" "mesh" {
  subject = { common_name = "Root" }
}
resource "meshplan_data" "a" {
  input = { shown = "plain", hidden = var.password, both = "x-${var.password}", list = [var.password] }
}
output "password" {
  value     = var.password
  sensitive = true
}
"#;

/// Configurations that fail, each with the secret where a message would have it.
const WRONG: [&str; 6] = [
    "resource \"meshplan_data\" \"b\" {\n  input = tonumber(var.password)\n}\n",
    "resource \"meshplan_data\" \"b\" {\n  input = jsondecode(var.password)\n}\n",
    "resource \"meshplan_data\" \"b\" {\n  input = { a = 1 }[var.password]\n}\n",
    "resource \"meshplan_data\" \"b\" {\n  input = file(var.password)\n}\n",
    "resource \"meshplan_data\" \"b\" {\n  input = 1\n  lifecycle {\n    precondition {\n      condition     = var.password == \"x\"\n      error_message = \"not ${var.password}\"\n    }\n  }\n}\n",
    "resource \"meshplan_data\" \"b\" {\n  for_each = toset([var.password])\n  input    = each.key\n}\n",
];

fn check(text: &str, what: &str) {
    for planted in PLANTED {
        assert!(!text.contains(planted), "`{planted}` in {what}: {text}");
    }
}

/// Every file below a directory but those of the clusters themselves.
fn check_files(directory: &Path, seen: &mut usize) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "sandbox" {
                check_files(&path, seen);
            }
        } else if path.extension().is_none_or(|extension| extension != "hcl") {
            *seen += 1;
            check(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()), &path.display().to_string());
        }
    }
}

#[test]
fn no_secret_stands_in_what_commands_print_and_write() {
    let fake = Fake::new(&[("main.mesh.hcl", MAIN), ("encryption.mesh.hcl", "meshplan {\n  encryption {\n    key_file = \"k\"\n  }\n}\n")]);
    fake.write("k", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n");
    let commands = [
        "validate",
        "plan",
        "plan --json",
        "plan --out p.json",
        "graph",
        "apply --auto-approve --json",
        "plan",
        "show",
        "show --json",
        "output",
        "output --json",
        "state list",
        "state show meshplan_data.a",
        "state show ca_root.mesh",
        "state show kubernetes_secret.s",
        "state show sandbox_cluster.c",
        "state history",
        "state history --json",
        "state diff",
        "state pull",
        "state reseal",
    ];
    for command in commands {
        let takes = ["plan", "graph", "apply"].iter().any(|verb| command.starts_with(verb));
        let ran = fake.run(&if takes { format!("{command} {WITH}") } else { command.to_owned() });
        assert_eq!(ran.code, exit::DONE, "{command}: {ran:?}");
        check(&format!("{}{}", ran.out, ran.err), command);
    }
    for wrong in WRONG {
        fake.write("wrong.mesh.hcl", wrong);
        for command in ["plan", "plan --json", "apply --auto-approve"] {
            let ran = fake.run(&format!("{command} {WITH}"));
            assert_eq!(ran.code, exit::FAILED, "{wrong}: {ran:?}");
            check(&format!("{}{}", ran.out, ran.err), wrong);
        }
    }
    let mut seen = 0;
    check_files(fake.path(), &mut seen);
    assert!(seen >= 4, "the state, its backup or lock, the plan, a revision: {seen}");
    std::fs::remove_file(fake.path().join("wrong.mesh.hcl")).unwrap();
    let ran = fake.run(&format!("destroy --auto-approve {WITH}"));
    assert_eq!(ran.code, exit::DONE, "{ran:?}");
    check(&format!("{}{}", ran.out, ran.err), "destroy");
}
