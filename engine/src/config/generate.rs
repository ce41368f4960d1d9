//! `resource` blocks that are written instead of read: the text of what exists already.

use super::layout::lay_out;
use super::model::ResourceName;
use crate::diagnostic::Problems;
use crate::source::FileId;
use crate::value::{Data, Value};
use std::fmt::Write as _;

/// Words that mean something of their own where a key may stand.
const KEYWORDS: [&str; 6] = ["else", "false", "for", "if", "null", "true"];

/// A `resource` block that is to be written.
#[derive(Debug)]
pub struct Generated<'a> {
    /// What it gets as its kind and name.
    pub name: &'a ResourceName,
    /// Lines that stand before it, as comments.
    pub comments: Vec<String>,
    /// Its arguments in their order.
    pub arguments: Vec<(&'a str, Argument<'a>)>,
}

/// What stands behind the `=` of an argument.
#[derive(Debug)]
pub enum Argument<'a> {
    /// An expression as somebody wrote it.
    Written(&'a str),
    /// A value. What is sensitive in it is never written: null stands in its place, with a comment that says so.
    Value(&'a Value),
}

/// The text of blocks, laid out as `fmt` leaves it, with an empty line before each.
///
/// # Errors
///
/// What of it does not parse, which is a defect.
pub fn generate(blocks: &[Generated<'_>]) -> Result<String, Problems> {
    let mut text = String::new();
    for block in blocks {
        text.push('\n');
        block.comments.iter().for_each(|line| text.extend(["# ", &on_one_line(line), "\n"]));
        text.extend(["resource ", &quoted(&block.name.kind), " ", &quoted(&block.name.name), " {\n"]);
        for (name, argument) in &block.arguments {
            match argument {
                Argument::Written(expression) => text.extend([name, " = ", *expression, "\n"]),
                Argument::Value(value) => entry(&mut text, name, value),
            }
        }
        text.push_str("}\n");
    }
    lay_out(&text, FileId(0))
}

fn entry(text: &mut String, name: &str, value: &Value) {
    text.extend([name, " = "]);
    if let Some(content) = value.as_str().filter(|content| !value.is_marked_sensitive() && stands_alone(content)) {
        text.extend(["<<EOT\n", &templated(content), "EOT\n"]);
        return;
    }
    let comment = written(text, value);
    text.push_str(&comment);
    text.push('\n');
}

/// Writes a value; what has to be said of it at the end of its line comes back.
fn written(text: &mut String, value: &Value) -> String {
    if value.is_marked_sensitive() {
        text.push_str("null");
        let plain = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        let keys: Vec<_> = value.entries().iter().map(|entry| &*entry.key).filter(|key| plain(key)).collect();
        return if keys.is_empty() { " # sensitive".to_owned() } else { format!(" # sensitive: {}", keys.join(", ")) };
    }
    match value.data() {
        Data::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Data::Number(number) => text.push_str(&number.normalize().to_string()),
        Data::String(string) => text.push_str(&quoted(string)),
        Data::Sequence(sequence) => items(text, sequence.items()),
        Data::Mapping(mapping) if mapping.entries().is_empty() => text.push_str("{}"),
        Data::Mapping(mapping) => {
            text.push_str("{\n");
            mapping.entries().iter().for_each(|of| entry(text, &key(&of.key), &of.value));
            text.push('}');
        }
        Data::Instance(instance) | Data::Reference(instance) => text.push_str(&instance.address.to_string()),
        Data::Null | Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => text.push_str("null"),
    }
    String::new()
}

fn items(text: &mut String, items: &[Value]) {
    let plain = |item: &Value| item.items().is_empty() && item.entries().is_empty() && !item.is_marked_sensitive();
    let (open, between, close) = if items.iter().all(plain) { ("[", ", ", "]") } else { ("[\n", ",\n", ",\n]") };
    text.push_str(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push_str(between);
        }
        let comment = written(text, item);
        if !comment.is_empty() {
            text.extend(["/*", &comment.replace("*/", "").replacen(" #", "", 1), " */"]);
        }
    }
    text.push_str(close);
}

/// Whether a text is better read line by line, and can be: what would not come back as it is stands in quotes.
fn stands_alone(content: &str) -> bool {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    content.len() > 1 && content.ends_with('\n') && !content.contains(odd) && content.lines().all(|line| line.trim() != "EOT")
}

/// A key as it may stand before `=`.
fn key(key: &str) -> String {
    let begins = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let name = begins && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !KEYWORDS.contains(&key);
    if name { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in templated(text).chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Text in which nothing is taken for a template.
fn templated(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Mode;
    use crate::config::parse_values;
    use serde_json::{Value as Json, json};

    fn text(arguments: Vec<(&str, Argument<'_>)>) -> String {
        let name = ResourceName { mode: Mode::Managed, kind: "kubernetes_manifest".into(), name: "web".into() };
        generate(&[Generated { name: &name, comments: vec!["one\nline".to_owned()], arguments }]).unwrap()
    }

    #[test]
    fn a_block_reads_as_if_somebody_had_written_it() {
        let manifest = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "web", "labels": { "app.io/name": "x", "for": "y" } },
            "data": { "a.yaml": "x: 1\n\ny: ${z}\n", "b": "one\ntwo" }, "list": ["a", 1, null], "rows": [{ "a": 1 }, { "b": {} }], "none": [] });
        let written = text(vec![
            ("cluster", Argument::Written("sandbox_cluster.c[\"x\"]")),
            ("manifest", Argument::Value(&Value::from_json(&manifest))),
        ]);
        let expected = r#"
# one line
resource "kubernetes_manifest" "web" {
  cluster = sandbox_cluster.c["x"]
  manifest = {
    apiVersion = "v1"
    data = {
      "a.yaml" = <<EOT
x: 1

y: $${z}
EOT
      b        = "one\ntwo"
    }
    kind = "ConfigMap"
    list = ["a", 1, null]
    metadata = {
      labels = {
        "app.io/name" = "x"
        "for"         = "y"
      }
      name = "web"
    }
    none = []
    rows = [
      {
        a = 1
      },
      {
        b = {}
      },
    ]
  }
}
"#;
        assert_eq!(written, expected);
    }

    #[test]
    fn what_is_secret_is_never_written() {
        let data = Value::object([("a", Value::string("hunter2").sensitive()), ("*/b", Value::string("hunter3"))]).sensitive();
        let list = Value::tuple(vec![Value::string("x"), Value::string("hunter4").sensitive()]);
        let within = Value::object([("data", data.clone()), ("list", list)]);
        let written = text(vec![("data", Argument::Value(&data)), ("within", Argument::Value(&within))]);
        assert!(!written.contains("hunter"), "{written}");
        assert!(written.contains("  data = null # sensitive: a\n"), "{written}");
        assert!(written.contains("null/* sensitive */") || written.contains("null /* sensitive */"), "{written}");
    }

    #[test]
    fn what_is_written_means_what_it_was_and_is_laid_out() {
        let hard = [
            "",
            "\n",
            "a\n",
            " a\n  b\n",
            "a\n\n\n",
            "EOT\n",
            "  EOT \nx\n",
            "${a}",
            "$${a}",
            "$$${a}",
            "%{ if }",
            "a\r\nb\n",
            "\u{7}\u{1b}[0m",
            "\"q\" \\n",
            "é\u{2028}\n",
            "\ttab\n",
            "${\n",
            "x\\\n",
            "# no\n// comment\n/* none */\n",
            "'",
            "{}",
            "[",
            "null",
            "<<EOT\n",
        ];
        let texts: Vec<Json> = hard.iter().map(|text| json!(text)).collect();
        let keyed: serde_json::Map<_, _> = hard.iter().enumerate().map(|(at, text)| (format!("{text}-{at}"), json!(text))).collect();
        for value in [
            json!(texts),
            Json::Object(keyed),
            json!({ "a": hard }),
            json!([1.5, -3, 1e21, 0.001, 12_345_678_901_234_567_890_u64, true, null]),
            json!([[], {}, [[1]], [{ "a": [] }]]),
            json!({ "in": 1, "if": 2, "null": 3, "a-b": 4, "1": 5, "": 6, "é": 7 }),
        ] {
            let value = Value::from_json(&value);
            let written = text(vec![("value", Argument::Value(&value))]);
            assert_eq!(lay_out(&written, FileId(0)).as_deref(), Ok(written.as_str()), "it is laid out");
            let body = written.lines().skip(3).collect::<Vec<_>>().join("\n");
            let inner = body.strip_suffix('}').unwrap();
            let (read, problems) = parse_values(inner, FileId(0));
            let found = read.get("value").and_then(|(value, _)| value.to_json().ok());
            assert_eq!((found, problems.len()), (value.to_json().ok(), 0), "{problems:#?} in {written}");
        }
    }
}
