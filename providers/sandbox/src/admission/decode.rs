//! Which fields of an object its kind does not know. Built-in kinds are read into the published types, defined ones held against their schema.

use super::schema;
use crate::object::Json;
use crate::resource::Resource;
use k8s_openapi::api::{
    admissionregistration::v1 as admissionregistration, apps::v1 as apps, autoscaling::v2 as autoscaling, batch::v1 as batch,
    coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery, networking::v1 as networking, policy::v1 as policy,
    rbac::v1 as rbac, scheduling::v1 as scheduling, storage::v1 as storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How the types say that a required field is not there. The server has a zero value for that, and validation looks at it later.
const MISSING: &str = "missing field";

/// Takes out of an object what its kind does not know, and says what that was: paths such as `spec.replica`. An error says why it cannot
/// be read as its kind at all.
pub(crate) fn unknown_fields(resource: &Resource, object: &mut Json) -> Result<Vec<String>, String> {
    let mut unknown = Vec::new();
    if let Some(schema) = &resource.schema {
        schema::prune(object, schema.json(), &mut unknown);
        return Ok(unknown);
    }
    if let Some(known) = known(resource, object).filter(|known| !matches!(known, Err(why) if why.starts_with(MISSING))) {
        let known = known.map_err(|error| {
            format!("{} in version {:?} cannot be handled as a {}: {error}", resource.kind, resource.version, resource.kind)
        })?;
        drop_unknown(object, &known, "", &mut unknown);
    }
    Ok(unknown)
}

/// The object with what its type knows; nothing for kinds without a type here.
fn known(resource: &Resource, object: &Json) -> Option<Result<Json, String>> {
    let read = match (resource.group.as_str(), resource.kind.as_str()) {
        ("", "ConfigMap") => through::<core::ConfigMap>,
        ("", "Endpoints") => through::<core::Endpoints>,
        ("", "Namespace") => through::<core::Namespace>,
        ("", "Node") => through::<core::Node>,
        ("", "PersistentVolumeClaim") => through::<core::PersistentVolumeClaim>,
        ("", "Pod") => through::<core::Pod>,
        ("", "Secret") => through::<core::Secret>,
        ("", "Service") => through::<core::Service>,
        ("", "ServiceAccount") => through::<core::ServiceAccount>,
        ("apps", "DaemonSet") => through::<apps::DaemonSet>,
        ("apps", "Deployment") => through::<apps::Deployment>,
        ("apps", "ReplicaSet") => through::<apps::ReplicaSet>,
        ("apps", "StatefulSet") => through::<apps::StatefulSet>,
        ("autoscaling", "HorizontalPodAutoscaler") => through::<autoscaling::HorizontalPodAutoscaler>,
        ("batch", "CronJob") => through::<batch::CronJob>,
        ("batch", "Job") => through::<batch::Job>,
        ("policy", "PodDisruptionBudget") => through::<policy::PodDisruptionBudget>,
        ("networking.k8s.io", "Ingress") => through::<networking::Ingress>,
        ("networking.k8s.io", "NetworkPolicy") => through::<networking::NetworkPolicy>,
        ("discovery.k8s.io", "EndpointSlice") => through::<discovery::EndpointSlice>,
        ("coordination.k8s.io", "Lease") => through::<coordination::Lease>,
        ("rbac.authorization.k8s.io", "ClusterRole") => through::<rbac::ClusterRole>,
        ("rbac.authorization.k8s.io", "ClusterRoleBinding") => through::<rbac::ClusterRoleBinding>,
        ("rbac.authorization.k8s.io", "Role") => through::<rbac::Role>,
        ("rbac.authorization.k8s.io", "RoleBinding") => through::<rbac::RoleBinding>,
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration") => through::<admissionregistration::MutatingWebhookConfiguration>,
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration") => {
            through::<admissionregistration::ValidatingWebhookConfiguration>
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => through::<apiextensions::CustomResourceDefinition>,
        ("scheduling.k8s.io", "PriorityClass") => through::<scheduling::PriorityClass>,
        ("storage.k8s.io", "StorageClass") => through::<storage::StorageClass>,
        _ => return None,
    };
    Some(read(object))
}

fn through<T: DeserializeOwned + Serialize>(object: &Json) -> Result<Json, String> {
    let read: T = serde_json::from_value(object.clone()).map_err(|error| error.to_string())?;
    serde_json::to_value(read).map_err(|error| error.to_string())
}

fn drop_unknown(object: &mut Json, known: &Json, above: &str, unknown: &mut Vec<String>) {
    match (object, known) {
        (Json::Object(fields), Json::Object(known)) => fields.retain(|name, value| {
            let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
            match known.get(name) {
                Some(known) => {
                    drop_unknown(value, known, &path, unknown);
                    true
                }
                // A null is the same as nothing.
                None if value.is_null() => false,
                // The types do not write the server's own bookkeeping in every shape it may have.
                None if above.is_empty() && ["apiVersion", "kind"].contains(&name.as_str()) => true,
                None => {
                    unknown.push(path);
                    false
                }
            }
        }),
        (Json::Array(items), Json::Array(known)) => {
            for (at, (item, known)) in items.iter_mut().zip(known).enumerate() {
                drop_unknown(item, known, &format!("{above}[{at}]"), unknown);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::builtin;
    use serde_json::json;

    #[test]
    fn unknown_fields_are_named_and_taken_out() {
        let resource = builtin("apps", "v1", "deployments").expect("deployments");
        let mut object = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "d", "label": {}, "annotations": { "free": "x" } },
            "spec": { "replica": 1, "replicas": 2, "template": { "spec": { "containers": [{ "name": "c", "imag": "i", "args": [] }], "nodeName": null } } } });
        let unknown = unknown_fields(&resource, &mut object);
        assert_eq!(
            unknown,
            Ok(vec!["metadata.label".to_owned(), "spec.replica".to_owned(), "spec.template.spec.containers[0].imag".to_owned()])
        );
        assert_eq!(object["spec"], json!({ "replicas": 2, "template": { "spec": { "containers": [{ "name": "c", "args": [] }] } } }));
        assert_eq!(object["metadata"]["annotations"], json!({ "free": "x" }));
    }

    #[test]
    fn what_is_of_another_type_cannot_be_read() {
        let resource = builtin("", "v1", "configmaps").expect("configmaps");
        let error =
            unknown_fields(&resource, &mut json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "a": 1 } })).expect_err("refused");
        assert!(error.starts_with("ConfigMap in version \"v1\" cannot be handled as a ConfigMap: "), "{error}");
    }

    #[test]
    fn a_missing_field_is_for_validation_to_find() {
        let resource = builtin("", "v1", "services").expect("services");
        let mut object = json!({ "apiVersion": "v1", "kind": "Service", "status": { "conditions": [{ "type": "X" }] } });
        assert_eq!(unknown_fields(&resource, &mut object), Ok(Vec::new()));
    }

    #[test]
    fn what_the_server_writes_itself_is_known() {
        let resource = builtin("", "v1", "namespaces").expect("namespaces");
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "n", "uid": "u", "creationTimestamp": "2024-01-01T00:00:00Z",
            "managedFields": [{ "manager": "m", "operation": "Apply", "apiVersion": "v1", "time": "2024-01-01T00:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": { "f:metadata": { "f:labels": { "f:a": {} } } } }] }, "spec": { "finalizers": ["kubernetes"] }, "status": { "phase": "Active" } });
        let mut read = object.clone();
        assert_eq!(unknown_fields(&resource, &mut read), Ok(Vec::new()));
        assert_eq!(read, object);
    }
}
