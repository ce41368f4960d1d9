//! Who listens on this machine already, as the kernel tells everybody.

use engine::schema::{Problem, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The kernel's tables, with how each is listened on and the state of those sockets that wait for anybody.
const TABLES: [(&str, Transport, &str); 4] = [
    ("/proc/net/tcp", Transport::Tcp, "0A"),
    ("/proc/net/tcp6", Transport::Tcp, "0A"),
    ("/proc/net/udp", Transport::Udp, "07"),
    ("/proc/net/udp6", Transport::Udp, "07"),
];

/// All that is listened on at one moment, in the network of this process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Listeners(Vec<(Transport, SocketAddr)>);

impl Listeners {
    /// What is listened on now. A table that is not there holds nothing.
    pub(super) fn look() -> Self {
        let read = |(path, transport, state): (&str, Transport, &'static str)| {
            let table = std::fs::read_to_string(path).unwrap_or_default();
            listening(&table, state).into_iter().map(move |socket| (transport, socket)).collect::<Vec<_>>()
        };
        Self(TABLES.into_iter().flat_map(read).collect())
    }

    /// Why nobody else can listen on a port of an address, which need not be on the machine yet; nothing if it is free.
    pub(super) fn taken(&self, transport: Transport, address: IpAddr, port: u16) -> Option<Problem> {
        let in_the_way = |there: IpAddr| there == address || there.is_unspecified() || address.is_unspecified();
        let mut same = self.0.iter().filter(|(of, socket)| *of == transport && socket.port() == port);
        let (_, there) = same.find(|(_, socket)| in_the_way(socket.ip().to_canonical()))?;
        let detail =
            format!("somebody listens on `{there}` ({transport}) already, so that nobody else can on `{}`", SocketAddr::new(address, port));
        let sort = if transport == Transport::Tcp { 't' } else { 'u' };
        let help = format!("See who with `sudo ss -Hln{sort}p sport = :{port}`, and end it; or use another address or port.");
        Some(Problem::new("port taken", detail).help(help))
    }
}

/// The sockets of a table that are in this state.
fn listening(table: &str, state: &str) -> Vec<SocketAddr> {
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let waiting = rows.filter(|row| row.get(3) == Some(&state) && row.get(2).is_some_and(|remote| remote.ends_with(":0000")));
    waiting.filter_map(|row| socket(row.get(1)?)).collect()
}

/// `0100007F:0035` is 127.0.0.1:53: the numbers of the address as the machine has them in memory, four bytes each.
fn socket(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words).ok()?))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn who_listens_stands_in_the_way_of_the_same_port() {
        let (resolver, everywhere) = (TcpListener::bind("127.0.0.54:0").unwrap(), UdpSocket::bind("0.0.0.0:0").unwrap());
        let (stub, port) = (resolver.local_addr().unwrap().port(), everywhere.local_addr().unwrap().port());
        let listeners = Listeners::look();
        let rows = [
            (Transport::Tcp, "127.0.0.54", stub, true),
            (Transport::Tcp, "0.0.0.0", stub, true),
            (Transport::Tcp, "10.2.1.39", stub, false),
            (Transport::Udp, "10.2.1.39", port, true),
            (Transport::Udp, "127.0.0.1", port, true),
        ];
        for (transport, address, port, expected) in rows {
            let told = listeners.taken(transport, address.parse().unwrap(), port);
            assert_eq!(told.is_some(), expected, "{transport} {address}");
            assert!(
                told.is_none_or(|problem| problem.summary == "port taken" && problem.help.is_some_and(|help| help.contains("ss -Hln")))
            );
        }
        drop(resolver);
        assert_eq!(Listeners::look().taken(Transport::Tcp, "127.0.0.54".parse().unwrap(), stub), None);
    }

    #[test]
    fn tables_are_read_as_the_kernel_writes_them() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 3500007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1\n\
            1: 0501020A:1F90 0601020A:C001 01 00000000:00000000 00:00000000 00000000 0 0 2\n";
        assert_eq!(listening(table, "0A"), ["127.0.0.53:53".parse().unwrap()]);
        assert_eq!(socket("00000000000000000000000001000000:1F90"), "[::1]:8080".parse().ok());
        assert_eq!((socket("7F:35"), socket("zz"), socket("0100007F:x")), (None, None, None));
    }
}
