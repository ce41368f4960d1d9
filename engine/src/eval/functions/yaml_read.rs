//! Reading YAML: one document, anchors and merge keys resolved, numbers exact.

use super::argument::{Arguments, Fault};
use super::yaml_scalar::{plain, tagged};
use crate::value::{Data, Entry, Value};
use granit_parser::{Event, Parser, ScalarStyle, StrInput, Tag};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Deeper texts would exhaust the stack, larger ones the memory: aliases of aliases multiply.
const DEEPEST: usize = 128;
const LARGEST: usize = 1_000_000;

pub(super) fn decode(given: Arguments<'_>) -> Result<Value, Fault> {
    let sensitive = given.get(0).is_some_and(Value::is_hidden);
    let mut reader = Reader { events: Parser::new_from_str(given.text(0)), anchors: BTreeMap::new(), sensitive };
    loop {
        match reader.next()? {
            Event::StreamEnd => return Err(Fault::at(0, "holds no YAML document")),
            Event::DocumentStart(..) => break,
            _ => {}
        }
    }
    let event = reader.next()?;
    let node = reader.node(event, DEEPEST)?;
    loop {
        match reader.next()? {
            Event::StreamEnd => return Ok(node.value),
            Event::DocumentStart(..) => return Err(Fault::at(0, "holds more than one YAML document")),
            _ => {}
        }
    }
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    anchors: BTreeMap<usize, Node>,
    /// Whether messages must not quote the text.
    sensitive: bool,
}

#[derive(Clone)]
struct Node {
    value: Value,
    /// How many values it is, aliases followed.
    size: usize,
}

type Tagged<'a> = Option<Cow<'a, Tag>>;

impl<'a> Reader<'a> {
    /// The next event that is no comment.
    fn next(&mut self) -> Result<Event<'a>, Fault> {
        loop {
            match self.events.next_event() {
                None => return Ok(Event::StreamEnd),
                Some(Ok((event, _))) if is_data(&event) => return Ok(event),
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let place = format!("line {} column {}", error.marker().line(), error.marker().col() + 1);
                    let why = if self.sensitive { String::new() } else { format!(": {}", error.info()) };
                    return Err(Fault::at(0, format!("is no YAML at {place}{why}")));
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, Fault> {
        if depth == 0 {
            return Err(Fault::at(0, format!("is nested more than {DEEPEST} deep")));
        }
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => (anchor, Node { value: self.scalar(&text, style, tag.as_deref())?, size: 1 }),
            Event::SequenceStart(_, anchor, tag) => (anchor, self.sequence(&tag, depth)?),
            Event::MappingStart(_, anchor, tag) => (anchor, self.mapping(&tag, depth)?),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                return node.ok_or_else(|| Fault::at(0, "holds an alias within the value that it stands for"));
            }
            _ => return Err(Fault::at(0, "is no YAML")),
        };
        if node.size > LARGEST {
            return Err(Fault::at(0, format!("holds more than {LARGEST} values")));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, Fault> {
        match tag {
            None if style == ScalarStyle::Plain => plain(text),
            None => Ok(Value::string(text)),
            // `!` alone says that a plain scalar is text.
            Some(tag) if tag.original() == "!" => Ok(Value::string(text)),
            Some(tag) => {
                let name = tag.suffix_in_namespace("tag:yaml.org,2002:");
                name.and_then(|name| tagged(&name, text)).ok_or_else(|| self.unsuitable(tag))
            }
        }
    }

    fn unsuitable(&self, tag: &Tag) -> Fault {
        let which = if self.sensitive { String::new() } else { format!(" `{}`", tag.original()) };
        Fault::at(0, format!("holds a value that its tag{which} does not fit"))
    }

    fn check_tag(&self, tag: &Tagged<'_>, expected: &str) -> Result<(), Fault> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema_tag(expected) => Err(self.unsuitable(tag)),
            _ => Ok(()),
        }
    }

    fn sequence(&mut self, tag: &Tagged<'_>, depth: usize) -> Result<Node, Fault> {
        self.check_tag(tag, "seq")?;
        let (mut items, mut size) = (Vec::new(), 1_usize);
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Node { value: Value::tuple(items), size }),
                event => {
                    let node = self.node(event, depth - 1)?;
                    size = size.saturating_add(node.size);
                    items.push(node.value);
                }
            }
        }
    }

    fn mapping(&mut self, tag: &Tagged<'_>, depth: usize) -> Result<Node, Fault> {
        self.check_tag(tag, "map")?;
        let (mut merged, mut own, mut size) = (Vec::new(), Vec::new(), 1_usize);
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                // What is merged yields to what the mapping says itself.
                merged.extend(own);
                let entries = merged.into_iter().map(|entry: Entry| (entry.key, entry.value));
                return Ok(Node { value: Value::object(entries), size });
            }
            let key = key(&self.node(event, depth - 1)?.value)?;
            let event = self.next()?;
            let node = self.node(event, depth - 1)?;
            size = size.saturating_add(node.size);
            if &*key == "<<" {
                match node.value.data() {
                    Data::Mapping(mapping) => merged.extend(mapping.entries().iter().cloned()),
                    _ => return Err(Fault::at(0, "has a merge key `<<` whose value is no mapping")),
                }
            } else {
                own.push(Entry::new(key, node.value));
            }
        }
    }
}

fn is_data(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Alias(_)
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd
    )
}

fn key(value: &Value) -> Result<Arc<str>, Fault> {
    match value.data() {
        Data::Null => Err(Fault::at(0, "has null as the key of a mapping")),
        _ => match crate::eval::convert::primitive(value, &crate::value::Type::String).map(|text| text.data().clone()) {
            Ok(Data::String(text)) => Ok(text),
            _ => Err(Fault::at(0, "has a collection as the key of a mapping")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn documents_are_read_as_in_terraform() {
        check(&[
            (r#"yamldecode("- a\n- 'b'\n- |\n  x\n  y\n")"#, r#"["a", "b", "x\ny\n"]"#),
            (r#"yamldecode("a: >\n  x\n  y\nb: |-\n  z")"#, r#"{a="x y\n", b="z"}"#),
            (r#"yamldecode("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}")"#, "{a={b=1}, c={b=1}, d={b=1, e=2}}"),
            (r#"yamldecode("d: {b: 3, <<: {b: 1, c: 2}}")"#, "{d={b=3, c=2}}"),
            (r#"yamldecode("1: x\ntrue: w\n1.5: z")"#, r#"{1="x", 1.5="z", true="w"}"#),
            (r#"yamldecode("a: 1\na: 2")"#, "{a=2}"),
            (r#"yamldecode("null")"#, "null"),
            (r#"yamldecode("--- a\n")"#, r#""a""#),
            (r#"yamldecode("{a: }")"#, "{a=null}"),
            (r#"yamldecode("!!str 1")"#, r#""1""#),
            (r#"yamldecode("- !!int 0x10\n- !!float 1\n- !!bool yes\n- !!null x\n")"#, "[16, 1, true, null]"),
            (r#"yamldecode("%YAML 1.1\n---\na: 1 # one")"#, "{a=1}"),
            (r#"yamldecode("? a\n: b")"#, r#"{a="b"}"#),
            (r#"yamldecode("a: !!seq [1]\nb: !!map {c: 1}")"#, "{a=[1], b={c=1}}"),
            (r#"yamldecode("a:\n- 1\n- 2\nb: {c: d}")"#, r#"{a=[1, 2], b={c="d"}}"#),
            (r#"yamldecode(yamlencode({ a = ["x\ny\n", 1.25, null, { b = "yes" }] }))"#, r#"{a=["x\ny\n", 1.25, null, {b="yes"}]}"#),
        ]);
    }

    #[test]
    fn what_is_no_document_says_so() {
        check(&[
            (r#"yamldecode("")"#, "unsuitable argument: the `text` of `yamldecode` holds no YAML document"),
            (r#"yamldecode("a\n---\nb")"#, "unsuitable argument: the `text` of `yamldecode` holds more than one YAML document"),
            (r#"yamldecode("!foo x")"#, "unsuitable argument: the `text` of `yamldecode` holds a value that its tag `!foo` does not fit"),
            (
                r#"yamldecode("!!bool x")"#,
                "unsuitable argument: the `text` of `yamldecode` holds a value that its tag `!!bool` does not fit",
            ),
            (
                r#"yamldecode("!!str [1]")"#,
                "unsuitable argument: the `text` of `yamldecode` holds a value that its tag `!!str` does not fit",
            ),
            (r#"yamldecode("~: 1")"#, "unsuitable argument: the `text` of `yamldecode` has null as the key of a mapping"),
            (r#"yamldecode("[x]: 1")"#, "unsuitable argument: the `text` of `yamldecode` has a collection as the key of a mapping"),
            (
                r#"yamldecode("a: {<<: [{b: 1}]}")"#,
                "unsuitable argument: the `text` of `yamldecode` has a merge key `<<` whose value is no mapping",
            ),
            (
                r#"yamldecode("&a [*a]")"#,
                "unsuitable argument: the `text` of `yamldecode` holds an alias within the value that it stands for",
            ),
            (
                r#"yamldecode(".nan")"#,
                "unsuitable argument: the `text` of `yamldecode` holds a number that is none here: numbers are finite",
            ),
            (r#"yamldecode(sensitive("a: [hunter2"))"#, "unsuitable argument: the `text` of `yamldecode` is no YAML at line 1 column 4"),
            (
                r#"yamldecode(join("", concat([for i in range(200) : "["], [for i in range(200) : "]"])))"#,
                "unsuitable argument: the `text` of `yamldecode` is nested more than 128 deep",
            ),
            (
                r#"yamldecode(join("\n", concat(["- &a0 [x, x, x, x, x, x, x, x, x, x]"], [for i in range(1, 8) : "- &a${i} [*a${i - 1}, *a${i - 1}, *a${i - 1}, *a${i - 1}, *a${i - 1}, *a${i - 1}, *a${i - 1}, *a${i - 1}, *a${i - 1}, *a${i - 1}]"])))"#,
                "unsuitable argument: the `text` of `yamldecode` holds more than 1000000 values",
            ),
        ]);
    }
}
