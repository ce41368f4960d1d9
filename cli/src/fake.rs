//! A world for tests: a directory of its own, fixed time, streams that are kept.

use crate::world::{MakeRegistry, Stream, Typed, World};
use engine::port::{BoxFuture, Machine, Provider};
use engine::state::RecordId;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// A directory with files in it, in which command lines are run.
pub(crate) struct Fake {
    directory: TempDir,
    environment: BTreeMap<String, String>,
    input: String,
    typed: Option<Vec<String>>,
    interruptions: usize,
    provider: Option<Arc<dyn Provider>>,
}

/// What a run left.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Fake {
    /// A directory with these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { directory, environment: BTreeMap::new(), input: String::new(), typed: None, interruptions: 0, provider: None }
    }

    /// The same with an environment variable.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same with another provider beside the real ones.
    pub(crate) fn provider(mut self, provider: Arc<dyn Provider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// What is typed when a run asks.
    pub(crate) fn input(&mut self, text: &str) -> &mut Self {
        text.clone_into(&mut self.input);
        self
    }

    /// The lines that are typed at prompts.
    pub(crate) fn typed(&mut self, lines: &[&str]) -> &mut Self {
        self.typed = Some(lines.iter().map(|line| (*line).to_owned()).collect());
        self
    }

    /// So often Ctrl-C is pressed as soon as an apply is under way.
    pub(crate) fn interruptions(&mut self, times: usize) -> &mut Self {
        self.interruptions = times;
        self
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        std::fs::write(self.path().join(path), text).unwrap();
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The text of a file, or nothing if there is none.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.path().join(path)).ok()
    }

    /// What each revision of the history was left by.
    pub(crate) fn operations(&self) -> Vec<String> {
        let heads: Vec<serde_json::Value> = serde_json::from_str(&self.run("state history --json").out).unwrap();
        heads.iter().map(|head| head["operation"].as_str().unwrap().to_owned()).collect()
    }

    /// Runs `meshplan` with arguments that are separated by spaces.
    pub(crate) fn run(&self, args: &str) -> Ran {
        let (code, out, err) = self.printed(args);
        Ran { code, out: self.redacted(&out), err: self.redacted(&err) }
    }

    /// The digest of the plan that such a run shows.
    pub(crate) fn digest(&self, args: &str) -> String {
        let (_, out, err) = self.printed(args);
        let shown = out.take();
        let at = shown.find("sha256:").unwrap_or_else(|| panic!("{args} shows no digest: {shown}{}", err.take()));
        shown[at..at + 71].to_owned()
    }

    fn printed(&self, args: &str) -> (u8, Kept, Kept) {
        let (out, err) = (Kept::default(), Kept::default());
        let world = World {
            directory: self.path().to_owned(),
            environment: self.environment.clone(),
            stdin: Box::new(Cursor::new(self.input.clone().into_bytes())),
            typed: self.typed.clone().map(|lines| Box::new(Script { lines: lines.into_iter(), shown: out.clone() }) as _),
            stdout: Stream::plain(Box::new(out.clone())),
            stderr: Stream::plain(Box::new(err.clone())),
            machine: Arc::new(Clockwork::default()),
            registry: self.registry(),
            guard: Box::new(|guard| guard),
            stop: Arc::new(AtomicBool::new(false)),
            interrupt: Box::new(interrupts(self.interruptions)),
        };
        let args = std::iter::once("meshplan").chain(args.split(' ').filter(|arg| !arg.is_empty())).map(OsString::from);
        (crate::run(world, args), out, err)
    }

    fn registry(&self) -> MakeRegistry {
        let make = crate::registry_maker(self.path(), &self.environment);
        let provider = self.provider.clone();
        Box::new(move |directory| {
            let mut registry = make(directory);
            if let Some(provider) = &provider {
                registry.add(provider);
            }
            registry
        })
    }

    fn redacted(&self, kept: &Kept) -> String {
        without_digits(&kept.take().replace(&self.path().display().to_string(), "$DIR"))
    }
}

/// Somebody who types lines, seen together with what is printed.
struct Script {
    lines: std::vec::IntoIter<String>,
    shown: Kept,
}

impl Typed for Script {
    fn line(&mut self, prompt: &str) -> io::Result<Option<String>> {
        let line = self.lines.next();
        writeln!(self.shown, "{prompt}{}", line.as_deref().unwrap_or("^D"))?;
        Ok(line)
    }
}

/// Ctrl-C, a few times and then never again. Each takes a moment, as a person does.
fn interrupts(mut times: usize) -> impl FnMut() -> BoxFuture<'static, ()> {
    move || {
        if times == 0 {
            return Box::pin(std::future::pending());
        }
        times -= 1;
        Box::pin(tokio::time::sleep(Duration::from_millis(20)))
    }
}

/// A stream's bytes.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    /// What was written since the last time.
    pub(crate) fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text with a fixed word in place of each digest.
pub(crate) fn without_digits(text: &str) -> String {
    let mut pieces = text.split("sha256:");
    let mut redacted = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        if piece.starts_with('…') {
            // Documentation, of digests in general.
            redacted.extend(["sha256:", piece]);
            continue;
        }
        let digits = piece.chars().take_while(char::is_ascii_hexdigit).count();
        assert_eq!(digits, 64, "a digest has 64 digits: {piece}");
        redacted.extend(["sha256:$DIGEST", &piece[digits..]]);
    }
    redacted
}

/// Always the same second, and ids that count.
#[derive(Default)]
struct Clockwork(AtomicU64);

impl Machine for Clockwork {
    fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> u64 {
        1_700_000_000
    }

    fn record_id(&self) -> RecordId {
        RecordId::new(&format!("record-{}", self.0.fetch_add(1, Ordering::Relaxed)))
    }
}
