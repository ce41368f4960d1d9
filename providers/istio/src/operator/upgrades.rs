//! From one version to the next: what a control plane becomes in place, and what stands beside it in its cluster.

use super::resource;
use crate::arguments::address;
use crate::version::Minor;
use engine::address::Address;
use engine::schema::{Adjustment, Comparison, Kind, Planned, Problem};
use engine::state::{Operation, Status};
use engine::value::Value;
use kubernetes::arguments::entry;

/// How many minor versions a control plane may go at once in place, up or down.
const IN_PLACE: u32 = 1;
/// How many minor versions apart revisions may be that stand beside each other.
const BESIDE: u32 = 2;
/// Profiles that bring `istio-ingressgateway`.
const WITH_INGRESS: [&str; 4] = ["default", "demo", "openshift", "preview"];

/// What is said of a control plane, wherever in the arguments that stands.
pub(crate) struct Plane {
    spec: Value,
    namespace: String,
    /// Nothing for the control plane without one.
    pub(crate) revision: Option<String>,
    tag: Option<String>,
}

impl Plane {
    /// What arguments or a record say.
    pub(crate) fn of(arguments: &Value) -> Self {
        let spec = resource(arguments).get("spec").cloned().unwrap_or_else(Value::null);
        let text = |name| spec.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let (revision, tag) = (text("revision"), text("tag"));
        Self { spec, namespace: super::namespace(arguments).to_owned(), revision, tag }
    }

    fn profile(&self) -> &str {
        self.spec.text("profile").unwrap_or_default()
    }

    fn component(&self, name: &str) -> Option<bool> {
        entry(&self.spec, &["components", name, "enabled"])?.as_bool()
    }

    /// Whether it serves pods, and is not only what control planes share.
    pub(crate) fn serves(&self) -> bool {
        self.component("pilot").unwrap_or_else(|| self.profile() != "empty")
    }

    /// Whether it brings what a cluster has once: Istio's definitions and the account of readers.
    fn brings_base(&self) -> bool {
        self.component("base").unwrap_or_else(|| self.profile() != "empty")
    }

    /// Whether it brings the gateway of the profile.
    fn brings_ingress(&self) -> bool {
        let gateways = entry(&self.spec, &["components", "ingressGateways"]).map(Value::items).unwrap_or_default();
        let said = gateways.iter().find(|gateway| gateway.text("name").is_none_or(|name| name == super::INGRESS_GATEWAY));
        let said = said.and_then(|gateway| gateway.get("enabled")).and_then(Value::as_bool);
        said.unwrap_or_else(|| WITH_INGRESS.contains(&self.profile()))
    }

    fn minor(&self) -> Option<Minor> {
        Minor::of(self.tag.as_deref()?)
    }
}

/// A control plane goes no further in place than its proxies can follow.
pub(crate) struct Upgrading;

impl Adjustment for Upgrading {
    fn planned(&self, base: &dyn Kind, asked: Comparison<'_>) -> Planned {
        // What was never whole has no proxies.
        let whole = asked.prior.filter(|prior| !matches!(prior.status, Status::Interrupted(Operation::Create) | Status::Tainted));
        match whole.and_then(|prior| skipped(asked.desired, &prior.attributes)) {
            Some(problem) => Planned::Refused(problem),
            None => base.planned(asked),
        }
    }
}

/// Why a control plane does not go from the version that it is of to the one that it should be of.
fn skipped(arguments: &Value, prior: &Value) -> Option<Problem> {
    let (former, next) = (Plane::of(prior), Plane::of(arguments));
    if !former.serves() || !next.serves() || former.revision != next.revision {
        return None;
    }
    let (was, is) = (former.minor()?, next.minor()?);
    if was.0.abs_diff(is.0) <= IN_PLACE {
        return None;
    }
    let (up, through) = if is > was { ("up", Minor(was.0 + 1)) } else { ("down", Minor(was.0.saturating_sub(1))) };
    let (from, to) = (former.tag.unwrap_or_default(), next.tag.unwrap_or_default());
    let detail = format!(
        "`tag` would go from `{from}` to `{to}` in place: Istio goes {up} by one minor version at a time, because proxies of one version are served \
         by control planes of the next or the former one alone"
    );
    let help = format!("Go to {through} first, or let {is} stand beside {was} as a revision of its own: see docs/upgrades.md.");
    Some(Problem::with("tag", "minor version skipped", detail).help(help))
}

/// What is wrong between control planes of one cluster, each at the later of the two.
pub(super) fn between(instances: &[(&Address, &Value)]) -> Vec<(Address, Problem)> {
    let planes: Vec<_> = instances
        .iter()
        .filter_map(|(at, arguments)| Some((*at, *arguments, address(arguments, &["cluster"])?, Plane::of(arguments))))
        .collect();
    let mut found = Vec::new();
    for (later, (at, arguments, cluster, plane)) in planes.iter().enumerate() {
        let beside = planes.iter().take(later).filter(|(_, _, other, _)| other == cluster);
        for (first, others, _, other) in beside {
            let rendered = [arguments, others].iter().all(|arguments| arguments.text("installer") == Some("istioctl"));
            let shared = rendered.then(|| shared((first, other), (at, plane))).flatten();
            found.extend(shared.or_else(|| apart((first, other), (at, plane))).map(|problem| ((*at).clone(), problem)));
        }
    }
    found
}

/// What both would bring, and a cluster has once.
fn shared((first, other): (&Address, &Plane), (at, plane): (&Address, &Plane)) -> Option<Problem> {
    if other.namespace != plane.namespace {
        return None;
    }
    let base = other.brings_base() && plane.brings_base();
    let ingress = other.brings_ingress() && plane.brings_ingress();
    let (what, without) = match (base, ingress) {
        (true, true) => (
            "Istio's definitions, the account of readers and `istio-ingressgateway`",
            "`base = { enabled = false }` and `ingressGateways = [{ name = \"istio-ingressgateway\", enabled = false }]`",
        ),
        (true, false) => ("Istio's definitions and the account of readers", "`base = { enabled = false }`"),
        (false, true) => ("`istio-ingressgateway`", "`ingressGateways = [{ name = \"istio-ingressgateway\", enabled = false }]`"),
        (false, false) => return None,
    };
    let detail = format!("`{first}` and `{at}` are in one cluster and both bring {what}, which a cluster has once");
    let help = format!(
        "Write {without} into `components` of every control plane but one, or of all and let a further `istio_operator` with `profile = \"empty\"` \
         bring it: see docs/upgrades.md."
    );
    Some(Problem::with("components", "shared objects twice", detail).help(help))
}

/// Two revisions that are too far from each other.
fn apart((first, other): (&Address, &Plane), (at, plane): (&Address, &Plane)) -> Option<Problem> {
    if !other.serves() || !plane.serves() || other.revision == plane.revision {
        return None;
    }
    let (one, two) = (other.minor()?, plane.minor()?);
    if one.0.abs_diff(two.0) <= BESIDE {
        return None;
    }
    let detail = format!(
        "`{first}` is of Istio {one} and `{at}` of {two}, in one cluster: revisions stand beside each other at most {BESIDE} minor versions apart"
    );
    let help = "Go there by a revision in between.";
    Some(Problem::with("tag", "revisions too far apart", detail).help(help))
}

#[cfg(test)]
mod tests {
    use super::super::Operator;
    use super::*;
    use crate::arguments::tests::cluster;
    use kubernetes::ObjectKind as _;
    use serde_json::{Value as Json, json};

    fn arguments(changes: &Json) -> Value {
        let changes = changes.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), Value::from_json(value)));
        Operator::default().schema().defaults().with_entries([("cluster", cluster("c1"))]).with_entries(changes)
    }

    #[test]
    fn versions_are_not_skipped_in_place() {
        let tag = |tag: &str| json!({ "tag": tag });
        for (former, next, refused) in [
            (tag("1.29.4"), tag("1.30.0"), false),
            (tag("1.29.4"), tag("1.29.9"), false),
            (tag("1.30.0"), tag("1.29.4"), false),
            (tag("1.29.4"), tag("1.31.0-distroless"), true),
            (tag("1.31.0"), tag("1.29.4"), true),
            (tag("1.29.4"), tag("latest"), false),
            (tag("latest"), tag("1.31.0"), false),
            (tag("1.29.4"), json!({ "tag": null }), false),
            (json!({ "spec": { "tag": "1.29.4" }, "tag": null }), tag("1.31.0"), true),
            (json!({ "tag": "1.29.4", "revision": "a" }), json!({ "tag": "1.31.0", "revision": "a" }), true),
            (json!({ "tag": "1.29.4", "revision": "a" }), json!({ "tag": "1.31.0", "revision": "b" }), false),
            (json!({ "tag": "1.29.4" }), json!({ "tag": "1.31.0", "profile": "empty" }), false),
            (json!({ "tag": "1.29.4", "profile": "empty" }), json!({ "tag": "1.31.0", "profile": "empty" }), false),
            (json!({ "tag": "1.29.4", "profile": "remote" }), json!({ "tag": "1.31.0", "profile": "remote" }), true),
        ] {
            let problem = skipped(&arguments(&next), &arguments(&former));
            assert_eq!(problem.is_some(), refused, "{former} {next}");
        }
        let up = skipped(&arguments(&tag("1.31.0")), &arguments(&tag("1.29.4"))).unwrap();
        assert!(up.detail.contains("from `1.29.4` to `1.31.0`") && up.detail.contains("goes up by one"), "{}", up.detail);
        assert!(up.help.unwrap().starts_with("Go to 1.30 first, or let 1.31 stand beside 1.29"));
        let down = skipped(&arguments(&tag("1.20.1")), &arguments(&tag("1.23.6"))).unwrap();
        assert!(down.help.unwrap().starts_with("Go to 1.22 first"), "{}", down.detail);
    }

    fn found(planes: &[Json]) -> Vec<String> {
        let planes: Vec<_> = planes.iter().map(arguments).collect();
        let addresses: Vec<_> = (0..planes.len()).map(|at| Address::managed("istio_operator", &format!("p{at}"))).collect();
        let instances: Vec<_> = addresses.iter().zip(&planes).collect();
        between(&instances).into_iter().map(|(at, problem)| format!("{} {}", at.name, problem.summary)).collect()
    }

    #[test]
    fn what_a_cluster_has_once_is_brought_once() {
        let off = json!({ "base": { "enabled": false }, "ingressGateways": [{ "name": "istio-ingressgateway", "enabled": false }] });
        let plain = |revision: &str| json!({ "revision": revision, "tag": "1.30.0" });
        let alone = |revision: &str| json!({ "revision": revision, "tag": "1.30.0", "components": off });
        let minimal = |revision: &str| json!({ "revision": revision, "tag": "1.30.0", "profile": "minimal" });
        let base = json!({ "name": "base", "tag": "1.30.0", "profile": "empty", "components": { "base": { "enabled": true } } });
        let gateway = json!({ "name": "eastwest", "tag": "1.30.0", "profile": "empty" });
        for (planes, expected) in [
            (vec![plain("a")], vec![]),
            (vec![plain("a"), plain("b")], vec!["p1 shared objects twice"]),
            (vec![plain("a"), alone("b")], vec![]),
            (vec![alone("a"), alone("b"), base.clone(), gateway], vec![]),
            (vec![minimal("a"), minimal("b")], vec!["p1 shared objects twice"]),
            (vec![base, minimal("a")], vec!["p1 shared objects twice"]),
            (
                vec![
                    json!({ "installer": "operator", "tag": "1.20.0" }),
                    json!({ "installer": "operator", "tag": "1.20.0", "revision": "b" }),
                ],
                vec![],
            ),
        ] {
            assert_eq!(found(&planes), expected, "{planes:?}");
        }
    }

    #[test]
    fn revisions_are_at_most_two_minor_versions_apart() {
        let of = |revision: &Json, tag: &str| json!({ "installer": "operator", "revision": revision, "tag": tag });
        for (one, other, expected) in [
            (of(&json!("a"), "1.20.0"), of(&json!("b"), "1.22.0"), vec![]),
            (of(&json!("a"), "1.20.0"), of(&json!("b"), "1.23.0"), vec!["p1 revisions too far apart"]),
            (of(&json!("a"), "1.23.0"), of(&json!(null), "1.20.0"), vec!["p1 revisions too far apart"]),
            (of(&json!("a"), "1.20.0"), of(&json!("b"), "latest"), vec![]),
        ] {
            assert_eq!(found(&[one, other]), expected);
        }
    }
}
