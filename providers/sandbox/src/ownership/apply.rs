//! Server-side apply.

use super::compare::{compare, fields_of};
use super::field_set::FieldSet;
use super::merge::{merge, prune};
use super::owners::{Operation, Owner, Owners, Writer, strip};
use super::shape::Shape;
use crate::object::Json;
use crate::refusal::Refusal;
use serde_json::json;
use std::collections::BTreeMap;

/// How an apply is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applying<'a> {
    /// Who applies.
    pub(crate) writer: Writer<'a>,
    /// What conflicts do.
    pub(crate) conflicts: Conflicts,
    /// The type of the object.
    pub(crate) shape: Shape<'a>,
    /// Fields at the top that this endpoint does not write: `status`, or all but that.
    pub(crate) reset: &'a [&'a str],
}

/// What becomes of fields that others own and that would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflicts {
    /// The apply is refused.
    Refuse,
    /// They are taken over.
    Force,
}

/// The object as the configuration makes it, its owners written into it. `live` is nothing for an object that is not there yet.
pub(crate) fn apply(live: Option<&Json>, config: &Json, how: Applying<'_>) -> Result<Json, Refusal> {
    let nothing = Json::Object(serde_json::Map::new());
    let live = live.unwrap_or(&nothing);
    let mut config = without_nulls(config);
    for field in how.reset {
        config.as_object_mut().map(|fields| fields.remove(*field));
    }
    let mut owners = Owners::of(live);
    if owners.0.is_empty() {
        owners.unknown(live, how.shape, how.writer);
    }
    let mine = owners.0.iter().position(|owner| owner.is(how.writer, Operation::Apply)).map(|at| owners.0.remove(at));

    let mut object = merge(live, &config, how.shape);
    let differences = compare(live, &object, how.shape);
    let changes = differences.added.union(&differences.modified);
    let contested = conflicts(&owners, &changes);
    if how.conflicts == Conflicts::Refuse && !contested.is_empty() {
        return Err(refuse(&contested));
    }
    for (at, fields) in contested.iter().map(|(at, _, fields)| (*at, fields)) {
        owners.0[at].fields = owners.0[at].fields.difference(fields);
    }

    let whole = fields_of(&config, how.shape);
    let kept = owners.0.iter().fold(whole.clone(), |kept, owner| kept.union(&owner.fields));
    if let Some(mine) = &mine {
        prune(&mut object, &mine.fields, &kept, how.shape);
    }
    owners.take(&compare(live, &object, how.shape).removed);

    let mut fields = whole;
    strip(&mut fields);
    // An apply that changes nothing has no time; one that comes later than another of the manager leaves it its own.
    let time = if object == *live { mine.map_or_else(String::new, |mine| mine.time) } else { how.writer.now.to_owned() };
    owners.0.push(Owner { time, fields, ..Owner::new(how.writer, Operation::Apply) });
    owners.write(&mut object);
    Ok(object)
}

/// Fields of others that would change: the owner's place, its description, and the fields.
fn conflicts(owners: &Owners, changes: &FieldSet) -> Vec<(usize, String, FieldSet)> {
    let all = owners.0.iter().enumerate().map(|(at, owner)| (at, owner.describe(), owner.fields.intersection(changes)));
    all.filter(|(_, _, fields)| !fields.is_empty()).collect()
}

fn refuse(contested: &[(usize, String, FieldSet)]) -> Refusal {
    let mut by_owner: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (_, owner, fields) in contested {
        let paths = by_owner.entry(owner).or_default();
        for path in fields.paths() {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    let message = match by_owner.iter().collect::<Vec<_>>().as_slice() {
        [(owner, paths)] if paths.len() == 1 => format!("1 conflict: conflict with {owner}: {}", paths[0]),
        owners => {
            let lines: Vec<_> = owners.iter().map(|(owner, paths)| format!("conflicts with {owner}:\n- {}", paths.join("\n- "))).collect();
            let count: usize = owners.iter().map(|(_, paths)| paths.len()).sum();
            format!("{count} conflicts: {}", lines.join("\n"))
        }
    };
    let pairs = by_owner.iter().flat_map(|(owner, paths)| paths.iter().map(move |path| (owner, path)));
    let causes: Vec<_> = pairs
        .map(|(owner, path)| json!({ "reason": "FieldManagerConflict", "message": format!("conflict with {owner}"), "field": path }))
        .collect();
    Refusal::managers(format!("Apply failed with {message}"), &causes)
}

fn without_nulls(value: &Json) -> Json {
    match value {
        Json::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            Json::Object(fields.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Resource, builtin};
    use std::sync::Arc;

    fn config_maps() -> Arc<Resource> {
        builtin("", "v1", "configmaps").expect("configmaps")
    }

    fn applied(live: Option<&Json>, manager: &str, conflicts: Conflicts, config: &Json) -> Result<Json, Refusal> {
        let resource = config_maps();
        let writer = Writer { manager, api_version: "v1", subresource: "", now: "2024-01-01T00:00:00Z" };
        apply(live, config, Applying { writer, conflicts, shape: Shape::of(&resource), reset: &[] })
    }

    fn config(data: &Json) -> Json {
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": data })
    }

    fn owned(object: &Json, manager: &str) -> Json {
        let owners = Owners::of(object);
        owners.0.iter().find(|owner| owner.manager == manager).map(|owner| owner.fields.to_json()).unwrap_or_default()
    }

    #[test]
    fn two_managers_own_their_own_fields() {
        let first = applied(None, "a", Conflicts::Refuse, &config(&json!({ "x": "1" }))).expect("applied");
        let second = applied(Some(&first), "b", Conflicts::Refuse, &config(&json!({ "y": "2" }))).expect("applied");
        assert_eq!(second["data"], json!({ "x": "1", "y": "2" }));
        assert_eq!(owned(&second, "a"), json!({ "f:data": { "f:x": {} } }));
        assert_eq!(owned(&second, "b"), json!({ "f:data": { "f:y": {} } }));
    }

    #[test]
    fn the_same_value_is_shared_and_another_one_is_a_conflict() {
        let first = applied(None, "a", Conflicts::Refuse, &config(&json!({ "x": "1" }))).expect("applied");
        let shared = applied(Some(&first), "b", Conflicts::Refuse, &config(&json!({ "x": "1" }))).expect("applied");
        assert_eq!(owned(&shared, "a"), owned(&shared, "b"));

        let refusal = applied(Some(&first), "b", Conflicts::Refuse, &config(&json!({ "x": "2" }))).expect_err("a conflict");
        assert_eq!(refusal.message, "Apply failed with 1 conflict: conflict with \"a\": .data.x");
        assert_eq!(refusal.details["causes"][0]["field"], json!(".data.x"));

        let forced = applied(Some(&first), "b", Conflicts::Force, &config(&json!({ "x": "2" }))).expect("applied");
        assert_eq!((&forced["data"], owned(&forced, "a")), (&json!({ "x": "2" }), Json::Null));
    }

    #[test]
    fn what_is_no_longer_applied_goes_unless_another_owns_it() {
        let first = applied(None, "a", Conflicts::Refuse, &config(&json!({ "x": "1", "y": "1", "z": "1" }))).expect("applied");
        let shared = applied(Some(&first), "b", Conflicts::Refuse, &config(&json!({ "y": "1" }))).expect("applied");
        let fewer = applied(Some(&shared), "a", Conflicts::Refuse, &config(&json!({ "z": "1" }))).expect("applied");
        assert_eq!(fewer["data"], json!({ "y": "1", "z": "1" }));
    }

    #[test]
    fn an_empty_apply_gives_the_fields_back() {
        let first = applied(None, "a", Conflicts::Refuse, &config(&json!({ "x": "1" }))).expect("applied");
        let second = applied(Some(&first), "b", Conflicts::Refuse, &config(&json!({ "y": "2" }))).expect("applied");
        let empty = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" } });
        assert_eq!(applied(Some(&second), "b", Conflicts::Refuse, &empty), Ok(first));
    }

    #[test]
    fn applying_the_same_again_changes_nothing() {
        let first = applied(None, "a", Conflicts::Refuse, &config(&json!({ "x": "1", "gone": null }))).expect("applied");
        assert_eq!(applied(Some(&first), "a", Conflicts::Refuse, &config(&json!({ "x": "1" }))), Ok(first));
    }

    #[test]
    fn several_conflicts_are_listed() {
        let first = applied(None, "a", Conflicts::Refuse, &config(&json!({ "x": "1", "y": "1" }))).expect("applied");
        let refusal = applied(Some(&first), "b", Conflicts::Refuse, &config(&json!({ "x": "2", "y": "2" }))).expect_err("conflicts");
        assert_eq!(refusal.message, "Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.x\n- .data.y");
    }
}
