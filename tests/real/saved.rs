//! Saved plans, and what happens between the plan and its apply.

use crate::within::Within;
use meshplan_tests::apiserver::Credential;
use serde_json::{Value, json};

fn map(within: &Within, data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m", "namespace": within.namespace }, "data": data })
}

/// What is in the file of a plan is a plan that does not hold any more, as these words tell; nothing is done.
fn assert_stale(within: &Within, words: &str) {
    let (path, before) = (within.path("/api/v1 configmaps/m"), within.scenario.state());
    let there = within.cluster.api().get(&path);
    let said = within.scenario.run(&["apply", "saved"]).expect_code(1).all();
    assert!(said.contains("error: stale plan") && said.contains(words), "{said}");
    assert_eq!((within.scenario.state(), within.cluster.api().get(&path)), (before, there));
}

#[test]
fn a_field_that_was_taken_over_and_is_edited_once_more_makes_a_plan_stale() {
    let Some(within) = Within::shared() else { return };
    let (api, path) = (within.cluster.api(), within.path("/api/v1 configmaps/m"));
    for (by_whom, lines) in [("kubectl-edit", ""), ("other-tool", "force = true")] {
        within.objects(&[("m", map(&within, &json!({ "k": "1", "l": "1" })), lines)]);
        within.apply();
        let edit = |value: &str| {
            let changes = json!({ "data": { "k": value } });
            api.call("PATCH", &format!("{path}?fieldManager={by_whom}"), Some(&changes)).done();
        };
        // The field is not ours any more, and the plan sets it back.
        edit("2");
        let shown = within.scenario.run(&["plan", "--out", "saved"]).expect_code(0).stdout;
        assert!(shown.contains(&format!("`data.k` changed outside by `{by_whom}`")), "{shown}");
        // Whatever it is now: the one that was reviewed is not what would be overwritten.
        edit("3");
        assert_stale(&within, "`kubernetes_manifest.m` was changed: `data.k`");
        // Only what it was then is reviewed, and a label of others is none of our business.
        edit("2");
        let label = json!({ "metadata": { "labels": { "theirs": by_whom } } });
        api.call("PATCH", &format!("{path}?fieldManager={by_whom}"), Some(&label)).done();
        within.scenario.run(&["apply", "saved"]).expect_code(0);
        within.assert_converged();
        assert_eq!(api.get(&path).unwrap()["data"], json!({ "k": "1", "l": "1" }));
        within.destroy();
    }
}

#[test]
fn what_is_imported_is_looked_at_once_more() {
    let Some(within) = Within::shared() else { return };
    let (api, path, maps) = (within.cluster.api(), within.path("/api/v1 configmaps/m"), within.path("/api/v1 configmaps"));
    let theirs = map(&within, &json!({ "k": "0", "theirs": "1" }));
    let again = || {
        api.delete(&path);
        api.make(&maps, &theirs)
    };
    api.make(&maps, &theirs);
    within.objects(&[("m", map(&within, &json!({ "k": "1" })), "on_exists = \"adopt\"")]);
    let plan = || drop(within.scenario.run(&["plan", "--out", "saved"]).expect_code(0));
    plan();
    api.edit(&path, &json!({ "data": { "k": "2" } }));
    assert_stale(&within, "`kubernetes_manifest.m` was changed: `manifest.data.k`");
    again();
    assert_stale(&within, "`kubernetes_manifest.m` was deleted, and another has its name now");
    plan();
    api.apply(&path, "meshplan/r0ther", &theirs);
    assert_stale(&within, "`kubernetes_manifest.m` is managed by another state now, as `meshplan/r0ther`");
    api.delete(&path);
    assert_stale(&within, "`kubernetes_manifest.m` was to be imported and was deleted");
    api.make(&maps, &theirs);
    plan();
    api.edit(&path, &json!({ "data": { "theirs": "2" }, "metadata": { "labels": { "a": "b" } } }));
    within.scenario.run(&["apply", "saved"]).expect_code(0);
    within.assert_converged();
    assert_eq!(api.get(&path).unwrap()["data"], json!({ "k": "1", "theirs": "2" }));
    within.destroy();
}

#[test]
fn the_token_of_a_provider_is_given_again_for_the_apply() {
    let Some(within) = Within::shared() else { return };
    let token = |name: &str, verbs: &[&str]| {
        let rules = [
            json!({ "apiGroups": [""], "resources": ["configmaps"], "verbs": verbs }),
            json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] }),
        ];
        match within.cluster.token_user(&within.namespace, &within.cluster.name(name), &rules).credential {
            Credential::Token(token) => token,
            _ => String::new(),
        }
    };
    let (planner, applier) = (token("planner", &["get", "list"]), token("applier", &["*"]));
    // What stands in the kubeconfig opens nothing.
    within.reach(&within.cluster.admin().by(Credential::Token("n0-such-token".to_owned())));
    within.objects(&[("m", map(&within, &json!({ "k": "1" })), "")]);
    let provider = "variable \"token\" {\n  ephemeral = true\n  sensitive = true\n}\nprovider \"kubernetes\" {\n  token = var.token\n}\n";
    within.scenario.write("provider.mesh.hcl", provider);
    let with = |args: &[&str], token: &str| within.scenario.run(&[args, &["--var", &format!("token={token}")]].concat());
    let said = with(&["plan", "--out", "saved"], &planner).expect_code(0).all();
    assert!(said.contains("give its apply `token` again"), "{said}");
    let path = within.path("/api/v1 configmaps/m");
    let nothing_done = |said: &str| {
        assert_eq!((within.cluster.api().get(&path), within.scenario.addresses()), (None, Vec::new()), "{said}");
    };
    // Not given; given and none of the server's; one that may read and no more.
    let said = within.scenario.run(&["apply", "saved"]).expect_code(1).all();
    assert!(said.contains("error: missing value") && said.contains("`token`"), "{said}");
    nothing_done(&said);
    let said = with(&["apply", "saved"], "an0ther-wrong-token").expect_code(1).all();
    let words = "`data.kubernetes_cluster.c` cannot be reached: the API server does not accept the credentials (401)";
    assert!(said.contains("error: stale plan") && said.contains(words) && !said.contains("an0ther-wrong-token"), "{said}");
    nothing_done(&said);
    let said = with(&["apply", "saved"], &planner).expect_code(1).all();
    assert!(said.contains("refused by the API server") && said.contains("forbidden"), "{said}");
    assert_eq!(within.cluster.api().get(&path), None);
    // Another one than the plan was made with, from the environment.
    with(&["plan", "--out", "saved"], &planner).expect_code(0);
    let mut world = within.scenario.world("");
    world.environment.insert("MESHPLAN_VAR_token".to_owned(), applier.clone());
    meshplan_tests::scenario::Scenario::run_in(world, &["apply", "saved"]).expect_code(0);
    assert_eq!(within.cluster.api().get(&path).unwrap()["data"], json!({ "k": "1" }));
    for file in ["saved", "meshplan.state.json"] {
        let text = within.scenario.read(file);
        assert!(![&planner, &applier].into_iter().any(|token| text.contains(&**token)), "{file}");
    }
    with(&["plan", "--detailed-exitcode"], &applier).expect_code(0);
    with(&["destroy", "--auto-approve"], &applier).expect_code(0);
}
