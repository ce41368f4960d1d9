//! The text that the problems of a plan point at, and no more of it: elsewhere in the files may stand what nobody should see.

use super::super::words_v1::Words;
use engine::diagnostic::Diagnostic;
use engine::source::{FileId, SourceTree, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One file, with spaces for all but the lines that are pointed at: line ends and offsets are as they were.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceV1 {
    file: u32,
    path: Words,
    text: String,
}

/// More files than any configuration has.
const MOST: u32 = 1_000_000;

/// The excerpts that these problems need.
pub(super) fn excerpts(sources: &SourceTree, problems: &[Diagnostic]) -> Vec<SourceV1> {
    let mut spans: BTreeMap<FileId, Vec<Span>> = BTreeMap::new();
    for problem in problems {
        for span in problem.at.iter().chain(problem.related.iter().map(|(span, _)| span)) {
            spans.entry(span.file).or_default().push(*span);
        }
    }
    let excerpt = |(file, spans): (FileId, Vec<Span>)| {
        let source = sources.file(file)?;
        Some(SourceV1 { file: file.0, path: Words(source.path.clone()), text: lines_at(&source.text, &spans) })
    };
    spans.into_iter().filter_map(excerpt).collect()
}

fn lines_at(text: &str, spans: &[Span]) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (start, end) = (kept.len(), kept.len() + line.len());
        let pointed_at = |span: &Span| (span.start as usize) < end && span.end as usize >= start;
        if spans.iter().any(pointed_at) {
            kept.push_str(line);
        } else {
            kept.extend(line.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        }
    }
    kept
}

/// A tree of these files alone.
pub(super) fn tree(stored: Vec<SourceV1>) -> Result<SourceTree, String> {
    let mut tree = SourceTree::new(".");
    for source in stored {
        let next = u32::try_from(tree.files.len()).unwrap_or(u32::MAX);
        if source.file < next || source.file > MOST {
            return Err(format!("the source {} is not where it is expected", source.file));
        }
        for _ in next..source.file {
            tree.add("", "");
        }
        tree.add(&source.path.0, &source.text);
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_that_are_pointed_at_are_kept() {
        let mut sources = SourceTree::new(".");
        sources.add("a", "never shown");
        let file = sources.add("b", "secret = \"ä\"\nname = 1\nother = 2\n");
        let at = "secret = \"ä\"\n".len();
        let problem = Diagnostic::warning("w", "d").at(Span::new(file, at..at + 4));
        let tree = tree(excerpts(&sources, &[problem])).unwrap();
        assert_eq!(&*tree.files[1].text, "             \nname = 1\n         \n");
        assert_eq!((tree.files.len(), &*tree.files[0].text), (2, ""));
        assert_eq!(tree.position(Span::new(file, at..at + 4)), sources.position(Span::new(file, at..at + 4)));
    }
}
