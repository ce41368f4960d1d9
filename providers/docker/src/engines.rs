//! The Engines that providers lead to, and which of them a thing was made at.

use crate::client::{Client, Unusable};
use crate::endpoint::Endpoint;
use engine::port::Failure;
use engine::value::Value;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{OnceCell, OwnedMutexGuard};

/// The attribute with which records remember an Engine.
pub const ENGINE: &str = "engine";

/// What tells an Engine from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// What it calls itself. Engines of one machine, and those of copies of a machine, may do so alike.
    pub(crate) id: String,
    /// The directory of its data.
    pub(crate) root: String,
    /// The name of its machine.
    pub(crate) machine: String,
    /// Where it was reached.
    pub(crate) host: String,
}

impl Identity {
    /// As an attribute.
    pub fn told(&self) -> Json {
        json!({ "id": self.id, "root": self.root, "machine": self.machine, "host": self.host })
    }

    /// The Engine that attributes of a record tell of; nothing for those that were written before records remembered it.
    pub fn remembered(attributes: &Value) -> Option<Self> {
        let told = attributes.present(ENGINE)?;
        let text = |name: &str| told.text(name).unwrap_or_default().to_owned();
        Some(Self { id: text("id"), root: text("root"), machine: text("machine"), host: text("host") })
    }

    /// Whether both are one Engine. One that was set up anew where the other was is taken for it: nothing of the other is left.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let (same_host, same_machine) = (self.host == other.host, self.machine == other.machine);
        let is_named_so = !self.id.is_empty() && (&self.id, &self.root) == (&other.id, &other.root);
        let is_silent = |one: &Self| one.id.is_empty() && one.machine.is_empty();
        let is_there = same_host && (same_machine || is_silent(self) || is_silent(other));
        is_there || (is_named_so && (same_host || same_machine))
    }
}

/// An Engine, which is reached when it is asked for the first time.
#[derive(Debug)]
pub struct Engine {
    endpoint: Result<Endpoint, String>,
    client: OnceCell<Client>,
    names: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Engine {
    /// Where it is; the error says why nobody knows.
    pub fn endpoint(&self) -> Result<&Endpoint, Unusable> {
        self.endpoint.as_ref().map_err(|why| Unusable::Unreached(why.clone()))
    }

    /// What speaks to it; the error is a sentence with what mends it. What did not answer is tried again.
    pub async fn client(&self) -> Result<&Client, Unusable> {
        let endpoint = self.endpoint()?;
        self.client.get_or_try_init(|| Client::connect(endpoint)).await
    }

    /// Whether it was where a record remembers its own.
    fn was_at(&self, remembered: &Identity) -> bool {
        self.endpoint().is_ok_and(|endpoint| endpoint.host == remembered.host)
    }

    /// Waits until nobody else here brings or removes what has this name.
    pub(crate) async fn alone(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = self.names.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default().clone();
        turn.lock_owned().await
    }
}

/// Where a thing is, seen from the provider that is asked for it.
#[derive(Debug, Clone)]
pub enum Whereabouts {
    /// Where the provider leads, or nobody remembers.
    Here,
    /// At another Engine, which somebody else leads to.
    Elsewhere(Arc<Engine>),
    /// At another Engine, to which nothing leads, or which does not answer: a sentence with what to do.
    Lost(String),
}

/// The Engines that providers of a run lead to, those that nothing configures among them.
#[derive(Debug, Clone, Default)]
pub struct Engines(Arc<Mutex<Vec<Weak<Engine>>>>);

impl Engines {
    /// The Engine at an endpoint, or one that says why there is none.
    pub fn open(&self, endpoint: Result<Endpoint, String>) -> Arc<Engine> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|engine| engine.strong_count() > 0);
        let there = known.iter().filter_map(Weak::upgrade).find(|engine| endpoint.is_ok() && engine.endpoint == endpoint);
        there.unwrap_or_else(|| {
            let engine = Arc::new(Engine { endpoint, client: OnceCell::new(), names: Mutex::default() });
            known.push(Arc::downgrade(&engine));
            engine
        })
    }

    /// Finds where things are, seen from a provider that leads to an Engine, and what was heard of that one.
    pub fn search<'a>(&'a self, own: &'a Engine, client: Result<&'a Client, &Unusable>) -> Search<'a> {
        let unreached = client.err().map(ToString::to_string);
        Search { engines: self, own, identity: client.ok().map(Client::identity), unreached, found: BTreeMap::new() }
    }

    /// The Engine that the thing with these remembered attributes is at.
    pub async fn of_record(&self, own: &Arc<Engine>, attributes: &Value) -> Result<Arc<Engine>, Failure> {
        let client = own.client().await;
        match self.search(own, client.as_ref().copied()).find(attributes).await {
            Whereabouts::Here => Ok(own.clone()),
            Whereabouts::Elsewhere(engine) => Ok(engine),
            Whereabouts::Lost(why) => Err(Failure::new("Docker Engine not reached", why)),
        }
    }

    fn known(&self) -> Vec<Arc<Engine>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect()
    }
}

/// Finds where things are. No Engine is waited for twice.
#[derive(Debug)]
pub struct Search<'a> {
    engines: &'a Engines,
    own: &'a Engine,
    identity: Option<&'a Identity>,
    unreached: Option<String>,
    found: BTreeMap<Identity, Whereabouts>,
}

impl Search<'_> {
    /// Where the thing with these remembered attributes is.
    pub async fn find(&mut self, attributes: &Value) -> Whereabouts {
        let Some(remembered) = Identity::remembered(attributes) else { return Whereabouts::Here };
        if let Some(found) = self.found.get(&remembered) {
            return found.clone();
        }
        // One that does not answer is known by where it is.
        let is_own = self.identity.map_or_else(|| self.own.was_at(&remembered), |own| own.is(&remembered));
        let found = if is_own { Whereabouts::Here } else { self.elsewhere(&remembered).await };
        self.found.insert(remembered, found.clone());
        found
    }

    async fn elsewhere(&self, remembered: &Identity) -> Whereabouts {
        let mut known = self.engines.known();
        known.retain(|engine| !std::ptr::eq(Arc::as_ptr(engine), self.own));
        known.sort_by_key(|engine| !engine.was_at(remembered));
        let mut silent = None;
        for engine in known {
            match engine.client().await {
                Ok(client) if client.identity().is(remembered) => return Whereabouts::Elsewhere(engine),
                Err(why) if engine.was_at(remembered) => silent = Some(why.to_string()),
                Ok(_) | Err(_) => {}
            }
        }
        let Identity { machine, host, .. } = remembered;
        if let (None, Some(why)) = (&silent, &self.unreached) {
            return Whereabouts::Lost(format!("{why}; it was made at that of `{machine}` at `{host}`"));
        }
        let what_to_do = silent.unwrap_or_else(|| {
            format!(
                "no provider leads there: write a `provider \"docker\"` block with an `alias` and `host = \"{host}\"` until it is deleted there, or forget \
                 it with `meshplan state rm`"
            )
        });
        Whereabouts::Lost(format!("it was made at another Docker Engine, that of `{machine}` at `{host}`, and {what_to_do}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(id: &str, machine: &str, host: &str) -> Identity {
        Identity { id: id.to_owned(), root: "/var/lib/docker".to_owned(), machine: machine.to_owned(), host: host.to_owned() }
    }

    #[test]
    fn an_engine_is_known_by_its_id_or_by_where_it_is() {
        let here = identity("a", "laptop", "unix:///var/run/docker.sock");
        for (other, expected) in [
            (here.clone(), true),
            (identity("a", "laptop", "tcp://10.0.0.1:2376"), true),
            (identity("a", "renamed", "unix:///var/run/docker.sock"), true),
            // A copy of the machine, and another Engine on it.
            (identity("a", "copy", "tcp://10.0.0.1:2376"), false),
            (Identity { root: "/srv/docker".to_owned(), ..identity("a", "laptop", "tcp://10.0.0.1:2376") }, false),
            (identity("b", "laptop", "unix:///var/run/docker.sock"), true),
            (identity("b", "other", "unix:///var/run/docker.sock"), false),
            (identity("b", "laptop", "unix:///run/user/1000/docker.sock"), false),
            (identity("", "other", ""), false),
        ] {
            assert_eq!((here.is(&other), other.is(&here)), (expected, expected), "{other:?}");
        }
        assert!(!identity("", "a", "x").is(&identity("", "b", "x")));
        let attributes = Value::object([(ENGINE, Value::from_json(&here.told()))]);
        assert_eq!(Identity::remembered(&attributes), Some(here));
        assert_eq!(Identity::remembered(&Value::object([(ENGINE, Value::null())])), None);
    }

    #[tokio::test]
    async fn what_is_at_an_engine_that_nothing_leads_to_is_lost_and_not_gone() {
        let engines = Engines::default();
        let endpoint = |host: &str| Ok(Endpoint { host: host.to_owned(), certificates: None });
        let own = engines.open(endpoint("unix:///nowhere/own.sock"));
        assert!(Arc::ptr_eq(&own, &engines.open(endpoint("unix:///nowhere/own.sock"))));
        let at = |host: &str| Value::object([(ENGINE, Value::from_json(&identity("a", "lab", host).told()))]);
        let why = own.client().await.expect_err("nobody is there");
        let mut search = engines.search(&own, Err(&why));
        assert!(matches!(search.find(&Value::object([("name", Value::string("n"))])).await, Whereabouts::Here));
        // It does not answer, which is said of it as ever.
        assert!(matches!(search.find(&at("unix:///nowhere/own.sock")).await, Whereabouts::Here));
        let Whereabouts::Lost(told) = search.find(&at("tcp://lab:2376")).await else { panic!("not lost") };
        assert!(told.starts_with("no Docker Engine answers at `unix:///nowhere/own.sock`"), "{told}");
        assert!(told.ends_with("; it was made at that of `lab` at `tcp://lab:2376`"), "{told}");
        let other = engines.open(endpoint("unix:///nowhere/lab.sock"));
        let Whereabouts::Lost(told) = search.find(&at("unix:///nowhere/lab.sock")).await else { panic!("not lost") };
        assert!(told.contains("no Docker Engine answers at `unix:///nowhere/lab.sock`"), "{told}");
        drop(other);
        let mut search = engines.search(&own, Err(&why));
        let Whereabouts::Lost(told) = search.find(&at("unix:///nowhere/lab.sock")).await else { panic!("not lost") };
        assert!(told.ends_with("; it was made at that of `lab` at `unix:///nowhere/lab.sock`"), "{told}");
    }
}
