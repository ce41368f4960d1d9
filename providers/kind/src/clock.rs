//! Waiting until something is so, with an end.

use std::time::Duration;
use tokio::time::Instant;

/// How often what is waited for is looked at.
const PAUSE: Duration = Duration::from_millis(300);

/// The end of a wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    /// The whole wait, in seconds.
    pub(crate) seconds: u64,
}

impl Deadline {
    /// So many seconds from now.
    pub(crate) fn after(seconds: u64) -> Self {
        // A wait that no clock can count is as good as one of years.
        let at = Instant::now().checked_add(Duration::from_secs(seconds));
        Self { at: at.unwrap_or_else(|| Instant::now() + Duration::from_hours(24 * 365)), seconds }
    }

    /// What is left.
    pub(crate) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Waits a moment before the next look; whether there is to be one.
    pub(crate) async fn pause(self) -> bool {
        let left = self.left();
        tokio::time::sleep(PAUSE.min(left)).await;
        !left.is_zero()
    }
}
