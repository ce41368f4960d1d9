//! Nested and `dynamic` blocks of the fake assembly, whose `case` is an object, `part` a list and `named` a map of objects.

use super::{End, hold_each};
use serde_json::{Value, json};

fn assembly(body: &str) -> String {
    format!(
        "resource \"fake_thing\" \"t\" {{\n  name = \"t\"\n}}\nlocals {{\n  words = [\"x\", \"y\"]\n  deep = {{ b = [1, 2], a = [3] }}\n}}\n\
         resource \"fake_assembly\" \"a\" {{\n  name = \"a\"\n{body}\n}}\n\
         output \"o\" {{\n  value = [fake_assembly.a.case, fake_assembly.a.part, fake_assembly.a.named]\n}}\n"
    )
}

fn part(color: &str) -> Value {
    json!({"color": color, "screw": null, "weight": null})
}

fn screws(color: &str, lengths: &[u64]) -> Value {
    let lengths: Vec<_> = lengths.iter().map(|length| json!({"length": length})).collect();
    json!({"color": color, "screw": lengths, "weight": null})
}

#[test]
fn blocks_and_dynamic_blocks_make_the_same_values() {
    let dynamic = |name: &str, body: &str| format!("dynamic \"{name}\" {{\n{body}\n}}");
    for (body, expected) in [
        ("case {\n color = \"red\"\n}".to_owned(), json!([part("red"), null, null])),
        ("part {\n color = \"a\"\n}\npart {\n color = \"b\"\n}".to_owned(), json!([null, [part("a"), part("b")], null])),
        ("named \"k\" {\n color = \"a\"\n}".to_owned(), json!([null, null, {"k": part("a")}])),
        (
            dynamic("part", "for_each = local.words\ncontent {\n color = \"${part.key}${part.value}\"\n}"),
            json!([null, [part("0x"), part("1y")], null]),
        ),
        (
            dynamic("part", "for_each = toset(local.words)\ncontent {\n color = \"${part.key}${part.value}\"\n}"),
            json!([null, [part("xx"), part("yy")], null]),
        ),
        (dynamic("part", "for_each = []\ncontent {\n color = \"x\"\n}"), json!([null, [], null])),
        (
            dynamic("part", "for_each = local.words\niterator = word\ncontent {\n color = word.value\n}"),
            json!([null, [part("x"), part("y")], null]),
        ),
        (
            dynamic(
                "part",
                "for_each = local.deep\niterator = outer\ncontent {\n color = outer.key\n dynamic \"screw\" {\n for_each = outer.value\n iterator = inner\n content {\n length = inner.value + length(outer.value)\n}\n}\n}",
            ),
            json!([null, [screws("a", &[4]), screws("b", &[3, 4])], null]),
        ),
        (
            "part {\n color = \"first\"\n}\n".to_owned()
                + &dynamic("part", "for_each = [1]\ncontent {\n color = \"second\"\n}")
                + "\npart {\n color = \"third\"\n}",
            json!([null, [part("first"), part("second"), part("third")], null]),
        ),
        (
            dynamic("named", "for_each = toset(local.words)\nlabels = [upper(named.key)]\ncontent {\n color = named.value\n}"),
            json!([null, null, {"X": part("x"), "Y": part("y")}]),
        ),
        (
            dynamic("case", "for_each = [for word in local.words : word if word == \"y\"]\ncontent {\n color = case.value\n}"),
            json!([part("y"), null, null]),
        ),
        (dynamic("case", "for_each = []\ncontent {\n color = \"x\"\n}"), json!([null, null, null])),
    ] {
        hold_each(&[(&body, &assembly(&body), End::Outputs(json!({"o": expected})))]);
    }
}

#[test]
fn what_a_dynamic_block_walks_may_be_known_only_after_apply() {
    let walked = |for_each: &str| format!("dynamic \"part\" {{\n  for_each = {for_each}\n  content {{\n    color = part.value\n  }}\n}}");
    hold_each(&[
        (
            "one, of a set",
            &assembly(&walked("toset([fake_thing.t.uid])")),
            End::Says(&["part  [{ color = (known after apply of fake_thing.t) }]"]),
        ),
        ("one, applied", &assembly(&walked("toset([fake_thing.t.uid])")), End::Outputs(json!({"o": [null, [part("uid-1")], null]}))),
        (
            "a list",
            &assembly(&walked("[\"x\", fake_thing.t.uid]")),
            End::Says(&["part  [{ color = \"x\" }, { color = (known after apply of fake_thing.t) }]"]),
        ),
        (
            "a list, applied",
            &assembly(&walked("[\"x\", fake_thing.t.uid]")),
            End::Outputs(json!({"o": [null, [part("x"), part("uid-1")], null]})),
        ),
        // How many elements a set has is not known: two may be the same.
        ("a set", &assembly(&walked("toset([\"uid-1\", fake_thing.t.uid])")), End::Says(&["part  (known after apply of fake_thing.t)"])),
        (
            "a set, applied",
            &assembly(&walked("toset([\"uid-1\", fake_thing.t.uid])")),
            End::Outputs(json!({"o": [null, [part("uid-1")], null]})),
        ),
    ]);
}

#[test]
fn blocks_that_do_not_fit_are_refused() {
    let dynamic = |body: &str| format!("dynamic \"part\" {{\n{body}\n}}");
    for (body, expected) in [
        ("part \"x\" {\n color = \"a\"\n}".to_owned(), "wrong labels"),
        ("named {\n color = \"a\"\n}".to_owned(), "wrong labels"),
        ("case {\n color = \"a\"\n}\ncase {\n color = \"b\"\n}".to_owned(), "duplicate block"),
        ("case {}".to_owned(), "missing argument"),
        ("case {\n colour = \"a\"\n color = \"b\"\n}".to_owned(), "unknown argument"),
        ("prat {\n color = \"a\"\n}".to_owned(), "unknown block"),
        ("value {\n color = \"a\"\n}".to_owned(), "unknown block"),
        ("case = { color = \"a\" }\ncase {\n color = \"a\"\n}".to_owned(), "duplicate argument"),
        (dynamic("for_each = null\ncontent {\n color = \"a\"\n}"), "iteration over null"),
        (dynamic("for_each = 1\ncontent {\n color = \"a\"\n}"), "nothing to iterate over"),
        (dynamic("content {\n color = \"a\"\n}"), "missing argument"),
        (dynamic("for_each = []"), "missing block"),
        (dynamic("for_each = [1]\nlabels = [\"x\"]\ncontent {\n color = \"a\"\n}"), "wrong labels"),
        (dynamic("for_each = [1]\niterator = \"x\"\ncontent {\n color = \"a\"\n}"), "wrong value"),
        (dynamic("for_each = [1]\ncontent {\n color = part.vlaue\n}"), "no such attribute"),
        (dynamic("for_each = [1]\ncontent {\n color = []\n}"), "wrong type"),
        ("dynamic \"case\" {\n for_each = [1, 2]\n content {\n color = \"a\"\n}\n}".to_owned(), "unsuitable argument"),
    ] {
        hold_each(&[(&body, &assembly(&body), End::Refused(&[expected]))]);
    }
}
