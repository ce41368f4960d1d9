//! The shell of a page: its policy, its style, its script.

use super::markup::Markup;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

/// How pages look.
const STYLE: &str = include_str!("page.css");
/// What filters and searches.
const SCRIPT: &str = include_str!("page.js");

/// A page.
pub(super) struct Page {
    /// What a browser calls it.
    pub(super) title: &'static str,
    /// What is on it.
    pub(super) body: Markup,
}

impl Page {
    /// The file. No style and no script but our own may run in it, and nothing may be loaded or sent: also if something foreign ever
    /// came to be markup.
    pub(super) fn text(self) -> String {
        let source = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
        let policy =
            format!("default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'", source(STYLE), source(SCRIPT));
        let mut page = Markup::default();
        page.verbatim("<!doctype html>\n");
        page.within("html", &[("lang", "en")], |page| {
            page.within("head", &[], |page| {
                page.empty("meta", &[("charset", "utf-8")]);
                page.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
                page.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
                page.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
                page.empty("meta", &[("name", "referrer"), ("content", "no-referrer")]);
                page.element("title", &[], self.title);
                page.within("style", &[], |page| page.verbatim(STYLE));
            });
            page.line();
            page.within("body", &[], |page| {
                page.within("main", &[], |page| page.append(&self.body));
                page.within("script", &[], |page| page.verbatim(SCRIPT));
            });
        });
        page.line();
        page.into_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_cannot_end_early() {
        for ours in [STYLE, SCRIPT] {
            assert!(!ours.contains("</") && !ours.contains("<!--"), "{ours}");
            assert!(!ours.contains("http:") && !ours.contains("https:") && !ours.contains("url("), "nothing is loaded");
        }
    }

    /// The relative luminance of a colour, as WCAG 2 has it.
    fn luminance(colour: u32) -> f64 {
        let [_, parts @ ..] = colour.to_be_bytes();
        let linear = parts.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn text_can_be_read_in_light_and_dark() {
        let schemes: Vec<&str> = STYLE.split(":root {").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        assert_eq!(schemes.len(), 2);
        for scheme in schemes {
            let of = |name: &str| {
                let text = scheme.split_once(&format!("--{name}: #")).unwrap_or_else(|| panic!("no {name}")).1;
                luminance(u32::from_str_radix(&text[..6], 16).unwrap())
            };
            let contrast = |one: &str, other: &str| {
                let (one, other) = (of(one), of(other));
                (one.max(other) + 0.05) / (one.min(other) + 0.05)
            };
            let tones = ["create", "update", "replace", "delete", "blocked", "forget", "import", "move", "read"];
            let on_ground = ["text", "dim", "link"].into_iter().chain(tones).flat_map(|text| [(text, "ground"), (text, "card")]);
            let marked = ["added", "removed", "added-word", "removed-word"].map(|ground| ("text", ground));
            for (text, ground) in on_ground.chain(tones.map(|tone| ("on", tone))).chain(marked) {
                assert!(contrast(text, ground) >= 4.5, "{text} on {ground}: {}", contrast(text, ground));
            }
            assert!(contrast("keep", "card") >= 3.0, "lines of pictures");
        }
    }
}
