resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

resource "kubernetes_namespace" "istio_system" {
  cluster = sandbox_cluster.c1
  name    = "istio-system"
  labels  = { "topology.istio.io/network" = "network1" }
}

resource "istio_operator" "primary" {
  cluster      = sandbox_cluster.c1
  namespace    = kubernetes_namespace.istio_system.name
  tag          = "1.30.0"
  mesh_id      = "mesh1"
  cluster_name = "cluster1"
  network      = "network1"
  mesh_config  = { accessLogFile = "/dev/stdout" }
}
