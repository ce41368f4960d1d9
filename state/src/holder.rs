//! Who holds a lock.

use std::fmt;
use std::fs;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The id of this lock, unlike any other.
    pub id: String,
    /// The user and the machine, as `user@host`.
    pub owner: String,
    /// The process.
    pub pid: u32,
    /// What it does, such as `apply`.
    pub operation: String,
    /// Since when, in UTC (RFC 3339).
    pub since: String,
}

impl Holder {
    /// This process, from now on.
    pub(crate) fn this_process(operation: &str) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            owner: format!("{}@{}", user(), host()),
            pid: std::process::id(),
            operation: operation.to_owned(),
            since: text_of(OffsetDateTime::now_utc()),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, owner, pid, operation, since } = self;
        write!(f, "`{operation}` of {owner}, process {pid}, since {since} (lock {id})")
    }
}

/// A time in seconds since the Unix epoch, in UTC (RFC 3339); nothing if it is beyond the year 9999.
pub(crate) fn utc(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.map(text_of).unwrap_or_default()
}

fn text_of(time: OffsetDateTime) -> String {
    time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339).unwrap_or_default()
}

fn user() -> String {
    let named = ["USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok()).find(|name| !name.is_empty());
    named.unwrap_or_else(|| "unknown".to_owned())
}

fn host() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = kernel.or_else(|| std::env::var("HOSTNAME").ok()).map(|name| name.trim().to_owned());
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}
