//! `address_ranges`: disjoint ranges of a network's addresses, one for each name, which stay with their names.
//!
//! A function would number the names, and move all behind one that goes. This remembers: what a name has it keeps, a new name gets
//! the lowest range that is free, and what a name leaves is free again. All of it follows from record and arguments, so that a plan knows it.

mod carve;

use crate::data::taken;
use crate::span::Span;
use carve::Network;
use engine::port::{Done, Failure, Request};
use engine::schema::{Attribute, Comparison, Drift, Kind, Planned, Problem, Schema, compare};
use engine::value::{Data, Entry, Mapping, MappingKind, Type, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The kind's name.
pub(crate) const NAME: &str = "address_ranges";
const RANGES: &str = "ranges";
const CIDRS: &str = "cidrs";

/// The pure half, which is all of it.
pub(crate) struct RangesKind {
    schema: Schema,
}

impl Default for RangesKind {
    fn default() -> Self {
        let ip_range = "The part of `subnet` whose addresses whoever runs the network hands out, such as `ip_range` of a `docker_network`: ranges \
            lie outside of it. Without it they lie in the last /20 of an IPv4 network, which Engines come to last.";
        let prefix_length = "Size of new ranges, as a prefix length. Without it 24, or 112 for IPv6; longer in small networks. Ranges that names have \
            already keep their size.";
        let taken = "Addresses, ranges `first-last` and CIDRs that are in use otherwise: gateways, containers, addresses of API servers.";
        let given =
            "Ranges `first-last` that names have by choice, in place of one that is carved, such as those of a mesh that is there already.";
        let ranges = "The range of each name, as `first-last`. IPv4 ranges begin and end with no address in `.0` or `.255`.";
        let attributes = vec![
            Attribute::required("subnet", Type::String, "All addresses of the network, as a CIDR.").replaces(),
            Attribute::optional("ip_range", Type::String, ip_range),
            Attribute::required("names", Type::set(Type::String), "Whose ranges they are, such as the names of clusters."),
            Attribute::optional("prefix_length", Type::Number, prefix_length),
            Attribute::optional("taken", Type::set(Type::String), taken),
            Attribute::optional("given", Type::map(Type::String), given),
            Attribute::computed(RANGES, Type::map(Type::String), ranges),
            Attribute::computed(CIDRS, Type::map(Type::String), "For each name the smallest network that holds its range, as a CIDR."),
        ];
        let doc = "Disjoint ranges of a network's addresses, one for each name, such as one for the load balancers of each cluster. Names keep theirs \
            when others come and go. It stands in the state alone: no address is taken, and nothing outside is asked.";
        let schema = Schema { kind: NAME, doc, version: 1, attributes, classes: &[], place: None, outside: false, settles: false };
        Self { schema }
    }
}

impl Kind for RangesKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        read(arguments).err().into_iter().collect()
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let planned = compare(&self.schema, Comparison { observed: None, ..asked });
        let prior = asked.prior.map(|record| &record.attributes).filter(|_| !matches!(planned, Planned::Replace { .. }));
        let (ranges, cidrs) = match found(asked.desired, prior) {
            Ok(found) => found,
            Err(problem) => return Planned::Refused(problem),
        };
        let with = |attributes: Value| attributes.with_entries([(RANGES, ranges.clone()), (CIDRS, cidrs.clone())]);
        match planned {
            Planned::Create(attributes) => Planned::Create(with(attributes)),
            Planned::Replace { attributes, because } => Planned::Replace { attributes: with(attributes), because },
            Planned::Update { attributes, changed, drifted } => Planned::Update { attributes: with(attributes), changed, drifted },
            Planned::Keep(attributes) if taken(&attributes, RANGES) == ranges => Planned::Keep(attributes),
            Planned::Keep(attributes) => {
                Planned::Update { attributes: with(attributes), changed: vec![RANGES.to_owned()], drifted: Drift::default() }
            }
            other => other,
        }
    }
}

/// The effect of creating and updating: what was planned, now that all is known.
pub(crate) fn carved(request: &Request) -> Result<Done, Failure> {
    let prior = request.prior.as_ref().map(|record| &record.attributes);
    let (ranges, cidrs) = found(&request.arguments, prior).map_err(|problem| Failure::new(problem.summary, problem.detail))?;
    Ok(Done::new(request.arguments.with_entries([(RANGES, ranges), (CIDRS, cidrs)])))
}

/// `ranges` and `cidrs`, unknown as far as arguments are that they hang on.
fn found(arguments: &Value, prior: Option<&Value>) -> Result<(Value, Value), Problem> {
    let unknown = || Value::unknown(Type::map(Type::String));
    let Some((network, mut names)) = read(arguments)? else { return Ok((unknown(), unknown())) };
    let mut earlier = spans(prior, RANGES)?;
    let given = spans(Some(arguments), "given")?;
    names.extend(given.keys().cloned());
    earlier.extend(given);
    let ranges = network.carve(&names, &earlier)?;
    Ok((map(&ranges, ToString::to_string), map(&ranges, |span| span.cidr())))
}

fn map(ranges: &BTreeMap<String, Span>, shown: impl Fn(&Span) -> String) -> Value {
    let entries = ranges.iter().map(|(name, span)| Entry::new(name.as_str(), Value::string(shown(span)))).collect();
    Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Map(Type::String), entries))))
}

/// The ranges that an attribute has, by name.
fn spans(attributes: Option<&Value>, name: &str) -> Result<BTreeMap<String, Span>, Problem> {
    let entries = attributes.and_then(|attributes| attributes.present(name)).map(Value::entries).unwrap_or_default();
    let read = |entry: &Entry| Ok((entry.key.to_string(), span(name, entry.value.as_str().unwrap_or_default())?));
    entries.iter().map(read).collect()
}

fn span(name: &str, text: &str) -> Result<Span, Problem> {
    Span::parse(text).map_err(|why| Problem::with(name, "invalid address range", format!("`{name}`: {why}")))
}

/// The network and the names that arguments write, once all of them are known.
fn read(arguments: &Value) -> Result<Option<(Network, BTreeSet<String>)>, Problem> {
    let subnet = arguments.text("subnet").map(subnet).transpose()?;
    let handed_out = arguments.text("ip_range").map(|text| span("ip_range", text)).transpose()?;
    let texts = |name: &str| arguments.present(name).map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str);
    let taken = texts("taken").map(|text| span("taken", text)).collect::<Result<Vec<_>, _>>()?;
    if !is_open(arguments, "given") {
        spans(Some(arguments), "given")?;
    }
    let prefix_length = match arguments.present("prefix_length").filter(|length| length.is_known()) {
        None => None,
        Some(length) => {
            Some(length.as_u64().and_then(|length| u32::try_from(length).ok()).filter(|length| *length <= 128).ok_or_else(|| {
                Problem::with("prefix_length", "invalid prefix length", "`prefix_length` is a whole number up to 32, or 128 for IPv6")
            })?)
        }
    };
    if let (Some(subnet), Some(part)) = (subnet, handed_out.filter(|part| subnet.is_some_and(|subnet| !subnet.holds(*part)))) {
        let detail = format!("`ip_range`: `{part}` does not lie in `subnet`, `{}`", subnet.cidr());
        return Err(Problem::with("ip_range", "invalid address range", detail));
    }
    let is_told = ["subnet", "ip_range", "names", "prefix_length", "taken", "given"].iter().all(|name| !is_open(arguments, name));
    let names = texts("names").map(str::to_owned).collect();
    Ok(subnet.filter(|_| is_told).map(|subnet| (Network { subnet, handed_out, taken, prefix_length }, names)))
}

fn is_open(arguments: &Value, name: &str) -> bool {
    arguments.get(name).is_some_and(|value| !value.is_known())
}

fn subnet(text: &str) -> Result<Span, Problem> {
    Span::network(text).map_err(|why| Problem::with("subnet", "invalid address range", format!("`subnet`: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::StateAlone;
    use engine::address::Address;
    use engine::port::{Activity, Provider as _};
    use engine::state::{Record, RecordId};
    use serde_json::{Value as Json, json};
    use std::task::{Context, Poll, Waker};

    fn arguments(changes: &Json) -> Value {
        let mut all = json!({ "subnet": "172.30.0.0/16", "ip_range": "172.30.0.0/17", "names": ["a", "b"], "prefix_length": null, "taken": null, "given": null });
        for (name, value) in changes.as_object().unwrap() {
            all[name] = value.clone();
        }
        Value::from_json(&all)
    }

    fn planned(desired: &Value, prior: Option<&Record>) -> Planned {
        let asked = Comparison { desired, prior, observed: None, preview: None, previewable: false, secret_key: &[] };
        RangesKind::default().planned(asked)
    }

    /// The record that an effect leaves.
    fn made(arguments: &Value, prior: Option<&Record>) -> Result<Record, Failure> {
        let request = Request {
            address: Address::managed(NAME, "x"),
            kind: NAME.into(),
            id: RecordId::new("r-1"),
            place: None,
            arguments: arguments.clone(),
            prior: prior.cloned(),
            timeout: None,
            now: 0,
            secret_key: Arc::from([]),
            activity: Activity::default(),
        };
        let provider = StateAlone::default();
        let mut future = if prior.is_some() { provider.update(request) } else { provider.create(request) };
        let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("nothing outside is waited for")
        };
        Ok(Record { attributes: done?.attributes, ..Record::new(RecordId::new("r-1"), NAME) })
    }

    fn json_of(attributes: &Value, name: &str) -> Json {
        attributes.get(name).unwrap().to_json().unwrap_or_else(|_| json!("unknown"))
    }

    #[test]
    fn a_plan_knows_what_an_apply_makes() {
        let desired = arguments(&json!({}));
        let Planned::Create(attributes) = planned(&desired, None) else { panic!("no create") };
        let record = made(&desired, None).unwrap();
        assert_eq!(json_of(&attributes, RANGES), json!({ "a": "172.30.128.1-172.30.128.254", "b": "172.30.129.1-172.30.129.254" }));
        assert_eq!(json_of(&attributes, CIDRS), json!({ "a": "172.30.128.0/24", "b": "172.30.129.0/24" }));
        assert_eq!((attributes.get(RANGES), attributes.get(CIDRS)), (record.attributes.get(RANGES), record.attributes.get(CIDRS)));
    }

    #[test]
    fn what_becomes_of_ranges_follows_from_what_changed() {
        let first = made(&arguments(&json!({ "names": ["a", "b", "c"] })), None).unwrap();
        let (a, c) = ("172.30.128.1-172.30.128.254", "172.30.130.1-172.30.130.254");
        let all = json!({ "a": a, "b": "172.30.129.1-172.30.129.254", "c": c });
        for (changes, expected, ranges) in [
            (json!({ "names": ["a", "b", "c"] }), "keep", all.clone()),
            (json!({ "names": ["a", "c"] }), "update names", json!({ "a": a, "c": c })),
            (json!({ "names": ["c", "z"] }), "update names", json!({ "c": c, "z": a })),
            (json!({ "names": ["a", "b", "c"], "prefix_length": 28 }), "update prefix_length", all.clone()),
            (json!({ "names": ["a", "b", "c"], "taken": ["172.30.0.1"] }), "update taken", all.clone()),
            (
                json!({ "names": ["a", "c"], "given": { "a": "172.30.200.7-172.30.200.9" } }),
                "update names given",
                json!({ "a": "172.30.200.7-172.30.200.9", "c": c }),
            ),
            (
                json!({ "names": ["a"], "subnet": "172.31.0.0/16", "ip_range": null }),
                "replace subnet",
                json!({ "a": "172.31.240.1-172.31.240.254" }),
            ),
            (json!({ "names": ["a", "b"], "taken": ["172.30.128.7"] }), "range in use", Json::Null),
            (json!({ "names": ["a", "b"], "ip_range": "172.30.0.0/16" }), "range in use", Json::Null),
        ] {
            let desired = arguments(&changes);
            let (seen, attributes) = match planned(&desired, Some(&first)) {
                Planned::Keep(attributes) => ("keep".to_owned(), attributes),
                Planned::Update { attributes, changed, .. } => (format!("update {}", changed.join(" ")), attributes),
                Planned::Replace { attributes, because } => (format!("replace {}", because.join(" ")), attributes),
                Planned::Refused(problem) => (problem.summary, Value::object([(RANGES, Value::null())])),
                other => panic!("{other:?}"),
            };
            assert_eq!((seen.as_str(), json_of(&attributes, RANGES)), (expected, ranges.clone()), "{changes}");
            // A replaced one is made without its predecessor.
            let made = made(&desired, (!expected.starts_with("replace")).then_some(&first));
            assert_eq!(made.map(|made| json_of(&made.attributes, RANGES)).unwrap_or_default(), ranges, "{changes}");
        }
    }

    #[test]
    fn what_is_not_known_yet_makes_ranges_unknown() {
        for name in ["subnet", "ip_range", "prefix_length"] {
            let ty = if name == "prefix_length" { Type::Number } else { Type::String };
            let desired = arguments(&json!({})).with_entries([(name, Value::unknown(ty))]);
            assert_eq!(RangesKind::default().validate(&desired), []);
            let Planned::Create(attributes) = planned(&desired, None) else { panic!("no create") };
            assert_eq!(json_of(&attributes, RANGES), json!("unknown"), "{name}");
        }
    }

    #[test]
    fn arguments_that_are_no_addresses_are_told() {
        for (changes, told) in [
            (json!({ "subnet": "172.30.0.0" }), "`subnet`: `172.30.0.0` is no CIDR such as `172.30.0.0/16`"),
            (
                json!({ "subnet": "172.30.0.1/16" }),
                "`subnet`: `172.30.0.1/16` has bits set after the prefix; the network is `172.30.0.0/16`",
            ),
            (json!({ "ip_range": "172.31.0.0/17" }), "`ip_range`: `172.31.0.0-172.31.127.255` does not lie in `subnet`, `172.30.0.0/16`"),
            (json!({ "taken": ["x"] }), "`taken`: `x` is no IP address"),
            (json!({ "given": { "a": "172.30.0.9-172.30.0.1" } }), "`given`: `172.30.0.9` comes after `172.30.0.1`"),
            (json!({ "prefix_length": 24.5 }), "`prefix_length` is a whole number up to 32, or 128 for IPv6"),
            (json!({}), ""),
        ] {
            let problems = RangesKind::default().validate(&arguments(&changes));
            assert_eq!(problems.first().map_or("", |problem| problem.detail.as_str()), told, "{changes}");
        }
    }
}
