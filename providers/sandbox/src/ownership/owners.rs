//! `metadata.managedFields`: who owns what, since when and by which kind of write.

use super::compare::compare;
use super::field_set::FieldSet;
use super::shape::Shape;
use crate::object::{self, Json};
use serde_json::json;

/// How fields came to be owned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// By server-side apply.
    Apply,
    /// By any other write.
    Update,
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    /// The field manager.
    pub(crate) manager: &'a str,
    /// The API version it writes in.
    pub(crate) api_version: &'a str,
    /// The subresource it writes through; empty for the object itself.
    pub(crate) subresource: &'a str,
    /// When.
    pub(crate) now: &'a str,
}

/// One entry of `managedFields`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Owner {
    /// The field manager.
    pub(crate) manager: String,
    /// How it writes.
    pub(crate) operation: Operation,
    /// The API version it wrote in.
    pub(crate) api_version: String,
    /// The subresource it wrote through; empty for the object itself.
    pub(crate) subresource: String,
    /// When it last changed the object; empty if it never did, but applied what was there.
    pub(crate) time: String,
    /// What it owns.
    pub(crate) fields: FieldSet,
}

impl Owner {
    /// An owner of nothing yet.
    pub(crate) fn new(writer: Writer<'_>, operation: Operation) -> Self {
        Self {
            manager: writer.manager.to_owned(),
            operation,
            api_version: writer.api_version.to_owned(),
            subresource: writer.subresource.to_owned(),
            time: writer.now.to_owned(),
            fields: FieldSet::default(),
        }
    }

    /// Whether this entry is the one that such a write of this writer changes: what is applied is applied in one version, other writes are
    /// told apart by theirs.
    pub(crate) fn is(&self, writer: Writer<'_>, operation: Operation) -> bool {
        let same_version = operation == Operation::Apply || self.api_version == writer.api_version;
        self.manager == writer.manager && self.operation == operation && self.subresource == writer.subresource && same_version
    }

    /// As conflicts name it.
    pub(crate) fn describe(&self) -> String {
        let through = if self.subresource.is_empty() { String::new() } else { format!(" with subresource {:?}", self.subresource) };
        let when = if self.operation == Operation::Update { format!(" using {}", self.api_version) } else { String::new() };
        format!("{:?}{through}{when}", self.manager)
    }

    fn from_json(json: &Json) -> Option<Self> {
        let word = |key| object::text(json, &[key]).unwrap_or_default().to_owned();
        Some(Self {
            manager: word("manager"),
            operation: if json["operation"] == "Apply" { Operation::Apply } else { Operation::Update },
            api_version: word("apiVersion"),
            subresource: word("subresource"),
            time: word("time"),
            fields: FieldSet::from_json(json.get("fieldsV1")?),
        })
    }

    fn to_json(&self) -> Json {
        let mut json = json!({
            "manager": self.manager, "operation": format!("{:?}", self.operation), "apiVersion": self.api_version,
            "fieldsType": "FieldsV1", "fieldsV1": self.fields.to_json(),
        });
        for (field, word) in [("subresource", &self.subresource), ("time", &self.time)] {
            if !word.is_empty() {
                json[field] = word.as_str().into();
            }
        }
        json
    }
}

/// All owners of an object's fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Owners(pub(crate) Vec<Owner>);

impl Owners {
    /// The owners that an object names.
    pub(crate) fn of(object: &Json) -> Self {
        Self(object::items(object, &["metadata", "managedFields"]).iter().filter_map(Owner::from_json).collect())
    }

    /// Writes them into an object.
    pub(crate) fn write(&self, object: &mut Json) {
        let mut owners: Vec<_> = self.0.iter().filter(|owner| !owner.fields.is_empty()).collect();
        owners.sort_by(|a, b| (a.operation, &a.time, &a.manager, &a.subresource).cmp(&(b.operation, &b.time, &b.manager, &b.subresource)));
        let owners: Vec<_> = owners.into_iter().map(Owner::to_json).collect();
        if owners.is_empty() {
            object::remove(object, &["metadata", "managedFields"]);
        } else {
            object::set(object, &["metadata", "managedFields"], owners);
        }
    }

    /// Takes these fields from everybody.
    pub(crate) fn take(&mut self, fields: &FieldSet) {
        for owner in &mut self.0 {
            owner.fields = owner.fields.difference(fields);
        }
    }

    /// What was there before anybody kept account of owners gets one of its own with the first apply.
    pub(crate) fn unknown(&mut self, live: &Json, shape: Shape<'_>, writer: Writer<'_>) {
        self.created(live, shape, Writer { manager: "before-first-apply", subresource: "", ..writer });
    }

    /// Follows a creation that was no apply: the writer owns all of it.
    pub(crate) fn created(&mut self, object: &Json, shape: Shape<'_>, writer: Writer<'_>) {
        let nothing = if shape.is_built_in() { skeleton(object) } else { json!({}) };
        self.updated(&nothing, object, shape, writer);
    }

    /// Follows a write that was no apply: the writer owns what it added or changed, nobody what it removed.
    pub(crate) fn updated(&mut self, old: &Json, new: &Json, shape: Shape<'_>, writer: Writer<'_>) {
        let mut differences = compare(old, new, shape);
        for set in [&mut differences.added, &mut differences.modified, &mut differences.removed] {
            strip(set);
        }
        let won = differences.added.union(&differences.modified);
        self.take(&won);
        self.take(&differences.removed);
        if won.is_empty() {
            return;
        }
        let at = self.0.iter().position(|owner| owner.is(writer, Operation::Update)).unwrap_or_else(|| {
            self.0.push(Owner::new(writer, Operation::Update));
            self.0.len() - 1
        });
        let owner = &mut self.0[at];
        owner.fields = std::mem::take(&mut owner.fields).union(&won);
        writer.now.clone_into(&mut owner.time);
    }
}

/// An object of a built-in kind with nothing in it: parts of the type that are there whether they are set or not, so that nobody owns
/// that they are.
fn skeleton(object: &Json) -> Json {
    const ALWAYS: &[&[&str]] = &[
        &["metadata"],
        &["spec"],
        &["spec", "strategy"],
        &["spec", "updateStrategy"],
        &["spec", "template"],
        &["spec", "template", "metadata"],
        &["spec", "template", "spec"],
        &["spec", "jobTemplate"],
        &["spec", "jobTemplate", "metadata"],
        &["spec", "jobTemplate", "spec"],
        &["spec", "jobTemplate", "spec", "template"],
        &["spec", "jobTemplate", "spec", "template", "metadata"],
        &["spec", "jobTemplate", "spec", "template", "spec"],
        &["spec", "names"],
        &["spec", "podSelector"],
        &["spec", "resources"],
        &["spec", "scaleTargetRef"],
        &["roleRef"],
        &["status"],
    ];
    const LISTS: &[&[&str]] = &[
        &["spec", "containers"],
        &["spec", "template", "spec", "containers"],
        &["spec", "jobTemplate", "spec", "template", "spec", "containers"],
    ];
    let mut skeleton = json!({});
    if object.get("rules").is_some_and(Json::is_null) {
        skeleton["rules"] = Json::Null;
    }
    for path in ALWAYS.iter().filter(|path| object::at(object, path).is_some_and(Json::is_object)) {
        object::set(&mut skeleton, path, json!({}));
    }
    for path in LISTS.iter().filter(|path| object::at(object, path).is_some_and(Json::is_array)) {
        object::set(&mut skeleton, path, json!([]));
    }
    skeleton
}

/// Takes out what no manager can own: what names the object, and what the server alone writes.
pub(crate) fn strip(fields: &mut FieldSet) {
    const SERVERS: &[&str] = &[
        "name",
        "namespace",
        "generateName",
        "creationTimestamp",
        "selfLink",
        "uid",
        "generation",
        "managedFields",
        "resourceVersion",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ];
    fields.remove(&["f:apiVersion"]);
    fields.remove(&["f:kind"]);
    for field in SERVERS {
        fields.remove(&["f:metadata", &format!("f:{field}")]);
    }
    if let Some(metadata) = fields.children.get_mut("f:metadata") {
        metadata.member = false;
        if metadata.is_empty() {
            fields.children.remove("f:metadata");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;

    const WRITER: Writer<'static> = Writer { manager: "kubectl", api_version: "v1", subresource: "", now: "2024-01-01T00:00:00Z" };

    #[test]
    fn an_update_owns_what_it_changes_and_takes_it_from_others() {
        let resource = builtin("", "v1", "configmaps").expect("configmaps");
        let shape = Shape::of(&resource);
        let first = json!({ "apiVersion": "v1", "metadata": { "name": "c", "uid": "u" }, "data": { "a": "1", "b": "1" } });
        let mut owners = Owners::default();
        owners.updated(&json!({}), &first, shape, WRITER);
        assert_eq!(owners.0[0].fields.to_json(), json!({ "f:data": { ".": {}, "f:a": {}, "f:b": {} } }));

        let second = json!({ "apiVersion": "v1", "metadata": { "name": "c" }, "data": { "a": "2" } });
        owners.updated(&first, &second, shape, Writer { manager: "other", ..WRITER });
        let mut object = second.clone();
        owners.write(&mut object);
        let entries = object::items(&object, &["metadata", "managedFields"]);
        let fields: Vec<_> = entries.iter().map(|entry| (entry["manager"].as_str().unwrap_or(""), entry["fieldsV1"].clone())).collect();
        assert_eq!(fields, [("kubectl", json!({ "f:data": {} })), ("other", json!({ "f:data": { "f:a": {} } }))]);
        assert_eq!(Owners::of(&object).0.len(), 2);
    }

    #[test]
    fn conflicts_name_updates_with_their_version() {
        let update = Owner::new(WRITER, Operation::Update);
        assert_eq!(update.describe(), "\"kubectl\" using v1");
        let apply = Owner::new(Writer { subresource: "status", ..WRITER }, Operation::Apply);
        assert_eq!(apply.describe(), "\"kubectl\" with subresource \"status\"");
    }
}
