//! What is going on during an apply: on a terminal a live block below the lines of what is done, elsewhere plain lines.

use super::style::{Paint, Style, paint_of};
use super::value::{cut, printable};
use crate::world::Stream;
use engine::address::Address;
use engine::apply::Event;
use engine::plan::{Action, CheckStatus};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// Most lines of the live block.
const TALLEST: usize = 12;

type Running = (Address, Option<Arc<str>>, Action);

/// The running steps and the block that shows them.
#[derive(Debug)]
pub struct Progress {
    live: bool,
    style: Style,
    width: usize,
    running: BTreeMap<Running, u64>,
    finished: usize,
    drawn: usize,
    last: Option<u64>,
}

impl Progress {
    /// Nothing is running. The block is live if the stream is a terminal that can move its cursor.
    pub fn new(stream: &Stream, style: Style) -> Self {
        let width = stream.width().unwrap_or(80);
        Self { live: stream.is_terminal(), style, width, running: BTreeMap::new(), finished: 0, drawn: 0, last: None }
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
        if let Some(line) = self.line(event, now) {
            self.above(stream, &line);
            self.draw(stream, now);
        }
    }

    /// Draws the block anew if a second has gone by or something happened.
    pub fn draw(&mut self, stream: &mut Stream, now: u64) {
        if !self.live || self.running.is_empty() || self.last == Some(now) {
            return;
        }
        let mut text = self.erase();
        let mut oldest: Vec<_> = self.running.iter().collect();
        oldest.sort_by_key(|(_, since)| **since);
        let shown = if oldest.len() > TALLEST { TALLEST - 1 } else { oldest.len() };
        for ((address, _, action), since) in oldest.iter().take(shown) {
            let line = format!("{:<3} {address}: {} ({})", action.glyph(), doing(*action), elapsed(now, **since));
            let _ = writeln!(text, "{}", self.style.paint(paint_of(*action), &cut(&line, self.width.saturating_sub(1))));
        }
        if shown < oldest.len() {
            let _ = writeln!(text, "    and {} more", oldest.len() - shown);
        }
        self.drawn = shown + usize::from(shown < oldest.len());
        self.last = Some(now);
        stream.write(&text);
    }

    /// Takes the block away.
    pub fn end(&mut self, stream: &mut Stream) {
        let text = self.erase();
        stream.write(&text);
        self.running.clear();
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
        match event {
            Event::Started { address, deposed, action } => {
                self.running.insert((address.clone(), deposed.clone(), *action), now);
                self.last = None;
                let line = format!("{:<3} {address}: {}…\n", action.glyph(), doing(*action));
                (!self.live).then_some(line)
            }
            Event::Finished { address, deposed, action, notes } => {
                let since = self.running.remove(&(address.clone(), deposed.clone(), *action)).unwrap_or(now);
                self.finished += 1;
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
            Event::Checked(result) => {
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
                Some(text)
            }
            Event::Stopping => Some("Stopping: nothing new starts, what runs is finished. Interrupt again to leave at once.\n".to_owned()),
        }
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
        Action::Replace | Action::ReplaceCreateFirst => "replace",
        Action::Delete => "delete",
        Action::Forget => "forget",
        Action::Move => "move",
    }
}
