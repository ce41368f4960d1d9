//! What instances take for themselves of the machine that their provider works on, and what stands in their way there.

use super::Problem;
use crate::value::Value;
use std::fmt;
use std::net::IpAddr;

/// How a port is listened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// Connections.
    Tcp,
    /// Single packets.
    Udp,
    /// Streams of messages.
    Sctp,
}

impl Transport {
    /// The transport of a name, in small or capital letters.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Tcp, Self::Udp, Self::Sctp].into_iter().find(|transport| transport.name().eq_ignore_ascii_case(name))
    }

    /// Its name, in small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What only one thing of a machine can have at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// A port that is listened on.
    Port {
        /// How.
        transport: Transport,
        /// At this address; at all of the machine if there is none.
        address: Option<IpAddr>,
        /// The port, 1 to 65535.
        port: u16,
    },
    /// The addresses of a network of its own.
    Subnet {
        /// The first of them.
        first: IpAddr,
        /// Bits that all of them share.
        prefix_length: u8,
    },
}

impl Claim {
    /// Whether the two cannot both be had.
    pub fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Port { transport, address, port },
                Self::Port { transport: other_transport, address: other_address, port: other_port },
            ) => (transport, port) == (other_transport, other_port) && meet(*address, *other_address),
            (Self::Subnet { first, prefix_length }, Self::Subnet { first: other_first, prefix_length: other_length }) => {
                let shared = *prefix_length.min(other_length);
                first.is_ipv6() == other_first.is_ipv6() && leading(*first, shared) == leading(*other_first, shared)
            }
            _ => false,
        }
    }
}

/// Whether one can be listened on at only one of two addresses. The unspecified one stands for all of its family.
fn meet(one: Option<IpAddr>, other: Option<IpAddr>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other || (one.is_ipv6() == other.is_ipv6() && (one.is_unspecified() || other.is_unspecified())),
        _ => true,
    }
}

/// The first bits of an address.
fn leading(address: IpAddr, bits: u8) -> u128 {
    let (number, width) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    number.checked_shr(width - u32::from(bits).min(width)).unwrap_or(0)
}

/// `10.0.0.1:443/tcp`, `port 443/tcp of every address` or `172.30.0.0/16`.
impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port { transport, address: None, port } => write!(f, "port {port}/{transport} of every address"),
            Self::Port { transport, address: Some(IpAddr::V6(address)), port } => write!(f, "[{address}]:{port}/{transport}"),
            Self::Port { transport, address: Some(address), port } => write!(f, "{address}:{port}/{transport}"),
            Self::Subnet { first, prefix_length } => write!(f, "{first}/{prefix_length}"),
        }
    }
}

/// What stands in the way of an instance on its machine, unless the plan clears it away itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What is wrong, with what mends it by hand. An error keeps the instance from being made.
    pub problem: Problem,
    /// The uid, or the identity, of what is in the way: if that is an instance's own thing, the plan may remove it.
    pub holder: Option<String>,
    /// The identity of what would mend it, or what it would [bring](super::Kind::brings): the plan may make it.
    pub mended_by: Option<String>,
}

impl From<Problem> for Obstacle {
    fn from(problem: Problem) -> Self {
        Self { problem, holder: None, mended_by: None }
    }
}

impl Obstacle {
    /// Obstacles as the answer of a provider.
    pub fn told(obstacles: &[Self]) -> Value {
        let text = |text: &Option<String>| text.as_deref().map_or_else(Value::null, Value::string);
        let each = obstacles.iter().map(|Self { problem, holder, mended_by }| {
            Value::object([
                ("summary", Value::string(problem.summary.as_str())),
                ("detail", Value::string(problem.detail.as_str())),
                ("help", text(&problem.help)),
                ("warning", Value::bool(problem.warning)),
                ("holder", text(holder)),
                ("mended_by", text(mended_by)),
            ])
        });
        Value::tuple(each.collect())
    }

    /// Reads such an answer.
    pub(crate) fn heard(told: &Value) -> Vec<Self> {
        let each = told.items().iter().map(|told| {
            let text = |name: &str| told.text(name).map(str::to_owned);
            let problem = Problem {
                attribute: None,
                summary: text("summary").unwrap_or_default(),
                detail: text("detail").unwrap_or_default(),
                help: text("help"),
                warning: told.get("warning").and_then(Value::as_bool) == Some(true),
                rule: None,
            };
            Self { problem, holder: text("holder"), mended_by: text("mended_by") }
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(address: &str, port: u16) -> Claim {
        Claim::Port { transport: Transport::Tcp, address: address.parse().ok(), port }
    }

    fn subnet(text: &str) -> Claim {
        let (first, length) = text.split_once('/').unwrap();
        Claim::Subnet { first: first.parse().unwrap(), prefix_length: length.parse().unwrap() }
    }

    #[test]
    fn claims_exclude_each_other_where_they_meet() {
        let udp = Claim::Port { transport: Transport::Udp, address: None, port: 53 };
        for (one, other, expected) in [
            (port("10.0.0.1", 53), port("10.0.0.1", 53), true),
            (port("10.0.0.1", 53), port("10.0.0.2", 53), false),
            (port("10.0.0.1", 53), port("10.0.0.1", 54), false),
            (port("0.0.0.0", 53), port("10.0.0.1", 53), true),
            (port("0.0.0.0", 53), port("fd00::1", 53), false),
            (port("::", 53), port("fd00::1", 53), true),
            (port("", 53), port("fd00::1", 53), true),
            (port("", 53), port("", 53), true),
            (port("", 53), udp, false),
            (subnet("172.30.0.0/16"), subnet("172.30.7.0/24"), true),
            (subnet("172.30.0.0/16"), subnet("172.31.0.0/16"), false),
            (subnet("0.0.0.0/0"), subnet("172.31.0.0/16"), true),
            (subnet("fd00::/64"), subnet("fd00::/80"), true),
            (subnet("fd00::/64"), subnet("fd00:0:0:1::/64"), false),
            (subnet("::/0"), subnet("10.0.0.0/8"), false),
            (subnet("10.0.0.0/8"), port("10.0.0.1", 53), false),
        ] {
            assert_eq!((one.excludes(&other), other.excludes(&one)), (expected, expected), "{one} {other}");
        }
        assert_eq!(port("fd00::1", 53).to_string(), "[fd00::1]:53/tcp");
        assert_eq!((udp.to_string(), subnet("10.0.0.0/8").to_string()), ("port 53/udp of every address".into(), "10.0.0.0/8".into()));
        assert_eq!(
            ["tcp", "UDP", "sctp", "icmp"].map(|name| Transport::named(name).map(Transport::name)),
            [Some("tcp"), Some("udp"), Some("sctp"), None]
        );
    }

    #[test]
    fn obstacles_are_heard_as_they_were_told() {
        let plain = Obstacle::from(Problem::new("port taken", "who").help("end it"));
        let held =
            Obstacle { holder: Some("uid".into()), mended_by: Some("address 10.0.0.1".into()), ..Problem::new("a", "b").warning().into() };
        let all = vec![plain, held];
        assert_eq!(Obstacle::heard(&Obstacle::told(&all)), all);
        assert_eq!(Obstacle::heard(&Value::null()), []);
    }
}
