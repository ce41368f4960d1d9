//! Why something is planned: from what differs back to what is written, and what of that is other than when it was applied last.

use crate::args::{Assignments, Planning, Previewer};
use crate::failure::Failure;
use crate::history;
use crate::project::Project;
use crate::session::Session;
use engine::address::Address;
use engine::config::Subject;
use engine::diagnostic::did_you_mean;
use engine::plan::{Action, Cause, Change, Plan, Reason, Walk, Written, steps};
use engine::question::Answers;
use engine::source::{SourceTree, Span};
use engine::state::State;
use engine::value::Value;
use review::explanation::{Explanation, Part, Told, Was};
use review::{Difference, Leaf};
use state::Ending;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tokio::runtime::Runtime;

/// What explanations are made from.
struct Explaining<'a> {
    runtime: Runtime,
    project: &'a Project,
    state: State,
    known: Answers,
    plan: Plan,
    former: Option<Former>,
}

/// The configuration that was applied last.
struct Former {
    number: u64,
    project: Project,
    sources: SourceTree,
    known: Answers,
}

/// What is asked of a walk about one instance.
struct Asked<'a> {
    address: &'a Address,
    paths: &'a [String],
}

/// What a walk says of it.
struct Found {
    /// By path.
    causes: Vec<Vec<Cause>>,
    occasions: Vec<Cause>,
    block: Option<Span>,
}

/// Explains what is planned for an instance, or what is under a path of it; and after it whatever else brings that about.
pub(crate) fn explain(session: &mut Session, project: &Project, wanted: &Subject, path: Option<&str>) -> Result<Vec<Explanation>, Failure> {
    let runtime = Session::runtime()?;
    let state = session.remembered()?;
    let mut known = Answers::new();
    let plan = session.plan_again(&runtime, project, state.clone(), &mut known);
    if plan.is_errored() {
        return Err(Failure(plan.diagnostics));
    }
    session.view.diagnostics(&session.sources, &plan.diagnostics);
    let first = meant(&plan, wanted)?;
    let former = former(session, &state);
    let mut explaining = Explaining { runtime, project, state, known, plan, former };
    let mut explanations = Vec::new();
    let mut open = vec![first.clone()];
    let mut done = BTreeSet::new();
    while let Some(address) = open.pop() {
        if done.insert(address.clone())
            && let Some(change) = explaining.plan.change(&address).cloned()
        {
            open.extend(brought_about_by(&change.reason).into_iter().rev());
            let path = path.filter(|_| address == first);
            explanations.push(explaining.one(session, change, path)?);
        }
    }
    Ok(explanations)
}

/// The one instance that is meant.
fn meant(plan: &Plan, wanted: &Subject) -> Result<Address, Failure> {
    if let Subject::Resource(address) = wanted
        && plan.change(address).is_some()
    {
        return Ok(address.clone());
    }
    let covered = |change: &&Change| change.address.member.is_none() && change.deposed.is_none() && wanted.covers(&change.address);
    let all: Vec<_> = plan.changes.iter().filter(covered).map(|change| &change.address).collect();
    match all.as_slice() {
        [only] => Ok((*only).clone()),
        [] => {
            let failure = Failure::one("address not found", format!("neither the configuration nor the state has `{wanted}`"));
            let names: Vec<_> = plan.changes.iter().map(|change| change.address.to_string()).collect();
            Err(match did_you_mean(&wanted.to_string(), names.iter().map(String::as_str)) {
                Some(near) => failure.help(&format!("Did you mean `{near}`?")),
                None => failure.help("`meshplan plan` and `meshplan state list` show addresses."),
            })
        }
        [first, ..] => {
            let detail = format!("`{wanted}` stands for {} instances, and one at a time is explained", all.len());
            Err(Failure::one("several are meant", detail).help(&format!("Name one, as in `{first}`.")))
        }
    }
}

/// The configuration that the last whole apply had, or the last one if none was whole. What cannot be read is not compared with.
fn former(session: &mut Session, state: &State) -> Option<Former> {
    let history = history::of(session).ok()?;
    let numbers: Vec<_> = history.numbers().ok()?.into_iter().rev().collect();
    let applied = |number: &u64| history.configuration(*number, &state.secret_key).is_ok_and(|snapshot| snapshot.is_some());
    let whole = |number: &&u64| history.head(**number).is_ok_and(|head| head.ending == Ending::Complete);
    let number = numbers.iter().filter(whole).find(|number| applied(number)).or_else(|| numbers.iter().find(|number| applied(number)));
    let planning = Planning { assignments: Assignments::default(), refresh: false, preview: Previewer::Offline };
    let sources = session.sources.clone();
    let project = history::project(session, &planning, Some(*number?)).ok();
    let sources = std::mem::replace(&mut session.sources, sources);
    Some(Former { number: *number?, project: project?, sources, known: Answers::new() })
}

/// What else a reason names: it is explained as well.
fn brought_about_by(reason: &Reason) -> Vec<Address> {
    match reason {
        Reason::PlaceReplaced(place) | Reason::AnotherPlace(place) | Reason::PlaceDestroyed(place) => vec![place.clone()],
        Reason::ReadAfter(addresses) => addresses.clone(),
        Reason::Triggered(by) => by.parse().into_iter().collect(),
        _ => Vec::new(),
    }
}

impl Explaining<'_> {
    fn one(&mut self, session: &Session, change: Change, path: Option<&str>) -> Result<Explanation, Failure> {
        let difference = differing(&change);
        let paths = explained_paths(&change, &difference, path)?;
        let asked = Asked { address: &change.address, paths: &paths };
        let found = session.ask_again(&self.runtime, (self.project, self.state.clone()), &mut self.known, |walk| look(walk, &asked));
        let former = self.former.as_mut().map(|former| {
            let found =
                session.ask_again(&self.runtime, (&former.project, self.state.clone()), &mut former.known, |walk| look(walk, &asked));
            (found, &former.sources)
        });
        let then = former.as_ref().map(|(found, _)| values(found));
        let telling = Telling { sources: &session.sources, project: self.project, then: then.as_ref() };
        let mut parts = Vec::new();
        for (path, causes) in paths.iter().zip(&found.causes) {
            let leaves = difference.leaves.iter().filter(|leaf| path.is_empty() || leaf.path == *path).cloned().collect();
            let causes = telling.told(causes);
            match parts.last_mut() {
                Some(Part { leaves: before, causes: same, .. }) if *same == causes => before.extend(leaves),
                _ => parts.push(Part { path: path.clone(), leaves, causes }),
            }
        }
        let comes_or_goes = !matches!(change.action, Action::Keep | Action::Update | Action::Import | Action::Settle);
        let occasions = if comes_or_goes && change.address.member.is_none() { telling.told(&found.occasions) } else { Vec::new() };
        let gone = match (found.block, &former) {
            (None, Some((found, sources))) => found.block.map(|block| place(sources, block)),
            _ => None,
        };
        let block = found.block.map(|block| place(&session.sources, block));
        let compared = self.former.as_ref().map(|former| former.number);
        Ok(Explanation { change, block, gone, occasions, parts, compared })
    }
}

/// The paths that are explained: those asked for, or those that differ.
fn explained_paths(change: &Change, difference: &Difference, path: Option<&str>) -> Result<Vec<String>, Failure> {
    let Some(path) = path else {
        let all = difference.leaves.iter().map(|leaf| leaf.path.clone());
        return Ok(if change.address.member.is_some() { vec![String::new()] } else { all.collect() });
    };
    let wrong =
        || Failure::one("no such path", format!("`{path}` is no path of an attribute")).help("Write it as plans do: `spec.ports[0].name`.");
    let wanted = steps(path).filter(|steps| !steps.is_empty()).ok_or_else(wrong)?;
    let has = |value: &Option<Value>| value.as_ref().is_some_and(|value| value.entries().iter().any(|entry| entry.key == wanted[0]));
    if !has(&change.before) && !has(&change.after) {
        let values = [&change.after, &change.before];
        let names: Vec<_> =
            values.iter().filter_map(|value| value.as_ref()).flat_map(|value| value.entries().iter().map(|entry| &*entry.key)).collect();
        let failure = Failure::one("no such path", format!("`{}` has no attribute `{}`", change.address, wanted[0]));
        return Err(match did_you_mean(&wanted[0], names) {
            Some(near) => failure.help(&format!("Did you mean `{near}`?")),
            None => failure,
        });
    }
    let below = |leaf: &&Leaf| leaf.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let mut paths: Vec<_> = difference.leaves.iter().filter(below).map(|leaf| leaf.path.clone()).collect();
    if paths.is_empty() {
        paths.push(path.to_owned());
    }
    Ok(paths)
}

/// What differs in place.
fn differing(change: &Change) -> Difference {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => Difference::between(before, after),
        _ => Difference::default(),
    }
}

fn look(walk: &mut Walk<'_>, asked: &Asked<'_>) -> Found {
    let causes = asked.paths.iter().map(|path| walk.causes(asked.address, &steps(path).unwrap_or_default())).collect();
    Found { causes, occasions: walk.occasions(asked.address), block: walk.block_at(asked.address) }
}

/// What everything came to, by name.
fn values(found: &Found) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    for cause in found.causes.iter().flatten().chain(&found.occasions) {
        cause.each(&mut |cause| {
            values.insert(cause.name.clone(), cause.value.clone());
        });
    }
    values
}

/// Where a span is, for people: `main.mesh.hcl:12`, or what was typed.
fn place(sources: &SourceTree, at: Span) -> String {
    let path = sources.file(at.file).map_or("?", |file| &file.path);
    match sources.position(at) {
        Some((line, _)) if Path::new(path).extension().is_some_and(|extension| extension == "hcl") => format!("{path}:{line}"),
        _ => path.to_owned(),
    }
}

/// The line on which a span begins.
fn line(sources: &SourceTree, at: Span) -> Option<String> {
    let text = &sources.file(at.file)?.text;
    let start = text.get(..at.start as usize)?.rfind('\n').map_or(0, |end| end + 1);
    text[start..].lines().next().map(|line| line.trim().to_owned())
}

struct Telling<'a> {
    sources: &'a SourceTree,
    project: &'a Project,
    /// What everything came to then, if that is known.
    then: Option<&'a BTreeMap<String, Value>>,
}

impl Telling<'_> {
    /// Causes as they are told: those that changed, and what they came from. All of them if none did, or if that is not known.
    fn told(&self, causes: &[Cause]) -> Vec<Told> {
        let all: Vec<_> = causes.iter().map(|cause| self.one(cause)).collect();
        if all.iter().any(Told::differs) { all.into_iter().filter(Told::differs).map(Told::without_same).collect() } else { all }
    }

    fn one(&self, cause: &Cause) -> Told {
        let was = match self.then.map(|then| then.get(&cause.name)) {
            None => Was::Unasked,
            Some(None) => Was::Missing,
            Some(Some(before)) if Difference::between(before, &cause.value).leaves.is_empty() => Was::Same,
            Some(Some(before)) => Was::Other(before.clone()),
        };
        let variable = cause.name.strip_prefix("var.").filter(|_| cause.written == Written::Variable);
        let given = variable.map(|name| name.split(['.', '[']).next().unwrap_or(name)).map(|name| self.project.given.get(name));
        let place = match given {
            Some(Some(at)) => place(self.sources, *at),
            Some(None) => format!("{} (default)", place(self.sources, cause.at)),
            None => place(self.sources, cause.at),
        };
        let line = (cause.written == Written::Argument).then(|| line(self.sources, cause.at)).flatten();
        Told {
            name: cause.name.clone(),
            place,
            line,
            was,
            value: cause.value.clone(),
            from: cause.from.iter().map(|cause| self.one(cause)).collect(),
        }
    }
}
