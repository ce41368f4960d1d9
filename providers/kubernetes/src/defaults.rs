//! Which fields of an object the API server would fill in itself: those that come back as they are when it is asked, by a dry run, what it would
//! make of a twin without them. So defaults are those of this very server, of definitions and of webhooks.

use crate::difference::ELEMENT_KEYS;
use crate::object_kind::Json;
use serde_json::Map;
use std::collections::BTreeSet;

/// What no server gives.
const SAID: [&str; 6] = ["apiVersion", "kind", "metadata", "data", "binaryData", "stringData"];
/// Maps that mean something as a whole.
const WHOLE: [&str; 7] = ["annotations", "labels", "limits", "matchLabels", "nodeSelector", "requests", "selector"];
/// More that tells items of lists apart, beside [`ELEMENT_KEYS`].
const KEYS: [&str; 4] = ["devicePath", "topologyKey", "uid", "whenUnsatisfiable"];

/// The search for what of an object is not given by its server.
#[derive(Debug)]
pub(crate) struct Sieve {
    whole: Json,
    /// Fields, as JSON pointers, that the server may give.
    given: BTreeSet<String>,
}

impl Sieve {
    /// The search in this object.
    pub(crate) fn new(whole: Json) -> Self {
        let mut given = BTreeSet::new();
        for (key, value) in whole.as_object().into_iter().flatten().filter(|(key, _)| !SAID.contains(&key.as_str())) {
            fields(&at("", key), key, value, &mut given);
        }
        Self { whole, given }
    }

    /// Whether there is anything that may be a default.
    pub(crate) fn is_open(&self) -> bool {
        !self.given.is_empty()
    }

    /// The object without what may be a default. What only that stood in is there, with nothing in it: a server gives what belongs into it.
    pub(crate) fn rest(&self) -> Json {
        self.without("", &self.whole).unwrap_or_default()
    }

    /// The same without what nothing stands in any more.
    pub(crate) fn least(&self) -> Json {
        let mut least = self.rest();
        drop_hollow(&mut least, &self.whole);
        least
    }

    /// All of it.
    pub(crate) fn whole(self) -> Json {
        self.whole
    }

    /// Takes what the server made of the rest; true if it is the same as all of it. What it gave another value is said again at first, and
    /// what it did not give only if that is all: some defaults hang on others.
    pub(crate) fn accepted(&mut self, made: &Json) -> bool {
        let before = self.given.len();
        let whole = &self.whole;
        let is_other = |field: &String| made.pointer(field).is_some_and(|made| Some(made) != whole.pointer(field));
        self.given.retain(|field| !is_other(field));
        if self.given.len() == before {
            self.given.retain(|field| made.pointer(field).is_some());
        }
        self.given.len() == before
    }

    /// Whether what the server made of the least is the same as all of it.
    pub(crate) fn is_whole(&self, made: &Json) -> bool {
        self.given.iter().all(|field| self.whole.pointer(field) == made.pointer(field))
    }

    /// Takes why the server refused the rest, by its fields; false if that tells nothing new.
    pub(crate) fn refused(&mut self, causes: &[&str]) -> bool {
        let causes: Vec<Vec<&str>> =
            causes.iter().map(|cause| cause.split(['.', '[', ']']).filter(|step| !step.is_empty()).collect()).collect();
        let longest = causes.iter().map(Vec::len).max().unwrap_or_default();
        // What is named; only if all of that is said already, what stands beside it, and so on.
        for above in 0..longest {
            let before = self.given.len();
            for cause in causes.iter().filter(|cause| cause.len() > above) {
                self.given.retain(|field| !begins(field, &cause[..cause.len() - above]));
            }
            if self.given.len() < before {
                return true;
            }
        }
        false
    }

    fn without(&self, pointer: &str, value: &Json) -> Option<Json> {
        match value {
            _ if self.given.contains(pointer) => None,
            Json::Object(fields) if !fields.is_empty() => {
                let kept = fields.iter().filter_map(|(key, value)| Some((key.clone(), self.without(&at(pointer, key), value)?)));
                Some(Json::Object(kept.collect()))
            }
            Json::Array(items) => {
                let kept = items.iter().enumerate().filter_map(|(nth, item)| self.without(&at(pointer, &nth.to_string()), item));
                Some(kept.collect())
            }
            _ => Some(value.clone()),
        }
    }
}

/// Takes out objects in which nothing stands any more.
fn drop_hollow(rest: &mut Json, whole: &Json) {
    match (rest, whole) {
        (Json::Object(rest), Json::Object(whole)) => {
            let was_full = |key: &str| whole.get(key).and_then(Json::as_object).is_some_and(|fields| !fields.is_empty());
            for (key, value) in rest.iter_mut() {
                drop_hollow(value, whole.get(key).unwrap_or(&Json::Null));
            }
            rest.retain(|key, value| !(was_full(key) && value.as_object().is_some_and(Map::is_empty)));
        }
        (Json::Array(rest), Json::Array(whole)) => rest.iter_mut().zip(whole).for_each(|(rest, whole)| drop_hollow(rest, whole)),
        _ => {}
    }
}

/// The fields within a value that may be defaults each for itself.
fn fields(pointer: &str, name: &str, value: &Json, found: &mut BTreeSet<String>) {
    match value {
        Json::Object(entries) if !entries.is_empty() && !WHOLE.contains(&name) => {
            entries.iter().for_each(|(key, value)| fields(&at(pointer, key), key, value, found));
        }
        Json::Array(items) if items.iter().any(Json::is_object) => {
            for (nth, item) in items.iter().enumerate() {
                let entries = item.as_object().into_iter().flatten();
                let own = entries.filter(|(key, _)| !ELEMENT_KEYS.contains(&key.as_str()) && !KEYS.contains(&key.as_str()));
                own.for_each(|(key, value)| fields(&at(&at(pointer, &nth.to_string()), key), key, value, found));
            }
        }
        _ => {
            found.insert(pointer.to_owned());
        }
    }
}

fn at(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}

fn begins(pointer: &str, steps: &[&str]) -> bool {
    let mut of = pointer.split('/').skip(1);
    steps.iter().all(|step| of.next() == Some(*step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment() -> Json {
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a", "labels": { "l": "1" } }, "spec": {
            "replicas": 2, "strategy": { "type": "Recreate", "pause": "never" }, "paused": { "by": "nobody" }, "selector": { "matchLabels": { "app": "a" } },
            "template": { "metadata": { "labels": { "app": "a" } }, "spec": { "restartPolicy": "Always", "containers": [
                { "name": "c", "image": "i", "resources": {}, "ports": [{ "containerPort": 80, "protocol": "TCP" }], "args": ["x"] }] } } } })
    }

    /// What a server makes of an object: a few defaults.
    fn made(rest: &Json) -> Result<Json, Vec<&'static str>> {
        let mut made = rest.clone();
        if rest.pointer("/spec/selector").is_none() {
            return Err(vec!["spec.selector", "spec.template.metadata.labels"]);
        }
        if rest.pointer("/spec/template/spec/containers/0/image").is_none() {
            return Err(vec!["spec.template.spec.containers[0].image", "spec.template.spec.containers[0].image", "spec.selector"]);
        }
        let give = |within: &mut Json, key: &str, value: Json| {
            if within.get(key).is_none() {
                within[key] = value;
            }
        };
        give(&mut made["spec"], "replicas", json!(1));
        if rest.pointer("/spec/strategy/type").is_none() {
            made["spec"]["strategy"] = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%" } });
        } else {
            give(&mut made["spec"]["strategy"], "pause", json!("never"));
        }
        give(&mut made["spec"], "paused", json!({}));
        give(&mut made["spec"]["paused"], "by", json!("nobody"));
        give(&mut made["spec"]["template"]["spec"], "restartPolicy", json!("Always"));
        give(&mut made["spec"]["template"]["spec"]["containers"][0], "resources", json!({}));
        Ok(made)
    }

    #[test]
    fn what_the_server_gives_itself_goes_and_all_else_stays() {
        let mut sieve = Sieve::new(deployment());
        let mut rounds = 0;
        loop {
            rounds += 1;
            match made(&sieve.rest()) {
                Ok(made) if sieve.accepted(&made) => break,
                Ok(_) => {}
                Err(causes) => assert!(sieve.refused(&causes), "{sieve:?}"),
            }
        }
        let mut expected = deployment();
        assert!(sieve.is_whole(&made(&sieve.least()).unwrap()));
        expected["spec"]["strategy"] = json!({ "type": "Recreate" });
        expected["spec"].as_object_mut().unwrap().remove("paused");
        expected["spec"]["template"]["spec"].as_object_mut().unwrap().remove("restartPolicy");
        expected["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("resources");
        assert_eq!((sieve.least(), rounds), (expected, 5));
        assert_eq!(sieve.whole(), deployment());
    }

    #[test]
    fn what_a_refusal_names_is_said_again_or_what_stands_beside_it() {
        let whole = json!({ "spec": { "a": 1, "b": { "c": 1, "d": 2 }, "rows": [{ "name": "x", "value": 1 }] } });
        for (cause, least) in [
            ("spec.b.c", Some(json!({ "spec": { "b": { "c": 1 }, "rows": [{ "name": "x" }] } }))),
            ("spec.b", Some(json!({ "spec": { "b": { "c": 1, "d": 2 }, "rows": [{ "name": "x" }] } }))),
            ("spec.b.none", Some(json!({ "spec": { "b": { "c": 1, "d": 2 }, "rows": [{ "name": "x" }] } }))),
            ("spec.rows[0].value", Some(json!({ "spec": { "rows": [{ "name": "x", "value": 1 }] } }))),
            ("spec.none", Some(whole.clone())),
            ("metadata.name", None),
        ] {
            let mut sieve = Sieve::new(whole.clone());
            assert_eq!(sieve.refused(&[cause]), least.is_some(), "{cause}");
            assert_eq!(sieve.least(), least.unwrap_or_else(|| json!({ "spec": { "rows": [{ "name": "x" }] } })), "{cause}");
        }
    }

    #[test]
    fn contents_and_metadata_are_nobodys_defaults() {
        for whole in [json!({ "metadata": { "name": "a", "labels": { "x": "y" } }, "data": { "k": "" } }), json!({ "kind": "Namespace" })] {
            let sieve = Sieve::new(whole.clone());
            assert!(!sieve.is_open());
            assert_eq!(sieve.rest(), whole);
        }
    }
}
