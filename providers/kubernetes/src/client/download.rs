//! A file from the web, wherever redirects lead to.

use super::send::AGENT;
use super::transport::{causes, one_line};
use http::header::{LOCATION, USER_AGENT};
use http::uri::PathAndQuery;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kube::client::Body;
use kube::{Client, Config};
use rustls::CertificateError;
use std::error::Error;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Most bytes of a file: more than any set of manifests has, and not too many to hold.
const MOST: usize = 32 << 20;
/// Most redirects that are followed.
const MOVES: usize = 10;
/// How often it is tried while nothing answers, or a server says that it cannot now.
const TRIES: u32 = 3;
/// How long all of it may take.
const DEADLINE: Duration = Duration::from_mins(2);

/// Why there is no file, as a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Undelivered {
    /// Nothing answered, or not now: another time it may be there.
    Unanswered(String),
    /// The answer is no file.
    Refused(String),
}

/// What one request brought.
enum Answered {
    File(Vec<u8>),
    Moved(Uri),
}

/// The bytes at a URL of scheme `http` or `https`. Certificates are checked against those that the system trusts.
pub(crate) async fn download(url: &Uri) -> Result<Vec<u8>, Undelivered> {
    let late = |_| Err(Undelivered::Unanswered(format!("it took longer than {} s", DEADLINE.as_secs())));
    timeout(DEADLINE, followed(url)).await.unwrap_or_else(late)
}

async fn followed(url: &Uri) -> Result<Vec<u8>, Undelivered> {
    let mut at = url.clone();
    for _ in 0..=MOVES {
        match patiently(&at).await? {
            Answered::File(bytes) => return Ok(bytes),
            Answered::Moved(next) => at = next,
        }
    }
    Err(Undelivered::Refused(format!("it redirects more than {MOVES} times")))
}

/// A URL without its query, which may be a credential.
pub(crate) fn without_query(url: &Uri) -> String {
    let authority = url.authority().map(ToString::to_string).unwrap_or_default();
    format!("{}://{authority}{}", url.scheme_str().unwrap_or_default(), url.path())
}

async fn patiently(url: &Uri) -> Result<Answered, Undelivered> {
    let mut tried = 0;
    loop {
        let answered = ask(url).await;
        tried += 1;
        if tried == TRIES || !matches!(answered, Err(Undelivered::Unanswered(_))) {
            return answered;
        }
        sleep(Duration::from_millis(250) * 2_u32.pow(tried)).await;
    }
}

async fn ask(url: &Uri) -> Result<Answered, Undelivered> {
    let mut config = Config::new(with_path(url, "/").ok_or_else(|| Undelivered::Refused("it is no URL of a file".into()))?);
    config.connect_timeout = Some(Duration::from_secs(10));
    config.read_timeout = Some(Duration::from_secs(30));
    config.default_retry = false;
    let client = Client::try_from(config).map_err(|error| failed(&error))?;
    let path = url.path_and_query().map_or("/", PathAndQuery::as_str);
    let request = Request::get(path).header(USER_AGENT, AGENT).body(Body::empty()).map_err(|error| failed(&error))?;
    let (head, body) = client.send(request).await.map_err(|error| failed(&error))?.into_parts();
    if head.status.is_redirection() {
        let location = head.headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let next = location.and_then(|location| moved(url, location));
        return next.map(Answered::Moved).ok_or_else(|| Undelivered::Refused("it redirects to no URL".into()));
    }
    if head.status != StatusCode::OK {
        let why = format!("the server answers {}", head.status);
        let passing = head.status.is_server_error() || head.status == StatusCode::TOO_MANY_REQUESTS;
        return Err(if passing { Undelivered::Unanswered(why) } else { Undelivered::Refused(why) });
    }
    match Limited::new(body, MOST).collect().await {
        Ok(collected) => Ok(Answered::File(collected.to_bytes().to_vec())),
        Err(error) if error.is::<LengthLimitError>() => Err(Undelivered::Refused(format!("it is larger than {} MiB", MOST >> 20))),
        Err(error) => Err(failed(&*error)),
    }
}

/// What kept a request from being answered. A certificate that is refused now is refused again.
fn failed(error: &(dyn Error + 'static)) -> Undelivered {
    let refused = causes(error).find_map(|cause| match cause.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(why) => Some(why.clone()),
        _ => None,
    });
    match refused {
        Some(CertificateError::UnknownIssuer) => {
            Undelivered::Refused("the server's certificate is of no authority that this system trusts".into())
        }
        Some(why) => Undelivered::Refused(format!("the server's certificate is refused: {why}")),
        None => Undelivered::Unanswered(one_line(error)),
    }
}

/// Where a redirect leads to: a URL, or what is relative to the one that redirects.
fn moved(from: &Uri, location: &str) -> Option<Uri> {
    let scheme = from.scheme_str()?;
    if location.contains("://") {
        let next: Uri = location.parse().ok()?;
        return matches!(next.scheme_str(), Some("http" | "https")).then_some(next);
    }
    if location.starts_with("//") {
        return format!("{scheme}:{location}").parse().ok();
    }
    let folder = if location.starts_with('/') { "" } else { from.path().rsplit_once('/').map_or("", |(folder, _)| folder) };
    with_path(from, &format!("{folder}{}{location}", if location.starts_with('/') { "" } else { "/" }))
}

fn with_path(url: &Uri, path: &str) -> Option<Uri> {
    let mut parts = url.clone().into_parts();
    parts.path_and_query = Some(path.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    /// A web server on a loopback port that answers request after request, the last answer again and again. It stops when dropped.
    pub(crate) struct Web {
        pub(crate) address: String,
        asked: Arc<Mutex<Vec<String>>>,
        serving: JoinHandle<()>,
    }

    impl Web {
        pub(crate) async fn answering(answers: Vec<String>) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = format!("http://{}", listener.local_addr().expect("an address"));
            let asked: Arc<Mutex<Vec<String>>> = Arc::default();
            let log = asked.clone();
            let serving = tokio::spawn(async move {
                let mut answers = answers.into_iter().peekable();
                let mut last = String::new();
                while let Ok((mut stream, _)) = listener.accept().await {
                    let (read, mut write) = stream.split();
                    let mut lines = BufReader::new(read).lines();
                    let first = lines.next_line().await.ok().flatten().unwrap_or_default();
                    while lines.next_line().await.ok().flatten().is_some_and(|line| !line.is_empty()) {}
                    log.lock().expect("a log").push(first.split(' ').nth(1).unwrap_or_default().to_owned());
                    last = answers.next().unwrap_or(last);
                    drop(write.write_all(last.as_bytes()).await);
                }
            });
            Self { address, asked, serving }
        }

        /// The paths that were asked for.
        pub(crate) fn asked(&self) -> Vec<String> {
            self.asked.lock().expect("a log").clone()
        }
    }

    impl Drop for Web {
        fn drop(&mut self) {
            self.serving.abort();
        }
    }

    /// An answer with a body.
    pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    }

    async fn fetch(web: &Web, path: &str) -> Result<String, Undelivered> {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let url = format!("{}{path}", web.address).parse().expect("a URL");
        download(&url).await.map(|bytes| String::from_utf8(bytes).expect("text"))
    }

    #[tokio::test]
    async fn redirects_are_followed_and_not_for_ever() {
        let there = Web::answering(vec![answer("200 OK", "", "hello")]).await;
        let elsewhere = format!("Location: {}/b?signed=1\r\n", there.address);
        let moves = vec![answer("302 Found", "Location: /again?x=y\r\n", ""), answer("307 Temporary Redirect", &elsewhere, "")];
        let here = Web::answering(moves).await;
        assert_eq!(fetch(&here, "/a").await, Ok("hello".into()));
        assert_eq!((here.asked(), there.asked()), (vec!["/a".to_owned(), "/again?x=y".to_owned()], vec!["/b?signed=1".to_owned()]));
        let round = Web::answering(vec![answer("301 Moved Permanently", "Location: /a\r\n", "")]).await;
        assert_eq!(fetch(&round, "/a").await, Err(Undelivered::Refused("it redirects more than 10 times".into())));
        let away = Web::answering(vec![answer("302 Found", "Location: ftp://files/a\r\n", "")]).await;
        assert_eq!(fetch(&away, "/a").await, Err(Undelivered::Refused("it redirects to no URL".into())));
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_is_final_is_not() {
        let busy = Web::answering(vec![answer("503 Service Unavailable", "", ""), answer("200 OK", "", "hello")]).await;
        assert_eq!(fetch(&busy, "/a").await, Ok("hello".into()));
        let broken = Web::answering(vec![answer("500 Internal Server Error", "", "")]).await;
        assert_eq!(fetch(&broken, "/a").await, Err(Undelivered::Unanswered("the server answers 500 Internal Server Error".into())));
        assert_eq!(broken.asked().len(), 3);
        let missing = Web::answering(vec![answer("404 Not Found", "", "")]).await;
        assert_eq!(fetch(&missing, "/a").await, Err(Undelivered::Refused("the server answers 404 Not Found".into())));
        assert_eq!(missing.asked().len(), 1);
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_is_not_read_to_its_end() {
        let large = Web::answering(vec![answer("200 OK", "", &"a".repeat(MOST + 1))]).await;
        assert_eq!(fetch(&large, "/a").await, Err(Undelivered::Refused("it is larger than 32 MiB".into())));
    }

    #[test]
    fn a_server_that_nobody_vouches_for_is_refused_at_once() {
        let refused = |why| failed(&std::io::Error::new(std::io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(why)));
        let told = "the server's certificate is of no authority that this system trusts";
        assert_eq!(refused(CertificateError::UnknownIssuer), Undelivered::Refused(told.into()));
        assert_eq!(refused(CertificateError::Revoked), Undelivered::Refused("the server's certificate is refused: Revoked".into()));
    }

    #[test]
    fn redirects_may_be_relative() {
        let from: Uri = "https://files.example.com/a/b.yaml?x=y".parse().expect("a URL");
        for (location, expected) in [
            ("https://other.example.com/c?d=e", Some("https://other.example.com/c?d=e")),
            ("//other.example.com/c", Some("https://other.example.com/c")),
            ("/c", Some("https://files.example.com/c")),
            ("c.yaml?d=https:%2F%2Fe", Some("https://files.example.com/a/c.yaml?d=https:%2F%2Fe")),
            ("ftp://files.example.com/c", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(moved(&from, location).map(|next| next.to_string()).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn a_query_is_not_shown() {
        let url: Uri = "https://files.example.com:8443/a/b.yaml?token=hunter2".parse().expect("a URL");
        assert_eq!(without_query(&url), "https://files.example.com:8443/a/b.yaml");
    }
}
