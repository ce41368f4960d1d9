//! What the `source` of a call says.

use crate::library::LIBRARY;
use engine::diagnostic::{Diagnostic, did_you_mean};

/// Where a call leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A directory, relative to the calling module's.
    Directory(String),
    /// A module of the library.
    BuiltIn(String),
}

impl Source {
    /// Reads a source; the problem has no place yet.
    pub(crate) fn read(text: &str) -> Result<Self, Box<Diagnostic>> {
        if let Some(name) = text.strip_prefix("builtin:") {
            return built_in(name);
        }
        if text == "." || text == ".." || text.starts_with("./") || text.starts_with("../") {
            return Ok(Self::Directory(text.to_owned()));
        }
        let problem = Diagnostic::error("unknown module source", format!("`{text}` is neither a directory nor a built-in module"));
        if LIBRARY.iter().any(|module| module.name == text) {
            return Err(Box::new(problem.help(format!("Did you mean `builtin:{text}`?"))));
        }
        let remote = text.contains("://") || text.contains("::") || text.starts_with("git@") || text.contains(".com/");
        let help = if remote {
            "Modules are not fetched from elsewhere: copy it beside the configuration and write `./path`.".to_owned()
        } else {
            format!("Write `./{}` for a directory beside the configuration, or `builtin:name`.", text.trim_start_matches('/'))
        };
        Err(Box::new(problem.help(help)))
    }
}

fn built_in(name: &str) -> Result<Source, Box<Diagnostic>> {
    let names = || LIBRARY.iter().map(|module| module.name);
    if names().any(|known| known == name) {
        return Ok(Source::BuiltIn(name.to_owned()));
    }
    let problem = Diagnostic::error("unknown module source", format!("there is no built-in module `{name}`"));
    Err(Box::new(match did_you_mean(name, names()) {
        Some(near) => problem.help(format!("Did you mean `builtin:{near}`?")),
        None => problem.help(format!("There are `{}`.", names().collect::<Vec<_>>().join("`, `"))),
    }))
}

/// The path that a relative one leads to from another, without `.` and needless `..`: `a/b` and `../c` give `a/c`.
pub(crate) fn joined(base: &str, relative: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in base.split('/').chain(relative.split('/')) {
        match step {
            "." | "" => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    match (base.starts_with('/'), steps.is_empty()) {
        (true, _) => format!("/{}", steps.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => steps.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_directories_or_built_in() {
        for (text, source) in [
            ("./a", Source::Directory("./a".into())),
            ("../a/b", Source::Directory("../a/b".into())),
            ("..", Source::Directory("..".into())),
            ("builtin:multi-primary", Source::BuiltIn("multi-primary".into())),
        ] {
            assert_eq!(Source::read(text), Ok(source), "{text}");
        }
    }

    #[test]
    fn other_sources_say_what_to_write() {
        for (text, help) in [
            ("builtin:multiprimary", "Did you mean `builtin:multi-primary`?"),
            ("builtin:x", "There are `dnsmasq`, `helloworld`, `kind-lab`, `multi-primary`, `primary-remote`."),
            ("multi-primary", "Did you mean `builtin:multi-primary`?"),
            ("a/b", "Write `./a/b` for a directory beside the configuration, or `builtin:name`."),
            (
                "git::https://example.com/a.git",
                "Modules are not fetched from elsewhere: copy it beside the configuration and write `./path`.",
            ),
        ] {
            assert_eq!(Source::read(text).unwrap_err().help.as_deref(), Some(help), "{text}");
        }
    }

    #[test]
    fn paths_are_joined_without_detours() {
        for (base, relative, path) in [
            (".", "./a", "a"),
            (".", "../a", "../a"),
            ("..", "../a", "../../a"),
            ("a/b", "../c", "a/c"),
            ("a", "..", "."),
            ("a", "../..", ".."),
            ("/a/b", "../c", "/a/c"),
        ] {
            assert_eq!(joined(base, relative), path, "{base} {relative}");
        }
    }
}
