//! Where a machine keeps whom it asks for names: a file of systemd-resolved's own directory, or a part of `resolv.conf`.

use crate::file::disk::{self, Previous, Removal, There, Writing, look};
use engine::port::Failure;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// What programs read that resolve names by themselves.
pub(super) const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Where systemd-resolved keeps what it makes, while it runs.
pub(super) const RESOLVED: &str = "/run/systemd/resolve";

/// Where an administrator tells systemd-resolved more.
const DROP_INS: &str = "/etc/systemd/resolved.conf.d";

/// Where systemd-resolved listens itself.
pub(super) const STUBS: [&str; 2] = ["127.0.0.53", "127.0.0.54"];

/// The way names are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// By systemd-resolved, which asks servers by domain.
    Resolved,
    /// By each program, which asks one server after the other.
    ResolvConf,
}

/// Who is asked, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Served {
    /// The servers' addresses, in the order in which they are asked.
    pub(crate) nameservers: Vec<String>,
    /// The domains that they are asked for; none is all.
    pub(crate) domains: Vec<String>,
}

impl Mechanism {
    /// As the attribute `mechanism` calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Resolved => "systemd-resolved",
            Self::ResolvConf => "resolv.conf",
        }
    }

    /// The mechanism of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Resolved, Self::ResolvConf].into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// The file that is written.
    pub(super) fn file(self, name: &str) -> PathBuf {
        match self {
            Self::Resolved => drop_in_path(name),
            Self::ResolvConf => RESOLV_CONF.into(),
        }
    }

    /// What is there under a name.
    pub(super) fn read(self, name: &str) -> io::Result<Option<Served>> {
        let text = match look(&self.file(name))? {
            There::File(text, _) => text,
            There::Nothing | There::Other(_) => return Ok(None),
        };
        Ok(match self {
            Self::Resolved => Some(of_drop_in(&text)),
            Self::ResolvConf => parts(&text, name).map(|(_, part, _)| of_part(part)),
        })
    }
}

/// Whether a `resolv.conf` sends programs to systemd-resolved.
pub(super) fn asks_resolved(text: &str) -> bool {
    nameservers(text).any(|server| STUBS.contains(&server))
}

fn nameservers(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix("nameserver")?.split_whitespace().next())
}

fn drop_in_path(name: &str) -> PathBuf {
    Path::new(DROP_INS).join(format!("meshplan-{name}.conf"))
}

/// The file that tells systemd-resolved of them.
pub(super) fn drop_in(name: &str, served: &Served) -> Writing {
    let (path, text) = (drop_in_path(name), drop_in_text(served));
    Writing { path, text, mode: 0o644, owner: None, group: None, previous: Previous::Ours }
}

/// The end of that file.
pub(super) fn no_drop_in(name: &str) -> Removal {
    Removal { path: drop_in_path(name), backup: None, within: Some("/etc/systemd".into()) }
}

/// `~` before a domain makes it one that questions are sent by, and no ending that names are tried with.
fn drop_in_text(served: &Served) -> String {
    let all = [".".to_owned()];
    let domains = if served.domains.is_empty() { &all[..] } else { &served.domains };
    let routes: Vec<_> = domains.iter().map(|domain| format!("~{domain}")).collect();
    let head = "# Written by meshplan, which writes it again when it is edited.\n[Resolve]";
    format!("{head}\nDNS={}\nDomains={}\n", served.nameservers.join(" "), routes.join(" "))
}

fn of_drop_in(text: &str) -> Served {
    let words = |key: &str| {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix(key)?.trim_start().strip_prefix('='));
        lines.flat_map(str::split_whitespace).map(str::to_owned).collect::<Vec<_>>()
    };
    let domains = words("Domains").into_iter().map(|domain| domain.strip_prefix('~').map_or(domain.clone(), str::to_owned));
    Served { nameservers: words("DNS"), domains: domains.filter(|domain| domain != ".").collect() }
}

fn marks(name: &str) -> (String, String) {
    (format!("# begin meshplan {name}\n"), format!("# end meshplan {name}\n"))
}

/// A `resolv.conf` as what is before our part, our part without its marks, and what is after it.
fn parts<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str, &'t str)> {
    let (begin, end) = marks(name);
    let (before, rest) = text.split_once(&begin)?;
    let (part, after) = rest.split_once(&end)?;
    Some((before, part, after))
}

fn of_part(part: &str) -> Served {
    let domains = part.lines().find_map(|line| line.strip_prefix("# for ")).unwrap_or_default();
    Served { nameservers: nameservers(part).map(str::to_owned).collect(), domains: domains.split_whitespace().map(str::to_owned).collect() }
}

/// A `resolv.conf` with our part before all else, because programs ask in that order; without one, exactly what else was in it.
fn edited(text: &str, name: &str, served: Option<&Served>) -> String {
    let rest = match parts(text, name) {
        Some((before, _, after)) => format!("{before}{after}"),
        None => text.to_owned(),
    };
    let Some(served) = served else { return rest };
    let (begin, end) = marks(name);
    let domains = if served.domains.is_empty() { String::new() } else { format!("# for {}\n", served.domains.join(" ")) };
    let servers: Vec<_> = served.nameservers.iter().map(|server| format!("nameserver {server}\n")).collect();
    format!("{begin}{domains}{}{end}{rest}", servers.concat())
}

/// Writes our part of `resolv.conf`, or takes it out.
///
/// Errors: it is no file, or cannot be written.
pub(crate) fn edit(name: &str, served: Option<&Served>) -> Result<(), Failure> {
    let path = Path::new(RESOLV_CONF);
    let (text, there) = match look(path) {
        Ok(There::File(text, metadata)) => (text, Some(metadata)),
        Ok(There::Nothing) if served.is_none() => return Ok(()),
        Ok(There::Nothing) => (String::new(), None),
        Ok(There::Other(what)) => return Err(Failure::new("not a file", format!("`{RESOLV_CONF}` is {what}"))),
        Err(error) => return Err(Failure::new("file not written", format!("`{RESOLV_CONF}`: {error}"))),
    };
    let wanted = edited(&text, name, served);
    if wanted == text { Ok(()) } else { disk::rewrite(path, &wanted, there.as_ref()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(nameservers: &str, domains: &str) -> Served {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Served { nameservers: words(nameservers), domains: words(domains) }
    }

    #[test]
    fn what_is_written_for_systemd_is_read_again() {
        for (servers, domains, expected) in [
            ("10.2.1.39", "a.test b.test", "DNS=10.2.1.39\nDomains=~a.test ~b.test\n"),
            ("10.2.1.39 fd00::39", "", "DNS=10.2.1.39 fd00::39\nDomains=~.\n"),
        ] {
            let text = drop_in_text(&served(servers, domains));
            assert!(text.ends_with(expected), "{text}");
            assert_eq!(of_drop_in(&text), served(servers, domains));
        }
        assert_eq!(of_drop_in("[Resolve]\nDNS = 1.1.1.1\n DNS=8.8.8.8\n#DNS=9\nDomains=a.test"), served("1.1.1.1 8.8.8.8", "a.test"));
    }

    #[test]
    fn our_part_of_resolv_conf_comes_first_and_leaves_the_rest_as_it_is() {
        let (ours, other) = (served("10.2.1.39", "a.test"), served("10.2.1.50 10.2.1.51", ""));
        for before in ["", "nameserver 10.2.1.14\n", "search example\noptions ndots:5", "# x\n\nnameserver\t1.1.1.1\r\n"] {
            let with = edited(before, "mesh", Some(&ours));
            assert!(with.starts_with("# begin meshplan mesh\n# for a.test\nnameserver 10.2.1.39\n# end meshplan mesh\n"), "{with}");
            assert_eq!(of_part(parts(&with, "mesh").unwrap().1), ours);
            assert_eq!(edited(&with, "mesh", Some(&ours)), with);
            let changed = edited(&with, "mesh", Some(&other));
            assert_eq!(of_part(parts(&changed, "mesh").unwrap().1), other);
            let both = edited(&changed, "lab", Some(&ours));
            assert_eq!(edited(&edited(&both, "mesh", None), "lab", None), before);
            assert_eq!(edited(before, "mesh", None), before);
        }
    }

    #[test]
    fn who_asks_systemd_is_seen() {
        for (text, expected) in
            [("nameserver 127.0.0.53\noptions edns0\n", true), ("# nameserver 127.0.0.53\nnameserver 10.2.1.14\n", false), ("", false)]
        {
            assert_eq!(asks_resolved(text), expected, "{text}");
        }
        assert_eq!(Mechanism::named("resolv.conf"), Some(Mechanism::ResolvConf));
        assert_eq!(Mechanism::Resolved.file("mesh").to_str(), Some("/etc/systemd/resolved.conf.d/meshplan-mesh.conf"));
    }
}
