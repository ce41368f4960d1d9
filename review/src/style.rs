//! Colour, where it is wanted. Nothing is said by colour alone.

use anstyle::{AnsiColor, Style as Ansi};
use engine::plan::Action;
use std::collections::BTreeMap;

/// What a piece of text is, as far as its colour goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Something that comes to be.
    Add,
    /// Something that changes.
    Change,
    /// Something that goes.
    Remove,
    /// A word that is there now, within a line that stays.
    AddedWord,
    /// A word that was there, within a line that stays.
    RemovedWord,
    /// Something that is only read or waited for.
    Read,
    /// Something that matters less.
    Dim,
    /// A heading.
    Strong,
    /// Good news.
    Success,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Text as it is.
    #[default]
    Plain,
    /// With ANSI sequences.
    Coloured,
}

impl Style {
    /// Whether text for a stream is coloured: by the conventions of `NO_COLOR`, `CLICOLOR_FORCE` and `CLICOLOR`, in this order; without
    /// them if it is a terminal that is not `dumb`.
    pub fn from_environment(environment: &BTreeMap<String, String>, terminal: bool) -> Self {
        let set = |name: &str| environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let coloured = if set("NO_COLOR").is_some() {
            false
        } else if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            true
        } else {
            terminal && set("CLICOLOR") != Some("0") && set("TERM") != Some("dumb")
        };
        if coloured { Self::Coloured } else { Self::Plain }
    }

    /// The text in its colour.
    pub fn paint(self, paint: Paint, text: &str) -> String {
        if self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        let ansi = match paint {
            Paint::Add | Paint::Success => AnsiColor::Green.on_default(),
            Paint::Change | Paint::Warning => AnsiColor::Yellow.on_default(),
            Paint::Remove | Paint::Error => AnsiColor::Red.on_default(),
            Paint::AddedWord => AnsiColor::Green.on_default().bold(),
            Paint::RemovedWord => AnsiColor::Red.on_default().bold(),
            Paint::Read => AnsiColor::Cyan.on_default(),
            Paint::Dim => Ansi::new().dimmed(),
            Paint::Strong => Ansi::new().bold(),
        };
        format!("{ansi}{text}{ansi:#}")
    }
}

/// How many columns a text takes, colours apart.
pub(crate) fn visible_width(text: &str) -> usize {
    let mut pieces = text.split('\u{1b}');
    let first = pieces.next().map_or(0, |text| text.chars().count());
    first + pieces.filter_map(|piece| piece.split_once('m')).map(|(_, rest)| rest.chars().count()).sum::<usize>()
}

/// The colour of an action.
pub fn paint_of(action: Action) -> Paint {
    match action {
        Action::Create => Paint::Add,
        Action::Update | Action::Import | Action::Move => Paint::Change,
        Action::Replace | Action::ReplaceCreateFirst | Action::Delete => Paint::Remove,
        Action::Read | Action::Settle => Paint::Read,
        Action::Keep | Action::Forget => Paint::Dim,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conventions_decide_in_their_order() {
        for (variables, terminal, coloured) in [
            ("", true, true),
            ("", false, false),
            ("NO_COLOR=1", true, false),
            ("NO_COLOR=", true, true),
            ("NO_COLOR=1 CLICOLOR_FORCE=1", true, false),
            ("CLICOLOR_FORCE=1", false, true),
            ("CLICOLOR_FORCE=0", false, false),
            ("CLICOLOR=0", true, false),
            ("TERM=dumb", true, false),
        ] {
            let pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
            let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let expected = if coloured { Style::Coloured } else { Style::Plain };
            assert_eq!(Style::from_environment(&environment, terminal), expected, "{variables} {terminal}");
        }
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(Style::Plain.paint(Paint::Error, "x"), "x");
        let coloured = Style::Coloured.paint(Paint::Error, "x");
        assert_eq!(coloured, "\u{1b}[31mx\u{1b}[0m");
        assert_eq!((visible_width(&format!("{coloured}ä m")), visible_width("")), (4, 0));
    }
}
