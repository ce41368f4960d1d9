//! What becomes of an object: desired against remembered against there.

use crate::difference::{Difference, difference, dotted};
use crate::object::{canonical, id_of, name_of};
use crate::object_kind::{ObjectKind, ObjectName};
use crate::observation::{fingerprint_of, refused_fingerprint_of, veiled};
use crate::rules::is_immutable;
use engine::schema::{Comparison, Drift, Planned, Presence, Preview, Problem, Schema};
use engine::state::Record;
use engine::value::Value;

/// What becomes of an instance of a kind that is one object.
pub(crate) fn planned(kind: &dyn ObjectKind, schema: &Schema, asked: Comparison<'_>) -> Planned {
    let object = match kind.object(asked.desired) {
        Some(Ok(object)) => canonical(&object),
        Some(Err(problem)) => return Planned::Refused(problem),
        None => return Planned::Refused(Problem::new("no object", format!("`{}` says of no object what it should be", schema.kind))),
    };
    let planning = Planning { kind, schema, asked, object };
    planning.planned()
}

struct Planning<'a> {
    kind: &'a dyn ObjectKind,
    schema: &'a Schema,
    asked: Comparison<'a>,
    /// As desired, canonical.
    object: Value,
}

impl Planning<'_> {
    fn planned(&self) -> Planned {
        let Some(prior) = self.asked.prior else {
            if let Some(observed) = self.asked.observed {
                return self.taken_over(observed);
            }
            return if self.asks() { Planned::Ask } else { Planned::Create(self.attributes(Computed::Anew)) };
        };
        let renamed = self.renamed();
        if !renamed.is_empty() {
            return Planned::Replace { attributes: self.attributes(Computed::Anew), because: renamed };
        }
        let applied = fingerprint_of(&self.object, self.asked.secret_key);
        if let Some(because) = self.refused_before(prior) {
            return Planned::Replace { attributes: self.attributes(Computed::Anew), because };
        }
        let as_applied = applied.is_some() && applied == prior.applied;
        let Some(observed) = self.asked.observed else {
            return if as_applied { self.keep() } else { self.changed(&self.remembered_difference()) };
        };
        let nothing = Value::object::<&str>([]);
        let there = observed.get("object").unwrap_or(&nothing);
        if as_applied && prior.observed.is_some() && fingerprint_of(there, self.asked.secret_key) == prior.observed {
            return self.keep();
        }
        let found = without_rewritten(difference(&self.object, there), observed);
        if as_applied { self.drifted(found, there) } else { self.configured(found, there) }
    }

    /// What is there and is not ours yet becomes ours: what it has beside what is desired stays.
    fn taken_over(&self, observed: &Value) -> Planned {
        if self.asks() {
            return Planned::Ask;
        }
        let nothing = Value::object::<&str>([]);
        let there = observed.get("object").unwrap_or(&nothing);
        let found = without_rewritten(difference(&self.object, there), observed).wanted();
        match self.exact(found, there).map(Difference::wanted) {
            Ok(found) if found.is_empty() => self.keep(),
            Ok(found) => {
                Planned::Update { attributes: self.attributes(Computed::Updated), changed: found.paths(), drifted: Drift::default() }
            }
            Err(because) => Planned::Replace { attributes: self.attributes(Computed::Anew), because },
        }
    }

    /// What still differs, if an apply found out that the server lets nobody change just this.
    fn refused_before(&self, prior: &Record) -> Option<Vec<String>> {
        prior.applied.as_ref().filter(|applied| Some(*applied) == refused_fingerprint_of(&self.object, self.asked.secret_key).as_ref())?;
        let paths = match self.asked.observed.and_then(|observed| observed.get("object")) {
            Some(there) => difference(&self.object, there).telling().paths(),
            None => self.sections().iter().map(|path| dotted(path)).collect(),
        };
        (!paths.is_empty()).then_some(paths)
    }

    /// The configuration is as it was applied, but what is there is not as it was then.
    fn drifted(&self, found: Difference, there: &Value) -> Planned {
        if found.wanted.is_empty() {
            return self.keep();
        }
        if self.asks() {
            return Planned::Ask;
        }
        let found = match self.exact(found, there) {
            Ok(found) if found.wanted.is_empty() => return self.keep(),
            Ok(found) => found,
            Err(because) => return Planned::Replace { attributes: self.attributes(Computed::Anew), because },
        };
        let paths = found.paths();
        let drifted = Drift { by: writers_of(&paths, self.asked.observed), paths: paths.clone() };
        Planned::Update { attributes: self.attributes(Computed::Updated), changed: paths, drifted }
    }

    /// The configuration is not as it was applied.
    fn configured(&self, found: Difference, there: &Value) -> Planned {
        if found.is_empty() {
            return self.keep();
        }
        if self.asks() {
            return Planned::Ask;
        }
        match self.exact(found, there) {
            Ok(found) if found.is_empty() => self.keep(),
            Ok(found) => {
                Planned::Update { attributes: self.attributes(Computed::Updated), changed: found.paths(), drifted: Drift::default() }
            }
            Err(because) => Planned::Replace { attributes: self.attributes(Computed::Anew), because },
        }
    }

    /// A difference as the server tells it, if it was asked, else as it can be told without; or the paths that cannot change in place.
    fn exact(&self, found: Difference, there: &Value) -> Result<Difference, Vec<String>> {
        let Some(Preview::Accepted(preview)) = self.asked.preview else {
            let found = found.telling();
            return self.immutable(&found).map_or(Ok(found), Err);
        };
        let refused = preview.get("immutable").map(Value::items).unwrap_or_default();
        let refused: Vec<&str> = refused.iter().filter_map(Value::as_str).collect();
        if !refused.is_empty() {
            return Err(self.narrowed(&refused, &found.telling()));
        }
        Ok(preview.get("object").map_or(found, |becomes| difference(becomes, there)))
    }

    /// The changes that the server refuses, of which it may have named no more than the section.
    fn narrowed(&self, refused: &[&str], found: &Difference) -> Vec<String> {
        if let Some(known) = self.immutable(found) {
            return known;
        }
        let within = |sections: &[&str]| -> Vec<String> {
            found.paths().into_iter().filter(|path| sections.iter().any(|section| covers(section, path))).collect()
        };
        // Some fields servers call by a name that objects do not have, such as `spec.persistentvolumesource`.
        let around: Vec<&str> = refused.iter().filter_map(|path| Some(path.rsplit_once('.')?.0)).collect();
        let named = [within(refused), within(&around)].into_iter().find(|paths| !paths.is_empty());
        named.unwrap_or_else(|| refused.iter().map(|path| (*path).to_owned()).collect())
    }

    fn changed(&self, found: &Difference) -> Planned {
        if let Some(because) = self.immutable(found) {
            return Planned::Replace { attributes: self.attributes(Computed::Anew), because };
        }
        if found.is_empty() {
            return self.keep();
        }
        Planned::Update { attributes: self.attributes(Computed::Updated), changed: found.paths(), drifted: Drift::default() }
    }

    fn keep(&self) -> Planned {
        Planned::Keep(self.attributes(Computed::Kept))
    }

    /// Whether the server is to be asked, and has not been.
    fn asks(&self) -> bool {
        self.asked.previewable && self.asked.preview.is_none()
    }

    /// What of the object's name is another than the recorded one, or not known.
    fn renamed(&self) -> Vec<String> {
        let was = self.asked.prior.and_then(|prior| prior.attributes.text("id")).and_then(crate::object::name_of_id);
        let Some(was) = was else { return Vec::new() };
        let Some(now) = name_of(&self.object) else {
            let known = |at: Option<&Value>| at.is_none_or(Value::is_known);
            let metadata = self.object.get("metadata");
            let part = |part| metadata.and_then(|metadata| metadata.get(part));
            let parts = [("kind", self.object.get("kind")), ("metadata.namespace", part("namespace")), ("metadata.name", part("name"))];
            return parts.into_iter().filter(|(_, value)| !known(*value)).map(|(path, _)| path.to_owned()).collect();
        };
        let group = was.group() == now.group();
        let parts = [
            ("apiVersion", group),
            ("kind", was.kind == now.kind),
            ("metadata.namespace", was.namespace == now.namespace),
            ("metadata.name", was.name == now.name),
        ];
        parts.into_iter().filter(|(_, same)| !same).map(|(path, _)| path.to_owned()).collect()
    }

    /// The paths of a difference that cannot change in place.
    fn immutable(&self, found: &Difference) -> Option<Vec<String>> {
        let name: ObjectName = name_of(&self.object)?;
        let paths: Vec<_> =
            found.wanted.iter().chain(&found.unwanted).filter(|path| is_immutable(&name, path)).map(|path| dotted(path)).collect();
        (!paths.is_empty()).then_some(paths)
    }

    /// Without looking, of an object that is not as it was applied: how it differs from the recorded one, as far as that can be told.
    fn remembered_difference(&self) -> Difference {
        let Some(prior) = self.asked.prior else { return Difference::default() };
        let sealed = self.kind.remembered(self.asked.desired, self.asked.secret_key);
        let mut found = match (self.kind.object(&sealed), self.kind.object(&prior.attributes)) {
            (Some(Ok(now)), Some(Ok(was))) if name_of(&was).is_some() => difference(&canonical(&now), &canonical(&was)),
            _ => Difference::default(),
        };
        if found.is_empty() {
            found = self.argument_difference(&sealed, &prior.attributes);
        }
        // What is not known differs from everything, itself included.
        let unknown = difference(&self.object, &self.object).wanted.into_iter().filter(|path| !found.wanted.contains(path));
        found.wanted.extend(unknown.collect::<Vec<_>>());
        if found.is_empty() && prior.applied.is_some() {
            found.wanted = self.sections();
        }
        found
    }

    /// The parts of the object that may change, for a change that the record tells no more of.
    fn sections(&self) -> Vec<Vec<String>> {
        let parts = self.object.entries().iter().map(|entry| vec![entry.key.to_string()]);
        let parts = parts.filter(|path| !matches!(path[0].as_str(), "apiVersion" | "kind" | "metadata"));
        let name = name_of(&self.object);
        parts.filter(|path| name.as_ref().is_none_or(|name| !is_immutable(name, path))).collect()
    }

    fn argument_difference(&self, now: &Value, was: &Value) -> Difference {
        let arguments = self.schema.attributes.iter().filter(|attribute| attribute.presence != Presence::Computed);
        let pick =
            |from: &Value| {
                let picked = arguments.clone().filter_map(|attribute| Some((attribute.name, from.present(attribute.name)?)));
                Value::object(picked.map(|(name, value)| {
                    (name, value.instance().map_or_else(|| value.clone(), |at| Value::string(at.address.to_string())))
                }))
            };
        difference(&pick(now), &pick(was))
    }

    /// What dependents see: arguments as desired; computed attributes as the kind knows them by now, else as observed, else as remembered,
    /// else unknown.
    fn attributes(&self, computed: Computed) -> Value {
        let id = name_of(&self.object).map(|name| ("id", Value::string(id_of(&name))));
        let told: Vec<_> = self.kind.attributes(self.asked.desired, None).into_iter().chain(id).collect();
        let observed = self.asked.observed.and_then(|observed| observed.get("computed"));
        let remembered = self.asked.prior.map(|prior| &prior.attributes);
        Value::object(self.schema.attributes.iter().map(|attribute| {
            let stays = match computed {
                Computed::Anew => false,
                Computed::Updated => !attribute.volatile,
                Computed::Kept => true,
            };
            let known = |at: Option<&Value>| at.filter(|_| stays).and_then(|at| at.present(attribute.name)).cloned();
            let given = self.asked.desired.get(attribute.name);
            let value = match attribute.presence {
                Presence::Required | Presence::Optional => given.map_or_else(Value::null, veiled),
                Presence::Computed | Presence::OptionalComputed => given
                    .filter(|value| !value.is_null() && attribute.presence == Presence::OptionalComputed)
                    .cloned()
                    .or_else(|| told.iter().find(|(name, _)| *name == attribute.name).map(|(_, value)| value.clone()))
                    .or_else(|| known(observed))
                    .or_else(|| remembered.filter(|_| stays).and_then(|remembered| remembered.get(attribute.name)).cloned())
                    .unwrap_or_else(|| Value::unknown(attribute.ty.clone())),
            };
            (attribute.name, value.sensitive_if(attribute.sensitive))
        }))
    }
}

/// What becomes of computed attributes.
#[derive(Clone, Copy)]
enum Computed {
    /// The object is made: they are not known yet.
    Anew,
    /// It is changed: all but volatile ones stay.
    Updated,
    /// It stays as it is, and so do they.
    Kept,
}

/// Whether a dotted path is another, or lies below it.
fn covers(section: &str, path: &str) -> bool {
    path.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Who else wrote these fields, and when, in words.
fn writers_of(paths: &[String], observed: Option<&Value>) -> Vec<String> {
    let writers = observed.and_then(|observed| observed.get("writers")).map(Value::items).unwrap_or_default();
    let wrote = |writer: &&Value| {
        let fields = writer.get("fields").map(Value::items).unwrap_or_default();
        fields.iter().filter_map(Value::as_str).any(|field| paths.iter().any(|path| covers(path, field) || covers(field, path)))
    };
    let words = |writer: &Value| {
        let time = writer.text("time").map(|time| format!(" at {time}")).unwrap_or_default();
        format!("by `{}`{time}", writer.text("manager").unwrap_or_default())
    };
    writers.iter().filter(wrote).map(words).collect()
}

/// A difference without what controllers took over.
fn without_rewritten(mut found: Difference, observed: &Value) -> Difference {
    let taken: Vec<&str> = observed.get("rewritten").map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str).collect();
    found.wanted.retain(|path| !taken.iter().any(|taken| covers(taken, &dotted(path))));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Manifest;
    use engine::state::RecordId;
    use engine::value::Type;
    use serde_json::{Value as Json, json};

    const KEY: &[u8] = b"key";

    fn deployment(spec: &Json) -> Json {
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a", "namespace": "n" }, "spec": spec })
    }

    fn arguments(manifest: Value) -> Value {
        Value::object([("manifest", manifest)])
    }

    /// A record of this manifest, as it was applied and found right after.
    fn record(manifest: &Json) -> Record {
        let object = Value::from_json(manifest);
        let mut record = Record::new(RecordId::new("r1"), "kubernetes_manifest");
        record.applied = fingerprint_of(&canonical(&object), KEY);
        record.observed = fingerprint_of(&object, KEY);
        record.attributes = Value::object([("manifest", object), ("id", Value::string("apps/v1/Deployment/n/a"))]);
        record
    }

    fn observed(there: &Json, rewritten: &[&str]) -> Value {
        let rewritten = rewritten.iter().map(|path| Value::string(*path)).collect();
        Value::object([("object", Value::from_json(there)), ("rewritten", Value::tuple(rewritten))])
    }

    fn plan(desired: &Value, prior: &Record, observed: Option<&Value>) -> String {
        let kind = Manifest::default();
        words(&planned(
            &kind,
            kind.schema(),
            Comparison { desired, prior: Some(prior), observed, preview: None, previewable: false, secret_key: KEY },
        ))
    }

    fn words(planned: &Planned) -> String {
        match planned {
            Planned::Keep(_) => "keep".into(),
            Planned::Create(_) => "create".into(),
            Planned::Update { changed, drifted, .. } if drifted.paths.is_empty() => format!("update {}", changed.join(" ")),
            Planned::Update { drifted, .. } => format!("drift {}", drifted.paths.join(" ")),
            Planned::Replace { because, .. } => format!("replace {}", because.join(" ")),
            Planned::Ask => "ask".into(),
            Planned::Refused(problem) => problem.detail.clone(),
        }
    }

    #[test]
    fn offline_an_object_is_compared_field_by_field() {
        let was = json!({ "replicas": 1, "selector": { "app": "a" }, "paused": true });
        let cpu = |cpu: &str| json!({ "template": { "spec": { "containers": [{ "name": "app", "resources": { "requests": { "cpu": cpu } } }] } } });
        let rows = [
            (was.clone(), was.clone(), was.clone(), "keep"),
            // Configuration.
            (was.clone(), json!({ "replicas": 2, "selector": { "app": "a" }, "paused": true }), was.clone(), "update spec.replicas"),
            (was.clone(), json!({ "replicas": 1, "selector": { "app": "a" } }), was.clone(), "update spec.paused"),
            (was.clone(), json!({ "replicas": 2, "selector": { "app": "b" }, "paused": true }), was.clone(), "replace spec.selector.app"),
            // What is there.
            (was.clone(), was.clone(), json!({ "replicas": 1, "selector": { "app": "a" }, "paused": false }), "drift spec.paused"),
            (was.clone(), was.clone(), json!({ "replicas": 1, "selector": { "app": "a" } }), "drift spec.paused"),
            // The server writes quantities in its own way.
            (cpu("1000m"), cpu("1000m"), cpu("1"), "keep"),
            (cpu("1000m"), cpu("1"), cpu("1"), "keep"),
            (cpu("1000m"), cpu("2"), cpu("1"), "update spec.template.spec.containers.app.resources.requests.cpu"),
        ];
        for (applied, desired, there, expected) in rows {
            let observed = observed(&deployment(&there), &[]);
            let found = plan(&arguments(Value::from_json(&deployment(&desired))), &record(&deployment(&applied)), Some(&observed));
            assert_eq!(found, expected, "{desired} / {there}");
        }
    }

    #[test]
    fn what_a_controller_took_over_is_no_drift() {
        let applied = deployment(&json!({ "replicas": 1, "paused": true }));
        let there = observed(&deployment(&json!({ "paused": true })), &["spec.replicas"]);
        assert_eq!(plan(&arguments(Value::from_json(&applied)), &record(&applied), Some(&there)), "keep");
        let there = observed(&deployment(&json!({ "paused": true })), &[]);
        assert_eq!(plan(&arguments(Value::from_json(&applied)), &record(&applied), Some(&there)), "drift spec.replicas");
    }

    #[test]
    fn without_a_look_at_the_world_the_record_counts() {
        let was = record(&deployment(&json!({ "replicas": 1 })));
        let to = |spec: &Json| plan(&arguments(Value::from_json(&deployment(spec))), &was, None);
        assert_eq!(to(&json!({ "replicas": 1 })), "keep");
        assert_eq!(to(&json!({ "replicas": 2 })), "update spec.replicas");
        assert_eq!(to(&json!({ "replicas": 1, "selector": {} })), "replace spec.selector");
    }

    /// A Secret whose contents come from a reference, which a record cannot follow.
    struct Referring(Schema);

    impl ObjectKind for Referring {
        fn schema(&self) -> &Schema {
            &self.0
        }

        fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
            let Some(token) = arguments.get("reader").and_then(|reader| reader.referent("token")) else {
                return Some(Err(Problem::new("no reference", "")));
            };
            let metadata = Value::object([("name", Value::string("a")), ("namespace", Value::string("n"))]);
            let data = Value::object([("token", token.clone())]);
            let parts = [("apiVersion", Value::string("v1")), ("kind", Value::string("Secret")), ("metadata", metadata)];
            Some(Ok(Value::object(parts.into_iter().chain([("type", Value::string("Opaque")), ("stringData", data)]))))
        }
    }

    #[test]
    fn without_a_look_a_change_behind_a_reference_is_a_change() {
        let reader = |token: Value| {
            let address = engine::address::Address::managed("reader", "r");
            let attributes = Value::object([("token", token)]);
            let instance = engine::value::Instance { address, classes: &["reader"], attributes };
            Value::object([("reader", Value::new(engine::value::Data::Reference(std::sync::Arc::new(instance))))])
        };
        let mut schema = Manifest::default().schema().clone();
        schema.attributes = vec![engine::schema::Attribute::required("reader", Type::Reference("reader"), "")];
        let kind = Referring(schema);
        let mut prior = Record::new(RecordId::new("r1"), "referring");
        prior.attributes = Value::object([("reader", Value::string("reader.r")), ("id", Value::string("v1/Secret/n/a"))]);
        let object = kind.object(&reader(Value::string("one"))).expect("an object").expect("no problem");
        prior.applied = fingerprint_of(&canonical(&object), KEY);
        let plan = |token: Value| {
            let desired = reader(token);
            let asked =
                Comparison { desired: &desired, prior: Some(&prior), observed: None, preview: None, previewable: false, secret_key: KEY };
            words(&planned(&kind, kind.schema(), asked))
        };
        assert_eq!(plan(Value::string("one")), "keep");
        assert_eq!(plan(Value::string("two")), "update data");
        assert_eq!(plan(Value::unknown(Type::String)), "update data.token");
    }

    #[test]
    fn an_unknown_leaf_updates_or_replaces_where_it_stands() {
        let was = deployment(&json!({ "replicas": 1, "selector": { "app": "a" } }));
        let there = observed(&was, &[]);
        let with = |replicas: Value, app: Value| {
            let spec = Value::object([("replicas", replicas), ("selector", Value::object([("app", app)]))]);
            let entries =
                Value::from_json(&was).entries().iter().map(|entry| (entry.key.to_string(), entry.value.clone())).collect::<Vec<_>>();
            arguments(Value::object(entries.into_iter().chain([("spec".to_owned(), spec)])))
        };
        let unknown = || Value::unknown(Type::Any);
        assert_eq!(plan(&with(unknown(), Value::string("a")), &record(&was), Some(&there)), "update spec.replicas");
        assert_eq!(plan(&with(Value::number(1), unknown()), &record(&was), Some(&there)), "replace spec.selector.app");
    }

    #[test]
    fn what_an_apply_found_unchangeable_is_replaced_unless_it_is_taken_back() {
        let (was, wanted) = (deployment(&json!({ "replicas": 1 })), deployment(&json!({ "replicas": 2 })));
        let mut prior = record(&was);
        prior.applied = refused_fingerprint_of(&canonical(&Value::from_json(&wanted)), KEY);
        let to = |object: &Json, observed: Option<&Value>| plan(&arguments(Value::from_json(object)), &prior, observed);
        let there = observed(&was, &[]);
        assert_eq!(to(&wanted, Some(&there)), "replace spec.replicas");
        assert_eq!(to(&wanted, None), "replace spec");
        assert_eq!(to(&was, Some(&there)), "keep");
        assert_eq!(to(&deployment(&json!({ "replicas": 3 })), Some(&there)), "update spec.replicas");
        assert_eq!(to(&wanted, Some(&observed(&wanted, &[]))), "keep");
    }

    #[test]
    fn another_name_is_another_object_and_another_version_is_not() {
        let was = record(&deployment(&json!({})));
        let object = |api_version: &str, kind: &str, name: Value| {
            let metadata = Value::object([("name", name), ("namespace", Value::string("n"))]);
            let spec = Value::object::<&str>([]);
            let parts = [("apiVersion", Value::string(api_version)), ("kind", Value::string(kind)), ("metadata", metadata), ("spec", spec)];
            plan(&arguments(Value::object(parts)), &was, None)
        };
        assert_eq!(object("apps/v1", "Deployment", Value::string("a")), "keep");
        assert_eq!(object("apps/v2", "Deployment", Value::string("a")), "update apiVersion");
        assert_eq!(object("apps/v1", "Deployment", Value::string("b")), "replace metadata.name");
        assert_eq!(object("apps/v1", "Deployment", Value::unknown(Type::String)), "replace metadata.name");
        assert_eq!(object("x.io/v1", "DaemonSet", Value::string("a")), "replace apiVersion kind");
    }

    #[test]
    fn a_preview_is_asked_for_what_differs_and_believed() {
        let kind = Manifest::default();
        let was = deployment(&json!({ "replicas": 1 }));
        let (prior, there) = (record(&was), observed(&was, &[]));
        let plan = |spec: &Json, preview: Option<Preview>| {
            let desired = arguments(Value::from_json(&deployment(spec)));
            let asked = Comparison {
                desired: &desired,
                prior: Some(&prior),
                observed: Some(&there),
                preview: preview.as_ref(),
                previewable: true,
                secret_key: KEY,
            };
            words(&planned(&kind, kind.schema(), asked))
        };
        let accepted = |spec: &Json| Some(Preview::Accepted(observed(&deployment(spec), &[])));
        let more = json!({ "replicas": 2 });
        assert_eq!(plan(&json!({ "replicas": 1 }), None), "keep");
        assert_eq!(plan(&more, None), "ask");
        assert_eq!(plan(&more, accepted(&json!({ "replicas": 3 }))), "update spec.replicas");
        assert_eq!(plan(&more, accepted(&json!({ "replicas": 1 }))), "keep");
        assert_eq!(plan(&more, Some(Preview::NotPreviewed("forbidden".into()))), "update spec.replicas");
        let immutable = Value::object([("immutable", Value::tuple(vec![Value::string("spec.x")]))]);
        assert_eq!(plan(&more, Some(Preview::Accepted(immutable))), "replace spec.replicas");
        let elsewhere = Value::object([("immutable", Value::tuple(vec![Value::string("data.x")]))]);
        assert_eq!(plan(&more, Some(Preview::Accepted(elsewhere))), "replace data.x");
    }

    #[test]
    fn volatile_attributes_are_unknown_after_an_update_and_stay_otherwise() {
        let mut schema = Manifest::default().schema().clone();
        schema.attributes.push(engine::schema::Attribute::computed("address", Type::String, "").volatile());
        schema.attributes.push(engine::schema::Attribute::computed("stable", Type::String, ""));
        let was = deployment(&json!({ "replicas": 1 }));
        let mut prior = record(&was);
        prior.attributes = prior.attributes.with_entries([("address", Value::string("10.0.0.1")), ("stable", Value::string("s"))]);
        let there = observed(&was, &[]);
        let kind = Manifest::default();
        let plan = |spec: &Json| {
            let desired = arguments(Value::from_json(&deployment(spec)));
            planned(
                &kind,
                &schema,
                Comparison {
                    desired: &desired,
                    prior: Some(&prior),
                    observed: Some(&there),
                    preview: None,
                    previewable: false,
                    secret_key: KEY,
                },
            )
        };
        let Planned::Keep(kept) = plan(&json!({ "replicas": 1 })) else { panic!("not kept") };
        assert_eq!((kept.text("address"), kept.text("stable")), (Some("10.0.0.1"), Some("s")));
        let Planned::Update { attributes, .. } = plan(&json!({ "replicas": 2 })) else { panic!("not updated") };
        assert!(attributes.get("address").is_some_and(|address| !address.is_known()));
        assert_eq!(attributes.text("stable"), Some("s"));
    }
}
