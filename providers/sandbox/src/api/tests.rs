//! Whole calls, as a client makes them.

use super::*;
use crate::controllers::tests::Cluster;
use serde_json::json;

/// The status and body of a call; a null body is none.
pub(crate) fn called(store: &Store, method: &str, path: &str, body: &Json) -> (u16, Json) {
    called_as(store, method, path, "application/json", body)
}

/// The same with a content type.
pub(crate) fn called_as(store: &Store, method: &str, path: &str, content: &str, body: &Json) -> (u16, Json) {
    let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, content).body(()).expect("a request");
    match handle(store, &Call::new(&request.into_parts().0, bytes.into())) {
        Ok(Answer::Object(status, object)) => (status, object),
        Ok(_) => panic!("no object"),
        Err(refusal) => (refusal.code, refusal.status()),
    }
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(data: &Json) -> Json {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m" }, "data": data })
}

fn deployment() -> Json {
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "d" }, "spec": { "selector": { "matchLabels": { "a": "b" } },
        "template": { "metadata": { "labels": { "a": "b" } }, "spec": { "containers": [{ "name": "c", "image": "i:1", "ports": [{ "containerPort": 80 }] }] } } } })
}

#[test]
fn an_apply_says_whether_it_made_the_object_and_can_be_given_back() {
    let cluster = Cluster::new();
    let path = format!("{MAPS}/m");
    let (status, first) = cluster.apply(&path, "other", &map(&json!({ "x": "1" })));
    assert_eq!(status, 201);
    let (status, both) = cluster.apply(&path, "meshplan/r-1", &map(&json!({ "y": "1" })));
    assert_eq!((status, &both["data"]), (200, &json!({ "x": "1", "y": "1" })));
    let empty = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m", "uid": first["metadata"]["uid"] } });
    let (status, mut after) = cluster.apply(&path, "meshplan/r-1", &empty);
    after["metadata"]["resourceVersion"] = first["metadata"]["resourceVersion"].clone();
    assert_eq!((status, after), (200, first));
}

#[test]
fn a_uid_in_an_apply_must_be_the_object_s() {
    let cluster = Cluster::new();
    let path = format!("{MAPS}/m");
    let mut config = map(&json!({}));
    config["metadata"]["uid"] = "11111111-1111-4111-8111-111111111111".into();
    let (status, answer) = cluster.apply(&path, "a", &config);
    assert_eq!((status, &answer["reason"]), (409, &json!("Conflict")));
    cluster.apply(&path, "b", &map(&json!({})));
    let (status, answer) = cluster.apply(&path, "a", &config);
    assert_eq!((status, &answer["details"]["causes"][0]["field"]), (422, &json!("metadata.uid")));
}

#[test]
fn a_dry_run_tells_and_stores_nothing() {
    let cluster = Cluster::new();
    let path = format!("{MAPS}/m");
    let (status, told) = cluster.apply(&format!("{path}?dryRun=All"), "a", &map(&json!({ "x": "1" })));
    assert_eq!(status, 201);
    assert!(told["metadata"]["uid"].is_string() && told["metadata"]["creationTimestamp"].is_string());
    assert!(cluster.get(&path).is_none());
    assert_eq!(cluster.call("POST", &format!("{MAPS}?dryRun=All"), &map(&json!({}))).0, 201);
    cluster.create(MAPS, &map(&json!({ "x": "1" })));
    assert_eq!(cluster.call("DELETE", &format!("{path}?dryRun=All"), &Json::Null).0, 200);
    assert_eq!(cluster.call("DELETE", &format!("{path}?dryRun=Some"), &Json::Null).0, 422);
    assert!(cluster.get(&path).is_some());
}

#[test]
fn defaults_are_nobody_s_and_applying_again_changes_nothing() {
    let cluster = Cluster::new();
    let path = "/apis/apps/v1/namespaces/default/deployments/d";
    cluster.apply(path, "a", &deployment());
    let before = cluster.get(path).expect("there");
    assert_eq!(before["spec"]["template"]["spec"]["containers"][0]["terminationMessagePath"], json!("/dev/termination-log"));
    let (status, _) = cluster.apply(path, "a", &deployment());
    assert_eq!((status, cluster.get(path)), (200, Some(before.clone())));
    let owned = before["metadata"]["managedFields"].as_array().into_iter().flatten().find(|owner| owner["manager"] == "a").cloned();
    let container = owned.expect("an owner")["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]["k:{\"name\":\"c\"}"].clone();
    let expected = json!({ ".": {}, "f:image": {}, "f:name": {}, "f:ports": { "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {} } } });
    assert_eq!(container, expected);
}

#[test]
fn an_autoscaler_s_replicas_stay_its_own() {
    let cluster = Cluster::new();
    let path = "/apis/apps/v1/namespaces/default/deployments/d";
    cluster.apply(path, "a", &deployment());
    let scale = json!({ "apiVersion": "autoscaling/v1", "kind": "Scale", "spec": { "replicas": 5 } });
    let (status, answer) = cluster.call("PUT", &format!("{path}/scale?fieldManager=autoscaler"), &scale);
    assert_eq!((status, &answer["spec"]["replicas"]), (200, &json!(5)));
    cluster.apply(path, "a", &deployment());
    assert_eq!(cluster.get(path).expect("there")["spec"]["replicas"], json!(5));
    let mut wanted = deployment();
    wanted["spec"]["replicas"] = 2.into();
    let (status, refusal) = cluster.apply(path, "a", &wanted);
    assert_eq!((status, &refusal["details"]["causes"][0]["field"]), (409, &json!(".spec.replicas")));
    assert!(
        refusal["message"].as_str().is_some_and(|message| message.contains("\"autoscaler\" with subresource \"scale\" using apps/v1:")),
        "{refusal}"
    );
}

#[test]
fn a_status_is_written_through_its_own_path_only() {
    let cluster = Cluster::new();
    let path = "/api/v1/namespaces/default/services/s";
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s" }, "spec": { "ports": [{ "port": 80 }] }, "status": { "conditions": [{ "type": "X", "status": "True" }] } });
    let (_, made) = cluster.apply(path, "a", &service);
    assert!(made["status"].get("conditions").is_none());
    let mut config = service.clone();
    config["metadata"]["labels"] = json!({ "l": "1" });
    let (status, answer) = cluster.apply(&format!("{path}/status"), "b", &config);
    assert_eq!(status, 200, "{answer}");
    // Metadata goes along with it, for most built-in kinds.
    let labels = &answer["metadata"]["labels"];
    assert_eq!((&answer["status"]["conditions"][0]["type"], labels), (&json!("X"), &json!({ "l": "1" })));
    let owner = answer["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|owner| owner["manager"] == "b")
        .cloned()
        .expect("an owner");
    assert_eq!((&owner["subresource"], owner["fieldsV1"].get("f:spec")), (&json!("status"), None));
}

#[test]
fn unknown_fields_are_refused_by_an_apply_and_by_strict_writes() {
    let cluster = Cluster::new();
    let mut config = map(&json!({}));
    config["dta"] = json!({});
    let (status, answer) = cluster.apply(&format!("{MAPS}/m"), "a", &config);
    assert_eq!(
        (status, answer["message"].as_str().is_some_and(|message| message.ends_with(".dta: field not declared in schema"))),
        (500, true)
    );
    let (status, answer) = cluster.call("POST", &format!("{MAPS}?fieldValidation=Strict"), &config);
    assert_eq!((status, answer["message"].as_str().is_some_and(|message| message.ends_with("unknown field \"dta\""))), (400, true));
    assert!(cluster.create(MAPS, &config).get("dta").is_none());
}

#[test]
fn bodies_agree_with_their_paths() {
    let cluster = Cluster::new();
    for (path, body, code) in [
        (MAPS, json!({ "metadata": { "name": "m", "namespace": "other" } }), 400),
        (MAPS, json!({ "kind": "Secret", "metadata": { "name": "m" } }), 400),
        (MAPS, json!({ "metadata": {} }), 422),
        (MAPS, json!([]), 400),
        ("/api/v1/namespaces/none/configmaps", map(&json!({})), 404),
        ("/apis/none.io/v1/things", json!({ "metadata": { "name": "t" } }), 404),
        (MAPS, map(&json!({})), 201),
        (MAPS, map(&json!({})), 409),
    ] {
        let (status, answer) = cluster.call("POST", path, &body);
        assert_eq!(status, code, "{path} {body}: {answer}");
    }
    assert!(
        cluster.create(MAPS, &json!({ "metadata": { "generateName": "g-" } }))["metadata"]["name"]
            .as_str()
            .is_some_and(|name| name.len() == 7)
    );
}

#[test]
fn replacing_and_deleting_mind_versions_and_uids() {
    let cluster = Cluster::new();
    let path = format!("{MAPS}/m");
    assert_eq!(cluster.call("PUT", &path, &map(&json!({}))).0, 404);
    let made = cluster.create(MAPS, &map(&json!({ "x": "1" })));
    let mut changed = made.clone();
    changed["data"]["x"] = "2".into();
    assert_eq!(cluster.call("PUT", &path, &changed).0, 200);
    let (status, answer) = cluster.call("PUT", &path, &changed);
    assert_eq!((status, &answer["reason"]), (409, &json!("Conflict")));
    let options = |uid: &Json| json!({ "preconditions": { "uid": uid } });
    let (status, answer) = cluster.call("DELETE", &path, &options(&json!("another")));
    assert_eq!(
        (
            status,
            answer["message"]
                .as_str()
                .is_some_and(|message| message.contains("the UID in the precondition (another) does not match the UID in record"))
        ),
        (409, true)
    );
    let (status, answer) = cluster.call("DELETE", &path, &options(&made["metadata"]["uid"]));
    assert_eq!((status, &answer["status"], &answer["details"]["kind"]), (200, &json!("Success"), &json!("configmaps")));
    assert_eq!(cluster.call("DELETE", &path, &Json::Null).0, 404);
}

#[test]
fn secrets_take_string_data_and_keep_their_type() {
    let cluster = Cluster::new();
    let path = "/api/v1/namespaces/default/secrets/s";
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "stringData": { "k": "v" } });
    let (_, made) = cluster.apply(path, "a", &secret);
    assert_eq!((&made["data"], &made["type"], made.get("stringData")), (&json!({ "k": "dg==" }), &json!("Opaque"), None));
    let (_, again) = cluster.apply(path, "a", &secret);
    assert_eq!(again, made);
    assert_eq!(cluster.merge(path, &json!({ "type": "kubernetes.io/tls" })).0, 422);
}

#[test]
fn collections_are_deleted_by_selection() {
    let cluster = Cluster::new();
    for (name, label) in [("a", "1"), ("b", "2")] {
        cluster.create(MAPS, &json!({ "metadata": { "name": name, "labels": { "l": label } } }));
    }
    assert_eq!(cluster.call("DELETE", &format!("{MAPS}?labelSelector=l=1"), &Json::Null).0, 200);
    assert!(cluster.get(&format!("{MAPS}/a")).is_none() && cluster.get(&format!("{MAPS}/b")).is_some());
    assert_eq!(cluster.call("DELETE", "/api/v1/namespaces", &Json::Null).0, 405);
    assert_eq!(cluster.call("DELETE", "/api/v1/namespaces/kube-system", &Json::Null).0, 403);
}

#[test]
fn the_audit_tells_what_was_made_how_often() {
    let cluster = Cluster::new();
    for _ in 0..2 {
        cluster.create(MAPS, &map(&json!({})));
        cluster.call("DELETE", &format!("{MAPS}/m"), &Json::Null);
    }
    let (_, audit) = cluster.call("GET", "/sandbox/audit", &Json::Null);
    let row = audit["made"].as_array().into_iter().flatten().find(|row| row["name"] == "m").cloned();
    assert_eq!(row, Some(json!({ "kind": "configmaps", "namespace": "default", "name": "m", "created": 2, "deleted": 2 })));
    assert_eq!(World::new(crate::store::Facts::example("c")).counts().len(), 0);
}
