//! The mark on what is made here: a label with the id of the record.

use engine::state::{Record, RecordId};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

/// The label.
pub(crate) const RECORD: &str = "meshplan.io/record";

/// Digits of a name's hash that are kept.
const DIGITS: usize = 16;

/// The repository of the marks on what was pulled under a name: images take no labels, and get a tag for each record that has brought them.
pub(crate) fn repository(name: &str) -> String {
    let hash = engine::value::hex(&Sha256::digest(name.as_bytes()));
    format!("{RECORD}/{}", hash.get(..DIGITS).unwrap_or_default())
}

/// The ids of the records that have brought an image under the name of this repository of marks, as `GET /images/NAME/json` tells.
pub(crate) fn of_image<'a>(image: &'a Json, repository: &str) -> Vec<&'a str> {
    let tags = image.get("RepoTags").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    tags.filter_map(|tag| tag.strip_prefix(repository)?.strip_prefix(':')).collect()
}

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
    fn an_image_tells_who_has_brought_it() {
        for (tags, expected) in [
            (json!(null), &[][..]),
            (json!(["box:1", "meshplan.io/record:r1", format!("{}:r1", repository("box:2"))]), &[]),
            (json!(["box:1", format!("{}:r1", repository("box:1")), format!("{}:r2", repository("box:1"))]), &["r1", "r2"]),
        ] {
            assert_eq!(of_image(&json!({ "RepoTags": tags }), &repository("box:1")), expected, "{tags}");
        }
    }

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
