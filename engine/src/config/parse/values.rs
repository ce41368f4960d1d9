//! Values of variables: files, command line and environment.

use super::{Lowering, parse_expression, pieces};
use crate::config::constant::constant;
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, Span};
use crate::value::{Type, Value};
use hcl_edit::structure::Structure;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Values by the variable's name, each with the place of that name.
pub type Values = BTreeMap<Arc<str>, (Value, Span)>;

/// The values of a `*.vars.hcl` file by the variable's name, each with the place of that name.
pub fn parse_values(text: &str, file: FileId) -> (Values, Vec<Diagnostic>) {
    let mut values = Values::new();
    let mut problems = Vec::new();
    let unread = pieces::each_body(text, file, &mut |piece, base, body| {
        let mut lowering = Lowering::new(piece, base, file);
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    let at = lowering.of(&attribute.key);
                    let Some(value) = lowering.constant(attribute) else { continue };
                    let name: Arc<str> = attribute.key.as_str().into();
                    if let Some((_, first)) = values.get(&name) {
                        let problem = Diagnostic::error("duplicate name", format!("`{name}` has a value in this file already"));
                        lowering.report(problem.at(at).related(*first, "the first one is here"));
                    } else {
                        values.insert(name, (value, at));
                    }
                }
                Structure::Block(block) => {
                    let at = lowering.header(block);
                    let name = block.ident.as_str();
                    let problem = Diagnostic::error("unknown block", "a file of variable values holds `name = value`, and no blocks");
                    lowering.report(problem.at(at).help(format!("Write `{name} = {{ … }}`, or move the block to a `*.mesh.hcl` file.")));
                }
            }
        }
        problems.append(&mut lowering.problems);
    });
    problems.extend(unread);
    (values, problems)
}

/// The value that the text of `--var name=text` or of an environment variable writes for a variable of a type: the text itself where text,
/// a number, a truth value or anything may stand, an expression otherwise. `file` names the text in problems.
pub fn variable_value(text: &str, ty: &Type, file: FileId) -> Result<Value, Problems> {
    match ty {
        Type::Any | Type::Bool | Type::Number | Type::String => Ok(Value::string(text)),
        _ => constant(&parse_expression(text, file)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_values_that_are_written_out() {
        let text = "a = 1\nb = \"x\"\nc = [true, { d = null, (\"e\") = -2 }]\nf = <<-E\n  text\n  E\n";
        let (values, problems) = parse_values(text, FileId(2));
        assert_eq!(problems, []);
        let shown: Vec<_> = values.iter().map(|(name, (value, _))| format!("{name} {}", value.to_json().unwrap())).collect();
        assert_eq!(shown, ["a 1", "b \"x\"", "c [true,{\"d\":null,\"e\":-2}]", "f \"text\\n\""]);
        assert_eq!(values["b"].1, Span::new(FileId(2), 6..7));
    }

    #[test]
    fn every_problem_of_a_file_is_told_and_the_rest_is_kept() {
        let text = "a = 1\na = 2\nb = var.x\nc {\n}\nd = [\n}\n";
        let (values, problems) = parse_values(text, FileId(0));
        assert_eq!(values.keys().map(|name| &**name).collect::<Vec<_>>(), ["a"]);
        assert_eq!(values["a"].0, Value::number(1));
        let summaries: Vec<_> = problems.iter().map(|problem| problem.summary.as_str()).collect();
        assert_eq!(summaries, ["duplicate name", "not a constant", "unknown block", "syntax error"]);
        assert_eq!(problems[0].related[0].0, Span::new(FileId(0), 0..1));
    }

    #[test]
    fn typed_text_is_read_by_the_variables_type() {
        let list = Type::list(Type::String);
        for (text, ty, json) in [
            ("a b", Type::String, "\"a b\""),
            ("12", Type::Number, "\"12\""),
            ("[1]", Type::Any, "\"[1]\""),
            ("[\"a\", \"b\"]", list.clone(), "[\"a\",\"b\"]"),
            ("{ a = 1 }", Type::map(Type::Number), "{\"a\":1}"),
        ] {
            assert_eq!(variable_value(text, &ty, FileId(0)).unwrap().to_json().unwrap().to_string(), json, "{text}");
        }
        for (text, summary) in [("[", "syntax error"), ("[var.x]", "not a constant"), ("[x]", "unknown name")] {
            assert_eq!(variable_value(text, &list, FileId(0)).unwrap_err()[0].summary, summary, "{text}");
        }
    }
}
