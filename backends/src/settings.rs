//! The arguments of `backend` blocks, and what they open.

use crate::aws::bucket_builder;
use crate::kinds::KINDS;
use crate::kubernetes::ClusterObjects;
use crate::s3::BucketObjects;
use ::kubernetes::{Clusters, KubeconfigConnector, Proxies};
use engine::value::Value;
use state::{Backend, Remote, local};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest name of a state in a cluster: names of objects and values of labels are made of it.
const LONGEST_NAME: usize = 40;

/// What a backend needs to know of the world.
#[derive(Clone)]
pub struct Surroundings {
    /// The directory of the configuration, which paths of state files are relative to.
    pub directory: PathBuf,
    /// The working directory, which paths of kubeconfigs are relative to.
    pub working_directory: PathBuf,
    /// The kubeconfigs where a block names none.
    pub kubeconfigs: Vec<PathBuf>,
    /// Ways to API servers.
    pub proxies: Proxies,
    /// Environment variables, which may have credentials.
    pub environment: BTreeMap<String, String>,
}

/// Why a block opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The argument, unless it is about the whole block.
    pub argument: Option<String>,
    /// What is wrong.
    pub why: String,
    /// What to do.
    pub help: String,
}

impl Wrong {
    pub(crate) fn argument(name: &str, why: String, help: &str) -> Self {
        Self { argument: Some(name.to_owned()), why, help: help.to_owned() }
    }
}

/// Whether an argument is a credential, which is neither shown nor kept.
pub fn is_secret(argument: &str) -> bool {
    ["access_key", "secret_key", "token"].contains(&argument)
}

/// The backend that a block of a kind with these arguments names. Nothing is connected yet.
pub fn open(kind: &str, arguments: &BTreeMap<String, String>, surroundings: &Surroundings) -> Result<Arc<dyn Backend>, Wrong> {
    let Some(known) = KINDS.iter().find(|known| known.name == kind) else {
        let all = listed(KINDS.iter().map(|known| known.name));
        return Err(Wrong { argument: None, why: format!("there is no backend `{kind}`"), help: format!("Backends are {all}.") });
    };
    let names = || known.arguments.iter().map(|argument| argument.name);
    if let Some(unknown) = arguments.keys().find(|name| !names().any(|known| known == name.as_str())) {
        let help = format!("The backend `{kind}` knows {}.", listed(names()));
        return Err(Wrong { argument: Some(unknown.clone()), why: format!("the backend `{kind}` has no argument `{unknown}`"), help });
    }
    match kind {
        "kubernetes" => in_cluster(arguments, surroundings),
        "s3" => in_bucket(arguments, &surroundings.environment),
        _ => Ok(local(&in_file(arguments, &surroundings.directory))),
    }
}

fn listed(names: impl Iterator<Item = &'static str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn in_file(arguments: &BTreeMap<String, String>, directory: &Path) -> PathBuf {
    directory.join(arguments.get("path").map_or("meshplan.state.json", String::as_str))
}

fn in_cluster(arguments: &BTreeMap<String, String>, surroundings: &Surroundings) -> Result<Arc<dyn Backend>, Wrong> {
    let text = |name: &str, default: &'static str| arguments.get(name).map_or(default, String::as_str);
    let (namespace, name) = (text("namespace", "default"), text("name", "meshplan"));
    for (argument, given) in [("namespace", namespace), ("name", name)] {
        if !is_label(given) || given.len() > LONGEST_NAME {
            let why = format!("`{given}` is not a name of lower-case letters, digits and dashes with at most {LONGEST_NAME} characters");
            return Err(Wrong::argument(argument, why, "Objects of the cluster get names that begin with it."));
        }
    }
    let given = ["kubeconfig", "context"].into_iter().filter_map(|name| Some((name, arguments.get(name)?)));
    let given = given.map(|(name, text)| (if name == "kubeconfig" { "path" } else { name }, Value::string(text.as_str())));
    let connection = Value::object([("type", Value::string("kubeconfig"))].into_iter().chain(given));
    let Surroundings { kubeconfigs, working_directory, proxies, .. } = surroundings.clone();
    let clusters = Clusters::new(vec![Arc::new(KubeconfigConnector::new(kubeconfigs, working_directory, proxies))]);
    let objects = ClusterObjects::new(clusters, connection, (text("context", "current-context"), namespace, name));
    let objects = objects.map_err(|error| Wrong { argument: None, why: error.to_string(), help: "Threads are short.".to_owned() })?;
    Ok(Arc::new(Remote::new(Arc::new(objects))))
}

fn in_bucket(arguments: &BTreeMap<String, String>, environment: &BTreeMap<String, String>) -> Result<Arc<dyn Backend>, Wrong> {
    let given = |name: &str| arguments.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let key = given("key").unwrap_or("meshplan").trim_matches('/');
    let Some(bucket) = given("bucket") else {
        let why = "the backend `s3` needs a `bucket`".to_owned();
        return Err(Wrong { argument: None, why, help: "Write `bucket = \"…\"`, or give `--backend-config bucket=…`.".to_owned() });
    };
    if key.is_empty() {
        let why = format!("`{}` names nothing", arguments.get("key").map_or("", String::as_str));
        return Err(Wrong::argument("key", why, "The objects of the state get names below it."));
    }
    let builder = bucket_builder(arguments, environment)?;
    let objects = BucketObjects::new(builder, bucket, key);
    let objects = objects.map_err(|why| Wrong { argument: None, why, help: "Mend what the detail names.".to_owned() })?;
    Ok(Arc::new(Remote::new(Arc::new(objects))))
}

/// Whether a text is a label of DNS (RFC 1123), as the API wants names.
fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.bytes().all(inner) && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(kind: &str, arguments: &[(&str, &str)]) -> Result<String, (Option<String>, String)> {
        let arguments = arguments.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let (directory, working_directory) = (PathBuf::from("/mesh"), PathBuf::from("/"));
        let surroundings = Surroundings {
            directory,
            working_directory,
            kubeconfigs: Vec::new(),
            proxies: Proxies::default(),
            environment: BTreeMap::new(),
        };
        let opened = open(kind, &arguments, &surroundings);
        opened.map(|backend| backend.names().state.display().to_string()).map_err(|wrong| (wrong.argument, wrong.why))
    }

    #[test]
    fn a_block_names_where_the_state_is() {
        for (kind, arguments, expected) in [
            ("local", &[][..], "/mesh/meshplan.state.json"),
            ("local", &[("path", "states/prod.json")], "/mesh/states/prod.json"),
            ("local", &[("path", "/var/prod.json")], "/var/prod.json"),
            ("kubernetes", &[], "kubernetes://current-context/default/meshplan"),
            ("s3", &[("bucket", "b"), ("region", "eu-west-1")], "s3://b/meshplan/head"),
            ("s3", &[("bucket", "b"), ("key", "/teams/a/"), ("region", "eu-west-1")], "s3://b/teams/a/head"),
            ("s3", &[("bucket", "b"), ("endpoint", "http://host:9/a@b"), ("region", "r")], "s3://b/meshplan/head"),
            ("kubernetes", &[("context", "c1"), ("namespace", "ops"), ("name", "prod")], "kubernetes://c1/ops/prod"),
        ] {
            assert_eq!(opened(kind, arguments), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn what_is_wrong_with_a_block_is_said_of_the_argument() {
        for (kind, arguments, argument, why) in [
            ("consul", &[][..], None, "there is no backend `consul`"),
            ("local", &[("bucket", "b")], Some("bucket"), "the backend `local` has no argument `bucket`"),
            ("s3", &[], None, "the backend `s3` needs a `bucket`"),
            ("s3", &[("bucket", "b"), ("key", "/")], Some("key"), "`/` names nothing"),
            ("s3", &[("bucket", "b"), ("use_path_style", "often")], Some("use_path_style"), "`often` is neither `true` nor `false`"),
            ("s3", &[("bucket", "b"), ("profile", "nobody")], Some("profile"), "no credentials file has a profile `nobody`"),
            (
                "s3",
                &[("bucket", "b"), ("endpoint", "http://me:pl4nted@host/x")],
                Some("endpoint"),
                "`endpoint` has a user and a password in it",
            ),
            ("s3", &[("bucket", "b"), ("endpoint", "me@host")], Some("endpoint"), "`endpoint` has a user and a password in it"),
            ("kubernetes", &[("name", "Prod")], Some("name"), "`Prod` is not a name"),
            ("kubernetes", &[("namespace", "-")], Some("namespace"), "`-` is not a name"),
        ] {
            let (of, said) = opened(kind, arguments).unwrap_err();
            assert!(of.as_deref() == argument && said.starts_with(why), "{of:?} {said}");
        }
    }
}
