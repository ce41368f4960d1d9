use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn arguments(more: &[(&'static str, Value)]) -> Value {
    let nulls = ["headers", "body", "address", "ca_certificate", "expected_status"].map(|name| (name, Value::null()));
    let given = [("url", Value::string("http://10.2.1.40/hello")), ("method", Value::string("GET")), ("timeout", Value::string("2s"))];
    Value::object(nulls.into_iter().chain(given).chain(more.iter().cloned()))
}

#[test]
fn arguments_are_judged_before_anybody_is_asked() {
    let headers = |name: &str, value: &str| Value::object([(name, Value::string(value))]);
    let codes = |code: u64| Value::tuple(vec![Value::number(code)]);
    for (name, value, expected) in [
        ("url", Value::string("https://east.mesh.test:8443/a?b=c"), None),
        ("url", Value::string("ftp://east.mesh.test"), Some("invalid URL")),
        ("url", Value::string("east.mesh.test/hello"), Some("invalid URL")),
        ("url", Value::string("http:///hello"), Some("invalid URL")),
        ("url", Value::string("http://a:b@[fd00::1]:65535/"), None),
        ("url", Value::string("http://[fd00::1]/"), None),
        ("url", Value::string("http://h:99999/"), Some("invalid URL")),
        ("url", Value::string("http://h:0/"), Some("invalid URL")),
        ("url", Value::string("http://h:80a/"), Some("invalid URL")),
        ("url", Value::string("http://h:+80/"), Some("invalid URL")),
        ("url", Value::string("http://h:/"), Some("invalid URL")),
        ("url", Value::unknown(Type::String), None),
        ("method", Value::string("POST"), None),
        ("method", Value::string("GO ON"), Some("invalid method")),
        ("headers", headers("Host", "hello.mesh.test"), None),
        ("headers", headers("a b", "c"), Some("invalid header")),
        ("headers", headers("a", "b\nc"), Some("invalid header")),
        ("expected_status", codes(404), None),
        ("expected_status", codes(600), Some("invalid status")),
        ("ca_certificate", Value::string("none"), Some("unusable certificate")),
        ("timeout", Value::string("0s"), Some("invalid timeout")),
    ] {
        let told = HttpKind::default().validate(&arguments(&[(name, value.clone())]));
        assert_eq!(told.iter().map(|problem| &*problem.summary).collect::<Vec<_>>(), Vec::from_iter(expected), "{name} {value:?}");
    }
}

/// A server that answers the first request with 503 and then with what it was asked.
async fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(tokio::spawn(async move {
        let seen = AtomicUsize::new(0);
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let asked = String::from_utf8_lossy(&request[..length]).into_owned();
            let status = if seen.fetch_add(1, Ordering::SeqCst) == 0 { "503 Service Unavailable" } else { "200 OK" };
            let answer = format!("HTTP/1.1 {status}\r\nX-Seen: yes\r\nContent-Length: {}\r\n\r\n{asked}", asked.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }));
    port
}

async fn told(more: &[(&'static str, Value)]) -> serde_json::Value {
    match HttpKind::default().answer(&arguments(more)).await {
        Answer::Present(value) => value.to_json().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_may_repeat_a_secret_is_one() {
    let url = Value::string(format!("http://127.0.0.1:{}/", serve().await));
    let header = |value: Value| Value::object([("Authorization", value)]);
    for (headers, expected) in [(header(Value::string("Bearer s3cret").sensitive()), true), (header(Value::string("none")), false)] {
        let answer = HttpKind::default().answer(&arguments(&[("url", url.clone()), ("headers", headers)])).await;
        let Answer::Present(told) = answer else { panic!("{answer:?}") };
        let secret = |name: &str| told.get(name).is_some_and(Value::is_marked_sensitive);
        assert_eq!(["body_received", "headers_received", "failure"].map(secret), [expected; 3]);
        assert!(!secret("ok") && !secret("status"));
    }
}

#[tokio::test]
async fn a_server_is_asked_until_it_answers_as_it_should() {
    let port = serve().await;
    let url = Value::string(format!("http://hello.mesh.test:{port}/hello?a=b"));
    let address = Value::string("127.0.0.1");
    let headers = Value::object([("X-Name", Value::string("one"))]);
    let more =
        [("url", url), ("address", address), ("headers", headers), ("method", Value::string("PUT")), ("body", Value::string("text"))];
    let told = told(&more).await;
    assert_eq!((&told["ok"], &told["status"], &told["failure"]), (&true.into(), &200.into(), &serde_json::Value::Null));
    assert_eq!(told["headers_received"]["x-seen"], "yes");
    let asked = told["body_received"].as_str().unwrap();
    assert!(asked.starts_with("PUT /hello?a=b HTTP/1.1\r\n") && asked.ends_with("\r\n\r\ntext"), "{asked}");
    assert!(asked.contains(&format!("host: hello.mesh.test:{port}\r\n")) && asked.contains("x-name: one\r\n"), "{asked}");
}

#[tokio::test]
async fn what_is_expected_may_be_an_error_and_no_answer_is_told() {
    let port = serve().await;
    let url = || Value::string(format!("http://127.0.0.1:{port}"));
    let expected = Value::tuple(vec![Value::number(503_u64)]);
    let answered = told(&[("url", url()), ("expected_status", expected)]).await;
    assert_eq!((&answered["ok"], &answered["status"]), (&true.into(), &503.into()));
    let teapot = Value::tuple(vec![Value::number(418_u64)]);
    let answered = told(&[("url", url()), ("expected_status", teapot), ("timeout", Value::string("1s"))]).await;
    assert_eq!((&answered["ok"], &answered["status"]), (&false.into(), &200.into()));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let silent = told(&[("url", Value::string(format!("http://127.0.0.1:{closed}"))), ("timeout", Value::string("1s"))]).await;
    assert_eq!((&silent["ok"], &silent["status"]), (&false.into(), &serde_json::Value::Null));
    assert!(silent["failure"].as_str().unwrap().starts_with("connecting failed: "), "{silent}");
    // What speaks no TLS.
    let plain = told(&[("url", Value::string(format!("https://127.0.0.1:{port}"))), ("timeout", Value::string("1s"))]).await;
    assert!(plain["failure"].as_str().unwrap().starts_with("TLS failed: "), "{plain}");
}
