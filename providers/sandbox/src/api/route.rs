//! What a path is about.

use crate::refusal::Refusal;

/// What a path is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// `/healthz`, `/livez`, `/readyz`.
    Health,
    /// `/version`.
    Version,
    /// `/openapi/…`: what follows.
    OpenApi(Vec<String>),
    /// `/sandbox/audit`: how often what was made.
    Audit,
    /// Groups, versions and resources.
    Discovery(Group),
    /// Reviews of tokens and permissions, by the plural of their kind.
    Review(&'static str),
    /// Objects.
    Objects(Place),
}

/// What discovery is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Group {
    /// `/api`.
    Core,
    /// `/apis`.
    All,
    /// `/apis/<group>`.
    Named(String),
    /// `/api/v1` or `/apis/<group>/<version>`.
    Version(String, String),
}

/// Objects of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Empty for the core group.
    pub(crate) group: String,
    /// The version.
    pub(crate) version: String,
    /// The resource.
    pub(crate) plural: String,
    /// Nothing for all namespaces, or what no namespace holds.
    pub(crate) namespace: Option<String>,
    /// Empty for all objects.
    pub(crate) name: String,
    /// The part that is meant.
    pub(crate) subresource: Subresource,
}

/// A part of an object with a path of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subresource {
    /// The object itself.
    None,
    /// Its status.
    Status,
    /// Its replicas.
    Scale,
    /// A namespace's own finalizers.
    Finalize,
    /// A token of a service account.
    Token,
    /// One that no kind has.
    Unknown,
}

const REVIEWS: &[&str] = &[
    "tokenreviews",
    "subjectaccessreviews",
    "selfsubjectaccessreviews",
    "localsubjectaccessreviews",
    "selfsubjectrulesreviews",
    "selfsubjectreviews",
];

/// What a path is about; an error if nothing is there.
pub(crate) fn route(segments: &[String]) -> Result<Target, Refusal> {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["healthz" | "livez" | "readyz", ..] => Ok(Target::Health),
        ["version"] => Ok(Target::Version),
        ["openapi", rest @ ..] => Ok(Target::OpenApi(rest.iter().map(|&segment| segment.to_owned()).collect())),
        ["sandbox", "audit"] => Ok(Target::Audit),
        ["api"] => Ok(Target::Discovery(Group::Core)),
        ["apis"] => Ok(Target::Discovery(Group::All)),
        ["apis", group] => Ok(Target::Discovery(Group::Named((*group).to_owned()))),
        ["api", version, rest @ ..] => within("", version, rest),
        ["apis", group, version, rest @ ..] => within(group, version, rest),
        _ => Err(Refusal::no_such_page()),
    }
}

fn within(group: &str, version: &str, rest: &[&str]) -> Result<Target, Refusal> {
    let subresource = |name: Option<&&str>| match name.copied() {
        None => Subresource::None,
        Some("status") => Subresource::Status,
        Some("scale") => Subresource::Scale,
        Some("finalize") => Subresource::Finalize,
        Some("token") => Subresource::Token,
        Some(_) => Subresource::Unknown,
    };
    let (namespace, rest) = match rest {
        [] => return Ok(Target::Discovery(Group::Version(group.to_owned(), version.to_owned()))),
        ["namespaces", _, "status" | "finalize"] if group.is_empty() => (None, rest),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
        rest => (None, rest),
    };
    let (Some(plural), true) = (rest.first(), rest.len() <= 3) else { return Err(Refusal::no_such_path()) };
    if let Some(review) = REVIEWS.iter().find(|review| *review == plural).filter(|_| group.starts_with("auth")) {
        return Ok(Target::Review(review));
    }
    let name = rest.get(1).copied().unwrap_or_default().to_owned();
    let subresource = subresource(rest.get(2));
    Ok(Target::Objects(Place {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: (*plural).to_owned(),
        namespace,
        name,
        subresource,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Result<Target, u16> {
        let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        route(&segments).map_err(|refusal| refusal.code)
    }

    fn place(group: &str, plural: &str, namespace: Option<&str>, name: &str, subresource: Subresource) -> Target {
        let (group, version) = (group.to_owned(), "v1".to_owned());
        Target::Objects(Place {
            group,
            version,
            plural: plural.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            subresource,
        })
    }

    #[test]
    fn objects_have_paths() {
        for (path, target) in [
            ("/api/v1/namespaces", place("", "namespaces", None, "", Subresource::None)),
            ("/api/v1/namespaces/x", place("", "namespaces", None, "x", Subresource::None)),
            ("/api/v1/namespaces/x/status", place("", "namespaces", None, "x", Subresource::Status)),
            ("/api/v1/namespaces/x/finalize", place("", "namespaces", None, "x", Subresource::Finalize)),
            ("/api/v1/namespaces/x/pods", place("", "pods", Some("x"), "", Subresource::None)),
            ("/api/v1/namespaces/x/pods/p/status", place("", "pods", Some("x"), "p", Subresource::Status)),
            ("/api/v1/namespaces/x/pods/p/exec", place("", "pods", Some("x"), "p", Subresource::Unknown)),
            ("/api/v1/pods", place("", "pods", None, "", Subresource::None)),
            ("/apis/apps/v1/namespaces/x/deployments/d/scale", place("apps", "deployments", Some("x"), "d", Subresource::Scale)),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/c",
                place("rbac.authorization.k8s.io", "clusterroles", None, "c", Subresource::None),
            ),
        ] {
            assert_eq!(at(path), Ok(target), "{path}");
        }
    }

    #[test]
    fn so_have_the_rest() {
        for (path, target) in [
            ("/readyz", Ok(Target::Health)),
            ("/version", Ok(Target::Version)),
            ("/api", Ok(Target::Discovery(Group::Core))),
            ("/apis/", Ok(Target::Discovery(Group::All))),
            ("/apis/apps/v1", Ok(Target::Discovery(Group::Version("apps".into(), "v1".into())))),
            ("/api/v1", Ok(Target::Discovery(Group::Version(String::new(), "v1".into())))),
            ("/apis/authentication.k8s.io/v1/tokenreviews", Ok(Target::Review("tokenreviews"))),
            ("/sandbox/audit", Ok(Target::Audit)),
            ("/", Err(404)),
            ("/nothing", Err(404)),
            ("/api/v1/namespaces/x/pods/p/status/more", Err(404)),
        ] {
            assert_eq!(at(path), target, "{path}");
        }
    }
}
