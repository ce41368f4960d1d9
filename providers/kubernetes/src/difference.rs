//! How two objects differ: dotted paths of leaves, list elements by name.

use engine::value::{Data, Number, Value, parse_number};

/// How what is desired differs from what is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Difference {
    /// Leaves that are desired and are not there, or not so; unknown ones among them.
    pub(crate) wanted: Vec<Vec<String>>,
    /// Leaves that are there and not desired.
    pub(crate) unwanted: Vec<Vec<String>>,
    /// Those of the wanted ones that are empty and not there, which servers often leave out: `""`, `[]`, `{}`, `false` and `0`; and empty
    /// texts of a `spec` that servers fill in, such as a Service's `clusterIP`.
    hollow: Vec<Vec<String>>,
}

impl Difference {
    /// All of it as dotted paths, what is under `metadata` last.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut all: Vec<&Vec<String>> = self.wanted.iter().chain(&self.unwanted).collect();
        all.sort_by_key(|path| path.first().is_some_and(|first| first == "metadata"));
        all.into_iter().map(|path| dotted(path)).collect()
    }

    /// Without what may be no difference to a server, unless that is all there is.
    pub(crate) fn telling(mut self) -> Self {
        if self.wanted.len() + self.unwanted.len() > self.hollow.len() {
            self.wanted.retain(|path| !self.hollow.contains(path));
        }
        self
    }

    /// Without what is there and not desired.
    pub(crate) fn wanted(self) -> Self {
        Self { unwanted: Vec::new(), ..self }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.unwanted.is_empty()
    }
}

/// A path as people read it: `spec.template.spec.containers.app.image`, `metadata.labels["istio.io/rev"]`.
pub(crate) fn dotted(path: &[String]) -> String {
    let steps = path.iter().enumerate().map(|(at, step)| {
        let plain = !step.is_empty() && step.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        match plain {
            false => format!("[\"{step}\"]"),
            true if step.chars().all(|c| c.is_ascii_digit()) => format!("[{step}]"),
            true if at == 0 => step.clone(),
            true => format!(".{step}"),
        }
    });
    steps.collect()
}

/// How two objects differ. Marks do not count, nor does how a quantity is written.
pub(crate) fn difference(desired: &Value, there: &Value) -> Difference {
    let mut found = Difference::default();
    walk(desired, Some(there), &mut Vec::new(), &mut found);
    found
}

fn walk(desired: &Value, there: Option<&Value>, path: &mut Vec<String>, found: &mut Difference) {
    match (desired.data(), there.map(Value::data)) {
        (Data::Mapping(_) | Data::Instance(_), there_data) if !desired.entries().is_empty() => {
            let there = there.filter(|_| matches!(there_data, Some(Data::Mapping(_))));
            for entry in desired.entries() {
                path.push(entry.key.to_string());
                walk(&entry.value, there.and_then(|there| there.get(&entry.key)), path, found);
                path.pop();
            }
            for entry in there.map(Value::entries).unwrap_or_default() {
                if desired.get(&entry.key).is_none() {
                    path.push(entry.key.to_string());
                    leaves(&entry.value, path, &mut found.unwanted);
                    path.pop();
                }
            }
        }
        (Data::Sequence(_), Some(Data::Sequence(_))) if !desired.items().is_empty() => lists(desired, there, path, found),
        (Data::Mapping(_), Some(Data::Mapping(_))) | (Data::Sequence(_), Some(Data::Sequence(_))) => {
            if let Some(there) = there.filter(|there| there.parts().next().is_some()) {
                leaves(there, path, &mut found.unwanted);
            }
        }
        _ => {
            if !there.is_some_and(|there| same(desired, there, path)) {
                let left_open = desired.as_str() == Some("") && path.first().is_some_and(|first| first == "spec");
                if left_open || (there.is_none() && is_empty(desired)) {
                    found.hollow.push(path.clone());
                }
                leaves(desired, path, &mut found.wanted);
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value.data() {
        Data::String(text) => text.is_empty(),
        Data::Bool(value) => !value,
        Data::Number(number) => number.to_string() == "0",
        Data::Sequence(_) | Data::Mapping(_) => value.parts().next().is_none(),
        _ => false,
    }
}

/// Lists: element by element, those with a name by it.
fn lists(desired: &Value, there: Option<&Value>, path: &mut Vec<String>, found: &mut Difference) {
    let (desired, there) = (desired.items(), there.map(Value::items).unwrap_or_default());
    let key = element_key(desired).filter(|key| element_key(there) == Some(*key) || there.is_empty());
    let name = |at: usize, item: &Value| key.and_then(|key| element_name(item, key)).unwrap_or_else(|| at.to_string());
    let names: Vec<String> = there.iter().enumerate().map(|(at, item)| name(at, item)).collect();
    let mut matched = Vec::new();
    for (at, item) in desired.iter().enumerate() {
        path.push(name(at, item));
        let position = names.iter().position(|known| path.last() == Some(known));
        matched.extend(position);
        walk(item, position.and_then(|position| there.get(position)), path, found);
        path.pop();
    }
    for (at, item) in there.iter().enumerate().filter(|(at, _)| !matched.contains(at)) {
        path.push(name(at, item));
        leaves(item, path, &mut found.unwanted);
        path.pop();
    }
    // Servers keep lists in the order that was applied, those that they merge by key too: pods are made anew for another order of containers.
    if key.is_some() && matched.len() == there.len() && !matched.is_sorted() {
        found.wanted.push(path.clone());
    }
}

/// What tells the elements of a list apart, the first that does.
pub(crate) const ELEMENT_KEYS: [&str; 6] = ["name", "mountPath", "containerPort", "port", "key", "ip"];

/// The key that tells the elements of a list apart, if every element has it and no two have the same.
fn element_key(items: &[Value]) -> Option<&'static str> {
    ELEMENT_KEYS.into_iter().find(|key| {
        let mut names: Vec<_> = items.iter().map(|item| element_name(item, key)).collect();
        names.sort();
        let total = names.len();
        names.dedup();
        !items.is_empty() && names.len() == total && names.iter().all(Option::is_some)
    })
}

fn element_name(item: &Value, key: &str) -> Option<String> {
    let value = item.get(key)?;
    value.as_str().map(str::to_owned).or_else(|| value.as_number().map(|number| number.to_string()))
}

fn leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    if let Data::Mapping(_) = value.data()
        && !value.entries().is_empty()
    {
        for entry in value.entries() {
            path.push(entry.key.to_string());
            leaves(&entry.value, path, found);
            path.pop();
        }
    } else {
        found.push(path.clone());
    }
}

/// Whether two leaves are the same.
fn same(desired: &Value, there: &Value, path: &[String]) -> bool {
    if !desired.is_known() {
        return false;
    }
    if desired.to_json() == there.to_json() {
        return true;
    }
    let quantity = path.iter().any(|step| QUANTITIES.contains(&step.as_str()));
    quantity && matches!((parse_quantity(desired), parse_quantity(there)), (Some(a), Some(b)) if a == b)
}

/// Fields under which numbers with units stand, which servers write in their own way.
const QUANTITIES: [&str; 8] = ["averageValue", "capacity", "hard", "limits", "requests", "sizeLimit", "storage", "value"];

/// What the letters behind a quantity's digits mean.
const UNITS: [(&str, &str); 12] = [
    ("Ki", "1024"),
    ("Mi", "1048576"),
    ("Gi", "1073741824"),
    ("Ti", "1099511627776"),
    ("n", "0.000000001"),
    ("u", "0.000001"),
    ("m", "0.001"),
    ("k", "1000"),
    ("M", "1000000"),
    ("G", "1000000000"),
    ("T", "1000000000000"),
    ("", "1"),
];

/// The number that a quantity such as `1500m`, `2Gi` or `1` means.
fn parse_quantity(value: &Value) -> Option<Number> {
    if let Some(number) = value.as_number() {
        return Some(number);
    }
    let text = value.as_str()?;
    let (digits, unit) = UNITS.iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))?;
    parse_number(digits).ok()?.checked_mul(parse_number(unit).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::value::Type;
    use serde_json::{Value as Json, json};

    fn paths(desired: &Json, there: &Json) -> Vec<String> {
        difference(&Value::from_json(desired), &Value::from_json(there)).paths()
    }

    #[test]
    fn leaves_that_differ_are_named() {
        let container = |name: &str, image: &str| json!({ "name": name, "image": image });
        let rows = [
            (json!({ "a": 1 }), json!({ "a": 1 }), vec![]),
            (json!({ "a": 1 }), json!({ "a": 2 }), vec!["a"]),
            (json!({ "a": 1 }), json!({ "a": "1" }), vec!["a"]),
            (
                json!({ "metadata": { "labels": { "istio.io/rev": "x" } }, "spec": { "a": 1 } }),
                json!({}),
                vec!["spec.a", "metadata.labels[\"istio.io/rev\"]"],
            ),
            (json!({ "a": {} }), json!({ "a": {} }), vec![]),
            (json!({ "a": {} }), json!({}), vec!["a"]),
            (json!({ "a": {} }), json!({ "a": { "b": 1 } }), vec!["a.b"]),
            (json!({}), json!({ "a": { "b": 1, "c": [1] } }), vec!["a.b", "a.c"]),
            (
                json!({ "containers": [container("a", "1"), container("b", "1")] }),
                json!({ "containers": [container("b", "2"), container("a", "1")] }),
                vec!["containers.b.image", "containers"],
            ),
            (
                json!({ "servers": [container("a", "1"), container("b", "1")] }),
                json!({ "servers": [container("b", "1"), container("a", "1")] }),
                vec!["servers"],
            ),
            (json!({ "l": [1, 2] }), json!({ "l": [1, 3] }), vec!["l[1]"]),
            (json!({ "l": [1] }), json!({ "l": [1, 3] }), vec!["l[1]"]),
            (json!({ "l": [] }), json!({ "l": [3] }), vec!["l"]),
            (json!({ "l": [1, 2] }), json!({}), vec!["l"]),
        ];
        for (desired, there, expected) in rows {
            assert_eq!(paths(&desired, &there), expected, "{desired} / {there}");
        }
    }

    #[test]
    fn what_is_empty_tells_nothing_beside_what_is_not() {
        let telling = |desired: &Json, there: &Json| difference(&Value::from_json(desired), &Value::from_json(there)).telling().paths();
        let empty = json!({ "a": [], "b": {}, "c": "", "d": false, "e": 0, "l": [{ "name": "x", "value": "" }] });
        let mut more = empty.clone();
        more["f"] = json!("x");
        assert_eq!(telling(&more, &json!({ "l": [{ "name": "x" }] })), ["f"]);
        assert_eq!(telling(&empty, &json!({ "l": [{ "name": "x" }] })).len(), 6);
        assert_eq!(telling(&json!({ "a": "" }), &json!({ "a": "x" })), ["a"]);
    }

    #[test]
    fn quantities_are_compared_by_what_they_mean() {
        let limits = |cpu: Json| json!({ "resources": { "limits": { "cpu": cpu } } });
        for (a, b, same) in [
            (json!("1000m"), json!("1"), true),
            (json!(2), json!("2"), true),
            (json!("1Gi"), json!("1024Mi"), true),
            (json!("1G"), json!("1Gi"), false),
            (json!("x"), json!("y"), false),
        ] {
            assert_eq!(paths(&limits(a.clone()), &limits(b.clone())).is_empty(), same, "{a} {b}");
        }
        assert_eq!(paths(&json!({ "cpu": "1000m" }), &json!({ "cpu": "1" })), ["cpu"]);
    }

    #[test]
    fn an_unknown_leaf_differs_and_marks_do_not() {
        let desired = Value::object([("a", Value::unknown(Type::String)), ("b", Value::string("x").sensitive())]);
        let there = Value::object([("a", Value::string("x")), ("b", Value::string("x"))]);
        assert_eq!(difference(&desired, &there).paths(), ["a"]);
    }
}
