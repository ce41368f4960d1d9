//! Where what a plan wants is written: from an attribute back to locals, variables and arguments.

use crate::source::Span;
use crate::value::{Data, Value};
use std::sync::Arc;

/// Something written that a value comes from, with what that comes from in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// What it is called from the root module: `module.mesh.local.labels.team`, `var.clusters`.
    pub name: String,
    /// What it is.
    pub written: Written,
    /// Where it is written. Of a variable of the root module the block: where its value was given is known to whoever gave it.
    pub at: Span,
    /// What it comes to.
    pub value: Value,
    /// What it comes from. Empty also where another cause of the same name says it: one before, or, where a row of causes is long, one behind
    /// the whole tree.
    pub from: Vec<Self>,
}

/// What a cause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// An argument of a resource or data source, or a part of one.
    Argument,
    /// `count` or `for_each`.
    Repetition,
    /// A variable of the root module.
    Variable,
    /// A variable of a called module: what its call gives, or its default.
    Input,
    /// A local.
    Local,
    /// An output of a called module.
    Output,
    /// An attribute of a resource or data source.
    Attribute,
}

impl Cause {
    /// Visits it and all that it comes from.
    pub fn each(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        self.from.iter().for_each(|cause| cause.each(visit));
    }
}

/// The steps of a path as plans show it: names, keys, indexes, and `name=text` for the element of a list that is known by it. Nothing if
/// the text is no path.
pub fn steps(text: &str) -> Option<Vec<Arc<str>>> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let mut key = String::new();
            let mut letters = quoted.char_indices();
            let end = loop {
                match letters.next()? {
                    (at, '"') => break at,
                    (_, '\\') => key.push(letters.next()?.1),
                    (_, letter) => key.push(letter),
                }
            };
            steps.push(key.into());
            rest = quoted[end + 1..].strip_prefix(']')?;
        } else if let Some(bracket) = rest.strip_prefix('[') {
            let (step, after) = bracket.split_once(']')?;
            steps.push(step.into());
            rest = after;
        } else {
            let name = if steps.is_empty() { rest } else { rest.strip_prefix('.')? };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return None;
            }
            steps.push(name[..end].into());
            rest = &name[end..];
        }
    }
    Some(steps)
}

/// The part of a value that steps lead to, as far as it goes: null beyond.
pub(super) fn part(value: &Value, steps: &[Arc<str>]) -> Value {
    let Some((first, rest)) = steps.split_first() else { return value.clone() };
    let found = match value.data() {
        Data::Mapping(_) => value.get(first),
        Data::Sequence(_) => element(value.items(), first).map(|at| &value.items()[at]),
        Data::Instance(instance) | Data::Reference(instance) => instance.attributes.get(first),
        // What is not known is not known in its parts.
        Data::Unknown(..) | Data::Pending(_) | Data::Blocked(_) => return value.clone(),
        _ => None,
    };
    let found = found.map_or_else(Value::null, |found| part(found, rest));
    found.sensitive_if(value.is_marked_sensitive())
}

/// Which element of a list a step means: by index, by what names it, or, of a set, by itself.
pub(super) fn element(items: &[Value], step: &str) -> Option<usize> {
    if let Ok(at) = step.parse::<usize>() {
        return Some(at).filter(|at| *at < items.len());
    }
    let named = |item: &Value| {
        step.split(',').all(|part| part.split_once('=').is_some_and(|(key, text)| item.get(key).is_some_and(|value| is(value, text))))
    };
    items.iter().position(|item| is(item, step) || named(item))
}

fn is(value: &Value, text: &str) -> bool {
    value.as_str() == Some(text) || value.as_number().is_some_and(|number| number.normalize().to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_is_read_as_plans_write_it() {
        for (text, expected) in [
            ("", Some(&[] as &[&str])),
            ("labels.team", Some(&["labels", "team"])),
            ("manifest.data[\"mesh.yaml\"]", Some(&["manifest", "data", "mesh.yaml"])),
            ("a[\"q\\\"b\"][0].c", Some(&["a", "q\"b", "0", "c"])),
            ("spec.ports[port=80,protocol=TCP].x", Some(&["spec", "ports", "port=80,protocol=TCP", "x"])),
            ("a..b", None),
            ("a[", None),
            ("a[\"b]", None),
            (".a", None),
            ("a[0]b", None),
        ] {
            let steps = steps(text);
            let steps = steps.as_ref().map(|steps| steps.iter().map(|step| &**step).collect::<Vec<_>>());
            assert_eq!(steps.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_part_is_where_its_steps_lead() {
        let value = Value::from_json(&json!({"a": [{"name": "x", "v": 1}, {"name": "y", "v": 2}], "s": ["p", "q"]}));
        for (path, expected) in [
            ("a[1].v", json!(2)),
            ("a[name=x].v", json!(1)),
            ("a[name=z].v", json!(null)),
            ("s[q]", json!("q")),
            ("a[7]", json!(null)),
            ("b.c", json!(null)),
        ] {
            assert_eq!(part(&value, &steps(path).unwrap()), Value::from_json(&expected), "{path}");
        }
    }
}
