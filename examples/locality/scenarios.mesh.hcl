# The scenarios that need rules, one at a time. `meshplan test` goes through them all; `meshplan apply --var scenario=CC2` leaves one to look at.

locals {
  # The cluster whose clients a scenario is about: proxies follow the rules of their own control plane.
  scenarios = { CC2 = "cluster1", CC3 = "cluster2", CC4 = "cluster2", DNSP1 = "cluster1", DNSP2 = "cluster1" }
}

resource "kubernetes_manifests" "scenario" {
  for_each   = { for name, cluster in local.scenarios : name => cluster if name == var.scenario }
  cluster    = local.cluster[each.value]
  namespace  = "sample"
  content    = file("${path.module}/scenarios/${each.key}.yaml")
  depends_on = [istio_operator.primary, kubernetes_manifests.zone]
}

# As if a zone had failed. Taking a version out of the set brings its proxy back.
resource "istio_listener_drain" "version" {
  for_each       = var.drained
  cluster        = local.cluster[var.nodes[replace(each.key, "z", "n")].cluster]
  namespace      = "sample"
  label_selector = "app=helloworld2,version=${each.key}"
  depends_on     = [kubernetes_manifests.scenario, kubernetes_manifests.zone]
}
