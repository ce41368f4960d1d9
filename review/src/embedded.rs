//! Structure within text: JSON, YAML of one or several documents, certificates.

use crate::definitions::Definitions;
use crate::difference::{Difference, What};
use crate::pem;
use engine::value::Value;

/// What differs by structure, if both texts have the same one and it differs: a comment may be all that changed.
pub(crate) fn compare(definitions: &Definitions, before: &str, after: &str) -> Option<What> {
    if let Some((language, found)) = pem::compare(before, after) {
        return Some(What::Within(language, found));
    }
    let (language, before, after) = match (json(before), json(after)) {
        (Some(before), Some(after)) => ("json", before, after),
        _ => ("yaml", yaml(before)?, yaml(after)?),
    };
    let difference = match (<[Value; 1]>::try_from(before), <[Value; 1]>::try_from(after)) {
        (Ok([before]), Ok([after])) => Difference::of(definitions, &before, &after),
        (before, after) => {
            let all = |side: Result<[Value; 1], Vec<Value>>| named(side.map_or_else(|all| all, Vec::from));
            let (before, after) = (all(before), all(after));
            Difference::of(definitions, &before, &after)
        }
    };
    (!difference.leaves.is_empty()).then_some(What::Within(language, difference))
}

fn json(text: &str) -> Option<Vec<Value>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let json = serde_json::from_str::<serde_json::Value>(text).ok()?;
    (json.is_object() || json.is_array()).then(|| vec![Value::from_json(&json)])
}

/// The documents of a text of several lines that all have structure.
fn yaml(text: &str) -> Option<Vec<Value>> {
    if !text.contains('\n') {
        return None;
    }
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let documents = serde_saphyr::from_multiple_with_options::<serde_json::Value>(text, options).ok()?;
    let structured = |document: &serde_json::Value| document.is_object() || document.is_array();
    (!documents.is_empty() && documents.iter().all(structured)).then(|| documents.iter().map(Value::from_json).collect())
}

/// Several documents as one value: objects of Kubernetes by their names, as far as all are, others in their order.
fn named(documents: Vec<Value>) -> Value {
    let name = |document: &Value| {
        let metadata = document.present("metadata")?;
        let parts = [document.text("kind"), metadata.text("namespace"), metadata.text("name")];
        document.text("kind").and(metadata.text("name"))?;
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
    };
    let names: Option<Vec<String>> = documents.iter().map(name).collect();
    let mut distinct = names.clone().unwrap_or_default();
    distinct.sort_unstable();
    distinct.dedup();
    match names {
        Some(names) if distinct.len() == names.len() => Value::object(names.into_iter().zip(documents)),
        _ => Value::tuple(documents),
    }
}

#[cfg(test)]
mod tests {
    use super::super::difference::tests::lines;
    use super::*;

    fn check(before: &str, after: &str, expected: &str) {
        let object = |text: &str| Value::object([("t", Value::string(text))]);
        assert_eq!(lines(&Difference::between(&object(before), &object(after))), [expected]);
    }

    #[test]
    fn yaml_and_json_are_compared_by_structure() {
        check("a: 1\nb: x\n", "b: y\na: 1\n", "~ t (yaml) ~ b \"x\" -> \"y\"");
        check("{\"a\":\n1}", "{\"a\": 2}\n", "~ t (json) ~ a 1 -> 2");
        check("{\"a\":1}", "{\"a\":2}", "~ t (json) ~ a 1 -> 2");
        check("a: 1", "a: 2", "~ t \"a: 1\" -> \"a: 2\"");
        check("a:\n  b: '{\"c\":1}'\n", "a:\n  b: '{\"c\":2}'\n", "~ t (yaml) ~ a.b (json) ~ c 1 -> 2");
        check("mesh: |\n  a: 1\n  b: 2\n", "mesh: |\n  a: 1\n  b: 3\n", "~ t (yaml) ~ mesh (yaml) ~ b 2 -> 3");
    }

    #[test]
    fn documents_are_matched_by_what_they_are_about() {
        let object = |name: &str, value: u32| format!("kind: A\nmetadata:\n  name: {name}\nv: {value}\n");
        let before = format!("{}---\n{}", object("a", 1), object("b", 1));
        let after = format!("{}---\n{}", object("b", 1), object("a", 2));
        check(&before, &after, "~ t (yaml) ~ [\"A a\"].v 1 -> 2");
        check("a: 1\n---\nb: 1\n", "a: 1\n---\nb: 2\n", "~ t (yaml) ~ [1].b 1 -> 2");
        check("a: 1\n", "a: 1\n---\nb: 2\n", "~ t (yaml) + [1] { b = 2 }");
    }
}
