//! `istio_proxy_config`: the endpoints that sidecars know of a service.

use crate::pods::{Inquiry, PATIENCE, Said, ask};
use engine::port::BoxFuture;
use engine::question::Answer;
use engine::schema::{Attribute, Problem, Schema};
use engine::value::{Type, Value};
use kubernetes::{DataSource, Json, Source, Wanted};
use serde_json::json;

/// The container of sidecars and gateways.
const PROXY: &str = "istio-proxy";

/// `data.istio_proxy_config`.
pub struct ProxyConfig {
    schema: Schema,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        let attributes = vec![
            Attribute::required(
                "clusters",
                Type::map(Type::Reference("cluster")),
                "The clusters of the pods, by names of your choice: those in results.",
            ),
            Attribute::optional("namespace", Type::String, "The namespace of the pods.").default(Value::string("default")),
            Attribute::optional("name", Type::String, "The name of the pod. Either this or `label_selector`."),
            Attribute::optional(
                "label_selector",
                Type::String,
                "Conditions on labels that must all hold, as `kubectl` takes them: every pod that they choose is asked.",
            ),
            Attribute::required("service", Type::String, "The service by its whole name, such as `helloworld.sample.svc.cluster.local`."),
            Attribute::required("port", Type::Number, "Its port."),
            Attribute::optional("subset", Type::String, "A subset of it that a `DestinationRule` defines."),
            Attribute::optional("timeout", Type::String, "How long is waited until the pods run, and for the answer of each.")
                .default(Value::string(PATIENCE)),
            Attribute::computed(
                "endpoints",
                Type::map(Type::map(Type::list(Type::Any))),
                "By cluster and pod where requests may go: objects of `address`, `port`, `healthy`, `region`, `zone` and `weight`, by address. None where the proxy does not know the service.",
            ),
        ];
        let doc = "The endpoints that the proxies of pods know of a service, as `istioctl proxy-config endpoints` shows them: a pod of the own network by its address, \
            all those of another network by its gateway's. Where pods do not run, the check that asks is not run.";
        let schema =
            Schema { kind: "istio_proxy_config", doc, version: 1, attributes, classes: &[], place: None, outside: true, settles: false };
        Self { schema }
    }
}

impl DataSource for ProxyConfig {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn probes(&self) -> bool {
        true
    }

    fn validate(&self, arguments: &Value) -> Vec<Problem> {
        let problems = [kubernetes::arguments::pods_problem(arguments), kubernetes::arguments::timeout_problem(arguments)];
        problems.into_iter().flatten().collect()
    }

    fn read<'a>(&'a self, arguments: &'a Value, source: Source<'a>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let text = |name| arguments.text(name).unwrap_or_default();
            let wanted =
                Wanted { namespace: text("namespace"), name: text("name"), labels: text("label_selector"), container: Some(PROXY) };
            let inquiry = Inquiry { wanted, program: "pilot-agent", path: "clusters?format=json" };
            let port = arguments.get("port").and_then(Value::as_u64).unwrap_or_default();
            let name = format!("outbound|{port}|{}|{}", text("subset"), text("service"));
            match ask((arguments, source), inquiry, statuses).await {
                Ok(said) => Answer::Present(arguments.with_entries([("endpoints", shown(&said, &name))])),
                Err(answer) => answer,
            }
        })
    }
}

/// The clusters in Envoy's sense: what it knows of each service.
fn statuses(json: &Json) -> Result<Vec<Json>, String> {
    json.get("cluster_statuses").and_then(Json::as_array).cloned().ok_or_else(|| "the answer tells of no clusters".to_owned())
}

fn shown(said: &Said<Vec<Json>>, name: &str) -> Value {
    let of_pod = |statuses: &Vec<Json>| -> Json {
        let of_name = statuses.iter().filter(|status| status.get("name").and_then(Json::as_str) == Some(name));
        let hosts = of_name.filter_map(|status| status.get("host_statuses")?.as_array()).flatten();
        let mut endpoints: Vec<Json> = hosts.map(endpoint).collect();
        endpoints.sort_by_cached_key(Json::to_string);
        endpoints.into()
    };
    let of_cluster = |pods: &std::collections::BTreeMap<String, Vec<Json>>| -> Json {
        pods.iter().map(|(pod, statuses)| (pod.as_str(), of_pod(statuses))).collect()
    };
    Value::from_json(&said.iter().map(|(cluster, pods)| (cluster.as_str(), of_cluster(pods))).collect())
}

/// One endpoint. What Envoy leaves out has the value that it has by default.
fn endpoint(host: &Json) -> Json {
    let at = |path: &str| host.pointer(path).cloned().unwrap_or_default();
    let text = |path: &str| host.pointer(path).and_then(Json::as_str).unwrap_or_default();
    let health = host.get("health_status").and_then(Json::as_object);
    let failed = health.is_some_and(|health| health.iter().any(|(name, value)| name.starts_with("failed_") && value == true));
    let told = text("/health_status/eds_health_status");
    json!({
        "address": text("/address/socket_address/address"),
        "port": at("/address/socket_address/port_value"),
        "healthy": !failed && matches!(told, "" | "HEALTHY" | "UNKNOWN"),
        "region": text("/locality/region"),
        "zone": text("/locality/zone"),
        "weight": at("/weight"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn endpoints_are_those_of_the_service_with_their_health() {
        let host = |address: &str, port: u16, health: Json| json!({ "address": { "socket_address": { "address": address, "port_value": port } }, "health_status": health, "weight": 1, "locality": { "region": "r1", "zone": "z1" } });
        let answer = json!({ "cluster_statuses": [
            { "name": "outbound|5000||helloworld.sample.svc.cluster.local", "host_statuses": [
                host("10.2.1.41", 15443, json!({ "eds_health_status": "HEALTHY" })),
                host("10.0.0.7", 5000, json!({ "eds_health_status": "HEALTHY", "failed_outlier_check": true })),
            ] },
            { "name": "outbound|5000|v1|helloworld.sample.svc.cluster.local", "host_statuses": [host("10.0.0.9", 5000, json!({ "eds_health_status": "UNHEALTHY" }))] },
            { "name": "BlackHoleCluster" },
        ] });
        let said = Said::from([("c1".to_owned(), BTreeMap::from([("sleep".to_owned(), statuses(&answer).unwrap())]))]);
        let told = |name: &str| shown(&said, name).to_json().unwrap()["c1"]["sleep"].clone();
        let endpoint = |address: &str, port: u16, healthy: bool| json!({ "address": address, "port": port, "healthy": healthy, "region": "r1", "zone": "z1", "weight": 1 });
        assert_eq!(
            told("outbound|5000||helloworld.sample.svc.cluster.local"),
            json!([endpoint("10.0.0.7", 5000, false), endpoint("10.2.1.41", 15443, true)])
        );
        assert_eq!(told("outbound|5000|v1|helloworld.sample.svc.cluster.local"), json!([endpoint("10.0.0.9", 5000, false)]));
        assert_eq!(told("outbound|5000||nothing"), json!([]));
        assert!(statuses(&json!([])).is_err());
    }
}
