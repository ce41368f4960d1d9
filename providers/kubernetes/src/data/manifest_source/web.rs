//! A file of manifests from the web, pinned by its digest.

use super::Text;
use super::cache::{Cache, digest};
use crate::client::{Undelivered, download, without_query};
use engine::schema::Problem;
use http::Uri;

/// Why there is no text.
pub(super) enum Missing {
    /// It could not be asked for, and why, as a fragment.
    Unreachable(String),
    /// There is something wrong with what is there.
    Wrong(Problem),
}

/// The URL that an argument means.
pub(super) fn url(given: &str) -> Result<Uri, Problem> {
    let wrong = |why: &str| Problem::with("url", "invalid URL", format!("`url` {why}"));
    let begins_with = |scheme: &str| given.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if !["https://", "http://"].into_iter().any(begins_with) {
        return Err(wrong("does not begin with `https://` or `http://`").help("use `path` for a file on disk"));
    }
    let url: Uri = given.parse().map_err(|_| wrong("is no URL"))?;
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(wrong("holds credentials, which would stand in plans").help("put the file where it can be read without, or use `path`"));
    }
    Ok(url)
}

/// What is wrong with a digest.
pub(super) fn digest_problem(given: &str) -> Option<Problem> {
    let fits = given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    let detail = || format!("`sha256` is `{given}`; it has to be 64 hexadecimal digits, as `sha256sum` prints them");
    (!fits).then(|| Problem::with("sha256", "invalid digest", detail()))
}

/// The text at a URL that has this digest: from the cache if it is there, else from the web.
pub(super) async fn read(url: &Uri, pinned: &str, cache: &Cache) -> Result<Text, Missing> {
    let pinned = pinned.to_ascii_lowercase();
    let name = without_query(url);
    let bytes = match cache.get(&pinned) {
        Some(bytes) => bytes,
        None => fetch(url, &pinned, cache).await?,
    };
    let no_text = || Missing::Wrong(Problem::with("url", "manifests not readable", format!("`{name}` is not UTF-8 text")));
    let text = String::from_utf8(bytes).map_err(|_| no_text())?;
    Ok(Text { name, text })
}

async fn fetch(url: &Uri, pinned: &str, cache: &Cache) -> Result<Vec<u8>, Missing> {
    let shown = without_query(url);
    let bytes = download(url).await.map_err(|undelivered| match undelivered {
        Undelivered::Unanswered(why) => Missing::Unreachable(format!("`{shown}` is not in the cache and could not be downloaded: {why}")),
        Undelivered::Refused(why) => Missing::Wrong(Problem::with("url", "manifests not readable", format!("`{shown}`: {why}"))),
    })?;
    let found = digest(&bytes);
    if found != *pinned {
        let detail = format!("`{shown}` has the SHA-256 `{found}`, but `sha256` says `{pinned}`");
        let help = "the file there is another one than was pinned: look at what it is now, and pin that if it is what you want";
        return Err(Missing::Wrong(Problem::with("sha256", "digest mismatch", detail).help(help)));
    }
    // Where the cache cannot be written the next run downloads again, which is no reason to stop this one.
    drop(cache.put(pinned, &bytes));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::web::{Web, answer};

    fn problem(missing: Missing) -> Problem {
        match missing {
            Missing::Wrong(problem) => problem,
            Missing::Unreachable(why) => panic!("{why}"),
        }
    }

    async fn asked(web: &Web, pinned: &str, cache: &Cache) -> Result<String, Missing> {
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let url = url(&format!("{}/rules.yaml?token=hunter2", web.address)).expect("a URL");
        read(&url, pinned, cache).await.map(|text| text.text)
    }

    #[tokio::test]
    async fn what_was_downloaded_once_is_there_without_the_web() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = Cache::new(Some(directory.path().join("downloads")));
        let pinned = digest(b"hello");
        let web = Web::answering(vec![answer("200 OK", "", "hello")]).await;
        for pinned in [&pinned, &pinned.to_ascii_uppercase()] {
            assert!(asked(&web, pinned, &cache).await.is_ok_and(|text| text == "hello"));
        }
        assert_eq!(web.asked().len(), 1);
        let address = web.address.clone();
        drop(web);
        let url = format!("{address}/rules.yaml").parse().expect("a URL");
        assert!(read(&url, &pinned, &cache).await.is_ok_and(|text| text.text == "hello"));
    }

    #[tokio::test]
    async fn another_file_than_was_pinned_is_refused_and_not_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = Cache::new(Some(directory.path().to_owned()));
        let web = Web::answering(vec![answer("200 OK", "", "evil")]).await;
        let problem = problem(asked(&web, &digest(b"hello"), &cache).await.expect_err("a problem"));
        assert_eq!(problem.summary, "digest mismatch");
        assert!(problem.detail.contains(&digest(b"hello")) && problem.detail.contains(&digest(b"evil")), "{}", problem.detail);
        assert!(!problem.detail.contains("hunter2"), "{}", problem.detail);
        assert_eq!(std::fs::read_dir(directory.path()).expect("a directory").count(), 0);
    }

    #[tokio::test]
    async fn nothing_there_is_told_apart_from_nobody_there() {
        let directory = tempfile::tempdir().expect("a directory");
        let cache = Cache::new(Some(directory.path().to_owned()));
        let missing = Web::answering(vec![answer("404 Not Found", "", "")]).await;
        let told = problem(asked(&missing, &digest(b""), &cache).await.expect_err("a problem")).detail;
        assert!(told.ends_with("/rules.yaml`: the server answers 404 Not Found"), "{told}");
        let broken = Web::answering(vec![answer("502 Bad Gateway", "", "")]).await;
        let Err(Missing::Unreachable(why)) = asked(&broken, &digest(b""), &cache).await else { panic!("it was read") };
        assert!(why.ends_with("is not in the cache and could not be downloaded: the server answers 502 Bad Gateway"), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
    }

    #[test]
    fn urls_and_digests_have_their_form() {
        let told = |given: &str| url(given).err().map(|problem| problem.detail);
        assert_eq!(told("https://example.com/a.yaml"), None);
        for elsewhere in ["rules/a.yaml", "file:///a.yaml", "ftp://example.com/a"] {
            assert_eq!(told(elsewhere).as_deref(), Some("`url` does not begin with `https://` or `http://`"), "{elsewhere}");
        }
        assert_eq!(told("https://example.com/a b").as_deref(), Some("`url` is no URL"));
        let told = told("https://me:hunter2@example.com/a").expect("a problem");
        assert!(told.contains("credentials") && !told.contains("hunter2"));
        assert!(digest_problem(&digest(b"hello")).is_none());
        for wrong in ["", "abc", &"g".repeat(64)] {
            assert!(digest_problem(wrong).is_some(), "{wrong}");
        }
    }
}
