//! Arithmetic of IP networks, IPv4 and IPv6.

use super::argument::{Arguments, Fault};
use super::result::texts;
use super::table::{Body, Example, Function, Gives, Group, Parameter, Takes};
use crate::value::Value;
use ipnet::IpNet;
use rust_decimal::prelude::ToPrimitive;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const PREFIX: Parameter = Parameter::new("prefix", Takes::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "cidrcontains",
        group: Group::Networks,
        parameters: &[PREFIX, Parameter::new("address_or_prefix", Takes::Text)],
        gives: Gives::Bool,
        doc: "Whether the address, or all of the network, lies within the prefix. OpenTofu has it, Terraform does not.",
        example: Example { call: r#"cidrcontains("10.0.0.0/8", "10.2.1.40")"#, result: "true" },
        body: Body::Plain(contains),
    },
    Function {
        name: "cidrhost",
        group: Group::Networks,
        parameters: &[PREFIX, Parameter::new("number", Takes::Number)],
        gives: Gives::Text,
        doc: "The address of that number within the prefix, counted from the end if it is negative.",
        example: Example { call: r#"cidrhost("10.12.112.0/20", 16)"#, result: r#""10.12.112.16""# },
        body: Body::Plain(host),
    },
    Function {
        name: "cidrnetmask",
        group: Group::Networks,
        parameters: &[PREFIX],
        gives: Gives::Text,
        doc: "The netmask of an IPv4 prefix.",
        example: Example { call: r#"cidrnetmask("172.16.0.0/12")"#, result: r#""255.240.0.0""# },
        body: Body::Plain(netmask),
    },
    Function {
        name: "cidrsubnet",
        group: Group::Networks,
        parameters: &[PREFIX, Parameter::new("newbits", Takes::Number), Parameter::new("number", Takes::Number)],
        gives: Gives::Text,
        doc: "The network of that number among those whose prefix is so many bits longer.",
        example: Example { call: r#"cidrsubnet("172.16.0.0/12", 4, 2)"#, result: r#""172.18.0.0/16""# },
        body: Body::Plain(subnet),
    },
    Function {
        name: "cidrsubnets",
        group: Group::Networks,
        parameters: &[PREFIX, Parameter::repeated("newbits", Takes::Number)],
        gives: Gives::Texts,
        doc: "Networks within the prefix one after the other, each with a prefix so many bits longer.",
        example: Example { call: r#"cidrsubnets("10.1.0.0/16", 4, 8)"#, result: r#"tolist(["10.1.0.0/20", "10.1.16.0/24"])"# },
        body: Body::Plain(subnets),
    },
];

/// A network: its first address as a number, the length of its prefix, and of addresses.
#[derive(Clone, Copy)]
struct Network {
    first: u128,
    prefix: u32,
    bits: u32,
}

impl Network {
    fn read(given: Arguments<'_>, at: usize) -> Result<Self, Fault> {
        let unsuitable = |_| Fault::at(at, format!("must be a prefix such as `10.0.0.0/8`, found {}", given.shown(at)));
        Ok(Self::of(given.text(at).parse().map_err(unsuitable)?))
    }

    fn of(network: IpNet) -> Self {
        let first = match network.network() {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        Self { first, prefix: network.prefix_len().into(), bits: network.max_prefix_len().into() }
    }

    /// The number of the last address within, counted from the first.
    fn last(self) -> u128 {
        ones(self.bits - self.prefix)
    }

    fn address(self, number: u128) -> String {
        match (self.bits, u32::try_from(self.first | number)) {
            (32, Ok(bits)) => Ipv4Addr::from_bits(bits).to_string(),
            _ => Ipv6Addr::from_bits(self.first | number).to_string(),
        }
    }

    fn text(self) -> String {
        format!("{}/{}", self.address(0), self.prefix)
    }
}

/// A number of so many one bits.
fn ones(count: u32) -> u128 {
    u128::MAX.checked_shr(u128::BITS - count).unwrap_or_default()
}

fn whole(given: Arguments<'_>, at: usize) -> Result<i128, Fault> {
    let number = given.number(at);
    let whole = if number.is_integer() { number.to_i128() } else { None };
    whole.ok_or_else(|| Fault::at(at, format!("must be a whole number, found {}", given.shown(at))))
}

fn contains(given: Arguments<'_>) -> Result<Value, Fault> {
    let outer: IpNet =
        given.text(0).parse().map_err(|_| Fault::at(0, format!("must be a prefix such as `10.0.0.0/8`, found {}", given.shown(0))))?;
    let text = given.text(1);
    let inner = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let inner = inner.ok_or_else(|| Fault::at(1, format!("must be an IP address or a prefix, found {}", given.shown(1))))?;
    Ok(Value::bool(outer.contains(&inner)))
}

fn host(given: Arguments<'_>) -> Result<Value, Fault> {
    let network = Network::read(given, 0)?;
    let number = whole(given, 1)?;
    let found = if number < 0 { network.last().checked_sub(number.unsigned_abs() - 1) } else { Some(number.unsigned_abs()) };
    match found.filter(|number| *number <= network.last()) {
        Some(number) => Ok(Value::string(network.address(number))),
        None => Err(Fault::at(
            1,
            format!("must be the number of an address within a prefix of {} bits, found {}", network.prefix, given.shown(1)),
        )),
    }
}

fn netmask(given: Arguments<'_>) -> Result<Value, Fault> {
    let network: IpNet =
        given.text(0).parse().map_err(|_| Fault::at(0, format!("must be a prefix such as `10.0.0.0/8`, found {}", given.shown(0))))?;
    match network {
        IpNet::V4(network) => Ok(Value::string(network.netmask().to_string())),
        IpNet::V6(_) => Err(Fault::at(0, "must be an IPv4 prefix; IPv6 has no netmasks")),
    }
}

/// The length of a prefix extended by the bits that an argument says.
fn extended(given: Arguments<'_>, at: usize, network: Network) -> Result<u32, Fault> {
    let bits = given.whole(at)?;
    let Ok(bits) = u32::try_from(bits) else {
        return Err(Fault::at(at, format!("must not be negative, found {}", given.shown(at))));
    };
    let room = network.bits - network.prefix;
    if bits > room {
        return Err(Fault::at(at, format!("must be at most {room} for a prefix of {} bits, found {bits}", network.prefix)));
    }
    Ok(network.prefix + bits)
}

fn subnet(given: Arguments<'_>) -> Result<Value, Fault> {
    let network = Network::read(given, 0)?;
    let prefix = extended(given, 1, network)?;
    let number = whole(given, 2)?;
    let most = ones(prefix - network.prefix);
    let Some(number) = u128::try_from(number).ok().filter(|number| *number <= most) else {
        return Err(Fault::at(2, format!("must be from 0 to {most}, found {}", given.shown(2))));
    };
    let first = network.first | number.checked_shl(network.bits - prefix).unwrap_or_default();
    Ok(Value::string(Network { first, prefix, ..network }.text()))
}

fn subnets(given: Arguments<'_>) -> Result<Value, Fault> {
    let network = Network::read(given, 0)?;
    let mut made = Vec::new();
    // The number, from the network's first address, of the first one that is not taken; nothing when all are.
    let mut free = Some(0_u128);
    for at in 1..=given.rest(1).len() {
        let prefix = extended(given, at, network)?;
        if prefix == network.prefix {
            return Err(Fault::at(at, "must be at least 1"));
        }
        let size = ones(network.bits - prefix);
        let start = free.and_then(|free| free.checked_add(size)).map(|end| end & !size);
        let Some(start) = start.filter(|start| start | size <= network.last()) else {
            return Err(Fault::at(at, format!("asks for a prefix of {prefix} bits, for which no room is left in `{}`", network.text())));
        };
        made.push(Network { first: network.first | start, prefix, ..network }.text());
        free = (start | size).checked_add(1);
    }
    Ok(texts(made))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn addresses_and_masks_are_as_in_terraform() {
        check(&[
            (r#"cidrhost("10.12.112.0/20", -1)"#, r#""10.12.127.255""#),
            (r#"cidrhost("10.12.112.5/30", 1)"#, r#""10.12.112.5""#),
            (r#"cidrhost("10.0.0.0/8", "5")"#, r#""10.0.0.5""#),
            (r#"cidrhost("10.0.0.0/32", 0)"#, r#""10.0.0.0""#),
            (r#"cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)"#, r#""fd00:fd12:3456:7890::22""#),
            (r#"cidrhost("::/0", -1)"#, r#""ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff""#),
            (
                r#"cidrhost("10.12.112.0/30", 4)"#,
                "unsuitable argument: the `number` of `cidrhost` must be the number of an address within a prefix of 30 bits, found `4`",
            ),
            (
                r#"cidrhost("10.12.112.0/30", -5)"#,
                "unsuitable argument: the `number` of `cidrhost` must be the number of an address within a prefix of 30 bits, found `-5`",
            ),
            (
                r#"cidrhost("10.0.0.0/33", 1)"#,
                "unsuitable argument: the `prefix` of `cidrhost` must be a prefix such as `10.0.0.0/8`, found `10.0.0.0/33`",
            ),
            (
                r#"cidrhost("10.0.0.0", 1)"#,
                "unsuitable argument: the `prefix` of `cidrhost` must be a prefix such as `10.0.0.0/8`, found `10.0.0.0`",
            ),
            (r#"cidrhost("10.0.0.0/8", 1.5)"#, "unsuitable argument: the `number` of `cidrhost` must be a whole number, found `1.5`"),
            (r#"cidrnetmask("0.0.0.0/0")"#, r#""0.0.0.0""#),
            (r#"cidrnetmask("10.0.0.0/32")"#, r#""255.255.255.255""#),
            (
                r#"cidrnetmask("fd00::/8")"#,
                "unsuitable argument: the `prefix` of `cidrnetmask` must be an IPv4 prefix; IPv6 has no netmasks",
            ),
            (r#"cidrnetmask("x")"#, "unsuitable argument: the `prefix` of `cidrnetmask` must be a prefix such as `10.0.0.0/8`, found `x`"),
            (r#"cidrcontains("10.0.0.0/8", "11.0.0.0")"#, "false"),
            (r#"cidrcontains("10.0.0.0/8", "10.1.0.0/16")"#, "true"),
            (r#"cidrcontains("10.1.0.0/16", "10.0.0.0/8")"#, "false"),
            (r#"cidrcontains("fd00::/8", "10.0.0.1")"#, "false"),
            (
                r#"cidrcontains("10.0.0.0/8", "x")"#,
                "unsuitable argument: the `address_or_prefix` of `cidrcontains` must be an IP address or a prefix, found `x`",
            ),
        ]);
    }

    #[test]
    fn networks_are_divided_as_in_terraform() {
        check(&[
            (r#"cidrsubnet("10.1.2.0/24", 4, 15)"#, r#""10.1.2.240/28""#),
            (r#"cidrsubnet("10.1.2.0/24", 0, 0)"#, r#""10.1.2.0/24""#),
            (r#"cidrsubnet("10.1.2.7/24", 4, 1)"#, r#""10.1.2.16/28""#),
            (r#"cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)"#, r#""fd00:fd12:3456:7800:a200::/72""#),
            (r#"cidrsubnet("::/0", 128, 5)"#, r#""::5/128""#),
            (r#"cidrsubnet("10.1.2.0/24", 4, 16)"#, "unsuitable argument: the `number` of `cidrsubnet` must be from 0 to 15, found `16`"),
            (r#"cidrsubnet("10.1.2.0/24", 1, -1)"#, "unsuitable argument: the `number` of `cidrsubnet` must be from 0 to 1, found `-1`"),
            (
                r#"cidrsubnet("10.1.2.0/24", 9, 0)"#,
                "unsuitable argument: the `newbits` of `cidrsubnet` must be at most 8 for a prefix of 24 bits, found 9",
            ),
            (r#"cidrsubnet("10.1.2.0/24", -1, 0)"#, "unsuitable argument: the `newbits` of `cidrsubnet` must not be negative, found `-1`"),
            (r#"cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)"#, r#"list["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24", "10.1.48.0/20"]"#),
            (
                r#"cidrsubnets("fd00:fd12:3456:7890::/56", 16, 16, 16, 32)"#,
                r#"list["fd00:fd12:3456:7800::/72", "fd00:fd12:3456:7800:100::/72", "fd00:fd12:3456:7800:200::/72", "fd00:fd12:3456:7800:300::/88"]"#,
            ),
            (r#"cidrsubnets("10.1.0.0/16", 8, 4)"#, r#"list["10.1.0.0/24", "10.1.16.0/20"]"#),
            (r#"cidrsubnets("10.1.0.0/16")"#, "list[]"),
            (
                r#"cidrsubnets("10.1.0.0/30", 1, 1, 1)"#,
                "unsuitable argument: the `newbits` of `cidrsubnets`, argument 4, asks for a prefix of 31 bits, for which no room is left in `10.1.0.0/30`",
            ),
            (
                r#"cidrsubnets("10.1.0.0/30", 3)"#,
                "unsuitable argument: the `newbits` of `cidrsubnets`, argument 2, must be at most 2 for a prefix of 30 bits, found 3",
            ),
            (r#"cidrsubnets("10.1.0.0/30", 0)"#, "unsuitable argument: the `newbits` of `cidrsubnets`, argument 2, must be at least 1"),
        ]);
    }
}
