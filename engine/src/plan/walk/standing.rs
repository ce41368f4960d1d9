//! How the instances behind an origin stand, memoised per join.

use super::tables::Fate;
use super::{Site, Walk};
use crate::address::{Address, Mode, ModulePath};
use crate::config::{Dependency, DependencyRoot};
use crate::diagnostic::Problems;
use crate::plan::Action;
use crate::value::{Made, Origin};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How everything behind an origin stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    /// Something has not been planned yet.
    pub(super) pending: bool,
    /// Something is blocked, and why.
    pub(super) blocked: Option<Arc<str>>,
    /// Something is planned from what is remembered, and why.
    pub(super) unread: Option<Arc<str>>,
    /// Something is in error.
    pub(super) failed: bool,
    /// What is created, replaced or read at apply.
    pub(super) remade: Vec<Address>,
    /// The most that happens to any of it.
    pub(super) touch: Touch,
}

/// What happens to something, as those see it who read what it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Touch {
    /// Nothing.
    #[default]
    None,
    /// A change that says of itself what it leaves, see [`Standing::remade`], or leaves all as it was.
    Change,
    /// An update in place.
    Update,
}

impl Standing {
    /// Whether anything changes at all.
    pub(super) fn changes(&self) -> bool {
        self.touch > Touch::None
    }

    fn add(&mut self, other: &Self) {
        self.pending |= other.pending;
        self.failed |= other.failed;
        self.touch = self.touch.max(other.touch);
        if self.blocked.is_none() {
            self.blocked.clone_from(&other.blocked);
        }
        if self.unread.is_none() {
            self.unread.clone_from(&other.unread);
        }
        for address in &other.remade {
            // Three names are enough for people; the rest would cost what joins save.
            if self.remade.len() < 3 && !self.remade.contains(address) {
                self.remade.push(address.clone());
            }
        }
    }
}

/// Standings of joins, valid for one step of the walk.
#[derive(Debug, Default)]
pub(super) struct Standings {
    joins: BTreeMap<Origin, Standing>,
}

impl Standings {
    pub(super) fn clear(&mut self) {
        self.joins.clear();
    }
}

/// What a `depends_on` comes to.
#[derive(Debug, Clone, Default)]
pub(super) struct Dependencies {
    /// All it leads to.
    pub(super) origin: Origin,
    /// Whether something of it is not planned yet.
    pub(super) pending: bool,
    /// Why something of it is blocked as a whole (a group, a module); [`super::FAILED`] if it is in error.
    pub(super) blocked: Option<Arc<str>>,
    /// The checks among it.
    pub(super) gates: Vec<Arc<str>>,
}

impl Walk<'_> {
    /// How everything behind an origin stands.
    pub(super) fn standing(&mut self, origin: Origin) -> Standing {
        match self.arena.origins.made(origin) {
            Made::Nothing => Standing::default(),
            Made::Instance(address) => self.standing_of(&address.clone()),
            Made::Join(members) => {
                if let Some(known) = self.standings.joins.get(&origin) {
                    return known.clone();
                }
                let mut all = Standing::default();
                let members: Vec<_> = members.into();
                for member in members {
                    all.add(&self.standing(member));
                }
                if !all.pending {
                    self.standings.joins.insert(origin, all.clone());
                }
                all
            }
        }
    }

    fn standing_of(&mut self, address: &Address) -> Standing {
        let planned = match self.tables.fates.get(address) {
            None => return Standing { pending: true, ..Standing::default() },
            Some(Fate::Blocked(why)) => return Standing { blocked: Some(why.clone()), ..Standing::default() },
            Some(Fate::Failed) => return Standing { failed: true, ..Standing::default() },
            Some(Fate::Planned(planned)) => planned,
        };
        let (action, edges, unread) = (planned.action, planned.edges, planned.unread.clone());
        // What a data source read now came from counts as if it stood here itself.
        if address.mode == Mode::Data && action == Action::Keep {
            return self.standing(edges);
        }
        let touch = match action {
            Action::Update => Touch::Update,
            Action::Import if planned.reason.changes_what_is_imported() => Touch::Update,
            Action::Import => Touch::None,
            action if action.is_change() => Touch::Change,
            _ => Touch::None,
        };
        let remade = matches!(action, Action::Create | Action::Replace | Action::ReplaceCreateFirst | Action::Delete | Action::Read);
        Standing { remade: remade.then(|| address.clone()).into_iter().collect(), touch, unread, ..Standing::default() }
    }

    /// Where the entries of a `depends_on` lead.
    pub(super) fn dependencies(&mut self, entries: &[Dependency], site: Site<'_>) -> Result<Dependencies, Problems> {
        let mut all = Dependencies::default();
        for entry in entries {
            let root = match &entry.root {
                DependencyRoot::Check(name) => {
                    all.gates.push(name.clone());
                    continue;
                }
                DependencyRoot::Object(root) => root,
            };
            let head = crate::config::Expr::new(crate::config::Node::Root(root.clone()), entry.span);
            let expression = match &entry.key {
                None => head,
                Some(key) => {
                    let index = crate::config::Node::Index(Box::new(head), Box::new(key.clone()));
                    crate::config::Expr::new(index, entry.span)
                }
            };
            let value = self.evaluate(&expression, site)?;
            if let crate::value::Data::Blocked(why) = value.data() {
                all.blocked = Some(why.clone());
            }
            let deep = value.deep_origin(&mut self.arena.origins);
            all.pending |= matches!(value.data(), crate::value::Data::Pending(_)) || self.standing(deep).pending;
            all.origin = self.arena.origins.join(&[all.origin, deep]);
        }
        Ok(all)
    }

    /// What all in a module instance waits for: what the `depends_on` of its call and of the calls around that come to, and the checks among it by
    /// their whole names. What stands there is visited after all of it, and the calls themselves may be expanded before.
    pub(super) fn called_after(&mut self, module: usize, path: &ModulePath) -> Result<Dependencies, Problems> {
        if let Some(known) = self.tables.called_after.get(&(module, path.clone())) {
            return Ok(known.clone());
        }
        let outer = path.parent().map(|(outer, _)| outer);
        let Some(((caller, call), outer)) = self.tables.skeleton.modules[module].caller.clone().zip(outer) else {
            return Ok(Dependencies::default());
        };
        let block = self.tables.skeleton.modules[caller].module.clone();
        let mut all = self.dependencies(&block.calls[&call].depends_on, Site::of(caller, &outer))?;
        all.gates = all.gates.iter().map(|gate| super::check_name(&outer, gate)).collect();
        let around = self.called_after(caller, &outer)?;
        all.origin = self.arena.origins.join(&[all.origin, around.origin]);
        all.pending |= around.pending;
        all.blocked = all.blocked.or(around.blocked);
        all.gates.extend(around.gates);
        if !all.pending {
            self.tables.called_after.insert((module, path.clone()), all.clone());
        }
        Ok(all)
    }
}
