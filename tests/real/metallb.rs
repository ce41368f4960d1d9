//! MetalLB's own manifests in a real API server, in both of the ways in which pools were and are written.

use ::metallb::RELEASES;
use meshplan_tests::apiserver::{self, ApiServer, Cast, StandIns};
use meshplan_tests::required::Missing;
use meshplan_tests::scenario::Scenario;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

const LAB: &str = r#"
data "kubernetes_cluster" "c" { context = "c" }
data "metallb_manifests" "this" { SOURCE }
resource "metallb" "this" {
  cluster        = data.kubernetes_cluster.c
  manifests      = data.metallb_manifests.this
  excluded_nodes = "announce"
}
resource "metallb_pool" "this" {
  metallb   = metallb.this
  name      = "lab"
  addresses = ["172.30.240.1-172.30.240.9"]
}
resource "kubernetes_manifest" "gateway" {
  cluster    = data.kubernetes_cluster.c
  depends_on = [metallb_pool.this]
  manifest = {
    apiVersion = "v1"
    kind       = "Service"
    metadata   = { name = "gateway", namespace = "default" }
    spec       = { type = "LoadBalancer", ports = [{ name = "tls", port = 15443, protocol = "TCP" }] }
  }
}
"#;

/// The directory of a release's Go module, which has the files of the repository at its tag; nothing where Go cannot give it.
fn module(version: &str) -> Option<PathBuf> {
    let directory = tempfile::tempdir().unwrap();
    let wanted = format!("go.universe.tf/metallb@v{version}");
    let output = Command::new("go").args(["mod", "download", "-json", &wanted]).current_dir(directory.path()).output().ok()?;
    let answer: Value = serde_json::from_slice(&output.stdout).ok()?;
    answer["Dir"].as_str().map(PathBuf::from)
}

fn with_releases(configuration: &str) -> Option<Scenario> {
    cached(Scenario::with(configuration))
}

/// A scenario with a cache in which all files of known releases are, as they are published; nothing where they cannot be had.
pub(crate) fn cached(mut scenario: Scenario) -> Option<Scenario> {
    let cache = scenario.path().join(".cache");
    scenario.set("XDG_CACHE_HOME", &cache.display().to_string());
    let downloads = cache.join("meshplan").join("downloads");
    std::fs::create_dir_all(&downloads).unwrap();
    for release in RELEASES {
        let Some(module) = module(release.version) else {
            let mut missing = Missing::default();
            missing.note(["the Go modules of MetalLB"]);
            missing.close();
            return None;
        };
        for file in release.files {
            // The cache holds every file against its name.
            std::fs::copy(module.join(file.path), downloads.join(file.sha256)).unwrap();
        }
    }
    Some(scenario)
}

#[test]
fn releases_have_the_digests_of_their_files() {
    let blocks = RELEASES.iter().map(|release| {
        let name = release.version.replace('.', "_");
        let controller = format!("[for object in data.metallb_manifests.v{name}.objects : object if object.kind == \"Deployment\"][0]");
        format!(
            "data \"metallb_manifests\" \"v{name}\" {{\n  version = \"{}\"\n}}\noutput \"v{name}\" {{\n  value = {controller}.spec.template.spec.containers[0].image\n}}\n",
            release.version
        )
    });
    let Some(scenario) = with_releases(&blocks.collect::<String>()) else { return };
    // Without the right digests the files would be looked for on the web.
    let plan = scenario.run(&["plan"]).expect_code(0).stdout;
    for release in RELEASES {
        assert!(plan.contains(&format!("quay.io/metallb/controller:v{}", release.version)), "{}: {plan}", release.version);
    }
}

#[test]
fn stand_in_nodes_carry_metallb_and_its_pools() {
    let Some(components) = apiserver::required() else { return };
    let Some(mut scenario) = with_releases("") else { return };
    let cluster = ApiServer::start(&components, "metallb");
    let _stand_ins = StandIns::start(&cluster, &Cast { nodes: &["metallb-a", "metallb-b"], pool: "198.18.99.0/28" });
    scenario.reach(&[cluster.admin().named("c")]);
    let api = cluster.api();
    for (version, source) in ["0.11.0", "0.16.2"].map(|version| (version, format!("version = \"{version}\""))) {
        scenario.write("main.mesh.hcl", &LAB.replace("SOURCE", &source));
        scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
        let apps = "/apis/apps/v1/namespaces/metallb-system";
        assert_eq!(api.get(&format!("{apps}/deployments/controller")).unwrap()["status"]["availableReplicas"], 1, "{version}");
        assert_eq!(api.get(&format!("{apps}/daemonsets/speaker")).unwrap()["status"]["numberAvailable"], 2, "{version}");
        let config = api.get("/api/v1/namespaces/metallb-system/configmaps/config");
        let address = api.get("/api/v1/namespaces/default/services/gateway").unwrap()["status"]["loadBalancer"]["ingress"][0]["ip"].clone();
        if version == "0.11.0" {
            assert!(config.unwrap()["data"]["config"].as_str().unwrap().contains("172.30.240.1-172.30.240.9"));
        } else {
            assert!(config.is_none());
            assert_eq!(address, "172.30.240.1");
            scenario.replace("main.mesh.hcl", "172.30.240.1-172.30.240.9", "172.30.240.2-172.30.240.9");
            let refused = scenario.run(&["plan"]).expect_code(1).stderr;
            assert!(refused.contains("pool address in use"), "{refused}");
            scenario.replace("main.mesh.hcl", "172.30.240.2-172.30.240.9", "172.30.240.1-172.30.240.3");
            scenario.run(&["apply", "--auto-approve"]).expect_code(0);
        }
        scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
        assert!(api.get(&format!("{apps}/deployments/controller")).is_none(), "{version}");
    }
}
