//! `moved` and `removed` blocks.

use super::{End, hold_stories};

fn moved(from: &str, to: &str) -> String {
    format!("moved {{\n  from = {from}\n  to = {to}\n}}\n")
}

fn data(name: &str, more: &str) -> String {
    format!("resource \"meshplan_data\" \"{name}\" {{\n  input = 1\n  {more}\n}}\n")
}

fn call(name: &str, more: &str) -> String {
    format!("module \"{name}\" {{\n  source = \"./m\"\n  {more}\n}}\n")
}

/// From one configuration to another, which moves and makes nothing.
fn moves(what: &str, before: &str, after: &str, state: &[&str]) {
    let said = format!("0 to add, 0 to change, 0 to replace, 0 to destroy, {} to move", state.len());
    hold_stories(&[(what, &[(before, End::Says(&[])), (after, End::Says(&[&said])), (after, End::State(state))])]);
}

const XY: &str = "for_each = toset([\"x\", \"y\"])";

#[test]
fn things_move_with_their_blocks() {
    moves("a block", &data("a", ""), &(data("b", "") + &moved("meshplan_data.a", "meshplan_data.b")), &["meshplan_data.b"]);
    moves(
        "a chain, in any order",
        &data("a", ""),
        &(data("c", "") + &moved("meshplan_data.b", "meshplan_data.c") + &moved("meshplan_data.a", "meshplan_data.b")),
        &["meshplan_data.c"],
    );
    moves(
        "a chain that ends in a key",
        &data("a", ""),
        &(data("b", "for_each = toset([\"x\"])")
            + &moved("meshplan_data.a", "meshplan_data.b")
            + &moved("meshplan_data.b", "meshplan_data.b[\"x\"]")),
        &["meshplan_data.b[\"x\"]"],
    );
    moves(
        "all instances",
        &data("a", XY),
        &(data("b", XY) + &moved("meshplan_data.a", "meshplan_data.b")),
        &["meshplan_data.b[\"x\"]", "meshplan_data.b[\"y\"]"],
    );
    moves(
        "numbers to keys",
        &data("a", "count = 2"),
        &(data("a", XY) + &moved("meshplan_data.a[0]", "meshplan_data.a[\"x\"]") + &moved("meshplan_data.a[1]", "meshplan_data.a[\"y\"]")),
        &["meshplan_data.a[\"x\"]", "meshplan_data.a[\"y\"]"],
    );
    moves(
        "one to a key",
        &data("a", ""),
        &(data("a", "for_each = toset([\"x\"])") + &moved("meshplan_data.a", "meshplan_data.a[\"x\"]")),
        &["meshplan_data.a[\"x\"]"],
    );
    moves(
        "a key to one",
        &data("a", "for_each = toset([\"x\"])"),
        &(data("a", "") + &moved("meshplan_data.a[\"x\"]", "meshplan_data.a")),
        &["meshplan_data.a"],
    );
    moves("count comes", &data("a", ""), &data("a", "count = 1"), &["meshplan_data.a[0]"]);
    moves("count goes", &data("a", "count = 1"), &data("a", ""), &["meshplan_data.a"]);
}

#[test]
fn things_move_into_and_out_of_modules() {
    let within = |name: &str, more: &str| format!("--- m\n{}{more}", data(name, ""));
    moves(
        "into a module",
        &data("a", ""),
        &(call("m", "") + &moved("meshplan_data.a", "module.m.meshplan_data.z") + &within("z", "")),
        &["module.m.meshplan_data.z"],
    );
    moves(
        "out of a module",
        &(call("m", XY) + &within("z", "")),
        &(data("a", "")
            + &data("b", "")
            + &moved("module.m[\"x\"].meshplan_data.z", "meshplan_data.a")
            + &moved("module.m[\"y\"].meshplan_data.z", "meshplan_data.b")),
        &["meshplan_data.a", "meshplan_data.b"],
    );
    moves(
        "a whole module, with a block of its own",
        &(call("m", "") + &within("z", "")),
        &(call("n", "for_each = toset([\"k\"])")
            + &moved("module.m", "module.n[\"k\"]")
            + &within("y", &moved("meshplan_data.z", "meshplan_data.y"))),
        &["module.n[\"k\"].meshplan_data.y"],
    );
    moves(
        "count of a module comes",
        &(call("m", "") + &within("z", "")),
        &(call("m", "count = 1") + &within("z", "")),
        &["module.m[0].meshplan_data.z"],
    );
    moves(
        "into a module of a module",
        &data("a", ""),
        &(call("m", "")
            + &moved("meshplan_data.a", "module.m.module.n.meshplan_data.z")
            + "--- m\nmodule \"n\" {\n  source = \"../n\"\n}\n--- n\n"
            + &data("z", "")),
        &["module.m.module.n.meshplan_data.z"],
    );
}

#[test]
fn what_cannot_move_is_refused() {
    let end = End::Refused;
    let within = format!("--- m\n{}", data("z", ""));
    let still: &[&str] = &["moved object still exists"];
    hold_stories(&[
        ("still declared", &[(&(data("a", "") + &data("b", "") + &moved("meshplan_data.a", "meshplan_data.b")), end(still))]),
        (
            "still declared, many",
            &[(&(data("a", "count = 2") + &data("b", "count = 2") + &moved("meshplan_data.a", "meshplan_data.b")), end(still))],
        ),
        ("a key that is still there", &[(&(data("a", XY) + &moved("meshplan_data.a[\"x\"]", "meshplan_data.a[\"y\"]")), end(still))]),
        (
            "both ends in the state",
            &[
                (&data("a", XY), End::State(&["meshplan_data.a[\"x\"]", "meshplan_data.a[\"y\"]"])),
                (&(data("a", XY) + &moved("meshplan_data.a[\"x\"]", "meshplan_data.a[\"y\"]")), end(still)),
            ],
        ),
        ("a module that is still called", &[(&(call("m", XY) + &call("n", XY) + &moved("module.m", "module.n") + &within), end(still))]),
        (
            "an instance of a module that is still called",
            &[(&(call("m", "count = 2") + &moved("module.m[0]", "module.m[1]") + &within), end(still))],
        ),
        (
            "in the middle of a chain",
            &[(
                &(data("b", "")
                    + &data("c", "")
                    + &moved("meshplan_data.a", "meshplan_data.b")
                    + &moved("meshplan_data.b", "meshplan_data.c")),
                end(still),
            )],
        ),
        (
            "a circle",
            &[(&(moved("meshplan_data.a", "meshplan_data.b") + &moved("meshplan_data.b", "meshplan_data.a")), end(&["circular move"]))],
        ),
        (
            "a circle of keys",
            &[(
                &(moved("meshplan_data.a[0]", "meshplan_data.a[1]") + &moved("meshplan_data.a[1]", "meshplan_data.a[0]")),
                end(&["circular move"]),
            )],
        ),
    ]);
}

#[test]
fn what_is_said_twice_is_one_move() {
    let twice = moved("meshplan_data.a", "meshplan_data.b").repeat(2);
    moves("twice", &data("a", ""), &(data("b", "") + &twice), &["meshplan_data.b"]);
}

#[test]
fn what_is_no_move_is_refused() {
    let end = End::Refused;
    hold_stories(&[
        (
            "to two places",
            &[(&(moved("meshplan_data.a", "meshplan_data.b") + &moved("meshplan_data.a", "meshplan_data.c")), end(&["ambiguous move"]))],
        ),
        (
            "two to one place",
            &[(&(moved("meshplan_data.a", "meshplan_data.c") + &moved("meshplan_data.b", "meshplan_data.c")), end(&["ambiguous move"]))],
        ),
        ("nowhere", &[(&moved("meshplan_data.a", "meshplan_data.a"), end(&["invalid move"]))]),
        ("to another kind", &[(&moved("meshplan_data.a", "fake_thing.a"), end(&["invalid move"]))]),
        ("a module to a resource", &[(&moved("module.a", "meshplan_data.a"), end(&["invalid move"]))]),
        ("data", &[(&moved("data.fake_data.a", "data.fake_data.b"), end(&["invalid address", "invalid address"]))]),
        ("no address", &[(&moved("\"meshplan_data.a\"", "meshplan_data.b"), end(&["invalid address"]))]),
        ("without an end", &[("moved {\n  from = meshplan_data.a\n}\n", end(&["missing argument"]))]),
    ]);
    // Where another one is already, the first stays where it is: it is not desired any more, and deleted.
    hold_stories(&[(
        "taken",
        &[
            (&(data("a", "") + &data("b", "")), End::State(&["meshplan_data.a", "meshplan_data.b"])),
            (&(data("b", "") + &moved("meshplan_data.a", "meshplan_data.b")), End::Says(&["-   meshplan_data.a", "1 to destroy"])),
        ],
    )]);
}

#[test]
fn what_is_removed_is_deleted_or_given_up() {
    let removed = |from: &str, destroy: &str| format!("removed {{\n  from = {from}\n{destroy}}}\n");
    let keep = "  lifecycle {\n    destroy = false\n  }\n";
    let delete = "  lifecycle {\n    destroy = true\n  }\n";
    let within = format!("--- m\n{}", data("z", ""));
    let (deleted, forgotten) = (End::Says(&["1 to destroy"]), End::Says(&["0 to destroy, 1 to forget"]));
    let one = data("a", "");
    let called = call("m", "") + &within;
    hold_stories(&[
        ("deleted", &[(&one, End::Says(&[])), (&removed("meshplan_data.a", ""), deleted), ("", End::State(&[]))]),
        ("deleted, said so", &[(&one, End::Says(&[])), (&removed("meshplan_data.a", delete), End::Says(&["1 to destroy"]))]),
        ("given up", &[(&one, End::Says(&[])), (&removed("meshplan_data.a", keep), forgotten), ("", End::State(&[]))]),
        ("all instances", &[(&data("a", XY), End::Says(&[])), (&removed("meshplan_data.a", keep), End::Says(&["2 to forget"]))]),
        (
            "in a module",
            &[(&called, End::Says(&[])), (&(call("m", "") + "--- m\n" + &removed("meshplan_data.z", keep)), End::Says(&["1 to forget"]))],
        ),
        ("of a module", &[(&called, End::Says(&[])), (&removed("module.m.meshplan_data.z", keep), End::Says(&["1 to forget"]))]),
        ("a whole module", &[(&called, End::Says(&[])), (&removed("module.m", keep), End::Says(&["1 to forget"]))]),
        (
            "after a move",
            &[
                (&one, End::Says(&[])),
                (&(moved("meshplan_data.a", "meshplan_data.b") + &removed("meshplan_data.b", keep)), End::Says(&["1 to forget"])),
            ],
        ),
        ("still there", &[(&(data("a", "count = 0") + &removed("meshplan_data.a", "")), End::Refused(&["removed object still exists"]))]),
        (
            "a module still called",
            &[(&(call("m", XY) + &removed("module.m", "") + &within), End::Refused(&["removed object still exists"]))],
        ),
        ("one of many", &[(&removed("meshplan_data.a[0]", ""), End::Refused(&["invalid address"]))]),
        ("of one of many modules", &[(&removed("module.m[0].meshplan_data.a", ""), End::Refused(&["invalid address"]))]),
        (
            "another setting",
            &[(&removed("meshplan_data.a", "  lifecycle {\n    prevent_destroy = true\n  }\n"), End::Refused(&["unknown argument"]))],
        ),
        ("no such thing", &[(&removed("meshplan_data.a", keep), End::State(&[]))]),
    ]);
}
