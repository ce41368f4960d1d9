//! `pod_exec`: what commands say that are run in containers of pods.

mod shares;

use crate::client::{Cluster, Container, Executed};
use crate::data_source::{DataSource, Source};
use crate::pods::{Running, Unusable, Wanted};
use engine::config::seconds;
use engine::port::BoxFuture;
use engine::question::{Answer, wants_data_plane};
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Data, Entry, Mapping, MappingKind, Sequence, SequenceKind, Type, Value};
use futures::future::join_all;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How long is waited for a pod and for the end of a command, as the language writes it.
const PATIENCE: &str = "30s";
/// Most runs in each pod.
const MOST: u64 = 1000;
/// Most bytes that all runs together may write.
const MOST_WRITTEN: usize = 1 << 20;
/// Longest that the runs in one pod may take together, if a single one may not take longer.
const LONGEST: Duration = Duration::from_mins(10);

/// `data.pod_exec`.
pub(crate) struct PodExec {
    schema: Schema,
}

impl Default for PodExec {
    fn default() -> Self {
        let run = || {
            Type::object([
                ("pod", Type::String, false),
                ("code", Type::Number, false),
                ("stdout", Type::String, false),
                ("stderr", Type::String, false),
            ])
        };
        let attributes = vec![
            Attribute::required(
                "clusters",
                Type::map(Type::Reference("cluster")),
                "The clusters to ask in, by names of your choice: those in results.",
            ),
            Attribute::optional("namespace", Type::String, "The namespace of the pods.").default(Value::string("default")),
            Attribute::optional("name", Type::String, "The name of the pod. Either this or `label_selector`."),
            Attribute::optional(
                "label_selector",
                Type::String,
                "Conditions on labels that must all hold, as `kubectl` takes them: the command is run in every pod that they choose.",
            ),
            Attribute::optional(
                "container",
                Type::String,
                "The container; without it the one that the annotation `kubectl.kubernetes.io/default-container` names, or the first.",
            ),
            Attribute::required("command", Type::list(Type::String), "The program and its arguments. There is no shell between."),
            Attribute::optional("repeat", Type::Number, "How often it is run in each pod, one after the other: 1 to 1000.")
                .default(Value::number(1)),
            Attribute::optional("timeout", Type::String, "How long is waited until the pods run, and for the end of each run. All runs in one pod together may take ten minutes, or this if it is longer.")
                .default(Value::string(PATIENCE)),
            Attribute::optional(
                "pattern",
                Type::String,
                "A regular expression (RE2): what its first group, or without groups the whole of it, matches first in the standard output of a run is counted.",
            ),
            Attribute::optional(
                "expected_shares",
                Type::map(Type::Number),
                "Which share of all runs, from 0 to 1, each text that `pattern` finds should have in every cluster.",
            ),
            Attribute::computed(
                "runs",
                Type::map(Type::list(run())),
                "By cluster every run: its `pod`, exit `code`, `stdout` and `stderr`. All together they may write a mebibyte; of one that writes more by itself the \
                 first of it is kept. Sensitive where `command` is, which they may repeat.",
            ),
            Attribute::computed("succeeded", Type::map(Type::Number), "By cluster how many runs ended with the exit code 0."),
            Attribute::computed("counts", Type::map(Type::map(Type::Number)), "By cluster how often `pattern` found which text."),
            Attribute::computed(
                "unexpected",
                Type::list(Type::String),
                "A sentence for each share that is further from `expected_shares` than three standard deviations of a binomial distribution, 3·√(p(1−p)/n) \
                 for a share p of n runs; also for what was found and is not expected. None without `expected_shares`.",
            ),
        ];
        let doc = "What a command says in containers of running pods. It is run over the API server, as `kubectl exec` does. Where pods do not run, the check \
            that asks is not run; a pod that does not come to run in time, or a command that cannot be started, fails it. An exit code is an answer.";
        let schema = Schema { kind: "pod_exec", doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema }
    }
}

impl DataSource for PodExec {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn probes(&self) -> bool {
        true
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(crate::arguments::pods_problem(arguments));
        if arguments.get("command").is_some_and(|command| command.is_known() && command.items().is_empty()) {
            problems.push(Problem::with("command", "no command", "`command` names the program to run, and is empty"));
        }
        if let Some(number) = arguments.get("repeat").filter(|number| number.as_number().is_some())
            && number.as_u64().is_none_or(|number| !(1..=MOST).contains(&number))
        {
            let detail = format!("`repeat` is a whole number from 1 to {MOST}");
            problems.push(Problem::with("repeat", "invalid repetition", detail));
        }
        problems.extend(crate::arguments::timeout_problem(arguments));
        if let Some(why) = arguments.text("pattern").and_then(|pattern| Regex::new(pattern).err()) {
            // The error shows the pattern over several lines, and says in the last what is wrong.
            let why = why.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            problems.push(Problem::with("pattern", "invalid pattern", format!("`pattern` is no regular expression: {why}")));
        }
        let shares = arguments.get("expected_shares").filter(|shares| !shares.is_null());
        if shares.is_some() && arguments.get("pattern").is_some_and(Value::is_null) {
            let detail = "`expected_shares` are those of what `pattern` finds, and there is none";
            problems.push(Problem::with("expected_shares", "shares of nothing", detail).help("Give a `pattern`."));
        }
        for entry in shares.map(Value::entries).unwrap_or_default() {
            if share(&entry.value).is_some_and(|share| !(0.0..=1.0).contains(&share)) {
                let detail = format!("the share of `{}` lies between 0 and 1", entry.key);
                problems.push(Problem::with("expected_shares", "invalid share", detail));
            }
        }
        problems
    }

    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            // What was not known when they were validated is judged here.
            if let Some(refusal) = crate::arguments::refusal(self.validate(arguments)) {
                return refusal;
            }
            let Some(wish) = Wish::of(arguments) else { return Answer::Unreachable("its arguments are not known".into()) };
            let asked = arguments.get("clusters").map(Value::entries).unwrap_or_default().iter().map(|entry| async {
                let found = match source.cluster(&entry.value).await {
                    Ok(cluster) => wish.runs(&cluster).await.map_err(|why| why.answer(&entry.key)),
                    Err(why) => Err(Answer::Unreachable(format!("cluster `{}`: {why}", entry.key).into())),
                };
                (entry.key.clone(), found)
            });
            let (mut runs, mut unanswered) = (BTreeMap::new(), Vec::new());
            for (name, found) in join_all(asked).await {
                match found {
                    Ok(found) => drop(runs.insert(name, found)),
                    Err(answer) => unanswered.push(answer),
                }
            }
            worst(unanswered).unwrap_or_else(|| Answer::Present(arguments.with_entries(wish.told(&runs))))
        })
    }
}

/// Of answers that say why there is none the one that counts: a want of a data plane counts least.
pub fn worst(mut unanswered: Vec<Answer>) -> Option<Answer> {
    unanswered.sort_by_key(|answer| matches!(answer, Answer::Unreachable(why) if wants_data_plane(why)));
    unanswered.into_iter().next()
}

/// One run: the pod, and what came of it.
type Run = (String, Executed);

/// What is to be run, and what is counted.
struct Wish<'a> {
    wanted: Wanted<'a>,
    command: Vec<String>,
    repeat: u64,
    limit: Duration,
    pattern: Option<Regex>,
    shares: Option<BTreeMap<String, f64>>,
    /// Bytes that runs have written so far.
    written: AtomicUsize,
    /// Whether what runs say may repeat a secret.
    is_secret: bool,
}

impl<'a> Wish<'a> {
    /// As the arguments say, which were found to be right.
    fn of(arguments: &'a Value) -> Option<Self> {
        let text = |name| arguments.text(name).unwrap_or_default();
        let wanted = Wanted {
            namespace: arguments.text("namespace")?,
            name: text("name"),
            labels: text("label_selector"),
            container: arguments.text("container"),
        };
        let command = arguments.get("command")?.items().iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
        let shares = arguments.get("expected_shares").filter(|shares| !shares.is_null());
        Some(Self {
            wanted,
            command,
            repeat: arguments.get("repeat")?.as_u64()?,
            limit: Duration::from_secs(seconds(arguments.text("timeout")?)?),
            pattern: arguments.text("pattern").and_then(|pattern| Regex::new(pattern).ok()),
            shares: shares
                .map(|shares| shares.entries().iter().filter_map(|entry| Some((entry.key.to_string(), share(&entry.value)?))).collect()),
            written: AtomicUsize::new(0),
            is_secret: arguments.get("command")?.holds_sensitive(),
        })
    }

    /// All runs in a cluster: those in one pod one after the other.
    async fn runs(&self, cluster: &Cluster) -> Result<Vec<Run>, Unusable> {
        let pods = cluster.running(self.wanted, self.limit).await?;
        let all = join_all(pods.iter().map(|pod| self.runs_in(cluster, pod))).await;
        Ok(all.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
    }

    async fn runs_in(&self, cluster: &Cluster, running: &Running) -> Result<Vec<Run>, Unusable> {
        let container = Container { namespace: self.wanted.namespace, pod: &running.pod, name: &running.container };
        let program = self.command.first().map(String::as_str).unwrap_or_default();
        let failed = |why: String| Unusable::NotRunning(format!("`{program}` in pod `{}/{}`: {why}", container.namespace, container.pod));
        let (began, longest) = (Instant::now(), self.limit.max(LONGEST));
        let mut runs = Vec::new();
        for _ in 0..self.repeat {
            let left = longest.saturating_sub(began.elapsed());
            if left.is_zero() {
                let (done, wanted, seconds) = (runs.len(), self.repeat, longest.as_secs());
                return Err(failed(format!("after {seconds} s it has run {done} times of {wanted}; a lower `repeat` ends in time")));
            }
            let executed = cluster.exec(container, &self.command, self.limit.min(left)).await.map_err(failed)?;
            self.note(&executed).map_err(failed)?;
            runs.push((running.pod.clone(), executed));
        }
        Ok(runs)
    }

    /// Adds up what runs write; the error says that it is too much.
    fn note(&self, executed: &Executed) -> Result<(), String> {
        let more = executed.stdout.len() + executed.stderr.len();
        let before = self.written.fetch_add(more, Ordering::Relaxed);
        // One run alone has been cut off.
        if before > 0 && before + more > MOST_WRITTEN {
            return Err("all runs together have written more than a mebibyte; let the command write less, or lower `repeat`".to_owned());
        }
        Ok(())
    }

    /// The attributes that runs come to.
    fn told(&self, runs: &BTreeMap<Arc<str>, Vec<Run>>) -> [(&'static str, Value); 4] {
        let counts: BTreeMap<&Arc<str>, BTreeMap<String, u64>> = runs.iter().map(|(name, runs)| (name, self.counted(runs))).collect();
        let unexpected = counts.iter().flat_map(|(name, counts)| {
            let total = runs[*name].len() as u64;
            let told = self.shares.as_ref().map(|shares| shares::unexpected(counts, total, shares)).unwrap_or_default();
            told.into_iter().map(move |told| Value::string(format!("{name}: {told}")).sensitive_if(self.is_secret))
        });
        let unexpected = list(Type::String, unexpected.collect());
        let numbers = |counts: &BTreeMap<String, u64>| {
            map(Type::Number, counts.iter().map(|(text, count)| Entry::new(text.as_str(), Value::number(*count))).collect())
        };
        // What was found names what is counted.
        let counts =
            counts.iter().map(|(name, counts)| Entry::new((*name).clone(), numbers(counts).sensitive_if(self.is_secret))).collect();
        let succeeded = runs.iter().map(|(name, runs)| {
            let good = runs.iter().filter(|(_, executed)| executed.code == 0).count() as u64;
            Entry::new(name.clone(), Value::number(good))
        });
        let all =
            runs.iter().map(|(name, runs)| Entry::new(name.clone(), list(Type::Any, runs.iter().map(|run| self.shown(run)).collect())));
        [
            ("runs", map(Type::Any, all.collect())),
            ("succeeded", map(Type::Number, succeeded.collect())),
            ("counts", map(Type::map(Type::Number), counts)),
            ("unexpected", unexpected),
        ]
    }

    fn shown(&self, (pod, Executed { code, stdout, stderr }): &Run) -> Value {
        let said = |text: &str| Value::string(text).sensitive_if(self.is_secret);
        Value::object([
            ("pod", Value::string(pod.as_str())),
            ("code", Value::number(*code)),
            ("stdout", said(stdout)),
            ("stderr", said(stderr)),
        ])
    }

    fn counted(&self, runs: &[Run]) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let Some(pattern) = &self.pattern else { return counts };
        for (_, executed) in runs {
            if let Some(found) = pattern.captures(&executed.stdout).and_then(|found| found.get(1).or(found.get(0))) {
                *counts.entry(found.as_str().to_owned()).or_insert(0) += 1;
            }
        }
        counts
    }
}

fn share(value: &Value) -> Option<f64> {
    value.as_number()?.to_string().parse().ok()
}

fn map(of: Type, entries: Vec<Entry>) -> Value {
    Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Map(of), entries))))
}

fn list(of: Type, items: Vec<Value>) -> Value {
    Value::new(Data::Sequence(Arc::new(Sequence::new(SequenceKind::List(of), items))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::address::Address;

    fn arguments(more: &[(&'static str, Value)]) -> Value {
        let words = |words: &[&str]| Value::tuple(words.iter().map(|word| Value::string(*word)).collect());
        let cluster = Value::reference(Address::managed("k_cluster", "c1"), &["cluster"], Value::object([("name", Value::string("c1"))]));
        let nulls = ["name", "container", "pattern", "expected_shares"].map(|name| (name, Value::null()));
        let given = [
            ("clusters", Value::object([("c1", cluster)])),
            ("namespace", Value::string("sample")),
            ("label_selector", Value::string("app=sleep")),
            ("command", words(&["curl", "-sS", "http://helloworld.sample:5000/hello"])),
            ("repeat", Value::number(1)),
            ("timeout", Value::string("30s")),
        ];
        Value::object(nulls.into_iter().chain(given).chain(more.iter().cloned()))
    }

    #[test]
    fn arguments_are_judged_before_anything_is_run() {
        let shares = |share: &str| Value::object([("v1", Value::number(engine::value::parse_number(share).unwrap()))]);
        let rows = [
            (vec![], None),
            (vec![("name", Value::string("p"))], Some("unclear pods")),
            (vec![("label_selector", Value::null())], Some("unclear pods")),
            (vec![("name", Value::string("p")), ("label_selector", Value::null())], None),
            (vec![("name", Value::string("")), ("label_selector", Value::null())], Some("unclear pods")),
            (vec![("label_selector", Value::string(""))], Some("unclear pods")),
            (vec![("command", Value::tuple(Vec::new()))], Some("no command")),
            (vec![("command", Value::unknown(Type::list(Type::String)))], None),
            (vec![("repeat", Value::number(0))], Some("invalid repetition")),
            (vec![("repeat", Value::number(1001))], Some("invalid repetition")),
            (vec![("timeout", Value::string("0s"))], Some("invalid timeout")),
            (vec![("pattern", Value::string("version: (v[0-9]+"))], Some("invalid pattern")),
            (vec![("expected_shares", shares("0.5"))], Some("shares of nothing")),
            (vec![("pattern", Value::string("v[0-9]")), ("expected_shares", shares("0.5"))], None),
            (vec![("pattern", Value::string("v[0-9]")), ("expected_shares", shares("1.1"))], Some("invalid share")),
            (vec![("pattern", Value::string("v[0-9]")), ("expected_shares", shares("-0.1"))], Some("invalid share")),
        ];
        for (more, expected) in rows {
            let told = PodExec::default().validate(&arguments(&more));
            assert_eq!(told.iter().map(|problem| &*problem.summary).collect::<Vec<_>>(), Vec::from_iter(expected), "{more:?}");
        }
    }

    #[test]
    fn runs_become_counts_and_shares_by_cluster() {
        let said = |version: &str, code| {
            let stdout = format!("Hello version: {version}, instance: helloworld-{version}-x\n");
            ("sleep-1".to_owned(), Executed { code, stdout, stderr: String::new() })
        };
        let shares = Value::object([("v1", Value::number(1))]);
        let arguments = arguments(&[("pattern", Value::string("version: (\\w+),")), ("expected_shares", shares)]);
        let wish = Wish::of(&arguments).unwrap();
        let broken = ("sleep-1".to_owned(), Executed { code: 7, stdout: String::new(), stderr: "refused".to_owned() });
        let runs = BTreeMap::from([("c1".into(), vec![said("v1", 0), said("v2", 0), broken]), ("c2".into(), vec![said("v1", 0)])]);
        let told = Value::object(wish.told(&runs)).to_json().unwrap();
        assert_eq!(told["counts"].to_string(), r#"{"c1":{"v1":1,"v2":1},"c2":{"v1":1}}"#);
        assert_eq!(told["succeeded"].to_string(), r#"{"c1":2,"c2":1}"#);
        assert_eq!(told["runs"]["c1"][2].to_string(), r#"{"code":7,"pod":"sleep-1","stderr":"refused","stdout":""}"#);
        assert_eq!(
            told["unexpected"].to_string(),
            r#"["c1: `v1` came 1 times of 3, and not 3 times","c1: `v2` came 1 times of 3, and not 0 times"]"#
        );
    }

    #[test]
    fn what_may_repeat_a_secret_is_one() {
        let secret = Value::tuple(vec![Value::string("curl"), Value::string("Bearer s3cret").sensitive()]);
        let said = Executed { code: 22, stdout: "s3cret".to_owned(), stderr: "401".to_owned() };
        let runs = BTreeMap::from([("c1".into(), vec![("sleep-1".to_owned(), said)])]);
        let more = [("pattern", Value::string(".+")), ("expected_shares", Value::object([("v1", Value::number(1))]))];
        for (given, expected) in [(vec![("command", secret)], true), (vec![], false)] {
            let given = arguments(&[given, more.to_vec()].concat());
            let told = Value::object(Wish::of(&given).unwrap().told(&runs));
            let run = &told.get("runs").unwrap().get("c1").unwrap().items()[0];
            let secrets = [
                run.get("stdout").unwrap().is_marked_sensitive(),
                run.get("stderr").unwrap().is_marked_sensitive(),
                told.get("counts").unwrap().get("c1").unwrap().is_marked_sensitive(),
                told.get("unexpected").unwrap().items()[0].is_marked_sensitive(),
            ];
            assert_eq!(secrets, [expected; 4]);
            assert!(!run.get("code").unwrap().is_marked_sensitive() && !told.get("succeeded").unwrap().holds_sensitive());
        }
    }

    #[test]
    fn all_runs_together_write_a_mebibyte_at_most() {
        let arguments = arguments(&[]);
        let wrote = |bytes: usize| Executed { code: 0, stdout: "x".repeat(bytes), stderr: String::new() };
        for (sizes, expected) in
            [(vec![MOST_WRITTEN], true), (vec![MOST_WRITTEN - 1, 1], true), (vec![MOST_WRITTEN, 1], false), (vec![600_000; 2], false)]
        {
            let wish = Wish::of(&arguments).unwrap();
            let all: Result<Vec<()>, String> = sizes.iter().map(|size| wish.note(&wrote(*size))).collect();
            assert_eq!(all.is_ok(), expected, "{sizes:?}");
        }
    }

    #[test]
    fn what_is_broken_counts_more_than_what_is_not_there() {
        let still = || Answer::no_data_plane("a sandbox");
        let lost = || Answer::Unreachable("cluster `c1`: refused".into());
        assert_eq!(worst(vec![still(), lost()]), Some(lost()));
        assert_eq!((worst(vec![still()]), worst(Vec::new())), (Some(still()), None));
    }
}
