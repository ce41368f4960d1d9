//! Command lines in a child that is killed at a chosen point (see [`crate::faults`]), and what must then stay as it is.

use crate::faults::{COUNT_TO, KILL_AT};
use crate::scenario::Scenario;
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

/// The path of the binary that counts its points: `env!("CARGO_BIN_EXE_meshplan-counting")`, which only the suites know.
#[derive(Debug, Clone, Copy)]
pub struct Counting(pub &'static str);

impl Counting {
    /// A command line in a scenario.
    pub fn command(self, scenario: &Scenario, args: &[&str]) -> Command {
        let mut command = match scenario.namespace() {
            Some(namespace) => namespace.command(self.0, scenario.path()),
            None => Command::new(self.0),
        };
        command.args(args).current_dir(scenario.path()).envs(scenario.environment());
        command.env(COUNT_TO, scenario.path().join("points")).env_remove(KILL_AT).stdout(Stdio::null());
        command
    }

    /// Runs a command line in a scenario, to its end or to a point.
    pub fn run(self, scenario: &Scenario, args: &[&str], point: Option<u64>) -> Output {
        let mut command = self.command(scenario, args);
        command.stdout(Stdio::piped());
        if let Some(point) = point {
            command.env(KILL_AT, point.to_string());
        }
        command.output().unwrap()
    }

    /// Runs a command line to its end, which must be a good one; how many points it passed. A failure names the point that it follows.
    pub fn finish(self, scenario: &Scenario, args: &[&str], after: Option<u64>) -> u64 {
        let output = self.run(scenario, args, None);
        assert_eq!(output.status.code(), Some(0), "{args:?} after point {after:?}: {}", String::from_utf8_lossy(&output.stderr));
        Self::passed(scenario)
    }

    /// How many points the last run to an end passed.
    pub fn passed(scenario: &Scenario) -> u64 {
        scenario.read("points").parse().unwrap()
    }

    /// Whether a command line was killed at a point; if not, it ended well, having passed fewer: effects that end together share an
    /// append.
    pub fn is_killed(self, scenario: &Scenario, args: &[&str], point: u64, points: u64) -> bool {
        let output = self.run(scenario, args, Some(point));
        if output.status.code() == Some(0) {
            assert!(Self::passed(scenario) <= point, "{args:?} went on after point {point} of {points}");
            return false;
        }
        assert_eq!(output.status.signal(), Some(9), "{args:?}, point {point}: {}", String::from_utf8_lossy(&output.stderr));
        true
    }
}

/// The fingerprints of the certificate authorities in a state that were made once and must stay.
pub fn authorities(state: &Value) -> BTreeMap<String, String> {
    let resources = state["resources"].as_array().cloned().unwrap_or_default();
    let of_kind = resources.into_iter().filter(|resource| resource["kind"] == "ca_root");
    of_kind
        .filter_map(|root| Some((root["address"].as_str()?.to_owned(), root["attributes"]["fingerprint"].as_str()?.to_owned())))
        .collect()
}

/// The state as the next run will see it: the journal replayed.
pub fn replayed(scenario: &Scenario) -> Value {
    let loaded = state::Store::new(scenario.path().join("meshplan.state.json")).read().unwrap();
    let resources = loaded.state.resources.iter().filter_map(|(address, objects)| {
        let record = objects.current.as_ref()?;
        let attributes = record.attributes.to_json().ok()?;
        Some(serde_json::json!({ "address": address.to_string(), "kind": &*record.kind, "attributes": attributes }))
    });
    serde_json::json!({ "resources": resources.collect::<Vec<_>>() })
}
