//! Names of things at the Engine, and what happens where one is taken.

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

/// What is wrong with an `id` that is not the name of the thing which the arguments describe.
pub(crate) fn import_problem(id: &str, arguments: &Value) -> Result<(), Problem> {
    match arguments.text("name") {
        Some(name) if name == id => Ok(()),
        Some(name) => {
            let detail = format!("`id` names `{id}`, and the configuration describes `{name}`");
            Err(Problem::new("id of another object", detail).help("Let both name the same object: the id is its name."))
        }
        None => {
            let detail = "its name is known only after apply, and what is imported is looked at when the plan is made";
            Err(Problem::new("import not known yet", detail).help("Let it come from variables, locals or a data source that is read now."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_named_by_the_name() {
        let named = Value::object([("name", Value::string("mesh"))]);
        let open = Value::object([("name", Value::unknown(Type::String))]);
        for (id, arguments, expected) in
            [("mesh", &named, None), ("kind", &named, Some("id of another object")), ("mesh", &open, Some("import not known yet"))]
        {
            let summary = import_problem(id, arguments).map_err(|problem| problem.summary).err();
            assert_eq!(summary.as_deref(), expected, "{id}");
        }
    }

    #[test]
    fn names_are_those_that_engines_take() {
        for (name, fits) in [("mesh", true), ("a1_.-", true), ("x", false), ("-x", false), ("a b", false), ("", false)] {
            assert_eq!(name_problem(&Value::object([("name", Value::string(name))])).is_none(), fits, "{name}");
        }
    }
}
