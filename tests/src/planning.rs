//! Plans and applies over the fake world, without files: text in, plan and state out.

use crate::fake::Fake;
use crate::saved;
use engine::apply::{Driven, Effects, Event, Summary, drive};
use engine::config;
use engine::diagnostic::Diagnostic;
use engine::observe::{self, Edge, Moved};
use engine::plan::{Action, Inputs, Plan, Walk};
use engine::port::{Asked, BoxFuture, Connected, Files, Guard, Machine, Provider, StoreError};
use engine::question::{Answer, Answers, Ask, Question};
use engine::source::{ModuleKey, SourceTree};
use engine::state::{Entry, RecordId, State};
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A state in memory, and the fake world that it is about.
#[derive(Debug, Default)]
pub struct Bench {
    /// The world.
    pub fake: Fake,
    /// What is remembered.
    pub state: State,
    machine: Counting,
}

#[derive(Debug, Default)]
struct Counting(AtomicU64);

/// The machine of one apply: a clock that stands still, and a timer with which something happens.
struct OneApply<'a> {
    ids: &'a Counting,
    fake: &'a Fake,
    while_waiting: Option<Meanwhile>,
    waited: Mutex<Duration>,
    stop: &'a AtomicBool,
}

impl Machine for OneApply<'_> {
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        let waited = &mut *self.waited.lock().unwrap();
        *waited += time;
        if self.while_waiting.is_some_and(|happens| happens(self.fake, *waited) == Goes::NoFurther) {
            self.stop.store(true, Ordering::SeqCst);
        }
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> u64 {
        0
    }

    fn record_id(&self) -> RecordId {
        RecordId::new(&format!("r{}", self.ids.0.fetch_add(1, Ordering::SeqCst)))
    }
}

/// What happens while an apply waits, by how long it has waited by then.
pub type Meanwhile = fn(&Fake, Duration) -> Goes;

/// Whether an apply goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// As it was.
    On,
    /// It is told to stop.
    NoFurther,
}

/// What happens to an apply.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances<'a> {
    /// Effects at once; ten if nothing is said.
    pub parallelism: Option<usize>,
    /// It is told to stop when this address is finished.
    pub stop_after: Option<&'a str>,
    /// The append to the journal that fails, counted from zero.
    pub failing_append: Option<usize>,
    /// What happens whenever time goes by.
    pub while_waiting: Option<Meanwhile>,
}

/// A journal in memory.
#[derive(Debug, Default)]
struct MemoryGuard {
    journal: Mutex<Vec<Entry>>,
    /// The append that fails, counted down.
    failing: Mutex<Option<usize>>,
    folded: Mutex<Option<State>>,
}

impl Guard for MemoryGuard {
    fn append<'a>(&'a self, batch: &'a [Entry]) -> BoxFuture<'a, Result<(), StoreError>> {
        let failing = &mut *self.failing.lock().unwrap();
        *failing = match *failing {
            Some(0) => {
                *failing = None;
                return Box::pin(std::future::ready(Err(StoreError("the disk is full".to_owned()))));
            }
            left => left.map(|left| left - 1),
        };
        self.journal.lock().unwrap().extend_from_slice(batch);
        Box::pin(std::future::ready(Ok(())))
    }

    fn fold<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, StoreError>> {
        *self.folded.lock().unwrap() = Some(state.clone());
        Box::pin(std::future::ready(Ok(state.serial + 1)))
    }

    fn replace<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<(), StoreError>> {
        *self.folded.lock().unwrap() = Some(state.clone());
        Box::pin(std::future::ready(Ok(())))
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Answer {
        Answer::Absent
    }

    fn list(&self, _: &str, _: Option<usize>) -> Answer {
        Answer::Absent
    }
}

/// The configuration that a text writes, and its problems. After a line such as `--- ./inner` stands the module of that source.
pub fn configuration(text: &str) -> (config::Config, Vec<Diagnostic>) {
    let mut tree = SourceTree::new(".");
    for (at, module) in format!("--- .\n{text}").split("--- ").skip(1).enumerate() {
        let (source, text) = module.split_once('\n').unwrap();
        let file = tree.add(&format!("{at}.mesh.hcl"), text);
        tree.modules.entry(ModuleKey(source.into())).or_default().files.push(file);
    }
    config::parse(&tree, &["cluster"])
}

impl Bench {
    /// Plans a configuration.
    pub fn plan(&self, text: &str) -> Plan {
        self.plan_with(text, Inputs::default())
    }

    /// Plans the destruction of everything.
    pub fn plan_destroy(&self) -> Plan {
        self.plan_with("", Inputs { destroy: true, ..Inputs::default() })
    }

    /// Plans a configuration with inputs.
    pub fn plan_with(&self, text: &str, inputs: Inputs) -> Plan {
        let (config, problems) = configuration(text);
        assert!(!problems.iter().any(Diagnostic::is_error), "{problems:#?}");
        let registry = self.fake.registry();
        let edge = Edge { registry: &registry, files: &NoFiles };
        now(observe::plan(&config, self.state.clone(), inputs, edge))
    }

    /// The fake world's answer to one question of a walk.
    pub fn answer(&self, question: Question, walk: &Walk<'_>) -> Answers {
        let place = match &question.ask {
            Ask::Read { record, .. } => record.place.clone(),
            _ => None,
        };
        let place = place.and_then(|address| {
            let (connection, uid) = walk.reached_before(&address)?;
            Some(Connected { address, connection, uid })
        });
        let answers = now(self.fake.answer(vec![Asked { question, place }]));
        answers.into_iter().map(|(question, answer)| (question.key().clone(), answer)).collect()
    }

    /// Says what of a plan does not hold any more, and lets it know how its places are reached now.
    pub fn look_again(&self, plan: &mut Plan) -> Vec<Moved> {
        let registry = self.fake.registry();
        now(observe::look_again(plan, Edge { registry: &registry, files: &NoFiles })).unwrap()
    }

    /// Applies a plan and remembers what it left.
    pub fn apply_plan(&mut self, plan: &Plan) -> (Summary, Vec<Event>) {
        self.apply_under(plan, Circumstances::default())
    }

    /// Applies a plan under circumstances and remembers what it left. The plan goes through a file on its way, from which it must come back
    /// as it was; the journal must replay to what was folded.
    pub fn apply_under(&mut self, plan: &Plan, circumstances: Circumstances<'_>) -> (Summary, Vec<Event>) {
        let saved = saved::through_a_file(plan, self.fake.registry().catalogue());
        let plan = &saved;
        let guard = MemoryGuard { failing: Mutex::new(circumstances.failing_append), ..MemoryGuard::default() };
        let registry = self.fake.registry();
        let stop = AtomicBool::new(false);
        let parallelism = circumstances.parallelism.unwrap_or(10);
        let while_waiting = circumstances.while_waiting;
        let machine = OneApply { ids: &self.machine, fake: &self.fake, while_waiting, waited: Mutex::default(), stop: &stop };
        let effects = Effects { registry: &registry, guard: &guard, machine: &machine, stop: &stop, parallelism };
        let mut events = Vec::new();
        let Driven { summary, state } = now(drive(plan, effects, &mut |event| {
            if let Event::Finished { address, .. } = &event
                && Some(address.to_string().as_str()) == circumstances.stop_after
            {
                stop.store(true, Ordering::SeqCst);
            }
            events.push(event);
        }));
        let journal = guard.journal.into_inner().unwrap();
        let folded = guard.folded.into_inner().unwrap().unwrap();
        let mut replayed = plan.prior.clone();
        for entry in &journal {
            replayed.apply(entry);
        }
        assert_eq!(replayed, folded, "the journal does not replay to the state");
        assert!(
            state.is_none_or(|state| State { serial: folded.serial, ..state } == folded),
            "what is said to be remembered was not folded"
        );
        self.state = folded;
        (summary, events)
    }

    /// Plans and applies a configuration; problems and failures fail the test.
    pub fn apply(&mut self, text: &str) -> Plan {
        let plan = self.plan(text);
        assert!(!plan.is_errored(), "{:#?}", plan.diagnostics);
        let (summary, _) = self.apply_plan(&plan);
        assert!(summary.is_complete(), "{summary:#?}");
        plan
    }

    /// Asserts that a configuration has nothing to apply.
    pub fn assert_converged(&self, text: &str) {
        let plan = self.plan(text);
        assert!(!plan.has_changes(), "{:#?}", actions(&plan));
        assert!(!plan.is_errored(), "{:#?}", plan.diagnostics);
    }
}

/// The changes of a plan as lines such as `+ fake_thing.a: not in state`, those kept left out.
pub fn actions(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().filter(|change| change.action != Action::Keep);
    changes.map(|change| format!("{} {}: {}", change.action.glyph(), change.address, change.reason)).collect()
}

/// Runs a future that never has to wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
