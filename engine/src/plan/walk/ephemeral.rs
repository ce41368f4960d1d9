//! Where ephemeral values may not stand: in whatever a state or a plan keeps.

use super::Walk;
use crate::config::{Expr, Node, Root};
use crate::diagnostic::{Diagnostic, Problems};
use crate::source::{FileId, Span};
use crate::value::{Data, Marks, Type, Value};
use std::sync::Arc;

impl Walk<'_> {
    /// What stands for an input that the plan leaves open: whatever is given when it is applied.
    pub(super) fn left_open(&mut self, name: &Arc<str>, ty: &Type) -> Value {
        let input = Expr::new(Node::Root(Root::Variable(name.clone())), Span::new(FileId(u32::MAX), 0..0));
        Value::deferred(ty.clone(), self.arena.thunks.add(input)).ephemeral_if(true)
    }
}

/// Refuses a value that is to be kept and holds an ephemeral one. `what` names it, with backticks; `kept` says why that cannot be.
pub(super) fn refuse(value: &Value, what: &str, kept: &str, at: Span) -> Result<(), Problems> {
    if !value.holds_ephemeral() {
        return Ok(());
    }
    let within = match path(value).unwrap_or_default().trim_start_matches('.') {
        "" => String::new(),
        path => format!(" at `{path}`"),
    };
    let detail = format!("{what} comes from an ephemeral value{within}, and {kept}");
    let help = "Ephemeral values may stand in locals, conditions, `provider` blocks, and ephemeral variables and outputs of modules.";
    Err(vec![Diagnostic::error("ephemeral value", detail).at(at).help(help)])
}

/// Where the first ephemeral part lies.
fn path(value: &Value) -> Option<String> {
    if value.marks().has(Marks::EPHEMERAL) {
        return Some(String::new());
    }
    let below = |step: String, part: &Value| Some(if part.holds_ephemeral() { step + &path(part)? } else { return None });
    match value.data() {
        Data::Sequence(sequence) => sequence.items().iter().enumerate().find_map(|(at, item)| below(format!("[{at}]"), item)),
        Data::Mapping(mapping) => mapping.entries().iter().find_map(|entry| below(format!(".{}", entry.key), &entry.value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ephemeral_part_is_named() {
        let secret = || Value::string("s3cret").marked(Marks::EPHEMERAL);
        let at = Span::new(FileId(0), 0..1);
        for (value, detail) in [
            (secret(), "`x` comes from an ephemeral value, and it is kept"),
            (Value::tuple(vec![Value::null(), secret()]), "`x` comes from an ephemeral value at `[1]`, and it is kept"),
            (
                Value::object([("a", Value::null()), ("b", Value::tuple(vec![Value::object([("c", secret())])]))]),
                "`x` comes from an ephemeral value at `b[0].c`, and it is kept",
            ),
        ] {
            let problems = refuse(&value, "`x`", "it is kept", at).unwrap_err();
            assert_eq!(problems[0].detail, detail);
        }
        assert_eq!(refuse(&Value::string("a").sensitive(), "`x`", "it is kept", at), Ok(()));
    }
}
