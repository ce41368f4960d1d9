//! The world as it is.

use crate::keyboard::Keyboard;
use crate::providers;
use crate::world::{NextInterrupt, Stream, World};
use engine::port::{BoxFuture, Machine};
use engine::state::RecordId;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;

/// The world this process lives in: its directory, environment, streams and clock, every provider, and Ctrl-C.
pub fn real_world() -> World {
    let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let environment: BTreeMap<String, String> = std::env::vars_os().filter_map(utf8).collect();
    let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    World {
        stdin: Box::new(io::BufReader::new(io::stdin())),
        typed: (io::stdin().is_terminal() && io::stdout().is_terminal() && !is_dumb(&environment))
            .then(|| Box::new(Keyboard::default()) as _),
        stdout: stream(Box::new(io::stdout()), &io::stdout(), &environment),
        stderr: stream(Box::new(io::stderr()), &io::stderr(), &environment),
        machine: Arc::new(ThisMachine),
        registry: providers::registry_maker(&directory, &environment),
        guard: Box::new(|guard| guard),
        stop: Arc::new(AtomicBool::new(false)),
        interrupt: interruptions(),
        directory,
        environment,
    }
}

fn stream(writer: Box<dyn Write + Send>, handle: &impl IsTerminal, environment: &BTreeMap<String, String>) -> Stream {
    if !handle.is_terminal() || is_dumb(environment) {
        return Stream::plain(writer);
    }
    let columns = environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
    let width = columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)));
    Stream::terminal(writer, width)
}

/// Whether the terminal cannot move its cursor: it is written to like a file.
fn is_dumb(environment: &BTreeMap<String, String>) -> bool {
    environment.get("TERM").is_some_and(|term| term == "dumb")
}

/// The clock and random ids.
#[derive(Debug)]
struct ThisMachine;

impl Machine for ThisMachine {
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn record_id(&self) -> RecordId {
        RecordId::new(&uuid::Uuid::new_v4().simple().to_string())
    }
}

/// Ctrl-C, and requests to terminate. Once the first was waited for none is missed: one that comes while nobody waits is told to the
/// next who does. Where signals cannot be listened to they do what they do by default.
fn interruptions() -> NextInterrupt {
    let heard: Arc<Mutex<Option<[Signal; 2]>>> = Arc::default();
    Box::new(move || {
        let heard = heard.clone();
        Box::pin(async move {
            let mut heard = heard.lock().await;
            if heard.is_none() {
                *heard = listen().ok();
            }
            match &mut *heard {
                Some([typed, terminate]) => tokio::select! {
                    _ = typed.recv() => {}
                    _ = terminate.recv() => {}
                },
                None => std::future::pending().await,
            }
        })
    })
}

fn listen() -> io::Result<[Signal; 2]> {
    Ok([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumb_terminal_is_known_by_its_name() {
        for (term, dumb) in [("dumb", true), ("xterm-256color", false), ("", false)] {
            assert_eq!(is_dumb(&BTreeMap::from([("TERM".to_owned(), term.to_owned())])), dumb, "{term}");
        }
        assert!(!is_dumb(&BTreeMap::new()));
    }

    #[test]
    fn ids_differ_and_time_goes_on() {
        let ids = [ThisMachine.record_id(), ThisMachine.record_id()];
        assert!(ids[0] != ids[1] && ids.iter().all(|id| id.as_str().len() == 32), "{ids:?}");
        assert!(ThisMachine.now() > 1_700_000_000);
    }
}
