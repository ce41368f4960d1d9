//! Plan, apply and no-op plan of 1,000 and 10,000 `meshplan_data` resources that refer to each other as a binary tree, in process; with
//! `MESHPLAN_BENCH_LARGE` set of 100,000 too.
//!
//! A plan is measured from the text of the configuration to the plan, an apply from a plan to the folded state: its journal and state
//! lie in a temporary directory and are fsynced as always. A no-op plan also reads the state's file.
//!
//! `parse 500 files` reads a directory of 500 files, which several threads parse, and the same files each in a directory of its own,
//! which one thread does.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on shall stop")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::apply::{Effects, drive};
use engine::config::{self, Config};
use engine::observe::{self, Edge};
use engine::plan::{Inputs, Plan};
use engine::port::{Files, Guard, Machine, Registry};
use engine::question::Answer;
use engine::source::SourceTree;
use engine::state::{RecordId, State};
use state::Store;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Effects at once, as the command line has them unless told otherwise.
const PARALLELISM: usize = 10;

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Answer {
        Answer::Absent
    }

    fn list(&self, _: &str, _: Option<usize>) -> Answer {
        Answer::Absent
    }
}

/// A clock that stands still and ids that count.
#[derive(Default)]
struct Counting(AtomicU64);

impl Machine for Counting {
    fn sleep(&self, _: std::time::Duration) -> engine::port::BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> u64 {
        0
    }

    fn record_id(&self) -> RecordId {
        RecordId::new(&format!("{:032x}", self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

struct Scene {
    registry: Registry,
    runtime: Runtime,
}

impl Scene {
    fn new() -> Self {
        let mut registry = Registry::default();
        registry.add(&core_provider::provider());
        Self { registry, runtime: Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime") }
    }

    fn plan(&self, text: &str, state: State) -> Plan {
        let config = parsed(text);
        let edge = Edge { registry: &self.registry, files: &NoFiles };
        let plan = self.runtime.block_on(observe::plan(&config, state, Inputs::default(), edge));
        assert!(!plan.is_errored(), "{:?}", plan.diagnostics);
        plan
    }

    /// Applies a plan in a new directory; how long it took, and the directory.
    fn apply(&self, plan: &Plan) -> (Duration, TempDir) {
        let directory = tempfile::tempdir().expect("a directory");
        let (locked, _) = store(&directory).lock("bench", Duration::ZERO).expect("the lock");
        let (machine, stop) = (Counting::default(), AtomicBool::new(false));
        let effects = Effects { registry: &self.registry, guard: &locked, machine: &machine, stop: &stop, parallelism: PARALLELISM };
        let started = Instant::now();
        let summary = self.runtime.block_on(drive(plan, effects, &mut |_| {})).summary;
        let took = started.elapsed();
        assert!(summary.is_complete(), "{:?}", summary.diagnostics);
        self.runtime.block_on(Box::new(locked).release()).expect("the lock given back");
        (took, directory)
    }
}

fn store(directory: &TempDir) -> Store {
    Store::new(directory.path().join("meshplan.state.json"))
}

fn sizes() -> Vec<usize> {
    let large = std::env::var_os("MESHPLAN_BENCH_LARGE").map(|_| 100_000);
    [1_000, 10_000].into_iter().chain(large).collect()
}

/// Resource `n` keeps the id of resource `(n - 1) / 2`.
fn tree(size: usize) -> String {
    tree_of("n", size)
}

/// The same, with another word before the numbers.
fn tree_of(word: &str, size: usize) -> String {
    let mut text = format!("resource \"meshplan_data\" \"{word}0\" {{\n  input = \"root\"\n}}\n");
    for number in 1..size {
        let parent = (number - 1) / 2;
        writeln!(text, "\nresource \"meshplan_data\" \"{word}{number}\" {{\n  input = meshplan_data.{word}{parent}.id\n}}").expect("text");
    }
    text
}

fn parsed(text: &str) -> Config {
    directory(&[text])
}

/// The configuration of a directory of such files.
fn directory<T: AsRef<str>>(files: &[T]) -> Config {
    let mut tree = SourceTree::new(".");
    for (number, text) in files.iter().enumerate() {
        let file = tree.add(&format!("{number}.mesh.hcl"), text.as_ref());
        tree.modules.get_mut(&tree.root).expect("the root").files.push(file);
    }
    let (config, problems) = config::parse(&tree, &[]);
    assert!(problems.is_empty(), "{problems:?}");
    config
}

/// Runs `measure` for each size in a group of its own.
fn each_size(criterion: &mut Criterion, name: &str, mut measure: impl FnMut(&mut criterion::Bencher<'_>, &Scene, &str)) {
    let scene = Scene::new();
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    for size in sizes() {
        let text = tree(size);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| measure(bencher, &scene, &text));
    }
    group.finish();
}

fn parse(criterion: &mut Criterion) {
    each_size(criterion, "parse", |bencher, _, text| bencher.iter_with_large_drop(|| black_box(parsed(text))));
}

fn parse_files(criterion: &mut Criterion) {
    let files: Vec<_> = (0..500).map(|file| tree_of(&format!("f{file}_"), 40)).collect();
    let mut group = criterion.benchmark_group("parse 500 files");
    group.sample_size(10).throughput(Throughput::Bytes(files.iter().map(|text| text.len() as u64).sum()));
    group.bench_function("of one directory", |bencher| bencher.iter_with_large_drop(|| black_box(directory(&files))));
    group.bench_function("each alone", |bencher| {
        bencher.iter_with_large_drop(|| files.iter().map(|text| black_box(parsed(text))).collect::<Vec<_>>());
    });
    group.finish();
}

fn plan(criterion: &mut Criterion) {
    each_size(criterion, "plan", |bencher, scene, text| {
        bencher.iter_with_large_drop(|| black_box(scene.plan(text, State::default())));
    });
}

fn apply(criterion: &mut Criterion) {
    each_size(criterion, "apply", |bencher, scene, text| {
        let plan = scene.plan(text, State::default());
        bencher.iter_custom(|rounds| (0..rounds).map(|_| scene.apply(&plan).0).sum());
    });
}

fn no_op_plan(criterion: &mut Criterion) {
    each_size(criterion, "no-op plan", |bencher, scene, text| {
        let (_, directory) = scene.apply(&scene.plan(text, State::default()));
        let store = store(&directory);
        bencher.iter_with_large_drop(|| {
            let plan = scene.plan(text, store.read().expect("a state").state);
            assert!(!plan.has_changes(), "{:?}", plan.counts());
            plan
        });
    });
}

criterion_group!(benches, parse, parse_files, plan, apply, no_op_plan);
criterion_main!(benches);
