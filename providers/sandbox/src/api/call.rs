//! One request, taken apart.

use crate::object::Json;
use crate::refusal::Refusal;
use axum::body::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, USER_AGENT};
use http::{HeaderMap, Method};
use std::collections::BTreeMap;

/// One request.
pub(crate) struct Call {
    /// The method.
    pub(crate) method: Method,
    /// The path's segments, decoded.
    pub(crate) segments: Vec<String>,
    query: BTreeMap<String, String>,
    headers: HeaderMap,
    prefix: String,
    body: Bytes,
}

/// What stands before the API in the paths that a caller uses, such as `/cluster1`: an extension of its requests.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(pub(crate) String);

impl Call {
    /// Takes a request apart.
    pub(crate) fn new(parts: &http::request::Parts, body: Bytes) -> Self {
        let pairs = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let query = pairs.map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
        });
        Self {
            method: parts.method.clone(),
            segments: parts.uri.path().split('/').filter(|segment| !segment.is_empty()).map(decode).collect(),
            query: query.collect(),
            headers: parts.headers.clone(),
            prefix: parts.extensions.get().map(|Prefix(prefix)| prefix.clone()).unwrap_or_default(),
            body,
        }
    }

    /// A parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// Whether a parameter is `true` or `1`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.query(name), Some("true" | "1"))
    }

    /// A parameter that is a number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let given = self.query(name).filter(|text| !text.is_empty());
        given
            .map(|text| text.parse().map_err(|_| Refusal::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))))
            .transpose()
    }

    fn header(&self, name: &HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What stands before the API in the paths that the caller uses.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What the caller accepts.
    pub(crate) fn accept(&self) -> &str {
        self.header(&ACCEPT)
    }

    /// The type of the body, without parameters.
    pub(crate) fn content(&self) -> &str {
        let content = self.header(&CONTENT_TYPE);
        content.split(';').next().unwrap_or_default().trim()
    }

    /// Who writes: the parameter `fieldManager`, else the first word of the user agent.
    pub(crate) fn manager(&self) -> String {
        if let Some(manager) = self.query("fieldManager").filter(|manager| !manager.is_empty()) {
            return manager.to_owned();
        }
        let agent = self.header(&USER_AGENT);
        let first = agent.split(['/', ' ']).next().unwrap_or_default();
        if first.is_empty() { "unknown".to_owned() } else { first.chars().take(128).collect() }
    }

    /// The body, whatever it is; empty if there is none.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON or YAML; of YAML the first document.
    pub(crate) fn json(&self) -> Result<Json, Refusal> {
        if let Ok(json) = serde_json::from_slice(&self.body) {
            return Ok(json);
        }
        let text = std::str::from_utf8(&self.body).map_err(|_| Refusal::bad_request("the body is no UTF-8"))?;
        serde_saphyr::from_str(text).map_err(|_| Refusal::bad_request("the body is neither JSON nor YAML"))
    }

    /// The body as an object.
    pub(crate) fn object(&self) -> Result<Json, Refusal> {
        let content = self.content();
        if content == "application/vnd.kubernetes.protobuf" {
            return super::protobuf::read(&self.body).map_err(|why| Refusal { message: why, ..Refusal::unsupported(content) });
        }
        if !["", "application/json", "application/yaml", "application/x-www-form-urlencoded"].contains(&content) {
            return Err(Refusal::unsupported(content));
        }
        let object = self.json()?;
        if object.is_object() { Ok(object) } else { Err(Refusal::bad_request("the body is no object")) }
    }
}

/// Replaces `%xx` by the bytes they stand for.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).filter(|_| *first == b'%');
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A call for tests: a method, a path with its query, and a body.
    pub(crate) fn call(method: &str, uri: &str, body: &str) -> Call {
        let request = http::Request::builder().method(method).uri(uri).header(USER_AGENT, "kubectl/v1.32 (linux)").body(());
        let (parts, ()) = request.expect("a request").into_parts();
        Call::new(&parts, Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn a_request_is_taken_apart() {
        let call = call("GET", "/api/v1/namespaces/x?&labelSelector=a%3Db%2Cc&watch=1&limit=5&q=a+b", "");
        assert_eq!(call.segments, ["api", "v1", "namespaces", "x"]);
        assert_eq!((call.query("labelSelector"), call.query("q"), call.flag("watch")), (Some("a=b,c"), Some("a b"), true));
        assert_eq!((call.number("limit"), call.number("none")), (Ok(Some(5)), Ok(None)));
        assert_eq!(call.number("q").map_err(|refusal| refusal.code), Err(400));
        assert_eq!(call.manager(), "kubectl");
    }

    #[test]
    fn bodies_are_json_or_yaml() {
        assert_eq!(call("POST", "/", "{\"a\":1}").object(), Ok(serde_json::json!({ "a": 1 })));
        assert_eq!(call("POST", "/", "a: 1\n").object(), Ok(serde_json::json!({ "a": 1 })));
        assert!(call("POST", "/", "[1]").object().is_err() && call("POST", "/", "").object().is_err());
        assert_eq!(call("POST", "/?fieldManager=meshplan%2Fr-1", "").manager(), "meshplan/r-1");
    }

    #[test]
    fn what_is_no_escape_stays() {
        for (text, decoded) in [("%2Fa", "/a"), ("100%", "100%"), ("%zz", "%zz"), ("%C3%A9", "é")] {
            assert_eq!(decode(text), decoded);
        }
    }
}
