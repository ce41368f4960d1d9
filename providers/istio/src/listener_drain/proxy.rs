//! What a pod says of its proxy.

use kubernetes::Json;

/// The container of sidecars and gateways.
pub(super) const PROXY: &str = "istio-proxy";

/// The proxy of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    /// The pod.
    pub(super) pod: String,
    /// Which container it is: another one after each start. Empty before the first.
    pub(super) container: String,
    /// Whether it runs.
    pub(super) runs: bool,
    /// Whether its node starts another one when it ends well.
    pub(super) returns: bool,
    /// Whether the pod is ready.
    pub(super) is_ready: bool,
}

impl Proxy {
    /// That of a pod, if it has one.
    pub(super) fn of(pod: &Json) -> Option<Self> {
        let named = |list: &str| {
            let items = pod.pointer(list)?.as_array()?;
            items.iter().find(|item| text(item, "/name") == PROXY)
        };
        let (beside, native) = (named("/spec/containers"), named("/spec/initContainers"));
        let always = |policy: Option<&str>| policy == Some("Always");
        let own = |container: &Json| container.get("restartPolicy").and_then(Json::as_str).map(str::to_owned);
        let returns = match (beside, native) {
            (Some(container), _) => {
                let of_pod = pod.pointer("/spec/restartPolicy").and_then(Json::as_str).unwrap_or("Always");
                always(Some(own(container).as_deref().unwrap_or(of_pod)))
            }
            (None, Some(container)) => always(own(container).as_deref()),
            (None, None) => return None,
        };
        let status = named("/status/containerStatuses").or_else(|| named("/status/initContainerStatuses"));
        let conditions = pod.pointer("/status/conditions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        Some(Self {
            pod: text(pod, "/metadata/name").to_owned(),
            container: status.map(|status| text(status, "/containerID").to_owned()).unwrap_or_default(),
            runs: status.is_some_and(|status| status.pointer("/state/running").is_some()),
            returns,
            is_ready: conditions.iter().any(|condition| text(condition, "/type") == "Ready" && text(condition, "/status") == "True"),
        })
    }
}

fn text<'a>(json: &'a Json, at: &str) -> &'a str {
    json.pointer(at).and_then(Json::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn returns(spec: &Json) -> Option<bool> {
        Proxy::of(&json!({ "metadata": { "name": "p" }, "spec": spec })).map(|proxy| proxy.returns)
    }

    #[test]
    fn a_proxy_returns_where_its_node_starts_it_again() {
        let own = json!({ "name": "istio-proxy", "restartPolicy": "Always" });
        for (spec, expected) in [
            (json!({ "containers": [{ "name": "app" }] }), None),
            (json!({ "containers": [{ "name": "app" }, { "name": "istio-proxy" }] }), Some(true)),
            (json!({ "restartPolicy": "OnFailure", "containers": [{ "name": "istio-proxy" }] }), Some(false)),
            (json!({ "restartPolicy": "Never", "containers": [own] }), Some(true)),
            // As a native sidecar it stands among the containers that come first.
            (json!({ "restartPolicy": "Never", "containers": [{ "name": "app" }], "initContainers": [own] }), Some(true)),
            (json!({ "containers": [{ "name": "app" }], "initContainers": [{ "name": "istio-proxy" }] }), Some(false)),
        ] {
            assert_eq!(returns(&spec), expected, "{spec}");
        }
    }

    #[test]
    fn its_container_and_the_pods_readiness_are_told() {
        let status = |state: &Json| json!([{ "name": "app" }, { "name": "istio-proxy", "containerID": "containerd://2", "state": state }]);
        let ready = json!([{ "type": "Initialized", "status": "True" }, { "type": "Ready", "status": "True" }]);
        let unready = json!([{ "type": "Ready", "status": "False" }]);
        let pod = |list: &str, state: &Json, conditions: &Json| json!({ "metadata": { "name": "p" }, "spec": { "containers": [{ "name": "istio-proxy" }] }, "status": { list: status(state), "conditions": conditions } });
        let running = json!({ "running": {} });
        for (list, state, conditions, runs, is_ready) in [
            ("containerStatuses", &running, &ready, true, true),
            ("initContainerStatuses", &running, &unready, true, false),
            ("containerStatuses", &json!({ "waiting": { "reason": "CrashLoopBackOff" } }), &unready, false, false),
        ] {
            let expected = Proxy { pod: "p".to_owned(), container: "containerd://2".to_owned(), runs, returns: true, is_ready };
            assert_eq!(Proxy::of(&pod(list, state, conditions)), Some(expected));
        }
        let new = Proxy::of(&json!({ "metadata": { "name": "p" }, "spec": { "containers": [{ "name": "istio-proxy" }] } })).unwrap();
        assert_eq!((new.container.as_str(), new.runs, new.is_ready), ("", false, false));
    }
}
