resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

resource "kubernetes_labels" "node" {
  cluster     = sandbox_cluster.c1
  api_version = "v1"
  kind        = "Node"
  name        = "cluster1-control-plane"
  force       = true # as kubectl label --overwrite
  labels      = { "topology.kubernetes.io/zone" = "zone1" }
}
