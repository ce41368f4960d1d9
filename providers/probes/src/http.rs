//! `data.http_probe`: what a server answers to one request.

mod exchange;

use crate::arguments::{limit, timeout_problem};
use engine::question::Answer;
use engine::schema::{Attribute, Kind, Problem, Schema};
use engine::value::{Data, Entry, Mapping, MappingKind, Type, Value};
use exchange::{Answered, Wish};
use http::{HeaderName, HeaderValue, Method, Uri};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long an answer is waited for, as the language writes it.
const PATIENCE: &str = "10s";
/// How long a server is left alone that does not answer as it should.
const PAUSE: Duration = Duration::from_millis(500);

/// `data.http_probe`.
pub(crate) struct HttpKind {
    schema: Schema,
}

impl Default for HttpKind {
    fn default() -> Self {
        let attributes = vec![
            Attribute::required("url", Type::String, "What is asked for: `http://` or `https://`."),
            Attribute::optional("method", Type::String, "The method.").default(Value::string("GET")),
            Attribute::optional("headers", Type::map(Type::String), "Headers of the request; `Host` in place of the URL's."),
            Attribute::optional("body", Type::String, "The body of the request."),
            Attribute::optional(
                "address",
                Type::String,
                "The address to connect to, such as a gateway's, in place of the one that the URL's host has.",
            ),
            Attribute::optional(
                "ca_certificate",
                Type::String,
                "Certificates in PEM that the server's has to come from; without them those that this machine trusts.",
            ),
            Attribute::optional(
                "expected_status",
                Type::set(Type::Number),
                "Status codes, any of which is right; without them all from 200 to 299. The server is asked again until one comes.",
            ),
            Attribute::optional("timeout", Type::String, "How long is waited for such an answer.").default(Value::string(PATIENCE)),
            Attribute::computed("ok", Type::Bool, "Whether such an answer came."),
            Attribute::computed("status", Type::Number, "The status code of the last answer; null without one."),
            Attribute::computed(
                "headers_received",
                Type::map(Type::String),
                "The headers of the last answer, their names in small letters. They, the body and `failure` are sensitive where `url`, `headers` or `body` is, which they \
                 may repeat.",
            ),
            Attribute::computed(
                "body_received",
                Type::String,
                "The body of the last answer, of a longer one the first mebibyte; null without one.",
            ),
            Attribute::computed("failure", Type::String, "Why there was no answer in the end; null if there was one."),
        ];
        let doc = "What a server answers to a request over HTTP/1.1, as seen from this machine. Redirects are answers, and are not followed; proxies are not asked. That \
            nobody answers is an answer too: `ok` and `failure` tell.";
        let schema = Schema { kind: "http_probe", doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema }
    }
}

impl Kind for HttpKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn probes(&self) -> bool {
        true
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        if arguments.text("url").is_some_and(|url| parsed(url).is_none()) {
            // Not shown, as it may hold a password.
            let detail = "`url` is no URL of scheme `http` or `https` with a host, and with a port from 1 to 65535 if it has one";
            problems.push(Problem::with("url", "invalid URL", detail).help("Write one such as `http://10.2.1.40/hello`."));
        }
        if let Some(method) = arguments.text("method").filter(|method| Method::from_bytes(method.as_bytes()).is_err()) {
            problems.push(Problem::with("method", "invalid method", format!("`{method}` is no method of HTTP")));
        }
        for entry in arguments.get("headers").map(Value::entries).unwrap_or_default() {
            let named = HeaderName::from_bytes(entry.key.as_bytes()).is_ok();
            if !named || entry.value.as_str().is_some_and(|value| HeaderValue::from_str(value).is_err()) {
                let detail =
                    format!("the header `{}` cannot be sent: a name has letters, digits and dashes, a value is one line", entry.key);
                problems.push(Problem::with("headers", "invalid header", detail));
            }
        }
        for status in arguments.get("expected_status").map(Value::items).unwrap_or_default() {
            if status.as_number().is_some() && status.as_u64().is_none_or(|status| !(100..=599).contains(&status)) {
                problems.push(Problem::with("expected_status", "invalid status", "a status code is a whole number from 100 to 599"));
            }
        }
        if let Some(why) = arguments.text("ca_certificate").and_then(|pem| exchange::roots(Some(pem)).err()) {
            problems.push(Problem::with("ca_certificate", "unusable certificate", format!("`ca_certificate` {why}")));
        }
        problems.extend(timeout_problem(arguments));
        problems
    }
}

impl HttpKind {
    /// What a question comes to.
    pub(crate) async fn answer(&self, arguments: &Value) -> Answer {
        let Some(wish) = wish(arguments) else { return Answer::Unreachable("its arguments are not known".into()) };
        let expected: BTreeSet<u64> =
            arguments.get("expected_status").map(Value::items).unwrap_or_default().iter().filter_map(Value::as_u64).collect();
        let is_right = |status: u16| if expected.is_empty() { (200..300).contains(&status) } else { expected.contains(&u64::from(status)) };
        let mut last = Err("no answer came in time".to_owned());
        let attempts = async {
            loop {
                last = exchange::exchange(&wish).await;
                if last.as_ref().is_ok_and(|answered| is_right(answered.status)) {
                    return;
                }
                sleep(PAUSE).await;
            }
        };
        // What came last is told, however it ended.
        drop(timeout(limit(arguments, PATIENCE), attempts).await);
        let ok = last.as_ref().is_ok_and(|answered| is_right(answered.status));
        // What was asked with may come back.
        let is_secret = ["url", "headers", "body"].iter().any(|name| arguments.get(name).is_some_and(Value::holds_sensitive));
        let told = told(ok, last).map(|(name, value)| {
            let repeats = matches!(name, "headers_received" | "body_received" | "failure");
            (name, value.sensitive_if(is_secret && repeats))
        });
        Answer::Present(arguments.with_entries(told))
    }
}

fn wish(arguments: &Value) -> Option<Wish> {
    let headers = arguments.get("headers").map(Value::entries).unwrap_or_default();
    let headers = headers.iter().filter_map(|entry| Some((entry.key.to_string(), entry.value.as_str()?.to_owned())));
    Some(Wish {
        url: parsed(arguments.text("url")?)?,
        method: Method::from_bytes(arguments.text("method")?.as_bytes()).ok()?,
        headers: headers.collect(),
        body: arguments.text("body").unwrap_or_default().to_owned(),
        address: arguments.text("address").map(str::to_owned),
        ca_certificate: arguments.text("ca_certificate").map(str::to_owned),
    })
}

fn parsed(url: &str) -> Option<Uri> {
    let url: Uri = url.parse().ok()?;
    let known = matches!(url.scheme_str(), Some("http" | "https"));
    let host = url.host().filter(|host| !host.is_empty())?;
    // What is no port would be taken for none: the usual one would be asked.
    let port = url.authority()?.as_str().rsplit('@').next()?.strip_prefix(host)?;
    let reachable = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    (known && reachable).then_some(url)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

fn told(ok: bool, last: Result<Answered, String>) -> [(&'static str, Value); 5] {
    let map = |entries| Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Map(Type::String), entries))));
    let (status, headers, body, failure) = match last {
        Ok(Answered { status, headers, body }) => {
            let headers = headers.into_iter().map(|(name, value)| Entry::new(name, Value::string(value))).collect();
            (Value::number(status), map(headers), Value::string(body), Value::null())
        }
        Err(why) => (Value::null(), map(Vec::new()), Value::null(), Value::string(why)),
    };
    [("ok", Value::bool(ok)), ("status", status), ("headers_received", headers), ("body_received", body), ("failure", failure)]
}

#[cfg(test)]
mod tests;
