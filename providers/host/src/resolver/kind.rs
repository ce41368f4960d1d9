//! The pure half of `host_resolver`.

use super::settings_file::STUBS;
use engine::schema::{Attribute, Claim, Comparison, Kind, Planned, Preview, Problem, Schema, compare};
use engine::value::{Type, Value};
use std::net::IpAddr;

/// Servers of a `resolv.conf` that programs ask at most.
const MOST: usize = 3;

/// `host_resolver`.
pub(super) struct ResolverKind {
    schema: Schema,
}

impl Default for ResolverKind {
    fn default() -> Self {
        let doc = "Name servers that the machine asks which meshplan runs on, for some domains alone or for all names. Where systemd-resolved resolves \
            them, a file of its own says so, and only names of these domains go there; elsewhere they stand before all others in `/etc/resolv.conf`, \
            and get every question. What else is written there stays, and is all that is left after a destroy.";
        let mechanism = "What resolves names here: `systemd-resolved` or `resolv.conf`.";
        let attributes = vec![
            Attribute::optional("name", Type::String, "What tells it from others on this machine: letters, digits and `-`.")
                .default(Value::string("mesh"))
                .replaces(),
            Attribute::required("nameservers", Type::list(Type::String), "The servers' addresses, in the order in which they are asked."),
            Attribute::required(
                "domains",
                Type::list(Type::String),
                "The domains that they answer for, with all below them; `[\".\"]` is all names.",
            ),
            Attribute::computed("mechanism", Type::String, mechanism),
        ];
        let kind = "host_resolver";
        Self { schema: Schema { kind, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false } }
    }
}

/// The texts of a list.
pub(super) fn texts(arguments: &Value, name: &str) -> Vec<String> {
    let items = arguments.get(name).map(Value::items).unwrap_or_default();
    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// What stands for all names.
pub(super) const ALL: &str = ".";

/// All attributes.
pub(super) fn completed(arguments: &Value, mechanism: Value) -> Value {
    arguments.with_entries([("mechanism", mechanism)])
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn problem_with_server(server: &str) -> Option<Problem> {
    let problem = |summary: &str, detail: String| Problem::with("nameservers", summary, detail);
    match server.parse::<IpAddr>() {
        Err(_) => Some(problem("invalid IP address", format!("`nameservers` are addresses, and `{server}` is none"))),
        Ok(address) if address.is_unspecified() || address.is_multicast() => {
            Some(problem("invalid IP address", format!("no server can have the address `{server}`")))
        }
        Ok(_) if STUBS.contains(&server) => {
            let detail = format!("at `{server}` systemd-resolved itself listens, and would ask itself");
            Some(Problem::with("nameservers", "resolver loop", detail).help("Name the server that is to answer."))
        }
        Ok(_) => None,
    }
}

impl Kind for ResolverKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let servers = texts(arguments, "nameservers");
        let mut problems: Vec<Problem> = servers.iter().filter_map(|server| problem_with_server(server)).collect();
        let listed = arguments.get("nameservers").is_some_and(Value::is_known);
        if listed && !(1..=MOST).contains(&servers.len()) {
            let detail = format!("`nameservers` has {} addresses; programs ask one to {MOST}", servers.len());
            problems.push(Problem::with("nameservers", "invalid value", detail));
        }
        let domains = texts(arguments, "domains");
        for domain in domains.iter().filter(|domain| !is_domain(domain) && *domain != ALL) {
            let detail = format!("`{domain}` is no domain such as `example.com`, without `~` before it and without a dot at its end");
            problems.push(Problem::with("domains", "wrong name", detail));
        }
        let is_all = domains.iter().any(|domain| domain == ALL);
        if arguments.get("domains").is_some_and(Value::is_known) && (domains.is_empty() || is_all && domains.len() > 1) {
            let detail =
                if is_all { "`.` is all names, and `domains` has others beside it" } else { "`domains` is empty: nothing would be asked" };
            problems.push(Problem::with("domains", "invalid value", detail).help("Name the domains, or write `[\".\"]` for all names."));
        }
        let is_plain = |name: &str| (1..=63).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if let Some(name) = arguments.text("name").filter(|name| !is_plain(name)) {
            problems.push(Problem::with(
                "name",
                "wrong name",
                format!("`name` has letters, digits and `-` alone, and `{name}` has others"),
            ));
        }
        problems
    }

    fn identity(&self, arguments: &Value) -> Option<String> {
        Some(format!("resolver {}", arguments.text("name")?))
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let verdict = compare(&self.schema, asked);
        if asked.previewable && !matches!(verdict, Planned::Keep(_)) {
            return Planned::Ask;
        }
        match (verdict, asked.preview) {
            (Planned::Create(attributes), Some(Preview::Accepted(seen))) => {
                Planned::Create(completed(&attributes, seen.get("mechanism").cloned().unwrap_or_else(Value::null)))
            }
            (verdict, _) => verdict,
        }
    }

    /// No more than its name, which is its identity; the machine is looked at once that is known.
    fn claims(&self, arguments: &Value) -> Option<Vec<Claim>> {
        arguments.get("name").is_none_or(Value::is_known).then(Vec::new)
    }

    fn remarks(&self, preview: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(lacking) = preview.text("rights") {
            let detail = format!("an apply cannot change who is asked for names: {lacking}");
            problems.push(Problem::new("missing rights", detail).help("Apply as root, or let `provider \"host\"` become root.").warning());
        }
        if preview.get("undivided").and_then(Value::as_bool) == Some(true) {
            let detail = "this machine has no systemd-resolved: programs ask the first server of `/etc/resolv.conf` for every name, whatever `domains` says";
            let help = "Let the server forward what it does not answer itself.";
            problems.push(Problem::new("servers get every question", detail).help(help).warning());
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_ask_is_told() {
        let list = |texts: &[&str]| Value::tuple(texts.iter().map(|text| Value::string(*text)).collect());
        let rows: [(&str, &[&str], &[&str], &str); 13] = [
            ("mesh", &["10.2.1.39"], &["istio-cls1.com", "a_b.test"], ""),
            ("mesh", &["10.2.1.39", "fd00::39"], &["."], ""),
            ("mesh", &["10.2.1.39"], &[], "invalid value"),
            ("mesh", &["10.2.1.39"], &[".", "a.test"], "invalid value"),
            ("mesh", &[], &["."], "invalid value"),
            ("mesh", &["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"], &["."], "invalid value"),
            ("mesh", &["dns.example"], &["."], "invalid IP address"),
            ("mesh", &["0.0.0.0"], &["."], "invalid IP address"),
            ("mesh", &["127.0.0.53"], &["."], "resolver loop"),
            ("mesh", &["10.2.1.39"], &["~a.test"], "wrong name"),
            ("mesh", &["10.2.1.39"], &["a.test."], "wrong name"),
            ("mesh", &["10.2.1.39"], &["a test"], "wrong name"),
            ("a/b", &["10.2.1.39"], &["."], "wrong name"),
        ];
        for (name, servers, domains, expected) in rows {
            let arguments = Value::object([("name", Value::string(name)), ("nameservers", list(servers)), ("domains", list(domains))]);
            let told: Vec<_> = ResolverKind::default().validate(&arguments).into_iter().map(|problem| problem.summary).collect();
            assert_eq!(told.join(" "), expected, "{servers:?} {domains:?}");
        }
        let unknown = Value::object([("nameservers", Value::unknown(Type::list(Type::String)))]);
        assert!(ResolverKind::default().validate(&unknown).is_empty());
    }
}
