//! Regular expressions, in the syntax of RE2.

use super::argument::{Arguments, Fault};
use super::result::{list, object};
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::eval::size::{COLLECTION_TOO_LARGE, MOST_ELEMENTS, MOST_TEXT, TEXT_TOO_LARGE};
use crate::value::{Entry, Type, Value};
use regex::{Captures, Regex};

const PATTERN: &[Parameter] = &[Parameter::new("pattern", Takes::Text), Parameter::new("text", Takes::Text)];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "regex",
        group: Group::Strings,
        parameters: PATTERN,
        gives: Gives::Any,
        doc: "The first part of the text that matches: as a string, or if the pattern has groups what they match, as a tuple or, if they are named, an object.",
        example: Example { call: r#"regex("(?P<major>\\d+)\\.(?P<minor>\\d+)", "v1.24.3")"#, result: r#"{ major = "1", minor = "24" }"# },
        body: Body::Plain(first_match),
    },
    Function {
        name: "regexall",
        group: Group::Strings,
        parameters: PATTERN,
        gives: Gives::List,
        doc: "All the parts of the text that match, one after the other, each as `regex` gives it.",
        example: Example { call: r#"regexall("[a-z]+", "12ab34cd")"#, result: r#"tolist(["ab", "cd"])"# },
        body: Body::Plain(all_matches),
    },
    Function {
        name: "replace",
        group: Group::Strings,
        parameters: &[Parameter::new("text", Takes::Text), Parameter::new("part", Takes::Text), Parameter::new("replacement", Takes::Text)],
        gives: Gives::Text,
        doc: "The text with each occurrence of the part replaced. A part between slashes is a pattern, whose groups the replacement names: `$1`, `${name}`.",
        example: Example { call: r#"replace("istio-1.24", "/(\\d+)\\.(\\d+)/", "$1-$2")"#, result: r#""istio-1-24""# },
        body: Body::Plain(replace),
    },
];

fn first_match(given: Arguments<'_>) -> Result<Value, Fault> {
    let pattern = compiled(given.text(0), 0)?;
    let groups = Groups::of(&pattern)?;
    match pattern.captures(given.text(1)) {
        Some(found) => Ok(groups.value(&found)),
        None => Err(Fault::at(0, "matches no part of the text")),
    }
}

fn all_matches(given: Arguments<'_>) -> Result<Value, Fault> {
    let pattern = compiled(given.text(0), 0)?;
    let groups = Groups::of(&pattern)?;
    let mut all = Vec::new();
    for found in pattern.captures_iter(given.text(1)) {
        if all.len().saturating_mul(groups.count()) >= MOST_ELEMENTS {
            return Err(Fault::call(COLLECTION_TOO_LARGE));
        }
        all.push(groups.value(&found));
    }
    Ok(list(groups.ty(), all))
}

fn replace(given: Arguments<'_>) -> Result<Value, Fault> {
    let (text, part, replacement) = (given.text(0), given.text(1), given.text(2));
    let pattern = part.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let Some(pattern) = pattern else {
        fits(text.matches(part).count().saturating_mul(replacement.len()))?;
        return Ok(Value::string(text.replace(part, replacement)));
    };
    let (pattern, mut out, mut end) = (compiled(pattern, 1)?, String::new(), 0);
    for found in pattern.captures_iter(text) {
        let whole = found.get_match();
        out.push_str(&text[end..whole.start()]);
        found.expand(replacement, &mut out);
        end = whole.end();
        fits(out.len())?;
    }
    Ok(Value::string(out + &text[end..]))
}

fn fits(length: usize) -> Result<(), Fault> {
    if length > MOST_TEXT { Err(Fault::call(TEXT_TOO_LARGE)) } else { Ok(()) }
}

/// What a pattern captures.
enum Groups {
    Whole,
    Numbered(usize),
    Named(Vec<String>),
}

impl Groups {
    fn of(pattern: &Regex) -> Result<Self, Fault> {
        let groups: Vec<Option<&str>> = pattern.capture_names().skip(1).collect();
        let named: Vec<String> = groups.iter().flatten().map(ToString::to_string).collect();
        match (groups.len(), named.len()) {
            (0, _) => Ok(Self::Whole),
            (count, 0) => Ok(Self::Numbered(count)),
            (count, named_count) if count == named_count => Ok(Self::Named(named)),
            _ => Err(Fault::at(0, "has named groups beside groups without a name")),
        }
    }

    /// How many texts each match gives.
    fn count(&self) -> usize {
        match self {
            Self::Whole => 1,
            Self::Numbered(count) => *count,
            Self::Named(names) => names.len(),
        }
    }

    fn value(&self, found: &Captures<'_>) -> Value {
        let text = |part: Option<regex::Match<'_>>| part.map_or_else(Value::null, |part| Value::string(part.as_str()));
        match self {
            Self::Whole => text(found.get(0)),
            Self::Numbered(count) => Value::tuple((1..=*count).map(|at| text(found.get(at))).collect()),
            Self::Named(names) => object(names.iter().map(|name| Entry::new(name.as_str(), text(found.name(name)))).collect()),
        }
    }

    fn ty(&self) -> Type {
        match self {
            Self::Whole => Type::String,
            Self::Numbered(count) => Type::Tuple(vec![Type::String; *count].into()),
            Self::Named(names) => Type::object(names.iter().map(|name| (name.as_str(), Type::String, false))),
        }
    }
}

fn compiled(pattern: &str, argument: usize) -> Result<Regex, Fault> {
    let unsuitable = |what: &str| Fault::at(argument, format!("is no regular expression: {what}"));
    let translated = translated(pattern).map_err(unsuitable)?;
    Regex::new(&translated).map_err(|error| {
        // The last line says what is wrong, those before it quote the pattern, which may be a secret.
        let text = error.to_string();
        unsuitable(text.lines().last().unwrap_or_default().trim_start_matches("error: "))
    })
}

/// An RE2 pattern in the syntax of the `regex` crate, which differs in few places: its `\d`, `\s`, `\w` and `\b` know more than ASCII,
/// it nests classes, and it wants braces that are no repetition escaped.
fn translated(pattern: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => escape(after, &mut out)?,
            '[' => class(after, &mut out)?,
            '{' if !is_repetition(after) => {
                out.push_str("\\{");
                after
            }
            '(' if after.starts_with('?') && has_foreign_flags(&after[1..]) => return Err("unknown flags after `(?`"),
            other => {
                out.push(other);
                after
            }
        };
    }
    Ok(out)
}

/// What stands after a backslash outside a class. Returns the rest.
fn escape<'a>(text: &'a str, out: &mut String) -> Result<&'a str, &'static str> {
    let Some(c) = text.chars().next() else { return Err("a backslash at the end") };
    let after = &text[c.len_utf8()..];
    match c {
        'b' => out.push_str("(?-u:\\b)"),
        'Q' => {
            let (literal, after) = after.split_once("\\E").unwrap_or((after, ""));
            out.push_str(&regex::escape(literal));
            return Ok(after);
        }
        // Elsewhere these two stand for the ends of words.
        '<' | '>' => out.push(c),
        _ => match perl_class(c) {
            Some((negated, members)) => out.extend(["[", if negated { "^" } else { "" }, members, "]"]),
            None => out.extend(['\\', c]),
        },
    }
    Ok(after)
}

/// Whether `\c` is the class's complement, and the members of the class.
fn perl_class(c: char) -> Option<(bool, &'static str)> {
    let members = match c.to_ascii_lowercase() {
        'd' => "0-9",
        's' => "\\t\\n\\f\\r ",
        'w' => "0-9A-Za-z_",
        _ => return None,
    };
    Some((c.is_ascii_uppercase(), members))
}

/// A class from after its `[` on. Returns what follows its `]`.
fn class<'a>(text: &'a str, out: &mut String) -> Result<&'a str, &'static str> {
    out.push('[');
    let mut rest = text;
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut first = true;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = after;
        match c {
            ']' if !first => {
                out.push(']');
                return Ok(after);
            }
            '[' if after.starts_with(':') => {
                let end = after.find(":]").ok_or("a `[:` that no `:]` closes")? + 2;
                out.push('[');
                out.push_str(&after[..end]);
                rest = &after[end..];
            }
            '[' | ']' | '&' | '~' => out.extend(['\\', c]),
            '-' if first => out.push_str("\\-"),
            '\\' => {
                let Some(c) = after.chars().next() else { return Err("a backslash at the end") };
                rest = &after[c.len_utf8()..];
                match perl_class(c) {
                    Some((true, members)) => out.extend(["[^", members, "]"]),
                    Some((false, members)) => out.push_str(members),
                    None if c == '<' || c == '>' => out.push(c),
                    None => out.extend(['\\', c]),
                }
            }
            other => out.push(other),
        }
        first = false;
    }
    Err("a `[` that no `]` closes")
}

/// Whether what follows a `{` makes it `{n}`, `{n,}` or `{n,m}`.
fn is_repetition(text: &str) -> bool {
    let Some((within, _)) = text.split_once('}') else { return false };
    let (least, most) = within.split_once(',').unwrap_or((within, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

fn has_foreign_flags(text: &str) -> bool {
    let flags = text.split([':', ')', '<', '>', '=', '!']).next().unwrap_or_default();
    flags != "P" && !flags.bytes().all(|flag| b"imsU-".contains(&flag))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn matches_are_found_as_in_terraform() {
        check(&[
            (r#"regex("[a-z]+", "53453453.345345aaabbbccc23454")"#, r#""aaabbbccc""#),
            (r#"regex("(\\d\\d\\d\\d)-(\\d\\d)", "2019-02-01")"#, r#"["2019", "02"]"#),
            (
                r#"regex("^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?", "https://terraform.io/docs/")"#,
                r#"{authority="terraform.io", scheme="https"}"#,
            ),
            (r#"regex("(a)?(b)", "b")"#, r#"[null, "b"]"#),
            (r#"regex("", "a")"#, r#""""#),
            (r#"regex("[a-z]+", "123")"#, "unsuitable argument: the `pattern` of `regex` matches no part of the text"),
            (r#"regex("(", "a")"#, "unsuitable argument: the `pattern` of `regex` is no regular expression: unclosed group"),
            (
                r#"regex("(?P<x>a)(b)", "ab")"#,
                "unsuitable argument: the `pattern` of `regex` has named groups beside groups without a name",
            ),
            (r#"regexall("[a-z]+", "1234abcd5678efgh9")"#, r#"list["abcd", "efgh"]"#),
            (r#"regexall("[a-z]+", "123")"#, "list[]"),
            (r#"regexall("(a)(b)", "abab")"#, r#"list[["a", "b"], ["a", "b"]]"#),
            (r#"regexall("(?P<k>a)(?P<v>b)?", "ab a")"#, r#"list[{k="a", v="b"}, {k="a", v=null}]"#),
            (r#"regexall("a*", "baac")"#, r#"list["", "aa", ""]"#),
            (
                r#"regexall("[", "a")"#,
                "unsuitable argument: the `pattern` of `regexall` is no regular expression: a `[` that no `]` closes",
            ),
        ]);
    }

    #[test]
    fn the_syntax_is_that_of_re2() {
        check(&[
            (r#"regex("[]a]+", "]a")"#, r#""]a""#),
            (r#"regex("[[]", "[")"#, r#""[""#),
            (r#"regex("[a&&b]+", "a&b")"#, r#""a&b""#),
            (r#"regex("[\\w-]+", "a-é")"#, r#""a-""#),
            (r#"regex("[^\\W]+", "aé")"#, r#""a""#),
            (r#"regex("\\Qa.b\\E", "a.b")"#, r#""a.b""#),
            (r#"regex("\\W", "é")"#, r#""é""#),
            (r#"regex("a{,2}", "a{,2}")"#, r#""a{,2}""#),
            (r#"regex("x{2", "x{2")"#, r#""x{2""#),
            (r#"regex("a{2}}", "aa}")"#, r#""aa}""#),
            (r#"regex("\\_\\-\\/\\:\\@\\#\\ \\<", "_-/:@# <")"#, r#""_-/:@# <""#),
            (r#"regex("\\d{2}-\\b", "12-a")"#, r#""12-""#),
            (r#"regex("[--/]", ".")"#, r#"".""#),
            (r#"regex("[\\d\\s.]+", "1 .")"#, r#""1 .""#),
            (r#"regex("[\\p{L}]+", "éa1")"#, r#""éa""#),
            (r#"regex("[[:alpha:]]+", "ab1")"#, r#""ab""#),
            (r#"regex("(?U)a+", "aaa")"#, r#""a""#),
            (r#"regex("(?s).+", "a\nb")"#, r#""a\nb""#),
            (r#"regex("(?<n>a)", "a")"#, r#"{n="a"}"#),
            (r#"regex("\\w+", "é")"#, "unsuitable argument: the `pattern` of `regex` matches no part of the text"),
            (r#"regex("^.*$", "a\nb")"#, "unsuitable argument: the `pattern` of `regex` matches no part of the text"),
            (
                r#"regex("(?x) a", " a")"#,
                "unsuitable argument: the `pattern` of `regex` is no regular expression: unknown flags after `(?`",
            ),
            (
                r#"regex("\\y", "a")"#,
                "unsuitable argument: the `pattern` of `regex` is no regular expression: unrecognized escape sequence",
            ),
            (r#"regex("a\\", "a")"#, "unsuitable argument: the `pattern` of `regex` is no regular expression: a backslash at the end"),
        ]);
    }

    #[test]
    fn parts_are_replaced_as_in_terraform() {
        check(&[
            (r#"replace("a.b.c", ".", "-")"#, r#""a-b-c""#),
            (r#"replace("abc", "", "-")"#, r#""-a-b-c-""#),
            (r#"replace("a/b", "/", "x")"#, r#""axb""#),
            (r#"replace("hello", "/l+/", "L")"#, r#""heLo""#),
            (r#"replace("hello", "/(h)(e)/", "$2$1")"#, r#""ehllo""#),
            (r#"replace("aaa", "/a*/", "b")"#, r#""b""#),
            (r#"replace("abc", "/(?i)B/", "[$0]")"#, r#""a[b]c""#),
            (r#"replace("abc", "/b/", "$1x")"#, r#""ac""#),
            (r#"replace("abc", "/(b)/", "$${1}x")"#, r#""abxc""#),
            (r#"replace("abc", "//", "x")"#, r#""xaxbxcx""#),
            (r#"replace("hello", "/(/", "x")"#, "unsuitable argument: the `part` of `replace` is no regular expression: unclosed group"),
            (r#"replace("a", null, "x")"#, "unsuitable argument: the `part` of `replace` is null here"),
        ]);
    }
}
