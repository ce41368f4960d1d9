//! `data.dns_lookup`: what one name server says of names.

use crate::arguments::{limit, port, port_problem, timeout_problem};
use crate::client::{Outcome, Sort, Transport, ask, is_name};
use engine::question::Answer;
use engine::schema::{Attribute, Kind, Problem, Schema};
use engine::value::{Data, Entry, Mapping, MappingKind, Sequence, SequenceKind, Type, Value};
use futures::stream::{self, StreamExt as _};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The port of name servers.
const PORT: u16 = 53;
/// How long an answer is waited for, as the language writes it.
const PATIENCE: &str = "5s";
/// Questions that wait for their answers at the same time.
const AT_ONCE: usize = 16;

/// `data.dns_lookup`.
pub(crate) struct LookupKind {
    schema: Schema,
}

impl Default for LookupKind {
    fn default() -> Self {
        let status = "How each question ended, by name and type. `NOERROR`: with addresses; `NODATA`: the name is there and has none of the type; \
            `NXDOMAIN`: there is no such name; `REFUSED`, `SERVFAIL` and others as the server says them; `TIMEOUT`: no answer came; \
            `UNREACHABLE`: nobody listens there.";
        let texts = || Type::set(Type::String);
        let attributes = vec![
            Attribute::required("server", Type::String, "Address of the name server. No other is asked, and no file of the machine."),
            Attribute::optional("port", Type::Number, "Its port.").default(Value::number(u64::from(PORT))),
            Attribute::required("names", texts(), "The names to ask for, whole: no domain is added to them."),
            Attribute::optional("types", texts(), "What to ask for: `A`, `AAAA`, or without it both."),
            Attribute::optional(
                "transport",
                Type::String,
                "`udp`, where an answer that does not fit is fetched over TCP as resolvers do, or `tcp`.",
            )
            .default(Value::string("udp")),
            Attribute::optional(
                "timeout",
                Type::String,
                "How long an answer is waited for; a server that does not listen yet is asked again.",
            )
            .default(Value::string(PATIENCE)),
            Attribute::computed(
                "addresses",
                Type::map(Type::list(Type::String)),
                "By name its addresses, sorted, IPv4 first; empty where there are none.",
            ),
            Attribute::computed("status", Type::map(Type::map(Type::String)), status),
        ];
        let doc = "What a name server answers, asked as any resolver asks it. A question without an answer is no error: `status` tells, and the check \
            that asked fails by its own condition.";
        let schema = Schema { kind: "dns_lookup", doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema }
    }
}

impl Kind for LookupKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn probes(&self) -> bool {
        true
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(arguments.text("server").and_then(server_problem));
        problems.extend(port_problem(arguments));
        for name in texts(arguments, "names").filter(|name| !is_name(name)) {
            let detail = format!("`{name}` is no name that a name server could be asked for");
            problems.push(
                Problem::with("names", "invalid name", detail).help("Write names such as `www.mesh.test`, without spaces or a scheme."),
            );
        }
        for sort in texts(arguments, "types").filter(|sort| Sort::ALL.iter().all(|known| known.word() != *sort)) {
            let detail = format!("`{sort}` is not looked up; the types with addresses are `A` and `AAAA`");
            problems.push(Problem::with("types", "unknown record type", detail).help("Write some of these."));
        }
        if let Some(transport) = arguments.text("transport").filter(|text| !["udp", "tcp"].contains(text)) {
            let detail = format!("`transport` is `udp` or `tcp`, and not `{transport}`");
            problems.push(Problem::with("transport", "unknown transport", detail).help("Write one of these."));
        }
        problems.extend(timeout_problem(arguments));
        problems
    }
}

fn server_problem(text: &str) -> Option<Problem> {
    let detail = format!("`{text}` is no address, and to find one for it another name server would have to be asked");
    let help = "Write an address such as `10.2.1.39`, without a port; that is what `port` is for.";
    text.parse::<IpAddr>().err().map(|_| Problem::with("server", "invalid server", detail).help(help))
}

/// The known texts of a set.
fn texts<'a>(arguments: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    arguments.get(name).map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str)
}

/// The questions of one lookup, all to one server.
struct Lookup {
    server: SocketAddr,
    transport: Transport,
    limit: Duration,
    questions: Vec<(String, Sort)>,
}

impl Lookup {
    /// As the arguments say, which were found to be right.
    fn of(arguments: &Value) -> Option<Self> {
        let address: IpAddr = arguments.text("server")?.parse().ok()?;
        let port = port(arguments).unwrap_or(PORT);
        let transport = if arguments.text("transport") == Some("tcp") { Transport::Tcp } else { Transport::Udp };
        let wanted: Vec<_> = texts(arguments, "types").collect();
        let sorts = Sort::ALL.into_iter().filter(|sort| wanted.is_empty() || wanted.contains(&sort.word()));
        let of_name = |name: &str| sorts.clone().map(|sort| (name.to_owned(), sort)).collect::<Vec<_>>();
        let questions = texts(arguments, "names").flat_map(of_name).collect();
        Some(Self { server: SocketAddr::new(address, port), transport, limit: limit(arguments, PATIENCE), questions })
    }

    async fn outcomes(self) -> Vec<(String, Sort, Outcome)> {
        let Self { server, transport, limit, questions } = self;
        let asked = questions.into_iter().map(|(name, sort)| async move {
            let outcome = ask((server, transport), &name, sort, limit).await;
            (name, sort, outcome)
        });
        stream::iter(asked).buffered(AT_ONCE).collect().await
    }
}

impl LookupKind {
    /// What the server says.
    pub(crate) async fn answer(&self, arguments: &Value) -> Answer {
        match Lookup::of(arguments) {
            Some(lookup) => Answer::Present(told(lookup.outcomes().await)),
            None => Answer::Unreachable("its arguments are not whole".into()),
        }
    }
}

fn told(outcomes: Vec<(String, Sort, Outcome)>) -> Value {
    let mut names: BTreeMap<String, (Vec<IpAddr>, Vec<Entry>)> = BTreeMap::new();
    for (name, sort, outcome) in outcomes {
        let (addresses, statuses) = names.entry(name).or_default();
        statuses.push(Entry::new(sort.word(), Value::string(outcome.word())));
        if let Outcome::Found(found) = outcome {
            addresses.extend(found);
        }
    }
    let (mut addresses, mut status) = (Vec::new(), Vec::new());
    for (name, (mut found, statuses)) in names {
        found.sort_unstable();
        found.dedup();
        let items = found.into_iter().map(|address| Value::string(address.to_string())).collect();
        let list = Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::List(Type::String), items))));
        addresses.push(Entry::new(name.as_str(), list));
        status.push(Entry::new(name, map(Type::String, statuses)));
    }
    let addresses = map(Type::list(Type::String), addresses);
    Value::object([("addresses", addresses), ("status", map(Type::map(Type::String), status))])
}

fn map(of: Type, entries: Vec<Entry>) -> Value {
    Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Map(of), entries))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(more: &[(&'static str, Value)]) -> Value {
        let names = || Value::tuple(vec![Value::string("www.mesh.test")]);
        let mut entries = BTreeMap::from([("server", Value::string("10.2.1.39")), ("names", names())]);
        entries.extend(more.iter().cloned());
        Value::object(entries)
    }

    #[test]
    fn arguments_are_judged_before_anybody_is_asked() {
        let list = |text: &str| Value::tuple(vec![Value::string(text)]);
        let rows = [
            ("server", Value::string("fd00::39"), None),
            ("server", Value::string("dns.mesh.test"), Some("invalid server")),
            ("server", Value::string("10.2.1.39:53"), Some("invalid server")),
            ("server", Value::unknown(Type::String), None),
            ("port", Value::number(10053_u64), None),
            ("port", Value::number(0_u64), Some("invalid port")),
            ("port", Value::number(65536_u64), Some("invalid port")),
            ("names", list("www.mesh.test."), None),
            ("names", list("_sip._udp.mesh.test"), None),
            ("names", list(""), Some("invalid name")),
            ("names", list("."), Some("invalid name")),
            ("names", list("a..b"), Some("invalid name")),
            ("names", Value::unknown(Type::set(Type::String)), None),
            ("types", list("AAAA"), None),
            ("types", list("MX"), Some("unknown record type")),
            ("transport", Value::string("tcp"), None),
            ("transport", Value::string("tls"), Some("unknown transport")),
            ("timeout", Value::string("1m"), None),
            ("timeout", Value::string("0s"), Some("invalid timeout")),
            ("timeout", Value::string("5"), Some("invalid timeout")),
            ("timeout", Value::string("24h"), None),
            ("timeout", Value::string("24h1s"), Some("invalid timeout")),
        ];
        for (name, value, expected) in rows {
            let told = LookupKind::default().validate(&arguments(&[(name, value.clone())]));
            assert_eq!(told.iter().map(|problem| &*problem.summary).collect::<Vec<_>>(), Vec::from_iter(expected), "{name} {value:?}");
        }
    }

    #[test]
    fn outcomes_become_addresses_and_statuses_by_name() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let value = told(vec![
            ("b".to_owned(), Sort::A, Outcome::Found(vec![address("10.0.0.10"), address("10.0.0.9"), address("10.0.0.9")])),
            ("b".to_owned(), Sort::Aaaa, Outcome::Found(vec![address("fd00::1")])),
            ("a".to_owned(), Sort::A, Outcome::NoData),
            ("a".to_owned(), Sort::Aaaa, Outcome::Timeout),
        ]);
        let json = value.to_json().unwrap();
        assert_eq!(
            json.to_string(),
            r#"{"addresses":{"a":[],"b":["10.0.0.9","10.0.0.10","fd00::1"]},"status":{"a":{"A":"NODATA","AAAA":"TIMEOUT"},"b":{"A":"NOERROR","AAAA":"NOERROR"}}}"#
        );
    }

    #[test]
    fn only_what_is_wanted_is_asked() {
        let whole = Lookup::of(&arguments(&[])).unwrap();
        assert_eq!((whole.server.to_string(), whole.transport, whole.questions.len()), ("10.2.1.39:53".to_owned(), Transport::Udp, 2));
        let types = Value::tuple(vec![Value::string("AAAA")]);
        let narrow = Lookup::of(&arguments(&[("types", types), ("transport", Value::string("tcp")), ("port", Value::number(54_u64))]));
        let narrow = narrow.unwrap();
        assert_eq!((narrow.server.port(), narrow.transport, narrow.questions[0].1), (54, Transport::Tcp, Sort::Aaaa));
    }
}
