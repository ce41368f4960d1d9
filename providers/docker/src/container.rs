//! `docker_container`: what it takes, and what becomes of it.

mod between;
mod body;
mod data;
mod effects;
mod files;
mod log;
mod schema;
mod seen;
mod shape;
mod validation;

pub(crate) use data::ContainerData;
pub(crate) use effects::{create, delete, settle, taken, update};
pub(crate) use seen::{by_name, name, read};

use crate::planning::{Comparable, Difference};
use crate::preflight::claimed;
use crate::thing::Thing;
use engine::address::Address;
use engine::schema::{Claim, OnChange, Problem, Schema};
use engine::value::Value;
use serde_json::Value as Json;

/// The kind's name.
pub(crate) const NAME: &str = "docker_container";

/// `docker_container`.
pub(crate) struct ContainerKind {
    schema: Schema,
}

impl Default for ContainerKind {
    fn default() -> Self {
        Self { schema: schema::container() }
    }
}

impl Comparable for ContainerKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn canonical(&self, name: &str, argument: &Json) -> Json {
        shape::canonical(name, argument)
    }

    fn is_mended_in_place(&self, difference: &Difference<'_>) -> bool {
        match difference.attribute.name {
            // A container that was taken out of its network is put back; another network is another container.
            "networks" => !difference.is_configured,
            // Files are put in place; one that is wanted no more would stay.
            "files" => {
                let gone = |was: &&engine::value::Entry| difference.desired.present(&was.key).is_none();
                difference.desired.is_known() && !difference.remembered.entries().iter().any(|was| gone(&was))
            }
            _ => difference.attribute.on_change == OnChange::Update,
        }
    }
}

impl Thing for ContainerKind {
    const NOUN: &'static str = "container";

    fn problems(&self, arguments: &Value) -> Vec<Problem> {
        validation::problems(arguments)
    }

    fn claims(&self, arguments: &Value) -> Vec<Claim> {
        // One that does not run holds no port.
        if arguments.get("running").and_then(Value::as_bool) == Some(false) {
            return Vec::new();
        }
        arguments.get("ports").map(Value::items).unwrap_or_default().iter().filter_map(|port| claimed(port, "host_address")).collect()
    }

    fn lint(&self, instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
        between::circles(instances)
    }

    fn settles(&self, arguments: &Value) -> bool {
        // What is not known yet may be true.
        let is_not = |name: &str| arguments.get(name).and_then(Value::as_bool) == Some(false);
        !is_not("wait") && !is_not("running")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thing::Named;
    use engine::schema::{Comparison, Kind as _, Planned};
    use engine::state::{Record, RecordId};
    use serde_json::json;

    fn becomes(was: &Json, wanted: &Json, found: &Json) -> (&'static str, Vec<String>) {
        let kind = Named(ContainerKind::default());
        let mut record = Record::new(RecordId::new("r"), NAME);
        record.attributes = Value::from_json(was);
        let (desired, observed) = (Value::from_json(wanted), Value::from_json(found));
        let asked = Comparison {
            desired: &desired,
            prior: Some(&record),
            observed: Some(&observed),
            preview: None,
            previewable: true,
            secret_key: b"k",
        };
        match kind.planned(asked) {
            Planned::Keep(_) => ("keep", Vec::new()),
            Planned::Update { changed, .. } => ("update", changed),
            Planned::Replace { because, .. } => ("replace", because),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_can_change_in_place_does() {
        let all = |more: &Json| {
            let mut all = json!({ "name": "c", "image": "box:1", "restart": "no", "running": true, "networks": [{ "network": "mesh" }],
                "files": { "/a": { "content": "1", "mode": null } }, "restart_triggers": ["1"], "env": { "A": "1" } });
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        let (same, there) = (all(&json!({})), all(&json!({ "files": { "/a": { "content": "1", "mode": "0644" } } })));
        let triggers = |mut found: Json| {
            found.as_object_mut().unwrap().remove("restart_triggers");
            found
        };
        for (wanted, found, expected) in [
            (json!({}), json!({}), ("keep", "")),
            (json!({ "restart": "always" }), json!({}), ("update", "restart")),
            (json!({ "restart_triggers": ["2"] }), json!({}), ("update", "restart_triggers")),
            (json!({ "running": false }), json!({}), ("update", "running")),
            (json!({ "files": { "/a": { "content": "2" } } }), json!({}), ("update", "files")),
            (json!({ "files": { "/b": { "content": "1" } } }), json!({}), ("replace", "files")),
            (json!({ "env": { "A": "2" } }), json!({}), ("replace", "env")),
            (json!({ "networks": [{ "network": "other" }] }), json!({}), ("replace", "networks")),
            (json!({}), json!({ "running": false }), ("update", "running")),
            (json!({}), json!({ "networks": [] }), ("update", "networks")),
            (json!({}), json!({ "files": { "/a": { "content": "x", "mode": "0644" } } }), ("update", "files")),
            (json!({}), json!({ "files": {} }), ("update", "files")),
            (json!({}), json!({ "env": { "A": "2", "PATH": "/bin" } }), ("replace", "env")),
            (json!({}), json!({ "env": { "A": "1", "PATH": "/bin" } }), ("keep", "")),
            (json!({}), json!({ "restart": "always" }), ("update", "restart")),
        ] {
            let mut observed = there.clone();
            observed.as_object_mut().unwrap().extend(found.as_object().unwrap().clone());
            let (what, paths) = becomes(&same, &all(&wanted), &triggers(observed));
            assert_eq!((what, paths.join(",").as_str()), expected, "{wanted} {found}");
        }
    }
}
