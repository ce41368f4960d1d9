//! Where the keys of a YAML text stand.

use granit_parser::{Event, Parser, Span, StrInput, StructureStyle};
use std::ops::Range;

/// A value of the text.
#[derive(Debug)]
pub(super) struct Node {
    /// Its bytes: of a block, from its first key to the end of its last value.
    pub(super) range: Range<usize>,
    /// Its keys, if it is a mapping of plain keys.
    pub(super) mapping: Option<Mapping>,
}

/// The keys of a mapping.
#[derive(Debug)]
pub(super) struct Mapping {
    /// Whether it is written in braces.
    pub(super) flow: bool,
    /// In the order of the text.
    pub(super) entries: Vec<Entry>,
}

/// One key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_range: Range<usize>,
    pub(super) value: Node,
}

/// The outline of the first document; nothing if it is empty, or not as plain as to be edited.
pub(super) fn outline(text: &str) -> Option<Node> {
    let mut reader = Reader { events: Parser::new_from_str(text) };
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => return None,
            Event::StreamStart | Event::DocumentStart(..) => {}
            event => return reader.node((event, span)),
        }
    }
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
}

impl<'a> Reader<'a> {
    /// The next event that is no comment.
    fn next(&mut self) -> Option<(Event<'a>, Span)> {
        loop {
            let (event, span) = self.events.next_event()?.ok()?;
            if !matches!(event, Event::Comment(..)) {
                return Some((event, span));
            }
        }
    }

    fn node(&mut self, (event, span): (Event<'a>, Span)) -> Option<Node> {
        let range = span.byte_range()?;
        match event {
            Event::Scalar(..) | Event::Alias(..) => Some(Node { range, mapping: None }),
            Event::SequenceStart(style, ..) => {
                let mut end = range.end;
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, span) => return Some(Node { range: closed(range.start, end, style, &span)?, mapping: None }),
                        next => end = self.node(next)?.range.end,
                    }
                }
            }
            Event::MappingStart(style, ..) => self.mapping(range, style),
            _ => None,
        }
    }

    fn mapping(&mut self, range: Range<usize>, style: StructureStyle) -> Option<Node> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut end = range.end;
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => {
                    let start =
                        entries.first().filter(|_| style == StructureStyle::Block).map_or(range.start, |first| first.key_range.start);
                    let range = closed(start, end, style, &span)?;
                    return Some(Node { range, mapping: Some(Mapping { flow: style == StructureStyle::Flow, entries }) });
                }
                Event::Scalar(key, ..) => key.into_owned(),
                _ => return None,
            };
            let key_range = span.byte_range()?;
            let value = self.next()?;
            let value = self.node(value)?;
            end = value.range.end.max(key_range.end);
            entries.push(Entry { key, key_range, value });
        }
    }
}

/// From the start of a collection to its end: the closing bracket, or the end of its last part.
fn closed(start: usize, end: usize, style: StructureStyle, last: &Span) -> Option<Range<usize>> {
    Some(if style == StructureStyle::Flow { start..last.byte_range()?.end } else { start..end.max(start) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_where_they_stand() {
        let text = "# ä\na:\n  b: 'x' # y\n  c: [1, 2]\nd: {e: 1}\n";
        let outline = outline(text).expect("an outline");
        let top = outline.mapping.expect("a mapping");
        let a = &top.entries[0];
        assert_eq!((&*a.key, &text[a.key_range.clone()], &text[a.value.range.clone()]), ("a", "a", "b: 'x' # y\n  c: [1, 2]"));
        let within = a.value.mapping.as_ref().expect("a mapping");
        let values: Vec<_> = within.entries.iter().map(|entry| &text[entry.value.range.clone()]).collect();
        assert_eq!(values, ["'x'", "[1, 2]"]);
        let d = &top.entries[1];
        assert!(d.value.mapping.as_ref().is_some_and(|mapping| mapping.flow));
        assert_eq!(&text[d.value.range.clone()], "{e: 1}");
    }

    #[test]
    fn what_has_no_outline() {
        for text in ["", "# nothing\n", "a: [", "? [a]\n: 1\n"] {
            assert!(outline(text).is_none(), "{text}");
        }
    }
}
