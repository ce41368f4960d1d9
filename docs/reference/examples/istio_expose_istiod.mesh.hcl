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
  values       = { global = { externalIstiod = true } }
}

resource "istio_eastwest_gateway" "c1" {
  control_plane = istio_operator.primary
}

resource "istio_expose_istiod" "c1" {
  gateway = istio_eastwest_gateway.c1
}

# What clusters without an istiod have as `values.global.remotePilotAddress`.
output "remote_pilot_address" {
  value = istio_eastwest_gateway.c1.address
}
