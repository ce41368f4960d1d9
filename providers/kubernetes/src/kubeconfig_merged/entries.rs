//! Contexts with the cluster and the user that they name, taken out of one kubeconfig and put into another.

use crate::document::{parse, rendered};
use crate::object_kind::Json;
use engine::value::Value;
use serde_json::json;

/// The lists of a kubeconfig, each with the key that an item's content is under.
pub(super) const LISTS: [(&str, &str); 3] = [("clusters", "cluster"), ("contexts", "context"), ("users", "user")];
/// What names files that lie beside a kubeconfig.
const FILES: [&str; 4] = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];

/// A context with its cluster and its user, all three of one name.
#[derive(Clone, PartialEq)]
pub(super) struct Entry {
    /// The name.
    pub(super) name: String,
    /// The contents, in the order of the lists.
    contents: [Json; 3],
}

/// The entries of all kubeconfigs of a mapping: the current context of each under the mapping's key, each other one under `<key>-<its name>`.
///
/// Errors: a fragment that names the key and quotes no credentials.
pub(super) fn entries(kubeconfigs: &Value) -> Result<Vec<Entry>, String> {
    let mut all: Vec<Entry> = Vec::new();
    for given in kubeconfigs.entries() {
        let text = given.value.as_str().unwrap_or_default();
        for entry in of_one(&given.key, text).map_err(|why| format!("the kubeconfig of `{}` {why}", given.key))? {
            if all.iter().any(|known| known.name == entry.name) {
                return Err(format!("two contexts would be called `{}`", entry.name));
            }
            all.push(entry);
        }
    }
    Ok(all)
}

fn of_one(key: &str, text: &str) -> Result<Vec<Entry>, String> {
    let config = parse(text)?;
    let contexts: Vec<_> = items(&config, "contexts").iter().filter_map(name_of).collect();
    let current = config.get("current-context").and_then(Json::as_str).filter(|name| contexts.contains(name));
    let main = current.or(if contexts.len() == 1 { contexts.first().copied() } else { None });
    if contexts.is_empty() {
        return Err("has no context".to_owned());
    }
    let mut found = Vec::new();
    for context in contexts {
        let name = if Some(context) == main { key.to_owned() } else { format!("{key}-{context}") };
        found.push(entry(&config, context, name)?);
    }
    Ok(found)
}

fn entry(config: &Json, context: &str, name: String) -> Result<Entry, String> {
    let mut within = content(config, 1, context).cloned().unwrap_or_default();
    let part = |at: usize, key: &str| {
        let named = within.get(key).and_then(Json::as_str).unwrap_or_default();
        let found = content(config, at, named).cloned();
        found.ok_or_else(|| format!("has no {} `{named}`, which its context `{context}` names", LISTS[at].1))
    };
    let (cluster, user) = (part(0, "cluster")?, part(2, "user")?);
    for part in [&cluster, &user] {
        let relative = |key: &&&str| part.get(**key).and_then(Json::as_str).is_some_and(|path| !path.is_empty() && !path.starts_with('/'));
        if let Some(key) = FILES.iter().find(relative) {
            return Err(format!("names a file beside it by `{key}`, which another file cannot"));
        }
    }
    within["cluster"] = name.clone().into();
    within["user"] = name.clone().into();
    Ok(Entry { name, contents: [cluster, within, user] })
}

/// The entries with these names that a kubeconfig holds, as they are there now.
pub(super) fn picked(config: &Json, names: &[String]) -> Vec<Entry> {
    let found = |name: &String| {
        let contents = [0, 1, 2].map(|at| content(config, at, name).cloned().unwrap_or_default());
        (!contents[1].is_null()).then(|| Entry { name: name.clone(), contents })
    };
    names.iter().filter_map(found).collect()
}

/// A kubeconfig of nothing but these entries.
///
/// Errors: a fragment.
pub(super) fn alone(entries: &[Entry], current: Option<&str>) -> Result<String, String> {
    let mut config = fresh();
    put(&mut config, entries).map_err(|name| format!("has two contexts `{name}`"))?;
    if let Some(current) = current.or(entries.first().map(|entry| &*entry.name)) {
        config["current-context"] = current.into();
    }
    rendered("", &config)
}

/// A kubeconfig without any entries.
pub(super) fn fresh() -> Json {
    json!({ "apiVersion": "v1", "kind": "Config" })
}

/// Adds entries. One that is there already in the same words is fine; on another of its name, that name is the error.
pub(super) fn put(config: &mut Json, entries: &[Entry]) -> Result<(), String> {
    for entry in entries {
        for (at, (list, key)) in LISTS.iter().enumerate() {
            match content(config, at, &entry.name) {
                Some(there) if *there == entry.contents[at] => continue,
                Some(_) => return Err(entry.name.clone()),
                None => {}
            }
            if !config[*list].is_array() {
                config[*list] = json!([]);
            }
            if let Some(items) = config[*list].as_array_mut() {
                items.push(json!({ "name": entry.name, *key: entry.contents[at] }));
            }
        }
    }
    Ok(())
}

/// Takes out what has these names, and the current context if it is one of them.
pub(super) fn take_out(config: &mut Json, names: &[String]) {
    let is_ours = |name: Option<&str>| name.is_some_and(|name| names.iter().any(|ours| ours == name));
    for (list, _) in LISTS {
        if let Some(items) = config.get_mut(list).and_then(Json::as_array_mut) {
            items.retain(|item| !is_ours(name_of(item)));
        }
    }
    if is_ours(config.get("current-context").and_then(Json::as_str))
        && let Some(config) = config.as_object_mut()
    {
        config.remove("current-context");
    }
}

/// Whether a kubeconfig says nothing of use.
pub(super) fn is_empty(config: &Json) -> bool {
    let says_nothing = |value: &Json| match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(entries) => entries.is_empty(),
        _ => false,
    };
    let entries = config.as_object().into_iter().flatten();
    entries.into_iter().all(|(key, value)| matches!(&**key, "apiVersion" | "kind") || says_nothing(value))
}

fn items<'a>(config: &'a Json, list: &str) -> &'a [Json] {
    config.get(list).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn content<'a>(config: &'a Json, at: usize, name: &str) -> Option<&'a Json> {
    let (list, key) = LISTS.get(at)?;
    items(config, list).iter().find(|item| name_of(item) == Some(name))?.get(*key)
}

fn name_of(item: &Json) -> Option<&str> {
    item.get("name")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As kubeadm writes one, for every cluster under the same names.
    fn kubeadm(server: &str) -> String {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "kubernetes-admin@kubernetes",
            "clusters": [{ "name": "kubernetes", "cluster": { "server": server } }],
            "contexts": [{ "name": "kubernetes-admin@kubernetes", "context": { "cluster": "kubernetes", "user": "kubernetes-admin" } }],
            "users": [{ "name": "kubernetes-admin", "user": { "token": "t" } }],
        });
        rendered("", &config).unwrap()
    }

    fn given(kubeconfigs: &[(&str, String)]) -> Result<Vec<Entry>, String> {
        entries(&Value::object(kubeconfigs.iter().map(|(key, text)| (*key, Value::string(text.clone())))))
    }

    fn names(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| &*entry.name).collect()
    }

    #[test]
    fn names_that_collide_become_those_of_the_mapping() {
        let both = given(&[("c1", kubeadm("https://a")), ("c2", kubeadm("https://b"))]).unwrap();
        assert_eq!(names(&both), ["c1", "c2"]);
        let merged = parse(&alone(&both, None).unwrap()).unwrap();
        assert_eq!(merged["current-context"], "c1");
        assert_eq!(merged["contexts"][1], json!({ "name": "c2", "context": { "cluster": "c2", "user": "c2" } }));
        assert_eq!(merged["clusters"][1], json!({ "name": "c2", "cluster": { "server": "https://b" } }));
        assert_eq!(merged["users"][1], json!({ "name": "c2", "user": { "token": "t" } }));
        assert_eq!(parse(&alone(&both, Some("c2")).unwrap()).unwrap()["current-context"], "c2");
    }

    #[test]
    fn all_contexts_come_along_with_their_namespaces() {
        let text = kubeadm("https://a").replace(
            "contexts:\n",
            "contexts:\n- name: other\n  context: {cluster: kubernetes, user: kubernetes-admin, namespace: mesh}\n",
        );
        let found = given(&[("c1", text)]).unwrap();
        assert_eq!(names(&found), ["c1-other", "c1"]);
        assert_eq!(found[0].contents[1], json!({ "cluster": "c1-other", "user": "c1-other", "namespace": "mesh" }));
    }

    #[test]
    fn what_cannot_be_merged_is_told_without_credentials() {
        let file = |key: &str| kubeadm("https://a").replace("token: t", &format!("{key}: secret/file"));
        for (text, expected) in [
            ("secret: [".to_owned(), "is no YAML"),
            ("secret".to_owned(), "holds no mapping"),
            (String::new(), "has no context"),
            (kubeadm("https://a").replace("user: kubernetes-admin", "user: nobody"), "has no user `nobody`"),
            (file("client-key"), "names a file beside it by `client-key`"),
            (file("tokenFile"), "names a file beside it by `tokenFile`"),
        ] {
            let why = given(&[("c1", text)]).err().unwrap();
            assert!(why.contains(expected) && why.contains("`c1`") && !why.contains("secret"), "{why}");
        }
        let twice =
            kubeadm("https://a").replace("contexts:\n", "contexts:\n- name: b\n  context: {cluster: kubernetes, user: kubernetes-admin}\n");
        let why = given(&[("a", twice), ("a-b", kubeadm("https://b"))]).err().unwrap();
        assert!(why.contains("two contexts would be called `a-b`"), "{why}");
    }

    #[test]
    fn entries_of_others_stay() {
        let mut config = parse(&kubeadm("https://theirs")).unwrap();
        config["preferences"] = json!({ "colors": true });
        let before = config.clone();
        let ours = given(&[("c1", kubeadm("https://a"))]).unwrap();
        put(&mut config, &ours).unwrap();
        put(&mut config, &ours).unwrap();
        assert_eq!(config["contexts"].as_array().unwrap().len(), 2);
        assert_eq!(names(&picked(&config, &["c1".to_owned(), "c2".to_owned()])), ["c1"]);
        config["current-context"] = "c1".into();
        take_out(&mut config, &["c1".to_owned()]);
        let mut without_current = before.clone();
        without_current.as_object_mut().unwrap().remove("current-context");
        assert_eq!(config, without_current);
        let theirs = given(&[("kubernetes", kubeadm("https://a"))]).unwrap();
        assert_eq!(put(&mut before.clone(), &theirs), Err("kubernetes".to_owned()));
        take_out(&mut config, &["kubernetes".to_owned(), "kubernetes-admin".to_owned(), "kubernetes-admin@kubernetes".to_owned()]);
        assert!(!is_empty(&config), "preferences are of use");
        config["preferences"] = json!({});
        assert!(is_empty(&config));
    }
}
