//! What the programs in Istio's pods say of themselves, asked from within: most of them answer nobody else.

use engine::config::seconds;
use engine::question::Answer;
use engine::value::Value;
use futures::future::join_all;
use kubernetes::{Cluster, Container, Json, Running, Source, Unusable, Wanted, worst};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long is waited for pods and for their answers, as the language writes it.
pub(crate) const PATIENCE: &str = "30s";

/// What is asked of which pods.
#[derive(Clone, Copy)]
pub(crate) struct Inquiry<'a> {
    /// The pods.
    pub(crate) wanted: Wanted<'a>,
    /// The program in them that hands requests on.
    pub(crate) program: &'a str,
    /// The path of the request.
    pub(crate) path: &'a str,
}

/// By the names of clusters what each of their pods says.
pub(crate) type Said<T> = BTreeMap<String, BTreeMap<String, T>>;

/// Asks in all `clusters` of the arguments, as long as their `timeout` says, and reads each answer.
pub(crate) async fn ask<T: Send>(
    (arguments, source): (&Value, Source<'_>),
    inquiry: Inquiry<'_>,
    read: fn(&Json) -> Result<T, String>,
) -> Result<Said<T>, Answer> {
    let limit = Duration::from_secs(seconds(arguments.text("timeout").unwrap_or(PATIENCE)).unwrap_or_default());
    let clusters = arguments.get("clusters").map(Value::entries).unwrap_or_default();
    let asked = clusters.iter().map(|entry| async {
        let said = match source.cluster(&entry.value).await {
            Ok(cluster) => in_cluster(&cluster, inquiry, limit).await.map_err(|why| why.answer(&entry.key)),
            Err(why) => Err(Answer::Unreachable(format!("cluster `{}`: {why}", entry.key).into())),
        };
        (entry.key.to_string(), said)
    });
    let (mut all, mut unanswered) = (Said::new(), Vec::new());
    for (name, said) in join_all(asked).await {
        let failed = |(pod, why)| Unusable::NotRunning(format!("`{}` of pod `{}/{pod}`: {why}", inquiry.path, inquiry.wanted.namespace));
        let one = |(pod, said): (String, Json)| read(&said).map(|said| (pod.clone(), said)).map_err(|why| (pod, why));
        match said {
            Ok(said) => match said.into_iter().map(one).collect() {
                Ok(said) => drop(all.insert(name, said)),
                Err(why) => unanswered.push(failed(why).answer(&name)),
            },
            Err(answer) => unanswered.push(answer),
        }
    }
    match worst(unanswered) {
        Some(answer) => Err(answer),
        None => Ok(all),
    }
}

async fn in_cluster(cluster: &Cluster, inquiry: Inquiry<'_>, limit: Duration) -> Result<BTreeMap<String, Json>, Unusable> {
    let pods = cluster.running(inquiry.wanted, limit).await?;
    let asked = pods.iter().map(|pod| async move { (pod.pod.clone(), in_pod(cluster, inquiry, (pod, limit)).await) });
    let failed = |(pod, said): (String, Result<Json, String>)| match said {
        Ok(said) => Ok((pod, said)),
        Err(why) => Err(Unusable::NotRunning(format!("`{}` of pod `{}/{pod}`: {why}", inquiry.path, inquiry.wanted.namespace))),
    };
    join_all(asked).await.into_iter().map(failed).collect()
}

async fn in_pod(cluster: &Cluster, inquiry: Inquiry<'_>, (running, limit): (&Running, Duration)) -> Result<Json, String> {
    let command = [inquiry.program, "request", "GET", inquiry.path].map(str::to_owned);
    let container = Container { namespace: inquiry.wanted.namespace, pod: &running.pod, name: &running.container };
    let executed = cluster.exec(container, &command, limit).await?;
    if executed.code != 0 {
        return Err(executed.stderr.lines().last().unwrap_or("the command failed").to_owned());
    }
    serde_json::from_str(&executed.stdout).map_err(|_| "the answer is no JSON".to_owned())
}
