//! `ignore_changes` for objects: what of an ignored part is there and ours is applied again as it is, and what somebody else took over is
//! left to them.

use crate::import::with_text;
use crate::object_kind::ObjectKind;
use engine::schema::{Ignored, replaced};
use engine::value::Value;

/// The arguments with what is there in the place of ignored parts. What the record keeps as fingerprints stays as configured where nobody
/// looked.
pub(crate) fn ignoring(kind: &dyn ObjectKind, asked: Ignored<'_>) -> Value {
    let owned = asked.observed.and_then(|observed| observed.get("object")).map(with_text);
    asked.paths.iter().fold(asked.arguments.clone(), |arguments, path| {
        let Some((head, rest)) = path.split_first() else { return arguments };
        let within = kind.imported().unwrap_or_default().iter().find(|(argument, _)| **argument == **head).map(|(_, within)| *within);
        if let (Some(owned), Some(within)) = (&owned, within.filter(|_| asked.arguments.present(head).is_some())) {
            let there = within.iter().copied().chain(rest.iter().map(|step| &**step)).try_fold(owned, step_into);
            return replaced(&arguments, path, there);
        }
        let remembered = path.iter().try_fold(&asked.prior.attributes, |at, step| step_into(at, step));
        if remembered.is_some_and(holds_fingerprint) { arguments } else { replaced(&arguments, path, remembered) }
    })
}

fn step_into<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match step.parse::<usize>() {
        Ok(index) if !value.items().is_empty() => value.items().get(index),
        _ => value.get(step),
    }
}

fn holds_fingerprint(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("hmac-sha256:")) || value.parts().any(holds_fingerprint)
}
