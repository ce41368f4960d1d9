//! Every conversion that fails, with the path to what does not fit, wherever a value meets a type.

use super::{scenario, write};
use meshplan_tests::fake::Fake;
use std::fmt::Write as _;

/// A type as a constraint writes it, a value, and what is said of the two after the name of what takes it.
type Row = (&'static str, &'static str, &'static str);

const ROWS: &[Row] = &[
    ("string", "[1]", "a string is required, found a tuple"),
    ("string", "{}", "a string is required, found an object"),
    ("number", r#""x""#, "a number is required, found the string `x`"),
    ("number", "true", "a number is required, found a bool"),
    (
        "number",
        r#""99999999999999999999999999999999""#,
        "a number of at most 28 digits is required, found the string `99999999999999999999999999999999`",
    ),
    ("number", r#"sensitive("hidden")"#, "a number is required, found a string"),
    ("bool", r#""yes""#, "`true` or `false` is required, found the string `yes`"),
    ("bool", "1", "a bool is required, found a number"),
    ("bool", "[]", "a bool is required, found a tuple"),
    ("list(string)", r#""a""#, "a list(string) is required, found a string"),
    ("list(string)", "{}", "a list(string) is required, found an object"),
    ("set(number)", r#""a""#, "a set(number) is required, found a string"),
    ("set(number)", "{ a = 1 }", "a set(number) is required, found an object"),
    ("map(string)", "[]", "a map(string) is required, found a tuple"),
    ("map(string)", r#""a""#, "a map(string) is required, found a string"),
    ("object({ a = string })", "[]", "an object is required, found a tuple"),
    ("object({ a = string })", r#""a""#, "an object is required, found a string"),
    ("object({ a = string })", "{}", "an object with `a` is required, found an empty one"),
    ("object({ a = string })", "{ b = 1 }", "an object with `a` is required, found an object with `b`"),
    ("object({ a = string })", "tomap({ b = 1 })", "an object with `a` is required, found a map(number) with `b`"),
    ("tuple([string, number])", r#"["a"]"#, "a tuple of 2 is required, found a tuple of 1"),
    ("tuple([string, number])", r#"["a", "b"]"#, "at `[1]`: a number is required, found the string `b`"),
    ("tuple([list(number)])", r#"[["x"]]"#, "at `[0][0]`: a number is required, found the string `x`"),
    ("tuple([])", "[1]", "a tuple of 0 is required, found a tuple of 1"),
    ("list(number)", r#"[1, "x"]"#, "at `[1]`: a number is required, found the string `x`"),
    ("list(number)", r#"tolist(["1", "x"])"#, "at `[1]`: a number is required, found the string `x`"),
    ("list(number)", r#"toset(["1", "x"])"#, r#"at `["x"]`: a number is required, found the string `x`"#),
    ("list(list(number))", r#"[[1], [2, "x"]]"#, "at `[1][1]`: a number is required, found the string `x`"),
    ("list(map(number))", r#"[{ a = 1, b = "x" }]"#, "at `[0].b`: a number is required, found the string `x`"),
    ("list(object({ a = number }))", r#"[{ a = 1 }, { a = "x" }]"#, "at `[1].a`: a number is required, found the string `x`"),
    ("list(object({ a = number }))", "[{ a = 1 }, {}]", "at `[1]`: an object with `a` is required, found an empty one"),
    ("list(object({ a = number }))", "[{ a = 1 }, { b = 1 }]", "at `[1]`: an object with `a` is required, found an object with `b`"),
    ("list(tuple([number]))", "[[1], [1, 2]]", "at `[1]`: a tuple of 1 is required, found a tuple of 2"),
    ("list(set(bool))", r#"[[true], ["no"]]"#, "at `[1][0]`: `true` or `false` is required, found the string `no`"),
    ("set(number)", r#"[1, "x"]"#, "at `[1]`: a number is required, found the string `x`"),
    ("set(number)", r#"toset(["1", "x"])"#, r#"at `["x"]`: a number is required, found the string `x`"#),
    ("set(number)", r#"sensitive(toset(["1", "x"]))"#, "at `[*]`: a number is required, found a string"),
    ("set(object({ a = number }))", r#"[{ a = "x" }]"#, "at `[0].a`: a number is required, found the string `x`"),
    ("set(object({ a = number }))", r#"toset([{ a = "x" }, { a = "y" }])"#, "at `[*].a`: a number is required, found the string `x`"),
    ("set(list(number))", r#"[["x"]]"#, "at `[0][0]`: a number is required, found the string `x`"),
    ("map(number)", r#"{ a = 1, b = "x" }"#, "at `.b`: a number is required, found the string `x`"),
    ("map(number)", r#"{ "a.b/c" = "x" }"#, r#"at `["a.b/c"]`: a number is required, found the string `x`"#),
    ("map(number)", r#"{ "a\"b" = "x" }"#, r#"at `["a\"b"]`: a number is required, found the string `x`"#),
    ("map(number)", r#"{ (sensitive("k")) = "x" }"#, "at `[*]`: a number is required, found a string"),
    ("map(list(number))", r#"{ a = [1, "x"] }"#, "at `.a[1]`: a number is required, found the string `x`"),
    ("map(map(number))", r#"{ a = { "b c" = "x" } }"#, r#"at `.a["b c"]`: a number is required, found the string `x`"#),
    ("map(object({ a = optional(number) }))", r#"{ k = { a = "x" } }"#, "at `.k.a`: a number is required, found the string `x`"),
    ("map(object({ a = optional(number) }))", r#"{ k = "x" }"#, "at `.k`: an object is required, found a string"),
    ("object({ a = number })", r#"{ a = "x" }"#, "at `.a`: a number is required, found the string `x`"),
    ("object({ a = number })", r#"sensitive({ b = "x" })"#, "an object with `a` is required, found an object"),
    (
        "object({ a = object({ b = list(number) }) })",
        r#"{ a = { b = ["x"] } }"#,
        "at `.a.b[0]`: a number is required, found the string `x`",
    ),
    ("object({ a = optional(number, 1) })", r#"{ a = "x" }"#, "at `.a`: a number is required, found the string `x`"),
    ("object({ a = optional(object({ b = number })) })", "{ a = {} }", "at `.a`: an object with `b` is required, found an empty one"),
    (
        "object({ a = optional(list(object({ b = optional(bool, true) })), []) })",
        r#"{ a = [{}, { b = "maybe" }] }"#,
        "at `.a[1].b`: `true` or `false` is required, found the string `maybe`",
    ),
    ("object({ a = optional(map(set(number))) })", r#"{ a = { k = ["x"] } }"#, "at `.a.k[0]`: a number is required, found the string `x`"),
    ("object({ a = tuple([number, object({ b = bool })]) })", "{ a = [1, { b = [] }] }", "at `.a[1].b`: a bool is required, found a tuple"),
    ("list(any)", "[1, [2]]", "one type for all elements is required, found several that do not agree"),
    ("set(any)", "[1, {}]", "one type for all elements is required, found several that do not agree"),
    ("map(any)", "{ a = 1, b = [2] }", "one type for all values is required, found several that do not agree"),
    ("object({ a = list(any) })", "{ a = [1, [2]] }", "at `.a`: one type for all elements is required, found several that do not agree"),
    ("list(string)", "[sensitive([1])]", "at `[0]`: a string is required, found a tuple"),
    ("bool", "length(meshplan_data.u.id)", "a bool is required, found a number"),
    ("list(bool)", "[true, length(meshplan_data.u.id)]", "at `[1]`: a bool is required, found a number"),
    ("map(bool)", "{ a = length(meshplan_data.u.id) }", "at `.a`: a bool is required, found a number"),
    ("string", r#"split(",", meshplan_data.u.id)"#, "a string is required, found a list(string)"),
    ("list(list(string))", r#"split(",", meshplan_data.u.id)"#, "at `[*]`: a list(string) is required, found a string"),
    (
        "object({ a = list(number) })",
        "meshplan_data.u.output == 1 ? { a = [true, true] } : { a = [false, true] }",
        "at `.a[0]`: a number is required, found a bool",
    ),
    (
        "map(number)",
        "meshplan_data.u.output == 1 ? { a = { b = 1 } } : { a = { b = 2 } }",
        "at `.a`: a number is required, found an object",
    ),
    (
        "object({ a = any, c = any })",
        "meshplan_data.u.output == 1 ? { a = 1 } : { a = 2 }",
        "an object with `c` is required, found an object with `a`",
    ),
    ("cluster", r#""a""#, "a reference of class `cluster` is required, found a string"),
    (
        "cluster",
        "meshplan_data.u.id",
        "a reference of class `cluster` is required, found what is known only after apply: which one must be known now",
    ),
    (
        "map(cluster)",
        "{ a = meshplan_data.u }",
        "at `.a`: a reference of class `cluster` is required, found the meshplan_data `meshplan_data.u`, which is none",
    ),
    (
        "map(object({ cluster = cluster }))",
        "{ a = { cluster = {} } }",
        "at `.a.cluster`: a reference of class `cluster` is required, found an object: what an object literal, `merge` or a type constraint made of a resource leads to it no more",
    ),
    ("list(cluster)", "[meshplan_data.u.input]", "at `[0]`: a reference of class `cluster` is required, found a number"),
    ("string", "meshplan_data.u", "a string is required, found the meshplan_data `meshplan_data.u`"),
    ("list(number)", r#"sensitive([1, "x"])"#, "at `[*]`: a number is required, found a string"),
    ("list(bool)", r#"[sensitive("x")]"#, "at `[0]`: `true` or `false` is required, found a string"),
    ("map(number)", r#"sensitive({ k = "x" })"#, "at `[*]`: a number is required, found a string"),
    ("map(map(number))", r#"sensitive({ k = { l = "x" } })"#, "at `[*]`: a number is required, found a string"),
    ("map(map(number))", r#"{ k = sensitive({ l = "x" }) }"#, "at `.k[*]`: a number is required, found a string"),
    ("map(object({ a = string }))", "sensitive({ k = { l = 1 } })", "at `[*]`: an object with `a` is required, found an object"),
];

/// What a run says of each line of `main.mesh.hcl`: the details of its errors.
fn said(text: &str) -> Vec<(usize, String)> {
    let scenario = scenario(&Fake::default());
    write(&scenario, text);
    let output = scenario.run(&["plan"]).expect_code(1);
    let blocks = output.stderr.split("error: ").skip(1).map(|block| {
        let at = block.split_once("--> main.mesh.hcl:").map_or(block, |(_, at)| at);
        let line = at.split(':').next().unwrap().parse().unwrap();
        let detail = block.lines().filter_map(|line| line.trim_start().strip_prefix("= ")).find(|line| !line.starts_with("note: "));
        (line, detail.unwrap_or_default().to_owned())
    });
    blocks.collect()
}

/// Each row stands on a line of its own, the first on the one that is given. What is wrong of all rows at once.
fn hold_lines(text: &str, first: usize, expected: &[(String, String)]) {
    let found = said(text);
    let mut wrong = String::new();
    for (at, (what, expected)) in expected.iter().enumerate() {
        let of_line: Vec<_> = found.iter().filter(|(line, _)| *line == first + at).map(|(_, detail)| detail).collect();
        if of_line != [expected] {
            writeln!(wrong, "{what}\n  found    {of_line:?}\n  expected {expected:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(found.len(), expected.len(), "{found:?}");
}

#[test]
fn a_module_is_told_the_path_in_what_it_is_given() {
    let mut text = "module \"m\" {\n  source = \"./m\"\n".to_owned();
    let mut module = String::new();
    for (at, (ty, value, _)) in ROWS.iter().enumerate() {
        writeln!(text, "  v{at} = {value}").unwrap();
        write!(module, "variable \"v{at}\" {{\n  type = {ty}\n}}\n").unwrap();
    }
    text += "}\nresource \"meshplan_data\" \"u\" {\n  input = 1\n}\n";
    let expected: Vec<_> =
        ROWS.iter().enumerate().map(|(at, (ty, value, said))| (format!("{value} as {ty}"), format!("variable `v{at}`: {said}"))).collect();
    hold_lines(&format!("{text}--- m\n{module}"), 3, &expected);
}

#[test]
fn a_default_is_told_the_path_in_itself() {
    let mut text = String::new();
    let mut expected = Vec::new();
    let is_constant = |value: &str| !value.contains("meshplan_data") && !value.contains('(');
    let rows = ROWS.iter().filter(|(ty, value, _)| is_constant(value) && !ty.contains("cluster"));
    for (at, (ty, value, said)) in rows.enumerate() {
        write!(text, "variable \"v{at}\" {{\n  default = {value}\n  type = {ty}\n}}\n").unwrap();
        expected.push((format!("{value} as {ty}"), said));
    }
    let found = said(&text);
    assert!(expected.len() > 40 && found.len() == expected.len(), "{found:?}");
    for (at, (what, expected)) in expected.iter().enumerate() {
        let told: Vec<_> = found.iter().filter(|(line, _)| (4 * at + 1..=4 * at + 4).contains(line)).collect();
        assert!(matches!(told[..], [(_, detail)] if detail.contains(**expected)), "{what}: {told:?}");
    }
}

#[test]
fn an_argument_of_a_kind_is_told_the_path_in_what_it_is_given() {
    let rows = [
        ("name = [\"a\"]", "`name`: a string is required, found a tuple"),
        ("slow = \"maybe\"", "`slow`: `true` or `false` is required, found the string `maybe`"),
        ("case = \"x\"", "`case`: an object is required, found a string"),
        ("case = { weight = 1 }", "`case`: an object with `color` is required, found an object with `weight`"),
        ("case = { color = [] }", "`case`: at `.color`: a string is required, found a tuple"),
        ("case = { color = \"c\", weight = \"heavy\" }", "`case`: at `.weight`: a number is required, found the string `heavy`"),
        ("case = { color = \"c\", screw = {} }", "`case`: at `.screw`: a list of objects is required, found an object"),
        (
            "case = { color = \"c\", screw = [{ length = 1 }, {}] }",
            "`case`: at `.screw[1]`: an object with `length` is required, found an empty one",
        ),
        (
            "case = { color = \"c\", screw = [{ length = \"l\" }] }",
            "`case`: at `.screw[0].length`: a number is required, found the string `l`",
        ),
        ("part = { color = \"c\" }", "`part`: a list of objects is required, found an object"),
        ("part = [{ color = \"c\" }, { color = {} }]", "`part`: at `[1].color`: a string is required, found an object"),
        ("named = { k = [] }", "`named`: at `.k`: an object is required, found a tuple"),
        ("named = { \"k/l\" = { color = [1] } }", "`named`: at `[\"k/l\"].color`: a string is required, found a tuple"),
        (
            "named = { k = { color = \"c\", screw = [{ length = true }] } }",
            "`named`: at `.k.screw[0].length`: a number is required, found a bool",
        ),
        ("named = { k = { color = local.u, weight = local.b } }", "`named`: at `.k.weight`: a number is required, found a bool"),
        ("case { color = {} }", "`case`: at `.color`: a string is required, found an object"),
        ("part { color = [1] }", "`part`: at `[0].color`: a string is required, found a tuple"),
    ];
    let mut text = String::new();
    let mut expected = Vec::new();
    for (at, (body, said)) in rows.iter().enumerate() {
        let name = if body.starts_with("name =") { String::new() } else { format!("  name = \"a{at}\"\n") };
        writeln!(text, "resource \"fake_assembly\" \"a{at}\" {{\n{name}  {body}\n}}").unwrap();
        expected.push((*body, *said));
    }
    text += "resource \"meshplan_data\" \"u\" {\n  input = 1\n}\nlocals {\n  u = meshplan_data.u.id\n  b = meshplan_data.u.id != \"\"\n}\n";
    let mut found = said(&text);
    found.sort_unstable();
    let found: Vec<_> = found.into_iter().map(|(_, detail)| detail).collect();
    let wrong: Vec<_> = expected.iter().zip(&found).filter(|((_, said), found)| said != found).collect();
    assert!(wrong.is_empty() && found.len() == expected.len(), "{wrong:#?}\n{found:#?}");
}
