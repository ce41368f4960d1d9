//! `docs/messages.md` lists every summary that the sources can make, and no other.

mod fixtures;

use meshplan_tests::scenario::project;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Calls that make a problem, with a summary as their first argument.
const MAKERS: [&str; 9] = [
    "Diagnostic::error(",
    "Diagnostic::warning(",
    "Failure::new(",
    "Failure::one(",
    "Problem::new(",
    " problem(",
    "(problem(",
    "problem_with_help(",
    "self.report(",
];
/// A call with a summary as its second argument.
const ABOUT_AN_ARGUMENT: &str = "Problem::with(";
/// Summaries of whole enums: literals after `=>` in a function of this name.
const SUMMARY: &str = "fn summary(&self) -> &'static str {";

/// The sources of the product, without those of tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let providers = std::fs::read_dir(project().join("providers")).unwrap().map(|entry| entry.unwrap().path());
    let crates = ["engine", "state", "backends", "modules", "cli"].map(|name| project().join(name));
    for directory in crates.into_iter().chain(providers) {
        collect(&directory.join("src"), &mut files);
    }
    let tests: BTreeSet<PathBuf> = files.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    files.retain(|(path, _)| !tests.iter().any(|test| path == &test.with_extension("rs") || path.starts_with(test)));
    files.into_iter().map(|(path, text)| (path, product(&text))).collect()
}

fn collect(directory: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((path, text));
        }
    }
}

/// Where the modules lie that a file declares for tests only, without their ending.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let owner = match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") | None => path.parent().unwrap().to_owned(),
        Some(stem) => path.with_file_name(stem),
    };
    let declared = text.split("#[cfg(test)]").skip(1).filter_map(|rest| rest.trim_start().strip_prefix("mod ")?.split_once(';'));
    declared.map(|(name, _)| owner.join(name)).filter(|module| !module.to_string_lossy().contains(' ')).collect()
}

/// A source without comments and without its tests.
fn product(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The literal that a text begins with.
fn literal(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix('"')?.split_once('"').map(|(literal, _)| literal)
}

fn summaries(text: &str) -> BTreeSet<&str> {
    let firsts = MAKERS.iter().flat_map(|maker| text.split(maker).skip(1)).filter_map(literal);
    let seconds = text.split(ABOUT_AN_ARGUMENT).skip(1).filter_map(|rest| literal(rest.split_once(',')?.1));
    let of_enums = text.split(SUMMARY).skip(1).filter_map(|rest| rest.split("\n    }\n").next());
    let of_enums = of_enums.flat_map(|body| body.split("=>").skip(1)).filter_map(literal);
    firsts.chain(seconds).chain(of_enums).collect()
}

/// The summaries that the page lists.
fn listed() -> BTreeSet<String> {
    let page = std::fs::read_to_string(project().join("docs/messages.md")).unwrap();
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|(cell, _)| cell);
    cells.map(|cell| cell.strip_prefix('`').map_or(cell, |cell| cell.trim_end_matches('`').trim()).to_owned()).collect()
}

/// A summary as it is compared: the page ends and begins code with backticks, which may meet those of the summary.
fn bare(summary: &str) -> &str {
    summary.trim_matches('`')
}

#[test]
fn every_summary_is_listed() {
    let listed = listed();
    let listed: BTreeSet<&str> = listed.iter().map(|summary| bare(summary)).collect();
    let mut missing: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (path, text) in sources() {
        for summary in summaries(&text).into_iter().filter(|summary| !listed.contains(bare(summary))) {
            missing.insert(summary.to_owned(), path.clone());
        }
    }
    assert!(missing.is_empty(), "add to docs/messages.md what to do about: {missing:#?}");
}

#[test]
fn nothing_is_listed_that_no_source_says() {
    let sources = sources();
    let said = |summary: &str| sources.iter().any(|(_, text)| text.contains(&format!("\"{summary}")));
    let listed = listed();
    let stale: Vec<&String> = listed.iter().filter(|summary| !said(summary)).collect();
    assert!(listed.len() > 150 && stale.is_empty(), "no source says: {stale:#?}");
}

#[test]
fn summaries_are_found_wherever_a_problem_is_made() {
    let text = r#"
        Diagnostic::error("one", detail);
        Problem::with("argument", "two", detail);
        Err(problem(
            "three",
        ));
        Diagnostic::error(format!("no `{literal}`"), detail);
        self.report("four", detail);
    "#;
    assert_eq!(summaries(text), BTreeSet::from(["one", "two", "three", "four"]));
    assert_eq!(summaries("fn summary(&self) -> &'static str {\n  A => \"five\",\n    }\n B => \"six\""), BTreeSet::from(["five"]));
    assert_eq!(product("a\n// \"comment\"\nb\n#[cfg(test)]\nmod tests {\nc"), "a\nb");
}
