use super::ways::Target;
use super::*;
use crate::arguments::tests::cluster;
use std::net::TcpListener;

fn data() -> Reachability {
    let path = ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default());
    Reachability::new(Surroundings { environment: BTreeMap::from([path]), ..Surroundings::default() })
}

fn peer(name: &str, more: &[(&'static str, Value)]) -> Value {
    let nulls = ["network", "server", "gateway"].map(|name| (name, Value::null()));
    Value::object(nulls.into_iter().chain([("cluster", cluster(name))]).chain(more.iter().cloned()))
}

fn arguments(more: &[(&'static str, Value)]) -> Value {
    let peers = Value::object([("c1", peer("c1", &[])), ("c2", peer("c2", &[]))]);
    data().schema().defaults().with_entries([("peers", peers)]).with_entries(more.iter().cloned())
}

#[test]
fn arguments_are_judged_before_anybody_is_asked() {
    let text = |text: &str| Value::string(text);
    let peers = |name, value: &str| ("peers", Value::object([("c1", peer("c1", &[(name, text(value))]))]));
    let crowd = Value::object((0..51).map(|number| (format!("c{number}"), peer("c", &[]))));
    for (argument, expected) in [
        (("probe", text("host")), None),
        (("probe", text("pods")), Some("invalid value")),
        (("probe", Value::unknown(Type::String)), None),
        (("gateway_port", Value::number(15012)), None),
        (("gateway_port", Value::number(0)), Some("invalid port")),
        (("image", text(" ")), Some("invalid value")),
        (("namespace", text("Probes")), Some("invalid name")),
        (("timeout", text("0s")), Some("invalid timeout")),
        (("pod_timeout", text("5")), Some("invalid timeout")),
        (("peers", crowd), Some("too many peers")),
        (peers("server", "https://10.0.0.1:6443/k8s"), None),
        (peers("server", "10.0.0.1:6443"), Some("invalid API server")),
        (peers("server", "https://"), Some("invalid API server")),
        (peers("server", "https://a b"), Some("invalid API server")),
        (peers("gateway", "fd00::1"), None),
        (peers("gateway", "east.example"), None),
        (peers("gateway", "10.0.0.1:15443"), Some("invalid gateway")),
        (peers("gateway", "https://east"), Some("invalid gateway")),
        (peers("gateway", ""), Some("invalid gateway")),
    ] {
        let told = data().validate(&arguments(std::slice::from_ref(&argument)));
        assert_eq!(told.iter().map(|problem| &*problem.summary).collect::<Vec<_>>(), Vec::from_iter(expected), "{argument:?}");
    }
    assert!(data().acts(&arguments(&[])) && !data().acts(&arguments(&[("probe", text("host"))])));
}

fn way(to: &str, target: Target) -> Way {
    Way { to: to.to_owned(), target, address: "A".to_owned(), url: String::new() }
}

#[test]
fn what_fails_counts_more_than_what_has_no_data_plane() {
    let gone = |outcome: &Outcome| ("c1".to_owned(), way("c2", Target::ApiServer), outcome.clone());
    let good = Outcome::Reached(Some(1));
    let still = Outcome::NotRun("no data plane: a sandbox".to_owned(), true);
    let absent = Outcome::NotRun("no pod".to_owned(), false);
    for (outcomes, reachable, unreached) in [
        (vec![], Ok(true), vec![]),
        (vec![&good, &good], Ok(true), vec![]),
        (vec![&good, &Outcome::Refused], Ok(false), vec!["c1: API server of c2 at A: refused"]),
        (
            vec![&Outcome::TlsName],
            Ok(false),
            vec!["c1: API server of c2 at A: TLS name (the certificate is for other names than this address)"],
        ),
        (vec![&still, &good], Err("no data plane: a sandbox, in cluster `c1`"), vec![]),
        (vec![&still, &Outcome::TimedOut], Ok(false), vec!["c1: API server of c2 at A: timed out"]),
        (vec![&absent, &absent], Ok(false), vec!["c1: not run: no pod"]),
    ] {
        let all: Vec<_> = outcomes.iter().map(|outcome| gone(outcome)).collect();
        let told = Value::object(told(&all));
        let told_reachable = told.get("reachable").unwrap();
        let found = told_reachable.as_bool().ok_or_else(|| told_reachable.blocked_why().unwrap());
        assert_eq!(found, reachable.map_err(Arc::from), "{outcomes:?}");
        let sentences: Vec<_> = told.get("unreached").unwrap().items().iter().filter_map(Value::as_str).collect();
        assert_eq!(sentences, unreached, "{outcomes:?}");
        assert_eq!(data().pairs(&told).len(), outcomes.len());
    }
}

#[test]
fn a_pair_is_read_as_it_was_told() {
    let outcome = Outcome::NotReady("503".to_owned());
    let told = Value::object(told(&[
        ("c1".to_owned(), way("c2", Target::Gateway), Outcome::Reached(Some(7))),
        ("c2".to_owned(), way("c1", Target::ApiServer), outcome),
    ]));
    let [reached, not_ready] = &data().pairs(&told)[..] else { panic!("{told:?}") };
    assert_eq!((reached.from.as_str(), reached.to.as_str(), reached.target.as_str()), ("c1", "c2", "gateway"));
    assert_eq!((reached.outcome.as_str(), reached.milliseconds, reached.reached), ("reached", Some(7), true));
    assert_eq!(
        (not_ready.outcome.as_str(), not_ready.detail.as_str(), not_ready.reached),
        ("not ready", "it answers with status 503", false)
    );
}

#[tokio::test]
async fn this_machine_asks_if_it_is_told_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = u64::from(listener.local_addr().unwrap().port());
    let at = |server: String, network: &str| {
        let given = [("server", Value::string(server)), ("network", Value::string(network)), ("gateway", Value::string("127.0.0.1"))];
        peer("c", &given)
    };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let peers = Value::object([("c1", at(format!("https://{closed}"), "n1")), ("c2", at("https://no.such.invalid".to_owned(), "n2"))]);
    let host =
        [("probe", Value::string("host")), ("peers", peers), ("gateway_port", Value::number(port)), ("timeout", Value::string("2s"))];
    let arguments = arguments(&host);
    let wish = Wish::of(&arguments).unwrap();
    let gone = wish.on_host(&data().machine).await;
    let outcomes: Vec<_> = gone.iter().map(|(from, way, outcome)| (from.as_str(), way.to.as_str(), outcome.words())).collect();
    if outcomes[0].2 == "not run" {
        // Without curl nothing is asked, and that is said.
        assert!(matches!(&gone[0].2, Outcome::NotRun(why, false) if why == "on this machine there is no curl"), "{gone:?}");
        return;
    }
    assert_eq!(outcomes, [(HOST, "c1", "refused"), (HOST, "c1", "reached"), (HOST, "c2", "name not resolved"), (HOST, "c2", "reached")]);
    let nowhere = Surroundings { environment: BTreeMap::from([("PATH".to_owned(), "/nowhere".to_owned())]), ..Surroundings::default() };
    let gone = wish.on_host(&nowhere).await;
    assert!(gone.iter().all(|(_, _, outcome)| outcome.detail() == "on this machine there is no curl"), "{gone:?}");
}
