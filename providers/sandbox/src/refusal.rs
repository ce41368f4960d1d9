//! Errors as the API server answers them: `Status` objects.

use crate::object::Json;
use serde_json::json;

/// An error answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) code: u16,
    /// The machine's word for it, such as `NotFound`.
    pub(crate) reason: &'static str,
    /// The sentence for people.
    pub(crate) message: String,
    /// What it is about: `name`, `group`, `kind`, `uid`, `causes`.
    pub(crate) details: Json,
    /// Where a list goes on all the same; empty elsewhere.
    pub(crate) rest: String,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    /// The API group; empty for the core group.
    pub(crate) group: &'a str,
    /// The plural, such as `deployments`; in errors of validation the kind.
    pub(crate) kind: &'a str,
    /// The object's name.
    pub(crate) name: &'a str,
}

impl About<'_> {
    fn qualified(&self) -> String {
        if self.group.is_empty() { self.kind.to_owned() } else { format!("{}.{}", self.kind, self.group) }
    }

    fn details(&self) -> Json {
        let mut details = json!({});
        if !self.kind.is_empty() {
            details["kind"] = self.kind.into();
        }
        if !self.name.is_empty() {
            details["name"] = self.name.into();
        }
        if !self.group.is_empty() {
            details["group"] = self.group.into();
        }
        details
    }
}

impl Refusal {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: Json::Null, rest: String::new() }
    }

    /// There is no such object.
    pub(crate) fn not_found(about: About<'_>) -> Self {
        let message = format!("{} \"{}\" not found", about.qualified(), about.name);
        Self { details: about.details(), ..Self::new(404, "NotFound", message) }
    }

    /// There is no such path: an unknown group, version or resource.
    pub(crate) fn no_such_path() -> Self {
        Self { details: json!({}), ..Self::new(404, "NotFound", "the server could not find the requested resource") }
    }

    /// No server is behind the path: a group or version that is not there. It is told in plain text.
    pub(crate) fn no_such_page() -> Self {
        Self::new(404, "", "404 page not found\n")
    }

    /// There is such an object already.
    pub(crate) fn already_exists(about: About<'_>) -> Self {
        let message = format!("{} \"{}\" already exists", about.qualified(), about.name);
        Self { details: about.details(), ..Self::new(409, "AlreadyExists", message) }
    }

    /// The object is not what the caller thinks it is.
    pub(crate) fn conflict(about: About<'_>, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{}\": {why}", about.qualified(), about.name);
        Self { details: about.details(), ..Self::new(409, "Conflict", message) }
    }

    /// Other managers own fields that an apply would change.
    pub(crate) fn managers(message: String, causes: &[Json]) -> Self {
        Self { details: json!({ "causes": causes }), ..Self::new(409, "Conflict", message) }
    }

    /// Fields have values that the kind does not allow. `about.kind` is the kind, each cause a field and a sentence.
    pub(crate) fn invalid(about: About<'_>, causes: &[(String, String)]) -> Self {
        let mut lines: Vec<_> = causes.iter().map(|(field, message)| format!("{field}: {message}")).collect();
        lines.dedup();
        let listed = if lines.len() == 1 { lines.concat() } else { format!("[{}]", lines.join(", ")) };
        let message = format!("{} \"{}\" is invalid: {listed}", about.qualified(), about.name);
        let mut details = about.details();
        let causes = causes.iter().map(|(field, message)| json!({ "reason": cause(message), "message": message, "field": field }));
        details["causes"] = causes.collect();
        Self { details, ..Self::new(422, "Invalid", message) }
    }

    /// The request itself is wrong.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// The namespace is being deleted.
    pub(crate) fn terminating(about: About<'_>, namespace: &str) -> Self {
        let message = format!(
            "{} \"{}\" is forbidden: unable to create new content in namespace {namespace} because it is being terminated",
            about.qualified(),
            about.name
        );
        let mut details = about.details();
        let cause = json!({ "reason": "NamespaceTerminating", "message": format!("namespace {namespace} is being terminated"), "field": "metadata.namespace" });
        details["causes"] = json!([cause]);
        Self { details, ..Self::new(403, "Forbidden", message) }
    }

    /// The object may not be deleted.
    pub(crate) fn forbidden(about: About<'_>, why: &str) -> Self {
        let message = format!("{} \"{}\" is forbidden: {why}", about.qualified(), about.name);
        Self { details: about.details(), ..Self::new(403, "Forbidden", message) }
    }

    /// The version that is asked for is forgotten.
    pub(crate) fn expired() -> Self {
        Self::new(410, "Expired", "The resourceVersion for the provided list is too old.")
    }

    /// The version that a watch wants to go on from is forgotten, as all are up to the other.
    pub(crate) fn missed(version: u64, forgotten: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {version} ({forgotten})"))
    }

    /// The version that a list began with is forgotten. `rest` goes on with what is there now.
    pub(crate) fn outlived(rest: String) -> Self {
        let message = "This list began at a version that is forgotten: begin again, or take the token of this answer, which goes on with what is there now";
        Self { rest, ..Self::new(410, "Expired", message) }
    }

    /// The body is of a type that the server cannot take.
    pub(crate) fn unsupported(content: &str) -> Self {
        let message = format!("the body of the request was in an unknown format - {content} is not accepted here");
        Self { details: json!({}), ..Self::new(415, "UnsupportedMediaType", message) }
    }

    /// The method does not fit the path.
    pub(crate) fn method() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self { details: json!({}), ..Self::new(405, "MethodNotAllowed", message) }
    }

    /// The same of a defined kind. `verb` is the API's word.
    pub(crate) fn verb(about: About<'_>, verb: &str) -> Self {
        let message = format!("{verb} is not supported on resources of kind \"{}\"", about.qualified());
        Self { details: about.details(), message, ..Self::method() }
    }

    /// The credentials do not count here.
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// The store behind the server cannot be used.
    pub(crate) fn unavailable(why: &str) -> Self {
        Self::new(503, "ServiceUnavailable", format!("the sandbox cluster is not available: {why}"))
    }

    /// An object cannot be read as its kind once the patch is in it.
    pub(crate) fn unreadable(object: &Json, why: &str) -> Self {
        let cause = ("patch".to_owned(), format!("Invalid value: {:?}: {why}", object.to_string()));
        Self::invalid(About { group: "", kind: "", name: "" }, &[cause])
    }

    /// The options of a request are none: `kind` is theirs, such as `DeleteOptions`.
    pub(crate) fn options(kind: &str, field: &str, why: &str) -> Self {
        Self::invalid(About { group: "meta.k8s.io", kind, name: "" }, &[(field.to_owned(), why.to_owned())])
    }

    /// A JSON patch does not fit the object.
    pub(crate) fn unfit() -> Self {
        Self { details: json!({}), ..Self::new(422, "Invalid", "the server rejected our request due to an error in our request") }
    }

    /// What is applied is not of its type. `name` has the namespace that the body names, `api_version` its slash also in the core group.
    /// The server takes that for a failure of its own.
    pub(crate) fn untyped(name: &str, api_version: &str, kind: &str, why: &str) -> Self {
        Self::new(500, "", format!("failed to create typed patch object ({name}; {api_version}, Kind={kind}): {why}"))
    }

    /// Whether it is told as a page of text.
    pub(crate) fn is_page(&self) -> bool {
        self.code == 404 && self.reason.is_empty()
    }

    /// The answer's body.
    pub(crate) fn status(&self) -> Json {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.rest.is_empty() {
            status["metadata"]["continue"] = self.rest.as_str().into();
        }
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }
}

/// The machine's word for what is wrong with a field, by how its sentence begins.
fn cause(message: &str) -> &'static str {
    const WORDS: &[(&str, &str)] = &[
        ("Required value", "FieldValueRequired"),
        ("Forbidden", "FieldValueForbidden"),
        ("Unsupported value", "FieldValueNotSupported"),
        ("Duplicate value", "FieldValueDuplicate"),
        ("Not found", "FieldValueNotFound"),
        ("Too long", "FieldValueTooLong"),
        ("Too many", "FieldValueTooMany"),
    ];
    if message.contains(" in body must be of type ") {
        return "FieldValueTypeInvalid";
    }
    WORDS.iter().find(|(start, _)| message.starts_with(start)).map_or("FieldValueInvalid", |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPLOYMENT: About<'static> = About { group: "apps", kind: "deployments", name: "web" };

    #[test]
    fn refusals_read_as_the_real_server_s() {
        let rows = [
            (Refusal::not_found(DEPLOYMENT), 404, "deployments.apps \"web\" not found"),
            (Refusal::already_exists(About { group: "", kind: "secrets", name: "s" }), 409, "secrets \"s\" already exists"),
            (
                Refusal::conflict(DEPLOYMENT, "the object has been modified"),
                409,
                "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified",
            ),
            (
                Refusal::invalid(
                    About { group: "apps", kind: "Deployment", name: "web" },
                    &[("spec.selector".into(), "field is immutable".into())],
                ),
                422,
                "Deployment.apps \"web\" is invalid: spec.selector: field is immutable",
            ),
            (Refusal::no_such_path(), 404, "the server could not find the requested resource"),
        ];
        for (refusal, code, message) in rows {
            assert_eq!((refusal.code, refusal.message.as_str()), (code, message));
            let status = refusal.status();
            assert_eq!((&status["kind"], &status["code"]), (&json!("Status"), &json!(code)));
        }
    }

    #[test]
    fn causes_name_their_fields() {
        let refusal = Refusal::invalid(
            About { group: "", kind: "Secret", name: "s" },
            &[("type".into(), "field is immutable".into()), ("data".into(), "too long".into())],
        );
        assert_eq!(refusal.message, "Secret \"s\" is invalid: [type: field is immutable, data: too long]");
        assert_eq!(refusal.details["causes"][1]["field"], json!("data"));
    }
}
