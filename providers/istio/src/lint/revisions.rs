//! Tags of revisions beside the control planes of their clusters.

use crate::operator::{OPERATOR, Plane};
use crate::revision::DEFAULT;
use crate::revision_tag::REVISION_TAG;
use engine::address::Address;
use engine::schema::{LintInput, LintInstance, Problem};

/// Tags that have the name of a revision, and those for which something else injects as well.
pub(super) fn findings(input: &LintInput<'_>) -> Vec<(Address, Problem)> {
    let of_kind = |kind: &'static str| input.instances.iter().filter(move |at| at.is_managed() && at.kind == kind);
    let planes: Vec<_> = of_kind(OPERATOR).map(|at| (at, Plane::of(at.arguments))).filter(|(_, plane)| plane.serves()).collect();
    let mut found = Vec::new();
    for tag in of_kind(REVISION_TAG) {
        let Some(name) = tag.arguments.text("name") else { continue };
        let beside = planes.iter().filter(|(at, _)| at.place.is_some() && at.place == tag.place);
        found.extend(beside.filter_map(|(at, plane)| Some((tag.address.clone(), in_the_way(name, at, plane)?))).take(1));
    }
    found
}

fn in_the_way(name: &str, at: &LintInstance<'_>, plane: &Plane) -> Option<Problem> {
    match plane.revision.as_deref() {
        Some(revision) if revision == name => {
            let detail =
                format!("the tag `{name}` has the name of the revision of `{}`: the webhooks of both would inject its pods", at.address);
            Some(Problem::with("name", "tag named as a revision", detail).help("Give the tag another name, such as `stable`."))
        }
        None if name == DEFAULT && !plane_has_unknown_revision(at) => {
            let detail = format!(
                "the tag `{DEFAULT}` is beside `{}`, which has no revision: the webhooks of both would inject what `istio-injection=enabled` chooses",
                at.address
            );
            let help =
                "Move namespaces to another tag first, and make the tag `default` when the control plane without a revision is gone.";
            Some(Problem::with("name", "two default injectors", detail).help(help))
        }
        _ => None,
    }
}

fn plane_has_unknown_revision(at: &LintInstance<'_>) -> bool {
    at.arguments.get("revision").is_some_and(|revision| !revision.is_known())
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Value;
    use serde_json::{Value as Json, json};

    #[test]
    fn names_of_tags_are_of_tags_alone() {
        let told = |name: &str, revision: &Json, profile: &str, place: &str| {
            let (plane, tag) = (Address::managed(OPERATOR, "p"), Address::managed(REVISION_TAG, "t"));
            let of_plane = Value::from_json(&json!({ "revision": revision, "profile": profile }));
            let of_tag = Value::from_json(&json!({ "name": name }));
            let instance = |address, kind, arguments, place: &str| LintInstance {
                address,
                kind,
                arguments,
                attributes: arguments,
                written: None,
                place: Some(place.into()),
            };
            let instances = vec![instance(&plane, OPERATOR, &of_plane, "c1"), instance(&tag, REVISION_TAG, &of_tag, place)];
            let found = findings(&LintInput { instances, complete: true, now: 0 });
            found.first().map(|(_, problem)| problem.summary.clone()).unwrap_or_default()
        };
        for (name, revision, profile, place, expected) in [
            ("stable", json!("1-30"), "default", "c1", ""),
            ("1-30", json!("1-30"), "default", "c1", "tag named as a revision"),
            ("1-30", json!("1-30"), "default", "c2", ""),
            ("default", json!("1-30"), "default", "c1", ""),
            ("default", json!(null), "default", "c1", "two default injectors"),
            ("default", json!(null), "empty", "c1", ""),
            ("stable", json!(null), "default", "c1", ""),
        ] {
            assert_eq!(told(name, &revision, profile, place), expected, "{name} {revision} {profile} {place}");
        }
    }
}
