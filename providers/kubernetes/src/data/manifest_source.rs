//! `kubernetes_manifest_source`: manifests from a file, a directory or the web.

mod cache;
mod files;
mod web;

use self::cache::Cache;
use self::web::Missing;

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
    cache: Cache,
}

/// A text of manifests, under the name that people know it by.
struct Text {
    name: String,
    text: String,
}

impl ManifestSource {
    /// The data source: paths are relative to the first directory, the second one, if any, keeps what was
    /// downloaded.
    pub fn new(directory: PathBuf, downloads: Option<PathBuf>) -> Self {
        let path = "A file, or a directory whose files ending in `.yaml`, `.yml` or `.json` are read in the order of their names, as \
                    `kubectl apply -f` does. Relative to the working directory.";
        let recursive = "Whether directories within the directory are read too, as `kubectl apply -R` does.";
        let url = "A file on the web, instead of `path`; `http` or `https`, redirects are followed. It is downloaded once and kept in \
                   `$XDG_CACHE_HOME/meshplan/downloads` (without it `~/.cache`), so that it is there without the web.";
        let sha256 = "The SHA-256 of the file at `url`, as 64 hexadecimal digits. Needed with `url`; another file there is an error.";
        let files = "What was read, as paths below `path`; the file's name if `path` is a file, the URL without its query if there is one.";
        let objects = "The objects in the order in which they stand there, `List`s taken apart. A Secret's contents are sensitive.";
        let attributes = vec![
            Attribute::optional("path", Type::String, path),
            Attribute::optional("recursive", Type::Bool, recursive).default(Value::bool(false)),
            Attribute::optional("url", Type::String, url),
            Attribute::optional("sha256", Type::String, sha256),
            Attribute::computed("files", Type::list(Type::String), files),
            Attribute::computed("objects", Type::Any, objects),
        ];
        let doc = "Manifests from a file, a directory or the web, for `objects` of `kubernetes_manifests`. They are read while planning and frozen \
                   in the plan.";
        let kind = "kubernetes_manifest_source";
        let schema = Schema { kind, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema, directory, cache: Cache::new(downloads) }
    }

    async fn texts(&self, arguments: &Value) -> Result<Vec<Text>, Missing> {
        if let Some(problem) = self.validate(arguments).into_iter().next() {
            return Err(Missing::Wrong(problem));
        }
        let text = |name| arguments.text(name).unwrap_or_default();
        if arguments.present("url").is_some() {
            let url = web::url(text("url")).map_err(Missing::Wrong)?;
            return Ok(vec![web::read(&url, text("sha256"), &self.cache).await?]);
        }
        let recursive = arguments.get("recursive").and_then(Value::as_bool) == Some(true);
        files::read(&self.directory, text("path"), recursive).map_err(Missing::Wrong)
    }
}

impl DataSource for ManifestSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let wrong = |attribute, detail: &str| vec![Problem::with(attribute, "invalid source", detail)];
        let given = ["path", "url", "sha256"].map(|name| arguments.present(name));
        // What is not known yet may turn out to be null.
        let is_open = given.iter().flatten().any(|value| !value.is_known());
        match given.map(|value| value.is_some_and(Value::is_known)) {
            [true, true, _] => wrong("url", "`path` and `url` are both given; manifests come from one of them"),
            _ if is_open => Vec::new(),
            [false, false, _] => wrong("path", "one of `path` and `url` has to say where the manifests are"),
            [true, _, true] => wrong("sha256", "`sha256` pins the file at `url`; a file at `path` has no use for it"),
            [_, true, false] => {
                let detail = "`url` needs `sha256`, so that the plan holds what you looked at and nothing else";
                let help = "download the file, look at it, and give what `sha256sum` prints for it";
                vec![Problem::with("sha256", "invalid source", detail).help(help)]
            }
            _ => {
                let url = arguments.text("url").and_then(|url| web::url(url).err());
                url.into_iter().chain(arguments.text("sha256").and_then(web::digest_problem)).collect()
            }
        }
    }

    fn read<'a>(&'a self, arguments: &'a Value, _: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let texts = self.texts(arguments).await;
            match texts.and_then(|texts| attributes(arguments, &texts).map_err(Missing::Wrong)) {
                Ok(attributes) => Answer::Present(attributes),
                Err(Missing::Unreachable(why)) => Answer::Unreachable(why.into()),
                Err(Missing::Wrong(Problem { summary, detail, help, .. })) => {
                    Answer::Refused(Diagnostic { help, ..Diagnostic::error(summary, detail) })
                }
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
    Ok(arguments.with_entries([("files", Value::new(Data::Sequence(Arc::new(files)))), ("objects", Value::tuple(objects))]))
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
    use crate::client::web::{Web, answer};
    use serde_json::{Value as Json, json};
    use std::path::Path;

    const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: NAME }\n";

    fn config(name: &str) -> String {
        CONFIG.replace("NAME", name)
    }

    async fn asked(directory: &Path, arguments: Json) -> Answer {
        let clusters = Clusters::new(Vec::new());
        let source = ManifestSource::new(directory.to_owned(), Some(directory.join("downloads")));
        source.read(&Value::from_json(&arguments), Source { place: None, clusters: &clusters }).await
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

    #[test]
    fn what_is_not_known_yet_may_be_left_out() {
        let source = ManifestSource::new(PathBuf::new(), None);
        let (unknown, text) = (|| Value::unknown(Type::String), || Value::string("a"));
        for (path, url, sha256, problems) in [
            (unknown(), unknown(), unknown(), 0),
            (text(), unknown(), unknown(), 0),
            (text(), text(), unknown(), 1),
            (Value::null(), text(), unknown(), 0),
            (Value::null(), Value::null(), Value::null(), 1),
        ] {
            let arguments = Value::object([("path", path), ("url", url), ("sha256", sha256)]);
            assert_eq!(source.validate(&arguments).len(), problems, "{arguments:?}");
        }
    }

    #[tokio::test]
    async fn a_source_is_a_path_or_a_pinned_url() {
        let directory = tempfile::tempdir().expect("a directory");
        let digest = "0".repeat(64);
        for (arguments, told) in [
            (json!({}), "one of `path` and `url`"),
            (json!({ "path": "a", "url": "https://example.com" }), "`path` and `url` are both given"),
            (json!({ "path": "a", "sha256": digest }), "`sha256` pins the file at `url`"),
            (json!({ "url": "https://example.com/a" }), "`url` needs `sha256`"),
            (json!({ "url": "a/b.yaml", "sha256": digest }), "`url` "),
            (json!({ "url": "https://example.com/a", "sha256": "1" }), "`sha256` is `1`"),
        ] {
            let problem = refused(directory.path(), arguments).await;
            assert!(problem.contains(told), "{problem}");
        }
        let unknown = Value::object([("url", Value::unknown(Type::String)), ("sha256", Value::unknown(Type::String))]);
        assert_eq!(ManifestSource::new(PathBuf::new(), None).validate(&unknown), []);
    }

    #[tokio::test]
    async fn manifests_of_the_web_are_told_by_their_url() {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let directory = tempfile::tempdir().expect("a directory");
        let web = Web::answering(vec![answer("200 OK", "", &config("a"))]).await;
        let arguments = json!({ "url": format!("{}/a.yaml?t=1", web.address), "sha256": cache::digest(config("a").as_bytes()) });
        let (files, names) = found(directory.path(), arguments).await;
        assert_eq!((files, names), (json!([format!("{}/a.yaml", web.address)]), vec!["a".to_owned()]));
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
