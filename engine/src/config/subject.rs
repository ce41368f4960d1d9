//! What is meant by an address that need not be one instance's.

use crate::address::{Address, Key, ModulePath, ModuleStep, NotAnAddress};
use std::fmt;
use std::str::FromStr;

/// A module, a resource block, or one instance of either, as seen from a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A module call, or one instance of it, with all within.
    Module(ModulePath),
    /// A resource block, or one instance of it.
    Resource(Address),
}

impl Subject {
    /// Whether an instance is meant by it. Where it has no key every instance is meant.
    pub fn covers(&self, address: &Address) -> bool {
        let steps = address.module.steps();
        match self {
            Self::Module(module) => leads_to(module.steps(), steps),
            Self::Resource(of) => {
                of.module.steps().len() == steps.len()
                    && leads_to(of.module.steps(), steps)
                    && (of.mode, &of.kind, &of.name) == (address.mode, &address.kind, &address.name)
                    && (of.key == Key::None || of.key == address.key)
                    && (of.member.is_none() || of.member == address.member)
            }
        }
    }

    /// Whether one instance of a repeated block is meant, or something within one.
    pub fn has_key(&self) -> bool {
        let (module, own) = match self {
            Self::Module(module) => (module, false),
            Self::Resource(address) => (&address.module, address.key != Key::None),
        };
        own || module.steps().iter().any(|step| step.key != Key::None)
    }
}

/// Whether the steps begin with these, each without a key standing for all instances of its call.
fn leads_to(these: &[ModuleStep], steps: &[ModuleStep]) -> bool {
    let same = |(this, step): (&ModuleStep, &ModuleStep)| this.name == step.name && (this.key == Key::None || this.key == step.key);
    these.len() <= steps.len() && these.iter().zip(steps).all(same)
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(module) => module.fmt(f),
            Self::Resource(address) => address.fmt(f),
        }
    }
}

/// As users write it: `istio_operator.east`, `module.mesh["eu"]`, `module.mesh.kubernetes_namespace.x["c1"]`.
impl FromStr for Subject {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        text.parse().map(Self::Resource).or_else(|error: NotAnAddress| {
            let within: Option<Address> = format!("{text}.kind.name").parse().ok();
            let module = within.filter(|within| !within.module.is_root() && &*within.kind == "kind");
            module.map(|within| Self::Module(within.module.clone())).ok_or(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_key_means_all_instances() {
        for (subject, address, covered) in [
            ("k.a", "k.a", true),
            ("k.a", "k.a[\"x\"]", true),
            ("k.a[\"x\"]", "k.a[\"x\"]", true),
            ("k.a[\"x\"]", "k.a[\"y\"]", false),
            ("k.a[\"x\"]", "k.a", false),
            ("k.a", "k.a[0]/ConfigMap/n/c", true),
            ("k.a/ConfigMap/n/c", "k.a/ConfigMap/n/c", true),
            ("k.a/ConfigMap/n/c", "k.a", false),
            ("k.a", "data.k.a", false),
            ("data.k.a", "data.k.a[1]", true),
            ("k.a", "module.m.k.a", false),
            ("module.m", "module.m[\"x\"].k.a", true),
            ("module.m[\"x\"]", "module.m[\"x\"].module.n.k.a[2]", true),
            ("module.m[\"x\"]", "module.m[\"y\"].k.a", false),
            ("module.m.k.a", "module.m[\"x\"].k.a[2]", true),
            ("module.m.module.n", "module.m[\"x\"].k.a", false),
        ] {
            let of: Subject = subject.parse().unwrap();
            assert_eq!(of.covers(&address.parse().unwrap()), covered, "{subject} {address}");
            assert_eq!(of.to_string(), subject);
        }
    }

    #[test]
    fn what_names_nothing_is_no_subject() {
        for text in ["", "a", "module", "module.", "module.m.x", "k.a[", "module.m[x]", "k.a b"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
