//! Explanations as one JSON document.

use super::change::Changed;
use super::{FORMAT, Masked};
use review::explanation::{Explanation, Told, Was};
use serde_json::{Value as Json, json};

/// Why things are planned: first what was asked for, then what brings that about.
pub fn explanations(explanations: &[Explanation]) -> Json {
    let all: Vec<_> = explanations.iter().map(one).collect();
    json!({ "format": FORMAT, "meshplan": env!("CARGO_PKG_VERSION"), "explanations": all })
}

fn one(explanation: &Explanation) -> Json {
    let parts = explanation.parts.iter().map(|part| {
        let paths: Vec<_> = part.leaves.iter().map(|leaf| &leaf.path).collect();
        let paths = if paths.is_empty() { json!([part.path]) } else { json!(paths) };
        json!({ "paths": paths, "causes": part.causes.iter().map(told).collect::<Vec<_>>() })
    });
    json!({
        "change": Changed::of(&explanation.change),
        "block": explanation.block,
        "former_block": explanation.gone,
        "compared_with": explanation.compared,
        "occasions": explanation.occasions.iter().map(told).collect::<Vec<_>>(),
        "parts": parts.collect::<Vec<_>>(),
    })
}

fn told(told_here: &Told) -> Json {
    let mut members = json!({
        "name": told_here.name,
        "at": told_here.place,
        "line": told_here.line,
        "value": Masked::of(&told_here.value).json,
        "from": told_here.from.iter().map(told).collect::<Vec<_>>(),
    });
    let (was, before) = match &told_here.was {
        Was::Unasked => (None, None),
        Was::Same => (Some("same"), None),
        Was::Missing => (Some("missing"), None),
        Was::Other(before) => (Some("other"), Some(before)),
    };
    if let Json::Object(members) = &mut members {
        members.extend(was.map(|was| ("was".to_owned(), json!(was))));
        members.extend(before.map(|before| ("before".to_owned(), Masked::of(before).json)));
    }
    members
}
