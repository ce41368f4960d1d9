//! Names of things at the Engine, and what happens where one is taken.

use engine::port::Failure;
use engine::schema::{Attribute, Problem};
use engine::value::{Type, Value};

/// What happens where the name is taken.
pub(crate) fn on_exists() -> Attribute {
    let doc = "What to do where the name is taken by what was not made here: `error` (the default), or `adopt` to take it over as it is.";
    Attribute::optional("on_exists", Type::String, doc).default(Value::string("error"))
}

/// What is wrong with an argument `on_exists`.
pub(crate) fn on_exists_problem(arguments: &Value) -> Option<Problem> {
    let text = arguments.text("on_exists").filter(|text| !matches!(*text, "error" | "adopt"))?;
    Some(Problem::with("on_exists", "invalid value", format!("`on_exists` is `{text}`; it is either `error` or `adopt`")))
}

/// What is wrong with the name of a thing at the Engine.
pub(crate) fn name_problem(arguments: &Value) -> Option<Problem> {
    let name = arguments.text("name")?;
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let fits = name.len() > 1 && name.bytes().all(rest) && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    let detail = || {
        format!("`{name}` is no name of a Docker Engine: two or more letters, digits, `_`, `.` and `-`, beginning with a letter or digit")
    };
    (!fits).then(|| Problem::with("name", "invalid name", detail()))
}

/// A problem as a failure, with its help.
pub(crate) fn refusal(problem: Problem) -> Failure {
    let help = problem.help.map(|help| format!(". {help}")).unwrap_or_default();
    Failure::new(problem.summary, format!("{}{help}", problem.detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_engines_take() {
        for (name, fits) in [("mesh", true), ("a1_.-", true), ("x", false), ("-x", false), ("a b", false), ("", false)] {
            assert_eq!(name_problem(&Value::object([("name", Value::string(name))])).is_none(), fits, "{name}");
        }
    }
}
