//! How providers are configured, and which configuration each block uses.

use super::super::words_v1::{Words, is_false};
use super::values::{At, Values, Writing};
use engine::address::Mode;
use engine::config::{ResourceName, Selection};
use engine::plan::Providers;
use engine::schema::ProviderName;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The provider, and which of its configurations if that is not the usual one.
#[derive(Serialize, Deserialize)]
pub(super) struct NameV1(Words, Option<Words>);

impl From<&ProviderName> for NameV1 {
    fn from(name: &ProviderName) -> Self {
        Self(Words(name.provider.clone()), name.alias.clone().map(Words))
    }
}

impl From<NameV1> for ProviderName {
    fn from(NameV1(provider, alias): NameV1) -> Self {
        Self { provider: provider.0, alias: alias.map(|alias| alias.0) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProvidersV1 {
    settings: Vec<(NameV1, At)>,
    chosen: Vec<ChosenV1>,
    usual: Vec<UsualV1>,
}

/// What names of providers mean in the module that calls lead to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsualV1 {
    calls: Vec<Words>,
    names: Vec<(Words, NameV1)>,
}

/// The configuration that one block uses.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChosenV1 {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<Words>,
    #[serde(default, skip_serializing_if = "is_false")]
    data: bool,
    kind: Words,
    name: Words,
    provider: NameV1,
}

fn calls_v1(calls: &[Arc<str>]) -> Vec<Words> {
    calls.iter().cloned().map(Words).collect()
}

fn calls(stored: Vec<Words>) -> Vec<Arc<str>> {
    stored.into_iter().map(|call| call.0).collect()
}

impl ProvidersV1 {
    pub(super) fn of(providers: &Providers, values: &mut Writing<'_>) -> Self {
        let Providers { settings, selection: Selection { chosen, usual } } = providers;
        let chosen = chosen.iter().map(|((calls, of), provider)| ChosenV1 {
            calls: calls_v1(calls),
            data: of.mode == Mode::Data,
            kind: Words(of.kind.clone()),
            name: Words(of.name.clone()),
            provider: provider.into(),
        });
        let usual = usual.iter().map(|(calls, names)| {
            let names = names.iter().map(|(name, provider)| (Words(name.clone()), provider.into()));
            UsualV1 { calls: calls_v1(calls), names: names.collect() }
        });
        Self {
            settings: settings.iter().map(|(name, settings)| (name.into(), values.put(settings))).collect(),
            chosen: chosen.collect(),
            usual: usual.collect(),
        }
    }

    pub(super) fn read(self, values: &Values<'_>) -> Result<Providers, String> {
        let settings = self.settings.into_iter().map(|(name, settings)| Ok((name.into(), values.get(&settings)?)));
        let settings = settings.collect::<Result<_, String>>()?;
        let chosen = self.chosen.into_iter().map(|stored| {
            let mode = if stored.data { Mode::Data } else { Mode::Managed };
            ((calls(stored.calls), ResourceName { mode, kind: stored.kind.0, name: stored.name.0 }), stored.provider.into())
        });
        let usual = self.usual.into_iter().map(|stored| {
            let names = stored.names.into_iter().map(|(name, provider)| (name.0, provider.into()));
            (calls(stored.calls), names.collect())
        });
        Ok(Providers { settings, selection: Selection { chosen: chosen.collect(), usual: usual.collect() } })
    }
}
