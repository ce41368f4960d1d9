//! A headless browser without any network: what it makes of a page, as its tree and as a picture.

use crate::required::Missing;
use flate2::read::ZlibDecoder;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The command.
const CHROMIUM: &str = "chromium";
/// How long one page may take, in seconds.
const LONGEST: &str = "150";

/// Whether the reader prefers light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

/// A browser with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    profile: TempDir,
}

/// The browser, if there is one; a test that needs it says so otherwise, and is over.
pub fn required() -> Option<Browser> {
    let mut missing = Missing::default();
    let absent = missing.any_of([CHROMIUM]);
    missing.close();
    (!absent).then(|| Browser { profile: TempDir::new().unwrap() })
}

impl Browser {
    /// The tree of a page as it stands once its script has run. `fragment` is what follows the `#` of its address.
    pub fn tree(&self, page: &Path, fragment: &str) -> String {
        let output = self.run(&["--dump-dom"], page, fragment);
        String::from_utf8(output).unwrap()
    }

    /// The upper part of a page, so many pixels wide and high.
    pub fn picture(&self, page: &Path, scheme: Scheme, (width, height): (u32, u32)) -> Picture {
        let file = self.profile.path().join("picture.png");
        let screenshot = format!("--screenshot={}", file.display());
        let size = format!("--window-size={width},{height}");
        let preferred = match scheme {
            Scheme::Dark => 0,
            Scheme::Light => 1,
        };
        let scheme = format!("--blink-settings=preferredColorScheme={preferred}");
        self.run(&[&screenshot, &size, &scheme, "--hide-scrollbars"], page, "");
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(file).unwrap();
        Picture::of(&bytes)
    }

    /// The addresses that loading a page asked a network for, whether it got an answer or not.
    pub fn requests(&self, page: &Path) -> Vec<String> {
        let log = self.profile.path().join("network.json");
        self.run(&["--dump-dom", &format!("--log-net-log={}", log.display())], page, "");
        let log: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(log).unwrap()).unwrap();
        // What the browser asks for itself, such as for the time, has no origin.
        let by_page = |params: &&serde_json::Value| params["initiator"].as_str().is_some_and(|initiator| initiator != "not an origin");
        let asked = log["events"].as_array().unwrap().iter().map(|event| &event["params"]).filter(by_page);
        asked.filter_map(|params| params["url"].as_str()).filter(|url| !url.starts_with("file:")).map(str::to_owned).collect()
    }

    fn run(&self, args: &[&str], page: &Path, fragment: &str) -> Vec<u8> {
        let address = format!("file://{}#{fragment}", page.display());
        let profile = format!("--user-data-dir={}", self.profile.path().join("profile").display());
        // Root needs `--no-sandbox`; what the browser would fetch for itself is not the page's.
        let quiet = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
        let alone = ["--disable-component-update", "--disable-default-apps", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"];
        let output = Command::new("timeout")
            .args(["--kill-after=5", LONGEST, CHROMIUM, "--virtual-time-budget=4000", &profile])
            .args(quiet)
            .args(alone)
            .args(args)
            .arg(address)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}

/// A picture.
#[derive(Debug)]
pub struct Picture {
    /// The file it was read from.
    pub file: Vec<u8>,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// Reads a PNG as browsers write it: eight bits a channel, with or without transparency, not interlaced.
    pub fn of(file: &[u8]) -> Self {
        let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        let (width, depth) = (
            number(16),
            match file[25] {
                2 => 3,
                6 => 4,
                other => panic!("colour type {other}"),
            },
        );
        assert_eq!((file[24], file[28]), (8, 0), "depth and interlacing");
        let mut packed = Vec::new();
        let mut at = 8;
        while at < file.len() {
            let (length, name) = (number(at), &file[at + 4..at + 8]);
            if name == b"IDAT" {
                packed.extend_from_slice(&file[at + 8..at + 8 + length]);
            }
            at += 12 + length;
        }
        let mut lines = Vec::new();
        ZlibDecoder::new(&*packed).read_to_end(&mut lines).unwrap();
        Self { file: file.to_vec(), pixels: unfiltered(&lines, width * depth, depth) }
    }

    /// How many pixels have exactly a colour.
    pub fn count(&self, colour: [u8; 3]) -> usize {
        self.pixels.iter().filter(|pixel| **pixel == colour).count()
    }

    /// The colour that most pixels have.
    pub fn ground(&self) -> [u8; 3] {
        let mut counts = std::collections::BTreeMap::<[u8; 3], usize>::new();
        self.pixels.iter().for_each(|pixel| *counts.entry(*pixel).or_default() += 1);
        counts.into_iter().max_by_key(|(_, count)| *count).unwrap().0
    }
}

/// The pixels of a PNG's lines, each of which says first how it differs from what is left of it and above.
fn unfiltered(lines: &[u8], stride: usize, depth: usize) -> Vec<[u8; 3]> {
    let mut above = vec![0_u8; stride];
    let mut pixels = Vec::new();
    for line in lines.chunks_exact(stride + 1) {
        let mut bytes = line[1..].to_vec();
        for at in 0..stride {
            let left = if at < depth { 0 } else { bytes[at - depth] };
            let corner = if at < depth { 0 } else { above[at - depth] };
            let add = match line[0] {
                0 => 0,
                1 => left,
                2 => above[at],
                3 => u8::midpoint(left, above[at]),
                _ => nearest(left, above[at], corner),
            };
            bytes[at] = bytes[at].wrapping_add(add);
        }
        pixels.extend(bytes.chunks_exact(depth).map(|pixel| [pixel[0], pixel[1], pixel[2]]));
        above = bytes;
    }
    pixels
}

/// Of three neighbours the one nearest to left plus above minus corner.
fn nearest(left: u8, above: u8, corner: u8) -> u8 {
    let guess = i16::from(left) + i16::from(above) - i16::from(corner);
    [left, above, corner].into_iter().min_by_key(|byte| (guess - i16::from(*byte)).abs()).unwrap()
}
