//! The machine's interfaces and their addresses, as they were at one moment.

use std::net::{IpAddr, Ipv4Addr};

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The kernel's number of it.
    pub(crate) index: u32,
    /// Its name, such as `eth0`.
    pub(crate) name: String,
    /// Its hardware address, six numbers with `:` between; empty where it has none.
    pub(crate) mac: String,
    /// Bytes of the largest packet.
    pub(crate) mtu: u32,
    /// Whether it is switched on.
    pub(crate) is_up: bool,
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assigned {
    /// The interface's number.
    pub(crate) index: u32,
    /// The address.
    pub(crate) address: IpAddr,
    /// Bits of the network.
    pub(crate) prefix_length: u8,
    /// The broadcast address, if one was given.
    pub(crate) broadcast: Option<Ipv4Addr>,
    /// The label: the interface's name unless one was given. IPv6 has none.
    pub(crate) label: Option<String>,
    /// Whether it goes when another address of its network goes.
    pub(crate) is_secondary: bool,
}

/// All interfaces and all addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Network {
    /// The interfaces.
    pub(crate) links: Vec<Link>,
    /// The addresses, in the kernel's order.
    pub(crate) addresses: Vec<Assigned>,
}

impl Network {
    /// An interface by its name.
    pub(crate) fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name == name)
    }

    /// The name of an interface.
    pub(crate) fn name(&self, index: u32) -> &str {
        self.links.iter().find(|link| link.index == index).map_or("?", |link| &link.name)
    }

    /// An address of an interface.
    pub(crate) fn assigned(&self, device: &str, address: IpAddr, prefix_length: u8) -> Option<&Assigned> {
        let index = self.link(device)?.index;
        self.addresses.iter().find(|known| (known.index, known.address, known.prefix_length) == (index, address, prefix_length))
    }

    /// Where else the same address is: on another interface, or with another network.
    pub(crate) fn elsewhere(&self, device: &str, address: IpAddr, prefix_length: u8) -> Option<String> {
        let index = self.link(device).map(|link| link.index);
        let mut same = self.addresses.iter().filter(|known| known.address == address);
        let other = same.find(|known| (Some(known.index), known.prefix_length) != (index, prefix_length))?;
        Some(format!("`{address}/{}` is on `{}` already", other.prefix_length, self.name(other.index)))
    }

    /// The addresses that the kernel drops with this one, unless it is told to keep them.
    pub(crate) fn hanging_on(&self, primary: &Assigned) -> Vec<&Assigned> {
        if primary.is_secondary {
            return Vec::new();
        }
        let network = |of: &Assigned| match of.address {
            IpAddr::V4(address) => Some(address.to_bits() & mask(of.prefix_length)),
            IpAddr::V6(_) => None,
        };
        let Some(own) = network(primary) else { return Vec::new() };
        let of_network = |other: &&Assigned| {
            (other.index, other.prefix_length, network(other)) == (primary.index, primary.prefix_length, Some(own)) && other.is_secondary
        };
        self.addresses.iter().filter(of_network).collect()
    }

    /// The names of all interfaces, for messages.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.links.iter().map(|link| format!("`{}`", link.name)).collect();
        names.join(", ")
    }
}

fn mask(prefix_length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix_length.min(32))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        let link = |index, name: &str| Link { index, name: name.to_owned(), mac: String::new(), mtu: 1500, is_up: true };
        let assigned = |index, address: &str, prefix_length, is_secondary| Assigned {
            index,
            address: address.parse().unwrap(),
            prefix_length,
            broadcast: None,
            label: None,
            is_secondary,
        };
        Network {
            links: vec![link(1, "lo"), link(2, "eth0")],
            addresses: vec![
                assigned(1, "127.0.0.1", 8, false),
                assigned(2, "10.2.1.5", 24, false),
                assigned(2, "10.2.1.40", 24, true),
                assigned(2, "10.2.1.41", 24, true),
                assigned(2, "10.2.1.42", 25, false),
                assigned(2, "10.2.2.40", 24, false),
                assigned(2, "fd00::5", 64, false),
            ],
        }
    }

    #[test]
    fn addresses_are_found_where_they_are_and_where_they_should_not_be() {
        let network = network();
        let rows = [
            ("eth0", "10.2.1.40", 24, true, None),
            ("lo", "10.2.1.40", 24, false, Some("`10.2.1.40/24` is on `eth0` already")),
            ("eth0", "10.2.1.40", 32, false, Some("`10.2.1.40/24` is on `eth0` already")),
            ("eth1", "fd00::5", 128, false, Some("`fd00::5/64` is on `eth0` already")),
            ("eth0", "10.2.1.50", 24, false, None),
        ];
        for (device, address, prefix_length, there, elsewhere) in rows {
            let address = address.parse().unwrap();
            assert_eq!(network.assigned(device, address, prefix_length).is_some(), there, "{device} {address}");
            assert_eq!(network.elsewhere(device, address, prefix_length).as_deref(), elsewhere, "{device} {address}");
        }
        assert_eq!((network.name(2), network.name(7), &*network.names()), ("eth0", "?", "`lo`, `eth0`"));
    }

    #[test]
    fn a_primary_takes_the_secondaries_of_its_network_along() {
        let network = network();
        let hanging =
            |at: usize| network.hanging_on(&network.addresses[at]).iter().map(|other| other.address.to_string()).collect::<Vec<_>>();
        assert_eq!(hanging(1), ["10.2.1.40", "10.2.1.41"]);
        for at in [0, 2, 4, 5, 6] {
            assert_eq!(hanging(at), Vec::<String>::new(), "{at}");
        }
    }
}
