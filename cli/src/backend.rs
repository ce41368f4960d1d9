//! Where the state is kept: what the `backend` block and the command line say, and what was said at the last run.

use crate::args::BackendArgument;
use crate::failure::Failure;
use crate::providers::kubeconfigs;
use crate::workplace::Workplace;
use backends::{Surroundings, Wrong, is_secret, open};
use engine::config::{Backend as Block, Config, backend};
use engine::diagnostic::{Diagnostic, Problems};
use kubernetes::Proxies;
use serde_json::{Value as Json, json};
use state::{Backend, Error, Held, Holder, Kept, Names, Revisions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The state file, beside the configuration.
const STATE_FILE: &str = "meshplan.state.json";
/// What was said at the last run, below the directory of the configuration.
const RECORD: &str = ".meshplan/backend.json";

/// A kind of backend with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) kind: String,
    pub(crate) arguments: BTreeMap<String, String>,
}

impl Choice {
    /// A state file beside the configuration.
    pub(crate) fn default_file() -> Self {
        Self { kind: "local".to_owned(), arguments: BTreeMap::new() }
    }

    fn of(block: Option<&Block>, given: &[BackendArgument]) -> Self {
        let mut choice = block.map_or_else(Self::default_file, |block| {
            let arguments = block.arguments.iter().map(|(name, argument)| (name.to_string(), argument.text.to_string()));
            Self { kind: block.kind.to_string(), arguments: arguments.collect() }
        });
        choice.arguments.extend(given.iter().map(|assignment| (assignment.name.clone(), assignment.text.clone())));
        choice
    }

    /// The same without what must not be written down.
    fn recorded(&self) -> Self {
        let mut recorded = self.clone();
        recorded.arguments.retain(|name, _| !is_secret(name));
        recorded
    }

    /// Opens it.
    pub(crate) fn open(&self, workplace: &Workplace) -> Result<Arc<dyn Backend>, Wrong> {
        open(&self.kind, &self.arguments, &surroundings(workplace))
    }
}

fn surroundings(workplace: &Workplace) -> Surroundings {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    Surroundings {
        directory: workplace.home.clone(),
        working_directory: workplace.working_directory.clone(),
        kubeconfigs: kubeconfigs(&workplace.working_directory, &workplace.environment),
        proxies: Proxies::from_environment(&workplace.environment),
        environment: workplace.environment.clone(),
    }
}

/// What the configuration and the command line choose; or what is wrong with the block.
pub(crate) fn configured(workplace: &Workplace) -> Result<Choice, Problems> {
    let (sources, _) = modules::load(&workplace.directory, &workplace.shown_directory);
    let (block, problems) = backend(&sources);
    if problems.iter().any(Diagnostic::is_error) {
        return Err(problems);
    }
    Ok(Choice::of(block.as_ref(), &workplace.backend_config))
}

/// What was chosen at the last run; nothing if that was a state file beside the configuration.
fn recorded(home: &Path) -> Option<Choice> {
    let record: Json = serde_json::from_slice(&std::fs::read(home.join(RECORD)).ok()?).ok()?;
    let arguments = record["arguments"].as_object()?.iter().filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())));
    Some(Choice { kind: record["backend"].as_str()?.to_owned(), arguments: arguments.collect() })
}

/// Writes down what is chosen from now on.
fn record(home: &Path, choice: &Choice) -> std::io::Result<()> {
    let path = home.join(RECORD);
    let Choice { kind, arguments } = choice.recorded();
    if choice == &Choice::default_file() {
        return match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let text = format!("{:#}\n", json!({ "backend": kind, "arguments": arguments }));
    if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    std::fs::create_dir_all(path.parent().unwrap_or(home))?;
    std::fs::write(path, text)
}

/// The backend of a session. One that cannot be used refuses whatever is asked of it, and says why.
pub(crate) fn choose(workplace: &Workplace) -> Arc<dyn Backend> {
    if workplace.is_tested() {
        return state::local(&workplace.home.join(STATE_FILE));
    }
    let choice = match configured(workplace) {
        Ok(choice) => choice,
        Err(problems) => return Unusable::new("backend", problems.first().map_or("", |problem| problem.detail.as_ref()), MEND),
    };
    let opened = match choice.open(workplace) {
        Ok(opened) => opened,
        Err(wrong) => return Unusable::new("backend", &wrong.why, &wrong.help),
    };
    match moved_from(workplace, &choice, &*opened) {
        None => opened,
        Some(before) => {
            let why = format!("the state was kept in `{before}` so far");
            Unusable::new(&opened.names().state.display().to_string(), &why, MIGRATE)
        }
    }
}

const MEND: &str = "`meshplan validate` shows all that is wrong.";
const MIGRATE: &str =
    "`meshplan state migrate` copies it; `meshplan state migrate --reconfigure` uses what is configured now and copies nothing.";

/// Where the state was kept before, if that is another place than the one that is chosen now.
fn moved_from(workplace: &Workplace, choice: &Choice, opened: &dyn Backend) -> Option<String> {
    let before = before(workplace, choice)?.open(workplace).ok()?.names().state.clone();
    (before != opened.names().state).then(|| before.display().to_string())
}

/// What was chosen before: at the last run, or a state file that is there and was never migrated.
pub(crate) fn before(workplace: &Workplace, choice: &Choice) -> Option<Choice> {
    let file = workplace.home.join(STATE_FILE);
    let default = || (*choice != Choice::default_file() && file.exists()).then(Choice::default_file);
    recorded(&workplace.home).or_else(default)
}

/// Writes down what is chosen, so that a change of the configuration is noticed.
pub(crate) fn remember(workplace: &Workplace) -> Result<(), Failure> {
    if workplace.is_tested() {
        return Ok(());
    }
    keep(workplace, &configured(workplace).map_err(Failure)?)
}

/// Writes down that this is chosen from now on.
pub(crate) fn keep(workplace: &Workplace, choice: &Choice) -> Result<(), Failure> {
    record(&workplace.home, choice).map_err(|error| Failure::one("state not written", format!("`{RECORD}`: {error}")))
}

/// What is wrong with the `backend` blocks of a configuration.
pub(crate) fn check(workplace: &Workplace, config: &Config) -> Problems {
    let mut problems = Problems::new();
    for (key, module) in &config.modules {
        let Some(block) = &module.settings.backend else { continue };
        if *key != config.root {
            let detail = "only the configuration that is applied says where its state is kept";
            problems.push(Diagnostic::error("`backend` in a module", detail).at(block.span).help("Remove the block."));
            continue;
        }
        if let Err(Wrong { argument, why, help }) = Choice::of(Some(block), &workplace.backend_config).open(workplace) {
            let at = argument.and_then(|name| block.arguments.get(name.as_str())).map_or(block.span, |argument| argument.span);
            problems.push(Diagnostic::error("wrong backend", why).at(at).help(help));
        }
    }
    problems
}

/// A backend that is none.
#[derive(Debug)]
struct Unusable {
    names: Names,
    why: String,
    help: String,
}

impl Unusable {
    #[expect(clippy::new_ret_no_self, reason = "it is only ever a backend")]
    fn new(name: &str, why: &str, help: &str) -> Arc<dyn Backend> {
        let name = PathBuf::from(name);
        let names = Names { state: name.clone(), journal: name.clone(), lock: name };
        Arc::new(Self { names, why: why.to_owned(), help: help.to_owned() })
    }

    fn refusal<T>(&self) -> Result<T, Error> {
        Err(Error::Unusable { path: self.names.state.clone(), why: self.why.clone(), help: self.help.clone() })
    }
}

impl Backend for Unusable {
    fn names(&self) -> &Names {
        &self.names
    }

    fn read(&self) -> Result<Kept, Error> {
        self.refusal()
    }

    fn advice(&self) -> String {
        self.help.clone()
    }

    fn take(&self, _: &Holder, _: Duration) -> Result<(Box<dyn Held>, Option<Holder>), Error> {
        self.refusal()
    }

    fn revisions(&self) -> Result<Option<Arc<dyn Revisions>>, Error> {
        self.refusal()
    }

    fn claimed(&self) -> Result<Option<Holder>, Error> {
        self.refusal()
    }

    fn break_lock(&self, _: &str) -> Result<(), Error> {
        self.refusal()
    }
}
