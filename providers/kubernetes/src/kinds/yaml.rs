//! Kubernetes YAML: many documents in one text, read as `kubectl` reads them.

use crate::object_kind::Json;
use engine::schema::Problem;
use engine::value::Value;

/// An object with the place it is written at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    /// Which document of the text it stands in, from 1.
    pub(crate) document: usize,
    /// The line of the text at which that document begins, from 1.
    pub(crate) line: usize,
    /// The object.
    pub(crate) object: Value,
}

impl Written {
    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        format!("document {}, line {}", self.document, self.line)
    }
}

/// The objects that a YAML text holds, `List`s taken apart, empty documents left out. An error names document and line.
pub fn parse_yaml(text: &str) -> Result<Vec<Value>, Problem> {
    Ok(parse_documents(text)?.into_iter().map(|written| written.object).collect())
}

/// As [`parse_yaml`], each object with its place.
pub(crate) fn parse_documents(text: &str) -> Result<Vec<Written>, Problem> {
    let mut objects = Vec::new();
    for (index, Document { line, text }) in documents(text).into_iter().enumerate() {
        let mut push = |object: &Json| objects.push(Written { document: index + 1, line, object: Value::from_json(object) });
        for parsed in parse_document(&text).map_err(|fault| fault.problem(index + 1, line))? {
            match parsed {
                Json::Null => {}
                Json::Object(list) if is_list(&list) => {
                    list.get("items").and_then(Json::as_array).into_iter().flatten().for_each(&mut push);
                }
                other => push(&other),
            }
        }
    }
    Ok(objects)
}

/// What is wrong with a document, and where within.
struct Fault {
    /// Line and column within the document, from 1.
    at: Option<(u64, u64)>,
    what: String,
}

impl Fault {
    fn problem(self, document: usize, first_line: usize) -> Problem {
        let within = |(line, column)| format!("line {}, column {column}", u64::try_from(first_line).unwrap_or(1) + line - 1);
        let at = self.at.map_or_else(|| format!("line {first_line}"), within);
        Problem::new("invalid YAML", format!("document {document}, {at}: {}", self.what))
    }
}

/// One document; several only where one ends with `...`.
fn parse_document(text: &str) -> Result<Vec<Json>, Fault> {
    // The API machinery reads YAML 1.1: `defaultMode: 0644` is octal, `yes` is true.
    let options = serde_saphyr::options! { legacy_octal_numbers: true, budget: None, with_snippet: false };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let at = error.location().map(|at| (at.line(), at.column()));
        Fault { at, what: error.without_snippet().to_string().lines().next().unwrap_or_default().to_owned() }
    })
}

/// The text of a document with the line at which it begins.
struct Document {
    line: usize,
    text: String,
}

/// The documents of a text. No scalar may hold a line that begins with `---`, so that these lines are where documents begin.
fn documents(text: &str) -> Vec<Document> {
    let mut documents: Vec<Document> = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let begins = line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        match documents.last_mut() {
            // What stands before the first line of this kind is a document only if it says something; directives are of the next one.
            Some(document) if !begins || document.says_nothing() => document.text.push_str(line),
            _ => documents.push(Document { line: index + 1, text: line.to_owned() }),
        }
    }
    documents
}

impl Document {
    /// Whether it is only comments, directives and blank lines, without a beginning.
    fn says_nothing(&self) -> bool {
        self.text.lines().all(|line| line.starts_with('%') || line.trim_start().starts_with('#') || line.trim().is_empty())
    }
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
    fn an_error_names_its_document_and_line() {
        for (text, place) in [
            ("a: 1\nb: [1\nc: 2\n", "document 1, line "),
            ("a: 1\na: 2\n", "document 1, line 2, column 1: "),
            ("# head\n---\na: 1\n---\nb: 1\nc: 2\nb: 3\n", "document 2, line 7, column 1: "),
            ("---\na: 1\n---\n# nothing\n---\na: {\n", "document 3, line "),
        ] {
            let problem = parse_yaml(text).expect_err(text);
            assert_eq!(problem.summary, "invalid YAML");
            assert!(problem.detail.starts_with(place), "{}", problem.detail);
        }
    }

    #[test]
    fn objects_know_their_document_and_line() {
        let places = |text: &str| parse_documents(text).expect(text).iter().map(Written::place).collect::<Vec<_>>();
        assert_eq!(places("a: 1\n---\n# none\n--- # two\nb: |\n  ---\n  x\n"), ["document 1, line 1", "document 3, line 4"]);
        assert_eq!(places("# licence\n\n---\na: 1\n---\nb: 2\n"), ["document 1, line 1", "document 2, line 5"]);
        assert_eq!(places("%YAML 1.2\n---\na: 1\n"), ["document 1, line 1"]);
        assert_eq!(places("kind: List\nitems: [{ a: 1 }, { b: 2 }]"), ["document 1, line 1", "document 1, line 1"]);
        assert_eq!(places("a: 1\n...\n---\nb: 2\n...\n"), ["document 1, line 1", "document 2, line 3"]);
    }

    #[test]
    fn a_thousand_objects_are_not_too_many() {
        let text = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { a: b, c: d, e: f, g: h, i: j }\n".repeat(3000);
        assert_eq!(parsed(&text).len(), 3000);
    }
}
