//! Functions of text. Characters are what a reader takes for one: grapheme clusters.

use super::argument::{Arguments, Fault, Work};
use super::result::texts;
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::eval::size::{MOST_TEXT, TEXT_TOO_LARGE};
use crate::value::{Marks, Value};
use unicode_segmentation::UnicodeSegmentation;

const TEXT: Parameter = Parameter::new("text", Takes::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "chomp",
        group: Group::Strings,
        parameters: &[TEXT],
        gives: Gives::Text,
        doc: "The text without the line breaks at its end.",
        example: Example { call: r#"chomp("line\r\n\n")"#, result: r#""line""# },
        body: Body::Plain(|given| Ok(changed(given, |text| text.trim_end_matches(['\r', '\n']).to_owned()))),
    },
    Function {
        name: "endswith",
        group: Group::Strings,
        parameters: &[TEXT, Parameter::new("suffix", Takes::Text)],
        gives: Gives::Bool,
        doc: "Whether the text ends with the suffix.",
        example: Example { call: r#"endswith("mesh.hcl", ".hcl")"#, result: "true" },
        body: Body::Plain(|given| Ok(Value::bool(given.text(0).ends_with(given.text(1))))),
    },
    Function {
        name: "indent",
        group: Group::Strings,
        parameters: &[Parameter::new("spaces", Takes::Number), TEXT],
        gives: Gives::Text,
        doc: "The text with every line but the first moved to the right by that many spaces.",
        example: Example { call: r#"indent(2, "a:\nb: 1")"#, result: r#""a:\n  b: 1""# },
        body: Body::Plain(indent),
    },
    Function {
        name: "join",
        group: Group::Strings,
        parameters: &[
            Parameter::new("separator", Takes::Text),
            Parameter::new("list", Takes::Texts),
            Parameter::repeated("more", Takes::Texts),
        ],
        gives: Gives::Text,
        doc: "The elements of all the lists as one text, with the separator between them.",
        example: Example { call: r#"join("-", ["a", "b"], ["c"])"#, result: r#""a-b-c""# },
        body: Body::Plain(join),
    },
    Function {
        name: "lower",
        group: Group::Strings,
        parameters: &[TEXT],
        gives: Gives::Text,
        doc: "The text in lower case, letter by letter.",
        example: Example { call: r#"lower("Cluster ÉTÉ")"#, result: r#""cluster été""# },
        body: Body::Plain(|given| Ok(changed(given, |text| text.chars().map(lower).collect()))),
    },
    Function {
        name: "split",
        group: Group::Strings,
        parameters: &[Parameter::new("separator", Takes::Text), TEXT],
        gives: Gives::Texts,
        doc: "The pieces of the text between the separators; with an empty separator its characters.",
        example: Example { call: r#"split(",", "a,b,,c")"#, result: r#"tolist(["a", "b", "", "c"])"# },
        body: Body::Plain(|given| Ok(split(given))),
    },
    Function {
        name: "startswith",
        group: Group::Strings,
        parameters: &[TEXT, Parameter::new("prefix", Takes::Text)],
        gives: Gives::Bool,
        doc: "Whether the text starts with the prefix.",
        example: Example { call: r#"startswith("istio-system", "istio-")"#, result: "true" },
        body: Body::Plain(|given| Ok(Value::bool(given.text(0).starts_with(given.text(1))))),
    },
    Function {
        name: "strcontains",
        group: Group::Strings,
        parameters: &[TEXT, Parameter::new("part", Takes::Text)],
        gives: Gives::Bool,
        doc: "Whether the part occurs in the text.",
        example: Example { call: r#"strcontains("istio-system", "system")"#, result: "true" },
        body: Body::Plain(|given| Ok(Value::bool(given.text(0).contains(given.text(1))))),
    },
    Function {
        name: "strrev",
        group: Group::Strings,
        parameters: &[TEXT],
        gives: Gives::Text,
        doc: "The characters of the text in reverse order.",
        example: Example { call: r#"strrev("héllo")"#, result: r#""olléh""# },
        body: Body::Plain(|given| Ok(changed(given, |text| text.graphemes(true).rev().collect()))),
    },
    Function {
        name: "substr",
        group: Group::Strings,
        parameters: &[TEXT, Parameter::new("offset", Takes::Number), Parameter::new("length", Takes::Number)],
        gives: Gives::Text,
        doc: "So many characters from an offset on; a negative offset counts from the end, a negative length means all that follow.",
        example: Example { call: r#"substr("meshplan", -4, 2)"#, result: r#""pl""# },
        body: Body::Plain(substring),
    },
    Function {
        name: "title",
        group: Group::Strings,
        parameters: &[TEXT],
        gives: Gives::Text,
        doc: "The text with the first letter of each word in upper case.",
        example: Example { call: r#"title("east-west gateway")"#, result: r#""East-West Gateway""# },
        body: Body::Plain(|given| Ok(changed(given, title))),
    },
    Function {
        name: "trim",
        group: Group::Strings,
        parameters: &[TEXT, Parameter::new("characters", Takes::Text)],
        gives: Gives::Text,
        doc: "The text without any of the characters at its start and end.",
        example: Example { call: r#"trim("?!hello?!", "!?")"#, result: r#""hello""# },
        body: Body::Plain(|given| Ok(Value::string(given.text(0).trim_matches(|c| given.text(1).contains(c))))),
    },
    Function {
        name: "trimprefix",
        group: Group::Strings,
        parameters: &[TEXT, Parameter::new("prefix", Takes::Text)],
        gives: Gives::Text,
        doc: "The text without the prefix, if it starts with it.",
        example: Example { call: r#"trimprefix("istio-system", "istio-")"#, result: r#""system""# },
        body: Body::Plain(|given| Ok(changed(given, |text| text.strip_prefix(given.text(1)).unwrap_or(text).to_owned()))),
    },
    Function {
        name: "trimspace",
        group: Group::Strings,
        parameters: &[TEXT],
        gives: Gives::Text,
        doc: "The text without the white space at its start and end.",
        example: Example { call: r#"trimspace("  a b\n ")"#, result: r#""a b""# },
        body: Body::Plain(|given| Ok(changed(given, |text| text.trim().to_owned()))),
    },
    Function {
        name: "trimsuffix",
        group: Group::Strings,
        parameters: &[TEXT, Parameter::new("suffix", Takes::Text)],
        gives: Gives::Text,
        doc: "The text without the suffix, if it ends with it.",
        example: Example { call: r#"trimsuffix("mesh.hcl", ".hcl")"#, result: r#""mesh""# },
        body: Body::Plain(|given| Ok(changed(given, |text| text.strip_suffix(given.text(1)).unwrap_or(text).to_owned()))),
    },
    Function {
        name: "upper",
        group: Group::Strings,
        parameters: &[TEXT],
        gives: Gives::Text,
        doc: "The text in upper case, letter by letter: a letter without a single one stays.",
        example: Example { call: r#"upper("straße")"#, result: r#""STRAßE""# },
        body: Body::Plain(|given| Ok(changed(given, |text| text.chars().map(upper).collect()))),
    },
    Function {
        name: "sort",
        group: Group::Collections,
        parameters: &[Parameter::new("list", Takes::Texts)],
        gives: Gives::Texts,
        doc: "The strings in the order of their bytes.",
        example: Example { call: r#"sort(["b", "a", "B"])"#, result: r#"tolist(["B", "a", "b"])"# },
        body: Body::Parts(sort),
    },
];

fn changed(given: Arguments<'_>, change: impl FnOnce(&str) -> String) -> Value {
    Value::string(change(given.text(0)))
}

fn upper(letter: char) -> char {
    single(letter, letter.to_uppercase())
}

fn lower(letter: char) -> char {
    // The one letter whose lower case is written with two: without its dot it is an `i`.
    if letter == 'İ' { 'i' } else { single(letter, letter.to_lowercase()) }
}

fn single(letter: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 { mapped.next().unwrap_or(letter) } else { letter }
}

fn title(text: &str) -> String {
    let mut start = true;
    let change = |letter: char| {
        let changed = if start { upper(letter) } else { letter };
        let part_of_word = letter.is_alphanumeric() || letter == '_' || (!letter.is_ascii() && !letter.is_whitespace());
        start = !part_of_word;
        changed
    };
    text.chars().map(change).collect()
}

/// More would only serve to fill memory.
const MOST_SPACES: i64 = 1024;

fn indent(given: Arguments<'_>) -> Result<Value, Fault> {
    let spaces = given.whole(0)?;
    if !(0..=MOST_SPACES).contains(&spaces) {
        return Err(Fault::at(0, format!("must be from 0 to {MOST_SPACES}, found {}", given.shown(0))));
    }
    let pad = " ".repeat(usize::try_from(spaces).unwrap_or_default());
    Ok(Value::string(given.text(1).replace('\n', &format!("\n{pad}"))))
}

fn join(given: Arguments<'_>) -> Result<Value, Fault> {
    let mut pieces = Vec::new();
    for (at, list) in given.rest(1).iter().enumerate() {
        for (index, item) in list.items().iter().enumerate() {
            let null = || Fault::at(at + 1, format!("holds null at index {index}, which cannot be joined"));
            pieces.push(item.as_str().ok_or_else(null)?);
        }
    }
    let separator = given.text(0);
    let length = pieces.iter().fold(0_usize, |length, piece| length.saturating_add(piece.len()).saturating_add(separator.len()));
    if length > MOST_TEXT { Err(Fault::call(TEXT_TOO_LARGE)) } else { Ok(Value::string(pieces.join(separator))) }
}

fn split(given: Arguments<'_>) -> Value {
    let (separator, text) = (given.text(0), given.text(1));
    if separator.is_empty() { texts(text.chars().map(String::from)) } else { texts(text.split(separator)) }
}

fn substring(given: Arguments<'_>) -> Result<Value, Fault> {
    let characters: Vec<&str> = given.text(0).graphemes(true).collect();
    let (offset, length) = (given.whole(1)?, given.whole(2)?);
    let total = i64::try_from(characters.len()).unwrap_or(i64::MAX);
    let from = if offset < 0 { total.saturating_add(offset).max(0) } else { offset.min(total) };
    let to = if length < 0 { total } else { from.saturating_add(length).min(total) };
    let index = |at: i64| usize::try_from(at).unwrap_or_default();
    Ok(Value::string(characters[index(from)..index(to)].concat()))
}

fn sort(work: &mut Work<'_>) -> Result<Value, Fault> {
    let mut items = work.items(0);
    if let Some(index) = items.iter().position(Value::is_null) {
        return Err(Fault::at(0, format!("holds null at index {index}, which has no order")));
    }
    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    // The order tells of all elements, so one sensitive element makes it sensitive.
    let marks = work.marks() | Marks::within(&items);
    Ok(super::result::list(crate::value::Type::String, items).marked(marks))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn text_is_cut_and_changed_as_in_terraform() {
        check(&[
            (r#"chomp("a\n\r")"#, r#""a""#),
            (r#"chomp("a\n")"#, r#""a""#),
            (r#"chomp("a")"#, r#""a""#),
            ("chomp(null)", "unsuitable argument: the `text` of `chomp` is null here"),
            (r#"endswith("abc", "bc")"#, "true"),
            (r#"endswith("abc", "b")"#, "false"),
            (r#"endswith("abc", "")"#, "true"),
            (r#"endswith("abc")"#, "wrong number of arguments: `endswith` takes 2 arguments, 1 is given"),
            (r#"startswith("abc", "ab")"#, "true"),
            (r#"startswith("abc", "b")"#, "false"),
            ("startswith(123, 1)", "true"),
            (r#"startswith([], "")"#, "unsuitable argument: the `text` of `startswith` does not fit: a string is required, found a tuple"),
            (r#"strcontains("abc", "bd")"#, "false"),
            (r#"strcontains("abc", "bc")"#, "true"),
            (r#"strcontains("abc", "")"#, "true"),
            (r#"strcontains("abc", null)"#, "unsuitable argument: the `part` of `strcontains` is null here"),
            (r#"indent(2, "a\nb\n\nc")"#, r#""a\n  b\n  \n  c""#),
            (r#"indent(0, "a\nb")"#, r#""a\nb""#),
            (r#"indent(2, "a\r\nb")"#, r#""a\r\n  b""#),
            (r#"indent(-1, "a")"#, "unsuitable argument: the `spaces` of `indent` must be from 0 to 1024, found `-1`"),
            (r#"indent(1.5, "a")"#, "unsuitable argument: the `spaces` of `indent` must be a whole number, found `1.5`"),
            (r#"upper("ﬁ")"#, r#""ﬁ""#),
            ("upper(1)", r#""1""#),
            ("upper(true)", r#""TRUE""#),
            (r#"upper("a", "b")"#, "wrong number of arguments: `upper` takes 1 argument, 2 are given"),
            (r#"lower("İ")"#, r#""i""#),
            (r#"lower("ÀB")"#, r#""àb""#),
            (r#"lower("")"#, r#""""#),
            ("lower({})", "unsuitable argument: the `text` of `lower` does not fit: a string is required, found an object"),
            (r#"title("hello wOrld-foo bar_baz")"#, r#""Hello WOrld-Foo Bar_baz""#),
            (r#"title("ÉcoLE d'été  x_y 1a")"#, r#""ÉcoLE D'Été  X_y 1a""#),
            (r#"title("a-b/c.d")"#, r#""A-B/C.D""#),
            ("title()", "wrong number of arguments: `title` takes 1 argument, 0 are given"),
        ]);
    }

    #[test]
    fn pieces_are_taken_and_put_together_as_in_terraform() {
        check(&[
            (r#"trim("  a ", "")"#, r#""  a ""#),
            (r#"trim("xxaxx", "x")"#, r#""a""#),
            (r#"trim("aaa", "a")"#, r#""""#),
            (r#"trim("a", [])"#, "unsuitable argument: the `characters` of `trim` does not fit: a string is required, found a tuple"),
            (r#"trimprefix("helloworld", "hello")"#, r#""world""#),
            (r#"trimprefix("helloworld", "x")"#, r#""helloworld""#),
            (r#"trimprefix("aaa", "a")"#, r#""aa""#),
            (r#"trimprefix("a", null)"#, "unsuitable argument: the `prefix` of `trimprefix` is null here"),
            (r#"trimsuffix("helloworld", "world")"#, r#""hello""#),
            (r#"trimsuffix("helloworld", "x")"#, r#""helloworld""#),
            (r#"trimsuffix("a", "a")"#, r#""""#),
            (r#"trimsuffix("a")"#, "wrong number of arguments: `trimsuffix` takes 2 arguments, 1 is given"),
            (r#"trimspace("\u00a0a\u2003")"#, r#""a""#),
            (r#"trimspace("  a\n ")"#, r#""a""#),
            (r#"trimspace(" ")"#, r#""""#),
            ("trimspace(null)", "unsuitable argument: the `text` of `trimspace` is null here"),
            (r#"strrev("👨‍👩‍👧a")"#, r#""a👨\u{200d}👩\u{200d}👧""#),
            (r#"strrev("")"#, r#""""#),
            ("strrev(12)", r#""21""#),
            ("strrev([1])", "unsuitable argument: the `text` of `strrev` does not fit: a string is required, found a tuple"),
            (r#"substr("hello", 1, 3)"#, r#""ell""#),
            (r#"substr("hello", -3, 2)"#, r#""ll""#),
            (r#"substr("hello", 1, -1)"#, r#""ello""#),
            (r#"substr("hello", 0, -2)"#, r#""hello""#),
            (r#"substr("hello", 10, 2)"#, r#""""#),
            (r#"substr("hello", -10, 2)"#, r#""he""#),
            (r#"substr("héllo", 1, 2)"#, r#""él""#),
            (r#"substr("👨‍👩‍👧abc", 0, 1) == "👨‍👩‍👧""#, "true"),
            (r#"substr("hello", 1.5, 2)"#, "unsuitable argument: the `offset` of `substr` must be a whole number, found `1.5`"),
            (r#"join(",", ["a"], ["b"])"#, r#""a,b""#),
            (r#"join(",", toset(["b", "a"]))"#, r#""a,b""#),
            (r#"join(",", [1, true])"#, r#""1,true""#),
            (r#"join("", [])"#, r#""""#),
            (r#"join(",", [1, null])"#, "unsuitable argument: the `list` of `join` holds null at index 1, which cannot be joined"),
            (
                r#"join(",", ["a"], [null])"#,
                "unsuitable argument: the `more` of `join`, argument 3, holds null at index 0, which cannot be joined",
            ),
            (
                r#"join(",", [["a"]])"#,
                "unsuitable argument: the `list` of `join` does not fit: at `[0]`: a string is required, found a tuple",
            ),
            (r#"join("-")"#, "wrong number of arguments: `join` takes at least 2 arguments, 1 is given"),
            (r#"split(",", "")"#, r#"list[""]"#),
            (r#"split("", "aé")"#, r#"list["a", "é"]"#),
            (r#"split("ab", "1ab2")"#, r#"list["1", "2"]"#),
            (r#"split(",", null)"#, "unsuitable argument: the `text` of `split` is null here"),
            ("sort([10, 9])", r#"list["10", "9"]"#),
            ("sort([true, 1])", r#"list["1", "true"]"#),
            (r#"sort(toset(["b", "a"]))"#, r#"list["a", "b"]"#),
            (r#"sort(["a", null])"#, "unsuitable argument: the `list` of `sort` holds null at index 1, which has no order"),
            (r#"sort([["a"]])"#, "unsuitable argument: the `list` of `sort` does not fit: at `[0]`: a string is required, found a tuple"),
        ]);
    }
}
