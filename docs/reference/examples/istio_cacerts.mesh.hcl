resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

resource "kubernetes_namespace" "istio_system" {
  cluster = sandbox_cluster.c1
  name    = "istio-system"
  labels  = { "topology.istio.io/network" = "network1" }
}

resource "ca_root" "mesh" {
}

resource "ca_intermediate" "c1" {
  issuer  = ca_root.mesh
  subject = { organization = "Istio", common_name = "Intermediate CA", locality = "cluster1" }
}

resource "istio_cacerts" "c1" {
  cluster      = sandbox_cluster.c1
  namespace    = kubernetes_namespace.istio_system.name
  intermediate = ca_intermediate.c1
}
