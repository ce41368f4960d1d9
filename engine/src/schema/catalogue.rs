//! Every kind by name.

use super::Kind;
use crate::address::Mode;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The pure halves of all kinds, resources and data sources apart: `kubernetes_object` may be both.
#[derive(Clone, Default)]
pub struct Catalogue {
    resources: BTreeMap<&'static str, Arc<dyn Kind>>,
    data_sources: BTreeMap<&'static str, Arc<dyn Kind>>,
}

impl Catalogue {
    /// Adds a kind; a later one of the same name replaces it.
    pub fn add(&mut self, mode: Mode, kind: Arc<dyn Kind>) {
        let kinds = match mode {
            Mode::Managed => &mut self.resources,
            Mode::Data => &mut self.data_sources,
        };
        kinds.insert(kind.schema().kind, kind);
    }

    /// A kind by name.
    pub fn get(&self, mode: Mode, name: &str) -> Option<&Arc<dyn Kind>> {
        self.of(mode).get(name)
    }

    /// The names of a mode's kinds, sorted.
    pub fn names(&self, mode: Mode) -> impl Iterator<Item = &'static str> {
        self.of(mode).keys().copied()
    }

    /// A mode's kinds, sorted by name.
    pub fn kinds(&self, mode: Mode) -> impl Iterator<Item = &Arc<dyn Kind>> {
        self.of(mode).values()
    }

    fn of(&self, mode: Mode) -> &BTreeMap<&'static str, Arc<dyn Kind>> {
        match mode {
            Mode::Managed => &self.resources,
            Mode::Data => &self.data_sources,
        }
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("resources", &self.resources.keys()).field("data_sources", &self.data_sources.keys()).finish()
    }
}
