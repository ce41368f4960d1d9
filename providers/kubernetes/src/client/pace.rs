//! How often a request is tried, how long it may take, and the pauses between.

use super::error::CallError;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// How often a request is tried, and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Longest time for one answer.
    pub(crate) deadline: Duration,
    /// Most tries while a server answers that it cannot now.
    pub(crate) tries: u32,
    /// Most tries while nothing answers.
    pub(crate) unanswered_tries: u32,
    /// The first pause; each one after is twice as long.
    pub(crate) first_pause: Duration,
    /// The longest pause of our own choice.
    pub(crate) longest_pause: Duration,
    /// The longest pause that a server may ask for.
    pub(crate) patience: Duration,
    /// A number out of all of its type, another one each time: so that many clients that were refused together do not come back together.
    pub(crate) jitter: fn() -> u16,
}

impl Pace {
    /// The pace of every run.
    pub(crate) const USUAL: Self = Self {
        deadline: Duration::from_mins(1),
        tries: 6,
        unanswered_tries: 3,
        first_pause: Duration::from_millis(250),
        longest_pause: Duration::from_secs(8),
        patience: Duration::from_secs(30),
        // A fresh state of the standard library's hasher has fresh keys.
        jitter: || RandomState::new().build_hasher().finish().to_le_bytes()[..2].iter().fold(0, |all, byte| all << 8 | u16::from(*byte)),
    };

    /// The pause before the next try of a call that failed after so many tries; nothing if there is to be none.
    pub(crate) fn pause(&self, tried: u32, error: &CallError) -> Option<Duration> {
        let most = if error.status.is_some() { self.tries } else { self.unanswered_tries };
        if tried >= most {
            return None;
        }
        match error.retry_after {
            Some(asked) if asked > self.patience => None,
            Some(asked) => Some(asked.max(self.backoff(tried))),
            None => Some(self.backoff(tried)),
        }
    }

    /// The pause after so many tries: between half and all of what doubles each time.
    pub(crate) fn backoff(&self, tried: u32) -> Duration {
        let doubled = 1_u32.checked_shl(tried.saturating_sub(1)).unwrap_or(u32::MAX);
        let whole = self.first_pause.saturating_mul(doubled).min(self.longest_pause);
        whole / 2 + whole / 2 * u32::from((self.jitter)()) / u32::from(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, seconds: Option<u64>) -> CallError {
        CallError { status: Some(status), retry_after: seconds.map(Duration::from_secs), ..CallError::default() }
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_end() {
        let pauses = |pace: Pace, error: &CallError| -> Vec<Option<u128>> {
            (1..=7).map(|tried| pace.pause(tried, error).map(|pause| pause.as_millis())).collect()
        };
        let longest = Pace { jitter: || u16::MAX, tries: 7, ..Pace::USUAL };
        assert_eq!(pauses(longest, &refused(503, None)), [Some(250), Some(500), Some(1000), Some(2000), Some(4000), Some(8000), None]);
        let shortest = Pace { jitter: || 0, ..longest };
        assert_eq!(pauses(shortest, &refused(503, None))[..3], [Some(125), Some(250), Some(500)]);
        assert_eq!(pauses(longest, &CallError::default()), [Some(250), Some(500), None, None, None, None, None]);
        assert_eq!(longest.backoff(4000), Duration::from_secs(8));
    }

    #[test]
    fn a_server_may_ask_for_longer_pauses_but_not_for_any() {
        let pace = Pace { jitter: || 0, ..Pace::USUAL };
        for (asked, pause) in [(None, Some(125)), (Some(0), Some(125)), (Some(7), Some(7000)), (Some(30), Some(30_000)), (Some(31), None)] {
            assert_eq!(pace.pause(1, &refused(429, asked)).map(|pause| pause.as_millis()), pause, "{asked:?}");
        }
    }

    #[test]
    fn jitter_differs() {
        let jitter = Pace::USUAL.jitter;
        let first = jitter();
        assert!((0..64).any(|_| jitter() != first));
    }
}
