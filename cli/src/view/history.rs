//! Revisions of the history, each on a line.

use serde_json::{Value as Json, json};
use state::{Ending, Head};
use std::fmt::Write;

/// Digits of a digest that are shown: enough to tell plans of one history apart.
const DIGITS: usize = 12;

/// The names of the columns.
const TITLES: [&str; 7] = ["revision", "time", "by", "operation", "serial", "changes", "plan"];

/// A line for each revision, below the names of the columns.
pub fn table(heads: &[Head]) -> String {
    if heads.is_empty() {
        return "No revision is kept.\n".to_owned();
    }
    let mut rows = vec![TITLES.map(str::to_owned)];
    rows.extend(heads.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..TITLES.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let start = text.len();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "{cell:<width$}  ");
        }
        text.truncate(start + text[start..].trim_end().len());
        text.push('\n');
    }
    text
}

fn row(head: &Head) -> [String; 7] {
    let mut changes: Vec<String> = head.counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    match head.ending {
        Ending::Complete => {}
        ending => changes.insert(0, format!("({})", ending.word())),
    }
    let digest = head.digest.as_deref().map(|digest| digest.trim_start_matches("sha256:").chars().take(DIGITS).collect());
    [
        format!("@{}", head.number),
        head.time.clone(),
        head.by.clone(),
        head.operation.clone(),
        head.serial.to_string(),
        changes.join(", ").replacen("), ", ") ", 1),
        digest.unwrap_or_default(),
    ]
}

/// The same for programs, as one array.
pub fn json(heads: &[Head]) -> Json {
    let one = |head: &Head| {
        json!({
            "revision": head.number,
            "time": head.time,
            "by": head.by,
            "operation": head.operation,
            "result": head.ending.word(),
            "lineage": head.lineage,
            "serial": head.serial,
            "counts": head.counts,
            "digest": head.digest,
        })
    };
    Json::Array(heads.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn head(number: u64, operation: &str, ending: Ending) -> Head {
        let counts = if number == 1 { BTreeMap::new() } else { BTreeMap::from([("added".to_owned(), 2), ("failed".to_owned(), 1)]) };
        Head {
            number,
            time: "2023-11-14T22:13:20Z".to_owned(),
            by: "ada@host".to_owned(),
            operation: operation.to_owned(),
            ending,
            lineage: "l".to_owned(),
            serial: number + 8,
            counts,
            digest: (number > 1).then(|| format!("sha256:{}", "ab".repeat(32))),
        }
    }

    #[test]
    fn revisions_stand_in_columns() {
        let heads = [head(1, "found", Ending::Unknown), head(2, "apply --to @1", Ending::Incomplete), head(3, "destroy", Ending::Complete)];
        let expected = "\
revision  time                  by        operation      serial  changes                         plan
@1        2023-11-14T22:13:20Z  ada@host  found          9       (unknown)
@2        2023-11-14T22:13:20Z  ada@host  apply --to @1  10      (incomplete) 2 added, 1 failed  abababababab
@3        2023-11-14T22:13:20Z  ada@host  destroy        11      2 added, 1 failed               abababababab
";
        assert_eq!(table(&heads), expected);
        assert_eq!(table(&[]), "No revision is kept.\n");
        let json = json(&heads);
        assert_eq!((&json[0]["result"], &json[0]["digest"], &json[2]["counts"]["failed"]), (&json!("unknown"), &Json::Null, &json!(1)));
    }
}
