resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

resource "kubernetes_namespace" "sample" {
  cluster = sandbox_cluster.c1
  name    = "sample"
  labels  = { "istio-injection" = "enabled" }
}
