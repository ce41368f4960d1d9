//! The mark on what is made here: a label with the id of the record.

use engine::state::{Record, RecordId};
use serde_json::{Map, Value as Json, json};

/// The label.
pub(crate) const RECORD: &str = "meshplan.io/record";

/// Labels of the configuration with the mark.
pub(crate) fn marked(labels: Option<&Json>, id: &RecordId) -> Json {
    let mut all = labels.and_then(Json::as_object).cloned().unwrap_or_default();
    all.insert(RECORD.to_owned(), json!(id.as_str()));
    Json::Object(all)
}

/// Labels without the mark.
pub(crate) fn unmarked(labels: Option<&Json>) -> Json {
    let labels = labels.and_then(Json::as_object).cloned().unwrap_or_default();
    Json::Object(labels.into_iter().filter(|(name, _)| name != RECORD).collect::<Map<_, _>>())
}

/// Whether labels carry the mark of a record.
pub(crate) fn is_marked(labels: Option<&Json>, id: &RecordId) -> bool {
    labels.and_then(|labels| labels.get(RECORD)).and_then(Json::as_str) == Some(id.as_str())
}

/// Whether a thing of this id, name and labels is the one that a record means: by its id, or by name and mark while the id was not written
/// down.
pub(crate) fn is_of(record: &Record, (id, name): (&str, &str), labels: Option<&Json>) -> bool {
    match record.uid.as_deref() {
        Some(uid) => uid == id,
        None => record.attributes.text("name") == Some(name) && is_marked(labels, &record.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_means_what_has_its_id_or_its_mark() {
        let mut record = Record::new(RecordId::new("r1"), "docker_network");
        let labels = marked(Some(&json!({ "team": "mesh" })), &record.id);
        assert_eq!(labels, json!({ "team": "mesh", RECORD: "r1" }));
        assert_eq!(unmarked(Some(&labels)), json!({ "team": "mesh" }));
        record.attributes = engine::value::Value::object([("name", engine::value::Value::string("mesh"))]);
        for (uid, found, labels, expected) in [
            (None, ("n1", "mesh"), Some(&labels), true),
            (None, ("n1", "other"), Some(&labels), false),
            (None, ("n1", "mesh"), None, false),
            (Some("n1"), ("n1", "mesh"), None, true),
            (Some("n1"), ("n2", "mesh"), Some(&labels), false),
        ] {
            record.uid = uid.map(Into::into);
            assert_eq!(is_of(&record, found, labels), expected, "{uid:?} {found:?}");
        }
    }
}
