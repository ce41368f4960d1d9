resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

resource "kubernetes_namespace" "istio_system" {
  cluster = sandbox_cluster.c1
  name    = "istio-system"
  labels  = { "topology.istio.io/network" = "network1" }
}

# `istio_operator` brings objects of this kind by itself; this is one written out.
resource "istio_prerequisite" "account" {
  cluster = sandbox_cluster.c1
  manifest = {
    apiVersion = "v1"
    kind       = "ServiceAccount"
    metadata   = { name = "istio-reader-service-account", namespace = kubernetes_namespace.istio_system.name }
  }
}
