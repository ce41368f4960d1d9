//! What every backend promises. Each function begins with a state that does not exist yet.

use super::{NOW, Run, block_on, filled, put, sizes};
use engine::port::Guard;
use engine::state::State;
use state::{Account, Backend, Ending, Error, History, Holder, Notice, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What is folded is read again; what was only appended too, and becomes part of the state at the next lock.
pub fn remembers(backend: &Arc<dyn Backend>) {
    let store = Store::on(backend.clone());
    let nothing = store.read().unwrap();
    assert_eq!((nothing.state.serial, sizes(&nothing.state), nothing.notices), (0, String::new(), Vec::new()));
    assert_eq!(store.claimed().unwrap(), None);

    let mut run = Run::begin(&store).unwrap();
    assert_eq!(run.fold(), Ok(0), "an apply of nothing leaves no state");
    run.append(&put("a", 1)).unwrap();
    run.append(&put("b", 2)).unwrap();
    let seen = store.read().unwrap();
    assert_eq!((sizes(&seen.state).as_str(), seen.state.serial), ("a=1 b=2", 1), "who reads sees what is journaled");
    assert!(matches!(seen.notices.as_slice(), [Notice::Unfinished { entries: 2, .. }]), "{:?}", seen.notices);
    assert_eq!((run.fold(), run.fold()), (Ok(1), Ok(1)), "what is unchanged keeps its serial");
    run.append(&put("a", 3)).unwrap();
    assert_eq!(run.fold(), Ok(2), "one lock folds and goes on");
    run.append(&put("c", 4)).unwrap();
    let state = run.state.clone();
    run.release().unwrap();

    let (locked, loaded) = store.lock("plan", NOW).unwrap();
    assert_eq!(loaded.notices, [Notice::Replayed { entries: 1, serial: 3 }]);
    assert_eq!((&loaded.state.resources, &loaded.state.lineage), (&state.resources, &state.lineage));
    assert_eq!(loaded.state.secret_key, state.secret_key);
    assert_eq!(store.claimed().unwrap().map(|holder| holder.operation), Some("plan".to_owned()));
    block_on(Box::new(locked).release()).unwrap();
    let after = store.read().unwrap();
    assert_eq!((after.state, after.notices), (loaded.state, Vec::new()));
    assert_eq!(store.claimed().unwrap(), None);
}

/// A journal that came to nothing makes no new serial, and a state of another lineage is not written.
pub fn writes_only_what_is_new(backend: &Arc<dyn Backend>) {
    let store = Store::on(backend.clone());
    let mut run = Run::begin(&store).unwrap();
    run.append(&put("a", 1)).unwrap();
    run.fold().unwrap();
    run.append(&put("a", 2)).unwrap();
    run.append(&put("a", 1)).unwrap();
    run.release().unwrap();
    assert_eq!(store.read().unwrap().state.serial, 1);
    let mut run = Run::begin(&store).unwrap();
    assert_eq!(run.state.serial, 1);
    "another".clone_into(&mut run.state.lineage);
    run.state.apply(&put("b", 2));
    assert!(run.fold().unwrap_err().contains("the state to be written of `another`"));
    run.release().unwrap();
    assert_eq!(sizes(&store.read().unwrap().state), "a=1");
}

/// Of several who want the lock at once one gets it, the others are told who; who waits gets it in the end, and no write is lost.
pub fn one_at_a_time(backend: &Arc<dyn Backend>) {
    let store = Store::on(backend.clone());
    let held = Run::begin(&store).unwrap();
    let error = Run::begin(&store).err().unwrap();
    let Error::Held { holder: Some(holder), .. } = &error else { panic!("{error}") };
    assert_eq!((holder.operation.as_str(), holder.pid), ("apply", std::process::id()));
    held.release().unwrap();

    let (inside, rounds) = (AtomicUsize::new(0), 3);
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let (store, inside) = (&store, &inside);
            scope.spawn(move || {
                for round in 0..rounds {
                    let (locked, mut loaded) = store.lock("apply", Duration::from_mins(2)).unwrap();
                    assert_eq!((inside.fetch_add(1, Ordering::SeqCst), loaded.notices.as_slice()), (0, &[][..]));
                    let entry = put(&format!("w{writer}r{round}"), 1);
                    block_on(locked.append(std::slice::from_ref(&entry))).unwrap();
                    loaded.state.apply(&entry);
                    block_on(locked.fold(&loaded.state)).unwrap();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    block_on(Box::new(locked).release()).unwrap();
                }
            });
        }
    });
    let state = store.read().unwrap().state;
    assert_eq!((state.serial, state.resources.len()), (9, 9), "{}", sizes(&state));
}

/// A journal whose last line is torn holds the entries whose lines are whole, wherever it is torn. `step` says how many bytes are
/// passed over from one cut to the next.
pub fn torn(backend: &Arc<dyn Backend>, step: usize) {
    let store = Store::on(backend.clone());
    let mut run = Run::begin(&store).unwrap();
    run.append(&put("a", 1)).unwrap();
    run.fold().unwrap();
    run.append(&put("a", 2)).unwrap();
    run.append(&put("b", 3)).unwrap();
    run.release().unwrap();
    let whole = backend.read().unwrap().journal.unwrap();
    let holder = Holder { id: "torn".to_owned(), owner: "a@b".to_owned(), pid: 1, operation: "apply".to_owned(), since: String::new() };
    let (mut held, _) = backend.take(&holder, NOW).unwrap();
    for cut in (0..=whole.len()).step_by(step) {
        held.begin(&whole[..cut]).unwrap();
        let state = store.read().unwrap().state;
        let expected = match whole[..cut].split(|byte| *byte == b'\n').count() - 1 {
            0 | 1 => ("a=1", 1),
            2 => ("a=2", 2),
            _ => ("a=2 b=3", 2),
        };
        assert_eq!((sizes(&state).as_str(), state.serial), expected, "cut at {cut}");
    }
    held.drop_journal().unwrap();
    held.release().unwrap();
}

/// So many bytes of hexadecimal digits, others for each seed.
pub(super) fn incompressible(bytes: usize, seed: u64) -> String {
    let mut random = seed;
    (0..bytes.div_ceil(16)).fold(String::new(), |mut text, _| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        write!(text, "{random:016x}").unwrap();
        text
    })
}

/// A state of at least so many bytes, which do not compress, is read as it was written, and who reads while it is replaced sees one or the
/// other.
pub fn large(backend: &Arc<dyn Backend>, bytes: usize) {
    let store = Store::on(backend.clone());
    let mut run = Run::begin(&store).unwrap();
    for round in 1..=3 {
        run.append(&filled("a", &incompressible(bytes, round))).unwrap();
        let (before, reading) = (store.read().unwrap().state, store.clone());
        let seen = std::thread::spawn(move || reading.read().unwrap().state);
        assert_eq!(run.fold(), Ok(round));
        let after = store.read().unwrap().state;
        assert_eq!((&after.resources, after.serial), (&run.state.resources, round));
        assert_eq!(seen.join().unwrap().resources, before.resources, "what is folded was seen before");
    }
    run.release().unwrap();
}

/// What an operation on a state leaves to be written down.
pub(super) fn account<'a>(operation: &'a str, state: &'a State) -> Account<'a> {
    let (now, ending, counts) = (1_700_000_000, Ending::Complete, BTreeMap::new());
    Account { operation, now, ending, counts, digest: None, planned: None, state }
}

/// Revisions have numbers that only grow, hold any state whole, and go when they are more than are kept; of two who write at once each gets a
/// number of its own. `bytes` is the size of the state.
pub fn keeps_revisions(backend: &Arc<dyn Backend>, directory: &Path, bytes: usize) {
    let history = || History::new(directory.join("history"), Store::on(backend.clone())).unwrap();
    let (mine, theirs) = (history(), history());
    assert_eq!((mine.last().unwrap(), mine.heads().unwrap().len()), (None, 0));
    let mut state = State { lineage: "l".to_owned(), serial: 1, ..State::default() };
    for serial in 1..=4 {
        state.serial = serial;
        state.apply(&filled("a", &incompressible(bytes, serial)));
        let (writer, reader) = if serial % 2 == 0 { (&theirs, &mine) } else { (&mine, &theirs) };
        let planned = writer.pack((Some(&"{}"), None), &state).unwrap();
        let account = Account { planned: Some(&planned), ..account("apply", &state) };
        assert_eq!(writer.record(&account, Some(3)).unwrap(), serial);
        assert_eq!(reader.state(serial).unwrap(), state);
        assert_eq!(reader.last().unwrap().map(|head| (head.number, head.serial)), Some((serial, serial)));
    }
    let heads: Vec<_> = mine.heads().unwrap().into_iter().map(|head| head.unwrap().number).collect();
    assert_eq!((heads, theirs.plan(2).unwrap().as_deref()), (vec![2, 3, 4], Some("{}")));
    let Err(Error::NoRevision { number: 1, kept: Some((2, 4)), .. }) = mine.state(1) else { panic!("it is gone") };
    if backend.revisions().unwrap().is_some() {
        // A directory has one user at a time, who has the lock; elsewhere a late holder may write as well.
        let taken: Vec<u64> = std::thread::scope(|scope| {
            let writers =
                [&mine, &theirs, &mine, &theirs].map(|history| scope.spawn(|| history.record(&account("apply", &state), None).unwrap()));
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        assert_eq!(BTreeSet::from_iter(taken), BTreeSet::from([5, 6, 7, 8]));
    }
    theirs.record(&account("apply", &state), Some(0)).unwrap();
    assert_eq!(mine.numbers().unwrap().len(), 0, "none is kept");
}

/// A state that a newer meshplan wrote is refused, and stays as it is.
pub fn newer(backend: &Arc<dyn Backend>) {
    let text = br#"{"version": 2, "meshplan_version": "3.1.4"}"#;
    let store = Store::on(backend.clone());
    let holder = Holder { id: "newer".to_owned(), owner: "a@b".to_owned(), pid: 1, operation: "apply".to_owned(), since: String::new() };
    let (mut held, _) = backend.take(&holder, NOW).unwrap();
    held.replace(text).unwrap();
    held.release().unwrap();
    for error in [store.read().unwrap_err(), store.lock("apply", NOW).unwrap_err()] {
        assert!(matches!(&error, Error::Newer { version: 2, written_by, .. } if written_by == "3.1.4"), "{error}");
    }
    let kept = backend.read().unwrap();
    assert_eq!((kept.state.as_deref(), kept.journal), (Some(&text[..]), None));
    assert_eq!(store.claimed().unwrap(), None, "the lock is given back");
}
