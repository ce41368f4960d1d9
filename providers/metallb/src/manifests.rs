//! `data.metallb_manifests`: what installs a version of MetalLB, from a file, the web, or the release's own files.

use crate::release::{RELEASES, Release, url, usual_paths};
use crate::version::of_objects;
use engine::diagnostic::Diagnostic;
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Data, Sequence, SequenceKind, Type, Value};
use kubernetes::{DataSource, ManifestSource, Source, Surroundings};
use std::sync::Arc;

/// `data.metallb_manifests`.
pub struct Manifests {
    schema: Schema,
    files: ManifestSource,
}

impl Manifests {
    /// The data source, on this machine.
    pub fn new(surroundings: &Surroundings) -> Self {
        let version = "The version, such as `0.16.2`. Without `path` and `files` the files of that release are downloaded, of which meshplan knows the \
            digests. Else what the controller's image says, null if it says nothing.";
        let path = "A file, or a directory of files, on this machine, relative to the working directory.";
        let files = "Files on the web, each with its `url` and the `sha256` of its bytes.";
        let found = "What was read: names of files below `path`, or URLs.";
        let file = Type::object([("url", Type::String, false), ("sha256", Type::String, false)]);
        let attributes = vec![
            Attribute::optional_computed("version", Type::String, version),
            Attribute::optional("path", Type::String, path),
            Attribute::optional("files", Type::list(file), files),
            Attribute::computed("objects", Type::Any, "The objects in the order in which they stand there."),
            Attribute::computed("found", Type::list(Type::String), found),
        ];
        let doc = "What installs MetalLB: the manifests of a release, pinned by their digests and kept in \
            `$XDG_CACHE_HOME/meshplan/downloads` once they were downloaded, or those of files. They are read while planning.";
        let (kind, classes) = ("metallb_manifests", &["metallb_manifests"]);
        let schema = Schema { kind, doc, version: 1, attributes, classes, place: None, outside: true, settles: false };
        let directory = surroundings.working_directory.clone();
        Self { schema, files: ManifestSource::new(directory, surroundings.downloads.clone()) }
    }

    /// The objects of all sources with the names of what they were read from, or the answer there is in their place.
    async fn read_all(&self, sources: Vec<Value>, asked: Source<'_>) -> Result<(Vec<Value>, Vec<Value>), Answer> {
        let (mut objects, mut found) = (Vec::new(), Vec::new());
        for source in &sources {
            match self.files.read(source, asked).await {
                Answer::Present(read) => {
                    objects.extend(read.get("objects").map(Value::items).unwrap_or_default().iter().cloned());
                    found.extend(read.get("files").map(Value::items).unwrap_or_default().iter().cloned());
                }
                Answer::Unreachable(why) => {
                    let help = "Download the file where there is a network, and give its `path`; or let this machine reach the web once: it \
                        is kept for later.";
                    return Err(Answer::Refused(Diagnostic::error("manifests not downloaded", &*why).help(help)));
                }
                other => return Err(other),
            }
        }
        Ok((objects, found))
    }
}

impl DataSource for Manifests {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        sources(arguments).err().into_iter().collect()
    }

    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let (objects, found) = match sources(arguments) {
                Ok(sources) => match self.read_all(sources, source).await {
                    Ok(read) => read,
                    Err(answer) => return answer,
                },
                Err(problem) => return Answer::Refused(refusal(problem)),
            };
            if let Some(problem) = foreign(&objects) {
                return Answer::Refused(refusal(problem));
            }
            let told = arguments.text("version").map(|version| version.trim_start_matches('v').to_owned());
            let version = told.or_else(|| of_objects(&objects)).map_or_else(Value::null, Value::string);
            let found = Sequence::new(SequenceKind::List(Type::String), found);
            let found = Value::new(Data::Sequence(Arc::new(found)));
            Answer::Present(arguments.with_entries([("version", version), ("objects", Value::tuple(objects)), ("found", found)]))
        })
    }
}

fn refusal(problem: Problem) -> Diagnostic {
    Diagnostic { help: problem.help, ..Diagnostic::error(problem.summary, problem.detail) }
}

/// What is wrong with objects that install something else.
fn foreign(objects: &[Value]) -> Option<Problem> {
    if objects.iter().any(crate::version::is_controller) {
        return None;
    }
    let detail = "there is no Deployment with the labels `app: metallb` and `component: controller` in them";
    Some(
        Problem::with("path", "no manifests of MetalLB", detail)
            .help("Give the manifests of a release: `metallb-native.yaml` from 0.13 on."),
    )
}

/// What is read, as arguments of `kubernetes_manifest_source`.
fn sources(arguments: &Value) -> Result<Vec<Value>, Problem> {
    let wrong = |attribute, detail: &str| Problem::with(attribute, "invalid source", detail);
    let source = |path: Value, url: Value, sha256: Value| {
        Value::object([("path", path), ("recursive", Value::bool(false)), ("url", url), ("sha256", sha256)])
    };
    let part = |file: &Value, name| file.get(name).cloned().unwrap_or_else(Value::null);
    match (arguments.present("path"), arguments.present("files")) {
        (Some(_), Some(_)) => Err(wrong("files", "`path` and `files` are both given; manifests come from one of them")),
        (Some(path), None) => Ok(vec![source(path.clone(), Value::null(), Value::null())]),
        (None, Some(files)) if files.is_known() && files.items().is_empty() => Err(wrong("files", "`files` names no file")),
        (None, Some(files)) => {
            Ok(files.items().iter().map(|file| source(Value::null(), part(file, "url"), part(file, "sha256"))).collect())
        }
        (None, None) => match arguments.present("version") {
            None => Err(wrong("version", "one of `version`, `path` and `files` has to say where the manifests are")),
            Some(version) => version.as_str().map_or_else(
                || Ok(Vec::new()),
                |version| {
                    let release = Release::of(version).ok_or_else(|| unknown(version))?;
                    let file = |file| source(Value::null(), Value::string(release.url(file)), Value::string(file.sha256));
                    Ok(release.files.iter().map(file).collect())
                },
            ),
        },
    }
}

fn unknown(version: &str) -> Problem {
    let known: Vec<_> = RELEASES.iter().map(|release| format!("`{}`", release.version)).collect();
    let detail = format!("no digests of the manifests of `{version}` are known here; those of {} are", known.join(", "));
    let files: Vec<_> = usual_paths(version).iter().map(|path| format!("{{ url = \"{}\", sha256 = \"…\" }}", url(version, path))).collect();
    let help = format!("Look at the files and pin them: `files = [{}]`; or give the `path` of a copy.", files.join(", "));
    Problem::with("version", "unknown release", detail).help(help)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use kubernetes::Clusters;
    use serde_json::{Value as Json, json};
    use std::path::Path;

    /// The least that counts as MetalLB, with a webhook from 0.13 on.
    pub(crate) fn manifests(version: &str) -> String {
        let workload = |kind: &str, name: &str| {
            format!(
                "---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{ name: {name}, namespace: metallb-system, labels: {{ app: metallb, component: {name} }} }}\n\
                 spec:\n  selector: {{ matchLabels: {{ app: metallb, component: {name} }} }}\n  template:\n    metadata: {{ labels: {{ app: metallb, component: {name} }} }}\n\
                 \x20   spec: {{ containers: [{{ name: {name}, image: 'quay.io/metallb/{name}:v{version}', args: [--port=7472] }}] }}\n"
            )
        };
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: { name: metallb-system }\n";
        let webhook = "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: { name: metallb-webhook-configuration }\n\
            webhooks:\n- { name: a.metallb.io, clientConfig: { service: { name: metallb-webhook-service, namespace: metallb-system } }, sideEffects: None, admissionReviewVersions: [v1] }\n";
        let webhook = if crate::version::below(version, crate::version::WITH_OBJECTS) { "" } else { webhook };
        format!("{namespace}{}{}{webhook}", workload("Deployment", "controller"), workload("DaemonSet", "speaker"))
    }

    async fn asked(directory: &Path, arguments: &Json) -> Answer {
        let mut all = json!({ "version": null, "path": null, "files": null });
        for (name, value) in arguments.as_object().unwrap() {
            all[name] = value.clone();
        }
        let surroundings = Surroundings {
            working_directory: directory.to_owned(),
            downloads: Some(directory.join("downloads")),
            ..Surroundings::default()
        };
        let clusters = Clusters::new(Vec::new());
        Manifests::new(&surroundings).read(&Value::from_json(&all), Source { place: None, clusters: &clusters }).await
    }

    async fn refused(directory: &Path, arguments: Json) -> String {
        match asked(directory, &arguments).await {
            Answer::Refused(problem) => format!("{problem} ({})", problem.help.clone().unwrap_or_default()),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn files_tell_their_version() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("metallb.yaml"), manifests("0.16.2")).unwrap();
        std::fs::write(directory.path().join("main.yaml"), manifests("main").replace(":vmain", "")).unwrap();
        for (arguments, expected) in [
            (json!({ "path": "metallb.yaml" }), json!("0.16.2")),
            (json!({ "path": "metallb.yaml", "version": "v0.15.0" }), json!("0.15.0")),
            (json!({ "path": "main.yaml" }), Json::Null),
        ] {
            let Answer::Present(read) = asked(directory.path(), &arguments).await else { panic!("{arguments} was not read") };
            let read = read.to_json().unwrap();
            assert_eq!((&read["version"], &read["found"]), (&expected, &json!([arguments["path"]])), "{arguments}");
            assert_eq!(read["objects"].as_array().unwrap().len(), 4, "{arguments}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_told_with_a_way_out() {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("other.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n").unwrap();
        let digest = "0".repeat(64);
        for (arguments, told) in [
            (json!({}), "one of `version`, `path` and `files` has to say where the manifests are"),
            (json!({ "path": "a", "files": [{ "url": "https://x.test/a", "sha256": digest }] }), "`path` and `files` are both given"),
            (json!({ "files": [] }), "`files` names no file"),
            (json!({ "version": "0.12.1" }), "no digests of the manifests of `0.12.1` are known here; those of `0.11.0`, "),
            (json!({ "version": "0.12.1" }), "metallb/v0.12.1/manifests/metallb.yaml\", sha256 = \"…\" }]`; or give the `path` of a copy."),
            (json!({ "path": "other.yaml" }), "no manifests of MetalLB: there is no Deployment"),
            (json!({ "path": "missing.yaml" }), "manifests not readable: `missing.yaml` does not exist"),
            (json!({ "files": [{ "url": "a.yaml", "sha256": digest }] }), "invalid URL"),
            // Nobody listens there.
            (
                json!({ "files": [{ "url": "http://127.0.0.1:1/a.yaml", "sha256": digest }] }),
                "manifests not downloaded: `http://127.0.0.1:1/a.yaml` is not in the cache",
            ),
            (
                json!({ "files": [{ "url": "http://127.0.0.1:1/a.yaml", "sha256": digest }] }),
                "Download the file where there is a network, and give its `path`",
            ),
        ] {
            let problem = refused(directory.path(), arguments).await;
            assert!(problem.contains(told), "{problem}");
        }
        let unknown = Value::object([("version", Value::unknown(Type::String))]);
        assert_eq!(Manifests::new(&Surroundings::default()).validate(&unknown), []);
    }
}
