//! Every kind by name.

use super::{Kind, Lint, ProviderSchema, Rule};
use crate::address::Mode;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The pure halves of all kinds, resources and data sources apart: `kubernetes_object` may be both.
#[derive(Clone, Default)]
pub struct Catalogue {
    resources: BTreeMap<&'static str, Arc<dyn Kind>>,
    data_sources: BTreeMap<&'static str, Arc<dyn Kind>>,
    providers: BTreeMap<&'static str, Arc<ProviderSchema>>,
    /// The provider of each kind that a `provider` block may configure.
    owners: BTreeMap<(Mode, &'static str), &'static str>,
    /// What each provider finds wrong between instances.
    lints: BTreeMap<&'static str, Arc<dyn Lint>>,
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

    /// Adds a provider; a later one of the same name replaces it.
    pub fn add_provider(&mut self, provider: ProviderSchema) {
        self.providers.insert(provider.name, Arc::new(provider));
    }

    /// Adds the lint of a provider; a later one of the same provider replaces it.
    pub fn add_lint(&mut self, provider: &'static str, lint: Arc<dyn Lint>) {
        self.lints.insert(provider, lint);
    }

    /// The lints of all providers.
    pub fn lints(&self) -> impl Iterator<Item = (&'static str, &Arc<dyn Lint>)> {
        self.lints.iter().map(|(provider, lint)| (*provider, lint))
    }

    /// Every rule that can be silenced, by provider and in the order of their tables.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        self.lints.values().flat_map(|lint| lint.rules().iter().copied())
    }

    /// Adds a kind of a provider.
    pub fn add_of(&mut self, provider: &'static str, mode: Mode, kind: Arc<dyn Kind>) {
        self.owners.insert((mode, kind.schema().kind), provider);
        self.add(mode, kind);
    }

    /// A provider by name.
    pub fn provider(&self, name: &str) -> Option<&Arc<ProviderSchema>> {
        self.providers.get(name)
    }

    /// All providers, sorted by name.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<ProviderSchema>> {
        self.providers.values()
    }

    /// The provider of a kind, if `provider` blocks may configure it.
    pub fn provider_of(&self, mode: Mode, kind: &str) -> Option<&Arc<ProviderSchema>> {
        let kind = self.get(mode, kind)?.schema().kind;
        self.providers.get(self.owners.get(&(mode, kind))?)
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
        let Self { resources, data_sources, providers, owners: _, lints: _ } = self;
        let mut shown = f.debug_struct("Catalogue");
        shown.field("resources", &resources.keys()).field("data_sources", &data_sources.keys()).field("providers", &providers.keys());
        shown.finish_non_exhaustive()
    }
}
