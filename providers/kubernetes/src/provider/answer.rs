//! Answering questions in bulk: each place by itself, all at once.

use super::ObjectProvider;
use super::lookup::{Look, look_up};
use crate::data_source::Source;
use engine::address::Address;
use engine::port::{Asked, BoxFuture, Connected};
use engine::question::{Answer, Ask, Question};
use engine::state::Connect;
use engine::value::Value;
use futures::future::{join, join_all};
use futures::stream::{self, StreamExt as _};
use std::collections::BTreeMap;

/// Questions that are asked one by one, at a time.
const AT_ONCE: usize = 16;

impl ObjectProvider {
    pub(super) async fn answer_all(&self, asked: Vec<Asked>) -> Vec<(Question, Answer)> {
        let mut answers = Vec::new();
        let mut places: BTreeMap<Address, (Connected, Vec<Look<'_>>)> = BTreeMap::new();
        let mut single = Vec::new();
        for Asked { question, place } in asked {
            match (&question.ask, place) {
                (Ask::Read { .. } | Ask::Exists(_), Some(place)) => match Look::new(self, question) {
                    Ok(look) => places.entry(place.address.clone()).or_insert_with(|| (place, Vec::new())).1.push(look),
                    Err(answer) => answers.push(*answer),
                },
                (Ask::Read { .. } | Ask::Exists(_), None) => answers.push((question, unreachable("its cluster is not known"))),
                (_, place) => single.push((question, place)),
            }
        }
        // Boxed one by one: the compiler cannot prove futures in closures `Send` for all lifetimes.
        let places: Vec<BoxFuture<'_, _>> =
            places.into_values().map(|(place, looks)| Box::pin(self.look_up_place(place, looks)) as BoxFuture<'_, _>).collect();
        let single: Vec<BoxFuture<'_, _>> =
            single.into_iter().map(|(question, place)| Box::pin(self.answer_one(question, place)) as BoxFuture<'_, _>).collect();
        let single = stream::iter(single).buffer_unordered(AT_ONCE).collect::<Vec<_>>();
        let (places, single) = join(join_all(places), single).await;
        answers.extend(places.into_iter().flatten());
        answers.extend(single);
        answers
    }

    async fn look_up_place(&self, place: Connected, looks: Vec<Look<'_>>) -> Vec<(Question, Answer)> {
        match self.clusters.cluster(&place.connection).await {
            Ok(cluster) => look_up(&cluster, looks).await,
            Err(why) => looks.into_iter().map(|look| (look.question, unreachable(&why))).collect(),
        }
    }

    async fn answer_one(&self, question: Question, place: Option<Connected>) -> (Question, Answer) {
        let place = place.as_ref();
        let answer = match &question.ask {
            Ask::Preview(proposal) => self.preview(proposal, place).await,
            Ask::Data { kind, arguments, .. } => self.read_data(kind, arguments, place).await,
            Ask::Place { place: known, .. } => match &known.connect {
                Connect::Source { kind, arguments } => self.read_data(kind, arguments, None).await,
                Connect::Record => unreachable("a place of this kind is known by its data source only"),
            },
            Ask::Read { .. } | Ask::Exists(_) | Ask::File { .. } => unreachable("it is no question about a cluster"),
        };
        (question, answer)
    }

    async fn read_data(&self, kind: &str, arguments: &Value, place: Option<&Connected>) -> Answer {
        match self.data_sources.get(kind) {
            Some(source) => source.read(arguments, Source { place, clusters: &self.clusters }).await,
            None => unreachable(&format!("no provider of Kubernetes objects has a data source `{kind}`")),
        }
    }
}

fn unreachable(why: &str) -> Answer {
    Answer::Unreachable(why.into())
}
