//! Fields that other managers own: who, which, since when.

use crate::client::CallError;
use crate::object_kind::Json;
use crate::ownership::last_write;

/// One field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conflict {
    /// The other manager.
    pub(super) manager: String,
    /// As the server names it, such as `.spec.replicas`.
    pub(super) field: String,
    /// When it last wrote, if that is known.
    pub(super) since: Option<String>,
}

impl Conflict {
    /// In a sentence's words.
    pub(super) fn words(&self) -> String {
        let since = self.since.as_ref().map(|since| format!(", last written {since}")).unwrap_or_default();
        format!("manager `{}` owns `{}`{since}", self.manager, self.field.trim_start_matches('.'))
    }

    /// Whether it was written by hand, with `kubectl`. On an object of ours that gives way; another applier or a controller does not.
    pub(super) fn is_by_hand(&self) -> bool {
        self.manager.starts_with("kubectl")
    }
}

/// The conflicts that a refused apply names; empty if it was refused for something else. `live` tells times that the server leaves out.
pub(super) fn conflicts(error: &CallError, live: Option<&Json>) -> Vec<Conflict> {
    if error.status != Some(409) {
        return Vec::new();
    }
    let conflict = |(field, message): &(String, String)| {
        let manager = message.split('"').nth(1)?.to_owned();
        let said = message.rsplit_once(" at ").map(|(_, time)| time.to_owned());
        let since = said.or_else(|| last_write(live?, &manager).map(str::to_owned));
        Some(Conflict { manager, field: field.clone(), since })
    };
    error.causes.iter().filter_map(conflict).collect()
}

/// Conflicts as one fragment.
pub(super) fn listed(conflicts: &[Conflict]) -> String {
    let words: Vec<_> = conflicts.iter().take(5).map(Conflict::words).collect();
    let more = conflicts.len().saturating_sub(5);
    if more == 0 { words.join("; ") } else { format!("{}; and {more} more", words.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refused_apply_names_manager_field_and_time() {
        let cause = |field: &str, message: &str| (field.to_owned(), message.to_owned());
        let error = CallError {
            status: Some(409),
            causes: vec![
                cause(".spec.replicas", "conflict with \"kubectl-edit\" with subresource \"scale\" using apps/v1 at 2026-01-01T00:00:00Z"),
                cause(".data.a", "conflict with \"argocd\""),
            ],
            ..CallError::default()
        };
        let live = json!({ "metadata": { "managedFields": [{ "manager": "argocd", "time": "2026-02-02T00:00:00Z" }] } });
        let found = conflicts(&error, Some(&live));
        assert_eq!(
            listed(&found),
            "manager `kubectl-edit` owns `spec.replicas`, last written 2026-01-01T00:00:00Z; manager `argocd` owns `data.a`, last written 2026-02-02T00:00:00Z"
        );
        assert_eq!(found.iter().map(Conflict::is_by_hand).collect::<Vec<_>>(), [true, false]);
        assert!(conflicts(&CallError { status: Some(422), ..error }, None).is_empty());
    }

    #[test]
    fn a_long_list_is_cut() {
        let conflict = Conflict { manager: "m".into(), field: ".f".into(), since: None };
        assert!(listed(&vec![conflict; 7]).ends_with("manager `m` owns `f`; and 2 more"));
    }
}
