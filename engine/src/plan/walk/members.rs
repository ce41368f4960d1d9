//! Manifest sets: one resource that renders many objects, each with an address, a record and a line of its own.

use super::Walk;
use super::instance::{Found, Subject, diagnosed};
use super::range::{LEFT_OUT, is_left_out};
use super::tables::{Fate, MemberPlan, Planned, Rendered, Terms, Waits};
use crate::address::{Address, Mode};
use crate::diagnostic::{Diagnostic, Problems};
use crate::plan::{Action, Reason};
use crate::question::{Answer, Ask, Question};
use crate::schema::{Member, Placeholders, Problem};
use crate::value::{Data, Secrets, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Walk<'_> {
    /// Plans the members of a set, and the set after them; nothing while one is open.
    pub(super) fn plan_members(&mut self, subject: &Subject<'_>, mut planned: Planned) -> Result<Option<Planned>, Problems> {
        let set = match self.expanded(subject)? {
            Expansion::None => return Ok(Some(planned)),
            Expansion::Open => return Ok(None),
            Expansion::Set(set) => set,
        };
        let members = &set.members;
        let ordered = ordered(members, subject)?;
        let mut plans: Vec<MemberPlan> = Vec::with_capacity(members.len());
        let mut open = false;
        for at in ordered {
            let member = &members[at];
            let address = subject.address.with_member(&member.key);
            let after: Vec<Address> = member.after.iter().map(|key| subject.address.with_member(key)).collect();
            let rendered = has_hole(&member.arguments);
            let plan = MemberPlan {
                address: address.clone(),
                key: member.key.as_str().into(),
                arguments: member.arguments.clone(),
                rendered,
                template: set.templates.get(&member.key).cloned(),
            };
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

    /// The members of a set, rendered outside where that tells them.
    fn expanded(&mut self, subject: &Subject<'_>) -> Result<Expansion, Problems> {
        let told = |problem| vec![diagnosed(problem, subject.span)];
        let Some(rendering) = subject.kind.rendering(subject.arguments) else {
            let Some(members) = subject.kind.members(subject.arguments) else { return Ok(Expansion::None) };
            let (members, placeholders) = (members.map_err(told)?, Placeholders::default());
            return Ok(Expansion::Set(Arc::new(Rendered { question: None, members, templates: BTreeMap::new(), placeholders })));
        };
        let (input, placeholders) = rendering.and_then(|rendering| Placeholders::put(&rendering)).map_err(told)?;
        let provider = self.providers.configuration(subject.address, self.catalogue);
        let (address, kind) = (subject.address.clone(), subject.kind.schema().kind.into());
        let ask = Ask::Render { address, kind, provider, input: input.clone() };
        let question = Question::new(ask.clone()).key().clone();
        if let Some(known) = self.tables.renderings.get(subject.address).filter(|known| known.question.as_ref() == Some(&question)) {
            return Ok(Expansion::Set(known.clone()));
        }
        let Some(answer) = self.ask(ask) else { return Ok(Expansion::Open) };
        let secrets = Secrets::of([&input]);
        let rendered = match answer.without(&secrets) {
            Answer::Present(rendered) => rendered.sensitive_if(input.holds_sensitive()),
            Answer::Refused(problem) => return Err(vec![problem.at(subject.span)]),
            Answer::Unreachable(why) => return Err(vec![not_rendered(subject, &why)]),
            Answer::Absent | Answer::Conflict(_) => return Err(vec![not_rendered(subject, "there is nothing to render")]),
        };
        for remark in rendered.get("remarks").map(Value::items).unwrap_or_default().iter().filter_map(Value::as_str) {
            let remark = Diagnostic::warning("remark while rendering", secrets.hidden_in(remark)).at(subject.span).about(subject.address);
            self.tables.diagnostics.push(remark);
        }
        let members = subject.kind.rendered(subject.arguments, &rendered).map_err(told)?;
        let set = Arc::new(opened(members, placeholders, question).map_err(told)?);
        self.tables.renderings.insert(subject.address.clone(), set.clone());
        Ok(Expansion::Set(set))
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

/// What a resource expands to.
enum Expansion {
    /// It is no set.
    None,
    /// It is not rendered yet.
    Open,
    /// These members.
    Set(Arc<Rendered>),
}

fn not_rendered(subject: &Subject<'_>, why: &str) -> Diagnostic {
    Diagnostic::error("not rendered", format!("`{}` could not be rendered: {why}", subject.address)).at(subject.span)
}

/// Members that were rendered with placeholders, with unknowns in their place.
fn opened(members: Vec<Member>, placeholders: Placeholders, question: Arc<str>) -> Result<Rendered, Problem> {
    let mut templates = BTreeMap::new();
    let mut opened = Vec::with_capacity(members.len());
    for member in members {
        let unfit = |key: &str| {
            let detail = format!(
                "`{key}` is rendered with what is known only after apply in a name or a key, and which objects and fields there are has to be known \
                 when planning"
            );
            Problem::new("name not known when rendering", detail)
        };
        if placeholders.stand_in(&member.key) {
            return Err(unfit(&member.key));
        }
        let arguments = placeholders.taken_out(&member.arguments).map_err(|_| unfit(&member.key))?;
        if !placeholders.values().is_empty() {
            templates.insert(member.key.clone(), member.arguments);
        }
        opened.push(Member { arguments, ..member });
    }
    Ok(Rendered { question: Some(question), members: opened, templates, placeholders })
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
