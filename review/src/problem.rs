//! Where problems lie, for views without the text itself.

use engine::source::{SourceTree, Span};

/// `main.mesh.hcl:12:3`: a file with line and column from 1; nothing if the text is not at hand.
pub(crate) fn place(sources: &SourceTree, span: Span) -> Option<String> {
    let (line, column) = sources.position(span)?;
    Some(format!("{}:{line}:{column}", sources.file(span.file)?.path))
}
