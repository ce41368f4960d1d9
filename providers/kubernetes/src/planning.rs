//! What becomes of an object: desired against remembered against there.

use crate::difference::{Difference, difference, dotted};
use crate::object::{canonical, id_of, name_of};
use crate::object_kind::{ObjectKind, ObjectName};
use crate::observation::fingerprint_of;
use crate::rules::is_immutable;
use engine::schema::{Comparison, Planned, Presence, Preview, Problem, Schema};
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
        let Some(prior) = self.asked.prior else { return Planned::Create(self.attributes(None)) };
        let renamed = self.renamed();
        if !renamed.is_empty() {
            return Planned::Replace { attributes: self.attributes(None), because: renamed };
        }
        let applied = fingerprint_of(&self.object, self.asked.secret_key);
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
        if as_applied { self.drifted(&found) } else { self.configured(&found, there) }
    }

    /// The configuration is as it was applied, but what is there is not as it was then.
    fn drifted(&self, found: &Difference) -> Planned {
        if found.wanted.is_empty() {
            return self.keep();
        }
        if self.asks() {
            return Planned::Ask;
        }
        let paths = found.paths();
        Planned::Update { attributes: self.attributes(self.base()), changed: paths.clone(), drifted: paths }
    }

    /// The configuration is not as it was applied.
    fn configured(&self, found: &Difference, there: &Value) -> Planned {
        if let Some(because) = self.immutable(found) {
            return Planned::Replace { attributes: self.attributes(None), because };
        }
        if found.is_empty() {
            return self.keep();
        }
        if self.asks() {
            return Planned::Ask;
        }
        let Some(Preview::Accepted(preview)) = self.asked.preview else { return self.changed(found) };
        let immutable: Vec<String> = preview
            .get("immutable")
            .map(Value::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|path| Some(path.as_str()?.to_owned()))
            .collect();
        if !immutable.is_empty() {
            return Planned::Replace { attributes: self.attributes(None), because: immutable };
        }
        match preview.get("object") {
            Some(becomes) => self.changed(&difference(becomes, there)),
            None => self.changed(found),
        }
    }

    fn changed(&self, found: &Difference) -> Planned {
        if let Some(because) = self.immutable(found) {
            return Planned::Replace { attributes: self.attributes(None), because };
        }
        if found.is_empty() {
            return self.keep();
        }
        Planned::Update { attributes: self.attributes(self.base()), changed: found.paths(), drifted: Vec::new() }
    }

    fn keep(&self) -> Planned {
        Planned::Keep(self.attributes(self.base()))
    }

    /// Whether the server is to be asked, and has not been.
    fn asks(&self) -> bool {
        self.asked.previewable && self.asked.preview.is_none() && self.object.is_known()
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

    /// Without looking: how the arguments differ from the recorded ones, as far as the object they write shows it.
    fn remembered_difference(&self) -> Difference {
        let Some(prior) = self.asked.prior else { return Difference::default() };
        let sealed = self.kind.remembered(self.asked.desired, self.asked.secret_key);
        let (now, was) = match (self.kind.object(&sealed), self.kind.object(&prior.attributes)) {
            (Some(Ok(now)), Some(Ok(was))) if name_of(&was).is_some() => (canonical(&now), canonical(&was)),
            _ => return self.argument_difference(&sealed, &prior.attributes),
        };
        let found = difference(&now, &was);
        if found.is_empty() { self.argument_difference(&sealed, &prior.attributes) } else { found }
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

    fn base(&self) -> Option<&Value> {
        self.asked.prior.map(|prior| &prior.attributes)
    }

    /// What dependents see: arguments as desired; computed attributes as the kind knows them by now, else as observed, else as remembered
    /// in `base`, else unknown.
    fn attributes(&self, base: Option<&Value>) -> Value {
        let id = name_of(&self.object).map(|name| ("id", Value::string(id_of(&name))));
        let computed: Vec<_> = self.kind.attributes(self.asked.desired, None).into_iter().chain(id).collect();
        let observed = self.asked.observed.filter(|_| base.is_some()).and_then(|observed| observed.get("computed"));
        Value::object(self.schema.attributes.iter().map(|attribute| {
            let known = |at: Option<&Value>| at.and_then(|at| at.present(attribute.name)).cloned();
            let value = match attribute.presence {
                Presence::Required | Presence::Optional => self.asked.desired.get(attribute.name).cloned().unwrap_or_else(Value::null),
                Presence::Computed | Presence::OptionalComputed => known(Some(self.asked.desired))
                    .or_else(|| computed.iter().find(|(name, _)| *name == attribute.name).map(|(_, value)| value.clone()))
                    .or_else(|| known(observed))
                    .or_else(|| base.and_then(|base| base.get(attribute.name)).cloned())
                    .unwrap_or_else(|| Value::unknown(attribute.ty.clone())),
            };
            (attribute.name, value.sensitive_if(attribute.sensitive))
        }))
    }
}

/// A difference without what controllers took over.
fn without_rewritten(mut found: Difference, observed: &Value) -> Difference {
    let taken: Vec<&str> = observed.get("rewritten").map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str).collect();
    found.wanted.retain(|path| !taken.iter().any(|taken| dotted(path).starts_with(taken)));
    found
}
