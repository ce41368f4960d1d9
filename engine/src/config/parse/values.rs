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
