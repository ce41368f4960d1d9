//! Reminds an API server of definitions that it forgot to remove, as a person would who does not want to wait for five minutes.
//!
//! Its cleanup takes a conflict for "somebody changed it, so I am called again". Where its cache was behind its own write of a moment ago
//! that is not so, and it comes back when it looks at all definitions anew. Any other change of the definition calls it at once.

use super::{Cluster, is_terminating, name, text};
use serde_json::json;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Touches the definitions that are being deleted.
pub(super) fn remind(cluster: &Cluster<'_>) -> Result<(), String> {
    for definition in cluster.list(DEFINITIONS)?.iter().filter(|definition| is_terminating(definition)) {
        let mark =
            json!({ "metadata": { "annotations": { "meshplan.test/reminded-at": text(definition, &["metadata", "resourceVersion"]) } } });
        cluster.merge(&format!("{DEFINITIONS}/{}", name(definition).0), "reminder", &mark)?;
    }
    Ok(())
}
