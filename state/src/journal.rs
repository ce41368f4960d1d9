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
