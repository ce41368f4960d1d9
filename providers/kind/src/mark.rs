//! The mark on clusters that are made here: nodes of kind take no labels, so that it is a mount of nothing, whose target names the record.

use engine::state::RecordId;
use serde_json::{Value as Json, json};

/// What is mounted: there on every host of an Engine, and of no use.
const NOTHING: &str = "/dev/null";
/// Where it is mounted, up to the id.
const TARGET: &str = "/etc/meshplan.io/record/";

/// The mount, as kind's configuration has it.
pub(crate) fn mount(id: &RecordId) -> Json {
    json!({ "hostPath": NOTHING, "containerPath": format!("{TARGET}{id}"), "readOnly": true })
}

/// The record that a node was made for, by what is mounted in it: texts such as `/dev/null:/etc/meshplan.io/record/1f:ro`.
pub(crate) fn record<'a>(binds: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    binds.into_iter().find_map(|bind| bind.strip_prefix(NOTHING)?.strip_prefix(':')?.strip_prefix(TARGET)?.split(':').next())
}

/// Whether something is mounted there as the mark.
pub(crate) fn is_mark(container_path: &str) -> bool {
    container_path.starts_with(TARGET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_among_mounts() {
        let mount = mount(&RecordId::new("1f"));
        let bind = format!("{}:{}:ro", mount["hostPath"].as_str().unwrap(), mount["containerPath"].as_str().unwrap());
        assert_eq!(record(["/lib/modules:/lib/modules:ro", bind.as_str()]), Some("1f"));
        assert_eq!(record(["/dev/null:/etc/other:ro", "/srv:/etc/meshplan.io/record/1f"]), None);
        assert!(is_mark("/etc/meshplan.io/record/1f") && !is_mark("/etc/other"));
    }
}
