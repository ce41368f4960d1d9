//! Looking up many objects of one kind with few requests: lists, and single reads where those are fewer or lists are forbidden.

use super::lookup::{Look, blocked};
use crate::client::{CallError, Cluster, Served};
use crate::object_kind::Json;
use engine::port::BoxFuture;
use engine::question::{Answer, Question};
use futures::future::join_all;
use futures::stream::{self, StreamExt as _};
use std::collections::BTreeMap;

/// Up to this many objects are read one by one.
const HANDFUL: usize = 2;
/// Single reads at a time of one kind.
const AT_ONCE: usize = 8;

type Answers = Vec<(Question, Answer)>;
/// The answers, or why the cluster cannot be asked.
pub(super) type Found<'a> = Result<Answers, (CallError, Vec<Look<'a>>)>;

/// Looks up everything of one kind.
pub(super) async fn look_up_kind<'a>(cluster: &Cluster, (api_version, kind): (String, String), looks: Vec<Look<'a>>) -> Found<'a> {
    if looks.len() <= HANDFUL {
        return Ok(read(cluster, looks).await);
    }
    let served = match cluster.served(&api_version, &kind).await {
        Ok(Some(served)) => served,
        // The server says what it knows, and that is not among it.
        Ok(None) => return Ok(looks.into_iter().map(|look| look.answer(Ok(None))).collect()),
        Err(error) => return Err((error, looks)),
    };
    let mut namespaces: BTreeMap<Option<String>, Vec<Look<'a>>> = BTreeMap::new();
    for look in looks {
        namespaces.entry(namespace(&look, &served)).or_default().push(look);
    }
    let everywhere = served.collection(&api_version, None);
    if namespaces.len() > 1 {
        match cluster.list(&everywhere, namespaces.len()).await {
            Ok(Some(objects)) => return Ok(matched(cluster, &objects, &served, namespaces.into_values().flatten().collect()).await),
            Err(error) if error.is_unreachable() => return Err((error, namespaces.into_values().flatten().collect())),
            // More pages than namespaces, or only some namespaces may be listed.
            Ok(None) | Err(_) => {}
        }
    }
    let within = namespaces.into_iter().map(|(namespace, looks)| {
        let path = served.collection(&api_version, namespace.as_deref());
        Box::pin(look_up_within(cluster, path, &served, looks)) as BoxFuture<'_, _>
    });
    let within: Vec<_> = within.collect();
    Ok(join_all(within).await.into_iter().flatten().collect())
}

/// Looks up what one collection holds.
async fn look_up_within(cluster: &Cluster, path: String, served: &Served, looks: Vec<Look<'_>>) -> Answers {
    if looks.len() > HANDFUL {
        match cluster.list(&path, looks.len()).await {
            Ok(Some(objects)) => return matched(cluster, &objects, served, looks).await,
            Err(error) if error.is_unreachable() => return blocked(Some(&error), looks),
            // More pages than objects looked for; or whoever may not list may still read what is known by name.
            Ok(None) | Err(_) => {}
        }
    }
    read(cluster, looks).await
}

/// Reads one by one.
async fn read(cluster: &Cluster, looks: Vec<Look<'_>>) -> Answers {
    let one = async |look: Look<'_>| {
        let found = match &look.name {
            Some(name) => cluster.get(name).await,
            None => Ok(None),
        };
        look.answer(found.as_ref().map(Option::as_ref))
    };
    let reads: Vec<BoxFuture<'_, _>> = looks.into_iter().map(|look| Box::pin(one(look)) as BoxFuture<'_, _>).collect();
    stream::iter(reads).buffer_unordered(AT_ONCE).collect().await
}

/// Answers by name. A record that a list does not hold is read before it counts as gone; of what is only planned the list is proof enough,
/// since a create that finds something in its place fails.
async fn matched(cluster: &Cluster, objects: &[Json], served: &Served, looks: Vec<Look<'_>>) -> Answers {
    let text = |object: &Json, part: &str| object.pointer(&format!("/metadata/{part}")).and_then(Json::as_str).map(str::to_owned);
    let by_name: BTreeMap<_, _> = objects.iter().map(|object| ((text(object, "namespace"), text(object, "name")), object)).collect();
    let (mut answers, mut missing) = (Vec::new(), Vec::new());
    for look in looks {
        let name = look.name.as_ref().map(|name| name.name.clone());
        match by_name.get(&(namespace(&look, served), name)) {
            Some(found) => answers.push(answered(look, found)),
            None if look.is_recorded() => missing.push(look),
            None => answers.push(look.answer(Ok(None))),
        }
    }
    answers.extend(read(cluster, missing).await);
    answers
}

/// The answer that an item of a list gives. Items may come without their kind.
fn answered(look: Look<'_>, found: &Json) -> (Question, Answer) {
    match look.name.clone().filter(|_| found.get("kind").is_none()) {
        Some(name) => {
            let mut object = found.clone();
            object["apiVersion"] = name.api_version.into();
            object["kind"] = name.kind.into();
            look.answer(Ok(Some(&object)))
        }
        None => look.answer(Ok(Some(found))),
    }
}

/// The namespace where the server keeps it. A name may lack one it has, or have one although objects of its kind have none.
fn namespace(look: &Look<'_>, served: &Served) -> Option<String> {
    let named = look.name.as_ref().and_then(|name| name.namespace.clone());
    served.namespaced.then(|| named.unwrap_or_else(|| "default".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Clusters;
    use crate::fake::Fake;
    use crate::provider::ObjectProvider;
    use engine::address::Address;
    use engine::port::{Asked, Provider as _};
    use engine::question::Ask;
    use engine::state::{Record, RecordId};
    use engine::value::Value;
    use serde_json::json;
    use std::sync::Arc;

    struct Bench {
        fake: Fake,
        provider: ObjectProvider,
    }

    impl Bench {
        fn new() -> Self {
            let fake = Fake::new();
            Self { provider: ObjectProvider::new(crate::kinds(), Vec::new(), Clusters::new(vec![Arc::new(fake.clone())])).quick(), fake }
        }
    }

    fn many(count: usize, namespace: impl Fn(usize) -> String) -> Vec<Record> {
        let record = |at: usize| {
            let mut record = Record::new(RecordId::new(&format!("r{at}")), "kubernetes_manifest");
            record.attributes = Value::object([("id", Value::string(format!("v1/ConfigMap/{}/m{at}", namespace(at))))]);
            record
        };
        (0..count).map(record).collect()
    }

    async fn answers(bench: &Bench, records: &[Record]) -> Vec<Answer> {
        let ask = |(at, record): (usize, &Record)| Asked {
            question: Question::new(Ask::Read {
                address: Address::managed("kubernetes_manifest", &format!("m{at:02}")),
                deposed: None,
                record: Box::new(record.clone()),
            }),
            place: Some(Fake::place(None)),
        };
        let mut answers = bench.provider.answer(records.iter().enumerate().map(ask).collect()).await;
        answers.sort_by(|a, b| a.0.key().cmp(b.0.key()));
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    fn fill(bench: &Bench, count: usize) {
        for at in 0..count {
            let object = json!({ "metadata": { "name": format!("m{at}"), "namespace": "n", "uid": format!("u{at}") } });
            bench.fake.put(&format!("/api/v1/namespaces/n/configmaps/m{at}"), object);
        }
    }

    #[tokio::test]
    async fn many_records_of_a_kind_are_one_list() {
        let bench = Bench::new();
        fill(&bench, 5);
        let found = answers(&bench, &many(7, |_| "n".into())).await;
        assert!(found[..5].iter().all(|answer| matches!(answer, Answer::Present(_))), "{found:?}");
        assert_eq!(found[5..], [Answer::Absent, Answer::Absent]);
        let asked = bench.fake.asked();
        assert_eq!(
            asked,
            [
                "GET /api/v1/namespaces/n/configmaps?limit=500",
                "GET /api/v1/namespaces/n/configmaps?limit=500&continue=more%2Fof%20it",
                "GET /api/v1/namespaces/n/configmaps/m5",
                "GET /api/v1/namespaces/n/configmaps/m6"
            ],
            "what the list does not hold is read before it counts as gone"
        );
        answers(&bench, &many(4, |at| format!("n{at}"))).await;
        let lists = ["GET /api/v1/configmaps?limit=500", "GET /api/v1/configmaps?limit=500&continue=more%2Fof%20it"];
        assert_eq!(bench.fake.asked()[..2], lists);
    }

    #[tokio::test]
    async fn where_lists_are_forbidden_each_is_read() {
        let bench = Bench::new();
        fill(&bench, 2);
        bench.fake.refuse("GET /api/v1/namespaces/n/configmaps", 403);
        let found = answers(&bench, &many(3, |_| "n".into())).await;
        assert!(matches!(found[..], [Answer::Present(_), Answer::Present(_), Answer::Absent]), "{found:?}");
        assert_eq!(bench.fake.asked().len(), 4);
    }

    #[tokio::test]
    async fn what_cannot_be_reached_is_never_absent() {
        let bench = Bench::new();
        bench.fake.refuse("GET /api/v1/namespaces/n/configmaps", 503);
        let found = answers(&bench, &many(4, |_| "n".into())).await;
        let told = |answer: &Answer| matches!(answer, Answer::Unreachable(why) if why.starts_with("Refused (503); tried 6 times in "));
        assert!(found.iter().all(told), "{found:?}");
        assert_eq!(bench.fake.asked().len(), 6, "one list, tried again");
        bench.fake.refuse("GET /api/v1/namespaces/n/configmaps/a", 403);
        let mut record = many(1, |_| "n".into()).remove(0);
        record.attributes = Value::object([("id", Value::string("v1/ConfigMap/n/a"))]);
        assert_eq!(answers(&bench, &[record]).await[0], Answer::Unreachable("Refused (403)".into()));
    }
}
