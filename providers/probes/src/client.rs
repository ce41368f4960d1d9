//! Questions to one name server, and how each ended. What a resolver would decide for itself (other servers, caches, names that it never
//! asks for) would hide what this server says, so that messages are exchanged here one by one.

use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};

/// How long a packet is waited for before it is sent again: one may be lost.
const RESEND: Duration = Duration::from_secs(1);
/// How long a server that cannot be reached is left alone: one that has just been started listens a moment later.
const PAUSE: Duration = Duration::from_millis(100);

/// What is asked for: the records that hold addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

impl Sort {
    /// Each there is.
    pub(crate) const ALL: [Self; 2] = [Self::A, Self::Aaaa];

    /// The name of the records.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
        }
    }

    fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
        }
    }
}

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// In packets; an answer that does not fit into one is fetched over a connection.
    Udp,
    /// Over a connection.
    Tcp,
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With these addresses, at least one.
    Found(Vec<IpAddr>),
    /// The name is there, and has no address of the sort.
    NoData,
    /// The server says that it did not do as asked, or that there is no such name.
    Code(ResponseCode),
    /// Nothing readable came in time.
    Timeout,
    /// The machine says that nobody is there.
    Unreachable,
}

impl Outcome {
    /// In the words of name servers, as far as they have one.
    pub(crate) fn word(&self) -> String {
        let word = match self {
            Self::Found(_) => "NOERROR",
            Self::NoData => "NODATA",
            Self::Code(ResponseCode::NXDomain) => "NXDOMAIN",
            Self::Code(ResponseCode::Refused) => "REFUSED",
            Self::Code(ResponseCode::ServFail) => "SERVFAIL",
            Self::Code(ResponseCode::FormErr) => "FORMERR",
            Self::Code(ResponseCode::NotImp) => "NOTIMP",
            Self::Code(other) => return format!("RCODE{}", u16::from(*other)),
            Self::Timeout => "TIMEOUT",
            Self::Unreachable => "UNREACHABLE",
        };
        word.to_owned()
    }
}

/// Whether a text is a name that can be asked for.
pub(crate) fn is_name(text: &str) -> bool {
    parsed(text).is_some_and(|name| !name.is_root())
}

/// A name as servers know it: nothing is added to it.
fn parsed(text: &str) -> Option<Name> {
    let mut name = Name::from_str_relaxed(text).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// Asks a server for the addresses of a name, and waits at most so long for the answer.
pub(crate) async fn ask((server, transport): (SocketAddr, Transport), text: &str, sort: Sort, limit: Duration) -> Outcome {
    let Some(name) = parsed(text) else { return Outcome::Code(ResponseCode::FormErr) };
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, sort.record_type()));
    let mut last = Outcome::Timeout;
    let attempts = async {
        loop {
            match exchange(server, transport, &message).await {
                Ok(answer) => return outcome(&answer, sort),
                Err(error) => last = failed(&error),
            }
            sleep(PAUSE).await;
        }
    };
    timeout(limit, attempts).await.unwrap_or(last)
}

fn failed(error: &io::Error) -> Outcome {
    let nobody = [io::ErrorKind::ConnectionRefused, io::ErrorKind::HostUnreachable, io::ErrorKind::NetworkUnreachable];
    if nobody.contains(&error.kind()) { Outcome::Unreachable } else { Outcome::Timeout }
}

fn outcome(answer: &Message, sort: Sort) -> Outcome {
    let code = answer.metadata.response_code;
    if code != ResponseCode::NoError {
        return Outcome::Code(code);
    }
    // Those of the name that aliases lead to count as well: the server has followed them.
    let addresses = answer.answers.iter().filter_map(|record| match (&record.data, sort) {
        (RData::A(address), Sort::A) => Some(IpAddr::from(Ipv4Addr::from(*address))),
        (RData::AAAA(address), Sort::Aaaa) => Some(IpAddr::from(Ipv6Addr::from(*address))),
        _ => None,
    });
    let found: Vec<_> = addresses.collect();
    if found.is_empty() { Outcome::NoData } else { Outcome::Found(found) }
}

/// Sends a question until its answer is there.
async fn exchange(server: SocketAddr, transport: Transport, question: &Message) -> io::Result<Message> {
    if transport == Transport::Udp {
        let answer = over_udp(server, question).await?;
        if !answer.metadata.truncation {
            return Ok(answer);
        }
    }
    over_tcp(server, question).await
}

async fn over_udp(server: SocketAddr, question: &Message) -> io::Result<Message> {
    let own = if server.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((own, 0)).await?;
    socket.connect(server).await?;
    let bytes = written(question)?;
    loop {
        socket.send(&bytes).await?;
        if let Ok(answer) = timeout(RESEND, received(&socket, question)).await {
            return answer;
        }
    }
}

/// The packet that answers a question: others are passed over.
async fn received(socket: &UdpSocket, question: &Message) -> io::Result<Message> {
    let mut packet = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut packet).await?;
        if let Some(answer) = packet.get(..length).and_then(|bytes| read(bytes, question)) {
            return Ok(answer);
        }
    }
}

async fn over_tcp(server: SocketAddr, question: &Message) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let bytes = written(question)?;
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    read(&answer, question).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn written(question: &Message) -> io::Result<Vec<u8>> {
    question.to_vec().map_err(io::Error::other)
}

/// A message, if it answers this question.
fn read(bytes: &[u8], question: &Message) -> Option<Message> {
    let answer = Message::from_vec(bytes).ok()?;
    let head = answer.metadata;
    let answers = head.message_type == MessageType::Response && head.id == question.metadata.id;
    // A server that cannot read a question need not repeat it.
    let same = answer.queries == question.queries || (answer.queries.is_empty() && head.response_code != ResponseCode::NoError);
    (answers && same).then_some(answer)
}

#[cfg(test)]
mod tests;
