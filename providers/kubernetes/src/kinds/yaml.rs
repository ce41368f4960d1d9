//! Kubernetes YAML: many documents in one text, read as `kubectl` reads them.

use crate::object_kind::Json;
use engine::schema::Problem;
use engine::value::Value;

/// The objects that a YAML text holds, `List`s taken apart, empty documents left out. An error names the line.
pub fn parse_yaml(text: &str) -> Result<Vec<Value>, Problem> {
    // The API machinery reads YAML 1.1: `defaultMode: 0644` is octal, `yes` is true.
    let options = serde_saphyr::options! { legacy_octal_numbers: true, budget: None, with_snippet: false };
    let documents: Vec<Json> = serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let at = error.location().map(|at| format!("line {}, column {}: ", at.line(), at.column())).unwrap_or_default();
        let what = error.without_snippet().to_string();
        Problem::new("invalid YAML", format!("{at}{}", what.lines().next().unwrap_or_default()))
    })?;
    let mut objects = Vec::new();
    for document in documents {
        match document {
            Json::Null => {}
            Json::Object(mut list) if is_list(&list) => {
                let items = list.remove("items").and_then(|items| if let Json::Array(items) = items { Some(items) } else { None });
                objects.extend(items.unwrap_or_default());
            }
            other => objects.push(other),
        }
    }
    Ok(objects.iter().map(Value::from_json).collect())
}

fn is_list(object: &serde_json::Map<String, Json>) -> bool {
    let kind = object.get("kind").and_then(Json::as_str);
    object.get("items").is_some_and(Json::is_array) && kind.is_some_and(|kind| kind.ends_with("List"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(text: &str) -> Vec<Json> {
        parse_yaml(text).expect("YAML").iter().map(|object| object.to_json().expect("known")).collect()
    }

    #[test]
    fn documents_and_lists_become_objects() {
        assert_eq!(parsed("# nothing\n---\na: 1\n---\n---\nb: yes\n"), [json!({ "a": 1 }), json!({ "b": true })]);
        assert_eq!(parsed("kind: List\nitems: [{ a: 1 }, { b: 2 }]\n"), [json!({ "a": 1 }), json!({ "b": 2 })]);
        assert_eq!(parsed("kind: PriorityList\nspec: {}\n"), [json!({ "kind": "PriorityList", "spec": {} })]);
        assert!(parsed("").is_empty());
    }

    #[test]
    fn numbers_and_text_are_read_as_kubectl_reads_them() {
        assert_eq!(
            parsed("mode: 0644\nport: '80'\nbig: 9007199254740993\nversion: 1.10.1\nempty:\n"),
            [json!({ "mode": 420, "port": "80", "big": 9_007_199_254_740_993_u64, "version": "1.10.1", "empty": null })]
        );
    }

    #[test]
    fn an_error_names_its_line() {
        let problem = parse_yaml("a: 1\nb: [1\nc: 2\n").expect_err("an error");
        assert_eq!(problem.summary, "invalid YAML");
        assert!(problem.detail.starts_with("line "), "{}", problem.detail);
        let twice = parse_yaml("a: 1\na: 2\n").expect_err("an error");
        assert!(twice.detail.starts_with("line 2"), "{}", twice.detail);
    }

    #[test]
    fn a_thousand_objects_are_not_too_many() {
        let text = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { a: b, c: d, e: f, g: h, i: j }\n".repeat(3000);
        assert_eq!(parsed(&text).len(), 3000);
    }
}
