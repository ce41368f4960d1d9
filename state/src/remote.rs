//! State in a store of objects, reached over a network: the protocol that makes a [`Backend`] of conditional writes.
//!
//! - The *head* is the one object that says what counts: the parts that the state consists of, the segment at which its journal begins,
//!   and the number of the last taking of the lock. It is replaced under the condition that nobody replaced it since it was read, so
//!   that state and journal change at one instant, and nobody sees half of either.
//! - *Parts* and *segments* are created and never changed. A batch of journal lines is one segment, or several if it is too large for an
//!   object; segments are numbered without gaps, and creating one that is there fails.
//! - *Revisions* of the history are created and never changed either; they count by their numbers.
//! - The *claim* is the lock: who has it, under which number, when it was last renewed, and how long that holds. Its holder renews
//!   it from a thread of its own.
//!
//! Who takes the lock over from a holder that did not give it back writes its own, higher number into the head and puts an empty segment
//! where the holder's next one would go. From then on the holder can neither replace the head nor create its segment; nor can it after the
//! segments are cleared away, because each append looks at the head's number before it counts as done. So clocks that disagree may
//! cost a holder its lock, and never a line that was reported durable.

mod claim;
mod head;
mod heart;
mod held;
mod objects;
mod revisions;

pub use claim::{Claim, Standing};
pub(crate) use head::Head;
pub use objects::{Object, Objects, Refusal, Version};

use crate::backend::{Backend, Held, Kept, Names};
use crate::error::Error;
use crate::holder::Holder;
use crate::revisions::Revisions;
use held::HeldObjects;
use objects::Reach;
use revisions::RevisionObjects;
use std::sync::Arc;
use std::time::Duration;

/// For how long a renewal of the lock holds; it is renewed three times as often.
const LEASE: Duration = Duration::from_mins(1);
/// How often reading begins again because somebody wrote meanwhile.
const READINGS: usize = 8;

/// A state in a store of objects.
#[derive(Debug)]
pub struct Remote {
    reach: Reach,
    names: Names,
    lease: Duration,
}

impl Remote {
    /// The state that these objects keep. None is touched yet.
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        let names = Names { state: objects.name(head::NAME), journal: objects.name("journal"), lock: objects.name(objects::LOCK) };
        Self { reach: Reach(objects), names, lease: LEASE }
    }

    /// The same, with a lock whose renewal holds for this long.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// What is kept according to one head; nothing if somebody wrote meanwhile.
    fn read_once(&self) -> Result<Option<Kept>, Error> {
        let Some((head, version)) = Head::read(&self.reach)? else { return Ok(Some(Kept::default())) };
        let journal = self.reach.all(objects::SEGMENTS).map(|segments| head.journal(&segments));
        let state = head.state(&self.reach);
        if Head::read(&self.reach)?.is_none_or(|(_, now)| now != version) {
            return Ok(None);
        }
        Ok(Some(Kept { journal: journal?.map_err(|why| self.incomplete(&self.names.journal, why))?, state: state? }))
    }

    fn incomplete(&self, path: &std::path::Path, why: String) -> Error {
        Error::Corrupt { path: path.to_owned(), line: 0, column: 0, why, help: self.advice() }
    }
}

impl Backend for Remote {
    fn names(&self) -> &Names {
        &self.names
    }

    fn read(&self) -> Result<Kept, Error> {
        for _ in 0..READINGS {
            if let Some(kept) = self.read_once()? {
                return Ok(kept);
            }
        }
        let why = format!("it was replaced {READINGS} times while it was read");
        Err(Error::Unreachable { path: self.names.state.clone(), why })
    }

    fn advice(&self) -> String {
        let head = self.names.state.display();
        format!(
            "`{head}` names, under `previous`, the parts of the state before the last write: bring that one back, or a copy of your own"
        )
    }

    fn take(&self, holder: &Holder, timeout: Duration) -> Result<(Box<dyn Held>, Option<Holder>), Error> {
        let taken = claim::take(&self.reach, holder, (timeout, self.lease))?;
        let before = taken.before.clone();
        let held = HeldObjects::begin(self.reach.clone(), taken)?;
        Ok((Box::new(held), before))
    }

    fn revisions(&self) -> Result<Option<Arc<dyn Revisions>>, Error> {
        Ok(Some(Arc::new(RevisionObjects(self.reach.clone()))))
    }

    fn claimed(&self) -> Result<Option<Holder>, Error> {
        let claim = self.reach.claim()?;
        Ok(claim.filter(|(claim, _)| claim.standing == Standing::Held).and_then(|(claim, _)| claim.holder))
    }

    fn break_lock(&self, id: &str) -> Result<(), Error> {
        claim::break_open(&self.reach, id)
    }
}
