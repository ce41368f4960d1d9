//! Nested blocks and `dynamic` blocks give what an argument would.

use super::summaries;
use meshplan_tests::planning::{Bench, actions};

fn assembly(body: &str) -> String {
    format!("resource \"fake_assembly\" \"a\" {{\n name = \"a\"\n {body}\n}}\n")
}

#[test]
fn blocks_and_arguments_say_the_same() {
    for (blocks, argument) in [
        ("case {\n color = \"red\"\n}", "case = { color = \"red\" }"),
        (
            "part {\n color = \"red\"\n}\n part {\n color = \"blue\"\n weight = 2\n}",
            "part = [{ color = \"red\" }, { color = \"blue\", weight = 2 }]",
        ),
        (
            "part {\n color = \"red\"\n screw {\n length = 1\n}\n screw {\n length = 2\n}\n}",
            "part = [{ color = \"red\", screw = [{ length = 1 }, { length = 2 }] }]",
        ),
        (
            "named \"x\" {\n color = \"red\"\n}\n named \"y\" {\n color = \"blue\"\n}",
            "named = { x = { color = \"red\" }, y = { color = \"blue\" } }",
        ),
        (
            "dynamic \"part\" {\n for_each = { b = 2, a = 1 }\n content {\n color = part.key\n weight = part.value\n}\n}",
            "part = [{ color = \"a\", weight = 1 }, { color = \"b\", weight = 2 }]",
        ),
        (
            "part {\n color = \"first\"\n}\n dynamic \"part\" {\n for_each = [\"x\"]\n iterator = it\n content {\n color = \"${it.key}${it.value}\"\n}\n}",
            "part = [{ color = \"first\" }, { color = \"0x\" }]",
        ),
        (
            "dynamic \"part\" {\n for_each = { red = [1, 2], blue = [] }\n content {\n color = part.key\n dynamic \"screw\" {\n \
             for_each = part.value\n content {\n length = screw.value + part.value[0]\n}\n}\n}\n}",
            "part = [{ color = \"blue\", screw = [] }, { color = \"red\", screw = [{ length = 2 }, { length = 3 }] }]",
        ),
        (
            "dynamic \"named\" {\n for_each = toset([\"x\", \"y\"])\n labels = [upper(named.key)]\n content {\n color = named.value\n}\n}",
            "named = { X = { color = \"x\" }, Y = { color = \"y\" } }",
        ),
        ("dynamic \"case\" {\n for_each = [1]\n content {\n color = \"red\"\n}\n}", "case = { color = \"red\" }"),
        ("dynamic \"case\" {\n for_each = []\n content {\n color = \"red\"\n}\n}", "case = null"),
    ] {
        let mut bench = Bench::default();
        let plan = bench.plan(&assembly(blocks));
        assert_eq!(summaries(&plan), [""; 0], "{blocks}: {:?}", plan.diagnostics);
        bench.apply(&assembly(blocks));
        bench.assert_converged(&assembly(argument));
    }
}

#[test]
fn what_a_dynamic_block_repeats_may_be_known_only_after_apply() {
    let mut bench = Bench::default();
    let text = "resource \"fake_thing\" \"t\" {\n name = \"t\"\n}\n".to_owned()
        + &assembly("dynamic \"part\" {\n for_each = toset([fake_thing.t.uid])\n content {\n color = part.value\n}\n}");
    let plan = bench.plan(&text);
    assert_eq!(summaries(&plan), [""; 0], "{:?}", plan.diagnostics);
    assert_eq!(actions(&plan).len(), 2);
    bench.apply(&text);
    bench.assert_converged(&text);
    bench.assert_converged(&text.replace(
        "dynamic \"part\" {\n for_each = toset([fake_thing.t.uid])\n content {\n color = part.value\n}\n}",
        "part {\n color = fake_thing.t.uid\n}",
    ));
}

#[test]
fn blocks_that_do_not_fit_are_told_with_their_names() {
    for (body, expected) in [
        ("csae {\n color = \"red\"\n}", "unknown block"),
        ("value {\n color = \"red\"\n}", "unknown block"),
        ("uid {}", "computed attribute"),
        ("case {}", "missing argument"),
        ("case {\n colour = \"red\"\n color = \"red\"\n}", "unknown argument"),
        ("case {\n color = \"red\"\n lid {}\n}", "unknown block"),
        ("case {\n color = \"red\"\n}\n case {\n color = \"red\"\n}", "duplicate block"),
        ("case \"x\" {\n color = \"red\"\n}", "wrong labels"),
        ("named {\n color = \"red\"\n}", "wrong labels"),
        ("case = { color = \"red\" }\n case {\n color = \"red\"\n}", "duplicate argument"),
        ("case {\n color = []\n}", "wrong type"),
        ("dynamic \"part\" {\n for_each = 1\n content {\n color = \"red\"\n}\n}", "nothing to iterate over"),
        ("dynamic \"part\" {\n for_each = [1]\n content {\n color = part.vale\n}\n}", "no such attribute"),
    ] {
        let plan = Bench::default().plan(&assembly(body));
        assert_eq!(summaries(&plan), [expected], "{body}: {:?}", plan.diagnostics);
    }
}
