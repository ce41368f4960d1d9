use super::*;
use hickory_proto::rr::Record;
use hickory_proto::rr::rdata::{A, AAAA, CNAME};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// A question as it came, with what another server would say to it.
fn reply(question: &Message) -> Option<Message> {
    let name = question.queries[0].name.to_ascii();
    let is_six = question.queries[0].query_type == RecordType::AAAA;
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    answer.add_queries(question.queries.clone());
    let label = name.split('.').next().unwrap_or_default().to_lowercase();
    let own = question.queries[0].name.clone();
    let four = |name: Name, last: u8| Record::from_rdata(name, 60, RData::A(A::new(10, 0, 0, last)));
    match &*label {
        "both" if is_six => answer.answers.push(Record::from_rdata(own, 60, RData::AAAA(AAAA::new(0xfd00, 0, 0, 0, 0, 0, 0, 1)))),
        "both" => answer.answers.extend([four(own.clone(), 1), four(own, 2)]),
        "alias" => {
            let target = Name::from_ascii("both.test.").unwrap();
            answer.add_answer(Record::from_rdata(own, 60, RData::CNAME(CNAME(target.clone()))));
            if !is_six {
                answer.add_answer(four(target, 1));
            }
        }
        "none" => {}
        "missing" => answer.metadata.response_code = ResponseCode::NXDomain,
        "refused" => answer.metadata.response_code = ResponseCode::Refused,
        "failing" => answer.metadata.response_code = ResponseCode::ServFail,
        "strange" => answer.metadata.response_code = ResponseCode::Unknown(11),
        "unread" => {
            answer.metadata.response_code = ResponseCode::FormErr;
            answer.queries.clear();
        }
        "big" => answer.metadata.truncation = true,
        _ => return None,
    }
    Some(answer)
}

/// A server of names on a port of its own, over UDP and TCP. To `late` it answers the second packet; before every answer it sends
/// what answers something else.
async fn serve() -> SocketAddr {
    let (socket, listener) = loop {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(listener) = TcpListener::bind(socket.local_addr().unwrap()).await {
            break (socket, listener);
        }
    };
    let address = socket.local_addr().unwrap();
    drop(tokio::spawn(async move {
        let (mut packet, mut late) = ([0; 2048], 0);
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let mut question = Message::from_vec(&packet[..length]).unwrap();
            if question.queries[0].name.to_ascii().starts_with("late.") {
                late += 1;
                if late == 1 {
                    continue;
                }
                question.queries[0].name = Name::from_ascii("both.test.").unwrap();
                let mut answer = reply(&question).unwrap();
                answer.queries = Message::from_vec(&packet[..length]).unwrap().queries;
                socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
                continue;
            }
            let Some(answer) = reply(&question) else { continue };
            let mut stray = answer.clone();
            stray.metadata.id = stray.metadata.id.wrapping_add(1);
            stray.metadata.response_code = ResponseCode::Refused;
            for packet in [b"noise".to_vec(), stray.to_vec().unwrap(), answer.to_vec().unwrap()] {
                socket.send_to(&packet, from).await.unwrap();
            }
        }
    }));
    drop(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; usize::from(stream.read_u16().await.unwrap())];
            stream.read_exact(&mut bytes).await.unwrap();
            let mut question = Message::from_vec(&bytes).unwrap();
            let asked = question.queries.clone();
            if question.queries[0].name.to_ascii().starts_with("big.") {
                question.queries[0].name = Name::from_ascii("both.test.").unwrap();
            }
            let Some(mut answer) = reply(&question) else { continue };
            answer.queries = asked;
            let bytes = answer.to_vec().unwrap();
            stream.write_u16(u16::try_from(bytes.len()).unwrap()).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
        }
    }));
    address
}

fn asked(name: &str, sort: Sort, transport: Transport, limit: Duration) -> Outcome {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { ask((serve().await, transport), name, sort, limit).await })
}

#[test]
fn every_answer_of_a_server_is_told_apart() {
    let rows = [
        ("both.test", Sort::A, Transport::Udp, "NOERROR", "10.0.0.1 10.0.0.2"),
        ("both.test.", Sort::A, Transport::Tcp, "NOERROR", "10.0.0.1 10.0.0.2"),
        ("BOTH.test", Sort::Aaaa, Transport::Udp, "NOERROR", "fd00::1"),
        ("alias.test", Sort::A, Transport::Udp, "NOERROR", "10.0.0.1"),
        ("alias.test", Sort::Aaaa, Transport::Udp, "NODATA", ""),
        ("none.test", Sort::A, Transport::Udp, "NODATA", ""),
        ("missing.test", Sort::Aaaa, Transport::Tcp, "NXDOMAIN", ""),
        ("refused.test", Sort::A, Transport::Udp, "REFUSED", ""),
        ("failing.test", Sort::A, Transport::Udp, "SERVFAIL", ""),
        ("strange.test", Sort::A, Transport::Udp, "RCODE11", ""),
        ("unread.test", Sort::A, Transport::Udp, "FORMERR", ""),
        ("big.test", Sort::A, Transport::Udp, "NOERROR", "10.0.0.1 10.0.0.2"),
        ("late.test", Sort::A, Transport::Udp, "NOERROR", "10.0.0.1 10.0.0.2"),
    ];
    for (name, sort, transport, word, addresses) in rows {
        let outcome = asked(name, sort, transport, Duration::from_secs(20));
        let found = if let Outcome::Found(found) = &outcome { found.clone() } else { Vec::new() };
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!((&*outcome.word(), &*found.join(" ")), (word, addresses), "{name} {sort:?}");
    }
}

#[test]
fn silence_and_absence_are_told_apart() {
    let moment = Duration::from_millis(300);
    for transport in [Transport::Udp, Transport::Tcp] {
        assert_eq!(asked("silent.test", Sort::A, transport, moment).word(), "TIMEOUT", "{transport:?}");
    }
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for transport in [Transport::Udp, Transport::Tcp] {
        let outcome = runtime.block_on(async {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = socket.local_addr().unwrap();
            drop(socket);
            ask((address, transport), "both.test", Sort::A, moment).await
        });
        assert_eq!(outcome.word(), "UNREACHABLE", "{transport:?}");
    }
}

#[test]
fn a_server_that_starts_late_is_asked_again() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for transport in [Transport::Udp, Transport::Tcp] {
        let outcome = runtime.block_on(async {
            let free = serve().await;
            // The port after it: nobody is there until the second server comes.
            let later = SocketAddr::new(free.ip(), UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port());
            let asking = ask((later, transport), "both.test", Sort::A, Duration::from_secs(20));
            let starting = async {
                sleep(PAUSE * 3).await;
                let socket = UdpSocket::bind(later).await.unwrap();
                let listener = TcpListener::bind(later).await.unwrap();
                answer_once(socket, listener, transport).await;
            };
            tokio::join!(asking, starting).0
        });
        assert_eq!(outcome.word(), "NOERROR", "{transport:?}");
    }
}

async fn answer_once(socket: UdpSocket, listener: TcpListener, transport: Transport) {
    let mut packet = [0; 2048];
    if transport == Transport::Udp {
        let (length, from) = socket.recv_from(&mut packet).await.unwrap();
        let answer = reply(&Message::from_vec(&packet[..length]).unwrap()).unwrap();
        socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        return;
    }
    let (mut stream, _) = listener.accept().await.unwrap();
    let length = usize::from(stream.read_u16().await.unwrap());
    stream.read_exact(&mut packet[..length]).await.unwrap();
    let bytes = reply(&Message::from_vec(&packet[..length]).unwrap()).unwrap().to_vec().unwrap();
    stream.write_u16(u16::try_from(bytes.len()).unwrap()).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
}
