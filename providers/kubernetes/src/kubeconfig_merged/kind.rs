//! The pure half of `kubeconfig_merged`.

use super::entries::{Entry, alone, entries};
use crate::object_kind::Json;
use engine::schema::{Attribute, Comparison, Drift, Kind, Planned, Problem, Schema, compare};
use engine::value::{Type, Value};

/// `kubeconfig_merged`.
pub(super) struct MergedKind {
    schema: Schema,
}

impl Default for MergedKind {
    fn default() -> Self {
        let doc = "Several kubeconfigs merged into one, as a text and, if it has a `path`, in a file that others may write as well: their entries and comments stay, \
            and destroying it takes only its own out. kubeadm gives the entries of every cluster the same names; here each gets its own.";
        let kubeconfigs = "The texts of kubeconfigs by name. The current context of each, its cluster and its user get that name; a further context is \
            called `<name>-<context>`. They may not name files beside them.";
        let path =
            "The file, relative to the working directory. It is written under the lock that kubectl takes, readable by its owner alone.";
        let attributes = vec![
            Attribute::required("kubeconfigs", Type::Map(Type::String.into()), kubeconfigs).sensitive(),
            Attribute::optional("path", Type::String, path).replaces(),
            Attribute::optional(
                "current_context",
                Type::String,
                "The context to make the current one when the file is written; without it the file's stays.",
            ),
            Attribute::computed("contexts", Type::list(Type::String), "The names of the contexts.").volatile(),
            Attribute::computed("kubeconfig", Type::String, "The kubeconfig of these contexts alone.").volatile().sensitive(),
        ];
        let kind = "kubeconfig_merged";
        Self { schema: Schema { kind, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false } }
    }
}

/// Computed attributes with their names.
type Computed = [(&'static str, Value); 2];

/// What follows from the arguments: the entries, and the computed attributes with their names.
pub(super) fn derived(arguments: &Value) -> Result<(Vec<Entry>, Computed), String> {
    let entries = arguments.get("kubeconfigs").map_or_else(|| Ok(Vec::new()), entries)?;
    let current = arguments.text("current_context");
    if let Some(current) = current.filter(|current| entries.iter().all(|entry| entry.name != *current)) {
        return Err(format!("there is no context `{current}` among them"));
    }
    let contexts: Json = entries.iter().map(|entry| Json::from(&*entry.name)).collect();
    let text = alone(&entries, current)?;
    Ok((entries, [("contexts", Value::from_json(&contexts)), ("kubeconfig", Value::string(text).sensitive())]))
}

/// These attributes in place of those of their names.
pub(super) fn with(attributes: &Value, computed: &[(&'static str, Value)]) -> Value {
    attributes.with_entries(computed.iter().cloned())
}

impl Kind for MergedKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        if !arguments.is_known() {
            return Vec::new();
        }
        let Err(why) = derived(arguments) else { return Vec::new() };
        vec![Problem::with("kubeconfigs", "not mergeable", why)]
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        if asked.prior.is_none() && asked.previewable && asked.desired.text("path").is_some() {
            // Whether its names are free there.
            return Planned::Ask;
        }
        // What follows from arguments that are known is known to dependents before it is written.
        let computed = if asked.desired.is_known() { derived(asked.desired).ok() } else { None };
        let filled = |attributes: Value| computed.as_ref().map_or(attributes.clone(), |(_, computed)| with(&attributes, computed));
        let there = asked.observed.and_then(|observed| observed.text("kubeconfig"));
        let remembered = asked.prior.and_then(|prior| prior.attributes.text("kubeconfig"));
        match compare(&self.schema, Comparison { observed: None, ..asked }) {
            Planned::Keep(attributes) if there.is_some() && there != remembered => {
                let changed = vec!["kubeconfig".to_owned()];
                let drifted = Drift { paths: changed.clone(), by: Vec::new() };
                Planned::Update { attributes: filled(attributes), changed, drifted }
            }
            Planned::Create(attributes) => Planned::Create(filled(attributes)),
            Planned::Update { attributes, changed, drifted } => Planned::Update { attributes: filled(attributes), changed, drifted },
            Planned::Replace { attributes, because } => Planned::Replace { attributes: filled(attributes), because },
            other => other,
        }
    }
}
