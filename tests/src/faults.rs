//! Processes to which something happens at a chosen point of an apply.
//!
//! A run passes four kinds of points: before the append of entries (an intent, or an outcome), after it, after each effect of a
//! provider, and around the write of the state. The child counts them; at the one that is asked for it kills itself, fails, or waits.
//! With none it says how many there were.

use crate::scenario::Scenario;
use engine::port::{Asked, BoxFuture, Done, Failure, Guard, Provider, Registry, Request, StoreError};
use engine::question::{Answer, Question};
use engine::schema::Kind;
use engine::state::{Entry, State};
use meshplan::World;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The variable that names the point to end at, counted from zero.
pub const KILL_AT: &str = "TEST_KILL_AT";
/// The variable that names the point to fail at: what was just done, or was about to be, says that it failed.
pub const FAIL_AT: &str = "TEST_FAIL_AT";
/// The variable that names the point to wait at, in the file `held`, until there is a file `go`.
pub const HOLD_AT: &str = "TEST_HOLD_AT";
/// The variable that names the point to panic at, with a message that holds all arguments of an effect. The same message is written to
/// the file `panicked`.
pub const PANIC_AT: &str = "TEST_PANIC_AT";
/// The file in which a run keeps how long the journal was before its last append; there is none once an effect has ended since.
const APPENDED_TO: &str = "appended-to";
/// What a failure says.
pub const FAILED: &str = "the world says no";
/// The variable that names the file to which the number of points is written.
pub const COUNT_TO: &str = "TEST_COUNT_TO";

/// The journal, in the working directory.
pub const JOURNAL: &str = "meshplan.state.journal";

/// How long the journal of a run was before its last append, if no effect has ended since: what a crash may tear is what stands after it.
pub fn whole_before_the_last_append(scenario: &Scenario) -> Option<usize> {
    let path = scenario.path().join(APPENDED_TO);
    std::fs::read_to_string(path).ok().map(|length| length.parse().unwrap())
}

/// Counts points, and lets something happen at one.
#[derive(Debug)]
struct Points {
    passed: AtomicU64,
    fault: Option<(Fault, u64)>,
}

/// What happens at a point.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Kill,
    Fail,
    Hold,
    Panic,
}

impl Points {
    /// What the environment asks for.
    fn from_environment() -> Self {
        let known = [(KILL_AT, Fault::Kill), (FAIL_AT, Fault::Fail), (HOLD_AT, Fault::Hold), (PANIC_AT, Fault::Panic)];
        let mut asked = known.into_iter();
        let fault = asked.find_map(|(name, fault)| Some((fault, std::env::var(name).ok()?.parse().ok()?)));
        Self { passed: AtomicU64::new(0), fault }
    }

    /// Passes the next point, of the journal.
    async fn store(&self) -> Result<(), StoreError> {
        self.pass("").await.map_err(|()| StoreError(FAILED.to_owned()))
    }

    /// Passes the next point, at which the process has this in reach; an error if it is to fail.
    async fn pass(&self, reach: &str) -> Result<(), ()> {
        let point = self.passed.fetch_add(1, Ordering::SeqCst);
        match self.fault.filter(|(_, at)| *at == point) {
            None => Ok(()),
            Some((Fault::Kill, _)) => kill_this_process(),
            Some((Fault::Fail, _)) => Err(()),
            Some((Fault::Panic, _)) => {
                std::fs::write("panicked", reach).unwrap();
                panic!("{reach}");
            }
            Some((Fault::Hold, _)) => {
                std::fs::write("held", "").unwrap();
                while !Path::new("go").exists() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Ok(())
            }
        }
    }
}

/// Ends this process as the kernel does when memory is short: at once, with nothing flushed.
fn kill_this_process() -> ! {
    let id = std::process::id().to_string();
    drop(Command::new("kill").args(["-9", &id]).status());
    loop {
        std::thread::park();
    }
}

struct PassingProvider(Arc<dyn Provider>, Arc<Points>);

impl Provider for PassingProvider {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        self.0.resources()
    }

    fn data_sources(&self) -> Vec<Arc<dyn Kind>> {
        self.0.data_sources()
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        self.0.answer(asked)
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.after(reach(&request), self.0.create(request))
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.after(reach(&request), self.0.settle(request))
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.after(reach(&request), self.0.update(request))
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let reach = reach(&request);
            self.0.delete(request).await?;
            drop(std::fs::remove_file(APPENDED_TO));
            self.1.pass(&reach).await.map_err(|()| failure())
        })
    }
}

impl PassingProvider {
    /// A thing that was made or changed is there although its provider says that it failed.
    fn after<'a>(&'a self, reach: String, effect: BoxFuture<'a, Result<Done, Failure>>) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(async move {
            let done = effect.await?;
            drop(std::fs::remove_file(APPENDED_TO));
            match self.1.pass(&reach).await {
                Ok(()) => Ok(done),
                Err(()) => Err(Failure { partial: Some(Box::new(done)), ..failure() }),
            }
        })
    }
}

/// What a provider has at hand during an effect.
fn reach(request: &Request) -> String {
    format!("{}: {:?}", request.address, request.arguments.to_json())
}

fn failure() -> Failure {
    Failure::new("not done", FAILED)
}

struct PassingGuard(Box<dyn Guard>, Arc<Points>);

impl Guard for PassingGuard {
    fn append<'a>(&'a self, batch: &'a [Entry]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.1.store().await?;
            let length = std::fs::metadata(JOURNAL).map_or(0, |journal| journal.len());
            std::fs::write(APPENDED_TO, length.to_string()).unwrap();
            let result = self.0.append(batch).await;
            self.1.store().await?;
            result
        })
    }

    fn fold<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            self.1.store().await?;
            let result = self.0.fold(state).await;
            self.1.store().await?;
            result
        })
    }

    fn replace<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.1.store().await?;
            let result = self.0.replace(state).await;
            self.1.store().await?;
            result
        })
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        self.0.release()
    }
}

/// Runs the real command line in the real world, with points counted. What the child binary does.
pub fn run_counting() -> u8 {
    meshplan::end_at_panics();
    let points = Arc::new(Points::from_environment());
    let world = meshplan::real_world();
    let (make, wrap) = (world.registry, world.guard);
    let (for_providers, for_guard) = (points.clone(), points.clone());
    let registry = move |directory: &Path| -> Registry {
        let points = for_providers.clone();
        make(directory).wrapped(&move |provider| Arc::new(PassingProvider(provider, points.clone())))
    };
    let guard = move |guard| -> Box<dyn Guard> { Box::new(PassingGuard(wrap(guard), for_guard.clone())) };
    let code = meshplan::run(World { registry: Box::new(registry), guard: Box::new(guard), ..world }, std::env::args_os());
    if let Ok(file) = std::env::var(COUNT_TO) {
        std::fs::write(file, points.passed.load(Ordering::SeqCst).to_string()).unwrap();
    }
    code
}
