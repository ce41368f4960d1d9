//! What the lint looks at: objects, with the cluster that each lies in.

use crate::operator::{INSTALL, ISTIO_OPERATOR};
use engine::address::Address;
use engine::schema::{LintInput, LintInstance};
use engine::value::Value;
use kubernetes::arguments::entry;
use std::collections::BTreeMap;

/// Everything that is to be.
pub(super) struct Scene<'a> {
    /// All objects, in the order of addresses.
    pub(super) objects: Vec<Object<'a>>,
    /// Whether nothing is left out: only then what is missing is missing.
    pub(super) complete: bool,
}

/// One object of a cluster.
#[derive(Clone, Copy)]
pub(super) struct Object<'a> {
    pub(super) address: &'a Address,
    /// The kind of the resource that writes it.
    pub(super) by: &'static str,
    /// What tells its cluster from all others.
    pub(super) place: Option<&'a str>,
    pub(super) value: &'a Value,
}

impl<'a> Scene<'a> {
    /// The objects that instances write, and those that sets are made from without writing them.
    pub(super) fn of(input: &'a LintInput<'a>, made_from: &'a BTreeMap<&'a Address, Value>) -> Self {
        let object = |at: &'a LintInstance<'a>| {
            let value = at.written.as_ref().or_else(|| made_from.get(at.address))?;
            Some(Object { address: at.address, by: at.kind, place: at.place.as_deref(), value })
        };
        Self { objects: input.instances.iter().filter_map(object).collect(), complete: input.complete }
    }

    /// The objects of a kind of an API group, in whichever version.
    pub(super) fn of_kind(&self, group: &'static str, kind: &'static str) -> impl Iterator<Item = Object<'a>> {
        self.objects.iter().copied().filter(move |object| object.is(group, kind))
    }

    /// Every `IstioOperator`, whoever wrote it or renders it.
    pub(super) fn operators(&self) -> impl Iterator<Item = Object<'a>> {
        let group = INSTALL.split_once('/').map_or("", |(group, _)| group);
        self.of_kind(group, ISTIO_OPERATOR)
    }

    /// What makes pods.
    pub(super) fn workloads(&self) -> impl Iterator<Item = Object<'a>> {
        const KINDS: [(&str, &str); 6] =
            [("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("apps", "ReplicaSet"), ("batch", "Job"), ("", "Pod")];
        self.objects.iter().copied().filter(|object| KINDS.iter().any(|(group, kind)| object.is(group, kind)))
    }
}

impl<'a> Object<'a> {
    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        let version = self.value.text("apiVersion").unwrap_or_default();
        self.value.text("kind") == Some(kind) && version.split_once('/').map_or("", |(group, _)| group) == group
    }

    /// What stands at a path.
    pub(super) fn at(&self, path: &[&str]) -> Option<&'a Value> {
        entry(self.value, path)
    }

    /// The text at a path, once it is known.
    pub(super) fn text(&self, path: &[&str]) -> Option<&'a str> {
        entry(self.value, path)?.as_str()
    }

    pub(super) fn name(&self) -> Option<&'a str> {
        self.text(&["metadata", "name"])
    }

    /// Its namespace; that of objects that say none.
    pub(super) fn namespace(&self) -> &'a str {
        self.text(&["metadata", "namespace"]).unwrap_or("default")
    }

    /// The labels of the pods that a workload makes.
    pub(super) fn pod_labels(&self) -> Option<&'a Value> {
        if self.is("", "Pod") { self.at(&["metadata", "labels"]) } else { self.at(&["spec", "template", "metadata", "labels"]) }
    }

    /// Its kind and name, as people write them.
    pub(super) fn called(&self) -> String {
        let kind = self.value.text("kind").unwrap_or_default();
        format!("`{kind}/{}/{}`", self.namespace(), self.name().unwrap_or("?"))
    }
}

/// Whether labels have every entry of a selector; nothing while that is not known.
pub(super) fn selects(selector: &Value, labels: Option<&Value>) -> Option<bool> {
    if !selector.is_known() || labels.is_some_and(|labels| !labels.is_known()) {
        return None;
    }
    Some(selector.entries().iter().all(|entry| labels.and_then(|labels| labels.text(&entry.key)) == entry.value.as_str()))
}
