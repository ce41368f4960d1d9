//! What a backend promises whose lock must be renewed, because nobody knows whether its holder lives.

use super::contract::{self, account};
use super::{Death, Mortal, NOW, Run, filled, put, sizes};
use engine::state::State;
use state::{Claim, Error, History, Notice, Objects, Remote, Store};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The state, as another process with a lock of this lease reaches it.
fn store(objects: &Arc<dyn Objects>, lease: Duration) -> Store {
    Store::on(Arc::new(Remote::new(objects.clone()).lease(lease)))
}

/// A process that can be put to sleep.
fn sleeper(objects: &Arc<dyn Objects>, lease: Duration) -> (Arc<Mortal>, Store) {
    let mortal = Arc::new(Mortal::immortal(objects.clone()));
    let reached: Arc<dyn Objects> = mortal.clone();
    (mortal, store(&reached, lease))
}

/// As long as the holder renews the lock nobody else gets it, however long that takes.
pub fn is_renewed(objects: &Arc<dyn Objects>, lease: Duration) {
    let (held, other) = (Run::begin(&store(objects, lease)).unwrap(), store(objects, lease));
    let until = Instant::now() + lease * 3;
    while Instant::now() < until {
        assert!(matches!(other.lock("destroy", NOW), Err(Error::Held { .. })));
        std::thread::sleep(lease / 5);
    }
    held.release().unwrap();
    assert!(other.lock("destroy", NOW).is_ok());
}

/// A holder that dies is waited for until its lease is over and then taken over, aloud and with all that it journaled.
pub fn a_dead_holder_is_taken_over(objects: &Arc<dyn Objects>, lease: Duration) {
    let (mortal, first) = sleeper(objects, lease);
    let mut dead = Run::begin(&first).unwrap();
    dead.append(&put("a", 1)).unwrap();
    mortal.sleep(true);
    assert!(dead.release().is_err());
    let other = store(objects, lease);
    assert!(matches!(other.lock("destroy", NOW), Err(Error::Held { holder: Some(_), .. })));
    let (_locked, loaded) = other.lock("destroy", lease * 3).unwrap();
    assert_eq!(sizes(&loaded.state), "a=1");
    let [Notice::TookOver(holder), Notice::Replayed { entries: 1, serial: 1 }] = loaded.notices.as_slice() else {
        panic!("{:?}", loaded.notices)
    };
    assert_eq!(holder.operation, "apply");
}

/// Clocks that disagree by a day, or that were put back. A dead holder whose clock was ahead is taken over once nobody renewed its lock for as
/// long as it holds, by the watch of who waits; a living one whose clock was behind is taken over too early, writes nothing more, and
/// loses nothing that was durable.
pub fn clocks_may_disagree(objects: &Arc<dyn Objects>, lease: Duration) {
    const DAY: Duration = Duration::from_hours(24);
    let other = store(objects, lease);
    let (mortal, first) = sleeper(objects, lease);
    let mut ahead = Run::begin(&first).unwrap();
    ahead.append(&put("a", 1)).unwrap();
    mortal.sleep(true);
    let (claim, version) = objects.claim().unwrap().unwrap();
    objects.write_claim(&Claim { renewed: claim.renewed + DAY, ..claim }, Some(&version)).unwrap();
    assert!(matches!(other.lock("destroy", NOW), Err(Error::Held { .. })));
    let (locked, loaded) = other.lock("destroy", lease * 4).unwrap();
    assert!(matches!(loaded.notices.first(), Some(Notice::TookOver(_))) && sizes(&loaded.state) == "a=1", "{:?}", loaded.notices);
    drop(ahead);
    Run { locked, state: loaded.state }.release().unwrap();

    // With a lease that it does not renew while this lasts.
    let long = Duration::from_mins(5);
    let mut behind = Run::begin(&store(objects, long)).unwrap();
    behind.append(&put("b", 2)).unwrap();
    let (claim, version) = objects.claim().unwrap().unwrap();
    objects.write_claim(&Claim { renewed: claim.renewed - DAY, ..claim }, Some(&version)).unwrap();
    let mut early = Run::begin(&other).unwrap();
    assert_eq!(sizes(&early.state), "a=1 b=2");
    refused(&mut behind);
    early.append(&put("c", 3)).unwrap();
    early.fold().unwrap();
    early.release().unwrap();
    assert!(behind.release().is_err());
    assert_eq!(sizes(&other.read().unwrap().state), "a=1 b=2 c=3");
}

/// How far the new holder has come when the one before wakes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Locked,
    Appended,
    Folded,
    Released,
}

/// A holder that wakes up after it was taken over writes nothing more, whatever the new one has done meanwhile.
pub fn a_late_holder_is_refused(objects: &Arc<dyn Objects>, lease: Duration) {
    for (round, progress) in [Progress::Locked, Progress::Appended, Progress::Folded, Progress::Released].into_iter().enumerate() {
        for had_begun in [false, true] {
            let number = round as u64 * 2 + u64::from(had_begun);
            let (mortal, first) = sleeper(objects, lease);
            let mut late = Run::begin(&first).unwrap();
            let mut expected = late.state.clone();
            if had_begun {
                late.append(&put("a", number)).unwrap();
                expected.apply(&put("a", number));
            }
            mortal.sleep(true);
            let mut other = Run::begin_within(&store(objects, lease), lease * 4);
            if progress != Progress::Locked {
                other.append(&put("b", number)).unwrap();
                expected.apply(&put("b", number));
            }
            if matches!(progress, Progress::Folded | Progress::Released) {
                other.fold().unwrap();
            }
            let other = if progress == Progress::Released { other.release().map(|()| None).unwrap() } else { Some(other) };
            mortal.sleep(false);
            refused(&mut late);
            let seen = store(objects, lease).read().unwrap().state;
            assert_eq!(sizes(&seen), sizes(&expected), "{progress:?} {had_begun}");
            if let Some(mut other) = other {
                other.append(&put("c", number)).unwrap();
                expected.apply(&put("c", number));
                refused(&mut late);
                other.fold().unwrap();
                other.release().unwrap();
            }
            assert!(late.release().is_err(), "it is told that it lost the lock");
            let seen = store(objects, lease).read().unwrap();
            assert_eq!((sizes(&seen.state), seen.notices), (sizes(&expected), Vec::new()), "{progress:?} {had_begun}");
        }
    }
}

fn refused(late: &mut Run) {
    let before = late.state.clone();
    assert!(late.append(&put("late", 1)).is_err());
    late.state.apply(&put("late", 2));
    assert!(late.fold().is_err());
    late.state = before;
}

impl Run {
    /// Takes the lock, waiting for it.
    fn begin_within(store: &Store, timeout: Duration) -> Self {
        let (locked, loaded) = store.lock("apply", timeout).unwrap();
        Self { locked, state: loaded.state }
    }
}

/// Everything that a run asks of its objects; what it was told is durable.
fn apply(store: &Store, round: u64) -> (String, Result<(), String>) {
    let mut run = match Run::begin(store) {
        Ok(run) => run,
        Err(error) => return (String::new(), Err(error.to_string())),
    };
    let mut work = || {
        run.append(&put("a", round))?;
        run.append(&put("b", round))?;
        run.fold()?;
        run.append(&put("c", round))?;
        run.fold().map(|_| ())
    };
    let result = work();
    let durable = sizes(&run.state);
    (durable, result.and(run.release()))
}

/// A process that dies at any of its requests, or one of whose requests fails, loses nothing that it was told is durable; the next one goes
/// on from there, and leaves nothing behind. `step` says how many requests are passed over from one failure to the next.
pub fn nothing_is_lost_at_any_request(make: &dyn Fn() -> Arc<dyn Objects>, step: usize) {
    for death in [Death::Before, Death::After, Death::Refused, Death::Unanswered] {
        let objects = make();
        let healthy = store(&objects, Duration::from_mins(1));
        assert_eq!(apply(&healthy, 0), ("a=0 b=0 c=0".to_owned(), Ok(())));
        let mut expected = "a=0 b=0 c=0".to_owned();
        for (at, round) in (0..).step_by(step).zip(1..) {
            let mortal = Arc::new(Mortal::new(objects.clone(), death, at));
            let reached: Arc<dyn Objects> = mortal.clone();
            let (durable, result) = apply(&store(&reached, Duration::from_mins(1)), round);
            if !durable.is_empty() {
                expected = durable;
            }
            let seen = healthy.read().unwrap().state;
            assert_eq!(sizes(&seen), or_later(&expected, &sizes(&seen), round), "{death:?} at {at}: {result:?}");
            if let Some(holder) = healthy.claimed().unwrap() {
                healthy.break_lock(&holder.id).unwrap();
            }
            if mortal.requests() <= at {
                assert_eq!(result, Ok(()));
                break;
            }
            assert_eq!(apply(&healthy, round), (format!("a={round} b={round} c={round}"), Ok(())), "after {death:?} at {at}");
            expected = format!("a={round} b={round} c={round}");
        }
        let left = objects.names("journal-").unwrap().len();
        assert_eq!(left, 0, "{death:?} leaves no segments");
        assert!(objects.names("state-").unwrap().len() <= 2 * 40, "{death:?} leaves no parts but of two states");
    }
}

/// A process that dies at any of its requests while it writes a revision leaves it whole or not at all, and the next one gets a number and
/// leaves nothing of it behind once it is too old. `bytes` is the size of the state.
pub fn a_revision_is_whole_or_not_there(make: &dyn Fn() -> Arc<dyn Objects>, bytes: usize) {
    let history = |objects: &Arc<dyn Objects>| History::new("nowhere", Store::on(Arc::new(Remote::new(objects.clone())))).unwrap();
    let mut state = State { lineage: "l".to_owned(), ..State::default() };
    state.apply(&filled("a", &contract::incompressible(bytes, 1)));
    for death in [Death::Before, Death::After, Death::Refused, Death::Unanswered] {
        let objects = make();
        let healthy = history(&objects);
        let mut kept = BTreeSet::new();
        for at in 0.. {
            let mortal = Arc::new(Mortal::new(objects.clone(), death, at));
            let reached: Arc<dyn Objects> = mortal.clone();
            let recorded = history(&reached).record(&account("apply", &state), Some(2));
            let seen = healthy.numbers().unwrap();
            assert!(seen.iter().all(|number| healthy.state(*number).unwrap() == state), "{death:?} at {at}");
            assert!(recorded.as_ref().is_ok_and(|number| seen.contains(number)) || mortal.requests() > at, "{death:?} at {at}");
            let number = healthy.record(&account("apply", &state), Some(2)).unwrap();
            assert!(kept.insert(number), "{death:?} at {at}: no number is given twice");
            if mortal.requests() <= at {
                break;
            }
        }
        let last = *kept.last().unwrap();
        healthy.record(&account("apply", &state), Some(1)).unwrap();
        let left = objects.names("further-").unwrap();
        assert!(left.iter().all(|name| name.starts_with(&format!("further-{:012}-", last + 1))), "{death:?}: {left:?}");
        assert_eq!(objects.names("revision-").unwrap().len(), 1);
    }
}

/// What is expected to be seen: what was durable, or that and entries of this round whose answer did not come.
fn or_later(durable: &str, seen: &str, round: u64) -> String {
    let of = |sizes: &str, name: &str| sizes.split(' ').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok());
    let one = |name: &str| {
        let (durable, seen) = (of(durable, name), of(seen, name));
        if seen == Some(round) { seen } else { durable }
    };
    ["a", "b", "c"].iter().filter_map(|name| Some(format!("{name}={}", one(name)?))).collect::<Vec<_>>().join(" ")
}
