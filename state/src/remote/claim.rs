//! The lock that is renewed: taking it, and taking it over.

use super::head::Head;
use super::objects::{LOCK, Reach, Version};
use crate::error::Error;
use crate::holder::Holder;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// The first wait for a lock that is held; each further one is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What the lock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The number of this taking: higher than that of every one before it.
    pub fence: u64,
    /// Who took it.
    pub holder: Option<Holder>,
    /// Whether that one has it still.
    pub standing: Standing,
    /// When it was last renewed, by the holder's clock, to the microsecond.
    pub renewed: OffsetDateTime,
    /// For how long a renewal holds.
    pub lease: Duration,
}

/// Whether a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// By its holder, as long as that one renews it.
    Held,
    /// By nobody: the last holder gave it back and writes nothing more.
    Free,
    /// By nobody, but the last holder may not know that, or what became of its last write.
    Broken,
}

impl Default for Claim {
    /// A lock that nothing is known of.
    fn default() -> Self {
        let (holder, renewed, lease) = (None, OffsetDateTime::UNIX_EPOCH, Duration::ZERO);
        Self { fence: 0, holder, standing: Standing::Broken, renewed, lease }
    }
}

impl Claim {
    /// The time now, as precise as every store keeps it.
    pub(crate) fn now() -> OffsetDateTime {
        let now = OffsetDateTime::now_utc();
        now.replace_nanosecond(now.nanosecond() / 1000 * 1000).unwrap_or(now)
    }

    fn is_over(&self) -> bool {
        self.renewed + self.lease < OffsetDateTime::now_utc()
    }
}

/// A lock that was just taken.
pub(crate) struct Taken {
    pub(crate) claim: Claim,
    pub(crate) version: Version,
    /// Who ended without giving it back.
    pub(crate) before: Option<Holder>,
    /// Whether the last holder may still write.
    pub(crate) disputed: bool,
}

/// Takes the lock, waiting for it at most as long as the first time says, for a lease of the second.
pub(crate) fn take(reach: &Reach, holder: &Holder, (timeout, lease): (Duration, Duration)) -> Result<Taken, Error> {
    let started = Instant::now();
    let (mut wait, mut watch) = (FIRST_WAIT, Watch(None));
    loop {
        let found = reach.claim()?;
        let (before, version) = found.map_or((None, None), |(claim, version)| (Some(claim), Some(version)));
        if before.as_ref().zip(version.as_ref()).is_none_or(|(claim, version)| watch.may_take(claim, version)) {
            let known = before.as_ref().map_or(0, |claim| claim.fence).max(Head::read(reach)?.map_or(0, |(head, _)| head.fence));
            let claim = Claim { fence: known + 1, holder: Some(holder.clone()), standing: Standing::Held, renewed: Claim::now(), lease };
            if let Some(version) = reach.write_claim(&claim, version.as_ref())? {
                let disputed = before.as_ref().is_none_or(|before| before.standing != Standing::Free);
                let before = before.filter(|before| before.standing == Standing::Held).and_then(|before| before.holder);
                return Ok(Taken { claim, version, before, disputed });
            }
            continue;
        }
        let left = timeout.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(Error::Held { path: reach.0.name(LOCK), holder: before.and_then(|claim| claim.holder).map(Box::new) });
        }
        std::thread::sleep(wait.min(left));
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// What was seen of a lock while waiting for it: one that stood still for its time by our clock is over, whatever the holder's clock said.
struct Watch(Option<(Version, Instant)>);

impl Watch {
    fn may_take(&mut self, claim: &Claim, version: &Version) -> bool {
        if claim.standing != Standing::Held || claim.is_over() {
            return true;
        }
        match &self.0 {
            Some((seen, since)) if seen == version => since.elapsed() > claim.lease,
            _ => {
                self.0 = Some((version.clone(), Instant::now()));
                false
            }
        }
    }
}

/// Gives the lock with this id back in its holder's place.
pub(crate) fn break_open(reach: &Reach, id: &str) -> Result<(), Error> {
    loop {
        let found = reach.claim()?.filter(|(claim, _)| claim.standing == Standing::Held);
        let Some((claim, version)) = found.filter(|(claim, _)| claim.holder.as_ref().is_some_and(|holder| holder.id == id)) else {
            return Err(Error::NotThisLock { path: reach.0.name(LOCK), id: id.to_owned() });
        };
        if reach.write_claim(&Claim { standing: Standing::Broken, ..claim }, Some(&version))?.is_some() {
            return Ok(());
        }
    }
}
