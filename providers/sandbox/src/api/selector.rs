//! Which objects of a list are meant.

use super::call::Call;
use crate::object::{Json, at};
use crate::refusal::Refusal;

/// Conditions on labels and fields, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Selector {
    labels: Vec<Condition>,
    fields: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Selector {
    /// The conditions that a call states.
    pub(crate) fn of(call: &Call) -> Result<Self, Refusal> {
        let labels = conditions(call.query("labelSelector").unwrap_or_default())?;
        let fields = conditions(call.query("fieldSelector").unwrap_or_default())?;
        if let Some(Condition::Exists(field) | Condition::Missing(field)) =
            fields.iter().find(|condition| matches!(condition, Condition::Exists(_) | Condition::Missing(_)))
        {
            return Err(Refusal::bad_request(format!("invalid selector: {field:?}; can't understand it")));
        }
        Ok(Self { labels, fields })
    }

    /// Whether an object is meant.
    pub(crate) fn selects(&self, object: &Json) -> bool {
        let label = |key: &str| at(object, &["metadata", "labels", key])?.as_str().map(str::to_owned);
        let field = |path: &str| {
            let value = at(object, &path.split('.').collect::<Vec<_>>());
            Some(match value {
                None | Some(Json::Null) => String::new(),
                Some(Json::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            })
        };
        self.labels.iter().all(|condition| condition.holds(label)) && self.fields.iter().all(|condition| condition.holds(field))
    }
}

impl Condition {
    fn holds(&self, value: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::In(key, values) => value(key).is_some_and(|value| values.contains(&value)),
            Self::NotIn(key, values) => value(key).is_none_or(|value| !values.contains(&value)),
            Self::Exists(key) => value(key).is_some(),
            Self::Missing(key) => value(key).is_none(),
        }
    }
}

/// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
fn conditions(text: &str) -> Result<Vec<Condition>, Refusal> {
    let mut conditions = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut depth = 0;
        let end = rest.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            c == ',' && depth == 0
        });
        let (one, after) = end.map_or((rest, ""), |end| (&rest[..end], &rest[end + 1..]));
        conditions
            .push(condition(one.trim()).ok_or_else(|| Refusal::bad_request(format!("unable to parse requirement: {:?}", one.trim())))?);
        rest = after.trim();
    }
    Ok(conditions)
}

fn condition(text: &str) -> Option<Condition> {
    let word = |text: &str| Some(text.trim().to_owned()).filter(|word| !word.is_empty() && !word.contains(char::is_whitespace));
    for (operator, holds) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, value)) = text.split_once(operator) {
            let (key, values) = (word(key)?, vec![value.trim().to_owned()]);
            return Some(if holds { Condition::In(key, values) } else { Condition::NotIn(key, values) });
        }
    }
    for (operator, holds) in [(" notin ", false), (" in ", true)] {
        if let Some((key, values)) = text.split_once(operator) {
            let values = values.trim().strip_prefix('(')?.strip_suffix(')')?.split(',').map(|value| value.trim().to_owned()).collect();
            let key = word(key)?;
            return Some(if holds { Condition::In(key, values) } else { Condition::NotIn(key, values) });
        }
    }
    match text.strip_prefix('!') {
        Some(key) => Some(Condition::Missing(word(key)?)),
        None => Some(Condition::Exists(word(text)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::tests::call;
    use super::*;
    use serde_json::json;

    fn selects(query: &str) -> Result<bool, u16> {
        let object = json!({ "metadata": { "name": "n", "labels": { "istio/multiCluster": "true", "app": "web" } }, "type": "Opaque", "spec": { "n": 1 } });
        let selector = Selector::of(&call("GET", &format!("/?{query}"), "")).map_err(|refusal| refusal.code)?;
        Ok(selector.selects(&object))
    }

    #[test]
    fn labels_select() {
        for (query, expected) in [
            ("", Ok(true)),
            ("labelSelector=istio/multiCluster=true", Ok(true)),
            ("labelSelector=istio/multiCluster%3D%3Dfalse", Ok(false)),
            ("labelSelector=app!=web", Ok(false)),
            ("labelSelector=other!=web", Ok(true)),
            ("labelSelector=app+in+(api,web),istio/multiCluster", Ok(true)),
            ("labelSelector=app+notin+(api,web)", Ok(false)),
            ("labelSelector=!app", Ok(false)),
            ("labelSelector=!other", Ok(true)),
            ("labelSelector=app+is+web", Err(400)),
            ("labelSelector=app+in+web", Err(400)),
        ] {
            assert_eq!(selects(query), expected, "{query}");
        }
    }

    #[test]
    fn fields_select() {
        for (query, expected) in [
            ("fieldSelector=metadata.name=n", Ok(true)),
            ("fieldSelector=metadata.name=m", Ok(false)),
            ("fieldSelector=type!=Opaque", Ok(false)),
            ("fieldSelector=spec.n=1,spec.none=", Ok(true)),
            ("fieldSelector=metadata.name", Err(400)),
        ] {
            assert_eq!(selects(query), expected, "{query}");
        }
    }
}
