//! How the project's own configuration is laid out.

use engine::config::lay_out;
use engine::source::SourceTree;
use meshplan_tests::sources;

/// Configuration as it should be, and not what messages are about.
fn is_exemplary(path: &str) -> bool {
    path.ends_with(".mesh.hcl") && !path.starts_with("tests/fixtures/messages/")
}

#[test]
fn configuration_stands_as_fmt_would_lay_it_out() {
    let files: Vec<_> = sources::all().into_iter().filter(|file| is_exemplary(&file.path)).collect();
    assert!(files.len() >= 20, "{}", files.len());
    for file in files {
        let id = SourceTree::new("").add(&file.path, &file.text);
        let formatted = lay_out(&file.text, id).unwrap_or_else(|problems| panic!("{}: {problems:?}", file.path));
        assert_eq!(formatted, file.text, "{}", file.path);
    }
}

#[test]
fn what_lost_its_indentation_gets_it_back() {
    let files = sources::all().into_iter().filter(|file| is_exemplary(&file.path) && !file.text.contains("<<"));
    for file in files {
        let torn = file.text.lines().map(|line| format!("\t {}  \n", line.trim())).collect::<Vec<_>>().concat();
        let id = SourceTree::new("").add(&file.path, &torn);
        assert_eq!(lay_out(&torn, id).unwrap(), file.text, "{}", file.path);
    }
}

#[test]
fn decisions_are_numbered_in_a_row() {
    let mut numbers = Vec::new();
    for file in sources::all() {
        let Some(name) = file.path.strip_prefix("docs/decisions/") else { continue };
        let number: usize = name.split('-').next().unwrap().parse().unwrap();
        assert!(file.text.starts_with(&format!("# {number}. ")), "{name}");
        numbers.push(number);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
}
