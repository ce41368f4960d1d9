//! HTML and SVG as text. What is foreign comes in as text or as the value of an attribute, and is escaped there: nothing else writes it.

/// Attributes of an element: names of ours, values of anyone's.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

/// Markup under way. Every element that is opened is closed.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// An element with what `inner` writes within it.
    pub(super) fn within(&mut self, tag: &'static str, attributes: Attributes<'_>, inner: impl FnOnce(&mut Self)) {
        self.start(tag, attributes);
        self.0.push('>');
        inner(self);
        self.0.extend(["</", tag, ">"]);
    }

    /// An element with a text.
    pub(super) fn element(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.within(tag, attributes, |markup| markup.text(text));
    }

    /// An element with nothing within.
    pub(super) fn empty(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.start(tag, attributes);
        self.0.push_str("/>");
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        escape(&mut self.0, text);
    }

    /// Sentences: what stands in backticks is a name.
    pub(super) fn prose(&mut self, text: &str) {
        let parts: Vec<&str> = text.split('`').collect();
        if parts.len().is_multiple_of(2) {
            return self.text(text);
        }
        for (at, part) in parts.into_iter().enumerate() {
            if at % 2 == 0 { self.text(part) } else { self.element("code", &[], part) }
        }
    }

    /// A break between lines of the page's own source.
    pub(super) fn line(&mut self) {
        self.0.push('\n');
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is markup already.
    pub(super) fn append(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// Ours, as it is: the page's style and script.
    pub(super) fn verbatim(&mut self, ours: &'static str) {
        self.0.push_str(ours);
    }

    /// All of it.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn start(&mut self, tag: &str, attributes: Attributes<'_>) {
        self.0.extend(["<", tag]);
        for (name, value) in attributes {
            self.0.extend([" ", name, "=\""]);
            escape(&mut self.0, value);
            self.0.push('"');
        }
    }
}

/// Writes foreign text: no character of it is markup, none is invisible or turns the direction of what stands around it.
fn escape(into: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            '\n' | '\t' => into.push(c),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => into.push('\u{fffd}'),
            c if c.is_control() => into.push('\u{fffd}'),
            c => into.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_never_markup() {
        for (text, escaped) in [
            ("plain äöü", "plain äöü"),
            ("</script><img src=x onerror=alert(1)>", "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"),
            ("\" onclick='x'", "&quot; onclick=&#39;x&#39;"),
            ("&lt;", "&amp;lt;"),
            ("<!-- ]]>", "&lt;!-- ]]&gt;"),
            ("a\u{202e}b\u{0}c\u{1b}[2J\td\r\n", "a\u{fffd}b\u{fffd}c\u{fffd}[2J\td\u{fffd}\n"),
        ] {
            let mut markup = Markup::default();
            markup.element("p", &[("title", text)], text);
            assert_eq!(markup.into_text(), format!("<p title=\"{escaped}\">{escaped}</p>"));
        }
    }

    #[test]
    fn names_in_sentences_are_told_apart() {
        for (text, markup) in
            [("`a` & `b`", "<code>a</code> &amp; <code>b</code>"), ("one ` alone", "one ` alone"), ("`<i>`", "<code>&lt;i&gt;</code>")]
        {
            let mut written = Markup::default();
            written.prose(text);
            assert_eq!(written.into_text(), markup);
        }
    }

    #[test]
    fn elements_close_in_their_order() {
        let mut markup = Markup::default();
        markup.within("a", &[], |markup| {
            markup.empty("b", &[("c", "d")]);
            markup.within("e", &[], |_| {});
        });
        assert_eq!(markup.into_text(), "<a><b c=\"d\"/><e></e></a>");
    }
}
