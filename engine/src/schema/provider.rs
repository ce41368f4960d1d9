//! What `provider` blocks configure.

use super::Attribute;
use crate::address::Mode;
use std::fmt;
use std::sync::Arc;

/// What names a configuration of a provider: `kubernetes`, or `kubernetes.west` with an alias.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProviderName {
    /// The provider.
    pub provider: Arc<str>,
    /// Which of its configurations; without one, that of all blocks that name none.
    pub alias: Option<Arc<str>>,
}

impl ProviderName {
    /// The configuration of all blocks that name none.
    pub fn usual(provider: impl Into<Arc<str>>) -> Self {
        Self { provider: provider.into(), alias: None }
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.provider)?;
        self.alias.as_ref().map_or(Ok(()), |alias| write!(f, ".{alias}"))
    }
}

/// One setting of a provider.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name, type and meaning. Never [`Computed`](super::Presence::Computed).
    pub attribute: Attribute,
    /// The kinds whose argument of the same name it gives where a block does not.
    pub supplies: &'static [(Mode, &'static str)],
    /// Whether it says which machine the provider works on: where two configurations differ in it, so do their machines.
    pub leads: bool,
}

impl Setting {
    /// A setting of the provider itself.
    pub fn own(attribute: Attribute) -> Self {
        Self { attribute, supplies: &[], leads: false }
    }

    /// A setting of the provider itself that says which machine it works on.
    pub fn leading(attribute: Attribute) -> Self {
        Self { leads: true, ..Self::own(attribute) }
    }

    /// A setting that gives arguments of these kinds.
    pub fn supplying(attribute: Attribute, supplies: &'static [(Mode, &'static str)]) -> Self {
        Self { attribute, supplies, leads: false }
    }
}

/// The data of a provider: what its name is, and what `provider "name" {}` may set.
#[derive(Debug, Clone)]
pub struct ProviderSchema {
    /// The name in configuration, such as `kubernetes`.
    pub name: &'static str,
    /// One or two sentences for the reference.
    pub doc: &'static str,
    /// All settings, in the order of the reference.
    pub settings: Vec<Setting>,
}
