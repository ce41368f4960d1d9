//! What exists already and is managed from now on: `import` blocks, and what takes over whatever is there.

use super::describe::{Described, Sought};
use super::instance::{Found, Subject, diagnosed};
use super::tables::{Binding, Fate, Instances, Keys, Planned as PlannedInstance, Terms};
use super::{FAILED, Site, Walk};
use crate::address::{Address, AddressParts, Key, Mode, ModulePath};
use crate::config::{Expr, ImportBlock, ResourceName};
use crate::diagnostic::{Diagnostic, Problems};
use crate::plan::{Action, Inputs, Reason, Undescribed};
use crate::question::{Answer, Ask, Proposal};
use crate::schema::Planned;
use crate::source::Span;
use crate::state::{Operation, Record, Status};
use crate::value::{Flags, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What `import` blocks say, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Imports {
    /// What is to be imported, by the address it gets.
    targets: BTreeMap<Address, Target>,
    /// How things are that no block of a resource describes yet.
    pub(super) described: BTreeMap<Address, Described>,
    /// The blocks that are wholly told, by their indexes, each with why something of it could not be observed.
    told: BTreeMap<usize, Option<Arc<str>>>,
}

/// One thing to import.
#[derive(Debug, Clone)]
struct Target {
    id: Arc<str>,
    /// The place that it lies in, if that is said.
    place: Option<Address>,
    /// The block that says so, unless it was asked for without one.
    span: Option<Span>,
}

impl Target {
    /// What to do where nothing is there that could be imported.
    fn unless(&self) -> &'static str {
        match self.span {
            Some(_) => "Remove the `import` block: it is created.",
            None => "Let `meshplan apply` create it.",
        }
    }
}

impl Imports {
    /// What the inputs ask for.
    pub(super) fn asked_for(inputs: &Inputs) -> Self {
        let target = |(address, id): (&Address, &Arc<str>)| (address.clone(), Target { id: id.clone(), place: None, span: None });
        Self { targets: inputs.imports.iter().map(target).collect(), ..Self::default() }
    }
}

/// What an expression of an `import` block came to.
pub(super) enum Told {
    Pending,
    Withheld(Arc<str>),
    Value(Value),
}

/// What one instance of an `import` block came to.
enum Named {
    Pending,
    Withheld(Arc<str>),
    Target(Address, Target),
}

impl Walk<'_> {
    /// Visits an `import` block of the root module; false while something of it is open.
    pub(super) fn visit_import(&mut self, at: usize) -> bool {
        let text = self.tables.skeleton.modules[0].module.clone();
        let block = &text.imports[at];
        let (mut found, mut withheld) = (Vec::new(), None);
        match self.keys(&block.repetition, Site::of(0, &ModulePath::root())) {
            Keys::Open => return false,
            Keys::Failed => {}
            Keys::Blocked(why) => withheld = Some(why),
            Keys::Known(bindings) => {
                for binding in &bindings {
                    match self.import_target(block, binding) {
                        Ok(Named::Pending) => return false,
                        Ok(Named::Withheld(why)) => withheld = Some(why),
                        Ok(Named::Target(address, target)) => {
                            let named = Sought { address: &address, id: &target.id, place: target.place.as_ref() };
                            if self.inputs.undescribed == Undescribed::Asked && !self.describe(block, named) {
                                return false;
                            }
                            found.push((address, target));
                        }
                        Err(problems) => self.report(problems),
                    }
                }
            }
        }
        self.imports.told.insert(at, withheld);
        for (address, target) in found {
            if self.inputs.imports.contains_key(&address) {
                continue;
            }
            let Some(first) = self.imports.targets.insert(address.clone(), target) else { continue };
            let detail = format!("`{address}` is one thing, and two are to be imported as it");
            let problem = Diagnostic::error("imported twice", detail).at(block.span).about(&address);
            self.report(vec![first.span.into_iter().fold(problem, |problem, first| problem.related(first, "the first one is here"))]);
        }
        true
    }

    fn import_target(&mut self, block: &ImportBlock, binding: &Binding) -> Result<Named, Problems> {
        let mut keys = Vec::new();
        for (name, key) in block.module.iter().map(|(call, key)| (Some(call), key)).chain([(None, &block.key)]) {
            let key = match key.as_ref().map(|key| self.import_value(key, binding, "a key in `to`")).transpose()? {
                None => Key::None,
                Some(Told::Pending) => return Ok(Named::Pending),
                Some(Told::Withheld(why)) => return Ok(Named::Withheld(why)),
                Some(Told::Value(value)) => key_of(&value).ok_or_else(|| wrong_key(key.as_ref(), block.span))?,
            };
            keys.push((name, key));
        }
        let id = match self.import_value(&block.id, binding, "`id`")? {
            Told::Pending => return Ok(Named::Pending),
            Told::Withheld(why) => return Ok(Named::Withheld(why)),
            Told::Value(value) => value.as_str().filter(|id| !id.is_empty()).map(Arc::from),
        };
        let wrong = || vec![Diagnostic::error("wrong `id`", "`id` takes a text that is not empty").at(block.id.span)];
        let id = id.ok_or_else(wrong)?;
        let place = match block.place.as_ref().map(|place| self.import_place(place, binding)).transpose()? {
            None => None,
            Some(Told::Pending) => return Ok(Named::Pending),
            Some(Told::Withheld(why)) => return Ok(Named::Withheld(why)),
            Some(Told::Value(place)) => place.instance().map(|instance| instance.address.clone()),
        };
        let (mut module, mut own) = (ModulePath::root(), Key::None);
        for (name, key) in keys {
            match name {
                Some(name) => module = module.child(name, key),
                None => own = key,
            }
        }
        let (kind, name) = (block.name.kind.clone(), block.name.name.clone());
        let address = AddressParts { module, mode: Mode::Managed, kind, name, key: own, member: None };
        Ok(Named::Target(address.into(), Target { id, place, span: Some(block.span) }))
    }

    /// The value of a part of an `import` block, which has to be known now and may be shown.
    fn import_value(&mut self, expression: &Expr, binding: &Binding, what: &str) -> Result<Told, Problems> {
        let root = ModulePath::root();
        let site = Site { binding: Some(binding), ..Site::of(0, &root) };
        let value = self.evaluate(expression, site)?;
        if value.flags().has(Flags::PENDING) {
            return Ok(Told::Pending);
        }
        if let Some(why) = value.blocked_why() {
            return Ok(Told::Withheld(why));
        }
        if value.holds_sensitive() {
            let detail = format!("{what} is sensitive, and a plan shows what is imported");
            return Err(vec![Diagnostic::error("sensitive import", detail).at(expression.span)]);
        }
        super::ephemeral::refuse(&value, what, "addresses are stored in the state", expression.span)?;
        if !value.is_known() {
            let detail = format!("{what} is known only after apply, and what is imported is looked at when the plan is made");
            let help = "Let it come from variables, locals or a data source that is read now.";
            return Err(vec![Diagnostic::error("import not known yet", detail).at(expression.span).help(help)]);
        }
        Ok(Told::Value(value))
    }

    /// Plans an instance that an `import` block names and that is not managed yet; nothing for all others.
    pub(super) fn plan_import(
        &mut self,
        subject: &Subject<'_>,
        (record, place): (Option<&Record>, Option<&Address>),
        terms: &Terms,
    ) -> Result<Option<Found>, Problems> {
        if record.is_some_and(|record| record.status != Status::Interrupted(Operation::Import)) {
            return Ok(None);
        }
        let Some(target) = self.imports.targets.get(subject.address).cloned() else { return Ok(self.untold(subject.address)) };
        let observed = match self.look_at_import(subject, (record, place), &target)? {
            Some(Ok(observed)) => observed,
            Some(Err(why)) => return Ok(Some(Found::Fate(Fate::Blocked(why)))),
            None => return Ok(Some(Found::Open)),
        };
        self.plan_found(subject, (place, target.id, observed), terms).map(Some)
    }

    /// Plans an instance that takes over what was found under an id.
    fn plan_found(
        &mut self,
        subject: &Subject<'_>,
        (place, id, observed): (Option<&Address>, Arc<str>, Value),
        terms: &Terms,
    ) -> Result<Found, Problems> {
        let mut planned = PlannedInstance {
            kind: subject.kind.clone(),
            action: Action::Import,
            reason: Reason::Imported { id, changed: Vec::new() },
            arguments: subject.arguments.clone(),
            attributes: Value::null(),
            settles: subject.kind.settles(subject.arguments),
            dies_with_place: false,
            edges: subject.edges,
            members: None,
            unread: None,
            not_previewed: None,
            unpreviewed: None,
            prior: None,
            observed: Some(observed),
            place: place.cloned(),
            terms: terms.clone(),
        };
        if self.decide(subject, &mut planned, None)? {
            return Ok(Found::Open);
        }
        Ok(Found::Fate(Fate::Planned(Box::new(planned))))
    }

    /// Plans an instance that is not managed yet and whose configuration takes over what may be there; nothing if nothing is, or if that
    /// cannot be told before the apply, which then takes it over unseen.
    pub(super) fn plan_adoption(
        &mut self,
        subject: &Subject<'_>,
        (record, place): (Option<&Record>, Option<&Address>),
        terms: &Terms,
    ) -> Result<Option<Found>, Problems> {
        let managed = record.is_some_and(|record| record.status != Status::Interrupted(Operation::Import));
        if managed || self.inputs.skip_refresh || !subject.kind.adopts(subject.arguments) {
            return Ok(None);
        }
        if self.unpreviewable(subject, place).is_some() || place.is_some_and(|place| self.is_made_now(place)) {
            return Ok(None);
        }
        let proposal = unmanaged(subject, (record, place));
        let found = match self.ask(Ask::Import(Box::new(proposal))) {
            None => return Ok(Some(Found::Open)),
            Some(Answer::Present(found)) => found,
            Some(Answer::Refused(problem)) => return Err(vec![problem.at(subject.span).about(subject.address)]),
            Some(Answer::Absent | Answer::Unreachable(_) | Answer::Conflict(_)) => return Ok(None),
        };
        let named = found.get("attributes").and_then(|attributes| attributes.text("id")).map(str::to_owned);
        let id = named.or_else(|| subject.kind.identity(subject.arguments)).unwrap_or_default();
        if let Some(holder) = self.holder_of(&found, subject.address) {
            return Err(vec![managed_already(&id, &holder, subject.address).at(subject.span)]);
        }
        if let Some(problem) = self.managed_elsewhere(&found, (&id, subject.address)) {
            return Err(vec![problem.at(subject.span)]);
        }
        self.plan_found(subject, (place, id.into(), found), terms).map(Some)
    }

    /// Looks at what is to be imported: what is there, why that cannot be told, or nothing while it is asked.
    fn look_at_import(
        &mut self,
        subject: &Subject<'_>,
        (record, place): (Option<&Record>, Option<&Address>),
        target: &Target,
    ) -> Result<Option<Result<Value, Arc<str>>>, Problems> {
        let refused = |problem: Diagnostic| match target.span {
            Some(block) => vec![problem.at(block).related(subject.span, "the resource is here")],
            None => vec![problem.at(subject.span)],
        };
        if let (Some(said), Some(place)) = (&target.place, place)
            && said != place
        {
            let detail = format!("the `import` block looks for `{}` in `{said}`, and `{}` lies in `{place}`", target.id, subject.address);
            return Err(refused(Diagnostic::error("import from elsewhere", detail).help("Let both name the same cluster.")));
        }
        subject.kind.import(&target.id, subject.arguments).map_err(|problem| refused(diagnosed(problem, subject.span)))?;
        if let Some(place) = place.filter(|place| self.is_made_now(place)) {
            let detail = format!("`{}` lies in `{place}`, which this plan makes: nothing is there to be imported", subject.address);
            return Err(refused(Diagnostic::error("nothing to import", detail).help(target.unless())));
        }
        let proposal = unmanaged(subject, (record, place));
        let Some(answer) = self.ask(Ask::Import(Box::new(proposal))) else { return Ok(None) };
        match answer {
            Answer::Present(found) => match self.holder_of(&found, subject.address) {
                None => match self.managed_elsewhere(&found, (&target.id, subject.address)) {
                    None => Ok(Some(Ok(found))),
                    Some(problem) => Err(refused(problem)),
                },
                Some(holder) => Err(refused(managed_already(&target.id, &holder, subject.address))),
            },
            Answer::Absent => {
                let within = place.map_or_else(String::new, |place| format!(" in `{place}`"));
                let detail = format!("`{}` does not exist{within}", target.id);
                let help = match target.span {
                    Some(_) => "Correct `id`, or remove the `import` block: it is created.",
                    None => "Correct the id, or let `meshplan apply` create it.",
                };
                Err(refused(Diagnostic::error("nothing to import", detail).help(help)))
            }
            Answer::Unreachable(why) => {
                let sources = self.made_from(subject.edges, subject.address);
                Ok(Some(Err(self.unobserved_because(why, place, &sources))))
            }
            Answer::Conflict(managers) => Ok(Some(Err(format!("owned by {}", managers.join(", ")).into()))),
            Answer::Refused(problem) => Err(refused(problem)),
        }
    }

    /// Whether this plan makes the place, so that nothing can be in it yet.
    pub(super) fn is_made_now(&self, place: &Address) -> bool {
        let makes = |action| matches!(action, Action::Create | Action::Replace | Action::ReplaceCreateFirst);
        self.tables.planned(place).is_some_and(|planned| makes(planned.action)) || self.connection(place).is_none()
    }

    /// The record of another address that a thing which was found is remembered under.
    pub(super) fn holder_of(&self, found: &Value, address: &Address) -> Option<Address> {
        let uid = found.text("uid")?;
        let mut records = self.prior.records().filter(|(other, ..)| *other != address);
        // What owns no more than some fields of the thing has no identity.
        let holder = records.find(|(_, _, record)| record.identity.is_some() && record.uid.as_deref() == Some(uid));
        holder.map(|(other, ..)| other.clone())
    }

    /// What becomes of an instance while an `import` block that may name it is not told, or cannot be; nothing if none may.
    fn untold(&self, address: &Address) -> Option<Found> {
        let blocks = &self.tables.skeleton.modules.first()?.module.imports;
        let meant = |block: &ImportBlock| {
            let calls = block.module.iter().map(|(call, _)| call);
            (&block.name.kind, &block.name.name) == (&address.kind, &address.name)
                && address.module.steps().iter().map(|step| &step.name).eq(calls)
        };
        let mut told = blocks.iter().enumerate().filter(|(_, block)| meant(block)).map(|(at, _)| self.imports.told.get(&at));
        told.find_map(|told| match told {
            None => Some(Found::Open),
            Some(None) => None,
            Some(Some(why)) if &**why == FAILED => Some(Found::Fate(Fate::Failed)),
            Some(Some(why)) => Some(Found::Fate(Fate::Blocked(format!("its import could not be observed: {why}").into()))),
        })
    }

    /// Takes over what the kind says of a thing that is to be imported.
    pub(super) fn imported(subject: &Subject<'_>, planned: &mut PlannedInstance, verdict: Planned) -> Result<(), Problems> {
        let problem = match verdict {
            Planned::Keep(attributes) => {
                planned.attributes = attributes;
                return Ok(());
            }
            Planned::Update { attributes, changed: paths, .. } => {
                planned.attributes = attributes;
                if let Reason::Imported { changed, .. } = &mut planned.reason {
                    *changed = paths;
                }
                return Ok(());
            }
            Planned::Replace { because, .. } => {
                let detail = format!(
                    "`{}` is not as configured, and cannot change in place; what somebody else made is never deleted for that",
                    because.join("`, `")
                );
                let help = "Let the configuration say what is there; or remove what is there, and the `import` block if there is one.";
                Diagnostic::error("import would replace", detail).at(subject.span).help(help)
            }
            Planned::Refused(problem) => diagnosed(problem, subject.span),
            Planned::Create(_) | Planned::Ask => {
                Diagnostic::error("no answer", "its kind does not say what becomes of what is imported").at(subject.span)
            }
        };
        Err(vec![problem])
    }

    /// Reports what is to be imported as an instance that the configuration has not.
    pub(super) fn miss_import_targets(&mut self) {
        let missed: Vec<_> = self.imports.targets.iter().filter(|(address, _)| self.has_no_instance(address)).collect();
        let missed = missed
            .into_iter()
            .filter(|(address, _)| self.inputs.undescribed == Undescribed::Refused || self.tables.skeleton.node_of(address).is_some());
        let problems = missed.map(|(address, target)| {
            let detail = format!("`{address}` is to be imported, and the configuration has no such instance");
            let help = match self.tables.skeleton.node_of(address) {
                None if target.span.is_none() => unwritten(address, &target.id),
                _ => "Correct the address, or write the resource, or give it an instance of this key.".to_owned(),
            };
            let problem = Diagnostic::error("target not in configuration", detail).help(help).about(address);
            target.span.into_iter().fold(problem, Diagnostic::at)
        });
        let problems: Problems = problems.collect();
        self.report(problems);
    }

    fn has_no_instance(&self, address: &Address) -> bool {
        let Some(module) = self.tables.static_module(&address.module) else { return true };
        if !matches!(self.tables.modules[module], Instances::Known(_)) {
            return false;
        }
        if !self.tables.modules[module].known().iter().any(|instance| instance.path == address.module) {
            return true;
        }
        let name = ResourceName { mode: address.mode, kind: address.kind.clone(), name: address.name.clone() };
        let node = self.tables.skeleton.find(module, &super::Item::Resource(name));
        let Some(node) = node else { return true };
        let group = self.tables.group(node, &address.module);
        // Of a group that could not be expanded, that is said already.
        group.is_some_and(|group| matches!(group.keys, Keys::Known(_)) && !self.tables.fates.contains_key(address))
    }
}

/// The question for what is there of a thing that is not managed yet.
fn unmanaged(subject: &Subject<'_>, (record, place): (Option<&Record>, Option<&Address>)) -> Proposal {
    Proposal {
        address: subject.address.clone(),
        kind: subject.kind.schema().kind.into(),
        place: place.cloned(),
        id: record.map(|record| record.id.clone()),
        uid: record.and_then(|record| record.uid.clone()),
        arguments: subject.arguments.clone(),
    }
}

/// How to come by the configuration of what is to be imported by itself.
fn unwritten(address: &Address, id: &str) -> String {
    if !address.module.is_root() || address.key != Key::None {
        return "Correct the address, or write the resource first.".to_owned();
    }
    let block = format!("import {{ to = {address}, id = {id:?}, cluster = … }}");
    format!(
        "Correct the address, or write the resource first: of `{block}` the command `meshplan plan --generate-config-out=FILE` writes it."
    )
}

pub(super) fn managed_already(id: &str, holder: &Address, address: &Address) -> Diagnostic {
    let detail = format!("what `{id}` names is managed already, as `{holder}`");
    let help = format!("Rename it with `moved {{ from = {holder}, to = {address} }}`.");
    Diagnostic::error("managed already", detail).help(help).about(address)
}

fn key_of(value: &Value) -> Option<Key> {
    value.as_str().map(|text| Key::Text(text.into())).or_else(|| value.as_u64().map(Key::Number))
}

fn wrong_key(key: Option<&Expr>, block: Span) -> Problems {
    let at = key.map_or(block, |key| key.span);
    vec![Diagnostic::error("invalid address", "a key in `to` is a text or a whole number").at(at)]
}
