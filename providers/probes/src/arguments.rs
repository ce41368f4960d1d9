//! Arguments that several probes have.

use engine::config::seconds;
use engine::schema::Problem;
use engine::value::Value;
use std::time::Duration;

/// The longest time to wait, in seconds: a day.
const LONGEST: u64 = 86_400;

/// What is wrong with the argument `port`, if it is known.
pub(crate) fn port_problem(arguments: &Value) -> Option<Problem> {
    let given = arguments.get("port").is_some_and(|port| port.as_number().is_some());
    (given && port(arguments).is_none()).then(|| Problem::with("port", "invalid port", "a port is a whole number from 1 to 65535"))
}

/// The argument `port`, if it is one.
pub(crate) fn port(arguments: &Value) -> Option<u16> {
    arguments.get("port")?.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}

/// What is wrong with the argument `timeout`, if it is known.
pub(crate) fn timeout_problem(arguments: &Value) -> Option<Problem> {
    let text = arguments.text("timeout")?;
    let detail = match seconds(text) {
        Some(1..=LONGEST) => return None,
        Some(0) | None => format!("`{text}` is no time to wait; one is written as `5s` or `1m`"),
        Some(_) => format!("`{text}` is longer than `24h`, the longest time to wait"),
    };
    Some(Problem::with("timeout", "invalid timeout", detail).help("Write whole seconds or minutes."))
}

/// The argument `timeout`, or as long as is usual.
pub(crate) fn limit(arguments: &Value, usual: &str) -> Duration {
    Duration::from_secs(seconds(arguments.text("timeout").unwrap_or(usual)).unwrap_or_default())
}
