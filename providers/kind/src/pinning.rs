//! Which image nodes are made of: the one that is named, or the one that the installed kind ships with.

use engine::value::Value;
use std::path::Path;

/// How the image that kind is built with begins.
const USUAL: &[u8] = b"kindest/node:v";
/// What stands between an image and its digest, and the length of that.
const DIGEST: (&str, usize) = ("@sha256:", 64);

/// The image that a kind uses when it is told none: it stands in the program with its digest, and no command tells it. Nothing if it
/// cannot be found there.
pub(crate) async fn of_program(program: &Path) -> Option<String> {
    let program = program.to_owned();
    let found = tokio::task::spawn_blocking(move || find(&std::fs::read(program).ok()?)).await;
    found.ok().flatten()
}

fn find(program: &[u8]) -> Option<String> {
    let starts = program.windows(USUAL.len()).enumerate().filter(|(_, window)| *window == USUAL).map(|(at, _)| at);
    let mut images = starts.filter_map(|at| {
        let rest: String = program[at..].iter().take(256).map(|byte| char::from(*byte)).collect();
        let (image, digest) = rest.split_once(DIGEST.0)?;
        let version = image.strip_prefix("kindest/node:v")?;
        let digest = digest.get(..DIGEST.1)?;
        let fits = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| format!("{image}{}{digest}", DIGEST.0))
    });
    images.next()
}

/// Images that a configuration names without a digest.
pub(crate) fn unpinned(arguments: &Value) -> Vec<&str> {
    let own = arguments.get("nodes").map(Value::items).unwrap_or_default().iter().filter_map(|node| node.text("image"));
    let mut images: Vec<&str> = arguments.text("node_image").into_iter().chain(own).filter(|image| !image.contains(DIGEST.0)).collect();
    images.sort_unstable();
    images.dedup();
    images
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_image_stands_in_the_program() {
        let digest = "a1".repeat(32);
        for (program, expected) in [
            (
                format!("..kindest/node:latestkindest/node:v1.37.0@sha256:{digest}ingress"),
                Some(format!("kindest/node:v1.37.0@sha256:{digest}")),
            ),
            (format!("kindest/node:v1.37.0@sha256:{}", "z".repeat(64)), None),
            ("kindest/node:v1.37.0@sha256:a1".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(find(program.as_bytes()), expected, "{program}");
        }
    }

    #[test]
    fn images_without_a_digest_are_found() {
        let arguments = json!({ "node_image": "a:1", "nodes": [{ "image": "b:1@sha256:00" }, { "image": "c" }, { "image": "c" }, {}] });
        assert_eq!(unpinned(&Value::from_json(&arguments)), ["a:1", "c"]);
    }
}
