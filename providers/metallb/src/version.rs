//! MetalLB's versions, as images say them.

use engine::value::Value;

/// A version of MetalLB, `0.16.2` as `(0, 16)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32);

/// The first whose speakers find each other without a Secret that somebody has to make.
pub(crate) const WITH_OWN_SECRET: Version = Version(0, 10);
/// The first that is configured by objects of its own; from then on the `ConfigMap` counts for nothing.
pub(crate) const WITH_OBJECTS: Version = Version(0, 13);
/// The first that announces nothing from nodes with `node.kubernetes.io/exclude-from-external-load-balancers`.
pub(crate) const WITH_EXCLUSION: Version = Version(0, 14);

impl Version {
    /// The version that a text says; nothing if it says none, as `main` does.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let mut parts = text.trim_start_matches('v').split(['.', '-']);
        Some(Self(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// Whether a text says a version below another. What says no version counts as new.
pub(crate) fn below(text: &str, version: Version) -> bool {
    Version::of(text).is_some_and(|told| told < version)
}

/// The version that the image of the controller among objects says, without `v`; nothing if there is none or its image has no tag.
pub(crate) fn of_objects(objects: &[Value]) -> Option<String> {
    let controller = objects.iter().find(|object| is_controller(object))?;
    let spec = controller.get("spec")?.get("template")?.get("spec")?;
    tag(spec.get("containers")?.items().first()?.text("image")?)
}

/// Whether an object is the controller of MetalLB.
pub(crate) fn is_controller(object: &Value) -> bool {
    let label = |name| object.get("metadata").and_then(|metadata| metadata.get("labels")).and_then(|labels| labels.text(name));
    object.text("kind") == Some("Deployment") && label("app") == Some("metallb") && label("component") == Some("controller")
}

/// The tag of an image as a version, without `v`.
pub(crate) fn tag(image: &str) -> Option<String> {
    let named = image.split('@').next()?;
    let (_, tag) = named.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    Some(tag.strip_prefix('v').unwrap_or(tag).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_say_a_version_or_none() {
        for (text, version) in [
            ("0.12.1", Some(Version(0, 12))),
            ("v0.16.2", Some(Version(0, 16))),
            ("0.15.0-rc1", Some(Version(0, 15))),
            ("1.0", Some(Version(1, 0))),
            ("main", None),
            ("", None),
        ] {
            assert_eq!(Version::of(text), version, "{text}");
        }
        assert!(
            below("0.12.1", WITH_OBJECTS) && !below("0.13.0", WITH_OBJECTS) && !below("main", WITH_OBJECTS) && !below("1.0", WITH_OBJECTS)
        );
    }

    #[test]
    fn the_controllers_image_tells_the_version() {
        let version = |image: &str| {
            let labels = json!({ "app": "metallb", "component": "controller" });
            let template = json!({ "spec": { "containers": [{ "name": "controller", "image": image }] } });
            let controller = json!({ "kind": "Deployment", "metadata": { "labels": labels }, "spec": { "template": template } });
            of_objects(&[Value::from_json(&json!({ "kind": "Namespace" })), Value::from_json(&controller)])
        };
        for (image, expected) in [
            ("quay.io/metallb/controller:v0.16.2", Some("0.16.2")),
            ("registry.test:5000/metallb/controller:main", Some("main")),
            ("registry.test:5000/metallb/controller", None),
            ("quay.io/metallb/controller:v0.14.9@sha256:00", Some("0.14.9")),
            ("quay.io/metallb/controller@sha256:00", None),
        ] {
            assert_eq!(version(image).as_deref(), expected, "{image}");
        }
        assert_eq!(of_objects(&[]), None);
    }
}
