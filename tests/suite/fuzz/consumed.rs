//! What is done with a text, and what must hold then.

use engine::address::Address;
use engine::config::{self, Expr, Root, lay_out, parse_expression, parse_template};
use engine::diagnostic::{Diagnostic, Problems};
use engine::eval::{Arena, FileAnswer, Scope, Surroundings, convert, evaluate, type_of};
use engine::source::{FileId, SourceTree, Span};
use engine::value::{Data, Instance, Type, Value};
use std::sync::Arc;

/// What no message and no value that is not marked may hold.
const SECRET: &str = "ohTheSecret";

/// Known names of every state.
struct Names;

impl Names {
    fn variable(name: &str) -> Option<Value> {
        let texts = || Value::tuple(vec![Value::string("b"), Value::string("a")]);
        let made = |value: Value, ty: &Type| convert(value, ty, &mut Arena::default()).unwrap();
        Some(match name {
            "number" => Value::number(3),
            "text" => Value::string("k0"),
            "truth" => Value::bool(true),
            "list" => made(texts(), &Type::list(Type::String)),
            "set" => made(texts(), &Type::set(Type::String)),
            "map" => made(Value::object([("k0", Value::number(1)), ("b", Value::number(2))]), &Type::map(Type::Number)),
            "object" => Value::object([("k0", texts()), ("a", Value::null()), ("later", Value::unknown(Type::String))]),
            "nothing" => Value::null(),
            "secret" => Value::string(SECRET).sensitive(),
            "secrets" => Value::object([("k0", Value::string(SECRET).sensitive()), (SECRET, Value::null())]).sensitive(),
            "unknown" => Value::unknown(Type::Any),
            "unknown_number" => Value::unknown(Type::Number),
            "unknown_truth" => Value::unknown(Type::Bool),
            "unknown_list" => Value::unknown(Type::list(Type::String)),
            "unknown_set" => Value::unknown(Type::set(Type::Number)),
            "unknown_map" => Value::unknown(Type::map(Type::String)),
            "unknown_object" => Value::unknown(Type::object([("k0", Type::Number, false), ("a", Type::Any, true)])),
            "pending" => Value::pending(Type::Any),
            "pending_list" => Value::pending(Type::list(Type::String)),
            "blocked" => Value::blocked("it was not reached"),
            "passing" => Value::string("passing").marked(engine::value::Marks::EPHEMERAL),
            _ => return None,
        })
    }
}

impl Scope for Names {
    fn resolve(&mut self, root: &Root, span: Span, _: &mut Arena) -> Result<Value, Problems> {
        let found = match root {
            Root::Variable(name) | Root::Bound(name) => Self::variable(name),
            Root::Resource(..) => {
                let attributes = Value::object([("id", Value::unknown(Type::String)), ("k0", Value::number(1))]);
                let address = Address::managed("k", "n");
                Some(Value::new(Data::Instance(Arc::new(Instance { address, classes: &["cluster"], attributes }))))
            }
            _ => None,
        };
        found.ok_or_else(|| vec![Diagnostic::error("unknown name", "nothing has a name here").at(span)])
    }

    fn file(&mut self, path: &str) -> FileAnswer {
        match path.len() % 4 {
            0 => FileAnswer::Text("one ${var.number}\n%{ for x in xs }${x}%{ endfor }\n".into()),
            1 => FileAnswer::Pending,
            2 => FileAnswer::Refused("it is not to be read".to_owned()),
            _ => FileAnswer::Absent,
        }
    }

    fn files(&mut self, _: &str, _: Option<usize>) -> FileAnswer {
        FileAnswer::Paths(vec!["a".into(), "b/c".into()])
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings::default()
    }
}

fn places_are_within(problems: &Problems, text: &str) {
    for problem in problems {
        for span in problem.at.iter().chain(problem.related.iter().map(|(span, _)| span)) {
            assert!(text.get(span.start as usize..span.end as usize).is_some(), "{problem:?}");
        }
    }
}

/// Reads a text as configuration, as values and as tests, and lays it out twice.
pub(super) fn read_configuration(text: &str) {
    let mut tree = SourceTree::new(".");
    let file = tree.add("main.mesh.hcl", text);
    tree.modules.get_mut(&tree.root).unwrap().files.push(file);
    let (configuration, problems) = config::parse(&tree, &["cluster"]);
    places_are_within(&problems, text);
    places_are_within(&config::parse_values(text, file).1, text);
    places_are_within(&config::parse_runs(text, file, &configuration).1, text);
    if let Ok(laid_out) = lay_out(text, file) {
        let bare = |text: &str| text.chars().filter(|of| !of.is_whitespace()).collect::<String>();
        assert_eq!(bare(&laid_out), bare(text), "words changed");
        assert_eq!(lay_out(&laid_out, file).as_ref(), Ok(&laid_out), "laid out again, it is another text");
    }
}

/// Evaluates a text as an expression.
pub(super) fn evaluate_expression(text: &str) {
    match parse_expression(text, FileId(0)) {
        Ok(expression) => value_of(&expression, text),
        Err(problems) => places_are_within(&problems, text),
    }
}

/// Evaluates a text as a template.
pub(super) fn render_template(text: &str) {
    match parse_template(text, FileId(0)) {
        Ok(expression) => value_of(&expression, text),
        Err(problems) => places_are_within(&problems, text),
    }
}

fn value_of(expression: &Expr, text: &str) {
    let mut arena = Arena::default();
    let is_told = |said: &str| said.contains(SECRET) && !text.contains(SECRET) && !text.contains("nonsensitive");
    match evaluate(expression, &mut Names, &mut arena) {
        Ok(value) => {
            let said = type_of(&value).to_string();
            assert!(value.is_hidden() || !is_told(&said), "{said}");
            if !value.is_hidden()
                && let Ok(json) = value.to_json()
            {
                assert!(!is_told(&json.to_string()), "{json}");
            }
            for ty in [Type::String, Type::Number, Type::list(Type::Any), Type::set(Type::String), Type::map(Type::Any)] {
                if let Err(mismatch) = convert(value.clone(), &ty, &mut arena) {
                    assert!(!is_told(&mismatch.to_string()), "{mismatch}");
                }
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "an error without a problem");
            assert!(!problems.iter().any(|problem| is_told(&format!("{problem:?}"))), "{problems:?}");
        }
    }
}
