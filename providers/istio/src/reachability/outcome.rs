//! What the script says of each way.

use super::ways::{Target, Way};
use std::collections::BTreeMap;

/// What came of a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Somebody answers there who may be meant. After so many milliseconds the connection stood, where that is known.
    Reached(Option<u64>),
    /// Nobody listens.
    Refused,
    /// No answer came.
    TimedOut,
    /// No server of names knows the name.
    NameNotResolved,
    /// No network leads there.
    NoRoute,
    /// The certificate is for other names.
    TlsName,
    /// The certificate is not to be trusted, and why.
    TlsAuthority(String),
    /// An API server, or what stands before it, answers with this status.
    NotReady(String),
    /// Something else, as a fragment.
    Failed(String),
    /// It was not looked at, and why. Whether that is for want of a data plane.
    NotRun(String, bool),
}

impl Outcome {
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Reached(_) => "reached",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::NameNotResolved => "name not resolved",
            Self::NoRoute => "no route",
            Self::TlsName => "TLS name",
            Self::TlsAuthority(_) => "TLS authority",
            Self::NotReady(_) => "not ready",
            Self::Failed(_) => "failed",
            Self::NotRun(..) => "not run",
        }
    }

    /// What the words leave open.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::TlsName => "the certificate is for other names than this address".to_owned(),
            Self::NotReady(status) => format!("it answers with status {status}"),
            Self::TlsAuthority(why) | Self::Failed(why) | Self::NotRun(why, _) => why.clone(),
            Self::Reached(_) | Self::Refused | Self::TimedOut | Self::NameNotResolved | Self::NoRoute => String::new(),
        }
    }

    pub(super) fn milliseconds(&self) -> Option<u64> {
        match self {
            Self::Reached(milliseconds) => *milliseconds,
            _ => None,
        }
    }
}

/// What a text of the script says of each way.
pub(super) fn outcomes(text: &str, ways: &[Way]) -> Vec<Outcome> {
    let lines: BTreeMap<usize, Line<'_>> = text.lines().filter_map(Line::read).collect();
    let of = |(number, way): (usize, &Way)| match lines.get(&number) {
        Some(line) => line.outcome(way.target),
        None => Outcome::NotRun("nothing was said of it".to_owned(), false),
    };
    ways.iter().enumerate().map(of).collect()
}

/// A line of it.
struct Line<'a> {
    /// curl's exit code.
    code: u8,
    /// Seconds until the connection stood, of exchanges that succeed.
    seconds: &'a str,
    is_connected: bool,
    /// The HTTP status.
    status: &'a str,
    /// How OpenSSL verified the certificate.
    verified: &'a str,
    word: &'a str,
}

impl<'a> Line<'a> {
    fn read(text: &'a str) -> Option<(usize, Self)> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let [number, code, seconds, port, status, verified, word] = fields[..] else { return None };
        let is_connected = port != "0";
        Some((number.parse().ok()?, Self { code: code.parse().ok()?, seconds, is_connected, status, verified, word }))
    }

    fn outcome(&self, target: Target) -> Outcome {
        let says = |words: &str| Outcome::Failed(words.to_owned());
        match (self.code, target) {
            (126 | 127, _) => Outcome::NotRun("curl cannot be run".to_owned(), false),
            (6, _) => Outcome::NameNotResolved,
            (7, _) if self.word == "refused" => Outcome::Refused,
            (7, _) if self.word == "unreachable" => Outcome::NoRoute,
            (7, _) => says("no connection was made"),
            (28, _) if !self.is_connected => Outcome::TimedOut,
            // Who passes connections on without looking into them says nothing to a stranger.
            (_, Target::Gateway) if self.is_connected => Outcome::Reached(self.milliseconds()),
            (0, Target::ApiServer) if matches!(self.status.as_bytes(), [b'1'..=b'4', _, _]) => Outcome::Reached(self.milliseconds()),
            (0, _) => Outcome::NotReady(self.status.to_owned()),
            (28, Target::ApiServer) => says("it takes the connection, and gives no answer in time"),
            (35, _) => says("no TLS connection was made"),
            (51 | 60, _) if self.word == "name" => Outcome::TlsName,
            (51 | 60, _) => Outcome::TlsAuthority(self.distrust()),
            (code, _) => Outcome::Failed(format!("curl ended with exit code {code}")),
        }
    }

    fn milliseconds(&self) -> Option<u64> {
        let (seconds, parts) = self.seconds.split_once('.')?;
        let (seconds, parts) = (seconds.parse::<u64>().ok()?, parts.get(..3)?.parse::<u64>().ok()?);
        let milliseconds = seconds.checked_mul(1000)?.checked_add(parts)?;
        // Of what broke off after the connection stood curl says 0.
        (self.code == 0).then_some(milliseconds)
    }

    fn distrust(&self) -> String {
        match self.verified {
            "9" => "the certificate is not valid yet".to_owned(),
            "10" => "the certificate has expired".to_owned(),
            code => format!("the certificate is not of the authority that is known (verification ends with {code})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_says_what_came_of_a_way() {
        let says = |words: &str| Outcome::Failed(words.to_owned());
        let distrust = |why: &str| Outcome::TlsAuthority(why.to_owned());
        let unknown = "the certificate is not of the authority that is known (verification ends with 20)";
        let rows = [
            ("0 0.012345 40000 200 0 -", Outcome::Reached(Some(12)), Outcome::Reached(Some(12))),
            ("0 1.500000 40000 401 0 -", Outcome::Reached(Some(1500)), Outcome::Reached(Some(1500))),
            ("0 0.001000 40000 503 0 -", Outcome::NotReady("503".to_owned()), Outcome::Reached(Some(1))),
            ("6 0.000000 0 000 0 -", Outcome::NameNotResolved, Outcome::NameNotResolved),
            ("7 0.000000 0 000 0 refused", Outcome::Refused, Outcome::Refused),
            ("7 0.000000 0 000 0 unreachable", Outcome::NoRoute, Outcome::NoRoute),
            ("7 0.000000 0 000 0 -", says("no connection was made"), says("no connection was made")),
            ("28 0.000000 0 000 0 -", Outcome::TimedOut, Outcome::TimedOut),
            ("28 0.000000 40000 000 1 -", says("it takes the connection, and gives no answer in time"), Outcome::Reached(None)),
            ("35 0.000000 40000 000 1 -", says("no TLS connection was made"), Outcome::Reached(None)),
            ("60 0.000000 40000 000 1 name", Outcome::TlsName, Outcome::Reached(None)),
            ("60 0.000000 40000 000 10 -", distrust("the certificate has expired"), Outcome::Reached(None)),
            ("60 0.000000 40000 000 20 -", distrust(unknown), Outcome::Reached(None)),
            (
                "127 0 0 000 0 -",
                Outcome::NotRun("curl cannot be run".to_owned(), false),
                Outcome::NotRun("curl cannot be run".to_owned(), false),
            ),
            ("3 0.000000 0 000 0 -", says("curl ended with exit code 3"), says("curl ended with exit code 3")),
            (
                "not one",
                Outcome::NotRun("nothing was said of it".to_owned(), false),
                Outcome::NotRun("nothing was said of it".to_owned(), false),
            ),
        ];
        for (line, server, gateway) in rows {
            for (target, expected) in [(Target::ApiServer, server), (Target::Gateway, gateway)] {
                let way = Way { to: "c".to_owned(), target, address: String::new(), url: String::new() };
                assert_eq!(outcomes(&format!("0 {line}\n"), &[way]), [expected], "{line} {target:?}");
            }
        }
    }
}
