//! Answering questions in bulk: each place by itself, all at once.

use super::ObjectProvider;
use super::lookup::{Look, look_up};
use crate::data_source::Source;
use engine::address::Address;
use engine::port::{Asked, BoxFuture, Connected};
use engine::question::{Answer, Ask, Question};
use engine::state::Connect;
use engine::value::{Value, fingerprint};
use futures::future::{join, join_all};
use futures::stream::{self, StreamExt as _};
use std::collections::BTreeMap;

/// Questions that are asked one by one, at a time.
const AT_ONCE: usize = 16;

/// Questions that are the same but for who asks, and the place they go to.
type Same = (Option<Connected>, Vec<Question>);

impl ObjectProvider {
    pub(super) async fn answer_all(&self, asked: Vec<Asked>) -> Vec<(Question, Answer)> {
        let mut answers = Vec::new();
        let mut places: BTreeMap<Address, (Connected, Vec<Look<'_>>)> = BTreeMap::new();
        let mut single: BTreeMap<(Option<String>, usize), Same> = BTreeMap::new();
        for Asked { question, place } in asked {
            match (&question.ask, place) {
                (Ask::Read { .. } | Ask::Exists(_), Some(place)) => match Look::new(self, question) {
                    Ok(look) => places.entry(place.address.clone()).or_insert_with(|| (place, Vec::new())).1.push(look),
                    Err(answer) => answers.push(*answer),
                },
                (Ask::Read { .. } | Ask::Exists(_), None) => answers.push((question, unreachable("its cluster is not known"))),
                (_, place) => {
                    let same = data_of(&question, place.as_ref());
                    let number = if same.is_some() { 0 } else { single.len() };
                    single.entry((same, number)).or_insert_with(|| (place, Vec::new())).1.push(question);
                }
            }
        }
        // Boxed one by one: the compiler cannot prove futures in closures `Send` for all lifetimes.
        let places: Vec<BoxFuture<'_, _>> =
            places.into_values().map(|(place, looks)| Box::pin(self.look_up_place(place, looks)) as BoxFuture<'_, _>).collect();
        let single: Vec<BoxFuture<'_, _>> =
            single.into_values().map(|(place, same)| Box::pin(self.answer_same(same, place)) as BoxFuture<'_, _>).collect();
        let single = stream::iter(single).buffer_unordered(AT_ONCE).collect::<Vec<_>>();
        let (places, single) = join(join_all(places), single).await;
        answers.extend(places.into_iter().flatten());
        answers.extend(single.into_iter().flatten());
        answers
    }

    async fn look_up_place(&self, place: Connected, looks: Vec<Look<'_>>) -> Vec<(Question, Answer)> {
        match self.clusters.cluster(&place.connection).await {
            Ok(cluster) => look_up(&cluster, looks).await,
            Err(why) => looks.into_iter().map(|look| (look.question, unreachable(&why))).collect(),
        }
    }

    /// Answers questions that are the same but for who asks.
    async fn answer_same(&self, same: Vec<Question>, place: Option<Connected>) -> Vec<(Question, Answer)> {
        let Some(first) = same.first() else { return Vec::new() };
        let answer = self.answer_one(first, place.as_ref()).await;
        same.into_iter().map(|question| (question, answer.clone())).collect()
    }

    async fn answer_one(&self, question: &Question, place: Option<&Connected>) -> Answer {
        match &question.ask {
            Ask::Preview(proposal) => self.preview(proposal, place).await,
            Ask::Import(proposal) => self.look_at_import(proposal, place).await,
            Ask::Describe { kind, id, .. } => self.describe((kind, id), place).await,
            Ask::Data { kind, arguments, .. } => self.read_data(kind, arguments, place).await,
            Ask::Place { place: known, .. } => match &known.connect {
                Connect::Source { kind, arguments } => self.read_data(kind, arguments, None).await,
                Connect::Record => unreachable("a place of this kind is known by its data source only"),
            },
            Ask::Read { .. }
            | Ask::Exists(_)
            | Ask::Obstacles(_)
            | Ask::Users { .. }
            | Ask::Render { .. }
            | Ask::File { .. }
            | Ask::Files { .. } => unreachable("it is no question about a cluster"),
        }
    }

    async fn read_data(&self, kind: &str, arguments: &Value, place: Option<&Connected>) -> Answer {
        match self.data_sources.get(kind) {
            Some(source) => source.read(arguments, Source { place, clusters: &self.clusters }).await,
            None => unreachable(&format!("no provider of Kubernetes objects has a data source `{kind}`")),
        }
    }
}

/// What a question reads, if it reads data: a cluster is asked for by the source that describes it and as the place that it was.
fn data_of(question: &Question, place: Option<&Connected>) -> Option<String> {
    let (kind, arguments) = match &question.ask {
        Ask::Data { kind, arguments, .. } => (kind, arguments),
        Ask::Place { place, .. } => match &place.connect {
            Connect::Source { kind, arguments } => (kind, arguments),
            Connect::Record => return None,
        },
        _ => return None,
    };
    let place = place.map(|place| place.address.to_string()).unwrap_or_default();
    Some(format!("{kind} {} {place}", fingerprint(arguments)))
}

fn unreachable(why: &str) -> Answer {
    Answer::Unreachable(why.into())
}
