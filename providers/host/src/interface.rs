//! `data.host_interface`: an interface of the machine, by its name or by where the default route leads.

use crate::network::{Link, Network};
use crate::vip::assignment::no_device;
use engine::diagnostic::Diagnostic;
use engine::question::Answer;
use engine::schema::{Attribute, Kind, Schema};
use engine::value::{Type, Value};

/// `data.host_interface`.
pub(crate) struct InterfaceKind {
    schema: Schema,
}

impl Default for InterfaceKind {
    fn default() -> Self {
        let addresses =
            "Its addresses with their prefix lengths, such as `10.2.1.5/24`, in the kernel's order, those of a `host_vip` among them.";
        let attributes = vec![
            Attribute::optional_computed(
                "name",
                Type::String,
                "Its name, such as `eth0`; without it that of the default route's interface.",
            ),
            Attribute::computed("index", Type::Number, "The kernel's number of it."),
            Attribute::computed("mac", Type::String, "Its hardware address; nothing where it has none."),
            Attribute::computed("mtu", Type::Number, "Bytes of the largest packet."),
            Attribute::computed("up", Type::Bool, "Whether it is switched on."),
            Attribute::computed("addresses", Type::list(Type::String), addresses),
        ];
        let doc = "A network interface of the machine that meshplan runs on.";
        let kind = "host_interface";
        Self { schema: Schema { kind, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false } }
    }
}

impl Kind for InterfaceKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }
}

/// What there is to say of the interface that the arguments mean.
pub(crate) fn answer(arguments: &Value, network: &Network) -> Answer {
    let Some(name) = arguments.text("name").map(str::to_owned).or_else(default_route) else {
        let detail = "`name` is missing, and this machine has no default route that would lead to an interface";
        return Answer::Refused(Diagnostic::error("no default route", detail).help("Write `name`."));
    };
    match network.link(&name) {
        Some(link) => Answer::Present(described(link, network)),
        None => Answer::Refused(Diagnostic::error("unknown device", no_device(&name, network)).help("Name one of these.")),
    }
}

fn described(link: &Link, network: &Network) -> Value {
    let own = network.addresses.iter().filter(|known| known.index == link.index);
    let addresses = own.map(|known| Value::string(format!("{}/{}", known.address, known.prefix_length)));
    Value::object([
        ("name", Value::string(link.name.as_str())),
        ("index", Value::number(u64::from(link.index))),
        ("mac", if link.mac.is_empty() { Value::null() } else { Value::string(link.mac.as_str()) }),
        ("mtu", Value::number(u64::from(link.mtu))),
        ("up", Value::bool(link.is_up)),
        ("addresses", Value::tuple(addresses.collect())),
    ])
}

/// The interface of the default route that counts, as the kernel lists the routes of this process's network.
fn default_route() -> Option<String> {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    route_of_4(&read("/proc/net/route")).or_else(|| route_of_6(&read("/proc/net/ipv6_route")))
}

/// Columns: interface, destination, gateway, flags, references, uses, metric, mask.
fn route_of_4(table: &str) -> Option<String> {
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let defaults = rows.filter(|row| row.get(1) == Some(&"00000000") && row.get(7) == Some(&"00000000"));
    let first = defaults.min_by_key(|row| row[6].parse().unwrap_or(u32::MAX))?;
    Some(first[0].to_owned())
}

/// Columns: destination, its bits, source, its bits, gateway, metric, references, uses, flags, interface.
fn route_of_6(table: &str) -> Option<String> {
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|row| row.len() > 9 && row[9] != "lo");
    let defaults = rows.filter(|row| row[0].bytes().all(|digit| digit == b'0') && row[1] == "00");
    let first = defaults.min_by_key(|row| u32::from_str_radix(row[5], 16).unwrap_or(u32::MAX))?;
    Some(first[9].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_route_with_the_least_metric_counts() {
        let four = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
            eth0 0001020A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n\
            wlan0 00000000 0101020A 0003 0 0 600 00000000 0 0 0\n\
            eth0 00000000 0101020A 0003 0 0 100 00000000 0 0 0\n";
        assert_eq!(route_of_4(four).as_deref(), Some("eth0"));
        assert_eq!(route_of_4("Iface Destination\n"), None);
        let zero = "00000000000000000000000000000000";
        let six = format!(
            "{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200 lo\n{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 1 0 3 eth1\n"
        );
        assert_eq!(route_of_6(&six).as_deref(), Some("eth1"));
        assert_eq!(route_of_6(""), None);
    }
}
