//! `docker_image`: an image that is pulled, or made of an archive.

mod effects;

pub(crate) use effects::{create, delete, found, read, update};

use crate::facts::Facts;
use crate::mark;
use crate::planning::Comparable;
use crate::thing::Thing;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};
use serde_json::{Value as Json, json};

/// The kind's name.
pub(crate) const NAME: &str = "docker_image";

/// `docker_image`.
pub(crate) struct ImageKind {
    schema: Schema,
}

impl Default for ImageKind {
    fn default() -> Self {
        let attributes = vec![
            Attribute::required(
                "name",
                Type::String,
                "The image, as `docker pull` takes it: `registry.example/name:tag`, or `name@sha256:…`, which is always the same image; a name alone is its `latest`. An image of that \
                 name which is there already is not pulled; where a registry asks for credentials, pull it by hand before.",
            )
            .replaces(),
            Attribute::optional(
                "archive",
                Type::String,
                "Path of a tar archive of a root file system, plain or compressed, that the image is made of instead (`docker import`). `name` then has a tag.",
            )
            .replaces(),
            Attribute::optional(
                "archive_hash",
                Type::String,
                "A hash of the archive, such as `filesha256(\"root.tar\")`: where it differs, the image is made again.",
            )
            .replaces(),
            Attribute::optional(
                "changes",
                Type::list(Type::String),
                "Instructions for an image of an archive, as in a Dockerfile: `CMD`, `ENTRYPOINT`, `ENV`, `EXPOSE`, `USER`, `VOLUME`, `WORKDIR`.",
            )
            .replaces(),
            Attribute::optional(
                "keep",
                Type::Bool,
                "Whether the image stays when the resource is destroyed or replaced. One that was there before it was made always stays. Several resources may \
                 pull one image: it goes with the last of them, as tags below `meshplan.io/record` tell.",
            )
            .default(Value::bool(false)),
            Attribute::computed("id", Type::String, "The image's id, `sha256:…`. A container that names its image by it is replaced with the image."),
            Attribute::computed("digest", Type::String, "The digest it has at its registry, `sha256:…`; null if it comes from none."),
            Attribute::computed("was_there", Type::Bool, "Whether it was there before the resource was made."),
            crate::planning::engine_attribute(),
        ];
        let doc = "An image at the Docker Engine: pulled by tag or by digest, or made of an archive of a root file system.";
        let schema = Schema { kind: NAME, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema }
    }
}

impl Comparable for ImageKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }
}

impl Thing for ImageKind {
    const NOUN: &'static str = "image";

    fn is_shared(&self, arguments: &Value) -> bool {
        // What an archive makes is another image each time.
        arguments.get("archive").is_none_or(Value::is_null)
    }

    fn problems(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        let is_made = arguments.get("archive").is_some_and(|archive| !archive.is_null());
        if let Some(name) = arguments.text("name") {
            let wrong = match Reference::of(name) {
                None => {
                    Some("a name of an image has small letters, digits, `.`, `_`, `-` and `/`, then `:tag` or `@sha256:` and 64 digits")
                }
                Some(reference) if is_made && reference.tag.is_none() => {
                    Some("an image of an archive gets a name with a tag, such as `box:1`")
                }
                Some(_) => None,
            };
            problems.extend(wrong.map(|wrong| Problem::with("name", "invalid image name", format!("`{name}`: {wrong}"))));
            if Reference::of(name).is_some_and(Reference::is_latest) {
                let detail = format!("`{name}` is what its registry calls `latest` when it is pulled, which is another image some day");
                let help = "Write a tag of a version, or best `name@sha256:` and its digest.";
                problems.push(Problem::with("name", "image not pinned", detail).help(help).warning());
            }
        }
        for name in ["archive_hash", "changes"].into_iter().filter(|name| !is_made && arguments.present(name).is_some()) {
            let detail = format!("`{name}` is about an image of an archive, and there is no `archive`");
            problems.push(Problem::with(name, "missing archive", detail));
        }
        problems
    }
}

/// The tag of a name that has none.
const LATEST: &str = "latest";

/// A name of an image, in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reference<'a> {
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Reads a name; nothing if it is none.
    fn of(name: &'a str) -> Option<Self> {
        let (rest, digest) = match name.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (name, None),
        };
        // A colon before the last slash belongs to the port of a registry.
        let (repository, tag) = match rest.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (rest, None),
        };
        let is_word =
            |text: &str, more: &[u8]| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte));
        let (registry, path) = match repository.split_once('/') {
            Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), path),
            _ => (None, repository),
        };
        let fits = registry.is_none_or(|registry| is_word(registry, b".-:"))
            && path.split('/').all(|part| is_word(part, b"._-") && !part.bytes().any(|byte| byte.is_ascii_uppercase()))
            && tag.is_none_or(|tag| is_word(tag, b"._-"))
            && digest.is_none_or(|digest| digest.strip_prefix("sha256:").is_some_and(|digits| digits.len() == 64 && is_word(digits, b"")));
        fits.then_some(Self { repository, tag, digest })
    }

    /// Whether it leaves it to its registry which image it is.
    fn is_latest(self) -> bool {
        self.digest.is_none() && self.tag.is_none_or(|tag| tag == LATEST)
    }

    /// The same for all names of one image.
    fn canonical(self) -> String {
        let digest = self.digest.map(|digest| format!("@{digest}")).unwrap_or_default();
        let tag = self.tag.or_else(|| digest.is_empty().then_some(LATEST)).filter(|_| digest.is_empty());
        format!("{}{}{digest}", familiar(self.repository), tag.map(|tag| format!(":{tag}")).unwrap_or_default())
    }

    /// A name as the API pulls it: without a tag that means all that there are.
    fn pulled(self, name: &str) -> String {
        let is_whole = self.tag.is_some() || self.digest.is_some();
        if is_whole { name.to_owned() } else { format!("{name}:{LATEST}") }
    }
}

/// The repository of the marks on an image that is pulled under a name.
fn marks(name: &str) -> String {
    mark::repository(&Reference::of(name).map_or_else(|| name.to_owned(), Reference::canonical))
}

/// A repository as the Engine writes it: without the registry and the directory that are meant where none is named.
fn familiar(repository: &str) -> &str {
    let repository = ["docker.io/", "index.docker.io/"].iter().find_map(|registry| repository.strip_prefix(registry)).unwrap_or(repository);
    repository.strip_prefix("library/").unwrap_or(repository)
}

/// The image as `GET /images/NAME/json` tells.
fn facts(image: &Json, name: &str) -> Facts {
    let id = image.get("Id").and_then(Json::as_str).unwrap_or_default();
    let digests = image.get("RepoDigests").and_then(Json::as_array);
    let digests = digests.into_iter().flatten().filter_map(|digest| digest.as_str()?.split_once('@'));
    // An image that several repositories have, or one repository twice, has a digest for each.
    let wanted = Reference::of(name);
    let of_repository = |(repository, _): &(&str, &str)| wanted.is_some_and(|wanted| familiar(repository) == familiar(wanted.repository));
    let digests: Vec<&str> = digests.filter(of_repository).map(|(_, digest)| digest).collect();
    let named = wanted.and_then(|wanted| wanted.digest).filter(|named| digests.contains(named));
    let digest = named.or_else(|| digests.first().copied());
    let parts = json!({ "name": name, "id": id, "digest": digest });
    Facts { id: id.to_owned(), parts: parts.as_object().cloned().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_registry_a_tag_and_a_digest() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        let with_digest = format!("quay.io/a/b@{digest}");
        for (name, expected) in [
            ("box:1", Some(("box", Some("1"), None))),
            ("registry.example:5000/a/box", Some(("registry.example:5000/a/box", None, None))),
            ("localhost/box:v1.2_a-b", Some(("localhost/box", Some("v1.2_a-b"), None))),
            (with_digest.as_str(), Some(("quay.io/a/b", None, Some(digest.as_str())))),
            ("Box:1", None),
            ("box:", None),
            ("a//b:1", None),
            ("box@sha256:12", None),
            ("box:1;rm", None),
        ] {
            let found = Reference::of(name).map(|found| (found.repository, found.tag, found.digest));
            assert_eq!(found, expected, "{name}");
        }
        for (name, same) in [
            ("box", "docker.io/library/box:latest"),
            ("box:1", "library/box:1"),
            (with_digest.as_str(), with_digest.as_str()),
            (&format!("quay.io/a/b:1@{digest}"), with_digest.as_str()),
        ] {
            assert_eq!(marks(name), marks(same), "{name}");
        }
        assert_ne!(marks("box:1"), marks("box:2"));
        for (name, expected) in [("box", "box:latest"), ("box:1", "box:1"), (with_digest.as_str(), with_digest.as_str())] {
            assert_eq!(Reference::of(name).map(|found| found.pulled(name)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn arguments_are_checked() {
        for (arguments, expected) in [
            (json!({ "name": "box:1" }), None),
            (json!({ "name": "box:1", "archive": "a.tar", "changes": ["CMD x"], "archive_hash": "x" }), None),
            (json!({ "name": "box" }), Some("image not pinned")),
            (json!({ "name": "registry.example:5000/box:latest" }), Some("image not pinned")),
            (json!({ "name": "box", "archive": "a.tar" }), Some("invalid image name")),
            (json!({ "name": "BOX:1" }), Some("invalid image name")),
            (json!({ "name": format!("box@sha256:{}", "a".repeat(64)), "archive": "a.tar" }), Some("invalid image name")),
            (json!({ "name": "box:1", "changes": ["CMD x"] }), Some("missing archive")),
            (json!({ "name": "box:1", "archive_hash": "x" }), Some("missing archive")),
        ] {
            let problems = ImageKind::default().problems(&Value::from_json(&arguments));
            assert_eq!(problems.first().map(|problem| problem.summary.as_str()), expected, "{arguments}");
        }
        assert!(ImageKind::default().problems(&Value::object([("name", Value::unknown(Type::String))])).is_empty());
    }

    #[test]
    fn an_image_has_an_id_and_perhaps_a_digest() {
        let image = json!({ "Id": "sha256:1", "RepoDigests": ["quay.io/a/b@sha256:2"] });
        let [one, other] = ["1", "2"].map(|digit| format!("sha256:{}", digit.repeat(64)));
        let several = json!({ "Id": "i", "RepoDigests": [format!("ghcr.io/a/b@{other}"), format!("box@{one}"), format!("box@{other}")] });
        for (name, expected) in [
            ("box:1".to_owned(), Some(&one)),
            ("docker.io/library/box:1".to_owned(), Some(&one)),
            (format!("box@{other}"), Some(&other)),
            ("ghcr.io/a/b:1".to_owned(), Some(&other)),
            ("quay.io/box:1".to_owned(), None),
        ] {
            assert_eq!(facts(&several, &name).parts["digest"], json!(expected), "{name}");
        }
        assert_eq!(
            Json::Object(facts(&image, "quay.io/a/b:1").parts),
            json!({ "name": "quay.io/a/b:1", "id": "sha256:1", "digest": "sha256:2" })
        );
        assert_eq!(facts(&json!({ "Id": "sha256:1" }), "a:1").parts["digest"], Json::Null);
    }
}
