//! Cuts text between statements, so that each piece is parsed, lowered and dropped on its own: a syntax tree is many times its text,
//! and the parser stops at its first error.

use super::problem;
use super::scanner::{Scanner, Unclosed};
use crate::diagnostic::Diagnostic;
use crate::source::FileId;
use hcl_edit::structure::Body;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Statements are parsed together up to about this many bytes.
const TOGETHER: usize = 16 * 1024;
/// From so many bytes on there are two threads: they take some ten milliseconds, of which half is worth the start of a thread.
const SHARED: usize = 128 * 1024;
/// And one for each so many, if these are more.
const EACH: usize = 256 * 1024;
/// Threads at most. Each has a syntax tree in memory.
const THREADS: usize = 8;
/// Bytes of a thread's stack, as many as the first one usually has: expressions nest.
const STACK: usize = 8 * 1024 * 1024;

/// What one text came to.
#[derive(Debug, PartialEq)]
pub(super) struct Read<T> {
    /// What was made of its pieces, in order.
    pub(super) made: Vec<T>,
    /// Statements that do not parse.
    pub(super) unread: Vec<Unread>,
}

/// A stretch of text that does not parse.
#[derive(Debug, PartialEq)]
pub(super) struct Unread {
    /// Why.
    pub(super) problem: Diagnostic,
    /// Where it is.
    pub(super) stretch: Range<usize>,
}

/// What is done with a piece that was parsed: its text, where in its file that stands, and the statements.
type Make<'m, T> = &'m (dyn Fn((&str, usize, FileId), &Body) -> T + Sync);

/// Some statements that stand together, and the number of their text.
type Piece<'s> = (usize, &'s [Range<usize>]);

/// Parses a text in pieces and hands each piece over, with its place in the text. Statements that do not parse are left out and
/// reported, each on its own.
pub(super) fn each_body(text: &str, file: FileId, visit: &mut dyn FnMut(&str, usize, &Body)) -> Vec<Diagnostic> {
    if text.starts_with('\u{feff}') {
        return vec![problem::byte_order_mark(file)];
    }
    let statements = statements(text, 0..text.len(), Unclosed::Trusted);
    let mut problems = Vec::new();
    for piece in pieces(&statements) {
        one_body(text, piece, file, visit, &mut problems);
    }
    problems.into_iter().map(|unread| unread.problem).collect()
}

/// The same for many texts or long ones: what `make` makes of each piece, per text. Several threads take one piece after the other if
/// there is enough to do. How many they are follows from the texts alone, and nothing that is made depends on it.
pub(super) fn map_bodies<T: Send>(texts: &[(FileId, &str)], make: Make<'_, T>) -> Vec<Read<T>> {
    let mut read: Vec<Read<T>> = texts.iter().map(|_| Read { made: Vec::new(), unread: Vec::new() }).collect();
    let mut cut = Vec::with_capacity(texts.len());
    for ((file, text), read) in texts.iter().zip(&mut read) {
        let marked = text.starts_with('\u{feff}');
        read.unread.extend(marked.then(|| Unread { problem: problem::byte_order_mark(*file), stretch: 0..text.len() }));
        cut.push(if marked { Vec::new() } else { statements(text, 0..text.len(), Unclosed::Trusted) });
    }
    let pieces: Vec<Piece<'_>> = cut.iter().enumerate().flat_map(|(text, all)| pieces(all).map(move |piece| (text, piece))).collect();
    let bytes = texts.iter().map(|(_, text)| text.len()).sum();
    let done = each_in_turn(&pieces, threads(bytes), &|(number, piece)| {
        let (file, text) = texts[*number];
        let mut done = Read { made: Vec::new(), unread: Vec::new() };
        one_body(text, piece, file, &mut |text, base, body| done.made.push(make((text, base, file), body)), &mut done.unread);
        (*number, done)
    });
    for (number, more) in done {
        read[number].made.extend(more.made);
        read[number].unread.extend(more.unread);
    }
    read
}

/// How many threads parse texts of so many bytes.
fn threads(bytes: usize) -> usize {
    (bytes / EACH).clamp(if bytes < SHARED { 1 } else { 2 }, THREADS)
}

/// What `make` makes of each piece, in their order. A thread that is done with one takes the next that nobody has.
fn each_in_turn<T: Send>(pieces: &[Piece<'_>], threads: usize, make: &(dyn Fn(&Piece<'_>) -> T + Sync)) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(at) else { return done };
            done.push((at, make(piece)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let others = (1..threads).map(|_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work));
        // Where no other thread can be had, this one does it all.
        let others: Vec<_> = others.flatten().collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, made)| made).collect()
}

/// Statements, put together to pieces.
fn pieces(statements: &[Range<usize>]) -> impl Iterator<Item = &[Range<usize>]> {
    let mut open = statements;
    std::iter::from_fn(move || {
        let first = open.first()?;
        let count = open.iter().take_while(|statement| statement.end - first.start <= TOGETHER).count().max(1);
        let (now, later) = open.split_at(count);
        open = later;
        Some(now)
    })
}

/// Parses one piece; if that fails, each of its statements.
fn one_body(text: &str, statements: &[Range<usize>], file: FileId, visit: &mut dyn FnMut(&str, usize, &Body), problems: &mut Vec<Unread>) {
    let [first, ..] = statements else { return };
    let whole = first.start..statements.last().map_or(first.end, |last| last.end);
    match hcl_edit::parser::parse_body(&text[whole.clone()]) {
        Ok(body) => visit(&text[whole.clone()], whole.start, &body),
        Err(_) => {
            for statement in statements {
                alone(text, statement.clone(), file, visit, problems);
            }
        }
    }
}

/// Parses one statement; if that fails, whatever blocks seem to begin within it.
fn alone(text: &str, statement: Range<usize>, file: FileId, visit: &mut dyn FnMut(&str, usize, &Body), problems: &mut Vec<Unread>) {
    if let Ok(body) = hcl_edit::parser::parse_body(&text[statement.clone()]) {
        visit(&text[statement.clone()], statement.start, &body);
        return;
    }
    for part in statements(text, statement, Unclosed::Suspected) {
        let piece = &text[part.clone()];
        match hcl_edit::parser::parse_body(piece) {
            Ok(body) => visit(piece, part.start, &body),
            Err(error) => {
                let problem = problem::syntax(&error, piece, part.start, file);
                problems.push(Unread { problem, stretch: part });
            }
        }
    }
}

/// The statements of a stretch of text that opens no bracket before it: ranges that cover it, blank lines before their statement.
fn statements(text: &str, within: Range<usize>, unclosed: Unclosed) -> Vec<Range<usize>> {
    let mut scanner = Scanner::new(&text[..within.end], within.start, unclosed);
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = within.start;
    while start < within.end {
        let end = scanner.next_boundary();
        if !text[start..end].trim().is_empty() {
            found.push(start..end);
            start = end;
        } else if end == within.end {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::{Condvar, Mutex};
    use std::time::Duration;

    fn cut(text: &str, unclosed: Unclosed) -> Vec<&str> {
        statements(text, 0..text.len(), unclosed).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn text_is_cut_between_statements_only() {
        for (text, pieces) in [
            ("a = 1\nb = 2\n", vec!["a = 1\n", "b = 2\n"]),
            ("\n\na {\n  x = 1\n}\n\n# c\nb {}", vec!["\n\na {\n  x = 1\n}\n", "\n# c\n", "b {}"]),
            ("a = [\n1,\n]\nb = (\n2)\n", vec!["a = [\n1,\n]\n", "b = (\n2)\n"]),
            ("a = \"}\\\"{\"\nb = 1\n", vec!["a = \"}\\\"{\"\n", "b = 1\n"]),
            ("a = \"${ {\n\"}\" = 1} }\"\nb = 1\n", vec!["a = \"${ {\n\"}\" = 1} }\"\n", "b = 1\n"]),
            ("a = \"$${\"\nb = 1\n", vec!["a = \"$${\"\n", "b = 1\n"]),
            ("a = <<-E\n  {\n  EE\n  E\nb = 1\n", vec!["a = <<-E\n  {\n  EE\n  E\n", "b = 1\n"]),
            ("a = 1 // {\nb = 1 # (\n/* [\n*/ c = 1\n", vec!["a = 1 // {\n", "b = 1 # (\n", "/* [\n*/ c = 1\n"]),
            ("a = \"open\nb = 1\n", vec!["a = \"open\n", "b = 1\n"]),
            ("}\nb = 1\n", vec!["}\n", "b = 1\n"]),
            ("", vec![]),
            ("\n \n", vec![]),
        ] {
            assert_eq!(cut(text, Unclosed::Trusted), pieces, "{text}");
        }
    }

    #[test]
    fn an_unclosed_bracket_costs_one_block() {
        let text = "output \"a\" {\n  value = [\n}\nlocals {\n  b = 1\n}\n";
        assert_eq!(cut(text, Unclosed::Trusted), [text]);
        assert_eq!(cut(text, Unclosed::Suspected), ["output \"a\" {\n  value = [\n}\n", "locals {\n  b = 1\n}\n"]);
    }

    #[test]
    fn every_broken_statement_is_reported_and_the_others_are_kept() {
        let text = "a = 1\nb = \nc = 3\nd = ]\ne = 5\n";
        let mut kept = Vec::new();
        let problems = each_body(text, FileId(0), &mut |piece, base, body| {
            assert_eq!(&text[base..base + piece.len()], piece);
            kept.extend(body.attributes().map(|attribute| attribute.key.to_string()));
        });
        assert_eq!(kept, ["a", "c", "e"]);
        assert_eq!(problems.len(), 2);
    }

    #[test]
    fn a_long_text_comes_in_several_pieces() {
        let text = "a { b = \"0123456789012345678901234567890123456789\" }\n".repeat(4000);
        let mut pieces = 0;
        let mut blocks = 0;
        let problems = each_body(&text, FileId(0), &mut |_, _, body| {
            pieces += 1;
            blocks += body.blocks().count();
        });
        assert_eq!((problems.len(), blocks), (0, 4000));
        assert!((10..20).contains(&pieces), "{pieces}");
    }

    #[test]
    fn what_threads_make_of_texts_is_in_their_order() {
        let statement = |n: usize| if n % 1000 == 7 { format!("a{n} = ]\n") } else { format!("a{n} = \"0123456789\"\n") };
        let names = |(_, _, _): (&str, usize, FileId), body: &Body| {
            body.attributes().map(|attribute| attribute.key.to_string()).collect::<Vec<_>>()
        };
        // Texts and statements in each: one thread for the first rows, two and more for the last ones.
        for (files, count) in [(0, 0), (1, 1), (3, 300), (1, 30_000), (500, 100)] {
            let text: String = (0..count).map(statement).collect();
            let texts: Vec<_> = (0..files).map(|file| (FileId(file), format!("{text}b{file} = 1\n"))).collect();
            let texts: Vec<_> = texts.iter().map(|(file, text)| (*file, text.as_str())).collect();
            let alone = |(file, text): &(FileId, &str)| {
                let mut made = Vec::new();
                let unread = each_body(text, *file, &mut |piece, base, body| made.push(names((piece, base, *file), body)));
                (made, unread)
            };
            let read = map_bodies(&texts, &names).into_iter();
            let read = read.map(|read| (read.made, read.unread.into_iter().map(|unread| unread.problem).collect()));
            assert_eq!(read.collect::<Vec<_>>(), texts.iter().map(alone).collect::<Vec<_>>(), "{files} of {count}");
        }
    }

    #[test]
    fn the_files_of_a_large_directory_are_parsed_at_once() {
        assert_eq!([0, 127, 128, 511, 512, 768, 2048, 9000].map(|kilobytes| threads(kilobytes * 1024)), [1, 1, 2, 2, 2, 3, 8, 8]);
        for (lines, expected) in [(9, 2), (40, 2), (80, 4)] {
            let text = "resource \"k\" \"n\" { input = 1 }\n".repeat(lines);
            let texts: Vec<_> = (0..500).map(|file| (FileId(file), text.as_str())).collect();
            assert_eq!(threads(500 * text.len()), expected, "{lines} lines");
            // Nobody is done with a first piece before everybody has one.
            let (seen, met) = (Mutex::new(BTreeSet::new()), Condvar::new());
            let read = map_bodies(&texts, &|_, body: &Body| {
                let mut names = seen.lock().unwrap();
                names.insert(format!("{:?}", std::thread::current().id()));
                met.notify_all();
                drop(met.wait_timeout_while(names, Duration::from_mins(1), |names| names.len() < expected).unwrap());
                body.blocks().count()
            });
            assert_eq!(seen.lock().unwrap().len(), expected, "{lines} lines");
            assert_eq!(read.iter().map(|read| read.made.iter().sum::<usize>()).collect::<Vec<_>>(), [lines; 500]);
        }
    }

    #[test]
    fn a_byte_order_mark_is_told_of_its_own_text() {
        let read = map_bodies(&[(FileId(0), "a = 1"), (FileId(1), "\u{feff}a = 1")], &|(piece, base, _), _| (piece.to_owned(), base));
        assert_eq!((&read[0].made[..], read[0].unread.len()), (&[("a = 1".to_owned(), 0)][..], 0));
        assert_eq!(
            (read[1].made.len(), &read[1].unread),
            (0, &vec![Unread { problem: problem::byte_order_mark(FileId(1)), stretch: 0..8 }])
        );
    }
}
