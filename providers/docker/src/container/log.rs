//! The end of what a container wrote, for messages.

use crate::client::Client;
use engine::value::{Secrets, Value};
use std::time::Duration;

/// Lines that are told.
const TOLD: usize = 5;

/// Lines that are read: a secret over several lines is known by more than those that are told.
const READ: usize = 100;

/// Longest line that is told, in characters.
const LONGEST: usize = 200;

/// Longest wait for a log: what failed is told without it.
const PATIENT: Duration = Duration::from_secs(5);

/// What follows a sentence about a container: its last lines, each in a line of its own, without what is secret in its arguments; nothing if it
/// wrote nothing, or nowhere that the Engine reads.
pub(super) async fn told(client: &Client, id: &str, arguments: &Value) -> String {
    let Ok(Ok(log)) = tokio::time::timeout(PATIENT, client.log(id, READ)).await else { return String::new() };
    end(&Secrets::of([arguments]).hidden_in(&log))
}

fn end(log: &str) -> String {
    let lines: Vec<String> = log.lines().map(readable).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(TOLD)..];
    if last.is_empty() {
        return String::new();
    }
    format!(". It wrote last:\n  {}", last.join("\n  "))
}

/// A line without the sequences that colour it, cut where it is too long.
fn readable(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // A sequence ends with the first letter after its bracket.
            if characters.next() == Some('[') {
                characters.by_ref().find(char::is_ascii_alphabetic);
            }
        } else if !character.is_control() || character == '\t' {
            text.push(character);
        }
    }
    let text = text.trim_end();
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_told_as_they_can_be_read() {
        let long = "x".repeat(300);
        let cut = format!(". It wrote last:\n  {}…", "x".repeat(LONGEST));
        for (log, expected) in [
            ("", ""),
            ("\n\r\n", ""),
            ("one\n", ". It wrote last:\n  one"),
            ("1\n2\n3\n\n4\n5\n6", ". It wrote last:\n  2\n  3\n  4\n  5\n  6"),
            ("\u{1b}[1;31mred\u{1b}[0m and \u{7}bell\r\n", ". It wrote last:\n  red and bell"),
            (&long, &cut),
        ] {
            assert_eq!(end(log), expected);
        }
    }
}
