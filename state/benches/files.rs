//! Reading and writing a state of 1,000, 10,000 and 100,000 resources, and appending to its journal.
//!
//! What is measured is what a command waits for: the store as the command line uses it, files and fsync included.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on shall stop")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::address::Address;
use engine::port::Guard;
use engine::state::{Entry, Record, RecordId, State};
use engine::value::Value;
use meshplan_state::{Locked, Store};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
/// Appends that come together, as from an apply of the default parallelism.
const TOGETHER: u64 = 10;

/// One node of a binary tree of `meshplan_data`, as an apply of it leaves it.
fn put(number: u64) -> Entry {
    let address = |number| Address::managed("meshplan_data", &format!("n{number}"));
    let mut record = Record::new(RecordId::new(&format!("00000000-0000-4000-8000-{number:012}")), "meshplan_data");
    let input = Value::object([("number", Value::number(number)), ("parent", Value::string(format!("node {}", number / 2)))]);
    record.attributes = Value::object([("input", input.clone()), ("output", input), ("triggers_replace", Value::null())]);
    record.depends_on.extend((number > 1).then(|| address(number / 2)));
    Entry::Put { address: address(number), deposed: None, record }
}

fn tree(size: u64) -> State {
    let mut state = State::default();
    for number in 1..=size {
        state.apply(&put(number));
    }
    state
}

struct Scene {
    _directory: tempfile::TempDir,
    store: Store,
    runtime: Runtime,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::new(directory.path().join("meshplan.state.json"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
        Self { _directory: directory, store, runtime }
    }

    fn lock(&self) -> (Locked, State) {
        let (locked, loaded) = self.store.lock("bench", Duration::ZERO).expect("the lock");
        (locked, loaded.state)
    }

    /// Folds the state and gives back how long that took.
    fn fold(&self, locked: &Locked, state: &State) -> Duration {
        let started = Instant::now();
        self.runtime.block_on(locked.fold(state)).expect("a fold");
        started.elapsed()
    }
}

fn write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write");
    group.sample_size(10);
    for size in SIZES {
        let mut state = tree(size);
        group.throughput(Throughput::Elements(size));
        group.bench_with_input(BenchmarkId::from_parameter(size), &size, |bencher, _| {
            let scene = Scene::new();
            let (locked, _) = scene.lock();
            bencher.iter_custom(|rounds| {
                (0..rounds)
                    .map(|_| {
                        state.apply(&put(locked.serial() + size + 1));
                        scene.fold(&locked, &state)
                    })
                    .sum()
            });
        });
    }
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.sample_size(10);
    for size in SIZES {
        let scene = Scene::new();
        let (locked, _) = scene.lock();
        scene.fold(&locked, &tree(size));
        group.throughput(Throughput::Elements(size));
        group.bench_with_input(BenchmarkId::from_parameter(size), &size, |bencher, _| {
            bencher.iter_with_large_drop(|| black_box(scene.store.read().expect("a state")));
        });
    }
    group.finish();
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    group.throughput(Throughput::Elements(TOGETHER));
    for batch in [1, TOGETHER] {
        group.bench_with_input(BenchmarkId::new("entries per batch", batch), &batch, |bencher, batch| {
            let scene = Scene::new();
            let locked = Arc::new(scene.lock().0);
            bencher.iter(|| {
                scene.runtime.block_on(async {
                    let tasks: Vec<_> = (0..TOGETHER / batch)
                        .map(|task| {
                            let (locked, batch) = (locked.clone(), *batch);
                            tokio::spawn(async move {
                                let entries: Vec<_> = (0..batch).map(|number| put(task * batch + number)).collect();
                                locked.append(&entries).await
                            })
                        })
                        .collect();
                    for task in tasks {
                        task.await.expect("a task").expect("an append");
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, write, read, append);
criterion_main!(benches);
