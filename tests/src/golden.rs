//! Texts that are committed and compared: with `UPDATE_GOLDEN=1` they are written instead.

use similar::TextDiff;
use std::path::Path;

/// Whether committed texts are to be written rather than compared.
pub fn is_blessing() -> bool {
    std::env::var("UPDATE_GOLDEN").is_ok_and(|set| set == "1")
}

/// Why a committed file does not hold the text, as a unified diff; writes it when blessing.
pub fn difference(file: &Path, text: &str) -> Option<String> {
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    if committed == text {
        return None;
    }
    if is_blessing() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        return None;
    }
    let name = file.display().to_string();
    Some(TextDiff::from_lines(committed.as_str(), text).unified_diff().header(&name, "as it should be").to_string())
}

/// Why a page of the project, named from its top, does not hold a table that begins with the same line; writes it when blessing.
pub fn table(page: &str, table: &str) -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
    let text = std::fs::read_to_string(&file).unwrap();
    let head = table.lines().next().unwrap();
    let (before, rest) = text.split_once(head).unwrap_or_else(|| panic!("{page} has no table that begins with {head}"));
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    difference(&file, &format!("{before}{table}\n{after}"))
}

/// Fails with all differences at once.
pub fn expect_none(differences: impl IntoIterator<Item = String>) {
    let all: Vec<String> = differences.into_iter().collect();
    assert!(all.is_empty(), "run again with UPDATE_GOLDEN=1 if this is as it should be:\n{}", all.join("\n"));
}

/// Fails unless the file of this name under `tests/golden` holds the text.
pub fn check(name: &str, text: &str) {
    expect_none(difference(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name), text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_both_texts() {
        if is_blessing() {
            return;
        }
        let directory = tempfile::TempDir::new().unwrap();
        let file = directory.path().join("page.md");
        std::fs::write(&file, "one\ntwo\n").unwrap();
        assert_eq!(difference(&file, "one\ntwo\n"), None);
        let difference = difference(&file, "one\nthree\n").unwrap();
        assert!(difference.contains("-two\n+three\n"), "{difference}");
    }
}
