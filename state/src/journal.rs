//! The journal's writer: one thread that makes batches durable, as many at once as have come while it was busy.
//!
//! The thread also replaces the state, so that no line can come between the state that contains the journal and the journal's
//! end. It holds the lock, which is given back when the thread is done.

use crate::error::Error;
use crate::file_store;
use crate::format::journal_v1::{self, Header, Journal};
use crate::lock::Lock;
use crate::paths::{Paths, open_private, remove_if_there, sync_directory};
use engine::port::StoreError;
use futures::channel::oneshot;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// The journal beside a state, or nothing if there is none or not even its first line is whole.
pub(crate) fn read(paths: &Paths) -> Result<Option<Journal>, Error> {
    let bytes = match fs::read(&paths.journal) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &paths.journal)(error)),
    };
    let help =
        "the lines before it are whole: mend that line, or move the journal away and look at the world with `meshplan plan`".to_owned();
    journal_v1::read(&bytes).map_err(Error::unreadable(&paths.journal, journal_v1::VERSION, help))
}

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked to do.
enum Task {
    /// Make these lines durable.
    Append { lines: Vec<u8>, done: Reply<()> },
    /// Replace the state by this text, which has this serial, unless the file remembers all that already.
    Fold { text: Vec<u8>, serial: u64, done: Reply<u64> },
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    tasks: Option<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
    journal: PathBuf,
}

impl Writer {
    /// Starts the thread. It owns the lock.
    pub(crate) fn start(paths: Paths, header: Header, lock: Lock) -> Result<Self, Error> {
        let (tasks, receiver) = channel();
        let journal = paths.journal.clone();
        let appender = Appender { paths, header, file: None, broken: None };
        let run = move || {
            appender.run(&receiver);
            drop(lock);
        };
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(run).map_err(Error::io("start writing", &journal))?;
        Ok(Self { tasks: Some(tasks), thread: Some(thread), journal })
    }

    /// Makes lines durable.
    pub(crate) async fn append(&self, lines: Vec<u8>) -> Result<(), StoreError> {
        let (done, reply) = oneshot::channel();
        self.ask(Task::Append { lines, done }, reply).await
    }

    /// Replaces the state, unless nothing in it is new; the serial it then has.
    pub(crate) async fn fold(&self, text: Vec<u8>, serial: u64) -> Result<u64, StoreError> {
        let (done, reply) = oneshot::channel();
        self.ask(Task::Fold { text, serial, done }, reply).await
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
    paths: Paths,
    header: Header,
    /// The journal, once something was appended since the last state.
    file: Option<File>,
    /// The first failure. What a failed write or sync left of the file is not known, so nothing may follow it.
    broken: Option<String>,
}

impl Appender {
    fn run(mut self, tasks: &Receiver<Task>) {
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
                Task::Fold { text, serial, done } => {
                    done.send(self.fold(&text, serial).map_err(StoreError::from)).ok();
                }
            }
            if next.is_none() {
                next = tasks.recv().ok();
            }
        }
    }

    fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        if let Some(why) = &self.broken {
            return Err(Error::Broken { path: self.paths.journal.clone(), why: why.clone() });
        }
        let result = match self.file.take() {
            Some(mut file) => {
                file.write_all(lines).and_then(|()| file.sync_data()).map(|()| file).map_err(Error::io("write", &self.paths.journal))
            }
            None => self.begin(lines),
        };
        match result {
            Ok(file) => {
                self.file = Some(file);
                Ok(())
            }
            Err(error) => {
                self.broken = Some(error.to_string());
                Err(error)
            }
        }
    }

    /// A new journal that begins with these lines.
    fn begin(&self, lines: &[u8]) -> Result<File, Error> {
        let path = &self.paths.journal;
        let mut text = journal_v1::write_header(&self.header).map_err(Error::not_storable(path))?;
        text.extend(lines);
        let write = || {
            remove_if_there(path)?;
            let mut file = open_private(OpenOptions::new().append(true).create_new(true), path)?;
            file.write_all(&text)?;
            file.sync_all()?;
            sync_directory(self.paths.directory())?;
            Ok(file)
        };
        write().map_err(Error::io("write", path))
    }

    fn fold(&mut self, text: &[u8], serial: u64) -> Result<u64, Error> {
        if file_store::remembers(&self.paths, text)? {
            file_store::drop_journal(&self.paths)?;
        } else {
            file_store::replace(&self.paths, text)?;
            self.header.serial = serial;
        }
        self.header.secret_key = None;
        (self.file, self.broken) = (None, None);
        Ok(self.header.serial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Holder;
    use std::time::Duration;

    fn writer(directory: &std::path::Path) -> (Writer, Paths) {
        let paths = Paths::of(&directory.join("meshplan.state.json"));
        let (lock, _) = Lock::take(&paths, &Holder::this_process("apply"), Duration::ZERO).unwrap();
        let header = Header { lineage: "l".to_owned(), serial: 0, secret_key: None };
        (Writer::start(paths.clone(), header, lock).unwrap(), paths)
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
        let (writer, paths) = writer(directory.path());
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
        let text = fs::read_to_string(&paths.journal).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 1 + 100);
        for task in 0..20_usize {
            let at = |step| lines.iter().position(|found| line(task * 100 + step).starts_with(found.as_bytes()));
            assert!((0..5).map(at).collect::<Option<Vec<_>>>().unwrap().is_sorted());
        }
        assert_eq!(read(&paths).unwrap().unwrap().entries.len(), 100);
    }

    #[test]
    fn what_waits_while_the_writer_is_busy_is_written_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::of(&directory.path().join("meshplan.state.json"));
        let header = Header { lineage: "l".to_owned(), serial: 0, secret_key: None };
        let (tasks, receiver) = channel();
        let mut replies = Vec::new();
        for number in 0..3 {
            let (done, reply) = oneshot::channel();
            tasks.send(Task::Append { lines: line(number), done }).unwrap();
            replies.push(reply);
        }
        let (done, folded) = oneshot::channel();
        tasks.send(Task::Fold { text: b"{}".to_vec(), serial: 1, done }).unwrap();
        let (done, after) = oneshot::channel();
        tasks.send(Task::Append { lines: line(9), done }).unwrap();
        drop(tasks);
        Appender { paths: paths.clone(), header, file: None, broken: None }.run(&receiver);
        for reply in replies {
            assert_eq!(futures_value(reply), Ok(()));
        }
        assert_eq!((futures_value(folded), futures_value(after)), (Ok(1), Ok(())));
        let journal = read(&paths).unwrap().unwrap();
        assert_eq!((journal.header.serial, journal.entries.len()), (1, 1), "a journal of its own after the state");
    }

    fn futures_value<T>(mut reply: oneshot::Receiver<T>) -> T {
        reply.try_recv().unwrap().unwrap()
    }

    #[test]
    fn after_a_failure_nothing_follows_until_the_state_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::of(&directory.path().join("meshplan.state.json"));
        let header = Header { lineage: "l".to_owned(), serial: 0, secret_key: None };
        let mut appender = Appender { paths: paths.clone(), header, file: None, broken: None };
        fs::create_dir(&paths.journal).unwrap();
        assert!(matches!(appender.append(&line(1)), Err(Error::Io { .. })));
        fs::remove_dir(&paths.journal).unwrap();
        let error = appender.append(&line(2)).unwrap_err();
        assert!(matches!(error, Error::Broken { .. }), "{error}");
        assert!(!paths.journal.exists());
        appender.fold(b"{}", 1).unwrap();
        appender.append(&line(3)).unwrap();
        assert_eq!(read(&paths).unwrap().unwrap().entries.len(), 1);
    }

    #[test]
    fn who_asks_a_writer_that_has_ended_is_told_so() {
        let directory = tempfile::tempdir().unwrap();
        let (mut writer, paths) = writer(directory.path());
        writer.tasks = None;
        let error = runtime().block_on(writer.append(line(1))).unwrap_err();
        assert!(error.0.ends_with("meshplan.state.journal` has ended"), "{error}");
        drop(writer);
        assert!(Lock::take(&paths, &Holder::this_process("apply"), Duration::ZERO).is_ok(), "the lock is given back");
    }
}
