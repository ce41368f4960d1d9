//! Things that `import` blocks name and no block of a resource describes yet: how they are is asked, so that their blocks can be written.

use super::Site;
use super::Walk;
use super::imports::{Told, managed_already};
use super::instance::diagnosed;
use super::tables::Binding;
use crate::address::{Address, Key, Mode, ModulePath};
use crate::config::{Expr, ImportBlock, Repetition, ResourceName};
use crate::diagnostic::{Diagnostic, Problems};
use crate::question::{Answer, Ask};
use crate::schema::{Kind, Presence};
use crate::source::Span;
use crate::value::{Flags, Value};
use std::sync::Arc;

/// A thing that exists, as the arguments which would write it.
#[derive(Debug, Clone)]
pub struct Described {
    /// The resource that it is to be.
    pub name: ResourceName,
    /// What names it.
    pub id: Arc<str>,
    /// The argument that leads to its place, and where the expression for it stands.
    pub place: Option<(&'static str, Span)>,
    /// The other arguments, in the order of the schema, without those that are as by default. What is secret is sensitive.
    pub arguments: Vec<(&'static str, Value)>,
    /// What else is to be known of it.
    pub notes: Vec<String>,
}

/// What an `import` block names.
#[derive(Clone, Copy)]
pub(super) struct Sought<'a> {
    pub(super) address: &'a Address,
    pub(super) id: &'a Arc<str>,
    /// The place that it lies in, if the block says so.
    pub(super) place: Option<&'a Address>,
}

impl Walk<'_> {
    /// How the things are that no block of a resource describes yet, in order of their addresses.
    pub fn take_described(&mut self) -> Vec<Described> {
        std::mem::take(&mut self.imports.described).into_values().collect()
    }

    /// Asks how a thing is, unless a block of a resource describes it; false while that is open.
    pub(super) fn describe(&mut self, block: &ImportBlock, named: Sought<'_>) -> bool {
        if self.tables.skeleton.node_of(named.address).is_some() {
            return true;
        }
        match self.asked_of(block, named) {
            Ok(None) => return false,
            Ok(Some(described)) => drop(self.imports.described.insert(named.address.clone(), described)),
            Err(problems) => {
                let placed = problems.into_iter().map(|problem| problem.at(block.span).about(named.address));
                self.report(placed.collect());
            }
        }
        true
    }

    fn asked_of(&mut self, block: &ImportBlock, named: Sought<'_>) -> Result<Option<Described>, Problems> {
        let Sought { address, id, place } = named;
        let (kind, argument) = self.describable(block, named)?;
        let ask = Ask::Describe { address: address.clone(), kind: address.kind.clone(), place: place.cloned(), id: id.clone() };
        let within = place.map_or_else(String::new, |place| format!(" in `{place}`"));
        let found = match self.ask(ask) {
            None => return Ok(None),
            Some(Answer::Present(found)) => found,
            Some(Answer::Absent) => {
                let detail = format!("`{id}` does not exist{within}");
                return Err(vec![Diagnostic::error("nothing to import", detail).help("Correct `id`, or remove the `import` block.")]);
            }
            Some(Answer::Refused(problem)) => return Err(vec![problem]),
            Some(Answer::Unreachable(why)) => {
                return Err(not_generated(format!("`{id}` could not be read{within}: {why}"), "Plan again when it can be."));
            }
            Some(Answer::Conflict(managers)) => {
                return Err(not_generated(format!("`{id}` is owned by {}", managers.join(", ")), "Write its block."));
            }
        };
        if let Some(holder) = self.holder_of(&found, address) {
            return Err(vec![managed_already(id, &holder, address)]);
        }
        let place = argument.zip(block.place.as_ref()).map(|(argument, place)| (argument, place.span));
        Ok(Some(described(block, &*kind, (id, place), &found)))
    }

    /// The kind of a thing that can be described, and the argument that leads to its place.
    fn describable(&self, block: &ImportBlock, named: Sought<'_>) -> Result<(Arc<dyn Kind>, Option<&'static str>), Problems> {
        let Sought { address, id, place } = named;
        if !block.module.is_empty() {
            let detail = format!("`{address}` belongs into a module, whose text is for all who call it");
            return Err(not_generated(detail, "Write its `resource` block there."));
        }
        if address.key != Key::None || block.repetition != Repetition::Once {
            let detail = format!("`{address}` is one instance of several, which one block describes");
            return Err(not_generated(detail, "Write that block; or import each thing as a resource of its own."));
        }
        let Some(kind) = self.catalogue.get(Mode::Managed, &address.kind) else {
            return Err(not_generated(format!("there is no resource kind `{}`", address.kind), "`meshplan schema` lists all kinds."));
        };
        if !kind.describes() {
            let problem = kind.import(id, &Value::object::<&str>([])).err().map(|problem| vec![diagnosed(problem, block.span)]);
            return Err(problem.unwrap_or_else(|| not_generated(format!("`{}` tells no arguments", address.kind), "Write its block.")));
        }
        let argument = kind.schema().place.filter(|_| place.is_some());
        if kind.schema().place.is_some() && argument.is_none() {
            let detail = format!("the `import` block of `{address}` does not say in which cluster it is");
            return Err(not_generated(detail, "Add `cluster`, as in `cluster = sandbox_cluster.east`; or write the resource."));
        }
        if let Some(place) = place.filter(|place| self.is_made_now(place)) {
            let detail = format!("`{address}` lies in `{place}`, which this plan makes: nothing is there to be imported");
            return Err(vec![Diagnostic::error("nothing to import", detail).help("Remove the `import` block, and write the resource.")]);
        }
        Ok((kind.clone(), argument))
    }

    /// The value of `cluster` in an `import` block: something that leads to a place.
    pub(super) fn import_place(&mut self, expression: &Expr, binding: &Binding) -> Result<Told, Problems> {
        let root = ModulePath::root();
        let site = Site { binding: Some(binding), ..Site::of(0, &root) };
        let value = self.evaluate(expression, site)?;
        if let Some(why) = value.blocked_why() {
            return Ok(Told::Withheld(why));
        }
        if value.flags().has(Flags::PENDING) || value.instance().is_some_and(|instance| self.is_unsettled(&instance.address)) {
            return Ok(Told::Pending);
        }
        if value.instance().is_some() {
            return Ok(Told::Value(value));
        }
        let problem = Diagnostic::error("wrong `cluster`", "`cluster` takes a cluster").at(expression.span);
        Err(vec![problem.help("Write it as in `cluster = sandbox_cluster.east`.")])
    }

    /// Whether it is not known yet what becomes of the instance at this address.
    fn is_unsettled(&self, address: &Address) -> bool {
        let node = self.tables.skeleton.node_of(address);
        node.is_some_and(|node| !self.tables.group(node, &address.module).is_some_and(|group| group.finished))
    }
}

fn not_generated(detail: String, help: &str) -> Problems {
    vec![Diagnostic::error("not generated", detail).help(help)]
}

fn described(block: &ImportBlock, kind: &dyn Kind, (id, place): (&Arc<str>, Option<(&'static str, Span)>), found: &Value) -> Described {
    let attributes = found.get("attributes");
    let settable = kind
        .schema()
        .attributes
        .iter()
        .filter(|attribute| attribute.presence != Presence::Computed && place.is_none_or(|(argument, _)| argument != attribute.name));
    let arguments = settable.filter_map(|attribute| {
        let value = attributes?.get(attribute.name)?;
        let is_default = value.is_null() && !value.is_marked_sensitive()
            || attribute.default.as_ref().is_some_and(|default| default.data() == value.data());
        (!is_default).then(|| (attribute.name, value.clone().sensitive_if(attribute.sensitive)))
    });
    let notes = found.get("notes").map(Value::items).unwrap_or_default();
    Described {
        name: block.name.clone(),
        id: id.clone(),
        place,
        arguments: arguments.collect(),
        notes: notes.iter().filter_map(|note| note.as_str().map(str::to_owned)).collect(),
    }
}
