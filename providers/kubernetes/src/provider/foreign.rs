//! An object that is there already and is not ours, in words.

use super::conflict::{Conflict, listed};
use crate::object_kind::{Json, ObjectName};
use crate::ownership::{entries, other_record};

/// What it is called.
pub(super) const FOREIGN: &str = "exists, not ours";

/// What to do about it.
pub(super) const HELP: &str = "Take it over with `on_exists = \"adopt\"`, or give the resource another name";

/// What to do where it is taken over, and another state manages it.
pub(super) const BY_FORCE: &str = "Let one state manage it: give it up there, and take it over with `force = true`";

/// Most managers that are named.
const MOST: usize = 5;

/// What is the matter, as a sentence without its stop: what is there, and whose it is. `found` are the fields that a refused apply named.
pub(super) fn foreign(name: &ObjectName, manager: &str, live: &Json, found: &[Conflict]) -> String {
    let whose = match (other_record(live, manager), found) {
        (Some(other), _) => format!("; it belongs to another meshplan state, whose manager is `{other}`"),
        (None, []) => written(live, manager).map(|words| format!("; {words}")).unwrap_or_default(),
        (None, found) => format!("; {}", listed(found)),
    };
    format!("`{name}` is there already and is not managed by this state{whose}")
}

/// Who wrote an object, and when last: the latest first. What is written into its status tells nothing of whose it is.
fn written(live: &Json, manager: &str) -> Option<String> {
    let mut writers: Vec<(&str, &str)> = Vec::new();
    for entry in entries(live).iter().filter(|entry| entry.get("subresource").is_none()) {
        let text = |key: &str| entry.get(key).and_then(Json::as_str).unwrap_or_default();
        let (writer, time) = (text("manager"), text("time"));
        match writers.iter_mut().find(|(known, _)| *known == writer) {
            _ if writer.is_empty() || writer == manager => {}
            Some((_, latest)) => *latest = time.max(latest),
            None => writers.push((writer, time)),
        }
    }
    writers.sort_by(|(_, one), (_, other)| other.cmp(one));
    let more = writers.len().saturating_sub(MOST);
    let named = writers.iter().take(MOST).map(|(writer, time)| match *time {
        "" => format!("`{writer}`"),
        time => format!("`{writer}` at {time}"),
    });
    let named: Vec<_> = named.chain((more > 0).then(|| format!("{more} more"))).collect();
    (!named.is_empty()).then(|| format!("it was written by {}", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_wrote_an_object_is_named_with_the_time() {
        let entry = |manager: &str, time: &str| json!({ "manager": manager, "time": time, "operation": "Update" });
        let status = json!({ "manager": "kubelet", "time": "2026-01-09T00:00:00Z", "subresource": "status" });
        let ours = entry("meshplan/r1", "2026-01-08T00:00:00Z");
        let told = |entries: &[Json]| {
            let name = ObjectName { api_version: "v1".into(), kind: "ConfigMap".into(), namespace: Some("n".into()), name: "a".into() };
            let live = json!({ "metadata": { "managedFields": entries } });
            let told = foreign(&name, "meshplan/r1", &live, &[]);
            told.strip_prefix(&format!("`{name}` is there already and is not managed by this state")).map(str::to_owned)
        };
        let many: Vec<_> = (1..=7).map(|at| entry(&format!("m{at}"), &format!("2026-01-0{at}T00:00:00Z"))).collect();
        for (entries, expected) in [
            (vec![], ""),
            (vec![status.clone(), ours], ""),
            (vec![json!({ "manager": "old" })], "; it was written by `old`"),
            (
                vec![
                    entry("argocd", "2026-01-01T00:00:00Z"),
                    entry("kubectl-edit", "2026-01-03T00:00:00Z"),
                    entry("argocd", "2026-01-02T00:00:00Z"),
                ],
                "; it was written by `kubectl-edit` at 2026-01-03T00:00:00Z, `argocd` at 2026-01-02T00:00:00Z",
            ),
            (
                many,
                "; it was written by `m7` at 2026-01-07T00:00:00Z, `m6` at 2026-01-06T00:00:00Z, `m5` at 2026-01-05T00:00:00Z, \
                 `m4` at 2026-01-04T00:00:00Z, `m3` at 2026-01-03T00:00:00Z, 2 more",
            ),
            (vec![entry("meshplan/r2", "2026-01-01T00:00:00Z")], "; it belongs to another meshplan state, whose manager is `meshplan/r2`"),
        ] {
            assert_eq!(told(&entries).as_deref(), Some(expected));
        }
    }
}
