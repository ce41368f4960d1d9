//! `kubeconfig_merged`: kubeconfigs of several clusters in one.

mod entries;
mod file;
mod kind;
mod layout;

use crate::object_kind::Json;
use crate::procedure::Procedure;
use engine::diagnostic::Diagnostic;
use engine::port::{BoxFuture, Connected, Done, Failure, Request};
use engine::question::{Answer, Proposal};
use engine::schema::Kind;
use engine::state::Record;
use engine::value::Value;
use entries::{alone, picked, put, take_out};
use kind::{MergedKind, derived, with};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// The summary where a name is taken.
const NOT_OURS: &str = "exists, not ours";

/// The effects of `kubeconfig_merged`.
pub(crate) struct KubeconfigMerged {
    kind: Arc<MergedKind>,
    working_directory: PathBuf,
}

impl KubeconfigMerged {
    /// With what paths are relative to.
    pub(crate) fn new(working_directory: PathBuf) -> Self {
        Self { kind: Arc::default(), working_directory }
    }

    fn path(&self, attributes: &Value) -> Option<PathBuf> {
        attributes.text("path").map(|path| self.working_directory.join(path))
    }

    /// What is there of a record's entries, as a kubeconfig of these alone.
    fn observe(&self, record: &Record) -> Answer {
        let Some(path) = self.path(&record.attributes) else { return Answer::Present(record.attributes.clone()) };
        let config = match file::read(&path) {
            Ok(Some(config)) => config,
            Ok(None) => return Answer::Absent,
            Err(why) => return unusable(&path, &why),
        };
        let there = picked(&config, &names(&record.attributes));
        if there.is_empty() {
            return Answer::Absent;
        }
        match alone(&there, record.attributes.text("current_context")) {
            Ok(text) => Answer::Present(Value::object([("kubeconfig", Value::string(text).sensitive())])),
            Err(why) => unusable(&path, &why),
        }
    }

    async fn write(&self, request: &Request) -> Result<Done, Failure> {
        let (entries, computed) = derived(&request.arguments).map_err(|why| Failure::new("not mergeable", why))?;
        let done = Done::new(with(&request.arguments, &computed));
        let Some(path) = self.path(&request.arguments) else { return Ok(done) };
        let ours = request.prior.as_ref().map(|prior| names(&prior.attributes)).unwrap_or_default();
        let current = request.arguments.text("current_context").map(str::to_owned);
        let shown = path.display().to_string();
        let taken = move |name: String| Failure::new(NOT_OURS, not_ours(&shown, &name));
        changed(path, move |config| {
            let was = config.get("current-context").and_then(Json::as_str).map(str::to_owned);
            // What is there as it is wanted stays where it stands.
            let there = picked(config, &ours);
            let stays = |name: &String| there.iter().any(|entry| entry.name == *name && entries.contains(entry));
            take_out(config, &ours.into_iter().filter(|name| !stays(name)).collect::<Vec<_>>());
            put(config, &entries).map_err(taken)?;
            if let Some(current) = current.or(was.filter(|was| entries.iter().any(|entry| entry.name == *was))) {
                config["current-context"] = current.into();
            }
            Ok(())
        })
        .await?;
        Ok(done)
    }

    /// Whether what is to be made can be put beside what is there.
    fn foresee(&self, proposal: &Proposal) -> Answer {
        let arguments = &proposal.arguments;
        let Ok((entries, computed)) = derived(arguments) else { return Answer::Absent };
        let after = Answer::Present(with(arguments, &computed));
        let Some(path) = self.path(arguments).filter(|_| proposal.id.is_none()) else { return after };
        let mut config = match file::read(&path) {
            Ok(config) => config.unwrap_or_else(entries::fresh),
            Err(why) => return unusable(&path, &why),
        };
        // What was written by a run that was cut short is found to be ours by what it says.
        match put(&mut config, &entries) {
            Ok(()) => after,
            Err(name) => Answer::Refused(Diagnostic::error(NOT_OURS, not_ours(&path.display().to_string(), &name))),
        }
    }

    async fn take_back(&self, request: &Request) -> Result<(), Failure> {
        let Some(prior) = &request.prior else { return Ok(()) };
        let Some(path) = self.path(&prior.attributes).filter(|path| path.exists()) else { return Ok(()) };
        let ours = names(&prior.attributes);
        changed(path, move |config| {
            take_out(config, &ours);
            Ok(())
        })
        .await
    }
}

/// Changes a file while others go on.
async fn changed(path: PathBuf, change: impl FnOnce(&mut Json) -> Result<(), Failure> + Send + 'static) -> Result<(), Failure> {
    let ended = spawn_blocking(move || file::change(&path, change)).await;
    ended.unwrap_or_else(|_| Err(Failure::new("kubeconfig not usable", "writing it was cut short")))
}

fn not_ours(path: &str, name: &str) -> String {
    format!("`{path}` has other entries of the name `{name}`; give yours another one, or take those out")
}

fn unusable(path: &Path, why: &str) -> Answer {
    Answer::Refused(Diagnostic::error("kubeconfig not usable", format!("`{}` {why}", path.display())))
}

fn names(attributes: &Value) -> Vec<String> {
    let names = attributes.get("contexts").map(Value::items).unwrap_or_default();
    names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

impl Procedure for KubeconfigMerged {
    fn kind(&self) -> Arc<dyn Kind> {
        self.kind.clone()
    }

    fn read<'a>(&'a self, record: &'a Record, _: Option<&'a Connected>) -> BoxFuture<'a, Answer> {
        Box::pin(async { self.observe(record) })
    }

    fn preview<'a>(&'a self, proposal: &'a Proposal, _: Option<&'a Connected>) -> BoxFuture<'a, Answer> {
        Box::pin(async { self.foresee(proposal) })
    }

    fn create<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.write(request))
    }

    fn settle<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.write(request))
    }

    fn update<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(self.write(request))
    }

    fn delete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.take_back(request))
    }
}
