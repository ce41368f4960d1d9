//! Patches: server-side apply, and the three that came before it.

use super::Answer;
use super::call::Call;
use super::read::served;
use super::write::{Writing, check_identity, is_made_by_replacing, store, update};
use crate::admission::{self, Part};
use crate::object::{self, Json, at, text};
use crate::ownership::{Applying, Conflicts, Relation, Shape, apply, by_first_key, duplicate};
use crate::refusal::Refusal;
use crate::store::Transaction;
use serde_json::{Map, json};

/// Patches an object as the type of the body says.
pub(crate) fn patch(transaction: &mut Transaction<'_>, writing: &Writing<'_>, call: &Call) -> Result<Answer, Refusal> {
    match call.content() {
        "application/apply-patch+yaml" | "application/apply-patch+cbor" => server_side(transaction, writing, call),
        "application/merge-patch+json" => changed(transaction, writing, |live| Ok(merge(live, &fields(call)?))),
        "application/json-patch+json" => changed(transaction, writing, |live| operations(live, &call.json()?)),
        "application/strategic-merge-patch+json" if writing.resource.schema.is_none() => changed(transaction, writing, |live| {
            let shape = Shape::of(writing.resource);
            Ok(top_strategic(live, &fields(call)?, shape))
        }),
        _ if writing.resource.schema.is_some() => {
            let types = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            let message = format!("the body of the request was in an unknown format - accepted media types include: {types}");
            Err(Refusal { message, details: Json::Null, ..Refusal::unsupported("") })
        }
        _ => Err(Refusal { message: "415: Unsupported Media Type".to_owned(), ..Refusal::unsupported("") }),
    }
}

/// The body of a patch that is an object.
fn fields(call: &Call) -> Result<Json, Refusal> {
    let patch = call.json()?;
    let word = match &patch {
        Json::Array(_) => "array",
        Json::String(_) => "string",
        Json::Number(_) => "number",
        Json::Bool(_) => "bool",
        Json::Object(_) | Json::Null => return Ok(patch),
    };
    Err(Refusal::bad_request(format!(
        "error decoding patch: json: cannot unmarshal {word} into Go value of type map[string]interface {{}}"
    )))
}

fn changed(
    transaction: &mut Transaction<'_>,
    writing: &Writing<'_>,
    change: impl FnOnce(&Json) -> Result<Json, Refusal>,
) -> Result<Answer, Refusal> {
    let live = writing.live(transaction).ok_or_else(|| writing.missing())?;
    let mut object = change(&live)?;
    writing.named(&object)?;
    writing.agree(&mut object)?;
    let patched = object.clone();
    writing.known(&mut object).map_err(|refusal| Refusal::unreadable(&patched, &refusal.message))?;
    update(transaction, writing, &live, object)
}

fn server_side(transaction: &mut Transaction<'_>, writing: &Writing<'_>, call: &Call) -> Result<Answer, Refusal> {
    let mut config = call.json()?;
    if call.query("fieldManager").unwrap_or_default().is_empty() {
        return Err(Refusal::options("PatchOptions", "fieldManager", "Required value: is required for apply patch"));
    }
    let (api_version, kind) = (writing.resource.api_version(), writing.resource.kind.as_str());
    let given = (text(&config, &["apiVersion"]).unwrap_or_default(), text(&config, &["kind"]).unwrap_or_default());
    if given != (api_version.as_str(), kind) {
        let slash = if given.0.contains('/') { "" } else { "/" };
        return Err(Refusal::bad_request(format!("invalid object type: {slash}{}, Kind={}", given.0, given.1)));
    }
    let named = [object::namespace(&config), object::name(&config)].join("/");
    if at(&config, &["metadata", "managedFields"]).is_some_and(|managed| managed.as_array().is_none_or(|managed| !managed.is_empty())) {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    writing.agree(&mut config)?;
    declared(writing, &mut config, &named)?;
    let live = writing.live(transaction);
    let about = writing.resource.about(&writing.name);
    let uid = text(&config, &["metadata", "uid"]).unwrap_or_default().to_owned();
    match &live {
        None if writing.part() == Part::Status && !is_made_by_replacing(writing.resource) => return Err(writing.missing()),
        None if !uid.is_empty() => {
            let why = format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(Refusal::conflict(about, &why));
        }
        Some(live) if !uid.is_empty() && uid != object::uid(live) => {
            let cause = ("metadata.uid".to_owned(), format!("Invalid value: {uid:?}: field is immutable"));
            // It is looked at for all kinds, and again for each.
            return Err(Refusal::invalid(writing.resource.about_kind(&writing.name), &[cause.clone(), cause]));
        }
        Some(live) => check_identity(writing, live, &config)?,
        None => {}
    }
    let conflicts = if call.flag("force") { Conflicts::Force } else { Conflicts::Refuse };
    let now = transaction.now().to_owned();
    let reset = reset_fields(writing, &config);
    let reset: Vec<&str> = reset.iter().map(String::as_str).collect();
    let how = Applying { writer: writing.writer(&now), conflicts, shape: Shape::of(writing.resource), reset: &reset };
    let mut object = apply(live.as_deref(), &config, how)?;
    let unread = admission::unread(writing.resource, &object);
    let with_unread = |object: &mut Json| unread.into_iter().for_each(|(name, value)| object::set(object, &["metadata", &name], value));
    let Some(live) = live else {
        admission::create(transaction, writing.resource, &mut object)?;
        with_unread(&mut object);
        let stored = transaction.put(&writing.key(), object);
        return Ok(Answer::Object(201, served(writing.resource, &stored)));
    };
    admission::update(transaction, writing.resource, &live, &mut object, writing.part())?;
    with_unread(&mut object);
    Ok(Answer::Object(200, store(transaction, writing, &live, object)))
}

/// An apply names no field that its kind does not know, whatever `fieldValidation` says, and no item twice. `named` is the body's namespace
/// and name.
fn declared(writing: &Writing<'_>, config: &mut Json, named: &str) -> Result<(), Refusal> {
    let (group, version, kind) = (&writing.resource.group, &writing.resource.version, &writing.resource.kind);
    let untyped = |why: &str| Refusal::untyped(named, &format!("{group}/{version}"), kind, why);
    let unknown = admission::unknown_fields(writing.resource, config).map_err(|why| untyped(&why))?;
    if let Some(why) = admission::untyped(writing.resource, config) {
        return Err(untyped(&why));
    }
    let fields: Vec<_> = unknown.iter().map(|field| format!(".{field}: field not declared in schema")).collect();
    match fields.as_slice() {
        [] => {}
        [one] => return Err(untyped(one)),
        more => return Err(untyped(&format!("errors:\n  {}", more.join("\n  ")))),
    }
    duplicate(config, Shape::of(writing.resource)).map_or(Ok(()), |why| Err(untyped(&why)))
}

/// Fields at the top that this endpoint does not write.
fn reset_fields(writing: &Writing<'_>, config: &Json) -> Vec<String> {
    match writing.part() {
        Part::Object if writing.resource.status => vec!["status".to_owned()],
        Part::Object | Part::Finalizers => Vec::new(),
        Part::Status => {
            let keep = ["apiVersion", "kind", "metadata", "status"];
            config.as_object().into_iter().flatten().map(|(name, _)| name.clone()).filter(|name| !keep.contains(&name.as_str())).collect()
        }
    }
}

/// RFC 7396.
fn merge(target: &Json, patch: &Json) -> Json {
    let Some(patch) = patch.as_object() else { return patch.clone() };
    let mut merged = target.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            merged.remove(name);
        } else {
            let value = merge(merged.get(name).unwrap_or(&Json::Null), value);
            merged.insert(name.clone(), value);
        }
    }
    Json::Object(merged)
}

/// RFC 6902.
fn operations(target: &Json, patch: &Json) -> Result<Json, Refusal> {
    let mut object = target.clone();
    for operation in patch.as_array().ok_or_else(|| {
        Refusal::bad_request("error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp")
    })? {
        let word = |key: &str| text(operation, &[key]).unwrap_or_default();
        let value = || operation.get("value").cloned().unwrap_or_default();
        let done = match word("op") {
            "add" => insert(&mut object, word("path"), value()),
            "replace" => put(&mut object, word("path"), value()),
            "remove" => take(&mut object, word("path")).map(|_| ()),
            "test" => object.pointer(word("path")).is_some_and(|is| *is == value()).then_some(()),
            "copy" => object.pointer(word("from")).cloned().and_then(|value| insert(&mut object, word("path"), value)),
            "move" => take(&mut object, word("from")).and_then(|value| insert(&mut object, word("path"), value)),
            _ => None,
        };
        done.ok_or_else(Refusal::unfit)?;
    }
    Ok(object)
}

fn parent<'a>(object: &'a mut Json, path: &str) -> Option<(&'a mut Json, String)> {
    let (above, last) = path.rsplit_once('/')?;
    Some((object.pointer_mut(above)?, last.replace("~1", "/").replace("~0", "~")))
}

fn insert(object: &mut Json, path: &str, value: Json) -> Option<()> {
    let (parent, last) = parent(object, path)?;
    match parent {
        Json::Object(fields) => {
            fields.insert(last, value);
        }
        Json::Array(items) if last == "-" => items.push(value),
        Json::Array(items) => {
            let at = last.parse().ok().filter(|at| *at <= items.len())?;
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

/// Replaces what stands at a path. A field need not be there, as API servers have it; an item must.
fn put(object: &mut Json, path: &str, value: Json) -> Option<()> {
    let (parent, last) = parent(object, path)?;
    match parent {
        Json::Object(fields) => drop(fields.insert(last, value)),
        Json::Array(items) => *items.get_mut(last.parse::<usize>().ok()?)? = value,
        _ => return None,
    }
    Some(())
}

fn take(object: &mut Json, path: &str) -> Option<Json> {
    let (parent, last) = parent(object, path)?;
    match parent {
        Json::Object(fields) => fields.remove(&last),
        Json::Array(items) => last.parse().ok().filter(|at| *at < items.len()).map(|at: usize| items.remove(at)),
        _ => None,
    }
}

fn top_strategic(target: &Json, patch: &Json, shape: Shape<'_>) -> Json {
    let mut merged = target.as_object().cloned().unwrap_or_default();
    strategic_fields(&mut merged, patch, |name| shape.top(name));
    Json::Object(merged)
}

fn strategic(target: &Json, patch: &Json, shape: Shape<'_>) -> Json {
    match (target, patch) {
        (_, Json::Object(fields)) if fields.get("$patch") == Some(&json!("replace")) => Json::Object(
            fields.iter().filter(|(name, _)| !name.starts_with('$')).map(|(name, value)| (name.clone(), value.clone())).collect(),
        ),
        (target, Json::Object(_)) => {
            let mut merged = target.as_object().cloned().unwrap_or_default();
            strategic_fields(&mut merged, patch, |name| shape.field(name));
            Json::Object(merged)
        }
        (Json::Array(items), Json::Array(patch)) if matches!(shape.relation(), Relation::Keyed(_) | Relation::Set) => {
            strategic_items(items, patch, shape)
        }
        (_, patch) => patch.clone(),
    }
}

fn strategic_fields<'a>(merged: &mut Map<String, Json>, patch: &Json, below: impl Fn(&str) -> Shape<'a>) {
    for (name, value) in patch.as_object().into_iter().flatten() {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            if let Some(items) = merged.get_mut(list).and_then(Json::as_array_mut) {
                items.retain(|item| value.as_array().is_none_or(|gone| !gone.contains(item)));
            }
        } else if name.starts_with('$') {
            // Directives about order and retained keys change nothing that matters here.
        } else if value.is_null() || value.get("$patch") == Some(&json!("delete")) {
            merged.remove(name);
        } else {
            let value = strategic(merged.get(name).unwrap_or(&Json::Null), value, below(name));
            merged.insert(name.clone(), value);
        }
    }
}

fn strategic_items(items: &[Json], patch: &[Json], shape: Shape<'_>) -> Json {
    if patch.iter().any(|item| item.get("$patch") == Some(&json!("replace"))) {
        return patch.iter().filter(|item| item.get("$patch").is_none()).cloned().collect();
    }
    let key = |item: &Json| by_first_key(shape.relation(), item);
    let place = |item: &Json| items.iter().position(|known| key(known) == key(item));
    // Items of the patch stay in its order, new ones come before what they are not compared with.
    let mut named: Vec<(Option<usize>, Json)> = Vec::new();
    let mut others: Vec<_> = items.iter().enumerate().map(Some).collect();
    for item in patch {
        let at = place(item);
        let live = at.and_then(|at| others[at].take()).map(|(_, live)| live);
        if item.get("$patch").is_some() {
            continue;
        }
        if let Some((_, earlier)) = named.iter_mut().find(|(_, earlier)| key(earlier) == key(item)) {
            *earlier = strategic(earlier, item, shape.item());
        } else {
            named.push((at, live.map_or_else(|| item.clone(), |live| strategic(live, item, shape.item()))));
        }
    }
    let mut named = named.into_iter().peekable();
    let mut merged = Vec::new();
    for (at, other) in others.into_iter().flatten() {
        while let Some((_, item)) = named.next_if(|(place, _)| place.is_none_or(|place| place < at)) {
            merged.push(item);
        }
        merged.push(other.clone());
    }
    merged.extend(named.map(|(_, item)| item));
    Json::Array(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;

    #[test]
    fn merge_patches_follow_rfc_7396() {
        let target = json!({ "a": { "b": 1, "c": 2 }, "d": [1] });
        assert_eq!(merge(&target, &json!({ "a": { "b": null, "e": 3 }, "d": [2] })), json!({ "a": { "c": 2, "e": 3 }, "d": [2] }));
    }

    #[test]
    fn json_patches_follow_rfc_6902() {
        let target = json!({ "a": { "b/c": 1 }, "list": [1, 2] });
        let patch = json!([
            { "op": "test", "path": "/a/b~1c", "value": 1 },
            { "op": "replace", "path": "/a/b~1c", "value": 5 },
            { "op": "add", "path": "/list/0", "value": 0 },
            { "op": "add", "path": "/list/-", "value": 9 },
            { "op": "copy", "from": "/list/0", "path": "/a/copied" },
            { "op": "move", "from": "/list/1", "path": "/a/moved" },
            { "op": "remove", "path": "/list/0" },
        ]);
        assert_eq!(operations(&target, &patch), Ok(json!({ "a": { "b/c": 5, "copied": 0, "moved": 1 }, "list": [2, 9] })));
        for bad in [
            json!([{ "op": "test", "path": "/a", "value": 1 }]),
            json!([{ "op": "remove", "path": "/none" }]),
            json!([{ "op": "add", "path": "/list/9", "value": 1 }]),
        ] {
            assert_eq!(operations(&target, &bad).map_err(|refusal| refusal.code), Err(422), "{bad}");
        }
        assert_eq!(operations(&target, &json!({})).map_err(|refusal| refusal.code), Err(400));
    }

    #[test]
    fn strategic_patches_know_the_keys_of_lists() {
        let resource = builtin("apps", "v1", "deployments").expect("deployments");
        let pod = |containers: Json| json!({ "spec": { "template": { "spec": { "containers": containers } } } });
        let target = pod(json!([{ "name": "a", "image": "1", "args": ["x"] }, { "name": "b" }]));
        let patch = pod(json!([{ "name": "b", "$patch": "delete" }, { "name": "a", "image": "2" }, { "name": "c" }]));
        let expected = pod(json!([{ "name": "a", "image": "2", "args": ["x"] }, { "name": "c" }]));
        assert_eq!(top_strategic(&target, &patch, Shape::of(&resource)), expected);
        let finalizers = json!({ "metadata": { "finalizers": ["a", "b"], "labels": { "x": "1" } } });
        let patch = json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": ["a"], "labels": { "x": null, "y": "2" } } });
        assert_eq!(
            top_strategic(&finalizers, &patch, Shape::of(&resource)),
            json!({ "metadata": { "finalizers": ["b"], "labels": { "y": "2" } } })
        );
    }
}
