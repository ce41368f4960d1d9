//! Expressions held against what `terraform console` answered to them: `recordings/console.jsonl`, made by `recordings/record_console.py`.

use super::scene::Scene;
use super::{FileAnswer, type_of};
use crate::address::Address;
use crate::config::parse_expression;
use crate::source::FileId;
use crate::value::{Data, Instance, Type, Value};
use serde_json::Value as Json;
use std::sync::Arc;

const RECORDING: &str = include_str!("../../recordings/console.jsonl");
/// Expressions that are meant to have another answer here, each with that answer and the reason.
const DIFFERENCES: &str = include_str!("../../recordings/differences.txt");

/// What is said to an expression: type and JSON, or that it is an error.
fn said(expression: &str) -> String {
    let Ok(parsed) = parse_expression(expression, FileId(0)) else { return "error".to_owned() };
    let mut scene = Scene::default();
    for (path, text) in [
        ("hello.txt", include_str!("../../recordings/files/hello.txt")),
        ("list.tmpl", include_str!("../../recordings/files/list.tmpl")),
        ("nodes.csv", include_str!("../../recordings/files/nodes.csv")),
    ] {
        scene.names.files.insert(path.to_owned(), FileAnswer::Text(text.into()));
    }
    scene.names.files.insert("missing.txt".to_owned(), FileAnswer::Absent);
    scene.names.resources.insert("later".to_owned(), later());
    match super::evaluate(&parsed, &mut scene.names, &mut scene.arena) {
        Ok(value) => shown(&value),
        Err(_) => "error".to_owned(),
    }
}

/// `terraform_data.later`, which is not made yet.
fn later() -> Value {
    let address = Address::managed("terraform_data", "later");
    Value::new(Data::Instance(Arc::new(Instance { address, classes: &[], attributes: Value::unknown(Type::Any) })))
}

fn shown(value: &Value) -> String {
    let said = match value.to_json() {
        Err(_) => "unknown".to_owned(),
        Ok(_) if value.is_hidden() => "sensitive".to_owned(),
        Ok(json) => json.to_string(),
    };
    format!("{} {said}", as_terraform(&type_of(value)))
}

/// The type as `type()` writes it.
fn as_terraform(ty: &Type) -> String {
    match ty {
        Type::Any => "dynamic".to_owned(),
        Type::List(element) => format!("list({})", as_terraform(element)),
        Type::Set(element) => format!("set({})", as_terraform(element)),
        Type::Map(element) => format!("map({})", as_terraform(element)),
        Type::Tuple(elements) => {
            let elements: Vec<String> = elements.iter().map(as_terraform).collect();
            format!("tuple([{}])", elements.join(","))
        }
        Type::Object(object) => {
            let fields: Vec<String> = object.fields.iter().map(|(name, field)| format!("{name}:{}", as_terraform(&field.ty))).collect();
            format!("object({{{}}})", fields.join(","))
        }
        plain => plain.to_string(),
    }
}

/// The recorded answer in the same words.
fn recorded(record: &Json) -> String {
    let of = |said: &dyn std::fmt::Display| format!("{} {said}", record["type"].as_str().unwrap());
    match ["unknown", "sensitive"].into_iter().find(|instead| record.get(instead).is_some()) {
        Some(instead) => of(&instead),
        None => record.get("value").map_or_else(|| "error".to_owned(), |value| of(value)),
    }
}

/// Expression and answer of each intended difference. An entry is three lines and an empty one: expression as JSON string, answer, reason.
fn differences() -> Vec<(String, &'static str)> {
    let entries = DIFFERENCES.split("\n\n").filter(|entry| !entry.trim().is_empty());
    let lines = |entry: &'static str| {
        let mut lines = entry.trim().lines();
        let expression = serde_json::from_str(lines.next().unwrap()).unwrap();
        let answer = lines.next().unwrap();
        assert!(lines.next().is_some_and(|reason| reason.len() > 10), "no reason: {expression}");
        (expression, answer)
    };
    entries.map(lines).collect()
}

#[test]
fn what_terraform_answers_is_answered_here() {
    let differences = differences();
    let mut wrong = Vec::new();
    let records: Vec<Json> = RECORDING.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(records.len() >= 1500, "{}", records.len());
    for record in &records {
        let expression = record["expression"].as_str().unwrap();
        let (here, there) = (said(expression), recorded(record));
        match differences.iter().find(|(of, _)| of == expression) {
            Some(_) if here == there => wrong.push(format!("{expression}\n  is no difference any more")),
            Some((_, intended)) if here != *intended => wrong.push(format!("{expression}\n  here      {here}\n  intended  {intended}")),
            None if here != there => wrong.push(format!("{expression}\n  here      {here}\n  terraform {there}")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
