//! The pure half of `kubernetes_config_patch`.

use super::keys::leaves;
use crate::difference::{difference, dotted};
use crate::object::identity_of;
use crate::object_kind::ObjectName;
use engine::schema::{Attribute, Comparison, Drift, Kind, Planned, Problem, Schema, compare, created};
use engine::value::{Data, Type, Value};

/// `kubernetes_config_patch`.
pub(super) struct ConfigPatchKind {
    schema: Schema,
}

impl Default for ConfigPatchKind {
    fn default() -> Self {
        let doc = "Some keys of a YAML or JSON text that a ConfigMap holds under one of its keys, such as `ipvs.strictARP` in kube-proxy's \
            `config.conf`. The rest of the text stays as it is, and so does what others write there; several may own different keys of one \
            text. Destroying it gives back what the keys held before.";
        let values = "The keys to own, nested as they are in the text. What is no mapping is a value of its own, lists as a whole; nulls own nothing.";
        let earlier = "What the keys held before they were first patched, as JSON: `[{ path, value }]`, or `[{ path, within }]` for what was missing.";
        let attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster it lies in."),
            Attribute::optional("namespace", Type::String, "The ConfigMap's `metadata.namespace`.")
                .default(Value::string("default"))
                .replaces(),
            Attribute::required("name", Type::String, "The ConfigMap's `metadata.name`.").replaces(),
            Attribute::required("key", Type::String, "The key of the ConfigMap's `data` that holds the text, such as `config.conf`.")
                .replaces(),
            Attribute::required("values", Type::Any, values),
            Attribute::optional(
                "force",
                Type::Bool,
                "Write into a text that somebody else keeps by server-side apply, whose next apply undoes it.",
            )
            .default(Value::bool(false)),
            Attribute::computed("earlier", Type::String, earlier).volatile(),
        ];
        let (kind, place) = ("kubernetes_config_patch", Some("cluster"));
        Self { schema: Schema { kind, doc, version: 1, attributes, classes: &[], place, outside: true, settles: false } }
    }
}

impl Kind for ConfigPatchKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let Some(values) = arguments.get("values").filter(|values| values.is_known()) else { return Vec::new() };
        let detail = match values.data() {
            Data::Mapping(_) | Data::Instance(_) if leaves(Some(values)).is_empty() => "`values` names no key of the text",
            Data::Mapping(_) | Data::Instance(_) => return Vec::new(),
            _ => "`values` is no mapping of the keys of the text",
        };
        vec![Problem::with("values", "invalid values", detail)]
    }

    fn requires(&self, arguments: &Value) -> Vec<String> {
        let named = arguments.text("namespace").zip(arguments.text("name"));
        named.map(|(namespace, name)| identity_of(&ObjectName::within("v1", "ConfigMap", namespace, name))).into_iter().collect()
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let Some(prior) = asked.prior else {
            let asks = asked.previewable && asked.preview.is_none();
            return if asks { Planned::Ask } else { Planned::Create(self.attributes(asked.desired)) };
        };
        let (desired, remembered) = (owned(asked.desired), owned(&prior.attributes));
        let there = asked.observed.map_or_else(|| remembered.clone(), owned);
        let (from_there, from_remembered) = (difference(&desired, &there), difference(&desired, &remembered));
        let mut paths = from_there.wanted.clone();
        paths.extend(from_remembered.unwanted.iter().cloned());
        let paths: Vec<_> = paths.into_iter().map(|path| dotted(&[vec!["values".to_owned()], path].concat())).collect();
        // What is observed is the keys alone; all other arguments are held against the record.
        let others = asked.desired.entries().iter().filter(|entry| &*entry.key != "values");
        let others = others.map(|entry| (entry.key.clone(), entry.value.clone()));
        let values = ("values".into(), prior.attributes.get("values").cloned().unwrap_or_else(Value::null));
        let others = Value::object(others.chain([values]));
        match compare(&self.schema, Comparison { desired: &others, observed: None, ..asked }) {
            Planned::Replace { because, .. } => Planned::Replace { attributes: self.attributes(asked.desired), because },
            Planned::Keep(attributes) if paths.is_empty() => Planned::Keep(attributes),
            Planned::Keep(_) => {
                let drifted = if from_remembered.is_empty() { Drift { paths: paths.clone(), by: Vec::new() } } else { Drift::default() };
                Planned::Update { attributes: self.attributes(asked.desired), changed: paths, drifted }
            }
            Planned::Update { changed, .. } => {
                let changed = paths.into_iter().chain(changed).collect();
                Planned::Update { attributes: self.attributes(asked.desired), changed, drifted: Drift::default() }
            }
            other => other,
        }
    }
}

/// The keys that are owned, with their values: without nulls and empty mappings.
fn owned(attributes: &Value) -> Value {
    fn stripped(value: &Value) -> Option<Value> {
        match value.data() {
            Data::Null => None,
            Data::Mapping(_) | Data::Instance(_) => {
                let entries: Vec<_> =
                    value.entries().iter().filter_map(|entry| Some((entry.key.clone(), stripped(&entry.value)?))).collect();
                (!entries.is_empty()).then(|| Value::object(entries))
            }
            _ => Some(value.clone()),
        }
    }
    attributes.get("values").and_then(stripped).unwrap_or_else(|| Value::object::<&str>([]))
}

impl ConfigPatchKind {
    /// What dependents see of a patch that is written. What the keys held before is as sensitive as what they are to hold.
    fn attributes(&self, desired: &Value) -> Value {
        let sensitive = desired.get("values").is_some_and(Value::holds_sensitive);
        Value::object(created(&self.schema, desired).entries().iter().map(|entry| {
            let value = entry.value.clone().sensitive_if(sensitive && &*entry.key == "earlier");
            (entry.key.clone(), value)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::schema::Preview;
    use engine::state::{Record, RecordId};
    use serde_json::{Value as Json, json};

    fn arguments(values: &Json) -> Value {
        Value::from_json(
            &json!({ "cluster": "c", "namespace": "kube-system", "name": "kube-proxy", "key": "config.conf", "values": values, "force": false }),
        )
    }

    fn record(values: &Json) -> Record {
        let mut record = Record::new(RecordId::new("r1"), "kubernetes_config_patch");
        let earlier = [("earlier".into(), Value::string("[]"))];
        let entries = arguments(values);
        record.attributes = Value::object(entries.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).chain(earlier));
        record
    }

    fn planned(desired: &Value, prior: Option<&Record>, there: Option<&Json>) -> Planned {
        let observed = there.map(|there| Value::object([("values", Value::from_json(there))]));
        let asked = Comparison { desired, prior, observed: observed.as_ref(), preview: None, previewable: true, secret_key: &[] };
        ConfigPatchKind::default().planned(asked)
    }

    #[test]
    fn what_the_keys_hold_decides() {
        let ours = json!({ "ipvs": { "strictARP": true } });
        let prior = record(&ours);
        let update = |desired: &Json, there: &Json| match planned(&arguments(desired), Some(&prior), Some(there)) {
            Planned::Keep(_) => (vec![], vec![]),
            Planned::Update { changed, drifted, .. } => (changed, drifted.paths),
            other => panic!("{other:?}"),
        };
        let path = || vec!["values.ipvs.strictARP".to_owned()];
        assert_eq!(update(&ours, &ours), (vec![], vec![]));
        assert_eq!(update(&json!({ "ipvs": { "strictARP": true, "x": null }, "y": {} }), &ours), (vec![], vec![]));
        assert_eq!(update(&ours, &json!({ "ipvs": { "strictARP": false } })), (path(), path()));
        assert_eq!(update(&ours, &json!({})), (path(), path()));
        let more = json!({ "ipvs": { "strictARP": true }, "mode": "ipvs" });
        assert_eq!(update(&more, &ours), (vec!["values.mode".to_owned()], vec![]));
        assert_eq!(update(&json!({ "mode": "ipvs" }), &ours).0, ["values.mode", "values.ipvs.strictARP"]);
    }

    #[test]
    fn a_patch_is_made_after_a_look_and_moves_by_replacement() {
        let values = json!({ "a": 1 });
        assert_eq!(planned(&arguments(&values), None, None), Planned::Ask);
        let why = Preview::NotPreviewed("no answer".into());
        let asked = Comparison {
            desired: &arguments(&values),
            prior: None,
            observed: None,
            preview: Some(&why),
            previewable: false,
            secret_key: &[],
        };
        assert!(matches!(ConfigPatchKind::default().planned(asked), Planned::Create(_)));
        let mut prior = record(&values);
        let moved = prior.attributes.entries().iter().map(|entry| {
            let value = if &*entry.key == "key" { Value::string("other") } else { entry.value.clone() };
            (entry.key.clone(), value)
        });
        prior.attributes = Value::object(moved.collect::<Vec<_>>());
        let Planned::Replace { because, .. } = planned(&arguments(&values), Some(&prior), Some(&values)) else { panic!("no replacement") };
        assert_eq!(because, ["key"]);
    }

    #[test]
    fn what_was_before_is_as_sensitive_as_what_is_to_be() {
        let mut prior = record(&json!({ "a": 1 }));
        prior.attributes = Value::object(prior.attributes.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())));
        let base = arguments(&json!({}));
        let secret = base.entries().iter().map(|entry| {
            let secret = Value::object([("a", Value::number(2).sensitive())]);
            (entry.key.clone(), if &*entry.key == "values" { secret } else { entry.value.clone() })
        });
        let desired = Value::object(secret);
        let Planned::Update { attributes, .. } = planned(&desired, Some(&prior), Some(&json!({ "a": 1 }))) else { panic!("no update") };
        assert!(attributes.get("earlier").is_some_and(Value::is_marked_sensitive));
    }

    #[test]
    fn values_have_to_name_keys() {
        let kind = ConfigPatchKind::default();
        for (values, problems) in [(json!({ "a": 1 }), 0), (json!({}), 1), (json!({ "a": null }), 1), (json!("a"), 1), (json!([1]), 1)] {
            assert_eq!(kind.validate(&arguments(&values)).len(), problems, "{values}");
        }
    }
}
