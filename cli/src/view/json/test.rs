//! How tests go, as events.

use super::state;
use crate::view::test::{Stage, TestEvent};
use serde_json::{Value as Json, json};

/// The event's name and its other members.
pub(super) fn line(event: &TestEvent<'_>) -> (&'static str, Json) {
    match event {
        TestEvent::File { path, stage } => {
            let (stage, status) = match stage {
                Stage::Started => ("starting", None),
                Stage::TearingDown => ("teardown", None),
                Stage::Ended(status) => ("complete", Some(status.to_string())),
            };
            ("test_file", json!({ "path": path, "progress": stage, "status": status }))
        }
        TestEvent::Run { path, name, status } => ("test_run", json!({ "path": path, "run": name, "status": status.to_string() })),
        TestEvent::Remembered(remembered) => ("test_state", json!({ "state": state(remembered) })),
        TestEvent::Left { path, addresses, kept } => ("test_cleanup", json!({ "path": path, "left": addresses, "kept": kept })),
        TestEvent::Ended(tally) => {
            let members = json!({
                "status": tally.status.to_string(),
                "passed": tally.passed,
                "failed": tally.failed,
                "errored": tally.errored,
                "skipped": tally.skipped,
            });
            ("test_summary", members)
        }
    }
}
