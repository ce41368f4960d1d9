//! Istio's versions, as tags say them.

use std::fmt;

/// Minor version of Istio 1: `1.9.0` and `1.9.0-distroless` are 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Minor(pub(crate) u32);

/// The in-cluster operator came with releases up to 1.23 and was removed in 1.24.
pub(crate) const WITHOUT_OPERATOR: Minor = Minor(24);
/// The profiles of 1.8 were the last with `addonComponents`.
pub(crate) const WITHOUT_ADDON_COMPONENTS: Minor = Minor(9);
/// The setting `global.meshExpansion` was removed before 1.10 (istio/istio#29929).
pub(crate) const WITHOUT_MESH_EXPANSION: Minor = Minor(10);
/// Gateways need `ISTIO_META_ROUTER_MODE=sni-dnat` up to 1.11.
pub(crate) const WITHOUT_ROUTER_MODE: Minor = Minor(12);
/// Up to 1.11 the profile `remote` brings an istiod, for certificates and injection.
pub(crate) const WITHOUT_REMOTE_ISTIOD: Minor = Minor(12);
/// Gateway pods are injected by template from 1.11 on.
pub(crate) const WITH_GATEWAY_INJECTION: Minor = Minor(11);
/// Tags of revisions are Services beside their webhooks from about 1.27 on.
pub(crate) const WITH_TAG_SERVICES: Minor = Minor(27);
/// The API group `networking.istio.io` has version `v1` from 1.22 on.
pub(crate) const WITH_NETWORKING_V1: Minor = Minor(22);

/// As tags begin: `1.9`.
impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

impl Minor {
    /// The minor version that a tag says; nothing if it says none, as `latest` does.
    pub(crate) fn of(tag: &str) -> Option<Self> {
        let mut parts = tag.trim_start_matches('v').split(['.', '-']);
        if parts.next()? != "1" {
            return None;
        }
        parts.next()?.parse().ok().map(Self)
    }
}

/// Whether a tag, if there is one, says a version below another. What says no version counts as new.
pub(crate) fn below(tag: Option<&str>, version: Minor) -> bool {
    tag.and_then(Minor::of).is_some_and(|minor| minor < version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_say_a_minor_version_or_none() {
        for (tag, minor) in [
            ("1.9.0", Some(9)),
            ("1.10.1-distroless", Some(10)),
            ("v1.24", Some(24)),
            ("1.30-alpha.abc", Some(30)),
            ("latest", None),
            ("2.1.0", None),
            ("1", None),
            ("", None),
        ] {
            assert_eq!(Minor::of(tag), minor.map(Minor), "{tag}");
        }
    }

    #[test]
    fn what_says_no_version_counts_as_new() {
        assert!(below(Some("1.9.0"), WITHOUT_ROUTER_MODE) && !below(Some("1.12.0"), WITHOUT_ROUTER_MODE));
        assert!(!below(Some("latest"), WITHOUT_OPERATOR) && !below(None, WITHOUT_OPERATOR));
    }
}
