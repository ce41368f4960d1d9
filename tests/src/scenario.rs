//! A directory of its own for each test, and the command line run in it, in process.

use crate::apiserver::Access;
use crate::apiserver::access::kubeconfig;
use crate::fake::Fake;
use crate::namespace::Namespace;
use engine::port::{BoxFuture, Machine, ProviderMaker};
use engine::state::RecordId;
use meshplan::World;
use meshplan::world::{MakeRegistry, Stream};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// A working directory that goes away with the test.
#[derive(Debug)]
pub struct Scenario {
    directory: TempDir,
    machine: Arc<CountingMachine>,
    environment: BTreeMap<String, String>,
    fake: Option<Fake>,
    namespace: Option<Arc<Namespace>>,
}

/// What a run of the command line left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit code.
    pub code: u8,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

impl Output {
    /// The same output, after checking the exit code.
    #[expect(clippy::return_self_not_must_use, reason = "often the exit code is all there is to say")]
    pub fn expect_code(self, code: u8) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Exit code, stdout and stderr as one text.
    pub fn all(&self) -> String {
        format!("exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// A clock that stands still, a timer that is a hundred times too fast, and ids that count.
#[derive(Debug, Default)]
struct CountingMachine {
    records: AtomicU64,
}

impl Machine for CountingMachine {
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time / 100))
    }

    fn now(&self) -> u64 {
        1_800_000_000
    }

    fn record_id(&self) -> RecordId {
        RecordId::new(&format!("r{:07}", self.records.fetch_add(1, Ordering::SeqCst)))
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Scenario {
    /// An empty directory, in memory where there is such a place: what is held here is order, and an fsync shows none of it.
    pub fn empty() -> Self {
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        Self { directory: directory.unwrap(), machine: Arc::default(), environment: BTreeMap::new(), fake: None, namespace: None }
    }

    /// A directory with one configuration file.
    pub fn with(configuration: &str) -> Self {
        let scenario = Self::empty();
        scenario.write("main.mesh.hcl", configuration);
        scenario
    }

    /// A directory within another one, with one configuration file.
    pub fn with_in(directory: &Path, configuration: &str) -> Self {
        let directory = TempDir::new_in(directory).unwrap();
        let scenario = Self { directory, machine: Arc::default(), environment: BTreeMap::new(), fake: None, namespace: None };
        scenario.write("main.mesh.hcl", configuration);
        scenario
    }

    /// A directory with a copy of one of the project's examples.
    pub fn example(name: &str) -> Self {
        Self::copy_of(&project().join("examples").join(name))
    }

    /// A directory with a copy of another, without state.
    pub fn copy_of(directory: &Path) -> Self {
        let scenario = Self::empty();
        copy(directory, scenario.path());
        scenario
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a kubeconfig with a context for each way, and lets `KUBECONFIG` name it.
    pub fn reach(&mut self, ways: &[Access]) {
        self.write("kubeconfig", &kubeconfig(ways));
        self.environment.insert("KUBECONFIG".to_owned(), self.path().join("kubeconfig").display().to_string());
    }

    /// Puts a fake world beside the real providers.
    pub fn beside(&mut self, fake: &Fake) {
        self.fake = Some(fake.clone());
    }

    /// Lets children of the test run in namespaces: those of [`crate::killed::Counting`].
    pub fn enter(&mut self, namespace: impl Into<Arc<Namespace>>) {
        self.namespace = Some(namespace.into());
    }

    /// The namespaces that children run in.
    pub fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_deref()
    }

    /// Sets a variable of the environment that command lines run in.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// The environment that command lines run in.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file; empty if there is none.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// Replaces a text in a file, which must hold it.
    pub fn replace(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "`{name}` does not hold `{from}`");
        self.write(name, &text.replace(from, to));
    }

    /// The state file, parsed; null without one.
    pub fn state(&self) -> serde_json::Value {
        serde_json::from_str(&self.read("meshplan.state.json")).unwrap_or(serde_json::Value::Null)
    }

    /// The addresses in the state file, sorted.
    pub fn addresses(&self) -> Vec<String> {
        let run = self.run(&["state", "list"]).expect_code(0);
        run.stdout.lines().map(str::to_owned).collect()
    }

    /// Runs a command line in process.
    pub fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, "")
    }

    /// Runs a command line in process, with something to read.
    pub fn run_with(&self, args: &[&str], stdin: &str) -> Output {
        Self::run_in(self.world(stdin), args)
    }

    /// Runs a command line in process, in a world that was changed; its output is caught.
    pub fn run_in(mut world: World, args: &[&str]) -> Output {
        let (out, err) = (Sink::default(), Sink::default());
        world.stdout = Stream::plain(Box::new(out.clone()));
        world.stderr = Stream::plain(Box::new(err.clone()));
        let args = std::iter::once("meshplan").chain(args.iter().copied()).map(OsString::from);
        let code = meshplan::run(world, args);
        Output { code, stdout: out.text(), stderr: err.text() }
    }

    /// Runs a command line in process as on a terminal of so many columns, which shows colours unless the environment says otherwise.
    pub fn run_on_terminal(&self, args: &[&str], columns: usize) -> Output {
        let (out, err) = (Sink::default(), Sink::default());
        let mut world = self.world("");
        world.stdout = Stream::terminal(Box::new(out.clone()), Some(columns));
        world.stderr = Stream::plain(Box::new(err.clone()));
        let args = std::iter::once("meshplan").chain(args.iter().copied()).map(OsString::from);
        let code = meshplan::run(world, args);
        Output { code, stdout: out.text(), stderr: err.text() }
    }

    fn registry(&self) -> MakeRegistry {
        let real = meshplan::registry_maker(self.path(), &self.environment);
        let Some(fake) = self.fake.clone() else { return real };
        Box::new(move |directory| {
            let mut registry = real(directory);
            let maker: Arc<dyn ProviderMaker> = Arc::new(fake.clone());
            registry.add_configurable(&maker);
            registry
        })
    }

    /// The real world, but for directory, environment, streams, clock and interruptions.
    pub fn world(&self, stdin: &str) -> World {
        let never: Box<dyn FnMut() -> BoxFuture<'static, ()> + Send> = Box::new(|| Box::pin(std::future::pending()));
        World {
            directory: self.path().to_owned(),
            environment: self.environment.clone(),
            registry: self.registry(),
            stdin: Box::new(Cursor::new(stdin.to_owned())),
            typed: None,
            machine: self.machine.clone(),
            interrupt: never,
            ..meshplan::real_world()
        }
    }
}

/// The project's root directory.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Copies a directory with all below it, without state.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let entries = std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name();
        // State of a run by hand stays where it is.
        if [".meshplan", "meshplan.state.json", "meshplan.state.json.backup"].iter().any(|left| name == *left) {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            assert!(std::fs::copy(entry.path(), target).is_ok());
        }
    }
}

/// The lines of a text that hold a word, for messages of failed tests.
pub fn lines_with(text: &str, word: &str) -> String {
    text.lines().filter(|line| line.contains(word)).fold(String::new(), |mut all, line| {
        writeln!(all, "{line}").unwrap();
        all
    })
}
