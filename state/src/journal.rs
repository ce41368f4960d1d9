//! The journal's writer: one thread that makes batches durable, as many at once as have come while it was busy.
//!
//! The thread also replaces the state, so that no line can come between the state that contains the journal and the journal's
//! end. It holds the lock, which is given back when the thread is done.

use crate::backend::Held;
use crate::error::Error;
use crate::format::journal_v1::Header;
use crate::recovery::{Fold, fold};
use crate::sealing::Files;
use engine::port::StoreError;
use futures::channel::oneshot;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked to do.
enum Task {
    /// Make these lines durable.
    Append { lines: Vec<u8>, done: Reply<()> },
    /// Replace the state by this text, which has this serial, unless the state remembers all that already.
    Fold { text: Vec<u8>, serial: u64, worth: Worth, done: Reply<u64> },
}

/// When a state is worth writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// Whenever something in it is new.
    Always,
    /// Only if there is a journal, because there is nothing in it and no state was ever written.
    OverJournal,
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    tasks: Option<Sender<Task>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
    journal: PathBuf,
}

impl Writer {
    /// Starts the thread. It owns the lock.
    pub(crate) fn start(held: Box<dyn Held>, journal: PathBuf, header: Header, files: Arc<Files>) -> Result<Self, Error> {
        let (tasks, receiver) = channel();
        let appender = Appender { held, journal: journal.clone(), header, files, begun: false, broken: None };
        let builder = std::thread::Builder::new().name("journal".to_owned());
        let thread = builder.spawn(move || appender.run(&receiver)).map_err(Error::io("start writing", &journal))?;
        Ok(Self { tasks: Some(tasks), thread: Some(thread), journal })
    }

    /// Ends the thread once all is done that was asked of it, and gives the lock back.
    pub(crate) fn end(mut self) -> Result<(), StoreError> {
        self.tasks = None;
        let gone = || StoreError(format!("the writer of `{}` has ended", self.journal.display()));
        let joined = self.thread.take().ok_or_else(gone)?.join().map_err(|_| gone())?;
        joined.map_err(StoreError::from)
    }

    /// Makes lines durable.
    pub(crate) async fn append(&self, lines: Vec<u8>) -> Result<(), StoreError> {
        let (done, reply) = oneshot::channel();
        self.ask(Task::Append { lines, done }, reply).await
    }

    /// Replaces the state, unless nothing in it is new; the serial it then has.
    pub(crate) async fn fold(&self, text: Vec<u8>, serial: u64, worth: Worth) -> Result<u64, StoreError> {
        let (done, reply) = oneshot::channel();
        self.ask(Task::Fold { text, serial, worth, done }, reply).await
    }

    async fn ask<T>(&self, task: Task, reply: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
        let gone = || StoreError(format!("the writer of `{}` has ended", self.journal.display()));
        self.tasks.as_ref().ok_or_else(gone)?.send(task).map_err(|_| gone())?;
        reply.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    /// Waits for what is under way: when this returns the lock is given back.
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// What the thread works with.
struct Appender {
    held: Box<dyn Held>,
    journal: PathBuf,
    header: Header,
    files: Arc<Files>,
    /// Whether the journal was begun since the last state.
    begun: bool,
    /// The first failure. What a failed write or sync left of the journal is not known, so nothing may follow it.
    broken: Option<String>,
}

impl Appender {
    fn run(mut self, tasks: &Receiver<Task>) -> Result<(), Error> {
        let mut next = tasks.recv().ok();
        while let Some(task) = next.take() {
            match task {
                Task::Append { lines, done } => {
                    let (mut lines, mut waiting) = (lines, vec![done]);
                    while let Ok(task) = tasks.try_recv() {
                        match task {
                            Task::Append { lines: more, done } => {
                                lines.extend(more);
                                waiting.push(done);
                            }
                            fold @ Task::Fold { .. } => {
                                next = Some(fold);
                                break;
                            }
                        }
                    }
                    let result = self.append(&lines).map_err(StoreError::from);
                    for done in waiting {
                        done.send(result.clone()).ok();
                    }
                }
                Task::Fold { text, serial, worth, done } => {
                    done.send(self.fold(&text, serial, worth).map_err(StoreError::from)).ok();
                }
            }
            if next.is_none() {
                next = tasks.recv().ok();
            }
        }
        self.held.release()
    }

    fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        if let Some(why) = &self.broken {
            return Err(Error::Broken { path: self.journal.clone(), why: why.clone() });
        }
        let result = if self.begun { self.held.append(lines) } else { self.begin(lines) };
        match &result {
            Ok(()) => self.begun = true,
            Err(error) => self.broken = Some(error.to_string()),
        }
        result
    }

    /// A new journal that begins with these lines.
    fn begin(&mut self, lines: &[u8]) -> Result<(), Error> {
        let mut text = self.files.write_header(&self.header).map_err(Error::not_storable(&self.journal))?;
        text.extend(lines);
        self.held.begin(&text)
    }

    fn fold(&mut self, text: &[u8], serial: u64, worth: Worth) -> Result<u64, Error> {
        if worth == Worth::OverJournal && !self.held.has_journal()? {
            return Ok(self.header.serial);
        }
        // What a failed one left is not known either.
        if fold(&mut *self.held, text).inspect_err(|error| self.broken = Some(error.to_string()))? == Fold::Written {
            self.header.serial = serial;
        }
        self.header.secret_key = None;
        (self.begun, self.broken) = (false, None);
        Ok(self.header.serial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::format::journal_v1::{self, Journal};
    use crate::holder::Holder;
    use crate::local::Local;
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    fn local(directory: &Path) -> Local {
        Local::new(&directory.join("meshplan.state.json"))
    }

    fn take(local: &Local) -> Result<Box<dyn Held>, Error> {
        local.take(&Holder::this_process("apply"), Duration::ZERO).map(|(held, _)| held)
    }

    fn header() -> Header {
        Header { lineage: "l".to_owned(), serial: 0, secret_key: None }
    }

    fn writer(directory: &Path) -> (Writer, Local) {
        let local = local(directory);
        (Writer::start(take(&local).unwrap(), local.names().journal.clone(), header(), Arc::default()).unwrap(), local)
    }

    fn appender(local: &Local) -> Appender {
        Appender {
            held: take(local).unwrap(),
            journal: local.names().journal.clone(),
            header: header(),
            files: Arc::default(),
            begun: false,
            broken: None,
        }
    }

    fn journal(local: &Local) -> Journal {
        journal_v1::read(&local.read().unwrap().journal.unwrap()).ok().flatten().unwrap()
    }

    fn line(number: usize) -> Vec<u8> {
        format!("{{\"remove\":{{\"address\":\"k.n{number}\"}}}}\n").into_bytes()
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
    }

    #[test]
    fn appends_that_come_together_are_all_there_each_in_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let (writer, local) = writer(directory.path());
        let writer = std::sync::Arc::new(writer);
        runtime().block_on(async {
            let tasks: Vec<_> = (0..20_usize)
                .map(|task| {
                    let writer = writer.clone();
                    tokio::spawn(async move {
                        for step in 0..5 {
                            writer.append(line(task * 100 + step)).await.unwrap();
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        let text = fs::read_to_string(&local.names().journal).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 1 + 100);
        for task in 0..20_usize {
            let at = |step| lines.iter().position(|found| line(task * 100 + step).starts_with(found.as_bytes()));
            assert!((0..5).map(at).collect::<Option<Vec<_>>>().unwrap().is_sorted());
        }
        assert_eq!(journal(&local).entries.len(), 100);
    }

    #[test]
    fn what_waits_while_the_writer_is_busy_is_written_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let local = local(directory.path());
        let (tasks, receiver) = channel();
        let mut replies = Vec::new();
        for number in 0..3 {
            let (done, reply) = oneshot::channel();
            tasks.send(Task::Append { lines: line(number), done }).unwrap();
            replies.push(reply);
        }
        let (done, folded) = oneshot::channel();
        tasks.send(Task::Fold { text: b"{}".to_vec(), serial: 1, worth: Worth::Always, done }).unwrap();
        let (done, after) = oneshot::channel();
        tasks.send(Task::Append { lines: line(9), done }).unwrap();
        drop(tasks);
        appender(&local).run(&receiver).unwrap();
        for reply in replies {
            assert_eq!(futures_value(reply), Ok(()));
        }
        assert_eq!((futures_value(folded), futures_value(after)), (Ok(1), Ok(())));
        let journal = journal(&local);
        assert_eq!((journal.header.serial, journal.entries.len()), (1, 1), "a journal of its own after the state");
    }

    fn futures_value<T>(mut reply: oneshot::Receiver<T>) -> T {
        reply.try_recv().unwrap().unwrap()
    }

    #[test]
    fn after_a_failure_nothing_follows_until_the_state_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let local = local(directory.path());
        let path = local.names().journal.clone();
        let mut appender = appender(&local);
        fs::create_dir(&path).unwrap();
        assert!(matches!(appender.append(&line(1)), Err(Error::Io { .. })));
        fs::remove_dir(&path).unwrap();
        let error = appender.append(&line(2)).unwrap_err();
        assert!(matches!(error, Error::Broken { .. }), "{error}");
        assert_eq!(error.summary(), "journal not writable");
        assert!(!path.exists());
        appender.fold(b"{}", 1, Worth::Always).unwrap();
        appender.append(&line(3)).unwrap();
        assert_eq!(journal(&local).entries.len(), 1);
    }

    #[test]
    fn who_asks_a_writer_that_has_ended_is_told_so() {
        let directory = tempfile::tempdir().unwrap();
        let (mut writer, local) = writer(directory.path());
        writer.tasks = None;
        let error = runtime().block_on(writer.append(line(1))).unwrap_err();
        assert!(error.0.ends_with("meshplan.state.journal` has ended"), "{error}");
        drop(writer);
        assert!(take(&local).is_ok(), "the lock is given back");
    }
}
