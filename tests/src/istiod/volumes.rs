//! The files of a container, written as a kubelet writes them.

use crate::apiserver::Api;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Files by their names.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// The link to the directory that holds the files as they are now.
const DATA: &str = "..data";

/// The files of a volume of a pod; none where what they come from is not there.
pub(super) fn files(api: &Api, pod: &Value, volume: &Value) -> Files {
    match volume["projected"]["sources"].as_array() {
        Some(sources) => sources.iter().flat_map(|source| of(api, pod, source)).collect(),
        None => of(api, pod, volume),
    }
}

/// The files of one source.
fn of(api: &Api, pod: &Value, source: &Value) -> Files {
    let namespace = pod["metadata"]["namespace"].as_str().unwrap();
    let data = |plural: &str, name: &Value, decoded: fn(&str) -> Vec<u8>| -> Files {
        let object = api.get(&format!("/api/v1/namespaces/{namespace}/{plural}/{}", name.as_str().unwrap())).unwrap_or_default();
        let entries = object["data"].as_object().into_iter().flatten();
        entries.map(|(name, value)| (name.clone(), decoded(value.as_str().unwrap()))).collect()
    };
    let (secret, map, token_of) = (&source["secret"], &source["configMap"], &source["serviceAccountToken"]);
    if secret.is_object() {
        let name = secret.get("secretName").unwrap_or(&secret["name"]);
        data("secrets", name, |text| BASE64_STANDARD.decode(text).unwrap())
    } else if map.is_object() {
        data("configmaps", &map["name"], |text| text.as_bytes().to_vec())
    } else if token_of.is_object() {
        Files::from([(text(token_of, "path"), token(api, pod, token_of).into_bytes())])
    } else {
        let items = source["downwardAPI"]["items"].as_array().into_iter().flatten();
        items.map(|item| (text(item, "path"), field(pod, &item["fieldRef"]).into_bytes())).collect()
    }
}

/// Whether what a volume holds may change while the container runs.
pub(super) fn is_followed(volume: &Value) -> bool {
    volume["secret"].is_object() || volume["configMap"].is_object()
}

/// A field of a pod, as `fieldRef` names it.
pub(super) fn field(pod: &Value, reference: &Value) -> String {
    let path = reference["fieldPath"].as_str().unwrap_or_default();
    path.split('.').fold(pod, |at, key| &at[key]).as_str().unwrap_or_default().to_owned()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// A token of the pod's account, bound to the pod.
fn token(api: &Api, pod: &Value, wanted: &Value) -> String {
    let (namespace, account) = (pod["metadata"]["namespace"].as_str().unwrap(), pod["spec"]["serviceAccountName"].as_str().unwrap());
    let bound = json!({ "apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"] });
    let mut spec = json!({ "expirationSeconds": wanted["expirationSeconds"], "boundObjectRef": bound, "audiences": [] });
    if wanted["audience"].is_string() {
        spec["audiences"] = json!([wanted["audience"]]);
    }
    let request = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec });
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
    api.call("POST", &path, Some(&request)).done()["status"]["token"].as_str().unwrap().to_owned()
}

/// Puts files into a directory all at once: they lie in a directory of their own, to which a link leads, and names lead over that link.
pub(super) fn publish(directory: &Path, files: &Files) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let link = directory.join(DATA);
    let before = fs::read_link(&link).ok();
    let now = |name: &String| fs::read(link.join(name)).ok();
    let names =
        |directory: &Path| fs::read_dir(directory).map(|entries| entries.flatten().map(|entry| entry.file_name()).collect::<Vec<_>>());
    let there = before.is_some() && names(&link)?.len() == files.len();
    if there && files.iter().all(|(name, bytes)| now(name).as_ref() == Some(bytes)) {
        return Ok(());
    }
    let fresh = tempfile::Builder::new().prefix("..").tempdir_in(directory)?.keep();
    for (name, bytes) in files {
        fs::write(fresh.join(name), bytes)?;
    }
    symlink(fresh.file_name().unwrap(), directory.join("..data_tmp"))?;
    fs::rename(directory.join("..data_tmp"), &link)?;
    for name in files.keys().filter(|name| !directory.join(name).is_symlink()) {
        symlink(Path::new(DATA).join(name), directory.join(name))?;
    }
    for name in
        names(directory)?.iter().filter_map(|name| name.to_str()).filter(|name| !name.starts_with("..") && !files.contains_key(*name))
    {
        fs::remove_file(directory.join(name))?;
    }
    before.map_or(Ok(()), |before| fs::remove_dir_all(directory.join(before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_change_all_at_once_and_keep_their_names() {
        let directory = tempfile::tempdir().unwrap();
        let files =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect::<Files>();
        let (at, read) =
            (directory.path().join("cacerts"), |name: &str| fs::read_to_string(directory.path().join("cacerts").join(name)).ok());
        publish(&at, &files(&[("a", "1"), ("b", "1")])).unwrap();
        let first = fs::read_link(at.join(DATA)).unwrap();
        publish(&at, &files(&[("a", "1"), ("b", "1")])).unwrap();
        assert_eq!(fs::read_link(at.join(DATA)).unwrap(), first, "what is as it was is left");
        publish(&at, &files(&[("a", "2"), ("c", "2")])).unwrap();
        assert_eq!((read("a").as_deref(), read("b"), read("c").as_deref()), (Some("2"), None, Some("2")));
        assert!(!at.join(first).exists() && at.join("a").is_symlink());
        publish(&at, &Files::new()).unwrap();
        assert_eq!((read("a"), fs::read_dir(&at).unwrap().count()), (None, 2));
    }
}
