//! Processes that end by SIGKILL at a chosen point of an apply.
//!
//! A run passes four kinds of points: before the append of entries (an intent, or an outcome), after it, and after each effect of a
//! provider. The child counts them and kills itself at the one that is asked for; with none it says how many there were.

use engine::port::{Asked, BoxFuture, Done, Failure, Guard, Provider, Registry, Request, StoreError};
use engine::question::{Answer, Question};
use engine::schema::Kind;
use engine::state::{Entry, State};
use meshplan::World;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable that names the point to end at, counted from zero.
pub const KILL_AT: &str = "TEST_KILL_AT";
/// The variable that names the file to which the number of points is written.
pub const COUNT_TO: &str = "TEST_COUNT_TO";

/// Counts points, and ends the process at one.
#[derive(Debug)]
struct Points {
    passed: AtomicU64,
    last: Option<u64>,
}

impl Points {
    fn pass(&self) {
        if Some(self.passed.fetch_add(1, Ordering::SeqCst)) == self.last {
            kill_this_process();
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
        self.after(self.0.create(request))
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.after(self.0.settle(request))
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.after(self.0.update(request))
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        self.after(self.0.delete(request))
    }
}

impl PassingProvider {
    fn after<'a, T: 'a>(&'a self, effect: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
        Box::pin(async move {
            let result = effect.await;
            self.1.pass();
            result
        })
    }
}

struct PassingGuard(Box<dyn Guard>, Arc<Points>);

impl Guard for PassingGuard {
    fn append(&self, batch: Vec<Entry>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.1.pass();
            let result = self.0.append(batch).await;
            self.1.pass();
            result
        })
    }

    fn fold<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            self.1.pass();
            let result = self.0.fold(state).await;
            self.1.pass();
            result
        })
    }

    fn replace(self: Box<Self>, state: &State) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.1.pass();
            let result = self.0.replace(state).await;
            self.1.pass();
            result
        })
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        self.0.release()
    }
}

/// Runs the real command line in the real world, with points counted. What the child binary does.
pub fn run_counting() -> u8 {
    let last = std::env::var(KILL_AT).ok().and_then(|point| point.parse().ok());
    let points = Arc::new(Points { passed: AtomicU64::new(0), last });
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
