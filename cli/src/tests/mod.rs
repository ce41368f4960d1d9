//! Whole command lines in a world of their own: what they print, where, and what they exit with.

mod aims;
mod approve;
mod backend;
mod flow;
mod history;
mod holes;
mod interruption;
mod saved;
mod sealing;
mod secrets;
mod state;

use crate::commands::Args;
use crate::exit;
use crate::fake::{Fake, Ran};
use clap::CommandFactory;
use serde_json::json;

const GOOD: &str = "resource \"meshplan_data\" \"a\" {\n  input = \"one\"\n}\n";

fn fails(ran: &Ran, err: &str) {
    assert_eq!((ran.code, ran.err.as_str()), (exit::FAILED, err), "{}", ran.out);
    assert_eq!(ran.out, "");
}

#[test]
fn mistakes_on_the_command_line_exit_with_one_and_help_with_zero() {
    let fake = Fake::new(&[]);
    for (args, code, out, err) in [
        ("", exit::FAILED, "", "Usage: meshplan"),
        ("plann", exit::FAILED, "", "some similar subcommands exist: 'explain', 'plan'"),
        ("plan --out", exit::FAILED, "", "a value is required for '--out <FILE>'"),
        ("plan --var region", exit::FAILED, "", "expected a name and a value, as in `region=eu`"),
        ("apply --parallelism 0", exit::FAILED, "", "at least one operation has to run"),
        ("apply -lock-timeout=5x", exit::FAILED, "", "`x` is no unit"),
        ("output --raw", exit::FAILED, "", "<NAME>"),
        ("--help", exit::DONE, "Usage: meshplan [OPTIONS] <COMMAND>", ""),
        ("apply -help", exit::DONE, "meshplan -C examples/quickstart apply", ""),
    ] {
        let ran = fake.run(args);
        assert_eq!(ran.code, code, "{args}: {ran:?}");
        assert!(ran.out.contains(out) && ran.err.contains(err), "{args}: {ran:?}");
        assert!(ran.out.is_empty() != ran.err.is_empty(), "{args}: {ran:?}");
    }
}

#[test]
fn verbs_of_terraform_are_answered_with_what_to_type() {
    let fake = Fake::new(&[("main.mesh.hcl", GOOD)]);
    for (args, words) in [
        ("init", "There is nothing to initialise: "),
        ("init -upgrade -backend-config=bucket=mesh", "Next: `meshplan plan` shows what would change"),
        ("-chdir=. init", "There is nothing to initialise: "),
    ] {
        let ran = fake.run(args);
        assert!(ran.out.contains(words), "{args}: {ran:?}");
        assert_eq!((ran.code, ran.err.as_str()), (exit::DONE, ""), "{args}");
    }
    for (args, verb, words) in [
        ("taint meshplan_data.a", "taint", "tip: use `meshplan apply --replace ADDRESS`"),
        ("untaint meshplan_data.a", "untaint", "`meshplan apply --replace ADDRESS`"),
        ("refresh -auto-approve", "refresh", "tip: use `meshplan apply --refresh-only`"),
        ("get -update", "get", "modules are read where they are"),
        ("providers lock", "providers", "`meshplan schema`"),
        ("workspace select prod", "workspace", "`meshplan -C prod plan`"),
        ("login", "login", "credentials of the environment"),
        ("force-unlock 1", "force-unlock", "`meshplan state unlock`"),
        ("state replace-provider a b", "replace-provider", "belong to one provider each"),
    ] {
        let ran = fake.run(args);
        assert!(ran.err.starts_with(&format!("error: meshplan has no `{verb}`\n\n  tip: ")), "{args}: {ran:?}");
        assert!(ran.err.contains(words) && ran.err.contains("Usage: meshplan"), "{args}: {ran:?}");
        assert_eq!((ran.code, ran.out.as_str()), (exit::FAILED, ""), "{args}");
    }
    let help = fake.run("--help").out;
    assert!(["init", "taint", "refresh"].iter().all(|verb| !help.contains(&format!("  {verb} "))), "{help}");
}

#[test]
fn the_version_names_the_platform() {
    let ran = Fake::new(&[]).run("version");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!((ran.code, ran.err.as_str()), (exit::DONE, ""));
    assert!(ran.out.starts_with(&format!("meshplan {version} (")) && ran.out.ends_with(")\n"), "{ran:?}");
    let ran = Fake::new(&[]).run("version -json");
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["version"], version);
}

#[test]
fn completions_and_manual_pages_know_every_verb() {
    let fake = Fake::new(&[("taken", "")]);
    let command = Args::command();
    let (hidden, typed): (Vec<_>, Vec<_>) = command.get_subcommands().partition(|verb| verb.is_hide_set());
    let verbs: Vec<String> = typed.into_iter().map(|verb| verb.get_name().to_owned()).collect();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = fake.run(&format!("completion {shell}"));
        assert_eq!((ran.code, ran.err.as_str()), (exit::DONE, ""), "{shell}");
        assert!(verbs.iter().all(|verb| ran.out.contains(verb)), "{shell}: {}", ran.out);
    }
    let ran = fake.run("man pages/man1");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (exit::DONE, "", ""));
    for verb in &verbs {
        let page = fake.text(&format!("pages/man1/meshplan-{verb}.1")).unwrap();
        assert!(page.contains("SYNOPSIS") && page.contains(verb), "{verb}: {page}");
    }
    for verb in hidden {
        assert_eq!(fake.text(&format!("pages/man1/meshplan-{}.1", verb.get_name())), None);
    }
    let ran = fake.run("man taken");
    assert!(ran.code == exit::FAILED && ran.err.contains("manual pages not written"), "{ran:?}");
    assert_eq!(fake.run("completion cmd").code, exit::FAILED);
}

#[test]
fn every_kind_has_a_schema() {
    let fake = Fake::new(&[]);
    let ran = fake.run("schema");
    let all: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, ran.err.as_str()), (exit::DONE, ""));
    for (at, required) in [
        ("/resources/kubernetes_namespace/required", json!(["cluster", "name"])),
        ("/resources/kubernetes_namespace/properties/cluster/x-meshplan/type", json!("cluster")),
        ("/resources/kubernetes_secret/properties/data/type", json!("object")),
        ("/data/kubernetes_cluster/type", json!("object")),
    ] {
        assert_eq!(all.pointer(at), Some(&required), "{at}");
    }
    let one: serde_json::Value = serde_json::from_str(&fake.run("schema kubernetes_cluster").out).unwrap();
    assert_eq!(
        (one["resources"].as_object().unwrap().len(), &one["data"]),
        (0, &json!({ "kubernetes_cluster": all["data"]["kubernetes_cluster"] }))
    );
    let ran = fake.run("schema kubernetes_manifes");
    assert!(ran.code == exit::FAILED && ran.err.contains("Did you mean `kubernetes_manifest`?"), "{ran:?}");
}

#[test]
fn files_are_laid_out_and_others_left() {
    let (bad, good, broken) = ("a=1\nbb=2 # x\n", "a  = 1\nbb = 2 # x\n", "a = [\n");
    let fake = Fake::new(&[
        ("b.mesh.hcl", bad),
        ("a.mesh.hcl", good),
        ("below/mesh.vars.hcl", bad),
        (".hidden/c.mesh.hcl", bad),
        ("other.hcl", bad),
    ]);
    let expect = |args: &str, code: u8, out: &str| {
        let ran = fake.run(args);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (code, out, ""), "{args}");
    };
    expect("fmt --check", exit::UNFORMATTED, "b.mesh.hcl\n");
    let diff = "--- old/b.mesh.hcl\n+++ new/b.mesh.hcl\n@@ -1,2 +1,2 @@\n-a=1\n-bb=2 # x\n+a  = 1\n+bb = 2 # x\n";
    expect("fmt --check --diff", exit::UNFORMATTED, &format!("b.mesh.hcl\n{diff}"));
    assert_eq!(fake.text("b.mesh.hcl").unwrap(), bad);
    expect("fmt -recursive", exit::DONE, "b.mesh.hcl\nbelow/mesh.vars.hcl\n");
    expect("fmt --recursive", exit::DONE, "");
    expect("fmt --check --recursive .", exit::DONE, "");
    assert_eq!(fake.text("b.mesh.hcl").unwrap(), good);
    assert_eq!((fake.text("other.hcl").unwrap(), fake.text(".hidden/c.mesh.hcl").unwrap()), (bad.to_owned(), bad.to_owned()));
    expect("fmt ./other.hcl", exit::DONE, "./other.hcl\n");
    fake.write("b.mesh.hcl", broken);
    fake.write("c.mesh.hcl", bad);
    let ran = fake.run("fmt");
    assert_eq!((ran.code, ran.out.as_str()), (exit::FAILED, "c.mesh.hcl\n"));
    assert!(ran.err.contains("syntax error") && ran.err.contains("b.mesh.hcl:1"), "{}", ran.err);
    assert_eq!((fake.text("b.mesh.hcl").unwrap(), fake.text("c.mesh.hcl").unwrap()), (broken.to_owned(), good.to_owned()));
    let ran = fake.run("fmt missing.mesh.hcl");
    assert!(ran.code == exit::FAILED && ran.err.contains("`missing.mesh.hcl`: No such file"), "{}", ran.err);
}

#[test]
fn standard_input_is_laid_out_onto_standard_output() {
    let mut fake = Fake::new(&[]);
    for (input, args, code, out) in [
        ("a=1", "fmt -", exit::DONE, "a = 1\n"),
        ("a=1", "fmt --check -", exit::UNFORMATTED, ""),
        ("a = 1\n", "fmt --check -", exit::DONE, ""),
        ("", "fmt -", exit::DONE, ""),
        ("a = [", "fmt -", exit::FAILED, ""),
        ("a=1", "fmt - b", exit::FAILED, ""),
    ] {
        let ran = fake.input(input).run(args);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.is_empty()), (code, out, code != exit::FAILED), "{input} {args}");
    }
}

#[test]
fn without_a_configuration_nothing_is_planned_applied_or_destroyed() {
    let fake = Fake::new(&[("elsewhere/main.mesh.hcl", GOOD)]);
    for verb in ["plan", "apply --auto-approve", "destroy --auto-approve", "validate", "graph", "console"] {
        for (directory, summary, words) in [("", "no configuration", "`.`"), ("-C missing ", "module not readable", "`missing`")] {
            let ran = fake.run(&format!("{directory}{verb}"));
            assert_eq!(ran.code, exit::FAILED, "{verb}: {ran:?}");
            assert!(ran.err.starts_with(&format!("error: {summary}\n")) && ran.err.contains(words), "{verb}: {ran:?}");
        }
        assert_eq!(fake.text("meshplan.state.json"), None);
    }
}

#[test]
fn json_and_a_question_do_not_go_together() {
    let ran = Fake::new(&[("main.mesh.hcl", GOOD)]).run("apply -json");
    let lines: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((ran.code, lines[0]["event"].as_str(), lines[0]["format"].as_u64()), (exit::FAILED, Some("version"), Some(1)));
    assert_eq!((lines[1]["event"].as_str(), lines[1]["summary"].as_str()), (Some("diagnostic"), Some("approval needed")));
    assert_eq!(ran.err, "");
}

#[test]
fn a_problem_in_the_text_shows_the_text() {
    let fake = Fake::new(&[("mesh/main.mesh.hcl", "resource \"meshplan_data\" \"a\" {\n  inputt = 1\n}\n")]);
    fails(
        &fake.run("-C mesh validate"),
        "error: unknown argument
 --> mesh/main.mesh.hcl:2:3
  |
2 |   inputt = 1
  |   ^^^^^^
  |
  = `meshplan_data` has no argument `inputt`
  = help: Did you mean `input`?

",
    );
}

#[test]
fn a_configuration_can_require_another_version() {
    let fake = Fake::new(&[("main.mesh.hcl", "meshplan {\n  required_version = \">= 99.0\"\n}\n")]);
    let ran = fake.run("plan");
    assert!(ran.err.starts_with("error: another meshplan is required\n --> main.mesh.hcl:2:"), "{ran:?}");
    assert_eq!(ran.code, exit::FAILED);
}

#[test]
fn a_good_configuration_is_valid() {
    let ran = Fake::new(&[("main.mesh.hcl", GOOD)]).run("validate");
    assert_eq!(ran, Ran { code: exit::DONE, out: "The configuration is valid.\n".to_owned(), err: String::new() });
    for (text, valid, code) in
        [(GOOD, true, exit::DONE), ("resource \"meshplan_dat\" \"a\" {}\n", false, exit::FAILED), ("a = [", false, exit::FAILED)]
    {
        let ran = Fake::new(&[("main.mesh.hcl", text)]).run("validate --json");
        let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.code, &json["valid"], ran.err.as_str()), (code, &serde_json::json!(valid), ""), "{text}");
        assert_eq!(json["diagnostics"][0]["range"]["filename"].is_null(), valid, "{json}");
    }
}

#[test]
fn a_state_that_cannot_be_read_stops_everything_that_needs_it() {
    for (state, summary) in [("{ \"version\"", "corrupt state"), ("{\"version\": 99, \"meshplan_version\": \"9.9.9\"}", "newer state")] {
        let fake = Fake::new(&[("main.mesh.hcl", GOOD), ("meshplan.state.json", state)]);
        for verb in ["plan", "apply --auto-approve", "destroy --auto-approve", "show", "output", "state list"] {
            let ran = fake.run(verb);
            assert_eq!(ran.code, exit::FAILED, "{verb}: {ran:?}");
            assert!(ran.err.starts_with(&format!("error: {summary}\n")), "{verb}: {ran:?}");
            assert_eq!(fake.text("meshplan.state.json").as_deref(), Some(state), "{verb} wrote");
        }
    }
}

#[test]
fn nothing_remembered_is_said_in_every_form() {
    let fake = Fake::new(&[]);
    assert_eq!(fake.run("show").out, "Nothing is remembered.\n");
    assert_eq!(fake.run("state list").out, "");
    assert_eq!(fake.run("output").out, "");
    assert_eq!(fake.run("output -json").out, "{}\n");
    fails(
        &fake.run("output gateways"),
        "error: unknown output\n |\n = the state has no output `gateways`\n = help: Outputs are there after an apply.\n\n",
    );
    fails(
        &fake.run("state show x"),
        "error: not an address
 |
 = `x` is no address: expected a `.` and a name after the kind
 = help: `meshplan state list` shows all addresses.

",
    );
}

#[test]
fn colour_is_for_those_who_want_it() {
    for (variable, args, coloured) in
        [("CLICOLOR_FORCE", "plan", true), ("CLICOLOR_FORCE", "plan --no-color", false), ("NO_COLOR", "plan", false)]
    {
        let ran = Fake::new(&[]).variable(variable, "1").run(args);
        assert_eq!(ran.err.contains('\u{1b}'), coloured, "{variable} {args}: {ran:?}");
    }
}
