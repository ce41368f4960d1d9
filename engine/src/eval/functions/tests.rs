//! What the tests of functions share, and what holds for all functions.

use super::table;
use crate::eval::scene::{Scene, show};
use crate::eval::strict::literal;
use crate::eval::{FileAnswer, Surroundings, type_of};
use crate::source::{FileId, Span};
use crate::value::{Type, Value};
use std::collections::BTreeSet;

/// A scene with one variable in each state, each of which came from an instance `k.<letter>`, and a few files.
fn scene() -> Scene {
    let mut scene = Scene::default();
    let list = || Type::list(Type::String);
    for (name, letter, value) in [
        ("a", "a", Value::string("a")),
        ("b", "b", Value::string("b")),
        ("one", "o", Value::number(1)),
        ("flag", "f", Value::unknown(Type::Bool)),
        ("number", "n", Value::unknown(Type::Number)),
        ("unknown", "u", Value::unknown(Type::String)),
        ("open", "o", Value::unknown(Type::Any)),
        ("list", "l", Value::unknown(list())),
        ("map", "m", Value::unknown(Type::map(Type::String))),
        ("pending", "p", Value::pending(Type::Any)),
        ("blocked", "x", Value::blocked("why")),
        ("secret", "s", Value::string("s").sensitive()),
        ("hello", "h", Value::string("hello.txt")),
    ] {
        let origin = scene.from(letter);
        scene.names.variables.insert(name.to_owned(), value.with_origin(origin));
    }
    for (path, text) in [
        ("hello.txt", FileAnswer::Text("hello\n".into())),
        ("greeting.tmpl", FileAnswer::Text("hello, ${name}".into())),
        ("locked.txt", FileAnswer::Refused("no permission".to_owned())),
        ("asked.txt", FileAnswer::Pending),
        ("none.txt", FileAnswer::Absent),
        ("rules", FileAnswer::Paths([".hidden", "a.yaml", "b.yaml", "more/c.yaml", "more/deep/d.yaml"].map(Into::into).to_vec())),
    ] {
        scene.names.files.insert(path.to_owned(), text);
    }
    scene.names.surroundings = Surroundings {
        working_directory: "/home/mesh/east".into(),
        home_directory: Some("/home/mesh".into()),
        planned_at: 1_717_243_200,
        applied_at: None,
    };
    scene
}

/// Expressions and their results as text, or their problems.
pub(super) fn check(rows: &[(&str, &str)]) {
    let wrong: Vec<_> = rows
        .iter()
        .filter_map(|(text, expected)| {
            let found = scene().show(text);
            (found != *expected).then(|| format!("{text}\n  found    {found}\n  expected {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Expressions, their results as text, and the instances these came from.
pub(super) fn check_states(rows: &[(&str, &str, &str)]) {
    for (text, expected, sources) in rows {
        let mut scene = scene();
        let value = scene.value(text);
        assert_eq!(show(&value), *expected, "{text}");
        assert_eq!(scene.sources(&value), *sources, "{text}");
    }
}

#[test]
fn every_example_gives_what_it_says() {
    for function in table() {
        let (call, result) = (function.example.call, function.example.result);
        assert!(call.contains(&format!("{}(", function.name)), "{call}");
        let mut scene = scene();
        scene.names.surroundings.applied_at = Some(scene.names.surroundings.planned_at);
        assert_eq!(scene.show(call), scene.show(result), "{call}");
    }
}

#[test]
fn what_is_missing_of_terraform_is_not_there() {
    for name in super::OF_TERRAFORM_ALONE {
        assert!(table().all(|function| function.name != name), "{name}");
    }
}

#[test]
fn every_function_is_described() {
    let mut names = BTreeSet::new();
    for function in table() {
        assert!(names.insert(function.name), "{} stands there twice", function.name);
        assert!(function.doc.ends_with('.') && function.doc.len() > 10, "{function:?}");
        let needs: Vec<_> = function.parameters.iter().map(|parameter| parameter.need as u8).collect();
        assert!(needs.is_sorted(), "{function:?}: required, then optional, then repeated");
        let repeated = function.parameters.iter().filter(|parameter| parameter.need == super::Need::Repeated).count();
        assert!(repeated <= 1, "{function:?}");
    }
    assert!(names.len() > 90, "{}", names.len());
}

#[test]
fn what_there_is_not_says_what_may_be_meant() {
    for (text, help) in [
        ("uper(\"a\")", "Did you mean `upper`?"),
        ("tempaltefile(\"a\")", "Did you mean `templatefile`?"),
        ("flaten([])", "Did you mean `flatten`?"),
        ("nothinglikeit()", "the reference of functions lists them all"),
        ("uuid()", "give its result as the value of a variable"),
    ] {
        let problems = scene().evaluate(text).unwrap_err();
        assert_eq!(problems[0].summary, "unknown function");
        assert_eq!(problems[0].help.as_deref(), Some(help), "{text}");
    }
    let problems = scene().evaluate("substr(\"a\", \"x\", [])").unwrap_err();
    assert_eq!(problems.len(), 2, "each argument that does not fit is reported");
    assert_eq!(
        problems[0].help.as_deref(),
        Some(
            "call it as `substr(text, offset, length)`: so many characters from an offset on; a negative offset counts from the end, a negative length means all that follow"
        )
    );
}

/// What a call gives when one argument is known only later must be what it gives when that argument is known now.
#[test]
fn what_is_left_for_later_gives_what_would_have_been_given_at_once() {
    for function in table() {
        let call = function.example.call;
        let Some(inner) = call.strip_prefix(&format!("{}(", function.name)).and_then(|rest| rest.strip_suffix(')')) else { continue };
        if matches!(function.group, super::Group::Control | super::Group::Files)
            && function.name != "basename"
            && function.name != "dirname"
        {
            continue;
        }
        let arguments = scene().value(&format!("[{}]", inner.trim_end_matches("...")));
        let dots = if inner.ends_with("...") { "..." } else { "" };
        let direct = scene().value(call);
        for at in 0..arguments.items().len() {
            let mut scene = scene();
            let names: Vec<String> = (0..arguments.items().len()).map(|index| format!("var.v{index}")).collect();
            for (index, value) in arguments.items().iter().enumerate() {
                let value = if index == at {
                    let thunk = scene.arena.thunks.add(literal(value.clone(), Span::new(FileId(0), 0..0)));
                    Value::deferred(type_of(value), thunk)
                } else {
                    value.clone()
                };
                scene.names.variables.insert(format!("v{index}"), value);
            }
            let deferred = scene.value(&format!("{}({}{dots})", function.name, names.join(", ")));
            let filled = scene.filled(&deferred).unwrap_or_else(|problems| panic!("{call}, argument {at} later: {problems:?}"));
            let bare = |value: &Value| show(value).replace('*', "");
            assert_eq!(bare(&filled), bare(&direct), "{call}, argument {at} later");
        }
    }
}
