//! What is remembered, as text: resources with their attributes, outputs.

use engine::address::Address;
use engine::state::{Objects, Operation, Output, Record, State, Status};
use engine::value::{Data, Marks, Value};
use review::notation::{SENSITIVE, inline, key};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// Longest value that stands on one line.
const LINE: usize = 80;

/// Everything: each resource with its attributes, then the outputs.
pub fn state(state: &State) -> String {
    if state.is_empty() && state.outputs.is_empty() {
        return "Nothing is remembered.\n".to_owned();
    }
    let mut blocks: Vec<String> = state.resources.iter().map(|(address, all)| objects(address, all)).collect();
    if !state.outputs.is_empty() {
        blocks.push(format!("# outputs\n{}", outputs(&state.outputs)));
    }
    blocks.join("\n")
}

/// The objects under one address, each with its attributes.
pub fn objects(address: &Address, objects: &Objects) -> String {
    let current = objects.current.iter().map(|record| block(address, None, record));
    let deposed = objects.deposed.iter().map(|(key, record)| block(address, Some(key), record));
    current.chain(deposed).collect::<Vec<_>>().join("\n")
}

/// Outputs as assignments, sensitive ones masked.
pub fn outputs(outputs: &BTreeMap<Arc<str>, Output>) -> String {
    let mut text = String::new();
    let column = outputs.keys().map(|name| key(name).chars().count()).max().unwrap_or(0);
    for (name, output) in outputs {
        let value = if output.sensitive { SENSITIVE.to_owned() } else { pretty(&output.value, 0) };
        let _ = writeln!(text, "{:<column$} = {value}", key(name));
    }
    text
}

/// A value in the language's notation, over several lines if it is long. Sensitive parts are masked.
pub fn pretty(value: &Value, indent: usize) -> String {
    let line = inline(value);
    let text_block = matches!(value.data(), Data::String(text) if text.contains('\n')) && value.marks() == Marks::NONE;
    if text_block {
        return heredoc(value.as_str().unwrap_or_default(), indent);
    }
    if indent + line.chars().count() <= LINE && !line.contains("\\n") || value.marks() != Marks::NONE {
        return line;
    }
    let inner = indent + 2;
    match value.data() {
        Data::Mapping(mapping) => {
            let column = mapping.entries().iter().map(|entry| key(&entry.key).chars().count()).max().unwrap_or(0);
            let mut text = "{\n".to_owned();
            for entry in mapping.entries() {
                let _ = writeln!(text, "{:inner$}{:<column$} = {}", "", key(&entry.key), pretty(&entry.value, inner));
            }
            let _ = write!(text, "{:indent$}}}", "");
            text
        }
        Data::Sequence(sequence) => {
            let mut text = "[\n".to_owned();
            for item in sequence.items() {
                let _ = writeln!(text, "{:inner$}{},", "", pretty(item, inner));
            }
            let _ = write!(text, "{:indent$}]", "");
            text
        }
        _ => line,
    }
}

fn heredoc(text: &str, indent: usize) -> String {
    let inner = indent + 2;
    let mut block = "<<-EOT\n".to_owned();
    for line in review::notation::printable(text).lines() {
        let _ = writeln!(block, "{}", format!("{:inner$}{line}", "").trim_end());
    }
    let _ = write!(block, "{:indent$}EOT", "");
    block
}

fn block(address: &Address, deposed: Option<&Arc<str>>, record: &Record) -> String {
    let mut text = format!("# {address}");
    if let Some(key) = deposed {
        let _ = write!(text, " (deposed {key})");
    }
    if let Some(status) = status(record.status) {
        let _ = write!(text, " ({status})");
    }
    text.push('\n');
    let shown: Vec<_> = record.attributes.entries().iter().filter(|entry| !entry.value.is_null()).collect();
    let column = shown.iter().map(|entry| key(&entry.key).chars().count()).max().unwrap_or(0);
    for entry in shown {
        let _ = writeln!(text, "{:<column$} = {}", key(&entry.key), pretty(&entry.value, 0));
    }
    text
}

fn status(status: Status) -> Option<&'static str> {
    match status {
        Status::Ready => None,
        Status::Unready => Some("not ready"),
        Status::Tainted => Some("tainted"),
        Status::Interrupted(Operation::Create) => Some("create interrupted"),
        Status::Interrupted(Operation::Update) => Some("update interrupted"),
        Status::Interrupted(Operation::Delete) => Some("delete interrupted"),
        Status::Interrupted(Operation::Import) => Some("import interrupted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::state::RecordId;
    use serde_json::json;

    #[test]
    fn long_values_take_several_lines() {
        let long = "x".repeat(50);
        for (value, text) in [
            (json!("a"), "\"a\"".to_owned()),
            (json!({ "a": [1, 2] }), "{ a = [1, 2] }".to_owned()),
            (json!({ "a": long, "bcd": long }), format!("{{\n  a   = \"{long}\"\n  bcd = \"{long}\"\n}}")),
            (json!([long, [long, 1]]), format!("[\n  \"{long}\",\n  [\"{long}\", 1],\n]")),
            (json!("one\n\n  two\n"), "<<-EOT\n  one\n\n    two\nEOT".to_owned()),
            (json!({ "m": "one\ntwo\n" }), "{\n  m = <<-EOT\n    one\n    two\n  EOT\n}".to_owned()),
        ] {
            assert_eq!(pretty(&Value::from_json(&value), 0), text);
        }
    }

    #[test]
    fn outputs_are_assignments_and_secrets_stay_secret() {
        let output = |value, sensitive| Output { value, sensitive };
        let all = BTreeMap::from([
            ("gateways".into(), output(Value::object([("c1", Value::string("10.0.0.1"))]), false)),
            ("key".into(), output(Value::string("s3cret"), true)),
            ("pem".into(), output(Value::string("one\ntwo\n"), false)),
        ]);
        let expected = "gateways = { c1 = \"10.0.0.1\" }\nkey      = (sensitive value)\npem      = <<-EOT\n  one\n  two\nEOT\n";
        assert_eq!(outputs(&all), expected);
    }

    fn record(status: Status, attributes: Value) -> Record {
        Record { status, attributes, ..Record::new(RecordId::new("r"), "k") }
    }

    #[test]
    fn a_record_shows_its_attributes_and_how_it_stands() {
        let attributes =
            Value::object([("key", Value::string("s3cret\n").sensitive()), ("name", Value::string("a")), ("nothing", Value::null())]);
        let objects_at = Objects {
            current: Some(record(Status::Unready, attributes)),
            deposed: BTreeMap::from([("d1".into(), record(Status::Ready, Value::object([("name", Value::string("old"))])))]),
        };
        let address = Address::managed("k", "a");
        let expected = "# k.a (not ready)\nkey  = (sensitive value)\nname = \"a\"\n\n# k.a (deposed d1)\nname = \"old\"\n";
        assert_eq!(objects(&address, &objects_at), expected);
        let output = Output { value: Value::number(1), sensitive: false };
        let all = State {
            resources: BTreeMap::from([(address, objects_at)]),
            outputs: BTreeMap::from([("one".into(), output)]),
            ..State::default()
        };
        assert_eq!(state(&all), format!("{expected}\n# outputs\none = 1\n"));
        assert_eq!(state(&State::default()), "Nothing is remembered.\n");
    }
}
