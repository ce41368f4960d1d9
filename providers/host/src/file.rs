//! `host_file`: a file on the machine.

pub(crate) mod disk;
mod kind;

use crate::account::{group_id, group_name, user_id, user_name};
use crate::effect::{Effect, Hands};
use crate::procedure::{Procedure, Seen};
use disk::{Previous, Removal, There, Writing, backup, is_left_empty, look, not_ours, unwritable};
use engine::diagnostic::Diagnostic;
use engine::port::{BoxFuture, Done, Failure, Request};
use engine::question::{Answer, Proposal};
use engine::schema::Kind;
use engine::state::{Operation, Record, Status};
use engine::value::Value;
use kind::{FileKind, REPLACE, completed, is_secret, mode_of, text_of};
use std::future::ready;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `host_file`.
pub(crate) struct HostFile {
    kind: Arc<FileKind>,
    working_directory: PathBuf,
}

impl HostFile {
    /// With what paths are relative to.
    pub(crate) fn new(working_directory: PathBuf) -> Self {
        Self { kind: Arc::default(), working_directory }
    }

    fn path(&self, attributes: &Value) -> PathBuf {
        self.working_directory.join(attributes.text("path").unwrap_or_default())
    }

    fn observe(&self, record: &Record) -> Answer {
        let path = self.path(&record.attributes);
        match look(&path) {
            // The directories made for it go after it: a delete that was cut short between the two has something left to do.
            Ok(There::Nothing)
                if record.status == Status::Interrupted(Operation::Delete) && is_left_empty(&path, &self.working_directory) =>
            {
                Answer::Present(record.attributes.clone())
            }
            Ok(There::Nothing) => Answer::Absent,
            Ok(There::Other(what)) => not_a_file(&path, &what),
            Ok(There::File(text, metadata)) => Answer::Present(observed(&record.attributes, &text, &metadata)),
            Err(error) => unreadable(&path, &error),
        }
    }

    async fn foresee(&self, proposal: &Proposal, hands: &Hands) -> Answer {
        let arguments = &proposal.arguments;
        let path = self.path(arguments);
        let is_new = proposal.id.is_none();
        let kept = match look(&path) {
            Ok(There::Other(what)) => return not_a_file(&path, &what),
            Ok(There::File(..)) if is_new && arguments.text("on_exists") != Some(REPLACE) => {
                let help = "Write `on_exists = \"replace\"`, which keeps what is there and puts it back on destroy; or remove the file.";
                return Answer::Refused(Diagnostic::error("exists, not ours", not_ours(&path)).help(help));
            }
            Ok(There::File(..)) => Value::string(backup(&path).display().to_string()),
            Ok(There::Nothing) => Value::null(),
            Err(error) => return unreadable(&path, &error),
        };
        let own = unwritable(&path, arguments.text("owner")).map_or(Ok(()), Err);
        let lacking = hands.lacking(own).await.map_or_else(Value::null, Value::string);
        Answer::Present(Value::object([("backup", kept), ("rights", lacking)]))
    }

    fn writing(&self, request: &Request) -> Writing {
        let arguments = &request.arguments;
        let replaces = arguments.text("on_exists") == Some(REPLACE);
        let previous = match &request.prior {
            Some(_) if !is_new(request) => Previous::Ours,
            _ if !replaces => Previous::Foreign,
            // The plan saw nothing there: what says the same is what was written before the create was cut short.
            Some(prior) if prior.attributes.text("backup").is_none() => Previous::KeptIfOther,
            _ => Previous::Kept,
        };
        Writing {
            path: self.path(arguments),
            text: text_of(arguments).and_then(Value::as_str).unwrap_or_default().to_owned(),
            mode: mode_of(arguments),
            owner: arguments.text("owner").map(str::to_owned),
            group: arguments.text("group").map(str::to_owned),
            previous,
        }
    }

    async fn put(&self, request: &Request, hands: &Hands) -> Result<Done, Failure> {
        let writing = self.writing(request);
        let path = writing.path.clone();
        hands.perform(vec![Effect::Write(writing)]).await?;
        let prior = request.prior.as_ref().map(|prior| &prior.attributes);
        let replaces = request.arguments.text("on_exists") == Some(REPLACE);
        let kept = backup(&path);
        let kept = match prior.filter(|_| !is_new(request)) {
            Some(prior) => prior.get("backup").cloned().unwrap_or_else(Value::null),
            None if replaces && kept.exists() => Value::string(kept.display().to_string()),
            None => Value::null(),
        };
        Ok(Done::new(completed(&request.arguments, kept)))
    }

    async fn take_back(&self, request: &Request, hands: &Hands) -> Result<(), Failure> {
        let Some(prior) = &request.prior else { return Ok(()) };
        let removal = Removal {
            path: self.path(&prior.attributes),
            backup: prior.attributes.text("backup").map(PathBuf::from),
            within: Some(self.working_directory.clone()),
        };
        hands.perform(vec![Effect::Remove(removal)]).await
    }
}

/// Whether nothing of the record is known to be there yet.
fn is_new(request: &Request) -> bool {
    request.prior.as_ref().is_none_or(|prior| prior.status == Status::Interrupted(Operation::Create))
}

/// What is there in the shape of the attributes, as far as a record speaks of it.
fn observed(recorded: &Value, text: &str, metadata: &std::fs::Metadata) -> Value {
    let (content, secret) = (Value::string(text), Value::null().sensitive());
    let (content, secret) = if is_secret(recorded) { (Value::null(), content.sensitive()) } else { (content, secret) };
    let bits = metadata.permissions().mode() & 0o7777;
    let mode = recorded.text("mode").filter(|mode| u32::from_str_radix(mode, 8) == Ok(bits));
    let account = |name: &str, id: fn(&str) -> Result<u32, String>, there: u32, called: fn(u32) -> String| match recorded.text(name) {
        None => Value::null(),
        Some(recorded) if id(recorded) == Ok(there) => Value::string(recorded),
        Some(_) => Value::string(called(there)),
    };
    Value::object([
        ("content", content),
        ("sensitive_content", secret),
        ("mode", Value::string(mode.map_or_else(|| format!("{bits:04o}"), str::to_owned))),
        ("owner", account("owner", user_id, metadata.uid(), user_name)),
        ("group", account("group", group_id, metadata.gid(), group_name)),
    ])
}

fn not_a_file(path: &Path, what: &str) -> Answer {
    let detail = format!("`{}` is {what}", path.display());
    Answer::Refused(Diagnostic::error("not a file", detail).help("Name the file itself, or remove what stands in its place."))
}

fn unreadable(path: &Path, error: &io::Error) -> Answer {
    Answer::Unreachable(format!("`{}` cannot be read: {error}", path.display()).into())
}

impl Procedure for HostFile {
    fn kind(&self) -> Arc<dyn Kind> {
        self.kind.clone()
    }

    fn read<'a>(&'a self, record: &'a Record, _: &'a Seen) -> BoxFuture<'a, Answer> {
        Box::pin(ready(self.observe(record)))
    }

    fn preview<'a>(&'a self, proposal: &'a Proposal, _: &'a Seen, hands: &'a Hands) -> BoxFuture<'a, Answer> {
        Box::pin(self.foresee(proposal, hands))
    }

    fn write<'a>(&'a self, request: &'a Request, hands: &'a Hands) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.put(request, hands))
    }

    fn delete<'a>(&'a self, request: &'a Request, hands: &'a Hands) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.take_back(request, hands))
    }
}
