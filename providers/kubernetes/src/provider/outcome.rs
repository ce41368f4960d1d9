//! What an effect leaves for the record.

use super::target::Target;
use crate::kind::Adapter;
use crate::object::id_of;
use crate::object_kind::Json;
use crate::observation::{fingerprint_of, value_of, veiled};
use crate::ownership::owned;
use engine::port::{Done, Request};
use engine::schema::{Kind as _, Presence};
use engine::value::Value;

/// What an effect on a single object left: its attributes, uid and fingerprints.
pub(super) fn done(adapter: &Adapter, request: &Request, target: &Target, live: &Json) -> Done {
    let mut computed = adapter.kind.attributes(&request.arguments, Some(live));
    computed.push(("id", Value::string(id_of(&target.name))));
    let part = owned(live, &target.manager);
    Done {
        uid: live.pointer("/metadata/uid").and_then(Json::as_str).map(Into::into),
        applied: fingerprint_of(&target.desired, &request.secret_key),
        observed: fingerprint_of(&value_of(&part), &request.secret_key),
        ..Done::new(attributes(adapter, request, &computed))
    }
}

/// All attributes of the schema: arguments as given, computed ones as just found out, else as remembered, else null.
pub(super) fn attributes(adapter: &Adapter, request: &Request, computed: &[(&'static str, Value)]) -> Value {
    let prior = request.prior.as_ref().map(|prior| &prior.attributes);
    Value::object(adapter.schema().attributes.iter().map(|attribute| {
        let given = request.arguments.get(attribute.name).filter(|_| attribute.presence != Presence::Computed);
        let given = given.filter(|value| !value.is_null() || attribute.presence != Presence::OptionalComputed);
        let found = computed.iter().find(|(name, _)| *name == attribute.name).map(|(_, value)| value);
        let remembered = || prior.filter(|_| attribute.presence == Presence::Computed && !attribute.volatile)?.get(attribute.name);
        let value = given.or(found).or_else(remembered).map_or_else(Value::null, veiled);
        (attribute.name, value.sensitive_if(attribute.sensitive))
    }))
}
