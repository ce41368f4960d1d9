//! The pure half of `host_vip`.

use super::assignment::Assignment;
use engine::schema::{Attribute, Comparison, Drift, Kind, Planned, Problem, Schema, compare};
use engine::state::{Operation, Status};
use engine::value::{Type, Value};
use std::net::{IpAddr, Ipv4Addr};

/// Bytes of an interface's name, and of a label.
const LONGEST_NAME: usize = 15;

/// `host_vip`.
pub(super) struct VipKind {
    schema: Schema,
}

impl Default for VipKind {
    fn default() -> Self {
        let doc = "An additional address of a network interface of the machine that meshplan runs on, for what shall listen on an address of its own. The \
            kernel forgets it when the machine starts again, and some network services take it off when they configure the interface: the next \
            apply sets it again, or `persistent` does when the machine starts.";
        let prefix = "Bits of the network: 32 without it, or 128 of an IPv6 address. With fewer the kernel makes a route to the whole network, and an \
            address that comes later than another of the same network hangs on that one; meshplan takes none of them along when it removes one.";
        let attributes = vec![
            Attribute::required("device", Type::String, "The interface, such as `eth0`.").replaces(),
            Attribute::required("address", Type::String, "The address, IPv4 or IPv6, which is nowhere on the machine yet.").replaces(),
            Attribute::optional_computed("prefix_length", Type::Number, prefix).replaces(),
            Attribute::optional("broadcast", Type::String, "The broadcast address; without it there is none. IPv4 alone."),
            Attribute::optional("label", Type::String, "The label, at most 15 bytes, by convention `<device>:<name>`. IPv4 alone."),
            Attribute::optional("persistent", Type::Bool, "Whether a unit of systemd sets it when the machine starts.")
                .default(Value::bool(false)),
            Attribute::computed("id", Type::String, "`<device>/<address>/<prefix length>`, which it is imported by."),
        ];
        let kind = "host_vip";
        Self { schema: Schema { kind, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false } }
    }
}

/// What the arguments ask the kernel for; nothing where they are unknown or wrong.
pub(super) fn assignment(arguments: &Value) -> Option<Assignment> {
    let device = arguments.text("device")?.to_owned();
    let address: IpAddr = arguments.text("address")?.parse().ok()?;
    let given = arguments.get("prefix_length").and_then(Value::as_u64).and_then(|length| u8::try_from(length).ok());
    Some(Assignment {
        prefix_length: given.unwrap_or_else(|| longest(address)),
        broadcast: arguments.text("broadcast").and_then(|text| text.parse().ok()),
        label: arguments.text("label").filter(|label| *label != device).map(str::to_owned),
        device,
        address,
    })
}

fn longest(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// What tells a resource of this kind from all others: an address is set once.
pub(crate) fn identity(address: IpAddr) -> String {
    format!("address {address}")
}

/// The id of an address.
pub(super) fn id(of: &Assignment) -> String {
    format!("{}/{}/{}", of.device, of.address, of.prefix_length)
}

/// All attributes, as far as they follow from the arguments.
pub(super) fn completed(arguments: &Value) -> Value {
    let is_known = ["device", "address", "prefix_length"].iter().all(|name| arguments.get(name).is_none_or(Value::is_known));
    let known = assignment(arguments).filter(|_| is_known);
    let length = match (&known, arguments.present("prefix_length")) {
        (_, Some(length)) => length.clone(),
        (Some(known), None) => Value::number(u64::from(known.prefix_length)),
        (None, None) => Value::unknown(Type::Number),
    };
    let id = known.map_or_else(|| Value::unknown(Type::String), |known| Value::string(id(&known)));
    arguments.with_entries([("prefix_length", length), ("id", id)])
}

/// Attributes with another address.
fn with_address(attributes: &Value, address: Option<&Value>) -> Value {
    let rest = attributes.entries().iter().filter(|entry| &*entry.key != "address").map(|entry| (entry.key.clone(), entry.value.clone()));
    Value::object(rest.chain([("address".into(), address.cloned().unwrap_or_else(Value::null))]))
}

/// What is there where the address is gone, and what sets it when the machine starts is not.
pub(super) fn without_address(attributes: &Value) -> Value {
    with_address(attributes, None)
}

fn wrong(attribute: &str, detail: String) -> Problem {
    Problem::with(attribute, "invalid IP address", detail)
}

fn problem_with_broadcast(arguments: &Value, address: Option<IpAddr>) -> Option<Problem> {
    let text = arguments.text("broadcast")?;
    if text.parse::<Ipv4Addr>().is_err() {
        return Some(wrong("broadcast", format!("`broadcast` is an IPv4 address, and `{text}` is none")));
    }
    address.filter(IpAddr::is_ipv6).map(|_| wrong("broadcast", "IPv6 has no broadcast addresses".to_owned()))
}

fn problem_with_label(arguments: &Value, address: Option<IpAddr>) -> Option<Problem> {
    let label = arguments.text("label")?;
    let invalid = |detail: String| Problem::with("label", "invalid label", detail);
    if label.is_empty() || label.len() > LONGEST_NAME {
        return Some(invalid(format!("`label` has 1 to {LONGEST_NAME} bytes, and `{label}` has {}", label.len())));
    }
    if label.contains(|c: char| c.is_whitespace() || c == '\0') {
        return Some(invalid(format!("`label` holds no white space, and `{label}` does")));
    }
    if address.is_some_and(|address| address.is_ipv6()) {
        return Some(invalid("the addresses of IPv6 have no labels".to_owned()));
    }
    let device = arguments.text("device")?;
    let is_usual = label == device || label.strip_prefix(device).is_some_and(|rest| rest.starts_with(':'));
    let detail = format!("`{label}` does not begin with `{device}:`; `ifconfig` does not show an address with such a label");
    (!is_usual).then(|| Problem::with("label", "unusual label", detail).warning())
}

impl Kind for VipKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        let is_name =
            |name: &str| (1..=LONGEST_NAME).contains(&name.len()) && !name.contains(|c: char| c == '/' || c == '\0' || c.is_whitespace());
        if let Some(device) = arguments.text("device").filter(|device| !is_name(device)) {
            problems.push(Problem::with("device", "unknown device", format!("no interface has a name like `{device}`")));
        }
        let address = match arguments.text("address").map(|text| (text, text.parse::<IpAddr>())) {
            Some((text, Err(_))) => {
                let with_prefix = text.split_once('/').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok());
                let problem = wrong("address", format!("`{text}` is no address"));
                problems.push(if with_prefix { problem.help("Write what follows the `/` as `prefix_length`.") } else { problem });
                None
            }
            Some((text, Ok(address))) if address.is_unspecified() || address.is_multicast() => {
                problems.push(wrong("address", format!("no interface can have the address `{text}`")));
                None
            }
            Some((_, Ok(address))) => Some(address),
            None => None,
        };
        if let (Some(length), Some(address)) = (arguments.present("prefix_length"), address)
            && length.is_known()
            && !length.as_u64().is_some_and(|length| (1..=u64::from(longest(address))).contains(&length))
        {
            let detail = format!("`prefix_length` is a whole number from 1 to {}", longest(address));
            problems.push(Problem::with("prefix_length", "invalid IP address", detail));
        }
        problems.extend(problem_with_broadcast(arguments, address));
        problems.extend(problem_with_label(arguments, address));
        problems
    }

    fn identity(&self, arguments: &Value) -> Option<String> {
        Some(identity(assignment(arguments)?.address))
    }

    fn import(&self, given: &str, arguments: &Value) -> Result<(), Problem> {
        let Some(wanted) = assignment(arguments) else {
            return Err(Problem::new("import not known yet", "its device or address is known only after apply"));
        };
        let own = id(&wanted);
        let detail = format!("`id` names `{given}`, and the configuration describes `{own}`");
        if given == own { Ok(()) } else { Err(Problem::new("id of another object", detail).help("Let both name the same address.")) }
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let desired = completed(asked.desired);
        let remembered = asked.prior.map(|prior| &prior.attributes);
        let is_gone = asked.observed.is_some_and(|found| found.get("address").is_some_and(Value::is_null));
        let rest = asked.observed.filter(|_| is_gone).map(|found| with_address(found, remembered.and_then(|was| was.get("address"))));
        let verdict = match compare(&self.schema, Comparison { desired: &desired, observed: rest.as_ref().or(asked.observed), ..asked }) {
            Planned::Create(_) => Planned::Create(desired),
            // It is set again in place, so that what sets it when the machine starts stays.
            Planned::Keep(_) if is_gone => {
                let mut drifted = Drift::default();
                drifted.paths.push("address".to_owned());
                Planned::Update { attributes: desired, changed: drifted.paths.clone(), drifted }
            }
            Planned::Keep(_) => Planned::Keep(desired),
            Planned::Replace { because, .. } => Planned::Replace { attributes: desired, because },
            Planned::Update { changed, drifted, .. } => {
                let cut_short = asked.prior.is_some_and(|prior| prior.status == Status::Interrupted(Operation::Create));
                if cut_short && !is_gone && changed.iter().any(|name| name != "persistent") {
                    let address = desired.text("address").unwrap_or_default();
                    let detail = format!("`{address}` is there, and otherwise than it was to be set when an apply was cut short");
                    return Planned::Refused(
                        Problem::with("address", "exists, not ours", detail).help("Remove it, or use another address."),
                    );
                }
                Planned::Update { attributes: desired, changed, drifted }
            }
            other => other,
        };
        let needs_nothing = matches!(verdict, Planned::Keep(_) | Planned::Refused(_));
        if asked.previewable && !needs_nothing { Planned::Ask } else { verdict }
    }

    fn remarks(&self, preview: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(lacking) = preview.text("rights") {
            let help = "Apply as root, let `provider \"host\"` become root, or give the program the right with `sudo setcap cap_net_admin+ep <meshplan>`.";
            problems.push(Problem::new("missing rights", format!("an apply cannot set addresses: {lacking}")).help(help).warning());
        }
        if let Some(device) = preview.text("down") {
            let detail = format!("`{device}` is switched off: an address on it can be listened on, and nobody reaches it from outside");
            problems.push(Problem::new("interface is down", detail).help(format!("Run `sudo ip link set {device} up`.")).warning());
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::state::{Record, RecordId};

    fn vip(changes: &[(&'static str, Value)]) -> Value {
        let usual = [
            ("device", Value::string("eth0")),
            ("address", Value::string("10.2.1.40")),
            ("prefix_length", Value::null()),
            ("broadcast", Value::null()),
            ("label", Value::null()),
            ("persistent", Value::bool(false)),
        ];
        Value::object(usual.into_iter().map(|(name, value)| {
            let given = changes.iter().find(|(given, _)| *given == name);
            (name, given.map_or(value, |(_, value)| value.clone()))
        }))
    }

    fn text(text: &str) -> Value {
        Value::string(text)
    }

    #[test]
    fn what_no_interface_can_have_is_told() {
        let six = ("address", text("fd00::40"));
        let rows: Vec<(Value, &str)> = vec![
            (vip(&[]), ""),
            (vip(&[six.clone(), ("prefix_length", Value::number(64))]), ""),
            (vip(&[("prefix_length", Value::number(24)), ("broadcast", text("10.2.1.255")), ("label", text("eth0:1"))]), ""),
            (vip(&[("address", Value::unknown(Type::String)), ("label", Value::unknown(Type::String))]), ""),
            (vip(&[("label", text("eth0"))]), ""),
            (vip(&[("device", text("a name of many words"))]), "unknown device"),
            (vip(&[("address", text("10.2.1.40/24"))]), "invalid IP address"),
            (vip(&[("address", text("10.2.1"))]), "invalid IP address"),
            (vip(&[("address", text("224.0.0.1"))]), "invalid IP address"),
            (vip(&[("address", text("::"))]), "invalid IP address"),
            (vip(&[("prefix_length", Value::number(33))]), "invalid IP address"),
            (vip(&[("prefix_length", Value::number(0))]), "invalid IP address"),
            (vip(&[("broadcast", text("all"))]), "invalid IP address"),
            (vip(&[six.clone(), ("broadcast", text("10.2.1.255"))]), "invalid IP address"),
            (vip(&[six, ("label", text("eth0:1"))]), "invalid label"),
            (vip(&[("label", text("eth0:0123456789ab"))]), "invalid label"),
            (vip(&[("label", text("eth0 1"))]), "invalid label"),
            (vip(&[("label", text("vip"))]), "unusual label"),
        ];
        for (arguments, expected) in rows {
            let told: Vec<_> = VipKind::default().validate(&arguments).into_iter().map(|problem| problem.summary).collect();
            assert_eq!(told.join(" "), expected, "{arguments:?}");
        }
    }

    #[test]
    fn what_differs_is_set_anew_and_another_address_is_another_thing() {
        let record = |arguments: &Value| Record { attributes: completed(arguments), ..Record::new(RecordId::new("r-1"), "host_vip") };
        let planned = |desired: &Value, prior: Option<&Record>, observed: Option<&Value>| {
            VipKind::default().planned(Comparison { desired, prior, observed, preview: None, previewable: false, secret_key: &[] })
        };
        let Planned::Create(attributes) = planned(&vip(&[]), None, None) else { panic!("no create") };
        assert_eq!(attributes.text("id"), Some("eth0/10.2.1.40/32"));
        assert!(VipKind::default().import("eth0/10.2.1.40/32", &vip(&[])).is_ok());
        assert!(VipKind::default().import("eth0/10.2.1.40/24", &vip(&[])).is_err());
        let before = record(&vip(&[]));
        let rows: Vec<(Value, Option<Value>, &str)> = vec![
            (vip(&[]), None, "keep"),
            (vip(&[]), Some(completed(&vip(&[]))), "keep"),
            (vip(&[("prefix_length", Value::number(32))]), None, "keep"),
            (vip(&[("label", text("eth0:1"))]), None, "update label"),
            (vip(&[]), Some(completed(&vip(&[("broadcast", text("10.2.1.255"))]))), "drift broadcast"),
            (vip(&[("persistent", Value::bool(true))]), None, "update persistent"),
            (vip(&[("prefix_length", Value::number(24))]), None, "replace prefix_length"),
            (vip(&[("device", text("eth1"))]), None, "replace device"),
            (vip(&[("address", Value::unknown(Type::String))]), None, "replace address prefix_length"),
        ];
        for (desired, observed, expected) in rows {
            let found = match planned(&desired, Some(&before), observed.as_ref()) {
                Planned::Keep(_) => "keep".to_owned(),
                Planned::Update { changed, drifted, .. } if drifted.paths.is_empty() => format!("update {}", changed.join(" ")),
                Planned::Update { drifted, .. } => format!("drift {}", drifted.paths.join(" ")),
                Planned::Replace { because, .. } => format!("replace {}", because.join(" ")),
                other => panic!("{other:?}"),
            };
            assert_eq!(found, expected, "{desired:?}");
        }
        // Gone, but for the unit.
        let left = |desired: &Value, record: &Record| {
            let observed = without_address(&record.attributes);
            match planned(desired, Some(record), Some(&observed)) {
                Planned::Update { changed, drifted, attributes } => {
                    assert_eq!(attributes.text("address"), Some("10.2.1.40"));
                    format!("update {} of {}", changed.join(" "), drifted.paths.join(" "))
                }
                Planned::Replace { because, .. } => format!("replace {}", because.join(" ")),
                other => panic!("{other:?}"),
            }
        };
        let cut = Record { status: Status::Interrupted(Operation::Create), ..before.clone() };
        assert_eq!(left(&vip(&[]), &before), "update address of address");
        assert_eq!(left(&vip(&[]), &cut), "update address of address");
        assert_eq!(left(&vip(&[("label", text("eth0:1"))]), &before), "update label of ");
        assert_eq!(left(&vip(&[("device", text("eth1"))]), &before), "replace device");
        let cut = Record { status: Status::Interrupted(Operation::Create), ..before };
        let other = completed(&vip(&[("label", text("eth0:9"))]));
        assert!(matches!(planned(&vip(&[]), Some(&cut), Some(&other)), Planned::Refused(problem) if problem.summary == "exists, not ours"));
    }
}
