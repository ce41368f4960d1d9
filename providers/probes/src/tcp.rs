//! `data.tcp_probe`: whether somebody listens.

use crate::arguments::{limit, port, port_problem, timeout_problem};
use engine::question::Answer;
use engine::schema::{Attribute, Kind, Problem, Schema};
use engine::value::{Type, Value};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How long a connection is waited for, as the language writes it.
const PATIENCE: &str = "5s";
/// How long a server that cannot be reached is left alone: one that has just been started listens a moment later.
const PAUSE: Duration = Duration::from_millis(100);

/// `data.tcp_probe`.
pub(crate) struct TcpKind {
    schema: Schema,
}

impl Default for TcpKind {
    fn default() -> Self {
        let status = "`OPEN`: somebody listens; `REFUSED`: nobody does; `UNREACHABLE`: no network leads there, or the name is not known; `TIMEOUT`: no answer came.";
        let attributes = vec![
            Attribute::required("address", Type::String, "The address, or a name that this machine resolves."),
            Attribute::required("port", Type::Number, "The port."),
            Attribute::optional("timeout", Type::String, "How long a connection is waited for; who does not listen yet is asked again.")
                .default(Value::string(PATIENCE)),
            Attribute::computed("open", Type::Bool, "Whether somebody listens."),
            Attribute::computed("status", Type::String, status),
        ];
        let doc = "Whether somebody listens at an address, as seen from this machine. A connection is opened and closed; nothing is sent.";
        let schema = Schema { kind: "tcp_probe", doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema }
    }
}

impl Kind for TcpKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn probes(&self) -> bool {
        true
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        if arguments.text("address").is_some_and(str::is_empty) {
            problems.push(
                Problem::with("address", "invalid address", "`address` is empty").help("Write an address or a name, without a port."),
            );
        }
        problems.extend(port_problem(arguments));
        problems.extend(timeout_problem(arguments));
        problems
    }
}

impl TcpKind {
    /// What a question comes to.
    pub(crate) async fn answer(&self, arguments: &Value) -> Answer {
        let (Some(address), Some(port)) = (arguments.text("address"), port(arguments)) else {
            return Answer::Unreachable("its arguments are not known".into());
        };
        let status = status((address, port), limit(arguments, PATIENCE)).await;
        let told = [("open", Value::bool(status == OPEN)), ("status", Value::string(status))];
        Answer::Present(arguments.with_entries(told))
    }
}

const OPEN: &str = "OPEN";

/// How connecting ends within so long.
async fn status((address, port): (&str, u16), limit: Duration) -> &'static str {
    let mut last = "TIMEOUT";
    let attempts = async {
        loop {
            match TcpStream::connect((address, port)).await {
                Ok(_) => return OPEN,
                Err(error) => last = word(error.kind()),
            }
            sleep(PAUSE).await;
        }
    };
    timeout(limit, attempts).await.unwrap_or(last)
}

fn word(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => "REFUSED",
        io::ErrorKind::TimedOut => "TIMEOUT",
        _ => "UNREACHABLE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn arguments(address: &str, port: u64, timeout: &str) -> Value {
        Value::object([("address", Value::string(address)), ("port", Value::number(port)), ("timeout", Value::string(timeout))])
    }

    #[test]
    fn arguments_are_judged_before_anybody_is_asked() {
        for (arguments, expected) in [
            (arguments("10.2.1.40", 15443, "5s"), None),
            (arguments("east.mesh.test", 15443, "1m"), None),
            (arguments("", 15443, "5s"), Some("invalid address")),
            (arguments("10.2.1.40", 0, "5s"), Some("invalid port")),
            (arguments("10.2.1.40", 65536, "5s"), Some("invalid port")),
            (arguments("10.2.1.40", 15443, "0s"), Some("invalid timeout")),
        ] {
            let told = TcpKind::default().validate(&arguments);
            assert_eq!(told.iter().map(|problem| &*problem.summary).collect::<Vec<_>>(), Vec::from_iter(expected), "{arguments:?}");
        }
    }

    #[tokio::test]
    async fn a_listener_is_found_also_if_it_comes_late() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(status(("127.0.0.1", port), Duration::from_secs(5)).await, OPEN);
        drop(listener);
        assert_eq!(status(("127.0.0.1", port), Duration::from_millis(250)).await, "REFUSED");
        let late = async {
            sleep(Duration::from_millis(300)).await;
            TcpListener::bind(("127.0.0.1", port)).await.unwrap()
        };
        let (found, _listener) = tokio::join!(status(("127.0.0.1", port), Duration::from_secs(10)), late);
        assert_eq!(found, OPEN);
        assert_eq!(status(("no.such.name.invalid", 1), Duration::from_millis(250)).await, "UNREACHABLE");
        let told = TcpKind::default().answer(&arguments("127.0.0.1", u64::from(port), "1s")).await;
        assert!(
            matches!(&told, Answer::Present(value) if value.text("status") == Some("REFUSED") || value.text("status") == Some(OPEN)),
            "{told:?}"
        );
    }
}
