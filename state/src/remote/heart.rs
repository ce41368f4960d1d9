//! The thread that renews the lock while it is held.

use super::claim::{Claim, Standing};
use super::objects::{LOCK, Reach, Version};
use crate::error::Error;
use crate::holder::Holder;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// How many renewals fall into the time for which one holds.
const BEATS: u32 = 3;

/// The renewed lock.
pub(crate) struct Heart {
    reach: Reach,
    beat: Arc<Mutex<Beat>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the last renewal left.
struct Beat {
    claim: Claim,
    version: Version,
    /// The lock as somebody else wrote it, once that happened.
    lost: Option<Loss>,
}

/// A lock that is ours no more.
struct Loss {
    /// Who has it since, if anybody.
    to: Option<Holder>,
}

impl Beat {
    /// Writes the lock anew; who has it now if somebody else wrote it. What cannot be reached is tried again at the next beat.
    fn write(&mut self, reach: &Reach, claim: Claim) -> Result<(), Error> {
        if let Some(version) = reach.write_claim(&claim, Some(&self.version))? {
            (self.claim, self.version) = (claim, version);
            return Ok(());
        }
        let Some((now, version)) = reach.claim()? else { return self.lose(reach, None) };
        // The answer to an earlier renewal may have been lost.
        let is_ours = now.standing == Standing::Held && now.fence == self.claim.fence && now.holder == self.claim.holder;
        if !is_ours {
            return self.lose(reach, now.holder.filter(|_| now.standing == Standing::Held));
        }
        self.version = version;
        match reach.write_claim(&claim, Some(&self.version))? {
            Some(version) => {
                (self.claim, self.version) = (claim, version);
                Ok(())
            }
            None => self.lose(reach, None),
        }
    }

    fn lose(&mut self, reach: &Reach, to: Option<Holder>) -> Result<(), Error> {
        self.lost = Some(Loss { to });
        self.check(reach)
    }

    fn check(&self, reach: &Reach) -> Result<(), Error> {
        match &self.lost {
            Some(Loss { to }) => Err(Error::Lost { path: reach.0.name(LOCK), holder: to.clone().map(Box::new) }),
            None => Ok(()),
        }
    }
}

impl Heart {
    /// Starts to renew a lock that was just taken.
    pub(crate) fn start(reach: Reach, claim: Claim, version: Version) -> Result<Self, Error> {
        let pause = claim.lease / BEATS;
        let beat = Arc::new(Mutex::new(Beat { claim, version, lost: None }));
        let (stop, stopped) = channel::<()>();
        let (of_thread, reach_of_thread) = (beat.clone(), reach.clone());
        let run = move || {
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let mut beat = of_thread.lock().unwrap_or_else(PoisonError::into_inner);
                let renewed = Claim { renewed: Claim::now(), ..beat.claim.clone() };
                beat.write(&reach_of_thread, renewed).ok();
                if beat.lost.is_some() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("lock".to_owned()).spawn(run);
        let thread = thread.map_err(Error::io("start renewing", &reach.0.name(LOCK)))?;
        Ok(Self { reach, beat, stop: Some(stop), thread: Some(thread) })
    }

    /// Refuses what would be written without the lock, as far as that is known here; the head knows for certain.
    pub(crate) fn check(&self) -> Result<(), Error> {
        // While a renewal is under way nothing new is known.
        self.beat.try_lock().map_or(Ok(()), |beat| beat.check(&self.reach))
    }

    /// Who has the lock now, for a message.
    pub(crate) fn taken_by(&self) -> Option<Box<Holder>> {
        let (claim, _) = self.reach.claim().ok()??;
        claim.holder.filter(|_| claim.standing == Standing::Held).map(Box::new)
    }

    /// Stops renewing and leaves the lock in this standing.
    pub(crate) fn end(mut self, standing: Standing) -> Result<(), Error> {
        self.stop();
        let mut beat = self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        beat.check(&self.reach)?;
        let claim = Claim { standing, ..beat.claim.clone() };
        beat.write(&self.reach, claim)
    }

    fn stop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.stop();
    }
}
