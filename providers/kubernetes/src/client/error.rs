//! Why a call did not succeed, and what that says about the world.

use crate::object_kind::Json;
use std::fmt;
use std::time::Duration;

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CallError {
    /// The HTTP status; nothing if no answer came.
    pub(crate) status: Option<u16>,
    /// The server's word for it, such as `AlreadyExists`.
    pub(crate) reason: String,
    /// The server's sentence, or what kept the call from it.
    pub(crate) message: String,
    /// Fields and what is wrong with each.
    pub(crate) causes: Vec<(String, String)>,
    /// What is known of the request without an answer.
    pub(crate) lost: Lost,
    /// How long the server asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
    /// What was tried before, as a fragment; empty if this was the only try.
    pub(crate) tried: String,
}

/// What is known of a request that was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lost {
    /// It may have been done.
    #[default]
    Unknown,
    /// It never left.
    Unsent,
    /// It never left, nor would it if it were tried again: a wrong certificate, an unknown host, no credentials.
    Hopeless,
    /// Nothing came in time.
    Late,
}

/// What servers say of a field that never changes in place; the last is a definition's own rule.
const IMMUTABLE: [&str; 7] = [
    "immutable",
    "pod updates may not change",
    "updates to ",
    "may not be changed in an update",
    "may not change once set",
    "cannot change roleRef",
    "failed rule: self == oldSelf",
];

impl CallError {
    /// Whether it says nothing about the object: no answer, wrong credentials, a server that is not well.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self.status, None | Some(401 | 429 | 500..=599)) && !self.is_webhook() && !self.is_untyped()
    }

    /// Whether an apply does not fit its kind, which API servers tell as a failure of their own.
    pub(crate) fn is_untyped(&self) -> bool {
        self.status == Some(500) && self.message.starts_with("failed to create typed patch object")
    }

    /// Whether an admission webhook could not be asked.
    pub(crate) fn is_webhook(&self) -> bool {
        self.status == Some(500) && self.message.contains("failed calling webhook")
    }

    /// Whether something that the object needs is not there, and may come: its definition, namespace, service account or priority class.
    pub(crate) fn is_early(&self) -> bool {
        match self.status {
            Some(404) => self.reason == "NoKindMatch" || self.message.starts_with("namespaces \""),
            Some(403) => {
                ["error looking up service account", "no PriorityClass with name"].iter().any(|words| self.message.contains(words))
            }
            _ => false,
        }
    }

    /// Whether all that is refused are changes of fields that never change in place.
    pub(crate) fn is_immutable(&self) -> bool {
        let says_so = |(_, message): &(String, String)| IMMUTABLE.iter().any(|words| message.contains(words));
        self.status == Some(422) && !self.causes.is_empty() && self.causes.iter().all(says_so)
    }

    /// Whether a webhook was asked and said no, for a reason other than that it was a dry run.
    pub(crate) fn is_denied(&self) -> bool {
        self.message.contains("denied the request") && !self.is_about_dry_runs()
    }

    /// Whether dry runs are not possible, whatever is in them.
    pub(crate) fn is_about_dry_runs(&self) -> bool {
        let message = self.message.to_lowercase();
        ["dry run", "dry-run", "dryrun"].iter().any(|words| message.contains(words))
    }

    /// Whether the user may not do this at all, whatever is in the object.
    pub(crate) fn is_unauthorised(&self) -> bool {
        self.status == Some(403) && self.message.contains(" cannot ")
    }

    /// Whether the same call may succeed soon although nobody does anything about it.
    pub(crate) fn is_passing(&self) -> bool {
        match self.status {
            None => matches!(self.lost, Lost::Unknown | Lost::Unsent),
            // A server that gave up against other writers; not the conflict of field managers, which has causes.
            Some(409) => self.causes.is_empty() && self.message.contains("the object has been modified"),
            Some(429 | 502..=504) => true,
            Some(500) => !self.is_webhook() && !self.is_untyped(),
            _ => false,
        }
    }

    /// Whether the server has done nothing of what it was asked.
    pub(crate) fn is_untouched(&self) -> bool {
        match self.status {
            None => matches!(self.lost, Lost::Unsent | Lost::Hopeless),
            // What gives up on its store or on a server behind it does not know what that did.
            Some(status) => !matches!(status, 500 | 502 | 504) || self.is_untyped(),
        }
    }

    /// A call that no answer came to.
    pub(crate) fn unanswered(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// What a server that refuses says.
    pub(super) fn refused(status: u16, body: &Json) -> Self {
        let text = |value: &Json, key: &str| value.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let causes = body.pointer("/details/causes").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        Self {
            status: Some(status),
            reason: text(body, "reason"),
            message: text(body, "message"),
            causes: causes.iter().map(|cause| (text(cause, "field"), text(cause, "message"))).collect(),
            retry_after: body.pointer("/details/retryAfterSeconds").and_then(Json::as_u64).map(Duration::from_secs),
            ..Self::default()
        }
    }
}

/// One fragment, with what to do about it where that is not the server's to say.
impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(401) => f.write_str(
                "the API server does not accept the credentials (401): the token or client certificate is wrong or has expired; log in again",
            )?,
            Some(403) if self.message.contains("cannot ") => write!(f, "{} (403); a role that allows it has to be bound to that user", self.message)?,
            Some(status) if self.message.is_empty() => write!(f, "the API server answers {status}")?,
            Some(status) => write!(f, "{} ({status})", self.message)?,
            None => f.write_str(&self.message)?,
        }
        if self.tried.is_empty() { Ok(()) } else { write!(f, "; {}", self.tried) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_says_what_the_server_says() {
        let body = json!({ "kind": "Status", "reason": "Conflict", "message": "Apply failed with 1 conflict", "details": { "retryAfterSeconds": 3,
            "causes": [{ "reason": "FieldManagerConflict", "message": "conflict with \"hpa\"", "field": ".spec.replicas" }] } });
        let error = CallError::refused(409, &body);
        assert_eq!(error.causes, [(".spec.replicas".to_owned(), "conflict with \"hpa\"".to_owned())]);
        assert_eq!(error.retry_after, Some(Duration::from_secs(3)));
        assert_eq!(error.to_string(), "Apply failed with 1 conflict (409)");
    }

    #[test]
    fn what_is_forbidden_is_named_with_verb_resource_and_user() {
        let message = "secrets \"a\" is forbidden: User \"ann\" cannot get resource \"secrets\" in API group \"\" in the namespace \"n\"";
        let error = CallError { status: Some(403), message: message.into(), ..CallError::default() };
        assert_eq!(error.to_string(), format!("{message} (403); a role that allows it has to be bound to that user"));
        // An admission plugin forbids too, and no role helps.
        let quota = CallError { status: Some(403), message: "exceeded quota: q".into(), ..CallError::default() };
        assert_eq!(quota.to_string(), "exceeded quota: q (403)");
    }

    #[test]
    fn errors_tell_what_they_say_about_the_world() {
        let answered = |status, message: &str| CallError { status: Some(status), message: message.into(), ..CallError::default() };
        let lost = |lost| CallError { lost, ..CallError::default() };
        let conflict =
            CallError { causes: vec![(".a".into(), "conflict with \"b\"".into())], ..answered(409, "the object has been modified") };
        // Each: whether the world stays unknown, whether it passes, whether nothing was done.
        for (error, unreachable, passing, untouched) in [
            (lost(Lost::Unknown), true, true, false),
            (lost(Lost::Unsent), true, true, true),
            (lost(Lost::Hopeless), true, false, true),
            (lost(Lost::Late), true, false, false),
            (answered(401, ""), true, false, true),
            (answered(403, ""), false, false, true),
            (answered(404, ""), false, false, true),
            (answered(409, "Operation cannot be fulfilled: the object has been modified"), false, true, true),
            (conflict, false, false, true),
            (answered(429, ""), true, true, true),
            (answered(500, "etcdserver: leader changed"), true, true, false),
            (answered(500, "Internal error occurred: failed calling webhook \"v.istio.io\""), false, false, false),
            (
                answered(500, "failed to create typed patch object (/d; apps/v1, Kind=Deployment): .spec.x: field not declared in schema"),
                false,
                false,
                true,
            ),
            (answered(503, ""), true, true, true),
            (answered(504, ""), true, true, false),
        ] {
            let told = (error.is_unreachable(), error.is_passing(), error.is_untouched());
            assert_eq!(told, (unreachable, passing, untouched), "{error:?}");
        }
    }
}
