//! Which objects of a list are meant.

use super::call::Call;
use crate::object::{Json, at};
use crate::refusal::Refusal;
use crate::resource::Resource;

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
    pub(crate) fn of(resource: &Resource, call: &Call) -> Result<Self, Refusal> {
        let labels = conditions(call.query("labelSelector").unwrap_or_default())?;
        let text = call.query("fieldSelector").unwrap_or_default();
        let mut fields = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let condition = condition(part).ok().filter(|condition| matches!(condition, Condition::In(..) | Condition::NotIn(..)));
            let why = || Refusal::bad_request(format!("invalid selector: '{text}'; can't understand '{part}'"));
            fields.push(condition.ok_or_else(why)?);
        }
        for Condition::In(field, _) | Condition::NotIn(field, _) | Condition::Exists(field) | Condition::Missing(field) in &fields {
            selectable(resource, field)?;
        }
        Ok(Self { labels, fields })
    }

    /// Whether no condition is stated.
    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
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
        conditions.push(condition(one.trim()).map_err(|why| Refusal::bad_request(format!("unable to parse requirement: {why}")))?);
        rest = after.trim();
    }
    Ok(conditions)
}

/// One condition; an error says what is wrong with it.
fn condition(text: &str) -> Result<Condition, String> {
    let text = text.trim();
    for (operator, holds) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, value)) = text.split_once(operator).filter(|(key, _)| !key.is_empty()) {
            return Ok(either(word(key)?, vec![value.trim().to_owned()], holds));
        }
    }
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Condition::Missing(word(key)?));
    }
    let Some((key, rest)) = text.split_once(char::is_whitespace) else { return Ok(Condition::Exists(word(text)?)) };
    let (operator, values) = rest.trim().split_once([' ', '(']).unwrap_or((rest.trim(), ""));
    let holds = match operator {
        "in" => true,
        "notin" => false,
        other => return Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
    };
    let values = values.trim().trim_start_matches('(');
    let values = values.strip_suffix(')').ok_or_else(|| format!("found '{values}', expected: '('"))?;
    Ok(either(word(key)?, values.split(',').map(|value| value.trim().to_owned()).collect(), holds))
}

fn either(key: String, values: Vec<String>, holds: bool) -> Condition {
    if holds { Condition::In(key, values) } else { Condition::NotIn(key, values) }
}

fn word(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().next() {
        None => Err("found '', expected: identifier".to_owned()),
        Some(wrong) if !wrong.is_ascii_alphanumeric() => Err(format!("found '{wrong}', expected: identifier")),
        Some(_) => Ok(text.to_owned()),
    }
}

/// Refuses fields that no list of the kind is selected by.
fn selectable(resource: &Resource, field: &str) -> Result<(), Refusal> {
    let own: &[&str] = match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "Secret") => &["type"],
        ("", "Namespace") => &["status.phase"],
        ("", "Node") => &["spec.unschedulable"],
        ("", "Service") => &["spec.clusterIP", "spec.type"],
        ("", "Pod") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        ("apps", "ReplicaSet") => &["status.replicas"],
        ("batch", "Job") => &["status.successful"],
        ("" | "events.k8s.io", "Event") => {
            &["involvedObject", "regarding", "reason", "reportingComponent", "reportingController", "source", "type"]
        }
        _ => &[],
    };
    let known = |own: &str| field == own || field.strip_prefix(own).is_some_and(|rest| rest.starts_with('.'));
    if ["metadata.name", "metadata.namespace"].contains(&field) || own.iter().any(|own| known(own)) {
        return Ok(());
    }
    Err(Refusal::bad_request(if own.is_empty() {
        format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    } else {
        format!("field label not supported: {field}")
    }))
}

#[cfg(test)]
mod tests {
    use super::super::call::tests::call;
    use super::*;
    use crate::resource::builtin;
    use serde_json::json;

    fn selects(query: &str) -> Result<bool, u16> {
        let object = json!({ "metadata": { "name": "n", "labels": { "istio/multiCluster": "true", "app": "web" } }, "type": "Opaque", "spec": { "n": 1 } });
        let secrets = builtin("", "v1", "secrets").expect("secrets");
        let selector = Selector::of(&secrets, &call("GET", &format!("/?{query}"), "")).map_err(|refusal| refusal.code)?;
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
            ("labelSelector=app+in(web)", Ok(true)),
            ("labelSelector=!!app", Err(400)),
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
            ("fieldSelector=spec.n=1", Err(400)),
            ("fieldSelector=metadata.name=n,metadata.namespace=", Ok(true)),
            ("fieldSelector=metadata.name", Err(400)),
        ] {
            assert_eq!(selects(query), expected, "{query}");
        }
    }
}
