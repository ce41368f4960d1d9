//! What each operation leaves in the history of its state. Nothing here fails an operation: what cannot be written down is told.

use crate::args::Planning;
use crate::failure::Failure;
use crate::project::Project;
use crate::session::Session;
use crate::view::json;
use engine::apply::Summary;
use engine::diagnostic::Diagnostic;
use engine::plan::Plan;
use engine::state::State;
use state::{Account, Ending, Error, History, Planned, Snapshot, Store};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// Where the history is, from the directory of the configuration, unless the backend keeps it.
const DIRECTORY: &str = ".meshplan/history";

/// How many revisions are kept unless the configuration says otherwise.
const MOST: usize = 50;

/// What the operation of a state that nobody wrote down is called.
const FOUND: &str = "found";

/// What a plan was made from.
pub(crate) enum MadeFrom<'a> {
    /// A configuration that was read in this run.
    Project(&'a Project),
    /// What a file of the plan keeps of one, if there is a key for it, and the revision that it is of, if it is of one.
    File { configuration: Option<Box<Snapshot>>, revision: Option<u64> },
}

/// What an operation did.
pub(crate) struct Done<'a> {
    /// What it is called, such as `apply`.
    pub(crate) operation: &'a str,
    /// How it ended.
    pub(crate) ending: Ending,
    /// What was done how often.
    pub(crate) counts: BTreeMap<String, u64>,
    /// What was planned, if anything was, and that packed.
    pub(crate) planned: Option<(&'a Plan, Planned)>,
    /// The state after it.
    pub(crate) state: &'a State,
}

/// The history of the state at hand.
pub(crate) fn of(session: &Session) -> Result<History, Error> {
    of_store(session, session.store())
}

/// The history of the state of this store.
pub(crate) fn of_store(session: &Session, store: Store) -> Result<History, Error> {
    History::new(session.workplace.home.join(DIRECTORY), store)
}

/// The configuration in the directory, or that of a revision.
pub(crate) fn project(session: &mut Session, planning: &Planning, revision: Option<u64>) -> Result<Project, Failure> {
    let Some(number) = revision else { return Project::load(session, planning) };
    let history = of(session)?;
    let secret_key = session.secret_key()?;
    let Some(snapshot) = history.configuration(number, &secret_key)? else {
        let detail = format!("@{number} was left by `{}`, which planned no configuration", history.head(number)?.operation);
        return Err(Failure::one("revision without configuration", detail).help(
            "`meshplan state history` lists all; those of `apply` have one, unless it applied a saved plan without the key of its configuration. `meshplan state restore` brings back a state alone.",
        ));
    };
    Project::of_revision(session, planning, (number, snapshot))
}

/// Writes down the state that an operation begins with, unless the last revision left it: what a killed run did is not lost then.
pub(crate) fn catch_up(session: &mut Session, project: Option<&Project>, state: &State) {
    let last = of(session).and_then(|history| history.last()).ok().flatten();
    if state.serial > 0 && last.is_none_or(|last| (&last.lineage, last.serial) != (&state.lineage, state.serial)) {
        let done = Done { operation: FOUND, ending: Ending::Unknown, counts: BTreeMap::new(), planned: None, state };
        record(session, project.map(MadeFrom::Project).as_ref(), &done);
    }
}

/// What was planned, on its way into a revision.
pub(crate) struct Packing<'a> {
    history: History,
    configuration: Option<Cow<'a, Snapshot>>,
    plan: &'a Plan,
}

impl<'a> Packing<'a> {
    /// What there is to keep of a plan; nothing in a test, whose state goes with it.
    pub(crate) fn of(session: &Session, made_from: &'a MadeFrom<'_>, plan: &'a Plan) -> Option<Result<Self, Error>> {
        let configuration = || match made_from {
            MadeFrom::Project(project) => Some(Cow::Owned(snapshot(session, project))),
            MadeFrom::File { configuration, .. } => configuration.as_deref().map(Cow::Borrowed),
        };
        let keeps = !session.workplace.is_tested();
        keeps.then(|| Ok(Self { history: of(session)?, configuration: configuration(), plan }))
    }

    /// Packs it, which takes as long as the plan is large.
    pub(crate) fn pack(&self) -> Result<Planned, Error> {
        self.history.pack((Some(&json::Document(self.plan)), self.configuration.as_deref()), &self.plan.prior)
    }
}

/// Writes down what was applied.
pub(crate) fn keep_apply(
    session: &mut Session,
    verb: &str,
    (made_from, plan, planned): (&MadeFrom<'_>, &Plan, Option<Result<Planned, Error>>),
    (summary, state): (&Summary, &State),
) {
    let revision = match made_from {
        MadeFrom::Project(project) => project.origin.as_ref().map(|origin| origin.number),
        MadeFrom::File { revision, .. } => *revision,
    };
    let operation = revision.map_or_else(|| verb.to_owned(), |number| format!("{verb} --to @{number}"));
    let ending = match (summary.interrupted, summary.is_complete() && plan.blocked.is_empty()) {
        (true, _) => Ending::Interrupted,
        (false, true) => Ending::Complete,
        (false, false) => Ending::Incomplete,
    };
    let counts = [
        ("added", summary.added),
        ("changed", summary.changed),
        ("imported", summary.imported),
        ("destroyed", summary.destroyed),
        ("failed", summary.failed),
        ("skipped", summary.skipped),
    ];
    let counts = counts.into_iter().map(|(name, count)| (name.to_owned(), count as u64)).collect();
    match planned.transpose() {
        Ok(planned) => {
            let planned = planned.map(|planned| (plan, planned));
            record(session, Some(made_from), &Done { operation: &operation, ending, counts, planned, state });
        }
        Err(error) => not_written(session, &error),
    }
}

/// Writes down what was changed by hand.
pub(crate) fn keep_change(session: &mut Session, operation: &str, counts: &[(&str, usize)], state: &State) {
    let counts = counts.iter().map(|(name, count)| ((*name).to_owned(), *count as u64)).collect();
    record(session, None, &Done { operation, ending: Ending::Complete, counts, planned: None, state });
}

/// Writes down that a state was sealed anew, or not sealed any more, as this store writes it.
pub(crate) fn keep_resealed(session: &mut Session, store: Store, state: &State) {
    let history = of_store(session, store);
    let done = Done { operation: "state reseal", ending: Ending::Complete, counts: BTreeMap::new(), planned: None, state };
    record_in(session, history, None, &done);
}

/// Copies the history of a state to where that was copied, and writes down that it was.
pub(crate) fn keep_migration(session: &mut Session, (from, to): (Store, Store), state: &State) {
    let of = |store| of_store(session, store);
    let copied = of(from).and_then(|from| Ok((from, of(to)?))).and_then(|(from, to)| from.copy_to(&to).map(|_| to));
    let done = Done { operation: "state migrate", ending: Ending::Complete, counts: BTreeMap::new(), planned: None, state };
    record_in(session, copied, None, &done);
}

fn record(session: &mut Session, made_from: Option<&MadeFrom<'_>>, done: &Done<'_>) {
    // The state of a test goes with it, and before its first write there is none to have a history.
    if session.workplace.is_tested() || done.state.secret_key.is_empty() {
        return;
    }
    let history = of(session);
    record_in(session, history, made_from, done);
}

fn record_in(session: &mut Session, history: Result<History, Error>, made_from: Option<&MadeFrom<'_>>, done: &Done<'_>) {
    let most = match made_from {
        Some(MadeFrom::Project(project)) => Some(project.most_revisions().unwrap_or(MOST)),
        Some(MadeFrom::File { .. }) | None => bound(session),
    };
    let account = Account {
        operation: done.operation,
        now: session.machine.now(),
        ending: done.ending,
        counts: done.counts.clone(),
        digest: done.planned.as_ref().map(|(plan, _)| plan.digest().to_owned()),
        planned: done.planned.as_ref().map(|(_, packed)| packed),
        state: done.state,
    };
    if let Err(error) = history.and_then(|history| history.record(&account, most)) {
        not_written(session, &error);
    }
}

fn not_written(session: &mut Session, error: &Error) {
    let problem = Diagnostic::warning("history not written", format!("what this run did is in the state, and not in its history: {error}"));
    session.view.diagnostics(&session.sources, &[problem]);
}

/// How many revisions the configuration says to keep; any number if it cannot be read.
fn bound(session: &mut Session) -> Option<usize> {
    let sources = session.sources.clone();
    let (config, problems) = Project::parse(session);
    session.sources = sources;
    if problems.iter().any(Diagnostic::is_error) {
        return None;
    }
    Some(crate::project::most_revisions(&config).unwrap_or(MOST))
}

/// The configuration of a project, with values that are kept nowhere left out.
pub(crate) fn snapshot(session: &Session, project: &Project) -> Snapshot {
    let declared = project.config.modules.get(&project.config.root).map(|root| &root.variables);
    let of = |name: &str| declared.and_then(|declared| declared.get(name));
    let mut variables = project.variables.clone();
    variables.retain(|name, _| of(name).is_some_and(|variable| !variable.ephemeral));
    let secret = |name: &str| of(name).is_some_and(|variable| variable.sensitive);
    let sensitive =
        variables.iter().filter(|(name, value)| secret(name) || value.holds_sensitive()).map(|(name, _)| name.clone()).collect();
    let files = match &project.origin {
        Some(origin) => origin.files.clone(),
        None => session.seen.lock().unwrap_or_else(PoisonError::into_inner).clone(),
    };
    Snapshot { sources: session.sources.clone(), variables, sensitive, files }
}
