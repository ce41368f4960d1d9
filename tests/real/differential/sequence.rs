//! What is asked of both servers.

use meshplan_tests::apiserver::{Answer, Api};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Requests that follow each other, in a namespace of their own, which is `${ns}` in paths and bodies. `${2/metadata/uid}` is what the
/// second answer has at that pointer, `${first/…}` and `${last/…}` that of the first and the last answer so far that is an object,
/// `${first-list/…}` and `${last-list/…}` that of those that are lists.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    /// What it is about; made of small letters, digits and `-`, as it is the namespace's name too.
    pub(super) name: String,
    /// The real server that it is asked.
    pub(super) server: Server,
    /// Whether the sandbox's imitated controllers write into what it is about: that is left out.
    pub(super) imitated: bool,
    /// The requests.
    pub(super) steps: Vec<Step>,
}

/// A real server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    /// One beside which nothing runs.
    Alone,
    /// One with controllers.
    Controlled,
    /// One that forgets what was, beside which nothing runs.
    Forgetful,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Step {
    method: &'static str,
    path: String,
    content: &'static str,
    body: String,
    until: Option<Until>,
    seen: Seen,
}

/// What stands for a method where nothing is asked.
const FORGET: &str = "FORGET";

/// Whether an answer is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Compared,
    Passed,
}

/// What is waited for.
#[derive(Debug, Clone)]
enum Until {
    Code(u16),
    There(&'static str),
    Condition(&'static str),
    Settled,
}

/// A sequence that no controller has a part in.
pub(super) fn sequence(name: &str, steps: Vec<Step>) -> Sequence {
    Sequence { name: name.to_owned(), server: Server::Alone, imitated: false, steps }
}

/// A sequence that controllers have a part in.
pub(super) fn controlled(name: &str, steps: Vec<Step>) -> Sequence {
    Sequence { server: Server::Controlled, ..sequence(name, steps) }
}

/// A sequence in which the servers forget what was.
pub(super) fn forgetful(name: &str, steps: Vec<Step>) -> Sequence {
    Sequence { server: Server::Forgetful, ..sequence(name, steps) }
}

/// A path below that of the namespace, `configmaps/a` or `apps/v1:deployments/a`, as a path; one that begins with `/` as it is.
fn full(path: &str) -> String {
    match path.split_once(':') {
        _ if path.starts_with('/') => path.to_owned(),
        Some((version, rest)) if version.contains('/') && !version.contains('?') => format!("/apis/{version}/namespaces/${{ns}}/{rest}"),
        _ => format!("/api/v1/namespaces/${{ns}}/{path}"),
    }
}

fn step(method: &'static str, path: &str, content: &'static str, body: &Value) -> Step {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Step { method, path: full(path), content, body, until: None, seen: Seen::Compared }
}

/// Reads an object or a list.
pub(super) fn get(path: &str) -> Step {
    step("GET", path, "application/json", &Value::Null)
}

/// Lets the server forget all versions but the last ones, as it does after some minutes or many changes.
pub(super) fn forget() -> Step {
    Step { method: FORGET, ..get("") }.passed()
}

/// Creates an object in a collection.
pub(super) fn create(path: &str, object: &Value) -> Step {
    step("POST", path, "application/json", object)
}

/// Replaces an object.
pub(super) fn replace(path: &str, object: &Value) -> Step {
    step("PUT", path, "application/json", object)
}

/// Deletes an object or a collection.
pub(super) fn delete(path: &str) -> Step {
    step("DELETE", path, "application/json", &Value::Null)
}

/// Deletes with options.
pub(super) fn delete_with(path: &str, options: &Value) -> Step {
    step("DELETE", path, "application/json", options)
}

/// Applies by a manager, without force.
pub(super) fn apply(path: &str, manager: &str, object: &Value) -> Step {
    step("PATCH", &with_query(path, &format!("fieldManager={manager}")), "application/apply-patch+yaml", object)
}

/// Applies by a manager, by force.
pub(super) fn force(path: &str, manager: &str, object: &Value) -> Step {
    step("PATCH", &with_query(path, &format!("fieldManager={manager}&force=true")), "application/apply-patch+yaml", object)
}

/// Patches as JSON merge patch does.
pub(super) fn merge(path: &str, changes: &Value) -> Step {
    step("PATCH", path, "application/merge-patch+json", changes)
}

/// Patches as JSON patch does.
pub(super) fn operations(path: &str, changes: &Value) -> Step {
    step("PATCH", path, "application/json-patch+json", changes)
}

/// Patches as a strategic merge patch does.
pub(super) fn strategic(path: &str, changes: &Value) -> Step {
    step("PATCH", path, "application/strategic-merge-patch+json", changes)
}

/// Any other request, with a body as it is written.
pub(super) fn raw(method: &'static str, path: &str, content: &'static str, body: &str) -> Step {
    Step { method, path: full(path), content, body: body.to_owned(), until: None, seen: Seen::Compared }
}

fn with_query(path: &str, query: &str) -> String {
    format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' })
}

impl Step {
    /// Asks again until this code is answered, for at most half a minute.
    pub(super) fn until(mut self, code: u16) -> Self {
        self.until = Some(Until::Code(code));
        self
    }

    /// Asks again until something is at this pointer of the answer, for at most half a minute.
    pub(super) fn until_there(mut self, pointer: &'static str) -> Self {
        self.until = Some(Until::There(pointer));
        self
    }

    /// Asks again until a condition holds, for at most half a minute.
    pub(super) fn until_condition(mut self, ty: &'static str) -> Self {
        self.until = Some(Until::Condition(ty));
        self
    }

    /// Asks again until others than those who ask have done their part, for at most half a minute.
    pub(super) fn until_settled(mut self) -> Self {
        self.until = Some(Until::Settled);
        self
    }

    /// Whether it changes nothing.
    pub(super) fn only_reads(&self) -> bool {
        self.method == "GET"
    }

    /// Only waits: what is there by then others are still writing.
    pub(super) fn passed(mut self) -> Self {
        self.seen = Seen::Passed;
        self
    }

    /// Whether the answer is compared.
    pub(super) fn is_compared(&self) -> bool {
        self.seen == Seen::Compared
    }

    /// Whether an answer is the one that is waited for. A server that has no time for kinds that were defined just now has not answered.
    fn is_final(&self, answer: &Answer) -> bool {
        answer.code != 429
            && match self.until {
                None => true,
                Some(Until::Code(code)) => answer.code == code,
                Some(Until::Settled) => is_settled(&answer.body),
                Some(Until::There(pointer)) => answer.body.pointer(pointer).is_some(),
                Some(Until::Condition(ty)) => {
                    let conditions = answer.body["status"]["conditions"].as_array();
                    conditions.is_some_and(|all| all.iter().any(|one| one["type"] == ty && one["status"] == "True"))
                }
            }
    }

    /// The same with a part less in its body, for each part.
    pub(super) fn reduced(&self) -> Vec<Self> {
        let Ok(body) = serde_json::from_str::<Value>(&self.body) else { return Vec::new() };
        let mut all = Vec::new();
        without_one(&body, &mut |less| all.push(Self { body: less.to_string(), ..self.clone() }));
        all
    }

    /// It as it stands in the table.
    pub(super) fn row(&self) -> String {
        format!("raw({:?}, {:?}, {:?}, r#\"{}\"#),", self.method, self.path, self.content, self.body)
    }

    /// What it is, in a line.
    pub(super) fn title(&self) -> String {
        let content = self.content.trim_start_matches("application/").trim_end_matches("+json").trim_end_matches("+yaml");
        let content = if content == "json" { String::new() } else { format!(" ({content})") };
        format!("{} {}{content}", self.method, self.path)
    }
}

/// Whether nobody will write into an object by himself: a namespace is there or gone, a definition served as it says, or held by others.
fn is_settled(object: &Value) -> bool {
    let goes = object["metadata"]["deletionTimestamp"].is_string();
    let status = &object["status"];
    match object["kind"].as_str() {
        Some("Namespace") => !goes,
        Some("CustomResourceDefinition") if goes => {
            let finalizers = object["metadata"]["finalizers"].as_array();
            finalizers.is_none_or(|all| !all.iter().any(|one| one == "customresourcecleanup.apiextensions.k8s.io"))
        }
        Some("CustomResourceDefinition") => {
            let names = &object["spec"]["names"];
            let is = |ty: &str| {
                status["conditions"].as_array().is_some_and(|all| all.iter().any(|one| one["type"] == ty && one["status"] == "True"))
            };
            is("NamesAccepted") && is("Established") && status["acceptedNames"] == *names
        }
        _ => true,
    }
}

/// Each value that has one field or item less than this one; what names things stays.
fn without_one(value: &Value, found: &mut dyn FnMut(Value)) {
    match value {
        Value::Object(fields) => {
            for (name, below) in fields {
                if !["apiVersion", "kind", "metadata", "name", "op", "path"].contains(&name.as_str()) {
                    let mut less = fields.clone();
                    less.remove(name);
                    found(Value::Object(less));
                }
                without_one(below, &mut |below| {
                    let mut changed = fields.clone();
                    changed.insert(name.clone(), below);
                    found(Value::Object(changed));
                });
            }
        }
        Value::Array(items) => {
            for (at, below) in items.iter().enumerate() {
                let mut less = items.clone();
                less.remove(at);
                found(Value::Array(less));
                without_one(below, &mut |below| {
                    let mut changed = items.clone();
                    changed[at] = below;
                    found(Value::Array(changed));
                });
            }
        }
        _ => {}
    }
}

/// What a server answers to each step: its code and body, those of a watch as a list. `forget` lets it forget.
pub(super) fn answers(api: &Api, forget: &dyn Fn(), sequence: &Sequence) -> Vec<Value> {
    prepare(api, &sequence.name);
    let mut answers = Vec::new();
    for step in &sequence.steps {
        if step.method == FORGET {
            forget();
            answers.push(Value::Null);
            continue;
        }
        let path = filled(&step.path, &sequence.name, &answers);
        let body = filled(&step.body, &sequence.name, &answers);
        let deadline = Instant::now() + Duration::from_secs(30);
        let answer = loop {
            let answer = api.send(step.method, &path, step.content, body.clone());
            if step.is_final(&answer) || Instant::now() > deadline {
                break answer;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        if !step.only_reads() {
            catch_up(api, step, &path, &answer);
        }
        answers.push(told(answer));
    }
    answers
}

/// Waits until a server has at hand what it has written. A write begins with what is at hand, where emptied metadata is not told from none, or
/// on a busy machine with what is stored, where it is: only one of the two is then stored once more.
fn catch_up(api: &Api, step: &Step, path: &str, answer: &Answer) {
    let metadata = &answer.body["metadata"];
    let (Some(version), Some(name)) = (metadata["resourceVersion"].as_str(), metadata["name"].as_str()) else { return };
    let path = path.split('?').next().unwrap_or_default();
    let object = match step.method {
        "POST" => format!("{path}/{name}"),
        _ => ["/status", "/scale", "/finalize"].iter().find_map(|part| path.strip_suffix(part)).unwrap_or(path).to_owned(),
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    // It waits for some seconds itself, and then says that it is not there yet.
    while api.call("GET", &format!("{object}?resourceVersion={version}"), None).code == 504 && Instant::now() < deadline {}
}

/// The namespace, and what is in one that a controller saw.
fn prepare(api: &Api, namespace: &str) {
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
    api.call("POST", "/api/v1/namespaces", Some(&object)).done();
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } });
    let made = api.call("POST", &format!("/api/v1/namespaces/{namespace}/serviceaccounts"), Some(&account));
    assert!(made.code.is_success() || made.code == 409, "{made:?}");
}

fn told(answer: Answer) -> Value {
    let body = match answer.body {
        Value::String(lines) => {
            let events: Result<Vec<Value>, _> = lines.lines().map(serde_json::from_str).collect();
            // When a server tells how far it is, it alone knows; that it has told everything there was is an answer.
            let passing = |event: &Value| event["type"] == "BOOKMARK" && event["object"]["metadata"]["annotations"].is_null();
            events.map_or(Value::String(lines), |events| events.into_iter().filter(|event| !passing(event)).collect())
        }
        other => other,
    };
    json!({ "code": answer.code.as_u16(), "body": body })
}

/// The answer that a word or a number stands for.
fn meant<'a>(word: &str, answers: &'a [Value]) -> Option<&'a Value> {
    let mut objects = answers.iter().filter(|answer| answer["body"]["metadata"]["uid"].is_string());
    let mut lists = answers.iter().filter(|answer| answer["body"]["items"].is_array());
    match word {
        "first" => objects.next(),
        "last" => objects.next_back(),
        "first-list" => lists.next(),
        "last-list" => lists.next_back(),
        number => answers.get(number.parse::<usize>().unwrap() - 1),
    }
}

/// A text with what stands for something else replaced.
fn filled(text: &str, namespace: &str, answers: &[Value]) -> String {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (what, rest) = part.split_once('}').unwrap();
        if what == "ns" {
            filled.push_str(namespace);
        } else {
            let (step, pointer) = what.split_once('/').unwrap();
            let found = meant(step, answers).and_then(|answer| answer["body"].pointer(&format!("/{pointer}")));
            // What is not there is a version of long ago, the first page, or something that nothing is.
            let otherwise = match pointer.rsplit('/').next() {
                Some("resourceVersion") => "1",
                Some("continue") => "",
                _ => "missing",
            };
            filled.push_str(found.and_then(Value::as_str).unwrap_or(otherwise));
        }
        filled.push_str(rest);
    }
    filled
}

#[test]
fn paths_and_bodies_are_filled_in() {
    for (path, expected) in [
        ("configmaps/a", "/api/v1/namespaces/${ns}/configmaps/a"),
        ("configmaps?fieldSelector=a:b", "/api/v1/namespaces/${ns}/configmaps?fieldSelector=a:b"),
        ("apps/v1:deployments/a", "/apis/apps/v1/namespaces/${ns}/deployments/a"),
        ("/version", "/version"),
    ] {
        assert_eq!(full(path), expected);
    }
    let answers = ["1-2", "3-4"].map(|uid| json!({ "code": 200, "body": { "metadata": { "uid": uid } } }));
    assert_eq!(filled("a/${ns}/${1/metadata/uid}?${1/none}", "n", &answers), "a/n/1-2?missing");
    assert_eq!(filled("${first/metadata/uid} ${last/metadata/uid} ${last-list/items}", "n", &answers), "1-2 3-4 missing");
}
