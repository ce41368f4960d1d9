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
        let now = OffsetDateTime::now_utc();
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            owner: format!("{}@{}", user(), host()),
            pid: std::process::id(),
            operation: operation.to_owned(),
            since: now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, owner, pid, operation, since } = self;
        write!(f, "`{operation}` of {owner}, process {pid}, since {since} (lock {id})")
    }
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
