//! The pure half of `istio_listener_drain`.

use super::Drained;
use super::proxy::PROXY;
use engine::schema::{Attribute, Comparison, Drift, Kind, Planned, Problem, Schema, compare, created};
use engine::value::{Type, Value};
use kubernetes::Wanted;

/// The attribute that tells which containers are drained.
pub(super) const DRAINED: &str = "drained";

/// `istio_listener_drain`.
pub(super) struct ListenerDrainKind {
    schema: Schema,
}

impl Default for ListenerDrainKind {
    fn default() -> Self {
        let doc = "Proxies that take no more connections, as if their pods had failed: Envoy is asked to stop its listeners (`POST /drain_listeners`), and the \
            pods are waited for until they are not ready. Destroying it ends these proxies, which their nodes then start anew, and waits until the \
            pods are ready. It is for trying what clients do then; in a cluster that runs no pods it fails.";
        let drained = "By pod the id of the proxy's container that was drained. Another one, after a restart or in a new pod, is not drained: the next plan drains \
            it again. Empty where the proxy's answer was lost.";
        let labels = "Conditions on labels that must all hold, as `kubectl` takes them: every pod that they choose is drained.";
        let attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster of the pods."),
            Attribute::optional("namespace", Type::String, "The namespace of the pods.").default(Value::string("default")).replaces(),
            Attribute::optional("name", Type::String, "The name of the pod. Either this or `label_selector`.").replaces(),
            Attribute::optional("label_selector", Type::String, labels).replaces(),
            Attribute::computed(DRAINED, Type::map(Type::String), drained).volatile(),
        ];
        let (kind, place) = ("istio_listener_drain", Some("cluster"));
        Self { schema: Schema { kind, doc, version: 1, attributes, classes: &[], place, outside: true, settles: true } }
    }
}

impl Kind for ListenerDrainKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        kubernetes::arguments::pods_problem(arguments).into_iter().collect()
    }

    fn requires(&self, arguments: &Value) -> Vec<String> {
        let Some(namespace) = arguments.text("namespace") else { return Vec::new() };
        let pod = arguments.text("name").map(|name| format!("Pod/{namespace}/{name}"));
        std::iter::once(format!("Namespace/{namespace}")).chain(pod).collect()
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let Some(prior) = asked.prior else { return Planned::Create(created(&self.schema, asked.desired)) };
        // What is observed is the containers alone; the arguments are held against the record.
        let planned = compare(&self.schema, Comparison { observed: None, ..asked });
        let before = remembered(Some(&prior.attributes));
        let there = remembered(asked.observed);
        // Of those that are gone nothing is to be done.
        let all_drained = there.iter().all(|(pod, container)| before.get(pod) == Some(container));
        if all_drained || !matches!(planned, Planned::Keep(_)) {
            return planned;
        }
        let paths = vec![DRAINED.to_owned()];
        let drifted = Drift { paths: paths.clone(), by: Vec::new() };
        Planned::Update { attributes: created(&self.schema, asked.desired), changed: paths, drifted }
    }
}

/// By pod the container that attributes name.
pub(super) fn remembered(attributes: Option<&Value>) -> Drained {
    let entries = attributes.and_then(|attributes| attributes.get(DRAINED)).map(Value::entries).unwrap_or_default();
    entries.iter().filter_map(|entry| Some((entry.key.to_string(), entry.value.as_str()?.to_owned()))).collect()
}

/// Which pods are meant.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) labels: &'a str,
}

impl<'a> Chosen<'a> {
    /// As arguments or a record say.
    pub(super) fn of(attributes: &'a Value) -> Self {
        let text = |name| attributes.text(name).unwrap_or_default();
        Self { namespace: text("namespace"), name: text("name"), labels: text("label_selector") }
    }

    /// Those pods, and in them the proxy.
    pub(super) fn wanted(self) -> Wanted<'a> {
        Wanted { namespace: self.namespace, name: self.name, labels: self.labels, container: Some(PROXY) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::state::{Record, RecordId};
    use serde_json::{Value as Json, json};

    fn arguments(name: &Json, labels: &Json) -> Value {
        Value::from_json(&json!({ "cluster": "c", "namespace": "sample", "name": name, "label_selector": labels }))
    }

    fn planned(desired: &Value, drained: &Json, there: Option<&Json>) -> Planned {
        let mut prior = Record::new(RecordId::new("r1"), "istio_listener_drain");
        prior.attributes = arguments(&Json::Null, &json!("app=a")).with_entries([(DRAINED, Value::from_json(drained))]);
        let observed = there.map(|there| Value::object([(DRAINED, Value::from_json(there))]));
        let asked =
            Comparison { desired, prior: Some(&prior), observed: observed.as_ref(), preview: None, previewable: true, secret_key: &[] };
        ListenerDrainKind::default().planned(asked)
    }

    #[test]
    fn pods_are_named_in_one_way() {
        for (name, labels, expected) in [
            (json!("p"), Json::Null, 0),
            (Json::Null, json!("app=a"), 0),
            (Json::Null, Json::Null, 1),
            (json!("p"), json!("app=a"), 1),
            (Json::Null, json!(" "), 1),
        ] {
            let arguments = arguments(&name, &labels);
            assert_eq!(ListenerDrainKind::default().validate(&arguments).len(), expected, "{name} {labels}");
        }
        let requires = ListenerDrainKind::default().requires(&arguments(&json!("p"), &Json::Null));
        assert_eq!(requires, ["Namespace/sample", "Pod/sample/p"]);
    }

    #[test]
    fn what_was_started_since_is_drained_again() {
        let same = arguments(&Json::Null, &json!("app=a"));
        let both = json!({ "a": "1", "b": "2" });
        for (there, drains) in [
            (Some(both.clone()), false),
            // One that is gone takes no connections.
            (Some(json!({ "b": "2" })), false),
            (None, false),
            (Some(json!({ "a": "1", "b": "3" })), true),
            (Some(json!({ "a": "1", "b": "2", "c": "4" })), true),
        ] {
            match planned(&same, &both, there.as_ref()) {
                Planned::Keep(attributes) if !drains => assert_eq!(remembered(Some(&attributes)).len(), 2),
                Planned::Update { attributes, changed, drifted } if drains => {
                    assert_eq!((changed.as_slice(), drifted.paths.as_slice()), (&[DRAINED.to_owned()][..], &[DRAINED.to_owned()][..]));
                    assert!(attributes.get(DRAINED).is_some_and(|drained| !drained.is_known()));
                }
                other => panic!("{there:?}: {other:?}"),
            }
        }
        // An answer that was lost is asked for again, and so is what a killed run drained.
        for before in [json!({ "a": "" }), Json::Null] {
            assert!(matches!(planned(&same, &before, Some(&json!({ "a": "1" }))), Planned::Update { .. }), "{before}");
        }
        let other = planned(&arguments(&json!("a"), &Json::Null), &both, Some(&both));
        assert!(matches!(&other, Planned::Replace { because, .. } if because == &["name", "label_selector"]), "{other:?}");
    }
}
