//! Configuration that is written for what exists: `plan --generate-config-out`.

use meshplan_tests::cluster::Cluster;
use meshplan_tests::scenario::Scenario;
use serde_json::{Value as Json, json};

const CLUSTER: &str = "resource \"sandbox_cluster\" \"c\" {\n  name = \"c\"\n}\n";
const SHOP: &str = "/api/v1/namespaces/shop";

/// An `import` block without a resource.
fn import(to: &str, id: &str) -> String {
    format!("import {{\n  to      = {to}\n  id      = \"{id}\"\n  cluster = sandbox_cluster.c\n}}\n")
}

/// A cluster in which somebody has made things of many kinds.
fn shop() -> Scenario {
    let scenario = Scenario::with(CLUSTER);
    scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    let cluster = Cluster::of(&scenario, "c");
    let made = |kind: &str, name: &str, more: Json| {
        let mut object = json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name } });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let labelled = json!({ "metadata": { "name": "shop", "labels": { "istio-injection": "enabled" } } });
    cluster.make("/api/v1/namespaces", &made("Namespace", "shop", labelled));
    let keys = json!({ "type": "kubernetes.io/tls", "data": { "tls.crt": "aHVudGVyMQ==", "tls.key": "aHVudGVyMg==" } });
    cluster.make(&format!("{SHOP}/secrets"), &made("Secret", "keys", keys));
    cluster.make(&format!("{SHOP}/secrets"), &made("Secret", "more", json!({ "data": { "x": "aHVudGVyMw==" } })));
    let text = json!({ "data": { "config.yaml": "a: 1\nb: ${c}\n", "word": "%{word} \"quoted\" \\ text" } });
    cluster.make(&format!("{SHOP}/configmaps"), &made("ConfigMap", "settings", text));
    let ports = json!({ "spec": { "type": "NodePort", "selector": { "app": "web" }, "ports": [{ "name": "http", "port": 80, "targetPort": 8080 }] } });
    cluster.make(&format!("{SHOP}/services"), &made("Service", "web", ports));
    let template = json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "serviceAccountName": "default", "containers": [
        { "name": "web", "image": "example.test/web:1", "env": [{ "name": "A", "value": "1" }], "ports": [{ "containerPort": 80 }] }] } });
    let web = json!({ "apiVersion": "apps/v1", "spec": { "replicas": 2, "strategy": { "type": "Recreate" },
        "selector": { "matchLabels": { "app": "web" } }, "template": template } });
    cluster.make("/apis/apps/v1/namespaces/shop/deployments", &made("Deployment", "web", web));
    let schema = json!({ "type": "object", "properties": { "spec": { "type": "object", "required": ["size"], "properties": {
        "size": { "type": "integer" }, "mode": { "type": "string", "default": "slow" }, "pace": { "type": "integer", "default": 3 } } } } });
    let definition = json!({ "apiVersion": "apiextensions.k8s.io/v1", "metadata": { "name": "widgets.example.org" }, "spec": { "group": "example.org",
        "scope": "Namespaced", "names": { "kind": "Widget", "plural": "widgets" },
        "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }] } });
    cluster.make("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &made("CustomResourceDefinition", "", definition));
    let widget = json!({ "apiVersion": "example.org/v1", "spec": { "size": 3, "pace": 5 } });
    cluster.make("/apis/example.org/v1/namespaces/shop/widgets", &made("Widget", "w", widget));
    scenario
}

/// All of them.
fn imports() -> String {
    [
        ("kubernetes_namespace.shop", "shop"),
        ("kubernetes_secret.keys", "shop/keys"),
        ("kubernetes_manifest.more", "v1/Secret/shop/more"),
        ("kubernetes_manifest.settings", "apiVersion=v1,kind=ConfigMap,namespace=shop,name=settings"),
        ("kubernetes_manifest.service", "v1/Service/shop/web"),
        ("kubernetes_manifest.web", "apps/v1/Deployment/shop/web"),
        ("kubernetes_manifest.widget", "example.org/v1/Widget/shop/w"),
    ]
    .map(|(to, id)| import(to, id))
    .concat()
}

const EXPECTED: &str = r#"# Written by `meshplan plan --generate-config-out` from what is there. Read it, and put it where it belongs.

# `v1/Secret/shop/more`
resource "kubernetes_manifest" "more" {
  cluster = sandbox_cluster.c
  manifest = {
    apiVersion = "v1"
    data       = null # sensitive: x
    kind       = "Secret"
    metadata = {
      name      = "more"
      namespace = "shop"
    }
  }
}

# `v1/Service/shop/web`
resource "kubernetes_manifest" "service" {
  cluster = sandbox_cluster.c
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata = {
      name      = "web"
      namespace = "shop"
    }
    spec = {
      ports = [
        {
          name       = "http"
          port       = 80
          targetPort = 8080
        },
      ]
      selector = {
        app = "web"
      }
      type = "NodePort"
    }
  }
}

# `apiVersion=v1,kind=ConfigMap,namespace=shop,name=settings`
resource "kubernetes_manifest" "settings" {
  cluster = sandbox_cluster.c
  manifest = {
    apiVersion = "v1"
    data = {
      "config.yaml" = <<EOT
a: 1
b: $${c}
EOT
      word          = "%%{word} \"quoted\" \\ text"
    }
    kind = "ConfigMap"
    metadata = {
      name      = "settings"
      namespace = "shop"
    }
  }
}

# `apps/v1/Deployment/shop/web`
resource "kubernetes_manifest" "web" {
  cluster = sandbox_cluster.c
  manifest = {
    apiVersion = "apps/v1"
    kind       = "Deployment"
    metadata = {
      name      = "web"
      namespace = "shop"
    }
    spec = {
      replicas = 2
      selector = {
        matchLabels = {
          app = "web"
        }
      }
      strategy = {
        type = "Recreate"
      }
      template = {
        metadata = {
          labels = {
            app = "web"
          }
        }
        spec = {
          containers = [
            {
              env = [
                {
                  name  = "A"
                  value = "1"
                },
              ]
              image = "example.test/web:1"
              name  = "web"
              ports = [
                {
                  containerPort = 80
                },
              ]
            },
          ]
          serviceAccountName = "default"
        }
      }
    }
  }
}

# `example.org/v1/Widget/shop/w`
resource "kubernetes_manifest" "widget" {
  cluster = sandbox_cluster.c
  manifest = {
    apiVersion = "example.org/v1"
    kind       = "Widget"
    metadata = {
      name      = "w"
      namespace = "shop"
    }
    spec = {
      pace = 5
      size = 3
    }
  }
}

# `shop`
resource "kubernetes_namespace" "shop" {
  cluster = sandbox_cluster.c
  name    = "shop"
  labels = {
    "istio-injection" = "enabled"
  }
}

# `shop/keys`
resource "kubernetes_secret" "keys" {
  cluster   = sandbox_cluster.c
  name      = "keys"
  namespace = "shop"
  type      = "kubernetes.io/tls"
  data      = null # sensitive: tls.crt, tls.key
}
"#;

#[test]
fn blocks_are_written_for_what_is_there_and_a_plan_with_them_only_imports() {
    let scenario = shop();
    scenario.write("imports.mesh.hcl", &imports());
    let file = "generated.mesh.hcl";
    let plan = scenario.run(&["plan", "--generate-config-out", file]).expect_code(0);
    assert!(plan.stderr.contains("7 `resource` blocks were written to generated.mesh.hcl. Read it; the plan"), "{}", plan.all());
    assert!(plan.stdout.contains("Plan: 7 to import, 0 to add, 0 to change, 0 to replace, 0 to destroy."), "{}", plan.all());
    assert!(!plan.all().contains("hunter") && !plan.all().contains("aHVudGVy"), "{}", plan.all());
    pretty(&scenario.read(file), EXPECTED);
    // It stands for itself: valid, laid out, and planned alike from then on.
    scenario.run(&["validate"]).expect_code(0);
    scenario.run(&["fmt", "--check"]).expect_code(0);
    let again = scenario.run(&["plan"]).expect_code(0);
    assert_eq!(digest(&again.stdout), digest(&plan.stdout), "{}", again.all());
    let cluster = Cluster::of(&scenario, "c");
    let path = "/apis/apps/v1/namespaces/shop/deployments/web";
    let before = cluster.get(path).unwrap();
    let applied = scenario.run(&["apply", "--auto-approve"]).expect_code(0);
    assert!(applied.stdout.contains("7 imported, 0 added, 0 changed, 0 destroyed."), "{}", applied.all());
    assert_eq!(cluster.get(path).unwrap()["spec"], before["spec"]);
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    assert_eq!(cluster.get(&format!("{SHOP}/secrets/keys")).unwrap()["data"]["tls.key"], "aHVudGVyMg==", "what is not said stays");
    scenario.write("imports.mesh.hcl", "");
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
}

fn digest(plan: &str) -> Option<&str> {
    plan.lines().find(|line| line.starts_with("Plan digest"))
}

fn pretty(found: &str, expected: &str) {
    assert!(found == expected, "{found}");
}

#[test]
fn what_cannot_be_written_is_told_and_nothing_is() {
    let scenario = shop();
    let map = import("kubernetes_manifest.m", "v1/ConfigMap/shop/settings");
    scenario.write("there.mesh.hcl", "");
    for (blocks, summary, told) in [
        (map.replace("  cluster = sandbox_cluster.c\n", ""), "not generated", "does not say in which cluster it is"),
        (map.replace("sandbox_cluster.c", "\"c\""), "wrong `cluster`", "`cluster` takes a cluster"),
        (map.replace("ConfigMap/shop/settings", "ConfigMap/shop/none"), "nothing to import", "does not exist in `sandbox_cluster.c`"),
        (map.replace("v1/ConfigMap/shop/settings", "settings"), "wrong `id`", "names no object"),
        (import("kubernetes_secret.m", "v1/ConfigMap/shop/settings"), "id of another object", "writes objects of kind `Secret`"),
        (import("kubernetes_manifest.m", "none.example/v1/Nothing/shop/x"), "nothing to import", "does not exist"),
        (import("kubernetes_manifests.m", "x"), "not importable", "on_exists = \"adopt\""),
        (import("istio_operator.m", "x"), "not importable", "on_exists = \"adopt\""),
        (import("nothing.m", "x"), "not generated", "there is no resource kind `nothing`"),
        (import("kubernetes_manifest.m[\"x\"]", "v1/ConfigMap/shop/settings"), "not generated", "one instance of several"),
        (map.replace("import {", "import {\n  for_each = { a = 1 }"), "not generated", "one instance of several"),
        (map.clone() + &import("kubernetes_manifest.m", "v1/ConfigMap/shop/settings"), "imported twice", ""),
    ] {
        scenario.write("imports.mesh.hcl", &blocks);
        let plan = scenario.run(&["plan", "--generate-config-out=new.mesh.hcl"]).expect_code(1);
        assert!(plan.stderr.contains(&format!("error: {summary}")) && plan.stderr.contains(told), "{blocks}: {}", plan.all());
        assert!(!scenario.path().join("new.mesh.hcl").exists(), "{blocks}");
    }
    scenario.write("imports.mesh.hcl", &map);
    let plan = scenario.run(&["plan", "--generate-config-out=there.mesh.hcl"]).expect_code(1);
    assert!(plan.stderr.contains("error: file exists") && scenario.read("there.mesh.hcl").is_empty(), "{}", plan.all());
    let plan = scenario.run(&["plan", "--generate-config-out=no/such/new.mesh.hcl"]).expect_code(1);
    assert!(plan.stderr.contains("error: file not written"), "{}", plan.all());
    // Without the option it is an error that names it, and so it is without a block.
    for arguments in [&["plan"][..], &["validate"], &["import", "--auto-approve", "kubernetes_manifest.m", "v1/ConfigMap/shop/settings"]] {
        let run = scenario.run(arguments).expect_code(1);
        assert!(run.all().contains("target not in configuration") && run.all().contains("--generate-config-out=FILE"), "{}", run.all());
    }
    scenario.write("imports.mesh.hcl", "");
    let run = scenario.run(&["import", "--auto-approve", "kubernetes_manifest.m", "v1/ConfigMap/shop/settings"]).expect_code(1);
    let block = "import { to = kubernetes_manifest.m, id = \"v1/ConfigMap/shop/settings\", cluster = … }";
    assert!(run.stderr.contains(block) && run.stderr.contains("--generate-config-out=FILE"), "{}", run.all());
    let plan = scenario.run(&["plan", "--generate-config-out=new.mesh.hcl"]).expect_code(0);
    assert!(
        plan.all().contains("Nothing is to be written to new.mesh.hcl") && !scenario.path().join("new.mesh.hcl").exists(),
        "{}",
        plan.all()
    );
}

#[test]
fn an_import_may_say_where_and_then_means_it() {
    let scenario = shop();
    let manifest = "resource \"kubernetes_manifest\" \"m\" {\n  cluster = sandbox_cluster.c\n  manifest = { apiVersion = \"v1\", kind = \"ConfigMap\", \
        metadata = { name = \"settings\", namespace = \"shop\" } }\n}\n";
    let other = "resource \"sandbox_cluster\" \"d\" {\n  name = \"d\"\n}\n";
    let block = import("kubernetes_manifest.m", "v1/ConfigMap/shop/settings");
    scenario.write("imports.mesh.hcl", &(manifest.to_owned() + other + &block));
    let plan = scenario.run(&["plan"]).expect_code(0);
    assert!(plan.stdout.contains("1 to import, 1 to add"), "{}", plan.all());
    scenario.write("imports.mesh.hcl", &(manifest.to_owned() + other + &block.replace("sandbox_cluster.c", "sandbox_cluster.d")));
    let plan = scenario.run(&["plan"]).expect_code(1);
    assert!(plan.stderr.contains("error: import from elsewhere"), "{}", plan.all());
    // What this plan makes holds nothing yet.
    scenario.write("imports.mesh.hcl", &(other.to_owned() + &block.replace("sandbox_cluster.c", "sandbox_cluster.d")));
    let plan = scenario.run(&["plan", "--generate-config-out=new.mesh.hcl"]).expect_code(1);
    assert!(plan.stderr.contains("error: nothing to import") && plan.stderr.contains("which this plan makes"), "{}", plan.all());
}

#[test]
fn a_written_file_goes_with_a_saved_plan_and_may_stand_elsewhere() {
    let scenario = shop();
    scenario.write("imports.mesh.hcl", &import("kubernetes_manifest.web", "apps/v1/Deployment/shop/web"));
    let plan = scenario.run(&["plan", "--generate-config-out=web.txt", "--out=web.plan"]).expect_code(0);
    assert!(
        plan.stderr.contains("A `resource` block was written to web.txt. Read it, and move it into the configuration"),
        "{}",
        plan.all()
    );
    scenario.run(&["apply", "web.plan"]).expect_code(0);
    std::fs::rename(scenario.path().join("web.txt"), scenario.path().join("web.mesh.hcl")).unwrap();
    scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    // For programs the same.
    scenario.write("imports.mesh.hcl", &import("kubernetes_namespace.shop", "shop"));
    let lines = scenario.run(&["plan", "--json", "--generate-config-out=shop.mesh.hcl"]).expect_code(0).stdout;
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["event"] == "message" && line["text"].as_str().unwrap().contains("shop.mesh.hcl")), "{lines:#?}");
    assert!(lines.iter().any(|line| line["event"] == "plan" && line["counts"]["import"] == 1), "{lines:#?}");
}
