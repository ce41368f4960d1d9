//! Values as people read them: on one line, in the language's own notation, with nothing secret in it.

use engine::value::{Data, Entry, Marks, Value};

/// What stands for a sensitive value.
pub const SENSITIVE: &str = "(sensitive value)";
/// What stands for an ephemeral value.
pub const EPHEMERAL: &str = "(ephemeral value)";
/// What stands for a value that apply makes known.
pub const KNOWN_AFTER_APPLY: &str = "(known after apply)";

/// How a value is written.
#[derive(Clone, Copy)]
struct Notation<'a> {
    /// What stands for an unknown, by its path.
    unknown: &'a dyn Fn(&str) -> String,
    nulls: Nulls,
}

/// What becomes of attributes that are null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nulls {
    Shown,
    Left,
}

/// The value on one line. Sensitive parts are masked, unknown parts say so, references are addresses.
pub fn inline(value: &Value) -> String {
    let mut text = String::new();
    Notation { unknown: &|_| KNOWN_AFTER_APPLY.to_owned(), nulls: Nulls::Shown }.value(&mut text, "", value);
    text
}

/// The value at a path, on one line without the attributes that are null. `unknown` says what stands for an unknown part, by its path.
pub fn brief(path: &str, value: &Value, unknown: &dyn Fn(&str) -> String) -> String {
    let mut text = String::new();
    Notation { unknown, nulls: Nulls::Left }.value(&mut text, path, value);
    text
}

impl Notation<'_> {
    fn value(self, text: &mut String, path: &str, value: &Value) {
        if value.is_marked_sensitive() {
            text.push_str(SENSITIVE);
            return;
        }
        if value.as_str().is_some_and(crate::pem::holds_private_key) {
            text.push_str(SENSITIVE);
            return;
        }
        if value.marks().has(Marks::EPHEMERAL) {
            text.push_str(EPHEMERAL);
            return;
        }
        match value.data() {
            Data::Null => text.push_str("null"),
            Data::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Data::Number(number) => text.push_str(&number.normalize().to_string()),
            Data::String(string) => text.push_str(&quoted(string)),
            Data::Sequence(sequence) => self.items(text, path, sequence.items()),
            Data::Mapping(mapping) => self.entries(text, path, mapping.entries()),
            Data::Instance(instance) | Data::Reference(instance) => text.push_str(&instance.address.to_string()),
            Data::Unknown(..) | Data::Pending(_) => text.push_str(&(self.unknown)(path)),
            Data::Blocked(why) => text.extend(["(not observed: ", why, ")"]),
        }
    }

    fn items(self, text: &mut String, path: &str, items: &[Value]) {
        text.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                text.push_str(", ");
            }
            self.value(text, &format!("{path}[{at}]"), item);
        }
        text.push(']');
    }

    fn entries(self, text: &mut String, path: &str, entries: &[Entry]) {
        let shown = || entries.iter().filter(|entry| self.nulls == Nulls::Shown || !entry.value.is_null());
        for (at, entry) in shown().enumerate() {
            text.push_str(if at > 0 { ", " } else { "{ " });
            text.extend([&key(&entry.key), " = "]);
            self.value(text, &step(path, &entry.key), &entry.value);
        }
        text.push_str(if shown().next().is_some() { " }" } else { "{}" });
    }
}

/// A key as it may stand before `=`: bare if it is a name, quoted otherwise.
pub fn key(key: &str) -> String {
    if is_name(key) { key.to_owned() } else { quoted(key) }
}

/// A step from a path to the value under a key: `.name` or `["no name"]`.
pub fn step(path: &str, key: &str) -> String {
    match (path.is_empty(), is_name(key)) {
        (true, true) => key.to_owned(),
        (false, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{}]", quoted(key)),
    }
}

/// Text in quotes, everything that would not print escaped.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.extend(c.escape_unicode()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The text cut to so many columns, its end replaced by an ellipsis if it is longer.
pub fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Foreign text as it may go to a terminal: without control sequences. Line breaks and tabs stay.
pub fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    text.chars().map(plain).collect()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// Words in lines of so many columns, those after the first indented; a word that is longer stands alone.
pub fn wrapped(words: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => line.extend([" ", word]),
            Some(_) => lines.push(format!("  {word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::address::Address;
    use engine::value::{Instance, Type};
    use std::sync::Arc;

    #[test]
    fn a_value_reads_as_the_language_writes_it() {
        let reference = Instance { address: Address::managed("ca_root", "mesh"), classes: &[], attributes: Value::null() };
        for (value, text) in [
            (Value::null(), "null"),
            (Value::number(3), "3"),
            (Value::string("a\"b\n\u{1b}[31m"), r#""a\"b\n\u{1b}[31m""#),
            (Value::tuple(vec![Value::bool(true), Value::unknown(Type::String)]), "[true, (known after apply)]"),
            (Value::object::<&str>([]), "{}"),
            (Value::object([("a", Value::number(1)), ("b/c", Value::string("s").sensitive())]), r#"{ a = 1, "b/c" = (sensitive value) }"#),
            (Value::new(Data::Reference(Arc::new(reference))), "ca_root.mesh"),
            (Value::blocked("connection refused"), "(not observed: connection refused)"),
            (Value::object([("k", Value::string("s"))]).sensitive(), "(sensitive value)"),
            (Value::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "(sensitive value)"),
            (Value::string("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCkFBQUEK"), "(sensitive value)"),
        ] {
            assert_eq!(inline(&value), text);
        }
    }

    #[test]
    fn a_brief_value_leaves_nulls_out() {
        let inner = Value::object([("x", Value::null()), ("y", Value::tuple(vec![Value::unknown(Type::String)]))]);
        let value = Value::object([("a", Value::null()), ("b", Value::unknown(Type::String)), ("c", inner)]);
        let unknown = |path: &str| format!("<{path}>");
        assert_eq!(brief("top", &value, &unknown), "{ b = <top.b>, c = { y = [<top.c.y[0]>] } }");
        assert_eq!(inline(&value), "{ a = null, b = (known after apply), c = { x = null, y = [(known after apply)] } }");
        assert_eq!(brief("", &Value::null(), &unknown), "null");
        assert_eq!(brief("", &Value::object([("x", Value::null())]), &unknown), "{}");
    }

    #[test]
    fn paths_read_as_traversals() {
        assert_eq!(step("", "spec"), "spec");
        assert_eq!(step("metadata.labels", "topology.istio.io/network"), "metadata.labels[\"topology.istio.io/network\"]");
        assert_eq!(step("spec", "ports"), "spec.ports");
    }

    #[test]
    fn long_text_is_cut_and_foreign_text_made_harmless() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(printable("a\u{1b}[2Jb\tc\n"), "a\u{fffd}[2Jb\tc\n");
    }

    #[test]
    fn a_note_is_broken_and_never_cut() {
        for (words, columns, lines) in [
            ("one two", 20, &["one two"] as &[&str]),
            ("one two three", 8, &["one two", "  three"]),
            ("incomprehensibilities are", 6, &["incomprehensibilities", "  are"]),
        ] {
            assert_eq!(wrapped(words, columns), lines, "{words}");
        }
    }
}
