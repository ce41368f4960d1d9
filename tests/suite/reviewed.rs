//! Comments, pages and entries of plans of the real size, to the letter. A page is recorded as what it says, a line for each block, without its
//! pictures; `tests/real/browser.rs` looks at those.

use crate::reviews::{meshes, nothing_secret, planned};
use meshplan_tests::golden;
use meshplan_tests::reviews::Case;
use meshplan_tests::scenario::{Scenario, project};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The words of a page: a line for each block, indented by how deep it is folded; `▸` is folded, `▾` is not.
fn said(page: &str) -> String {
    let body = page.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
    let (mut text, mut line) = (String::new(), String::new());
    let (mut depth, mut drawn, mut mark) = (0_usize, false, "");
    for piece in body.split('<').skip(1) {
        let (tag, words) = piece.split_once('>').unwrap();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        let (ends, empty) = (tag.starts_with('/'), tag.ends_with('/'));
        if ["h1", "h2", "h3", "p", "li", "tr", "div", "summary", "details", "form", "label", "pre", "svg"].contains(&name) {
            if !line.trim().is_empty() {
                let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
                writeln!(text, "{:1$}{words}", "", 2 * depth).unwrap();
            }
            line.clear();
        }
        match name {
            "svg" => drawn = !ends,
            "details" if ends => depth -= 1,
            "details" => (depth, mark) = (depth + 1, if tag.contains(" open=") { "▾ " } else { "▸ " }),
            "summary" if !ends => line.push_str(mark),
            "td" | "th" | "dt" | "dd" | "label" | "option" if !ends && !empty => line.push(' '),
            _ => {}
        }
        if !drawn {
            line.push_str(words);
        }
    }
    let unescaped = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    unescaped.iter().fold(text, |text, (from, to)| text.replace(from, to))
}

/// Without what is another one each time.
fn settled(scenario: &Scenario, text: &str) -> String {
    let text = text.replace(&scenario.path().display().to_string(), "…");
    let line = |line: &str| match line {
        _ if line.starts_with("Plan digest: ") => "Plan digest: …".to_owned(),
        _ => match ["made ", "state ", "digest "].iter().find(|fact| line.starts_with(**fact)) {
            Some(fact) => format!("{fact}…"),
            None => line.to_owned(),
        },
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

/// The addresses of entries, of those below them, and of what goes with them.
fn addresses(entries: &Json) -> Vec<&str> {
    let mut all = Vec::new();
    for entry in entries.as_array().unwrap() {
        for name in ["addresses", "within"] {
            all.extend(entry[name].as_array().unwrap().iter().map(|address| address.as_str().unwrap()));
        }
        all.extend(addresses(&entry["below"]));
    }
    all
}

/// Every change is in one entry and no more; what is kept only if it holds something that changes.
fn stands_once(document: &Json) {
    let changes = document["changes"].as_array().unwrap().iter();
    let (kept, changing): (Vec<&Json>, Vec<&Json>) = changes.partition(|change| change["action"] == "keep");
    let kept: BTreeSet<&str> = kept.iter().map(|change| change["address"].as_str().unwrap()).collect();
    let mut expected: Vec<&str> = changing.iter().map(|change| change["address"].as_str().unwrap()).collect();
    let mut found: Vec<&str> = addresses(&document["entries"]).into_iter().filter(|address| !kept.contains(address)).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn comments_pages_and_entries_of_the_real_size_read_as_recorded() {
    let scenario = meshes();
    let mut differences = Vec::new();
    for case in [Case::Upgrade, Case::Rotation, Case::Removed] {
        if case == Case::Removed {
            scenario.write(".meshplan/sandbox/c2/log.jsonl", "what is no cluster\n");
        }
        planned(&scenario, case);
        if let Some(directory) = std::env::var_os("MESHPLAN_PICTURES") {
            std::fs::copy(scenario.path().join("reviewed.plan"), std::path::Path::new(&directory).join(case.name())).unwrap();
        }
        let comment = scenario.run(&["show", "--markdown", "reviewed.plan"]).expect_code(0).stdout;
        assert!(comment.chars().count() < 60_000, "{case:?}: {}", comment.chars().count());
        let last = comment.lines().next_back().unwrap();
        assert!(last.starts_with("Plan digest: `sha256:"), "{case:?}: {last}");
        let document: Json = serde_json::from_str(&scenario.run(&["show", "--json", "reviewed.plan"]).expect_code(0).stdout).unwrap();
        stands_once(&document);
        let entries = format!("{:#}\n", document["entries"]);
        let page = scenario.run(&["show", "--html", "reviewed.plan"]).expect_code(0).stdout;
        assert!(page.len() < 1_500_000, "{case:?}: {}", page.len());
        for (ending, text) in [("md", comment), ("entries.json", entries), ("page.txt", said(&page))] {
            nothing_secret(&text);
            let file = project().join(format!("tests/golden/reviews/{}.{ending}", case.name()));
            differences.extend(golden::difference(&file, &settled(&scenario, &text)));
        }
        nothing_secret(&page);
        for outside in ["http:", "https:", "url(h", "@import", "src="] {
            assert!(!page.contains(outside), "{case:?}: {outside}");
        }
    }
    golden::expect_none(differences);
}
