//! `host_vip`: an additional address of an interface.

pub(crate) mod assignment;
mod kind;
pub(crate) mod unit;

use crate::account::may_set_addresses;
use crate::effect::{Effect, Hands};
use crate::procedure::{Procedure, Seen};
use assignment::{Assignment, Claim, no_device, not_ours};
use engine::diagnostic::Diagnostic;
use engine::port::{BoxFuture, Done, Failure, Request};
use engine::question::{Answer, Proposal};
use engine::schema::Kind;
use engine::state::Record;
use engine::value::Value;
use kind::{VipKind, assignment, completed, without_address};
use std::sync::Arc;

pub(crate) use kind::identity;

/// `host_vip`.
#[derive(Default)]
pub(crate) struct HostVip {
    kind: Arc<VipKind>,
}

/// What is there in the shape of the attributes, in the words of those that were asked for.
fn observed(attributes: &Value, known: &Assignment, seen: &crate::network::Network) -> Option<Value> {
    let there = seen.assigned(&known.device, known.address, known.prefix_length)?;
    let label = there.label.as_deref().filter(|label| *label != known.device || attributes.text("label") == Some(label));
    let text = |text: Option<String>| text.map_or_else(Value::null, Value::string);
    let stays = if is_persistent(attributes) { unit::is_there(known) } else { unit::is_left(known) };
    let found = [
        ("broadcast", text(there.broadcast.map(|broadcast| broadcast.to_string()))),
        ("label", text(label.map(str::to_owned))),
        ("persistent", Value::bool(stays)),
    ];
    let asked = attributes.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone()));
    Some(completed(&Value::object(asked.chain(found.map(|(name, value)| (name.into(), value))))))
}

/// Why an address cannot be set, as far as that shows before.
fn obstacle(wanted: &Assignment, arguments: &Value, seen: &crate::network::Network) -> Option<Diagnostic> {
    if seen.link(&wanted.device).is_none() {
        let help = "Name one of these; `ip link` shows what they are.";
        return Some(Diagnostic::error("unknown device", no_device(&wanted.device, seen)).help(help));
    }
    if let Some(elsewhere) = seen.elsewhere(&wanted.device, wanted.address, wanted.prefix_length) {
        let help = "Remove it there, or use an address that is free.";
        return Some(Diagnostic::error("address elsewhere", elsewhere).help(help));
    }
    if seen.assigned(&wanted.device, wanted.address, wanted.prefix_length).is_some() {
        let help = format!("Import it by the id `{}`, remove it, or use another address.", kind::id(wanted));
        return Some(Diagnostic::error("exists, not ours", not_ours(wanted)).help(help));
    }
    let lacking = unit::missing().filter(|_| is_persistent(arguments))?;
    Some(Diagnostic::error("no systemd", lacking).help("Leave `persistent` out: an apply sets the address again after a start."))
}

fn is_persistent(attributes: &Value) -> bool {
    attributes.get("persistent").and_then(Value::as_bool) == Some(true)
}

fn is_up(device: &str, seen: &crate::network::Network) -> bool {
    seen.link(device).is_none_or(|link| link.is_up)
}

impl HostVip {
    async fn look(record: &Record, seen: &Seen) -> Answer {
        let Some(known) = assignment(&record.attributes) else { return Answer::Unreachable("its record is incomplete".into()) };
        match seen.network().await {
            Ok(seen) => match observed(&record.attributes, &known, seen) {
                Some(found) => Answer::Present(found),
                None if unit::is_left(&known) => Answer::Present(without_address(&record.attributes)),
                None => Answer::Absent,
            },
            Err(why) => Answer::Unreachable(why.into()),
        }
    }

    async fn look_at_import(proposal: &Proposal, seen: &Seen) -> Answer {
        let Some(wanted) = assignment(&proposal.arguments) else { return Answer::Unreachable("part of it is not known yet".into()) };
        let seen = match seen.network().await {
            Ok(seen) => seen,
            Err(why) => return Answer::Unreachable(why.into()),
        };
        let Some(found) = observed(&proposal.arguments, &wanted, seen) else { return Answer::Absent };
        Answer::Present(found.with_entries([("attributes", found.clone())]))
    }

    async fn foresee(proposal: &Proposal, seen: &Seen, hands: &Hands) -> Answer {
        let arguments = &proposal.arguments;
        let Some(wanted) = assignment(arguments) else { return Answer::Unreachable("part of it is not known yet".into()) };
        let network = match seen.network().await {
            Ok(network) => network,
            Err(why) => return Answer::Unreachable(why.into()),
        };
        if proposal.id.is_none()
            && proposal.uid.is_none()
            && let Some(problem) = obstacle(&wanted, arguments, network)
        {
            return Answer::Refused(problem);
        }
        let lacking = hands.lacking(may_set_addresses()).await.map_or_else(Value::null, Value::string);
        let down = if is_up(&wanted.device, network) { Value::null() } else { Value::string(wanted.device.as_str()) };
        Answer::Present(Value::object([("rights", lacking), ("down", down)]))
    }

    async fn put(request: &Request, hands: &Hands) -> Result<Done, Failure> {
        let arguments = &request.arguments;
        let wanted = assignment(arguments).ok_or_else(incomplete)?;
        let claim = if request.prior.is_some() { Claim::Ours } else { Claim::Foreign };
        let mut effects = vec![Effect::Assign(wanted.clone(), claim)];
        if is_persistent(arguments) {
            effects.push(Effect::Write(unit::writing(&wanted)));
            effects.push(Effect::Enable(unit::name(&wanted)));
        } else if unit::is_left(&wanted) {
            effects.push(Effect::Disable(unit::name(&wanted)));
            effects.push(Effect::Remove(unit::removal(&wanted)));
        }
        hands.perform(effects).await?;
        Ok(Done::new(completed(arguments)))
    }

    async fn take_back(request: &Request, hands: &Hands) -> Result<(), Failure> {
        let Some(prior) = &request.prior else { return Ok(()) };
        let known = assignment(&prior.attributes).ok_or_else(incomplete)?;
        let mut effects = Vec::new();
        if unit::is_left(&known) {
            effects.push(Effect::Disable(unit::name(&known)));
            effects.push(Effect::Remove(unit::removal(&known)));
        }
        effects.push(Effect::Withdraw(known));
        hands.perform(effects).await
    }
}

fn incomplete() -> Failure {
    Failure::new("address not set", "its device or address is not known")
}

impl Procedure for HostVip {
    fn kind(&self) -> Arc<dyn Kind> {
        self.kind.clone()
    }

    fn read<'a>(&'a self, record: &'a Record, seen: &'a Seen) -> BoxFuture<'a, Answer> {
        Box::pin(Self::look(record, seen))
    }

    fn preview<'a>(&'a self, proposal: &'a Proposal, seen: &'a Seen, hands: &'a Hands) -> BoxFuture<'a, Answer> {
        Box::pin(Self::foresee(proposal, seen, hands))
    }

    fn import<'a>(&'a self, proposal: &'a Proposal, seen: &'a Seen) -> BoxFuture<'a, Answer> {
        Box::pin(Self::look_at_import(proposal, seen))
    }

    fn write<'a>(&'a self, request: &'a Request, hands: &'a Hands) -> BoxFuture<'a, Result<Done, Failure>> {
        Box::pin(Self::put(request, hands))
    }

    fn delete<'a>(&'a self, request: &'a Request, hands: &'a Hands) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(Self::take_back(request, hands))
    }
}
