//! This machine, as far as what is to listen on it is concerned.

use super::Listeners;
use crate::netlink::Netlink;
use engine::schema::{Obstacle, Problem, Transport};
use std::net::{IpAddr, SocketAddr};

/// Whether addresses can be listened on that are not there yet.
const NOT_THERE_YET: [&str; 2] = ["/proc/sys/net/ipv4/ip_nonlocal_bind", "/proc/sys/net/ipv6/ip_nonlocal_bind"];

/// What listens on this machine and which addresses it has, at one moment, in the network of this process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Machine {
    name: String,
    listeners: Listeners,
    addresses: Vec<IpAddr>,
    /// Whether IPv4 addresses can be listened on that are not there, and those of IPv6.
    listens_ahead: [bool; 2],
}

impl Machine {
    /// Looks, which needs no rights; nothing where the kernel does not tell.
    pub async fn look() -> Option<Self> {
        let network = Netlink::open().ok()?.look().await.ok()?;
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        Some(Self {
            name: read("/proc/sys/kernel/hostname"),
            listeners: Listeners::look(),
            addresses: network.addresses.iter().map(|assigned| assigned.address).collect(),
            listens_ahead: NOT_THERE_YET.map(|path| read(path) == "1"),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The addresses of its interfaces.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Whether an address is on one of its interfaces.
    fn has(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.addresses.contains(&address)
    }

    /// What keeps anybody from listening on a port, at every address if none is given. A [`host_vip`](crate) of the plan may bring an address
    /// that is missing.
    pub fn obstacle(&self, transport: Transport, address: Option<IpAddr>, port: u16) -> Option<Obstacle> {
        let everywhere = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        if let Some(problem) = self.listeners.taken(transport, address.unwrap_or(everywhere), port) {
            return Some(problem.into());
        }
        let missing = address.filter(|address| !address.is_unspecified() && !self.has(*address))?;
        if self.listens_ahead[usize::from(missing.is_ipv6())] {
            return None;
        }
        let socket = SocketAddr::new(missing, port);
        let detail = format!("`{missing}` is on no interface of this machine, so that nobody can listen on `{socket}`");
        let length = if missing.is_ipv6() { 128 } else { 32 };
        let help =
            format!("Let a `host_vip` set it, or run `sudo ip address add {missing}/{length} dev lo`; or use an address that is there.");
        Some(Obstacle { mended_by: Some(crate::vip::identity(missing)), ..Problem::new("address missing", detail).help(help).into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn ports_are_free_where_the_address_is_there_and_nobody_listens() {
        let held = TcpListener::bind("127.0.0.9:0").unwrap();
        let port = held.local_addr().unwrap().port();
        let address = |text: &str| text.parse::<IpAddr>().ok();
        let six = address("fd00::1").unwrap();
        let machine = Machine { listeners: Listeners::look(), addresses: vec![six], ..Machine::default() };
        let summary = |machine: &Machine, at: Option<IpAddr>| machine.obstacle(Transport::Tcp, at, port).map(|found| found.problem.summary);
        for (at, expected) in [
            (address("127.0.0.9"), Some("port taken")),
            (address("0.0.0.0"), Some("port taken")),
            (None, Some("port taken")),
            (address("127.0.0.10"), None),
            (address("fd00::1"), None),
            (address("fd00::2"), Some("address missing")),
            (address("192.0.2.1"), Some("address missing")),
        ] {
            assert_eq!(summary(&machine, at).as_deref(), expected, "{at:?}");
        }
        let missing = machine.obstacle(Transport::Udp, address("192.0.2.1"), 53).unwrap();
        assert_eq!(missing.mended_by.as_deref(), Some("address 192.0.2.1"));
        assert!(missing.problem.help.unwrap().contains("sudo ip address add 192.0.2.1/32 dev lo"));
        let ahead = Machine { listens_ahead: [true, false], ..machine };
        assert_eq!(
            (summary(&ahead, address("192.0.2.1")), summary(&ahead, address("fd00::2")).as_deref()),
            (None, Some("address missing"))
        );
    }
}
