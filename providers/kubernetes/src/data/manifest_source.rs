//! `kubernetes_manifest_source`: manifests from a file or a directory.

mod files;

use crate::data_source::{DataSource, Source};
use crate::kinds::parse_documents;
use crate::object::name_of;
use crate::observation::veiled;
use crate::validation;
use engine::diagnostic::Diagnostic;
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Data, Sequence, SequenceKind, Type, Value};
use std::path::PathBuf;
use std::sync::Arc;

/// `data.kubernetes_manifest_source`.
pub struct ManifestSource {
    schema: Schema,
    directory: PathBuf,
}

/// A text of manifests, under the name that people know it by.
struct Text {
    name: String,
    text: String,
}

impl ManifestSource {
    /// The data source; paths are relative to this directory.
    pub fn new(directory: PathBuf) -> Self {
        let path = "A file, or a directory whose files ending in `.yaml`, `.yml` or `.json` are read in the order of their names, as \
                    `kubectl apply -f` does. Relative to the working directory.";
        let attributes = vec![
            Attribute::required("path", Type::String, path),
            Attribute::optional(
                "recursive",
                Type::Bool,
                "Whether directories within the directory are read too, as `kubectl apply -R` does.",
            )
            .default(Value::bool(false)),
            Attribute::computed(
                "files",
                Type::list(Type::String),
                "What was read, as paths below `path`; only the file's name if `path` is a file.",
            ),
            Attribute::computed(
                "objects",
                Type::Any,
                "The objects in the order in which they stand there, `List`s taken apart. A Secret's contents are sensitive.",
            ),
        ];
        let doc = "Manifests from a file or a directory, for `objects` of `kubernetes_manifests`. They are read while planning and frozen \
                   in the plan.";
        let kind = "kubernetes_manifest_source";
        let schema = Schema { kind, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema, directory }
    }

    fn texts(&self, arguments: &Value) -> Result<Vec<Text>, Problem> {
        let recursive = arguments.get("recursive").and_then(Value::as_bool) == Some(true);
        files::read(&self.directory, arguments.text("path").unwrap_or_default(), recursive)
    }
}

impl DataSource for ManifestSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn read<'a>(&'a self, arguments: &'a Value, _: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            match self.texts(arguments).and_then(|texts| attributes(arguments, &texts)) {
                Ok(attributes) => Answer::Present(attributes),
                Err(Problem { summary, detail, help, .. }) => Answer::Refused(Diagnostic { help, ..Diagnostic::error(summary, detail) }),
            }
        })
    }
}

fn attributes(arguments: &Value, texts: &[Text]) -> Result<Value, Problem> {
    let mut objects = Vec::new();
    for text in texts {
        objects.extend(read(text)?);
    }
    let files = texts.iter().map(|text| Value::string(text.name.as_str())).collect();
    let files = Sequence::new(SequenceKind::List(Type::String), files);
    let given = arguments.entries().iter().map(|entry| (entry.key.to_string(), entry.value.clone()));
    let found = [("files".to_owned(), Value::new(Data::Sequence(Arc::new(files)))), ("objects".to_owned(), Value::tuple(objects))];
    Ok(Value::object(given.chain(found)))
}

/// The objects of a text, or what is wrong with the first that is none.
fn read(Text { name, text }: &Text) -> Result<Vec<Value>, Problem> {
    let told = |problem: Problem, place: &str| Problem { detail: format!("`{name}`, {place}{}", problem.detail), ..problem };
    let objects = parse_documents(text).map_err(|problem| told(problem, ""))?;
    let objects =
        objects.into_iter().map(|written| match validation::object(&written.object).into_iter().find(|problem| !problem.warning) {
            Some(problem) => {
                let whose = name_of(&written.object).map(|name| format!(", `{name}`")).unwrap_or_default();
                Err(told(problem, &format!("{}{whose}: ", written.place())))
            }
            None => Ok(veiled(&written.object)),
        });
    objects.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Clusters;
    use serde_json::{Value as Json, json};
    use std::path::Path;

    const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: NAME }\n";

    fn config(name: &str) -> String {
        CONFIG.replace("NAME", name)
    }

    async fn asked(directory: &Path, arguments: Json) -> Answer {
        let clusters = Clusters::new(Vec::new());
        ManifestSource::new(directory.to_owned()).read(&Value::from_json(&arguments), Source { place: None, clusters: &clusters }).await
    }

    async fn found(directory: &Path, arguments: Json) -> (Json, Vec<String>) {
        let Answer::Present(value) = asked(directory, arguments.clone()).await else { panic!("{arguments} was not read") };
        let value = value.to_json().expect("known");
        let names = value["objects"].as_array().expect("objects").iter().map(|object| object["metadata"]["name"].to_string());
        (value["files"].clone(), names.map(|name| name.trim_matches('"').to_owned()).collect())
    }

    async fn refused(directory: &Path, arguments: Json) -> String {
        match asked(directory, arguments).await {
            Answer::Refused(problem) => problem.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// A directory with manifests at two levels, and a file that holds none.
    fn rules() -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        let below = directory.path().join("rules/below");
        std::fs::create_dir_all(&below).expect("a directory");
        let files = [
            ("rules/b.yml", format!("{}---\n{}", config("b1"), config("b2"))),
            ("rules/a.yaml", config("a")),
            ("rules/c.json", json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" } }).to_string()),
            ("rules/README.md", "kind: [".to_owned()),
            ("rules/below/d.yaml", config("d")),
        ];
        for (path, text) in files {
            std::fs::write(directory.path().join(path), text).expect("a file");
        }
        directory
    }

    #[tokio::test]
    async fn a_directory_is_read_in_order_of_names() {
        let rules = rules();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let flat = found(rules.path(), json!({ "path": "rules" })).await;
        assert_eq!(flat, (json!(["a.yaml", "b.yml", "c.json"]), names(&["a", "b1", "b2", "c"])));
        let deep = found(rules.path(), json!({ "path": rules.path().join("rules"), "recursive": true })).await;
        assert_eq!(deep, (json!(["a.yaml", "b.yml", "below/d.yaml", "c.json"]), names(&["a", "b1", "b2", "d", "c"])));
        let file = found(rules.path(), json!({ "path": "rules/b.yml" })).await;
        assert_eq!(file, (json!(["b.yml"]), names(&["b1", "b2"])));
    }

    #[tokio::test]
    async fn problems_name_file_document_and_line() {
        let rules = rules();
        let write = |path: &str, text: &str| std::fs::write(rules.path().join(path), text).expect("a file");
        for (text, told) in [
            ("a: 1\na: 2\n", "invalid YAML: `bad.yaml`, document 1, line 2, column 1: "),
            ("---\n# one\n---\nkind: ConfigMap\n", "incomplete object: `bad.yaml`, document 2, line 3: `apiVersion` is missing"),
            ("--- 7\n", "incomplete object: `bad.yaml`, document 1, line 1: an object with "),
        ] {
            write("rules/bad.yaml", text);
            let problem = refused(rules.path(), json!({ "path": "rules" })).await;
            assert!(problem.starts_with(told), "{problem}");
        }
        write("rules/bad.yaml", &format!("{}---\n{}", config("good"), config("Bad")));
        let problem = refused(rules.path(), json!({ "path": "rules/bad.yaml" })).await;
        assert!(problem.contains("`bad.yaml`, document 2, line 4, `ConfigMap/default/Bad`: `metadata.name` is `Bad`"), "{problem}");
    }

    #[tokio::test]
    async fn what_is_not_there_or_no_manifest_is_told() {
        let rules = rules();
        std::fs::create_dir(rules.path().join("empty")).expect("a directory");
        std::fs::write(rules.path().join("bytes.yaml"), [0xff, 0xfe]).expect("a file");
        for (path, told) in [
            ("missing", "manifests not readable: `missing` does not exist"),
            ("empty", "manifests not readable: `empty` holds no file ending in `.yaml`, `.yml` or `.json`"),
            ("bytes.yaml", "manifests not readable: `bytes.yaml` is not UTF-8 text"),
        ] {
            assert_eq!(refused(rules.path(), json!({ "path": path })).await, told);
        }
    }

    #[tokio::test]
    async fn contents_of_secrets_are_sensitive() {
        let directory = tempfile::tempdir().expect("a directory");
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: s }\nstringData: { k: hunter2 }\n";
        std::fs::write(directory.path().join("s.yaml"), secret).expect("a file");
        let Answer::Present(value) = asked(directory.path(), json!({ "path": "s.yaml" })).await else { panic!("not read") };
        let object = &value.get("objects").expect("objects").items()[0];
        assert!(object.get("stringData").is_some_and(Value::is_marked_sensitive));
        assert!(object.get("metadata").is_some_and(|metadata| !metadata.holds_sensitive()));
    }
}
