//! Values of the root module's variables: from the environment, from files, from the command line, the later one counting.

use crate::args::Assignment;
use engine::config::{Variable, parse_values, variable_value};
use engine::diagnostic::{Diagnostic, did_you_mean};
use engine::source::{SourceTree, Span};
use engine::value::{Type, Value};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an environment variable's name begins with to set the variable named by the rest.
const PREFIX: &str = "MESHPLAN_VAR_";
/// The file that is read before those in [`AUTOMATIC`].
const FIRST: &str = "mesh.vars.hcl";
/// How the names of files end that are read unasked, in order of their names.
const AUTOMATIC: &str = ".auto.vars.hcl";

/// Where values may come from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    /// The environment.
    pub(crate) environment: &'a BTreeMap<String, String>,
    /// The working directory, which paths on the command line are relative to.
    pub(crate) working_directory: &'a Path,
    /// The directory of the configuration, as a user would name it; without one no file is read unasked.
    pub(crate) shown_directory: Option<&'a str>,
    /// The command line, in its order.
    pub(crate) assignments: &'a [Assignment],
}

/// Values with the places at which they were given.
pub(crate) type Given = BTreeMap<Arc<str>, (Value, Span)>;

/// Gathers values; every text they are read from becomes part of the sources, so that problems can show it.
pub(crate) fn gather(sources: &mut SourceTree, variables: &BTreeMap<Arc<str>, Variable>, places: Places<'_>) -> (Given, Vec<Diagnostic>) {
    let mut gathering = Gathering { sources, variables, values: BTreeMap::new(), problems: Vec::new() };
    gathering.environment(places.environment);
    for path in automatic(places) {
        gathering.file(places.working_directory, &path);
    }
    for assignment in places.assignments {
        match assignment {
            Assignment::Value { name, text } => gathering.typed(name, text),
            Assignment::File(path) => gathering.file(places.working_directory, path),
        }
    }
    (gathering.values, gathering.problems)
}

/// The files that are read unasked, as a user would name them.
fn automatic(places: Places<'_>) -> Vec<String> {
    let Some(shown_directory) = places.shown_directory else { return Vec::new() };
    let directory = places.working_directory.join(shown_directory);
    let shown = |name: &str| match shown_directory {
        "." => name.to_owned(),
        directory => PathBuf::from(directory).join(name).display().to_string(),
    };
    let entries = std::fs::read_dir(&directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name == FIRST || name.ends_with(AUTOMATIC));
    names.sort_by_key(|name| (name != FIRST, name.clone()));
    names.iter().map(|name| shown(name)).collect()
}

struct Gathering<'a> {
    sources: &'a mut SourceTree,
    variables: &'a BTreeMap<Arc<str>, Variable>,
    values: Given,
    problems: Vec<Diagnostic>,
}

impl Gathering<'_> {
    fn environment(&mut self, environment: &BTreeMap<String, String>) {
        for (name, text) in environment {
            if let Some((variable, Variable { ty, .. })) = name.strip_prefix(PREFIX).and_then(|name| self.variables.get_key_value(name)) {
                self.text(variable.clone(), name, text, ty);
            }
        }
    }

    fn typed(&mut self, name: &str, text: &str) {
        if let Some((variable, Variable { ty, .. })) = self.variables.get_key_value(name) {
            self.text(variable.clone(), &format!("--var {name}"), text, ty);
        } else {
            let problem =
                Diagnostic::error("unknown variable", format!("`--var {name}` sets a variable that the root module does not have"));
            self.problems.push(self.suggest(problem, name));
        }
    }

    fn text(&mut self, variable: Arc<str>, origin: &str, text: &str, ty: &Type) {
        let file = self.sources.add(origin, text);
        match variable_value(text, ty, file) {
            Ok(value) => {
                self.values.insert(variable, (value, Span::new(file, 0..text.len())));
            }
            Err(problems) => self.problems.extend(problems),
        }
    }

    fn file(&mut self, working_directory: &Path, path: &str) {
        let text = match std::fs::read_to_string(working_directory.join(path)) {
            Ok(text) => text,
            Err(error) => {
                let why = if error.kind() == io::ErrorKind::InvalidData { "it is not UTF-8 text".to_owned() } else { error.to_string() };
                self.problems.push(Diagnostic::error("file of values not readable", format!("`{path}`: {why}")));
                return;
            }
        };
        let file = self.sources.add(path, &text);
        let (values, problems) = parse_values(&text, file);
        self.problems.extend(problems);
        for (name, (value, span)) in values {
            if self.variables.contains_key(&name) {
                self.values.insert(name, (value, span));
            } else {
                let problem =
                    Diagnostic::warning("unknown variable", format!("the root module has no variable `{name}`; its value is not used"));
                self.problems.push(self.suggest(problem.at(span), &name));
            }
        }
    }

    fn suggest(&self, problem: Diagnostic, name: &str) -> Diagnostic {
        match did_you_mean(name, self.variables.keys().map(|name| &**name)) {
            Some(near) => problem.help(format!("Did you mean `{near}`?")),
            None => problem.help(format!("Declare it: `variable \"{name}\" {{}}`.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::source::FileId;

    fn variables() -> BTreeMap<Arc<str>, Variable> {
        let variable = |ty| Variable {
            ty,
            default: None,
            description: None,
            sensitive: false,
            ephemeral: false,
            nullable: true,
            validations: Vec::new(),
            span: Span::new(FileId(0), 0..0),
        };
        BTreeMap::from([("region".into(), variable(Type::String)), ("names".into(), variable(Type::list(Type::String)))])
    }

    struct Case<'a> {
        environment: &'a [(&'a str, &'a str)],
        files: &'a [(&'a str, &'a str)],
        assignments: &'a [Assignment],
    }

    fn gathered(case: &Case<'_>) -> (BTreeMap<Arc<str>, Value>, Vec<String>) {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in case.files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let environment = case.environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let places = Places {
            environment: &environment,
            working_directory: directory.path(),
            shown_directory: Some("."),
            assignments: case.assignments,
        };
        let (values, problems) = gather(&mut SourceTree::new("."), &variables(), places);
        let told = |problem: &Diagnostic| format!("{}: {}", problem.summary, problem.help.clone().unwrap_or_default());
        (values.into_iter().map(|(name, (value, _))| (name, value)).collect(), problems.iter().map(told).collect())
    }

    fn value(name: &str, text: &str) -> Assignment {
        Assignment::Value { name: name.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn the_later_source_counts() {
        let environment: &[_] = &[("MESHPLAN_VAR_region", "environment"), ("MESHPLAN_VAR_other", "ignored")];
        let first = ("mesh.vars.hcl", "region = \"first\"\n");
        let automatic = ("a.auto.vars.hcl", "region = \"a\"\n");
        let later = ("b.auto.vars.hcl", "region = \"b\"\n");
        let named = ("named.vars.hcl", "region = \"named\"\n");
        let file = Assignment::File("named.vars.hcl".to_owned());
        let rows: [(Case<'_>, &str); 6] = [
            (Case { environment, files: &[], assignments: &[] }, "environment"),
            (Case { environment, files: &[first], assignments: &[] }, "first"),
            (Case { environment, files: &[later, automatic, first], assignments: &[] }, "b"),
            (Case { environment, files: &[first, named], assignments: &[] }, "first"),
            (Case { environment, files: &[first, named], assignments: &[value("region", "typed"), file.clone()] }, "named"),
            (Case { environment, files: &[first, named], assignments: &[file, value("region", "typed")] }, "typed"),
        ];
        for (case, expected) in rows {
            let (values, problems) = gathered(&case);
            assert_eq!(values.get("region").and_then(Value::as_str), Some(expected));
            assert_eq!(problems, Vec::<String>::new());
        }
    }

    #[test]
    fn what_is_not_text_is_an_expression() {
        let (values, problems) = gathered(&Case { environment: &[], files: &[], assignments: &[value("names", "[\"a\", \"b\"]")] });
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(values.get("names").map(|names| names.items().len()), Some(2));
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let missing = Assignment::File("missing.vars.hcl".to_owned());
        let assignments = [value("regoin", "eu"), value("zzz", "1"), missing, value("names", "[")];
        let (values, problems) =
            gathered(&Case { environment: &[], files: &[("mesh.vars.hcl", "regio = 1\n")], assignments: &assignments });
        assert!(values.is_empty());
        let summaries: Vec<_> = problems.iter().map(|problem| problem.split(':').next().unwrap()).collect();
        assert_eq!(summaries[..4], ["unknown variable", "unknown variable", "unknown variable", "file of values not readable"]);
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert!(problems[0].ends_with("Did you mean `region`?") && problems[1].ends_with("Did you mean `region`?"), "{problems:?}");
        assert!(problems[2].ends_with("Declare it: `variable \"zzz\" {}`."), "{problems:?}");
    }
}
