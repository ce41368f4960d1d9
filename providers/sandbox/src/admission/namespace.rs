//! What holds a namespace until it is empty.

use crate::object::{Json, at, items, remove, set};

/// The finalizer that every namespace has.
const OWN: &str = "kubernetes";

/// Gives a new namespace its finalizer.
pub(super) fn hold(object: &mut Json) {
    let mut held = items(object, &["spec", "finalizers"]).to_vec();
    if !held.iter().any(|finalizer| finalizer == OWN) {
        held.push(OWN.into());
    }
    set(object, &["spec", "finalizers"], held);
}

/// Keeps what holds it: only a call that is made for that takes it away.
pub(super) fn keep(live: &Json, object: &mut Json) {
    match at(live, &["spec", "finalizers"]) {
        Some(held) => set(object, &["spec", "finalizers"], held.clone()),
        None => drop(remove(object, &["spec", "finalizers"])),
    }
}

/// Refuses finalizers that nobody could know.
pub(super) fn finalizers(object: &Json, causes: &mut Vec<(String, String)>) {
    for finalizer in items(object, &["spec", "finalizers"]).iter().filter_map(Json::as_str) {
        if finalizer != OWN && !finalizer.contains('/') {
            let why = format!("Invalid value: {finalizer:?}: name is neither a standard finalizer name nor is it fully qualified");
            causes.push(("spec.finalizers".to_owned(), why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_namespace_is_held_by_its_own_finalizer_whatever_is_written() {
        for (given, expected, refused) in [
            (json!({}), json!(["kubernetes"]), 0),
            (json!({ "spec": { "finalizers": ["kubernetes"] } }), json!(["kubernetes"]), 0),
            (json!({ "spec": { "finalizers": ["a.io/b"] } }), json!(["a.io/b", "kubernetes"]), 0),
            (json!({ "spec": { "finalizers": ["plain"] } }), json!(["plain", "kubernetes"]), 1),
        ] {
            let mut made = given.clone();
            hold(&mut made);
            assert_eq!(made["spec"]["finalizers"], expected);
            let mut causes = Vec::new();
            finalizers(&made, &mut causes);
            assert_eq!(causes.len(), refused, "{given}");
            let mut changed = json!({ "spec": null });
            keep(&made, &mut changed);
            assert_eq!(changed["spec"], made["spec"]);
        }
    }
}
