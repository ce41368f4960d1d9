//! `host_resolver`: who answers names on the machine.

mod kind;
mod settings_file;

use crate::account::own_user;
use crate::effect::{Effect, Hands};
use crate::file::disk::{There, look, unwritable};
use crate::procedure::{Procedure, Seen};
use engine::diagnostic::Diagnostic;
use engine::port::{BoxFuture, Done, Failure, Request};
use engine::question::{Answer, Proposal};
use engine::schema::{Kind, Problem};
use engine::state::{Operation, Record, Status};
use engine::value::Value;
use kind::{ALL, ResolverKind, completed, texts};
use settings_file::{Mechanism, Served};
use std::future::ready;
use std::path::Path;
use std::sync::Arc;

/// `host_resolver`.
#[derive(Default)]
pub(crate) struct HostResolver {
    kind: Arc<ResolverKind>,
}

/// The way names are resolved on this machine.
///
/// Errors: what stands in the way of changing it.
fn mechanism() -> Result<Mechanism, Problem> {
    let path = Path::new(settings_file::RESOLV_CONF);
    let is_resolveds = std::fs::canonicalize(path).is_ok_and(|target| target.starts_with(settings_file::RESOLVED));
    let text = std::fs::read_to_string(path).unwrap_or_default();
    if Path::new(settings_file::RESOLVED).is_dir() && (is_resolveds || settings_file::asks_resolved(&text)) {
        return Ok(Mechanism::Resolved);
    }
    match look(path) {
        Ok(There::Other(what)) => {
            let detail = format!("`{}` is {what}: another program writes it, and would undo what is written into it", path.display());
            let help = "Let systemd-resolved resolve the names of this machine, or make it a file of its own.";
            Err(Problem::new("resolver of another program", detail).help(help))
        }
        Ok(There::File(..) | There::Nothing) => Ok(Mechanism::ResolvConf),
        Err(error) => Err(Problem::new("resolver of another program", format!("`{}` cannot be read: {error}", path.display()))),
    }
}

fn recorded(attributes: &Value) -> Option<Mechanism> {
    Mechanism::named(attributes.text("mechanism")?)
}

fn name(attributes: &Value) -> &str {
    attributes.text("name").unwrap_or_default()
}

fn wanted(arguments: &Value) -> Served {
    let domains = texts(arguments, "domains").into_iter().filter(|domain| domain != ALL).collect();
    Served { nameservers: texts(arguments, "nameservers"), domains }
}

fn list(texts: &[String]) -> Value {
    Value::tuple(texts.iter().map(|text| Value::string(text.as_str())).collect())
}

fn observe(record: &Record) -> Answer {
    // A create that was cut short before it was known how names are resolved is looked for where it would have written.
    let Some(mechanism) = recorded(&record.attributes).or_else(|| mechanism().ok()) else { return Answer::Absent };
    match mechanism.read(name(&record.attributes)) {
        // Whether systemd-resolved was told to read what is left cannot be seen: it is told again.
        Ok(None) if mechanism == Mechanism::Resolved && record.status == Status::Interrupted(Operation::Delete) => {
            Answer::Present(record.attributes.clone())
        }
        Ok(None) => Answer::Absent,
        Ok(Some(served)) => {
            let domains = if served.domains.is_empty() { list(&[ALL.to_owned()]) } else { list(&served.domains) };
            let found = [("nameservers", list(&served.nameservers)), ("domains", domains), ("mechanism", Value::string(mechanism.name()))];
            let kept = record.attributes.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone()));
            Answer::Present(Value::object(kept.chain(found.map(|(name, value)| (name.into(), value)))))
        }
        Err(error) => {
            Answer::Unreachable(format!("`{}` cannot be read: {error}", mechanism.file(name(&record.attributes)).display()).into())
        }
    }
}

async fn foresee(proposal: &Proposal, hands: &Hands) -> Answer {
    let mechanism = match mechanism() {
        Ok(mechanism) => mechanism,
        Err(problem) => {
            let told = Diagnostic::error(problem.summary, problem.detail);
            return Answer::Refused(Diagnostic { help: problem.help, ..told });
        }
    };
    let file = mechanism.file(name(&proposal.arguments));
    if proposal.id.is_none() && mechanism.read(name(&proposal.arguments)).is_ok_and(|there| there.is_some()) {
        let detail =
            format!("`{}` holds name servers called `{}` already, and not by this resource", file.display(), name(&proposal.arguments));
        return Answer::Refused(Diagnostic::error("exists, not ours", detail).help("Give yours another `name`, or take those out."));
    }
    let own = match unwritable(&file, None) {
        None if mechanism == Mechanism::ResolvConf || own_user() == 0 => Ok(()),
        None => Err("only root restarts `systemd-resolved`".to_owned()),
        Some(why) => Err(why),
    };
    let lacking = hands.lacking(own).await.map_or_else(Value::null, Value::string);
    Answer::Present(Value::object([
        ("mechanism", Value::string(mechanism.name())),
        ("rights", lacking),
        ("undivided", Value::bool(mechanism == Mechanism::ResolvConf && !wanted(&proposal.arguments).domains.is_empty())),
    ]))
}

async fn put(request: &Request, hands: &Hands) -> Result<Done, Failure> {
    let known = request.prior.as_ref().and_then(|prior| recorded(&prior.attributes));
    let mechanism = match known {
        Some(mechanism) => mechanism,
        None => mechanism().map_err(|problem| Failure::new(problem.summary, problem.detail))?,
    };
    let name = name(&request.arguments);
    if request.prior.is_none() && mechanism.read(name).is_ok_and(|there| there.is_some()) {
        let detail = format!("`{}` holds name servers called `{name}` already", mechanism.file(name).display());
        return Err(Failure::new("exists, not ours", detail));
    }
    hands.perform(effects(mechanism, name, Some(&wanted(&request.arguments)))).await?;
    Ok(Done::new(completed(&request.arguments, Value::string(mechanism.name()))))
}

async fn take_back(request: &Request, hands: &Hands) -> Result<(), Failure> {
    let Some(prior) = &request.prior else { return Ok(()) };
    let Some(mechanism) = recorded(&prior.attributes).or_else(|| mechanism().ok()) else { return Ok(()) };
    hands.perform(effects(mechanism, name(&prior.attributes), None)).await
}

/// What lets these be asked, or nobody of that name any more.
fn effects(mechanism: Mechanism, name: &str, served: Option<&Served>) -> Vec<Effect> {
    match mechanism {
        Mechanism::ResolvConf => vec![Effect::Resolve { name: name.to_owned(), served: served.cloned() }],
        Mechanism::Resolved => {
            let file = match served {
                Some(served) => Effect::Write(settings_file::drop_in(name, served)),
                None => Effect::Remove(settings_file::no_drop_in(name)),
            };
            vec![file, Effect::Reload("systemd-resolved.service".to_owned())]
        }
    }
}

pub(crate) use settings_file::{Served as ServedNames, edit};

impl Procedure for HostResolver {
    fn kind(&self) -> Arc<dyn Kind> {
        self.kind.clone()
    }

    fn read<'a>(&'a self, record: &'a Record, _: &'a Seen) -> BoxFuture<'a, Answer> {
        Box::pin(ready(observe(record)))
    }

    fn preview<'a>(&'a self, proposal: &'a Proposal, _: &'a Seen, hands: &'a Hands) -> BoxFuture<'a, Answer> {
        Box::pin(foresee(proposal, hands))
    }

    fn write<'a>(&'a self, request: &'a Request, hands: &'a Hands) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(put(request, hands))
    }

    fn delete<'a>(&'a self, request: &'a Request, hands: &'a Hands) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(take_back(request, hands))
    }
}
