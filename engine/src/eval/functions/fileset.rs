//! `fileset`: the files below a directory whose paths fit a pattern.

use super::argument::{Arguments, Fault};
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::eval::FileAnswer;
use crate::eval::order::set_without_origins;
use crate::value::{Type, Value};
use globset::GlobBuilder;

pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "fileset",
    group: Group::Files,
    parameters: &[Parameter::new("path", Takes::Text), Parameter::new("pattern", Takes::Text)],
    gives: Gives::Set,
    doc: "The paths, seen from a directory, of the files below it that fit a pattern: `*` and `?` stand for letters other than `/`, `**` \
          for any directories, `[a-z]` for one letter, `{a,b}` for either. Links to directories are not followed.",
    example: Example { call: r#"fileset("rules", "*.yaml")"#, result: r#"toset(["a.yaml", "b.yaml"])"# },
    body: Body::Files(fitting),
}];

/// Within how many directories a path can lie that fits the pattern, if that is bounded.
pub(super) fn depth(pattern: &str) -> Option<usize> {
    (!pattern.contains("**")).then(|| pattern.matches('/').count())
}

fn fitting(found: &FileAnswer, given: Arguments<'_>) -> Result<Value, Fault> {
    let pattern = resolved(given.text(1));
    let glob = GlobBuilder::new(&pattern).literal_separator(true).backslash_escape(true).build();
    let matcher = glob.map_err(|error| Fault::at(1, format!("is no pattern: {}", error.kind())))?.compile_matcher();
    let paths = match found {
        FileAnswer::Paths(paths) => paths.as_slice(),
        FileAnswer::Absent | FileAnswer::Text(_) => &[],
        FileAnswer::Refused(why) => return Err(Fault::at(0, format!("leads to a directory that cannot be read{}", given.reason(0, why)))),
        FileAnswer::Pending => return Err(Fault::at(0, "leads to a directory that is not read yet")),
    };
    let fitting = paths.iter().filter(|path| matcher.is_match(&***path)).map(|path| Value::string(path.clone()));
    Ok(set_without_origins(Type::String, fitting.collect()))
}

/// The pattern without `.` and `..`, which no path that is found has.
fn resolved(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/').filter(|part| *part != ".") {
        if part == ".." && parts.last().is_some_and(|last| !matches!(*last, ".." | "**")) {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_states};
    use super::depth;

    #[test]
    fn files_that_fit_are_found() {
        check(&[
            (r#"fileset("rules", "*.yaml")"#, r#"set["a.yaml", "b.yaml"]"#),
            (r#"fileset("rules", "**/*.yaml")"#, r#"set["a.yaml", "b.yaml", "more/c.yaml", "more/deep/d.yaml"]"#),
            (r#"fileset("rules", "**")"#, r#"set[".hidden", "a.yaml", "b.yaml", "more/c.yaml", "more/deep/d.yaml"]"#),
            (r#"fileset("rules", "*/*.yaml")"#, r#"set["more/c.yaml"]"#),
            (r#"fileset("rules", "{a,b}.y?ml")"#, r#"set["a.yaml", "b.yaml"]"#),
            (r#"fileset("rules", "[!b-z].yaml")"#, r#"set["a.yaml"]"#),
            (r#"fileset("rules", "./more/../a.yaml")"#, r#"set["a.yaml"]"#),
            (r#"fileset("rules", "")"#, "set[]"),
            (r#"fileset("none.txt", "*")"#, "set[]"),
            (r#"fileset("hello.txt", "*")"#, "set[]"),
            (
                r#"fileset("rules", "[")"#,
                "unsuitable argument: the `pattern` of `fileset` is no pattern: unclosed character class; missing ']'",
            ),
            (
                r#"fileset("locked.txt", "*")"#,
                "unsuitable argument: the `path` of `fileset` leads to a directory that cannot be read: no permission",
            ),
            (
                r#"fileset(var.unknown, "*")"#,
                "path not known: the path given to `fileset` is known only after apply, but a plan holds every file it needs",
            ),
        ]);
        check_states(&[(r#"fileset("asked.txt", "*")"#, "…set(any)", ""), (r#"fileset("rules", var.pending)"#, "…set(any)", "p")]);
    }

    #[test]
    fn a_pattern_says_how_deep_to_look() {
        for (pattern, expected) in [("*", Some(0)), ("a/*.yaml", Some(1)), ("**/*.yaml", None), ("a/**", None)] {
            assert_eq!(depth(pattern), expected, "{pattern}");
        }
    }
}
