//! YAML as Terraform writes it: keys and strings in double quotes, texts of several lines as blocks, lists not indented below their key.

use super::argument::Arguments;
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use super::yaml_read;
use crate::eval::convert::number_text;
use crate::value::{Data, Entry, Value};
use std::fmt::Write;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "yamldecode",
        group: Group::Encoding,
        parameters: &[Parameter::new("text", Takes::Text)],
        gives: Gives::Any,
        doc: "The value that the YAML text writes, which must be one document: mappings become objects, sequences tuples.",
        example: Example { call: r#"yamldecode("a: 1\nb: [x, true, ~]\n")"#, result: r#"{ a = 1, b = ["x", true, null] }"# },
        body: Body::Plain(yaml_read::decode),
    },
    Function {
        name: "yamlencode",
        group: Group::Encoding,
        parameters: &[Parameter::new("value", Takes::Value)],
        gives: Gives::Text,
        doc: "The value as YAML, keys sorted.",
        example: Example { call: r#"yamlencode({ b = [1, "x"], a = {} })"#, result: r#""\"a\": {}\n\"b\":\n- 1\n- \"x\"\n""# },
        body: Body::Plain(|given| Ok(encode(given))),
    },
];

fn encode(given: Arguments<'_>) -> Value {
    let mut writer = Writer { out: String::new(), column: 0 };
    if let Some(value) = given.get(0) {
        writer.document(value);
    }
    Value::string(writer.out)
}

struct Writer {
    out: String,
    /// Characters in the line so far.
    column: usize,
}

/// Where a line of quoted text is broken at its next space, and how many bytes a key may have beside its value.
const WIDTH: usize = 80;
const LONGEST_KEY: usize = 128;
const STEP: usize = 2;

impl Writer {
    fn document(&mut self, value: &Value) {
        self.node(value, 0, STEP);
        self.start_line(0);
        // A plain scalar that stands alone is ended by a marker.
        if matches!(value.data(), Data::Null | Data::Bool(_) | Data::Number(_)) {
            self.push("...\n");
        }
    }

    /// A value where the cursor is. The entries of a collection stand at `indent`, the lines of a text at `text_indent`.
    fn node(&mut self, value: &Value, indent: usize, text_indent: usize) {
        match value.data() {
            Data::Null | Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => self.push("null"),
            Data::Bool(truth) => self.push(if *truth { "true" } else { "false" }),
            Data::Number(number) => self.push(&number_text(*number)),
            Data::String(text) => self.text(text, text_indent),
            Data::Sequence(_) if value.items().is_empty() => self.push("[]"),
            Data::Sequence(_) => self.sequence(value.items(), indent),
            Data::Instance(instance) => self.node(&instance.attributes, indent, text_indent),
            Data::Mapping(_) if value.entries().is_empty() => self.push("{}"),
            Data::Mapping(_) => self.mapping(value.entries(), indent),
            Data::Reference(instance) => self.text(&instance.address.to_string(), text_indent),
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for item in items {
            self.start_line(indent);
            self.push("- ");
            self.node(item, indent + STEP, indent + STEP);
        }
    }

    fn mapping(&mut self, entries: &[Entry], indent: usize) {
        for entry in entries {
            self.start_line(indent);
            let simple = entry.key.len() <= LONGEST_KEY && !entry.key.contains(is_break);
            if simple {
                self.quoted(&entry.key, None);
                self.push(":");
            } else {
                self.push("? ");
                self.text(&entry.key, indent + STEP);
                self.start_line(indent);
                self.push(":");
            }
            let within = if matches!(entry.value.data(), Data::Sequence(_)) && simple { indent } else { indent + STEP };
            if simple && has_lines_of_its_own(&entry.value) {
                self.start_line(within);
            } else {
                self.push(" ");
            }
            self.node(&entry.value, within, indent + STEP);
        }
    }

    /// Makes sure that the cursor stands at this column, on a new line unless it does already.
    fn start_line(&mut self, indent: usize) {
        if self.column > indent || (self.column == indent && !self.out.is_empty() && !self.out.ends_with([' ', '\n'])) {
            self.push("\n");
        }
        while self.column < indent {
            self.push(" ");
        }
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => self.column + text.chars().count(),
        };
    }

    fn text(&mut self, text: &str, indent: usize) {
        if may_be_a_block(text) { self.block(text, indent) } else { self.quoted(text, Some(indent)) }
    }

    fn block(&mut self, text: &str, indent: usize) {
        self.push("|");
        if text.starts_with([' ', '\n']) {
            self.push("2");
        }
        if !text.ends_with('\n') {
            self.push("-");
        } else if text.ends_with("\n\n") || text == "\n" {
            self.push("+");
        }
        self.push("\n");
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                self.start_line(indent);
            }
            self.push(line);
        }
    }

    /// Text in double quotes, broken at spaces where an indent for the lines that follow is given.
    fn quoted(&mut self, text: &str, indent: Option<usize>) {
        self.push("\"");
        let mut spaces = false;
        let mut characters = text.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            match (c, indent) {
                (' ', Some(indent)) if !spaces && self.column > WIDTH && at > 0 && next.is_some() => {
                    self.push("\n");
                    self.start_line(indent);
                    if next == Some(' ') {
                        self.push("\\");
                    }
                }
                _ => self.push(&escaped(c)),
            }
            spaces = c == ' ';
        }
        self.push("\"");
    }
}

fn has_lines_of_its_own(value: &Value) -> bool {
    match value.data() {
        Data::Sequence(_) => !value.items().is_empty(),
        Data::Mapping(_) | Data::Instance(_) => !value.entries().is_empty(),
        _ => false,
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

/// Whether a text of several lines comes back from a block as it is.
fn may_be_a_block(text: &str) -> bool {
    text.contains('\n') && !text.ends_with(' ') && !text.contains(" \n") && text.chars().all(|c| is_printable(c) && c != '\r')
}

fn escaped(c: char) -> String {
    let short = match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        '\u{85}' => "\\N",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        printable if is_printable(printable) => return printable.to_string(),
        _ => "",
    };
    let mut out = short.to_owned();
    if short.is_empty() {
        let code = u32::from(c);
        let written = match code {
            0..=0xff => write!(out, "\\x{code:02X}"),
            0x100..=0xffff => write!(out, "\\u{code:04X}"),
            _ => write!(out, "\\U{code:08X}"),
        };
        // Writing to a string does not fail.
        written.unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_states};

    #[test]
    fn collections_are_written_as_in_terraform() {
        check(&[
            (
                r#"yamlencode({ a = 1, b = "x", c = [1, "y", []], d = {}, e = null, f = true, g = { h = 1 }, i = [{ j = 1, k = [2] }, [3]] })"#,
                r#""\"a\": 1\n\"b\": \"x\"\n\"c\":\n- 1\n- \"y\"\n- []\n\"d\": {}\n\"e\": null\n\"f\": true\n\"g\":\n  \"h\": 1\n\"i\":\n- \"j\": 1\n  \"k\":\n  - 2\n- - 3\n""#,
            ),
            ("yamlencode([])", r#""[]\n""#),
            ("yamlencode({})", r#""{}\n""#),
            ("yamlencode(null)", r#""null\n...\n""#),
            ("yamlencode(1.5)", r#""1.5\n...\n""#),
            ("yamlencode(true)", r#""true\n...\n""#),
            (r#"yamlencode("a")"#, r#""\"a\"\n""#),
            ("yamlencode([null])", r#""- null\n""#),
            ("yamlencode({ a = -0.5, b = 1e-7 })", r#""\"a\": -0.5\n\"b\": 0.0000001\n""#),
            (r#"yamlencode([["a", ["b", []]], {}])"#, r#""- - \"a\"\n  - - \"b\"\n    - []\n- {}\n""#),
            ("yamlencode([[{ a = [{ b = 1 }] }]])", r#""- - \"a\":\n    - \"b\": 1\n""#),
            (r#"yamlencode({ a = [["x"], [{ y = 1 }]] })"#, r#""\"a\":\n- - \"x\"\n- - \"y\": 1\n""#),
            ("yamlencode({ a = { b = { c = [1] } } })", r#""\"a\":\n  \"b\":\n    \"c\":\n    - 1\n""#),
            (r#"yamlencode(toset(["b"]))"#, r#""- \"b\"\n""#),
            ("yamlencode([[], [[]]])", r#""- []\n- - []\n""#),
            (r#"yamlencode({ "a b" = 1, "1" = 2, "true" = 3 })"#, r#""\"1\": 2\n\"a b\": 1\n\"true\": 3\n""#),
            (r#"yamlencode({ "a\nb" = { c = 1 } })"#, r#""? |-\n  a\n  b\n: \"c\": 1\n""#),
            (r#"yamlencode({ "a\nb" = [1] })"#, r#""? |-\n  a\n  b\n: - 1\n""#),
            ("yamlencode()", "wrong number of arguments: `yamlencode` takes 1 argument, 0 are given"),
        ]);
        check_states(&[
            ("yamlencode({ a = var.unknown })", "?string", "u"),
            ("yamlencode({ a = var.secret })", "*\"\\\"a\\\": \\\"s\\\"\\n\"", "s"),
        ]);
    }

    #[test]
    fn texts_of_several_lines_are_written_as_in_terraform() {
        check(&[
            (r#"yamlencode("multi\nline")"#, r#""|-\n  multi\n  line\n""#),
            (
                r#"yamlencode({ a = "multi\nline\n", b = "x\n\n", c = " lead\nx", d = "tab\tx" })"#,
                r#""\"a\": |\n  multi\n  line\n\"b\": |+\n  x\n\n\"c\": |2-\n   lead\n  x\n\"d\": \"tab\\tx\"\n""#,
            ),
            (r#"yamlencode(["multi\nline\n", { a = "x\ny" }])"#, r#""- |\n  multi\n  line\n- \"a\": |-\n    x\n    y\n""#),
            (r#"yamlencode("\n")"#, r#""|2+\n\n""#),
            (r#"yamlencode("\n\n")"#, r#""|2+\n\n\n""#),
            (r#"yamlencode("\nx")"#, r#""|2-\n\n  x\n""#),
            (r#"yamlencode("\n  x")"#, r#""|2-\n\n    x\n""#),
            (r#"yamlencode("x\n\ny\n")"#, r#""|\n  x\n\n  y\n""#),
            (r#"yamlencode(["\n"])"#, r#""- |2+\n\n""#),
            (r#"yamlencode("a\n\n  b\n c")"#, r#""|-\n  a\n\n    b\n   c\n""#),
            (r#"yamlencode({ a = { b = "x\ny\n" } })"#, r#""\"a\":\n  \"b\": |\n    x\n    y\n""#),
            (r#"yamlencode("trailing \nspace")"#, r#""\"trailing \\nspace\"\n""#),
            (r#"yamlencode("x\n  ")"#, r#""\"x\\n  \"\n""#),
            (r#"yamlencode("tab\n\tx")"#, r#""\"tab\\n\\tx\"\n""#),
            (r#"yamlencode("a\r\nb")"#, r#""\"a\\r\\nb\"\n""#),
            (r#"yamlencode("😀\nü")"#, r#""\"\\U0001F600\\nü\"\n""#),
        ]);
    }

    #[test]
    fn long_and_odd_texts_are_written_as_in_terraform() {
        check(&[
            (
                r#"yamlencode("\u0007 \u2028 \ufeff 😀 \u007f \u0085 é\"\\<")"#,
                r#""\"\\a \\L \\uFEFF \\U0001F600 \\x7F \\N é\\\"\\\\<\"\n""#,
            ),
            (
                r#"yamlencode([{ a = join(" ", [for i in range(30) : "word${i}"]) }])"#,
                r#""- \"a\": \"word0 word1 word2 word3 word4 word5 word6 word7 word8 word9 word10 word11\n    word12 word13 word14 word15 word16 word17 word18 word19 word20 word21 word22 word23\n    word24 word25 word26 word27 word28 word29\"\n""#,
            ),
            (
                r#"yamlencode({ a = { b = join("  ", [for i in range(16) : "word${i}"]) } })"#,
                r#""\"a\":\n  \"b\": \"word0  word1  word2  word3  word4  word5  word6  word7  word8  word9  word10\n    \\ word11  word12  word13  word14  word15\"\n""#,
            ),
            (
                r#"yamlencode({ join(" ", [for i in range(18) : "word${i}"]) = 1 })"#,
                r#""\"word0 word1 word2 word3 word4 word5 word6 word7 word8 word9 word10 word11 word12 word13 word14 word15 word16 word17\": 1\n""#,
            ),
            (r#"startswith(yamlencode({ (join("", [for i in range(60) : "word${i}"])) = 1 }), "? \"word0")"#, "true"),
        ]);
    }
}
