//! Manifest sets: one resource that renders many objects, each with an address, a record and a line of its own.

use super::Walk;
use super::instance::{Found, Subject, diagnosed};
use super::range::{LEFT_OUT, is_left_out};
use super::tables::{Fate, MemberPlan, Planned, Terms, Waits};
use crate::address::{Address, Mode};
use crate::diagnostic::{Diagnostic, Problems};
use crate::plan::{Action, Reason};
use crate::schema::Member;
use crate::value::{Data, Value};
use std::collections::BTreeMap;

impl Walk<'_> {
    /// Plans the members of a set, and the set after them; nothing while one is open.
    pub(super) fn plan_members(&mut self, subject: &Subject<'_>, mut planned: Planned) -> Result<Option<Planned>, Problems> {
        let Some(rendered) = subject.kind.members(subject.arguments) else { return Ok(Some(planned)) };
        let members = rendered.map_err(|problem| vec![diagnosed(problem, subject.span)])?;
        let ordered = ordered(&members, subject)?;
        let mut plans: Vec<MemberPlan> = Vec::with_capacity(members.len());
        let mut open = false;
        for at in ordered {
            let member = &members[at];
            let address = subject.address.with_member(&member.key);
            let after: Vec<Address> = member.after.iter().map(|key| subject.address.with_member(key)).collect();
            let rendered = has_hole(&member.arguments);
            let plan =
                MemberPlan { address: address.clone(), key: member.key.as_str().into(), arguments: member.arguments.clone(), rendered };
            match self.plan_member(subject, &planned, (member, &address, &after))? {
                Some(Fate::Planned(_) | Fate::Failed) => {}
                Some(Fate::Blocked(why)) if is_left_out(&why) => {}
                Some(Fate::Blocked(why)) if planned.unread.is_some() => {
                    self.tables.fates.insert(address.clone(), Fate::Blocked(why));
                }
                Some(Fate::Blocked(why)) => {
                    let detail = format!("`{address}` could not be observed: {why}");
                    self.tables.fates.insert(address.clone(), Fate::Blocked(why));
                    self.tables.diagnostics.push(Diagnostic::warning("member not observed", detail));
                }
                None => {
                    open = true;
                    continue;
                }
            }
            plans.push(plan);
        }
        if open {
            return Ok(None);
        }
        let is_seen = |member: &&MemberPlan| !matches!(self.tables.fates.get(&member.address), Some(Fate::Blocked(_)));
        let seen: Vec<_> = plans.iter().filter(is_seen).map(|member| &member.address).collect();
        let mut all: Vec<_> = seen.into_iter().map(|address| self.arena.origins.instance(address)).collect();
        all.push(planned.edges);
        planned.edges = self.arena.origins.join(&all);
        planned.members = Some(plans);
        self.follow_members(&mut planned);
        Ok(Some(planned))
    }

    /// Plans one member unless that is done; nothing while it is open.
    fn plan_member(
        &mut self,
        subject: &Subject<'_>,
        set: &Planned,
        (member, address, after): (&Member, &Address, &[Address]),
    ) -> Result<Option<Fate>, Problems> {
        if let Some(fate) = self.tables.fates.get(address) {
            return Ok(Some(fate.clone()));
        }
        if self.inputs.aims.excludes(address) {
            let fate = Fate::Blocked(LEFT_OUT.into());
            self.tables.fates.insert(address.clone(), fate.clone());
            return Ok(Some(fate));
        }
        let Some(kind) = self.catalogue.get(Mode::Managed, member.kind).cloned() else {
            let detail = format!("`{}` renders members of the kind `{}`, which nobody provides", subject.kind.schema().kind, member.kind);
            return Err(vec![Diagnostic::error("unknown member kind", detail).at(subject.span)]);
        };
        let mut edges = vec![subject.edges];
        edges.extend(after.iter().map(|address| self.arena.origins.instance(address)));
        let edges = self.arena.origins.join(&edges);
        let inner = Subject { address, kind: &kind, arguments: &member.arguments, edges, span: subject.span };
        let exceptions = &mut self.exceptions;
        let errors: Problems = kind
            .validate(&member.arguments)
            .into_iter()
            .filter(|problem| !problem.warning && !exceptions.cover(problem.rule, address))
            .map(|problem| diagnosed(problem, subject.span).about(address))
            .collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let timeouts = set.terms.waits.as_ref().map(|waits| waits.timeouts.clone());
        let waits = timeouts.map(|timeouts| Box::new(Waits { timeouts, ..Waits::default() }));
        let terms = Terms { prevent_destroy: set.terms.prevent_destroy, waits, ..Terms::default() };
        let Found::Fate(mut fate) = self.plan_resource(&inner, terms)? else { return Ok(None) };
        if let Fate::Planned(planned) = &mut fate {
            if self.is_to_be_replaced(address) {
                Self::trigger(planned, Reason::Requested);
            }
            if let Some(because) = self.taken_along(address) {
                Self::take_along(planned, because);
            }
            Self::allowed(&inner, planned)
                .map_err(|problems| problems.into_iter().map(|problem| problem.about(address)).collect::<Problems>())?;
        }
        self.tables.fates.insert(address.clone(), fate.clone());
        Ok(Some(fate))
    }

    /// A set whose members change has computed attributes that are read again, whatever its own arguments say.
    fn follow_members(&mut self, planned: &mut Planned) {
        let members = planned.members.as_deref().unwrap_or_default();
        let changed = members.iter().any(|member| self.tables.planned(&member.address).is_some_and(|member| member.action.is_change()));
        if changed && planned.action == Action::Keep && planned.settles {
            planned.action = Action::Settle;
            planned.reason = Reason::MembersChange;
            let made =
                |member: &Planned| matches!(member.action, Action::Create | Action::Import | Action::Replace | Action::ReplaceCreateFirst);
            if members.iter().any(|member| self.tables.planned(&member.address).is_some_and(made)) {
                planned.attributes = read_again(planned);
            }
        }
    }
}

/// The attributes of a set of which a member is made anew: what its kind finds out from members, such as a token, is not known any more.
fn read_again(planned: &Planned) -> Value {
    let schema = planned.kind.schema();
    Value::object(planned.attributes.entries().iter().map(|entry| {
        let found_out = schema.attribute(&entry.key).filter(|attribute| attribute.volatile);
        let value = found_out.map(|attribute| Value::unknown(attribute.ty.clone()).sensitive_if(attribute.sensitive));
        (entry.key.clone(), value.unwrap_or_else(|| entry.value.clone()))
    }))
}

/// The members in an order that puts each after those it names.
fn ordered(members: &[Member], subject: &Subject<'_>) -> Result<Vec<usize>, Problems> {
    let mut by_key = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        if by_key.insert(member.key.as_str(), at).is_some() {
            let detail = format!("`{}` holds `{}` twice", subject.address, member.key);
            return Err(vec![Diagnostic::error("duplicate member", detail).at(subject.span)]);
        }
    }
    let mut edges = Vec::new();
    for (at, member) in members.iter().enumerate() {
        edges.extend(member.after.iter().filter_map(|key| by_key.get(key.as_str())).map(|needed| (at, *needed)));
    }
    crate::graph::order(members.len(), &edges).map_err(|_| {
        let detail = format!("the members of `{}` wait for each other in a circle", subject.address);
        vec![Diagnostic::error("circular members", detail).at(subject.span)]
    })
}

/// Whether an unknown within has no computation of its own.
fn has_hole(value: &Value) -> bool {
    match value.data() {
        Data::Unknown(_, thunk) => thunk.is_none(),
        _ => !value.is_known() && value.parts().any(has_hole),
    }
}
