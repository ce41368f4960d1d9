//! Changes as reviewers meet them: the objects of a control plane of a mesh, in the number, shape and size of the real thing, before and
//! after, and how many values differ.

mod definitions;
mod injector;
mod objects;
mod workloads;
pub mod yaml;

use serde_json::Value as Json;
use std::cell::Cell;

/// What changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// The control plane's version, in every cluster: nearly every object, and one each comes, goes and cannot change in place.
    Upgrade,
    /// One value in the YAML within one `ConfigMap`, in one cluster.
    MeshValue,
    /// The root certificate, in every cluster: in a `ConfigMap`, in webhooks, in a `Secret`.
    Rotation,
    /// The order of the containers of one `Deployment`, and of the routes of one `VirtualService`, in one cluster.
    Reordered,
    /// Two places of a `CustomResourceDefinition` of three thousand lines, in one cluster.
    Definition,
    /// A fourth cluster.
    Added,
    /// One cluster less.
    Removed,
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Upgrade, Self::MeshValue, Self::Rotation, Self::Reordered, Self::Definition, Self::Added, Self::Removed];

    /// Its name: of files, and in the documentation with blanks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upgrade => "an-upgrade-of-three-clusters",
            Self::MeshValue => "a-value-in-embedded-yaml",
            Self::Rotation => "a-root-certificate-is-rotated",
            Self::Reordered => "containers-and-routes-in-another-order",
            Self::Definition => "two-places-of-a-long-definition",
            Self::Added => "a-cluster-is-added",
            Self::Removed => "a-cluster-is-removed",
        }
    }

    /// The clusters there are afterwards. Before there are the first three.
    pub fn clusters(self) -> &'static [&'static str] {
        match self {
            Self::Added => &["c1", "c2", "c3", "c4"],
            Self::Removed => &["c1", "c2"],
            _ => &["c1", "c2", "c3"],
        }
    }

    /// Whether it changes objects of a cluster that stays.
    fn concerns(self, cluster: &str) -> bool {
        match self {
            Self::Upgrade | Self::Rotation => true,
            Self::MeshValue | Self::Reordered | Self::Definition => cluster == "c1",
            Self::Added | Self::Removed => false,
        }
    }
}

/// The objects of one cluster, as they are after a change or before any.
pub struct Rendering<'a> {
    cluster: &'a str,
    case: Option<Case>,
    changed: Cell<usize>,
}

/// What was rendered.
#[derive(Debug)]
pub struct Rendered {
    /// The objects.
    pub objects: Vec<Json>,
    /// How many values came, went, changed or moved against what there was before: each once, however long it is; of what comes or goes as a
    /// whole all that it holds; of text without a structure each line.
    pub changed: usize,
}

impl Rendered {
    /// The objects of a cluster before any change, or after one.
    pub fn of(cluster: &str, case: Option<Case>) -> Self {
        let case = case.filter(|case| case.concerns(cluster));
        let rendering = Rendering { cluster, case, changed: Cell::new(0) };
        let mut objects = rendering.objects();
        objects.extend(rendering.definitions());
        objects.extend(rendering.workloads());
        objects.push(rendering.injector());
        Self { objects, changed: rendering.changed.get() }
    }

    /// All objects as one text.
    pub fn text(&self) -> String {
        self.objects.iter().flat_map(|object| ["---\n".to_owned(), yaml::document(object)]).collect()
    }
}

impl Rendering<'_> {
    /// Whether this is after a change, which so many values more are part of.
    fn counts(&self, case: Case, values: usize) -> bool {
        let counts = self.case == Some(case);
        self.changed.set(self.changed.get() + if counts { values } else { 0 });
        counts
    }

    /// A value that a change makes another one.
    fn pick(&self, case: Case, before: impl Into<Json>, after: impl Into<Json>) -> Json {
        if self.counts(case, 1) { after.into() } else { before.into() }
    }

    /// The same within text.
    fn word<'w>(&self, case: Case, before: &'w str, after: &'w str) -> &'w str {
        if self.counts(case, 1) { after } else { before }
    }

    /// Something that comes with a change.
    fn comes(&self, case: Case, value: Json) -> Option<Json> {
        self.counts(case, values(&value)).then_some(value)
    }

    /// Something that goes with a change.
    fn goes(&self, case: Case, value: Json) -> Option<Json> {
        (!self.counts(case, values(&value))).then_some(value)
    }
}

/// How many values there are in a value; an empty one counts as one.
pub fn values(value: &Json) -> usize {
    match value {
        Json::Object(entries) if !entries.is_empty() => entries.values().map(values).sum(),
        Json::Array(items) if !items.is_empty() => items.iter().map(values).sum(),
        _ => 1,
    }
}

/// What an object is called: `ConfigMap istio-system/istio`.
pub fn name(object: &Json) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

/// The lines that tell of changes: without the table of clusters above them, the counts and the digest below, and empty ones.
pub fn lines_of_changes(text: &str) -> usize {
    let mut frame = false;
    let mut lines = 0;
    for line in text.lines() {
        frame = match line {
            "" => false,
            _ if line.starts_with("Clusters ") || line.starts_with("Plan") => true,
            _ => frame,
        };
        lines += usize::from(!frame && !line.is_empty());
    }
    lines
}
