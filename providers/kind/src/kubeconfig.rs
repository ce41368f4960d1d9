//! The kubeconfig of a cluster: made of the one that its control plane has, and kept in a file that is the cluster's own.

use crate::naming;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::value::Value;
use kubernetes::parse_yaml;
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// What kubeadm leaves in the control plane for administrators.
pub(crate) const ADMIN: &str = "/etc/kubernetes/admin.conf";

/// What opens a cluster, from the file of its control plane. Each part is base64 of PEM.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    authority: String,
    certificate: String,
    key: String,
}

impl Keys {
    /// Reads them; nothing if the text holds none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let config = parse_yaml(text).ok()?.into_iter().next()?;
        let first = |list: &str, within: &str| Some(config.get(list)?.items().first()?.get(within)?.clone());
        let (cluster, user) = (first("clusters", "cluster")?, first("users", "user")?);
        let text = |from: &Value, name: &str| from.text(name).map(str::to_owned);
        Some(Self {
            authority: text(&cluster, "certificate-authority-data")?,
            certificate: text(&user, "client-certificate-data")?,
            key: text(&user, "client-key-data")?,
        })
    }

    /// The authority as PEM.
    pub(crate) fn authority(&self) -> Option<String> {
        String::from_utf8(STANDARD.decode(&self.authority).ok()?).ok()
    }

    /// A kubeconfig with one context, named as kind names it.
    pub(crate) fn kubeconfig(&self, cluster: &str, server: &str) -> String {
        let name = json!(naming::context(cluster));
        let (server, Self { authority, certificate, key }) = (json!(server), self);
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: {name}\n  cluster:\n    certificate-authority-data: {authority}\n    server: {server}\n\
             contexts:\n- name: {name}\n  context:\n    cluster: {name}\n    user: {name}\ncurrent-context: {name}\n\
             users:\n- name: {name}\n  user:\n    client-certificate-data: {certificate}\n    client-key-data: {key}\n"
        )
    }
}

/// How other kinds reach the cluster of a kubeconfig.
pub(crate) fn connection(cluster: &str, kubeconfig: &str) -> serde_json::Value {
    json!({ "type": "kubeconfig", "kubeconfig": kubeconfig, "context": naming::context(cluster) })
}

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// There is none, or it says nothing.
    Nobody,
    /// It holds the context of the cluster and no other.
    Cluster,
    /// Anything else.
    Somebody,
}

/// Whose the file is that the kubeconfig of a cluster goes to.
pub(crate) fn owner(path: &Path, cluster: &str) -> Owner {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Owner::Nobody,
        Err(_) => return Owner::Somebody,
    };
    let config = match parse_yaml(&text) {
        Ok(documents) if documents.is_empty() => return Owner::Nobody,
        Ok(documents) if documents.len() == 1 => documents.into_iter().next().unwrap_or_else(Value::null),
        _ => return Owner::Somebody,
    };
    let lists = ["clusters", "contexts", "users"].map(|list| config.get(list).map(Value::items).unwrap_or_default());
    let name = naming::context(cluster);
    match () {
        () if config.text("kind") != Some("Config") => Owner::Somebody,
        () if lists.iter().all(|list| list.is_empty()) => Owner::Nobody,
        () if lists.iter().flat_map(|list| list.iter()).all(|entry| entry.text("name") == Some(&name)) => Owner::Cluster,
        () => Owner::Somebody,
    }
}

/// Whether a file holds this very kubeconfig.
pub(crate) fn holds(path: &Path, kubeconfig: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text == kubeconfig)
}

/// Whether a file holds these keys, in whatever words around them.
pub(crate) fn opens(path: &Path, keys: &Keys) -> bool {
    fs::read_to_string(path).ok().and_then(|text| Keys::read(&text)).is_some_and(|found| found == *keys)
}

/// Makes the directory of a file, for its owner's eyes alone if it is not there.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) else { return Ok(()) };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Writes a kubeconfig in place of what is there, for its owner's eyes alone.
pub(crate) fn write(path: &Path, kubeconfig: &str) -> io::Result<()> {
    make_directory(path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh);
    let written = file.and_then(|mut file| file.write_all(kubeconfig.as_bytes()).and_then(|()| file.sync_all()));
    let ended = written.and_then(|()| fs::rename(&fresh, path));
    if ended.is_err() {
        // What is left of the attempt is of no use.
        drop(fs::remove_file(&fresh));
    }
    ended
}

/// Removes a cluster's file, unless somebody else has put something into it.
pub(crate) fn remove(path: &Path, cluster: &str) -> io::Result<()> {
    if owner(path, cluster) == Owner::Somebody {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// What kubeadm leaves: the authority is `CA`, the rest is `CERT` and `KEY`.
    pub(crate) const OF_KUBEADM: &str = "apiVersion: v1\nkind: Config\nclusters:\n- name: kubernetes\n  cluster:\n    certificate-authority-data: Q0E=\n\
        \x20   server: https://c-control-plane:6443\ncontexts:\n- name: a@b\n  context: {cluster: kubernetes, user: admin}\ncurrent-context: a@b\n\
        users:\n- name: admin\n  user:\n    client-certificate-data: Q0VSVA==\n    client-key-data: S0VZ\n";

    #[test]
    fn a_kubeconfig_is_made_of_what_the_control_plane_has() {
        let keys = Keys::read(OF_KUBEADM).expect("keys");
        assert_eq!(keys.authority().as_deref(), Some("CA"));
        let text = keys.kubeconfig("c", "https://10.2.1.40:6443");
        let config = parse_yaml(&text).expect("YAML")[0].to_json().expect("known");
        let expected = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "kind-c",
            "clusters": [{ "name": "kind-c", "cluster": { "server": "https://10.2.1.40:6443", "certificate-authority-data": "Q0E=" } }],
            "contexts": [{ "name": "kind-c", "context": { "cluster": "kind-c", "user": "kind-c" } }],
            "users": [{ "name": "kind-c", "user": { "client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ" } }],
        });
        assert_eq!(config, expected);
        assert!(Keys::read(&text) == Some(keys));
        for text in ["", "kind: Config", "clusters: [", "clusters: []\nusers: []"] {
            assert!(Keys::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_file_is_written_privately_and_removed_unless_it_is_somebody_elses() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kind/c.kubeconfig");
        let text = Keys::read(OF_KUBEADM).unwrap().kubeconfig("c", "https://10.2.1.40:6443");
        assert_eq!(owner(&path, "c"), Owner::Nobody);
        write(&path, &text).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let keys = Keys::read(OF_KUBEADM).unwrap();
        let others = Keys::read(&OF_KUBEADM.replace("S0VZ", "T1RIRVI=")).unwrap();
        assert!(opens(&path, &keys) && !opens(&path, &others) && !opens(&directory.path().join("none"), &keys));
        assert!(holds(&path, &text) && !holds(&path, "") && owner(&path, "c") == Owner::Cluster && owner(&path, "d") == Owner::Somebody);
        remove(&path, "d").unwrap();
        assert!(path.exists());
        remove(&path, "c").unwrap();
        remove(&path, "c").unwrap();
        assert!(!path.exists() && fs::read_dir(path.parent().unwrap()).unwrap().next().is_none());
        for (text, expected) in [
            ("apiVersion: v1\nkind: Config\n", Owner::Nobody),
            ("", Owner::Nobody),
            ("not: it", Owner::Somebody),
            (": [", Owner::Somebody),
            ("kind: Config\nclusters: [{name: kind-c}, {name: prod}]\n", Owner::Somebody),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(owner(&path, "c"), expected, "{text}");
        }
    }
}
