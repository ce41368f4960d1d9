//! Objects and lists of them.

use super::Answer;
use super::call::Call;
use super::route::{Place, Subresource};
use super::selector::Selector;
use super::table::{self, Headings};
use crate::admission;
use crate::object::{self, Json, set, text};
use crate::refusal::Refusal;
use crate::resource::{Key, Resource};
use crate::store::World;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;

/// An object as one version serves it.
pub(crate) fn served(resource: &Resource, object: &Json) -> Json {
    let mut object = object.clone();
    if object.is_object() {
        set(&mut object, &["apiVersion"], resource.api_version());
        set(&mut object, &["kind"], resource.kind.as_str());
        admission::drop_unread(resource, &mut object);
    }
    object
}

/// One object.
pub(crate) fn get(world: &World, resource: &Resource, place: &Place, call: &Call) -> Result<Answer, Refusal> {
    let key = resource.key(place.namespace.as_deref().unwrap_or_default(), &place.name);
    let object = world.get(&key).ok_or_else(|| Refusal::not_found(resource.about(&place.name)))?;
    match place.subresource {
        Subresource::Scale => Ok(Answer::Object(200, super::scale::scale_of(resource, object)?)),
        Subresource::None | Subresource::Status => {
            let object = served(resource, object);
            let answered = if table::is_asked(call) { table::one(resource, &object, Headings::Told) } else { object };
            Ok(Answer::Object(200, answered))
        }
        Subresource::Finalize | Subresource::Token | Subresource::Unknown => Err(Refusal::method()),
    }
}

/// All objects of a resource that are meant, or a page of them.
pub(crate) fn list(world: &World, resource: &Resource, place: &Place, call: &Call) -> Result<Answer, Refusal> {
    let selector = Selector::of(resource, call)?;
    let limit = call.number("limit")?.filter(|limit| *limit > 0).map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let qualified = resource.qualified();
    let after = call.query("continue").filter(|token| !token.is_empty()).map(|token| resume(&qualified, token)).transpose()?;
    let exactly = exact(call)?;
    let (begun, after) = after.unzip();
    let revision = begun.flatten().or(exactly).unwrap_or(world.revision());
    let then = world.list_as_of(&qualified, place.namespace.as_deref(), revision);
    let then = then.ok_or_else(|| after.as_ref().map_or_else(Refusal::expired, |after| Refusal::outlived(token(None, after))))?;

    let mut rest = then.iter().skip_while(|(key, _)| after.as_ref().is_some_and(|last| *key <= last)).peekable();
    let mut items = Vec::new();
    let mut last = None;
    while items.len() < limit
        && let Some((key, object)) = rest.next()
    {
        items.extend(selector.selects(object).then(|| served(resource, object)));
        last = Some(key);
    }
    let mut metadata = json!({ "resourceVersion": revision.to_string() });
    // Whether any of the rest is meant nobody looks before the next page is asked for.
    if let (Some(last), Some(_)) = (last, rest.peek()) {
        metadata["continue"] = token(Some(revision), last).into();
        if selector.is_everything() {
            metadata["remainingItemCount"] = rest.count().into();
        }
    }
    if table::is_asked(call) {
        return Ok(Answer::Object(200, table::many(resource, &items, &metadata)));
    }
    if resource.schema.is_some() {
        // Lists of defined kinds always have it.
        object::set_default(&mut metadata, &["continue"], "");
    } else {
        // Lists of built-in kinds say once what their items are.
        for item in &mut items {
            item.as_object_mut().map(|fields| (fields.remove("apiVersion"), fields.remove("kind")));
        }
    }
    let answered =
        json!({ "apiVersion": resource.api_version(), "kind": format!("{}List", resource.kind), "metadata": metadata, "items": items });
    Ok(Answer::Object(200, answered))
}

/// The revision that a list is asked for, no older and no newer.
fn exact(call: &Call) -> Result<Option<u64>, Refusal> {
    let version = call.number("resourceVersion")?;
    match call.query("resourceVersionMatch") {
        Some(given) if !given.is_empty() && version.is_none() => Err(Refusal::options(
            "ListOptions",
            "resourceVersionMatch",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        )),
        Some("Exact") => Ok(version),
        _ => Ok(None),
    }
}

/// What a list goes on with after an object. Without a revision it goes on with what is there by then.
fn token(revision: Option<u64>, last: &Key) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json!([revision, &*last.namespace, &*last.name]).to_string())
}

/// Where a list goes on. It stays what it was at its first page, if that has a revision.
fn resume(qualified: &str, token: &str) -> Result<(Option<u64>, Key), Refusal> {
    let decoded =
        BASE64_URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| serde_json::from_slice::<(Option<u64>, String, String)>(&bytes).ok());
    let (revision, namespace, name) = decoded.ok_or_else(|| Refusal::bad_request("continue key is not valid"))?;
    Ok((revision, Key::new(qualified, &namespace, &name)))
}

/// How often an object of one name was made in a sandbox cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Made {
    /// Its kind if an object of that name is there, else `plural` or `plural.group`.
    pub kind: String,
    /// Empty for what no namespace holds.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How often it was created.
    pub created: u64,
    /// How often it was deleted.
    pub deleted: u64,
}

/// How often each object was made.
pub(crate) fn audit(world: &World) -> Vec<Made> {
    let rows = world.counts().iter().map(|(key, count)| Made {
        kind: world.get(key).and_then(|object| text(object, &["kind"])).unwrap_or(&key.resource).to_owned(),
        namespace: key.namespace.to_string(),
        name: key.name.to_string(),
        created: count.created,
        deleted: count.deleted,
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::super::call::tests::call;
    use super::*;
    use crate::resource::builtin;
    use crate::store::{Event, Facts};
    use std::sync::Arc;

    fn world(names: &[(&str, &str)]) -> World {
        let mut world = World::new(Facts::example("c"));
        for (at, (namespace, name)) in names.iter().enumerate() {
            add(&mut world, at as u64 + 2, namespace, name);
        }
        world
    }

    fn add(world: &mut World, revision: u64, namespace: &str, name: &str) {
        let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": namespace, "labels": { "in": namespace } } });
        let key = Key::new("configmaps", namespace, name);
        world.apply(vec![Event { revision, old: world.get(&key).cloned(), key, new: Some(Arc::new(object)) }]);
    }

    fn listed(world: &World, namespace: Option<&str>, query: &str) -> Result<Json, u16> {
        asked(world, namespace, query).map_err(|refusal| refusal.code)
    }

    fn asked(world: &World, namespace: Option<&str>, query: &str) -> Result<Json, Refusal> {
        let resource = builtin("", "v1", "configmaps").expect("configmaps");
        let place = Place {
            group: String::new(),
            version: "v1".into(),
            plural: "configmaps".into(),
            namespace: namespace.map(str::to_owned),
            name: String::new(),
            subresource: Subresource::None,
        };
        match list(world, &resource, &place, &call("GET", &format!("/?{query}"), ""))? {
            Answer::Object(200, list) => Ok(list),
            _ => panic!("no list"),
        }
    }

    fn names(list: &Json) -> Vec<&str> {
        list["items"].as_array().into_iter().flatten().filter_map(|item| item["metadata"]["name"].as_str()).collect()
    }

    #[test]
    fn lists_are_of_a_namespace_or_all_and_of_what_is_selected() {
        let world = world(&[("a", "1"), ("b", "2"), ("b", "3")]);
        assert_eq!(names(&listed(&world, None, "").expect("listed")), ["1", "2", "3"]);
        assert_eq!(names(&listed(&world, Some("b"), "").expect("listed")), ["2", "3"]);
        assert_eq!(names(&listed(&world, None, "labelSelector=in=a").expect("listed")), ["1"]);
        let list = listed(&world, None, "").expect("listed");
        assert_eq!(
            (&list["kind"], &list["metadata"]["resourceVersion"], list["items"][0].get("kind")),
            (&json!("ConfigMapList"), &json!("4"), None)
        );
    }

    #[test]
    fn pages_follow_one_another_whatever_changes() {
        let mut world = world(&[("a", "1"), ("b", "2"), ("b", "3")]);
        let first = listed(&world, None, "limit=2").expect("listed");
        assert_eq!((names(&first), &first["metadata"]["remainingItemCount"]), (vec!["1", "2"], &json!(1)));
        let query = format!("limit=2&continue={}", first["metadata"]["continue"].as_str().unwrap_or(""));
        let second = listed(&world, None, &query).expect("listed");
        assert_eq!((names(&second), second["metadata"].get("continue")), (vec!["3"], None));
        add(&mut world, 9, "c", "4");
        assert_eq!(listed(&world, None, &query), Ok(second));
        let then = listed(&world, None, "resourceVersion=4&resourceVersionMatch=Exact").expect("listed");
        assert_eq!((names(&then), &then["metadata"]["resourceVersion"]), (vec!["1", "2", "3"], &json!("4")));
        assert_eq!(listed(&world, None, "resourceVersion=0&resourceVersionMatch=Exact"), Err(410));
        assert_eq!(listed(&world, None, "resourceVersionMatch=Exact"), Err(422));
        assert_eq!(listed(&world, None, "continue=nonsense"), Err(400));
    }

    #[test]
    fn a_list_that_began_too_long_ago_goes_on_with_what_is_there_now() {
        let mut world = world(&[("a", "1"), ("b", "2"), ("b", "3"), ("c", "4")]);
        let next = |list: &Json| format!("limit=1&continue={}", list["metadata"]["continue"].as_str().unwrap_or(""));
        let first = listed(&world, None, "limit=1").expect("listed");
        // As a log that was written anew leaves it.
        world.resume(world.revision() + 1, world.counts().clone());
        add(&mut world, 9, "b", "0");
        let refusal = asked(&world, None, &next(&first)).expect_err("refused").status();
        assert_eq!((refusal["code"].as_u64(), refusal["reason"].as_str()), (Some(410), Some("Expired")));
        let second = listed(&world, None, &next(&refusal)).expect("listed");
        assert_eq!((names(&second), &second["metadata"]["resourceVersion"]), (vec!["0"], &json!("9")));
        add(&mut world, 10, "b", "1");
        let third = listed(&world, None, &next(&second)).expect("listed");
        assert_eq!((names(&third), &third["metadata"]["resourceVersion"]), (vec!["2"], &json!("9")));
    }

    #[test]
    fn the_audit_counts_creates() {
        let mut world = world(&[("a", "1"), ("a", "1")]);
        let key = Key::new("configmaps", "a", "1");
        world.apply(vec![Event { revision: 9, old: world.get(&key).cloned(), key, new: None }]);
        add(&mut world, 10, "a", "1");
        let made = Made { kind: "ConfigMap".into(), namespace: "a".into(), name: "1".into(), created: 2, deleted: 1 };
        assert_eq!(audit(&world), [made]);
    }
}
