//! Files that are put into containers.

use super::body::shaped;
use super::seen::mode as written;
use super::shape::{is_same_file, mode};
use crate::archive::{Packed, first_file, pack};
use crate::client::{Called, Client};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::value::Value;
use futures::StreamExt as _;
use serde_json::{Map, Value as Json, json};

/// How many files of one container are looked at at once.
const AT_ONCE: usize = 4;

/// The files of these paths that are there, each said as it is told of: as text or as base64.
pub(super) async fn found(client: &Client, id: &str, told: &Value) -> Called<Json> {
    let mut looks = Vec::new();
    for entry in told.entries() {
        looks.push(look(client.clone(), id.to_owned(), (entry.key.to_string(), entry.value.present("content_base64").is_none())));
    }
    let found: Vec<_> = futures::stream::iter(looks).buffered(AT_ONCE).collect().await;
    let files: Vec<_> = found.into_iter().collect::<Called<Vec<Option<_>>>>()?;
    Ok(Json::Object(files.into_iter().flatten().collect::<Map<_, _>>()))
}

/// One file, if it is there.
async fn look(client: Client, id: String, (path, is_text): (String, bool)) -> Called<Option<(String, Json)>> {
    match client.download(&id, &path).await {
        Ok(archive) => Ok(first_file(&archive).map(|file| (path, described(&file, is_text)))),
        // The Engine says so of what is not there, and of what is no file but lies below one.
        Err(error) if error.is_absent() || error.message.contains("not a directory") => Ok(None),
        Err(error) => Err(error),
    }
}

fn described(file: &Packed, is_text: bool) -> Json {
    let text = std::str::from_utf8(&file.content).ok().filter(|_| is_text);
    let base64 = text.is_none().then(|| STANDARD.encode(&file.content));
    json!({ "content": text, "content_base64": base64, "mode": written(file.mode) })
}

/// The archive of the files that are not there as they are to be; nothing if all are.
pub(super) fn missing(arguments: &Value, there: &Json) -> Option<Vec<u8>> {
    let wanted = shaped(arguments, "files")?;
    let differ = wanted.as_object()?.iter().filter(|(path, file)| !is_same_file(there.get(path.as_str()), file));
    let packed: Vec<_> = differ.filter_map(|(path, file)| Some((path.as_str(), packed(file)?))).collect();
    (!packed.is_empty()).then(|| pack(packed.iter().map(|(path, file)| (*path, file))))
}

fn packed(file: &Json) -> Option<Packed> {
    let text = |name: &str| file.get(name).and_then(Json::as_str);
    let content = match (text("content"), text("content_base64")) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(base64)) => decoded(base64)?,
        (None, None) => return None,
    };
    Some(Packed { content, mode: mode(text("mode")?)? })
}

/// The bytes that a base64 text stands for.
pub(super) fn decoded(base64: &str) -> Option<Vec<u8>> {
    STANDARD.decode(base64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_sent() {
        let arguments = Value::from_json(&json!({ "files": {
            "/same": { "content": "a" }, "/other": { "content": "b", "mode": "0600" }, "/bytes": { "content_base64": "/w==" } } }));
        let there = json!({ "/same": { "content": "a", "mode": "0644" }, "/other": { "content": "b", "mode": "0644" } });
        let archive = missing(&arguments, &there).expect("two files");
        assert_eq!(first_file(&archive), Some(Packed { content: vec![255], mode: 0o644 }));
        assert_eq!(first_file(&archive[1024..]), Some(Packed { content: b"b".to_vec(), mode: 0o600 }));
        assert_eq!(archive.len(), 4 * 512 + 1024);
        let bytes = described(&Packed { content: vec![255], mode: 0o644 }, true);
        assert_eq!(bytes, json!({ "content": null, "content_base64": "/w==", "mode": "0644" }));
        let there = json!({ "/same": { "content": "a", "mode": "0644" }, "/other": { "content": "b", "mode": "0600" }, "/bytes": bytes });
        assert_eq!(missing(&arguments, &there), None);
        assert_eq!(missing(&Value::object([("files", Value::null())]), &there), None);
    }
}
