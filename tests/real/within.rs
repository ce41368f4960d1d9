//! A configuration about one shared cluster, in a namespace of its own.

use meshplan_tests::apiserver::{self, Access, ApiServer};
use meshplan_tests::scenario::{Output, Scenario};
use serde_json::Value;

/// A directory whose configuration calls the cluster `data.kubernetes_cluster.c`.
pub(crate) struct Within {
    /// The directory.
    pub(crate) scenario: Scenario,
    /// The cluster.
    pub(crate) cluster: &'static ApiServer,
    /// A fresh namespace in it, which is no part of the configuration.
    pub(crate) namespace: String,
}

impl Within {
    /// A directory for the first shared cluster; nothing where the programs are missing.
    pub(crate) fn shared() -> Option<Self> {
        Some(Self::of(apiserver::shared(0)?))
    }

    /// A directory for a cluster.
    pub(crate) fn of(cluster: &'static ApiServer) -> Self {
        let within = Self { scenario: Scenario::empty(), cluster, namespace: cluster.namespace() };
        within.reach(cluster.admin());
        within
    }

    /// Goes to the cluster this way from now on.
    pub(crate) fn reach(&self, way: &Access) {
        self.scenario.write("kubeconfig", &way.named("c").kubeconfig());
    }

    /// Writes the configuration; `NAMESPACE` stands for the namespace.
    pub(crate) fn configure(&self, text: &str) {
        let file = self.scenario.path().join("kubeconfig");
        let data = format!("data \"kubernetes_cluster\" \"c\" {{\n  kubeconfig = \"{}\"\n  context = \"c\"\n}}\n", file.display());
        self.scenario.write("main.mesh.hcl", &(data + &text.replace("NAMESPACE", &self.namespace)));
    }

    /// Writes a configuration of one object each, by label, none of which is waited for; each says in what order by `lines`.
    pub(crate) fn objects(&self, objects: &[(&str, Value, &str)]) {
        let blocks = objects.iter().map(|(label, object, lines)| {
            let object = format!("jsondecode(<<-JSON\n{object}\nJSON\n  )");
            format!("resource \"kubernetes_manifest\" \"{label}\" {{\n  cluster = data.kubernetes_cluster.c\n  wait = false\n  manifest = {object}\n{lines}\n}}\n")
        });
        self.configure(&blocks.collect::<String>());
    }

    /// The path of a collection of the namespace, such as `/api/v1 configmaps`.
    pub(crate) fn path(&self, collection: &str) -> String {
        let (root, resource) = collection.split_once(' ').unwrap();
        format!("{root}/namespaces/{}/{resource}", self.namespace)
    }

    /// Runs `plan`, which must go well.
    pub(crate) fn plan(&self) -> Plan {
        Plan(self.scenario.run(&["plan", "--json"]).expect_code(0))
    }

    /// Runs `plan`, which must fail; its problems: summary and detail.
    pub(crate) fn refused(&self) -> Vec<(String, String)> {
        let plan = Plan(self.scenario.run(&["plan", "--json"]).expect_code(1));
        let text = |problem: &Value, key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        plan.events("diagnostic").iter().map(|problem| (text(problem, "summary"), text(problem, "detail"))).collect()
    }

    /// Runs `apply`, which must fail; all that it says.
    pub(crate) fn fail(&self) -> String {
        self.scenario.run(&["apply", "--auto-approve"]).expect_code(1).all()
    }

    /// Runs `apply`, which must go well.
    pub(crate) fn apply(&self) -> Output {
        self.scenario.run(&["apply", "--auto-approve"]).expect_code(0)
    }

    /// Checks that a plan is empty.
    pub(crate) fn assert_converged(&self) {
        self.scenario.run(&["plan", "--detailed-exitcode"]).expect_code(0);
    }

    /// Destroys what the configuration made.
    pub(crate) fn destroy(&self) {
        self.scenario.run(&["destroy", "--auto-approve"]).expect_code(0);
        assert_eq!(self.scenario.addresses(), Vec::<String>::new());
    }
}

/// What a run says, as events.
pub(crate) struct Plan(Output);

impl Plan {
    /// What a run said with `--json`.
    pub(crate) fn of(output: Output) -> Self {
        Self(output)
    }

    /// The events of a kind.
    pub(crate) fn events(&self, event: &str) -> Vec<Value> {
        let all = self.0.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.filter(|line| line["event"] == event).collect()
    }

    /// The address of each change that the server was not asked about, and why.
    pub(crate) fn not_previewed(&self) -> Vec<(String, String)> {
        let all = self.events("planned_change");
        let text = |text: &Value| text.as_str().map(str::to_owned);
        all.iter().filter_map(|change| Some((text(&change["address"])?, text(&change["not_previewed"])?))).collect()
    }

    /// The address of each change and its reason in words.
    pub(crate) fn reasons(&self) -> Vec<(String, String)> {
        let text = |text: &Value| text.as_str().unwrap_or_default().to_owned();
        self.events("planned_change").iter().map(|change| (text(&change["address"]), text(&change["reason"]["text"]))).collect()
    }
}
