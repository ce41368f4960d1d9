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
    let binary = COUNTING.command(scenario, &["plan"]);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY} && exec \"$0\" plan"), COUNTING.0]);
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
        ("for in for", output(&format!("{}1{}", "[for a in range(1000) : ".repeat(3), "]".repeat(3))), on_its_way),
        ("for that keeps nothing", output(&format!("{}[]{}", "[for a in range(1000) : length(".repeat(3), ")]".repeat(3))), on_its_way),
        ("for that is tried", output(&format!("{}[]{}", "[for a in range(1000) : try(".repeat(3), ", 0)]".repeat(3))), on_its_way),
        ("directives", output(&format!("\"{}\"", nested("%{ for a in range(1000) }", "", "%{ endfor }", 4))), on_its_way),
    ]);
}

#[test]
fn a_row_of_many_locals_is_no_nesting() {
    let resource = "resource \"meshplan_data\" \"a\" {\n  input = 1\n}\n";
    for text in [chain("1", "@ + 1", 2000), resource.to_owned() + &chain("meshplan_data.a.id", "upper(@)", 2000)] {
        let (ended, told) = planned(&Scenario::with(&text));
        assert_eq!(ended, Some(0), "{told:.2000}");
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
