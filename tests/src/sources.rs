//! The project's own files, as the tests of its order read them.

use crate::scenario::project;
use std::path::Path;

/// A text file of the project.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// From the project's root, with `/` between its parts.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// Endings of the files that people write.
const ENDINGS: [&str; 8] = [".rs", ".toml", ".md", ".hcl", ".yaml", ".json", ".tmpl", ".sh"];

/// Every text file of the project but what builds leave, sorted by path.
pub fn all() -> Vec<SourceFile> {
    let mut found = Vec::new();
    collect(&project(), "", &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 100, "only {} files were found", found.len());
    found
}

/// The Rust files among them.
pub fn rust() -> Vec<SourceFile> {
    all().into_iter().filter(|file| file.is_a("rs")).collect()
}

fn collect(directory: &Path, prefix: &str, found: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            if !(name == "target" || name == ".git" || name == ".meshplan") {
                collect(&entry.path(), &format!("{path}/"), found);
            }
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) || prefix == ".ci/" {
            found.push(SourceFile { path, text: std::fs::read_to_string(entry.path()).unwrap() });
        }
    }
}

impl SourceFile {
    /// Whether the file's name has this ending.
    pub fn is_a(&self, ending: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == ending)
    }

    /// The text before the file's tests.
    pub fn before_tests(&self) -> &str {
        let end = self.text.find("#[cfg(test)]\nmod tests");
        &self.text[..end.unwrap_or(self.text.len())]
    }

    /// The text before the tests, without comments: what is compiled.
    pub fn code(&self) -> String {
        let lines = self.before_tests().lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Whether the file is compiled for tests only.
    pub fn is_for_tests(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        ["tests/", "/tests/", "/benches/"].iter().any(|part| self.path.contains(part))
            || ["tests.rs", "fake.rs", "scene.rs", "laws.rs", "sample.rs"].contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn code_ends_where_tests_begin_and_holds_no_comments() {
        let text = "//! About.\nuse a::b;\n    // why\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    use c::d;\n}\n";
        assert_eq!(file("engine/src/x.rs", text).code(), "use a::b;\nfn f() {}\n");
        let text = "#[cfg(test)]\nmod scene;\nuse a::b;\n";
        assert_eq!(file("engine/src/x.rs", text).before_tests(), text);
    }

    #[test]
    fn files_of_tests_are_known_by_their_names() {
        for (path, expected) in [
            ("engine/src/eval/scene.rs", true),
            ("tests/suite/main.rs", true),
            ("cli/src/tests/flow.rs", true),
            ("state/benches/files.rs", true),
            ("engine/src/eval/fill.rs", false),
        ] {
            assert_eq!(file(path, "").is_for_tests(), expected, "{path}");
        }
    }
}
