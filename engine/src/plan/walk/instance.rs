//! What becomes of one instance of a resource.

use super::arguments::{blocked, waits};
use super::lifecycle::Held;
use super::skeleton::StaticNode;
use super::tables::{Binding, Fate, Group, Instances, Keys, ModuleInstance, Planned as PlannedInstance, Terms};
use super::world::Seen;
use super::{FAILED, LEFT_OUT, Site, Walk};
use crate::address::{Address, AddressParts, Key, Mode};
use crate::config::{Repetition, ResourceBlock, ResourceName};
use crate::diagnostic::{Diagnostic, Problems};
use crate::eval::Arena;
use crate::plan::{Action, Reason, unknown_kind};
use crate::schema::{Kind, Problem};
use crate::source::Span;
use crate::state::Record;
use crate::value::{Data, Entry, Mapping, MappingKind, Origin, Type, Value};
use std::sync::Arc;

/// Everything about the instance being planned that does not change while it is.
pub(super) struct Subject<'a> {
    pub(super) address: &'a Address,
    pub(super) kind: &'a Arc<dyn Kind>,
    pub(super) arguments: &'a Value,
    pub(super) edges: Origin,
    pub(super) span: Span,
}

/// What there is of an instance before anything is done.
#[derive(Default)]
struct Before {
    record: Option<Record>,
    observed: Option<Value>,
    /// Why there is nothing any more.
    gone: Option<Reason>,
    /// Why it is planned from its record alone.
    unread: Option<Arc<str>>,
}

/// What an instance came to in this visit.
pub(super) enum Found {
    /// Something is still to be answered.
    Open,
    /// This.
    Fate(Fate),
}

impl Walk<'_> {
    /// Visits the instances of a block in one module instance; false while one is open.
    pub(super) fn visit_resource(&mut self, node: usize, instance: &ModuleInstance) -> bool {
        let group = self.tables.group(node, &instance.path);
        let StaticNode { module, block: Some(block), .. } = &self.tables.skeleton.nodes[node] else { return true };
        if group.is_some_and(|group| group.finished) {
            return true;
        }
        let (module, block, is_first) = (*module, block.clone(), group.is_none());
        if self.inputs.aims.excludes(&address_of(instance, &block.name, Key::None)) {
            self.tables.set_group(node, &instance.path, Group { keys: Keys::Blocked(LEFT_OUT.into()), value: None, finished: true });
            return true;
        }
        let Some(kind) = self.catalogue.get(block.name.mode, &block.name.kind).cloned() else {
            self.unknown_kind(&block);
            self.tables.set_group(node, &instance.path, Group { keys: Keys::Failed, value: None, finished: true });
            return true;
        };
        let mut keys = self.tables.group(node, &instance.path).map(|group| group.keys.clone()).unwrap_or_default();
        if keys.is_unsettled() {
            keys = self.keys(&block.repetition, Site::of(module, &instance.path));
            let misnamed = if matches!(keys, Keys::Open) { Problems::new() } else { crate::plan::misnamed(&block, kind.schema()) };
            if !misnamed.is_empty() {
                self.report(misnamed);
                keys = Keys::Failed;
            }
        }
        let mut finished = !matches!(keys, Keys::Open);
        if let Keys::Known(bindings) = &keys {
            for binding in bindings {
                let address = address_of(instance, &block.name, binding.key.clone());
                if is_first || !self.tables.fates.contains_key(&address) {
                    finished &= self.visit_instance(module, &block, &kind, (instance, binding, address));
                }
            }
        }
        let value = self.group_value(&block, &kind, instance, &keys);
        let keys = if finished && matches!(keys, Keys::Known(_)) { Keys::Known(Vec::new()) } else { keys };
        self.tables.set_group(node, &instance.path, Group { keys, value, finished });
        finished
    }

    pub(super) fn unknown_kind(&mut self, block: &ResourceBlock) {
        self.report(vec![unknown_kind(block, self.catalogue)]);
    }

    fn visit_instance(
        &mut self,
        module: usize,
        block: &ResourceBlock,
        kind: &Arc<dyn Kind>,
        (instance, binding, address): (&ModuleInstance, &Binding, Address),
    ) -> bool {
        if self.inputs.aims.excludes(&address) {
            self.tables.fates.insert(address, Fate::Blocked(LEFT_OUT.into()));
            return true;
        }
        let found = self.plan_block(module, block, kind, (instance, binding, &address)).unwrap_or_else(|problems| {
            self.report(problems.into_iter().map(|problem| problem.about(&address)).collect());
            Found::Fate(Fate::Failed)
        });
        match found {
            Found::Open => false,
            Found::Fate(fate) => {
                self.tables.fates.insert(address, fate);
                true
            }
        }
    }

    fn plan_block(
        &mut self,
        module: usize,
        block: &ResourceBlock,
        kind: &Arc<dyn Kind>,
        (instance, binding, address): (&ModuleInstance, &Binding, &Address),
    ) -> Result<Found, Problems> {
        let site = Site { module, path: &instance.path, binding: Some(binding), itself: None, scoped: None };
        let dependencies = self.dependencies(&block.depends_on, site)?;
        let called_after = self.called_after(module, &instance.path)?;
        let arguments = self.arguments(block, kind.schema(), address, site)?;
        if waits(&arguments) || dependencies.pending || called_after.pending {
            return Ok(Found::Open);
        }
        if let Some(why) = blocked(&arguments).or(dependencies.blocked).or(called_after.blocked) {
            return Ok(Found::Fate(unobserved(why)));
        }
        let sources = arguments.deep_origin(&mut self.arena.origins);
        let after = self.arena.origins.join(&[dependencies.origin, called_after.origin]);
        let edges = self.arena.origins.join(&[sources, binding.origin, after, instance.origin]);
        let standing = self.standing(edges);
        if standing.pending {
            return Ok(Found::Open);
        }
        if standing.failed {
            return Ok(Found::Fate(Fate::Failed));
        }
        if let Some(why) = standing.blocked {
            return Ok(Found::Fate(Fate::Blocked(why)));
        }
        if let Some(why) = standing.unread.filter(|_| self.prior.record(address).is_none()) {
            return Ok(Found::Fate(Fate::Blocked(why)));
        }
        let mut terms = self.terms(block, site)?;
        if !dependencies.gates.is_empty() || !called_after.gates.is_empty() {
            // A check is known by its module's path and its name.
            let own = dependencies.gates.iter().map(|gate| super::check_name(&instance.path, gate));
            terms.waits().gates = own.chain(called_after.gates).collect();
        }
        let later = match self.preconditions(&block.lifecycle().preconditions, site)? {
            Held::Open => return Ok(Found::Open),
            Held::Unobserved(why) => return Ok(Found::Fate(unobserved(why))),
            Held::Until(later) => later,
        };
        if !later.is_empty() {
            terms.waits().preconditions = later;
        }
        let subject = Subject { address, kind, arguments: &arguments, edges, span: block.span };
        self.validate(&subject, block)?;
        if block.name.mode == Mode::Data {
            let found = self.plan_data(&subject, after, terms)?;
            return self.held(block, site, address, found);
        }
        let arguments = self.ignoring(block, &subject);
        let subject = Subject { arguments: &arguments, ..subject };
        let triggered = self.triggered(block, site)?;
        match self.plan_resource(&subject, terms)? {
            Found::Fate(Fate::Planned(planned)) => self.demanded((block, site), &subject, (planned, triggered)),
            other => Ok(other),
        }
    }

    /// Replaces a planned instance if the run, its block or what it requires want that, and decides what must hold of it then.
    fn demanded(
        &mut self,
        (block, site): (&ResourceBlock, Site<'_>),
        subject: &Subject<'_>,
        (mut planned, triggered): (Box<PlannedInstance>, Option<String>),
    ) -> Result<Found, Problems> {
        let address = subject.address;
        let requested = planned.members.is_none() && self.is_to_be_replaced(address);
        let taken_along = self.taken_along(address);
        if planned.unread.is_some() && (requested || triggered.is_some() || taken_along.is_some()) {
            return Ok(Found::Fate(self.put_off(*planned)));
        }
        if let Some(because) = requested.then_some(Reason::Requested).or(triggered.map(Reason::Triggered)) {
            if let Some(problem) = subject.kind.irreplaceable().filter(|_| planned.prior.is_some()) {
                return Err(vec![diagnosed(problem, block.span).about(address)]);
            }
            Self::trigger(&mut planned, because);
        }
        if let Some(because) = taken_along {
            Self::take_along(&mut planned, because);
        }
        Self::allowed(subject, &planned)?;
        self.postconditions(block, site, (address, planned))
    }

    /// What a data source came to, if what must hold of it does.
    fn held(&mut self, block: &ResourceBlock, site: Site<'_>, address: &Address, found: Found) -> Result<Found, Problems> {
        match found {
            Found::Fate(Fate::Planned(planned)) => self.postconditions(block, site, (address, planned)),
            other => Ok(other),
        }
    }

    fn validate(&mut self, subject: &Subject<'_>, block: &ResourceBlock) -> Result<(), Problems> {
        let mut errors = Problems::new();
        for problem in subject.kind.validate(subject.arguments) {
            if self.exceptions.cover(problem.rule, subject.address) {
                continue;
            }
            let argument =
                problem.attribute.as_deref().and_then(|name| block.body.arguments.iter().find(|argument| *argument.name == *name));
            let span = argument.map_or(block.span, |argument| argument.value.span);
            let warning = problem.warning;
            let diagnostic = diagnosed(problem, span).about(subject.address);
            if warning {
                self.tables.diagnostics.push(diagnostic);
            } else {
                errors.push(diagnostic);
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Plans a managed instance whose arguments, edges and conditions are settled.
    pub(super) fn plan_resource(&mut self, subject: &Subject<'_>, terms: Terms) -> Result<Found, Problems> {
        let place = subject.kind.place(subject.arguments);
        if let Some(why) = place.as_ref().and_then(|place| self.stranded(place)) {
            return Ok(Found::Fate(Fate::Blocked(why)));
        }
        let record = self.prior.record(subject.address).cloned();
        if self.inputs.aims.refresh_only {
            return self.plan_refresh(subject, record, place.as_ref());
        }
        let unread = self.standing(subject.edges).unread;
        if let (None, Some(why)) = (&record, &unread) {
            return Ok(Found::Fate(Fate::Blocked(why.clone())));
        }
        let stays = record.as_ref().is_none_or(|record| record.place == place);
        let place_remade = place
            .as_ref()
            .and_then(|place| self.tables.planned(place))
            .is_some_and(|planned| stays && matches!(planned.action, Action::Replace | Action::ReplaceCreateFirst));
        if let Some(found) = self.plan_import(subject, (record.as_ref(), place.as_ref()), &terms)? {
            return Ok(found);
        }
        if let Some(found) = self.plan_adoption(subject, (record.as_ref(), place.as_ref()), &terms)? {
            return Ok(found);
        }
        let lost = record.as_ref().and_then(|record| record.place.clone()).filter(|place| self.is_lost(place));
        let dies_with_place = place_remade || lost.is_some();
        let before = match self.before(subject, record, (place.as_ref(), place_remade, lost))? {
            Ok(before) => before,
            Err(found) => return Ok(found),
        };
        let mut planned = PlannedInstance {
            kind: subject.kind.clone(),
            action: Action::Keep,
            reason: Reason::Unchanged,
            arguments: subject.arguments.clone(),
            attributes: Value::null(),
            settles: subject.kind.settles(subject.arguments),
            dies_with_place,
            edges: subject.edges,
            members: None,
            unread: before.unread.or(unread),
            not_previewed: None,
            unpreviewed: None,
            prior: before.record.map(Box::new),
            observed: before.observed,
            place,
            terms,
        };
        self.follow_place(&mut planned);
        if self.decide(subject, &mut planned, before.gone)? {
            return Ok(Found::Open);
        }
        let Some(planned) = self.plan_members(subject, planned)? else { return Ok(Found::Open) };
        Ok(Found::Fate(self.judge_unread(planned)))
    }

    /// What there is of an instance before anything is done; or what it comes to where that cannot be told.
    fn before(
        &mut self,
        subject: &Subject<'_>,
        record: Option<Record>,
        (place, place_remade, lost): (Option<&Address>, bool, Option<Address>),
    ) -> Result<Result<Before, Found>, Problems> {
        let Some(record) = record else { return Ok(Ok(Before::default())) };
        let gone = |reason: Reason| Before { gone: Some(reason), ..Before::default() };
        let replaced = |place: &Address| gone(Reason::PlaceReplaced(place.clone()));
        let remade = place.filter(|_| place_remade);
        let seen = match self.seen(subject.address, None, &record) {
            // It goes with its place, whatever it is.
            Seen::Unreachable(_) if remade.is_some() => Seen::Remembered,
            seen => seen,
        };
        Ok(Ok(match (seen, remade) {
            (Seen::Pending, _) => return Ok(Err(Found::Open)),
            (Seen::Unreachable(why), _) => {
                let sources = self.made_from(subject.edges, subject.address);
                let why = self.unobserved_because(why, record.place.as_ref(), &sources);
                if !self.comes_into_reach(&record, place, &why) {
                    return Ok(Err(Found::Fate(Fate::Blocked(why))));
                }
                Before { record: Some(record), unread: Some(why), ..Before::default() }
            }
            (Seen::Refused(problem), _) => return Err(vec![problem]),
            (Seen::Absent, _) => gone(lost.map_or(Reason::Gone, Reason::AnotherPlace)),
            (Seen::Present(value), _) if self.is_another(subject.address, &record, &value) => gone(Reason::Gone),
            (_, Some(place)) => replaced(place),
            (Seen::Present(value), None) => Before { record: Some(record), observed: Some(value), ..Before::default() },
            (Seen::Remembered, None) => Before { record: Some(record), ..Before::default() },
        }))
    }

    /// Whether the thing moves to another place: one with another uid, or one not known by a uid yet.
    pub(super) fn moves_place(&self, planned: &PlannedInstance) -> Option<Reason> {
        let prior = planned.prior.as_ref()?;
        if prior.place == planned.place {
            return planned.place.clone().filter(|place| self.leads_elsewhere(place)).map(Reason::AnotherPlace);
        }
        let recorded = prior.place.as_ref().and_then(|place| self.prior.places.get(place)).and_then(|place| place.uid.clone());
        let desired = planned.place.as_ref().and_then(|place| self.place_uid(place));
        if recorded.is_some() && recorded == desired {
            return None;
        }
        Some(Reason::CannotUpdate(vec![planned.kind.schema().place.unwrap_or("cluster").to_owned()]))
    }

    /// A place that has another address and is the same place is no change of what lies within: what is remembered of the one counts for
    /// the other.
    fn follow_place(&self, planned: &mut PlannedInstance) {
        let Some(argument) = planned.kind.schema().place else { return };
        if planned.prior.as_ref().is_none_or(|prior| prior.place == planned.place) || self.moves_place(planned).is_some() {
            return;
        }
        let Some(desired) = planned.arguments.get(argument).cloned() else { return };
        let followed = |value: &Value| {
            let entries = value.entries().iter().filter(|entry| *entry.key != *argument);
            let entries = entries.map(|entry| (entry.key.clone(), entry.value.clone()));
            Value::object(entries.chain(value.get(argument).map(|_| (Arc::from(argument), desired.clone()))))
        };
        if let Some(prior) = &mut planned.prior {
            prior.attributes = followed(&prior.attributes);
        }
        planned.observed = planned.observed.as_ref().map(followed);
    }

    /// The instances of a group as one value.
    fn group_value(&mut self, block: &ResourceBlock, kind: &Arc<dyn Kind>, instance: &ModuleInstance, keys: &Keys) -> Option<Value> {
        let Keys::Known(bindings) = keys else { return None };
        let mut entries = Vec::with_capacity(bindings.len());
        for binding in bindings {
            let address = address_of(instance, &block.name, binding.key.clone());
            // There is one address to an instance, and all share it.
            let (address, attributes) = match self.tables.fates.get_key_value(&address) {
                None => (address, Value::pending(Type::Any)),
                Some((address, Fate::Planned(planned))) => (address.clone(), planned.attributes.clone()),
                Some((address, Fate::Blocked(why))) => (address.clone(), Value::blocked(why.clone())),
                Some((address, Fate::Failed)) => (address.clone(), Value::blocked(FAILED)),
            };
            let value = crate::eval::instance(&address, kind.schema().classes, attributes, &mut self.arena);
            let origin = value.origin();
            let key: Arc<str> = match &binding.key {
                Key::Text(key) => key.clone(),
                Key::None | Key::Number(_) => "".into(),
            };
            entries.push(Entry { key, key_origin: origin, value });
        }
        match &block.repetition {
            Repetition::Once => entries.pop().map(|entry| entry.value),
            Repetition::Count(_) => Some(Value::tuple(entries.into_iter().map(|entry| entry.value).collect())),
            Repetition::ForEach(_) => Some(Value::new(Data::Mapping(Arc::new(Mapping::new(MappingKind::Object, entries))))),
        }
    }
}

impl Instances {
    /// The instances, if they are known.
    pub(super) fn known(&self) -> &[ModuleInstance] {
        match self {
            Self::Known(instances) => instances,
            Self::Open | Self::Blocked(_) | Self::Failed => &[],
        }
    }
}

/// What becomes of something that looks at what could not be observed, or is in error.
pub(super) fn unobserved(why: Arc<str>) -> Fate {
    if &*why == FAILED { Fate::Failed } else { Fate::Blocked(why) }
}

/// The address of an instance of a block in a module instance.
pub(super) fn address_of(instance: &ModuleInstance, name: &ResourceName, key: Key) -> Address {
    let (kind, name, mode) = (name.kind.clone(), name.name.clone(), name.mode);
    AddressParts { module: instance.path.clone(), mode, kind, name, key, member: None }.into()
}

/// A kind's problem at a place in the text.
pub(super) fn diagnosed(problem: Problem, span: Span) -> Diagnostic {
    let diagnostic = if problem.warning {
        Diagnostic::warning(problem.summary, problem.detail)
    } else {
        Diagnostic::error(problem.summary, problem.detail)
    };
    let diagnostic = diagnostic.by_rule(problem.rule);
    match problem.help {
        Some(help) => diagnostic.at(span).help(help),
        None => diagnostic.at(span),
    }
}

/// A planned instance as those that refer to it see it.
pub(super) fn group_member(address: &Address, planned: &PlannedInstance, arena: &mut Arena) -> Value {
    crate::eval::instance(address, planned.kind.schema().classes, planned.attributes.clone(), arena)
}
