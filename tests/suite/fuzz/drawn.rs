//! Expressions that parse, of every construct and function, over names that are known, unknown, pending, blocked and sensitive.

use engine::eval::function_table;
use meshplan_tests::draws::Draws;

const LEAVES: [&str; 40] = [
    "0",
    "1",
    "-1",
    "2.5",
    "1e20",
    "0.0000001",
    "\"\"",
    "\"a\"",
    "\"1\"",
    "\"true\"",
    "\"é\\n\"",
    "\"10.0.0.0/8\"",
    "\"a,b\"",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "var.number",
    "var.text",
    "var.truth",
    "var.list",
    "var.map",
    "var.object",
    "var.set",
    "var.nothing",
    "var.secret",
    "var.secrets",
    "var.unknown",
    "var.unknown_number",
    "var.unknown_list",
    "var.unknown_map",
    "var.unknown_object",
    "var.unknown_set",
    "var.unknown_truth",
    "var.pending",
    "var.pending_list",
    "var.blocked",
    "var.passing",
    "k.n",
];

const OPERATORS: [&str; 13] = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"];

/// An expression of so many levels at most.
pub(super) fn expression(draws: &mut Draws, depth: usize) -> String {
    if depth == 0 || draws.one_in(6) {
        return LEAVES[draws.below(LEAVES.len())].to_owned();
    }
    let below = depth - 1;
    match draws.below(16) {
        0 => {
            let operator = OPERATORS[draws.below(OPERATORS.len())];
            format!("({} {operator} {})", expression(draws, below), expression(draws, below))
        }
        1 => format!("{}({})", if draws.one_in(2) { "!" } else { "-" }, expression(draws, below)),
        2 => format!("({} ? {} : {})", expression(draws, below), expression(draws, below), expression(draws, below)),
        3 => format!("[{}]", several(draws, below).join(", ")),
        4 => {
            let entries = several(draws, below).into_iter().enumerate().map(|(at, value)| match draws.below(3) {
                0 => format!("(var.text) = {value}"),
                _ => format!("k{at} = {value}"),
            });
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        5 => format!("[for x in {} : {}{}]", expression(draws, below), bound(draws, below), condition(draws, below)),
        6 => {
            let group = if draws.one_in(2) { "..." } else { "" };
            let (of, key, value) = (expression(draws, below), bound(draws, below), bound(draws, below));
            format!("{{for y, x in {of} : {key} => {value}{group}{}}}", condition(draws, below))
        }
        7 => format!("{}{}", expression(draws, below), ["[*]", ".*", "[*].k0", ".*.k0", "[*][0]"][draws.below(5)]),
        8 => format!("{}[{}]", expression(draws, below), expression(draws, below)),
        9 => format!("{}.{}", expression(draws, below), ["k0", "a", "id"][draws.below(3)]),
        10 => format!("\"a${{{}}}${{~ {} ~}} b\"", expression(draws, below), expression(draws, below)),
        11 => format!("\"%{{ if {} }}${{{}}}%{{ else ~}} b%{{ endif }}\"", expression(draws, below), expression(draws, below)),
        12 => format!("\"%{{ for y, x in {} ~}} ${{{}}}%{{ endfor }}\"", expression(draws, below), bound(draws, below)),
        _ => call(draws, below),
    }
}

/// A call of some function, with as many arguments as it takes, or not.
fn call(draws: &mut Draws, depth: usize) -> String {
    let functions: Vec<_> = function_table().collect();
    let function = functions[draws.below(functions.len())];
    let wanted = function.parameters.len() + draws.below(3);
    let arguments: Vec<_> = (0..if draws.one_in(8) { draws.below(4) } else { wanted }).map(|_| expression(draws, depth)).collect();
    let expanded = if draws.one_in(8) && !arguments.is_empty() { "..." } else { "" };
    format!("{}({}{expanded})", function.name, arguments.join(", "))
}

fn several(draws: &mut Draws, depth: usize) -> Vec<String> {
    (0..draws.below(4)).map(|_| expression(draws, depth)).collect()
}

fn bound(draws: &mut Draws, depth: usize) -> String {
    if draws.one_in(2) { "x".to_owned() } else { expression(draws, depth) }
}

fn condition(draws: &mut Draws, depth: usize) -> String {
    if draws.one_in(3) { format!(" if {}", expression(draws, depth)) } else { String::new() }
}
