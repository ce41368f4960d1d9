provider "istio" {
  requests_at_once = 4
  request_tries    = 10
  istioctl         = "/opt/istio-1.30.0/bin/istioctl"
}

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
  installer    = "operator"
  tag          = "1.23.6"
  mesh_id      = "mesh1"
  cluster_name = "cluster1"
  network      = "network1"
}

resource "istio_remote_reader" "c1" {
  control_plane = istio_operator.primary
}
