resource "sandbox_cluster" "c1" {
  name = "cluster1"
}

resource "kubernetes_manifest" "settings" {
  cluster = sandbox_cluster.c1
  manifest = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = "settings", namespace = "default" }
    data       = { greeting = "hello" }
  }
}
