//! What a person names with one address: a resource with all its instances, one of them, or a module with all within.

use crate::address::{Address, Key, ModulePath, NotAnAddress};
use std::fmt;
use std::str::FromStr;

/// What an address that somebody wrote is about, as seen from a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A module call, or one instance of it, with all within.
    Module(ModulePath),
    /// A resource block, one instance of it, or one member of a manifest set.
    Resource(Address),
}

impl Subject {
    /// Whether an address is among what is meant: a name without a key means all its instances, and an instance its members.
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::Module(module) => {
                let (Some((outer, last)), steps) = (module.parent(), address.module.steps()) else { return true };
                let step = steps.get(outer.steps().len());
                steps.starts_with(outer.steps())
                    && step.is_some_and(|step| step.name == last.name && (last.key == Key::None || step.key == last.key))
            }
            Self::Resource(named) => {
                let key = named.key == address.key || named.key == Key::None && named.member.is_none();
                let member = named.member.is_none() || named.member == address.member;
                let block = (named.mode, &named.kind, &named.name) == (address.mode, &address.kind, &address.name);
                block && key && member && named.module == address.module
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(module) => module.fmt(f),
            Self::Resource(address) => address.fmt(f),
        }
    }
}

impl FromStr for Subject {
    type Err = NotAnAddress;

    /// Reads `kind.name`, `data.kind.name`, `module.a.kind.name["key"]`, `kind.name/Kind/name`, `module.a` or `module.a["key"]`.
    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let text = text.trim();
        text.parse::<Address>().map(Self::Resource).or_else(|wrong| {
            // A module's path is whatever a resource could follow.
            let within = format!("{text}.kind.name").parse::<Address>().ok();
            let module = within.filter(|within| !within.module.is_root() && &*within.kind == "kind");
            module.map(|within| Self::Module(within.module.clone())).ok_or(wrong)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_covers_its_instances_its_members_and_what_lies_within() {
        for (subject, address, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.b[\"x\"]", true),
            ("a.b", "a.b[0]/Kind/n", true),
            ("a.b[0]", "a.b[0]/Kind/n", true),
            ("a.b[0]", "a.b[1]", false),
            ("a.b[0]", "a.b", false),
            ("a.b/Kind/n", "a.b/Kind/n", true),
            ("a.b/Kind/n", "a.b", false),
            ("a.b/Kind/n", "a.b[0]/Kind/n", false),
            ("a.b", "a.bc", false),
            ("a.b", "data.a.b", false),
            ("data.a.b", "data.a.b[\"x\"]", true),
            ("a.b", "module.m.a.b", false),
            ("module.m.a.b", "module.m.a.b", true),
            ("module.m", "module.m.a.b", true),
            ("module.m", "module.m[\"x\"].module.n.data.a.b", true),
            ("module.m[0]", "module.m[0].a.b", true),
            ("module.m[0]", "module.m[1].a.b", false),
            ("module.m[0].module.n", "module.m[0].module.n[2].a.b", true),
            ("module.m.module.n", "module.m[0].module.n.a.b", false),
            ("module.m", "module.mm.a.b", false),
            ("module.m", "a.b", false),
        ] {
            let (named, address) = (subject.parse::<Subject>().unwrap(), address.parse::<Address>().unwrap());
            assert_eq!(named.covers(&address), expected, "{subject} {address}");
            assert_eq!(named.to_string(), subject);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "a", "a.b.c", "module", "module.", "module.m.", "a.b[", "data.a"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
