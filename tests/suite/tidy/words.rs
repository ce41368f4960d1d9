//! How long files are, and what words and paths do not occur.

use meshplan_tests::scenario::project;
use meshplan_tests::sources;
use std::collections::BTreeSet;
use std::path::Path;

/// Lines of a file before its tests.
const LONGEST: usize = 500;

#[test]
fn files_are_short() {
    let mut lengths: Vec<(usize, String)> =
        sources::rust().into_iter().map(|file| (file.before_tests().lines().count(), file.path)).collect();
    lengths.sort();
    let long: Vec<_> = lengths.iter().filter(|(length, _)| *length > LONGEST).collect();
    assert!(long.is_empty(), "over {LONGEST} lines before their tests: {long:?}");
    let (median, path) = &lengths[lengths.len() / 2];
    assert!(*median <= 200, "the median file, {path}, has {median} lines");
}

#[test]
fn names_are_words_of_the_vocabulary() {
    const NAMELESS: [&str; 9] = ["util", "utils", "helper", "helpers", "common", "manager", "context", "misc", "imp"];
    let mut wrong = Vec::new();
    for file in sources::rust() {
        for part in file.path.split(['/', '_', '-', '.']) {
            if NAMELESS.contains(&part) {
                wrong.push(format!("{}: `{part}` says nothing", file.path));
            }
        }
        for line in file.code().lines() {
            let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
            let (Some("struct" | "enum" | "trait" | "mod"), Some(name)) = (words.next(), words.next()) else { continue };
            let lower = name.trim_end_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            if NAMELESS.iter().any(|word| lower.ends_with(word) && (lower.len() == word.len() || *word != "imp")) {
                wrong.push(format!("{}: `{name}` says nothing", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_undone() {
    let marks = [("todo", "!"), ("unimplemented", "!"), ("FIX", "ME"), ("XX", "X:")].map(|(start, end)| format!("{start}{end}"));
    let mut wrong = Vec::new();
    for file in sources::all() {
        for (at, line) in file.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) && !file.path.starts_with("tests/suite/tidy/") {
                wrong.push(format!("{}:{}: {}", file.path, at + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// JSON objects sort their keys and numbers are what all readers take them for: features that one dependency could turn on for all.
#[test]
fn json_is_neither_ordered_by_arrival_nor_of_arbitrary_precision() {
    let written = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap().to_string();
    assert_eq!(written(r#"{"b":1,"a":2}"#), r#"{"a":2,"b":1}"#, "some crate turns on `preserve_order`");
    assert_eq!(written("1.00000000000000000000000001"), "1.0", "some crate turns on `arbitrary_precision`");
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    let root = project().canonicalize().unwrap().display().to_string();
    let mut places: Vec<String> =
        ["root/.", "root/work", "work/wt", "work/main", "work/shared"].iter().map(|path| format!("/{path}")).collect();
    // A project at the top of the disk has too plain a name to look for.
    if root.matches('/').count() > 1 {
        places.push(root);
    }
    if let Some(home) = std::env::home_dir().map(|home| home.display().to_string()).filter(|home| home.matches('/').count() > 1) {
        places.push(home);
    }
    let mut wrong = Vec::new();
    for file in sources::all() {
        for place in &places {
            if file.text.contains(place.as_str()) && !file.path.starts_with("tests/suite/tidy/") {
                wrong.push(format!("{}: names `{place}`", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_page(word: &str) -> bool {
    !word.contains(char::is_whitespace) && Path::new(word).extension().is_some_and(|ending| ending == "md")
}

/// Pages that texts and comments name, with or without their directory.
#[test]
fn every_page_that_is_named_exists() {
    let files = sources::all();
    let pages: BTreeSet<&str> = files.iter().filter(|file| file.is_a("md")).map(|file| file.path.as_str()).collect();
    let mut wrong = Vec::new();
    for file in &files {
        for named in file.text.split('`').skip(1).step_by(2).filter(|word| is_page(word)) {
            let exists = pages.iter().any(|page| *page == named || page.ends_with(&format!("/{named}")));
            if !exists && !named.contains(['*', '<', '{']) && !file.path.starts_with("tests/suite/tidy/") {
                wrong.push(format!("{}: there is no `{named}`", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_suite_is_compiled() {
    let files = sources::rust();
    for directory in ["tests/suite/", "tests/real/"] {
        let main = &files.iter().find(|file| file.path == format!("{directory}main.rs")).unwrap().text;
        for file in &files {
            let Some(name) = file.path.strip_prefix(directory).and_then(|path| path.strip_suffix(".rs")) else { continue };
            if name != "main" && !name.contains('/') {
                assert!(main.contains(&format!("mod {name};")), "`{}` is not declared", file.path);
            }
        }
    }
}

/// What `README.md` tells people to run is what the checks run.
#[test]
fn the_checks_run_what_the_readme_says() {
    let files = sources::all();
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let run = text(".ci/run").expect("`.ci/run` is there");
    assert!(run.contains("cargo test --workspace"), "`.ci/run` runs all tests");
    let Some(readme) = text("README.md") else { return };
    let told: Vec<&str> =
        readme.lines().map(|line| line.trim().trim_start_matches("$ ")).filter(|line| line.starts_with("cargo test")).collect();
    for command in told {
        assert!(run.contains(command), "`README.md` says `{command}`, which `.ci/run` does not run");
    }
}
