//! Everything outside the program that it touches. Tests replace it whole or in part.

use engine::port::{BoxFuture, Guard, Machine, Registry};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Makes the registry of every kind, for the configuration in a directory (where the sandbox keeps its clusters).
pub type MakeRegistry = Box<dyn Fn(&Path) -> Registry + Send>;

/// Wraps the held lock, so that a test can end the run at a point of the journal.
pub type WrapGuard = Box<dyn Fn(Box<dyn Guard>) -> Box<dyn Guard> + Send>;

/// Waits for the next interruption: Ctrl-C or a request to terminate.
pub type NextInterrupt = Box<dyn FnMut() -> BoxFuture<'static, ()> + Send>;

/// Lines that somebody types at a prompt.
pub trait Typed: Send {
    /// The next line without its end; `None` when there are no more. An interruption ends the line alone: it is read as empty.
    fn line(&mut self, prompt: &str) -> io::Result<Option<String>>;
}

/// The real world, or one that a test made.
pub struct World {
    /// The working directory, absolute.
    pub directory: PathBuf,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Where answers come from.
    pub stdin: Box<dyn BufRead + Send>,
    /// Where somebody types at a prompt, if standard input and output are a terminal.
    pub typed: Option<Box<dyn Typed>>,
    /// Where data goes.
    pub stdout: Stream,
    /// Where talk goes.
    pub stderr: Stream,
    /// Clock and randomness.
    pub machine: Arc<dyn Machine>,
    /// Every kind.
    pub registry: MakeRegistry,
    /// What is put around the lock.
    pub guard: WrapGuard,
    /// Set by the first interruption of an apply.
    pub stop: Arc<AtomicBool>,
    /// Interruptions.
    pub interrupt: NextInterrupt,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// A stream that is written to. Errors are kept for the end: a reader that went away is none.
pub struct Stream {
    writer: Box<dyn Write + Send>,
    terminal: bool,
    width: Option<usize>,
    error: Option<io::Error>,
    /// What is written together once it is released.
    held: Option<String>,
}

impl Stream {
    /// A stream that is no terminal.
    pub fn plain(writer: Box<dyn Write + Send>) -> Self {
        Self { writer, terminal: false, width: None, error: None, held: None }
    }

    /// A terminal, so many columns wide if that is known.
    pub fn terminal(writer: Box<dyn Write + Send>, width: Option<usize>) -> Self {
        Self { writer, terminal: true, width, error: None, held: None }
    }

    /// Whether it is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Its width in columns, if it is a terminal that says so.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Keeps what is written from now on, to write it at once when it is released.
    pub fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Writes what was held.
    pub fn release(&mut self) {
        if let Some(held) = self.held.take() {
            self.write(&held);
        }
    }

    /// Writes a text as it is. After the first error nothing more is written.
    pub fn write(&mut self, text: &str) {
        if self.error.is_some() || text.is_empty() {
            return;
        }
        if let Some(held) = &mut self.held {
            held.push_str(text);
            return;
        }
        if let Err(error) = self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush()) {
            self.error = Some(error);
        }
    }

    /// Why not everything was written, unless the reader just went away.
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("terminal", &self.terminal).field("width", &self.width).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Counted(Arc<Mutex<Vec<String>>>);

    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_held_is_written_at_once() {
        let written = Counted::default();
        let mut stream = Stream::plain(Box::new(written.clone()));
        stream.write("a");
        stream.hold();
        stream.write("b");
        stream.write("c");
        stream.hold();
        stream.write("d");
        stream.release();
        stream.write("e");
        stream.release();
        assert_eq!(*written.0.lock().unwrap(), ["a", "bcd", "e"]);
    }

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is_one() {
        for (kind, is_error) in [(io::ErrorKind::BrokenPipe, false), (io::ErrorKind::StorageFull, true)] {
            let mut stream = Stream::plain(Box::new(Broken(kind)));
            stream.write("");
            assert!(stream.error.is_none());
            stream.write("text");
            assert_eq!(stream.error().is_some(), is_error, "{kind:?}");
        }
    }
}
