//! Copying a state from one backend to another.

use crate::backend::Held;
use crate::error::Error;
use crate::format::state_v1;
use crate::holder::Holder;
use crate::store::{Loaded, Store};
use engine::state::State;
use std::time::Duration;

/// Which states a copy may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// None, or an earlier one of the same lineage.
    Earlier,
    /// Any.
    Whatever,
}

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrated {
    /// There was no state to copy.
    Nothing,
    /// It was there already, as it is.
    Already {
        /// Its serial.
        serial: u64,
    },
    /// It was copied, and read again to be sure.
    Copied {
        /// Its serial.
        serial: u64,
    },
}

impl Store {
    /// Copies the state to another store, under the locks of both, with what a journal adds to it. Lineage, serial and every byte stay as
    /// they are; nothing is removed here. What else is to be done once it was copied is done before the locks are given back.
    pub fn migrate_to(&self, target: &Self, (onto, timeout): (Onto, Duration), then: &mut dyn FnMut(&State)) -> Result<Migrated, Error> {
        self.locked(timeout, |source, loaded| {
            let Some(text) = source.state()? else { return Ok(Migrated::Nothing) };
            target.locked(timeout, |held, there| {
                let migrated = copy(target, held, &Copy { text: &text, from: &loaded, onto: &there }, onto)?;
                if matches!(migrated, Migrated::Copied { .. }) {
                    then(&loaded.state);
                }
                Ok(migrated)
            })
        })
    }

    /// Does something under the lock.
    fn locked<T>(&self, timeout: Duration, work: impl FnOnce(&mut dyn Held, Loaded) -> Result<T, Error>) -> Result<T, Error> {
        let (mut held, _) = self.backend.take(&Holder::this_process("state migrate"), timeout)?;
        let done = self.begin(&mut *held).and_then(|(loaded, _)| work(&mut *held, loaded));
        // What went wrong first is what a user should hear of.
        let released = held.release();
        done.and_then(|done| released.map(|()| done))
    }
}

/// A text, the state that it is of, and the one that it shall replace.
struct Copy<'a> {
    text: &'a [u8],
    from: &'a Loaded,
    onto: &'a Loaded,
}

fn copy(target: &Store, held: &mut dyn Held, copy: &Copy<'_>, onto: Onto) -> Result<Migrated, Error> {
    let (from, there) = (&copy.from.state, &copy.onto.state);
    let serial = from.serial;
    if let Some(kept) = held.state()? {
        if kept == copy.text {
            return Ok(Migrated::Already { serial });
        }
        let is_earlier = there.lineage == from.lineage && there.serial < serial;
        if !is_earlier && onto == Onto::Earlier && state_v1::content(&kept) != state_v1::content(copy.text) {
            let why = if there.lineage == from.lineage {
                format!("has serial {}, what shall replace it {serial}", there.serial)
            } else {
                format!("is of the lineage `{}`, what shall replace it of `{}`", there.lineage, from.lineage)
            };
            return Err(Error::WouldBeLost { path: target.path().to_owned(), why });
        }
    }
    held.replace(copy.text)?;
    if target.backend.read()?.state.as_deref() != Some(copy.text) {
        return Err(Error::Unreachable { path: target.path().to_owned(), why: "what was written is not what is read".to_owned() });
    }
    Ok(Migrated::Copied { serial })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::address::Address;
    use engine::port::Guard;
    use engine::state::{Entry, Record, RecordId};
    use std::fs;

    const NOW: Duration = Duration::ZERO;

    /// A state of this serial, the last entry of which is journaled alone.
    fn written(store: &Store, serial: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        while store.read().unwrap().state.serial < serial {
            let (locked, loaded) = store.lock("apply", NOW).unwrap();
            let name = format!("n{}", loaded.state.serial);
            let entry =
                Entry::Put { address: Address::managed("thing", &name), deposed: None, record: Record::new(RecordId::new("r"), "thing") };
            runtime.block_on(locked.append(&[entry])).unwrap();
            drop(locked);
        }
    }

    fn stores() -> (tempfile::TempDir, Store, Store) {
        let directory = tempfile::tempdir().unwrap();
        let (a, b) = (Store::new(directory.path().join("a.json")), Store::new(directory.path().join("b.json")));
        (directory, a, b)
    }

    #[test]
    fn a_state_is_copied_with_its_journal_and_stays_where_it_was() {
        let (_directory, a, b) = stores();
        assert_eq!(a.migrate_to(&b, (Onto::Earlier, NOW), &mut |_| ()).unwrap(), Migrated::Nothing);
        assert!(!b.path().exists());
        written(&a, 2);
        let before = a.read().unwrap().state;
        assert_eq!(a.migrate_to(&b, (Onto::Earlier, NOW), &mut |_| ()).unwrap(), Migrated::Copied { serial: 2 });
        assert_eq!((a.read().unwrap().state, b.read().unwrap().state), (before.clone(), before));
        assert_eq!(fs::read(a.path()).unwrap(), fs::read(b.path()).unwrap());
        assert_eq!(a.migrate_to(&b, (Onto::Earlier, NOW), &mut |_| ()).unwrap(), Migrated::Already { serial: 2 });
        written(&a, 4);
        assert_eq!(a.migrate_to(&b, (Onto::Earlier, NOW), &mut |_| ()).unwrap(), Migrated::Copied { serial: 4 });
    }

    #[test]
    fn a_later_state_or_another_one_is_replaced_only_if_that_is_said() {
        let (directory, a, b) = stores();
        written(&a, 1);
        a.migrate_to(&b, (Onto::Earlier, NOW), &mut |_| ()).unwrap();
        written(&b, 3);
        let other = Store::new(directory.path().join("c.json"));
        written(&other, 1);
        for (target, why) in [(&b, "has serial 3, what shall replace it 1"), (&other, "is of the lineage `")] {
            let before = target.read().unwrap().state;
            let error = a.migrate_to(target, (Onto::Earlier, NOW), &mut |_| ()).unwrap_err();
            assert!(matches!(&error, Error::WouldBeLost { .. }) && error.to_string().contains(why), "{error}");
            assert_eq!(target.read().unwrap().state, before);
            assert_eq!(a.migrate_to(target, (Onto::Whatever, NOW), &mut |_| ()).unwrap(), Migrated::Copied { serial: 1 });
            assert_eq!(fs::read(a.path()).unwrap(), fs::read(target.path()).unwrap());
        }
    }

    #[test]
    fn a_state_that_is_held_is_not_copied() {
        let (_directory, a, b) = stores();
        written(&a, 1);
        for held in [&a, &b] {
            let _held = held.lock("apply", NOW).unwrap();
            assert!(matches!(a.migrate_to(&b, (Onto::Earlier, NOW), &mut |_| ()), Err(Error::Held { .. })));
            assert!(!b.path().exists());
        }
        assert_eq!(a.migrate_to(&b, (Onto::Earlier, NOW), &mut |_| ()).unwrap(), Migrated::Copied { serial: 1 });
    }
}
