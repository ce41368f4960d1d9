//! The pure half of `host_file`.

use engine::schema::{Attribute, Claim, Comparison, Drift, Kind, Planned, Preview, Problem, Schema};
use engine::state::{Operation, Status};
use engine::value::{Type, Value, hex, keyed_fingerprint};
use sha2::{Digest as _, Sha256};

/// `on_exists` where what is there is kept beside and put back.
pub(super) const REPLACE: &str = "replace";

/// The attributes that hold the text.
const TEXTS: [&str; 2] = ["content", "sensitive_content"];

/// `host_file`.
pub(super) struct FileKind {
    schema: Schema,
}

impl Default for FileKind {
    fn default() -> Self {
        let doc = "A file on the machine that meshplan runs on. It is written as a whole, under another name that then takes its place, so that nobody \
            meets half of it; what is bound into a container file by file does not see that, what is bound with its directory does.";
        let path = "The file, absolute or relative to the working directory. Directories that are missing are made; those below the working \
            directory go with the file once they are empty. A symbolic link is not followed.";
        let on_exists = "What becomes of a file that is there already: `error` refuses to touch it, `replace` keeps it beside, as it is, and puts it \
            back on destroy.";
        let attributes = vec![
            Attribute::required("path", Type::String, path).replaces(),
            Attribute::optional("content", Type::String, "The text. Either this or `sensitive_content`."),
            Attribute::optional(
                "sensitive_content",
                Type::String,
                "The text, where nobody may see it. The state keeps a fingerprint of it.",
            )
            .sensitive(),
            Attribute::optional_computed(
                "mode",
                Type::String,
                "The permission bits, octal; without it `0644`, or `0600` for `sensitive_content`.",
            ),
            Attribute::optional("owner", Type::String, "The owner's name or number; without it whoever applies."),
            Attribute::optional("group", Type::String, "The group's name or number; without it that of whoever applies."),
            Attribute::optional("on_exists", Type::String, on_exists).default(Value::string("error")),
            Attribute::computed(
                "content_sha256",
                Type::String,
                "SHA-256 of `content`, in hexadecimal digits; nothing for `sensitive_content`.",
            ),
            Attribute::computed("backup", Type::String, "Where what was there before is kept."),
        ];
        let kind = "host_file";
        Self { schema: Schema { kind, doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false } }
    }
}

/// Whether the text is a secret.
pub(super) fn is_secret(attributes: &Value) -> bool {
    attributes.present("sensitive_content").is_some()
}

/// The text, whichever attribute holds it.
pub(super) fn text_of(attributes: &Value) -> Option<&Value> {
    TEXTS.into_iter().find_map(|name| attributes.present(name))
}

/// The permission bits that the arguments ask for.
pub(super) fn mode_of(arguments: &Value) -> u32 {
    u32::from_str_radix(&mode_text(arguments), 8).unwrap_or(0o600)
}

fn mode_text(arguments: &Value) -> String {
    let usual = if is_secret(arguments) { "0600" } else { "0644" };
    arguments.text("mode").unwrap_or(usual).to_owned()
}

/// Arguments and computed attributes together, with those that follow from the arguments.
pub(super) fn completed(arguments: &Value, backup: Value) -> Value {
    let mode = match arguments.present("mode") {
        Some(mode) => mode.clone(),
        None => Value::string(mode_text(arguments)),
    };
    let sha256 = match arguments.present("content") {
        None => Value::null(),
        Some(content) => content
            .as_str()
            .map_or_else(|| Value::unknown(Type::String), |text| Value::string(hex(&Sha256::digest(text.as_bytes()))))
            .sensitive_if(content.holds_sensitive()),
    };
    let own = [("mode", mode), ("content_sha256", sha256), ("backup", backup)];
    let given = arguments.entries().iter().map(|entry| {
        let value = entry.value.clone().sensitive_if(&*entry.key == "sensitive_content");
        (entry.key.clone(), value)
    });
    Value::object(given.chain(own.into_iter().map(|(name, value)| (name.into(), value))))
}

fn fingerprint(value: &Value, secret_key: &[u8]) -> Value {
    Value::string(format!("hmac-sha256:{}", keyed_fingerprint(&value.clone().unmarked(), secret_key))).sensitive()
}

impl FileKind {
    /// What differs from what is there, or else from what is remembered.
    fn changed(asked: &Comparison<'_>, remembered: &Value) -> Vec<&'static str> {
        let base = asked.observed.unwrap_or(remembered);
        let desired = asked.desired;
        let null = Value::null();
        let mut changed: Vec<&'static str> = Vec::new();
        for name in TEXTS {
            let wanted = desired.get(name).unwrap_or(&null);
            let is_kept_as_fingerprint = asked.observed.is_none() && name == "sensitive_content" && wanted.is_known() && !wanted.is_null();
            let wanted = if is_kept_as_fingerprint { fingerprint(wanted, asked.secret_key) } else { wanted.clone() };
            // What a file says where nothing is wanted any more shows under the other name.
            let is_moot = wanted.is_null() && asked.observed.is_some() && remembered.present(name).is_none();
            if !is_moot && !same(&wanted, base.get(name).unwrap_or(&null)) {
                changed.push(name);
            }
        }
        let mode = desired.get("mode").is_none_or(Value::is_known).then(|| mode_of(desired));
        let was = base.text("mode").and_then(|mode| u32::from_str_radix(mode, 8).ok());
        if mode.is_none() || mode != was || desired.text("mode").is_some_and(|mode| remembered.text("mode") != Some(mode)) {
            changed.push("mode");
        }
        for name in ["owner", "group"] {
            let wanted = desired.get(name).unwrap_or(&null);
            if !same(wanted, base.get(name).unwrap_or(&null)) {
                changed.push(name);
            }
        }
        let on_exists = desired.get("on_exists").unwrap_or(&null);
        if !same(on_exists, remembered.get("on_exists").unwrap_or(&null)) {
            changed.push("on_exists");
        }
        changed
    }

    fn created(asked: &Comparison<'_>) -> Planned {
        if asked.previewable {
            return Planned::Ask;
        }
        let backup = match asked.preview {
            Some(Preview::Accepted(seen)) => seen.get("backup").cloned().unwrap_or_else(Value::null),
            _ => Value::unknown(Type::String),
        };
        Planned::Create(completed(asked.desired, backup))
    }
}

/// Whether two values are the same and known.
fn same(wanted: &Value, was: &Value) -> bool {
    wanted.is_known() && wanted.clone().unmarked().data() == was.clone().unmarked().data()
}

impl Kind for FileKind {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        let is_given = |name: &str| arguments.get(name).is_some_and(|value| !value.is_null());
        if TEXTS.iter().filter(|name| is_given(name)).count() != 1 {
            let detail = "a file has either `content` or `sensitive_content`";
            problems.push(Problem::new("not one content", detail).help("Write one of the two; an empty file has `content = \"\"`."));
        }
        if let Some(mode) = arguments.text("mode").filter(|mode| u32::from_str_radix(mode, 8).map_or(true, |bits| bits > 0o7777)) {
            let detail = format!("`mode` is an octal number of at most four digits, such as `\"0644\"`, and not `{mode}`");
            problems.push(Problem::with("mode", "invalid mode", detail));
        }
        if let Some(path) = arguments.text("path").filter(|path| path.is_empty() || path.ends_with(['/', '\0'])) {
            problems.push(Problem::with("path", "invalid path", format!("`path` names a file, and `{path}` does not")));
        }
        if let Some(said) = arguments.text("on_exists").filter(|said| !["error", REPLACE].contains(said)) {
            let detail = format!("`on_exists` is `{said}`; it is either `error` or `replace`");
            problems.push(Problem::with("on_exists", "invalid value", detail));
        }
        problems
    }

    fn identity(&self, arguments: &Value) -> Option<String> {
        Some(format!("file {}", arguments.text("path")?))
    }

    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let Some(prior) = asked.prior else { return Self::created(&asked) };
        let remembered = &prior.attributes;
        let was = |name: &str| remembered.get(name).cloned().unwrap_or_else(Value::null);
        if !same(asked.desired.get("path").unwrap_or(&Value::null()), &was("path")) {
            return Planned::Replace {
                attributes: completed(asked.desired, Value::unknown(Type::String)),
                because: vec!["path".to_owned()],
            };
        }
        let attributes = completed(asked.desired, was("backup"));
        let changed = Self::changed(&asked, remembered);
        if changed.is_empty() {
            return Planned::Keep(attributes);
        }
        let is_text_ours = !TEXTS.iter().any(|name| changed.contains(name));
        if prior.status == Status::Interrupted(Operation::Create) && !is_text_ours && asked.desired.text("on_exists") != Some(REPLACE) {
            let path = asked.desired.text("path").unwrap_or_default();
            let detail = format!("`{path}` is there and says something else than what was to be written when an apply was cut short");
            return Planned::Refused(
                Problem::with("path", "exists, not ours", detail).help("Remove it, or take it over with `on_exists = \"replace\"`."),
            );
        }
        if asked.previewable {
            return Planned::Ask;
        }
        // Only what is as it was applied has changed outside.
        let recorded = Self::changed(&Comparison { observed: None, ..asked }, remembered);
        let outside = changed.iter().filter(|name| asked.observed.is_some() && !recorded.contains(name));
        let drifted = Drift { paths: outside.map(|name| (*name).to_owned()).collect(), by: Vec::new() };
        Planned::Update { attributes, changed: changed.into_iter().map(str::to_owned).collect(), drifted }
    }

    /// No more than its path, which is its identity; the machine is looked at once that is known.
    fn claims(&self, arguments: &Value) -> Option<Vec<Claim>> {
        arguments.text("path").map(|_| Vec::new())
    }

    fn remarks(&self, preview: &Value) -> Vec<Problem> {
        let Some(lacking) = preview.text("rights") else { return Vec::new() };
        let help = "Apply as a user who may write there, as root, or let `provider \"host\"` become root.";
        vec![Problem::new("missing rights", format!("an apply cannot write this: {lacking}")).help(help).warning()]
    }

    fn remembered(&self, attributes: &Value, secret_key: &[u8]) -> Value {
        Value::object(attributes.entries().iter().map(|entry| {
            let is_secret = &*entry.key == "sensitive_content" && entry.value.is_known() && !entry.value.is_null();
            let kept = if is_secret { fingerprint(&entry.value, secret_key) } else { entry.value.clone() };
            (entry.key.clone(), kept)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::state::{Record, RecordId};

    fn file(changes: &[(&'static str, Value)]) -> Value {
        let names = ["path", "content", "sensitive_content", "mode", "owner", "group", "on_exists"];
        let usual = |name: &str| match name {
            "path" => Value::string("a.conf"),
            "on_exists" => Value::string("error"),
            _ => Value::null(),
        };
        Value::object(names.into_iter().map(|name| {
            let given = changes.iter().find(|(given, _)| *given == name).map(|(_, value)| value.clone());
            (name, given.unwrap_or_else(|| usual(name)))
        }))
    }

    fn text(text: &str) -> Value {
        Value::string(text)
    }

    fn record(arguments: &Value) -> Record {
        let all = completed(arguments, Value::null());
        Record { attributes: FileKind::default().remembered(&all, b"key"), ..Record::new(RecordId::new("r-1"), "host_file") }
    }

    fn planned(desired: &Value, prior: Option<&Record>, observed: Option<&Value>) -> Planned {
        FileKind::default().planned(Comparison { desired, prior, observed, preview: None, previewable: false, secret_key: b"key" })
    }

    #[test]
    fn what_cannot_be_a_file_is_told() {
        let rows = [
            (file(&[("content", text("x"))]), ""),
            (file(&[("sensitive_content", Value::unknown(Type::String))]), ""),
            (file(&[]), "not one content"),
            (file(&[("content", text("x")), ("sensitive_content", text("x"))]), "not one content"),
            (file(&[("content", text("x")), ("mode", text("0999"))]), "invalid mode"),
            (file(&[("content", text("x")), ("mode", text("17777"))]), "invalid mode"),
            (file(&[("content", text("x")), ("path", text("a/"))]), "invalid path"),
            (file(&[("content", text("x")), ("on_exists", text("adopt"))]), "invalid value"),
        ];
        for (arguments, expected) in rows {
            let told: Vec<_> = FileKind::default().validate(&arguments).into_iter().map(|problem| problem.summary).collect();
            assert_eq!(told.join(" "), expected, "{arguments:?}");
        }
    }

    #[test]
    fn what_differs_is_written_and_what_was_changed_outside_is_drift() {
        let one = file(&[("content", text("x"))]);
        let secret = file(&[("sensitive_content", text("hunter2").sensitive())]);
        let there = |content: &str, mode: &str| {
            Some(Value::object([("content", text(content)), ("mode", text(mode)), ("owner", Value::null()), ("group", Value::null())]))
        };
        let secret_there = |content: &str| Some(Value::object([("sensitive_content", text(content).sensitive()), ("mode", text("0600"))]));
        let rows: Vec<(&Value, Value, Option<Value>, Option<&str>)> = vec![
            (&one, one.clone(), None, None),
            (&one, one.clone(), there("x", "0644"), None),
            (&one, file(&[("content", text("y"))]), there("x", "0644"), Some("content /")),
            (&one, one.clone(), there("y", "0644"), Some("content / content")),
            (&one, one.clone(), there("y", "0600"), Some("content mode / content mode")),
            (&one, file(&[("content", text("x")), ("mode", text("644"))]), there("x", "0644"), Some("mode /")),
            (&one, file(&[("content", text("x")), ("owner", text("root"))]), there("x", "0644"), Some("owner /")),
            (&one, file(&[("content", Value::unknown(Type::String))]), there("x", "0644"), Some("content /")),
            (&one, file(&[("content", text("x")), ("on_exists", text("replace"))]), there("x", "0644"), Some("on_exists /")),
            (&one, file(&[("sensitive_content", text("x"))]), there("x", "0644"), Some("content sensitive_content mode /")),
            (&secret, secret.clone(), None, None),
            (&secret, secret.clone(), secret_there("hunter2"), None),
            (&secret, secret.clone(), secret_there("hunter3"), Some("sensitive_content / sensitive_content")),
            (&secret, file(&[("sensitive_content", text("hunter3"))]), None, Some("sensitive_content /")),
        ];
        for (before, desired, observed, expected) in rows {
            let found = match planned(&desired, Some(&record(before)), observed.as_ref()) {
                Planned::Keep(_) => None,
                Planned::Update { changed, drifted, .. } => {
                    Some(format!("{} / {}", changed.join(" "), drifted.paths.join(" ")).trim_end().to_owned())
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(found.as_deref(), expected, "{desired:?} where {observed:?}");
        }
        let moved = file(&[("content", text("x")), ("path", text("b.conf"))]);
        assert!(matches!(planned(&moved, Some(&record(&one)), None), Planned::Replace { because, .. } if because == ["path"]));
    }

    #[test]
    fn a_secret_is_remembered_by_its_fingerprint() {
        let kept = record(&file(&[("sensitive_content", text("hunter2").sensitive())])).attributes;
        assert!(kept.text("sensitive_content").is_some_and(|text| text.starts_with("hmac-sha256:")));
        assert_eq!((kept.text("mode"), kept.present("content_sha256")), (Some("0600"), None));
    }

    #[test]
    fn what_was_not_written_by_a_create_that_was_cut_short_is_not_ours() {
        let desired = file(&[("content", text("x"))]);
        let cut = Record { status: Status::Interrupted(Operation::Create), ..record(&desired) };
        let there = |content: &str| Value::object([("content", text(content)), ("mode", text("0644"))]);
        assert!(matches!(planned(&desired, Some(&cut), Some(&there("x"))), Planned::Keep(_)));
        let Planned::Refused(problem) = planned(&desired, Some(&cut), Some(&there("y"))) else { panic!("not refused") };
        assert_eq!(problem.summary, "exists, not ours");
        let replaces = file(&[("content", text("x")), ("on_exists", text("replace"))]);
        let cut = Record { status: Status::Interrupted(Operation::Create), ..record(&replaces) };
        assert!(matches!(planned(&replaces, Some(&cut), Some(&there("y"))), Planned::Update { .. }));
    }
}
