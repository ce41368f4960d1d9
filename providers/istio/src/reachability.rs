//! `istio_reachability`: whether the clusters of a mesh reach each other's API servers and gateways, asked from within each of them.
//!
//! What a pod asks is what an istiod and a proxy of its cluster would: the same network, names and firewalls lie between.

mod outcome;
mod ways;

use crate::arguments::label;
use crate::istioctl::Surroundings;
use engine::config::seconds;
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Pair, Problem, Schema};
use engine::value::{Data, Sequence, SequenceKind, Type, Value};
use futures::future::join_all;
use kubernetes::arguments::{refusal, time_problem};
use kubernetes::{DataSource, Errand, Source, Unusable};
use outcome::{Outcome, outcomes};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use ways::{Peer, Way, arguments as words_of, environment, ways};

/// Where an image with a shell and curl is, as Istio's own samples use it.
const IMAGE: &str = "docker.io/curlimages/curl:8.11.1";
/// How long is waited for a connection, and for a pod to start, as the language writes it.
const PATIENCE: &str = "5s";
const STARTS: &str = "1m";
/// The port at which gateways take what comes from other networks.
const PORT: u64 = 15443;
/// Most peers: what one pod can say is limited.
const MOST: usize = 50;
/// How many connections the script makes at a time.
const AT_ONCE: usize = 16;
/// Who asks if no pod does.
const HOST: &str = "from host";

const SCRIPT: &str = include_str!("reachability/probe.sh");

/// Pods that Istio is to leave alone: a proxy beside curl would answer in the place of others.
const MARKS: [(&str, &str); 2] = [("sidecar.istio.io/inject", "false"), ("istio.io/dataplane-mode", "none")];

/// `data.istio_reachability`.
pub struct Reachability {
    schema: Schema,
    machine: Surroundings,
}

impl Reachability {
    /// The data source, on a machine with this environment.
    pub fn new(machine: Surroundings) -> Self {
        let peer = Type::object([
            ("cluster", Type::Reference("cluster"), false),
            ("network", Type::String, true),
            ("server", Type::String, true),
            ("gateway", Type::String, true),
        ]);
        let pair = Type::object([
            ("from", Type::String, false),
            ("to", Type::String, false),
            ("target", Type::String, false),
            ("address", Type::String, false),
            ("outcome", Type::String, false),
            ("detail", Type::String, false),
            ("milliseconds", Type::Number, true),
            ("reached", Type::Bool, false),
        ]);
        let attributes = vec![
            Attribute::required(
                "peers",
                Type::map(peer),
                "The clusters of the mesh by their names, at most 50: `cluster`; its `network`; `server`, the URL of its API server as the others reach it (without it the cluster's \
                 `peer_server`, or its `server`); and `gateway`, the address of its east-west gateway, if it has one.",
            ),
            Attribute::optional(
                "probe",
                Type::String,
                "`pod`: a pod in each cluster asks. `host`: the machine that meshplan runs on does, which says nothing of what clusters reach, and every pair is marked as \
                 `from host`.",
            )
            .default(Value::string("pod")),
            Attribute::optional("gateway_port", Type::Number, "The port of the gateways.").default(Value::number(PORT)),
            Attribute::optional("image", Type::String, "The image of the pods. It has `/bin/sh` and `curl`.").default(Value::string(IMAGE)),
            Attribute::optional("namespace", Type::String, "The namespace of the pods, which has to be there.")
                .default(Value::string("default")),
            Attribute::optional("timeout", Type::String, "How long each answer is waited for.").default(Value::string(PATIENCE)),
            Attribute::optional("pod_timeout", Type::String, "How long is waited until a pod has started, beside the time for its answers.")
                .default(Value::string(STARTS)),
            Attribute::computed(
                "pairs",
                Type::list(pair),
                "What came of each way: `from` the name of a cluster `to` that of another; the `target`, `API server` or `gateway`; its `address`; the `outcome`: \
                 `reached`, `refused`, `timed out`, `name not resolved`, `no route`, `TLS name`, `TLS authority`, `not ready`, `failed` or `not run`; the `detail` of it, \
                 which may be empty; the `milliseconds` until the connection stood, null where that is not known; and whether it was `reached`.",
            ),
            Attribute::computed("reachable", Type::Bool, "Whether all were reached. A check that hangs on it is not run where only a data plane is missing."),
            Attribute::computed("unreached", Type::list(Type::String), "A sentence for each pair that was not reached, and for each cluster that nothing could be asked from."),
        ];
        let doc = "Whether the clusters of a mesh reach each other: from each the API server of every other, and the gateways of those on other networks. A short-lived pod in each cluster \
            asks, without rights and without a proxy, and is deleted whatever comes of it. Planning makes no pods: they are made by `meshplan check`, by tests, and while a \
            plan is applied.";
        let kind = "istio_reachability";
        let schema = Schema { kind, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema, machine }
    }
}

impl DataSource for Reachability {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn probes(&self) -> bool {
        true
    }

    fn acts(&self, arguments: &Value) -> bool {
        arguments.text("probe") != Some("host")
    }

    fn pairs(&self, attributes: &Value) -> Vec<Pair> {
        attributes.get("pairs").map(Value::items).unwrap_or_default().iter().map(pair_of).collect()
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(probe) = arguments.text("probe").filter(|probe| !matches!(*probe, "pod" | "host")) {
            let detail = format!("`probe` is `{probe}`; it is either `pod` or `host`");
            problems.push(Problem::with("probe", "invalid value", detail));
        }
        let port = arguments.get("gateway_port").filter(|port| port.as_number().is_some());
        if port.is_some_and(|port| port.as_u64().is_none_or(|port| !(1..=65535).contains(&port))) {
            problems.push(Problem::with("gateway_port", "invalid port", "`gateway_port` is a whole number from 1 to 65535"));
        }
        if arguments.text("image").is_some_and(|image| image.trim().is_empty()) {
            problems.push(Problem::with("image", "invalid value", "`image` is empty").help("Name an image that has `/bin/sh` and `curl`."));
        }
        problems.extend(label(arguments, "namespace"));
        problems.extend(["timeout", "pod_timeout"].into_iter().filter_map(|name| time_problem(arguments, name)));
        let peers = arguments.get("peers").map(Value::entries).unwrap_or_default();
        if peers.len() > MOST {
            let detail = format!("there are {} peers, and a pod can tell of {MOST}", peers.len());
            problems.push(Problem::with("peers", "too many peers", detail).help("Look at parts of the mesh, each in a block of its own."));
        }
        for peer in peers {
            problems.extend(peer.value.text("server").and_then(|server| server_problem(&peer.key, server)));
            problems.extend(peer.value.text("gateway").and_then(|gateway| gateway_problem(&peer.key, gateway)));
        }
        problems
    }

    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            // What was not known when they were validated is judged here.
            if let Some(refused) = refusal(self.validate(arguments)) {
                return refused;
            }
            let Some(wish) = Wish::of(arguments) else { return Answer::Unreachable("its arguments are not known".into()) };
            let pairs = if self.acts(arguments) {
                let asked = wish.peers.iter().map(|peer| wish.in_cluster(peer, source));
                join_all(asked).await.concat()
            } else {
                wish.on_host(&self.machine).await
            };
            Answer::Present(arguments.with_entries(told(&pairs)))
        })
    }
}

fn server_problem(name: &str, server: &str) -> Option<Problem> {
    let host = server.strip_prefix("https://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    let good = host.is_some_and(|host| !host.is_empty()) && !server.contains(|c: char| c.is_whitespace() || c.is_control());
    let detail = format!("`server` of `{name}` is no URL of an API server, such as `https://10.0.0.1:6443`");
    (!good).then(|| Problem::with("peers", "invalid API server", detail))
}

fn gateway_problem(name: &str, gateway: &str) -> Option<Problem> {
    let strange = |c: char| c.is_whitespace() || c.is_control() || "/[]@?#".contains(c);
    let with_port = gateway.matches(':').count() == 1;
    let detail = format!("`gateway` of `{name}` is neither an address nor the name of a host");
    let bad = gateway.is_empty() || gateway.contains(strange) || with_port;
    bad.then(|| Problem::with("peers", "invalid gateway", detail).help("Its port is that of all gateways: `gateway_port`."))
}

/// A way with who went it, and what came of it.
type Gone = (String, Way, Outcome);

/// What is to be looked at, and how.
struct Wish<'a> {
    peers: Vec<Peer<'a>>,
    port: u64,
    image: &'a str,
    namespace: &'a str,
    /// How long each answer is waited for, in seconds.
    seconds: u64,
    starts: u64,
}

impl<'a> Wish<'a> {
    /// As the arguments say, which were found to be right.
    fn of(arguments: &'a Value) -> Option<Self> {
        let time = |name| seconds(arguments.text(name)?);
        Some(Self {
            peers: arguments.get("peers")?.entries().iter().map(Peer::of).collect::<Option<_>>()?,
            port: arguments.get("gateway_port")?.as_u64()?,
            image: arguments.text("image")?,
            namespace: arguments.text("namespace")?,
            seconds: time("timeout")?,
            starts: time("pod_timeout")?,
        })
    }

    /// How long the script may take for so many ways, in seconds.
    fn takes(&self, ways: usize) -> u64 {
        self.seconds.saturating_mul(ways.div_ceil(AT_ONCE) as u64).saturating_add(2)
    }

    async fn in_cluster(&self, peer: &Peer<'_>, source: Source<'_>) -> Vec<Gone> {
        let ways = ways(Some(peer), &self.peers, self.port);
        if ways.is_empty() {
            return Vec::new();
        }
        let words = words_of(&ways, &self.peers);
        let environment = environment(&self.peers, self.seconds);
        let errand = Errand {
            name: "reachability",
            namespace: self.namespace,
            image: self.image,
            marks: &MARKS,
            script: SCRIPT,
            arguments: &words,
            environment: &environment,
            limit: Duration::from_secs(self.starts.saturating_add(self.takes(ways.len()))),
        };
        let said = match source.cluster(peer.cluster).await {
            Ok(cluster) => cluster.send(errand).await,
            Err(why) => Err(Unusable::NotRunning(format!("the cluster cannot be reached: {why}"))),
        };
        gone(peer.name, ways, said)
    }

    /// The same from the machine that this runs on.
    async fn on_host(&self, machine: &Surroundings) -> Vec<Gone> {
        let ways = ways(None, &self.peers, self.port);
        let limit = Duration::from_secs(self.takes(ways.len()));
        let said = here((machine, limit), &words_of(&ways, &self.peers), &environment(&self.peers, self.seconds)).await;
        gone(HOST, ways, said.map_err(Unusable::NotRunning))
    }
}

/// Runs the script on this machine, with curl as it is found there.
async fn here(
    (machine, limit): (&Surroundings, Duration),
    arguments: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<String, String> {
    let mut command = std::process::Command::new("/bin/sh");
    let given = machine.environment.iter().filter(|(name, _)| matches!(name.as_str(), "HOME" | "PATH"));
    command.args(["-c", SCRIPT, "sh"]).args(arguments).env_clear().envs(given).envs(environment).env("OUT", "/dev/stdout");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // Ctrl-C is meshplan's.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = tokio::process::Command::from(command).kill_on_drop(true).spawn().map_err(|why| format!("no shell can be run: {why}"))?;
    let late = |_| format!("the answers took more than {} s", limit.as_secs());
    let output = tokio::time::timeout(limit, child.wait_with_output()).await.map_err(late)?.map_err(|why| why.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(said) } else { Err(format!("on this machine {}", said.trim())) }
}

/// The ways with what was said of them; or with why nothing was.
fn gone(from: &str, ways: Vec<Way>, said: Result<String, Unusable>) -> Vec<Gone> {
    let outcomes = match said {
        Ok(text) => outcomes(&text, &ways),
        Err(Unusable::NoDataPlane(why)) => vec![Outcome::NotRun(format!("no data plane: {why}"), true); ways.len()],
        Err(Unusable::NotRunning(why)) => vec![Outcome::NotRun(why, false); ways.len()],
    };
    ways.into_iter().zip(outcomes).map(|(way, outcome)| (from.to_owned(), way, outcome)).collect()
}

/// The attributes that it comes to.
fn told(gone: &[Gone]) -> [(&'static str, Value); 3] {
    let pairs = gone.iter().map(|(from, way, outcome)| {
        Value::object([
            ("from", Value::string(from.as_str())),
            ("to", Value::string(way.to.as_str())),
            ("target", Value::string(way.target.words())),
            ("address", Value::string(way.address.as_str())),
            ("outcome", Value::string(outcome.words())),
            ("detail", Value::string(outcome.detail())),
            ("milliseconds", outcome.milliseconds().map_or_else(Value::null, Value::number)),
            ("reached", Value::bool(matches!(outcome, Outcome::Reached(_)))),
        ])
    });
    let pairs = list(Type::Any, pairs.collect());
    let unreached = unreached(gone);
    let wanting = gone.iter().find_map(|(from, _, outcome)| match outcome {
        Outcome::NotRun(why, true) => Some(format!("{why}, in cluster `{from}`")),
        _ => None,
    });
    // What fails says more than what could not be tried.
    let (reachable, unreached) = match wanting.filter(|_| unreached.is_empty()) {
        Some(why) => (Value::blocked(why.as_str()), Value::blocked(why)),
        None => (Value::bool(unreached.is_empty()), list(Type::String, unreached.into_iter().map(Value::string).collect())),
    };
    [("pairs", pairs), ("reachable", reachable), ("unreached", unreached)]
}

/// A sentence for each way that was gone in vain; of who could not ask at all, one.
fn unreached(gone: &[Gone]) -> Vec<String> {
    let mut told = Vec::new();
    for (from, way, outcome) in gone {
        let sentence = match outcome {
            Outcome::Reached(_) | Outcome::NotRun(_, true) => continue,
            Outcome::NotRun(why, false) => format!("{from}: not run: {why}"),
            _ => {
                let detail = outcome.detail();
                let more = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
                format!("{from}: {} of {} at {}: {}{more}", way.target.words(), way.to, way.address, outcome.words())
            }
        };
        if !told.contains(&sentence) {
            told.push(sentence);
        }
    }
    told
}

fn pair_of(value: &Value) -> Pair {
    let text = |name: &str| value.text(name).unwrap_or_default().to_owned();
    Pair {
        from: text("from"),
        to: text("to"),
        target: text("target"),
        address: text("address"),
        outcome: text("outcome"),
        detail: text("detail"),
        milliseconds: value.get("milliseconds").and_then(Value::as_u64),
        reached: value.get("reached").and_then(Value::as_bool) == Some(true),
    }
}

fn list(of: Type, items: Vec<Value>) -> Value {
    Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::List(of), items))))
}

#[cfg(test)]
mod tests;
