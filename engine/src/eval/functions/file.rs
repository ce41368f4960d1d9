//! Functions of files of the configuration, and of their paths.

use super::argument::{Arguments, Fault};
use super::digest::{encoded, written};
use super::encoding::base64;
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::eval::{FileAnswer, Surroundings};
use crate::value::Value;
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

const PATH: &[Parameter] = &[Parameter::new("path", Takes::Text)];

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "abspath",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The path as seen from the root of the file system, with `.` and `..` within resolved.",
        example: Example { call: r#"abspath("rules/../gateway.yaml")"#, result: r#""/home/mesh/east/gateway.yaml""# },
        body: Body::Planning(|surroundings, given| {
            let path = given.text(0);
            let rooted = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", surroundings.working_directory) };
            Ok(Value::string(resolved(&rooted)))
        }),
    },
    Function {
        name: "basename",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The last part of a path.",
        example: Example { call: r#"basename("rules/east/gateway.yaml")"#, result: r#""gateway.yaml""# },
        body: Body::Plain(|given| Ok(Value::string(base(given.text(0))))),
    },
    Function {
        name: "dirname",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "A path without its last part, with `.` and `..` within resolved.",
        example: Example { call: r#"dirname("rules/east/gateway.yaml")"#, result: r#""rules/east""# },
        body: Body::Plain(|given| Ok(directory(given))),
    },
    Function {
        name: "file",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The text of a file, which must be UTF-8. It is read while planning and frozen in the plan.",
        example: Example { call: r#"file("hello.txt")"#, result: r#""hello\n""# },
        body: Body::File(|text, given| Ok(Value::string(there(text, given)?))),
    },
    Function {
        name: "filebase64",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The bytes of a file in base64. The file must be UTF-8 text.",
        example: Example { call: r#"filebase64("hello.txt")"#, result: r#""aGVsbG8K""# },
        body: Body::File(|text, given| Ok(Value::string(base64(there(text, given)?.as_bytes())))),
    },
    Function {
        name: "filebase64sha256",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The SHA-256 of a file in base64. The file must be UTF-8 text.",
        example: Example { call: r#"filebase64sha256("hello.txt")"#, result: r#""WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=""# },
        body: Body::File(|text, given| Ok(encoded::<Sha256>(there(text, given)?))),
    },
    Function {
        name: "filebase64sha512",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The SHA-512 of a file in base64. The file must be UTF-8 text.",
        example: Example {
            call: r#"filebase64sha512("hello.txt")"#,
            result: r#""58IrmUxZ2c8rSOVJseJGZmNgRZMNPafBrLKZ0cO3+TH5Sq5B7dosKyB6NuEPi8uNRSI+VIePWzFufOO2vAGWKQ==""#,
        },
        body: Body::File(|text, given| Ok(encoded::<Sha512>(there(text, given)?))),
    },
    Function {
        name: "pathexpand",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The path with the home directory for a leading `~`.",
        example: Example { call: r#"pathexpand("~/.kube/config")"#, result: r#""/home/mesh/.kube/config""# },
        body: Body::Planning(expanded),
    },
    Function {
        name: "fileexists",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Bool,
        doc: "Whether there is a file at the path.",
        example: Example { call: r#"fileexists("hello.txt")"#, result: "true" },
        body: Body::File(exists),
    },
    Function {
        name: "filemd5",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The MD5 of a file, as 32 hexadecimal digits. The file must be UTF-8 text.",
        example: Example { call: r#"filemd5("hello.txt")"#, result: r#""b1946ac92492d2347c6235b4d2611184""# },
        body: Body::File(|text, given| Ok(written::<Md5>(there(text, given)?))),
    },
    Function {
        name: "filesha1",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The SHA-1 of a file, as 40 hexadecimal digits. The file must be UTF-8 text.",
        example: Example { call: r#"filesha1("hello.txt")"#, result: r#""f572d396fae9206628714fb2ce00f72e94f2258f""# },
        body: Body::File(|text, given| Ok(written::<Sha1>(there(text, given)?))),
    },
    Function {
        name: "filesha256",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The SHA-256 of a file, as 64 hexadecimal digits. The file must be UTF-8 text.",
        example: Example {
            call: r#"filesha256("hello.txt")"#,
            result: r#""5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03""#,
        },
        body: Body::File(|text, given| Ok(written::<Sha256>(there(text, given)?))),
    },
    Function {
        name: "filesha512",
        group: Group::Files,
        parameters: PATH,
        gives: Gives::Text,
        doc: "The SHA-512 of a file, as 128 hexadecimal digits. The file must be UTF-8 text.",
        example: Example { call: r#"substr(filesha512("hello.txt"), 0, 16)"#, result: r#""e7c22b994c59d9cf""# },
        body: Body::File(|text, given| Ok(written::<Sha512>(there(text, given)?))),
    },
];

fn there<'a>(text: &'a FileAnswer, given: Arguments<'_>) -> Result<&'a str, Fault> {
    match text {
        FileAnswer::Text(text) => Ok(text),
        FileAnswer::Absent => {
            let path = if given.get(0).is_some_and(Value::is_hidden) { "what it says" } else { given.text(0) };
            Err(Fault::at(0, format!("leads to no file: there is none at `{path}` while planning")))
        }
        FileAnswer::Refused(why) => Err(Fault::at(0, format!("leads to a file that cannot be read{}", given.reason(0, why)))),
        FileAnswer::Paths(_) => Err(Fault::at(0, "leads to a directory")),
        FileAnswer::Pending => Err(Fault::at(0, "leads to a file that is not read yet")),
    }
}

fn exists(text: &FileAnswer, given: Arguments<'_>) -> Result<Value, Fault> {
    match text {
        FileAnswer::Absent => Ok(Value::bool(false)),
        other => there(other, given).map(|_| Value::bool(true)),
    }
}

fn base(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (path.is_empty(), trimmed.is_empty()) {
        (true, _) => ".",
        (false, true) => "/",
        (false, false) => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

fn expanded(surroundings: &Surroundings, given: Arguments<'_>) -> Result<Value, Fault> {
    let path = given.text(0);
    let Some(rest) = path.strip_prefix('~') else { return Ok(Value::string(path)) };
    if !rest.is_empty() && !rest.starts_with('/') {
        return Err(Fault::at(0, "begins with the home directory of somebody else, which cannot be told"));
    }
    let Some(home) = &surroundings.home_directory else {
        return Err(Fault::at(0, "begins with a home directory, and `HOME` is not set"));
    };
    Ok(Value::string(resolved(&format!("{home}{rest}"))))
}

fn directory(given: Arguments<'_>) -> Value {
    let path = given.text(0);
    Value::string(resolved(path.rfind('/').map_or("", |at| &path[..=at])))
}

/// A path without `.` and `..` as far as the text alone tells, and without a `/` at its end.
fn resolved(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_states};

    #[test]
    fn files_are_read_by_the_scope() {
        check(&[
            (r#"file("hello.txt")"#, r#""hello\n""#),
            (
                r#"file("none.txt")"#,
                "unsuitable argument: the `path` of `file` leads to no file: there is none at `none.txt` while planning",
            ),
            (r#"file("locked.txt")"#, "unsuitable argument: the `path` of `file` leads to a file that cannot be read: no permission"),
            ("file(null)", "unsuitable argument: the `path` of `file` is null here"),
            (r#"fileexists("none.txt")"#, "false"),
            (r#"fileexists("hello.txt")"#, "true"),
            (
                r#"fileexists("locked.txt")"#,
                "unsuitable argument: the `path` of `fileexists` leads to a file that cannot be read: no permission",
            ),
            ("fileexists()", "wrong number of arguments: `fileexists` takes 1 argument, 0 are given"),
            (r#"base64decode(filebase64("hello.txt"))"#, r#""hello\n""#),
            (r#"filebase64("greeting.tmpl")"#, r#""aGVsbG8sICR7bmFtZX0=""#),
            ("filebase64([])", "unsuitable argument: the `path` of `filebase64` does not fit: a string is required, found a tuple"),
            (
                r#"filebase64("none.txt")"#,
                "unsuitable argument: the `path` of `filebase64` leads to no file: there is none at `none.txt` while planning",
            ),
            (r#"filesha256("hello.txt") == sha256(file("hello.txt"))"#, "true"),
            (r#"filebase64sha256("hello.txt") == base64sha256("hello\n")"#, "true"),
            (r#"filesha256("greeting.tmpl") == filesha256("hello.txt")"#, "false"),
            (
                r#"filebase64sha256("none.txt")"#,
                "unsuitable argument: the `path` of `filebase64sha256` leads to no file: there is none at `none.txt` while planning",
            ),
        ]);
        check_states(&[
            ("file(\"asked.txt\")", "…string", ""),
            ("file(var.hello)", "\"hello\\n\"", "h"),
            ("file(sensitive(\"hello.txt\"))", "*\"hello\\n\"", ""),
            ("file(var.pending)", "…string", "p"),
            ("fileexists(var.blocked)", "!why", "x"),
        ]);
        check(&[(
            "file(var.unknown)",
            "path not known: the path given to `file` is known only after apply, but a plan holds every file it needs",
        )]);
    }

    #[test]
    fn paths_are_completed_by_where_the_plan_is_made() {
        check(&[
            (r#"abspath("x")"#, r#""/home/mesh/east/x""#),
            (r#"abspath("../x/./y/")"#, r#""/home/mesh/x/y""#),
            (r#"abspath("")"#, r#""/home/mesh/east""#),
            (r#"abspath("/../a")"#, r#""/a""#),
            (r#"pathexpand("~")"#, r#""/home/mesh""#),
            (r#"pathexpand("a~")"#, r#""a~""#),
            (r#"pathexpand("")"#, r#""""#),
            (
                r#"pathexpand("~other/x")"#,
                "unsuitable argument: the `path` of `pathexpand` begins with the home directory of somebody else, which cannot be told",
            ),
        ]);
        check_states(&[("abspath(var.hello)", "\"/home/mesh/east/hello.txt\"", "h"), ("abspath(var.pending)", "…string", "p")]);
    }

    #[test]
    fn paths_are_taken_apart_as_in_terraform() {
        check(&[
            (r#"basename("a/b/")"#, r#""b""#),
            (r#"basename("/")"#, r#""/""#),
            (r#"basename("")"#, r#"".""#),
            (r#"basename("..")"#, r#""..""#),
            (r#"basename("a//")"#, r#""a""#),
            ("basename(null)", "unsuitable argument: the `path` of `basename` is null here"),
            (r#"dirname("a/b/")"#, r#""a/b""#),
            (r#"dirname("a")"#, r#"".""#),
            (r#"dirname("/")"#, r#""/""#),
            (r#"dirname("")"#, r#"".""#),
            (r#"dirname("/a")"#, r#""/""#),
            (r#"dirname("a//b/../c")"#, r#""a""#),
            (r#"dirname("../x")"#, r#""..""#),
            (r#"dirname("/../x")"#, r#""/""#),
            (r#"dirname("a/./b/../c/d")"#, r#""a/c""#),
            ("dirname([])", "unsuitable argument: the `path` of `dirname` does not fit: a string is required, found a tuple"),
        ]);
    }
}
