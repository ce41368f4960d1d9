//! Every kind by name, and who is behind it.

use super::{Provider, ProviderMaker};
use crate::address::{Address, Mode};
use crate::diagnostic::{Diagnostic, Problems};
use crate::plan::Providers;
use crate::schema::{Catalogue, Kind, ProviderName};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Providers by the kinds that they are behind.
type ByKind = BTreeMap<(Mode, &'static str), Arc<dyn Provider>>;

/// Every kind, and the provider behind each.
#[derive(Clone, Default)]
pub struct Registry {
    catalogue: Catalogue,
    providers: ByKind,
    makers: BTreeMap<&'static str, Arc<dyn ProviderMaker>>,
    configured: BTreeMap<ProviderName, ByKind>,
    choice: Arc<Providers>,
}

impl Registry {
    /// Adds a provider with all its kinds. No `provider` block configures it.
    pub fn add(&mut self, provider: &Arc<dyn Provider>) {
        for (mode, kind) in kinds(&**provider) {
            self.providers.insert((mode, kind.schema().kind), provider.clone());
            self.catalogue.add(mode, kind);
        }
    }

    /// Adds a provider that `provider` blocks configure.
    pub fn add_configurable(&mut self, maker: &Arc<dyn ProviderMaker>) {
        let schema = maker.schema();
        let name = schema.name;
        for provider in maker.usual() {
            for (mode, kind) in kinds(&*provider) {
                self.providers.insert((mode, kind.schema().kind), provider.clone());
                self.catalogue.add_of(name, mode, kind);
            }
        }
        if let Some(lint) = maker.lint() {
            self.catalogue.add_lint(name, lint);
        }
        self.catalogue.add_provider(schema);
        self.makers.insert(name, maker.clone());
    }

    /// The same kinds behind providers that are configured like this.
    pub fn configured(&self, providers: &Providers) -> Result<Self, Problems> {
        let mut made = Self { choice: Arc::new(providers.clone()), configured: BTreeMap::new(), ..self.clone() };
        let mut problems = Problems::new();
        for (name, settings) in &providers.settings {
            let Some(maker) = self.makers.get(&*name.provider) else { continue };
            match maker.configured(settings) {
                Ok(parts) => {
                    let by_kind =
                        parts.iter().flat_map(|part| kinds(&**part).map(|(mode, kind)| ((mode, kind.schema().kind), part.clone())));
                    made.configured.insert(name.clone(), by_kind.collect());
                }
                Err(problem) => {
                    let detail = format!("the provider `{name}`: {}", problem.detail);
                    let told = Diagnostic::error(problem.summary, detail);
                    problems.push(match problem.help {
                        Some(help) => told.help(help),
                        None => told,
                    });
                }
            }
        }
        if problems.is_empty() { Ok(made) } else { Err(problems) }
    }

    /// The same kinds behind other providers: what `wrap` makes of each, once per provider. Those that `provider` blocks configure are
    /// as they are.
    #[must_use]
    pub fn wrapped(&self, wrap: &dyn Fn(Arc<dyn Provider>) -> Arc<dyn Provider>) -> Self {
        let mut made: BTreeMap<usize, Arc<dyn Provider>> = BTreeMap::new();
        let providers = self.providers.iter().map(|(kind, provider)| {
            let identity = Arc::as_ptr(provider).cast::<()>() as usize;
            (*kind, made.entry(identity).or_insert_with(|| wrap(provider.clone())).clone())
        });
        Self { providers: providers.collect(), ..self.clone() }
    }

    /// The pure halves of all kinds.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The pure half of a kind.
    pub fn kind(&self, mode: Mode, name: &str) -> Option<&Arc<dyn Kind>> {
        self.catalogue.get(mode, name)
    }

    /// The provider of a kind, configured as the block behind the address says; an address of nothing that is configured uses what has no
    /// alias.
    pub fn provider(&self, mode: Mode, name: &str, address: &Address) -> Option<&Arc<dyn Provider>> {
        let key = (mode, self.catalogue.get(mode, name)?.schema().kind);
        let owner = self.catalogue.provider_of(mode, name).filter(|_| !self.configured.is_empty());
        let chosen = owner.and_then(|owner| self.configured.get(&self.choice.selection.of(address, owner.name)));
        chosen.and_then(|by_kind| by_kind.get(&key)).or_else(|| self.providers.get(&key))
    }
}

/// Every kind of a provider.
fn kinds(provider: &dyn Provider) -> impl Iterator<Item = (Mode, Arc<dyn Kind>)> + use<> {
    let managed = provider.resources().into_iter().map(|kind| (Mode::Managed, kind));
    managed.chain(provider.data_sources().into_iter().map(|kind| (Mode::Data, kind)))
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.catalogue.fmt(f)
    }
}
