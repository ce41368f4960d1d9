//! `istio_prerequisite`: an object that several may bring: a chart, the in-cluster operator, `istioctl`, or this.
//!
//! It is made if it is not there. If it is, somebody else's is as good: it is left as it is, and left there when the resource goes. Once
//! somebody takes over the fields of one that was made here, they are theirs, and that is no drift. This is what `istioctl
//! create-remote-secret` does with the account and rights it needs, and what lets definitions be there before the operator brings its own.

use engine::schema::{Attribute, Member, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::{Json, ObjectKind};

/// The kind's name.
pub(crate) const PREREQUISITE: &str = "istio_prerequisite";
/// The computed attribute that tells whose it is.
pub(crate) const MADE: &str = "made";

/// `istio_prerequisite`, as an object.
pub struct Prerequisite {
    schema: Schema,
}

impl Default for Prerequisite {
    fn default() -> Self {
        let attributes = vec![
            Attribute::required("cluster", Type::Reference("cluster"), "The cluster it lies in."),
            Attribute::required("manifest", Type::Any, "The object, with `apiVersion`, `kind` and `metadata`."),
            Attribute::computed(
                MADE,
                Type::Bool,
                "Whether it was made here. If not, it was there already and stays when the resource goes.",
            ),
        ];
        let schema = Schema {
            kind: PREREQUISITE,
            doc: "An object that an installation may bring as well: made if it is missing, left alone if it is there.",
            version: 1,
            attributes,
            classes: &[],
            place: Some("cluster"),
            outside: true,
            settles: true,
        };
        Self { schema }
    }
}

impl ObjectKind for Prerequisite {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn object(&self, arguments: &Value) -> Option<Result<Value, Problem>> {
        let missing = || Problem::with("manifest", "missing manifest", "`manifest` says what the object is, and it is missing");
        Some(arguments.present("manifest").cloned().ok_or_else(missing))
    }

    fn attributes(&self, _: &Value, live: Option<&Json>) -> Vec<(&'static str, Value)> {
        live.map(|_| (MADE, Value::bool(true))).into_iter().collect()
    }
}

/// Members of which those chosen by key are prerequisites.
pub(crate) fn prerequisites(members: Vec<Member>, chosen: impl Fn(&str) -> bool) -> Vec<Member> {
    let turned = |member: Member| {
        let given = member.arguments.entries().iter().filter(|entry| matches!(&*entry.key, "cluster" | "manifest"));
        let arguments = Value::object(given.map(|entry| (entry.key.clone(), entry.value.clone())));
        Member { kind: PREREQUISITE, arguments, ..member }
    };
    members.into_iter().map(|member| if chosen(&member.key) { turned(member) } else { member }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_object_is_the_manifest() {
        let manifest = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "a", "namespace": "n" } });
        let arguments = Value::from_json(&json!({ "manifest": manifest }));
        assert_eq!(Prerequisite::default().object(&arguments).unwrap().unwrap().to_json().unwrap(), manifest);
        assert!(Prerequisite::default().object(&Value::object::<&str>([])).unwrap().is_err());
        assert_eq!(Prerequisite::default().attributes(&arguments, Some(&manifest)), [(MADE, Value::bool(true))]);
        assert_eq!(Prerequisite::default().attributes(&arguments, None), []);
    }

    #[test]
    fn chosen_members_change_their_kind_and_nothing_else() {
        let objects = ["a", "b"].map(|name| {
            Value::from_json(&json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name, "namespace": "n" } }))
        });
        let members = kubernetes::members(&Value::null(), objects.to_vec(), &[("on_exists", Value::string("adopt"))]).unwrap();
        let turned = prerequisites(members.clone(), |key| key.ends_with("/a"));
        assert_eq!(turned[1], members[1]);
        assert_eq!((turned[0].kind, &turned[0].key, &turned[0].after), (PREREQUISITE, &members[0].key, &members[0].after));
        assert_eq!(turned[0].arguments.get("manifest"), members[0].arguments.get("manifest"));
        assert_eq!(turned[0].arguments.get("on_exists"), None, "what is there is left alone, whatever the set says");
    }
}
