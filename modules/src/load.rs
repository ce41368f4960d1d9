//! Reads the root module's directory, and follows its calls.

use crate::library::built_in;
use crate::source::{Source, joined};
use engine::config::{ModuleCall, calls};
use engine::diagnostic::Diagnostic;
use engine::source::{FileId, ModuleKey, ModuleSource, SourceTree, Span};
use std::io;
use std::path::{Path, PathBuf};

/// How the names of a module's files end.
const ENDING: &str = ".mesh.hcl";
/// Modules that call each other, one in the other. A circle through links ends here too.
const DEEPEST: usize = 64;

/// Reads the module in a directory and every module it leads to. `shown` is the directory as a user would name it, relative to the
/// working directory; it stands in paths of files and in `path.module`.
///
/// What cannot be read is a problem; what can be read is there all the same. A call that leads nowhere has no entry in
/// [`ModuleSource::calls`].
pub fn load(directory: &Path, shown: &str) -> (SourceTree, Vec<Diagnostic>) {
    let tree = SourceTree::new(shown);
    let root = tree.root.clone();
    let mut loader = Loader { tree, problems: Vec::new(), around: Vec::new() };
    loader.directory(&root, directory, shown, None);
    (loader.tree, loader.problems)
}

struct Loader {
    tree: SourceTree,
    problems: Vec<Diagnostic>,
    /// The modules whose calls are being followed, outermost first.
    around: Vec<ModuleKey>,
}

/// Where a module's relative calls start from.
struct Here<'a> {
    key: &'a ModuleKey,
    /// To read from; a built-in module has none.
    path: Option<&'a Path>,
    /// To show.
    shown: &'a str,
}

impl Loader {
    /// Reads a directory's files and follows their calls. `call` is the `source` that led here.
    fn directory(&mut self, key: &ModuleKey, path: &Path, shown: &str, call: Option<Span>) {
        let names = match names(path) {
            Ok(names) => names,
            Err(why) => {
                let detail = format!("the directory `{shown}` {why}");
                self.report(Diagnostic::error("module not readable", detail), call);
                return;
            }
        };
        if !names.iter().any(|name| name.ends_with(ENDING)) {
            let detail = format!("the directory `{shown}` holds no file `*{ENDING}`");
            let problem = Diagnostic::error("no configuration", detail);
            let terraform = names.iter().any(|name| has_ending(name, "tf"));
            self.report(if terraform { problem.help("Files of Terraform (`*.tf`) are not read.") } else { problem }, call);
        }
        let mut files = Vec::new();
        for name in names.iter().filter(|name| name.ends_with(ENDING)) {
            let place = if shown == "." { name.clone() } else { format!("{shown}/{name}") };
            match text(&path.join(name)) {
                Ok(text) => files.push(self.tree.add(&place, &text)),
                Err(why) => self.problems.push(Diagnostic::error("file not readable", format!("`{place}` {why}"))),
            }
        }
        let module = ModuleSource { directory: shown.to_owned(), files: files.clone(), ..ModuleSource::default() };
        self.tree.modules.insert(key.clone(), module);
        self.calls(&files, &Here { key, path: Some(path), shown });
    }

    /// Takes a built-in module's files and follows their calls.
    fn built_in(&mut self, key: &ModuleKey, name: &str) {
        let Some(module) = built_in(name) else { return };
        let files: Vec<_> = module.files.iter().map(|(file, text)| self.tree.add(&format!("builtin:{name}/{file}"), text)).collect();
        self.tree.modules.insert(key.clone(), ModuleSource { files: files.clone(), ..ModuleSource::default() });
        self.calls(&files, &Here { key, path: None, shown: "" });
    }

    fn calls(&mut self, files: &[FileId], here: &Here<'_>) {
        self.around.push(here.key.clone());
        for file in files {
            let text = self.tree.file(*file).map(|file| file.text.clone()).unwrap_or_default();
            for call in calls(&text, *file) {
                if let Some(target) = self.follow(&call, here)
                    && let Some(module) = self.tree.modules.get_mut(here.key)
                {
                    module.calls.entry(call.name).or_insert(target);
                }
            }
        }
        self.around.pop();
    }

    /// The module that a call leads to, read if it was not read before.
    fn follow(&mut self, call: &ModuleCall, here: &Here<'_>) -> Option<ModuleKey> {
        let source = match Source::read(&call.source) {
            Ok(source) => source,
            Err(problem) => {
                self.report(*problem, Some(call.span));
                return None;
            }
        };
        let (key, target) = match (&source, here.path) {
            (Source::BuiltIn(name), _) => (ModuleKey(format!("builtin:{name}").into()), None),
            (Source::Directory(relative), Some(path)) => {
                let key = ModuleKey(joined(&here.key.0, relative).into());
                let place: PathBuf = path.join(relative);
                (key, Some((place, joined(here.shown, relative))))
            }
            (Source::Directory(relative), None) => {
                let detail = format!("a built-in module has no directory that `{relative}` could start from");
                self.report(Diagnostic::error("unknown module source", detail), Some(call.span));
                return None;
            }
        };
        if self.around.contains(&key) {
            self.circle(&key, call.span);
            return None;
        }
        if self.around.len() > DEEPEST {
            let detail = format!("`{}` is called through more than {DEEPEST} modules", key.0);
            self.report(Diagnostic::error("modules too deep", detail), Some(call.span));
            return None;
        }
        if !self.tree.modules.contains_key(&key) {
            match (source, target) {
                (Source::BuiltIn(name), _) => self.built_in(&key, &name),
                (Source::Directory(_), Some((place, shown))) => self.directory(&key, &place, &shown, Some(call.span)),
                (Source::Directory(_), None) => {}
            }
        }
        self.tree.modules.contains_key(&key).then_some(key)
    }

    fn circle(&mut self, key: &ModuleKey, call: Span) {
        let start = self.around.iter().position(|around| around == key).unwrap_or_default();
        let chain: Vec<_> = self.around[start..].iter().chain([key]).map(|key| format!("`{}`", key.0)).collect();
        let detail = format!("modules call each other in a circle: {}", chain.join(" calls "));
        self.report(Diagnostic::error("circular module call", detail), Some(call));
    }

    fn report(&mut self, problem: Diagnostic, call: Option<Span>) {
        self.problems.push(match call {
            Some(span) => problem.at(span),
            None if problem.help.is_none() => problem.help("Give the directory of a configuration with `-C DIR`."),
            None => problem,
        });
    }
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == ending)
}

/// The names of a directory's entries, sorted; or why not, as the end of a sentence.
fn names(path: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::NotADirectory => "is no directory".to_owned(),
        _ => format!("cannot be read: {error}"),
    })?;
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// A file's text; or why not, as the end of a sentence.
fn text(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].split(|byte| *byte == b'\n').count();
        format!("is not UTF-8 text: line {line} holds other bytes")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Files by path.
    type Files<'a> = &'a [(&'a str, &'a [u8])];

    /// Each file written; what loading `root` gives.
    fn loaded(files: Files<'_>) -> (SourceTree, Vec<(String, String, Option<String>)>) {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let (tree, problems) = load(&directory.path().join("root"), "root");
        let told = problems.into_iter().map(|problem| {
            let at = problem.at.map(|span| tree.file(span.file).unwrap().text[span.start as usize..span.end as usize].to_owned());
            (problem.summary, problem.detail, at)
        });
        let told = told.collect();
        (tree, told)
    }

    fn shape(tree: &SourceTree) -> Vec<String> {
        let modules = tree.modules.iter().map(|(key, module)| {
            let files: Vec<_> = module.files.iter().map(|id| tree.file(*id).unwrap().path.to_string()).collect();
            let calls: Vec<_> = module.calls.iter().map(|(name, key)| format!("{name}={}", key.0)).collect();
            format!("{} in {:?}: {} calls {}", key.0, module.directory, files.join(" "), calls.join(" "))
        });
        modules.collect()
    }

    #[test]
    fn a_directory_and_all_it_calls() {
        let (tree, problems) = loaded(&[
            ("root/b.mesh.hcl", b"module \"one\" {\n  source = \"./in\"\n}\n"),
            (
                "root/a.mesh.hcl",
                b"module \"two\" {\n  source = \"../beside\"\n}\nmodule \"lib\" {\n  source = \"builtin:multi-primary\"\n}\n",
            ),
            ("root/notes.txt", b"module"),
            ("root/mesh.vars.hcl", b"a = 1\n"),
            ("root/in/x.mesh.hcl", b"module \"up\" {\n  source = \"../../beside\"\n}\n"),
            ("beside/y.mesh.hcl", b""),
        ]);
        assert_eq!(problems, []);
        let library = tree.modules.keys().filter(|key| key.0.starts_with("builtin:")).count();
        assert_eq!(library, 1);
        let shapes: Vec<_> = shape(&tree).into_iter().filter(|shape| !shape.starts_with("builtin:")).collect();
        assert_eq!(
            shapes,
            [
                ". in \"root\": root/a.mesh.hcl root/b.mesh.hcl calls lib=builtin:multi-primary one=in two=../beside",
                "../beside in \"beside\": beside/y.mesh.hcl calls ",
                "in in \"root/in\": root/in/x.mesh.hcl calls up=../beside",
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let rows: [(Files<'_>, &str, &str, Option<&str>); 8] = [
            (&[], "module not readable", "the directory `root` does not exist", None),
            (&[("root", b"x")], "module not readable", "the directory `root` is no directory", None),
            (&[("root/main.tf", b"")], "no configuration", "the directory `root` holds no file `*.mesh.hcl`", None),
            (
                &[("root/a.mesh.hcl", b"a\n\xff")],
                "file not readable",
                "`root/a.mesh.hcl` is not UTF-8 text: line 2 holds other bytes",
                None,
            ),
            (
                &[("root/a.mesh.hcl", b"module \"x\" {\n  source = \"./no\"\n}\n")],
                "module not readable",
                "the directory `root/no` does not exist",
                Some("\"./no\""),
            ),
            (
                &[("root/a.mesh.hcl", b"module \"x\" {\n  source = \"./in\"\n}\n"), ("root/in/readme", b"")],
                "no configuration",
                "the directory `root/in` holds no file `*.mesh.hcl`",
                Some("\"./in\""),
            ),
            (
                &[("root/a.mesh.hcl", b"module \"x\" {\n  source = \"hashicorp/x/y\"\n}\n")],
                "unknown module source",
                "`hashicorp/x/y` is neither a directory nor a built-in module",
                Some("\"hashicorp/x/y\""),
            ),
            (
                &[
                    ("root/a.mesh.hcl", b"module \"x\" {\n  source = \"./in\"\n}\n"),
                    ("root/in/a.mesh.hcl", b"module \"y\" {\n  source = \"../\"\n}\n"),
                ],
                "circular module call",
                "modules call each other in a circle: `.` calls `in` calls `.`",
                Some("\"../\""),
            ),
        ];
        for (files, summary, detail, at) in rows {
            let expected = vec![(summary.to_owned(), detail.to_owned(), at.map(str::to_owned))];
            assert_eq!(loaded(files).1, expected);
        }
    }

    #[test]
    fn a_directory_in_place_of_a_file_is_told() {
        let (tree, problems) = loaded(&[("root/a.mesh.hcl/x", b""), ("root/b.mesh.hcl", b"locals {}\n")]);
        assert_eq!((problems.len(), problems[0].0.as_str()), (1, "file not readable"));
        assert_eq!(tree.files.len(), 1);
    }
}
