//! What grows or nests without end is an error at its place, soon: never a crash, and never all memory.

use crate::laws::COUNTING;
use meshplan_tests::scenario::Scenario;
use std::fmt::Write as _;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// KiB of memory for each command line.
const MEMORY: u32 = 4 << 20;
/// How long one may take, not optimized and beside others.
const PATIENCE: Duration = Duration::from_mins(2);

fn output(expression: &str) -> String {
    format!("output \"a\" {{\n  value = {expression}\n}}\n")
}

/// Locals that each make something of the one before, `@`, and the last one as an output.
fn chain(first: &str, next: &str, length: usize) -> String {
    let mut text = format!("locals {{\n  a0 = {first}\n");
    for at in 1..=length {
        writeln!(text, "  a{at} = {}", next.replace('@', &format!("local.a{}", at - 1))).unwrap();
    }
    text + "}\n" + &output(&format!("local.a{length}"))
}

/// What is made of a text of 10 MiB.
fn of_much(expression: &str) -> String {
    format!("{}\noutput \"b\" {{\n  value = {expression}\n}}\n", chain("\"0123456789\"", "\"${@}${@}\"", 20))
}

/// As many times the beginning, and in the middle of the ends something.
fn nested(begin: &str, middle: &str, end: &str, levels: usize) -> String {
    begin.repeat(levels) + middle + &end.repeat(levels)
}

/// `YAML` whose aliases mean ten times more on each line.
fn bomb() -> String {
    let names: Vec<char> = ('a'..='k').collect();
    let mut text = "a: &a [x,x,x,x,x,x,x,x,x,x]\\n".to_owned();
    for pair in names.windows(2) {
        let aliases = vec![format!("*{}", pair[0]); 10].join(",");
        write!(text, "{0}: &{0} [{aliases}]\\n", pair[1]).unwrap();
    }
    text
}

/// Runs `plan` in a child with little memory: its exit code, if it ended by itself, and what it said.
fn planned(scenario: &Scenario) -> (Option<i32>, String) {
    ended(scenario, &["plan"])
}

/// Runs a command line in a child with little memory: its exit code, if it ended by itself, and what it said.
fn ended(scenario: &Scenario, args: &[&str]) -> (Option<i32>, String) {
    let binary = COUNTING.command(scenario, args);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY} && exec \"$0\" \"$@\""), COUNTING.0]).args(args);
    command.current_dir(scenario.path()).envs(scenario.environment());
    for (name, value) in binary.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let said = File::create(scenario.path().join("said")).unwrap();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().unwrap();
    let began = Instant::now();
    let ended = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.code(),
            None if began.elapsed() > PATIENCE => {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    (ended, scenario.read("said"))
}

fn hold(rows: &[(&str, String, &str)]) {
    for (what, text, said) in rows {
        let scenario = Scenario::with(text);
        let (code, told) = planned(&scenario);
        assert_eq!(code, Some(1), "{what}: {told:.2000}");
        assert!(told.contains(said), "{what}: no `{said}` in {told:.2000}");
        assert!(told.contains("--> main.mesh.hcl:"), "{what}: no place in {told:.2000}");
    }
}

#[test]
fn what_is_nested_without_end_is_an_error() {
    let levels = "at most 64 nested levels";
    let data = |body: &str| format!("resource \"meshplan_data\" \"a\" {{\n{body}}}\n");
    hold(&[
        ("parentheses", output(&nested("(", "1", ")", 3000)), levels),
        ("tuples", output(&nested("[", "1", "]", 3000)), levels),
        ("signs", output(&nested("-", "1", "", 3000)), levels),
        ("conditions", output(&nested("true ? 1 : ", "1", "", 3000)), levels),
        ("operators", output(&nested("1 + ", "1", "", 30_000)), "at most 128 chained binary operators"),
        ("blocks", data(&nested("input {\n", "", "}\n", 3000)), levels),
        ("types", format!("variable \"a\" {{\n  type = {}\n}}\n", nested("list(", "string", ")", 3000)), levels),
        ("templates", output(&nested("\"${", "1", "}\"", 3000)), levels),
        ("directives", output(&format!("\"{}\"", nested("%{ if true }", "", "%{ endif }", 3000))), levels),
        ("a rendered template", output(&format!("templatestring(\"$${{{}}}\", {{}})", nested("(", "1", ")", 3000))), levels),
        ("steps", output(&format!("path{}", ".a".repeat(3000))), "at most 64 steps"),
        ("JSON", output(&format!("jsondecode(\"{}\")", nested("[", "", "]", 3000))), "nested more than 128 deep"),
        ("YAML", output(&format!("yamldecode(\"{}\")", nested("[", "", "]", 3000))), "recursion limit"),
        ("lists of locals", chain("1", "[@]", 3000), "value too deep"),
        ("objects of locals", chain("1", "{ a = @ }", 3000), "value too deep"),
        ("maps of locals", chain("1", "tomap({ a = @ })", 3000), "value too deep"),
        ("JSON around JSON", chain(&format!("jsondecode(\"{}\")", nested("[", "", "]", 100)), "[@]", 100), "value too deep"),
        ("what is not known", data("  input = 1\n") + &chain("meshplan_data.a.id", "[@]", 3000), "value too deep"),
        ("groups of a pattern", output(&format!("regex(\"{}\", \"a\")", nested("(", "a", ")", 3000))), "nested parentheses"),
    ]);
}

#[test]
fn what_grows_without_end_is_an_error() {
    let text = "would make a text of more than 16 MiB";
    let (written_out, on_its_way) = ("error: value too large", "comes to more than 512 MiB");
    let rounds = "error: too many rounds";
    hold(&[
        ("text", chain("\"0123456789\"", "\"${@}${@}\"", 60), text),
        ("format", chain("\"0123456789\"", "format(\"%s%s\", @, @)", 60), text),
        ("width", output("format(\"%999999999d\", 1)"), "width or precision over 1024"),
        ("formatlist", of_much("formatlist(\"%s%s\", range(1000), local.a20)"), text),
        ("join", chain("\"0123456789\"", "join(@, [@, @])", 60), text),
        ("replace", chain("\"0123456789\"", "replace(@, \"/.+/\", \"$0$0$0$0\")", 60), text),
        ("jsonencode", chain("\"\\\"\\\"\\\"\"", "jsonencode(@)", 60), text),
        ("base64", chain("\"0123456789\"", "base64encode(@)", 100), text),
        ("range", output("range(100000)"), "more than 1024 numbers"),
        ("concat", chain("[1]", "concat(@, @)", 60), "more than 1000000 elements"),
        ("setproduct", output("setproduct(range(1000), range(1000), range(1000))"), "more than 1000000 combinations"),
        ("setproduct of many", output("setproduct([for a in range(19) : [1, 2]]...)"), "combinations of more than 256 MiB"),
        ("regexall", of_much("regexall(\"()()()()\", local.a20)"), "more than 1000000 elements"),
        ("split", of_much("split(\"\", local.a20)"), written_out),
        ("a pattern", output("regex(\"a{1000}{1000}{1000}\", \"a\")"), "size limit"),
        ("aliases", output(&format!("yamldecode(\"{}\")", bomb())), "more than 1000000 values"),
        (
            "networks",
            output("cidrsubnets(\"10.0.0.0/8\", flatten([for a in range(1000) : [for b in range(100) : 10]])...)"),
            "no room is left",
        ),
        ("count", "resource \"meshplan_data\" \"a\" {\n  count = 1000000000\n}\n".to_owned(), "from 0 to 1000000"),
        ("doubled lists", chain("1", "[@, @]", 60), written_out),
        ("doubled objects", chain("1", "{ a = @, b = @ }", 60), written_out),
        ("doubled maps", chain("1", "merge({}, { x = @, y = @ })", 60), written_out),
        ("doubled splats", chain("1", "[@, @][*]", 60), written_out),
        ("doubled keys", chain("1", "{ for key in [\"a\", \"b\"] : key => @ }", 60), written_out),
        ("ranges that are thrown away", output("[for a in range(1000) : [for b in range(1000) : length(range(1000))]]"), on_its_way),
        ("for in for", output(&format!("{}1{}", "[for a in range(1000) : ".repeat(3), "]".repeat(3))), rounds),
        ("objects in for", output(&format!("{}{{ a = a, b = [a] }}{}", "[for a in range(1000) : ".repeat(3), "]".repeat(3))), rounds),
        ("for that makes objects", output(&format!("{}1{}", "{ for a in range(1000) : \"k${a}\" => ".repeat(3), "}".repeat(3))), rounds),
        ("for that keeps nothing", output(&format!("{}[]{}", "[for a in range(1000) : length(".repeat(3), ")]".repeat(3))), rounds),
        ("for that is tried", output(&format!("{}[]{}", "[for a in range(1000) : try(".repeat(3), ", 0)]".repeat(3))), rounds),
        ("splats that are kept", output("[for a in range(1000) : [for b in range(10) : [for c in range(1000) : a][*]]]"), rounds),
        ("directives", output(&format!("\"{}\"", nested("%{ for a in range(1000) }", "", "%{ endfor }", 4))), rounds),
    ]);
}

/// Runs a command line that must end well.
fn good(scenario: &Scenario, args: &[&str], what: &str) {
    let (code, told) = ended(scenario, args);
    assert_eq!(code, Some(0), "{what}: {args:?}: {told:.2000}");
}

/// What is written is planned, saved, applied, found as it should be, changed, explained, applied again and destroyed.
fn lives(scenario: &Scenario, what: &str) {
    good(scenario, &["plan", "-out", "saved"], what);
    good(scenario, &["apply", "saved"], what);
    good(scenario, &["plan", "--detailed-exitcode"], what);
    let text = scenario.read("main.mesh.hcl");
    assert!(text.starts_with(SOURCE), "{what}");
    scenario.write("main.mesh.hcl", &text.replacen("input = 1", "input = 2", 1));
    good(scenario, &["explain", "meshplan_data.z"], what);
    good(scenario, &["graph"], what);
    good(scenario, &["apply", "--auto-approve"], what);
    good(scenario, &["destroy", "--auto-approve"], what);
}

const SOURCE: &str = "resource \"meshplan_data\" \"a\" {\n  input = 1\n}\n";

/// What is taken from a row whose first is not known before an apply: a resource, its precondition, and a check.
fn taken(from: &str) -> String {
    let condition = format!("condition = {from} != null\n    error_message = \"none\"\n");
    format!(
        "resource \"meshplan_data\" \"z\" {{\n  input = {from}\n  lifecycle {{\n    precondition {{\n    {condition}    }}\n  }}\n}}\n\
         check \"c\" {{\n  assert {{\n    {condition}  }}\n}}\n"
    )
}

fn unknown_chain(first: &str, next: &str, length: usize) -> String {
    SOURCE.to_owned() + &chain(first, next, length) + &taken(&format!("local.a{length}"))
}

#[test]
fn a_row_of_many_locals_is_no_nesting() {
    let (id, number) = ("meshplan_data.a.id", "meshplan_data.a.output");
    let whole =
        [(number, "@ + 1", 20_000), (id, "\"${@}x\"", 5000), ("{ a = meshplan_data.a.id }", "merge(@, { b = meshplan_data.a.id })", 3000)];
    for (first, next, length) in whole {
        lives(&Scenario::with(&unknown_chain(first, next, length)), next);
    }
    let once = [
        ("1", "@ + 1", 20_000),
        (number, "@ + 1", 100_000),
        (id, "try(@, 1)", 5000),
        (id, "@ == \"\" ? 1 : @", 5000),
        (id, "@ == null ? @ : \"x${@}\"", 3000),
        ("tomap({ (meshplan_data.a.id) = \"1\" })", "merge(@, { b = \"2\" })", 5000),
        ("[meshplan_data.a.id]", "[for x in @ : upper(x)]", 5000),
        ("[{ x = meshplan_data.a.id }]", "[{ x = lower((@[*].x)[0]) }]", 5000),
        ("sensitive(meshplan_data.a.id)", "sensitive(nonsensitive(upper(@)))", 5000),
    ];
    for (first, next, length) in once {
        let text = unknown_chain(first, next, length).replace("output \"a\" {\n", "output \"a\" {\n  sensitive = true\n");
        good(&Scenario::with(&text), &["apply", "--auto-approve"], next);
    }
}

#[test]
fn a_row_of_modules_or_resources_is_no_nesting() {
    let mut modules = SOURCE.to_owned();
    let mut resources = SOURCE.to_owned();
    let mut waiting = SOURCE.to_owned();
    let mut repeated = SOURCE.to_owned() + "resource \"meshplan_data\" \"b0\" {\n  for_each = toset([\"x\"])\n}\n";
    let length = 2000;
    for at in 1..=length {
        let before = at - 1;
        let taken = if at == 1 { "meshplan_data.a.id".to_owned() } else { format!("module.m{before}.y") };
        write!(modules, "module \"m{at}\" {{\n  source = \"./m\"\n  x = {taken}\n}}\n").unwrap();
        let taken = if at == 1 { "meshplan_data.a".to_owned() } else { format!("meshplan_data.b{before}") };
        write!(resources, "resource \"meshplan_data\" \"b{at}\" {{\n  input = {taken}.output\n}}\n").unwrap();
        write!(waiting, "resource \"meshplan_data\" \"b{at}\" {{\n  input = 1\n  depends_on = [{taken}]\n}}\n").unwrap();
        write!(repeated, "resource \"meshplan_data\" \"b{at}\" {{\n  for_each = meshplan_data.b{before}\n}}\n").unwrap();
    }
    for (what, text, last) in [
        ("modules", modules, format!("module.m{length}.y")),
        ("resources", resources, format!("meshplan_data.b{length}.output")),
        ("depends_on", waiting, format!("meshplan_data.b{length}.output")),
        ("for_each", repeated, format!("keys(meshplan_data.b{length})")),
    ] {
        let scenario = Scenario::with(&(text + &taken(&last)));
        scenario.write("m/main.mesh.hcl", "variable \"x\" {\n}\noutput \"y\" {\n  value = \"${var.x}x\"\n}\n");
        lives(&scenario, what);
    }
}

#[test]
fn what_a_long_row_comes_from_is_told_to_its_end() {
    let scenario =
        Scenario::with(&("variable \"first\" {\n}\n".to_owned() + SOURCE + &chain("var.first", "@ + 1", 100) + &taken("local.a100")));
    good(&scenario, &["apply", "--auto-approve", "--var", "first=1"], "apply");
    let told = String::from_utf8(COUNTING.run(&scenario, &["explain", "meshplan_data.z", "--var", "first=2"], None).stdout).unwrap();
    for (name, times) in [("local.a100 ", 1), ("local.a69 ", 1), ("local.a68 ", 2), ("local.a67 ", 1), ("local.a0 ", 1), ("var.first ", 1)]
    {
        assert_eq!(told.matches(name).count(), times, "{name}: {told}");
    }
}

#[test]
fn modules_that_call_each_other_in_a_long_row_are_no_circle() {
    let scenario = Scenario::with("module \"m\" {\n  source = \"./m1\"\n}\n");
    for at in 1..70 {
        scenario.write(&format!("m{at}/main.mesh.hcl"), &format!("module \"m\" {{\n  source = \"../m{}\"\n}}\n", at + 1));
    }
    scenario.write("m70/main.mesh.hcl", "locals {\n}\n");
    let (code, told) = planned(&scenario);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("modules too deep") && told.contains("main.mesh.hcl:2") && !told.contains("circular"), "{told}");
}
