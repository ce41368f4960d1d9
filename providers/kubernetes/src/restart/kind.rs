//! The pure half of `kubernetes_restart`.

use engine::schema::{Attribute, Comparison, Kind, Planned, Problem, Schema, compare};
use engine::value::{Type, Value};

/// The kinds of workloads that can be restarted.
const WORKLOADS: [&str; 3] = ["Deployment", "DaemonSet", "StatefulSet"];

/// `kubernetes_restart`.
pub(super) struct RestartKind {
    schema: Schema,
}

impl Default for RestartKind {
    fn default() -> Self {
        let doc = "A restart of workloads, as `kubectl rollout restart` does it: when it is created, and again whenever its `triggers` change. \
            It is done when all pods are new and available. Destroying it changes nothing in the cluster.";
        let triggers = "Any value: another one restarts the workloads. Name here what the pods read at their start, such as the `values` of a \
            `kubernetes_config_patch`.";
        let selector = "Labels, instead of `name`: all workloads of the kind in the namespace that have them. None is fine.";
        let attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster that the workloads lie in."),
            Attribute::optional("namespace", Type::String, "The namespace of the workloads.").default(Value::string("default")).replaces(),
            Attribute::optional("kind", Type::String, "`Deployment`, `DaemonSet` or `StatefulSet`.")
                .default(Value::string("Deployment"))
                .replaces(),
            Attribute::optional("name", Type::String, "The name of one workload.").replaces(),
            Attribute::optional("selector", Type::Map(Type::String.into()), selector).replaces(),
            Attribute::required("triggers", Type::Any, triggers),
            Attribute::computed("restarted", Type::list(Type::String), "The names of the workloads that the latest restart was of.")
                .volatile(),
        ];
        let (kind, place) = ("kubernetes_restart", Some("cluster"));
        Self { schema: Schema { kind, doc, version: 1, attributes, classes: &[], place, outside: true, settles: true } }
    }
}

impl Kind for RestartKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        let given = |name| arguments.get(name).is_some_and(|value| !value.is_null());
        if given("name") == given("selector") {
            let detail = if given("name") { "`name` and `selector` both say which" } else { "neither `name` nor `selector` says which" };
            problems.push(Problem::with("name", "unclear workloads", detail).help("Give `name` for one workload, or `selector` for many."));
        }
        if let Some(kind) = arguments.text("kind").filter(|kind| !WORKLOADS.contains(kind)) {
            let detail = format!("a `{kind}` has no pods of its own that follow a template");
            problems.push(Problem::with("kind", "no workload", detail).help("Use `Deployment`, `DaemonSet` or `StatefulSet`."));
        }
        problems
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        // Nothing is observed: what was restarted stays so, and pods that came since have read what there is.
        compare(&self.schema, Comparison { observed: None, ..asked })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::state::{Record, RecordId};
    use serde_json::{Value as Json, json};

    fn arguments(name: &Json, selector: &Json, triggers: &Json) -> Value {
        Value::from_json(
            &json!({ "cluster": "c", "namespace": "n", "kind": "Deployment", "name": name, "selector": selector, "triggers": triggers }),
        )
    }

    #[test]
    fn workloads_are_named_in_one_way() {
        let kind = RestartKind::default();
        let rows = [
            (json!("a"), Json::Null, 0),
            (Json::Null, json!({ "app": "a" }), 0),
            (Json::Null, json!({}), 0),
            (Json::Null, Json::Null, 1),
            (json!("a"), json!({}), 1),
        ];
        for (name, selector, problems) in rows {
            assert_eq!(kind.validate(&arguments(&name, &selector, &json!(1))).len(), problems, "{name} {selector}");
        }
        let job = Value::from_json(&json!({ "name": "a", "kind": "Job" }));
        assert_eq!(kind.validate(&job).iter().map(|problem| &*problem.summary).collect::<Vec<_>>(), ["no workload"]);
    }

    #[test]
    fn other_triggers_restart_and_other_workloads_are_another_restart() {
        let mut prior = Record::new(RecordId::new("r1"), "kubernetes_restart");
        let given = arguments(&json!("a"), &Json::Null, &json!({ "a": 1 }));
        let restarted = [("restarted".into(), Value::from_json(&json!(["a"])))];
        prior.attributes = Value::object(given.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).chain(restarted));
        let planned = |desired: &Value| {
            let asked = Comparison { desired, prior: Some(&prior), observed: None, preview: None, previewable: true, secret_key: &[] };
            RestartKind::default().planned(asked)
        };
        assert!(matches!(planned(&given), Planned::Keep(_)));
        let Planned::Update { changed, attributes, .. } = planned(&arguments(&json!("a"), &Json::Null, &json!({ "a": 2 }))) else {
            panic!("no update")
        };
        assert_eq!(changed, ["triggers"]);
        assert!(attributes.get("restarted").is_some_and(|restarted| !restarted.is_known()));
        let Planned::Replace { because, .. } = planned(&arguments(&json!("b"), &Json::Null, &json!({ "a": 1 }))) else {
            panic!("no replacement")
        };
        assert_eq!(because, ["name"]);
    }
}
