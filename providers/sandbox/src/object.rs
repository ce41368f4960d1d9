//! Objects as JSON: reading and setting what stands at a path.

use time::OffsetDateTime;

/// An object, or any part of one.
pub(crate) type Json = serde_json::Value;

/// What stands at a path of fields.
pub(crate) fn at<'a>(object: &'a Json, path: &[&str]) -> Option<&'a Json> {
    path.iter().try_fold(object, |value, field| value.get(field))
}

/// The text at a path.
pub(crate) fn text<'a>(object: &'a Json, path: &[&str]) -> Option<&'a str> {
    at(object, path)?.as_str()
}

/// The items of the list at a path; none if there is no list.
pub(crate) fn items<'a>(object: &'a Json, path: &[&str]) -> &'a [Json] {
    at(object, path).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Sets what stands at a path; what is no map on the way becomes one.
pub(crate) fn set(object: &mut Json, path: &[&str], value: impl Into<Json>) {
    let Some((last, way)) = path.split_last() else { return };
    if let Some(map) = map_at(object, way) {
        map.insert((*last).to_owned(), value.into());
    }
}

/// Sets what stands at a path if nothing does.
pub(crate) fn set_default(object: &mut Json, path: &[&str], value: impl Into<Json>) {
    if at(object, path).is_none_or(Json::is_null) {
        set(object, path, value);
    }
}

/// Removes what stands at a path.
pub(crate) fn remove(object: &mut Json, path: &[&str]) -> Option<Json> {
    let (last, way) = path.split_last()?;
    let parent = way.iter().try_fold(object, |value, field| value.get_mut(field))?;
    parent.as_object_mut()?.remove(*last)
}

/// The list at a path, to be changed; nothing if there is none.
pub(crate) fn list_at<'a>(object: &'a mut Json, path: &[&str]) -> Option<&'a mut Vec<Json>> {
    path.iter().try_fold(object, |value, field| value.get_mut(field))?.as_array_mut()
}

fn map_at<'a>(object: &'a mut Json, path: &[&str]) -> Option<&'a mut serde_json::Map<String, Json>> {
    let mut value = object;
    for field in path {
        if !value.is_object() {
            *value = Json::Object(serde_json::Map::new());
        }
        value = value.as_object_mut()?.entry((*field).to_owned()).or_insert(Json::Null);
    }
    if !value.is_object() {
        *value = Json::Object(serde_json::Map::new());
    }
    value.as_object_mut()
}

/// `metadata.name`; empty if there is none.
pub(crate) fn name(object: &Json) -> &str {
    text(object, &["metadata", "name"]).unwrap_or_default()
}

/// `metadata.namespace`; empty if there is none.
pub(crate) fn namespace(object: &Json) -> &str {
    text(object, &["metadata", "namespace"]).unwrap_or_default()
}

/// `metadata.uid`; empty if there is none.
pub(crate) fn uid(object: &Json) -> &str {
    text(object, &["metadata", "uid"]).unwrap_or_default()
}

/// Whether it is being deleted.
pub(crate) fn is_terminating(object: &Json) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some_and(|time| !time.is_null())
}

/// Whether a finalizer stands in its metadata.
pub(crate) fn has_finalizer(object: &Json, finalizer: &str) -> bool {
    items(object, &["metadata", "finalizers"]).iter().any(|known| known == finalizer)
}

/// A time as the API writes it: RFC 3339, in seconds, UTC.
pub(crate) fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let (date, time) = (now.date(), now.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// A fresh uid.
pub(crate) fn fresh_uid() -> String {
    uuid::Uuid::new_v4().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_are_read_set_and_removed() {
        let mut object = json!({ "metadata": { "name": "a", "finalizers": ["f"] } });
        set(&mut object, &["metadata", "labels", "x/y"], "1");
        set_default(&mut object, &["metadata", "name"], "other");
        set_default(&mut object, &["spec", "replicas"], 1);
        assert!(list_at(&mut object, &["spec", "list"]).is_none() && list_at(&mut object, &["spec", "replicas"]).is_none());
        set(&mut object, &["spec", "list"], json!([]));
        list_at(&mut object, &["spec", "list"]).expect("a list").push(json!(1));
        assert_eq!((name(&object), namespace(&object)), ("a", ""));
        assert_eq!(text(&object, &["metadata", "labels", "x/y"]), Some("1"));
        assert_eq!(items(&object, &["spec", "list"]), [json!(1)]);
        assert!(has_finalizer(&object, "f") && !has_finalizer(&object, "g") && !is_terminating(&object));
        assert_eq!(remove(&mut object, &["spec"]), Some(json!({ "replicas": 1, "list": [1] })));
        assert_eq!(remove(&mut object, &["spec", "replicas"]), None);
    }

    #[test]
    fn times_are_rfc_3339_in_seconds() {
        let now = now();
        assert_eq!((now.len(), now.as_bytes()[10], now.as_bytes()[19]), (20, b'T', b'Z'));
    }
}
