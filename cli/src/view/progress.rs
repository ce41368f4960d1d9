//! What is going on during an apply: on a terminal a live block below the lines of what is done, elsewhere plain lines.

use super::pairs;
use crate::world::Stream;
use engine::address::Address;
use engine::apply::Event;
use engine::plan::{Action, CheckStatus};
use engine::port::Activity;
use review::notation::{cut, printable};
use review::style::{Paint, Style, paint_of};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// Most lines of the live block.
const TALLEST: usize = 12;

/// How many of the longest steps are told of.
const LONGEST: usize = 3;
/// Seconds from which a step is long.
const LONG: u64 = 10;
/// How many steps are told of that asked more than once.
const MOST_RETRIED: usize = 5;

/// What is said of a check that something waits for.
const UNTIL: &str = "waiting until it passes";

type Running = (Address, Option<Arc<str>>, Action);

/// The running steps and the block that shows them.
#[derive(Debug)]
pub struct Progress {
    live: bool,
    style: Style,
    width: usize,
    running: BTreeMap<Running, (u64, Activity)>,
    /// Checks that something waits for, since when, and what they say.
    gates: BTreeMap<Arc<str>, (u64, String)>,
    /// How many steps there are, if that is known, and how many have ended.
    steps: Option<usize>,
    ended: usize,
    began: Option<u64>,
    record: Record,
    drawn: usize,
    /// Whether the line between what came before and the first event is written.
    begun: bool,
    last: Option<u64>,
}

impl Progress {
    /// Nothing is running. The block is live if the stream is a terminal that can move its cursor.
    pub fn new(stream: &Stream, style: Style) -> Self {
        let width = stream.width().unwrap_or(80);
        Self {
            live: stream.is_terminal(),
            style,
            width,
            running: BTreeMap::new(),
            gates: BTreeMap::new(),
            steps: None,
            ended: 0,
            began: None,
            record: Record::default(),
            drawn: 0,
            begun: false,
            last: None,
        }
    }

    /// An apply begins that has so many steps.
    pub fn begin(&mut self, steps: usize) {
        self.steps = Some(steps);
        (self.ended, self.began, self.record) = (0, None, Record::default());
    }

    /// What took long and what had to be tried again.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Writes text above the block.
    pub fn above(&mut self, stream: &mut Stream, text: &str) {
        let mut all = self.erase();
        all.push_str(text);
        stream.write(&all);
        self.last = None;
    }

    /// Takes note of what happened and says so.
    pub fn event(&mut self, stream: &mut Stream, event: &Event, now: u64) {
        let line = self.line(event, now).unwrap_or_default();
        let gap = if std::mem::replace(&mut self.begun, true) { "" } else { "\n" };
        let text = self.erase() + gap + &line + &self.block(now);
        stream.write(&text);
    }

    /// Draws the block anew if a second has gone by or it was taken away.
    pub fn draw(&mut self, stream: &mut Stream, now: u64) {
        if self.live && !(self.running.is_empty() && self.gates.is_empty()) && self.last != Some(now) {
            let text = self.erase() + &self.block(now);
            stream.write(&text);
        }
    }

    /// The running steps, the longest-running first.
    fn block(&mut self, now: u64) -> String {
        let mut text = String::new();
        if !self.live {
            return text;
        }
        let oldest = self.oldest(now);
        let shown = if oldest.len() > TALLEST { TALLEST - 1 } else { oldest.len() };
        for (_, action, line) in oldest.iter().take(shown) {
            let _ = writeln!(text, "{}", self.style.paint(paint_of(*action), &cut(line, self.width.saturating_sub(1))));
        }
        if shown < oldest.len() {
            let _ = writeln!(text, "    and {} more", oldest.len() - shown);
        }
        self.drawn = shown + usize::from(shown < oldest.len());
        if let Some(steps) = self.steps {
            let line = format!("    {} of {steps} steps done, {}", self.ended, elapsed(now, self.began.unwrap_or(now)));
            let _ = writeln!(text, "{}", self.style.paint(Paint::Dim, &line));
            self.drawn += 1;
        }
        self.last = Some(now);
        text
    }

    /// A line for everything that runs or is waited for, with since when, the longest-running first.
    fn oldest(&self, now: u64) -> Vec<(u64, Action, String)> {
        let after_colon = |why: &str| format!(": {}", printable(why.lines().next().unwrap_or_default()));
        let running = self.running.iter().map(|((address, _, action), (since, activity))| {
            let why = activity.waiting().map_or_else(String::new, |why| after_colon(&why));
            (*since, *action, format!("{:<3} {address}: {} ({}){why}", action.glyph(), doing(*action), elapsed(now, *since)))
        });
        let gates = self.gates.iter().map(|(name, (since, says))| {
            let glyph = Action::Settle.glyph();
            (*since, Action::Settle, format!("{glyph:<3} check.{name}: {UNTIL} ({}){}", elapsed(now, *since), after_colon(says)))
        });
        let mut lines: Vec<_> = running.chain(gates).collect();
        lines.sort_by_key(|(since, ..)| *since);
        lines
    }

    /// Takes the block away.
    pub fn end(&mut self, stream: &mut Stream) {
        let text = self.erase();
        stream.write(&text);
        self.running.clear();
        self.gates.clear();
    }

    /// The sequence that removes the block: to its first line, then clear to the end of the screen.
    fn erase(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\u{1b}[{lines}A\r\u{1b}[J"),
        }
    }

    /// The line that an event leaves for good, if it leaves one.
    fn line(&mut self, event: &Event, now: u64) -> Option<String> {
        self.began.get_or_insert(now);
        self.ended += usize::from(matches!(event, Event::Finished { .. } | Event::Failed { .. } | Event::Skipped { .. }));
        match event {
            Event::Started { address, deposed, action, activity } => {
                self.running.insert((address.clone(), deposed.clone(), *action), (now, activity.clone()));
                let line = format!("{:<3} {address}: {}…\n", action.glyph(), doing(*action));
                (!self.live).then_some(line)
            }
            Event::Finished { address, deposed, action, notes, retried } => {
                let since = self.running.remove(&(address.clone(), deposed.clone(), *action)).map_or(now, |(since, _)| since);
                self.record.note(address, *action, (now.saturating_sub(since), *retried));
                let glyph = self.style.paint(paint_of(*action), &format!("{:<3}", action.glyph()));
                let mut text = format!("{glyph} {address}: {} after {}\n", done(*action), elapsed(now, since));
                for note in notes {
                    let _ = writeln!(text, "      {}", printable(note));
                }
                Some(text)
            }
            Event::Failed { address, action, diagnostic } => {
                self.running.retain(|(running, _, doing), _| !(running == address && doing == action));
                let words = format!("!   {address}: {} failed: {}", noun(*action), printable(&diagnostic.summary));
                Some(format!("{}\n", self.style.paint(Paint::Error, &words)))
            }
            Event::Skipped { address, action, because } => {
                let why = because.as_ref().map_or_else(String::new, |because| format!(", because {because} failed"));
                let words = format!("    {address}: {} not started{why}", noun(*action));
                Some(format!("{}\n", self.style.paint(Paint::Dim, &words)))
            }
            Event::Waits { check, messages, left } => {
                let since = self.gates.get(check).map_or(now, |(since, _)| *since);
                self.gates.insert(check.clone(), (since, messages.join("; ")));
                let mut text = format!("{:<3} check.{check}: {UNTIL}, for {} at most…\n", Action::Settle.glyph(), elapsed(*left, 0));
                for message in messages {
                    let _ = writeln!(text, "      {}", printable(message));
                }
                (!self.live).then_some(text)
            }
            Event::Checked(result) => {
                self.gates.remove(&result.name);
                let (paint, words) = match result.status {
                    CheckStatus::Passed => (Paint::Success, "passed"),
                    CheckStatus::Failed => (Paint::Warning, "failed"),
                    CheckStatus::Unknown => (Paint::Dim, "not known"),
                    CheckStatus::NotRun => (Paint::Dim, "not run"),
                };
                let mut text = format!("    check.{}: {}\n", result.name, self.style.paint(paint, words));
                for message in &result.messages {
                    let _ = writeln!(text, "      {}", printable(message));
                }
                if result.status != CheckStatus::Passed {
                    text.push_str(&pairs::text(&result.pairs, 6, self.width));
                }
                Some(text)
            }
            Event::Stopping => Some("Stopping: nothing new starts, what runs is finished. Interrupt again to leave at once.\n".to_owned()),
        }
    }
}

/// Steps that took longest, and those that asked more than once.
#[derive(Debug, Default)]
pub struct Record {
    /// Seconds, by step; at most [`LONGEST`] of them, the longest first.
    longest: Vec<(u64, String)>,
    retried: Vec<(String, usize)>,
}

impl Record {
    fn note(&mut self, address: &Address, action: Action, (seconds, retried): (u64, usize)) {
        let step = || format!("{} of {address}", noun(action));
        if seconds >= LONG {
            let at = self.longest.iter().position(|(other, _)| *other < seconds).unwrap_or(self.longest.len());
            self.longest.insert(at, (seconds, step()));
            self.longest.truncate(LONGEST);
        }
        if retried > 0 {
            self.retried.push((step(), retried));
        }
    }

    /// The record as lines; none if there is nothing worth them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (seconds, step) in &self.longest {
            let _ = writeln!(text, "took {}: {step}", elapsed(*seconds, 0));
        }
        for (step, times) in self.retried.iter().take(MOST_RETRIED) {
            let requests = if *times == 1 { "1 request".to_owned() } else { format!("{times} requests") };
            let _ = writeln!(text, "asked again, {requests}: {step}");
        }
        if self.retried.len() > MOST_RETRIED {
            let _ = writeln!(text, "and {} more had to ask again", self.retried.len() - MOST_RETRIED);
        }
        text
    }
}

fn elapsed(now: u64, since: u64) -> String {
    match now.saturating_sub(since) {
        seconds @ ..60 => format!("{seconds}s"),
        seconds => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

fn doing(action: Action) -> &'static str {
    match action {
        Action::Keep => "keeping",
        Action::Settle => "waiting until it is ready",
        Action::Read => "reading",
        Action::Create => "creating",
        Action::Update => "changing",
        Action::Import => "importing",
        Action::Replace | Action::ReplaceCreateFirst => "replacing",
        Action::Delete => "deleting",
        Action::Forget => "forgetting",
        Action::Move => "moving",
    }
}

fn done(action: Action) -> &'static str {
    match action {
        Action::Keep => "kept",
        Action::Settle => "ready",
        Action::Read => "read",
        Action::Create => "created",
        Action::Update => "changed",
        Action::Import => "imported",
        Action::Replace | Action::ReplaceCreateFirst => "replaced",
        Action::Delete => "deleted",
        Action::Forget => "forgotten",
        Action::Move => "moved",
    }
}

fn noun(action: Action) -> &'static str {
    match action {
        Action::Keep => "nothing",
        Action::Settle => "wait",
        Action::Read => "read",
        Action::Create => "create",
        Action::Update => "update",
        Action::Import => "import",
        Action::Replace | Action::ReplaceCreateFirst => "replace",
        Action::Delete => "delete",
        Action::Forget => "forget",
        Action::Move => "move",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Kept;
    use engine::diagnostic::Diagnostic;
    use engine::plan::CheckResult;

    fn address(name: &str) -> Address {
        Address::managed("k", name)
    }

    fn started(name: &str, action: Action) -> Event {
        Event::Started { address: address(name), deposed: None, action, activity: Activity::default() }
    }

    fn finished(name: &str, action: Action, notes: &[&str]) -> Event {
        let notes = notes.iter().map(|note| (*note).to_owned()).collect();
        Event::Finished { address: address(name), deposed: None, action, notes, retried: 0 }
    }

    #[test]
    fn elsewhere_than_on_a_terminal_every_event_is_a_line() {
        let kept = Kept::default();
        let mut stream = Stream::plain(Box::new(kept.clone()));
        let mut progress = Progress { begun: true, ..Progress::new(&stream, Style::Plain) };
        let failed = Diagnostic::error("object rejected", "spec.x is unknown");
        let check = |status, messages: &[&str]| {
            let messages = messages.iter().map(|message| (*message).to_owned()).collect();
            Event::Checked(CheckResult { name: "roots".into(), status, messages, pairs: Vec::new() })
        };
        let events = [
            (0, started("a", Action::Create), "+   k.a: creating…\n"),
            (1, started("b", Action::Delete), "-   k.b: deleting…\n"),
            (
                3,
                finished("a", Action::Create, &["(simulated) address 10.0.0.1"]),
                "+   k.a: created after 3s\n      (simulated) address 10.0.0.1\n",
            ),
            (3, started("a", Action::Settle), "…   k.a: waiting until it is ready…\n"),
            (75, finished("b", Action::Delete, &[]), "-   k.b: deleted after 1m14s\n"),
            (
                76,
                Event::Failed { address: address("a"), action: Action::Settle, diagnostic: failed },
                "!   k.a: wait failed: object rejected\n",
            ),
            (
                76,
                Event::Skipped { address: address("c"), action: Action::Update, because: Some(address("a")) },
                "    k.c: update not started, because k.a failed\n",
            ),
            (76, Event::Skipped { address: address("d"), action: Action::Update, because: None }, "    k.d: update not started\n"),
            (
                76,
                Event::Waits { check: "roots".into(), messages: vec!["two roots".to_owned()], left: 90 },
                "…   check.roots: waiting until it passes, for 1m30s at most…\n      two roots\n",
            ),
            (77, check(CheckStatus::Passed, &[]), "    check.roots: passed\n"),
            (77, check(CheckStatus::NotRun, &["no data plane"]), "    check.roots: not run\n      no data plane\n"),
        ];
        for (now, event, expected) in events {
            progress.event(&mut stream, &event, now);
            assert_eq!(kept.take(), expected);
            progress.draw(&mut stream, now);
            assert_eq!(kept.take(), "");
        }
        assert!(progress.running.is_empty() && progress.gates.is_empty());
    }

    #[test]
    fn on_a_terminal_what_runs_stands_below_what_is_done() {
        let kept = Kept::default();
        let mut stream = Stream::terminal(Box::new(kept.clone()), Some(40));
        let mut progress = Progress { begun: true, ..Progress::new(&stream, Style::Plain) };
        progress.event(&mut stream, &started("a", Action::Create), 0);
        assert_eq!(kept.take(), "+   k.a: creating (0s)\n");
        progress.draw(&mut stream, 0);
        assert_eq!(kept.take(), "", "nothing changed");
        progress.event(&mut stream, &started("b", Action::Settle), 1);
        assert_eq!(kept.take(), "\u{1b}[1A\r\u{1b}[J+   k.a: creating (1s)\n…   k.b: waiting until it is ready (0s)\n");
        progress.event(&mut stream, &finished("a", Action::Create, &[]), 2);
        assert_eq!(kept.take(), "\u{1b}[2A\r\u{1b}[J+   k.a: created after 2s\n…   k.b: waiting until it is ready (1s)\n");
        progress.above(&mut stream, "note\n");
        progress.draw(&mut stream, 2);
        assert_eq!(kept.take(), "\u{1b}[1A\r\u{1b}[Jnote\n…   k.b: waiting until it is ready (1s)\n");
        progress.end(&mut stream);
        assert_eq!(kept.take(), "\u{1b}[1A\r\u{1b}[J");
    }

    #[test]
    fn what_is_waited_for_and_how_much_is_done_is_told() {
        let kept = Kept::default();
        let mut stream = Stream::terminal(Box::new(kept.clone()), Some(80));
        let mut progress = Progress { begun: true, ..Progress::new(&stream, Style::Plain) };
        progress.begin(3);
        let activity = Activity::default();
        let event = Event::Started { address: address("a"), deposed: None, action: Action::Settle, activity: activity.clone() };
        progress.event(&mut stream, &event, 0);
        assert_eq!(kept.take(), "…   k.a: waiting until it is ready (0s)\n    0 of 3 steps done, 0s\n");
        activity.waits_for("1 of 2 replicas\nare available");
        progress.draw(&mut stream, 61);
        let drawn = kept.take();
        let expected = "…   k.a: waiting until it is ready (1m01s): 1 of 2 replicas\n    0 of 3 steps done, 1m01s\n";
        assert_eq!(drawn.strip_prefix("\u{1b}[2A\r\u{1b}[J"), Some(expected));
        let waits = |says: &str| Event::Waits { check: "gate".into(), messages: vec![says.to_owned(), "more".to_owned()], left: 300 };
        progress.event(&mut stream, &waits("first"), 61);
        progress.event(&mut stream, &waits("then"), 62);
        let drawn = kept.take();
        let second = "…   check.gate: waiting until it passes (1s): then; more\n    0 of 3 steps done, 1m02s\n";
        assert!(drawn.ends_with(second) && drawn.contains("check.gate: waiting until it passes (0s): first; more\n"), "{drawn}");
        let result = CheckResult { name: "gate".into(), status: CheckStatus::Passed, messages: Vec::new(), pairs: Vec::new() };
        progress.event(&mut stream, &Event::Checked(result), 62);
        let drawn = kept.take();
        assert!(drawn.contains("    check.gate: passed\n") && !drawn.contains("until it passes"), "{drawn}");
        let retried = Event::Finished { address: address("a"), deposed: None, action: Action::Settle, notes: Vec::new(), retried: 2 };
        progress.event(&mut stream, &retried, 62);
        for number in 0..7 {
            let name = format!("n{number}");
            progress.event(&mut stream, &started(&name, Action::Create), 70);
            let retried = usize::from(number > 0);
            let event = Event::Finished { address: address(&name), deposed: None, action: Action::Create, notes: Vec::new(), retried };
            progress.event(&mut stream, &event, 77 + number);
        }
        let expected = "took 1m02s: wait of k.a\ntook 13s: create of k.n6\ntook 12s: create of k.n5\nasked again, 2 requests: wait of k.a\n\
            asked again, 1 request: create of k.n1\nasked again, 1 request: create of k.n2\nasked again, 1 request: create of k.n3\n\
            asked again, 1 request: create of k.n4\nand 2 more had to ask again\n";
        assert_eq!(progress.record().text(), expected);
        progress.begin(1);
        assert_eq!(progress.record().text(), "");
    }

    #[test]
    fn the_block_grows_no_taller_than_its_limit() {
        let kept = Kept::default();
        let mut stream = Stream::terminal(Box::new(kept.clone()), Some(80));
        let mut progress = Progress { begun: true, ..Progress::new(&stream, Style::Plain) };
        for number in 0..30 {
            progress.event(&mut stream, &started(&format!("n{number:02}"), Action::Create), number);
        }
        let drawn = kept.take();
        let last = drawn.rsplit("\u{1b}[J").next().unwrap();
        assert_eq!(last.lines().count(), TALLEST);
        assert!(last.starts_with("+   k.n00: creating (29s)\n") && last.ends_with("    and 19 more\n"), "{last}");
    }
}
