//! Where values came from: resource instances, and shared joins of them.
//!
//! An [`Origin`] is four bytes: nothing, one instance, or a join. Joins are hash-consed and never flattened above a few members, so
//! that 20,000 instances which all depend on one join of 20,000 cost 40,000 edges and not 400 million; the joins become nodes of
//! the graph.

use crate::address::Address;
use std::collections::{BTreeMap, BTreeSet};

/// The resources a value came from. Meaningful only with the [`Origins`] that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Origin(u32);

const JOIN: u32 = 1 << 31;
/// Joins of at most this many members are merged into the joins above them.
const FLAT: usize = 8;

impl Origin {
    /// From no resource.
    pub const NONE: Self = Self(0);
}

/// What an origin is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made<'a> {
    /// Nothing.
    Nothing,
    /// One resource instance.
    Instance(&'a Address),
    /// Several origins.
    Join(&'a [Origin]),
}

/// All the instances and joins of one run. Ids are in order of arrival and never enter bytes.
#[derive(Debug, Default)]
pub struct Origins {
    instances: Vec<Address>,
    by_address: BTreeMap<Address, u32>,
    joins: Vec<Box<[Origin]>>,
    by_members: BTreeMap<Box<[Origin]>, u32>,
}

impl Origins {
    /// The origin of one instance.
    pub fn instance(&mut self, address: &Address) -> Origin {
        if let Some(id) = self.by_address.get(address) {
            return Origin(*id);
        }
        self.instances.push(address.clone());
        let id = u32::try_from(self.instances.len()).unwrap_or(JOIN - 1).min(JOIN - 1);
        self.by_address.insert(address.clone(), id);
        Origin(id)
    }

    /// The origin of what came from all of these.
    pub fn join(&mut self, members: &[Origin]) -> Origin {
        let mut all: Vec<Origin> = Vec::with_capacity(members.len());
        for member in members {
            match self.made(*member) {
                Made::Nothing => {}
                Made::Join(inner) if inner.len() <= FLAT => all.extend(inner.to_vec()),
                Made::Instance(_) | Made::Join(_) => all.push(*member),
            }
        }
        all.sort_unstable();
        all.dedup();
        match all.as_slice() {
            [] => Origin::NONE,
            [only] => *only,
            _ => self.intern(all.into()),
        }
    }

    fn intern(&mut self, members: Box<[Origin]>) -> Origin {
        if let Some(id) = self.by_members.get(&members) {
            return Origin(JOIN | id);
        }
        let id = u32::try_from(self.joins.len()).unwrap_or(JOIN - 1);
        self.joins.push(members.clone());
        self.by_members.insert(members, id);
        Origin(JOIN | id)
    }

    /// What an origin is made of. One that came from elsewhere, such as a program that is applied, is made of nothing.
    pub fn made(&self, origin: Origin) -> Made<'_> {
        if origin == Origin::NONE {
            return Made::Nothing;
        }
        let found = if origin.0 & JOIN == 0 {
            self.instances.get(origin.0 as usize - 1).map(Made::Instance)
        } else {
            self.joins.get((origin.0 & !JOIN) as usize).map(|members| Made::Join(members))
        };
        found.unwrap_or(Made::Nothing)
    }

    /// Every instance behind an origin, each once. Costs what it returns: for edges, walk joins with [`Origins::made`].
    pub fn instances(&self, origin: Origin) -> BTreeSet<&Address> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![origin];
        while let Some(origin) = open.pop() {
            if !seen.insert(origin) {
                continue;
            }
            match self.made(origin) {
                Made::Nothing => {}
                Made::Instance(address) => {
                    found.insert(address);
                }
                Made::Join(members) => open.extend(members),
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_are_shared_and_small_ones_flattened() {
        let mut origins = Origins::default();
        let [a, b, c] = ["a", "b", "c"].map(|name| origins.instance(&Address::managed("k", name)));
        let ab = origins.join(&[a, b]);
        assert_eq!(ab, origins.join(&[b, a, Origin::NONE, a]));
        let abc = origins.join(&[ab, c]);
        assert_eq!(abc, origins.join(&[a, b, c]));
        assert_eq!(origins.join(&[]), Origin::NONE);
        assert_eq!(origins.join(&[c]), c);
        assert_eq!(origins.instances(abc).len(), 3);
    }

    #[test]
    fn a_large_join_stays_one_member_of_the_next() {
        let mut origins = Origins::default();
        let many: Vec<_> = (0..100).map(|n| origins.instance(&Address::managed("k", &format!("n{n}")))).collect();
        let large = origins.join(&many);
        let other = origins.instance(&Address::managed("k", "other"));
        let both = origins.join(&[large, other]);
        assert!(matches!(origins.made(both), Made::Join(members) if members.len() == 2));
        assert_eq!(origins.instances(both).len(), 101);
    }
}
