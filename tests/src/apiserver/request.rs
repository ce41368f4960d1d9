//! What a request to an API server is about, from its method and path.

use http::Request;

/// A request that somebody saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it does, in the words of RBAC; `apply` for server-side apply, `discover` for what is not about objects.
    pub verb: &'static str,
    /// The path, with the query.
    pub path: String,
}

impl Seen {
    /// What a request is about.
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let content = request.headers().get("content-type").and_then(|content| content.to_str().ok()).unwrap_or_default();
        Self { verb: verb(request.method().as_str(), &path, content), path }
    }

    /// Whether it is of a pattern: a verb or `*`, and a text that path and query hold.
    pub fn is_of(&self, pattern: &str) -> bool {
        let (verb, text) = pattern.split_once(' ').unwrap_or((pattern, ""));
        (verb == "*" || verb == self.verb) && self.path.contains(text)
    }
}

/// The verb of a method on a path.
fn verb(method: &str, path: &str, content: &str) -> &'static str {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let Some(collection) = is_collection(path) else { return "discover" };
    let watch = query.split('&').any(|part| matches!(part, "watch=true" | "watch=1" | "watch"));
    match (method, collection) {
        ("GET", true) if watch => "watch",
        ("GET", true) => "list",
        ("GET", false) => "get",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) if content.starts_with("application/apply-patch") => "apply",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "deletecollection",
        ("DELETE", false) => "delete",
        _ => "discover",
    }
}

/// Whether a path is of a collection, rather than of one object; nothing if it is of neither.
fn is_collection(path: &str) -> Option<bool> {
    let mut parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let versions = match parts.first() {
        Some(&"api") => 2,
        Some(&"apis") => 3,
        _ => return None,
    };
    if parts.len() <= versions {
        return None;
    }
    let within = parts.split_off(versions);
    // `namespaces/x` is an object, `namespaces/x/pods` a collection.
    let within = if within.first() == Some(&"namespaces") && within.len() > 2 { &within[2..] } else { &within[..] };
    Some(within.len() == 1)
}

/// The reason that API servers give with a code.
pub(super) fn reason(code: u16) -> &'static str {
    match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        for (method, path, expected) in [
            ("GET", "/api/v1/namespaces", "list"),
            ("GET", "/api/v1/namespaces/x", "get"),
            ("GET", "/api/v1/namespaces/x/pods?limit=5", "list"),
            ("GET", "/api/v1/namespaces/x/pods?watch=true&a=b", "watch"),
            ("GET", "/api/v1/namespaces/x/pods/y", "get"),
            ("GET", "/api/v1/namespaces/x/status", "list"),
            ("GET", "/apis/apps/v1/deployments", "list"),
            ("GET", "/apis/apps/v1/namespaces/x/deployments/y/scale", "get"),
            ("GET", "/apis/apps/v1", "discover"),
            ("GET", "/api", "discover"),
            ("GET", "/openapi/v3", "discover"),
            ("GET", "/version", "discover"),
            ("POST", "/api/v1/namespaces/x/pods", "create"),
            ("PUT", "/api/v1/namespaces/x", "update"),
            ("PATCH", "/api/v1/namespaces/x", "patch"),
            ("DELETE", "/api/v1/namespaces/x", "delete"),
            ("DELETE", "/api/v1/namespaces/x/pods", "deletecollection"),
        ] {
            assert_eq!(verb(method, path, "application/json"), expected, "{method} {path}");
        }
        assert_eq!(verb("PATCH", "/api/v1/namespaces/x", "application/apply-patch+yaml"), "apply");
    }

    #[test]
    fn patterns_name_a_verb_and_a_part_of_the_path() {
        let seen = Seen { verb: "list", path: "/api/v1/secrets?limit=500".to_owned() };
        for (pattern, expected) in
            [("list /secrets", true), ("* /secrets", true), ("list", true), ("*", true), ("get /secrets", false), ("list /pods", false)]
        {
            assert_eq!(seen.is_of(pattern), expected, "{pattern}");
        }
    }
}
